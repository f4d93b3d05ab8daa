//! Names that the macro uses as well.

#[daemon_rpc::main]
async fn invocation(parameter_0: String, returned: daemon_rpc::prelude::Stdout) {
    let _ = (parameter_0, returned);
}

//! Any bytes of a client, for a session of the daemon.
#![no_main]

libfuzzer_sys::fuzz_target!(init: daemon_rpc_fuzz::ignore_broken_pipes(), |input: &[u8]| daemon_rpc_fuzz::run(&daemon_rpc::fuzzing::SESSION, input));

//! Any bytes of a daemon, for the client.
#![no_main]

libfuzzer_sys::fuzz_target!(init: daemon_rpc_fuzz::ignore_broken_pipes(), |input: &[u8]| daemon_rpc_fuzz::run(&daemon_rpc::fuzzing::ANSWER, input));

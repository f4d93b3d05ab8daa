//! Any bytes for the decoder of each kind's body.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| daemon_rpc_fuzz::run(&daemon_rpc::fuzzing::MESSAGES, input));

//! Any bytes in any pieces, for the decoder of frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| daemon_rpc_fuzz::run(&daemon_rpc::fuzzing::FRAMES, input));

//! With and without the attribute it is the same program.

use daemon_rpc_tests::scene::{both_ways, success, told};

#[test]
fn it_shouts() {
    for program in [env!("CARGO_BIN_EXE_shout"), env!("CARGO_BIN_EXE_shout-by-hand")] {
        both_ways(|scene| assert_eq!(told(&scene.run(program, "hello\n")), success("HELLO\n")));
    }
}

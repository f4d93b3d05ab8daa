//! Both programs say the same, and the README shows what differs between them.

use std::process::Command;

use daemon_rpc_tests::scene::{Scene, told};

const BEFORE: &str = env!("CARGO_BIN_EXE_timezone-before");
const AFTER: &str = env!("CARGO_BIN_EXE_timezone");

#[test]
fn both_answer_the_same() {
    let scene = Scene::new();
    for (arguments, input) in [
        (&["13.4,52.5", "-74,40.7"][..], ""),
        (&[], "2.35, 48.85\n151.2,-33.9\n"),
        (&[], ""),
        (&["--version"], ""),
    ] {
        let [before, after] = [BEFORE, AFTER].map(|program| told(&scene.run_with(program, arguments, input)));
        assert_eq!(before.0.replace("timezone-before", "timezone"), after.0);
        assert_eq!((before.1, before.2), (after.1, after.2));
    }
}

#[test]
fn a_place_that_is_none_is_an_error() {
    let scene = Scene::new();
    let answer = told(&scene.run_with(AFTER, &["13.4,52.5", "200,0"], ""));
    let message = "timezone: \"200,0\" is no place, such as 13.4,52.5\n";
    assert_eq!(answer, ("Europe/Berlin\n".into(), message.into(), Some(1)));
}

#[test]
fn the_readme_shows_the_difference() {
    let diff = Command::new("diff")
        .args(["-u", "--label", "before.rs", "--label", "after.rs", "src/before.rs", "src/after.rs"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let (_, shown) = include_str!("../README.md").split_once("```diff\n").unwrap();
    assert_eq!(shown.split_once("```").unwrap().0, String::from_utf8(diff.stdout).unwrap());
}

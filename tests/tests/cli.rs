//! `Cli`: whatever clap does in a plain program, it does here.

use std::process::Command;

use daemon_rpc_tests::scene::{Scene, both_ways, finish, start, told};

const CLI: &str = env!("CARGO_BIN_EXE_cli");
const PLAIN: &str = env!("CARGO_BIN_EXE_cli-plain");

/// Calls both programs under the same name.
fn call(scene: &Scene, arguments: &[&str], variables: &[(&str, &str)]) -> [(String, String, Option<i32>); 2] {
    [CLI, PLAIN].map(|program| {
        let mut command: Command = scene.command("bash");
        command.args(["-c", "exec -a cli \"$0\" \"$@\"", program]).args(arguments);
        told(&finish(start(command.envs(variables.iter().copied()), "")))
    })
}

#[track_caller]
fn assert_the_same(scene: &Scene, arguments: &[&str], variables: &[(&str, &str)], code: i32) {
    let [ours, plain] = call(scene, arguments, variables);
    assert_eq!(ours, plain, "{arguments:?} {variables:?}");
    assert_eq!(ours.2, Some(code), "{ours:?}");
}

#[test]
fn subcommands_and_values() {
    both_ways(|scene| {
        assert_the_same(scene, &["--here", "a", "add", "1", "--", "-2"], &[], 0);
        assert_the_same(scene, &["--there=b", "-v", "say", "--twice", "hello", "--loud", "shouting"], &[], 0);
    });
}

#[test]
fn variables_are_the_callers() {
    both_ways(|scene| {
        // Whoever starts the daemon leaves it an environment that is nobody else's.
        assert_the_same(
            scene,
            &["--here", "a", "say"],
            &[("CLI_WORD", "first"), ("CLI_LOUD", "shouting"), ("CLI_VERBOSE", "true")],
            0,
        );
        for variables in [
            &[("CLI_HERE", "here"), ("CLI_WORD", "second")][..],
            &[("CLI_HERE", "here"), ("CLI_WORD", "third"), ("CLI_VERBOSE", "true")],
            &[
                ("CLI_HERE", "here"),
                ("CLI_WORD", "fourth"),
                ("CLI_VERBOSE", "false"),
                ("CLI_LOUD", "shouting"),
            ],
        ] {
            assert_the_same(scene, &["say"], variables, 0);
            assert_the_same(scene, &["say", "--twice"], variables, 0);
            assert_the_same(scene, &["say", "given"], variables, 0);
        }
        assert_the_same(scene, &["add"], &[("CLI_HERE", "here"), ("CLI_NUMBERS", "4,5,6")], 0);
        // A required one that only another caller has set is missing.
        assert_the_same(scene, &["--here", "a", "say"], &[], 2);
    });
}

#[test]
fn a_value_that_is_wrong_where_the_daemon_is_is_an_error_and_not_left_out() {
    let scene = Scene::new();
    std::fs::write(scene.path("here.toml"), "").unwrap();
    let file = |path: &str| {
        let mut command: Command = scene.command(CLI);
        command.args(["--file", path, "--here", "a", "say", "hello"]).current_dir(scene.directory());
        told(&finish(start(&mut command, "")))
    };
    let (stdout, _, code) = file(scene.path("here.toml").to_str().unwrap());
    assert!(stdout.contains("here.toml"), "{stdout}");
    assert_eq!(code, Some(0));
    let (stdout, _, code) = file("here.toml");
    assert!(
        stdout.contains("invalid value 'here.toml' for '--file <FILE>': there is no such file"),
        "{stdout}"
    );
    assert_eq!(code, Some(1));
}

#[test]
fn help_version_and_errors_are_the_clients_and_start_no_daemon() {
    both_ways(|scene| {
        for (arguments, code) in [
            (&["--help"][..], 0),
            (&["-h"], 0),
            (&["--version"], 0),
            (&["help", "add"], 0),
            (&["add", "--help"], 0),
            (&[], 2),
            (&["--here", "a"], 2),
            (&["--here", "a", "ad", "1"], 2),
            (&["--here", "a", "--there", "b", "add", "1"], 2),
            (&["--here", "a", "add", "1000"], 2),
            (&["--here", "a", "add", "one"], 2),
            (&["say", "nowhere"], 2),
        ] {
            assert_the_same(scene, arguments, &[], code);
            assert_the_same(scene, arguments, &[("CLICOLOR_FORCE", "1")], code);
        }
        assert!(!scene.file("cli", "lock").exists());
    });
}

#[test]
fn colours_are_there_where_they_are_wanted() {
    both_ways(|scene| {
        let [(plain, ..), _] = call(scene, &["--help"], &[]);
        let [(coloured, ..), _] = call(scene, &["--help"], &[("CLICOLOR_FORCE", "1")]);
        assert!(!plain.contains('\x1b') && coloured.contains("\x1b["), "{coloured}");
    });
}

//! What `highlight` says is what the plain program says, which has no daemon.

use std::fs;

use daemon_rpc_tests::scene::{both_ways, told};

const HIGHLIGHT: &str = env!("CARGO_BIN_EXE_highlight");
const PLAIN: &str = env!("CARGO_BIN_EXE_highlight-plain");

const SCRIPT: &str = "#!/bin/sh\necho \"hello\" # greet\n";

#[test]
fn it_colours_what_the_plain_program_colours() {
    both_ways(|scene| {
        fs::write(scene.path("source.rs"), "fn main() {}\n").unwrap();
        for arguments in [
            &["--color"][..],
            &["--color=never"],
            &[],
            &["--color", "source.rs"],
            &["--color", "-l", "python"],
            &["--color", "-t", "InspiredGitHub"],
        ] {
            let [ours, plain] = [HIGHLIGHT, PLAIN].map(|program| {
                let mut command = scene.command("sh");
                command.args(["-c", "printf %s \"$SCRIPT\" | \"$0\" \"$@\"", program]).args(arguments);
                told(&command.env("SCRIPT", SCRIPT).current_dir(scene.directory()).output().unwrap())
            });
            assert_eq!(ours, plain, "{arguments:?}");
            assert_eq!((ours.1.as_str(), ours.2), ("", Some(0)));
        }
    });
}

#[test]
fn files_and_input_come_in_their_order() {
    both_ways(|scene| {
        fs::write(scene.path("one"), "first\n").unwrap();
        fs::write(scene.path("two"), b"last \xff\n").unwrap();
        let paths = [scene.path("one"), scene.path("two")].map(|path| path.display().to_string());
        let output = scene.run_with(HIGHLIGHT, &[&paths[0], "-", &paths[1]], "between\n");
        assert_eq!(told(&output), ("first\nbetween\nlast \u{fffd}\n".into(), String::new(), Some(0)));
    });
}

#[test]
fn themes_are_listed_and_looked_for() {
    both_ways(|scene| {
        let (themes, _, _) = told(&scene.run_with(HIGHLIGHT, &["--list-themes"], ""));
        assert!(themes.lines().any(|theme| theme == "base16-ocean.dark"), "{themes}");
        let mut command = scene.command(HIGHLIGHT);
        let output =
            command.env("HIGHLIGHT_THEME", "none").stdin(std::process::Stdio::null()).output().unwrap();
        let message = "highlight: there is no theme \"none\"; --list-themes shows them\n";
        assert_eq!(told(&output), (String::new(), message.into(), Some(1)));
        let nowhere = told(&scene.run_with(HIGHLIGHT, &["nowhere"], ""));
        assert_eq!(nowhere.1, "highlight: can't read nowhere: No such file or directory (os error 2)\n");
    });
}

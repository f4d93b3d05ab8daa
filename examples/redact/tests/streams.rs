//! What `tail -f app.log | redact` needs: a line goes out before the next one comes.

use std::io::{BufRead as _, BufReader, Write as _};

use daemon_rpc_tests::scene::{both_ways, finish};

#[test]
fn a_line_goes_out_before_the_next_one_comes() {
    both_ways(|scene| {
        let mut client = scene.command(env!("CARGO_BIN_EXE_redact")).spawn().unwrap();
        let mut log = client.stdin.take().unwrap();
        let mut shown = BufReader::new(client.stdout.take().unwrap());
        for (line, expected) in [
            ("GET /login?password=hunter2&user=ada\n", "GET /login?password=<password>&user=ada\n"),
            ("200 OK\n", "200 OK\n"),
        ] {
            log.write_all(line.as_bytes()).unwrap();
            let mut redacted = String::new();
            shown.read_line(&mut redacted).unwrap();
            assert_eq!(redacted, expected);
        }
        drop(log);
        assert!(finish(client).status.success());
    });
}

//! `bowline top` in a terminal: what it draws, the keys, and what it leaves behind.

use std::path::Path;

use bowline::testing::LocalServer;
use rustix::termios::LocalModes;

use crate::terminal::Terminal;

fn top(server: &LocalServer) -> Terminal {
    let url = server.url("postgres");
    Terminal::run(
        Path::new("."),
        &["top", "--database-url", &url, "--interval", "0.2"],
    )
}

#[test]
fn keys_are_heard_and_the_terminal_is_given_back_as_it_was() {
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    for key in [b"q", b"\x03"] {
        let mut terminal = top(&server);
        terminal.wait_for("\x1b[?1049h");
        terminal.wait_for("connections");
        terminal.wait_for("transactions/s");
        assert!(
            !terminal
                .modes()
                .intersects(LocalModes::ICANON | LocalModes::ISIG)
        );
        terminal.press(b"x");
        terminal.press(key);
        terminal.wait_for("\x1b[?25h\x1b[?1049l");
        assert!(terminal.end().success());
        assert_eq!(terminal.modes(), terminal.before);
    }
}

#[test]
fn a_failure_is_told_on_the_screen_that_was_there_before() {
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let mut terminal = top(&server);
    terminal.wait_for("transactions/s");
    server.stop().expect("it stops");
    terminal.wait_for("\x1b[?1049l");
    let said = terminal.wait_for("\n");
    assert!(said.contains("error"), "{said:?}");
    assert_eq!(terminal.end().code(), Some(1));
    assert_eq!(terminal.modes(), terminal.before);
}

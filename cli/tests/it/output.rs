//! Standard output and error: colours, closed pipes, full disks.

use std::process::{Command, Stdio};

use bowline::testing::LocalServer;

use crate::Project;
use crate::terminal::Terminal;

fn command(project: &Project, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bowline"));
    command
        .current_dir(project.path(""))
        .args(arguments)
        .env_clear()
        .env("PATH", "/nonexistent");
    command
}

#[test]
fn colours_are_for_terminals_unless_chosen() {
    let project = Project::new(&[]);
    let is_coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let printed = project.printed(arguments, variables);
        assert!(
            printed.contains("error") && printed.ends_with("exit 1"),
            "{printed}"
        );
        printed.contains("\x1b[")
    };
    let fails = ["server", "status"];
    assert!(!is_coloured(&fails, &[]));
    assert!(is_coloured(&fails, &[("CLICOLOR_FORCE", "1")]));
    assert!(!is_coloured(
        &fails,
        &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]
    ));
    assert!(is_coloured(
        &["server", "status", "--color", "always"],
        &[("NO_COLOR", "1")]
    ));
    assert!(!is_coloured(
        &["--color=never", "server", "status"],
        &[("CLICOLOR_FORCE", "1")]
    ));
    let help = project.run(&["--color=always", "--help"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("\x1b["));
    assert_eq!(project.run(&["--color=red", "man"]).status.code(), Some(2));
}

#[test]
fn a_closed_output_is_no_failure() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id int PRIMARY KEY);",
    )]);
    for arguments in [
        &["--help"][..],
        &["completions", "bash"],
        &["man"],
        &["catalog"],
        &["generate", "--schema-only", "--stdout"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = command(&project, arguments)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .expect("it runs");
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(printed.is_empty(), "{arguments:?}: {printed}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn a_closed_standard_error_is_no_failure() {
    let project = Project::new(&[]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let status = command(&project, &["server", "status"])
        .stderr(writer)
        .status();
    assert_eq!(status.expect("it runs").code(), Some(1));
}

// Other operating systems have no `/dev/full`.
#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let project = Project::new(&[]);
    use std::io::Read as _;

    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("a device");
    let mut child = command(&project, &["completions", "bash"])
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut printed = String::new();
    child
        .stderr
        .take()
        .expect("its errors")
        .read_to_string(&mut printed)
        .expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    assert!(
        printed.starts_with("error: failed to write the result: No space left on device"),
        "{printed}"
    );
}

#[test]
fn progress_is_shown_only_on_a_terminal() {
    let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
    let project = Project::new(&[]);
    let slow = [
        "sql",
        "SELECT pg_sleep(1)",
        "--database-url",
        &server.url("postgres"),
    ];
    let printed = String::from_utf8_lossy(&project.run(&slow).stderr).into_owned();
    assert_eq!(printed, "");
    let mut terminal = Terminal::run(&project.path(""), &slow);
    let drawn = terminal.wait_for("(1 row)");
    assert!(drawn.contains("running"), "{drawn:?}");
    let (_, below) = drawn.rsplit_once("pg_sleep").expect("the answer");
    assert!(!below.contains("running"), "{drawn:?}");
    assert!(terminal.end().success());
}

#[test]
fn messages_are_wrapped_on_a_terminal() {
    let project = Project::new(&[]);
    let name = "a".repeat(70);
    let mut terminal = Terminal::run(&project.path(""), &["sql", "-f", &name]);
    let drawn = terminal.wait_for("(os error 2)");
    assert!(drawn.contains("\r\n       "), "{drawn:?}");
    assert_eq!(terminal.end().code(), Some(1));
}

/// Control characters, and characters that a terminal does not show: a title, a cleared screen, C1,
/// carriage return, changes of direction, no width.
const HOSTILE: &str =
    "a\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[8m\u{9b}31m\r\u{8}\u{7f}\u{202e}\u{2066}\u{200b}z";

/// The same text as it has to be printed.
const SEEN: &str = r"a\x1B]0;owned\x07\x1B[2J\x1B[8m\u009B31m\r\x08\x7F\u202E\u2066\u200Bz";

#[track_caller]
fn assert_harmless(what: &str, drawn: &str) {
    for raw in [
        "\u{1b}]",
        "\u{1b}[2J",
        "\u{1b}[8m",
        "\u{9b}",
        "\u{7}",
        "\u{8}",
        "\u{7f}",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
    ] {
        assert!(!drawn.contains(raw), "{what}: {raw:?} in {drawn:?}");
    }
}

#[test]
fn server_messages_are_escaped_on_a_terminal() {
    let server = LocalServer::private(&[]).expect("a server");
    let url = server.url("postgres");
    let sql = format!(
        "CREATE FUNCTION hostile() RETURNS text LANGUAGE sql IMMUTABLE AS $f$ SELECT '{HOSTILE}'::text $f$;
         CREATE TABLE t (name text); INSERT INTO t VALUES (hostile()), (hostile());
         CREATE FUNCTION tells() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN
             RAISE NOTICE '%', hostile(); RAISE EXCEPTION '%', hostile() USING DETAIL = hostile(), HINT = hostile(); END $f$;"
    );
    let project = Project::new(&[
        ("migrations/1_a/up.sql", "SELECT 1;"),
        (
            "migrations/2_index/up.sql",
            "CREATE UNIQUE INDEX t_name ON t (name);",
        ),
        ("migrations/2_index/down.sql", ""),
        ("hostile.sql", &sql),
    ]);
    let made = project.printed(&["sql", "-f", "hostile.sql", "--database-url", &url], &[]);
    assert!(made.ends_with("exit 0"), "{made}");
    let tells = ["sql", "SELECT tells()", "--database-url", &url];
    let names = [
        "sql",
        "SELECT name AS \"a\u{202e}\" FROM t",
        "--database-url",
        &url,
    ];
    let copied = [
        "sql",
        "COPY (SELECT name FROM t) TO STDOUT (FORMAT csv, HEADER)",
        "--database-url",
        &url,
    ];
    let migrated = ["migrate", "run", "--database-url", &url];
    for command in [&tells[..], &names, &copied, &migrated] {
        let mut terminal = Terminal::run(&project.path(""), command);
        let drawn = terminal.rest();
        assert_harmless(&command.join(" "), &drawn);
        let is_told = command == tells;
        assert!(!is_told || drawn.matches(SEEN).count() >= 4, "{drawn:?}");
        // Also in a log, except for the data of a COPY, which programs read.
        let printed = project.printed(command, &[]);
        if command != copied {
            assert_harmless(&command.join(" "), &printed);
        }
    }
    // Data of a COPY is unchanged.
    let output = project.run(&copied);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("name\n\"{HOSTILE}\"\n\"{HOSTILE}\"\n")
    );
}

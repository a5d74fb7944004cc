//! The throwaway server: shared, private, and removed afterwards.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bowline::Session;
use bowline::testing::{LocalServer, Shutdown};

use crate::support::only;

/// Set in a child process that only holds a server until it is killed.
const HOLD: &str = "BOWLINE_TEST_HOLD";

#[test]
fn a_private_server_has_its_settings_and_ends_on_drop() {
    let server = LocalServer::private(&[("work_mem", "7MB")]).expect("a server");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let work_mem = diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>(
        "current_setting('work_mem')",
    ));
    let work_mem: String =
        diesel::RunQueryDsl::get_result(work_mem, &mut session).expect("a setting");
    assert_eq!(work_mem, "7MB");
    let folder = server.socket_folder().to_owned();
    drop((session, server));
    assert_gone(&folder);
}

/// The variables of a developer's own server.
#[test]
fn variables_of_another_server_do_not_reach_this_one() {
    let variables = [
        ("PGHOST", "localhost"),
        ("PGPORT", "7777"),
        ("PGDATABASE", "nope"),
        ("PGUSER", "nobody"),
        ("PGDATESTYLE", "German"),
        ("PGREQUIREAUTH", "scram-sha-256"),
        ("PGCHANNELBINDING", "require"),
        ("PGGSSENCMODE", "require"),
        ("PGTARGETSESSIONATTRS", "standby"),
        ("PGSSLMODE", "verify-full"),
    ];
    let mut user = start_holder("own", Command::new(this_program()).envs(variables));
    let folder = folder_of(&mut user);
    assert!(folder.join(".s.PGSQL.5432").exists());
    user.kill().expect("it is ours");
    user.wait().expect("it ends");
    assert_gone(&folder);
}

#[test]
fn only_its_user_can_read_the_log() {
    let server = LocalServer::private(&[]).expect("a server");
    let log = fs::metadata(server.log()).expect("a log");
    assert_eq!(log.permissions().mode() & 0o777, 0o600);
}

#[test]
fn processes_share_one_server() {
    let mut other = hold("shared");
    let folder = folder_of(&mut other);
    let mine = LocalServer::start().expect("the shared server");
    assert_eq!(mine.socket_folder(), folder);
    other.kill().expect("it is ours");
    other.wait().expect("it ends");
    assert!(mine.pid().is_some(), "its other user still is there");
}

#[test]
fn the_shared_server_outlives_its_last_user_for_a_while() {
    // PostgreSQL's programs in another folder have another shared server, which no other test uses.
    let programs = std::env::temp_dir().join(format!("bowline-stays-{}", std::process::id()));
    let installed = LocalServer::installed().expect("programs").0;
    std::os::unix::fs::symlink(installed, &programs).expect("a link");
    let hold = || {
        let mut user = hold_with("shared", &programs);
        let folder = folder_of(&mut user);
        user.kill().expect("it is ours");
        user.wait().expect("it ends");
        folder
    };
    let folder = hold();
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(hold(), folder);
    }
    std::fs::remove_file(&programs).expect("ours");
    std::thread::sleep(Duration::from_secs(3));
    assert!(folder.exists());
    assert_gone(&folder);
}

#[test]
fn a_server_stops_after_its_only_user_was_killed() {
    let mut user = hold("private");
    let folder = folder_of(&mut user);
    assert!(folder.exists());
    user.kill().expect("it is ours");
    user.wait().expect("it ends");
    assert_gone(&folder);
}

/// A process of this user that is not a server, and must not be stopped.
struct Bystander(Child);

impl Bystander {
    fn new() -> Self {
        let sleep = Command::new("sleep").arg("600").spawn();
        Self(sleep.expect("it runs"))
    }

    fn is_there(&mut self) -> bool {
        self.0.try_wait().expect("it is ours").is_none()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn files_of_the_servers_account_are_not_written_to() {
    let server = LocalServer::private(&[]).expect("a server");
    let folder = server.socket_folder();
    let victim = tempfile();
    fs::write(&victim, "kept").expect("a file");
    server.shut_down(Shutdown::Fast).expect("it stops");
    // Symbolic links, which the account of the server has the permissions to create.
    for name in [
        "log",
        "users",
        "postgresql.conf",
        "joined.1-0",
        "data/standby.log",
    ] {
        std::os::unix::fs::symlink(&victim, folder.join(name)).expect("a link");
    }
    server.start_again().expect("it starts");
    let text = fs::read_to_string(&victim).expect("it is there");
    fs::remove_file(&victim).expect("ours");
    assert_eq!(text, "kept");
    assert!(
        fs::read_to_string(server.log())
            .expect("a log")
            .contains("ready to accept")
    );
}

#[test]
fn a_process_that_is_no_server_is_not_stopped() {
    let server = LocalServer::private(&[]).expect("a server");
    server.shut_down(Shutdown::Fast).expect("it stops");
    let mut bystander = Bystander::new();
    let data = server.socket_folder().join("data");
    for pid in [i64::from(bystander.0.id()), -1, 0, 1] {
        let text = format!("{pid}\n{}\n1\n5432\n\n\n\nready\n", data.display());
        fs::write(data.join("postmaster.pid"), text).expect("a file");
        assert_eq!(server.pid(), None, "{pid}");
        server.shut_down(Shutdown::Immediate).expect("nothing runs");
    }
    let text = format!("{}\n{}\n", bystander.0.id(), data.display());
    fs::write(data.join("postmaster.pid"), text).expect("a file");
    let folder = server.socket_folder().to_owned();
    // As root, the watcher stops the server under the server's account, which cannot stop this
    // process.
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        fs::remove_file(data.join("postmaster.pid")).expect("ours");
    }
    drop(server);
    assert_gone(&folder);
    assert!(bystander.is_there());
}

#[test]
fn a_pipe_instead_of_a_file_does_not_block() {
    let server = LocalServer::private(&[]).expect("a server");
    server.shut_down(Shutdown::Fast).expect("it stops");
    let pid = server.socket_folder().join("data/postmaster.pid");
    let made = Command::new("mkfifo").arg(&pid).status().expect("it runs");
    assert!(made.success());
    let (tell, told) = std::sync::mpsc::channel();
    let asked = server.clone();
    std::thread::spawn(move || tell.send(asked.pid()));
    let answer = told.recv_timeout(Duration::from_secs(5));
    std::fs::remove_file(&pid).expect("ours");
    assert_eq!(answer.expect("an answer"), None);
}

/// Returns the path of a file for a test.
fn tempfile() -> PathBuf {
    std::env::temp_dir().join(format!("bowline-test-{}-victim", std::process::id()))
}

/// Holds a server, in the child process that a test above starts.
#[test]
fn holds_a_server_when_asked_to() {
    let Ok(which) = std::env::var(HOLD) else {
        return;
    };
    let server = if which == "shared" {
        LocalServer::start()
    } else {
        LocalServer::private(&[])
    };
    let server = server.expect("a server");
    Session::connect(&server.config("postgres")).expect("a connection");
    println!("\nfolder {}", server.socket_folder().display());
    std::thread::sleep(Duration::from_secs(60));
}

fn hold(which: &str) -> Child {
    start_holder(which, &mut Command::new(this_program()))
}

/// Does the same as `hold`, with PostgreSQL's programs in this folder.
fn hold_with(which: &str, programs: &Path) -> Child {
    start_holder(
        which,
        Command::new(this_program()).env("BOWLINE_PG_BIN", programs),
    )
}

fn this_program() -> PathBuf {
    std::env::current_exe().expect("this program")
}

fn start_holder(which: &str, again: &mut Command) -> Child {
    again
        .args(only(module_path!(), "holds_a_server_when_asked_to"))
        .env(HOLD, which);
    again
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs")
}

fn folder_of(child: &mut Child) -> PathBuf {
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut lines = lines.map_while(std::result::Result::ok);
    lines
        .find_map(|line| line.strip_prefix("folder ").map(PathBuf::from))
        .expect("it says where")
}

fn assert_gone(folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(12);
    while folder.exists() {
        assert!(
            Instant::now() < deadline,
            "{} is still there",
            folder.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

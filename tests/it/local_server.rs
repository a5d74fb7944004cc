//! The throwaway server: shared, private, and gone afterwards.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bowline::Session;
use bowline::testing::LocalServer;

/// Set for a copy of this program that only holds a server until it is killed.
const HOLD: &str = "BOWLINE_TEST_HOLD";

#[test]
fn a_private_server_takes_its_settings_and_is_gone_when_dropped() {
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
fn a_server_is_gone_after_its_only_user_was_killed() {
    let mut user = hold("private");
    let folder = folder_of(&mut user);
    assert!(folder.exists());
    user.kill().expect("it is ours");
    user.wait().expect("it ends");
    assert_gone(&folder);
}

/// Holds a server, where a test above has started this program again to do so.
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
    println!("\nfolder {}", server.socket_folder().display());
    std::thread::sleep(Duration::from_secs(60));
}

fn hold(which: &str) -> Child {
    let this = std::env::current_exe().expect("this program");
    let mut again = Command::new(this);
    again
        .args([
            "--exact",
            "local_server::holds_a_server_when_asked_to",
            "--nocapture",
        ])
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

//! `bowline server`.

use bowline::testing::LocalServer;
use rustix::process::{Pid, Signal, kill_process};

use crate::Project;

/// Returns the variables by which the programs of a server are found.
fn variables() -> Vec<(&'static str, String)> {
    let names = ["PATH", "BOWLINE_PG_BIN"].into_iter();
    let found = names.filter_map(|name| Some((name, std::env::var(name).ok()?)));
    found.filter(|(_, value)| !value.is_empty()).collect()
}

/// Stops the server of a folder when the test ends.
struct Stopped<'p>(&'p Project);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        let running = LocalServer::running_in_project(&self.0.path(""));
        if let Ok(Some(server)) = running {
            server.stop().ok();
        }
    }
}

#[test]
fn a_server_is_started_again_after_a_kill() {
    // Without a project too, since a server needs none.
    let project = Project::bare(&[]);
    let _stopped = Stopped(&project);
    let variables = variables();
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    for _ in 0..3 {
        let started = project.run_with(&["server", "start"], &variables);
        let printed = String::from_utf8_lossy(&started.stderr).into_owned();
        assert!(started.status.success(), "{printed}");
        let url = String::from_utf8(started.stdout).expect("a URL");
        let asked = project.printed(
            &["sql", "SELECT 1 AS one", "--database-url", url.trim()],
            &variables,
        );
        assert!(asked.ends_with("exit 0"), "{asked}");
        let server = LocalServer::running_in_project(&project.path(""))
            .expect("a folder")
            .expect("it runs");
        let pid = Pid::from_raw(server.pid().expect("it runs")).expect("a number");
        kill_process(pid, Signal::KILL).expect("ours");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while server.pid().is_some() {
            assert!(std::time::Instant::now() < deadline, "it does not end");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
    assert!(
        project
            .printed(&["server", "start"], &variables)
            .ends_with("exit 0")
    );
    let stopped = project.printed(&["server", "stop"], &variables);
    assert_eq!(stopped, "stopped\nexit 0");
    assert!(
        project
            .printed(&["server", "status"], &variables)
            .ends_with("exit 1")
    );
}

#[test]
fn a_server_is_started_once_and_stopped() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id int PRIMARY KEY);",
    )]);
    // The programs are in a distribution's folder, or in the one of `BOWLINE_PG_BIN`.
    let path = std::env::var("PATH").unwrap_or_default();
    let folder = std::env::var("BOWLINE_PG_BIN").unwrap_or_default();
    let mut variables = vec![("PATH", path.as_str())];
    if !folder.is_empty() {
        variables.push(("BOWLINE_PG_BIN", &folder));
    }
    let printed = project.printed(&["server", "status"], &variables);
    insta::assert_snapshot!(printed, @r"
    error: no server is running for this project
    hint: run `bowline server start`
    exit 1
    ");
    let url = String::from_utf8(project.run_with(&["server", "start"], &variables).stdout)
        .expect("a URL");
    let again = String::from_utf8(project.run_with(&["server", "start"], &variables).stdout)
        .expect("a URL");
    assert_eq!(url, again);
    let run = project.printed(
        &["migrate", "run", "--database-url", url.trim()],
        &variables,
    );
    assert!(run.contains("ran 1_a") && run.ends_with("exit 0"), "{run}");
    assert!(
        project
            .printed(&["server", "status"], &variables)
            .contains(url.trim())
    );
    insta::assert_snapshot!(project.printed(&["server", "stop"], &variables), @r"
    stopped
    exit 0
    ");
    assert!(
        project
            .printed(&["server", "status"], &variables)
            .ends_with("exit 1")
    );
}

//! A command that is killed while a migration runs: `status` reports the state, and a later run
//! continues.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use bowline::testing::LocalServer;
use bowline::{Session, sql_query};
use diesel::sql_types::BigInt;

use super::server;
use crate::Project;

#[derive(bowline::Row)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The statements of the migration. After each one, the server reports it and waits.
fn migration() -> String {
    (0..3)
        .map(|number| {
            format!(
                "CREATE TABLE t{number} (id int);\n\
                 DO $$ BEGIN RAISE NOTICE 'boundary {number}'; END $$;\nSELECT pg_sleep(0.7);\n"
            )
        })
        .collect()
}

/// Starts a run, and kills it when the server has passed this boundary.
fn killed_at(project: &Project, server: &LocalServer, boundary: usize) {
    let mut child: Child = Command::new(env!("CARGO_BIN_EXE_bowline"))
        .current_dir(project.path(""))
        .args(["migrate", "run"])
        .env_clear()
        .env("PATH", "/nonexistent")
        .env("DATABASE_URL", server.url("postgres"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut printed = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let mark = format!("boundary {boundary}");
    assert!(printed.any(|line| line.expect("a line").contains(&mark)));
    // SIGKILL.
    child.kill().expect("ours");
    child.wait().expect("it ends");
}

fn tables(session: &mut Session) -> i64 {
    let query = "SELECT count(*) FROM pg_tables WHERE tablename ~ '^t[0-9]$'";
    let count = sql_query(query).one::<Count>();
    session.run(count).expect("an answer").count
}

#[test]
fn the_next_run_understands_what_a_killed_one_left() {
    for in_transaction in [true, false] {
        for boundary in 0..3 {
            let server = server();
            let project = Project::new(&[("migrations/1_t/up.sql", &migration())]);
            project.write(
                "migrations/1_t/metadata.toml",
                &format!("run_in_transaction = {in_transaction}"),
            );
            let url = server.url("postgres");
            let variables = [("DATABASE_URL", url.as_str())];
            let printed = |arguments: &[&str]| project.printed(arguments, &variables);
            killed_at(&project, &server, boundary);
            let mut session = Session::connect(&server.config("postgres")).expect("a connection");
            let status = printed(&["migrate", "status"]);
            let case = format!("{in_transaction} {boundary}");
            if in_transaction {
                assert!(status.contains("pending  1_t"), "{case}: {status}");
                let next = printed(&["migrate", "run"]);
                assert!(next.ends_with("exit 0"), "{case}: {next}");
            } else {
                let began = status.contains("running  1_t") || status.contains("failed   1_t");
                assert!(began, "{case}: {status}");
                // It waits until the server has ended the first run's session, and reports that the
                // first run began.
                let next = printed(&["migrate", "run"]);
                assert!(next.contains("and did not finish"), "{case}: {next}");
                assert!(
                    printed(&["migrate", "status"]).contains("failed   1_t"),
                    "{case}"
                );
                let what = match tables(&mut session) {
                    0 => "--rolled-back",
                    3 => "--applied",
                    some => panic!("{case}: {some} tables"),
                };
                printed(&["migrate", "resolve", "1_t", what]);
                let next = printed(&["migrate", "run"]);
                assert!(next.ends_with("exit 0"), "{case}: {next}");
            }
            assert_eq!(tables(&mut session), 3, "{case}");
            let check = printed(&["migrate", "status", "--check"]);
            assert!(check.ends_with("exit 0"), "{case}: {check}");
        }
    }
}

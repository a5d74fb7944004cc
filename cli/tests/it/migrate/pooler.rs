//! Behind PgBouncer in transaction mode, where a lock of a session would stay with a session that others get next.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, sql};

use super::{project, server, without_times};

/// A PgBouncer in front of a server's databases.
struct PgBouncer {
    process: Child,
    folder: PathBuf,
}

impl PgBouncer {
    /// One that passes over the start-up options of its clients, as people set it for them.
    fn start(server: &LocalServer) -> Self {
        Self::with(server, "ignore_startup_parameters = options\n")
    }

    fn with(server: &LocalServer, more: &str) -> Self {
        let folder = server.socket_folder().join("pgbouncer");
        // That of the one before, where there was one.
        fs::remove_dir_all(&folder).ok();
        fs::create_dir(&folder).expect("a folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("a folder of ours");
        fs::write(folder.join("users"), "\"postgres\" \"\"\n").expect("a file");
        let settings = format!(
            "[databases]\n* = host={socket} port=5432\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n\
             unix_socket_dir = {here}\nauth_type = trust\nauth_file = {here}/users\npool_mode = transaction\n\
             {more}",
            socket = server.socket_folder().display(),
            here = folder.display()
        );
        fs::write(folder.join("pgbouncer.ini"), settings).expect("a file");
        let places = [
            "/usr/sbin",
            "/usr/bin",
            "/usr/local/bin",
            "/opt/homebrew/bin",
        ];
        let program = places.map(|place| Path::new(place).join("pgbouncer"));
        let program = program.into_iter().find(|path| path.exists());
        let mut command = Command::new(
            program.expect("pgbouncer is not installed: script/bootstrap installs it"),
        );
        // It refuses to run as root, and then runs as the account that has the server.
        let owner = fs::metadata(server.socket()).expect("a socket");
        if rustix::process::geteuid().is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        let process = command
            .arg(folder.join("pgbouncer.ini"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let bouncer = Self { process, folder };
        let deadline = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(bouncer.folder.join(".s.PGSQL.6432")).is_err() {
            assert!(Instant::now() < deadline, "pgbouncer does not start");
            thread::sleep(Duration::from_millis(10));
        }
        bouncer
    }

    fn url(&self) -> String {
        format!(
            "host={} port=6432 user=postgres dbname=postgres",
            self.folder.display()
        )
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn there_is_no_lock_and_that_is_said() {
    let (project, server) = (project(), server());
    let bouncer = PgBouncer::start(&server);
    let url = bouncer.url();
    let variables = [("DATABASE_URL", url.as_str())];
    insta::assert_snapshot!(without_times(&project.said(&["migrate", "run"], &variables)), @r"
    note: a pooler stands in between, so there is no lock: see that nobody else runs migrations now
    ran 1_accounts
    ran 2_name
    2 migrations, 2 run now
    exit 0
    ");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let locks = sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").affected();
    assert_eq!(session.run(locks).expect("an answer"), 0);
    insta::assert_snapshot!(project.said(&["sql", "--read-only", "SELECT 1"], &variables), @r"
    error: a pooler stands in between, so the session cannot be made read-only
    hint: connect to the server itself, or write BEGIN READ ONLY in front
    exit 1
    ");
}

#[test]
fn migrations_are_reverted_and_run_again() {
    let (project, server) = (project(), server());
    project.write(
        "migrations/2_name/down.sql",
        "ALTER TABLE accounts DROP name;",
    );
    // As it is, a pooler refuses what a connection says at its start.
    for more in ["", "ignore_startup_parameters = options\n"] {
        let bouncer = PgBouncer::with(&server, more);
        let url = bouncer.url();
        for command in [
            &["migrate", "run"][..],
            &["migrate", "revert", "-n", "2"],
            &["migrate", "run"],
            &["migrate", "redo"],
            &["migrate", "to", "0"],
            &["migrate", "status"],
            &["drift"],
            &["sql", "SELECT 1"],
            &["top", "--once"],
        ] {
            let said = project.said(command, &[("DATABASE_URL", &url)]);
            assert!(said.ends_with("exit 0"), "{more}{command:?}: {said}");
        }
    }
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let names = sql("SELECT 1 FROM pg_prepared_statements").affected();
    assert_eq!(session.run(names).expect("an answer"), 0);
}

#[test]
fn what_a_migration_sets_does_not_stay_with_the_pooler() {
    let (project, server) = (project(), server());
    project.write(
        "migrations/3_path/up.sql",
        "CREATE SCHEMA app; SET search_path = app; SET work_mem = '1MB'; CREATE TEMP TABLE t (x int);",
    );
    let bouncer = PgBouncer::with(&server, "default_pool_size = 1\n");
    let url = bouncer.url();
    let said = project.said(&["migrate", "run"], &[("DATABASE_URL", &url)]);
    assert!(said.ends_with("exit 0"), "{said}");
    let query = "SELECT current_setting('search_path') || ' ' || current_setting('work_mem') || ' ' || count(*) AS told
                 FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'";
    let told = project.said(&["sql", "--csv", query], &[("DATABASE_URL", &url)]);
    assert!(told.contains("\"\"\"$user\"\", public 4MB 0\""), "{told}");
}

//! Behind PgBouncer in transaction mode, started here from the distribution's package.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bank::schema::accounts;
use bank::{Account, AccountChanges};
use bowline::testing::TestDatabase;
use bowline::{
    Config, Database, Error, Outcome, Session, SqlState, StatementDsl as _, serializable, sql,
};
use diesel::prelude::*;

use crate::support::{new_account, server, test_database};

/// A PgBouncer of two server sessions in front of one database.
struct PgBouncer {
    process: Child,
    folder: PathBuf,
    database: TestDatabase,
}

impl PgBouncer {
    fn start() -> Self {
        let (server, database) = (server(), test_database());
        let folder = server
            .socket_folder()
            .join(format!("pgbouncer-{}", database.name()));
        fs::create_dir(&folder).expect("a folder");
        // It refuses to run as root, and then runs as the account that has the server.
        let owner = fs::metadata(server.socket()).expect("a socket");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("a folder of ours");
        fs::write(folder.join("users"), "\"postgres\" \"\"\n").expect("a file");
        let (socket, name) = (server.socket_folder().display(), database.name());
        let settings = format!(
            "[databases]\n{name} = host={socket} port=5432 dbname={name}\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n\
             unix_socket_dir = {here}\nauth_type = trust\nauth_file = {here}/users\npool_mode = transaction\n\
             default_pool_size = 2\nmax_client_conn = 50\n",
            here = folder.display()
        );
        fs::write(folder.join("pgbouncer.ini"), settings).expect("a file");
        let process = run_as(owner, "pgbouncer")
            .arg(folder.join("pgbouncer.ini"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer is not installed: script/bootstrap installs it");
        let bouncer = Self {
            process,
            folder,
            database,
        };
        bouncer.wait();
        bouncer
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(self.folder.join(".s.PGSQL.6432")).is_err() {
            assert!(Instant::now() < deadline, "pgbouncer does not start");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn config(&self) -> Config {
        Config::new()
            .host(self.folder.to_string_lossy())
            .port(6432)
            .user("postgres")
            .dbname(self.database.name())
            .pooler(true)
    }

    fn open(&self) -> Database {
        self.config().open().expect("pgbouncer")
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// A command that runs under the account which owns this file, as root may choose.
fn run_as(owner: fs::Metadata, name: &str) -> Command {
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::process::CommandExt as _;
    let path = [
        "/usr/sbin",
        "/usr/bin",
        "/usr/local/bin",
        "/opt/homebrew/bin",
    ]
    .map(|folder| Path::new(folder).join(name))
    .into_iter()
    .find(|path| path.exists())
    .unwrap_or_else(|| PathBuf::from(name));
    let mut command = Command::new(path);
    if rustix::process::geteuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command
}

#[test]
fn all_ways_of_running_work_behind_a_pooler() {
    let bouncer = PgBouncer::start();
    let db = bouncer.open();
    let ann = db
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    let frozen = || AccountChanges {
        status: Some(bank::AccountStatus::Frozen),
        ..Default::default()
    };
    for _ in 0..20 {
        db.run((Account::update(ann.id, frozen()), Account::count()))
            .expect("answers");
        db.with(serializable())
            .run(Account::update(ann.id, frozen()))
            .expect("an answer");
    }
    db.transaction(|tx| {
        tx.run(Account::insert(new_account("bob")))?;
        let undone = tx.savepoint(|tx| tx.run(Account::insert(new_account("bob"))));
        assert!(undone.is_err());
        tx.run(Account::count())
    })
    .expect("a commit");
    let names = accounts::table
        .select(accounts::username)
        .order(accounts::id);
    let streamed: Vec<String> = db
        .stream(names.all::<String>())
        .expect("a stream")
        .collect::<Result<_, _>>()
        .expect("names");
    assert_eq!(streamed, ["ann", "bob"]);
    let more = (0..1000).map(|number| (format!("user{number}"),));
    assert_eq!(db.copy_in((accounts::username,), more).expect("rows"), 1000);
    db.run(sql("VACUUM accounts").affected())
        .expect("a statement that must run alone");
    let error = db
        .run(Account::insert(new_account("ann")))
        .expect_err("a duplicate");
    assert_eq!(error.sqlstate(), Some(SqlState::UNIQUE_VIOLATION));
}

#[test]
fn many_clients_share_few_sessions_of_the_servers() {
    let bouncer = PgBouncer::start();
    let db = bouncer.config().max_size(8).open().expect("pgbouncer");
    let counted = thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                let db = &db;
                scope.spawn(move || {
                    for number in 0..25 {
                        let name = format!("user{worker}_{number}");
                        db.run(Account::insert(new_account(&name)))
                            .expect("an account");
                        db.transaction(|tx| {
                            tx.run(Account::find_by_username(&name))?;
                            tx.run(Account::count())
                        })
                        .expect("a count");
                    }
                })
            })
            .collect();
        workers.into_iter().all(|worker| worker.join().is_ok())
    });
    assert!(counted);
    assert_eq!(db.run(Account::count()).expect("a count"), 200);
}

#[test]
fn settings_travel_with_each_transaction_behind_a_pooler() {
    #[derive(bowline::Row)]
    struct Settings {
        #[diesel(sql_type = diesel::sql_types::Text)]
        zone: String,
        #[diesel(sql_type = diesel::sql_types::Text)]
        memory: String,
    }
    let bouncer = PgBouncer::start();
    let plain = bouncer.open();
    let config = bouncer.config().parameter("options", "-c work_mem=7MB");
    let special = config.open().expect("pgbouncer");
    let ask = || {
        let settings =
            "SELECT current_setting('TimeZone') AS zone, current_setting('work_mem') AS memory";
        sql(settings).one::<Settings>()
    };
    for _ in 0..5 {
        let settings = special.run(ask()).expect("settings");
        assert_eq!(
            (settings.zone.as_str(), settings.memory.as_str()),
            ("UTC", "7MB")
        );
        let within = special.transaction(|tx| tx.run(ask())).expect("settings");
        assert_eq!(within.memory, "7MB");
        let copied = special.transaction(|tx| {
            tx.copy_in((accounts::username,), std::iter::empty::<(String,)>())?;
            tx.run(ask())
        });
        assert_eq!(copied.expect("settings").memory, "7MB");
        assert_eq!(plain.run(ask()).expect("settings").memory, "4MB");
    }
}

#[test]
fn a_slow_statement_is_cancelled_through_a_pooler() {
    let bouncer = PgBouncer::start();
    let db = bouncer.open();
    let mut session = db.session().expect("a session");
    session.within(Duration::from_millis(300));
    let error = session
        .run(sql("SELECT pg_sleep(20)").affected())
        .expect_err("too slow");
    assert_eq!(
        (error.sqlstate(), error.outcome()),
        (Some(SqlState::QUERY_CANCELED), Outcome::NotCommitted)
    );
    assert!(session.run(sql("SELECT 1").affected()).is_ok());
}

#[test]
fn session_features_are_refused_behind_a_pooler() {
    let bouncer = PgBouncer::start();
    let db = bouncer.open();
    let mut session = db.session().expect("a session");
    let errors: [Error; 2] = [
        session.listen("jobs").expect_err("no session of its own"),
        session
            .advisory_lock("jobs")
            .map(drop)
            .expect_err("no session of its own"),
    ];
    for error in errors {
        assert!(
            error.hint().is_some_and(|hint| hint.contains("pooler")),
            "{error:?}"
        );
    }
}

#[test]
fn an_undeclared_pooler_is_named_with_its_setting() {
    let bouncer = PgBouncer::start();
    let error = Session::connect(&bouncer.config().pooler(false)).expect_err("it is refused");
    assert!(error.is_permanent(), "{error:?}");
    assert!(
        error.message().contains("unsupported startup parameter"),
        "{error}"
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("Config::pooler(true)")),
        "{error:?}"
    );
}

//! A primary with a streaming standby, each behind a proxy that counts round trips.

use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use bowline::testing::LocalServer;
use bowline::{Config, Database, Session, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;
use testkit::Proxy;

use crate::pool::until;
use crate::support::MIGRATIONS;

/// A primary with its standby, which the tests share, each in a database of its own.
struct Pair {
    primary: LocalServer,
    standby: LocalServer,
}

fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| {
        let primary = LocalServer::private(&[
            ("wal_level", "replica"),
            ("max_wal_senders", "4"),
            ("hot_standby", "on"),
            ("wal_receiver_status_interval", "1"),
            ("max_standby_streaming_delay", "0"),
        ])
        .expect("a server");
        let standby = primary.standby().expect("a standby");
        Pair { primary, standby }
    })
}

/// A database on both servers, each behind a proxy.
pub(super) struct Cluster {
    pub(super) primary: Proxy,
    pub(super) standby: Proxy,
    /// The standby, past the proxy.
    behind: Session,
    dbname: &'static str,
}

impl Cluster {
    /// Creates the sample's tables, and waits until the standby has them.
    pub(super) fn start(dbname: &'static str) -> Self {
        let Pair { primary, standby } = pair();
        let mut session = Session::connect(&primary.config("postgres")).expect("a server");
        session
            .batch_execute(&format!("CREATE DATABASE {dbname}"))
            .expect("a database");
        let mut session = Session::connect(&primary.config(dbname)).expect("a database");
        let mut folders: Vec<_> = std::fs::read_dir(MIGRATIONS)
            .expect("the migrations")
            .map(|entry| entry.expect("a folder").path().join("up.sql"))
            .filter(|file| file.exists())
            .collect();
        folders.sort();
        for file in folders {
            let sql = std::fs::read_to_string(file).expect("SQL");
            session.batch_execute(&sql).expect("DDL");
        }
        session
            .batch_execute("CREATE TABLE replicated ()")
            .expect("DDL");
        let has_table = || {
            let standby = Session::connect(&standby.config(dbname));
            standby.and_then(|mut session| {
                let sees = sql_query("SELECT FROM replicated").affected();
                session.run(sees).map(|_| session)
            })
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        let behind = loop {
            match has_table() {
                Ok(session) => break session,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            thread::sleep(Duration::from_millis(5));
        };
        Self {
            primary: Proxy::start(primary).expect("a proxy"),
            standby: Proxy::start(standby).expect("a proxy"),
            behind,
            dbname,
        }
    }

    fn config(&self) -> Config {
        let host = |proxy: &Proxy| {
            let config = proxy.config(self.dbname);
            config.parameters().expect("good ones")["host"].clone()
        };
        Config::new()
            .host(format!("{},{}", host(&self.standby), host(&self.primary)))
            .port(5432)
            .user("postgres")
            .dbname(self.dbname)
            .parameter("target_session_attrs", "read-write")
    }

    pub(super) fn open(&self) -> Database {
        self.config().open().expect("the primary")
    }

    /// Forgets the round trips so far.
    pub(super) fn forget(&self) {
        self.primary.take_round_trips();
        self.standby.take_round_trips();
    }

    /// Returns the round trips to the primary and to the standby.
    pub(super) fn trips(&self) -> (usize, usize) {
        (
            self.primary.take_round_trips(),
            self.standby.take_round_trips(),
        )
    }

    pub(super) fn stop_replay(&mut self) {
        self.behind
            .batch_execute("SELECT pg_wal_replay_pause()")
            .expect("a pause");
        let paused = "SELECT FROM pg_get_wal_replay_pause_state() AS s WHERE s = 'paused'";
        until(|| {
            let mut session = Session::connect(&pair().standby.config("postgres"));
            let session = session.as_mut().expect("a standby");
            session.run(sql_query(paused).affected()).expect("a state") == 1
        });
    }

    pub(super) fn go_on(&mut self) {
        self.behind
            .batch_execute("SELECT pg_wal_replay_resume()")
            .expect("it goes on");
    }
}

impl Drop for Cluster {
    /// A test that fails must not stop the others.
    fn drop(&mut self) {
        self.behind
            .batch_execute("SELECT pg_wal_replay_resume()")
            .ok();
    }
}

/// Tests that stop the replay of the shared standby follow one another.
static REPLAY: std::sync::Mutex<()> = std::sync::Mutex::new(());

pub(super) fn replay() -> std::sync::MutexGuard<'static, ()> {
    REPLAY
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

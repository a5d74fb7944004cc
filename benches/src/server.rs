//! The server for all measurements, and its data.

use std::error::Error;
use std::time::Duration;

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, sql_query};
use diesel_migrations::FileBasedMigrations;
use testkit::Latency;

use crate::target::Target;

/// Settings in addition to those of [`LocalServer`], which has fsync, synchronous_commit, jit and
/// autovacuum off.
const SETTINGS: &[(&str, &str)] = &[
    ("shared_buffers", "1GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "1h"),
    // The pools of all contenders stay open during the turns of the others.
    ("max_connections", "600"),
];

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");

/// A server with the data of the workloads. Dropping it removes it.
pub struct Server {
    pub local: LocalServer,
    pub target: Target,
}

impl Server {
    /// Starts a server, and fills a database with this many users and this scale of pgbench.
    pub fn start(users: i64, scale: i32) -> Result<Self, Box<dyn Error>> {
        let local = LocalServer::private(SETTINGS)?;
        Session::connect(&local.config("postgres"))?
            .run(sql_query("CREATE DATABASE bench").affected())?;
        let db = local.config("bench").open()?;
        db.migrate(FileBasedMigrations::from_path(FOLDER)?)?;
        let mut session = db.session()?;
        for statement in data(users, scale) {
            session.run(sql_query(statement).affected())?;
        }
        let url = local.url("bench");
        Ok(Self {
            local,
            target: Target { url, users, scale },
        })
    }

    /// Returns the target with this many milliseconds added to each round trip. With 0 it is the
    /// Unix socket.
    pub fn at_distance(&self, milliseconds: u64) -> Result<Target, Box<dyn Error>> {
        if milliseconds == 0 {
            return Ok(self.target.clone());
        }
        let relay = Latency::start(&self.local, Duration::from_millis(milliseconds))?;
        Ok(Target {
            url: relay.url("bench"),
            ..self.target.clone()
        })
    }
}

/// The statements that fill the tables.
fn data(users: i64, scale: i32) -> Vec<String> {
    let graph = (users / 100).clamp(1, 100);
    let filler = "repeat(' ', 84)";
    vec![
        format!(
            "INSERT INTO users (name, email, balance, note) \
             SELECT 'user ' || n, 'user' || n || '@example.com', n % 1000, CASE WHEN n % 2 = 0 THEN 'note ' || n END \
             FROM generate_series(1, {users}) AS n"
        ),
        format!(
            "INSERT INTO posts (user_id, title) \
             SELECT (n - 1) / 10 + 1, 'title ' || n FROM generate_series(1, {graph} * 10) AS n"
        ),
        format!(
            "INSERT INTO comments (post_id, body) \
             SELECT (n - 1) / 10 + 1, 'comment ' || n FROM generate_series(1, {graph} * 100) AS n"
        ),
        format!(
            "INSERT INTO pgbench_branches SELECT n, 0, {filler} FROM generate_series(1, {scale}) AS n"
        ),
        format!(
            "INSERT INTO pgbench_tellers \
             SELECT n, (n - 1) / 10 + 1, 0, {filler} FROM generate_series(1, {scale} * 10) AS n"
        ),
        format!(
            "INSERT INTO pgbench_accounts \
             SELECT n, (n - 1) / 100000 + 1, 0, {filler} FROM generate_series(1, {scale} * 100000) AS n"
        ),
        "ANALYZE".to_owned(),
    ]
}

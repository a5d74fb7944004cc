//! The steps of `bowline new --safe` while a reader and a writer use the table: the locks are those
//! of the plan, and neither of the two waits long.
//!
//! `script/under-load` runs it with a million rows and prints what it measured.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bowline::testing::LocalServer;
use bowline::{Session, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;

use super::server;
use crate::Project;
use crate::new::{STATEMENTS, folders, in_use};

/// The locks, the weakest first, as `pg_locks` names them and as a plan does.
const LOCKS: [(&str, &str); 8] = [
    ("AccessShareLock", "ACCESS SHARE"),
    ("RowShareLock", "ROW SHARE"),
    ("RowExclusiveLock", "ROW EXCLUSIVE"),
    ("ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE"),
    ("ShareLock", "SHARE"),
    ("ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE"),
    ("ExclusiveLock", "EXCLUSIVE"),
    ("AccessExclusiveLock", "ACCESS EXCLUSIVE"),
];

/// Statements whose plain form keeps others waiting for as long as the table is large. The others
/// break programs, or are safe as they are.
const LONG: [&str; 11] = [
    "not null",
    "foreign key",
    "unique",
    "check",
    "index",
    "type",
    "add",
    "value",
    "serial",
    "identity",
    "partitions",
];

/// A second, and two to spare.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

#[derive(bowline::Row)]
struct Locked {
    #[diesel(sql_type = Text)]
    migration: String,
    #[diesel(sql_type = Text)]
    relation: String,
    #[diesel(sql_type = Text)]
    mode: String,
}

/// The strongest lock on each table, by migration.
type Locks = BTreeMap<(String, String), usize>;

fn rows() -> usize {
    let given = std::env::var("BOWLINE_ROWS").ok();
    given.and_then(|rows| rows.parse().ok()).unwrap_or(20_000)
}

/// A database with the tables in use, and its project.
struct Case {
    project: Project,
    url: String,
}

impl Case {
    fn new(server: &LocalServer, number: usize) -> Self {
        let name = format!("load_{number}");
        let mut session = Session::connect(&server.config("postgres")).expect("a connection");
        session
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .expect("a database");
        let case = Self {
            project: in_use(),
            url: server.url(&name),
        };
        assert!(case.run(&["migrate", "run"]).ends_with("exit 0"));
        let rows = rows();
        case.session()
            .batch_execute(&format!(
                "INSERT INTO owners SELECT generate_series(0, 99);
                 INSERT INTO accounts SELECT i, i % 100, i || '@example.com', i % 90, ''
                    FROM generate_series(1, {rows}) i;
                 CREATE TABLE lock_log (migration text, relation text, mode text);"
            ))
            .expect("rows");
        case.session()
            .batch_execute("VACUUM ANALYZE accounts")
            .expect("statistics");
        case
    }

    fn session(&self) -> Session {
        let config = bowline::Config::from_url(&self.url).expect("a database");
        Session::connect(&config).expect("a connection")
    }

    fn run(&self, arguments: &[&str]) -> String {
        self.project
            .printed(arguments, &[("DATABASE_URL", &self.url)])
    }

    /// Returns the effects that the plan of the pending migrations has on tables.
    fn plan(&self, server: &LocalServer) -> Vec<(String, serde_json::Value)> {
        let url = server.url("postgres");
        let printed = self.run(&[
            "migrate",
            "plan",
            "--after",
            "1",
            "--json",
            "--server-url",
            &url,
        ]);
        let end = printed.rfind('}').expect("JSON");
        let plan: serde_json::Value = serde_json::from_str(&printed[..=end]).expect("JSON");
        let migrations = plan["migrations"].as_array().expect("migrations").clone();
        let mut effects = Vec::new();
        for migration in migrations {
            let name = migration["name"].as_str().expect("a name").to_owned();
            for statement in migration["statements"].as_array().expect("statements") {
                for effect in statement["effects"].as_array().expect("effects") {
                    effects.push((name.clone(), effect.clone()));
                }
            }
        }
        effects
    }

    /// Returns the folders of the safe steps, which note their locks at their ends.
    fn write_steps(&self, sql: &str) {
        let made = self.run(&["new", "--safe", sql]);
        assert!(made.ends_with("exit 0"), "{sql}: {made}");
        for folder in folders(&self.project) {
            let up = format!("migrations/{folder}/up.sql");
            let text = self.project.read(&up).replace("= ..", "= 0");
            self.project.write(&up, &text);
        }
    }

    fn note_locks(&self) {
        for folder in folders(&self.project) {
            let up = format!("migrations/{folder}/up.sql");
            let metadata = self
                .project
                .path(&format!("migrations/{folder}/metadata.toml"));
            if folder == "1_accounts" || metadata.exists() {
                continue;
            }
            let text = self.project.read(&up);
            self.project.write(
                &up,
                &format!("{text}\n{};", noting(&folder, "pg_backend_pid()")),
            );
        }
    }
}

/// Returns the statement that notes the locks of a session on the tables.
fn noting(migration: &str, pid: &str) -> String {
    format!(
        "INSERT INTO lock_log SELECT '{migration}', c.relname, l.mode FROM pg_locks l
         JOIN pg_class c ON c.oid = l.relation
         WHERE l.pid = {pid} AND l.granted AND l.locktype = 'relation'
           AND c.relname IN ('accounts', 'owners', 'cars', 'tickets', 'orders', 'events', 'events_1', 'events_2')"
    )
}

/// Repeats a statement until the end, and returns the longest time that it took.
fn longest(case: &Case, sql: impl Fn(usize) -> String, is_over: &AtomicBool) -> Duration {
    let mut session = case.session();
    let (mut longest, mut number) = (Duration::ZERO, 0);
    while !is_over.load(Ordering::Acquire) {
        number += 7919;
        let begun = Instant::now();
        session
            .batch_execute(&sql(1 + number % rows()))
            .expect("a program that does not name the column");
        longest = longest.max(begun.elapsed());
    }
    longest
}

/// Notes the locks of what runs outside of transactions, while it runs.
fn sample(case: &Case, is_over: &AtomicBool) -> Locks {
    let mut session = case.session();
    let mut locks = Locks::new();
    while !is_over.load(Ordering::Acquire) {
        let query = sql_query(
            "SELECT (SELECT coalesce(max(name), '') FROM __bowline_migrations WHERE finished_at IS NULL) AS migration,
                    c.relname::text AS relation, l.mode
             FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity a USING (pid)
             WHERE a.application_name = 'bowline migrate' AND l.granted AND l.locktype = 'relation'
               AND a.datname = current_database() AND c.relname IN ('accounts', 'owners', 'cars', 'tickets', 'orders', 'events', 'events_1', 'events_2')",
        );
        for locked in session.run(query.all::<Locked>()).expect("locks") {
            note(&mut locks, locked);
        }
        thread::sleep(Duration::from_millis(1));
    }
    locks.retain(|(migration, _), _| !migration.is_empty());
    locks
}

fn note(locks: &mut Locks, locked: Locked) {
    let rank = LOCKS.iter().position(|(mode, _)| *mode == locked.mode);
    let rank = rank.expect("a lock of a table");
    let held = locks
        .entry((locked.migration, locked.relation))
        .or_default();
    *held = (*held).max(rank);
}

fn planned(effects: &[(String, serde_json::Value)]) -> Locks {
    let mut locks = Locks::new();
    for (migration, effect) in effects {
        let lock = effect["lock"].as_str().expect("a lock");
        let mode = LOCKS
            .iter()
            .find(|(_, name)| *name == lock)
            .expect("one of them")
            .0;
        note(
            &mut locks,
            Locked {
                migration: migration.clone(),
                relation: effect["relation"].as_str().expect("a name").to_owned(),
                mode: mode.to_owned(),
            },
        );
    }
    locks
}

#[test]
fn safe_steps_keep_nobody_waiting_and_lock_as_planned() {
    let server = server();
    for (number, (kind, sql)) in STATEMENTS.iter().enumerate() {
        let case = Case::new(&server, number);
        // The plain form, which is only planned.
        case.project.write("migrations/2_plain/up.sql", sql);
        let keeps_waiting = case.plan(&server).iter().any(|(_, effect)| {
            let reads = effect["scans"] == true || effect["rewrites"] == true;
            let blocks = effect["blocks"] == "writes" || effect["blocks"] == "reads_and_writes";
            reads && blocks
        });
        assert_eq!(keeps_waiting, LONG.contains(kind), "{sql}");
        std::fs::remove_dir_all(case.project.path("migrations/2_plain")).expect("ours");

        case.write_steps(sql);
        let planned = planned(&case.plan(&server));
        case.note_locks();
        let is_over = AtomicBool::new(false);
        let (ran, read, written, sampled) = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let read = |id| format!("SELECT id, note FROM accounts WHERE id = {id}");
                longest(&case, read, &is_over)
            });
            let writer = scope.spawn(|| {
                let write = |id| format!("UPDATE accounts SET note = 'x' WHERE id = {id}");
                longest(&case, write, &is_over)
            });
            let sampler = scope.spawn(|| sample(&case, &is_over));
            let ran = case.run(&["migrate", "run"]);
            is_over.store(true, Ordering::Release);
            let read = reader.join().expect("it reads");
            let written = writer.join().expect("it writes");
            (ran, read, written, sampler.join().expect("it samples"))
        });
        assert!(ran.ends_with("exit 0"), "{sql}: {ran}");
        println!("{kind}: longest read {read:.0?}, longest write {written:.0?}");
        assert!(
            read < LONGEST_WAIT && written < LONGEST_WAIT,
            "{sql}: {read:?} {written:?}"
        );

        let mut noted = Locks::new();
        let log = sql_query("SELECT migration, relation, mode FROM lock_log");
        for locked in case.session().run(log.all::<Locked>()).expect("the log") {
            note(&mut noted, locked);
        }
        let is_noted = |(migration, _): &&(String, String)| {
            let metadata = format!("migrations/{migration}/metadata.toml");
            !case.project.path(&metadata).exists()
        };
        for (key, rank) in &planned {
            let (migration, relation) = key;
            let held = match is_noted(&key) {
                true => noted.get(key),
                // A lock that is over between two looks is not seen, only a weaker one before it: a
                // backfill reads the keys of a batch first.
                false => sampled.get(key).filter(|seen| *seen > rank).or(Some(rank)),
            };
            let name = |rank: Option<&usize>| rank.map(|rank| LOCKS[*rank].1);
            assert_eq!(name(held), name(Some(rank)), "{migration} on {relation}");
        }
        for key in noted.keys() {
            assert!(planned.contains_key(key), "{key:?} is not in the plan");
        }
    }
}

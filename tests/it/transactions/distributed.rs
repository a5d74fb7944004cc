//! Servers with PostgreSQL's protocol that commit each command of a pipeline separately unless
//! BEGIN comes first, such as Citus.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use bowline::retry::RetryPolicy;
use bowline::{Database, Outcome, Statement, StatementDsl as _, sql_query};

use testkit::FakeServer;
use testkit::fake_server::{Client, error_response, message};

/// The state of such a server, and the commands that it received.
#[derive(Default)]
pub(super) struct Cluster {
    pub(super) rows: u32,
    /// The SQL of the commands that were executed.
    pub(super) commands: Vec<String>,
    /// How many times the client waited for an answer.
    round_trips: u32,
}

pub(super) type Shared = Arc<Mutex<Cluster>>;

/// A part of the SQL that a server refuses, and its code.
pub(super) type Refused = (&'static str, &'static str);

/// The state of one connection.
#[derive(Default)]
struct Connection {
    /// The SQL of each statement, by its name; empty for the unnamed one.
    prepared: HashMap<Vec<u8>, String>,
    /// The SQL that was bound last.
    sql: String,
    pending: Option<u32>,
    /// True after an error; messages are skipped until the Sync.
    failed: bool,
    /// True if the open transaction has failed.
    aborted: bool,
    refuses: Option<Refused>,
}

impl Connection {
    /// Returns the answer to one message of the client.
    fn answer(&mut self, kind: u8, body: &[u8], cluster: &Shared) -> Vec<u8> {
        let mut cluster = cluster.lock().unwrap_or_else(PoisonError::into_inner);
        match kind {
            b'S' => {
                self.failed = false;
                cluster.round_trips += 1;
                let state: &[u8] = match (&self.pending, self.aborted) {
                    (None, _) => b"I",
                    (Some(_), false) => b"T",
                    (Some(_), true) => b"E",
                };
                message(b'Z', state)
            }
            _ if self.failed => Vec::new(),
            b'P' => {
                let mut parts = body.split(|byte| *byte == 0);
                let name = parts.next().expect("a name").to_vec();
                let sql = parts.next().expect("the SQL").to_vec();
                let sql = String::from_utf8(sql).expect("SQL");
                if let Some((part, code)) = self.refuses
                    && sql.contains(part)
                {
                    cluster.commands.push(format!("refused {part}"));
                    self.failed = true;
                    self.aborted = self.pending.is_some();
                    return error_response("ERROR", code, "it is not here");
                }
                self.prepared.insert(name, sql);
                message(b'1', b"")
            }
            b'B' => {
                let name = body.split(|byte| *byte == 0).nth(1).expect("a name");
                self.sql = self.prepared[name].clone();
                message(b'2', b"")
            }
            b'D' => message(b'n', b""),
            b'E' => self.execute(&mut cluster),
            _ => Vec::new(),
        }
    }

    fn execute(&mut self, cluster: &mut Cluster) -> Vec<u8> {
        cluster.commands.push(self.sql.clone());
        let tag = match self.sql.as_str() {
            begin if begin.starts_with("BEGIN") => {
                self.pending.get_or_insert(0);
                "BEGIN\0"
            }
            "COMMIT" => {
                cluster.rows += self.pending.take().unwrap_or(0);
                "COMMIT\0"
            }
            "ROLLBACK" => {
                (self.pending, self.aborted) = (None, false);
                "ROLLBACK\0"
            }
            fails if fails.contains("fails") => {
                self.failed = true;
                self.aborted = self.pending.is_some();
                return error_response("ERROR", "22012", "division by zero");
            }
            read if read.starts_with("SELECT") => "SELECT 0\0",
            other if !other.starts_with("INSERT") => "SET\0",
            _ => {
                let rows = match &mut self.pending {
                    Some(pending) => pending,
                    None => &mut cluster.rows,
                };
                *rows += 1;
                "INSERT 0 1\0"
            }
        };
        message(b'C', tag.as_bytes())
    }
}

fn serve(client: &mut Client, cluster: &Shared, refuses: Option<Refused>) {
    client.welcome();
    let mut connection = Connection {
        refuses,
        ..Connection::default()
    };
    let mut head = [0_u8; 5];
    while client.stream.read_exact(&mut head).is_ok() {
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) - 4;
        let mut body = vec![0; length.try_into().expect("short")];
        client.stream.read_exact(&mut body).expect("a message");
        let answer = connection.answer(head[0], &body, cluster);
        client.send(&answer);
    }
}

fn open() -> (Database, Shared, FakeServer) {
    open_refusing(None, RetryPolicy::never())
}

/// Opens a database on a server that refuses one thing.
pub(super) fn open_refusing(
    refuses: Option<Refused>,
    policy: RetryPolicy,
) -> (Database, Shared, FakeServer) {
    let cluster = Shared::default();
    let shared = Arc::clone(&cluster);
    let server = FakeServer::start(move |client| serve(client, &shared, refuses));
    let config = server.config().max_size(1).retry(policy);
    (config.open().expect("a welcome"), cluster, server)
}

pub(super) fn take(cluster: &Shared) -> Cluster {
    std::mem::take(&mut cluster.lock().unwrap_or_else(PoisonError::into_inner))
}

pub(super) fn insert() -> impl Statement<Output = usize> {
    sql_query("INSERT INTO t VALUES (1)").affected()
}

fn failing() -> impl Statement<Output = usize> {
    sql_query("INSERT fails").affected()
}

#[test]
fn a_tuple_that_fails_leaves_nothing() {
    let (db, cluster, _server) = open();
    let unit = || {
        let mut work = db.unit_of_work();
        work.add(insert());
        work.add(failing());
        work.commit().map(drop)
    };
    let failures = [
        db.run((insert(), failing())).map(drop),
        db.run(vec![insert().boxed(), insert().boxed(), failing().boxed()])
            .map(drop),
        unit(),
    ];
    for failure in failures {
        let error = failure.expect_err("a division by zero");
        assert_eq!(error.outcome(), Outcome::NotCommitted);
    }
    assert_eq!(take(&cluster).rows, 0);
}

#[test]
fn a_tuple_is_framed_by_begin_and_commit_in_one_trip() {
    let (db, cluster, _server) = open();
    let read = || sql_query("SELECT x FROM t").affected();
    let begin = ["BEGIN", "COMMIT"];
    let check = |seen: bowline::Result<()>, rows, framed| {
        seen.expect("it does not fail");
        let Cluster {
            rows: there,
            commands,
            round_trips,
        } = take(&cluster);
        assert_eq!((there, round_trips), (rows, 1), "{commands:?}");
        let said = begin.map(|word| commands.iter().any(|sql| sql == word));
        assert_eq!(said, [framed; 2], "{commands:?}");
    };
    check(db.run((insert(), insert())).map(drop), 2, true);
    check(db.run((insert(), read())).map(drop), 1, true);
    check(db.run(insert()).map(drop), 1, false);
}

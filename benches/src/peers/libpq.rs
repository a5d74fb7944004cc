//! libpq without any layer: what a C program would call, from Rust. The limit that all layers on libpq share.
#![expect(unsafe_code, reason = "a C library without a layer")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::hint::black_box;
use std::ptr;

use chrono::{DateTime, Duration, TimeZone as _, Utc};
use pq_sys::{
    ExecStatusType, PGconn, PGresult, PQclear, PQconnectdb, PQenterPipelineMode, PQerrorMessage,
    PQexecPrepared, PQfinish, PQgetResult, PQgetisnull, PQgetlength, PQgetvalue, PQntuples,
    PQpipelineSync, PQprepare, PQresultStatus, PQsendQueryPrepared, PQsocket, PQstatus,
};

use super::Peer;
use crate::contender::{Contender, repeat};
use crate::db::{User, UserId};
use crate::target::{Numbers, Target, Tpcb};

pub struct Libpq;

/// A connection.
pub struct Connection(*mut PGconn);

// SAFETY: libpq allows a connection on any thread, one thread at a time.
unsafe impl Send for Connection {}

/// A result.
struct Answer(*mut PGresult);

impl Drop for Connection {
    fn drop(&mut self) {
        unsafe { PQfinish(self.0) }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        unsafe { PQclear(self.0) }
    }
}

impl Connection {
    pub fn open(url: &str) -> Self {
        let url = CString::new(url).expect("a URL without NUL");
        let connection = Self(unsafe { PQconnectdb(url.as_ptr()) });
        assert!(
            unsafe { PQstatus(connection.0) } == pq_sys::ConnStatusType::CONNECTION_OK,
            "{}",
            connection.error()
        );
        connection
    }

    /// The socket, for a look at it.
    pub fn socket(&self) -> c_int {
        unsafe { PQsocket(self.0) }
    }

    fn error(&self) -> String {
        unsafe { CStr::from_ptr(PQerrorMessage(self.0)) }
            .to_string_lossy()
            .into_owned()
    }

    fn prepare(&self, name: &CStr, sql: &CStr) {
        let answer = unsafe { PQprepare(self.0, name.as_ptr(), sql.as_ptr(), 0, ptr::null()) };
        self.check(&Answer(answer));
    }

    fn check(&self, answer: &Answer) {
        use ExecStatusType::{PGRES_COMMAND_OK, PGRES_PIPELINE_SYNC, PGRES_TUPLES_OK};
        let status = unsafe { PQresultStatus(answer.0) };
        assert!(
            [PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_PIPELINE_SYNC].contains(&status),
            "{}",
            self.error()
        );
    }

    /// Executes a prepared statement, values and answer in binary.
    fn execute<const N: usize>(&self, name: &CStr, values: [&[u8]; N]) -> Answer {
        let (pointers, lengths, formats) = parameters(values);
        let answer = Answer(unsafe {
            PQexecPrepared(
                self.0,
                name.as_ptr(),
                N as c_int,
                pointers.as_ptr(),
                lengths.as_ptr(),
                formats.as_ptr(),
                1,
            )
        });
        self.check(&answer);
        answer
    }

    /// Adds the execution of a prepared statement to a pipeline.
    fn queue<const N: usize>(&self, name: &CStr, values: [&[u8]; N]) {
        let (pointers, lengths, formats) = parameters(values);
        let queued = unsafe {
            PQsendQueryPrepared(
                self.0,
                name.as_ptr(),
                N as c_int,
                pointers.as_ptr(),
                lengths.as_ptr(),
                formats.as_ptr(),
                1,
            )
        };
        assert!(queued == 1, "{}", self.error());
    }

    /// Sends the pipeline and reads its answers; without BEGIN its statements are one transaction.
    fn synchronize(&self, statements: usize) {
        assert!(unsafe { PQpipelineSync(self.0) } == 1, "{}", self.error());
        for _ in 0..statements {
            let answer = Answer(unsafe { PQgetResult(self.0) });
            self.check(&answer);
            assert!(unsafe { PQgetResult(self.0) }.is_null());
        }
        self.check(&Answer(unsafe { PQgetResult(self.0) }));
    }

    fn pipelined(self) -> Self {
        assert!(unsafe { PQenterPipelineMode(self.0) } == 1);
        self
    }
}

/// Pointers, lengths and formats of values in binary.
fn parameters<const N: usize>(values: [&[u8]; N]) -> ([*const c_char; N], [c_int; N], [c_int; N]) {
    (
        values.map(|value| value.as_ptr().cast()),
        values.map(|value| value.len() as c_int),
        [1; N],
    )
}

impl Answer {
    fn rows(&self) -> c_int {
        unsafe { PQntuples(self.0) }
    }

    /// The bytes of a field; `None` for NULL.
    fn field(&self, row: c_int, column: c_int) -> Option<&[u8]> {
        if unsafe { PQgetisnull(self.0, row, column) } == 1 {
            return None;
        }
        let (value, length) = unsafe {
            (
                PQgetvalue(self.0, row, column),
                PQgetlength(self.0, row, column),
            )
        };
        Some(unsafe { std::slice::from_raw_parts(value.cast(), length as usize) })
    }

    fn bigint(&self, row: c_int, column: c_int) -> i64 {
        let bytes = self.field(row, column).expect("a value");
        i64::from_be_bytes(bytes.try_into().expect("eight bytes"))
    }

    fn text(&self, row: c_int, column: c_int) -> Option<String> {
        let bytes = self.field(row, column)?;
        Some(String::from_utf8(bytes.to_vec()).expect("UTF-8"))
    }

    /// Microseconds since 2000-01-01.
    fn timestamptz(&self, row: c_int, column: c_int) -> DateTime<Utc> {
        let origin = Utc.with_ymd_and_hms(2000, 1, 1, 0, 0, 0).single();
        origin.expect("a date") + Duration::microseconds(self.bigint(row, column))
    }

    fn user(&self, row: c_int) -> User {
        User {
            id: UserId(self.bigint(row, 0)),
            name: self.text(row, 1).expect("a name"),
            email: self.text(row, 2).expect("an address"),
            balance: self.bigint(row, 3),
            created_at: self.timestamptz(row, 4),
            note: self.text(row, 5),
        }
    }
}

const TPCB: [(&CStr, &CStr); 5] = [
    (
        c"account",
        c"UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2",
    ),
    (c"balance", c"SELECT abalance FROM pgbench_accounts WHERE aid = $1"),
    (c"teller", c"UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = $2"),
    (c"branch", c"UPDATE pgbench_branches SET bbalance = bbalance + $1 WHERE bid = $2"),
    (
        c"history",
        c"INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)",
    ),
];

fn prepared(target: &Target, statements: &[(&CStr, &CStr)]) -> Connection {
    let connection = Connection::open(&target.url);
    for (name, sql) in statements {
        connection.prepare(name, sql);
    }
    connection
}

const ADD: (&CStr, &CStr) = (
    c"add",
    c"UPDATE users SET balance = balance + 1 WHERE id = $1",
);
const BEGIN_COMMIT: [(&CStr, &CStr); 2] = [(c"begin", c"BEGIN"), (c"commit", c"COMMIT")];

impl Peer for Libpq {
    fn find(&self) -> Vec<Contender> {
        vec![Contender::new("libpq", |target| {
            let find =
                c"SELECT id, name, email, balance, created_at, note FROM users WHERE id = $1";
            let connection = prepared(target, &[(c"find", find)]);
            let (users, mut numbers) = (target.users, Numbers::series(1));
            repeat(move || {
                let id = numbers.up_to(users).to_be_bytes();
                let answer = connection.execute(c"find", [&id]);
                assert!(answer.rows() == 1);
                black_box(answer.user(0));
            })
        })]
    }

    fn ten_updates(&self) -> Vec<Contender> {
        vec![
            Contender::new("libpq pipeline", |target| {
                let connection = prepared(target, &[ADD]).pipelined();
                let (users, mut numbers) = (target.users, Numbers::series(1));
                repeat(move || {
                    for _ in 0..10 {
                        connection.queue(ADD.0, [&numbers.up_to(users).to_be_bytes()]);
                    }
                    connection.synchronize(10);
                })
            }),
            Contender::new("libpq BEGIN .. COMMIT", |target| {
                let connection = prepared(target, &[ADD, BEGIN_COMMIT[0], BEGIN_COMMIT[1]]);
                let (users, mut numbers) = (target.users, Numbers::series(1));
                repeat(move || {
                    connection.execute(c"begin", []);
                    for _ in 0..10 {
                        connection.execute(ADD.0, [&numbers.up_to(users).to_be_bytes()]);
                    }
                    connection.execute(c"commit", []);
                })
            }),
        ]
    }

    fn tpcb(&self) -> Vec<Contender> {
        vec![
            Contender::new("libpq pipeline", |target| {
                let connection = prepared(target, &TPCB).pipelined();
                let (scale, mut numbers) = (target.scale, Numbers::series(1));
                repeat(move || {
                    let of = Tpcb::next(&mut numbers, scale);
                    let [aid, tid, bid, delta] =
                        [of.aid, of.tid, of.bid, of.delta].map(i32::to_be_bytes);
                    connection.queue(c"account", [&delta, &aid]);
                    connection.queue(c"balance", [&aid]);
                    connection.queue(c"teller", [&delta, &tid]);
                    connection.queue(c"branch", [&delta, &bid]);
                    connection.queue(c"history", [&tid, &bid, &aid, &delta]);
                    connection.synchronize(5);
                })
            }),
            Contender::new("libpq BEGIN .. COMMIT", |target| {
                let connection = prepared(target, &TPCB);
                for (name, sql) in BEGIN_COMMIT {
                    connection.prepare(name, sql);
                }
                let (scale, mut numbers) = (target.scale, Numbers::series(1));
                repeat(move || {
                    let of = Tpcb::next(&mut numbers, scale);
                    let [aid, tid, bid, delta] =
                        [of.aid, of.tid, of.bid, of.delta].map(i32::to_be_bytes);
                    connection.execute(c"begin", []);
                    connection.execute(c"account", [&delta, &aid]);
                    connection.execute(c"balance", [&aid]);
                    connection.execute(c"teller", [&delta, &tid]);
                    connection.execute(c"branch", [&delta, &bid]);
                    connection.execute(c"history", [&tid, &bid, &aid, &delta]);
                    connection.execute(c"commit", []);
                })
            }),
        ]
    }
}

//! libpq without any layer, as a C program calls it: the lower limit of all libraries on libpq.

mod bulk;
mod connection;

use std::ffi::CStr;
use std::hint::black_box;

use super::Peer;
use crate::contender::{Contender, repeat};
use crate::target::{Numbers, Target, Tpcb};

pub use connection::Connection;

pub struct Libpq;

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

    fn connect(&self) -> Vec<Contender> {
        vec![Contender::new("libpq", |target| {
            let url = target.url.clone();
            repeat(move || drop(Connection::open(&url)))
        })]
    }

    fn load(&self, rows: i64) -> Vec<Contender> {
        bulk::load(rows)
    }

    fn stream(&self) -> Vec<Contender> {
        bulk::stream()
    }

    fn copy_in(&self, rows: usize) -> Vec<Contender> {
        bulk::copy_in(rows)
    }
}

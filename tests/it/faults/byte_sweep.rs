//! Every kind of call that commits, with its connection cut after each byte in both directions. The
//! test compares the reported outcome with the rows of the table, once the server process has
//! ended. Both faces of the database are called.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use bowline::retry::RetryPolicy;
use bowline::{
    Database, Outcome, Result, Session, Statement, StatementDsl as _, TransactionOptions,
    commit_keys, sql_query,
};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use testkit::{Direction, Ending, Message, Proxy};

use super::face::{FACES, Face};
use crate::support::{server, test_database};

diesel::table! {
    cuts (id, part) {
        id -> Integer,
        part -> Integer,
    }
}

fn insert(id: i32, part: i32) -> impl Statement<Output = usize> + Send {
    diesel::insert_into(cuts::table)
        .values((cuts::id.eq(id), cuts::part.eq(part)))
        .affected()
}

/// The message that commits the work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CommitsBy {
    /// The Sync at the end of the pipeline; answered by ReadyForQuery.
    Sync,
    /// A COMMIT; answered by its CommandComplete.
    Command,
}

/// The byte positions of an exchange without a fault, counted after the connection was made.
struct Dialogue {
    said: u64,
    heard: u64,
    /// The start of the messages that are sent together with the commit.
    commit_said: u64,
    /// The start of the answers to those messages.
    commit_heard: u64,
    /// The end of the answer to the commit.
    answered: u64,
}

impl Dialogue {
    fn of(recording: &[Message], commits_by: CommitsBy) -> Self {
        let (mut said, mut heard, mut answered) = (0, 0, 0);
        let (mut commit_said, mut commit_heard) = (0, 0);
        let mut last = Direction::ToClient;
        for Message { direction, bytes } in recording {
            let length = bytes.len() as u64;
            if *direction == Direction::ToServer {
                if last == Direction::ToClient {
                    (commit_said, commit_heard) = (said, heard);
                }
                said += length;
            } else {
                heard += length;
                let is_answer = match commits_by {
                    CommitsBy::Sync => bytes[0] == b'Z',
                    CommitsBy::Command => bytes[0] == b'C' && bytes.ends_with(b"COMMIT\0"),
                };
                if is_answer {
                    answered = heard;
                }
            }
            last = *direction;
        }
        assert!(answered > 0, "nothing was committed");
        Self {
            said,
            heard,
            commit_said,
            commit_heard,
            answered,
        }
    }

    /// Returns true if the client cannot know the outcome: it has passed the commit to the kernel,
    /// in one write with the messages beside it, and has not read the answer.
    fn may_be_unknown(&self, direction: Direction, cut: u64) -> bool {
        match direction {
            // A cut after 0 bytes happens when the first data arrives.
            Direction::ToServer => cut > self.commit_said || self.commit_said == 0,
            Direction::ToClient => (self.commit_heard..self.answered).contains(&cut),
        }
    }

    /// Returns true if the client has received the answer that the work is committed.
    fn is_committed(&self, direction: Direction, cut: u64) -> bool {
        direction == Direction::ToClient && cut >= self.answered
    }
}

/// What is known after the answer to a commit was lost.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Afterwards {
    /// The outcome stays unknown.
    Unknown,
    /// Another session determines the outcome.
    FoundOut,
}

/// Cuts the connection of `work`, which writes this many rows, after each byte.
fn sweep(
    parts: i64,
    commits_by: CommitsBy,
    afterwards: Afterwards,
    work: impl Fn(&Face, i32) -> Result<()>,
) {
    sweep_ending(Ending::Fin, parts, commits_by, afterwards, work);
}

/// Does the same, and ends each connection in this way. Only TCP has resets.
fn sweep_ending(
    ending: Ending,
    parts: i64,
    commits_by: CommitsBy,
    afterwards: Afterwards,
    work: impl Fn(&Face, i32) -> Result<()>,
) {
    for face in FACES {
        sweep_face(face, ending, parts, commits_by, afterwards, &work);
    }
}

fn sweep_face(
    face: fn(&Database) -> Face,
    ending: Ending,
    parts: i64,
    commits_by: CommitsBy,
    afterwards: Afterwards,
    work: impl Fn(&Face, i32) -> Result<()>,
) {
    let database = test_database();
    let mut witness = Session::connect(&database.config()).expect("a server");
    witness
        .batch_execute("CREATE UNLOGGED TABLE cuts (id int, part int, PRIMARY KEY (id, part))")
        .expect("DDL");
    witness.batch_execute(commit_keys::MIGRATION).expect("DDL");
    let proxy = match ending {
        Ending::Fin => Proxy::start(&server()),
        Ending::Rst => Proxy::start_tcp(&server()),
    };
    let proxy = proxy.expect("a proxy");
    let config = proxy
        .config(database.name())
        .max_size(1)
        .retry(RetryPolicy::never());
    let db = config.open().expect("a server");
    // The queries that a pool sends only once are not part of the exchange.
    let face = face(&db);
    work(&face, -1).expect("a first dialogue");
    witness.batch_execute("DELETE FROM cuts").expect("SQL");
    let first_pid = fresh_session(&db, 0);
    proxy.cut(Ending::Fin);
    fresh_session(&db, first_pid);
    proxy.record();
    work(&face, 0).expect("an undisturbed dialogue");
    let dialogue = Dialogue::of(&proxy.take_recording(), commits_by);
    proxy.cut(Ending::Fin);

    let directions = [
        (Direction::ToServer, dialogue.said),
        (Direction::ToClient, dialogue.heard),
    ];
    let cuts = directions
        .into_iter()
        .flat_map(|(direction, length)| (0..=length).map(move |cut| (direction, cut)));
    let (mut last_pid, mut seen) = (0, BTreeMap::new());
    for ((direction, cut), id) in cuts.zip(1..) {
        last_pid = fresh_session(&db, last_pid);
        proxy.cut_after(direction, cut, ending);
        let outcome = work(&face, id).map_err(|error| error.outcome());
        seen.insert(id, (direction, cut, outcome));
    }
    wait_until_alone(&mut witness);
    let unknown = compare(&mut witness, &dialogue, parts, &seen);
    match afterwards {
        Afterwards::Unknown => assert!(
            unknown[0] > 0 && unknown[1] > 0,
            "no cut fell into the commit, either before it or behind it: {unknown:?}"
        ),
        Afterwards::FoundOut => assert_eq!(unknown, [0, 0], "not found out"),
    }
}

/// Waits until the pool returns another session than the one that was cut.
fn fresh_session(db: &Database, last_pid: i32) -> i32 {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let pid = db.session().expect("a session").backend_pid();
        if pid != last_pid {
            return pid;
        }
        assert!(Instant::now() < deadline, "the old session is still there");
        thread::yield_now();
    }
}

#[derive(bowline::Row)]
struct Count {
    #[diesel(sql_type = Integer)]
    id: i32,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    parts: i64,
}

/// Waits until no other session uses the database, since a server process whose client is gone may
/// still be committing.
fn wait_until_alone(witness: &mut Session) {
    let others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let deadline = Instant::now() + Duration::from_secs(20);
    while witness
        .run(sql_query(others).affected())
        .expect("an answer")
        > 0
    {
        assert!(Instant::now() < deadline, "a server process does not end");
        thread::sleep(Duration::from_millis(5));
    }
}

type Seen = BTreeMap<i32, (Direction, u64, std::result::Result<(), Outcome>)>;

/// Returns how often the outcome was unknown: of work that was not committed, and of work that was.
fn compare(witness: &mut Session, dialogue: &Dialogue, parts: i64, seen: &Seen) -> [usize; 2] {
    let counts = witness
        .run(sql_query("SELECT id, count(*) AS parts FROM cuts GROUP BY id").all::<Count>())
        .expect("the table");
    let held: BTreeMap<_, _> = counts.iter().map(|row| (row.id, row.parts)).collect();
    let mut unknown = [0, 0];
    for (id, (direction, cut, outcome)) in seen {
        let holds = held.get(id).copied().unwrap_or(0);
        let place = format!("{direction:?}, cut after byte {cut}: {outcome:?}, {holds} of {parts}");
        assert!(
            holds == 0 || holds == parts,
            "neither all nor nothing: {place}"
        );
        let is_there = holds == parts;
        match outcome {
            Ok(()) | Err(Outcome::Committed) => assert!(is_there, "{place}"),
            Err(Outcome::NotCommitted) => assert!(!is_there, "{place}"),
            Err(Outcome::Unknown) => {
                assert!(dialogue.may_be_unknown(*direction, *cut), "{place}");
                unknown[usize::from(is_there)] += 1;
            }
        }
        if dialogue.is_committed(*direction, *cut) {
            assert_eq!(*outcome, Ok(()), "{place}");
        }
    }
    unknown
}

#[test]
fn an_autocommit_insert_at_every_cut() {
    sweep(1, CommitsBy::Sync, Afterwards::Unknown, |db, id| {
        db.run(insert(id, 1)).map(drop)
    });
}

#[test]
fn an_autocommit_insert_at_every_reset() {
    let (commits_by, afterwards) = (CommitsBy::Sync, Afterwards::Unknown);
    sweep_ending(Ending::Rst, 1, commits_by, afterwards, |db, id| {
        db.run(insert(id, 1)).map(drop)
    });
}

#[test]
fn a_one_trip_transaction_at_every_cut() {
    sweep(3, CommitsBy::Command, Afterwards::Unknown, |db, id| {
        db.run((insert(id, 1), insert(id, 2), insert(id, 3)))
            .map(drop)
    });
}

#[test]
fn a_one_trip_transaction_with_options_at_every_cut() {
    sweep(2, CommitsBy::Command, Afterwards::Unknown, |db, id| {
        db.with_options(TransactionOptions::serializable())
            .run((insert(id, 1), insert(id, 2)))
            .map(drop)
    });
}

#[test]
fn an_interactive_transaction_at_every_cut() {
    sweep(2, CommitsBy::Command, Afterwards::FoundOut, |db, id| {
        db.transaction(|| vec![insert(id, 1).boxed(), insert(id, 2).boxed()])
    });
}

#[test]
fn a_count_judged_before_the_commit_at_every_cut() {
    sweep(1, CommitsBy::Command, Afterwards::FoundOut, |db, id| {
        let insert = sql_query(
            "WITH made AS (INSERT INTO cuts VALUES ($1, 1) RETURNING id, 1::bigint AS parts) SELECT * FROM made",
        );
        db.run(insert.bind::<Integer, _>(id).one::<Count>())
            .map(drop)
    });
}

#[test]
fn a_cut_copy_reports_its_outcome_at_every_byte() {
    sweep(3, CommitsBy::Sync, Afterwards::Unknown, |db, id| {
        let rows = (1..4).map(|part| (id, part)).collect();
        db.copy_in((cuts::id, cuts::part), rows).map(drop)
    });
}

#[test]
fn a_one_trip_transaction_with_a_key_is_never_unknown() {
    sweep(2, CommitsBy::Command, Afterwards::FoundOut, |db, id| {
        db.with_options(TransactionOptions::new().with_generated_commit_key())
            .run((insert(id, 1), insert(id, 2)))
            .map(drop)
    });
}

#[test]
fn an_interactive_transaction_with_a_key_is_known() {
    sweep(1, CommitsBy::Command, Afterwards::FoundOut, |db, id| {
        db.with_options(TransactionOptions::new().with_generated_commit_key())
            .transaction(|| vec![insert(id, 1).boxed()])
    });
}

#[test]
fn incompletely_sent_work_is_not_committed() {
    FACES.into_iter().for_each(send_incompletely);
}

fn send_incompletely(face: fn(&Database) -> Face) {
    let database = test_database();
    let mut witness = Session::connect(&database.config()).expect("a server");
    witness
        .batch_execute("CREATE TABLE heavy (filling text)")
        .expect("DDL");
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy
        .config(database.name())
        .retry(RetryPolicy::never())
        .call_timeout(Duration::from_millis(300))
        .open()
        .expect("a server");
    // Larger than all buffers between client and server, so that its end is still at the client.
    let filling = "x".repeat(1024 * 1024);
    let insert = || {
        sql_query("INSERT INTO heavy VALUES ($1)")
            .bind::<diesel::sql_types::Text, _>(filling.clone())
            .affected()
    };
    proxy.freeze();
    let error = face(&db)
        .run((0..8).map(|_| insert()).collect::<Vec<_>>())
        .expect_err("nobody passes it on");
    proxy.cut(Ending::Fin);
    proxy.resume();
    assert_eq!(error.outcome(), Outcome::NotCommitted, "{error:?}");
    wait_until_alone(&mut witness);
    let rows = witness.run(sql_query("SELECT FROM heavy").affected());
    assert_eq!(rows.expect("a count"), 0);
}

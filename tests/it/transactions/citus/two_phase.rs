//! The two-phase commit of Citus, cut between the coordinator and one worker: what the coordinator
//! says later is what the call said.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use bowline::{Database, Outcome, StatementDsl as _, sql_query};
use diesel::sql_types::Integer;

use super::{Cluster, sum};

/// Where the connection to the worker is cut.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// The first words of the command.
    before: &'static [u8],
    /// Whether the worker still gets the command.
    delivers: bool,
}

/// A relay to one worker. It cuts a connection once, where it is told to.
#[derive(Clone, Default)]
struct Relay(Arc<Mutex<Option<Cut>>>);

impl Relay {
    /// Listens for the coordinator, and returns the port.
    fn start(&self, host: &str, port: i32) -> i32 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = listener.local_addr().expect("an address").port();
        let worker = format!("{host}:{port}");
        let relay = self.clone();
        thread::spawn(move || {
            for coordinator in listener.incoming().flatten() {
                let Ok(worker) = TcpStream::connect(&worker) else {
                    continue;
                };
                relay.clone().pump(coordinator, worker);
            }
        });
        i32::from(own)
    }

    /// Passes the bytes of a connection on, in both directions, on two threads.
    fn pump(self, mut coordinator: TcpStream, mut worker: TcpStream) {
        let mut from_worker = worker.try_clone().expect("a socket");
        let mut to_coordinator = coordinator.try_clone().expect("a socket");
        thread::spawn(move || {
            std::io::copy(&mut from_worker, &mut to_coordinator).ok();
            to_coordinator.shutdown(Shutdown::Both).ok();
        });
        thread::spawn(move || {
            let mut bytes = [0; 65536];
            while let Ok(read @ 1..) = coordinator.read(&mut bytes) {
                let cut = self.cut_at(&bytes[..read]);
                if cut.is_none_or(|cut| cut.delivers) && worker.write_all(&bytes[..read]).is_err() {
                    break;
                }
                if cut.is_some() {
                    break;
                }
            }
            coordinator.shutdown(Shutdown::Both).ok();
            worker.shutdown(Shutdown::Both).ok();
        });
    }

    /// Returns the cut that these bytes ask for, which is then done.
    fn cut_at(&self, bytes: &[u8]) -> Option<Cut> {
        let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cut = (*planned)?;
        let is_here = bytes
            .windows(cut.before.len())
            .any(|part| part == cut.before);
        if is_here {
            *planned = None;
        }
        is_here.then_some(cut)
    }

    fn plan(&self, cut: Cut) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cut);
    }

    fn has_cut(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none()
    }
}

#[derive(bowline::Row)]
struct Recovered {
    #[diesel(sql_type = Integer)]
    count: i32,
}

/// Lets Citus finish what a cut left prepared, and returns the sum of all balances.
fn sum_after_recovery(db: &Database) -> i64 {
    let recover = sql_query("SELECT recover_prepared_transactions() AS count").one::<Recovered>();
    let recovered = db.run(recover).expect("a count");
    assert!((0..=1).contains(&recovered.count), "{}", recovered.count);
    sum(db)
}

#[test]
fn a_commit_that_is_cut_on_citus_is_what_was_said() {
    let relay = Relay::default();
    let mut is_first = true;
    let cluster = Cluster::through("two_phase", |node| {
        // The first worker is behind the relay.
        match std::mem::take(&mut is_first) {
            true => ("127.0.0.1".to_owned(), relay.start(&node.host, node.port)),
            false => (node.host.clone(), node.port),
        }
    });
    let Some(cluster) = cluster else {
        return;
    };
    let db = cluster.database();
    let everyone = || sql_query("UPDATE accounts SET balance = balance + 1").affected();
    let cuts = [
        (&b"PREPARE TRANSACTION"[..], false, false),
        (b"PREPARE TRANSACTION", true, false),
        (b"COMMIT PREPARED", false, true),
        (b"COMMIT PREPARED", true, true),
    ];
    let mut expected = 2000;
    for (before, delivers, is_committed) in cuts {
        let cut = Cut { before, delivers };
        relay.plan(cut);
        let answer = db.transaction_once(|tx| tx.run(everyone()));
        assert!(relay.has_cut(), "{cut:?}: no such command went by");
        match answer {
            Ok(rows) => {
                assert!(is_committed, "{cut:?}: it said that it is committed");
                assert_eq!(rows, 20);
                expected += 20;
            }
            Err(error) => {
                assert!(!is_committed, "{cut:?}: {error}");
                assert_eq!(error.outcome(), Outcome::NotCommitted, "{cut:?}: {error}");
            }
        }
        assert_eq!(sum_after_recovery(&db), expected, "{cut:?}");
    }
}

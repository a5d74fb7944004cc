//! The two-phase commit of Citus, with one worker cut off or silent in the middle of it: what the
//! coordinator says later is what the call said.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bowline::{Database, Outcome, StatementDsl as _, TransactionOptions, sql_query};
use diesel::sql_types::Integer;

use super::{Cluster, sum};

/// Where the connection to the worker is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// The first words of the command.
    pub(super) before: &'static [u8],
    /// Whether the worker still gets the command.
    pub(super) delivers: bool,
    /// Whether the connection stays open, and nothing goes through it any more.
    pub(super) is_silent: bool,
}

/// A relay to one worker. It cuts a connection once, where it is told to.
#[derive(Clone, Default)]
pub(super) struct Relay {
    planned: Arc<Mutex<Option<Cut>>>,
    /// The sockets of connections that are silent.
    silent: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    /// Returns a database whose first worker is behind the relay, if there is a cluster.
    pub(super) fn before_first_worker(&self, test: &str) -> Option<Cluster> {
        let mut is_first = true;
        Cluster::through(test, |node| match std::mem::take(&mut is_first) {
            true => ("127.0.0.1".to_owned(), self.start(&node.host, node.port)),
            false => (node.host.clone(), node.port),
        })
    }

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
        let is_silent = Arc::new(AtomicBool::new(false));
        let says_nothing = Arc::clone(&is_silent);
        thread::spawn(move || {
            let mut bytes = [0; 65536];
            while let Ok(read @ 1..) = from_worker.read(&mut bytes) {
                if says_nothing.load(Ordering::Relaxed) {
                    return;
                }
                if to_coordinator.write_all(&bytes[..read]).is_err() {
                    break;
                }
            }
            to_coordinator.shutdown(Shutdown::Both).ok();
        });
        thread::spawn(move || {
            let mut bytes = [0; 65536];
            while let Ok(read @ 1..) = coordinator.read(&mut bytes) {
                let cut = self.cut_at(&bytes[..read]);
                if cut.is_some_and(|cut| cut.is_silent) {
                    is_silent.store(true, Ordering::Relaxed);
                }
                if cut.is_none_or(|cut| cut.delivers) && worker.write_all(&bytes[..read]).is_err() {
                    break;
                }
                if is_silent.load(Ordering::Relaxed) {
                    let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
                    silent.extend([coordinator, worker]);
                    return;
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
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let cut = (*planned)?;
        let is_here = bytes
            .windows(cut.before.len())
            .any(|part| part == cut.before);
        if is_here {
            *planned = None;
        }
        is_here.then_some(cut)
    }

    pub(super) fn plan(&self, cut: Cut) {
        *self.planned.lock().unwrap_or_else(PoisonError::into_inner) = Some(cut);
    }

    /// Ends the connections that are silent.
    fn end_silence(&self) {
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        for socket in silent.drain(..) {
            socket.shutdown(Shutdown::Both).ok();
        }
    }

    pub(super) fn has_cut(&self) -> bool {
        self.planned
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
    let Some(cluster) = relay.before_first_worker("two_phase") else {
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
        let cut = Cut {
            before,
            delivers,
            is_silent: false,
        };
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

#[test]
fn a_silent_worker_of_citus_leaves_no_untrue_outcome() {
    let relay = Relay::default();
    let Some(cluster) = relay.before_first_worker("silent") else {
        return;
    };
    let db = cluster.database();
    let everyone = || sql_query("UPDATE accounts SET balance = balance + 1").affected();
    let mut expected = 2000;
    for before in [&b"PREPARE TRANSACTION"[..], b"COMMIT PREPARED"] {
        for (delivers, has_key) in [(false, false), (true, false), (false, true), (true, true)] {
            let cut = Cut {
                before,
                delivers,
                is_silent: true,
            };
            relay.plan(cut);
            let heals = relay.clone();
            // The call gives up before the silence ends; one with a key can wait for the answer.
            let healed = thread::spawn(move || {
                thread::sleep(Duration::from_secs(4));
                heals.end_silence();
            });
            let options = match has_key {
                true => TransactionOptions::new().with_generated_commit_key(),
                false => TransactionOptions::new(),
            };
            let limit = Duration::from_secs(if has_key { 20 } else { 2 });
            let limited = db.with_options(options).with_timeout(limit);
            let answer = limited.transaction_once(|tx| tx.run(everyone()));
            assert!(relay.has_cut(), "{cut:?}: no such command went by");
            healed.join().expect("no panic");
            let said = match &answer {
                Ok(_) => Outcome::Committed,
                Err(error) => error.outcome(),
            };
            assert!(!has_key || said != Outcome::Unknown, "{cut:?}: {answer:?}");
            let now = settled_sum(&db);
            let allowed: &[i64] = match said {
                Outcome::Committed => &[20],
                Outcome::NotCommitted => &[0],
                _ => &[0, 20],
            };
            assert!(
                allowed.contains(&(now - expected)),
                "{cut:?}: {answer:?}, {now}"
            );
            expected = now;
        }
    }
}

/// Waits until no session of another transaction is left, lets Citus finish what is prepared, and
/// returns the sum of all balances.
fn settled_sum(db: &Database) -> i64 {
    let busy = "SELECT count(*)::int AS count FROM pg_stat_activity
         WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()
         AND backend_type = 'client backend'";
    for _ in 0..100 {
        let busy = db.run(sql_query(busy).one::<Recovered>()).expect("a count");
        if busy.count == 0 {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    let recover = sql_query("SELECT recover_prepared_transactions() AS count").one::<Recovered>();
    db.run(recover).expect("a count");
    sum(db)
}

//! What Citus raises where transactions meet on several nodes, and that each is retried by the class
//! of its code: a deadlock that no single node sees, a row that another transaction changed, and a
//! worker that is not there.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use bowline::{Outcome, Result, Session, StatementDsl as _, TransactionOptions, sql_query};
use diesel::sql_types::BigInt;

use super::two_phase::{Cut, Relay};
use super::{Cluster, Sum, add, sum};

/// Returns two tenants whose rows are on different nodes.
fn apart(cluster: &Cluster) -> (i64, i64) {
    #[derive(bowline::Row)]
    struct Place {
        #[diesel(sql_type = BigInt)]
        tenant: i64,
        #[diesel(sql_type = BigInt)]
        port: i64,
    }
    let places = sql_query(
        "SELECT n AS tenant, nodeport::bigint AS port FROM generate_series(1::bigint, 20) n
         JOIN citus_shards ON shardid = get_shard_id_for_distribution_column('accounts', n)
         ORDER BY n",
    );
    let places = cluster
        .database()
        .run(places.all::<Place>())
        .expect("the places");
    let first = places.first().expect("a tenant");
    let other = places.iter().find(|place| place.port != first.port);
    (
        first.tenant,
        other.expect("a tenant on the other worker").tenant,
    )
}

fn balance(tx: &mut Session, tenant: i64) -> Result<i64> {
    let one = sql_query("SELECT balance AS sum FROM accounts WHERE tenant_id = $1 AND id = 1");
    Ok(tx.run(one.bind::<BigInt, _>(tenant).one::<Sum>())?.sum)
}

#[test]
fn a_deadlock_over_nodes_of_citus_is_retried() {
    let Some(cluster) = Cluster::named("deadlock") else {
        return;
    };
    let (here, there) = apart(&cluster);
    let db = cluster.database();
    let (both, runs) = (Barrier::new(2), AtomicUsize::new(0));
    let transfer = |from: i64, to: i64| {
        let is_first = AtomicBool::new(true);
        db.transaction(|tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            tx.run(add(from, -1))?;
            // Both hold the row that the other one wants.
            if is_first.swap(false, Ordering::Relaxed) {
                both.wait();
            }
            tx.run(add(to, 1))
        })
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| transfer(there, here));
        transfer(here, there).expect("it is committed");
        other
            .join()
            .expect("no panic")
            .expect("it is committed, too");
    });
    assert!(runs.into_inner() > 2, "one of them ran again");
    assert_eq!(sum(&db), 2000);
}

#[test]
fn a_changed_row_of_citus_is_retried() {
    let Some(cluster) = Cluster::named("changed_row") else {
        return;
    };
    let (tenant, _) = apart(&cluster);
    let db = cluster.database();
    let runs = AtomicUsize::new(0);
    let options = TransactionOptions::repeatable_read();
    let balance = db.with_options(options).transaction(|tx| {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        let seen = balance(tx, tenant)?;
        if run == 0 {
            db.run(add(tenant, 5))?;
        }
        tx.run(add(tenant, 1))?;
        Ok(seen + 1)
    });
    assert_eq!(balance.expect("the second run commits"), 106);
    assert_eq!(runs.into_inner(), 2);
}

#[test]
fn a_worker_of_citus_that_is_lost_is_asked_again() {
    let relay = Relay::default();
    let Some(cluster) = relay.before_first_worker("lost_worker") else {
        return;
    };
    let db = cluster.database();
    let everyone = || sql_query("UPDATE accounts SET balance = balance + 1").affected();
    // The connection to the worker ends in the middle of a statement.
    let cut = Cut {
        before: b"UPDATE",
        delivers: true,
        is_silent: false,
    };
    relay.plan(cut);
    let once = db.transaction_once(|tx| tx.run(everyone()));
    let error = once.expect_err("the worker is lost");
    assert!(relay.has_cut());
    assert_eq!(error.outcome(), Outcome::NotCommitted, "{error}");
    assert_eq!(sum(&db), 2000);
    relay.plan(cut);
    let again = db.transaction(|tx| tx.run(everyone()));
    assert!(relay.has_cut());
    assert_eq!(again.expect("the second run commits"), 20);
    assert_eq!(sum(&db), 2020);
}

//! Many tasks on as many sessions: what the server does at the same time takes as long as one call.

use std::time::{Duration, Instant};

use bowline::testing::LocalServer;
use bowline::{StatementDsl as _, sql_query};
use tokio::runtime::Builder;

use super::SPARE;

/// Returns the number of tasks; `BOWLINE_SLEEPERS` sets it for a larger run.
fn sleepers() -> u32 {
    let sleepers = std::env::var("BOWLINE_SLEEPERS");
    sleepers.map_or(100, |number| number.parse().expect("a number"))
}

#[test]
fn tasks_that_sleep_on_the_server_sleep_together() {
    let sleepers = sleepers();
    let connections = (sleepers + 10).to_string();
    let server = LocalServer::private(&[("max_connections", connections.as_str())]);
    let server = server.expect("a server");
    let config = server
        .config("postgres")
        .max_size(sleepers)
        .checkout_timeout(Duration::from_secs(120))
        .call_timeout(Duration::from_secs(120));
    let db = config.open().expect("a server").into_async();
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut open = Vec::new();
        for _ in 0..sleepers {
            open.push(db.session().await.expect("a session"));
        }
        drop(open);
        let began = Instant::now();
        let sleeping: Vec<_> = (0..sleepers)
            .map(|_| tokio::spawn(db.run(sql_query("SELECT pg_sleep(1)").affected())))
            .collect();
        for slept in sleeping {
            slept.await.expect("no panic").expect("an answer");
        }
        let took = began.elapsed();
        println!("{sleepers} calls in {took:?}");
        assert!(took < Duration::from_secs(1) + SPARE, "{took:?}");
        assert_eq!(db.pool_state().opened, u64::from(sleepers));
    });
}

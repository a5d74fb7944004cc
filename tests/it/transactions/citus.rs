//! On a cluster of Citus, where `BOWLINE_CITUS_URL` names a database of its coordinator: tables
//! that are distributed by tenant, and what stays true of transactions over several shards.
//!
//! Each test makes a database of its own on all nodes, and drops it.

mod retries;
mod two_phase;

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use bowline::{
    Config, Database, Outcome, Session, StatementDsl as _, TransactionOptions, sql_query,
};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Integer, Text};

bowline::constraints! {
    /// The constraints of `accounts`. Citus shortens the name of the long one on shards.
    pub enum AccountConstraint on "public"."accounts" {
        Pkey = "accounts_pkey",
        Username = "accounts_tenant_id_and_a_very_long_list_of_columns_username_key",
        Balance = "accounts_balance_check",
    }
}

const SCHEMA: [&str; 6] = [
    "CREATE TABLE tenants (id bigint PRIMARY KEY, name text NOT NULL)",
    "CREATE TABLE accounts (tenant_id bigint NOT NULL, id bigint NOT NULL, username text NOT NULL,
         balance bigint NOT NULL DEFAULT 0 CHECK (balance >= 0), PRIMARY KEY (tenant_id, id),
         CONSTRAINT accounts_tenant_id_and_a_very_long_list_of_columns_username_key
             UNIQUE (tenant_id, username))",
    "SELECT create_reference_table('tenants')",
    "SELECT create_distributed_table('accounts', 'tenant_id', shard_count => 8)",
    "INSERT INTO tenants SELECT n, 'tenant ' || n FROM generate_series(1, 20) n",
    "INSERT INTO accounts SELECT n, 1, 'ann', 100 FROM generate_series(1, 20) n",
];

#[derive(bowline::Row)]
struct Node {
    #[diesel(sql_type = Text)]
    host: String,
    #[diesel(sql_type = Integer)]
    port: i32,
    #[diesel(sql_type = Integer)]
    group: i32,
}

#[derive(bowline::Row)]
struct Sum {
    #[diesel(sql_type = BigInt)]
    sum: i64,
}

static SETTING_UP: Mutex<()> = Mutex::new(());

/// A database on all nodes of the cluster; dropping this drops it.
struct Cluster {
    base: Config,
    nodes: Vec<Node>,
    name: String,
}

impl Cluster {
    /// Returns a new database, if there is a cluster.
    fn named(test: &str) -> Option<Self> {
        Self::through(test, |node| (node.host.clone(), node.port))
    }

    /// Returns a new database. The coordinator finds each worker at the address that `address`
    /// returns.
    fn through(test: &str, mut address: impl FnMut(&Node) -> (String, i32)) -> Option<Self> {
        let url = std::env::var("BOWLINE_CITUS_URL").ok()?;
        let base = Config::from_url(&url).expect("a URL");
        let mut session = Session::connect(&base).expect("a connection");
        let nodes = sql_query(
            "SELECT nodename::text AS host, nodeport AS port, groupid AS group
             FROM pg_dist_node ORDER BY groupid",
        );
        let nodes: Vec<Node> = session.run(nodes.all()).expect("the nodes");
        assert!(nodes.len() > 2, "a coordinator and two workers");
        let moment = SystemTime::now().duration_since(UNIX_EPOCH);
        let moment = moment.expect("a time").subsec_nanos();
        let cluster = Self {
            base,
            nodes,
            name: format!("bowline_{test}_{}_{moment}", std::process::id()),
        };
        // Citus does not take new nodes of several databases at once.
        let _alone = SETTING_UP.lock().unwrap_or_else(PoisonError::into_inner);
        for node in &cluster.nodes {
            cluster.on(node, None, &format!("CREATE DATABASE {}", cluster.name));
            cluster.on(node, Some(&cluster.name), "CREATE EXTENSION citus");
        }
        let (coordinator, workers) = cluster.nodes.split_first().expect("nodes");
        let call = |function: &str, (host, port): (String, i32)| {
            let sql = format!("SELECT {function}('{host}', {port})");
            cluster.on(coordinator, Some(&cluster.name), &sql);
        };
        let own = (coordinator.host.clone(), coordinator.port);
        call("citus_set_coordinator_host", own);
        for worker in workers {
            call("citus_add_node", address(worker));
        }
        for statement in SCHEMA.into_iter().chain([bowline::commit_keys::MIGRATION]) {
            cluster.on(coordinator, Some(&cluster.name), statement);
        }
        Some(cluster)
    }

    /// Runs a statement on a node.
    fn on(&self, node: &Node, database: Option<&str>, sql: &str) {
        let mut config = self.base.clone();
        if node.group != 0 {
            let port = u16::try_from(node.port).expect("a port");
            config = config.host(&node.host).port(port);
        }
        if let Some(database) = database {
            config = config.dbname(database);
        }
        let mut session = Session::connect(&config).expect("a connection");
        let done = session.batch_execute(sql);
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn database(&self) -> Database {
        let config = self.base.clone().dbname(&self.name);
        config.open().expect("a pool")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &self.nodes {
            self.on(
                node,
                None,
                &format!("DROP DATABASE {} WITH (FORCE)", self.name),
            );
        }
    }
}

fn sum(db: &Database) -> i64 {
    let all = sql_query("SELECT sum(balance)::bigint AS sum FROM accounts").one::<Sum>();
    db.run(all).expect("a sum").sum
}

/// Adds to the balance of the account of a tenant.
fn add(tenant: i64, amount: i64) -> impl bowline::Statement<Output = usize> {
    sql_query("UPDATE accounts SET balance = balance + $2 WHERE tenant_id = $1 AND id = 1")
        .bind::<BigInt, _>(tenant)
        .bind::<BigInt, _>(amount)
        .affected()
}

#[test]
fn the_constraints_of_a_shard_are_known_on_citus() {
    let Some(cluster) = Cluster::named("constraints") else {
        return;
    };
    let db = cluster.database();
    let violated = |sql: &str| {
        let error = db
            .run(sql_query(sql).affected())
            .expect_err("it is refused");
        assert_eq!(error.outcome(), Outcome::NotCommitted, "{error}");
        error.constraint::<AccountConstraint>()
    };
    let insert = |values: &str| format!("INSERT INTO accounts VALUES {values}");
    assert_eq!(
        violated(&insert("(3, 1, 'bob', 1)")),
        Some(AccountConstraint::Pkey)
    );
    assert_eq!(
        violated(&insert("(3, 2, 'ann', 1)")),
        Some(AccountConstraint::Username)
    );
    assert_eq!(
        violated(&insert("(3, 2, 'bob', -1)")),
        Some(AccountConstraint::Balance)
    );
}

#[test]
fn a_tuple_over_two_shards_of_citus_is_atomic() {
    let Some(cluster) = Cluster::named("tuple") else {
        return;
    };
    let db = cluster.database();
    for first in 1..=8 {
        let error = db.run((add(first, 5), add(first + 1, -1000)));
        let error = error.expect_err("the balance cannot be negative");
        assert_eq!(error.outcome(), Outcome::NotCommitted);
        let constraint = error.constraint();
        assert_eq!(constraint, Some(AccountConstraint::Balance), "{error}");
        assert_eq!(sum(&db), 2000, "nothing of tenant {first} is there");
    }
    db.run((add(1, 5), add(2, -5))).expect("both");
    assert_eq!(sum(&db), 2000);
}

#[test]
fn transfers_over_shards_of_citus_keep_the_sum() {
    const THREADS: i64 = 4;
    const TRANSFERS: i64 = 20;
    let Some(cluster) = Cluster::named("transfers") else {
        return;
    };
    let db = cluster.database();
    thread::scope(|scope| {
        for number in 0..THREADS {
            let db = &db;
            scope.spawn(move || {
                for turn in 0..TRANSFERS {
                    let from = 1 + (number * 3 + turn) % 20;
                    let to = 1 + (number * 7 + turn * 11 + 1) % 20;
                    if from == to {
                        continue;
                    }
                    // Two of them in opposite order are a deadlock over nodes, which Citus finds.
                    let moved = db.transaction(|tx| {
                        tx.run(add(from, -1))?;
                        tx.run(add(to, 1))
                    });
                    moved.unwrap_or_else(|error| panic!("{from} to {to}: {error}"));
                }
            });
        }
    });
    assert_eq!(sum(&db), 2000);
    let options = TransactionOptions::new().with_generated_commit_key();
    let keyed = db.with_options(options).run((add(1, -1), add(2, 1)));
    keyed.expect("the commit key is a row of a table on the coordinator");
    assert_eq!(sum(&db), 2000);
}

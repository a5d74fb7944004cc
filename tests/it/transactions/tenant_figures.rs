//! What many schemas cost: prepared statements, and the memory of a server's session. With
//! `BOWLINE_TENANTS`, `script/tenant-figures` prints the figures for as many.

use std::time::Instant;

use bank::{Account, AccountId};
use bowline::{Database, StatementDsl as _, sql_query};

use crate::support::test_database;

/// The statements that a session keeps prepared, if nothing else is set.
const KEPT: i64 = 256;

/// The statements of one call's tenant.
const STATEMENTS: usize = 3;

/// Returns the schema of a tenant.
fn schema(number: usize) -> String {
    format!("tenant_{number}")
}

/// Creates a schema with the table `accounts` for each tenant.
fn create(db: &Database, tenants: usize) {
    let create = format!(
        "DO $$ BEGIN FOR i IN 0..{} LOOP
            EXECUTE format('CREATE SCHEMA tenant_%s', i);
            EXECUTE format('CREATE TABLE tenant_%s.accounts (LIKE public.accounts INCLUDING ALL)', i);
            IF i % 50 = 49 THEN COMMIT; END IF;
        END LOOP; END $$",
        tenants - 1
    );
    db.run(sql_query(create).affected()).expect("schemas");
}

/// Runs the statements of a tenant.
fn call(db: &Database, tenant: usize) {
    let tenant = db.with_schema(&schema(tenant));
    tenant.run(Account::find(AccountId(1))).expect("a query");
    tenant
        .run(Account::find_by_username("ann"))
        .expect("a query");
    tenant.run(Account::count()).expect("a count");
}

/// The server's side of a session.
struct Prepared {
    /// The statements that were prepared since the session began.
    ever: i64,
    kept: i64,
    megabytes: i64,
}

fn prepared(db: &Database) -> Prepared {
    let query = "SELECT (SELECT coalesce(max(substr(name, 9)::bigint), 0) FROM pg_prepared_statements
                         WHERE name LIKE 'bowline\\_%'),
                        (SELECT count(*) FROM pg_prepared_statements),
                        (SELECT sum(total_bytes)::bigint / 1048576 FROM pg_backend_memory_contexts)";
    let (ever, kept, megabytes) = db
        .run(sql_query(query).one::<(i64, i64, i64)>())
        .expect("figures");
    Prepared {
        ever,
        kept,
        megabytes,
    }
}

/// Returns numbers that look random, the same in each run.
fn random() -> impl FnMut(usize) -> usize {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or_default() % below
    }
}

#[test]
fn statements_of_schemas_share_one_bounded_cache() {
    let database = test_database();
    let asked = std::env::var("BOWLINE_TENANTS").ok();
    let asked = asked.and_then(|tenants| tenants.parse().ok());
    let tenants: usize = asked.unwrap_or(120);
    let session = || database.config().max_size(1);
    let db = session().open().expect("a database");
    create(&db, tenants);

    // As many as a session keeps: each statement is prepared once.
    let few = 60;
    for tenant in (0..few).cycle().take(2 * few) {
        call(&db, tenant);
    }
    // The query for the figures is one of the statements.
    prepared(&db);
    let first = prepared(&db).ever;
    for tenant in 0..few {
        call(&db, tenant);
    }
    let second = prepared(&db);
    assert_eq!(second.ever, first);

    // More than it keeps: the number of those that are kept is bounded.
    for tenant in 0..tenants {
        call(&db, tenant);
    }
    let all = prepared(&db);
    assert!(all.kept <= KEPT, "{}", all.kept);
    assert!(all.ever > second.ever);
    if asked.is_none() {
        return;
    }
    for kept in [256, 1024, 4096] {
        for (name, of_busy) in [("all alike", 0), ("80 % of calls of 20", 80)] {
            let db = session().statement_cache(kept).open().expect("a database");
            let mut below = random();
            let calls = 4 * tenants;
            let begin = Instant::now();
            for _ in 0..calls {
                let among = if below(100) < of_busy { 20 } else { tenants };
                call(&db, below(among));
            }
            let figures = prepared(&db);
            let statements = i64::try_from(calls * STATEMENTS).expect("a number");
            let each = begin.elapsed().as_micros() / u128::try_from(statements).expect("a number");
            println!(
                "{tenants} tenants, {name}, {kept} statements kept: {} % were prepared before, \
                 {} MB in the server's session, {each} us per statement",
                100 - 100 * figures.ever / statements,
                figures.megabytes
            );
        }
    }
}

//! Which statements are prepared under a name, and what else is sent with them: read from the bytes
//! that the server receives.

use bank::Account;
use bowline::{Database, Session, Statement as _, StatementDsl as _, sql_query};
use diesel::sql_types::BigInt;
use testkit::{Direction, Proxy};

use crate::support::{balance, new_account, server, test_database};

/// Returns the SQL of the statements that the session has prepared, and how often a plan was made
/// for each.
fn prepared(session: &mut Session) -> Vec<String> {
    let query = "SELECT statement FROM pg_prepared_statements ORDER BY prepare_time, name";
    let statements = sql_query(query).all::<String>().unprepared();
    session.run(statements).expect("a list")
}

#[test]
fn sql_by_hand_is_prepared_when_it_comes_back() {
    let database = test_database();
    let mut session = Session::connect(&database.config()).expect("a server");
    let query = || sql_query("SELECT $1 + 1").bind::<BigInt, _>(1).one::<i64>();
    session.run(query()).expect("a number");
    assert_eq!(prepared(&mut session), Vec::<String>::new());
    for _ in 0..3 {
        session.run(query()).expect("a number");
    }
    let once = prepared(&mut session);
    assert_eq!(once.len(), 1, "{once:?}");
    assert!(once[0].contains("SELECT $1 + 1"), "{once:?}");
}

#[test]
fn an_update_is_prepared_when_it_comes_back() {
    let database = test_database();
    let mut session = Session::connect(&database.config()).expect("a server");
    let ann = session
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    for amount in 0..3 {
        let update = Account::update(ann.id, balance(amount));
        session.run(update).expect("an account");
    }
    let all = prepared(&mut session);
    let updates = all.iter().filter(|sql| sql.contains("UPDATE")).count();
    assert_eq!(updates, 1, "{all:?}");
}

#[test]
fn session_changes_and_marked_sql_are_never_prepared() {
    let database = test_database();
    let mut session = Session::connect(&database.config()).expect("a server");
    for _ in 0..3 {
        let setting = sql_query("SELECT set_config('application_name', 'x', false)");
        session.run(setting.one::<String>()).expect("a setting");
        let marked = sql_query("SELECT 1::bigint").one::<i64>().unprepared();
        session.run(marked).expect("a number");
        session
            .run(Account::count().unprepared())
            .expect("a number");
        session
            .run(sql_query("SHOW work_mem").one::<String>())
            .expect("a setting");
    }
    assert_eq!(prepared(&mut session), Vec::<String>::new());
}

#[test]
fn sql_by_hand_survives_a_change_in_its_transaction() {
    let database = test_database();
    let db = database.config().open().expect("a server");
    let all = || sql_query("SELECT * FROM notes").affected();
    let run = |column: &str| {
        db.transaction_once(|tx| {
            tx.run(sql_query("CREATE TEMP TABLE notes (a int) ON COMMIT DROP").affected())?;
            for _ in 0..3 {
                tx.run(all())?;
            }
            let add = format!("ALTER TABLE notes ADD COLUMN {column} int");
            tx.run(sql_query(add).affected())?;
            tx.run(all())
        })
    };
    for column in ["b", "c", "d"] {
        run(column).expect("a transaction");
    }
}

#[test]
fn many_shapes_do_not_push_out_what_is_used_more() {
    let database = test_database();
    let config = database.config().statement_cache(20);
    let mut session = Session::connect(&config).expect("a server");
    session.run(Account::count()).expect("a number");
    let first = prepared(&mut session);
    for number in 0..1_000 {
        let query = format!("SELECT {number}::bigint");
        for _ in 0..2 {
            let query = sql_query(query.as_str()).one::<i64>();
            session.run(query).expect("a number");
        }
        session.run(Account::count()).expect("a number");
    }
    let after = prepared(&mut session);
    assert_eq!(after.len(), 20);
    assert_eq!(after[..1], first, "it was prepared once");
}

/// Returns what the server receives while `work` runs on a database through a proxy.
fn heard(proxy: &Proxy, work: impl FnOnce()) -> String {
    proxy.record();
    work();
    let messages = proxy.take_recording().into_iter();
    let said = messages.filter(|message| message.direction == Direction::ToServer);
    let bytes: Vec<u8> = said.flat_map(|message| message.bytes).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn count_in_a_transaction(db: &Database, id: bank::AccountId) {
    db.transaction(|tx| tx.run(Account::update(id, balance(1))))
        .expect("a commit");
}

#[test]
fn a_commit_checks_constraints_only_if_one_is_deferrable() {
    let database = test_database();
    let mut other = Session::connect(&database.config()).expect("a server");
    let mut alter = |deferrable: &str| {
        let alter = "ALTER TABLE account_labels ALTER CONSTRAINT account_labels_account_id_fkey";
        let sql = format!("{alter} {deferrable}");
        other.run(sql_query(sql).affected()).expect("DDL");
    };
    alter("NOT DEFERRABLE");
    let proxy = Proxy::start(&server()).expect("a proxy");
    let open = || {
        proxy
            .config(database.name())
            .max_size(1)
            .open()
            .expect("a server")
    };
    let db = open();
    let ann = db
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    count_in_a_transaction(&db, ann.id);
    let second = heard(&proxy, || count_in_a_transaction(&db, ann.id));
    assert!(!second.contains("SET CONSTRAINTS"), "{second}");
    alter("DEFERRABLE");
    let db = open();
    for _ in 0..2 {
        let heard = heard(&proxy, || count_in_a_transaction(&db, ann.id));
        assert!(heard.contains("SET CONSTRAINTS ALL IMMEDIATE"), "{heard}");
    }
}

#[test]
fn a_session_asks_once_which_server_its_numbers_are_of() {
    let database = test_database();
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy
        .config(database.name())
        .max_size(1)
        .open()
        .expect("a server");
    let ann = db
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    let first = heard(&proxy, || count_in_a_transaction(&db, ann.id));
    assert!(first.contains("pg_walfile_name"), "{first}");
    let second = heard(&proxy, || count_in_a_transaction(&db, ann.id));
    assert!(!second.contains("pg_walfile_name"), "{second}");
    assert!(
        second.contains("pg_current_xact_id_if_assigned"),
        "{second}"
    );
}

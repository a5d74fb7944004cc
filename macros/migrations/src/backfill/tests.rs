//! Comments and statements, and the SQL of their batches.

use super::*;

fn key(columns: &[(&str, &str)]) -> Vec<KeyColumn> {
    let columns = columns.iter().map(|(name, data_type)| KeyColumn {
        name: (*name).to_owned(),
        data_type: (*data_type).to_owned(),
    });
    columns.collect()
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn a_batch_has_a_range_of_the_key() {
    let file = "-- bowline: backfill rows 500 pause 100ms\n\
        UPDATE app.accounts a SET email = lower(o.email) FROM old o\n\
        WHERE o.id = a.id OR a.email IS NULL -- both\n;\n\
        -- bowline: backfill\nDELETE FROM ONLY \"Log\" WHERE at < (SELECT now())";
    let [update, delete] = &backfills(file, false).expect("it is right")[..] else {
        panic!("two statements");
    };
    assert_eq!((update.table, update.rows), ("app.accounts", 500));
    assert_eq!(update.pause, Some(Duration::from_millis(100)));
    assert_eq!((delete.rows, delete.pause), (1_000, None));
    let key_of_one = key(&[("id", "bigint")]);
    assert_eq!(
        update.batch(&key_of_one, Some(&texts(&["5"])), &texts(&["9"])),
        "UPDATE app.accounts a SET email = lower(o.email) FROM old o\nWHERE \
         a.id > '5'::bigint AND a.id <= '9'::bigint AND ( o.id = a.id OR a.email IS NULL\n)"
    );
    let key_of_two = key(&[("a", "integer"), ("\"B\"", "text")]);
    assert_eq!(
        delete.batch(&key_of_two, None, &texts(&["1", "it's"])),
        "DELETE FROM ONLY \"Log\" WHERE ROW(\"Log\".a, \"Log\".\"B\") <= \
         ROW('1'::integer, 'it''s'::text) AND ( at < (SELECT now())\n)"
    );
    assert_eq!(
        update.boundary(&key_of_one, Some(&texts(&["5"]))),
        "SELECT pg_catalog.count(*) OVER (), b.id::pg_catalog.text FROM (SELECT b.id FROM app.accounts b \
         WHERE b.id > '5'::bigint ORDER BY b.id LIMIT 500) b ORDER BY b.id DESC LIMIT 1"
    );
}

#[test]
fn a_batch_of_all_rows_gets_a_condition() {
    let file = "-- bowline: backfill\nUPDATE t SET a = b";
    let all = backfills(file, false).expect("it is right");
    assert_eq!(
        all[0].batch(&key(&[("id", "uuid")]), None, &texts(&["f"])),
        "UPDATE t SET a = b\n WHERE t.id <= 'f'::uuid"
    );
}

#[test]
fn files_without_the_comment_have_none() {
    for file in [
        "UPDATE backfill SET a = 1",
        "-- backfill\nUPDATE t SET a = 1",
        "SELECT '-- bowline: backfill'",
    ] {
        assert_eq!(backfills(file, true), Ok(Vec::new()), "{file}");
    }
}

#[test]
fn a_comment_that_says_nothing_known_is_an_error() {
    for wrong in [
        "-- bowline: backfil\nUPDATE t SET a = 1",
        "-- bowline: backfills\nSELECT 1",
        "-- Bowline: backfill\nUPDATE t SET a = 1",
        "--BOWLINE:backfill\nUPDATE t SET a = 1",
        "/* bowline: backfill */ UPDATE t SET a = 1",
        "-- bowline:\nUPDATE t SET a = 1",
        "-- bowline: ignored\nDO $$ BEGIN END $$",
        "-- bowline: ignore\n-- bowline: ADD COLUMN a int\nDO $$ BEGIN END $$",
    ] {
        for in_transaction in [true, false] {
            let error = backfills(wrong, in_transaction).expect_err(wrong);
            assert!(
                error.message.contains("nothing that Bowline knows"),
                "{wrong}"
            );
        }
    }
    for right in [
        "-- bowline: ignore\nDO $$ BEGIN END $$",
        "-- bowline: ALTER TABLE t\n-- bowline:     ADD COLUMN a int;\nDO $$ BEGIN END $$",
        "-- made by bowline: see the manual\nSELECT 1",
        "SELECT '-- bowline: backfil'",
    ] {
        assert_eq!(backfills(right, true), Ok(Vec::new()), "{right}");
    }
}

#[test]
fn what_cannot_run_in_batches_is_an_error() {
    let wrong = |file: &str| {
        let error = backfills(file, false).expect_err(file);
        (error.line, error.message)
    };
    let mark = "-- bowline: backfill";
    for (file, line, message) in [
        (format!("{mark}\nSELECT 1"), 2, "only an UPDATE or DELETE"),
        (
            format!("{mark}\nWITH a AS (SELECT 1) UPDATE t SET a = 1"),
            2,
            "only an UPDATE or DELETE",
        ),
        (
            format!("{mark}\nUPDATE t SET a = 1\nRETURNING a"),
            3,
            "nothing reads the rows",
        ),
        (
            format!("{mark}\nDELETE FROM t WHERE CURRENT OF c"),
            2,
            "a migration has no cursor",
        ),
        (
            format!("{mark}\nDELETE FROM t;\nCREATE TABLE a ()"),
            3,
            "only data changes in batches",
        ),
        (
            format!("SELECT 1;\n{mark}\nDELETE FROM t"),
            1,
            "only data changes in batches",
        ),
        (
            format!("{mark}\n{mark}\nDELETE FROM t"),
            2,
            "the statement has two comments",
        ),
        (
            format!("{mark}\nDELETE FROM t;\n{mark}"),
            3,
            "no statement follows",
        ),
        (
            format!("{mark} rows 0\nDELETE FROM t"),
            1,
            "rows is a number",
        ),
        (
            format!("{mark} pause 100\nDELETE FROM t"),
            1,
            "pause is a time up to 60s",
        ),
        (
            format!("{mark} batch 5\nDELETE FROM t"),
            1,
            "a backfill has the options",
        ),
    ] {
        let (found_line, found) = wrong(&file);
        assert_eq!(found_line, line, "{file}");
        assert!(found.starts_with(message), "{file}: {found}");
    }
    let in_transaction = backfills("-- bowline: backfill\nDELETE FROM t", true);
    let error = in_transaction.expect_err("it needs transactions of its own");
    assert!(error.hint.contains("run_in_transaction = false"));
}

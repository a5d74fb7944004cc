use proptest::prelude::*;

use super::*;

#[track_caller]
fn sent(text: &str, in_transaction: bool) -> String {
    script(text, in_transaction)
        .expect("nothing is wrong with it")
        .into_owned()
}

/// Returns the line and the text of the error.
#[track_caller]
fn wrong(text: &str, in_transaction: bool) -> (usize, &str) {
    let error = script(text, in_transaction).expect_err("something is wrong with it");
    (error.line, &text[error.span])
}

#[test]
fn a_begin_and_commit_around_the_file_are_not_sent() {
    for (begin, end) in [
        ("BEGIN", "COMMIT"),
        ("begin work", "end"),
        ("Begin /* all */ Transaction", "commit work"),
        ("START TRANSACTION", "END TRANSACTION"),
        ("BEGIN", "COMMIT AND NO CHAIN"),
    ] {
        let text = format!("-- a\n{begin};\nCREATE TABLE a (x int);\n{end};\n-- b\n");
        let expected = format!(
            "-- a\n{};\nCREATE TABLE a (x int);\n{};\n-- b\n",
            " ".repeat(begin.len()),
            " ".repeat(end.len())
        );
        assert_eq!(sent(&text, true), expected);
        assert_eq!(sent(&text, false), text);
    }
}

#[test]
fn any_other_end_of_the_transaction_is_refused() {
    for end in [
        "COMMIT",
        "END",
        "commit work",
        "ROLLBACK",
        "ABORT",
        "rollback transaction",
        "COMMIT AND CHAIN",
        "ROLLBACK WORK AND CHAIN",
        "PREPARE TRANSACTION 'a'",
        "ABORT AND CHAIN",
        "end /* ; */ and no chain",
        "ROLLBACK TRANSACTION AND NO CHAIN",
    ] {
        let text = format!("SELECT 1;\n/* '; */ {end}; SELECT 2");
        assert_eq!(wrong(&text, true), (2, end));
    }
    assert_eq!(
        wrong("SELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT", true),
        (2, "BEGIN")
    );
    assert_eq!(wrong("BEGIN; SELECT 1", true), (1, "BEGIN"));
    assert_eq!(wrong("BEGIN; SELECT 1;\nROLLBACK", true).0, 1);
    assert_eq!(
        wrong("BEGIN;\nSELECT 1; COMMIT;\nBEGIN; SELECT 2; COMMIT", true),
        (2, "COMMIT")
    );
    assert_eq!(wrong("BEGIN; COMMIT; SELECT 1", true), (1, "BEGIN"));
    assert_eq!(
        wrong("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT", true),
        (1, "BEGIN ISOLATION LEVEL SERIALIZABLE")
    );
}

#[test]
fn without_a_transaction_each_begin_needs_its_commit() {
    for good in [
        "BEGIN; SELECT 1; COMMIT; SELECT 2; BEGIN READ ONLY; SELECT 3; END",
        "CREATE INDEX CONCURRENTLY a ON b (c)",
        "COMMIT PREPARED 'a'",
        "ROLLBACK PREPARED 'a'",
    ] {
        assert_eq!(sent(good, false), good);
    }
    assert_eq!(wrong("SELECT 1;\nBEGIN; SELECT 2", false), (2, "BEGIN"));
    assert_eq!(wrong("SELECT 1; COMMIT", false), (1, "COMMIT"));
    assert_eq!(
        wrong("BEGIN; START TRANSACTION; COMMIT", false),
        (1, "START TRANSACTION")
    );
    assert_eq!(wrong("BEGIN; SELECT 1; ROLLBACK", false), (1, "ROLLBACK"));
    assert_eq!(
        wrong("BEGIN; COMMIT AND CHAIN; COMMIT", false),
        (1, "COMMIT AND CHAIN")
    );
    assert_eq!(wrong("discard all", false), (1, "discard all"));
}

#[test]
fn text_that_resembles_a_commit_is_sent() {
    for text in [
        "SAVEPOINT a; SELECT 1; ROLLBACK TO SAVEPOINT a; RELEASE a",
        "ROLLBACK WORK TO a",
        "DO $$ BEGIN PERFORM 1; COMMIT; END $$",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END; SELECT 1",
        "SELECT 'a; COMMIT; b', \"; ROLLBACK;\", $$; END; $$ -- ; COMMIT;\n/* ; COMMIT; */",
        "CREATE TABLE \"commit\" (x int); COMMENT ON TABLE a IS 'b'",
        "COPY a TO STDOUT; COPY (SELECT b FROM stdin) TO STDOUT; COPY c FROM '/d'",
        "",
        "-- nothing\n",
    ] {
        assert_eq!(sent(text, true), text);
    }
}

#[test]
fn the_psql_lines_of_pg_dump_are_skipped() {
    let dump = "--\n\\restrict abcDEF123\n\nSET a = 1;\nSELECT '\n\\restrict x\n';\n\\unrestrict abcDEF123\n";
    let expected = "--\n                   \n\nSET a = 1;\nSELECT '\n\\restrict x\n';\n                     \n";
    assert_eq!(sent(dump, true), expected);
    assert_eq!(sent("\u{feff}SELECT 1", true), "SELECT 1");
}

#[test]
fn a_psql_command_is_refused_by_name() {
    assert_eq!(
        wrong("SELECT 1;\n\\connect a b\nSELECT 2", true),
        (2, "\\connect")
    );
    assert_eq!(wrong("SELECT 1 \\gexec\n", false), (1, "\\gexec"));
    let copy = "SELECT 1;\nCOPY public.a (b, \"from\") FROM stdin;\n1\tit's\n\\.\n";
    assert_eq!(
        wrong(copy, true),
        (2, "COPY public.a (b, \"from\") FROM stdin")
    );
}

proptest! {
    /// A BEGIN and a COMMIT around any comments and statements are removed, and nothing else is
    /// changed. Another COMMIT between them is refused.
    #[test]
    fn a_begin_and_commit_are_removed_around_any_statements(
        within in prop::collection::vec(prop::sample::select(vec![
            "SELECT 1", "SELECT ';'", "/* ; */", "-- ;\n", "DO $a$ BEGIN COMMIT; END $a$", "SAVEPOINT a",
            "SELECT E'\\'; COMMIT; '", "SELECT U&\"a;\"",
        ]), 0..6),
        at in any::<prop::sample::Index>(),
    ) {
        let body = within.join(";");
        let text = format!("BEGIN;{body};COMMIT;");
        let expected = format!("     ;{body};      ;");
        prop_assert_eq!(sent(&text, true), expected);
        let mut more = within.clone();
        more.insert(at.index(within.len() + 1), "SELECT 1;COMMIT;SELECT 2");
        let text = format!("BEGIN;{};COMMIT;", more.join(";"));
        prop_assert!(script(&text, true).is_err());
        prop_assert!(script(&text, false).is_err());
    }

    /// For any text, the characters of the SQL that is sent keep their positions.
    #[test]
    fn positions_are_the_same_in_the_sent_text_and_the_file(text in "[-a'\"$/*\\\\ \n;é]{0,20}(BEGIN|COMMIT|;| ){0,4}") {
        if let Ok(sent) = script(&text, true) {
            prop_assert_eq!(sent.chars().count(), text.chars().count());
        }
    }
}

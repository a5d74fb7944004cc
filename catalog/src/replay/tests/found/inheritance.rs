//! Columns, checks and bounds of children and partitions.

use super::agree;

#[test]
fn a_second_parent_does_not_make_inherited_checks_local() {
    agree(&[
        "CREATE TABLE one (a int, b int, CONSTRAINT k CHECK (a > 0))",
        "CREATE TABLE heir (CONSTRAINT own CHECK (a > 1)) INHERITS (one)",
        "CREATE TABLE two (a int, CONSTRAINT own CHECK (a > 1))",
        "ALTER TABLE heir INHERIT two",
        "ALTER TABLE one DROP CONSTRAINT k, ADD CONSTRAINT k CHECK (b > a)",
        "ALTER TABLE two DROP CONSTRAINT own",
    ]);
}

#[test]
fn a_second_parent_does_not_make_inherited_columns_local() {
    agree(&[
        "CREATE TABLE one (a int, b int)",
        "CREATE TABLE two (a int, b int)",
        "CREATE TABLE heir () INHERITS (one)",
        "ALTER TABLE heir INHERIT two",
        "ALTER TABLE one DROP COLUMN a",
        "ALTER TABLE two DROP COLUMN a",
        "ALTER TABLE heir NO INHERIT two",
        "ALTER TABLE one DROP COLUMN b",
    ]);
}

#[test]
fn columns_and_checks_remain_after_the_last_parent() {
    agree(&[
        "CREATE TABLE one (a int, b int, CONSTRAINT k CHECK (a > 0))",
        "CREATE TABLE heir () INHERITS (one)",
        "ALTER TABLE heir NO INHERIT one",
        "ALTER TABLE heir INHERIT one",
        "ALTER TABLE one DROP CONSTRAINT k",
        "ALTER TABLE one DROP COLUMN b",
    ]);
}

#[test]
fn a_bound_of_a_bigint_key_is_quoted() {
    agree(&[
        "CREATE TABLE t (a bigint) PARTITION BY LIST (a)",
        "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1, -2)",
    ]);
}

#[test]
fn a_constraint_trigger_is_dropped_with_its_from_table() {
    agree(&[
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        "CREATE TABLE one (a int)",
        "CREATE TABLE two (a int)",
        "CREATE CONSTRAINT TRIGGER g AFTER DELETE ON one FROM two FOR EACH ROW EXECUTE FUNCTION f()",
        "DROP TABLE two",
    ]);
}

#[test]
fn indexes_of_partitions_follow_a_changed_type() {
    agree(&[
        "CREATE TABLE p (id int, b int, c int) PARTITION BY RANGE (b)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (40) TO (50)",
        "CREATE INDEX own ON p1 (id)",
        "COMMENT ON INDEX own IS 'own'",
        "CREATE INDEX other ON p1 (c)",
        "COMMENT ON INDEX other IS 'other'",
        "CREATE INDEX ON p (id)",
        "CREATE INDEX ON p (c)",
        "CREATE INDEX ON p (id, id)",
        "ALTER TABLE p ADD CONSTRAINT u UNIQUE (id, b)",
        "COMMENT ON CONSTRAINT p1_id_b_key ON p1 IS 'c'",
        "ALTER TABLE p ALTER id TYPE bigint",
    ]);
}

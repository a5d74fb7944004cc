//! The comments above a statement.

use super::super::{Annotation, Word, read};
use super::{mistakes, only};

#[test]
fn a_header_is_read() {
    let query = only(
        "-- Copyright: the authors.\n\n-- name: received_since :many\n-- What an account received,\n--\n\
         -- the newest first.\n-- row: Received\n-- nullable: since, :account\n-- See https://x.y\n\
         SELECT 1 WHERE :account AND :since AND :limit; -- more",
    );
    assert_eq!(query.name.text, "received_since");
    assert_eq!(
        query.annotation.as_ref().map(|found| found.annotation),
        Some(Annotation::Many)
    );
    assert_eq!(
        query.docs,
        "What an account received,\n\nthe newest first.\nSee https://x.y"
    );
    assert_eq!(query.row.as_ref().map(|row| &*row.text), Some("Received"));
    assert_eq!(query.mistakes, []);
    let nullable: Vec<bool> = (0..3).map(|index| query.is_nullable(index)).collect();
    assert_eq!(nullable, [true, true, false]);
}

#[test]
fn statements_have_their_own_headers() {
    let file = read(
        "-- name: a :one\nSELECT 1;\n-- about b\n-- name: b\n-- noqa: PRS\n/* c: d */\nSELECT ';' -- e: f\n;\n\n",
    );
    assert_eq!(file.mistakes, []);
    let [a, b] = file.queries.as_slice() else {
        panic!("two queries");
    };
    assert_eq!(
        (&*a.name.text, &*a.sql.text, &*a.docs),
        ("a", "SELECT 1", "")
    );
    assert_eq!(
        (&*b.name.text, &*b.sql.text, &*b.docs),
        ("b", "SELECT ';'", "")
    );
    assert_eq!((b.annotation.is_none(), b.mistakes.len()), (true, 0));
}

#[test]
fn each_annotation_is_read() {
    let annotation = |text: &str| {
        let query = only(&format!("-- name: a {text}\nSELECT 1;"));
        assert_eq!(query.mistakes, []);
        let found = query.annotation.expect("an annotation");
        (found.annotation, found.of_sqlc)
    };
    assert_eq!(annotation(":one"), (Annotation::One, None));
    assert_eq!(annotation(":optional"), (Annotation::Optional, None));
    assert_eq!(annotation("  :many  "), (Annotation::Many, None));
    assert_eq!(annotation(":affected"), (Annotation::Affected, None));
    assert_eq!(annotation(":exactly(2)"), (Annotation::Exactly(2), None));
    assert_eq!(annotation(":exactly ( 2 )"), (Annotation::Exactly(2), None));
    assert_eq!(annotation(":exec"), (Annotation::Affected, Some("exec")));
    assert_eq!(
        annotation(":execrows"),
        (Annotation::Affected, Some("execrows"))
    );
}

#[test]
fn a_mistake_in_a_header_comes_with_its_correction() {
    insta::assert_snapshot!(mistakes(
        "SELECT 1;\n\n-- name: a :manny\nSELECT 2;\n-- name: a :one\nSELECT 3;\n-- name: b :exactly(many)\nSELECT 4;\n\
         -- name: c one\nSELECT 5;\n-- name: two words :one\nSELECT 6;\n-- name:\nSELECT 7;\n-- name: d-e :one\nSELECT 8;\n\
         -- nullable: a\n-- name: f :one\n-- nulable: a\nSELECT 9;\n-- name: g :one\n-- row: account\n-- nullable: a, b c,, d\n\
         SELECT :a;\n-- name: h :one\n-- nullable: x\nSELECT 10;\n-- name: i :one\n-- optional: status\n-- order: id\nSELECT 11;\n\
         -- name: j :one\n-- row: A\n-- row: B\nSELECT 12\n-- name: k :one\nSELECT 13;\n-- name: l :one\n-- name: m :one\nSELECT 14;\n\
         -- name: n :copyfrom\nSELECT 15;\n-- name: last :one\n-- It has nothing below.\n"
    ), @r"
    1:1 [SELECT 1] the statement has no name (write a comment above it: -- name: list_accounts :many)
    43:10 [last] `last` has no statement (write the statement below the header, or remove the header)
    3:12 [:manny] unknown annotation `:manny` (it is one of :one, :optional, :many, :page, :affected, :exactly(1))
    5:10 [a] another query of this file has the name `a` (give each query a name of its own)
    7:12 [:exactly(many)] `:exactly(many)` has no number of rows (write it as :exactly(1))
    9:12 [one] unexpected `one` after the name (it is one of :one, :optional, :many, :page, :affected, :exactly(1))
    11:14 [words :one] unexpected `words :one` after the name (it is one of :one, :optional, :many, :page, :affected, :exactly(1))
    13:4 [name] the name is missing (a name has letters, digits and underscores: -- name: list_accounts :many)
    15:10 [d-e] `d-e` is not a name (a name has letters, digits and underscores: -- name: list_accounts :many)
    17:1 [-- nullable: a] `-- nullable:` is above the name (move it below the line with `-- name:`)
    19:4 [nulable] unknown key `nulable` in the header (the keys are name, row, nullable, optional and order; a line of documentation does not begin with a lower-case word and a colon)
    22:9 [account] `account` is not the name of a row type (name it as Rust names types: -- row: AccountSummary)
    23:17 [b c] `b c` is not the name of a parameter (name parameters, separated by commas: -- nullable: since, parent)
    23:4 [nullable] `` is not the name of a parameter (name parameters, separated by commas: -- nullable: since, parent)
    23:23 [d] the statement has no parameter `d` (its parameters are a)
    26:14 [x] the statement has no parameter `x` (it has no parameters: remove the line)
    30:4 [order] this is no order (write a name and what stands after ORDER BY, without parameters: -- order: richest = balance DESC, id | newest = created_at DESC, id)
    29:14 [status] the statement has no parameter `status` (it has no parameters: remove the line)
    34:4 [row] the row type is named twice (remove a line)
    36:1 [-- name: k :one] the statement of `j` does not end before this header (end the statement with a semicolon)
    39:4 [name] `l` has no statement (a header has one name: write the statement above this one)
    41:12 [:copyfrom] unknown annotation `:copyfrom` (it is one of :one, :optional, :many, :page, :affected, :exactly(1))
    ");
}

#[test]
fn a_word_of_a_header_has_its_position() {
    let text = "-- about é\n--  name:  list  :many\nSELECT 1";
    let query = only(text);
    let Word { text: name, span } = query.name;
    assert_eq!(&text[span], name);
    assert_eq!(&text[query.annotation.expect("one").span], ":many");
    assert_eq!(&text[query.span], "SELECT 1");
}

#[test]
fn an_order_stands_in_the_place_of_its_parameter() {
    let text = "-- name: a :many\n-- optional: x\n-- order: up = id | down = (a || 'b|c') DESC, id\n\
                SELECT id FROM t WHERE x = :x ORDER BY :order LIMIT :n;";
    let query = only(text);
    assert_eq!(query.mistakes, []);
    let texts: Vec<(&str, &str)> = query
        .orders
        .iter()
        .map(|order| (&*order.name.text, &*order.sql.text))
        .collect();
    assert_eq!(
        texts,
        [
            ("up", "SELECT id FROM t WHERE x = $1 ORDER BY id LIMIT $2"),
            (
                "down",
                "SELECT id FROM t WHERE x = $1 ORDER BY (a || 'b|c') DESC, id LIMIT $2"
            ),
        ]
    );
    assert_eq!(
        (query.shapes(), query.condition(0), query.condition(1)),
        (4, Some(0), None)
    );
    // A position in the order is that of the header, and one after it that of the statement.
    let sql = &query.orders[1].sql;
    let shown = |part: &str| {
        let start = sql.text.find(part).expect("a part");
        &text[sql.positions.in_file(&(start..start + part.len()))]
    };
    assert_eq!(shown("DESC"), "(a || 'b|c') DESC, id");
    assert_eq!(
        (shown("LIMIT"), shown("$2"), shown("$1")),
        ("LIMIT", ":n", ":x")
    );
}

#[test]
fn mistakes_of_optional_conditions_and_orders() {
    insta::assert_snapshot!(mistakes(
        "-- name: a :many\n-- optional: x, x\nSELECT :x;\n-- name: b :many\n-- optional: x\nSELECT 1 WHERE a = :x OR b;\n\
         -- name: c :many\n-- nullable: x\n-- optional: x\nSELECT 1 WHERE a = :x;\n\
         -- name: d :many\n-- order: up = id | up = id DESC | down = :x\nSELECT 1 ORDER BY :order;\n\
         -- name: e :many\n-- order: up = id\nSELECT :order;\n-- name: f :many\n-- order: up = id\nSELECT 1;\n\
         -- name: g :many\n-- optional: a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13\nSELECT 1 WHERE a = :a1 AND a = :a2 AND a = :a3 AND a = :a4 AND a = :a5 AND a = :a6 AND a = :a7 AND a = :a8 AND a = :a9 AND a = :a10 AND a = :a11 AND a = :a12 AND a = :a13;"
    ), @r"
    2:17 [x] `x` is named twice (remove one of the names)
    6:20 [:x] `x` is optional, and under an OR (use the parameter on both sides of the OR, or write two queries)
    9:14 [x] `x` cannot be nullable and optional (None leaves an optional condition out, and is NULL for a nullable parameter)
    12:36 [down = :x] this is no order (write a name and what stands after ORDER BY, without parameters: -- order: richest = balance DESC, id | newest = created_at DESC, id)
    12:21 [up] two orders have the name `up` (give each order a name of its own)
    16:8 [:order] `:order` is the order of the query, and not a value (write it once, as ORDER BY :order)
    18:11 [up] the statement has no `ORDER BY :order` (write it in the statement, or remove the line)
    21:65 [a13] a query has up to 12 optional parameters (write a second query for some of them)
    ");
}

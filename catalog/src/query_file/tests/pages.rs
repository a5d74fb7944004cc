//! The texts of queries with pages.

use bowline_migrations::SqlFile;

use super::only;
use crate::query::Checker;
use crate::query_file::{Mistake, PageQuery};
use crate::replay;

const SCHEMA: &str = "
    CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE tasks (id int PRIMARY KEY, owner int NOT NULL REFERENCES people, title text NOT NULL,
        due date, rank int NOT NULL, UNIQUE (owner, rank));
    CREATE TABLE docs (tenant int, id int, title text NOT NULL, PRIMARY KEY (tenant, id));
    CREATE TABLE lines (tenant int, doc int, line int, PRIMARY KEY (tenant, doc, line));";

/// Returns the texts of the pages of a query and the columns of its position, or what is wrong.
fn pages(header: &str, sql: &str) -> String {
    let query = only(&format!("-- name: a :page\n{header}{sql};"));
    let file = SqlFile {
        path: "1/up.sql".into(),
        text: SCHEMA.to_owned(),
    };
    let catalog = replay::replay([&file]).catalog;
    let checked = match query.check(&Checker::new(&catalog)) {
        Err(Mistake { message, .. }) => return message,
        Ok(checked) => checked,
    };
    let shown = checked.pages.iter().map(|paged| {
        let after_null = paged.after_null.as_ref().map_or(String::new(), shown_page);
        let columns = paged.position.iter().map(|it| {
            let field = it.field.map_or(String::new(), |field| format!(".{field}"));
            format!("{}{field} {}", it.column, it.of.name)
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        format!(
            "{}\n{}\n{after_null}\n{columns}",
            paged.first.sql,
            shown_page(&paged.after)
        )
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// Returns the text of a page, with that of the rows behind it.
fn shown_page(page: &PageQuery) -> String {
    match &page.halves {
        None => page.query.sql.clone(),
        Some(halves) => format!(
            "{}\n  or {}\n  and {}\n  by {}",
            page.query.sql, halves.near.sql, halves.far.sql, halves.order
        ),
    }
}

#[test]
fn a_page_begins_after_a_position() {
    insta::assert_snapshot!(
        [
            pages("", "SELECT * FROM tasks WHERE owner = :owner OR title = :owner::text -- all\n ORDER BY rank DESC, id DESC"),
            pages("", "SELECT t.id, title AS words FROM tasks t JOIN people p ON p.id = t.owner ORDER BY words, t.id"),
            pages("", "SELECT t AS task, p AS person FROM tasks t JOIN people p ON p.id = t.owner ORDER BY t.rank DESC, t.id"),
            pages("", "SELECT id, due FROM tasks WHERE rank > :rank ORDER BY due DESC NULLS LAST, id"),
            pages("", "SELECT id, due FROM tasks ORDER BY due NULLS FIRST, id"),
            pages("", "SELECT title, rank FROM tasks WHERE owner = :owner ORDER BY rank DESC"),
            pages("-- optional: owner\n", "SELECT id, title FROM tasks WHERE owner = :owner ORDER BY 1"),
        ]
        .join("\n\n"),
        @"
    SELECT tasks.id, tasks.owner, tasks.title, tasks.due, tasks.rank FROM tasks WHERE owner = $1 OR title = $1::text -- all
     ORDER BY rank DESC, id DESC LIMIT $2
    SELECT tasks.id, tasks.owner, tasks.title, tasks.due, tasks.rank FROM tasks WHERE (owner = $1 OR title = $1::text) AND (tasks.rank, tasks.id) < ($2, $3) -- all
     ORDER BY rank DESC, id DESC LIMIT $4

    4 rank, 0 id

    SELECT t.id, title AS words FROM tasks t JOIN people p ON p.id = t.owner ORDER BY words, t.id LIMIT $1
    SELECT t.id, title AS words FROM tasks t JOIN people p ON p.id = t.owner WHERE (title, t.id) > ($1, $2) ORDER BY words, t.id LIMIT $3

    1 words, 0 id

    SELECT ROW(t.id, t.owner, t.title, t.due, t.rank) AS task, ROW(p.id, p.name) AS person FROM tasks t JOIN people p ON p.id = t.owner ORDER BY t.rank DESC, t.id LIMIT $1
    SELECT ROW(t.id, t.owner, t.title, t.due, t.rank) AS task, ROW(p.id, p.name) AS person FROM tasks t JOIN people p ON p.id = t.owner WHERE t.rank <= $1 AND (t.rank < $1 OR t.rank = $1 AND t.id > $2) ORDER BY t.rank DESC, t.id LIMIT $3

    0.4 rank, 0.0 id

    SELECT id, due FROM tasks WHERE rank > $1 ORDER BY due DESC NULLS LAST, id LIMIT $2
    SELECT id, due FROM tasks WHERE rank > $1 AND ((due < $2 OR due IS NULL) OR due = $2 AND id > $3) ORDER BY due DESC NULLS LAST, id LIMIT $4
      or SELECT id, due FROM tasks WHERE rank > $1 AND due <= $2 AND (due < $2 OR due = $2 AND id > $3) ORDER BY due DESC NULLS LAST, id LIMIT $4
      and SELECT id, due FROM tasks WHERE rank > $1 AND due IS NULL ORDER BY due DESC NULLS LAST, id LIMIT $2
      by 2 DESC NULLS LAST, 1
    SELECT id, due FROM tasks WHERE rank > $1 AND due IS NULL AND id > $2 ORDER BY due DESC NULLS LAST, id LIMIT $3
    1 due, 0 id

    SELECT id, due FROM tasks ORDER BY due NULLS FIRST, id LIMIT $1
    SELECT id, due FROM tasks WHERE due >= $1 AND (due > $1 OR due = $1 AND id > $2) ORDER BY due NULLS FIRST, id LIMIT $3
    SELECT id, due FROM tasks WHERE (due IS NOT NULL OR due IS NULL AND id > $1) ORDER BY due NULLS FIRST, id LIMIT $2
      or SELECT id, due FROM tasks WHERE due IS NULL AND id > $1 ORDER BY due NULLS FIRST, id LIMIT $2
      and SELECT id, due FROM tasks WHERE due IS NOT NULL ORDER BY due NULLS FIRST, id LIMIT $1
      by 2 NULLS FIRST, 1
    1 due, 0 id

    SELECT title, rank FROM tasks WHERE owner = $1 ORDER BY rank DESC LIMIT $2
    SELECT title, rank FROM tasks WHERE owner = $1 AND rank < $2 ORDER BY rank DESC LIMIT $3

    1 rank

    SELECT id, title FROM tasks WHERE owner = $1 ORDER BY 1 LIMIT $2
    SELECT id, title FROM tasks WHERE owner = $1 AND id > $2 ORDER BY 1 LIMIT $3

    0 id
    "
    );
}

#[test]
fn equal_columns_complete_the_key_of_an_order() {
    let lines =
        "SELECT l.doc, l.line FROM docs d JOIN lines l ON l.tenant = d.tenant AND l.doc = d.id";
    for (rest, is_unique) in [
        // The tenant of the lines is that of the document, whose number is that of the lines.
        ("WHERE d.tenant = :tenant ORDER BY l.doc, l.line", true),
        ("WHERE l.tenant = :tenant ORDER BY l.doc, l.line", true),
        ("ORDER BY l.doc, l.line", false),
        ("WHERE d.tenant > :tenant ORDER BY l.doc, l.line", false),
        ("WHERE d.tenant = :tenant ORDER BY l.line", false),
    ] {
        let pages = pages("", &format!("{lines} {rest}"));
        assert_eq!(
            !pages.contains("is not unique"),
            is_unique,
            "{rest}: {pages}"
        );
    }
    // The other side of an outer join says nothing about the rows that it lacks.
    let outer = "SELECT l.doc, l.line FROM lines l LEFT JOIN docs d ON l.tenant = d.tenant AND d.tenant = :t";
    let pages = pages("", &format!("{outer} ORDER BY l.doc, l.line"));
    assert!(pages.contains("is not unique"), "{pages}");
}

#[test]
fn an_order_that_loses_rows_is_refused() {
    for (header, sql, expected) in [
        (
            "",
            "SELECT id, title FROM tasks ORDER BY title",
            "the order `title` is not unique",
        ),
        (
            "",
            "SELECT t.id, p.name FROM tasks t, people p ORDER BY t.id",
            "the order `t.id` is not unique",
        ),
        (
            "",
            "SELECT due, rank FROM tasks ORDER BY due, rank",
            "the order `due, rank` is not unique",
        ),
        (
            "-- optional: owner\n",
            "SELECT id, rank FROM tasks WHERE owner = :owner ORDER BY rank",
            "the order `rank` is not unique",
        ),
        (
            "",
            "SELECT title FROM tasks ORDER BY title, id",
            "the rows do not have `id`, by which they are ordered",
        ),
        (
            "",
            "SELECT p.id, t AS task FROM people p LEFT JOIN tasks t ON t.owner = p.id AND t.rank = 1 ORDER BY t.title, p.id",
            "the rows do not have `t.title`, by which they are ordered",
        ),
        (
            "",
            "SELECT id FROM tasks ORDER BY id LIMIT 5",
            "a query with LIMIT has no pages",
        ),
        (
            "",
            "SELECT owner, count(*) FROM tasks GROUP BY owner ORDER BY owner",
            "a query with GROUP has no pages",
        ),
        (
            "",
            "SELECT id, rank() OVER (ORDER BY id) AS place FROM tasks ORDER BY id",
            "a query with OVER has no pages",
        ),
        (
            "",
            "SELECT DISTINCT id FROM tasks ORDER BY id",
            "a query with DISTINCT has no pages",
        ),
        (
            "",
            "SELECT id FROM tasks",
            "a query with pages has an order",
        ),
        (
            "",
            "SELECT id FROM tasks UNION SELECT id FROM people ORDER BY id",
            "a query with UNION has no pages",
        ),
    ] {
        assert_eq!(pages(header, sql), expected, "{sql}");
    }
}

#[test]
fn each_order_has_pages() {
    let header = "-- order: rank = rank, id | title = title DESC, id DESC\n";
    let sql = "SELECT id, rank, title FROM tasks ORDER BY :order";
    insta::assert_snapshot!(pages(header, sql), @"
    SELECT id, rank, title FROM tasks ORDER BY rank, id LIMIT $1
    SELECT id, rank, title FROM tasks WHERE (rank, id) > ($1, $2) ORDER BY rank, id LIMIT $3

    1 rank, 0 id
    SELECT id, rank, title FROM tasks ORDER BY title DESC, id DESC LIMIT $1
    SELECT id, rank, title FROM tasks WHERE (title, id) < ($1, $2) ORDER BY title DESC, id DESC LIMIT $3

    2 title, 0 id
    ");
}

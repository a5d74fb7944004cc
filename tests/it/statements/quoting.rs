//! Names and strings are quoted as PostgreSQL quotes them.

use std::collections::HashSet;

use bowline::{Session, StatementDsl as _};
use bowline_sql::quote;
use diesel::QueryableByName;
use diesel::sql_types::{Array, Text};

use crate::support::server;

#[derive(QueryableByName)]
struct Quoted {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    identifier: String,
    #[diesel(sql_type = Text)]
    literal: String,
}

/// The first version of PostgreSQL that has the keywords that `bowline_sql` has.
const KEYWORDS_OF: i32 = 180_000;

fn texts() -> Vec<String> {
    let marks = [
        "a", "B", "_", "1", "$", "\"", "'", "\\", " ", "é", "\n", "-",
    ];
    let mut texts = vec![String::new()];
    for length in 0..3 {
        let longest: Vec<_> = texts
            .iter()
            .filter(|text| text.chars().count() == length)
            .cloned()
            .collect();
        texts.extend(
            longest
                .iter()
                .flat_map(|text| marks.map(|mark| format!("{text}{mark}"))),
        );
    }
    texts
}

#[test]
fn quoting_is_the_servers_own() {
    let mut session = Session::connect(&server().config("postgres")).expect("a server");
    let is_exact = session.server_version() >= KEYWORDS_OF;
    let rows: Vec<Quoted> = session
        .run(
            diesel::sql_query(
                "SELECT name, quote_ident(name) AS identifier, quote_literal(name) AS literal
                 FROM (SELECT word AS name FROM pg_get_keywords() UNION ALL SELECT unnest($1)) AS names",
            )
            .bind::<Array<Text>, _>(texts())
            .all(),
        )
        .expect("the server quotes");
    let keywords = "SELECT word AS name, '' AS identifier, '' AS literal FROM pg_get_keywords() WHERE catcode <> 'U'";
    let reserved: Vec<Quoted> = session
        .run(diesel::sql_query(keywords).all())
        .expect("keywords");
    let reserved: HashSet<String> = reserved.into_iter().map(|row| row.name).collect();
    assert!(rows.len() > 2_000 && reserved.len() > 100);
    for row in rows {
        assert_eq!(quote::literal(&row.name), row.literal);
        let ours = quote::identifier(&row.name);
        // A keyword that a later version reserves is quoted for an earlier version too.
        let is_newer =
            !is_exact && !reserved.contains(&row.name) && quote::category(&row.name).is_some();
        if is_newer {
            assert_eq!(ours, format!("\"{}\"", row.name));
        } else {
            assert_eq!(ours, row.identifier);
        }
    }
}

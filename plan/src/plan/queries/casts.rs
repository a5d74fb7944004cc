//! The casts of values that are sent as text, in the SQL of a query.

use bowline_catalog::query::Query;
use bowline_sql::{one_line, quote, tokens};

/// Returns the SQL of a query on one line, with casts of its parameters and columns; fails with a
/// column that the query itself has to cast.
///
/// `parameters` has the casts of each parameter, `columns` the name and the cast of each column.
pub(super) fn with_casts<'c>(
    query: &Query,
    parameters: &[Option<&str>],
    columns: &[(&'c str, Option<String>)],
) -> Result<String, &'c str> {
    let sql = cast_parameters(&one_line(&query.sql), parameters);
    let Some((cast_column, _)) = columns.iter().find(|(_, cast)| cast.is_some()) else {
        return Ok(sql);
    };
    let sql = sql.trim_end().trim_end_matches(';').trim_end();
    let is_query = tokens(sql)
        .find(|token| !token.is("("))
        .is_some_and(|first| first.is_one_of(&["select", "values", "table", "with"]));
    let numbers: Vec<String> = (1..=columns.len())
        .map(|number| format!("c{number}"))
        .collect();
    let numbers = numbers.join(", ");
    let read: Vec<String> = (1..)
        .zip(columns)
        .map(|(number, (name, cast))| {
            let cast = cast
                .as_ref()
                .map_or(String::new(), |cast| format!("::{cast}"));
            format!("q.c{number}{cast} AS {}", quote::identifier(name))
        })
        .collect();
    let read = read.join(", ");
    // If the casts were within the query, ORDER BY and DISTINCT would use the text.
    if is_query && query.writes.is_empty() {
        return Ok(format!("SELECT {read} FROM ({sql}) AS q ({numbers})"));
    }
    if !is_query && tokens(sql).next().is_some_and(|first| !first.is("(")) {
        return Ok(format!(
            "WITH q ({numbers}) AS ({sql}) SELECT {read} FROM q"
        ));
    }
    // A WITH query that writes must be at the top.
    Err(cast_column)
}

/// Returns SQL in which each parameter is cast. Parentheses around the cast separate it from the
/// text after it.
fn cast_parameters(sql: &str, parameters: &[Option<&str>]) -> String {
    if parameters.iter().all(Option::is_none) {
        return sql.to_owned();
    }
    let mut out = String::with_capacity(sql.len());
    let mut end = 0;
    for token in tokens(sql) {
        let number = token.text().strip_prefix('$');
        let number = number.and_then(|digits| digits.parse::<usize>().ok());
        let cast = number.and_then(|number| *parameters.get(number.checked_sub(1)?)?);
        if let Some(cast) = cast {
            out.push_str(&sql[end..token.start()]);
            out.push_str(&format!("({}::{cast})", token.text()));
            end = token.end();
        }
    }
    out.push_str(&sql[end..]);
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bowline_catalog::Name;
    use bowline_catalog::query::Rows;

    use super::*;

    fn cast(sql: &str, parameters: &[Option<&str>], columns: &[(&str, bool)]) -> String {
        let first = tokens(sql).next().expect("a statement");
        let is_write = first.is_one_of(&["insert", "update"]) || sql.contains("DELETE");
        let name = Name {
            schema: "public".to_owned(),
            name: "t".to_owned(),
        };
        let query = Query {
            sql: sql.to_owned(),
            parameters: Vec::new(),
            columns: Vec::new(),
            rows: Rows::Many,
            reads: BTreeSet::new(),
            assigns: Default::default(),
            indexes: Default::default(),
            shards: None,
            omitted: None,
            writes: is_write.then_some(name).into_iter().collect(),
        };
        let columns: Vec<_> = columns
            .iter()
            .map(|(name, is_cast)| (*name, is_cast.then(|| "text".to_owned())))
            .collect();
        match with_casts(&query, parameters, &columns) {
            Ok(sql) => sql,
            Err(column) => format!("cast {column}"),
        }
    }

    #[test]
    fn parameters_are_cast_where_they_stand() {
        assert_eq!(
            cast(
                "UPDATE t SET doc = $2, bits = $1[1] WHERE id = $3 OR '$2' = ''",
                &[Some("text[]::\"bit\"[]"), Some("text::tsvector"), None],
                &[]
            ),
            "UPDATE t SET doc = ($2::text::tsvector), bits = ($1::text[]::\"bit\"[])[1] WHERE id = $3 OR '$2' = ''"
        );
    }

    #[test]
    fn columns_are_cast_around_the_query() {
        let columns = &[("id", false), ("doc", true)];
        assert_eq!(
            cast("SELECT id, doc FROM t ORDER BY doc;", &[], columns),
            "SELECT q.c1 AS id, q.c2::text AS doc FROM (SELECT id, doc FROM t ORDER BY doc) AS q (c1, c2)"
        );
        assert_eq!(
            cast("INSERT INTO t VALUES (1) RETURNING id, doc", &[], columns),
            "WITH q (c1, c2) AS (INSERT INTO t VALUES (1) RETURNING id, doc) SELECT q.c1 AS id, q.c2::text AS doc FROM q"
        );
        assert_eq!(
            cast(
                "WITH x AS (DELETE FROM t RETURNING *) SELECT id, doc FROM x",
                &[],
                columns
            ),
            "cast doc"
        );
    }
}

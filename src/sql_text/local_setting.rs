//! SQL that sets a setting until the transaction ends: with the values bound, or written into a
//! text that takes no parameters.

use std::sync::Arc;

use bowline_sql::quote::{identifier, literal};

/// Sets the setting `$1` to the value `$2`.
pub(crate) const SET_LOCALLY: &str = "SELECT pg_catalog.set_config($1, $2, true)";

/// Sets the search path `$2`, which begins with the schema `$1`.
///
/// PostgreSQL passes over a schema in the path that does not exist or that the role may not use.
/// `has_schema_privilege` fails for the former, and `to_regclass` for the latter.
pub(crate) const SET_SCHEMA: &str = "SELECT pg_catalog.set_config('search_path', CASE \
    WHEN pg_catalog.has_schema_privilege($1, 'USAGE') \
    OR pg_catalog.to_regclass(pg_catalog.quote_ident($1) || '.a') IS NULL THEN $2 END, true)";

/// A schema in which names are found before those of `public`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LocalSchema {
    pub(crate) name: String,
    /// The search path.
    pub(crate) path: String,
    /// The SQL that sets it, which is also the key of what depends on the path.
    pub(crate) key: Arc<str>,
}

impl LocalSchema {
    pub(crate) fn new(name: &str) -> Self {
        let path = format!("{}, public", identifier(name));
        let key = set_schema(name, &path);
        Self {
            name: name.to_owned(),
            path,
            key: key.into(),
        }
    }
}

/// Returns true for SQL that sets this search path for a schema.
pub(crate) fn sets_path(sql: &str, path: &str) -> bool {
    sql.ends_with(&format!(" THEN {} END, true)", literal(path)))
}

/// Returns [`SET_LOCALLY`] with its values.
pub(crate) fn set_locally(name: &str, value: &str) -> String {
    format!(
        "SELECT pg_catalog.set_config({}, {}, true)",
        literal(name),
        literal(value)
    )
}

fn set_schema(name: &str, path: &str) -> String {
    // The path holds no `$`, unless the name does.
    let (before, after) = SET_SCHEMA.split_once("$2").unwrap_or((SET_SCHEMA, ""));
    let before = before.replace("$1", &literal(name));
    format!("{before}{}{after}", literal(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_literals() {
        let sql = set_locally("app.o'x", "a\\'; DROP TABLE t; --");
        assert_eq!(
            sql,
            r"SELECT pg_catalog.set_config('app.o''x', E'a\\''; DROP TABLE t; --', true)"
        );
    }

    #[test]
    fn a_schema_is_quoted_in_the_path_and_in_the_text() {
        let schema = LocalSchema::new("o'$2\"x");
        assert_eq!(schema.path, "\"o'$2\"\"x\", public");
        assert_eq!(
            &*schema.key,
            "SELECT pg_catalog.set_config('search_path', CASE \
             WHEN pg_catalog.has_schema_privilege('o''$2\"x', 'USAGE') \
             OR pg_catalog.to_regclass(pg_catalog.quote_ident('o''$2\"x') || '.a') IS NULL \
             THEN '\"o''$2\"\"x\", public' END, true)"
        );
        assert!(sets_path(&schema.key, &schema.path));
    }
}

//! The statement that sets a setting until the transaction ends.

use bowline_sql::quote::literal;

const BEGINNING: &str = "SELECT pg_catalog.set_config(";

/// Returns the statement, which is `SET LOCAL` for any name and value.
pub(crate) fn set_locally(name: &str, value: &str) -> String {
    format!("{BEGINNING}{}, {}, true)", literal(name), literal(value))
}

/// Returns true for a statement of [`set_locally`]: it writes nothing, and leaves nothing behind.
pub(crate) fn is_local_setting(sql: &str) -> bool {
    sql.starts_with(BEGINNING) && sql.ends_with(", true)")
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
        assert!(is_local_setting(&sql));
        assert!(!is_local_setting(
            "SELECT pg_catalog.set_config('a.b', 'c', false)"
        ));
    }
}

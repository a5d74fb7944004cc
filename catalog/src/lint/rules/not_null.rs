//! Steps by which a column becomes NOT NULL while others use the table.

use bowline_sql::quote::identifier;

use crate::lint::rewrite::Step;

/// Returns the steps: a constraint that is not validated, its validation, and NOT NULL, which
/// PostgreSQL then believes without reading the table.
///
/// `postgres` is the oldest version of the database.
pub(super) fn steps(table: &str, plain_table: &str, column: &str, postgres: u32) -> Vec<Step> {
    let name = identifier(&format!("{plain_table}_{column}_not_null"));
    let column = identifier(column);
    if postgres >= 18 {
        return vec![
            Step::new(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} NOT NULL {column} NOT VALID;"
            )),
            Step::new(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};")),
        ];
    }
    vec![
        Step::new(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID;"
        )),
        Step::new(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};")),
        Step::new(format!(
            "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;\nALTER TABLE {table} DROP CONSTRAINT {name};"
        )),
    ]
}

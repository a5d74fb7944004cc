//! Steps by which a column becomes NOT NULL while others use the table.

use bowline_sql::quote::identifier;

use crate::RelationKind;
use crate::lint::rewrite::Step;
use crate::lint::scope::Scope;
use crate::replay::state::names::object_name;

/// Returns the steps: a constraint that is not validated, its validation, and NOT NULL, which
/// PostgreSQL then believes without reading the table.
pub(super) fn steps(scope: &Scope<'_>, column: &str) -> Vec<Step> {
    let table = scope.table_sql();
    let relation = scope.before.first();
    let plain = relation.map_or(table.as_str(), |relation| &relation.name.name);
    let name = identifier(&object_name(plain, column, "not_null"));
    let column = identifier(column);
    let is_partitioned =
        relation.is_some_and(|relation| relation.kind == RelationKind::PartitionedTable);
    let validate = Step::new(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};"));
    if scope.postgres >= 18 && !is_partitioned {
        return vec![
            Step::new(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} NOT NULL {column} NOT VALID;"
            )),
            validate,
        ];
    }
    vec![
        Step::new(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID;"
        )),
        validate,
        Step::new(format!(
            "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;\nALTER TABLE {table} DROP CONSTRAINT {name};"
        )),
    ]
}

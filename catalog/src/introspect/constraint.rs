//! Constraints of tables and domains.

use serde::Deserialize;

use super::name;
use crate::{Catalog, Constraint, ConstraintKind, ReferentialAction, TypeKind};

/// Constraints of tables and domains. A foreign key to a partitioned table has a copy for each
/// partition; these copies are left out. NOT NULL is part of the column. `conenforced` and
/// `conperiod` are read through JSON, since older versions do not have them.
pub(super) const CONSTRAINTS: &str = r"
    SELECT n.nspname::text AS schema, coalesce(c.relname, t.typname)::text AS owner, c.oid IS NULL AS of_domain,
        o.conname::text AS name, o.contype::text AS kind, o.condeferrable AS deferrable, o.condeferred AS deferred,
        o.convalidated AS validated, coalesce((to_jsonb(o) ->> 'conenforced')::bool, true) AS enforced,
        coalesce((to_jsonb(o) ->> 'conperiod')::bool, false) AS temporal,
        o.connoinherit AS no_inherit, coalesce(x.indnullsnotdistinct, false) AS nulls_not_distinct,
        o.confmatchtype::text AS match, o.confupdtype::text AS on_update, o.confdeltype::text AS on_delete,
        fn.nspname::text AS foreign_schema, f.relname::text AS foreign_table,
        pg_get_expr(o.conbin, o.conrelid) AS expression, obj_description(o.oid, 'pg_constraint') AS comment,
        ARRAY(SELECT a.attname::text FROM unnest(o.conkey) WITH ORDINALITY k (number, position)
            JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.number ORDER BY k.position) AS columns,
        ARRAY(SELECT a.attname::text FROM unnest(o.confkey) WITH ORDINALITY k (number, position)
            JOIN pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = k.number ORDER BY k.position) AS foreign_columns,
        ARRAY(SELECT a.attname::text FROM unnest(o.confdelsetcols) WITH ORDINALITY k (number, position)
            JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.number ORDER BY k.position) AS set_columns,
        ARRAY(SELECT p.oprname::text FROM unnest(o.conexclop) WITH ORDINALITY k (operator, position)
            JOIN pg_operator p ON p.oid = k.operator ORDER BY k.position) AS operators
    FROM pg_constraint o
    LEFT JOIN pg_class c ON c.oid = o.conrelid
    LEFT JOIN pg_type t ON t.oid = o.contypid
    JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, t.typnamespace)
    LEFT JOIN pg_class f ON f.oid = o.confrelid
    LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
    LEFT JOIN pg_index x ON x.indexrelid = o.conindid AND o.contype = 'u'
    LEFT JOIN pg_constraint up ON up.oid = o.conparentid
    WHERE o.contype IN ('p', 'u', 'c', 'f', 'x') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
        AND (o.contype <> 'f' OR up.conrelid IS DISTINCT FROM o.conrelid)
    ORDER BY 1, 2, o.oid";

#[derive(Deserialize)]
pub(super) struct ConstraintRow {
    schema: String,
    owner: String,
    of_domain: bool,
    name: String,
    kind: String,
    deferrable: bool,
    deferred: bool,
    validated: bool,
    enforced: bool,
    temporal: bool,
    no_inherit: bool,
    nulls_not_distinct: bool,
    #[serde(rename = "match")]
    matching: String,
    on_update: String,
    on_delete: String,
    foreign_schema: Option<String>,
    foreign_table: Option<String>,
    expression: Option<String>,
    comment: Option<String>,
    columns: Vec<String>,
    foreign_columns: Vec<String>,
    set_columns: Vec<String>,
    operators: Vec<String>,
}

/// Adds the constraints to the relations and domains, which are already in the catalog.
pub(super) fn add(catalog: &mut Catalog, rows: &[ConstraintRow]) {
    for row in rows {
        let owner = name(&row.schema, &row.owner);
        if row.of_domain {
            if let Some(found) = catalog.types.get_mut(&owner)
                && let TypeKind::Domain { checks, .. } = &mut found.kind
            {
                checks.push(row.constraint());
            }
        } else if let Some(relation) = catalog.relations.get_mut(&owner) {
            relation.constraints.push(row.constraint());
        }
    }
}

impl ConstraintRow {
    fn constraint(&self) -> Constraint {
        Constraint {
            name: self.name.clone(),
            kind: self.constraint_kind(),
            deferrable: self.deferrable,
            initially_deferred: self.deferred,
            validated: self.validated,
            enforced: self.enforced,
            temporal: self.temporal,
            comment: self.comment.clone(),
        }
    }

    fn constraint_kind(&self) -> ConstraintKind {
        let columns = self.columns.clone();
        match self.kind.as_str() {
            "p" => ConstraintKind::PrimaryKey { columns },
            "u" => ConstraintKind::Unique {
                columns,
                nulls_not_distinct: self.nulls_not_distinct,
            },
            "f" => ConstraintKind::ForeignKey {
                columns,
                references: name(
                    self.foreign_schema.as_deref().unwrap_or_default(),
                    self.foreign_table.as_deref().unwrap_or_default(),
                ),
                referenced_columns: self.foreign_columns.clone(),
                on_delete: action(&self.on_delete, &self.set_columns),
                on_update: action(&self.on_update, &[]),
                match_full: self.matching == "f",
            },
            "x" => ConstraintKind::Exclude {
                operators: self.operators.clone(),
            },
            _ => {
                let mut columns = columns;
                columns.sort();
                ConstraintKind::Check {
                    expression: without_parentheses(self.expression.as_deref().unwrap_or_default())
                        .to_owned(),
                    columns,
                    no_inherit: self.no_inherit,
                }
            }
        }
    }
}

fn action(code: &str, columns: &[String]) -> ReferentialAction {
    match code {
        "r" => ReferentialAction::Restrict,
        "c" => ReferentialAction::Cascade,
        "n" => ReferentialAction::SetNull(columns.to_vec()),
        "d" => ReferentialAction::SetDefault(columns.to_vec()),
        _ => ReferentialAction::NoAction,
    }
}

/// Returns an expression without its outer parentheses, which PostgreSQL adds.
pub(super) fn without_parentheses(expression: &str) -> &str {
    let mut bare = expression;
    while let Some(inner) = inside(bare) {
        bare = inner;
    }
    bare
}

/// Returns the text between the first and the last character, if these are matching parentheses.
fn inside(expression: &str) -> Option<&str> {
    let inner = expression.strip_prefix('(')?.strip_suffix(')')?;
    let mut depth = 0_usize;
    for token in bowline_sql::tokens(inner) {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.checked_sub(1)?;
        }
    }
    (depth == 0).then_some(inner)
}

//! Tables in the format of psql's `\d`.

use crate::ui::{self, Heading, Side};
use bowline_catalog::definition::{literal, quoted};
use bowline_catalog::{
    Catalog, Column, Constraint, ConstraintKind, DataType, Fill, Index, IndexKey, Name, Relation,
    RelationKind,
};

/// Lists all relations as `\d` does, but without owners, which migrations do not define.
pub(super) fn relations(catalog: &Catalog) -> String {
    let relations = catalog.relations.values();
    let relations = relations.map(|relation| (&relation.name, words(relation.kind)));
    let sequences = catalog.sequences.keys().map(|name| (name, "sequence"));
    let mut rows: Vec<[&str; 3]> = relations
        .chain(sequences)
        .map(|(name, kind)| [name.schema.as_str(), name.name.as_str(), kind])
        .collect();
    rows.sort_unstable();
    let count = rows.len();
    let rows: Vec<Vec<Option<String>>> = rows.into_iter().map(row).collect();
    let table = ui::aligned(
        Some("List of relations"),
        &headings(&["Schema", "Name", "Type"]),
        &rows,
    );
    format!("{table}{}\n\n", ui::row_count(count))
}

/// Returns psql's name for a kind of relation.
pub(super) fn words(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::Table | RelationKind::Partition => "table",
        RelationKind::PartitionedTable => "partitioned table",
        RelationKind::View => "view",
        RelationKind::MaterializedView => "materialized view",
        RelationKind::ForeignTable => "foreign table",
    }
}

/// Describes a relation as `\d` does.
pub(super) fn relation(catalog: &Catalog, relation: &Relation) -> String {
    let kind = match relation.kind {
        RelationKind::Table | RelationKind::Partition => "Table",
        RelationKind::PartitionedTable => "Partitioned table",
        RelationKind::View => "View",
        RelationKind::MaterializedView => "Materialized view",
        RelationKind::ForeignTable => "Foreign table",
    };
    let title = format!("{kind} \"{}.{}\"", relation.name.schema, relation.name.name);
    let rows: Vec<Vec<Option<String>>> = relation
        .columns
        .iter()
        .map(|column| {
            let collation = column.collation.as_ref();
            let collation = collation.map_or("", |collation| collation.name.as_str());
            let nullable = if column.not_null { "not null" } else { "" };
            row([
                column.name.as_str(),
                &format_type(&column.data_type),
                collation,
                nullable,
                &default(column),
            ])
        })
        .collect();
    let columns = headings(&["Column", "Type", "Collation", "Nullable", "Default"]);
    let mut out = ui::aligned(Some(&title), &columns, &rows);
    if let (RelationKind::Partition, Some(parent)) = (relation.kind, relation.parents.first()) {
        let bound = relation.partition_bound.as_deref().unwrap_or_default();
        out.push_str(&format!("Partition of: {} {bound}\n", parent.sql()));
    }
    if let Some(key) = &relation.partition_by {
        out.push_str(&format!("Partition key: {key}\n"));
    }
    out.push_str(&section("Indexes", indexes(relation)));
    out.push_str(&section(
        "Check constraints",
        constraints(relation, |kind| {
            matches!(kind, ConstraintKind::Check { .. })
        }),
    ));
    out.push_str(&section(
        "Foreign-key constraints",
        constraints(relation, |kind| {
            matches!(kind, ConstraintKind::ForeignKey { .. })
        }),
    ));
    out.push_str(&section(
        "Referenced by",
        referenced_by(catalog, &relation.name),
    ));
    if relation.kind != RelationKind::Partition && !relation.parents.is_empty() {
        let parents: Vec<String> = relation.parents.iter().map(Name::sql).collect();
        out.push_str(&format!("Inherits: {}\n", parents.join(",\n          ")));
    }
    out.push_str(&children(catalog, relation));
    out.push_str(&distribution(catalog, relation));
    out.push('\n');
    out
}

/// Says how Citus distributes a table. psql does not.
fn distribution(catalog: &Catalog, relation: &Relation) -> String {
    let Some(distribution) = &relation.distribution else {
        return String::new();
    };
    let mut out = format!("Distributed: {}\n", distribution.words());
    if let Some(shards) = distribution.shards {
        out.push_str(&format!("Shards: {shards}\n"));
    }
    let others: Vec<String> = catalog
        .colocated_with(relation)
        .into_iter()
        .map(Name::sql)
        .collect();
    if !others.is_empty() {
        let indent = format!(",\n{:width$}", "", width = "Co-located with: ".len());
        out.push_str(&format!("Co-located with: {}\n", others.join(&indent)));
    }
    out
}

/// Lists the partitions or inheriting tables. psql counts them here, and lists them with `\d+`.
fn children(catalog: &Catalog, relation: &Relation) -> String {
    let children = catalog.relations.values();
    let children = children.filter(|child| child.parents.contains(&relation.name));
    let children: Vec<String> = children
        .map(|child| match &child.partition_bound {
            Some(bound) => format!("{} {bound}", child.name.sql()),
            None => child.name.sql(),
        })
        .collect();
    let title = match relation.kind {
        RelationKind::PartitionedTable => "Partitions",
        _ => "Child tables",
    };
    if children.is_empty() {
        return String::new();
    }
    let indent = format!(",\n{:width$}", "", width = title.len() + 2);
    format!("{title}: {}\n", children.join(&indent))
}

fn headings(names: &[&str]) -> Vec<Heading> {
    names
        .iter()
        .map(|name| ((*name).to_owned(), Side::Left))
        .collect()
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<Option<String>> {
    cells.iter().map(|cell| Some((*cell).to_owned())).collect()
}

fn section(title: &str, lines: Vec<String>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = lines
        .into_iter()
        .map(|line| format!("    {line}\n"))
        .collect();
    format!("{title}:\n{}", lines.concat())
}

/// Quotes a name, as psql does for indexes and constraints.
fn in_quotes(name: &str) -> String {
    format!("\"{name}\"")
}

/// Returns the name that `format_type` gives to a type.
fn format_type(data_type: &DataType) -> String {
    let modifiers: Vec<String> = data_type.modifiers.iter().map(i32::to_string).collect();
    let modifiers = if modifiers.is_empty() {
        String::new()
    } else {
        format!("({})", modifiers.join(","))
    };
    let name = match (data_type.name.schema.as_str(), data_type.name.name.as_str()) {
        ("pg_catalog", name) => match name {
            "int2" => "smallint",
            "int4" => "integer",
            "int8" => "bigint",
            "float4" => "real",
            "float8" => "double precision",
            "bool" => "boolean",
            "varchar" => "character varying",
            "bpchar" if !data_type.modifiers.is_empty() => "character",
            "varbit" => "bit varying",
            "char" => "\"char\"",
            "timestamp" => return with_zone("timestamp", &modifiers, "without", data_type),
            "timestamptz" => return with_zone("timestamp", &modifiers, "with", data_type),
            "time" => return with_zone("time", &modifiers, "without", data_type),
            "timetz" => return with_zone("time", &modifiers, "with", data_type),
            name => name,
        }
        .to_owned(),
        _ => data_type.name.sql(),
    };
    format!("{name}{modifiers}{}", array(data_type))
}

fn with_zone(name: &str, modifiers: &str, with: &str, data_type: &DataType) -> String {
    format!("{name}{modifiers} {with} time zone{}", array(data_type))
}

/// Returns `[]` for arrays. PostgreSQL does not enforce the number of dimensions.
fn array(data_type: &DataType) -> &'static str {
    if data_type.dimensions > 0 { "[]" } else { "" }
}

/// Returns the default of a column, or how it is generated.
fn default(column: &Column) -> String {
    match &column.fill {
        Fill::Nothing => String::new(),
        Fill::Default(expression) => expression.clone(),
        Fill::Serial { sequence } => format!("nextval({}::regclass)", literal(&sequence.sql())),
        Fill::Identity { always: true } => "generated always as identity".to_owned(),
        Fill::Identity { always: false } => "generated by default as identity".to_owned(),
        Fill::Generated { expression, stored } => {
            let kind = if *stored { " stored" } else { "" };
            format!("generated always as ({expression}){kind}")
        }
    }
}

/// Sorts indexes by name, after the primary key.
fn indexes(relation: &Relation) -> Vec<String> {
    let mut indexes: Vec<(bool, &str, String)> = relation
        .indexes
        .iter()
        .map(|index| {
            let mut constraints = relation.constraints.iter();
            let constraint = constraints.find(|constraint| constraint.name == index.name);
            let is_primary = constraint.is_some_and(|constraint| {
                matches!(constraint.kind, ConstraintKind::PrimaryKey { .. })
            });
            (
                !is_primary,
                index.name.as_str(),
                described(relation, index, constraint),
            )
        })
        .collect();
    indexes.sort();
    indexes.into_iter().map(|(_, _, text)| text).collect()
}

fn described(relation: &Relation, index: &Index, constraint: Option<&Constraint>) -> String {
    let name = in_quotes(&index.name);
    if let Some(constraint) = constraint
        && (constraint.temporal || matches!(constraint.kind, ConstraintKind::Exclude { .. }))
    {
        return format!("{name} {}", constraint.sql(&relation.indexes));
    }
    let kind = match constraint.map(|constraint| &constraint.kind) {
        Some(ConstraintKind::PrimaryKey { .. }) => "PRIMARY KEY, ",
        Some(ConstraintKind::Unique { .. }) => "UNIQUE CONSTRAINT, ",
        _ if index.unique => "UNIQUE, ",
        _ => "",
    };
    // The definition is the part of `CREATE INDEX` after USING.
    let sql = index.sql(&relation.name);
    let mut definition = sql
        .split_once(" USING ")
        .map_or("", |(_, rest)| rest)
        .to_owned();
    for key in &index.keys {
        if let IndexKey::Expression { text, .. } = key
            && is_call(text)
        {
            definition = definition.replacen(&format!("({text})"), text, 1);
        }
    }
    let deferrable = match constraint.map(|found| (found.deferrable, found.initially_deferred)) {
        Some((true, true)) => " DEFERRABLE INITIALLY DEFERRED",
        Some((true, false)) => " DEFERRABLE",
        _ => "",
    };
    format!("{name} {kind}{definition}{deferrable}")
}

/// Returns true if an expression is one function call, which needs no parentheses in an index.
fn is_call(text: &str) -> bool {
    let Some((name, _)) = text.split_once('(') else {
        return false;
    };
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    // The parenthesis after the name must close at the end.
    let mut depth = 0;
    let closes = text.char_indices().find_map(|(at, c)| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        (c == ')' && depth == 0).then_some(at)
    });
    is_name && closes == Some(text.len() - 1)
}

/// Lists the constraints of a kind, by name.
fn constraints(relation: &Relation, is_listed: impl Fn(&ConstraintKind) -> bool) -> Vec<String> {
    let mut lines: Vec<String> = relation
        .constraints
        .iter()
        .filter(|constraint| is_listed(&constraint.kind))
        .map(|constraint| {
            format!(
                "{} {}",
                in_quotes(&constraint.name),
                definition(relation, constraint)
            )
        })
        .collect();
    lines.sort();
    lines
}

/// Returns the definition as `pg_get_constraintdef` writes it.
fn definition(relation: &Relation, constraint: &Constraint) -> String {
    let sql = constraint.sql(&relation.indexes);
    match &constraint.kind {
        ConstraintKind::ForeignKey {
            references,
            referenced_columns,
            ..
        } => {
            let columns = constraint.reference(referenced_columns);
            let table = references.sql();
            sql.replacen(
                &format!("{table} ({columns})"),
                &format!("{table}({columns})"),
                1,
            )
        }
        _ => sql,
    }
}

/// Lists the foreign keys that refer to a table, including the table's own.
fn referenced_by(catalog: &Catalog, name: &Name) -> Vec<String> {
    let mut lines: Vec<(&str, String)> = Vec::new();
    for relation in catalog.relations.values() {
        for constraint in &relation.constraints {
            if let ConstraintKind::ForeignKey { references, .. } = &constraint.kind
                && references == name
            {
                let table = match relation.name.schema.as_str() {
                    "public" => in_quotes(&relation.name.name),
                    schema => in_quotes(&format!(
                        "{}.{}",
                        quoted(schema),
                        quoted(&relation.name.name)
                    )),
                };
                let line = format!(
                    "TABLE {table} CONSTRAINT {} {}",
                    in_quotes(&constraint.name),
                    definition(relation, constraint)
                );
                lines.push((&constraint.name, line));
            }
        }
    }
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_that_begins_with_a_call_is_not_a_call() {
        assert!(is_call("lower(name)") && is_call("f(g(a), b)") && is_call("pg_catalog.lower(a)"));
        assert!(!is_call("lower(a) || lower(b)") && !is_call("(a + b)") && !is_call("a"));
    }
}

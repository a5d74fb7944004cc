//! Rows for the tables of a throwaway database: one without NULL, one with NULL wherever it is
//! allowed, and two in between.

use bowline::Session;
use bowline_catalog::{Catalog, Column, DataType, Fill, Relation, RelationKind, TypeKind};
use bowline_sql::quote::identifier;

use super::attempt;

/// The number of rows for each table, and of runs of each query.
pub(super) const ROUNDS: usize = 4;

/// Inserts rows into each table. The values of a round are equal in all tables, so foreign keys
/// find their rows. Rows that a constraint refuses are left out.
pub(super) fn insert(session: &mut Session, catalog: &Catalog) -> bowline::Result<()> {
    /// A row can need rows of other tables, which a later pass finds.
    const PASSES: usize = 5;
    let tables = catalog.relations.values().filter(|relation| {
        matches!(
            relation.kind,
            RelationKind::Table | RelationKind::PartitionedTable
        )
    });
    let mut left: Vec<String> = tables
        .flat_map(|table| (1..=ROUNDS).map(|round| row(table, catalog, round)))
        .collect();
    for _ in 0..PASSES {
        let mut refused = Vec::new();
        let before = left.len();
        for insert in left {
            if attempt(session, &insert)?.is_err() {
                refused.push(insert);
            }
        }
        left = refused;
        if left.len() == before {
            break;
        }
    }
    Ok(())
}

/// Returns the INSERT of one row.
fn row(table: &Relation, catalog: &Catalog, round: usize) -> String {
    let columns = table.columns.iter().enumerate();
    let (names, values): (Vec<String>, Vec<String>) = columns
        .filter(|(_, column)| !matches!(column.fill, Fill::Generated { .. }))
        .map(|(index, column)| {
            let is_null = !column.not_null
                && match round {
                    1 => false,
                    2 => true,
                    _ => index % 2 == round % 2,
                };
            let value = if is_null {
                "NULL".to_owned()
            } else {
                of_column(column, catalog, round)
            };
            (identifier(&column.name), value)
        })
        .unzip();
    let name = &table.name;
    let into = format!("{}.{}", identifier(&name.schema), identifier(&name.name));
    if names.is_empty() {
        return format!("INSERT INTO {into} DEFAULT VALUES");
    }
    format!(
        "INSERT INTO {into} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
        names.join(", "),
        values.join(", ")
    )
}

/// Returns a value, or the default if no value of the type is known.
fn of_column(column: &Column, catalog: &Catalog, round: usize) -> String {
    literal(&column.data_type, catalog, round).unwrap_or_else(|| "DEFAULT".to_owned())
}

/// Returns a constant of a type, if one is known.
pub(super) fn literal(data_type: &DataType, catalog: &Catalog, round: usize) -> Option<String> {
    text(data_type, catalog, round).map(|text| quoted(&text))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns the text of a value.
fn text(data_type: &DataType, catalog: &Catalog, round: usize) -> Option<String> {
    if data_type.dimensions > 0 {
        let element = DataType {
            dimensions: 0,
            ..data_type.clone()
        };
        let element = text(&element, catalog, round)?;
        let element = element.replace('\\', "\\\\").replace('"', "\\\"");
        return Some(format!("{{\"{element}\"}}"));
    }
    if let Some(found) = catalog.types.get(&data_type.name) {
        return match &found.kind {
            TypeKind::Enum { labels } => labels.get((round - 1) % labels.len().max(1)).cloned(),
            TypeKind::Domain { base, .. } => text(base, catalog, round),
            _ => None,
        };
    }
    let length = data_type.modifiers.first().copied().unwrap_or(1);
    Some(match data_type.name.name.as_str() {
        "bool" => (round % 2 == 1).to_string(),
        "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" | "money" | "oid" => {
            round.to_string()
        }
        "text" | "varchar" | "bpchar" | "char" | "name" | "citext" | "tsvector" | "tsquery"
        | "ltree" | "lquery" => ["a", "b", "c", "d"][(round - 1) % 4].to_owned(),
        "bytea" => format!("\\x0{round}"),
        "uuid" => format!("00000000-0000-0000-0000-00000000000{round}"),
        "date" => format!("2024-01-0{round}"),
        "time" => format!("0{round}:00"),
        "timetz" => format!("0{round}:00+00"),
        "timestamp" => format!("2024-01-0{round} 12:00"),
        "timestamptz" => format!("2024-01-0{round} 12:00+00"),
        "interval" => format!("{round} days"),
        "json" | "jsonb" => format!("{{\"a\": {round}}}"),
        "inet" | "cidr" => format!("10.0.0.{round}"),
        "macaddr" => format!("08:00:2b:01:02:0{round}"),
        "bit" | "varbit" => "1".repeat(usize::try_from(length).unwrap_or(1).min(100)),
        "int4range" | "int8range" | "numrange" => format!("[{round},{})", round + 1),
        "daterange" | "tsrange" | "tstzrange" => format!("[2024-01-0{round},2024-02-01)"),
        "point" => format!("(0,{round})"),
        "xml" => format!("<x{round}/>"),
        "hstore" => format!("a=>{round}"),
        _ => return None,
    })
}

//! The list of queries, as a table and as JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Found;
use crate::ui::{self, Side};
use bowline_catalog::query::{Column, Query, Rows, Shards};
use bowline_catalog::query_file::{Checked, NamedQuery};
use bowline_catalog::{Catalog, DataType, Name, TypeKind};
use bowline_plan::plan::{self, CheckedFile, Plan};
use bowline_sql::quote::identifier;

/// A query, as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Listed<'q> {
    /// `null` for a statement without a name.
    name: Option<&'q str>,
    file: &'q str,
    line: usize,
    /// The statement with `$1`, `$2`, ..
    sql: &'q str,
    #[serde(flatten)]
    result: Outcome<'q>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Outcome<'q> {
    Checked {
        parameters: Vec<Value>,
        columns: Vec<Value>,
        rows: &'static str,
        texts: usize,
        /// Only if Citus distributes a table of the schema.
        #[serde(skip_serializing_if = "Option::is_none")]
        shards: Option<Asked<'q>>,
    },
    Refused {
        refused: &'q str,
    },
}

/// The shards of Citus that a query asks.
#[derive(Debug, Serialize)]
struct Asked<'q> {
    /// `none`, `one`, `all`, or `refused` for a query that Citus refuses.
    asks: &'static str,
    /// The reason of Citus.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'q str>,
}

impl<'q> Asked<'q> {
    fn of(shards: &'q Shards) -> Self {
        let (asks, why) = match shards {
            Shards::None => ("none", None),
            Shards::One => ("one", None),
            Shards::All => ("all", None),
            Shards::Refused(why) => ("refused", Some(why.as_str())),
        };
        Self { asks, why }
    }
}

/// A parameter or column.
#[derive(Debug, Serialize)]
struct Value {
    name: String,
    #[serde(rename = "type")]
    data_type: String,
    nullable: bool,
}

/// Returns the queries for `--json`.
pub(super) fn json<'q>(found: &'q [Found<'q>], catalog: &Catalog) -> Vec<Listed<'q>> {
    found.iter().map(|found| listed(found, catalog)).collect()
}

fn listed<'q>(found: &'q Found<'q>, catalog: &Catalog) -> Listed<'q> {
    let sql = found.query.map_or("", |query| &query.sql.text);
    Listed {
        name: found.query.map(|query| query.name.text.as_str()),
        file: &found.file.name,
        line: found.file.line(found.start()),
        sql,
        result: match (&found.checked, found.query) {
            (Ok(checked), Some(named)) => Outcome::Checked {
                parameters: parameters(named, &checked.query),
                columns: checked
                    .query
                    .columns
                    .iter()
                    .map(|column| value(column, catalog))
                    .collect(),
                rows: word(checked.query.rows),
                texts: checked.texts(named),
                shards: checked.query.shards.as_ref().map(Asked::of),
            },
            (Ok(_), None) => Outcome::Refused { refused: "" },
            (Err(mistakes), _) => Outcome::Refused {
                refused: mistakes.first().map_or("", |first| &first.message),
            },
        },
    }
}

fn parameters(named: &NamedQuery, query: &Query) -> Vec<Value> {
    let parameters = query.parameters.iter().enumerate();
    parameters
        .map(|(index, parameter)| Value {
            name: named.parameter_name(index),
            data_type: parameter.data_type.format_type(),
            nullable: named.is_nullable(index),
        })
        .collect()
}

fn value(column: &Column, catalog: &Catalog) -> Value {
    Value {
        name: column.name.clone(),
        data_type: base(&column.data_type, catalog).format_type(),
        nullable: column.nullable,
    }
}

/// Returns the base type of a domain, as a server describes a column of it.
pub(in crate::commands) fn base<'t>(data_type: &'t DataType, catalog: &'t Catalog) -> &'t DataType {
    let mut base = data_type;
    // This ends: a domain is created over a type that exists, so domains form no cycle.
    while base.dimensions == 0
        && let Some(found) = catalog.types.get(&base.name)
        && let TypeKind::Domain { base: of, .. } = &found.kind
    {
        base = of;
    }
    base
}

fn word(rows: Rows) -> &'static str {
    match rows {
        Rows::Affected => "affected",
        Rows::One => "one",
        Rows::Optional => "optional",
        Rows::Many => "many",
    }
}

/// Returns the queries as a table: their rows, what they read and write, and the indexes that can
/// serve them.
pub(super) fn table(found: &[Found<'_>], plan: Option<(&Catalog, &Plan)>) -> String {
    let types = plan.map_or_else(BTreeMap::new, |(catalog, plan)| {
        row_types(found, catalog, plan)
    });
    let has_shards = found.iter().any(|found| of_citus(found).is_some());
    let mut headings = vec!["file", "query", "rows", "reads", "writes", "indexes"];
    headings.extend(has_shards.then_some("shards"));
    let headings: Vec<_> = headings
        .into_iter()
        .map(|name| (name.to_owned(), Side::Left))
        .collect();
    let rows: Vec<Vec<Option<String>>> = found
        .iter()
        .map(|found| {
            let name = found.query.map(|query| query.name.text.clone());
            let mut row = vec![Some(found.file.name.clone()), name];
            row.extend(match &found.checked {
                Ok(checked) => [
                    Some(rows(found, checked, &types)),
                    Some(reads(&checked.query.reads)),
                    Some(writes(&checked.query)),
                    Some(lines(
                        checked
                            .query
                            .indexes
                            .iter()
                            .map(|(_, name)| identifier(name)),
                    )),
                ],
                Err(_) => [Some("refused".to_owned()), None, None, None],
            });
            if has_shards {
                row.push(of_citus(found).map(|shards| Asked::of(shards).asks.to_owned()));
            }
            row
        })
        .collect();
    ui::aligned(None, &headings, &rows)
}

/// Returns the shards of Citus that a query asks.
fn of_citus<'f>(found: &'f Found<'_>) -> Option<&'f Shards> {
    let checked = found.checked.as_ref().ok()?;
    checked.query.shards.as_ref()
}

/// Returns how many rows the query returns, of which type, and the number of different texts that
/// it can send if there are several.
fn rows(found: &Found<'_>, checked: &Checked, types: &RowTypes) -> String {
    let mut rows = word(checked.query.rows).to_owned();
    let name = found.query.map_or("", |query| &query.name.text);
    if let Some(of) = types.get(&(found.file.name.clone(), name.to_owned())) {
        rows.push_str(&format!(" {of}"));
    }
    match found.query.map_or(1, |named| checked.texts(named)) {
        1 => rows,
        texts => format!("{rows}, {texts} texts"),
    }
}

/// The types of the rows in generated code, by file and query.
type RowTypes = BTreeMap<(String, String), String>;

/// Returns the types of the rows of each file that would get code.
fn row_types(found: &[Found<'_>], catalog: &Catalog, plan: &Plan) -> RowTypes {
    let mut files: BTreeMap<&str, CheckedFile<'_>> = BTreeMap::new();
    for found in found {
        let file = files
            .entry(&found.file.name)
            .or_insert_with(|| CheckedFile {
                name: &found.file.name,
                stem: found.file.stem(),
                queries: Vec::new(),
            });
        if let (Some(query), Ok(checked)) = (found.query, &found.checked) {
            file.queries.push((query, checked.clone()));
        }
    }
    let planned = files.into_values().filter_map(|file| {
        let plan = plan::query_file(catalog, plan, &file, &[]).ok()?;
        Some((file.name.to_owned(), plan.functions))
    });
    let types = planned.flat_map(|(file, functions)| {
        functions.into_iter().filter_map(move |function| {
            let of = row_type(&function.output)?.to_owned();
            Some(((file.clone(), function.name), of))
        })
    });
    types.collect()
}

/// Returns the type of a row in the output of a function; `None` for a number of rows.
fn row_type(output: &str) -> Option<&str> {
    if output.starts_with("bowline::statement::") {
        return None;
    }
    let rows = ["Vec<", "Option<"];
    let inner = rows.iter().find_map(|begin| output.strip_prefix(begin));
    inner.map_or(Some(output), |inner| inner.strip_suffix('>'))
}

/// Returns a line for each relation: `accounts (id, username)`.
fn reads(reads: &BTreeSet<(Name, String)>) -> String {
    let mut relations: BTreeMap<&Name, Vec<&str>> = BTreeMap::new();
    for (relation, column) in reads {
        relations.entry(relation).or_default().push(column);
    }
    lines(
        relations
            .into_iter()
            .map(|(relation, columns)| format!("{} ({})", relation.sql(), columns.join(", "))),
    )
}

/// Returns a line for each relation that is written, with the columns that are given values.
fn writes(query: &Query) -> String {
    let of = |relation: &Name| {
        let all = query.assigns.iter().filter(|(other, _)| other == relation);
        let columns: Vec<&str> = all.map(|(_, column)| column.as_str()).collect();
        match columns.as_slice() {
            [] => relation.sql(),
            columns => format!("{} ({})", relation.sql(), columns.join(", ")),
        }
    };
    lines(query.writes.iter().map(of))
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

//! Notes on relations for which no code, or only a part of it, is generated.

use std::collections::BTreeMap;

use crate::project::Settings;
use bowline_catalog::{Catalog, Name, Relation, RelationKind};

use super::problem::shown;
use super::schema::{MOST_COLUMNS, SchemaPlan};
use super::views::is_view;

/// Returns true if code is generated for relations of this kind.
pub(super) fn gets_code(relation: &Relation) -> bool {
    matches!(
        relation.kind,
        RelationKind::Table
            | RelationKind::PartitionedTable
            | RelationKind::View
            | RelationKind::MaterializedView
            | RelationKind::ForeignTable
    )
}

/// The table of `bowline::commit_keys`.
const COMMIT_KEYS: &str = "__bowline_commit_keys";

/// The largest number of names in a note.
const LISTED: usize = 5;

/// Returns a note for each kind of relation without code, and for each view.
pub(super) fn notes(catalog: &Catalog, settings: &Settings, schemas: &[SchemaPlan]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut partitions: BTreeMap<&Name, Vec<String>> = BTreeMap::new();
    let mut elsewhere: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut filtered = Vec::new();
    for relation in catalog.relations.values() {
        let name = shown(&relation.name);
        let mut outputs = schemas.iter();
        let output = outputs.find(|schema| {
            let mut tables = schema.tables.iter();
            tables.any(|table| table.name == relation.name)
        });
        match relation.kind {
            RelationKind::Partition => {
                let parent = relation.parents.first().unwrap_or(&relation.name);
                partitions.entry(parent).or_default().push(name);
            }
            // Only the library uses this table.
            _ if relation.name.name == COMMIT_KEYS => {}
            _ if relation.columns.is_empty() => {
                notes.push(format!("{name} gets no code: it has no columns"));
            }
            _ if relation.name.name.starts_with("__") => notes.push(format!(
                "{name} is left out, since names that begin with __ are reserved for tables of diesel's own"
            )),
            _ if is_view(relation) && relation.columns.len() > MOST_COLUMNS => notes.push(format!(
                "{name} gets no code: it has {} columns, and diesel supports at most {MOST_COLUMNS}",
                relation.columns.len()
            )),
            _ => match output {
                None if is_read(settings, &relation.name.schema) => filtered.push(name),
                None => elsewhere
                    .entry(&relation.name.schema)
                    .or_default()
                    .push(relation.name.name.clone()),
                Some(schema) if schema.path.is_none() => notes.push(format!(
                    "{name} gets no code: diesel.toml names no file for its schema.rs"
                )),
                Some(_) if settings.row_key(relation).is_none() && !is_view(relation) => {
                    notes.push(without_key(relation, settings, &name));
                }
                Some(_) => notes.extend(inherited(catalog, relation, settings)),
            },
        }
    }
    for (parent, names) in partitions {
        let (is, s) = if names.len() == 1 {
            ("is", "a partition")
        } else {
            ("are", "partitions")
        };
        notes.push(format!(
            "{} {is} {s} of {}; use the code of that table",
            list(&names),
            shown(parent)
        ));
    }
    if !filtered.is_empty() {
        let is = if filtered.len() == 1 { "is" } else { "are" };
        notes.push(format!(
            "{} {is} left out by the filter in diesel.toml",
            list(&filtered)
        ));
    }
    for (schema, names) in elsewhere {
        let is = if names.len() == 1 { "is" } else { "are" };
        notes.push(format!(
            "{} of the schema {schema} {is} left out; to generate a schema.rs for that schema, add to diesel.toml:\n      \
             [print_schema.{}]\n      file = \"{}\"\n      schema = {}",
            list(&names),
            super::problem::toml_key(schema),
            file(settings, schema),
            toml::Value::String(schema.to_owned()),
        ));
    }
    notes
}

/// Returns the note on a table without a key that identifies its rows.
fn without_key(relation: &Relation, settings: &Settings, name: &str) -> String {
    let which = match settings.primary_key(relation) {
        Some(_) => "",
        None => " is in relations.rs, since schema.rs has only tables with a primary key, and",
    };
    let remedy = match relation.kind {
        RelationKind::ForeignTable => format!(
            "columns that identify its rows can be named in bowline.toml: [keys] {} = [\"..\"]",
            super::problem::key(&relation.name)
        ),
        _ => {
            "a primary key or a unique index over columns that are NOT NULL would do so".to_owned()
        }
    };
    format!(
        "{name}{which} has no find, update and delete, since nothing identifies its rows; {remedy}"
    )
}

/// Returns the note on a table that others inherit from: a key is unique in each table by itself.
fn inherited(catalog: &Catalog, relation: &Relation, settings: &Settings) -> Option<String> {
    let key = settings.row_key(relation)?;
    let children = catalog.relations.values();
    let children = children.filter(|other| {
        other.kind == RelationKind::Table && other.parents.contains(&relation.name)
    });
    let names: Vec<String> = children.map(|child| shown(&child.name)).collect();
    let inherit = if names.len() == 1 {
        "inherits"
    } else {
        "inherit"
    };
    (!names.is_empty()).then(|| {
        format!(
            "{} {inherit} from {parent}, whose functions read and write the rows of all: where two have \
             the same {}, get and update of {parent} fail",
            list(&names),
            key.join(" and "),
            parent = shown(&relation.name),
        )
    })
}

/// Returns true if one of the outputs is for this schema.
fn is_read(settings: &Settings, schema: &str) -> bool {
    let mut outputs = settings.outputs.iter();
    outputs.any(|output| output.schema.as_deref().unwrap_or("public") == schema)
}

/// Joins the first names, and counts the others.
fn list(names: &[String]) -> String {
    let mut text = names
        .iter()
        .take(LISTED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > LISTED {
        text.push_str(&format!(" and {} more", names.len() - LISTED));
    }
    text
}

/// Returns the path for another `schema.rs`, beside the first.
fn file(settings: &Settings, schema: &str) -> String {
    let name = super::names::rust_name(&schema.to_lowercase(), None);
    let first = settings
        .outputs
        .iter()
        .find_map(|output| output.file.as_deref());
    let folder = first.and_then(|file| file.parent());
    let folder = folder.and_then(|folder| folder.strip_prefix(&settings.root).ok());
    let folder = folder.map_or_else(|| "src".to_owned(), |folder| folder.display().to_string());
    format!("{folder}/{name}_schema.rs")
}

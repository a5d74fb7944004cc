//! `bowline schema`: the tables of a schema, as psql describes them, or as a diagram.

mod described;

use clap::Args;
use serde::Serialize;

use crate::connection::DatabaseUrl;
use crate::diagram::{Diagram, mermaid};
use crate::error::CliError;
use crate::project::Project;
use crate::source::{Fallback, Source};
use crate::ui;
use bowline_catalog::gap::Gap;
use bowline_catalog::{Catalog, Name, Relation};
use bowline_plan::suggestion::nearest;

/// List the tables, or describe one with its columns, keys and indexes, as psql's \d does.
///
/// Reads the migrations, or a database if one is named; defaults and checks in migrations are shown
/// as written. --mermaid is a diagram as text, which Markdown viewers draw.
///
/// Example: bowline schema accounts
#[derive(Debug, Args)]
#[command(mut_arg("database_url", |url| {
    url.conflicts_with("from").help("The database to read instead of the migrations")
}))]
pub(crate) struct Schema {
    /// The table or view to describe, with its schema if that is not public: accounts,
    /// audit.events.
    #[arg(value_name = "TABLE", conflicts_with = "mermaid")]
    table: Option<String>,
    /// The source: migrations, migrations@VERSION, a postgres:// URL, a .json or .sql file.
    #[arg(long, value_name = "SOURCE", default_value = "migrations", value_parser = Source::parse)]
    from: Source,
    #[command(flatten)]
    database_url: DatabaseUrl,
    /// Print JSON: a list with schema, name, type and comment, or a table as in docs/CATALOG.md.
    #[arg(long, conflicts_with = "mermaid")]
    json: bool,
    /// Print Mermaid's erDiagram.
    #[arg(long)]
    mermaid: bool,
    /// Use no server, even if a statement of a migration cannot be followed.
    #[arg(long)]
    offline: bool,
}

pub(crate) fn run(arguments: &Schema, project: &Project) -> Result<(), CliError> {
    let source = match arguments.database_url.given() {
        Some(url) => Source::Database(url.to_owned()),
        None => arguments.from.clone(),
    };
    let fallback = Fallback::local(arguments.offline);
    let catalog = source.catalog(project, &fallback)?;
    if arguments.mermaid {
        ui::text(&mermaid(&Diagram::new(&catalog)));
        return Ok(());
    }
    let Some(table) = &arguments.table else {
        return if arguments.json {
            ui::json(&listed(&catalog))
        } else {
            ui::text(&described::relations(&catalog));
            Ok(())
        };
    };
    let relation = find(&catalog, table, &source)?;
    if arguments.json {
        return ui::json(relation);
    }
    ui::text(&described::relation(&catalog, relation));
    Ok(())
}

/// A relation in the list.
#[derive(Serialize)]
struct Listed<'c> {
    schema: &'c str,
    name: &'c str,
    r#type: &'static str,
    comment: Option<&'c str>,
}

fn listed(catalog: &Catalog) -> Vec<Listed<'_>> {
    let relations = catalog.relations.values();
    relations
        .map(|relation| Listed {
            schema: &relation.name.schema,
            name: &relation.name.name,
            r#type: described::words(relation.kind),
            comment: relation.comment.as_deref(),
        })
        .collect()
}

/// Finds a relation by its name: with its schema, or in `public`, or the only one of that name.
fn find<'c>(catalog: &'c Catalog, wanted: &str, source: &Source) -> Result<&'c Relation, CliError> {
    let exact = catalog.relations.values().find(|relation| {
        let name = &relation.name;
        format!("{}.{}", name.schema, name.name) == wanted
            || (name.schema == "public" && name.name == wanted)
    });
    let elsewhere: Vec<&Relation> = catalog
        .relations
        .values()
        .filter(|relation| relation.name.name == wanted)
        .collect();
    match (exact, elsewhere.as_slice()) {
        (Some(relation), _) => Ok(relation),
        (None, [relation]) => Ok(*relation),
        (None, []) if is_sequence(catalog, wanted) => Err(CliError::failed(format!(
            "{wanted} is a sequence; only tables and views can be described"
        ))
        .hint("`bowline catalog` prints it")),
        (None, []) if gap(catalog, wanted).is_some() => Err(CliError::failed(format!(
            "the columns of {wanted} are not known{}",
            gap(catalog, wanted).map_or(String::new(), |gap| format!(": {gap}"))
        ))
        .hint("`bowline schema --database-url URL` reads a database")),
        (None, []) => {
            let names: Vec<String> = catalog.relations.keys().map(Name::sql).collect();
            let meant = nearest(wanted, names.iter().map(String::as_str));
            Err(CliError::failed(format!(
                "there is no table {wanted} in {}",
                source.description()
            ))
            .hint(match meant {
                Some(meant) => format!("did you mean {meant}?"),
                None => "`bowline schema` lists them".to_owned(),
            }))
        }
        (None, several) => {
            let names: Vec<String> = several.iter().map(|relation| relation.name.sql()).collect();
            Err(
                CliError::failed(format!("there are several tables {wanted}"))
                    .hint(format!("name one of {}", names.join(", "))),
            )
        }
    }
}

/// Returns the object of this name that is not known in full.
fn gap<'c>(catalog: &'c Catalog, wanted: &str) -> Option<&'c Gap> {
    let mut gaps = catalog.gaps.iter();
    gaps.find(|gap| {
        let is_named = gap.name.name == wanted || gap.name.sql() == wanted;
        is_named && gap.hides(&gap.name)
    })
}

fn is_sequence(catalog: &Catalog, wanted: &str) -> bool {
    let mut names = catalog.sequences.keys();
    names.any(|name| name.name == wanted || format!("{}.{}", name.schema, name.name) == wanted)
}

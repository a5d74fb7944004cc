//! `bowline catalog`: a schema as JSON.

use clap::Args;

use crate::error::CliError;
use crate::project::Project;
use crate::source::{Fallback, Source};
use crate::ui;
use bowline_catalog::json;

/// Print a schema as JSON: tables, columns, keys, constraints, indexes, types and comments.
///
/// Reads the migrations, or another source: migrations@VERSION, the postgres:// URL of a database,
/// a .json file of this command, or a .sql file such as pg_dump --schema-only writes.
/// docs/CATALOG.md describes the format.
///
/// Example: bowline catalog migrations@20260105090000 > before.json
#[derive(Debug, Args)]
pub(crate) struct Catalog {
    /// The source of the schema.
    #[arg(default_value = "migrations", value_parser = Source::parse)]
    source: Source,
    #[command(flatten)]
    fallback: Fallback,
}

pub(crate) fn run(arguments: &Catalog, project: &Project) -> Result<(), CliError> {
    let catalog = arguments.source.catalog(project, &arguments.fallback)?;
    let text = json::write(&catalog)
        .map_err(|error| CliError::failed(format!("cannot write the catalog: {error}")))?;
    ui::text(&text);
    Ok(())
}

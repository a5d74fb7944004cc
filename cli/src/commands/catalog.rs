//! `bowline catalog`: what a schema holds, as JSON.

use clap::Args;

use crate::error::CliError;
use crate::project::Project;
use crate::source::{Fallback, Source};
use crate::ui;
use bowline_catalog::json;

/// Print what a schema holds as JSON: tables, columns, keys, constraints, indexes, types and comments.
///
/// Reads the migrations, or another source: migrations@VERSION, the postgres:// URL of a database, a file
/// .json that this command wrote, or a file .sql such as pg_dump --schema-only writes. docs/CATALOG.md says
/// what stands in it.
///
/// Example: bowline catalog migrations@20260105090000 > before.json
#[derive(Debug, Args)]
pub(crate) struct Catalog {
    /// Where the schema is.
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

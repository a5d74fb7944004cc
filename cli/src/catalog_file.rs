//! Reads a catalog that `bowline catalog` printed into a file.

use std::path::Path;

use crate::error::CliError;
use bowline_catalog::{Catalog, json};
use bowline_plan::paths::shown_path;

/// Returns the catalog that `bowline catalog` printed.
pub(crate) fn of_json(text: &str, path: &Path) -> Result<Catalog, CliError> {
    json::read(text).map_err(|error| {
        CliError::failed(format!("{} is not a catalog: {error}", shown_path(path)))
            .hint("`bowline catalog` writes one; docs/CATALOG.md describes the format")
    })
}

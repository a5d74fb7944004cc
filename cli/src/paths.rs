//! Paths: how they are shown, and reading a file that may be missing.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::error::CliError;

/// Returns a path as a person types it here: relative to the working directory, if it is below.
pub(crate) fn shown_path(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here)
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Reads a file; returns `None` if it does not exist.
pub(crate) fn read_optional(path: &Path) -> Result<Option<String>, CliError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CliError::failed(format!(
            "cannot read {}: {error}",
            path.display()
        ))),
    }
}

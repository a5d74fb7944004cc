//! Aliases in FROM: the names that it gives to tables and columns.

use super::analyzer::Result;
use super::expr::Span;
use super::fault::Fault;
use super::scope::TableColumn;

/// Renames the first columns.
pub(super) fn rename(
    columns: &mut [TableColumn],
    names: &[String],
    alias: &str,
    span: &Span,
) -> Result<()> {
    if names.len() > columns.len() {
        let message = format!(
            "table \"{alias}\" has {} columns available but {} columns specified",
            columns.len(),
            names.len()
        );
        return Err(Fault::error("42P10", span.clone(), message));
    }
    for (column, name) in columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
    Ok(())
}

/// Returns a name in quotes where it needs them.
pub(super) fn quoted(name: &str) -> String {
    bowline_sql::quote::identifier(name)
}

//! `bowline queries --fix`: writes the annotations that are missing.

use std::fs;

use super::Found;
use crate::error::CliError;
use crate::queries::SourceFile;
use crate::ui::{self, counted};
use bowline_catalog::query_file::Annotation;
use bowline_plan::paths::shown_path;

/// Writes the inferred annotation after each name that has none.
pub(super) fn fix(files: &[SourceFile], found: &[Found<'_>]) -> Result<(), CliError> {
    let mut written = 0;
    for file in files {
        let mut insertions: Vec<(usize, String)> = found
            .iter()
            .filter(|found| found.file.path == file.path)
            .filter_map(missing)
            .collect();
        if insertions.is_empty() {
            continue;
        }
        written += insertions.len();
        // Begins at the end, so that the positions before it stay valid.
        insertions.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let mut text = fs::read_to_string(&file.path).map_err(|error| failed(file, &error))?;
        // The positions do not count a byte order mark.
        let mark = text.len() - file.text.len();
        for (at, annotation) in insertions {
            text.insert_str(mark + at, &format!(" {annotation}"));
        }
        let temporary = file.path.with_extension("sql.bowline");
        fs::write(&temporary, text).map_err(|error| failed(file, &error))?;
        fs::rename(&temporary, &file.path).map_err(|error| failed(file, &error))?;
        ui::status(format!("wrote   {}", file.name));
    }
    ui::status(format!("{} added", counted(written, "annotation")));
    Ok(())
}

/// Returns the annotation that a query lacks, and its position.
fn missing(found: &Found<'_>) -> Option<(usize, String)> {
    let query = found.query.filter(|query| query.annotation.is_none())?;
    let checked = found.checked.as_ref().ok()?;
    let annotation = Annotation::of(checked.query.rows);
    Some((query.name.span.end, annotation.to_string()))
}

fn failed(file: &SourceFile, error: &std::io::Error) -> CliError {
    CliError::failed(format!("cannot write {}: {error}", shown_path(&file.path)))
}

//! The query files of a project.

use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Snippet};
use bowline_catalog::query_file::{self, Mistake, QueryFile, line_and_column};

use crate::migrations::{FolderError, SqlFile};
use crate::ui::{self, Excerpt};
use bowline_plan::paths::{relative, shown_path};

/// A file of queries.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    pub path: PathBuf,
    /// The path relative to the project's folder, with `/`.
    pub name: String,
    pub text: String,
    pub content: QueryFile,
}

/// Reads the files of a folder, sorted by name. There are none if the folder does not exist.
pub(crate) fn read_folder(folder: &Path, root: &Path) -> Result<Vec<SourceFile>, FolderError> {
    let files = bowline_migrations::read_queries(folder)?.into_iter();
    let read = files.map(|SqlFile { path, text }| SourceFile {
        name: relative(&path, root),
        content: query_file::read(&text),
        path,
        text,
    });
    Ok(read.collect())
}

impl SourceFile {
    /// Returns the name of the file without its folder.
    pub(crate) fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the name of the file without its folder and ending.
    pub(crate) fn stem(&self) -> &str {
        let name = self.file_name();
        name.strip_suffix(".sql").unwrap_or(name)
    }

    /// Returns the line of a position, counted from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        line_and_column(&self.text, at).0
    }

    /// Returns a mistake above the line that it is about, underlined, and the statement of a
    /// migration that caused it.
    pub(crate) fn underlined(&self, mistake: &Mistake, cause: Option<&Excerpt<'_>>) -> String {
        let message = ui::escaped(&mistake.message);
        let mut title = Level::ERROR.primary_title(&*message);
        if let Some(code) = mistake.code {
            title = title.id(code);
        }
        let excerpt = Snippet::source(&*self.text)
            .path(shown_path(&self.path))
            .annotation(AnnotationKind::Primary.span(mistake.span.clone()));
        let mut groups = vec![title.element(excerpt)];
        if let Some(cause) = cause {
            let excerpt = Snippet::source(cause.source)
                .path(&*cause.path)
                .annotation(AnnotationKind::Primary.span(cause.span.clone()));
            let title = "the query is accepted without this migration";
            groups.push(Level::NOTE.secondary_title(title).element(excerpt));
        }
        let hint = mistake.hint.as_deref().map(ui::escaped);
        if let Some(hint) = &hint {
            groups.push(Group::with_title(Level::HELP.secondary_title(&**hint)));
        }
        ui::rendered(&groups)
    }
}

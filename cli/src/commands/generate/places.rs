//! The lines of the functions whose statements are checked, for messages.

use std::collections::BTreeMap;
use std::fs;

use crate::emit::Statement;
use crate::project::Project;
use crate::queries::SourceFile;
use bowline_plan::paths::relative;

/// Completes the files of statements: their paths begin at the root of the project, and have the
/// line of the function where the file is there.
pub(super) fn complete(all: &mut [Statement], project: &Project, files: &[SourceFile]) {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for statement in all {
        let Some(file) = statement.at.take() else {
            continue;
        };
        let name = statement.function.rsplit("::").next().unwrap_or_default();
        let query = files.iter().find(|found| found.name == file);
        let (path, line) = match query {
            Some(query) => {
                let mut queries = query.content.queries.iter();
                let found = queries.find(|query| query.name.text == name);
                let line = found.map(|found| query.line(found.name.span.start));
                (file, line)
            }
            None => {
                let path = project.settings.folder.join(&file);
                let text = texts
                    .entry(file)
                    .or_insert_with(|| fs::read_to_string(&path).unwrap_or_default());
                (relative(&path, &project.root), line_of(text, name))
            }
        };
        statement.at = Some(match line {
            Some(line) => format!("{path}:{line}"),
            None => path,
        });
    }
}

/// Returns the line that declares a function, counted from 1.
fn line_of(text: &str, name: &str) -> Option<usize> {
    let declares = |line: &str| {
        let mut rest = line.split("fn ").nth(1).into_iter();
        rest.any(|rest| {
            let after = rest.strip_prefix(name);
            after.is_some_and(|after| after.starts_with(['(', '<']))
        })
    };
    let found = text.lines().position(declares);
    found.map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_found_by_its_whole_name() {
        let text =
            "// fn find\n    pub fn find_by(a: i64) {}\n    pub fn find<'a>(a: &'a str) {}\n";
        assert_eq!(line_of(text, "find"), Some(3));
        assert_eq!(line_of(text, "find_by"), Some(2));
        assert_eq!(line_of(text, "fin"), None);
    }
}

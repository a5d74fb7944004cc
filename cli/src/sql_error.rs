//! Errors of a server in SQL that a user wrote, shown at their line.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Snippet};

use crate::error::CliError;
use crate::interrupt;
use crate::ui;

/// SQL that a user wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SqlSource<'a> {
    /// The file, or a name for other input.
    pub path: &'a str,
    pub text: &'a str,
}

/// Returns the error for SQL that failed, with the server's message at the underlined position.
/// `done` is the number of statements that succeeded before.
pub(crate) fn explained(
    what: &str,
    error: &bowline::Error,
    source: SqlSource<'_>,
    done: usize,
) -> CliError {
    let Some(server) = error.server() else {
        if interrupt::signal().is_some() {
            return CliError::failed(format!("failed to {what}: it was interrupted"));
        }
        return error.hint().map(str::to_owned).into_iter().fold(
            CliError::failed(format!("failed to {what}: {}", error.message())),
            CliError::hint,
        );
    };
    // The error of another statement, such as the commit, has no position in this text.
    let span = server
        .position
        .filter(|_| error.sql() == Some(source.text))
        .map(|position| ui::word_at(source.text, position))
        .or_else(|| {
            // After a cancel the number of finished statements is not known: the server sends its
            // responses only when the cancelled statement has ended.
            if interrupt::signal().is_some() {
                return None;
            }
            let statement = statement(source.text, done)?;
            Some(named(&server.message, source.text, statement.clone()).unwrap_or(statement))
        });
    let message = ui::escaped(&server.message);
    let title = Level::ERROR
        .primary_title(&*message)
        .id(server.sqlstate.code());
    let mut groups: Vec<Group<'_>> = vec![match span {
        Some(span) => title.element(
            Snippet::source(source.text)
                .path(source.path)
                .annotation(AnnotationKind::Primary.span(span)),
        ),
        None => Group::with_title(title),
    }];
    if let (Some(query), position) = (&server.internal_query, server.internal_position) {
        let span = position.map_or(0..0, |position| ui::word_at(query, position));
        groups.push(
            Level::NOTE
                .secondary_title("in SQL that a function runs")
                .element(
                    Snippet::source(query.as_str()).annotation(AnnotationKind::Primary.span(span)),
                ),
        );
    }
    let notes = [&server.detail, &server.context].into_iter().flatten();
    let notes: Vec<_> = notes.map(|note| ui::escaped(note)).collect();
    for note in &notes {
        groups.push(Group::with_title(Level::NOTE.secondary_title(&**note)));
    }
    let hint = server.hint.as_deref().map(ui::escaped);
    if let Some(hint) = &hint {
        groups.push(Group::with_title(Level::HELP.secondary_title(&**hint)));
    }
    CliError::failed(format!("failed to {what}")).report(ui::rendered(&groups))
}

/// Returns the range of the name that a message quotes, if it occurs once in the statement.
fn named(message: &str, text: &str, statement: Range<usize>) -> Option<Range<usize>> {
    let name = message.split('"').nth(1).filter(|name| !name.is_empty())?;
    let line = text.get(statement.clone())?;
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut matches = line.match_indices(name).filter(|(at, _)| {
        !line[..*at].ends_with(is_part) && !line[at + name.len()..].starts_with(is_part)
    });
    let start = statement.start + matches.next()?.0;
    matches
        .next()
        .is_none()
        .then_some(start..start + name.len())
}

/// Returns the range of a statement's first line; the first statement has the index 0.
fn statement(text: &str, index: usize) -> Option<Range<usize>> {
    let start = bowline_sql::statements(text).nth(index)?.start();
    let line = text.get(start..)?.lines().next()?.trim_end();
    Some(start..start + line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_if_it_occurs_once() {
        let text = "ALTER TABLE a ADD ab int, ADD b int;";
        let found =
            |message| named(message, text, 0..text.len()).map(|span| (span.start, &text[span]));
        assert_eq!(found("relation \"a\" does not exist"), Some((12, "a")));
        assert_eq!(found("type \"int\" does not exist"), None);
        assert_eq!(found("something else"), None);
    }

    #[test]
    fn a_statement_is_found_by_its_index() {
        let text = "-- one\nSELECT 1;\n/* two */ SELECT\n 2; -- and\nSELECT $$;$$;";
        let line = |index| statement(text, index).map(|span| &text[span]);
        assert_eq!(line(0), Some("SELECT 1;"));
        assert_eq!(line(1), Some("SELECT"));
        assert_eq!(line(2), Some("SELECT $$;$$;"));
        assert_eq!(line(3), None);
    }
}

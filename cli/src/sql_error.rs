//! What a server refuses in SQL that a person wrote, shown where it is written.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Snippet};

use crate::error::CliError;
use crate::interrupt;
use crate::ui;

/// SQL as it was written, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    /// The file, or what stands for one.
    pub path: &'a str,
    pub text: &'a str,
}

/// What failed, above it the server's message with the place underlined; `done` is how many statements succeeded before.
pub(crate) fn explained(
    what: &str,
    error: &bowline::Error,
    written: Written<'_>,
    done: usize,
) -> CliError {
    let Some(server) = error.server() else {
        if interrupt::happened().is_some() {
            return CliError::failed(format!("failed to {what}: it was interrupted"));
        }
        return error.hint().map(str::to_owned).into_iter().fold(
            CliError::failed(format!("failed to {what}: {}", error.message())),
            CliError::hint,
        );
    };
    // What else runs beside the text, such as the commit, has no place in it.
    let span = server
        .position
        .filter(|_| error.sql() == Some(written.text))
        .map(|position| ui::word_at(written.text, position))
        .or_else(|| {
            // A server keeps its answers to those before until it is done with the one that was cancelled.
            if interrupt::happened().is_some() {
                return None;
            }
            let statement = statement(written.text, done)?;
            Some(named(&server.message, written.text, statement.clone()).unwrap_or(statement))
        });
    let message = ui::escaped(&server.message);
    let title = Level::ERROR
        .primary_title(&*message)
        .id(server.sqlstate.code());
    let mut groups: Vec<Group<'_>> = vec![match span {
        Some(span) => title.element(
            Snippet::source(written.text)
                .path(written.path)
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

/// The name that a message quotes, where it stands once in a statement.
fn named(message: &str, text: &str, statement: Range<usize>) -> Option<Range<usize>> {
    let name = message.split('"').nth(1).filter(|name| !name.is_empty())?;
    let line = text.get(statement.clone())?;
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut places = line.match_indices(name).filter(|(place, _)| {
        !line[..*place].ends_with(is_part) && !line[place + name.len()..].starts_with(is_part)
    });
    let start = statement.start + places.next()?.0;
    places.next().is_none().then_some(start..start + name.len())
}

/// The first line of a statement, counted from 0.
fn statement(text: &str, number: usize) -> Option<Range<usize>> {
    let start = bowline_sql::statements(text).nth(number)?.start();
    let line = text.get(start..)?.lines().next()?.trim_end();
    Some(start..start + line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_where_it_stands_once() {
        let text = "ALTER TABLE a ADD ab int, ADD b int;";
        let found =
            |message| named(message, text, 0..text.len()).map(|span| (span.start, &text[span]));
        assert_eq!(found("relation \"a\" does not exist"), Some((12, "a")));
        assert_eq!(found("type \"int\" does not exist"), None);
        assert_eq!(found("something else"), None);
    }

    #[test]
    fn a_statement_is_found_by_its_number() {
        let text = "-- one\nSELECT 1;\n/* two */ SELECT\n 2; -- and\nSELECT $$;$$;";
        let line = |number| statement(text, number).map(|span| &text[span]);
        assert_eq!(line(0), Some("SELECT 1;"));
        assert_eq!(line(1), Some("SELECT"));
        assert_eq!(line(2), Some("SELECT $$;$$;"));
        assert_eq!(line(3), None);
    }
}

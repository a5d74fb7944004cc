//! A place in a text, underlined as compilers do.

use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use bowline_sql::Kind;

use super::colour::is_coloured;

/// A place in a file, as a terminal shows it, under what is wrong there.
pub(crate) fn underlined(what: &str, path: &str, source: &str, span: Range<usize>) -> String {
    let snippet = Snippet::source(source)
        .path(path)
        .annotation(AnnotationKind::Primary.span(span));
    rendered(&[Level::ERROR.primary_title(what).element(snippet)])
}

/// A position in a file, underlined under what is wrong there, with what to do about it below.
pub(crate) fn refused(
    what: &str,
    path: &str,
    source: &str,
    span: Range<usize>,
    help: &str,
) -> String {
    let snippet = Snippet::source(source)
        .path(path)
        .annotation(AnnotationKind::Primary.span(span));
    rendered(&[
        Level::ERROR.primary_title(what).element(snippet),
        Group::with_title(Level::HELP.secondary_title(help)),
    ])
}

/// A path as a person types it here: below the working directory without that.
pub(crate) fn shown_path(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here)
        .unwrap_or(path)
        .display()
        .to_string()
}

/// A report, in colours where standard error takes them.
pub(crate) fn rendered(report: &[Group<'_>]) -> String {
    let renderer = if is_coloured() {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.render(report)
}

/// The word that begins at this character, the first being 1, in bytes: what a server points at.
pub(crate) fn word_at(source: &str, position: usize) -> Range<usize> {
    let start = source
        .char_indices()
        .nth(position.saturating_sub(1))
        .map_or(source.len(), |(start, _)| start);
    let mut end = start;
    // A dotted name is one word.
    for token in bowline_sql::tokens_and_comments(&source[start..]) {
        let is_name = matches!(token.kind(), Kind::Word | Kind::QuotedName) || token.is(".");
        if start + token.start() != end || (end > start && !is_name) {
            break;
        }
        // One that is not ended is shown by its first character, not by all that follows.
        let is_whole = match token.kind() {
            Kind::String => token.value().is_some(),
            Kind::QuotedName => token.name().is_some(),
            kind => kind != Kind::Comment,
        };
        if !is_whole {
            return start..start + 1;
        }
        end = start + token.end();
        if !is_name {
            break;
        }
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_shows_the_statement_and_a_remedy() {
        let source = "CREATE TABLE a (id int);\n\nDO $$ BEGIN\n  EXECUTE x;\nEND $$;\n";
        let start = source.find("EXECUTE").expect("the statement");
        let shown = refused("why", "1_a/up.sql", source, start..start + 10, "what to do");
        insta::assert_snapshot!(anstream::adapter::strip_str(&shown).to_string(), @r"
        error: why
         --> 1_a/up.sql:4:3
          |
        4 |   EXECUTE x;
          |   ^^^^^^^^^^
          |
        help: what to do
        ");
    }

    #[test]
    fn a_position_in_characters_is_a_word_in_bytes() {
        let word = |source: &'static str, position| &source[word_at(source, position)];
        assert_eq!(word("SELECT 'ä', nothing + 1", 13), "nothing");
        assert_eq!(word("SELECT \"a b\" ", 8), "\"a b\"");
        assert_eq!(word("SELECT (1", 8), "(");
        assert_eq!(word("SELECT", 7), "");
        assert_eq!(word("SELECT", 70), "");
    }
}

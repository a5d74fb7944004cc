//! Lines of a text with a part underlined, as compilers show them.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use bowline_sql::Kind;

use super::colour::has_colours;

pub(crate) use bowline_plan::failure::Excerpt;

/// Returns a message above the line of a file that it is about.
pub(crate) fn underlined(what: &str, path: &str, source: &str, span: Range<usize>) -> String {
    let excerpt = Excerpt {
        path: path.to_owned(),
        source,
        span,
    };
    underlined_all(what, vec![excerpt], None)
}

/// Returns a message above the lines that it is about, with help below them.
pub(crate) fn underlined_all(what: &str, excerpts: Vec<Excerpt<'_>>, help: Option<&str>) -> String {
    let snippets = excerpts.into_iter().map(|excerpt| {
        Snippet::source(excerpt.source)
            .path(excerpt.path)
            .annotation(AnnotationKind::Primary.span(excerpt.span))
    });
    let mut groups = vec![Level::ERROR.primary_title(what).elements(snippets)];
    if let Some(help) = help {
        groups.push(Group::with_title(Level::HELP.secondary_title(help)));
    }
    rendered(&groups)
}

/// Renders a report, with colours if standard error shows them.
pub(crate) fn rendered(report: &[Group<'_>]) -> String {
    let renderer = if has_colours(&std::io::stderr()) {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.render(report)
}

/// Returns the range in bytes of the word at a position that a server reports: in characters,
/// counted from 1.
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
        // Of an unterminated string only the first character is underlined, not the rest of the
        // text.
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
    fn a_statement_is_shown_with_help() {
        let source = "CREATE TABLE a (id int);\n\nDO $$ BEGIN\n  EXECUTE x;\nEND $$;\n";
        let start = source.find("EXECUTE").expect("the statement");
        let excerpt = Excerpt {
            path: "1_a/up.sql".to_owned(),
            source,
            span: start..start + 10,
        };
        let shown = underlined_all("why", vec![excerpt], Some("what to do"));
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
    fn a_word_is_found_by_a_position_in_characters() {
        let word = |source: &'static str, position| &source[word_at(source, position)];
        assert_eq!(word("SELECT 'ä', nothing + 1", 13), "nothing");
        assert_eq!(word("SELECT \"a b\" ", 8), "\"a b\"");
        assert_eq!(word("SELECT (1", 8), "(");
        assert_eq!(word("SELECT", 7), "");
        assert_eq!(word("SELECT", 70), "");
    }
}

//! Replays the migrations in order, and finds the statements that depend on a refused one.

use std::collections::BTreeSet;

use bowline_migrations::SqlFile;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::Replayed;
use crate::replay::program::Program;
use crate::replay::refusal::{Refusal, Refused, Result};
use crate::replay::state::gaps;
use crate::replay::syntax::parse::{Unparsed, parse};
use crate::replay::syntax::tree::{self, path};
use crate::replay::syntax::{effect, nesting, schema};
use crate::replay::watch::{Unwatched, Watch};

/// The migrations that were replayed so far.
#[derive(Clone, Default)]
pub(crate) struct History {
    pub(crate) program: Program,
    /// Relations that a refused statement would have created.
    unfollowed: BTreeSet<String>,
}

impl History {
    pub(crate) fn begin_migration(&mut self) {
        self.program.state.begin_migration();
    }

    pub(crate) fn finish(self, refusals: Vec<Refusal>) -> Replayed {
        Replayed {
            catalog: self.program.state.into_catalog(),
            refusals,
        }
    }

    pub(crate) fn file(&mut self, file: &SqlFile, refusals: &mut Vec<Refusal>) {
        self.watched_file(file, refusals, &mut Unwatched);
    }

    /// Replays a file, and shows each of its statements to `watch`.
    pub(crate) fn watched_file(
        &mut self,
        file: &SqlFile,
        refusals: &mut Vec<Refusal>,
        watch: &mut impl Watch,
    ) {
        let refusal = |span: std::ops::Range<usize>, why: String, hint: String| Refusal {
            file: file.path.clone(),
            source: file.text.clone(),
            span,
            why,
            hint,
        };
        let tree = match parse(&file.text) {
            Ok(tree) => tree,
            Err(Unparsed::TooDeep) => {
                refusals.push(refusal(
                    0..0,
                    format!("{} in this file", nesting::TOO_DEEP),
                    "write it with less nesting".to_owned(),
                ));
                return;
            }
            Err(Unparsed::Error { span, message }) => {
                let start = span.start.min(file.text.len());
                let end = span.end.clamp(start, file.text.len());
                refusals.push(refusal(
                    start..end,
                    format!("the SQL cannot be parsed: {message}"),
                    "fix the statement; PostgreSQL refuses it too".to_owned(),
                ));
                return;
            }
        };
        self.program.state.set_file(gaps::shown(&file.path));
        let has_effects = file.text.contains(effect::MARK);
        let (mut line, mut counted) = (1, 0);
        for node in tree::statements(&tree).flat_map(schema::with_included) {
            let node = &node;
            let start = usize::from(node.text_range().start());
            line += file.text[counted..start].matches('\n').count();
            counted = start;
            self.program.state.set_line(line);
            let keeps = watch.before(node, &self.program.state);
            let start = keeps.then(|| self.program.state.clone());
            let declared = has_effects.then(|| effect::before(node)).flatten();
            let done = match declared {
                None => tree::no_escaped_name(node).and_then(|()| self.program.statement(node)),
                Some(effect) => self.declared(node, &effect),
            };
            watch.after(node, start, &self.program.state);
            let Err(Refused {
                span,
                why,
                hint,
                raises,
                ..
            }) = done
            else {
                continue;
            };
            // A statement that depends on a refused one is refused too, but only the first one is
            // reported.
            let depends_on_refused = path(node).iter().any(|name| self.unfollowed.contains(name))
                || raises == Some("undefined_column") && is_named_before(&why, refusals);
            self.unfollowed.extend(created_names(node));
            if !depends_on_refused {
                refusals.push(refusal(span, why, hint));
            }
        }
    }

    /// Replays the SQL that an author gave in place of a statement.
    pub(crate) fn declared(&mut self, node: &SyntaxNode, effect: &str) -> Result<()> {
        let refusal = |why: String, hint: String| Refused::new(node, why).hint(hint);
        let tree = parse(effect).map_err(|unparsed| match unparsed {
            Unparsed::TooDeep => Refused::new(node, nesting::TOO_DEEP),
            Unparsed::Error { message, .. } => refusal(
                format!("the comment before this cannot be parsed: {message}"),
                "write `-- bowline: ignore`, or SQL with the effect of the statement".to_owned(),
            ),
        })?;
        for statement in tree::statements(&tree) {
            self.program.statement(&statement).map_err(|refused| {
                refusal(
                    format!("of the comment before this: {}", refused.why),
                    refused.hint,
                )
            })?;
        }
        self.program.state.note_ignored(node);
        Ok(())
    }
}

/// Returns true if a refused statement names the column that a later one misses: it may have added
/// the column.
fn is_named_before(why: &str, refusals: &[Refusal]) -> bool {
    let Some((_, rest)) = why.split_once(" column ") else {
        return false;
    };
    let missing = rest.split([' ', ',']).next().unwrap_or_default();
    refusals.iter().any(|earlier| {
        let text = earlier.source.get(earlier.span.clone());
        text.is_some_and(|text| text.contains(missing))
    })
}

/// Returns the names of the relations that a statement would create.
fn created_names(node: &SyntaxNode) -> Vec<String> {
    let named = node.descendants().filter(|child| {
        matches!(
            child.kind(),
            SyntaxKind::TABLE_NAME | SyntaxKind::VIEW | SyntaxKind::INDEX
        )
    });
    named
        .map(|name| tree::name(&name))
        .filter(|name| !name.is_empty())
        .collect()
}

//! Parses SQL into a syntax tree.

mod validity;

use std::cell::RefCell;
use std::ops::Range;

use rowan::{GreenNode, GreenNodeBuilder, NodeCache};
use squawk_parser::{EntryPoint, LexedStr, StrStep};
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};

use self::validity::is_certainly_valid;
use crate::replay::syntax::nesting::is_too_deep;

thread_local! {
    /// The small nodes and the tokens of all trees of a thread, which are shared.
    static CACHE: RefCell<NodeCache> = RefCell::default();
}

/// Why a text is no SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unparsed {
    /// The brackets are nested too deeply.
    TooDeep,
    /// The parser's first error.
    Error { span: Range<usize>, message: String },
}

/// Parses statements.
pub(crate) fn parse(text: &str) -> Result<SyntaxNode, Unparsed> {
    if is_too_deep(text) {
        return Err(Unparsed::TooDeep);
    }
    let (green, is_parsed) = build(text);
    if is_parsed && is_certainly_valid(&green) {
        return Ok(SyntaxNode::new_root(green));
    }
    match SourceFile::parse(text).errors().first() {
        None => Ok(SyntaxNode::new_root(green)),
        Some(error) => Err(Unparsed::Error {
            span: error.range().start().into()..error.range().end().into(),
            message: error.message().to_owned(),
        }),
    }
}

/// Returns true if the parser and its validation certainly find no error in a text.
pub(crate) fn is_certainly_parsed(text: &str) -> bool {
    let (green, is_parsed) = build(text);
    is_parsed && is_certainly_valid(&green)
}

/// Parses statements, and ignores errors. The text is one that was parsed before, or a part of it.
pub(crate) fn parse_again(text: &str) -> SyntaxNode {
    SyntaxNode::new_root(build(text).0)
}

/// Returns the tree of a text, and whether the parser found no error.
fn build(text: &str) -> (GreenNode, bool) {
    let lexed = LexedStr::new(text);
    let output = EntryPoint::SourceFile.parse(&lexed.to_input());
    let mut is_parsed = lexed.errors().next().is_none();
    CACHE.with_borrow_mut(|cache| {
        let mut builder = GreenNodeBuilder::with_cache(cache);
        lexed.intersperse_trivia(&output, &mut |step| match step {
            StrStep::Token { kind, text } => builder.token(raw(kind), text),
            StrStep::Enter { kind } => builder.start_node(raw(kind)),
            StrStep::Exit => builder.finish_node(),
            StrStep::Error { .. } => is_parsed = false,
        });
        (builder.finish(), is_parsed)
    })
}

fn raw(kind: SyntaxKind) -> rowan::SyntaxKind {
    rowan::SyntaxKind(kind.into())
}

//! What replay does not follow, told so that a person can act on it.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use squawk_syntax::SyntaxNode;

/// A statement that was not followed, as a handler tells it.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) span: Range<usize>,
    pub(super) why: String,
    pub(super) hint: String,
    /// PostgreSQL's name of the error that it raises here, where it does.
    pub(super) raises: Option<&'static str>,
}

pub(super) type Result<T, E = Refused> = std::result::Result<T, E>;

impl Refused {
    pub(super) fn new(node: &SyntaxNode, why: impl Into<String>) -> Self {
        let range = node.text_range();
        Self {
            span: range.start().into()..range.end().into(),
            why: why.into(),
            hint: IGNORE.to_owned(),
            raises: None,
        }
    }

    /// PostgreSQL raises this error.
    pub(super) fn raises(mut self, condition: &'static str) -> Self {
        self.raises = Some(condition);
        self
    }

    /// Whether PostgreSQL refuses the statement too, so that it is no matter of what replay knows.
    pub(super) fn is_an_error(&self) -> bool {
        self.raises.is_some() || self.why.contains("so PostgreSQL refuses")
    }

    pub(super) fn do_this(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

const IGNORE: &str =
    "if it changes no table, column, key or type, write `-- bowline: ignore` on the line before it";

/// A statement that was not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The migration's file.
    pub file: PathBuf,
    /// The whole text of the file.
    pub source: String,
    /// Where in the text, in bytes.
    pub span: Range<usize>,
    /// Why it was not followed.
    pub why: String,
    /// What to do.
    pub hint: String,
}

impl Refusal {
    /// The line of the statement, the first being 1.
    pub fn line(&self) -> usize {
        self.source[..self.span.start].matches('\n').count() + 1
    }
}

impl Refusal {
    /// The statement's first line within the source, in bytes: what a terminal underlines.
    pub fn first_line(&self) -> Range<usize> {
        let statement = &self.source[self.span.clone()];
        let length = statement.lines().next().unwrap_or_default().len();
        self.span.start..self.span.start + length
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        write!(f, "{file}:{}: {}", self.line(), self.why)
    }
}

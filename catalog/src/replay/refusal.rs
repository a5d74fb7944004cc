//! Refusals: statements that replay does not support, each with a hint.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use squawk_syntax::SyntaxNode;

use crate::Name;

/// A refused statement, as a statement's handler returns it.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) span: Range<usize>,
    pub(crate) why: String,
    pub(crate) hint: String,
    /// The condition name of the error that PostgreSQL raises here, if it raises one.
    pub(crate) raises: Option<&'static str>,
}

pub(crate) type Result<T, E = Refused> = std::result::Result<T, E>;

impl Refused {
    pub(crate) fn new(node: &SyntaxNode, why: impl Into<String>) -> Self {
        let range = node.text_range();
        Self {
            span: range.start().into()..range.end().into(),
            why: why.into(),
            hint: IGNORE.to_owned(),
            raises: None,
        }
    }

    /// Records that PostgreSQL raises this error.
    pub(crate) fn raises(mut self, condition: &'static str) -> Self {
        self.raises = Some(condition);
        self
    }

    /// Returns true if PostgreSQL refuses the statement too, whatever replay supports.
    pub(crate) fn is_an_error(&self) -> bool {
        self.raises.is_some() || self.why.contains("so PostgreSQL refuses")
    }

    pub(crate) fn do_this(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

pub(crate) fn exists(node: &SyntaxNode, table: &Name) -> Refused {
    Refused::new(
        node,
        format!(
            "there is a relation {} already, so PostgreSQL refuses this",
            table.name
        ),
    )
    .do_this("give it another name, or drop the earlier one first")
    .raises("duplicate_table")
}

pub(crate) fn has_already(node: &SyntaxNode, table: &Name, name: &str) -> Refused {
    Refused::new(
        node,
        format!(
            "there is a {name} already that {} cannot have twice, so PostgreSQL refuses this",
            table.name
        ),
    )
    .do_this("give it another name")
    .raises("duplicate_object")
}

pub(crate) fn no_index(node: &SyntaxNode, index: &str) -> Refused {
    Refused::new(node, format!("there is no index {index}"))
        .do_this("look at the name and at the migrations before this one")
        .raises("undefined_object")
}

pub(crate) fn missing(node: &SyntaxNode, attribute: &str) -> Refused {
    Refused::new(node, format!("the type has no attribute {attribute}"))
        .do_this("look at the name and at the migrations before this one")
}

const IGNORE: &str =
    "if it changes no table, column, key or type, write `-- bowline: ignore` on the line before it";

/// A refused statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The migration's file.
    pub file: PathBuf,
    /// The whole text of the file.
    pub source: String,
    /// The position in the text, in bytes.
    pub span: Range<usize>,
    /// The reason for the refusal.
    pub why: String,
    /// A hint: how to fix it.
    pub hint: String,
}

impl Refusal {
    /// Returns the line of the statement, counted from 1.
    pub fn line(&self) -> usize {
        self.source[..self.span.start].matches('\n').count() + 1
    }
}

impl Refusal {
    /// Returns the span of the statement's first line in the source, in bytes. A terminal
    /// underlines it.
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

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
    /// True if PostgreSQL refuses the statement too, whatever replay supports.
    pub(crate) is_error: bool,
    /// The condition name of the error that PostgreSQL raises here, if it is known.
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
            is_error: false,
            raises: None,
        }
    }

    /// Returns the refusal of a statement that PostgreSQL refuses too. The message says so after
    /// `why`.
    pub(crate) fn error(node: &SyntaxNode, why: impl fmt::Display) -> Self {
        Self {
            is_error: true,
            ..Self::new(node, format!("{why}, so PostgreSQL refuses this"))
        }
    }

    /// Records that PostgreSQL raises this error.
    pub(crate) fn raises(mut self, condition: &'static str) -> Self {
        self.is_error = true;
        self.raises = Some(condition);
        self
    }

    /// Replaces the hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

pub(crate) fn exists(node: &SyntaxNode, table: &Name) -> Refused {
    Refused::error(node, format!("there is a relation {} already", table.name))
        .hint("give it another name, or drop the earlier one first")
        .raises("duplicate_table")
}

pub(crate) fn has_already(node: &SyntaxNode, table: &Name, name: &str) -> Refused {
    Refused::error(
        node,
        format!(
            "there is a {name} already that {} cannot have twice",
            table.name
        ),
    )
    .hint("give it another name")
    .raises("duplicate_object")
}

pub(crate) fn no_index(node: &SyntaxNode, index: &str) -> Refused {
    Refused::new(node, format!("there is no index {index}"))
        .hint("check the spelling, and whether an earlier migration creates it")
        .raises("undefined_object")
}

pub(crate) fn missing(node: &SyntaxNode, attribute: &str) -> Refused {
    Refused::new(node, format!("the type has no attribute {attribute}"))
        .hint("check the spelling, and whether an earlier migration creates it")
}

const IGNORE: &str =
    "if it changes no table, column, key or type, write `-- bowline: ignore` on the line before it";

/// What the reason of a refusal by Citus begins with, before Citus's own words.
pub(crate) const BY_CITUS: &str = "Citus refuses this: ";

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
    /// Returns true if Citus refuses the statement, as replay knows for certain.
    pub fn is_by_citus(&self) -> bool {
        self.why.starts_with(BY_CITUS)
    }

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

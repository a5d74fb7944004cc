//! The kind of a query's result, which its header states: `:one`, `:many`, ..

use std::fmt;
use std::ops::Range;

use super::Mistake;
use crate::query::Rows;

/// The kind of a query's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Annotation {
    /// `:one`: one row; another number is an error when the query runs.
    One,
    /// `:optional`: one row or none.
    Optional,
    /// `:many`: all rows.
    Many,
    /// `:page`: the rows after a position, up to a limit.
    Page,
    /// `:affected`: the number of rows that a write affects.
    Affected,
    /// `:exactly(1)`: nothing; a write that affects another number of rows is an error.
    Exactly(u32),
}

/// An annotation, with its position in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotated {
    /// The annotation.
    pub annotation: Annotation,
    /// The position, in bytes.
    pub span: Range<usize>,
    /// The word of sqlc that is written in its place.
    pub of_sqlc: Option<&'static str>,
}

/// The annotations of sqlc that have a counterpart.
const OF_SQLC: [&str; 2] = ["exec", "execrows"];

const KNOWN: &str = "it is one of :one, :optional, :many, :page, :affected, :exactly(1)";

impl Annotation {
    /// Returns the annotation that says what was inferred.
    pub fn of(rows: Rows) -> Self {
        match rows {
            Rows::Affected => Self::Affected,
            Rows::One => Self::One,
            Rows::Optional => Self::Optional,
            Rows::Many => Self::Many,
        }
    }

    /// Returns why a query with these rows cannot have the annotation, and what to write instead;
    /// `None` if it can.
    ///
    /// A query that can return more rows than the annotation says is accepted, since the number is
    /// checked when it runs. Rows are never discarded.
    pub(super) fn conflict(self, rows: Rows) -> Option<(String, String)> {
        let returns_rows = rows != Rows::Affected;
        let wants_rows = matches!(self, Self::One | Self::Optional | Self::Many | Self::Page);
        match (wants_rows, returns_rows) {
            (true, false) => Some((
                format!("the statement returns no rows, so it cannot be `{self}`"),
                "write :affected or :exactly(1), or add RETURNING to the statement".to_owned(),
            )),
            (false, true) => Some((
                format!("the statement returns rows, so it cannot be `{self}`"),
                format!("write {}", Self::of(rows)),
            )),
            _ => None,
        }
    }
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One => f.write_str(":one"),
            Self::Optional => f.write_str(":optional"),
            Self::Many => f.write_str(":many"),
            Self::Page => f.write_str(":page"),
            Self::Affected => f.write_str(":affected"),
            Self::Exactly(rows) => write!(f, ":exactly({rows})"),
        }
    }
}

/// Reads an annotation, with its colon.
pub(super) fn read(text: &str, span: Range<usize>) -> Result<Annotated, Mistake> {
    let annotated = |annotation, of_sqlc| Annotated {
        annotation,
        span: span.clone(),
        of_sqlc,
    };
    let Some(word) = text.strip_prefix(':') else {
        return Err(Mistake::new(span, format!("unexpected `{text}` after the name")).hint(KNOWN));
    };
    let annotation = match word {
        "one" => Annotation::One,
        "optional" => Annotation::Optional,
        "many" => Annotation::Many,
        "page" => Annotation::Page,
        "affected" => Annotation::Affected,
        _ => {
            if let Some(of_sqlc) = OF_SQLC.into_iter().find(|known| *known == word) {
                return Ok(annotated(Annotation::Affected, Some(of_sqlc)));
            }
            if let Some(rows) = word.strip_prefix("exactly") {
                return match exact(rows) {
                    Some(rows) => Ok(annotated(Annotation::Exactly(rows), None)),
                    None => Err(
                        Mistake::new(span, format!("`{text}` has no number of rows"))
                            .hint("write it as :exactly(1)"),
                    ),
                };
            }
            return Err(Mistake::new(span, format!("unknown annotation `{text}`")).hint(KNOWN));
        }
    };
    Ok(annotated(annotation, None))
}

/// Reads `(1)`.
fn exact(text: &str) -> Option<u32> {
    let number = text.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    let number = number.trim();
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| number.parse().ok()).flatten()
}

//! The error for settings that cannot be read: a message, hints, and lines of files to underline.

use std::fmt;
use std::ops::Range;

/// A failure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// The message.
    pub message: String,
    /// Hints for the user.
    pub hints: Vec<String>,
    /// The reports that are shown above the message.
    pub reports: Vec<Report>,
}

/// A part of a file to underline.
#[derive(Debug, Clone)]
pub struct Excerpt<'a> {
    /// The path of the file.
    pub path: String,
    /// The text of the file.
    pub source: &'a str,
    /// The range to underline, in bytes.
    pub span: Range<usize>,
}

/// A message above the lines that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The message.
    pub title: String,
    parts: Vec<Part>,
}

/// An [`Excerpt`] that owns its text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    path: String,
    source: String,
    span: Range<usize>,
}

impl Report {
    /// Returns a report about excerpts of files.
    pub fn new(title: impl Into<String>, excerpts: &[Excerpt<'_>]) -> Self {
        let parts = excerpts.iter().map(|excerpt| Part {
            path: excerpt.path.clone(),
            source: excerpt.source.to_owned(),
            span: excerpt.span.clone(),
        });
        Self {
            title: title.into(),
            parts: parts.collect(),
        }
    }

    /// Returns the parts of files to underline.
    pub fn excerpts(&self) -> Vec<Excerpt<'_>> {
        let parts = self.parts.iter();
        parts
            .map(|part| Excerpt {
                path: part.path.clone(),
                source: &part.source,
                span: part.span.clone(),
            })
            .collect()
    }
}

impl Failure {
    /// Returns a failure without hints and reports.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// Adds a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds reports.
    pub fn reports(mut self, reports: impl IntoIterator<Item = Report>) -> Self {
        self.reports.extend(reports);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

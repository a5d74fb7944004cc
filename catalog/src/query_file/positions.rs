//! Maps positions of the text that is sent to positions in the query file.

use std::ops::Range;

/// A map from the text of a statement with `$1`, .. to the file with `:name`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions {
    /// The position of the statement in the file, in bytes.
    start: usize,
    /// The parts that differ: in the text that is sent, and in the file.
    replaced: Vec<(Range<usize>, Range<usize>)>,
}

impl Positions {
    pub(super) fn new(start: usize) -> Self {
        Self {
            start,
            replaced: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, sent: Range<usize>, file: Range<usize>) {
        self.replaced.push((sent, file));
    }

    /// Adds a position after which the text that is sent is that of the file from another one.
    pub(super) fn add_end(&mut self, sent: usize, file: usize) {
        self.replaced.push((sent..sent, file..file));
    }

    /// Returns the range in the file, in bytes, for a part of the sent text. A part of a parameter
    /// stands for the whole parameter.
    pub fn in_file(&self, sent: &Range<usize>) -> Range<usize> {
        let start = self.map(sent.start, |file| file.start);
        let end = if sent.is_empty() {
            start
        } else {
            // The end position belongs to the last byte, not to the byte after it.
            self.map(sent.end - 1, |file| file.end - 1) + 1
        };
        start..end.max(start)
    }

    fn map(&self, at: usize, inside: impl Fn(&Range<usize>) -> usize) -> usize {
        let before = self.replaced.partition_point(|(sent, _)| sent.start <= at);
        match before
            .checked_sub(1)
            .and_then(|index| self.replaced.get(index))
        {
            None => self.start + at,
            Some((sent, file)) if at < sent.end => inside(file),
            Some((sent, file)) => file.end + (at - sent.end),
        }
    }
}

/// Returns the line and the column of a position in bytes. Both are counted from 1, columns in
/// characters.
pub fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    (
        before.matches('\n').count() + 1,
        before[line..].chars().count() + 1,
    )
}

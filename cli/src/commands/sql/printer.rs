//! Prints the answers of a simple query as psql does.
//!
//! A table is as wide as its widest value, so its rows are kept until the answer is complete.

use std::borrow::Cow;

use bowline::session::{SimpleColumn, SimpleRow};

use crate::ui::{self, Heading, Side};

/// Prints answers one after the other.
#[derive(Default)]
pub(super) struct Printer {
    answer: Option<Answer>,
    /// True if the current statement has copied to standard output.
    copied: bool,
    statements: usize,
    committed: bool,
    /// Output that is not written yet.
    pending: Vec<u8>,
}

/// The rows of an answer so far.
struct Answer {
    columns: Vec<SimpleColumn>,
    rows: Vec<Vec<Option<String>>>,
}

/// The size at which pending output is written.
const CHUNK: usize = 64 * 1024;

impl Printer {
    /// Returns the number of statements that have succeeded.
    pub(super) fn statements(&self) -> usize {
        self.statements
    }

    /// Returns true if one of them was a COMMIT.
    pub(super) fn has_committed(&self) -> bool {
        self.committed
    }

    /// Begins an answer with rows.
    pub(super) fn columns(&mut self, columns: &[SimpleColumn]) {
        self.answer = Some(Answer {
            columns: columns.to_vec(),
            rows: Vec::new(),
        });
    }

    /// Adds a row to the answer.
    pub(super) fn row(&mut self, row: SimpleRow<'_>) {
        if let Some(answer) = &mut self.answer {
            let cells = (0..row.len()).map(|column| row.get(column).map(Cow::into_owned));
            answer.rows.push(cells.collect());
        }
    }

    /// Writes data of a COPY.
    pub(super) fn copied(&mut self, data: &[u8]) {
        self.copied = true;
        self.pending.extend_from_slice(data);
        if self.pending.len() >= CHUNK {
            self.flush();
        }
    }

    /// Ends a statement: writes its table, and its tag where psql writes it.
    pub(super) fn complete(&mut self, tag: &str) {
        self.statements += 1;
        self.committed |= tag == "COMMIT";
        let copied = std::mem::take(&mut self.copied);
        let answer = self.answer.take();
        let has_rows = answer.is_some();
        if let Some(Answer { columns, rows }) = answer {
            let headings: Vec<Heading> = columns.iter().map(heading).collect();
            let table = ui::aligned(None, &headings, &rows);
            let table = format!("{table}{}\n\n", ui::row_count(rows.len()));
            self.pending.extend_from_slice(table.as_bytes());
        }
        self.flush();
        let writes = ["INSERT", "UPDATE", "DELETE", "MERGE"];
        if !copied && (!has_rows || writes.iter().any(|verb| tag.starts_with(verb))) {
            ui::result(tag);
        }
    }

    /// Writes pending output.
    pub(super) fn flush(&mut self) {
        ui::bytes(&std::mem::take(&mut self.pending));
    }
}

/// Returns the heading of a column; psql aligns numbers to the right.
fn heading(column: &SimpleColumn) -> Heading {
    // int2, int4, int8, float4, float8, numeric, oid, xid, xid8, cid, money.
    const NUMBERS: [u32; 11] = [21, 23, 20, 700, 701, 1700, 26, 28, 5069, 29, 790];
    let side = if NUMBERS.contains(&column.type_oid) {
        Side::Right
    } else {
        Side::Left
    };
    (column.name.clone(), side)
}

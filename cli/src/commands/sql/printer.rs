//! The answers of a simple query, in the form that was asked for.
//!
//! A table needs the width of its widest value, so its rows are kept until the answer is whole; CSV and JSON are
//! printed as the rows arrive.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bowline::{SimpleColumn, SimpleRow};

use crate::ui::{self, Heading, Side};

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Aligned,
    Csv,
    Json,
}

/// Prints answers one after the other.
pub(super) struct Printer {
    form: Form,
    answer: Option<Answer>,
    /// Whether the statement under way has copied to standard output.
    copied: bool,
    statements: usize,
    committed: bool,
    /// What is not printed yet.
    pending: Vec<u8>,
}

/// An answer with rows, so far.
struct Answer {
    columns: Vec<SimpleColumn>,
    /// The keys of a JSON object, ready to be printed.
    keys: Vec<String>,
    /// Kept for a table only.
    rows: Vec<Vec<Option<String>>>,
    count: usize,
}

/// So much is printed at once.
const CHUNK: usize = 64 * 1024;

impl Printer {
    pub(super) fn new(form: Form) -> Self {
        Self {
            form,
            answer: None,
            copied: false,
            statements: 0,
            committed: false,
            pending: Vec::new(),
        }
    }

    /// How many statements have succeeded.
    pub(super) fn statements(&self) -> usize {
        self.statements
    }

    /// Whether one of them was a COMMIT.
    pub(super) fn has_committed(&self) -> bool {
        self.committed
    }

    pub(super) fn columns(&mut self, columns: &[SimpleColumn]) {
        match self.form {
            Form::Aligned => {}
            Form::Csv => {
                let names = columns
                    .iter()
                    .map(|column| Some(Cow::from(column.name.as_str())));
                self.csv(names);
            }
            Form::Json => self.put("["),
        }
        self.answer = Some(Answer {
            columns: columns.to_vec(),
            keys: keys(columns),
            rows: Vec::new(),
            count: 0,
        });
    }

    pub(super) fn row(&mut self, row: SimpleRow<'_>) {
        let Some(mut answer) = self.answer.take() else {
            return;
        };
        let cells = (0..row.len()).map(|column| row.get(column));
        match self.form {
            Form::Aligned => answer
                .rows
                .push(cells.map(|cell| cell.map(Cow::into_owned)).collect()),
            Form::Csv => self.csv(cells),
            Form::Json => {
                let members = cells.zip(&answer.keys).zip(&answer.columns);
                let members: Vec<String> = members
                    .map(|((cell, key), column)| {
                        let value = json(cell.as_deref(), column.type_oid);
                        format!("{key}:{}", ui::json_text(&value))
                    })
                    .collect();
                self.put(if answer.count == 0 { "\n" } else { ",\n" });
                self.put(&format!("{{{}}}", members.join(",")));
            }
        }
        answer.count += 1;
        self.answer = Some(answer);
    }

    pub(super) fn copied(&mut self, data: &[u8]) {
        self.copied = true;
        self.pending.extend_from_slice(data);
        self.flush_if_full();
    }

    /// A statement is done.
    pub(super) fn complete(&mut self, tag: &str) {
        self.statements += 1;
        self.committed |= tag == "COMMIT";
        let copied = std::mem::take(&mut self.copied);
        let answer = self.answer.take();
        let has_rows = answer.is_some();
        if let Some(answer) = answer {
            match self.form {
                Form::Aligned => {
                    let headings: Vec<Heading> = answer.columns.iter().map(heading).collect();
                    let table = ui::aligned(None, &headings, &answer.rows);
                    self.put(&format!("{table}{}\n\n", ui::row_count(answer.count)));
                }
                Form::Csv => {}
                Form::Json => self.put(if answer.count == 0 { "]\n" } else { "\n]\n" }),
            }
        }
        self.flush();
        // As psql: a tag says what rows alone do not.
        let writes = ["INSERT", "UPDATE", "DELETE", "MERGE"];
        let is_telling = !copied && (!has_rows || writes.iter().any(|verb| tag.starts_with(verb)));
        match self.form {
            Form::Aligned if is_telling => ui::result(tag),
            Form::Csv | Form::Json if is_telling => ui::status(tag),
            _ => {}
        }
    }

    /// Prints what is left.
    pub(super) fn flush(&mut self) {
        ui::bytes(&std::mem::take(&mut self.pending));
    }

    fn flush_if_full(&mut self) {
        if self.pending.len() >= CHUNK {
            self.flush();
        }
    }

    fn put(&mut self, text: &str) {
        self.pending.extend_from_slice(text.as_bytes());
        self.flush_if_full();
    }

    /// A record, whose lines end as RFC 4180 has it.
    fn csv<'a>(&mut self, cells: impl Iterator<Item = Option<Cow<'a, str>>>) {
        let cells: Vec<String> = cells.map(|cell| csv(cell.as_deref())).collect();
        self.put(&cells.join(","));
        self.put("\r\n");
    }
}

fn heading(column: &SimpleColumn) -> Heading {
    // Those that psql takes for numbers: int2, int4, int8, float4, float8, numeric, oid, xid, xid8, cid, money.
    const NUMBERS: [u32; 11] = [21, 23, 20, 700, 701, 1700, 26, 28, 5069, 29, 790];
    let side = if NUMBERS.contains(&column.type_oid) {
        Side::Right
    } else {
        Side::Left
    };
    (column.name.clone(), side)
}

/// A field; the empty text is told from NULL by its quotes, as COPY has it.
fn csv(cell: Option<&str>) -> String {
    match cell {
        None => String::new(),
        Some(text) if text.is_empty() || text.contains([',', '"', '\r', '\n']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Some(text) => text.to_owned(),
    }
}

/// Names in quotes, each once: an object with one key twice is read in more than one way.
fn keys(columns: &[SimpleColumn]) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    columns
        .iter()
        .map(|column| {
            let numbered = (2..).map(|number| format!("{}_{number}", column.name));
            let key = [column.name.clone()]
                .into_iter()
                .chain(numbered)
                .find(|key| !taken.contains(key))
                .unwrap_or_default();
            taken.insert(key.clone());
            quoted(&key)
        })
        .collect()
}

/// A value: what JSON has a word for in that word, everything else as text.
fn json(cell: Option<&str>, type_oid: u32) -> String {
    const BOOL: u32 = 16;
    const NUMBERS: [u32; 7] = [20, 21, 23, 26, 700, 701, 1700];
    const JSON: [u32; 2] = [114, 3802];
    match cell {
        None => "null".to_owned(),
        Some("t") if type_oid == BOOL => "true".to_owned(),
        Some("f") if type_oid == BOOL => "false".to_owned(),
        Some(text) if JSON.contains(&type_oid) => text.to_owned(),
        // NaN and Infinity are numbers to PostgreSQL only.
        Some(text) if NUMBERS.contains(&type_oid) && !text.ends_with(['N', 'y']) => text.to_owned(),
        Some(text) => quoted(text),
    }
}

/// A JSON string.
fn quoted(text: &str) -> String {
    ui::json_text(&serde_json::Value::from(text).to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_where_it_has_to_be() {
        assert_eq!(csv(None), "");
        assert_eq!(csv(Some("")), "\"\"");
        assert_eq!(csv(Some("a b")), "a b");
        assert_eq!(csv(Some("a,\"b\"\r\n")), "\"a,\"\"b\"\"\r\n\"");
    }

    #[test]
    fn a_number_that_json_does_not_know_is_a_text() {
        assert_eq!(json(Some("1e+20"), 701), "1e+20");
        assert_eq!(json(Some("NaN"), 1700), "\"NaN\"");
        assert_eq!(json(Some("-Infinity"), 701), "\"-Infinity\"");
        assert_eq!(json(Some("1"), 25), "\"1\"");
    }
}

//! Expressions over the columns of a table, and the keys to which columns can refer.

use super::{Filler, is_table};
use crate::definition::quoted;
use crate::{Column, ConstraintKind, Relation};

/// A column, with the facts that expressions over it need.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) data_type: String,
}

impl Known {
    pub(super) fn of(column: &Column) -> Self {
        let array = if column.data_type.dimensions > 0 {
            "[]"
        } else {
            ""
        };
        Self {
            name: column.name.clone(),
            data_type: format!("{}{array}", column.data_type.name.name),
        }
    }

    pub(super) fn is_number(&self) -> bool {
        let plain = self.data_type.split('(').next().unwrap_or_default();
        [
            "int", "int2", "int4", "int8", "bigint", "smallint", "numeric",
        ]
        .contains(&plain)
    }

    pub(super) fn is_text(&self) -> bool {
        let plain = self.data_type.split('(').next().unwrap_or_default();
        ["text", "varchar"].contains(&plain)
    }

    /// Returns a word for a family of types whose values can be compared with each other.
    pub(super) fn family(&self) -> &str {
        if self.is_number() {
            "number"
        } else if self.is_text() {
            "text"
        } else {
            &self.data_type
        }
    }
}

impl<'a> Filler<'a> {
    pub(super) fn column(&mut self, is_wanted: impl Fn(&Known) -> bool) -> Known {
        let fitting: Vec<Known> = self
            .columns
            .iter()
            .filter(|c| is_wanted(c))
            .cloned()
            .collect();
        let found = self.one_of(&fitting);
        let columns = self.columns.clone();
        found
            .or_else(|| self.one_of(&columns))
            .unwrap_or_else(|| Known {
                name: "a".to_owned(),
                data_type: "int".to_owned(),
            })
    }

    pub(super) fn default_of(&mut self, column: &Known) -> String {
        let text: &[&str] = if column.is_number() {
            &["7", "0", "1 + 1"]
        } else if column.is_text() {
            &["'x'", "'it''s'", "lower('X')", "NULL"]
        } else {
            match column.data_type.as_str() {
                "boolean" | "bool" => &["true", "false"],
                "timestamptz" => &["now()", "CURRENT_TIMESTAMP"],
                "date" => &["'2020-01-02'"],
                "uuid" => &["gen_random_uuid()"],
                _ => &["NULL"],
            }
        };
        self.word(text)
    }

    pub(super) fn condition(&mut self) -> String {
        let number = self.column(Known::is_number);
        let (one, other) = (quoted(&number.name), self.column(|_| true));
        let any = quoted(&other.name);
        if number.is_number() {
            let second = self.column(Known::is_number);
            let second = quoted(&second.name);
            match self.pick(8) {
                0 => format!("{any} IS NOT NULL"),
                1 => format!("{one} > {second}"),
                2 => format!("{one} <> 3 AND {second} < 9"),
                3 => format!("coalesce({one}, 1) > 0"),
                4 => format!("{one} + {second} > 2 OR {any} IS NULL"),
                5 => "true".to_owned(),
                _ => format!("{one} > 0"),
            }
        } else if other.is_text() {
            let text = ["<> 'x'", "IS NOT NULL", "<> 'it''s'"];
            format!("{any} {}", self.word(&text))
        } else {
            format!("{any} IS NOT NULL")
        }
    }

    /// Returns a key to which a column of this family can refer.
    pub(super) fn key_for(&mut self, family: &str) -> String {
        let keys: Vec<(&'a Relation, &'a String, bool)> = self
            .relations(is_table)
            .into_iter()
            .flat_map(|table| {
                table.constraints.iter().filter_map(move |constraint| {
                    let (columns, is_primary) = match &constraint.kind {
                        ConstraintKind::PrimaryKey { columns } => (columns, true),
                        ConstraintKind::Unique { columns, .. } => (columns, false),
                        _ => return None,
                    };
                    match columns.as_slice() {
                        [only] => Some((table, only, is_primary)),
                        _ => None,
                    }
                })
            })
            .filter(|(table, key, _)| {
                let column = table.columns.iter().find(|column| column.name == **key);
                column.is_some_and(|column| Known::of(column).family() == family)
            })
            .collect();
        let Some((table, key, is_primary)) = self.one_of(&keys) else {
            return "missing".to_owned();
        };
        let name = self.written(&table.name);
        if is_primary && self.pick(2) == 0 {
            name
        } else {
            format!("{name} ({})", quoted(key))
        }
    }

    pub(super) fn bound(&mut self) -> String {
        let key = self.table.and_then(|table| table.partition_by.clone());
        let key = key.unwrap_or_default().to_ascii_lowercase();
        let number = self.pick(6) * 10;
        if key.starts_with("hash") {
            format!("FOR VALUES WITH (MODULUS 8, REMAINDER {})", number / 10)
        } else if self.pick(7) == 0 {
            "DEFAULT".to_owned()
        } else if key.starts_with("list") {
            format!("FOR VALUES IN ({number}, {})", number + 1)
        } else {
            format!("FOR VALUES FROM ({number}) TO ({})", number + 10)
        }
    }
}

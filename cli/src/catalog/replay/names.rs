//! The names that PostgreSQL gives to constraints, indexes and sequences that a migration does not name.

use super::Replay;
use crate::catalog::{IndexKey, Name};

/// The longest name in bytes.
const LONGEST: usize = 63;

/// `table_columns_label`, with the longer of the first two cut until all fits (`makeObjectName` of PostgreSQL).
fn object_name(table: &str, columns: &str, label: &str) -> String {
    let overhead = if columns.is_empty() { 0 } else { 1 } + 1 + label.len();
    let room = LONGEST.saturating_sub(overhead);
    let (mut table_length, mut columns_length) = (table.len(), columns.len());
    while table_length + columns_length > room {
        if table_length > columns_length {
            table_length -= 1;
        } else {
            columns_length -= 1;
        }
    }
    let (table, columns) = (clip(table, table_length), clip(columns, columns_length));
    if columns.is_empty() {
        format!("{table}_{label}")
    } else {
        format!("{table}_{columns}_{label}")
    }
}

fn clip(text: &str, length: usize) -> &str {
    let end = (0..=length.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    &text[..end]
}

impl Replay {
    /// A name that is free, by counting up behind the label.
    pub(super) fn free_name(
        &self,
        table: &Name,
        columns: &str,
        label: &str,
        taken: impl Fn(&str) -> bool,
    ) -> String {
        let mut count = 0;
        loop {
            let label = if count == 0 {
                label.to_owned()
            } else {
                format!("{label}{count}")
            };
            let name = object_name(&table.name, columns, &label);
            if !taken(&name)
                && !self.has_relation(&table.schema, &name)
                && !self.has_constraint(&table.schema, &name)
            {
                return name;
            }
            count += 1;
        }
    }

    /// The name of an index without one.
    pub(super) fn index_name(&self, table: &Name, keys: &[IndexKey], label: &str) -> String {
        let mut parts: Vec<String> = Vec::new();
        for key in keys {
            let base = match key {
                IndexKey::Column { name, .. } => name.clone(),
                IndexKey::Expression { text, .. } => expression_name(text),
            };
            let mut part = base.clone();
            let mut count = 0;
            while parts.contains(&part) {
                count += 1;
                part = format!("{base}{count}");
            }
            parts.push(part);
        }
        self.free_name(table, &parts.join("_"), label, |_| false)
    }

    /// Whether a table, view, index or sequence has this name.
    pub(super) fn has_relation(&self, schema: &str, name: &str) -> bool {
        let full = Name {
            schema: schema.to_owned(),
            name: name.to_owned(),
        };
        let in_schema = self
            .catalog
            .relations
            .values()
            .filter(|relation| relation.name.schema == schema);
        self.catalog.relations.contains_key(&full)
            || self.catalog.sequences.contains_key(&full)
            || in_schema
                .flat_map(|relation| &relation.indexes)
                .any(|index| index.name == name)
    }

    pub(super) fn has_constraint(&self, schema: &str, name: &str) -> bool {
        let in_schema = self
            .catalog
            .relations
            .values()
            .filter(|relation| relation.name.schema == schema);
        in_schema
            .flat_map(|relation| &relation.constraints)
            .any(|constraint| constraint.name == name)
    }
}

/// What PostgreSQL calls a column that is an expression: the function's name, else `expr`.
fn expression_name(expression: &str) -> String {
    let name: String = expression
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    if !name.is_empty() && expression[name.len()..].trim_start().starts_with('(') {
        name.to_lowercase()
    } else {
        "expr".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_part_of_a_name_is_cut() {
        let name = object_name(&"t".repeat(60), "account_id", "fkey");
        assert_eq!(name, format!("{}_account_id_fkey", "t".repeat(47)));
        assert_eq!(name.len(), 63);
    }
}

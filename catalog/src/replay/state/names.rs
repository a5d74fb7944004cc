//! The names that PostgreSQL gives to unnamed constraints, indexes and sequences.

use bowline_sql::quote::identifier as quoted;
use squawk_syntax::SyntaxKind;

use crate::replay::state::{self, State};
use crate::replay::syntax::column_name;
use crate::replay::syntax::parse::parse_again;
use crate::{Index, IndexKey, Name, TypeKind};

/// The maximum length of a name in bytes.
const MAX_NAME_LENGTH: usize = 63;

/// Returns `table_columns_label`. The longer of the first two is shortened until all fits
/// (`makeObjectName` of PostgreSQL).
pub(crate) fn object_name(table: &str, columns: &str, label: &str) -> String {
    let overhead = if columns.is_empty() { 0 } else { 1 } + 1 + label.len();
    let room = MAX_NAME_LENGTH.saturating_sub(overhead);
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

impl State {
    /// Returns a name that no relation of the schema has, by counting up after the label
    /// (`ChooseRelationName`).
    pub(crate) fn free_relation_name(&self, table: &Name, columns: &str, label: &str) -> String {
        counted(&table.name, columns, label, |name| {
            let is_constraint = matches!(label, "pkey" | "key" | "excl");
            self.has_relation(&table.schema, name)
                || (is_constraint && self.has_constraint(&table.schema, name))
        })
    }

    /// Returns a name that no constraint of the schema has (`ChooseConstraintName`).
    pub(crate) fn free_constraint_name(&self, table: &Name, columns: &str, label: &str) -> String {
        counted(&table.name, columns, label, |name| {
            self.has_constraint(&table.schema, name)
        })
    }

    /// Returns the default name of an index, from its columns and those of `INCLUDE`. Repeated
    /// column names get numbers.
    pub(crate) fn index_name(
        &self,
        table: &Name,
        keys: &[IndexKey],
        included: &[String],
        label: &str,
    ) -> String {
        self.index_name_of(table, column_names(keys, included), label)
    }

    /// Returns the default name of an index from the names of its columns.
    pub(crate) fn index_name_of(
        &self,
        table: &Name,
        column_names: Vec<String>,
        label: &str,
    ) -> String {
        let mut parts: Vec<String> = Vec::new();
        for base in column_names {
            let mut part = base.clone();
            let mut count = 0;
            while parts.contains(&part) {
                count += 1;
                let number = count.to_string();
                part = format!("{}{number}", clip(&base, MAX_NAME_LENGTH - number.len()));
            }
            parts.push(part);
        }
        self.free_relation_name(table, &parts.join("_"), label)
    }

    /// Records the column names of indexes before a column is renamed.
    pub(crate) fn keep_column_names(&mut self, table: &Name, column: &str) {
        self.keep_index_names(table, |index| index.names(column));
    }

    /// Records the column names of indexes with expressions before a function is renamed.
    pub(crate) fn keep_names_of_expressions(&mut self) {
        let has_expression = |index: &Index| {
            let mut keys = index.keys.iter();
            keys.any(|key| matches!(key, IndexKey::Expression { .. }))
        };
        let relations = self.catalog.relations.values();
        let touched = relations.filter(|table| table.indexes.iter().any(has_expression));
        let tables: Vec<Name> = touched.map(|table| table.name.clone()).collect();
        for table in tables {
            self.keep_index_names(&table, has_expression);
        }
    }

    fn keep_index_names(&mut self, table: &Name, is_touched: impl Fn(&Index) -> bool) {
        let Some(relation) = self.catalog.relations.get(table) else {
            return;
        };
        for index in relation.indexes.iter().filter(|index| is_touched(index)) {
            if !self.index_column_names.has(table, &index.name) {
                let column_names = column_names(&index.keys, &index.included);
                self.index_column_names
                    .note(table, &index.name, column_names);
            }
        }
    }

    /// Returns true if a table, view, index, sequence or composite type has this name.
    pub(crate) fn has_relation(&self, schema: &str, name: &str) -> bool {
        let full = Name {
            schema: schema.to_owned(),
            name: name.to_owned(),
        };
        let is_composite = self
            .catalog
            .types
            .get(&full)
            .is_some_and(|found| matches!(found.kind, TypeKind::Composite { .. }));
        self.catalog.relations.contains_key(&full)
            || self.catalog.sequences.contains_key(&full)
            || is_composite
            || self.find_index(&full).is_some()
    }

    fn has_constraint(&self, schema: &str, name: &str) -> bool {
        let found = self.may_be_constraint(name) && self.searched_constraint(schema, name);
        debug_assert_eq!(found, self.searched_constraint(schema, name), "{name}");
        found
    }

    fn searched_constraint(&self, schema: &str, name: &str) -> bool {
        let of_tables = self
            .catalog
            .relations
            .values()
            .filter(|relation| relation.name.schema == schema)
            .flat_map(|relation| &relation.constraints);
        let of_domains = self
            .catalog
            .types
            .values()
            .filter(|found| found.name.schema == schema)
            .filter_map(|found| match &found.kind {
                TypeKind::Domain { checks, .. } => Some(checks),
                _ => None,
            })
            .flatten();
        of_tables
            .chain(of_domains)
            .any(|constraint| constraint.name == name)
    }

    /// Returns the table of this index.
    pub(crate) fn find_index(&self, index: &Name) -> Option<Name> {
        let is_possible = self.may_be_index(&index.name);
        let found = is_possible.then(|| self.searched_index(index)).flatten();
        debug_assert_eq!(found, self.searched_index(index), "{index:?}");
        found
    }

    fn searched_index(&self, index: &Name) -> Option<Name> {
        self.catalog
            .relations
            .values()
            .filter(|relation| relation.name.schema == index.schema)
            .find(|relation| {
                relation
                    .indexes
                    .iter()
                    .any(|other| other.name == index.name)
            })
            .map(|relation| relation.name.clone())
    }
}

/// Returns a name that is not taken: the usual one, or that with a number behind its label.
pub(crate) fn counted(
    table: &str,
    columns: &str,
    label: &str,
    is_taken: impl Fn(&str) -> bool,
) -> String {
    let mut name = object_name(table, columns, label);
    let mut count = 0_u32;
    while is_taken(&name) {
        count += 1;
        name = object_name(table, columns, &format!("{label}{count}"));
    }
    name
}

impl Name {
    /// Returns the name as SQL writes it, with the schema unless that is `public`.
    pub(crate) fn quoted(&self) -> String {
        if self.schema == state::PUBLIC {
            quoted(&self.name)
        } else {
            format!("{}.{}", quoted(&self.schema), quoted(&self.name))
        }
    }
}

/// Returns the names that PostgreSQL gives to the columns of an index.
pub(crate) fn column_names(keys: &[IndexKey], included: &[String]) -> Vec<String> {
    let keys = keys.iter().map(|key| match key {
        IndexKey::Column { name, .. } => name.clone(),
        IndexKey::Expression { text, .. } => expression_name(text),
    });
    keys.chain(included.iter().cloned()).collect()
}

/// Returns the name that PostgreSQL gives to an index column that is an expression.
fn expression_name(expression: &str) -> String {
    let target = parse_again(&format!("SELECT {expression}"))
        .descendants()
        .find(|node| node.kind() == SyntaxKind::TARGET)
        .and_then(|target| target.children().next());
    target.map_or_else(
        || "expr".to_owned(),
        |target| column_name::index_column_name(&target),
    )
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

//! Notes on the columns whose only Rust type is `String`: they are read and written as text.

use std::collections::BTreeMap;

use bowline_catalog::{Catalog, Column, DataType, Relation};

use super::mapping::{Mapping, base};

/// Columns whose only Rust type is `String`, by SQL type.
#[derive(Debug, Default)]
pub(super) struct TextColumns(BTreeMap<String, Vec<String>>);

/// The largest number of columns in a note.
const LISTED: usize = 3;

impl TextColumns {
    /// Adds a column, unless a setting asks for text.
    pub(super) fn add(
        &mut self,
        catalog: &Catalog,
        mapping: &Mapping,
        relation: &Relation,
        column: &Column,
    ) {
        let base = base(catalog, &column.data_type);
        if mapping.is_text_by_setting(&base.name) {
            return;
        }
        let bare = DataType {
            modifiers: Vec::new(),
            fields: None,
            // Arrays of several dimensions are one entry, whatever their number.
            dimensions: if base.dimensions > 1 { 2 } else { 0 },
            name: base.name,
        };
        let columns = self.0.entry(bare.sql()).or_default();
        columns.push(format!("{}.{}", relation.name.name, column.name));
    }

    /// Returns a note for each type.
    pub(super) fn notes(self) -> impl Iterator<Item = String> {
        self.0.into_iter().map(|(sql_type, columns)| {
            let mut listed = columns[..columns.len().min(LISTED)].join(", ");
            if columns.len() > LISTED {
                listed.push_str(&format!(" and {} more", columns.len() - LISTED));
            }
            let are = if columns.len() == 1 { "is" } else { "are" };
            let why = match sql_type.ends_with("[]") {
                false => format!("Rust has no type for {sql_type}"),
                true => "Rust has no type for arrays of several dimensions".to_owned(),
            };
            format!(
                "{listed} {are} read and written as text: {why}; [types] in bowline.toml names a type of your own"
            )
        })
    }
}

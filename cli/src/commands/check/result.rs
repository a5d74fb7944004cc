//! The columns of a result, by which two releases are compared.

use crate::commands::queries::base;
use bowline_catalog::Catalog;
use bowline_catalog::query::Column;

/// A column of a result, as the release reads it.
pub(super) struct Expected {
    pub(super) name: String,
    pub(super) data_type: String,
    pub(super) nullable: bool,
}

/// Adds the columns of a result, with the fields of rows in them.
pub(super) fn add_columns(
    columns: &[Column],
    within: &str,
    catalog: &Catalog,
    all: &mut Vec<Expected>,
) {
    for column in columns {
        let name = format!("{within}{}", column.name);
        all.push(Expected {
            data_type: base(&column.data_type, catalog).format_type(),
            nullable: column.nullable,
            name: name.clone(),
        });
        if let Some(row) = &column.row {
            add_columns(&row.fields, &format!("{name}."), catalog, all);
        }
    }
}

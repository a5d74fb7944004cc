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

/// Returns true if a value of the one type is read as the other, as a program reads it: the bytes
/// are the same.
pub(super) fn is_read_as(actual: &str, expected: &str) -> bool {
    const TEXTS: [&str; 4] = ["text", "character varying", "character", "name"];
    if actual == expected {
        return true;
    }
    if let (Some(actual), Some(expected)) = (actual.strip_suffix("[]"), expected.strip_suffix("[]"))
    {
        return is_read_as(actual, expected);
    }
    match expected {
        "oid" => actual.starts_with("reg"),
        "bit varying" => actual == "bit",
        text if TEXTS.contains(&text) => {
            TEXTS.contains(&actual) || ["\"char\"", "json", "xml"].contains(&actual)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_alike() {
        assert!(is_read_as("text", "character varying"));
        assert!(is_read_as("text[]", "character varying[]"));
        assert!(is_read_as("json", "text") && !is_read_as("text", "json"));
        assert!(is_read_as("bit", "bit varying") && !is_read_as("jsonb", "text"));
        assert!(!is_read_as("bigint", "integer") && !is_read_as("text", "text[]"));
    }
}

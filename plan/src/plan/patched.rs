//! The `schema.rs` after a patch file was applied. The models have to match its types.

use std::collections::BTreeMap;

/// The SQL types of columns, by the Rust names of table and column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatchedSchema(BTreeMap<String, BTreeMap<String, String>>);

impl PatchedSchema {
    /// Reads the `table!`s of a `schema.rs`.
    pub fn read(text: &str) -> Self {
        let mut tables = BTreeMap::new();
        let mut table: Option<(String, BTreeMap<String, String>)> = None;
        let mut in_macro = false;
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"))
        {
            if line.ends_with("table! {") {
                in_macro = true;
            } else if let Some((name, columns)) = &mut table {
                if line == "}" {
                    tables.insert(std::mem::take(name), std::mem::take(columns));
                    (table, in_macro) = (None, false);
                } else if let Some((column, sql_type)) = line.split_once(" -> ") {
                    columns.insert(column.to_owned(), sql_type.trim_end_matches(',').to_owned());
                }
            } else if let Some((head, _)) = line
                .split_once(" (")
                .filter(|_| in_macro && line.ends_with('{'))
            {
                let name = head.rsplit('.').next().unwrap_or(head);
                table = Some((name.to_owned(), BTreeMap::new()));
            }
        }
        Self(tables)
    }

    /// Returns the SQL type of a column; `None` if the column is not in the schema.
    pub(super) fn column(&self, table: &str, column: &str) -> Option<&str> {
        self.0.get(table)?.get(column).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_by_table_and_column() {
        let text = "diesel::table! {\n    use diesel::sql_types::*;\n\n    /// A (strange) comment {\n    a.posts (id) {\n        id -> Int4,\n        \
                    /// -> not a column\n        tags -> Array<Text>,\n    }\n}\n";
        let schema = PatchedSchema::read(text);
        assert_eq!(schema.column("posts", "tags"), Some("Array<Text>"));
        assert_eq!(schema.column("posts", "gone"), None);
    }
}

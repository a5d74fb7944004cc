//! Types as absolute paths, for code that imports nothing.

use std::collections::BTreeMap;

use super::Uses;
use super::nested::ROW_OF;

/// The absolute paths of the names in types.
pub(super) struct Paths(BTreeMap<String, String>);

/// The names of Rust's prelude that types have.
const OF_RUST: [(&str, &str); 3] = [
    ("Option", "::core::option::Option"),
    ("String", "::std::string::String"),
    ("Vec", "::std::vec::Vec"),
];

impl Paths {
    /// Returns the paths of the names that types use. `module` is the path of the generated code.
    pub(super) fn new(uses: Uses, module: &str) -> Self {
        let mut paths: BTreeMap<String, String> = OF_RUST
            .into_iter()
            .map(|(name, path)| (name.to_owned(), path.to_owned()))
            .collect();
        paths.insert("sql_types".to_owned(), "::diesel::sql_types".to_owned());
        paths.insert(
            ROW_OF.to_owned(),
            format!("::bowline::__generated::{ROW_OF}"),
        );
        // Types that are written with their crate, as those of the settings are.
        paths.insert("bowline".to_owned(), "::bowline".to_owned());
        paths.insert("crate".to_owned(), root(module).to_owned());
        for import in &uses.imports {
            let (parent, names) = import.rsplit_once("::").unwrap_or(("", import));
            for name in names.trim_matches(['{', '}']).split(',').map(str::trim) {
                paths.insert(name.to_owned(), format!("::{parent}::{name}"));
            }
        }
        for schema in &uses.schemas {
            let name = schema.rsplit("::").next().unwrap_or_default();
            let path = match schema.strip_prefix("super::") {
                Some(beside) => format!("{module}::{beside}"),
                None => match (schema.strip_prefix("crate::"), root(module)) {
                    (Some(below), root) => format!("{root}::{below}"),
                    (None, _) => schema.clone(),
                },
            };
            paths.insert(name.to_owned(), path);
        }
        for name in uses.types {
            let path = format!("{module}::{name}");
            paths.insert(name, path);
        }
        Self(paths)
    }

    /// Returns a type with the path of each name.
    pub(super) fn absolute(&self, rust_type: &str) -> String {
        let mut out = String::new();
        let mut rest = rust_type;
        while let Some(first) = rest.chars().next() {
            let is_name = |c: char| c.is_alphanumeric() || c == '_';
            let length = rest.find(|c| is_name(c) != is_name(first));
            let (word, behind) = rest.split_at(length.unwrap_or(rest.len()));
            match self.0.get(word) {
                Some(path) if !out.ends_with("::") => out.push_str(path),
                _ => out.push_str(word),
            }
            rest = behind;
        }
        out
    }
}

/// Returns the crate of a path.
fn root(module: &str) -> &str {
    let end = module.find("::").unwrap_or(module.len());
    &module[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_gets_its_path() {
        let uses = Uses {
            imports: ["chrono::{DateTime, Utc}", "serde_json::Value"]
                .map(str::to_owned)
                .into(),
            types: vec!["AccountId".to_owned()],
            schemas: vec!["super::schema".to_owned()],
        };
        let paths = Paths::new(uses, "crate::db");
        assert_eq!(
            paths.absolute("Vec<Option<DateTime<Utc>>>"),
            "::std::vec::Vec<::core::option::Option<::chrono::DateTime<::chrono::Utc>>>"
        );
        assert_eq!(paths.absolute("&[AccountId]"), "&[crate::db::AccountId]");
        assert_eq!(
            paths.absolute("sql_types::Nullable<schema::sql_types::AccountStatus>"),
            "::diesel::sql_types::Nullable<crate::db::schema::sql_types::AccountStatus>"
        );
    }
}

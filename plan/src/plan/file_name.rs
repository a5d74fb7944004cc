//! The names of the tables' files, which are modules side by side.

use super::names::{OUTSIDE, rust_name, snake};

/// Returns the name of a table's file, without its extension. It is unique even where file names
/// ignore case.
pub(super) fn file_name(schema_name: &str, taken: &[String]) -> String {
    let name = rust_name(&snake(schema_name), None);
    let numbered = (1..).map(|number| match number {
        1 => format!("{name}_table"),
        _ => format!("{name}_table{number}"),
    });
    let is_free = |file: &String| !OUTSIDE.contains(&file.as_str()) && !taken.contains(file);
    let mut names = std::iter::once(name.clone()).chain(numbered);
    // There are more numbers than files.
    names.find(is_free).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_has_a_file_of_its_own() {
        let mut taken = vec!["audit_schema".to_owned()];
        for number in ["", "2", "3"] {
            let file = file_name("audit_schema", &taken);
            assert_eq!(file, format!("audit_schema_table{number}"));
            taken.push(file);
        }
        assert_eq!(file_name("Audit", &taken), "audit");
        assert_eq!(file_name("chrono", &taken), "chrono_table");
    }
}

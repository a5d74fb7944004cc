//! The guide's page about types matches the generated code.

use std::path::Path;

/// Returns the texts between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(|text| text.trim_matches('"').to_owned())
        .collect()
}

#[test]
fn the_page_of_the_guide_names_the_rust_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).expect("a file");
    let page = read("../../docs/guide/types.md");
    let table = page
        .split("\n\n")
        .find(|part| part.starts_with("| PostgreSQL |"));
    let mut listed: Vec<(String, String)> = Vec::new();
    for line in table.expect("the table").lines().skip(2) {
        let cells: Vec<&str> = line.split('|').collect();
        let rust_type = quoted(cells[2]).remove(0);
        let types = quoted(cells[1]).into_iter();
        listed.extend(types.map(|name| (name, rust_type.clone())));
    }
    let families = [
        "addresses",
        "bits_and_shapes",
        "documents",
        "multiranges",
        "numbers",
        "ranges",
        "searches",
        "systems",
        "texts",
        "times",
    ];
    let mut generated: Vec<(String, String)> = Vec::new();
    for family in families {
        let text = read(&format!("src/db/{family}.rs"));
        let row = text.split("pub struct").nth(2).expect("the row");
        let row = row.split("\n}").next().unwrap_or_default();
        for line in row.lines() {
            let field = line
                .trim()
                .strip_prefix("pub ")
                .and_then(|it| it.split_once(": "));
            let Some((name, rust_type)) = field else {
                continue;
            };
            if let Some(sql_type) = name.strip_suffix("_value").filter(|it| !is_own(it)) {
                let rust_type = rust_type.trim_end_matches(',');
                generated.push((sql_type.to_owned(), rust_type.to_owned()));
            }
        }
    }
    listed.sort();
    generated.sort();
    assert_eq!(listed, generated);
}

/// Returns true for a type that the test's migration creates.
fn is_own(sql_type: &str) -> bool {
    sql_type.starts_with("float") && sql_type.ends_with("range") || sql_type == "textrange"
}

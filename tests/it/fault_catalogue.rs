//! `docs/FAULTS.md` names only tests that are there.

use std::fs;
use std::path::Path;

/// All Rust below a folder, as one text.
fn rust_below(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder");
    let texts = entries.map(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_below(&path)
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            fs::read_to_string(path).expect("a text")
        } else {
            String::new()
        }
    });
    texts.collect()
}

#[test]
fn each_test_that_the_catalogue_of_faults_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = rust_below(&root.join("tests/it")) + &rust_below(&root.join("src"));
    let catalogue = fs::read_to_string(root.join("docs/FAULTS.md")).expect("a text");
    // What is quoted and reads `module::name` is a test.
    let named = catalogue.split('`').skip(1).step_by(2);
    let named: Vec<_> = named
        .filter_map(|quoted| quoted.split_once("::"))
        .filter(|(module, _)| module.starts_with(|c: char| c.is_ascii_lowercase()))
        .map(|(_, name)| name.rsplit("::").next().unwrap_or(name))
        .collect();
    assert!(named.len() > 60, "only {} tests are named", named.len());
    let missing: Vec<_> = named
        .iter()
        .filter(|name| !tests.contains(&format!("fn {name}(")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

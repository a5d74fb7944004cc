//! `docs/FAULTS.md` names only tests that exist.

use std::fs;
use std::path::Path;

/// Reads all Rust files below a folder, each with the path of its module.
fn modules_below(folder: &Path, module: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy();
        let module = format!("{module}::{name}");
        if path.is_dir() {
            modules_below(&path, &module, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((module, fs::read_to_string(&path).expect("a text")));
        }
    }
}

#[test]
fn each_test_that_the_catalogue_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut modules = Vec::new();
    modules_below(&root.join("tests/it"), "", &mut modules);
    modules_below(&root.join("src"), "", &mut modules);
    let catalogue = fs::read_to_string(root.join("docs/FAULTS.md")).expect("a text");
    // A quoted `module::name` in lower case is a test. Tests within a file are in its `mod tests`.
    let named = catalogue.split('`').skip(1).step_by(2);
    let named: Vec<_> = named
        .filter(|quoted| quoted.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|quoted| quoted.rsplit_once("::"))
        .collect();
    assert!(named.len() > 60, "only {} tests are named", named.len());
    let exists = |(module, name): &&(&str, &str)| {
        let inner = module.strip_suffix("::tests").unwrap_or(module);
        let (own, inner) = (format!("::{module}"), format!("::{inner}"));
        modules.iter().any(|(path, text)| {
            (*path == own || *path == inner) && text.contains(&format!("fn {name}("))
        })
    };
    let missing: Vec<_> = named.iter().filter(|test| !exists(test)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

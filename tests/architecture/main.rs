//! The architecture of the repository, checked in its sources: which module may use which.
//!
//! `table.rs` has the table. An import that it does not allow fails the test, which reports its
//! file and line, and so does a row of the table that no source needs. The tests of a module may
//! use any other module.

mod graph;
mod paths;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use graph::{Graph, Use, sources};
use table::{FORBIDDEN, GENERATED, PACKAGES, Package, Row};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn graph(package: &Package) -> Graph {
    Graph::read(&root().join(package.source))
}

/// Returns the row of a file: the one with the longest matching path.
fn row_of<'p>(package: &'p Package, file: &str) -> &'p Row {
    let rows = package.rows.iter().filter(|row| is_in(file, row.module));
    rows.max_by_key(|row| row.module.len())
        .unwrap_or_else(|| panic!("`{file}` is in no row of {}", package.source))
}

/// Returns true if a module is the other one, or below it.
fn is_in(module: &str, folder: &str) -> bool {
    module
        .strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn fail_if_any(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn modules_use_what_the_table_allows() {
    let mut wrong = Vec::new();
    for package in &PACKAGES {
        let graph = graph(package);
        let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
        for Use {
            from,
            to,
            line,
            path,
        } in graph.uses()
        {
            let (row, target) = (row_of(package, from), row_of(package, to));
            if row.module == target.module {
                continue;
            }
            used.insert((row.module, target.module));
            if !row.uses.contains(&target.module) {
                let (source, module, other) = (package.source, row.module, target.module);
                wrong.push(format!(
                    "{source}/{from}.rs:{line}: `{module}` uses {path}, of `{other}`, which the table does not allow"
                ));
            }
        }
        for row in package.rows {
            let unused = row
                .uses
                .iter()
                .filter(|uses| !used.contains(&(row.module, **uses)));
            wrong.extend(unused.map(|uses| {
                let (source, module) = (package.source, row.module);
                format!("the table of {source} lets `{module}` use `{uses}`, and nothing does")
            }));
        }
    }
    fail_if_any(&wrong);
}

#[test]
fn the_table_has_no_circle() {
    for package in &PACKAGES {
        let uses: BTreeMap<&str, &[&str]> = package
            .rows
            .iter()
            .map(|row| (row.module, row.uses))
            .collect();
        for row in package.rows {
            let mut seen = BTreeSet::new();
            let mut open: Vec<&str> = row.uses.to_vec();
            while let Some(module) = open.pop() {
                if seen.insert(module) {
                    open.extend(uses[module]);
                }
            }
            let source = package.source;
            assert!(
                !seen.contains(row.module),
                "`{}` of {source} is in a circle",
                row.module
            );
        }
    }
}

/// Files may use each other if one is `x.rs` and the others are in its folder `x/`.
#[test]
fn files_of_different_folders_are_in_no_circle() {
    let mut wrong = Vec::new();
    for package in &PACKAGES {
        for circle in graph(package).circles() {
            let has_parent = circle
                .iter()
                .any(|parent| circle.iter().all(|file| is_in(file, parent)));
            if !has_parent {
                wrong.push(format!("{}: {}", package.source, circle.join(", ")));
            }
        }
    }
    fail_if_any(&wrong);
}

#[test]
fn some_modules_do_without_some_words() {
    let mut wrong = Vec::new();
    for (folder, but, words, rule) in FORBIDDEN {
        let (base, name) = folder.rsplit_once('/').expect("a folder of a folder");
        let mut is_there = false;
        for file in sources(&root().join(base)) {
            let shown = shown(&file);
            let is_meant = shown.strip_prefix(base).is_some_and(|rest| {
                let module = rest.trim_start_matches('/').trim_end_matches(".rs");
                is_in(module, name)
            });
            let is_test = shown.split(['/', '.']).any(|part| part == "tests");
            if !is_meant || is_test || but.iter().any(|but| shown == *but) {
                continue;
            }
            is_there = true;
            let text = fs::read_to_string(&file).expect("a source");
            for (number, line) in paths::code(&text).lines().enumerate() {
                let number = number + 1;
                let found = words.iter().filter(|word| line.contains(**word));
                wrong.extend(found.map(|word| format!("{shown}:{number}: `{word}`: {rule}")));
            }
        }
        assert!(is_there, "{folder} has no file");
    }
    fail_if_any(&wrong);
}

#[test]
fn the_engine_depends_on_no_server() {
    let manifest = fs::read_to_string(root().join("catalog/Cargo.toml")).expect("the manifest");
    let (_, behind) = manifest
        .split_once("\n[dependencies]\n")
        .expect("dependencies");
    let dependencies = behind.split("\n[").next().unwrap_or_default();
    let names: Vec<&str> = dependencies
        .lines()
        .filter_map(|line| line.split(" =").next())
        .collect();
    let names: Vec<&str> = names
        .into_iter()
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .collect();
    assert_eq!(
        names,
        [
            "bowline-migrations",
            "bowline-sql",
            "regex",
            "rowan",
            "serde",
            "serde_json",
            "squawk-lexer",
            "squawk-line-index",
            "squawk-parser",
            "squawk-syntax"
        ]
    );
}

#[test]
fn files_are_short_and_none_is_a_mod_rs() {
    const MOST_LINES: usize = 500;
    let mut wrong = Vec::new();
    for folder in [
        "catalog", "cli", "macros", "plan", "sql", "src", "testkit", "tests",
    ] {
        for file in sources(&root().join(folder)) {
            let shown = shown(&file);
            if GENERATED.iter().any(|part| shown.starts_with(part)) {
                continue;
            }
            if file.ends_with("mod.rs") {
                wrong.push(format!("{shown}: a module is `x.rs` beside `x/`"));
            }
            let lines = fs::read_to_string(&file).expect("a source").lines().count();
            if lines > MOST_LINES {
                wrong.push(format!("{shown}: {lines} lines; split it by meaning"));
            }
        }
    }
    fail_if_any(&wrong);
}

/// rustfmt wraps comments only with settings that are not stable.
#[test]
fn comments_are_no_wider_than_code() {
    const WIDTH: usize = 100;
    let mut wrong = Vec::new();
    for folder in [
        "catalog/src",
        "cli/src",
        "macros",
        "plan",
        "sql",
        "src",
        "testkit",
    ] {
        for file in sources(&root().join(folder)) {
            let text = fs::read_to_string(&file).expect("a source");
            let mut is_code = false;
            for (number, line) in text.lines().enumerate() {
                let Some(comment) = line.trim_start().strip_prefix("//") else {
                    continue;
                };
                let comment = comment.trim_start_matches(['/', '!']).trim_start();
                is_code ^= comment.starts_with("```");
                // Tables and examples have lines of their own, and an address cannot be wrapped.
                let may_be_long = is_code || comment.starts_with('|') || comment.contains("://");
                if line.chars().count() > WIDTH && !may_be_long {
                    wrong.push(format!("{}:{}: wrap the comment", shown(&file), number + 1));
                }
            }
        }
    }
    fail_if_any(&wrong);
}

/// What a test shows is read in lists, beside the claim that it proves.
#[test]
fn functions_that_the_overview_names_exist() {
    let page = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("the page");
    // Names in backticks are every second part: a path, or a name with an underscore or `()`.
    let is_path = |name: &str| {
        name.chars()
            .all(|c| c.is_alphanumeric() || "_:()".contains(c))
    };
    let named: BTreeSet<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| is_path(name) && (name.contains(['_', '(']) || name.contains("::")))
        .filter_map(|name| name.trim_end_matches("()").rsplit("::").next())
        .filter(|name| !name.contains(['(', ')']))
        .collect();
    assert!(named.len() > 15, "only {named:?} are named");
    let mut words = BTreeSet::new();
    for folder in ["src", "sql", "catalog", "plan", "macros", "cli"] {
        for file in sources(&root().join(folder)) {
            let source = fs::read_to_string(&file).expect("a readable source");
            let lines = source.lines().map(str::trim_start);
            let code = lines.filter(|line| !line.starts_with("//"));
            let found =
                code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
            words.extend(found.map(str::to_owned));
        }
    }
    let missing: Vec<String> = named
        .into_iter()
        .filter(|name| !words.contains(*name))
        .map(|name| format!("docs/ARCHITECTURE.md names `{name}`, which no source has"))
        .collect();
    fail_if_any(&missing);
}

#[test]
fn names_of_tests_are_short() {
    const LONGEST: usize = 54;
    let mut wrong = Vec::new();
    let folders = [
        "benches", "catalog", "cli", "docs", "examples", "fuzz", "macros", "plan", "sql", "src",
        "testkit", "tests",
    ];
    let files = folders
        .iter()
        .flat_map(|folder| sources(&root().join(folder)));
    // Packages outside of the workspace have target folders of their own.
    for file in files.filter(|file| !shown(file).contains("/target/")) {
        let text = fs::read_to_string(&file).expect("a source");
        let mut is_test = false;
        for line in text.lines().map(str::trim_start) {
            if line.starts_with("#[") {
                is_test |= line.starts_with("#[test]") || line.contains("::test");
                continue;
            }
            let name = line.strip_prefix("async ").unwrap_or(line);
            if let Some(name) = name.strip_prefix("fn ").filter(|_| is_test) {
                let name = name.split('(').next().unwrap_or(name);
                if name.len() > LONGEST {
                    let shown = shown(&file);
                    wrong.push(format!("{shown}: {name} has {} letters", name.len()));
                }
            }
            is_test = false;
        }
    }
    fail_if_any(&wrong);
}

fn shown(file: &Path) -> String {
    let file: PathBuf = file.strip_prefix(root()).unwrap_or(file).to_owned();
    file.to_string_lossy().into_owned()
}

#[test]
fn published_packages_have_licences_and_a_page() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace");
    let members = manifest
        .lines()
        .find_map(|line| line.strip_prefix("members = "))
        .expect("the members");
    let members = members.split('"').skip(1).step_by(2);
    let mut wrong = Vec::new();
    for member in members.chain(["."]) {
        let folder = root().join(member);
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        let has = |key: &str| manifest.lines().any(|line| line.starts_with(key));
        if has("publish = false") {
            continue;
        }
        let keys = [
            "description",
            "license",
            "repository",
            "keywords",
            "categories",
        ];
        let lacks = keys.into_iter().filter(|key| !has(key));
        wrong.extend(lacks.map(|key| format!("{member} lacks {key}")));
        let files = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];
        let lacks = files.into_iter().filter(|file| !folder.join(file).exists());
        wrong.extend(lacks.map(|file| format!("{member} lacks {file}")));
    }
    fail_if_any(&wrong);
}

//! `bowline init`: adds what is missing, reports it, and changes nothing else.

mod layouts;
mod refusals;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Project;
use crate::scratch::checkout;

const CARGO_TOML: (&str, &str) = (
    "Cargo.toml",
    "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n",
);
const MAIN: (&str, &str) = (
    "src/main.rs",
    "fn main() {\n    println!(\"Hello, world!\");\n}\n",
);
const LIBRARY: (&str, &str) = (
    "src/lib.rs",
    "//! A shop.\n\npub mod models;\npub mod schema;\n",
);

/// Returns the output of `bowline init`.
fn printed(project: &Project, arguments: &[&str]) -> String {
    undated(&project.printed(&[&["init"], arguments].concat(), &[]))
}

/// Removes texts that differ from run to run: the path of this checkout, and the time in the first
/// migration's name.
fn undated(text: &str) -> String {
    let text = text.replace(&checkout().display().to_string(), "[bowline]");
    let end = text.find("_create_notes");
    let version = end.and_then(|end| text[..end].rsplit('/').next());
    version.map_or(text.clone(), |version| text.replace(version, "[now]"))
}

/// Returns every file with its text.
fn files(project: &Project) -> BTreeMap<String, String> {
    fn collect(folder: &Path, root: &Path, files: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, root, files);
            } else {
                let name = path.strip_prefix(root).expect("in it");
                let text = fs::read_to_string(&path).expect("a text");
                files.insert(name.display().to_string(), text);
            }
        }
    }
    let mut files = BTreeMap::new();
    collect(project.0.path(), project.0.path(), &mut files);
    files
}

/// Returns the files that have changed.
fn changed(project: &Project, before: &BTreeMap<String, String>) -> String {
    let after = files(project).into_iter();
    let changed = after.filter(|(name, text)| before.get(name) != Some(text));
    let texts = changed.map(|(name, text)| format!("--- {name}\n{text}"));
    undated(&texts.collect::<String>())
}

#[test]
fn a_new_package_gets_what_it_lacks_once() {
    let project = Project::bare(&[CARGO_TOML, MAIN]);
    fs::create_dir(project.path(".git")).expect("a folder");
    let before = files(&project);
    let planned = printed(&project, &["--dry-run"]);
    assert_eq!(files(&project), before, "--dry-run writes nothing");
    let done = printed(&project, &[]);
    insta::assert_snapshot!(done, @"
    changed Cargo.toml: bowline, chrono, diesel, serde
    wrote   diesel.toml
    wrote   migrations/[now]_create_notes/up.sql
    wrote   migrations/[now]_create_notes/down.sql
    wrote   build.rs
    changed src/main.rs: mod db;
    wrote   .env.example
    wrote   .gitignore
    wrote   .gitattributes
    next: write your tables in the migrations, then run `bowline generate`
    exit 0
    ");
    assert!(
        planned.ends_with("nothing was written, because of --dry-run\nexit 0"),
        "{planned}"
    );
    let lines = |text: &str| text.lines().take(8).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&planned), lines(&done));
    insta::assert_snapshot!("new_package", changed(&project, &before));
    let after = files(&project);
    insta::assert_snapshot!(printed(&project, &[]), @r"
    nothing is missing
    exit 0
    ");
    insta::assert_snapshot!(printed(&project, &["--dry-run"]), @r"
    nothing is missing
    exit 0
    ");
    assert_eq!(files(&project), after);
    // `generate` finds all files that it needs.
    insta::assert_snapshot!(project.printed(&["generate"], &[]), @r"
    wrote   src/db/mod.rs
    wrote   src/db/notes.rs
    wrote   src/db/schema.rs
    3 files, 3 changed
    exit 0
    ");
    insta::assert_snapshot!(printed(&project, &[]), @r"
    nothing is missing
    exit 0
    ");
}

#[test]
fn a_package_on_diesel_keeps_its_files() {
    let project = Project::bare(&[
        (
            "Cargo.toml",
            "[package]\nname = \"shop\"\nedition = \"2021\"\n\n[dependencies]\n\
             diesel = { version = \"2.2.0\", features = [\"postgres\"] } # the database\ndotenvy = \"0.15\"\n",
        ),
        LIBRARY,
        MAIN,
        ("src/models.rs", "use crate::schema::posts;\n"),
        ("src/schema.rs", "// by diesel\n"),
        ("diesel.toml", "[print_schema]\nfile = \"src/schema.rs\"\n"),
        (
            "migrations/2020-01-01-000000_posts/up.sql",
            "CREATE TABLE posts (id serial PRIMARY KEY, at timestamp NOT NULL, price numeric, token uuid, peer inet);",
        ),
        (".env.sample", "DATABASE_URL=postgres://localhost/shop\n"),
        (".gitignore", "/target\n.env\n"),
    ]);
    let before = files(&project);
    insta::assert_snapshot!(printed(&project, &["--bowline", "0.1"]), @r"
    changed Cargo.toml: bowline (numeric, network-address, uuid), chrono, serde
    wrote   build.rs
    changed src/lib.rs: pub mod db;
    next: write your tables in the migrations, then run `bowline generate`
    exit 0
    ");
    insta::assert_snapshot!(changed(&project, &before), @r#"
    --- Cargo.toml
    [package]
    name = "shop"
    edition = "2021"

    [dependencies]
    bowline = { version = "0.1", features = ["numeric", "network-address", "uuid"] }
    chrono = { version = "0.4", features = ["serde"] }
    diesel = { version = "2.2.0", features = ["postgres"] } # the database
    dotenvy = "0.15"
    serde = { version = "1", features = ["derive"] }
    --- build.rs
    fn main() {
        println!("cargo::rerun-if-changed=migrations");
    }
    --- src/lib.rs
    //! A shop.

    pub mod db;
    pub mod models;
    pub mod schema;
    "#);
    insta::assert_snapshot!(printed(&project, &["--bowline", "0.1"]), @r"
    note: Cargo.toml has the dependency bowline already, so --bowline has no effect
    nothing is missing
    exit 0
    ");
}

#[test]
fn dependencies_of_columns_are_noted_and_added() {
    let project = Project::bare(&[CARGO_TOML, MAIN]);
    printed(&project, &[]);
    project.write(
        "migrations/2999_more/up.sql",
        "CREATE TABLE things (id uuid PRIMARY KEY, price numeric, peer inet, more jsonb);",
    );
    insta::assert_snapshot!(project.printed(&["generate"], &[]), @r#"
    note: Cargo.toml lacks dependencies of the generated code, which `bowline init` adds:
          bowline: features = ["numeric", "network-address", "uuid"]
          serde_json = "1"
    wrote   src/db/mod.rs
    wrote   src/db/notes.rs
    wrote   src/db/schema.rs
    wrote   src/db/things.rs
    4 files, 4 changed
    exit 0
    "#);
    let before = files(&project);
    insta::assert_snapshot!(printed(&project, &[]), @r"
    changed Cargo.toml: bowline (numeric, network-address, uuid), serde_json
    exit 0
    ");
    insta::assert_snapshot!(changed(&project, &before), @r#"
    --- Cargo.toml
    [package]
    name = "shop"
    version = "0.1.0"
    edition = "2024"

    [dependencies]
    bowline = { path = "[bowline]", features = ["numeric", "network-address", "uuid"] }
    chrono = { version = "0.4", features = ["serde"] }
    diesel = { version = "2.3.14", default-features = false, features = ["postgres_backend", "chrono"] }
    serde = { version = "1", features = ["derive"] }
    serde_json = "1"
    "#);
    insta::assert_snapshot!(project.printed(&["generate"], &[]), @r"
    4 files, 0 changed
    exit 0
    ");
}

#[test]
fn generate_notes_what_init_would_add() {
    let project = Project::bare(&[
        CARGO_TOML,
        MAIN,
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE a (id int PRIMARY KEY);",
        ),
    ]);
    insta::assert_snapshot!(project.printed(&["generate"], &[]), @r#"
    note: Cargo.toml lacks dependencies of the generated code, which `bowline init` adds:
          diesel = { version = "2.3.14", default-features = false, features = ["postgres_backend"] }
          serde = { version = "1", features = ["derive"] }
    note: cargo does not notice a new file in migrations: build.rs lacks the line println!("cargo::rerun-if-changed=migrations");, which `bowline init` adds
    wrote   src/db/a.rs
    wrote   src/db/mod.rs
    wrote   src/schema.rs
    3 files, 3 changed
    exit 0
    "#);
}

#[test]
fn a_member_inherits_from_the_workspace() {
    let project = Project::bare(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"shop\"]\n[workspace.package]\nedition = \"2021\"\n\
             [workspace.dependencies]\nbowline = { version = \"0.1\", features = [\"uuid\"] }\ndiesel = \"2.3.14\"\n",
        ),
        (
            "shop/Cargo.toml",
            "[package]\nname = \"shop\"\nedition.workspace = true\n\n[dependencies]\nbowline.workspace = true\ndiesel.workspace = true\n",
        ),
        ("shop/src/main.rs", MAIN.1),
        (
            "shop/migrations/1_a/up.sql",
            "CREATE TABLE a (id uuid PRIMARY KEY, price numeric);",
        ),
    ]);
    insta::assert_snapshot!(printed(&project, &[]), @r"
    error: [project]/Cargo.toml belongs to a workspace, which has no code of its own
    hint: run this in the folder of one of its members: shop
    exit 1
    ");
    let before = files(&project);
    let output = crate::bowline(&project.path("shop"), &["init", "--bowline", "0.1"], &[]);
    assert!(output.status.success());
    let changed = changed(&project, &before);
    let cargo_toml = changed
        .split("---")
        .find(|file| file.contains("Cargo.toml"));
    insta::assert_snapshot!(cargo_toml.expect("it is changed"), @r#"
     shop/Cargo.toml
    [package]
    name = "shop"
    edition.workspace = true

    [dependencies]
    bowline.features = ["numeric"]
    bowline.workspace = true
    diesel.workspace = true
    serde = { version = "1", features = ["derive"] }
    "#);
}

#[test]
fn settings_apply_only_to_the_package_they_name() {
    let member = "[package]\nname = \"a\"\nedition = \"2024\"\n";
    let project = Project::bare(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"app\", \"other\"]\n",
        ),
        (
            "diesel.toml",
            "[print_schema]\nfile = \"app/src/schema.rs\"\n",
        ),
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE a (id int PRIMARY KEY);",
        ),
        ("app/Cargo.toml", member),
        ("app/src/lib.rs", "pub mod schema;\n"),
        ("other/Cargo.toml", member),
        ("other/src/lib.rs", ""),
    ]);
    let printed = |folder| {
        let init = ["init", "--bowline", "0.1"];
        let output = crate::bowline(&project.path(folder), &init, &[]);
        let printed = String::from_utf8(output.stderr).expect("text");
        let here = project.0.path().canonicalize().expect("the folder");
        printed.replace(&here.display().to_string(), "[project]")
    };
    insta::assert_snapshot!(printed("other"), @r"
    error: the settings name the folder [project]/app/src/db for the generated code, which is not in this package
    hint: run this in the package of the code, or give this package its own diesel.toml
    ");
    insta::assert_snapshot!(printed("app"), @r"
    changed Cargo.toml: bowline, diesel, serde
    wrote   build.rs
    changed src/lib.rs: pub mod db;
    wrote   .env.example
    next: write your tables in the migrations, then run `bowline generate`
    ");
    insta::assert_snapshot!(project.read("app/build.rs"), @r#"
    fn main() {
        println!("cargo::rerun-if-changed=../migrations");
    }
    "#);
    insta::assert_snapshot!(project.printed(&["generate"], &[]), @r"
    wrote   app/src/db/a.rs
    wrote   app/src/db/mod.rs
    wrote   app/src/schema.rs
    3 files, 3 changed
    exit 0
    ");
    let module = project.read("app/src/db/mod.rs");
    assert!(module.contains(
        "::bowline::migrations! {\n    format = 2,\n    folder = \"../migrations\",\n    migrations = {\n        \
         \"1_a\" => 0x09b2bf6c7666d157,\n    },\n"
    ), "{module}");
    assert!(
        project
            .read("app/src/db/a.rs")
            .contains("use crate::schema::")
    );
}

#[test]
fn the_source_of_bowline_can_be_named() {
    let with = |arguments: &[&str]| {
        let project = Project::bare(&[CARGO_TOML, MAIN]);
        let printed = printed(&project, arguments);
        let text = project.read("Cargo.toml");
        let line = text.lines().find(|line| line.starts_with("bowline"));
        line.map_or(printed, undated)
    };
    assert_eq!(with(&[]), "bowline = { path = \"[bowline]\" }");
    let checkout = checkout().display().to_string();
    assert_eq!(
        with(&["--bowline", &checkout]),
        "bowline = { path = \"[bowline]\" }"
    );
    assert_eq!(with(&["--bowline", "=0.1.7"]), "bowline = \"=0.1.7\"");
    insta::assert_snapshot!(with(&["--bowline", "../nowhere"]), @r"
    error: ../nowhere is neither a version nor a folder with the code of bowline
    hint: pass the folder of bowline's Cargo.toml: --bowline ../bowline
    exit 1
    ");
}

#[test]
fn a_build_script_is_changed_only_if_that_is_safe() {
    let with = |script: &str| {
        let project = Project::bare(&[CARGO_TOML, MAIN, ("build.rs", script)]);
        let printed = printed(&project, &[]);
        let about = printed.lines().filter(|line| line.contains("build.rs"));
        let about = about.collect::<Vec<_>>().join("\n");
        format!("{about}\n{}", project.read("build.rs"))
    };
    insta::assert_snapshot!(with("fn main() {\n    println!(\"cargo::rerun-if-changed=proto\");\n}\n"), @r#"
    changed build.rs: println!("cargo::rerun-if-changed=migrations");
    fn main() {
        println!("cargo::rerun-if-changed=migrations");
        println!("cargo::rerun-if-changed=proto");
    }
    "#);
    insta::assert_snapshot!(with("fn main() {\n    compile();\n}\n"), @r#"
    note: build.rs was not changed; if it has other rerun-if lines, add this one to its main function, so that cargo notices a new migration: println!("cargo::rerun-if-changed=migrations");
    fn main() {
        compile();
    }
    "#);
}

#[test]
fn the_folder_of_the_settings_is_used() {
    let settings = ("bowline.toml", "folder = \"src/data\"\n");
    let project = Project::bare(&[CARGO_TOML, settings, MAIN, ("src/db.rs", "// mine\n")]);
    assert!(printed(&project, &[]).contains("src/main.rs: mod data;"));
    assert!(project.read("diesel.toml").contains("src/data/schema.rs"));
    assert!(
        project
            .printed(&["generate"], &[])
            .contains("wrote   src/data/mod.rs")
    );
}

#[test]
fn a_file_keeps_its_line_ends() {
    let windows = |text: &str| text.replace('\n', "\r\n");
    let texts = [CARGO_TOML, MAIN].map(|(name, text)| (name, windows(text)));
    let files_there = texts.each_ref().map(|(name, text)| (*name, text.as_str()));
    let project = Project::bare(&files_there);
    printed(&project, &[]);
    let main = project.read("src/main.rs");
    assert_eq!(main, windows(&format!("mod db;\n\n{}", MAIN.1)));
    let manifest = project.read("Cargo.toml");
    assert!(manifest.contains("bowline"), "{manifest}");
    assert_eq!(
        manifest.matches('\n').count(),
        manifest.matches("\r\n").count()
    );
    assert!(
        !project.read("build.rs").contains('\r'),
        "a new file's end as here"
    );
}

#[test]
fn the_env_file_is_ignored_by_git() {
    let ignored = |line: &str| {
        let project = Project::bare(&[CARGO_TOML, MAIN, (".gitignore", line)]);
        fs::create_dir(project.path(".git")).expect("a folder");
        printed(&project, &[]);
        project.read(".gitignore")
    };
    for enough in [".env\n", ".env*\n", "**/.env\n", "/.env\n"] {
        assert_eq!(ignored(enough), enough);
    }
    // In git's syntax, these patterns do not match `.env`.
    for too_little in [".env.*\n", "/target\n"] {
        assert_eq!(ignored(too_little), format!("{too_little}.env\n"));
    }
}

#[test]
fn generated_files_are_marked_in_gitattributes() {
    let marked = |attributes: Option<&str>| {
        let project = Project::bare(&[CARGO_TOML, MAIN]);
        fs::create_dir(project.path(".git")).expect("a folder");
        if let Some(attributes) = attributes {
            project.write(".gitattributes", attributes);
        }
        printed(&project, &[]);
        project.read(".gitattributes")
    };
    let line = "src/db/** linguist-generated\n";
    assert_eq!(marked(None), line);
    assert_eq!(marked(Some("*.sql text")), format!("*.sql text\n{line}"));
    for enough in [
        line,
        "src/db/** -linguist-generated\n",
        "src/db/** linguist-generated=true\n",
    ] {
        assert_eq!(marked(Some(enough)), enough);
    }
}

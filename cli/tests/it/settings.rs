//! `bowline.toml`: where it is found, and how settings are moved to it from `Cargo.toml`.

mod named;
mod tables;

use std::fs;
use std::path::Path;

use crate::{Project, bowline};

const ACCOUNTS: (&str, &str) = (
    "migrations/1_a/up.sql",
    "CREATE TABLE accounts (id serial PRIMARY KEY);",
);

const PACKAGE: &str = "[package]\nname = \"a\"\nversion = \"0.1.0\"\n";

fn generate(project: &Project) -> String {
    project.printed(&["generate", "--offline"], &[])
}

#[test]
fn settings_are_in_a_file_beside_cargo_toml() {
    let project = Project::new(&[
        ACCOUNTS,
        ("Cargo.toml", PACKAGE),
        ("bowline.toml", "[names]\naccounts = \"Ledger\"\n"),
    ]);
    let printed = generate(&project);
    assert!(
        printed.ends_with("exit 0") && !printed.contains("bowline.toml"),
        "{printed}"
    );
    assert!(
        project
            .read("src/db/accounts.rs")
            .contains("pub struct Ledger {")
    );
}

#[test]
fn the_nearest_file_up_to_the_workspace_applies() {
    let member = |files: &[(&str, &str)]| {
        let project = Project::bare(&[
            ("bowline.toml", "derives = [\"AboveAll\"]\n"),
            ("work/Cargo.toml", "[workspace]\nmembers = [\"app\"]\n"),
            ("work/app/Cargo.toml", PACKAGE),
            ("work/app/migrations/1_a/up.sql", ACCOUNTS.1),
        ]);
        files
            .iter()
            .for_each(|(path, text)| project.write(path, text));
        let output = bowline(&project.path("work/app"), &["generate", "--offline"], &[]);
        assert!(output.status.success(), "{output:?}");
        project
    };
    let accounts = "work/app/src/db/accounts.rs";
    // A file in a folder above the workspace is ignored.
    assert!(!member(&[]).read(accounts).contains("AboveAll"));
    let of_workspace = ("work/bowline.toml", "derives = [\"OfWorkspace\"]\n");
    assert!(
        member(&[of_workspace])
            .read(accounts)
            .contains("OfWorkspace")
    );
    let own = ("work/app/bowline.toml", "derives = [\"Own\"]\n");
    let text = member(&[of_workspace, own]).read(accounts);
    assert!(
        text.contains("Own") && !text.contains("OfWorkspace"),
        "{text}"
    );
    // Paths are relative to the file.
    let folder = ("work/bowline.toml", "folder = \"app/src/data\"\n");
    assert!(member(&[folder]).has("work/app/src/data/accounts.rs"));
}

#[test]
fn a_package_below_diesel_toml_has_its_own_settings() {
    let project = Project::bare(&[
        ACCOUNTS,
        ("Cargo.toml", "[workspace]\nmembers = [\"app\"]\n"),
        (
            "diesel.toml",
            "[print_schema]\nfile = \"app/src/schema.rs\"\n",
        ),
        ("app/Cargo.toml", PACKAGE),
        ("app/bowline.toml", "folder = \"src/data\"\n"),
    ]);
    let printed = generate(&project);
    assert!(printed.ends_with("exit 0"), "{printed}");
    assert!(project.has("app/src/data/accounts.rs"));
}

#[test]
fn settings_without_effect_are_noted() {
    let metadata = "\n[package.metadata.bowline]\nderives = [\"Member\"]\n";
    let project = Project::bare(&[
        ACCOUNTS,
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"app\", \"other\"]\n",
        ),
        (
            "diesel.toml",
            "[print_schema]\nfile = \"app/src/schema.rs\"\n",
        ),
        ("app/Cargo.toml", &format!("{PACKAGE}{metadata}")),
        ("other/Cargo.toml", PACKAGE),
        ("other/bowline.toml", "derives = [\"Other\"]\n"),
        ("bowline.toml", "derives = [\"OfWorkspace\"]\n"),
    ]);
    let notes = |folder: &str| {
        let output = bowline(&project.path(folder), &["generate", "--offline"], &[]);
        assert!(output.status.success(), "{output:?}");
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        let folder = project.path("").canonicalize().expect("the folder");
        let printed = printed.replace(&folder.display().to_string(), "[project]");
        let notes = printed.lines().filter(|line| line.contains("no effect"));
        notes.map(|line| format!("{line}\n")).collect::<String>()
    };
    insta::assert_snapshot!(notes(""), @"note: the settings in [package.metadata.bowline] of app/Cargo.toml have no effect: those in bowline.toml apply");
    insta::assert_snapshot!(notes("other"), @r"
    note: the settings in [package.metadata.bowline] of [project]/app/Cargo.toml have no effect: those in [project]/bowline.toml apply
    note: the settings in bowline.toml have no effect: those in [project]/bowline.toml apply
    ");
    let accounts = project.read("app/src/db/accounts.rs");
    assert!(accounts.contains("OfWorkspace"), "{accounts}");
    // The package of the code may have its own file; the workspace's file then applies to the other
    // packages.
    project.write("app/Cargo.toml", PACKAGE);
    project.write("app/bowline.toml", "derives = [\"Own\"]\n");
    assert_eq!(notes(""), "");
    assert!(project.read("app/src/db/accounts.rs").contains("Own"));
}

#[test]
fn attributes_and_names_are_checked() {
    let project = Project::new(&[ACCOUNTS, ("Cargo.toml", PACKAGE)]);
    let settings = "[tables.accounts.columns]\nid.attributes = [\"serde(skip\", \"#[a]\"]\n";
    project.write("bowline.toml", settings);
    insta::assert_snapshot!(generate(&project), @r##"
    error: "serde(skip" is not an attribute, which is written without `#[` and `]`
     --> bowline.toml:2:18
      |
    2 | id.attributes = ["serde(skip", "#[a]"]
      |                  ^^^^^^^^^^^^

    error: "#[a]" is not an attribute, which is written without `#[` and `]`
     --> bowline.toml:2:32
      |
    2 | id.attributes = ["serde(skip", "#[a]"]
      |                                ^^^^^^

    error: no code can be generated: 2 problems
    exit 1
    "##);
    project.write("bowline.toml", "database = \"\"\n");
    insta::assert_snapshot!(generate(&project), @r#"
    error: a database without a name takes every statement
     --> bowline.toml:1:1
      |
    1 | database = ""
      | ^^^^^^^^

    error: the setting `database` is empty
    hint: write a name, or leave the setting out
    exit 1
    "#);
}

#[test]
fn a_wrong_setting_is_shown_with_its_line() {
    let printed = |settings: &str| {
        let project = Project::new(&[ACCOUNTS, ("Cargo.toml", PACKAGE)]);
        project.write("bowline.toml", settings);
        generate(&project)
    };
    insta::assert_snapshot!(printed("[names]\nacounts = \"Ledger\"\n"), @r#"
    error: there is no table or enum acounts
     --> bowline.toml:2:1
      |
    2 | acounts = "Ledger"
      | ^^^^^^^
      |
    help: did you mean accounts?

    error: no code can be generated: 1 problem
    exit 1
    "#);
    insta::assert_snapshot!(printed("leaveout = []\n"), @r"
    error: unknown field `leaveout`
     --> bowline.toml:1:1
      |
    1 | leaveout = []
      | ^^^^^^^^

    error: [project]/bowline.toml is not valid
    hint: did you mean leave_out?
    hint: the guide's page on settings lists the keys of bowline.toml
    exit 1
    ");
    insta::assert_snapshot!(printed("[names]\naccounts = 1\n"), @r"
    error: invalid type: integer `1`
     --> bowline.toml:2:12
      |
    2 | accounts = 1
      |            ^

    error: [project]/bowline.toml is not valid
    hint: the guide's page on settings lists the keys of bowline.toml
    exit 1
    ");
    insta::assert_snapshot!(printed("[names\n"), @r"
    error: unclosed table
     --> bowline.toml:1:1
      |
    1 | [names
      | ^^^^^^

    error: [project]/bowline.toml is not valid
    hint: the guide's page on settings lists the keys of bowline.toml
    exit 1
    ");
}

#[test]
fn settings_in_cargo_toml_are_read_with_a_note() {
    for table in ["package", "workspace"] {
        let manifest =
            format!("{PACKAGE}\n[{table}.metadata.bowline.names]\naccounts = \"Ledger\"\n");
        let project = Project::new(&[ACCOUNTS, ("Cargo.toml", &manifest)]);
        let printed = generate(&project);
        let note = format!(
            "note: [{table}.metadata.bowline] in Cargo.toml is replaced by bowline.toml; \
             `bowline init --move-settings` moves it\n"
        );
        assert_eq!(printed.matches(&note).count(), 1, "{printed}");
        assert!(printed.ends_with("exit 0"), "{printed}");
        assert!(
            project
                .read("src/db/accounts.rs")
                .contains("pub struct Ledger {")
        );
    }
}

#[test]
fn settings_in_both_files_are_refused() {
    let manifest = format!(
        "{PACKAGE}\n[package.metadata.bowline]\nderives = [\"Eq\"]\n\n\
         [package.metadata.bowline.names]\naccounts = \"Ledger\"\n"
    );
    let project = Project::new(&[ACCOUNTS, ("Cargo.toml", &manifest)]);
    project.write("bowline.toml", "# Ours.\nderives = [\"Hash\"]\n");
    insta::assert_snapshot!(generate(&project), @r#"
    error: `derives` is set twice
     --> Cargo.toml:6:1
      |
    6 | derives = ["Eq"]
      | ^^^^^^^
      |
     ::: bowline.toml:2:1
      |
    2 | derives = ["Hash"]
      | ^^^^^^^

    error: Bowline's settings are in [package.metadata.bowline] of Cargo.toml and in bowline.toml
    hint: remove one of each; `bowline init --move-settings` then moves the rest
    exit 1
    "#);
    let refused = project.printed(&["init", "--move-settings"], &[]);
    assert!(refused.contains("`derives` is set twice"), "{refused}");
    assert_eq!(project.read("Cargo.toml"), manifest);
    project.write("bowline.toml", "leave_out = []\n");
    insta::assert_snapshot!(generate(&project), @r"
    error: Bowline's settings are in [package.metadata.bowline] of Cargo.toml and in bowline.toml
    hint: `bowline init --move-settings` moves those in Cargo.toml to bowline.toml
    exit 1
    ");
    let workspace = "[workspace.metadata.bowline]\nderives = []\n";
    project.write("Cargo.toml", &format!("{manifest}{workspace}"));
    fs::remove_file(project.path("bowline.toml")).expect("it is removed");
    insta::assert_snapshot!(generate(&project), @r"
    error: Bowline's settings are in [package.metadata.bowline] of Cargo.toml and in [workspace.metadata.bowline] of Cargo.toml
    hint: keep one of the two tables
    exit 1
    ");
}

#[test]
fn settings_are_moved_on_request() {
    let before = format!("{PACKAGE}\n# Kept.\n[lib]\npath = \"src/lib.rs\" # as usual\n");
    let settings = "\n# What bowline generates.\n[package.metadata.bowline]\nderives = [\"Eq\"] # all rows\n\n\
        [package.metadata.bowline.names]\n# The word of the business.\naccounts = \"Ledger\"\n";
    let after = "\n[dependencies]\n# none yet\n";
    let project = Project::new(&[
        ACCOUNTS,
        ("Cargo.toml", &format!("{before}{settings}{after}")),
    ]);
    project.write("src/lib.rs", "");
    generate(&project);
    let generated = project.read("src/db/accounts.rs");
    let dry = project.printed(&["init", "--move-settings", "--dry-run"], &[]);
    assert!(!project.has("bowline.toml"));
    let moved = project.printed(&["init", "--move-settings"], &[]);
    insta::assert_snapshot!(dry, @r"
    wrote   bowline.toml
    changed Cargo.toml: without the settings of [package.metadata.bowline]
    nothing was written, because of --dry-run
    exit 0
    ");
    insta::assert_snapshot!(moved, @r"
    wrote   bowline.toml
    changed Cargo.toml: without the settings of [package.metadata.bowline]
    exit 0
    ");
    assert_eq!(project.read("Cargo.toml"), format!("{before}{after}"));
    insta::assert_snapshot!(project.read("bowline.toml"), @r#"
    # What bowline generates.
    derives = ["Eq"] # all rows

    [names]
    # The word of the business.
    accounts = "Ledger"
    "#);
    let check = project.printed(&["generate", "--check", "--offline"], &[]);
    assert!(
        check.ends_with("up to date\nexit 0") && !check.contains("is replaced by"),
        "{check}"
    );
    assert!(generated.contains("pub struct Ledger {"), "{generated}");
    insta::assert_snapshot!(project.printed(&["init", "--move-settings"], &[]), @r"
    note: Cargo.toml has no settings of Bowline's, so there is nothing to move
    exit 0
    ");
}

#[test]
fn settings_are_moved_into_a_file_that_has_others() {
    let manifest = format!(
        "{PACKAGE}\n[package.metadata.bowline]\nderives = [\"Eq\"]\n\n\
         [package.metadata.bowline.keys]\nvisits = [\"at\"]\n"
    );
    let moved = |own: &str| {
        let project = Project::new(&[("Cargo.toml", &manifest), ("bowline.toml", own)]);
        let printed = project.printed(&["init", "--move-settings"], &[]);
        assert!(printed.ends_with("exit 0"), "{printed}");
        assert_eq!(project.read("Cargo.toml"), PACKAGE);
        project.read("bowline.toml")
    };
    let tables = "[keys]\nvisits = [\"at\"]\n";
    assert_eq!(
        moved("# Ours.\n"),
        format!("# Ours.\n\nderives = [\"Eq\"]\n\n{tables}")
    );
    assert_eq!(
        moved("leave_out = []\n\n# Names.\n[names]\na = \"B\"\n"),
        format!("leave_out = []\n\nderives = [\"Eq\"]\n\n# Names.\n[names]\na = \"B\"\n\n{tables}")
    );
}

#[test]
fn settings_without_a_header_are_moved_by_hand() {
    let manifest = "[package]\nname = \"a\"\n\n[package.metadata]\nbowline.derives = [\"Eq\"]\n";
    let project = Project::new(&[("Cargo.toml", manifest)]);
    insta::assert_snapshot!(project.printed(&["init", "--move-settings"], &[]), @r#"
    error: this setting is written without a header
     --> Cargo.toml:5:9
      |
    5 | bowline.derives = ["Eq"]
      |         ^^^^^^^

    error: only settings under the header [package.metadata.bowline] can be moved
    hint: write this one to bowline.toml yourself, and remove it from Cargo.toml
    exit 1
    "#);
    assert_eq!(project.read("Cargo.toml"), manifest);
    assert!(!project.has("bowline.toml"));
}

#[test]
fn the_example_of_the_guide_is_accepted() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/settings.md");
    let page = fs::read_to_string(page).expect("the page");
    let example = page
        .split("```toml bowline.toml\n")
        .nth(1)
        .expect("an example");
    let example = example.split("```").next().expect("its end");
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE SCHEMA audit;
             CREATE TYPE audit.state AS ENUM ('seen');
             CREATE TYPE blood AS ENUM ('0+', '0-');
             CREATE DOMAIN email AS text;
             CREATE TABLE userdata (id serial PRIMARY KEY, state audit.state, blood blood);
             CREATE TABLE accounts (id serial PRIMARY KEY);
             CREATE TABLE posts (id serial PRIMARY KEY, author_id int REFERENCES accounts, editor_id int REFERENCES accounts);
             CREATE TABLE visits (user_id int NOT NULL, at timestamptz NOT NULL);",
        ),
        ("bowline.toml", example),
    ]);
    let printed = generate(&project);
    assert!(printed.ends_with("exit 0"), "{printed}");
    for (file, text) in [
        ("userdata", "pub struct Profile {"),
        ("types", "ZeroPlus"),
        ("types", "enum AuditState"),
        ("accounts", "diesel::QueryableByName"),
    ] {
        assert!(
            project.read(&format!("src/data/{file}.rs")).contains(text),
            "{text}"
        );
    }
    assert!(!project.read("src/data/accounts.rs").contains("fn delete("));
    let schema = project.read("src/db/schema.rs");
    assert!(schema.contains("visits (user_id, at) {"), "{schema}");
    assert!(
        schema.contains("joinable!(posts -> accounts (author_id))"),
        "{schema}"
    );
}

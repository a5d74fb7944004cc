//! Packages with files in other folders, or in another format, than cargo creates them.

use super::*;
use crate::bowline;

#[test]
fn modules_are_beside_the_root_of_the_library() {
    let manifest = format!("{}\n[lib]\npath = \"lib/shop.rs\"\n", CARGO_TOML.1);
    let project = Project::bare(&[("Cargo.toml", &manifest), ("lib/shop.rs", "//! A shop.\n")]);
    let printed = printed(&project, &[]);
    assert!(
        printed.contains("changed lib/shop.rs: pub mod db;"),
        "{printed}"
    );
    assert!(
        project
            .read("diesel.toml")
            .contains("file = \"lib/db/schema.rs\"")
    );
    let generated = project.printed(&["generate"], &[]);
    assert!(generated.contains("wrote   lib/db/mod.rs"), "{generated}");
}

#[test]
fn a_folder_named_like_a_keyword_is_a_raw_module() {
    let settings = ("bowline.toml", "folder = \"src/type\"\n");
    let project = Project::bare(&[CARGO_TOML, MAIN, settings]);
    let first = printed(&project, &[]);
    assert!(
        first.contains("changed src/main.rs: mod r#type;"),
        "{first}"
    );
    assert!(printed(&project, &[]).contains("nothing is missing"));
}

#[test]
fn optional_dependencies_are_noted() {
    let diesel = "diesel = { version = \"2.3.14\", optional = true }\n";
    let project = Project::bare(&[("Cargo.toml", &format!("{}{diesel}", CARGO_TOML.1)), MAIN]);
    let printed = printed(&project, &[]);
    assert!(
        printed.contains("optional dependencies that the generated code needs: diesel;"),
        "{printed}"
    );
    assert!(project.read("Cargo.toml").contains("optional = true"));
}

#[test]
fn a_byte_order_mark_stays_at_the_beginning() {
    let manifest = format!("\u{feff}{}", CARGO_TOML.1);
    let main = format!("\u{feff}{}", MAIN.1);
    let project = Project::bare(&[("Cargo.toml", &manifest), ("src/main.rs", &main)]);
    let first = printed(&project, &[]);
    assert!(first.contains("changed src/main.rs: mod db;"), "{first}");
    for (file, beginning) in [("Cargo.toml", "[package]"), ("src/main.rs", "mod db;")] {
        let text = project.read(file);
        assert!(
            text.starts_with(&format!("\u{feff}{beginning}")),
            "{text:?}"
        );
        assert_eq!(text.matches('\u{feff}').count(), 1, "{text:?}");
    }
    assert!(printed(&project, &[]).contains("nothing is missing"));
}

#[test]
fn another_folder_of_migrations_is_written_to_diesel_toml() {
    let project = Project::bare(&[
        ("app/Cargo.toml", CARGO_TOML.1),
        ("app/src/main.rs", MAIN.1),
    ]);
    let run = |arguments: &[&str]| {
        let output = bowline(&project.path("app"), arguments, &[]);
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{printed}");
        printed
    };
    run(&["init", "--migration-dir", "../sql/history"]);
    let settings = project.read("app/diesel.toml");
    assert!(
        settings.contains("[migrations_directory]\ndir = \"../sql/history\"\n"),
        "{settings}"
    );
    let script = project.read("app/build.rs");
    assert!(
        script.contains("rerun-if-changed=../sql/history\""),
        "{script}"
    );
    assert!(run(&["generate"]).contains("wrote   src/db/notes.rs"));
    assert!(run(&["init"]).contains("nothing is missing"));
    let note = run(&["init", "--migration-dir", "../other"]);
    assert!(
        note.contains("diesel.toml does not name the folder ../other"),
        "{note}"
    );
}

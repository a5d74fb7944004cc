//! The example of a workspace: migrations outside of the packages, two databases.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::bowline;
use crate::scratch::{cargo_environment, checkout};

/// Copies the example to a folder where it can be changed.
fn copied() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(&checkout().join("examples/workspace"), folder.path());
    let manifest = folder.path().join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("a file");
    let path = format!("path = {:?}", checkout().display().to_string());
    let moved = text.replace("path = \"../..\"", &path);
    assert_ne!(moved, text);
    fs::write(manifest, moved).expect("a file");
    let lock = folder.path().join("Cargo.lock");
    fs::copy(checkout().join("Cargo.lock"), lock).expect("the versions");
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.ends_with("target") {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("a file");
        }
    }
}

/// Runs cargo; returns its output and exit code.
fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .current_dir(folder)
        .args(arguments)
        .arg("--quiet")
        .envs(cargo_environment())
        .output()
        .expect("cargo runs");
    format!(
        "{}{}exit {}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status.code().expect("it was not killed")
    )
}

#[test]
fn the_example_of_a_workspace_is_fresh() {
    let folder = checkout().join("examples/workspace");
    let output = bowline(&folder, &["generate", "--workspace", "--check"], &[]);
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");
}

#[test]
fn services_of_a_workspace_share_migrations() {
    let folder = copied();
    let tested = cargo(folder.path(), &["test"]);
    assert!(tested.ends_with("exit 0"), "{tested}");
    assert_eq!(tested.matches("1 passed").count(), 3, "{tested}");

    // A migration outside of the packages makes the code of each that reads it stale.
    let added = folder.path().join("migrations/4_notes");
    fs::create_dir(&added).expect("a folder");
    fs::write(
        added.join("up.sql"),
        "ALTER TABLE customers ADD COLUMN note text;",
    )
    .expect("a file");
    let check = ["generate", "--workspace", "--check"];
    let output = bowline(folder.path(), &check, &[]);
    let printed = String::from_utf8_lossy(&output.stderr);
    let named = "3 members failed: billing, schema, shop";
    assert!(printed.contains(named), "{printed}");
    let built = cargo(folder.path(), &["check", "--package", "shop"]);
    assert!(
        built.contains("4_notes") && built.ends_with("exit 101"),
        "{built}"
    );
}

//! The generated code in the repository is the one that the migrations produce.

use std::path::Path;

use crate::bowline;

#[test]
fn the_sample_is_fresh_and_needs_no_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let output = bowline(root, &["generate", "--check"], &[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Generated code that does not compile must not stop the command that generates it again.
#[test]
fn the_command_does_not_depend_on_the_sample() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = std::process::Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--offline", "--locked", "--prefix", "none"])
        .args(["--edges", "normal,build"])
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8(output.stdout).expect("text");
    assert!(tree.contains("\nbowline v"), "{tree}");
    assert!(!tree.contains("\nbank v"), "{tree}");
}

#[test]
fn code_from_hostile_names_is_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let output = bowline(&root.join("tests/hostile"), &["generate", "--check"], &[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn code_from_settings_and_views_is_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let output = bowline(&root.join("tests/tickets"), &["generate", "--check"], &[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn code_of_every_type_is_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let output = bowline(&root.join("tests/types"), &["generate", "--check"], &[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn code_for_columns_with_features_is_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let output = bowline(
        &root.join("tests/column_types"),
        &["generate", "--check"],
        &[],
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn rustfmt_does_not_change_generated_code() {
    let bank = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .join("examples/bank/src/db");
    let files = [bank.clone(), bank.join("queries")]
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(folder).expect("the sample"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file());
    let output = std::process::Command::new("rustfmt")
        .args(["--edition", "2024", "--check"])
        .args(files)
        .output();
    let output = output.expect("rustfmt is installed: rustup component add rustfmt");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn code_of_the_side_by_side_program_is_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let folder = root.join("docs/side-by-side/with-bowline");
    let output = bowline(&folder, &["generate", "--check"], &[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

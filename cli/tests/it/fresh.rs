//! The generated code in the tree is what the migrations ask for.

use std::path::Path;

use crate::bowline;

#[test]
fn the_samples_generated_code_is_fresh_and_needs_no_server_and_no_other_program() {
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

#[test]
fn what_is_generated_from_hostile_names_is_fresh() {
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
fn what_is_generated_for_columns_that_need_a_feature_is_fresh() {
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
fn rustfmt_leaves_generated_code_as_it_is() {
    let bank = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .join("src/bank");
    let files = std::fs::read_dir(bank)
        .expect("the bank")
        .map(|entry| entry.expect("an entry").path());
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
fn what_the_program_side_by_side_is_generated_from_is_fresh() {
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

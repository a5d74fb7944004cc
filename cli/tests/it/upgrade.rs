//! Generated code of another format: one error that names what to update, and an upgrade by
//! `generate`.

use std::fs;
use std::path::Path;

use crate::scratch::{Scratch, checkout};

/// Returns a package with the code that 0.1 generated for the sample, in `fixtures/0.1`, and
/// settings where 0.1 read them.
fn bank() -> Scratch {
    let bank = Scratch::new("bank");
    let cargo_toml = bank.read("Cargo.toml");
    let bowline = checkout().display();
    bank.write(
        "Cargo.toml",
        &format!(
            "{cargo_toml}bowline = {{ path = \"{bowline}\" }}\n\
             chrono = {{ version = \"0.4\", default-features = false, features = [\"serde\"] }}\n\
             diesel = {{ version = \"2.3.14\", default-features = false, features = [\"postgres_backend\", \"chrono\", \"serde_json\"] }}\n\
             serde = {{ version = \"1\", features = [\"derive\"] }}\n\
             serde_json = \"1\"\n\
             \n\
             [package.metadata.bowline]\n\
             leave_out = [\"Transfer::delete\"]\n"
        ),
    );
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/0.1");
    copy(&fixture, &fixture, &bank);
    bank
}

fn copy(folder: &Path, fixture: &Path, bank: &Scratch) {
    for entry in fs::read_dir(folder).expect("the fixture") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            copy(&path, fixture, bank);
        } else {
            let name = path.strip_prefix(fixture).expect("within the fixture");
            let text = fs::read_to_string(&path).expect("a file");
            bank.write(name.to_str().expect("a name"), &text);
        }
    }
}

#[test]
fn code_of_0_1_has_one_error_until_it_is_generated_again() {
    let bank = bank();
    let build = || bank.cargo(&["build"], &[]);
    insta::assert_snapshot!(build(), @r##"
    error: this code was generated in format 1, and the library `bowline` reads format 2: run `bowline generate`; if the command is older than the library, update it first with `cargo install bowline-cli`
      --> src/bank/mod.rs:20:5
       |
    20 |     "migrations",
       |     ^^^^^^^^^^^^

    error: could not compile `bank` (bin "bank") due to 1 previous error
    exit 101
    "##);
    let generated = bank.bowline(&["generate", "--offline"], &[]);
    assert!(generated.ends_with("exit 0"), "{generated}");
    let transfers = bank.read("src/bank/transfers.rs");
    assert!(transfers.contains("pub fn update(") && !transfers.contains("pub fn delete("));
    // The one change by hand: a literal that names columns which each row does not need.
    let main = bank.read("src/main.rs");
    bank.write("src/main.rs", &main.replace("NewAccount", "AccountValues"));
    assert_eq!(build(), "exit 0");
    // The settings mean the same in their new file.
    let moved = bank.bowline(&["init", "--move-settings"], &[]);
    assert!(moved.ends_with("exit 0"), "{moved}");
    assert!(bank.read("bowline.toml").contains("Transfer::delete"));
    let checked = bank.bowline(&["generate", "--offline", "--check"], &[]);
    assert!(checked.ends_with("exit 0"), "{checked}");
}

#[test]
fn code_of_a_newer_format_is_one_error_and_is_kept() {
    let bank = bank();
    bank.bowline(&["generate", "--offline"], &[]);
    let module = bank.read("src/bank/mod.rs");
    bank.write(
        "src/bank/mod.rs",
        &module.replace("format = 2,", "format = 3,\n    unknown = 1,"),
    );
    // Names that a later format may use.
    let accounts = bank.read("src/bank/accounts.rs");
    bank.write(
        "src/bank/accounts.rs",
        &format!("{accounts}\nbowline::__generated::not_yet!();\nuse bowline::NotYet;\n"),
    );
    insta::assert_snapshot!(bank.cargo(&["build"], &[]), @r##"
    error: this code was generated in format 3, and the library `bowline` reads format 2: update the library to the command's version, in Cargo.toml or with `cargo update bowline`
     --> src/bank/mod.rs:6:14
      |
    6 |     format = 3,
      |              ^

    error: could not compile `bank` (bin "bank") due to 1 previous error
    exit 101
    "##);
    insta::assert_snapshot!(bank.bowline(&["generate", "--offline"], &[]), @r##"
    note: [package.metadata.bowline] in Cargo.toml is replaced by bowline.toml; `bowline init --move-settings` moves it
    note: cargo does not notice a new file in migrations: build.rs lacks the line println!("cargo::rerun-if-changed=migrations");, which `bowline init` adds
    error: src/bank/mod.rs was generated in format 3, and this command writes format 2
    hint: update the command: `cargo install bowline-cli`
    exit 1
    "##);
}

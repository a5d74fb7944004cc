//! Makes cargo run the macros again when a migration or a query file is added, so that outdated
//! code is an error.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=queries");
}

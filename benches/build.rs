//! Makes cargo compile this package again when a migration or a query file is added.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=queries");
}

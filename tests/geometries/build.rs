//! Makes cargo compile the generated code again when a migration or a query file is added.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=queries");
}

//! Makes cargo compile the sample again when a migration or a query file is added, so that stale
//! code is an error.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
    println!("cargo::rerun-if-changed=../../queries");
}

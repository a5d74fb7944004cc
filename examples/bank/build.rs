//! Makes cargo compile the sample again when a migration is added, so that stale code is an error.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}

//! Has cargo look at the migrations and the queries whenever a file is added, so that stale code is found out.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=queries");
}

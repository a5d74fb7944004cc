//! Has cargo look at the migrations whenever a folder is added, so that stale code is found out.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}

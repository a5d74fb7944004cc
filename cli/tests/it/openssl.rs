//! The message of a build without OpenSSL's headers. It is not Bowline's own, so the README quotes
//! it.

use std::path::Path;
use std::process::Command;

use crate::scratch::{Scratch, checkout};

#[test]
fn the_readme_explains_missing_openssl_headers() {
    let scratch = Scratch::new("shop");
    let manifest = scratch.read("Cargo.toml");
    // The dependencies that bowline's feature `bundled` enables, without the others.
    scratch.write(
        "Cargo.toml",
        &format!("{manifest}pq-sys = {{ version = \"0.7.8\", features = [\"bundled\"] }}\n"),
    );
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(scratch.path("."))
        .args(["build", "--quiet", "--offline"])
        // Not the workspace's target folder: the next build there would compile libpq again.
        .env(
            "CARGO_TARGET_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("without-openssl"),
        )
        .env("PKG_CONFIG_LIBDIR", "/nowhere")
        .env("PKG_CONFIG_PATH", "")
        .env_remove("OPENSSL_DIR")
        .env_remove("OPENSSL_LIB_DIR");
    let output = cargo.output().expect("cargo runs");
    let printed = String::from_utf8_lossy(&output.stderr);
    // On macOS they are found in Homebrew's folders.
    if cfg!(target_os = "linux") {
        assert!(!output.status.success());
        const WORDS: &str = "Could not find directory of OpenSSL installation";
        assert!(
            printed.contains("openssl-sys") && printed.contains(WORDS),
            "{printed}"
        );
        let readme = std::fs::read_to_string(checkout().join("README.md")).expect("it is there");
        assert!(readme.contains(WORDS));
    }
}

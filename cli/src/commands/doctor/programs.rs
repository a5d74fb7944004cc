//! What is linked into the command, and what is installed beside it.

use std::path::Path;
use std::process::{Command, Stdio};

use bowline::testing::LocalServer;

use super::finding::Finding;

const AREA: &str = "programs";

pub(super) fn look() -> Vec<Finding> {
    let version = env!("CARGO_PKG_VERSION");
    let libraries = bowline::client_libraries().join(", ");
    vec![
        Finding::ok(AREA, format!("bowline {version}, {libraries}")),
        server_programs(),
        headers(),
    ]
}

/// The programs that throwaway servers are started from.
fn server_programs() -> Finding {
    match LocalServer::installed() {
        Ok((folder, version)) => Finding::ok(
            AREA,
            format!(
                "PostgreSQL {version} for throwaway servers, in {}",
                folder.display()
            ),
        ),
        Err(error) => Finding::warning(
            AREA,
            format!(
                "{}, so there are no throwaway servers, which tests need",
                error.message()
            ),
            error.hint(),
        ),
    }
}

/// OpenSSL's headers, without which a program that has libpq built in cannot be compiled; found as `openssl-sys` does.
fn headers() -> Finding {
    const HOMEBREW: [&str; 4] = [
        "/opt/homebrew/opt/openssl",
        "/opt/homebrew/opt/openssl@3",
        "/usr/local/opt/openssl",
        "/usr/local/opt/openssl@3",
    ];
    let is_named = || {
        let names = ["OPENSSL_DIR", "OPENSSL_LIB_DIR"];
        names.iter().any(|name| std::env::var_os(name).is_some())
    };
    let is_brewed = || HOMEBREW.iter().any(|folder| Path::new(folder).is_dir());
    if is_named() || is_brewed() || knows_openssl() {
        return Finding::ok(AREA, "OpenSSL's headers, for compiling");
    }
    Finding::warning(
        AREA,
        "OpenSSL's headers are not found (pkg-config --exists openssl), so cargo build would stop at openssl-sys",
        "install them (Debian: apt-get install libssl-dev pkg-config; Fedora: dnf install openssl-devel pkgconf; macOS: brew install openssl)",
    )
}

fn knows_openssl() -> bool {
    let mut pkg_config = Command::new("pkg-config");
    pkg_config.args(["--exists", "openssl"]);
    let asked = pkg_config
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

//! The libraries that the command contains, and programs that are installed on the machine.

use std::env;
use std::fs::{self, DirBuilder};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use bowline::testing::LocalServer;

use super::finding::Finding;

const AREA: &str = "programs";

/// The oldest PostgreSQL that Bowline is tested on.
const OLDEST: u32 = 15;

pub(super) fn check() -> Vec<Finding> {
    let version = env!("CARGO_PKG_VERSION");
    let libraries = bowline::session::client_libraries().join(", ");
    vec![
        Finding::ok(AREA, format!("bowline {version}, {libraries}")),
        server_programs(),
        compiler(),
        headers(),
    ]
}

/// Checks the programs that throwaway servers are started with.
fn server_programs() -> Finding {
    match LocalServer::installed() {
        Ok((folder, version)) => {
            let found = format!(
                "PostgreSQL {version} for throwaway servers, in {}",
                folder.display()
            );
            let major = version.split(|c: char| !c.is_ascii_digit()).next();
            match major.and_then(|major| major.parse::<u32>().ok()) {
                Some(major) if major < OLDEST => Finding::warning(
                    AREA,
                    format!("{found}, is older than the versions that Bowline is tested with"),
                    format!("install PostgreSQL {OLDEST} or later"),
                ),
                _ => Finding::ok(AREA, found),
            }
        }
        Err(error) => Finding::warning(
            AREA,
            format!(
                "{}, so tests cannot start throwaway servers",
                error.message()
            ),
            error.hint(),
        ),
    }
}

/// Checks that the C compiler links a program, which every Rust program needs. Often a compiler is
/// installed without the C library's files for linking.
fn compiler() -> Finding {
    match link() {
        Ok(()) => Finding::ok(AREA, "a C compiler that links"),
        Err(why) => Finding::warning(
            AREA,
            format!("the C compiler (cc) does not link, so cargo build would stop: {why}"),
            "install one with the C library's files (Debian: apt-get install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install)",
        ),
    }
}

/// Compiles and links an empty program in a temporary folder; returns the reason if that fails.
fn link() -> Result<(), String> {
    let folder = env::temp_dir().join(format!("bowline-doctor-{}", std::process::id()));
    DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let linked = link_in(&folder);
    // If the temporary folder cannot be removed, it stays.
    fs::remove_dir_all(&folder).ok();
    linked
}

fn link_in(folder: &Path) -> Result<(), String> {
    let cannot_run = |error| format!("cannot run cc: {error}");
    let mut cc = Command::new("cc")
        .args(["-x", "c", "-", "-o"])
        .arg(folder.join("empty"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(cannot_run)?;
    if let Some(mut stdin) = cc.stdin.take() {
        // If the compiler does not read the program, it reports the reason.
        stdin.write_all(b"int main(void) { return 0; }\n").ok();
    }
    let done = cc.wait_with_output().map_err(cannot_run)?;
    if done.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&done.stderr);
    let first = message.lines().find(|line| !line.trim().is_empty());
    Err(first.map_or_else(|| done.status.to_string(), |line| line.trim().to_owned()))
}

/// Checks OpenSSL's headers, which a program with the bundled libpq needs to compile. They are
/// searched for as `openssl-sys` does.
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
    let has_homebrew = || HOMEBREW.iter().any(|folder| Path::new(folder).is_dir());
    if is_named() || has_homebrew() || finds_openssl() {
        return Finding::ok(AREA, "OpenSSL's headers, for compiling");
    }
    Finding::warning(
        AREA,
        "OpenSSL's headers are not found (pkg-config --exists openssl), so cargo build would stop at openssl-sys",
        "install them (Debian: apt-get install libssl-dev pkg-config; Fedora: dnf install openssl-devel pkgconf; macOS: brew install openssl)",
    )
}

fn finds_openssl() -> bool {
    let mut pkg_config = Command::new("pkg-config");
    pkg_config.args(["--exists", "openssl"]);
    let status = pkg_config
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

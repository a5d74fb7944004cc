//! Where the bytes go: standard output and standard error, with colours only where they are wanted.
//!
//! Nothing here fails or panics: a reader that has gone (`| head -1`) is nobody's failure, and any other failure to
//! write a result is kept until [`finish`], so that a full disk is not taken for success.

use std::io::{self, IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::sync::OnceLock;

use super::escape::{coloured, escaped};
use super::progress;
use crate::error::CliError;

/// The first failure to write a result.
static FAILED: OnceLock<io::Error> = OnceLock::new();

/// Standard output, without colours where it does not take them.
pub(super) fn result(text: &str) {
    let text = coloured(text);
    progress::apart(|| keep(anstream::stdout().write_all(text.as_bytes())));
}

/// Standard output, as it is; a terminal gets nothing to obey, and what is no UTF-8 as U+FFFD.
pub(super) fn bytes(bytes: &[u8]) {
    let stdout = io::stdout();
    if stdout.is_terminal() {
        let text = String::from_utf8_lossy(bytes);
        progress::apart(|| keep(stdout.lock().write_all(escaped(&text).as_bytes())));
        return;
    }
    progress::apart(|| keep(stdout.lock().write_all(bytes)));
}

/// Standard error, without colours where it does not take them.
pub(super) fn about(text: &str) {
    let text = coloured(text);
    // A closed standard error is nobody's failure: there is nobody left to tell.
    progress::apart(|| drop(anstream::stderr().write_all(text.as_bytes())));
}

/// Breaks off once nobody reads standard output any more, or it cannot be written.
pub(crate) fn wanted() -> ControlFlow<()> {
    if FAILED.get().is_some() {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

/// Writes what is left; an error if a result was not written although somebody reads.
pub(crate) fn finish() -> Result<(), CliError> {
    keep(io::stdout().lock().flush());
    match FAILED.get() {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::failed(format!(
            "failed to write the result: {error}"
        ))),
        _ => Ok(()),
    }
}

fn keep(written: io::Result<()>) {
    if let Err(error) = written {
        FAILED.set(error).ok();
    }
}

//! Standard output and standard error, with colours only where they are shown.
//!
//! Nothing here fails or panics. A reader that stops reading (`| head -1`) is not a failure. Any
//! other failure to write a result is kept until [`finish`] reports it, such as a full disk.

use std::io::{self, IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::sync::OnceLock;

use super::colour;
use super::escape::{coloured, escaped};
use super::progress;
use crate::error::CliError;

/// The first failure to write a result.
static FAILED: OnceLock<io::Error> = OnceLock::new();

/// Writes to standard output, without colours if it does not show them.
pub(super) fn result(text: &str) {
    let text = coloured(text);
    progress::without_progress(|| keep(colour::stream(io::stdout()).write_all(text.as_bytes())));
}

/// Writes bytes to standard output. For a terminal they are escaped, and invalid UTF-8 is replaced
/// by U+FFFD.
pub(super) fn bytes(bytes: &[u8]) {
    let stdout = io::stdout();
    if stdout.is_terminal() {
        let text = String::from_utf8_lossy(bytes);
        progress::without_progress(|| keep(stdout.lock().write_all(escaped(&text).as_bytes())));
        return;
    }
    progress::without_progress(|| keep(stdout.lock().write_all(bytes)));
}

/// Writes to standard error, without colours if it does not show them.
pub(super) fn about(text: &str) {
    let text = coloured(text);
    // A closed standard error is not a failure, and could not be reported.
    progress::without_progress(|| drop(colour::stream(io::stderr()).write_all(text.as_bytes())));
}

/// Returns `Break` once a write to standard output has failed, for example because its reader has
/// ended.
pub(crate) fn is_read() -> ControlFlow<()> {
    if FAILED.get().is_some() {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

/// Flushes standard output; returns an error if a result could not be written, unless its reader
/// has ended.
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

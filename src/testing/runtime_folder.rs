//! The directory of this user's servers.
//!
//! Its path is short, because the path of a Unix socket may not be longer than 107 bytes. It has to
//! belong to this user: its parent is writable by others, so a directory that somebody else created
//! is refused.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::LocalServerError;

/// Returns the directory; creates it if it does not exist.
pub(super) fn runtime_folder() -> Result<PathBuf, LocalServerError> {
    let user = rustix::process::geteuid();
    let parent = if Path::new("/tmp").is_dir() {
        PathBuf::from("/tmp")
    } else {
        std::env::temp_dir()
    };
    let folder = parent.join(format!("bowline-{}", user.as_raw()));
    // The account that the server runs under needs to pass through; no other user needs to read it.
    match DirBuilder::new().mode(0o711).create(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(LocalServerError::io("cannot make", &folder, &error));
        }
        _ => {}
    }
    let found = fs::symlink_metadata(&folder)
        .map_err(|error| LocalServerError::io("cannot look at", &folder, &error))?;
    if !found.is_dir() || found.uid() != user.as_raw() || found.permissions().mode() & 0o022 != 0 {
        return Err(LocalServerError::new(
            format!("{} is not a folder of this user's own", folder.display()),
            "check who created it, and remove it",
        ));
    }
    Ok(folder)
}

/// Writes a file that only this user can read. Another process sees all of the text or none of it.
pub(super) fn write_whole(path: &Path, text: &str) -> Result<(), LocalServerError> {
    static WRITES: AtomicU32 = AtomicU32::new(0);
    let write = WRITES.fetch_add(1, Ordering::Relaxed);
    let mut new = OsString::from(path);
    new.push(format!(".{}-{write}", std::process::id()));
    // A process that was killed may have left one.
    fs::remove_file(&new).ok();
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&new, path))
        .map_err(|error| LocalServerError::io("cannot write", path, &error))
}

/// Returns a hash of the parts, the same in every process.
pub(super) fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    // FNV-1a: short, and stable across versions of Rust, which the standard library's hasher is
    // not.
    parts
        .into_iter()
        .flatten()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

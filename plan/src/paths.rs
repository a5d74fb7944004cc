//! Paths: how they are shown and compared, and reading a file that may not exist.

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::failure::Failure;

/// Returns a path for the user: relative to the working directory, if the path is below it.
pub fn shown_path(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here)
        .unwrap_or(path)
        .display()
        .to_string()
}

/// The mark that some editors on Windows write at the beginning of a file. It is not a part of the
/// text.
pub const BYTE_ORDER_MARK: char = '\u{feff}';

/// Returns a text without a byte order mark.
pub fn without_mark(mut text: String) -> String {
    if text.starts_with(BYTE_ORDER_MARK) {
        text.remove(0);
    }
    text
}

/// Reads a file, without a byte order mark; returns `None` if it does not exist.
pub fn read_optional(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(without_mark(text))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(format!(
            "cannot read {}: {error}",
            path.display()
        ))),
    }
}

/// Returns a path relative to a folder, without reading the file system; with `/` on every system.
pub fn relative(path: &Path, from: &Path) -> String {
    let (path, from) = (plain(path), plain(from));
    let (path, from): (Vec<_>, Vec<_>) = (path.components().collect(), from.components().collect());
    let mut pairs = path.iter().zip(&from);
    let shared = pairs.position(|(a, b)| a != b);
    let shared = shared.unwrap_or(path.len().min(from.len()));
    let up = from[shared..].iter().map(|_| "..".into());
    let down = path[shared..]
        .iter()
        .map(|part| part.as_os_str().to_string_lossy());
    let parts: Vec<std::borrow::Cow<'_, str>> = up.chain(down).collect();
    parts.join("/")
}

/// Removes `.` and `..` from a path.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_as_it_is_seen_from_the_package() {
        let seen = |folder, package| relative(Path::new(folder), Path::new(package));
        assert_eq!(seen("/a/b/migrations", "/a/b"), "migrations");
        assert_eq!(seen("/a/migrations", "/a/crates/b"), "../../migrations");
        assert_eq!(seen("/a/x/../m", "/a/./b/.."), "m");
        assert_eq!(seen("/a/bc/m", "/a/b"), "../bc/m");
    }
}

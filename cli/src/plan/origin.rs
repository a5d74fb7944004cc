//! The migrations that generated code names, so that a build can detect that it is stale.

use std::path::{Component, Path, PathBuf};

/// The migrations that the files are generated from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Their folder, relative to that of the package.
    pub folder: String,
    /// The name and the fingerprint of each, in order.
    pub migrations: Vec<(String, u64)>,
}

impl Origin {
    pub(crate) fn new(
        package: &Path,
        folder: &Path,
        migrations: &[crate::migrations::Migration],
    ) -> Self {
        Self {
            folder: relative(folder, package),
            migrations: migrations
                .iter()
                .map(|migration| {
                    let print = bowline_migrations::print(&migration.up.text);
                    (migration.name.clone(), print)
                })
                .collect(),
        }
    }
}

/// Returns a path relative to a folder, without reading the file system; with `/` on every system.
pub(crate) fn relative(path: &Path, from: &Path) -> String {
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

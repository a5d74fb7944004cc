//! The files of a package, and their uses of each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::paths::{Named, named};

/// The files of a package, with the paths in each. A file is named by its path below the root,
/// without `.rs`.
pub(crate) struct Graph {
    files: BTreeMap<String, Vec<Named>>,
    /// The path behind each name that a `use` imports.
    imports: BTreeMap<String, String>,
}

/// One file uses another.
pub(crate) struct Use<'g> {
    pub(crate) from: &'g str,
    pub(crate) to: &'g str,
    pub(crate) line: usize,
    /// The item that is used.
    pub(crate) path: String,
}

/// Returns the Rust files below a folder, sorted.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

impl Graph {
    /// Reads the sources of a package, without its tests.
    pub(crate) fn read(source: &Path) -> Self {
        let mut graph = Self {
            files: BTreeMap::new(),
            imports: BTreeMap::new(),
        };
        for file in sources(source) {
            let module = module_of(&file, source);
            if !module.iter().any(|part| part == "tests") {
                let text = fs::read_to_string(&file).expect("a source");
                graph.files.insert(module.join("/"), named(&text, &module));
            }
        }
        for (file, names) in &graph.files {
            for one in names {
                let Some(name) = &one.imported_as else {
                    continue;
                };
                let here = format!("{file}/{name}").trim_start_matches('/').to_owned();
                let there = one.segments.join("/");
                if here != there && !graph.files.contains_key(&here) {
                    graph.imports.insert(here, there);
                }
            }
        }
        graph
    }

    /// Returns each use of another file. A `pub use` counts where its name is used, not where it is
    /// declared.
    pub(crate) fn uses(&self) -> impl Iterator<Item = Use<'_>> {
        self.files.iter().flat_map(move |(from, names)| {
            names
                .iter()
                .filter(|one| !one.is_reexport)
                .filter_map(move |one| {
                    let path = self.resolved(one.segments.join("/"));
                    let to = self.file_of(&path);
                    (to != from).then(|| Use {
                        from,
                        to,
                        line: one.line,
                        path: path.replace('/', "::"),
                    })
                })
        })
    }

    /// Follows imports until a path is not an import.
    fn resolved(&self, mut path: String) -> String {
        // The limit is above the length of any chain; two modules may import from each other by
        // `*`.
        for _ in 0..16 {
            let ends = path
                .match_indices('/')
                .map(|(at, _)| at)
                .chain([path.len()]);
            let found = ends.into_iter().find_map(|end| {
                let there = self.imports.get(&path[..end])?;
                Some(format!("{there}{}", &path[end..]))
            });
            match found {
                Some(found) if found != path => path = found,
                _ => break,
            }
        }
        path
    }

    /// Returns the file of an item.
    fn file_of(&self, path: &str) -> &str {
        let mut path = path;
        loop {
            if let Some((file, _)) = self.files.get_key_value(path) {
                return file;
            }
            path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }

    /// Returns the sets of files that use each other, directly or through others.
    pub(crate) fn circles(&self) -> Vec<Vec<&str>> {
        let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for one in self.uses() {
            uses.entry(one.from).or_default().insert(one.to);
        }
        let reached: BTreeMap<&str, BTreeSet<&str>> = uses
            .keys()
            .map(|file| (*file, reach(&uses, file)))
            .collect();
        let mut circles = BTreeSet::new();
        for (file, others) in reached
            .iter()
            .filter(|(file, others)| others.contains(*file))
        {
            let back = |other: &&&str| reached.get(**other).is_some_and(|them| them.contains(file));
            circles.insert(others.iter().filter(back).copied().collect::<Vec<_>>());
        }
        circles.into_iter().collect()
    }
}

fn reach<'g>(uses: &BTreeMap<&'g str, BTreeSet<&'g str>>, from: &str) -> BTreeSet<&'g str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = uses.get(from).into_iter().flatten().copied().collect();
    while let Some(file) = open.pop() {
        if seen.insert(file) {
            open.extend(uses.get(file).into_iter().flatten());
        }
    }
    seen
}

/// Returns the module of a file, as segments below the root of its crate.
fn module_of(file: &Path, source: &Path) -> Vec<String> {
    let relative = file.strip_prefix(source).expect("a file of the package");
    let segments = relative.with_extension("");
    let mut segments: Vec<String> = segments
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if segments
        .last()
        .is_some_and(|last| last == "lib" || last == "main")
    {
        segments.pop();
    }
    segments
}

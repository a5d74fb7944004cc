//! The fenced blocks of a page of Markdown.

use std::path::{Path, PathBuf};

/// A page of the guide.
pub(super) struct Page {
    pub(super) name: String,
    pub(super) text: String,
}

/// A fenced block.
pub(super) struct Block<'a> {
    /// The first word after the opening fence.
    pub(super) language: &'a str,
    /// The second word: the file that the block is, or is a part of.
    pub(super) file: Option<&'a str>,
    pub(super) text: &'a str,
    /// The offset of its text in the page.
    pub(super) start: usize,
    /// The line of the opening fence, counted from 1.
    pub(super) line: usize,
}

/// Returns the folder of the documentation.
pub(super) fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Reads all pages of the guide, sorted by name.
pub(super) fn pages() -> Vec<Page> {
    let folder = docs().join("guide");
    let entries = std::fs::read_dir(&folder).expect("the guide");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a name"))
        .filter(|name| name.ends_with(".md"))
        .collect();
    names.sort();
    names.iter().map(|name| Page::read(name)).collect()
}

impl Page {
    pub(super) fn read(name: &str) -> Self {
        let path = docs().join("guide").join(name);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self {
            name: name.to_owned(),
            text,
        }
    }

    pub(super) fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let (mut open, mut at): (Option<(&str, usize, usize)>, usize) = (None, 0);
        for (number, line) in self.text.split_inclusive('\n').enumerate() {
            let fence = line.trim_end().strip_prefix("```");
            match (open, fence) {
                (None, Some(info)) => open = Some((info, at + line.len(), number + 1)),
                (Some((info, start, line)), Some("")) => {
                    let mut words = info.split(' ');
                    blocks.push(Block {
                        language: words.next().unwrap_or_default(),
                        file: words.next(),
                        text: &self.text[start..at],
                        start,
                        line,
                    });
                    open = None;
                }
                _ => {}
            }
            at += line.len();
        }
        assert!(open.is_none(), "{}: a fence is not closed", self.name);
        blocks
    }
}

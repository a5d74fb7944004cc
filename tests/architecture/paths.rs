//! The paths that a source file names: `crate::..`, `super::..`, and those of its own child
//! modules.

use std::collections::BTreeSet;

/// A path in a file, and its line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    pub(crate) line: usize,
    /// The segments below the root of the crate.
    pub(crate) segments: Vec<String>,
    /// The name of the path in this module, if a `use` imports it.
    pub(crate) imported_as: Option<String>,
    /// True if other modules can use that name.
    pub(crate) is_reexport: bool,
}

/// The segments of a path, with the name after `as`.
type Leaf = (Vec<String>, Option<String>);

/// Returns the paths below the crate's root in this source, without those in its tests.
///
/// `module` is the module of the file. Trees of `use` are expanded.
pub(crate) fn named(source: &str, module: &[String]) -> Vec<Named> {
    let code = code(source);
    let children = child_modules(&code);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((start, word)) = next_word(&code, at) {
        at = start + word.len();
        let is_head = !code[..start].trim_end().ends_with("::");
        let is_path = code[at..].trim_start().starts_with("::");
        let base = match word {
            "crate" => Some(Vec::new()),
            "super" => Some(parent(module)),
            "self" => Some(module.to_vec()),
            child if children.contains(child) => Some([module, &[child.to_owned()]].concat()),
            _ => None,
        };
        let Some(base) = base.filter(|_| is_head && is_path) else {
            continue;
        };
        let line = code[..start].matches('\n').count() + 1;
        let before = code[..start].trim_end();
        let is_use = before.ends_with("use");
        let is_reexport = is_use
            && before
                .strip_suffix("use")
                .is_some_and(|before| before.trim_end().ends_with(['b', ')']));
        let mut leaves = Vec::new();
        at += leaves_of(&code[at..], base, &mut leaves);
        found.extend(leaves.into_iter().map(|(segments, alias)| {
            Named {
                line,
                imported_as: alias
                    .or_else(|| segments.last().cloned())
                    .filter(|_| is_use),
                segments,
                is_reexport,
            }
        }));
    }
    found
}

/// Returns the code of a source, without comments, literals and tests.
pub(crate) fn code(source: &str) -> String {
    without_tests(&without_text(source))
}

fn parent(module: &[String]) -> Vec<String> {
    module[..module.len().saturating_sub(1)].to_vec()
}

/// Reads `::a::{b, c::d}` after a path. Returns its length.
fn leaves_of(text: &str, mut path: Vec<String>, leaves: &mut Vec<Leaf>) -> usize {
    let mut rest = text;
    while let Some(behind) = rest.trim_start().strip_prefix("::") {
        let behind = behind.trim_start();
        if let Some(inner) = behind.strip_prefix('{') {
            return text.len() - branches(inner, &path, leaves).len();
        }
        let word = word_of(behind);
        if word.is_empty() {
            break;
        }
        push(&mut path, word);
        rest = &behind[word.len()..];
    }
    let mut alias = None;
    if let Some(behind) = rest.trim_start().strip_prefix("as ") {
        let word = word_of(behind);
        alias = Some(word.to_owned()).filter(|word| word != "_");
        rest = &behind[word.len()..];
    }
    leaves.push((path, alias));
    text.len() - rest.len()
}

/// Reads the branches after the `{` of a tree. Returns the text after its `}`.
fn branches<'t>(mut inner: &'t str, path: &[String], leaves: &mut Vec<Leaf>) -> &'t str {
    loop {
        inner = inner.trim_start_matches([' ', '\n', '\t', ',', '*']);
        if let Some(behind) = inner.strip_prefix('}') {
            return behind;
        }
        let word = word_of(inner);
        if word.is_empty() {
            return "";
        }
        let mut below = path.to_vec();
        push(&mut below, word);
        inner = &inner[word.len()..];
        let length = leaves_of(inner, below, leaves);
        inner = &inner[length..];
    }
}

fn push(path: &mut Vec<String>, word: &str) {
    match word {
        "super" => drop(path.pop()),
        "self" => {}
        word => path.push(word.to_owned()),
    }
}

fn word_of(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    &text[..end.unwrap_or(text.len())]
}

fn next_word(code: &str, at: usize) -> Option<(usize, &str)> {
    let start = at + code[at..].find(|c: char| c.is_alphabetic() || c == '_')?;
    Some((start, word_of(&code[start..])))
}

/// Returns the modules that the file declares.
fn child_modules(code: &str) -> BTreeSet<String> {
    let mut children = BTreeSet::new();
    for line in code.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [.., "mod", name] = words.as_slice()
            && let Some(name) = name.strip_suffix(';')
        {
            children.insert(name.to_owned());
        }
    }
    children
}

/// Returns the source with spaces in place of comments and literals, so that positions stay the
/// same.
fn without_text(source: &str) -> String {
    let bytes: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['r', '"' | '#', ..] if !is_word(at.checked_sub(1).map(|before| bytes[before])) => {
                raw_string(rest)
            }
            ['"', ..] => string(rest),
            ['\'', '\\', ..] => character(rest),
            ['\'', _, '\'', ..] => 3,
            _ => 0,
        };
        if length == 0 {
            out.push(bytes[at]);
            at += 1;
        } else {
            out.extend(bytes[at..at + length].iter().map(|c| blank(*c)));
            at += length;
        }
    }
    out
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

fn block_comment(text: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match text[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Returns the length of `r#"..."#`; 0 for a raw identifier.
fn raw_string(text: &[char]) -> usize {
    let hashes = text[1..].iter().take_while(|c| **c == '#').count();
    if text.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let mut at = hashes + 2;
    while at < text.len() {
        let is_end = text[at] == '"'
            && text[at + 1..].len() >= hashes
            && text[at + 1..at + 1 + hashes].iter().all(|c| *c == '#');
        at += 1;
        if is_end {
            return at + hashes;
        }
    }
    at
}

fn string(text: &[char]) -> usize {
    let mut at = 1;
    while at < text.len() && text[at] != '"' {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

fn character(text: &[char]) -> usize {
    let end = text[2..].iter().position(|c| *c == '\'');
    // The escaped character may be a quote itself.
    match (text.get(2), end) {
        (Some('\''), _) => 4.min(text.len()),
        (_, Some(end)) => end + 3,
        _ => 1,
    }
}

/// Returns the code with spaces in place of items with `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.to_owned();
    let mut from = 0;
    while let Some(found) = out[from..].find(MARK) {
        let start = from + found;
        let behind = &out[start + MARK.len()..];
        let semicolon = behind.find(';').unwrap_or(behind.len());
        let brace = behind.find('{').unwrap_or(behind.len());
        let length = if semicolon < brace {
            semicolon + 1
        } else {
            brace + braces(&behind[brace..])
        };
        let end = (start + MARK.len() + length).min(out.len());
        let blanks: String = out[start..end]
            .chars()
            .map(|c| if c == '\n' { '\n' } else { ' ' })
            .collect();
        // The code is ASCII by now, so as many spaces keep the positions.
        let blanks = format!("{blanks:<width$}", width = end - start);
        out.replace_range(start..end, &blanks);
        from = end;
    }
    out
}

/// Returns the length of a text in braces.
fn braces(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

#[test]
fn paths_are_found_in_uses_and_in_code() {
    let source = r##"
        mod child;
        use crate::a::{self, b::{C, d as e}, f};
        use super::g;
        // use crate::comment;
        const TEXT: &str = r#"crate::text"#;
        fn x<'a>(y: &'a str) -> char { child::z("crate::string"); super::super::up::h(); '\'' }
        #[cfg(test)]
        mod tests { use crate::only_in_tests; }
        fn last() { crate::last::x() }
    "##;
    let module = ["m".to_owned(), "n".to_owned()];
    let found: Vec<String> = named(source, &module)
        .into_iter()
        .map(|named| format!("{} {}", named.line, named.segments.join("::")))
        .collect();
    assert_eq!(
        found,
        [
            "3 a",
            "3 a::b::C",
            "3 a::b::d",
            "3 a::f",
            "4 m::g",
            "7 m::n::child::z",
            "7 up::h",
            "10 last::x"
        ]
    );
}

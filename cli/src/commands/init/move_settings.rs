//! `bowline init --move-settings`: moves the settings in `Cargo.toml` to `bowline.toml`.
//!
//! The tables are moved as text, so that comments stay with them and the rest of `Cargo.toml` does
//! not change in a single byte.

use std::ops::Range;
use std::path::Path;

use toml_edit::{Document, Item, Key, Table};

use super::changes::Changes;
use crate::error::CliError;
use crate::ui;
use bowline_plan::paths::read_optional;
use bowline_plan::project::{BOWLINE_TOML, SettingsFile, in_cargo_toml};

/// Returns the changes that move the settings in the `Cargo.toml` of a folder.
pub(super) fn changes(folder: &Path) -> Result<Changes, CliError> {
    let mut changes = Changes::new(folder);
    let Some(file) = in_cargo_toml(folder)? else {
        changes.note(
            "Cargo.toml has no settings of Bowline's, so there is nothing to move".to_owned(),
        );
        return Ok(changes);
    };
    let table = file.table_name();
    let Moved {
        left,
        values,
        tables,
    } = cut(&file.text, &table).ok_or_else(|| by_hand(&file))?;
    let path = folder.join(BOWLINE_TOML);
    let added = format!("the settings of [{table}]");
    match read_optional(&path)? {
        None => changes.make(path, joined(&[&values, &tables])),
        Some(own) => {
            let (first, rest) = own.split_at(first_table(&own));
            changes.replace(path, joined(&[first, &values, rest, &tables]), &added);
        }
    }
    changes.replace(file.path, left, &format!("without {added}"));
    Ok(changes)
}

/// A `Cargo.toml` and the settings that were cut out of it.
#[derive(Debug)]
struct Moved {
    /// The rest of `Cargo.toml`.
    left: String,
    /// The settings at the top level of `bowline.toml`.
    values: String,
    /// The tables of `bowline.toml`.
    tables: String,
}

/// Cuts a table and the tables below it out of a text; returns `None` if a part of the table is
/// not written as a table with a header.
fn cut(text: &str, table: &str) -> Option<Moved> {
    let document = Document::parse(text).ok()?;
    let path = Key::parse(table).ok()?;
    let mut item = document.as_item();
    for key in &path {
        item = item.get(key.get())?;
    }
    if item.as_table()?.is_dotted() {
        return None;
    }
    let mut headers = Vec::new();
    add_headers(document.as_item(), &mut headers);
    headers.sort_by_key(|header| header.start);
    let ends = headers.iter().skip(1).map(|next| next.start);
    let ends: Vec<usize> = ends.chain([text.len()]).collect();
    let mut moved = Moved {
        left: text[..headers.first()?.start].to_owned(),
        values: String::new(),
        tables: String::new(),
    };
    for (header, end) in headers.iter().zip(ends) {
        let name = &text[header.brackets.clone()];
        let own = Key::parse(name.trim_matches(['[', ']'])).ok()?;
        let (above, below) = (
            &text[header.start..header.brackets.start],
            &text[header.brackets.end..end],
        );
        let is_below =
            own.len() >= path.len() && own.iter().zip(&path).all(|(a, b)| a.get() == b.get());
        if !is_below {
            moved.left.push_str(&text[header.start..end]);
        } else if own.len() == path.len() {
            moved.values = format!(
                "{above}{}",
                below.trim_start_matches([' ', '\t', '\r', '\n'])
            );
        } else {
            let keys = own[path.len()..]
                .iter()
                .map(|key| key.display_repr().into_owned());
            let name = keys.collect::<Vec<_>>().join(".");
            moved.tables.push_str(&format!("{above}[{name}]{below}"));
        }
    }
    Some(moved)
}

/// The header of a table in a text.
#[derive(Debug)]
struct Header {
    /// The start of the comments and empty lines above it.
    start: usize,
    brackets: Range<usize>,
}

/// Adds the headers of all tables in an item.
fn add_headers(item: &Item, headers: &mut Vec<Header>) {
    let tables: Vec<&Table> = match item {
        Item::Table(table) => vec![table],
        Item::ArrayOfTables(tables) => tables.iter().collect(),
        _ => Vec::new(),
    };
    for table in tables {
        if let Some(brackets) = table
            .span()
            .filter(|span| !span.is_empty() && !table.is_implicit())
        {
            let above = table.decor().prefix().and_then(|prefix| prefix.span());
            let start = above.map_or(brackets.start, |above| above.start);
            headers.push(Header { start, brackets });
        }
        table
            .iter()
            .for_each(|(_, item)| add_headers(item, headers));
    }
}

/// Returns the start of the first table with a header, with the comments above it.
fn first_table(text: &str) -> usize {
    let mut headers = Vec::new();
    if let Ok(document) = Document::parse(text) {
        add_headers(document.as_item(), &mut headers);
    }
    let starts = headers.iter().map(|header| header.start);
    starts.min().unwrap_or(text.len())
}

/// Joins the parts of a file that are not empty, with an empty line between them.
fn joined(parts: &[&str]) -> String {
    let is_windows = parts.iter().any(|part| part.contains("\r\n"));
    let end = if is_windows { "\r\n" } else { "\n" };
    let parts = parts.iter().map(|part| part.trim_matches(['\r', '\n']));
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    format!("{}{end}", parts.join(&end.repeat(2)))
}

/// Returns the error for settings that are not written as tables with headers.
fn by_hand(file: &SettingsFile) -> CliError {
    let excerpts = file
        .keys()
        .first()
        .map(|key| file.excerpt(std::slice::from_ref(key)));
    CliError::failed(format!(
        "only settings under the header [{}] can be moved",
        file.table_name()
    ))
    .report(ui::underlined_all(
        "this setting is written without a header",
        excerpts.into_iter().collect(),
        None,
    ))
    .hint(format!(
        "write this one to {BOWLINE_TOML} yourself, and remove it from Cargo.toml"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(text: &str) -> (String, String) {
        let moved = cut(text, "package.metadata.bowline").expect("it has headers");
        (moved.left, joined(&[&moved.values, &moved.tables]))
    }

    #[test]
    fn tables_move_with_their_comments() {
        let text = "[package]\nname = \"a\" # ours\n\n# For bowline.\n[package.metadata.bowline] # here\n\
            folder = \"src/data\" # not src/db\n# Both.\nderives = [\n    \"Eq\", # one\n]\n\n\
            # Names.\n[package.metadata.bowline.names]\n\"app.state\" = \"State\"\n\n\
            [package.metadata.docs.rs]\nall-features = true\n\n[dependencies]\n\n\
            [package.metadata.bowline.variants.\"app.op\"]\n\"<>\" = \"Unlike\"\n# The end.\n";
        let (left, settings) = moved(text);
        insta::assert_snapshot!(left, @r#"
        [package]
        name = "a" # ours

        [package.metadata.docs.rs]
        all-features = true

        [dependencies]
        "#);
        insta::assert_snapshot!(settings, @r#"
        # For bowline.
        # here
        folder = "src/data" # not src/db
        # Both.
        derives = [
            "Eq", # one
        ]

        # Names.
        [names]
        "app.state" = "State"

        [variants."app.op"]
        "<>" = "Unlike"
        # The end.
        "#);
    }

    #[test]
    fn line_ends_of_windows_are_kept() {
        let text = "[package]\r\nname = \"a\"\r\n\r\n[package.metadata.bowline]\r\nderives = []\r\n\r\n[dependencies]\r\n";
        let (left, settings) = moved(text);
        assert_eq!(left, "[package]\r\nname = \"a\"\r\n\r\n[dependencies]\r\n");
        assert_eq!(settings, "derives = []\r\n");
    }

    #[test]
    fn settings_without_a_header_are_not_moved() {
        for text in [
            "[package.metadata]\nbowline = { derives = [\"Eq\"] }\n",
            "[package]\nmetadata.bowline.derives = [\"Eq\"]\n",
            "[package.metadata]\nbowline.derives = [\"Eq\"]\n",
        ] {
            assert!(cut(text, "package.metadata.bowline").is_none(), "{text}");
        }
    }
}

//! Files with SQL for both ways, in sections that begin with a comment.
//!
//! - dbmate: `-- migrate:up`, `-- migrate:down`, with `transaction:false` behind.
//! - goose: `-- +goose Up`, `-- +goose Down`, and `-- +goose NO TRANSACTION` anywhere.
//! - sql-migrate: `-- +migrate Up`, `-- +migrate Down`, with `notransaction` behind.

use crate::tool::Tool;

/// The two ways of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sections {
    /// The text with spaces in place of what is not for up, so that positions are those in the
    /// file.
    pub(crate) up: String,
    /// The same for down, if the file has such a section.
    pub(crate) down: Option<String>,
    pub(crate) by: Tool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// Returns the sections of a file; `None` for a file without them.
pub(crate) fn read(text: &str) -> Option<Sections> {
    let by = text.lines().find_map(|line| Some(marker(line)?.1))?;
    let of = |wanted| {
        let mut now = None;
        let lines = text.split_inclusive('\n').map(|line| {
            now = marker(line).map_or(now, |(way, _)| Some(way));
            if now == Some(wanted) || is_option(line) {
                line.to_owned()
            } else {
                blank(line)
            }
        });
        lines.collect::<String>()
    };
    let has_down = text
        .lines()
        .any(|line| marker(line).is_some_and(|(way, _)| way == Way::Down));
    Some(Sections {
        up: of(Way::Up),
        down: has_down.then(|| of(Way::Down)),
        by,
    })
}

/// Returns false if a comment of the text says that it runs without a transaction.
pub(crate) fn runs_in_transaction(text: &str) -> bool {
    !text.lines().any(|line| {
        let options = comment(line).unwrap_or_default();
        is_option(line)
            || (marker(line).is_some()
                && (options.contains("transaction:false") || options.contains("notransaction")))
    })
}

/// Returns true for goose's comment about transactions, which can be in any section.
fn is_option(line: &str) -> bool {
    comment(line).is_some_and(|text| text.eq_ignore_ascii_case("+goose NO TRANSACTION"))
}

/// Returns the way that begins with a line, and the tool that reads it so.
fn marker(line: &str) -> Option<(Way, Tool)> {
    let mut words = comment(line)?.split_whitespace();
    let way = |word: &str| match word {
        _ if word.eq_ignore_ascii_case("up") => Some(Way::Up),
        _ if word.eq_ignore_ascii_case("down") => Some(Way::Down),
        _ => None,
    };
    match words.next()? {
        "+goose" | "+migrate" => Some((way(words.next()?)?, Tool::Goose)),
        word => Some((way(word.strip_prefix("migrate:")?)?, Tool::Dbmate)),
    }
}

/// Returns the text of a comment of one line.
fn comment(line: &str) -> Option<&str> {
    Some(line.trim().strip_prefix("--")?.trim())
}

/// Returns spaces for the bytes of a line, and its line break.
fn blank(line: &str) -> String {
    let end = line.trim_end_matches(['\r', '\n']).len();
    " ".repeat(end) + &line[end..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_those_in_the_file() {
        let text = "-- é\r\n-- +goose Down\nDROP TABLE t;\n-- +goose Up\nCREATE TABLE t ();";
        let sections = read(text).expect("sections");
        assert_eq!(sections.by, Tool::Goose);
        assert_eq!(sections.up.find("CREATE"), text.find("CREATE"));
        assert!(!sections.up.contains("DROP"));
        let down = sections.down.expect("a section for down");
        assert_eq!(down.find("DROP"), text.find("DROP"));
        assert!(!down.contains("CREATE"));
    }

    #[test]
    fn a_file_without_sections_has_none() {
        assert_eq!(read("-- moves the rows up\nSELECT 1;"), None);
        assert_eq!(read("-- migrate: nothing\nSELECT 1;"), None);
    }

    #[test]
    fn transactions_are_left_out_as_each_tool_says_it() {
        for (text, runs) in [
            ("-- migrate:up\nSELECT 1;", true),
            ("-- migrate:up transaction:false\nSELECT 1;", false),
            ("-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;", false),
            ("-- +migrate Up notransaction\nSELECT 1;", false),
            ("-- +migrate Up\nSELECT 1; -- transaction:false", true),
        ] {
            let up = read(text).expect("sections").up;
            assert_eq!(runs_in_transaction(&up), runs, "{text}");
        }
    }
}

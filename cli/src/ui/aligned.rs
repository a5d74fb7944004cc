//! Tables in psql's aligned format, which users of psql know.

use unicode_width::UnicodeWidthChar as _;

use super::escape::escape;

/// The alignment of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    /// For numbers.
    Right,
}

/// The heading of a column, and the alignment of its values.
pub(crate) type Heading = (String, Side);

/// Draws a table, under its title if it has one. A value of `None` is NULL and stays empty.
pub(crate) fn aligned(
    title: Option<&str>,
    headings: &[Heading],
    rows: &[Vec<Option<String>>],
) -> String {
    let heads: Vec<Lines> = headings.iter().map(|(name, _)| Lines::of(name)).collect();
    let cells: Vec<Vec<Lines>> = rows
        .iter()
        .map(|row| {
            let cells = row.iter();
            cells
                .map(|cell| Lines::of(cell.as_deref().unwrap_or_default()))
                .collect()
        })
        .collect();
    let widths: Vec<usize> = (0..headings.len())
        .map(|column| {
            let cells = cells.iter().filter_map(|row| row.get(column));
            let widths = heads.get(column).into_iter().chain(cells).map(Lines::width);
            widths.max().unwrap_or_default()
        })
        .collect();
    let mut out = String::new();
    if let Some(title) = title {
        let total = widths.iter().sum::<usize>() + (widths.len() * 3).saturating_sub(1);
        let title = Lines::of(title);
        let indent = total.saturating_sub(title.width()) / 2;
        for (line, _) in title.0 {
            out.push_str(&format!("{:indent$}{line}\n", ""));
        }
    }
    out.push_str(&head(&heads, &widths));
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    out.push_str(&if rules.is_empty() {
        "--\n".to_owned()
    } else {
        format!("{}\n", rules.join("+"))
    });
    for row in cells.iter().filter(|row| !row.is_empty()) {
        out.push_str(&body(row, headings, &widths));
    }
    out
}

/// Returns `(1 row)`, `(2 rows)`, ..
pub(crate) fn row_count(rows: usize) -> String {
    format!("({})", super::counted(rows, "row"))
}

/// The lines of a text, each with its width in columns.
struct Lines(Vec<(String, usize)>);

impl Lines {
    /// Splits a text into lines and escapes control characters as psql does.
    fn of(text: &str) -> Self {
        const TAB: usize = 8;
        let mut lines = vec![(String::new(), 0)];
        for c in text.chars() {
            let Some((line, width)) = lines.last_mut() else {
                break;
            };
            let shown = match (c, escape(c)) {
                ('\n', _) => {
                    lines.push((String::new(), 0));
                    continue;
                }
                ('\t', _) => " ".repeat(TAB - *width % TAB),
                (_, Some(escape)) => escape,
                (c, None) => {
                    line.push(c);
                    *width += c.width().unwrap_or_default();
                    continue;
                }
            };
            *width += shown.chars().count();
            line.push_str(&shown);
        }
        Self(lines)
    }

    fn width(&self) -> usize {
        self.0
            .iter()
            .map(|(_, width)| *width)
            .max()
            .unwrap_or_default()
    }

    /// Returns a line and its width; `None` after the last one.
    fn line(&self, number: usize) -> Option<(&str, usize)> {
        self.0
            .get(number)
            .map(|(line, width)| (line.as_str(), *width))
    }
}

/// Draws the headings, centered in their columns.
fn head(heads: &[Lines], widths: &[usize]) -> String {
    let height = heads
        .iter()
        .map(|head| head.0.len())
        .max()
        .unwrap_or_default();
    let mut out = String::new();
    for number in 0..height {
        let cells = heads.iter().zip(widths).map(|(head, width)| {
            let (line, taken) = head.line(number).unwrap_or_default();
            let left = (width - taken) / 2;
            let right = width - taken - left;
            let mark = if head.line(number + 1).is_some() {
                "+"
            } else {
                " "
            };
            format!(" {:left$}{line}{:right$}{mark}", "", "")
        });
        out.push_str(&format!("{}\n", cells.collect::<Vec<_>>().join("|")));
    }
    out
}

/// Draws a row, on as many lines as its highest cell has. A `+` marks a cell that continues on the
/// next line.
fn body(row: &[Lines], headings: &[Heading], widths: &[usize]) -> String {
    let height = row.iter().map(|cell| cell.0.len()).max().unwrap_or(1);
    let mut out = String::new();
    for number in 0..height {
        let mut cells = Vec::with_capacity(row.len());
        for (column, ((cell, (_, side)), width)) in row.iter().zip(headings).zip(widths).enumerate()
        {
            let (line, taken) = cell.line(number).unwrap_or_default();
            let space = " ".repeat(width - taken);
            let continues = cell.line(number + 1).is_some();
            let is_last = column + 1 == row.len();
            let mark = match (continues, is_last) {
                (true, _) => "+",
                (false, true) => "",
                (false, false) => " ",
            };
            cells.push(match side {
                Side::Right if cell.line(number).is_some() => format!(" {space}{line}{mark}"),
                // The last column has no padding.
                _ if is_last && !continues => format!(" {line}"),
                _ => format!(" {line}{space}{mark}"),
            });
        }
        out.push_str(&format!("{}\n", cells.join("|")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(headings: &[(&str, Side)], rows: &[&[Option<&str>]]) -> String {
        let headings: Vec<Heading> = headings
            .iter()
            .map(|(name, side)| ((*name).to_owned(), *side))
            .collect();
        let rows: Vec<Vec<Option<String>>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| cell.map(str::to_owned)).collect())
            .collect();
        // Spaces at the end are part of the format.
        aligned(None, &headings, &rows).replace(" \n", "~\n")
    }

    #[test]
    fn cells_with_line_breaks_or_wide_characters_stay_aligned() {
        insta::assert_snapshot!(table(
            &[("n", Side::Right), ("name", Side::Left), ("two\nlines", Side::Left)],
            &[
                &[Some("1"), Some("日本"), Some("a\nb")],
                &[Some("200"), None, Some("tab\there\u{1b}[2J\r")],
            ],
        ), @r"
          n  | name |          two         +
             |      |         lines        ~
        -----+------+-----------------------
           1 | 日本 | a                    +
             |      | b
         200 |      | tab     here\x1B[2J\r
        ");
    }

    #[test]
    fn a_table_without_columns_or_rows_is_printed() {
        assert_eq!(table(&[], &[&[]]), "--\n");
        assert_eq!(table(&[("a", Side::Left)], &[]), " a~\n---\n");
    }
}

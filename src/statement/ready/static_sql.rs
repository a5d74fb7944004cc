//! The SQL of a generated function.

use bowline_sql::quote::identifier;

use super::Given;
use crate::command::WrittenRows;
use crate::command::text::{ConstantNumber, Text};
use crate::sql_text::read_only::{Reads, reads_by_call};

/// The SQL of a generated function, as a constant of the program.
///
/// `{new}` is a gap for the columns of a row to insert, `{rows}` one for those of several rows, and
/// `{changes}` one for the columns to change. `{excluded}` assigns the columns of rows to insert to
/// rows that exist. In an update of several rows, `{arrays}` has the values, `{names}` their names,
/// and `{given}` assigns them. The parameters outside of gaps have numbers in the SQL; those in a
/// gap are numbered after them. In SQL with gaps, a brace is written twice.
#[doc(hidden)]
#[derive(Debug)]
pub struct StaticSql {
    /// The function: `Account::find`.
    pub function: &'static str,
    /// The SQL.
    pub sql: &'static str,
    /// The SQL that runs instead if no column is changed; empty if there are no changes.
    pub unchanged: &'static str,
    /// The columns that `{excluded}` does not assign: those of the conflict and of the key.
    pub kept: &'static [&'static str],
    /// The columns whose values together can be given once in a call of many rows.
    pub once: &'static [&'static str],
    /// Whether an INSERT can give a column that is `GENERATED ALWAYS AS IDENTITY`.
    pub overrides: bool,
    /// Whether the SQL has gaps for conditions that a call can leave out, and no other gaps.
    pub has_conditions: bool,
    /// Whether it certainly only reads: all its relations are tables without policies.
    pub only_reads: bool,
    /// The functions that its views and policies call: their names, separated by spaces.
    pub calls: &'static str,
    /// The name of the database that it belongs to; empty unless a setting names it.
    pub database: &'static str,
    /// Whether it writes one row, or fails.
    pub writes_one_row: bool,
    /// Whether it writes at most one row, and changes nothing else if there is no such row.
    pub writes_at_most_one_row: bool,
    /// Identifies the constant in the memory of sessions.
    pub number: ConstantNumber,
}

const NEW: &str = "{new}";
const ROWS: &str = "{rows}";
const CHANGES: &str = "{changes}";
const EXCLUDED: &str = "{excluded}";
const ARRAYS: &str = "{arrays}";
const NAMES: &str = "{names}";
const GIVEN: &str = "{given}";
const GAPS: [&str; 7] = [NEW, ROWS, CHANGES, EXCLUDED, ARRAYS, NAMES, GIVEN];

impl StaticSql {
    /// A constant without SQL.
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "each static gets a copy, which is numbered by itself"
    )]
    pub const EMPTY: Self = Self {
        function: "",
        sql: "",
        unchanged: "",
        kept: &[],
        once: &[],
        overrides: false,
        has_conditions: false,
        only_reads: false,
        calls: "",
        database: "",
        writes_one_row: false,
        writes_at_most_one_row: false,
        number: ConstantNumber::UNASSIGNED,
    };

    /// Returns how many rows it is known to write.
    pub(super) fn written(&self) -> WrittenRows {
        if self.writes_one_row {
            WrittenRows::One
        } else if self.writes_at_most_one_row {
            WrittenRows::AtMostOne
        } else {
            WrittenRows::Any
        }
    }

    /// Returns whether it only reads, if more is known of it than the text says.
    pub(super) fn reads(&self, text: &Text) -> Option<Reads> {
        if self.only_reads {
            return Some(Reads::Yes);
        }
        if self.calls.is_empty() {
            return None;
        }
        let calls = self.calls.split(' ').map(reads_by_call);
        calls.chain([text.reads()]).min()
    }

    /// Returns the SQL with its gaps filled; `parameters` is the number of all parameters.
    pub(super) fn compose(&self, given: &[Given; 2], parameters: usize) -> String {
        let [new, changes] = given;
        let in_gaps = new.len() * new.rows.max(1) + changes.len();
        let mut number = parameters.saturating_sub(in_gaps);
        let mut sql = String::with_capacity(self.sql.len() + 32 * in_gaps);
        let excluded = self.excluded(new);
        let is_unchanged =
            excluded.is_empty() && changes.set.is_empty() && !self.unchanged.is_empty();
        let mut rest = if is_unchanged {
            self.unchanged
        } else {
            self.sql
        };
        while let Some(brace) = rest.find(['{', '}']) {
            sql.push_str(&rest[..brace]);
            rest = &rest[brace..];
            let length = if let Some(gap) = GAPS.iter().find(|gap| rest.starts_with(**gap)) {
                sql.push_str(&match *gap {
                    NEW => insert(new, self.overriding(), &mut number),
                    ROWS => insert_rows(new, self.overriding()),
                    EXCLUDED => excluded.clone(),
                    ARRAYS => arrays(changes, &mut number),
                    NAMES => (1..=changes.len())
                        .map(|number| format!(", c{number}"))
                        .collect(),
                    GIVEN => assign_given(changes),
                    _ => assign(changes, &mut number),
                });
                gap.len()
            } else {
                // A brace that is not a gap is written twice.
                sql.push_str(&rest[..1]);
                2.min(rest.len())
            };
            rest = &rest[length..];
        }
        sql.push_str(rest);
        sql
    }
}

impl StaticSql {
    /// Returns the clause by which an INSERT gives ids that PostgreSQL would give.
    fn overriding(&self) -> &'static str {
        if self.overrides {
            " OVERRIDING SYSTEM VALUE"
        } else {
            ""
        }
    }

    /// Returns the assignments of the columns of rows to insert: `a = excluded.a`.
    fn excluded(&self, new: &Given) -> String {
        if !self.sql.contains(EXCLUDED) {
            return String::new();
        }
        let columns = new.columns().filter(|name| !self.kept.contains(name));
        list(columns.map(|name| {
            let name = identifier(name);
            format!("{name} = excluded.{name}")
        }))
    }
}

impl Given {
    /// Returns the names of the given columns.
    fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.with_casts().map(|(name, _)| name)
    }

    /// Returns the names of the given columns, with the casts of their parameters.
    fn with_casts(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.names
            .iter()
            .enumerate()
            .filter(|(number, _)| self.set.contains(*number))
            .map(|(number, name)| (*name, self.casts.get(number).copied().unwrap_or_default()))
    }

    /// Returns the places of these columns among the given ones; `None` unless all are given.
    pub(super) fn places(&self, columns: &[&str]) -> Option<Vec<usize>> {
        let place = |column: &&str| self.columns().position(|name| name == *column);
        columns.iter().map(place).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.columns().count()
    }
}

/// Returns `(a, b) VALUES ($1, $2)`, with the values of several rows if there are several.
fn insert(given: &Given, overriding: &str, number: &mut usize) -> String {
    if given.set.is_empty() {
        return "DEFAULT VALUES".to_owned();
    }
    let rows = (0..given.rows.max(1)).map(|_| {
        let parameters = given
            .with_casts()
            .map(|(_, cast)| parameter(number) + &suffix(cast));
        format!("({})", list(parameters))
    });
    format!("({}){overriding} VALUES {}", names(given), list(rows))
}

/// Returns `(a, b) SELECT c1, c2 FROM unnest($1, $2) WITH ORDINALITY AS given (c1, c2, n) ORDER BY
/// n`.
///
/// PostgreSQL inserts the rows in the order of the query, and returns them as it inserts them.
fn insert_rows(given: &Given, overriding: &str) -> String {
    if given.set.is_empty() {
        return "DEFAULT VALUES".to_owned();
    }
    let columns = list((1..=given.len()).map(|number| format!("c{number}")));
    let parameters = list(
        (1..)
            .zip(given.with_casts())
            .map(|(number, (_, cast))| array(number, cast)),
    );
    let numbered = (1..).zip(given.with_casts());
    let selected =
        list(numbered.map(|(number, (_, cast))| format!("c{number}{}", suffix(of_element(cast)))));
    format!(
        "({}){overriding} SELECT {selected} FROM unnest({parameters}) WITH ORDINALITY AS given ({columns}, n) \
         ORDER BY n",
        names(given)
    )
}

/// Returns the parameter of an array: `$1`, or `$1::text[]`, the first type of its cast.
fn array(number: usize, cast: &str) -> String {
    match cast.split_once("::").map_or("", |(first, _)| first) {
        "" => format!("${number}"),
        first => format!("${number}::{first}[]"),
    }
}

/// Returns the types of a cast that the elements of an array are cast to.
fn of_element(cast: &str) -> &str {
    cast.split_once("::").map_or("", |(_, rest)| rest)
}

/// Returns `, $2, $3`.
fn arrays(given: &Given, number: &mut usize) -> String {
    let arrays = given.with_casts().map(|(_, cast)| {
        *number += 1;
        format!(", {}", array(*number, cast))
    });
    arrays.collect()
}

/// Returns `a = given.c1, b = given.c2`.
fn assign_given(given: &Given) -> String {
    let numbered = (1..).zip(given.with_casts());
    list(numbered.map(|(number, (name, cast))| {
        format!(
            "{} = given.c{number}{}",
            identifier(name),
            suffix(of_element(cast))
        )
    }))
}

/// Returns `a = $1, b = $2`.
fn assign(given: &Given, number: &mut usize) -> String {
    list(given.with_casts().map(|(name, cast)| {
        let parameter = parameter(number);
        format!("{} = {parameter}{}", identifier(name), suffix(cast))
    }))
}

/// Returns `::text` for the cast `text`, and nothing for none.
fn suffix(cast: &str) -> String {
    match cast {
        "" => String::new(),
        cast => format!("::{cast}"),
    }
}

/// Returns the given columns as a list.
fn names(given: &Given) -> String {
    list(given.columns().map(identifier))
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// Returns the next parameter: `$3` after 2.
fn parameter(number: &mut usize) -> String {
    *number += 1;
    format!("${number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::text::ColumnSet;

    fn given(names: &'static [&'static str], columns: &[usize]) -> Given {
        let mut set = ColumnSet::default();
        columns.iter().for_each(|column| set.insert(*column));
        Given {
            set,
            names,
            casts: &[],
            rows: 1,
        }
    }

    fn of(sql: &'static str) -> StaticSql {
        StaticSql {
            sql,
            ..StaticSql::EMPTY
        }
    }

    const NAMES: &[&str] = &["username", "odd \"name\"", "balance"];

    #[test]
    fn an_insert_names_the_columns_that_are_given() {
        let sql = of("INSERT INTO a {new} RETURNING id");
        let compose = |columns: &[usize]| {
            sql.compose(&[given(NAMES, columns), Given::default()], columns.len())
        };
        assert_eq!(
            compose(&[0, 1]),
            r#"INSERT INTO a (username, "odd ""name""") VALUES ($1, $2) RETURNING id"#
        );
        assert_eq!(compose(&[]), "INSERT INTO a DEFAULT VALUES RETURNING id");
        let two = Given {
            rows: 2,
            ..given(NAMES, &[0, 2])
        };
        assert_eq!(
            sql.compose(&[two, Given::default()], 4),
            "INSERT INTO a (username, balance) VALUES ($1, $2), ($3, $4) RETURNING id"
        );
    }

    #[test]
    fn many_rows_are_sent_as_an_array_for_each_column() {
        let sql = of("INSERT INTO a {rows} RETURNING id");
        assert_eq!(
            sql.compose(&[given(NAMES, &[0, 2]), Given::default()], 2),
            r#"INSERT INTO a (username, balance) SELECT c1, c2 FROM unnest($1, $2) WITH ORDINALITY AS given (c1, c2, n) ORDER BY n RETURNING id"#
        );
    }

    #[test]
    fn parameters_are_cast() {
        let with_casts = |columns: &[usize]| Given {
            casts: &["", "text::tsvector", "text[]::tsvector[]"],
            ..given(NAMES, columns)
        };
        let sql = of("INSERT INTO a {new}");
        assert_eq!(
            sql.compose(&[with_casts(&[0, 2]), Given::default()], 2),
            r#"INSERT INTO a (username, balance) VALUES ($1, $2::text[]::tsvector[])"#
        );
        let sql = of("INSERT INTO a {rows}");
        assert_eq!(
            sql.compose(&[with_casts(&[0, 1]), Given::default()], 2),
            r#"INSERT INTO a (username, "odd ""name""") SELECT c1, c2::tsvector FROM unnest($1, $2::text[]) WITH ORDINALITY AS given (c1, c2, n) ORDER BY n"#
        );
        let sql = of("UPDATE a SET {changes} WHERE id = $1");
        assert_eq!(
            sql.compose(&[Given::default(), with_casts(&[1])], 2),
            r#"UPDATE a SET "odd ""name""" = $2::text::tsvector WHERE id = $1"#
        );
    }

    #[test]
    fn a_name_can_resemble_a_gap() {
        let sql = of(r#"INSERT INTO "{{new}}" {new} RETURNING "{{", "{{rows}}""#);
        assert_eq!(
            sql.compose(&[given(NAMES, &[0]), Given::default()], 1),
            r#"INSERT INTO "{new}" (username) VALUES ($1) RETURNING "{", "{rows}""#
        );
    }

    #[test]
    fn changes_are_numbered_after_the_key() {
        let sql = of("UPDATE a SET {changes} WHERE id = $1");
        assert_eq!(
            sql.compose(&[Given::default(), given(NAMES, &[0, 2])], 3),
            r#"UPDATE a SET username = $2, balance = $3 WHERE id = $1"#
        );
    }

    #[test]
    fn an_upsert_without_changes_writes_the_current_value() {
        let sql = StaticSql {
            unchanged: "INSERT INTO a {new} ON CONFLICT (id) DO UPDATE SET id = excluded.id",
            ..of("INSERT INTO a {new} ON CONFLICT (id) DO UPDATE SET {changes}")
        };
        assert_eq!(
            sql.compose(&[given(NAMES, &[2]), given(NAMES, &[])], 1),
            r#"INSERT INTO a (balance) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id"#
        );
        assert_eq!(
            sql.compose(&[given(NAMES, &[2]), given(NAMES, &[0])], 2),
            r#"INSERT INTO a (balance) VALUES ($1) ON CONFLICT (id) DO UPDATE SET username = $2"#
        );
    }
}

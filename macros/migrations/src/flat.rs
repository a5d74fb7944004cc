//! Migrations that are files of one folder, by the names that other tools give them.
//!
//! - `1_a.sql`, `1_a.up.sql` with `1_a.down.sql`: sqlx, golang-migrate. With sections for both ways
//!   in one file: dbmate, goose, sql-migrate.
//! - `V1__a.sql`, `V1.2__a.sql`, `R__a.sql`: Flyway. `V1__a.sql`, `U2__a.sql`: refinery. A
//!   `U1__a.sql` beside a `V1__a.sql` is Flyway's file that reverts it.
//!
//! What cannot be read is an error: migrations that are programs, names of two tools in one folder,
//! a baseline of Flyway, the plan of sqitch.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use crate::file::{FolderError, SqlFile};
use crate::migration::{Migration, version_of};
use crate::sections::{self, Sections};
use crate::tool::Tool;

/// A migration, and where it is in the order.
pub(crate) struct Flat {
    migration: Migration,
    pub(crate) order: Order,
}

/// Numbers in their order. Those that have none, because they are repeated, follow by name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Version(Vec<Number>, String),
    Repeated(String),
}

/// A number of any length, by its digits.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(usize, String);

impl Number {
    fn new(digits: &str) -> Self {
        let digits = digits.trim_start_matches('0');
        Self(digits.len(), digits.to_owned())
    }
}

impl PartialOrd for Order {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Order {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Version(a, name_a), Self::Version(b, name_b)) => (a, name_a).cmp(&(b, name_b)),
            (Self::Version(..), Self::Repeated(_)) => Ordering::Less,
            (Self::Repeated(_), Self::Version(..)) => Ordering::Greater,
            (Self::Repeated(a), Self::Repeated(b)) => a.cmp(b),
        }
    }
}

impl Flat {
    fn new(migration: Migration) -> Self {
        let order = if migration.version.starts_with(char::is_numeric) {
            let parts = migration.version.split('.').map(Number::new);
            Order::Version(parts.collect(), migration.name.clone())
        } else {
            Order::Repeated(migration.name.clone())
        };
        Self { migration, order }
    }

    pub(crate) fn into_migration(self) -> Migration {
        self.migration
    }
}

/// What the name of a file says.
#[derive(Debug, PartialEq, Eq)]
enum Named<'a> {
    /// `1_a.sql`, with the name without its ending.
    Numbered(&'a str),
    /// The `1_a.down.sql` beside `1_a.up.sql`.
    Down,
    /// `V1__a.sql`, by its letter and version.
    Lettered(char, String),
    /// It is not a migration.
    Other,
}

/// Reads the files of a folder that are migrations.
pub(crate) fn read(
    folder: &Path,
    mut files: Vec<(PathBuf, String)>,
) -> Result<Vec<Flat>, FolderError> {
    files.sort();
    if files.iter().any(|(_, name)| name == "sqitch.plan") {
        return Err(unread(
            folder,
            "sqitch.plan",
            "the order of sqitch's plan is not read",
        ));
    }
    let named: Vec<(&PathBuf, &str, Named<'_>)> = files
        .iter()
        .map(|(path, name)| (path, &**name, named(name)))
        .collect();
    if let Some((_, name, _)) = named
        .iter()
        .find(|(_, name, named)| is_program(name, named))
    {
        return Err(unread(
            folder,
            name,
            "a migration that is a program is not run",
        ));
    }
    let is_lettered = |named: &Named<'_>| matches!(named, Named::Lettered(..));
    let lettered = named.iter().find(|(.., named)| is_lettered(named));
    let numbered = named
        .iter()
        .find(|(.., named)| matches!(named, Named::Numbered(_)));
    if let (Some((_, lettered, _)), Some((_, numbered, _))) = (lettered, numbered) {
        return Err(FolderError::new(
            format!("{lettered} and {numbered} are named for two tools"),
            "keep the migrations of each tool in a folder of its own",
        ));
    }
    let versions: Vec<&str> = named
        .iter()
        .filter_map(|(.., named)| match named {
            Named::Lettered('V', version) => Some(&**version),
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    for (path, name, named) in &named {
        let migration = match named {
            Named::Numbered(name) => numbered_file(path, name)?,
            // Flyway's file that reverts a version: the version has it.
            Named::Lettered('U', version) if versions.contains(&&**version) => None,
            Named::Lettered('B', _) => {
                return Err(unread(folder, name, "a baseline of Flyway is not read"));
            }
            Named::Lettered(_, version) => lettered_file(path, name, version)?,
            Named::Down | Named::Other => None,
        };
        found.extend(migration.map(Flat::new));
    }
    // Which file reverts which version is known by their numbers.
    for (path, _, named) in &named {
        if let Named::Lettered('U', version) = named
            && let Some(flat) = found
                .iter_mut()
                .find(|flat| flat.migration.version == *version && flat.migration.path != **path)
        {
            flat.migration.down = SqlFile::read(path)?;
        }
    }
    Ok(found)
}

fn unread(folder: &Path, name: &str, why: &str) -> FolderError {
    FolderError::new(
        format!("{why}: {}", folder.join(name).display()),
        "commit the schema that the migrations make, as `pg_dump --schema-only` prints it, and name \
         that file in bowline.toml: source = \"structure.sql\"",
    )
}

/// Returns true for a file that is named as a migration, and is a program.
fn is_program(name: &str, named: &Named<'_>) -> bool {
    const ENDINGS: [&str; 12] = [
        ".rb", ".py", ".exs", ".js", ".ts", ".java", ".kt", ".go", ".rs", ".php", ".cs", ".groovy",
    ];
    let stem = ENDINGS.iter().find_map(|end| name.strip_suffix(end));
    let is_migration = |stem: &str| !matches!(self::named(&format!("{stem}.sql")), Named::Other);
    *named == Named::Other && stem.is_some_and(is_migration)
}

fn named(name: &str) -> Named<'_> {
    let Some(stem) = name.strip_suffix(".sql") else {
        return Named::Other;
    };
    let number = version_of(stem);
    if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && stem.contains('_')
    {
        return match stem.strip_suffix(".down") {
            Some(_) => Named::Down,
            None => Named::Numbered(stem),
        };
    }
    let mut rest = stem.chars();
    let letter = rest.next().unwrap_or_default();
    let Some((version, _)) = rest.as_str().split_once("__") else {
        return Named::Other;
    };
    let version = version.replace('_', ".");
    let is_version = version
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    match letter {
        'V' | 'U' | 'B' if is_version => Named::Lettered(letter, shortest(&version)),
        'R' if version.is_empty() => Named::Lettered('R', stem.to_owned()),
        _ => Named::Other,
    }
}

/// Returns a version as Flyway compares it: `1.0` and `01` are `1`.
fn shortest(version: &str) -> String {
    let parts = version
        .split('.')
        .map(|part| match part.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        });
    let mut parts: Vec<&str> = parts.collect();
    while parts.len() > 1 && parts.last() == Some(&"0") {
        parts.pop();
    }
    parts.join(".")
}

/// Reads `1_a.sql`, which can have both ways in it.
fn numbered_file(path: &Path, stem: &str) -> Result<Option<Migration>, FolderError> {
    let Some(mut up) = SqlFile::read(path)? else {
        return Ok(None);
    };
    let reversible = stem.strip_suffix(".up");
    let name = reversible.unwrap_or(stem);
    let mut down = match reversible {
        Some(name) => SqlFile::read(&path.with_file_name(format!("{name}.down.sql")))?,
        None => None,
    };
    let mut tool = Tool::Sqlx;
    if let Some(Sections {
        up: up_text,
        down: down_text,
        by,
    }) = sections::read(&up.text)
    {
        tool = by;
        down = down_text.map(|text| SqlFile {
            path: path.to_owned(),
            text,
        });
        up.text = up_text;
    }
    Ok(Some(Migration {
        version: version_of(name),
        name: name.to_owned(),
        path: path.to_owned(),
        up,
        down,
        tool,
    }))
}

/// Reads `V1__a.sql`, `U2__a.sql` or `R__a.sql`.
fn lettered_file(path: &Path, name: &str, version: &str) -> Result<Option<Migration>, FolderError> {
    let up = SqlFile::read(path)?;
    Ok(up.map(|up| Migration {
        version: version.to_owned(),
        name: name.trim_end_matches(".sql").to_owned(),
        path: path.to_owned(),
        up,
        down: None,
        tool: Tool::Flyway,
    }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::{Migration, Tool, read_folder};

    /// Returns what is read of files, by name and text.
    fn read(files: &[(&str, &str)]) -> Result<Vec<Migration>, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        let place = folder.path().display().to_string();
        read_folder(folder.path()).map_err(|error| error.to_string().replace(&place, "migrations"))
    }

    fn names(files: &[(&str, &str)]) -> Vec<String> {
        let found = read(files).expect("a good folder");
        found.into_iter().map(|found| found.name).collect()
    }

    #[test]
    fn flyways_versions_are_numbers_and_repeats_the_last() {
        let files = [
            ("R__views.sql", "SELECT 9;"),
            ("V10__c.sql", "SELECT 3;"),
            ("V1.10__b.sql", "SELECT 2;"),
            ("V1_9__a.sql", "SELECT 1;"),
            ("U10__c.sql", "SELECT 0;"),
            ("flyway.conf", ""),
        ];
        assert_eq!(names(&files), ["V1_9__a", "V1.10__b", "V10__c", "R__views"]);
        let found = read(&files).expect("a good folder");
        let down = found[2].down.as_ref().map(|down| &*down.text);
        assert_eq!((down, found[2].tool), (Some("SELECT 0;"), Tool::Flyway));
    }

    #[test]
    fn a_u_without_its_v_is_a_migration_of_refinery() {
        assert_eq!(
            names(&[("V1__a.sql", ""), ("U2__b.sql", ""), ("V3__c.sql", "")]),
            ["V1__a", "U2__b", "V3__c"]
        );
    }

    #[test]
    fn what_is_not_read_is_an_error() {
        let wrong = [
            [("V1__a.sql", ""), ("V2__b.java", "")],
            [("20240101_a.rb", ""), ("20240102_b.rb", "")],
            [("V1__a.sql", ""), ("1_b.sql", "")],
            [("V1__a.sql", ""), ("B2__b.sql", "")],
            [("sqitch.plan", ""), ("sqitch.conf", "")],
            [("V1__a.sql", ""), ("V1.0__b.sql", "")],
        ];
        let shown: Vec<String> = wrong
            .iter()
            .map(|files| read(files).expect_err("a refusal"))
            .collect();
        assert_eq!(
            shown,
            [
                "a migration that is a program is not run: migrations/V2__b.java",
                "a migration that is a program is not run: migrations/20240101_a.rb",
                "V1__a.sql and 1_b.sql are named for two tools",
                "a baseline of Flyway is not read: migrations/B2__b.sql",
                "the order of sqitch's plan is not read: migrations/sqitch.plan",
                "V1.0__b and V1__a have one version, 1",
            ]
        );
        assert_eq!(names(&[("lib.rs", ""), ("1_a.sql", "")]), ["1_a"]);
    }

    #[test]
    fn only_the_section_for_up_is_read() {
        let up = "-- migrate:up\nCREATE TABLE t ();\n";
        let text = format!("{up}\n-- migrate:down\nDROP TABLE t;\n");
        let found = read(&[("1_a.sql", &text)]).expect("a good folder");
        assert_eq!(found[0].up.text.trim_end(), up.trim_end());
        assert_eq!(found[0].up.text.len(), text.len());
        let down = found[0].down.as_ref().map(|down| down.text.trim());
        assert_eq!(down, Some("-- migrate:down\nDROP TABLE t;"));
        assert_eq!(found[0].tool, Tool::Dbmate);
    }
}

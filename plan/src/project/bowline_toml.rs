//! Bowline's own settings: `bowline.toml`, or the tables in `Cargo.toml` that it replaces.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml_edit::{Document, Item, TableLike};

use super::crates::{GeometryCrate, NumericCrate, TimeCrate, VectorCrate};
use super::lint::LintSettings;
use super::migrate::MigrateSettings;
use super::tables::{RenameAll, TableSettings};
use super::toml_file::{BOWLINE_TOML, joined, parse};
use crate::failure::{Excerpt, Failure, Report};
use crate::paths::{read_optional, shown_path};

/// The settings, as they are written.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "bowline.toml"))]
#[serde(deny_unknown_fields)]
pub(super) struct BowlineToml {
    /// The folder of the migrations, or a file that creates the whole schema.
    pub source: Option<PathBuf>,
    /// The folder of the generated files.
    pub folder: Option<PathBuf>,
    /// The folder of the query files.
    pub queries: Option<PathBuf>,
    /// The path of the generated code in the expansion of `query!`: `bank::db`.
    pub module: Option<String>,
    /// The folder of another package, whose migrations and generated code `query!` means.
    pub package: Option<PathBuf>,
    /// The name of the database, for a program that opens several: statements of one are refused on
    /// the handle of another.
    pub database: Option<String>,
    /// The oldest version of PostgreSQL that the program meets: `"15"`.
    pub postgres: Option<String>,
    /// The Rust name of a table's row or of an enum, by its name in SQL.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// The crate whose types dates and times have.
    #[serde(default)]
    pub time: TimeCrate,
    /// The crate whose type numbers of the type `numeric` have.
    #[serde(default)]
    pub numeric: NumericCrate,
    /// The crate whose types vectors of the extension `vector` have.
    #[serde(default)]
    pub vector: VectorCrate,
    /// The crate whose types geometries of the extension `postgis` have.
    #[serde(default)]
    pub geometry: GeometryCrate,
    /// The Rust type for a SQL type, or `String` to read it as text.
    #[serde(default)]
    pub types: BTreeMap<String, String>,
    /// The domains that have a Rust type of their own: a struct around their value.
    #[serde(default)]
    pub newtypes: Vec<String>,
    /// Arrays in which no element is NULL: `posts.tags`.
    #[serde(default)]
    pub not_null_elements: Vec<String>,
    /// Columns of views that cannot be NULL: `account_totals.total`.
    #[serde(default)]
    pub not_null: Vec<String>,
    /// The Rust names of an enum's labels, by enum and label.
    #[serde(default)]
    pub variants: BTreeMap<String, BTreeMap<String, String>>,
    /// Further derives of each row.
    #[serde(default)]
    pub derives: Vec<String>,
    /// Further derives of each `New`.
    #[serde(default)]
    pub new_derives: Vec<String>,
    /// Further derives of each `Changes`.
    #[serde(default)]
    pub changes_derives: Vec<String>,
    /// Further derives of each id.
    #[serde(default)]
    pub id_derives: Vec<String>,
    /// Further derives of each enum.
    #[serde(default)]
    pub enum_derives: Vec<String>,
    /// serde's rule for the names of fields in JSON.
    pub rename_all: Option<RenameAll>,
    /// True if JSON with a field that `New` or `Changes` does not have is an error.
    #[serde(default)]
    pub deny_unknown_fields: bool,
    /// True if `New` and `Changes` derive diesel's `Insertable` and `AsChangeset`.
    #[serde(default)]
    pub insertable: bool,
    /// Functions that are not generated: `Account::delete`.
    #[serde(default)]
    pub leave_out: Vec<String>,
    /// The columns that identify a row of a table without a primary key, or of a view.
    #[serde(default)]
    pub keys: BTreeMap<String, Vec<String>>,
    /// The foreign key for `joinable!`, if several lead from one table to another.
    #[serde(default)]
    pub joinables: Vec<String>,
    /// Settings of single tables and columns.
    #[serde(default)]
    pub tables: BTreeMap<String, TableSettings>,
    /// Settings of `bowline migrate`.
    #[serde(default)]
    pub migrate: MigrateSettings,
    /// Settings of `bowline lint`.
    #[serde(default)]
    pub lint: LintSettings,
}

#[derive(Deserialize)]
struct CargoToml {
    package: Option<WithMetadata>,
    workspace: Option<WithMetadata>,
}

#[derive(Deserialize)]
struct WithMetadata {
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    bowline: Option<BowlineToml>,
}

/// A file with Bowline's settings.
#[derive(Debug, Clone)]
pub struct SettingsFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The text of the file.
    pub text: String,
    /// The path of the table with the settings; empty in `bowline.toml`.
    table: Vec<&'static str>,
}

impl SettingsFile {
    /// Reads the `bowline.toml` of a folder, if it exists.
    fn bowline_toml(folder: &Path, errors: &mut Vec<Failure>) -> Option<(Self, BowlineToml)> {
        let path = folder.join(BOWLINE_TOML);
        let text = text_of(&path, errors)?;
        let settings = parse(&path, &text, errors)?;
        let table = Vec::new();
        Some((Self { path, text, table }, settings))
    }

    /// Reads the settings in the `Cargo.toml` of a folder: those of the package, and those of the
    /// workspace.
    fn cargo_toml(folder: &Path, errors: &mut Vec<Failure>) -> Vec<(Self, BowlineToml)> {
        let path = folder.join("Cargo.toml");
        let Some(text) = text_of(&path, errors) else {
            return Vec::new();
        };
        let Some(CargoToml { package, workspace }) = parse(&path, &text, errors) else {
            return Vec::new();
        };
        let parts = [("package", package), ("workspace", workspace)];
        let found = parts.into_iter().filter_map(|(part, content)| {
            let settings = content?.metadata?.bowline?;
            let file = Self {
                path: path.clone(),
                text: text.clone(),
                table: vec![part, "metadata", "bowline"],
            };
            Some((file, settings))
        });
        found.collect()
    }

    /// Returns true if the settings are in `Cargo.toml`.
    pub fn is_cargo_toml(&self) -> bool {
        !self.table.is_empty()
    }

    /// Returns the name of the table in `Cargo.toml`: `package.metadata.bowline`.
    pub fn table_name(&self) -> String {
        self.table.join(".")
    }

    /// Returns the file, and the table in it, in words.
    pub fn description(&self) -> String {
        let path = shown_path(&self.path);
        if self.is_cargo_toml() {
            format!("[{}] of {path}", self.table_name())
        } else {
            path
        }
    }

    /// Returns the names of the settings in this file.
    pub fn keys(&self) -> Vec<String> {
        let document = self.document();
        let table = document.as_ref().and_then(|document| self.table(document));
        let entries = table.into_iter().flat_map(|table| table.iter());
        entries.map(|(key, _)| key.to_owned()).collect()
    }

    /// Returns the line of a setting. The path leads to a key, or to a string in a list.
    pub fn excerpt(&self, setting: &[String]) -> Excerpt<'_> {
        Excerpt {
            path: shown_path(&self.path),
            source: &self.text,
            span: self.span(setting).unwrap_or(0..0),
        }
    }

    fn span(&self, setting: &[String]) -> Option<Range<usize>> {
        let document = self.document()?;
        let table = self.table.iter().copied().map(str::to_owned);
        let path: Vec<String> = table.chain(setting.iter().cloned()).collect();
        span_in(document.as_item(), &path)
    }

    fn document(&self) -> Option<Document<&str>> {
        Document::parse(self.text.as_str()).ok()
    }

    fn table<'a>(&self, document: &'a Document<&str>) -> Option<&'a dyn TableLike> {
        let mut keys = self.table.iter();
        let item = keys.try_fold(document.as_item(), |item, key| item.get(key))?;
        item.as_table_like()
    }
}

/// Returns the span of a key, of a string in a list, or of the string that a key has.
fn span_in(item: &Item, path: &[String]) -> Option<Range<usize>> {
    let (first, rest) = path.split_first()?;
    if let Some(table) = item.as_table_like() {
        let (key, item) = table.get_key_value(first)?;
        return if rest.is_empty() {
            key.span()
        } else {
            span_in(item, rest)
        };
    }
    if let Some(list) = item.as_array() {
        let mut values = list.iter();
        let value = values.find(|value| value.as_str() == Some(first))?;
        return value.span();
    }
    item.as_str().filter(|text| text == first)?;
    item.span()
}

/// Reads a file; returns `None` if it does not exist. Adds an error if it cannot be read.
fn text_of(path: &Path, errors: &mut Vec<Failure>) -> Option<String> {
    read_optional(path).unwrap_or_else(|error| {
        errors.push(error);
        None
    })
}

/// Reads the settings that apply to a project.
///
/// The first of the folders that has settings decides. Only the project's own `Cargo.toml` is
/// read, since that is where settings could be before there was a `bowline.toml`.
pub(super) fn read(
    folders: &[PathBuf],
    root: &Path,
    errors: &mut Vec<Failure>,
) -> (BowlineToml, Option<SettingsFile>) {
    for folder in folders {
        let bowline_toml = SettingsFile::bowline_toml(folder, errors);
        let mut cargo = if folder == root {
            SettingsFile::cargo_toml(folder, errors)
        } else {
            Vec::new()
        };
        // A bowline.toml with nothing but comments does not count as a second file of settings.
        let bowline_toml =
            bowline_toml.filter(|(file, _)| cargo.is_empty() || !file.keys().is_empty());
        cargo.extend(bowline_toml);
        if cargo.len() > 1 {
            let files: Vec<&SettingsFile> = cargo.iter().map(|(file, _)| file).collect();
            errors.push(several(&files));
        }
        if let Some((file, settings)) = cargo.pop() {
            return (settings, Some(file));
        }
    }
    (BowlineToml::default(), None)
}

/// Returns the settings that do not apply to a project, although their author may expect it. They
/// are in a `Cargo.toml` that is not read, or in a folder that is not above the file that applies.
pub(super) fn ineffective(
    folders: &[PathBuf],
    applied: Option<&SettingsFile>,
) -> Vec<SettingsFile> {
    // Invalid files that do not apply are not reported.
    let ignored = &mut Vec::new();
    let is_applied = |file: &SettingsFile| {
        applied.is_some_and(|applied| applied.path == file.path && applied.table == file.table)
    };
    let mut found: Vec<SettingsFile> = Vec::new();
    for folder in folders {
        // The settings of a workspace apply to the packages without a bowline.toml.
        let is_above = applied.is_some_and(|applied| applied.path.starts_with(folder));
        let bowline_toml = SettingsFile::bowline_toml(folder, ignored);
        let bowline_toml = bowline_toml.filter(|(file, _)| !is_above && !file.keys().is_empty());
        let cargo = SettingsFile::cargo_toml(folder, ignored);
        let files = bowline_toml.into_iter().chain(cargo).map(|(file, _)| file);
        found.extend(files.filter(|file| !is_applied(file)));
    }
    found
}

/// Returns the file of settings in the `Cargo.toml` of a folder, if there is one.
///
/// Fails if a setting of it is in `bowline.toml` too.
pub fn in_cargo_toml(folder: &Path) -> Result<Option<SettingsFile>, Failure> {
    let mut errors = Vec::new();
    let cargo = SettingsFile::cargo_toml(folder, &mut errors);
    let bowline_toml = SettingsFile::bowline_toml(folder, &mut errors);
    if let Some(error) = joined(errors) {
        return Err(error);
    }
    let mut files: Vec<SettingsFile> = cargo.into_iter().map(|(file, _)| file).collect();
    if files.len() > 1 {
        return Err(several(&files.iter().collect::<Vec<_>>()));
    }
    let Some(file) = files.pop() else {
        return Ok(None);
    };
    if let Some((bowline_toml, _)) = bowline_toml
        && !twice(&[&file, &bowline_toml]).is_empty()
    {
        return Err(several(&[&file, &bowline_toml]));
    }
    Ok(Some(file))
}

/// Returns the settings that more than one file has.
fn twice(files: &[&SettingsFile]) -> Vec<String> {
    let [first, rest @ ..] = files else {
        return Vec::new();
    };
    let others: Vec<String> = rest.iter().flat_map(|file| file.keys()).collect();
    let mut keys = first.keys();
    keys.retain(|key| others.contains(key));
    keys
}

/// Returns the error for settings in several files, or in several tables of one.
fn several(files: &[&SettingsFile]) -> Failure {
    let names: Vec<String> = files.iter().map(|file| file.description()).collect();
    let failed = Failure::new(format!(
        "Bowline's settings are in {}",
        names.join(" and in ")
    ));
    if files.iter().all(|file| file.is_cargo_toml()) {
        return failed.hint("keep one of the two tables");
    }
    let twice = twice(files);
    if twice.is_empty() {
        return failed
            .hint("`bowline init --move-settings` moves those in Cargo.toml to bowline.toml");
    }
    let reports = twice.iter().map(|key| {
        let setting = std::slice::from_ref(key);
        let excerpts: Vec<Excerpt<'_>> = files.iter().map(|file| file.excerpt(setting)).collect();
        Report::new(format!("`{key}` is set twice"), &excerpts)
    });
    failed
        .reports(reports)
        .hint("remove one of each; `bowline init --move-settings` then moves the rest")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_schema_is_that_of_the_settings() {
        let schema = schemars::schema_for!(BowlineToml);
        let mut text = serde_json::to_string_pretty(&schema).expect("JSON");
        text.push('\n');
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/bowline.schema.json");
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        if committed != text {
            let fresh = std::env::temp_dir().join("bowline.schema.json");
            std::fs::write(&fresh, text).expect("a file");
            panic!(
                "the settings have changed: copy {} to docs/bowline.schema.json",
                fresh.display()
            );
        }
    }
}

//! `[print_schema]` of `diesel.toml`: the settings of each `schema.rs`.
//!
//! The keys and their defaults are those of diesel's own command, 2.3. As there, unknown keys are
//! errors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde::Deserialize;

use super::toml_file::invalid;
use crate::failure::Failure;
use crate::paths::relative;

/// One `schema.rs`.
#[derive(Debug, Clone)]
pub struct Output {
    /// `default`, unless diesel.toml names the output.
    pub name: String,
    /// The path by which a table's file names this module: `super::schema`, or `crate::..` from
    /// another folder.
    pub path: Option<String>,
    /// The file; `None` if the schema is only printed.
    pub file: Option<PathBuf>,
    /// `with_docs`: which comments become documentation.
    pub with_docs: WithDocs,
    /// `filter`: the tables in it.
    pub filter: Filter,
    /// `column_sorting`: the order of columns.
    pub column_sorting: ColumnSorting,
    /// `schema`: the only PostgreSQL schema in it.
    pub schema: Option<String>,
    /// `patch_file`: a patch that is applied to the file.
    pub patch_file: Option<PathBuf>,
    /// `import_types`: paths that each module imports.
    pub import_types: Vec<String>,
    /// `generate_missing_sql_type_definitions`: true if marker types are defined.
    pub generate_missing_sql_type_definitions: bool,
    /// `except_custom_type_definitions`: names of types without a marker type.
    pub except_custom_type_definitions: Vec<Regex>,
    /// `custom_type_derives`: derives of marker types.
    pub custom_type_derives: Vec<String>,
    /// `allow_tables_to_appear_in_same_query_config`: which tables are grouped.
    pub allow_tables: AllowTables,
    /// `pg_domains_as_custom_types`: names of domains with a marker type.
    pub domains_as_custom_types: Vec<Regex>,
}

/// Which comments become documentation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WithDocs {
    /// No tables.
    #[default]
    None,
    /// Comments of the database.
    DatabaseComments,
    /// Comments of the database, or a generated sentence.
    DatabaseCommentsOrGenerated,
}

/// The order of the columns of a `table!`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnSorting {
    /// PostgreSQL's order.
    #[default]
    OrdinalPosition,
    /// The order of the names.
    Name,
}

/// The tables of one `allow_tables_to_appear_in_same_query!`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum AllowTables {
    /// All tables.
    #[default]
    #[serde(rename = "all_tables")]
    All,
    /// Tables that foreign keys connect.
    #[serde(rename = "fk_related_tables")]
    ForeignKeys,
    /// No tables.
    #[serde(rename = "none")]
    None,
}

/// The tables that are shown.
#[derive(Debug, Clone, Default)]
pub enum Filter {
    #[default]
    All,
    Only(Vec<Regex>),
    Except(Vec<Regex>),
}

impl Filter {
    pub fn shows(&self, table: &str) -> bool {
        let matches = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(table));
        match self {
            Self::All => true,
            Self::Only(patterns) => matches(patterns),
            Self::Except(patterns) => !matches(patterns),
        }
    }
}

impl Output {
    /// Returns the derives of marker types.
    pub fn derives(&self) -> Vec<String> {
        const SQL_TYPE: &str = "diesel::sql_types::SqlType";
        let mut derives = self.custom_type_derives.clone();
        if !derives.iter().any(|derive| derive == SQL_TYPE) {
            derives.push(SQL_TYPE.to_owned());
        }
        derives
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct PrintSchema {
    file: Option<PathBuf>,
    with_docs: Option<toml::Value>,
    filter: Option<FilterToml>,
    #[serde(default)]
    column_sorting: ColumnSorting,
    schema: Option<String>,
    patch_file: Option<PathBuf>,
    import_types: Option<Vec<String>>,
    generate_missing_sql_type_definitions: Option<bool>,
    #[serde(default)]
    except_custom_type_definitions: Vec<String>,
    custom_type_derives: Option<Vec<String>>,
    #[serde(default)]
    allow_tables_to_appear_in_same_query_config: AllowTables,
    #[serde(default)]
    pg_domains_as_custom_types: Vec<String>,
    /// Only for SQLite; accepted so that a file for two databases can be read.
    #[serde(rename = "sqlite_integer_primary_key_is_bigint")]
    _sqlite_integer_primary_key_is_bigint: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilterToml {
    only_tables: Option<Vec<String>>,
    except_tables: Option<Vec<String>>,
}

/// Returns the outputs: `[print_schema]` is one, or a table of several by name.
pub(super) fn outputs(
    table: toml::Table,
    diesel_toml: &Path,
    root: &Path,
    errors: &mut Vec<Failure>,
) -> Vec<Output> {
    let is_named = |value: &toml::Value| value.is_table();
    let (mut named, unnamed): (toml::Table, toml::Table) = table
        .into_iter()
        .partition(|(key, value)| is_named(value) && key != "filter");
    let is_only = named.is_empty();
    // The keys outside of named outputs are one more output, with the name `default`.
    if !named.contains_key(DEFAULT) {
        named.insert(DEFAULT.to_owned(), toml::Value::Table(unnamed));
    }
    let text = std::fs::read_to_string(diesel_toml).unwrap_or_default();
    let mut by_name: BTreeMap<String, Output> = BTreeMap::new();
    for (name, value) in named {
        let toml::Value::Table(table) = value else {
            continue;
        };
        let Some(mut output) = parse(&name, table, (diesel_toml, &text, root), errors) else {
            continue;
        };
        if is_only {
            let file = || root.join("src").join("schema.rs");
            output.file.get_or_insert_with(file);
        }
        by_name.insert(name, output);
    }
    let outputs: Vec<Output> = by_name.into_values().collect();
    errors.extend(same_file(&outputs, root));
    outputs
}

/// Returns an error for two outputs with one file, of which the second would overwrite the first.
fn same_file(outputs: &[Output], root: &Path) -> Option<Failure> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    outputs.iter().find_map(|output| {
        let file = relative(output.file.as_deref()?, root);
        let first = seen.insert(file.clone(), &output.name)?;
        let second = &output.name;
        Some(
            Failure::new(format!(
                "diesel.toml names {file} as the file of two outputs, {first} and {second}"
            ))
            .hint("give each output a file of its own"),
        )
    })
}

/// Reads one output. Adds an error for each invalid key, and ignores that key.
fn parse(
    name: &str,
    mut table: toml::Table,
    (diesel_toml, text, root): (&Path, &str, &Path),
    errors: &mut Vec<Failure>,
) -> Option<Output> {
    loop {
        let error = match table.clone().try_into::<PrintSchema>() {
            Ok(settings) => {
                let output = output(name, settings, root);
                return output.map_err(|error| errors.push(error)).ok();
            }
            Err(error) => error,
        };
        errors.push(invalid(diesel_toml, text, &error));
        let key = error.message().split('`').nth(1)?;
        table.remove(key)?;
    }
}

/// diesel's name for an output without one.
pub(super) const DEFAULT: &str = "default";

fn output(name: &str, settings: PrintSchema, root: &Path) -> Result<Output, Failure> {
    let filter = match settings.filter {
        Some(FilterToml {
            only_tables: Some(only),
            except_tables: None,
        }) => Filter::Only(patterns(&only)?),
        Some(FilterToml {
            only_tables: None,
            except_tables: Some(except),
        }) => Filter::Except(patterns(&except)?),
        Some(FilterToml {
            only_tables: Some(_),
            except_tables: Some(_),
        }) => {
            return Err(
                Failure::new("diesel.toml has both only_tables and except_tables")
                    .hint("remove one of them"),
            );
        }
        _ => Filter::All,
    };
    Ok(Output {
        name: name.to_owned(),
        path: None,
        file: settings.file.map(|file| root.join(file)),
        with_docs: with_docs(settings.with_docs.as_ref())?,
        filter,
        column_sorting: settings.column_sorting,
        schema: settings.schema,
        patch_file: settings.patch_file.map(|file| root.join(file)),
        import_types: settings.import_types.unwrap_or_default(),
        generate_missing_sql_type_definitions: settings
            .generate_missing_sql_type_definitions
            .unwrap_or(true),
        except_custom_type_definitions: patterns(&settings.except_custom_type_definitions)?,
        custom_type_derives: settings.custom_type_derives.unwrap_or_default(),
        allow_tables: settings.allow_tables_to_appear_in_same_query_config,
        domains_as_custom_types: patterns(&settings.pg_domains_as_custom_types)?,
    })
}

fn with_docs(value: Option<&toml::Value>) -> Result<WithDocs, Failure> {
    Ok(match value {
        None | Some(toml::Value::Boolean(false)) => WithDocs::None,
        Some(toml::Value::Boolean(true)) => WithDocs::DatabaseCommentsOrGenerated,
        Some(toml::Value::String(text)) => match text.as_str() {
            "database-comments-fallback-to-auto-generated-doc-comment" => {
                WithDocs::DatabaseCommentsOrGenerated
            }
            "only-database-comments" => WithDocs::DatabaseComments,
            "no-doc-comments" => WithDocs::None,
            other => {
                return Err(Failure::new(format!(
                    "diesel.toml: with_docs cannot be {other:?}"
                ))
                .hint("it can be true, false, \"only-database-comments\", \"no-doc-comments\" or \"database-comments-fallback-to-auto-generated-doc-comment\""));
            }
        },
        Some(other) => {
            return Err(Failure::new(format!(
                "diesel.toml: with_docs cannot be {other}"
            )));
        }
    })
}

fn patterns(patterns: &[String]) -> Result<Vec<Regex>, Failure> {
    let compile = |pattern: &String| {
        Regex::new(pattern).map_err(|error| {
            Failure::new(format!(
                "diesel.toml: {pattern:?} is not a regular expression: {error}"
            ))
        })
    };
    patterns.iter().map(compile).collect()
}

//! The project that the command works for: where it is, and what its settings say.
//!
//! diesel's settings are read from `diesel.toml`, strictly, as diesel's own CLI reads them; bowline's
//! are in `Cargo.toml` under `[package.metadata.bowline]`, since `diesel.toml` refuses what it does not know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde::Deserialize;

use crate::error::CliError;

/// A project.
#[derive(Debug)]
pub(crate) struct Project {
    /// The folder of `Cargo.toml` or `diesel.toml`.
    pub root: PathBuf,
    /// The folder of the migrations.
    pub migrations: PathBuf,
    /// What shapes the generated code.
    pub settings: Settings,
}

/// What shapes the generated code.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// The folder of the generated files.
    pub folder: PathBuf,
    /// The path of the schema module, from a file of a table: `super::schema`, or `crate::..` from elsewhere.
    pub schema_path: String,
    /// One for each `schema.rs`.
    pub outputs: Vec<Output>,
    /// Row types by table, where the guessed singular is wrong.
    pub names: BTreeMap<String, String>,
    /// Derives that each row gets beside its own.
    pub extra_derives: Vec<String>,
    /// Functions that are not generated, because hand-written ones take their names: `Account::list`.
    pub leave_out: Vec<String>,
}

/// `[print_schema]` of `diesel.toml`.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub file: PathBuf,
    pub with_docs: WithDocs,
    pub filter: Filter,
    pub column_sorting: ColumnSorting,
    pub schema: Option<String>,
    pub patch_file: Option<PathBuf>,
    pub import_types: Vec<String>,
    pub generate_missing_sql_type_definitions: bool,
    pub except_custom_type_definitions: Vec<Regex>,
    pub custom_type_derives: Vec<String>,
    pub allow_tables: AllowTables,
    pub domains_as_custom_types: Vec<Regex>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum WithDocs {
    #[default]
    None,
    DatabaseComments,
    DatabaseCommentsOrGenerated,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ColumnSorting {
    #[default]
    OrdinalPosition,
    Name,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum AllowTables {
    #[default]
    #[serde(rename = "all_tables")]
    All,
    #[serde(rename = "fk_related_tables")]
    ForeignKeys,
    #[serde(rename = "none")]
    None,
}

/// Which tables are shown.
#[derive(Debug, Clone, Default)]
pub(crate) enum Filter {
    #[default]
    All,
    Only(Vec<Regex>),
    Except(Vec<Regex>),
}

impl Filter {
    pub(crate) fn shows(&self, table: &str) -> bool {
        let matches = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(table));
        match self {
            Self::All => true,
            Self::Only(patterns) => matches(patterns),
            Self::Except(patterns) => !matches(patterns),
        }
    }
}

impl Output {
    /// What marker types derive.
    pub(crate) fn derives(&self) -> Vec<String> {
        const SQL_TYPE: &str = "diesel::sql_types::SqlType";
        let mut derives = self.custom_type_derives.clone();
        if !derives.iter().any(|derive| derive == SQL_TYPE) {
            derives.push(SQL_TYPE.to_owned());
        }
        derives
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DieselToml {
    print_schema: Option<toml::Table>,
    migrations_directory: Option<MigrationsDirectory>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MigrationsDirectory {
    dir: PathBuf,
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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilterToml {
    only_tables: Option<Vec<String>>,
    except_tables: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
struct CargoToml {
    package: Option<Package>,
}

#[derive(Deserialize)]
struct Package {
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    bowline: Option<Bowline>,
}

/// `[package.metadata.bowline]`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Bowline {
    folder: Option<PathBuf>,
    #[serde(default)]
    names: BTreeMap<String, String>,
    #[serde(default)]
    derives: Vec<String>,
    #[serde(default)]
    leave_out: Vec<String>,
}

impl Project {
    /// The project of this folder or of the nearest one above it.
    pub(crate) fn find(from: &Path) -> Result<Self, CliError> {
        let is_root = |folder: &&Path| {
            folder.join("diesel.toml").is_file() || folder.join("Cargo.toml").is_file()
        };
        let root = from.ancestors().find(is_root).ok_or_else(|| {
            CliError::failed(format!(
                "there is no diesel.toml or Cargo.toml in {} or above it",
                from.display()
            ))
            .hint("run this in a cargo package, or write a diesel.toml")
        })?;
        let diesel: DieselToml = read(&root.join("diesel.toml"))?.unwrap_or(DieselToml {
            print_schema: None,
            migrations_directory: None,
        });
        let cargo: CargoToml = read(&root.join("Cargo.toml"))?.unwrap_or_default();
        let bowline = cargo
            .package
            .and_then(|package| package.metadata)
            .and_then(|metadata| metadata.bowline)
            .unwrap_or_default();
        let outputs = outputs(diesel.print_schema.unwrap_or_default(), root)?;
        let schema_file = outputs
            .first()
            .map(|output| output.file.clone())
            .unwrap_or_default();
        let beside = schema_file.parent().unwrap_or(root);
        // Beside `src/schema.rs` are the user's own files, so a folder of our own is made there.
        let own = if beside == root.join("src") {
            beside.join("db")
        } else {
            beside.to_owned()
        };
        let folder = bowline.folder.map_or(own, |folder| root.join(folder));
        let migrations = diesel
            .migrations_directory
            .map_or_else(|| PathBuf::from("migrations"), |directory| directory.dir);
        let settings = Settings {
            schema_path: schema_path(&schema_file, &folder, root),
            folder,
            outputs,
            names: bowline.names,
            extra_derives: bowline.derives,
            leave_out: bowline.leave_out,
        };
        Ok(Self {
            migrations: root.join(migrations),
            root: root.to_owned(),
            settings,
        })
    }
}

/// How a file in the folder names the schema module.
fn schema_path(file: &Path, folder: &Path, root: &Path) -> String {
    let name = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
    let stem = file.file_stem().map(name).unwrap_or_default();
    if file.parent() == Some(folder) {
        return format!("super::{stem}");
    }
    let below = file
        .parent()
        .and_then(|parent| parent.strip_prefix(root.join("src")).ok());
    let modules = below
        .into_iter()
        .flat_map(Path::components)
        .map(|part| name(part.as_os_str()));
    ["crate".to_owned()]
        .into_iter()
        .chain(modules)
        .chain([stem])
        .collect::<Vec<_>>()
        .join("::")
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, CliError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(CliError::failed(format!(
                "cannot read {}: {error}",
                path.display()
            )));
        }
    };
    let parsed = toml::from_str(&text);
    parsed.map(Some).map_err(|error| wrong(path, &error))
}

fn wrong(path: &Path, error: &toml::de::Error) -> CliError {
    CliError::failed(format!("{} cannot be followed: {}", path.display(), error.to_string().trim_end()))
        .hint("look at the key and its value; https://diesel.rs/guides/configuring-diesel-cli lists what diesel.toml can say")
}

/// `[print_schema]` is one output, or a table of several by name.
fn outputs(table: toml::Table, root: &Path) -> Result<Vec<Output>, CliError> {
    let path = root.join("diesel.toml");
    let is_named = |value: &toml::Value| value.is_table();
    let (named, own): (toml::Table, toml::Table) = table
        .into_iter()
        .partition(|(key, value)| is_named(value) && key != "filter");
    let parse = |table: toml::Table| -> Result<Output, CliError> {
        let settings: PrintSchema = table.try_into().map_err(|error| wrong(&path, &error))?;
        output(settings, root)
    };
    if named.is_empty() {
        return Ok(vec![parse(own)?]);
    }
    let mut outputs = Vec::new();
    for (_, value) in named {
        let toml::Value::Table(table) = value else {
            continue;
        };
        outputs.push(parse(table)?);
    }
    Ok(outputs)
}

fn output(settings: PrintSchema, root: &Path) -> Result<Output, CliError> {
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
                CliError::failed("diesel.toml has both only_tables and except_tables")
                    .hint("keep one of them"),
            );
        }
        _ => Filter::All,
    };
    Ok(Output {
        file: root.join(
            settings
                .file
                .unwrap_or_else(|| PathBuf::from("src/schema.rs")),
        ),
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

fn with_docs(value: Option<&toml::Value>) -> Result<WithDocs, CliError> {
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
                return Err(CliError::failed(format!(
                    "diesel.toml: with_docs cannot be {other:?}"
                )));
            }
        },
        Some(other) => {
            return Err(CliError::failed(format!(
                "diesel.toml: with_docs cannot be {other}"
            )));
        }
    })
}

fn patterns(patterns: &[String]) -> Result<Vec<Regex>, CliError> {
    let compile = |pattern: &String| {
        Regex::new(pattern).map_err(|error| {
            CliError::failed(format!(
                "diesel.toml: {pattern:?} is no regular expression: {error}"
            ))
        })
    };
    patterns.iter().map(compile).collect()
}

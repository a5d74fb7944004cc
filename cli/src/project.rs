//! The project that the command works for: where it is, and what its settings say.
//!
//! diesel's settings are read from `diesel.toml`, strictly, as diesel's own CLI reads them; bowline's
//! are in `Cargo.toml` under `[package.metadata.bowline]`, since `diesel.toml` refuses what it does not know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use crate::error::CliError;
use bowline_catalog::{Index, Name, Relation};

mod file;
mod output;

use file::{read, together};
pub(crate) use output::{AllowTables, ColumnSorting, Output, WithDocs};

/// Where a project is told to be found, for those whose folders have other names.
#[derive(Debug, Default, Args)]
pub(crate) struct Places {
    /// The settings of diesel; else diesel.toml, in this folder or in the nearest one above it.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "DIESEL_CONFIG_FILE",
        hide_env = true
    )]
    config_file: Option<PathBuf>,
    /// The folder of the migrations; else what diesel.toml says, else migrations.
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        env = "MIGRATION_DIRECTORY",
        hide_env = true
    )]
    migration_dir: Option<PathBuf>,
}

/// A project.
#[derive(Debug)]
pub(crate) struct Project {
    /// The folder of `Cargo.toml` or `diesel.toml`.
    pub root: PathBuf,
    /// The folder of the package that the generated code is compiled in.
    pub package: PathBuf,
    /// The folder of the migrations.
    pub migrations: PathBuf,
    /// Whether diesel's settings are there, or what it has for default is taken.
    pub has_diesel_toml: bool,
    /// What shapes the generated code.
    pub settings: Settings,
}

/// What shapes the generated code.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// The folder that diesel.toml is in.
    pub root: PathBuf,
    /// The folder of the generated files.
    pub folder: PathBuf,
    /// How a file of a table names the module of the first `schema.rs`: `super::schema`, or `crate::..` from elsewhere.
    pub schema_path: String,
    /// How far rustfmt indents, where the project says it: `diesel print-schema` runs it over its output.
    pub tab_spaces: Option<usize>,
    /// One for each `schema.rs`.
    pub outputs: Vec<Output>,
    /// Names in Rust by table or enum, where what is guessed is wrong or given to another.
    pub names: BTreeMap<String, String>,
    /// Names of variants by enum and label.
    pub variants: BTreeMap<String, BTreeMap<String, String>>,
    /// Derives that each row gets beside its own.
    pub extra_derives: Vec<String>,
    /// Functions that are not generated, because hand-written ones take their names: `Account::list`.
    pub leave_out: Vec<String>,
    /// What to take for the primary key of a table that has none, by table.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Foreign keys to join by where several lead from one table to another: `posts.author_id`.
    pub joinables: Vec<String>,
}

impl Settings {
    /// The primary key of a relation, or what stands for it.
    pub(crate) fn primary_key(&self, relation: &Relation) -> Option<Vec<String>> {
        let own = relation.primary_key().map(<[String]>::to_vec);
        own.or_else(|| of_name(&self.keys, &relation.name).cloned())
            .or_else(|| unique_key(relation, |_| true))
    }

    /// The columns that tell the rows of a relation apart, as PostgreSQL holds them to: its primary key, or those of a
    /// unique index of which none can be NULL.
    pub(crate) fn row_key(&self, relation: &Relation) -> Option<Vec<String>> {
        let own = relation.primary_key().map(<[String]>::to_vec);
        own.or_else(|| match of_name(&self.keys, &relation.name) {
            Some(named) => unique_key(relation, |columns| columns == named),
            None => unique_key(relation, |_| true),
        })
    }
}

/// What a setting says of a table or type, by its name, or by schema and name.
pub(crate) fn of_name<'a, T>(settings: &'a BTreeMap<String, T>, name: &Name) -> Option<&'a T> {
    let qualified = settings.get(&format!("{}.{}", name.schema, name.name));
    qualified.or_else(|| settings.get(&name.name))
}

/// The columns of the first unique index that could be a primary key.
fn unique_key(relation: &Relation, is_meant: impl Fn(&[String]) -> bool) -> Option<Vec<String>> {
    let is_not_null = |name: &String| {
        let mut columns = relation.columns.iter();
        columns.any(|column| column.name == *name && column.not_null)
    };
    let is_temporal = |index: &Index| {
        let mut constraints = relation.constraints.iter();
        constraints.any(|constraint| constraint.name == index.name && constraint.temporal)
    };
    relation
        .indexes
        .iter()
        .filter(|index| index.unique && index.predicate.is_none() && !is_temporal(index))
        .filter_map(Index::plain_columns)
        .find(|columns| columns.iter().all(is_not_null) && is_meant(columns))
}

#[derive(Deserialize, Default)]
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
struct CargoToml {
    package: Option<Package>,
    workspace: Option<Package>,
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
    variants: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    derives: Vec<String>,
    #[serde(default)]
    leave_out: Vec<String>,
    #[serde(default)]
    keys: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    joinables: Vec<String>,
}

impl Project {
    /// The folder of the project that this folder is in, whatever its settings say; `None` where there is no project.
    pub(crate) fn root(from: &Path, places: &Places) -> Option<PathBuf> {
        let above = |file: &str| {
            let mut folders = from.ancestors();
            folders.find(|folder| folder.join(file).is_file())
        };
        // diesel's own order: a diesel.toml further up comes before a Cargo.toml at hand.
        let root = match &places.config_file {
            Some(file) => from.join(file).parent().map(Path::to_owned),
            None => above("diesel.toml")
                .or_else(|| above("Cargo.toml"))
                .map(Path::to_owned)
                .or_else(|| migrations_above(from)?.parent().map(Path::to_owned)),
        };
        root.or_else(|| places.migration_dir.is_some().then(|| from.to_owned()))
    }

    /// The project of this folder or of the nearest one above it.
    pub(crate) fn find(from: &Path, places: &Places) -> Result<Self, CliError> {
        let root = Self::root(from, places).ok_or_else(|| {
            CliError::failed(format!(
                "there is no diesel.toml, Cargo.toml or folder migrations in {} or above it",
                from.display()
            ))
            .hint("run this in a cargo package, or name the folder: --migration-dir")
        })?;
        let root = root.as_path();
        let diesel_toml = places
            .config_file
            .as_ref()
            .map_or_else(|| root.join("diesel.toml"), |file| from.join(file));
        let mut wrong = Vec::new();
        let diesel: Option<DieselToml> = read(&diesel_toml, &mut wrong);
        if diesel.is_none() && wrong.is_empty() && places.config_file.is_some() {
            return Err(
                CliError::failed(format!("there is no {}", diesel_toml.display()))
                    .hint("look at --config-file and at DIESEL_CONFIG_FILE"),
            );
        }
        let has_diesel_toml = diesel.is_some();
        let mut diesel = diesel.unwrap_or_default();
        let print_schema = diesel.print_schema.take().unwrap_or_default();
        let mut outputs = output::outputs(print_schema, &diesel_toml, root, &mut wrong);
        let cargo: Option<CargoToml> = read(&root.join("Cargo.toml"), &mut wrong);
        if let Some(wrong) = together(wrong) {
            return Err(wrong);
        }
        let cargo = cargo.unwrap_or_default();
        let bowline = [cargo.package, cargo.workspace]
            .into_iter()
            .find_map(|part| part?.metadata?.bowline)
            .unwrap_or_default();
        // The one without a name, if there is one: the others are of other schemas, as a rule.
        let has_file = |output: &&Output| output.file.is_some();
        let first = outputs
            .iter()
            .find(|output| has_file(output) && output.name == output::DEFAULT)
            .or_else(|| outputs.iter().find(has_file));
        let schema_file = first
            .and_then(|output| output.file.clone())
            .unwrap_or_default();
        let beside = schema_file.parent().unwrap_or(root);
        // Beside `src/schema.rs` are the user's own files, so a folder of our own is made there.
        let is_source = |folder: &Path| {
            let package = folder.parent().filter(|_| folder.ends_with("src"));
            package.is_some_and(|package| package == root || package.join("Cargo.toml").is_file())
        };
        let own = if is_source(beside) {
            beside.join("db")
        } else {
            beside.to_owned()
        };
        let folder = bowline.folder.map_or(own, |folder| root.join(folder));
        let configured = diesel
            .migrations_directory
            .map(|directory| root.join(directory.dir));
        let migrations = places
            .migration_dir
            .as_ref()
            .map(|folder| from.join(folder))
            .or(configured)
            .or_else(|| migrations_above(root))
            .unwrap_or_else(|| root.join(MIGRATIONS));
        let mut folders = folder.ancestors();
        let package = folders
            .find(|folder| folder.join("Cargo.toml").is_file())
            .unwrap_or(root)
            .to_owned();
        for output in &mut outputs {
            let file = output.file.as_deref();
            output.path = file.map(|file| schema_path(file, &folder, &package));
        }
        let settings = Settings {
            root: root.to_owned(),
            schema_path: schema_path(&schema_file, &folder, &package),
            folder,
            tab_spaces: tab_spaces(root)?,
            outputs,
            names: bowline.names,
            variants: bowline.variants,
            extra_derives: bowline.derives,
            leave_out: bowline.leave_out,
            keys: bowline.keys,
            joinables: bowline.joinables,
        };
        Ok(Self {
            migrations,
            root: root.to_owned(),
            package,
            has_diesel_toml,
            settings,
        })
    }
}

/// What of rustfmt's own settings shapes `schema.rs`.
#[derive(Debug, Deserialize)]
struct RustfmtToml {
    tab_spaces: Option<usize>,
}

/// `tab_spaces` of the settings that rustfmt would find.
fn tab_spaces(root: &Path) -> Result<Option<usize>, CliError> {
    let names = [".rustfmt.toml", "rustfmt.toml"];
    for path in root
        .ancestors()
        .flat_map(|folder| names.map(|name| folder.join(name)))
    {
        let mut wrong = Vec::new();
        let settings = read::<RustfmtToml>(&path, &mut wrong);
        if let Some(wrong) = together(wrong) {
            return Err(wrong);
        }
        if let Some(settings) = settings {
            return Ok(settings.tab_spaces.filter(|spaces| *spaces <= 16));
        }
    }
    Ok(None)
}

const MIGRATIONS: &str = "migrations";

/// The folder `migrations` here or in the nearest folder above.
fn migrations_above(from: &Path) -> Option<PathBuf> {
    let mut folders = from.ancestors().map(|folder| folder.join(MIGRATIONS));
    folders.find(|folder| folder.is_dir())
}

/// How a file in the folder names the schema module.
fn schema_path(file: &Path, folder: &Path, package: &Path) -> String {
    let name = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
    let stem = file.file_stem().map(name).unwrap_or_default();
    if file.parent() == Some(folder) {
        return format!("super::{stem}");
    }
    let below = file
        .parent()
        .and_then(|parent| parent.strip_prefix(package.join("src")).ok());
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

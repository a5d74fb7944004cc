//! The project that the command works on: its folders and its settings.
//!
//! diesel's settings are read from `diesel.toml`, as strictly as diesel's own command reads them.
//! Bowline's settings are in `bowline.toml`, since `diesel.toml` must not have unknown keys.

mod bowline_toml;
mod crates;
mod database;
mod lint;
mod migrate;
mod named;
mod output;
mod postgres;
mod settings;
mod tables;
mod toml_file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::committed;
use crate::failure::Failure;
use crate::paths::{relative, shown_path};

pub use bowline_toml::{SettingsFile, in_cargo_toml};
pub use crates::{Crates, GeometryCrate, NumericCrate, TimeCrate, VectorCrate};
pub use lint::{LintSettings, RuleName};
pub use migrate::{Edited, Late, MigrateSettings};
pub use output::{AllowTables, ColumnSorting, Output, WithDocs};
pub use settings::{Derives, Settings, is_named, of_name};
pub use tables::{ColumnSettings, RenameAll, TableSettings};
pub use toml_file::BOWLINE_TOML;

/// Files and folders that have other names than usual, relative to the working directory.
#[derive(Debug, Clone, Default)]
pub struct ProjectOptions {
    /// The file of diesel's settings.
    pub config_file: Option<PathBuf>,
    /// The folder of the migrations.
    pub migration_dir: Option<PathBuf>,
}

/// A project.
#[derive(Debug)]
pub struct Project {
    /// The folder of `Cargo.toml` or `diesel.toml`.
    pub root: PathBuf,
    /// The folder of the package that the generated code is compiled in.
    pub package: PathBuf,
    /// The folder of the migrations.
    pub migrations: PathBuf,
    /// The same without the option --migration-dir.
    pub usual_migrations: PathBuf,
    /// The folder of the query files. It need not exist.
    pub queries: PathBuf,
    /// The path of the module with the generated code, if a setting names it: `bank::db`.
    pub module: Option<String>,
    /// The package whose migrations `query!` means, if a setting names another one.
    pub other_package: Option<PathBuf>,
    /// The files of settings that apply.
    pub files: Vec<PathBuf>,
    /// False if diesel's defaults apply, because there is no `diesel.toml`.
    pub has_diesel_toml: bool,
    /// The settings that shape the generated code.
    pub settings: Settings,
    /// Settings that do not apply to this project.
    ineffective: Vec<SettingsFile>,
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

impl Project {
    /// Returns the root of the project that contains this folder, without reading its settings.
    pub fn root(from: &Path, arguments: &ProjectOptions) -> Option<PathBuf> {
        let above = |file: &str| {
            let mut folders = from.ancestors();
            folders.find(|folder| folder.join(file).is_file())
        };
        // As in diesel's own command, a diesel.toml further up comes before a nearer Cargo.toml.
        let root = match &arguments.config_file {
            Some(file) => from.join(file).parent().map(Path::to_owned),
            None => above("diesel.toml")
                .or_else(|| above("Cargo.toml"))
                .map(Path::to_owned)
                .or_else(|| migrations_above(from)?.parent().map(Path::to_owned)),
        };
        root.or_else(|| arguments.migration_dir.is_some().then(|| from.to_owned()))
    }

    /// Finds the project that contains a folder, and reads its settings. Its root is the folder of
    /// the given diesel.toml, else that of the nearest one at or above the folder, else that of the
    /// nearest Cargo.toml, else the one around the nearest folder of migrations.
    pub fn find(from: &Path, arguments: &ProjectOptions) -> Result<Self, Failure> {
        let root = Self::root(from, arguments).ok_or_else(|| {
            Failure::new(format!(
                "no diesel.toml, Cargo.toml or folder named migrations in {} or above it",
                from.display()
            ))
            .hint("run this in a cargo package, or pass the folder: --migration-dir")
        })?;
        Self::at(&root, from, arguments)
    }

    /// Finds the project as [`find`](Self::find) does. But unless a diesel.toml is given, a folder
    /// with both `migrations` and `queries` is itself the root, even within a package.
    pub fn find_for_queries(from: &Path, arguments: &ProjectOptions) -> Result<Self, Failure> {
        let is_complete = [MIGRATIONS, QUERIES]
            .iter()
            .all(|folder| from.join(folder).is_dir());
        if is_complete && arguments.config_file.is_none() {
            return Self::at(from, from, arguments);
        }
        Self::find(from, arguments)
    }

    fn at(root: &Path, from: &Path, arguments: &ProjectOptions) -> Result<Self, Failure> {
        let diesel_toml = arguments
            .config_file
            .as_ref()
            .map_or_else(|| root.join("diesel.toml"), |file| from.join(file));
        let mut errors = Vec::new();
        let diesel: Option<DieselToml> = toml_file::read(&diesel_toml, &mut errors);
        if diesel.is_none() && errors.is_empty() && arguments.config_file.is_some() {
            return Err(
                Failure::new(format!("{} does not exist", diesel_toml.display()))
                    .hint("check --config-file and DIESEL_CONFIG_FILE"),
            );
        }
        let has_diesel_toml = diesel.is_some();
        let diesel = diesel.unwrap_or_default();
        let print_schema = diesel.print_schema.unwrap_or_default();
        let mut outputs = output::outputs(print_schema, &diesel_toml, root, &mut errors);
        let schema_file = schema_file(&outputs);
        let usual = usual_folder(&schema_file, root);
        let folders = folders_of_settings(&package_of(&usual, root), root, &mut errors);
        let (own, file) = bowline_toml::read(&folders, root, &mut errors);
        let ineffective = ineffective(&folders, from, file.as_ref());
        let tab_spaces = tab_spaces(root, &mut errors);
        if let Some(error) = toml_file::joined(errors) {
            return Err(error);
        }
        named::checked(&own, file.as_ref())?;
        let beside = file.as_ref().and_then(|file| file.path.parent());
        let beside = beside.unwrap_or(root);
        let folder = own.folder.map_or(usual, |folder| beside.join(folder));
        let queries = own.queries.map(|queries| beside.join(queries));
        let queries = queries.unwrap_or_else(|| root.join(QUERIES));
        let other_package = own.package.map(|package| beside.join(package));
        let of_bowline = file.as_ref().map(|file| file.path.clone());
        let files = has_diesel_toml.then(|| diesel_toml.clone());
        let files = files.into_iter().chain(of_bowline).collect();
        let source = own.source.map(|source| beside.join(source));
        let directory = diesel.migrations_directory;
        if let (Some(_), Some(_), Some(file)) = (&source, &directory, &file) {
            return Err(Failure::new(format!(
                "the migrations are named by `source` in {} and by [migrations_directory] in {}",
                file.description(),
                shown_path(&diesel_toml)
            ))
            .hint("remove one of them"));
        }
        let configured = source.or_else(|| Some(root.join(directory?.dir)));
        let usual_migrations = configured
            .or_else(|| migrations_above(root))
            .unwrap_or_else(|| root.join(MIGRATIONS));
        let named = arguments.migration_dir.as_ref();
        let migrations = named.map_or_else(|| usual_migrations.clone(), |folder| from.join(folder));
        let package = package_of(&folder, root);
        for output in &mut outputs {
            let file = output.file.as_deref();
            output.path = file.map(|file| schema_path(file, &folder, &package));
        }
        let database = database::checked(own.database, file.as_ref())?;
        let postgres = match &own.postgres {
            Some(written) => Some(postgres::version(written, file.as_ref())?),
            None => None,
        };
        let settings = Settings {
            root: root.to_owned(),
            schema_path: schema_path(&schema_file, &folder, &package),
            folder,
            tab_spaces,
            outputs,
            file,
            database,
            postgres,
            names: with_rows(own.names, &own.tables),
            crates: Crates {
                time: own.time,
                numeric: own.numeric,
                vector: own.vector,
                geometry: own.geometry,
            },
            types: own.types,
            newtypes: own.newtypes,
            not_null_elements: own.not_null_elements,
            not_null: own.not_null,
            variants: own.variants,
            extra_derives: own.derives,
            derives: Derives {
                new: own.new_derives,
                changes: own.changes_derives,
                id: own.id_derives,
                enums: own.enum_derives,
            },
            rename_all: own.rename_all,
            deny_unknown_fields: own.deny_unknown_fields,
            insertable: own.insertable,
            leave_out: own.leave_out,
            keys: with_keys(own.keys, &own.tables),
            tables: own.tables,
            joinables: own.joinables,
            migrate: own.migrate,
            lint: own.lint,
        };
        Ok(Self {
            migrations,
            usual_migrations,
            queries,
            root: root.to_owned(),
            package,
            module: own.module,
            other_package,
            files,
            has_diesel_toml,
            settings,
            ineffective,
        })
    }

    /// Returns the file of the catalog that is committed where replay cannot follow the migrations.
    pub fn catalog_file(&self) -> PathBuf {
        let schema = schema_file(&self.settings.outputs);
        let schema = if schema.as_os_str().is_empty() {
            self.settings.folder.join("schema.rs")
        } else {
            schema
        };
        schema.with_extension(committed::ENDING)
    }

    /// Returns the path of the module with the generated code, as a package names it.
    pub fn module_for(&self, package: &Path) -> String {
        if let Some(module) = &self.module {
            return module.clone();
        }
        let mut module = if relative(package, &self.package).is_empty() {
            "crate".to_owned()
        } else {
            self.crate_name()
        };
        let source = self.package.join("src");
        if let Ok(below) = self.settings.folder.strip_prefix(source) {
            for part in below.components() {
                module.push_str("::");
                module.push_str(&part.as_os_str().to_string_lossy());
            }
        }
        module
    }

    /// Returns the name of the package's library.
    fn crate_name(&self) -> String {
        #[derive(Deserialize)]
        struct CargoToml {
            package: Option<Named>,
            lib: Option<Named>,
        }
        #[derive(Deserialize)]
        struct Named {
            name: Option<String>,
        }
        let manifest = self.package.join("Cargo.toml");
        let manifest: Option<CargoToml> = toml_file::read(&manifest, &mut Vec::new());
        let named = manifest.and_then(|manifest| {
            let lib = manifest.lib.and_then(|lib| lib.name);
            lib.or_else(|| manifest.package?.name)
        });
        named.unwrap_or_default().replace('-', "_")
    }

    /// Returns a note for each file of settings that has no effect.
    pub fn ineffective_settings(&self) -> Vec<String> {
        let applied = match &self.settings.file {
            Some(file) => format!("those in {} apply", file.description()),
            None => format!(
                "{BOWLINE_TOML} in {} would apply",
                shown_path(&self.package)
            ),
        };
        let files = self.ineffective.iter();
        files
            .map(|file| {
                format!(
                    "the settings in {} have no effect: {applied}",
                    file.description()
                )
            })
            .collect()
    }

    /// Returns a note if the settings are still in `Cargo.toml`.
    pub fn settings_note(&self) -> Option<String> {
        let file = self.settings.file.as_ref()?;
        file.is_cargo_toml().then(|| {
            format!(
                "[{}] in Cargo.toml is replaced by {BOWLINE_TOML}; `bowline init --move-settings` \
                 moves it",
                file.table_name()
            )
        })
    }
}

/// Returns the Rust names, with those that the settings of single tables give.
fn with_rows(
    mut names: BTreeMap<String, String>,
    tables: &BTreeMap<String, TableSettings>,
) -> BTreeMap<String, String> {
    let rows = tables.iter();
    names.extend(rows.filter_map(|(table, of)| Some((table.clone(), of.row.clone()?))));
    names
}

/// Returns the keys, with those that the settings of single tables give.
fn with_keys(
    mut keys: BTreeMap<String, Vec<String>>,
    tables: &BTreeMap<String, TableSettings>,
) -> BTreeMap<String, Vec<String>> {
    let of_tables = tables.iter();
    keys.extend(of_tables.filter_map(|(table, of)| Some((table.clone(), of.key.clone()?))));
    keys
}

/// Returns the file of the main `schema.rs`: that of the output without a name, if there is one,
/// since the others are usually for other schemas.
fn schema_file(outputs: &[Output]) -> PathBuf {
    let has_file = |output: &&Output| output.file.is_some();
    let main = outputs
        .iter()
        .find(|output| has_file(output) && output.name == output::DEFAULT)
        .or_else(|| outputs.iter().find(has_file));
    main.and_then(|output| output.file.clone())
        .unwrap_or_default()
}

/// Returns the folder of the generated files where no setting names another: that of `schema.rs`,
/// or `db` beside it if it is in `src`, where the user's own files are.
fn usual_folder(schema_file: &Path, root: &Path) -> PathBuf {
    let beside = schema_file.parent().unwrap_or(root);
    let package = beside.parent().filter(|_| beside.ends_with("src"));
    let is_source =
        package.is_some_and(|package| package == root || package.join("Cargo.toml").is_file());
    if is_source {
        beside.join("db")
    } else {
        beside.to_owned()
    }
}

/// Returns the folder of the package that a folder is in.
fn package_of(folder: &Path, root: &Path) -> PathBuf {
    let mut folders = folder.ancestors();
    folders
        .find(|folder| folder.join("Cargo.toml").is_file())
        .unwrap_or(root)
        .to_owned()
}

/// Returns the folders that may have a `bowline.toml`, in the order in which they are searched:
/// from the package or the project, whichever is further down, to the root of the cargo workspace.
fn folders_of_settings(package: &Path, root: &Path, errors: &mut Vec<Failure>) -> Vec<PathBuf> {
    let (lowest, mut highest) = if root.starts_with(package) {
        (root, package)
    } else {
        (package, root)
    };
    for folder in highest.ancestors() {
        if is_workspace(folder, errors) {
            highest = folder;
            break;
        }
    }
    let mut folders: Vec<PathBuf> = lowest
        .ancestors()
        .take_while(|folder| folder.starts_with(highest))
        .map(Path::to_owned)
        .collect();
    if !folders.iter().any(|folder| folder == root) {
        folders.extend([package, root].map(Path::to_owned));
    }
    folders
}

/// Returns the settings that have no effect, in the folders that are searched and in those above
/// the working directory.
fn ineffective(
    folders: &[PathBuf],
    from: &Path,
    applied: Option<&SettingsFile>,
) -> Vec<SettingsFile> {
    let Some(highest) = folders.last() else {
        return Vec::new();
    };
    let above = from
        .ancestors()
        .take_while(|folder| folder.starts_with(highest));
    let others = above
        .map(Path::to_owned)
        .filter(|folder| !folders.contains(folder));
    let all: Vec<PathBuf> = folders.iter().cloned().chain(others).collect();
    bowline_toml::ineffective(&all, applied)
}

/// Returns true if a folder has the `Cargo.toml` of a workspace.
fn is_workspace(folder: &Path, errors: &mut Vec<Failure>) -> bool {
    #[derive(Deserialize)]
    struct CargoToml {
        workspace: Option<toml::Table>,
    }
    let manifest: Option<CargoToml> = toml_file::read(&folder.join("Cargo.toml"), errors);
    manifest.is_some_and(|manifest| manifest.workspace.is_some())
}

/// The settings of rustfmt that shape `schema.rs`.
#[derive(Debug, Deserialize)]
struct RustfmtToml {
    tab_spaces: Option<usize>,
}

/// Returns `tab_spaces` from the settings that rustfmt would find.
fn tab_spaces(root: &Path, errors: &mut Vec<Failure>) -> Option<usize> {
    let names = [".rustfmt.toml", "rustfmt.toml"];
    for path in root
        .ancestors()
        .flat_map(|folder| names.map(|name| folder.join(name)))
    {
        if let Some(settings) = toml_file::read::<RustfmtToml>(&path, errors) {
            return settings.tab_spaces.filter(|spaces| *spaces <= 16);
        }
    }
    None
}

const MIGRATIONS: &str = "migrations";
const QUERIES: &str = "queries";

/// Returns the folder `migrations` here or in the nearest folder above.
fn migrations_above(from: &Path) -> Option<PathBuf> {
    let mut folders = from.ancestors().map(|folder| folder.join(MIGRATIONS));
    folders.find(|folder| folder.is_dir())
}

/// Returns the path by which a file in the folder names the schema module.
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

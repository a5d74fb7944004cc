//! The project that the command works on, and its options.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bowline_plan::project::{self, ProjectOptions};
use clap::Args;

use crate::error::CliError;
use crate::migrations::{FolderError, Migration, read_folder};

/// Options that override the default paths of diesel.toml and of the migrations.
#[derive(Debug, Default, Args)]
pub(crate) struct ProjectArgs {
    /// The file of diesel's settings [default: diesel.toml here or in the nearest folder above].
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "DIESEL_CONFIG_FILE",
        hide_env = true,
        help_heading = "Global options"
    )]
    config_file: Option<PathBuf>,
    /// The folder of the migrations [default: `dir` of `[migrations_directory]` in diesel.toml,
    /// else migrations].
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        env = "MIGRATION_DIRECTORY",
        hide_env = true,
        help_heading = "Global options"
    )]
    migration_dir: Option<PathBuf>,
}

impl ProjectArgs {
    fn options(&self) -> ProjectOptions {
        ProjectOptions {
            config_file: self.config_file.clone(),
            migration_dir: self.migration_dir.clone(),
        }
    }
}

/// A project of the command: its settings, and its migrations once read.
#[derive(Debug)]
pub(crate) struct Project {
    settings: project::Project,
    loaded_migrations: OnceLock<Vec<Migration>>,
}

impl Deref for Project {
    type Target = project::Project;

    fn deref(&self) -> &Self::Target {
        &self.settings
    }
}

impl Project {
    /// Returns the root of the project that contains this folder, without reading its settings.
    pub(crate) fn root(from: &Path, arguments: &ProjectArgs) -> Option<PathBuf> {
        project::Project::root(from, &arguments.options())
    }

    /// Finds the project that contains a folder, and reads its settings. Its root is the folder of
    /// `--config-file`, else that of the nearest diesel.toml at or above the folder, else that of
    /// the nearest Cargo.toml, else the one around the nearest folder of migrations.
    pub(crate) fn find(from: &Path, arguments: &ProjectArgs) -> Result<Self, CliError> {
        Ok(Self::of(project::Project::find(
            from,
            &arguments.options(),
        )?))
    }

    /// Finds the project as [`find`](Self::find) does, with one exception: without `--config-file`,
    /// a folder with both `migrations` and `queries` is itself the root, even within a package.
    pub(crate) fn find_for_queries(from: &Path, arguments: &ProjectArgs) -> Result<Self, CliError> {
        Ok(Self::of(project::Project::find_for_queries(
            from,
            &arguments.options(),
        )?))
    }

    fn of(settings: project::Project) -> Self {
        Self {
            settings,
            loaded_migrations: OnceLock::new(),
        }
    }

    /// Returns the migrations in the order in which they run; reads the folder once per run.
    pub(crate) fn read_migrations(&self) -> Result<&[Migration], FolderError> {
        match self.loaded_migrations.get() {
            Some(migrations) => Ok(migrations),
            None => {
                let migrations = read_folder(&self.migrations)?;
                Ok(self.loaded_migrations.get_or_init(|| migrations))
            }
        }
    }
}

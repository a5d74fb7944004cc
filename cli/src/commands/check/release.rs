//! The code of a release: its statements, and the schema that it was compiled for.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::result::{Expected, add_columns};
use crate::commands::{generate, queries, verify};
use crate::emit::Statement;
use crate::error::CliError;
use crate::git::Repository;
use crate::migrations::{Migration, SqlFile, prepared};
use crate::project::{Project, ProjectArgs};
use crate::queries::read_folder;
use crate::source::replay_of_migrations;
use bowline_catalog::Catalog;
use bowline_catalog::query::Checker;
use bowline_plan::paths::shown_path;

/// A release.
pub(in crate::commands) struct Release {
    /// What messages call it.
    pub(in crate::commands) name: String,
    pub(in crate::commands) statements: Vec<Compiled>,
    /// The statements that are no valid SQL in the release itself, each with the reason.
    pub(in crate::commands) not_checked: Vec<(Function, String)>,
    /// The migrations that made its schema; none if only its statements are known.
    pub(in crate::commands) migrations: Vec<SqlFile>,
}

/// A function of a release, or another place with a statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(in crate::commands) struct Function {
    #[serde(rename = "function")]
    pub(in crate::commands) name: String,
    /// The file and line, if they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::commands) at: Option<String>,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.at {
            Some(at) => write!(f, " ({at})"),
            None => Ok(()),
        }
    }
}

/// A statement as the release was compiled with it.
pub(in crate::commands) struct Compiled {
    pub(super) function: Function,
    pub(super) sql: String,
    /// The types of its parameters as SQL, with which it is sent.
    pub(super) parameters: Vec<String>,
    /// The columns of the result.
    pub(super) columns: Vec<Expected>,
    /// The columns that it reads or writes, by the name of their table; empty if not known.
    pub(super) uses: Vec<(bowline_catalog::Name, String)>,
}

/// A query in a file of `bowline queries --json`.
#[derive(Deserialize)]
struct Saved {
    name: Option<String>,
    file: String,
    line: usize,
    sql: String,
    #[serde(default)]
    parameters: Vec<SavedParameter>,
    #[serde(default)]
    columns: Vec<SavedColumn>,
    refused: Option<String>,
}

#[derive(Deserialize)]
struct SavedParameter {
    #[serde(rename = "type")]
    data_type: String,
}

#[derive(Deserialize)]
struct SavedColumn {
    name: String,
    #[serde(rename = "type")]
    data_type: String,
    nullable: bool,
}

impl Release {
    /// Reads a release: a file, a folder, or a commit of git.
    pub(in crate::commands) fn read(against: &str, project: &Project) -> Result<Self, CliError> {
        let path = Path::new(against);
        if path.is_file() {
            return Self::of_file(path);
        }
        if path.is_dir() {
            let folder = path.canonicalize().map_err(|error| {
                CliError::failed(format!("cannot read {}: {error}", shown_path(path)))
            })?;
            return Self::of_folder(shown_path(path), &folder);
        }
        let repository = Repository::of(&project.root)?;
        let commit = repository.commit(against)?;
        Self::of_commit(against, &commit, &repository, project)
    }

    /// Reads the release at a commit of git.
    pub(in crate::commands) fn of_commit(
        name: &str,
        commit: &str,
        repository: &Repository,
        project: &Project,
    ) -> Result<Self, CliError> {
        let root = repository.root.clone();
        let Some(checkout) = repository.checkout(commit, &root)? else {
            return Err(CliError::failed(format!("{name} has no files")));
        };
        let package = project
            .root
            .canonicalize()
            .unwrap_or_else(|_| project.root.clone());
        let within = repository.relative(&package).unwrap_or_default();
        Self::of_folder(name.to_owned(), &checkout.path().join(within))
    }

    fn of_file(path: &Path) -> Result<Self, CliError> {
        let shown = shown_path(path);
        let text = std::fs::read_to_string(path)
            .map_err(|error| CliError::failed(format!("cannot read {shown}: {error}")))?;
        let saved: Vec<Saved> = serde_json::from_str(&text).map_err(|error| {
            CliError::failed(format!("{shown} is no list of queries: {error}"))
                .hint("write it with `bowline queries --json` in a checkout of the release")
        })?;
        let mut release = Self {
            name: shown,
            statements: Vec::new(),
            not_checked: Vec::new(),
            migrations: Vec::new(),
        };
        for query in saved {
            let at = format!("{}:{}", query.file, query.line);
            let function = match query.name {
                Some(name) => Function { name, at: Some(at) },
                None => Function { name: at, at: None },
            };
            match query.refused {
                Some(why) => release.not_checked.push((function, why)),
                None => release.statements.push(Compiled {
                    function,
                    sql: query.sql,
                    parameters: query
                        .parameters
                        .into_iter()
                        .map(|parameter| parameter.data_type)
                        .collect(),
                    columns: query
                        .columns
                        .into_iter()
                        .map(SavedColumn::expected)
                        .collect(),
                    uses: Vec::new(),
                }),
            }
        }
        Ok(release)
    }

    fn of_folder(name: String, folder: &Path) -> Result<Self, CliError> {
        let project = Project::find_for_queries(folder, &ProjectArgs::default())
            .map_err(|error| error.hint(format!("this is about {name}, the release")))?;
        Self::of_project(name, &project, project.read_migrations()?)
    }

    /// Reads the code of a project, as it is on the schema that some of its migrations make.
    pub(in crate::commands) fn of_project(
        name: String,
        project: &Project,
        migrations: &[Migration],
    ) -> Result<Self, CliError> {
        let replayed = replay_of_migrations(migrations)?;
        if !replayed.refusals.is_empty() {
            let refused = crate::source::refused(&replayed.refusals);
            return Err(refused.hint(format!("this is about {name}, the release")));
        }
        let catalog = replayed.catalog;
        let mut release = Self {
            name,
            statements: Vec::new(),
            not_checked: Vec::new(),
            migrations: prepared(migrations)?.into_iter().map(|it| it.up).collect(),
        };
        let checker = Checker::new(&catalog).for_version(project.settings.postgres);
        for Statement { function, sql, at } in statements(project, &catalog)? {
            let function = Function { name: function, at };
            match checker.check(&sql) {
                Ok(query) => release
                    .statements
                    .push(Compiled::of(function, query, &catalog)),
                Err(fault) => release.not_checked.push((function, fault.message)),
            }
        }
        Ok(release)
    }
}

impl Compiled {
    fn of(function: Function, query: bowline_catalog::query::Query, catalog: &Catalog) -> Self {
        let mut columns = Vec::new();
        add_columns(&query.columns, "", catalog, &mut columns);
        Self {
            function,
            columns,
            parameters: query
                .parameters
                .iter()
                .map(|parameter| parameter.data_type.sql())
                .collect(),
            uses: query.reads.into_iter().chain(query.assigns).collect(),
            sql: query.sql,
        }
    }
}

impl SavedColumn {
    fn expected(self) -> Expected {
        Expected {
            name: self.name,
            data_type: self.data_type,
            nullable: self.nullable,
        }
    }
}

/// Returns the statements of a project: of its generated functions if it has any, of its query
/// files, and of `query!` in its sources.
pub(super) fn statements(project: &Project, catalog: &Catalog) -> Result<Vec<Statement>, CliError> {
    let mut all = match project.settings.folder.join("mod.rs").exists() {
        true => generate::statements(catalog, project)?,
        false => of_query_files(project, catalog)?,
    };
    all.extend(verify::inline_statements(&project.package, &project.root));
    Ok(all)
}

fn of_query_files(project: &Project, catalog: &Catalog) -> Result<Vec<Statement>, CliError> {
    let files = read_folder(&project.queries, &project.root)?;
    let checker = Checker::new(catalog).for_version(project.settings.postgres);
    let found = files.iter().flat_map(|file| queries::check(file, &checker));
    let statements = found.filter_map(|found| {
        let query = found.query?;
        Some(Statement {
            function: query.name.text.clone(),
            sql: query.sql.text.clone(),
            at: Some(format!(
                "{}:{}",
                found.file.name,
                found.file.line(query.name.span.start)
            )),
        })
    });
    Ok(statements.collect())
}

//! The sources of a catalog: migrations, a database, a dump, or a file of JSON.

use std::fs;
use std::path::{Path, PathBuf};

use bowline::{Config, Session};

use crate::catalog_file::of_json;
use crate::connection::{ServerArgs, connect_to_read};
use crate::error::CliError;
use crate::introspect::introspect;
use crate::migrations::{Migration, SqlFile, prepared};
use crate::project::Project;
use crate::throwaway::Throwaway;
use crate::ui::{self, Excerpt};
use bowline_catalog::Catalog;
use bowline_catalog::gap::GapKind;
use bowline_catalog::replay::{Refusal, Replayed, replay};
use bowline_plan::paths::{shown_path, without_mark};
use bowline_plan::suggestion::nearest;

/// The server that runs the migrations if replay cannot follow them.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Fallback {
    /// Use no server, even if a statement cannot be followed.
    #[arg(long, conflicts_with = "database_url")]
    offline: bool,
    #[command(flatten)]
    server: ServerArgs,
}

impl Fallback {
    /// Returns the server to use; `None` with `--offline`.
    pub(crate) fn server(&self) -> Option<&ServerArgs> {
        (!self.offline).then_some(&self.server)
    }

    /// Returns the fallback to a local server, or to none.
    pub(crate) fn local(offline: bool) -> Self {
        Self {
            offline,
            server: ServerArgs::default(),
        }
    }
}

/// The source of a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The project's migrations, up to the named one.
    Migrations(Option<String>),
    /// A database, by its URL.
    Database(String),
    /// The output of `bowline catalog`.
    Json(PathBuf),
    /// The output of `pg_dump --schema-only`, or other SQL.
    Sql(PathBuf),
}

/// A catalog, and the connection to the database from which it was read.
pub(crate) struct Opened {
    pub catalog: Catalog,
    pub session: Option<Session>,
}

impl Source {
    /// Parses `migrations`, `migrations@VERSION`, a URL, or the name of a `.json` or `.sql` file.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let end = Path::new(text).extension().and_then(|end| end.to_str());
        if text == "migrations" {
            Ok(Self::Migrations(None))
        } else if let Some(version) = text.strip_prefix("migrations@") {
            Ok(Self::Migrations(Some(version.to_owned())))
        } else if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Ok(Self::Database(text.to_owned()))
        } else {
            match end {
                Some("json") => Ok(Self::Json(text.into())),
                Some("sql") => Ok(Self::Sql(text.into())),
                _ => Err(
                    "expected migrations, migrations@VERSION, a postgres:// URL, a .json file or a .sql file"
                        .to_owned(),
                ),
            }
        }
    }

    /// Returns the source in words, without a password.
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Migrations(None) => "the migrations".to_owned(),
            Self::Migrations(Some(version)) => format!("the migrations up to {version}"),
            Self::Database(_) => "the database".to_owned(),
            Self::Json(path) | Self::Sql(path) => path.display().to_string(),
        }
    }

    /// Returns the catalog of the source.
    pub(crate) fn catalog(
        &self,
        project: &Project,
        fallback: &Fallback,
    ) -> Result<Catalog, CliError> {
        Ok(self.open(project, fallback)?.catalog)
    }

    /// Returns the catalog of the source, and the connection that it was read on.
    pub(crate) fn open(&self, project: &Project, fallback: &Fallback) -> Result<Opened, CliError> {
        let catalog = match self {
            Self::Migrations(version) => {
                let migrations = project.read_migrations()?;
                let migrations = up_to(migrations, version.as_deref())?;
                of_migrations(migrations, project, fallback)?
            }
            Self::Database(url) => {
                let mut session = connect_to_read(&Config::from_url(url)?)?;
                return Ok(Opened {
                    catalog: introspect(&mut session)?,
                    session: Some(session),
                });
            }
            Self::Json(path) => of_json(&text(path)?, path)?,
            Self::Sql(path) => of_dump(path)?,
        };
        Ok(Opened {
            catalog,
            session: None,
        })
    }
}

fn text(path: &Path) -> Result<String, CliError> {
    let text = fs::read_to_string(path)
        .map_err(|error| CliError::failed(format!("cannot read {}: {error}", path.display())))?;
    Ok(without_mark(text))
}

/// Returns the migrations up to a version or name; all of them if none is given.
pub(crate) fn up_to<'a>(
    migrations: &'a [Migration],
    version: Option<&str>,
) -> Result<&'a [Migration], CliError> {
    let Some(version) = version else {
        return Ok(migrations);
    };
    let plain = version.replace('-', "");
    let last = migrations
        .iter()
        .position(|migration| migration.name == version || migration.version == plain);
    last.map(|last| &migrations[..=last]).ok_or_else(|| {
        let names = migrations.iter().map(|migration| migration.name.as_str());
        let versions = migrations
            .iter()
            .map(|migration| migration.version.as_str());
        let name_of = |version| {
            migrations
                .iter()
                .find(|migration| migration.version == version)
        };
        let meant = nearest(version, names).or_else(|| {
            let migration = nearest(&plain, versions).and_then(name_of)?;
            Some(migration.name.as_str())
        });
        CliError::failed(format!("there is no migration {version}")).hint(match meant {
            Some(meant) => format!("did you mean {meant}?"),
            None => {
                "`bowline migrate status` lists them; the version is the part before the first _"
                    .to_owned()
            }
        })
    })
}

/// Returns the catalog by replay; if replay cannot follow a statement, from a server, if allowed.
pub(crate) fn of_migrations(
    migrations: &[Migration],
    project: &Project,
    fallback: &Fallback,
) -> Result<Catalog, CliError> {
    made_of_migrations(migrations, project, fallback).map(|made| made.catalog)
}

/// The catalog that migrations make.
pub(crate) struct Made {
    pub catalog: Catalog,
    /// True if replay cannot follow a statement, so that a server made it.
    pub by_server: bool,
}

/// Returns the same as [`of_migrations`], and whether replay or a server made the catalog.
pub(crate) fn made_of_migrations(
    migrations: &[Migration],
    project: &Project,
    fallback: &Fallback,
) -> Result<Made, CliError> {
    if let [only] = migrations
        && only.is_catalog()
    {
        return Ok(Made {
            catalog: of_json(&only.up.text, &only.up.path)?,
            by_server: false,
        });
    }
    let migrations = &*prepared(migrations)?;
    let replayed = replay(migrations.iter().map(|migration| &migration.up));
    if replayed.refusals.is_empty() {
        note_gaps(&replayed.catalog);
        return Ok(Made {
            catalog: replayed.catalog.without_records(),
            by_server: false,
        });
    }
    let refused = refused(&replayed.refusals);
    if fallback.offline {
        return Err(refused);
    }
    let progress = ui::Progress::start("starting a server to run the migrations");
    let mut throwaway = match Throwaway::create(&fallback.server) {
        Ok(throwaway) => throwaway,
        Err(unavailable) => {
            let why = format!("no server could run them instead: {}", unavailable.message);
            let hints = unavailable.hints.into_iter();
            return Err(hints.fold(refused.hint(why), CliError::hint));
        }
    };
    for migration in migrations {
        progress.now(format!("running {}", migration.name));
        throwaway
            .run(migration)
            .map_err(|error| error.below(&refused.report))?;
    }
    drop(progress);
    // It ran less than what is refused, and proves nothing of it.
    if let Some(unproved) = throwaway.unproved() {
        return Err(refused.hint(unproved));
    }
    for refusal in &replayed.refusals {
        let file = refusal.file.strip_prefix(&project.root);
        ui::note(format!(
            "the schema is from {}, since {}:{} cannot be followed: {}",
            throwaway.server(),
            file.unwrap_or(&refusal.file).display(),
            refusal.line(),
            refusal.why
        ));
    }
    Ok(Made {
        catalog: throwaway.catalog()?,
        by_server: true,
    })
}

/// Replays the migrations. Returns the catalog, with the statements that replay cannot follow.
pub(crate) fn replay_of_migrations(migrations: &[Migration]) -> Result<Replayed, CliError> {
    let migrations = &*prepared(migrations)?;
    let replayed = replay(migrations.iter().map(|migration| &migration.up));
    note_gaps(&replayed.catalog);
    Ok(replayed)
}

/// Prints a note on each object that is not known in full, except those that `-- bowline:` comments
/// mention.
pub(crate) fn note_gaps(catalog: &Catalog) {
    let gaps = catalog.gaps.iter().filter(|gap| {
        let kinds = [GapKind::View, GapKind::MaterializedView, GapKind::Sequence];
        kinds.contains(&gap.kind)
    });
    gaps.for_each(|gap| ui::note(format!("not known in full: {gap}")));
}

/// Returns the error for statements that replay cannot follow, each underlined.
pub(crate) fn refused(refusals: &[Refusal]) -> CliError {
    let reports: Vec<_> = refusals
        .iter()
        .map(|refusal| {
            let excerpt = Excerpt {
                path: shown_path(&refusal.file),
                source: &refusal.source,
                span: refusal.first_line(),
            };
            ui::underlined_all(&refusal.why, vec![excerpt], Some(&refusal.hint))
        })
        .collect();
    let statements = ui::counted(refusals.len(), "statement");
    CliError::failed(format!("{statements} cannot be followed")).report(reports.join("\n\n"))
}

/// Replays a dump as one migration, without psql's own commands.
fn of_dump(path: &Path) -> Result<Catalog, CliError> {
    let text: String = text(path)?
        .split_inclusive('\n')
        .map(|line| if line.starts_with('\\') { "\n" } else { line })
        .collect();
    let up = SqlFile {
        path: path.to_owned(),
        text,
    };
    let replayed = replay([&up]);
    if !replayed.refusals.is_empty() {
        return Err(refused(&replayed.refusals));
    }
    Ok(replayed.catalog.without_records())
}

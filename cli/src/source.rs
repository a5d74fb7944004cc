//! Where a command takes a catalog from: migrations, a database, a dump, or a file of JSON.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bowline::Session;

use crate::connection;
use crate::error::CliError;
use crate::introspect::introspect;
use crate::migrations::{Migration, SqlFile, prepared, read_folder};
use crate::project::Project;
use crate::suggestion::nearest;
use crate::throwaway::Throwaway;
use crate::ui;
use bowline_catalog::Catalog;
use bowline_catalog::DIESEL_TABLE;
use bowline_catalog::gap::GapKind;
use bowline_catalog::json;
use bowline_catalog::replay::{Refusal, replay};

/// Which server may be asked where replay refuses.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Fallback {
    /// Ask no server, also where a statement cannot be followed.
    #[arg(long)]
    pub offline: bool,
    /// The server to ask where a statement cannot be followed, instead of a local one that is started for it; a
    /// database of its own is made there, and dropped.
    #[arg(long, value_name = "URL", conflicts_with = "offline")]
    pub database_url: Option<String>,
}

/// Where a catalog is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The project's migrations, up to this one if one is named.
    Migrations(Option<String>),
    /// A database, by its URL.
    Database(String),
    /// What `bowline catalog` printed.
    Json(PathBuf),
    /// What `pg_dump --schema-only` printed, or any other SQL.
    Sql(PathBuf),
}

impl Source {
    /// `migrations`, `migrations@VERSION`, a URL, or a file `.json` or `.sql`.
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
                    "name migrations, migrations@VERSION, a postgres:// URL, a file .json or a file .sql"
                        .to_owned(),
                ),
            }
        }
    }

    /// What a sentence calls it; no password is in it.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Migrations(None) => "the migrations".to_owned(),
            Self::Migrations(Some(version)) => format!("the migrations up to {version}"),
            Self::Database(_) => "the database".to_owned(),
            Self::Json(path) | Self::Sql(path) => path.display().to_string(),
        }
    }

    pub(crate) fn catalog(
        &self,
        project: &Project,
        fallback: &Fallback,
    ) -> Result<Catalog, CliError> {
        match self {
            Self::Migrations(version) => {
                let migrations = read_folder(&project.migrations)?;
                let migrations = up_to(&migrations, version.as_deref())?;
                of_migrations(migrations, project, fallback)
            }
            Self::Database(url) => introspect(&mut connect(Some(url))?),
            Self::Json(path) => json::read(&text(path)?).map_err(|error| {
                CliError::failed(format!("{} is no catalog: {error}", path.display()))
                    .hint("docs/CATALOG.md says what it holds; `bowline catalog` writes one")
            }),
            Self::Sql(path) => of_dump(path),
        }
    }
}

/// A session for looking at a database: the one that the URL names, else DATABASE_URL's.
pub(crate) fn connect(url: Option<&str>) -> Result<Session, CliError> {
    let mut session = connection::connect(&connection::config(url)?)?.session;
    // A catalog of thousands of tables takes its time.
    session.within(Duration::from_secs(5 * 60));
    Ok(session)
}

fn text(path: &Path) -> Result<String, CliError> {
    let text = fs::read_to_string(path)
        .map_err(|error| CliError::failed(format!("cannot read {}: {error}", path.display())))?;
    // A byte order mark is no part of the text.
    Ok(text
        .strip_prefix('\u{feff}')
        .map_or(text.clone(), str::to_owned))
}

/// The migrations up to the one of this version or name; all of them without one.
pub(crate) fn up_to<'a>(
    migrations: &'a [Migration],
    version: Option<&str>,
) -> Result<&'a [Migration], CliError> {
    let Some(version) = version else {
        return Ok(migrations);
    };
    let plain = version.replace('-', "");
    let place = migrations
        .iter()
        .position(|migration| migration.name == version || migration.version == plain);
    place.map(|place| &migrations[..=place]).ok_or_else(|| {
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
                "`bowline migrate status` lists them; a version is what stands before the first _"
                    .to_owned()
            }
        })
    })
}

/// By replay; where that refuses, from a server, if one may be asked.
pub(crate) fn of_migrations(
    migrations: &[Migration],
    project: &Project,
    fallback: &Fallback,
) -> Result<Catalog, CliError> {
    let migrations = &*prepared(migrations)?;
    let replayed = replay(migrations.iter().map(|migration| &migration.up));
    if replayed.refusals.is_empty() {
        note_gaps(&replayed.catalog);
        return Ok(replayed.catalog);
    }
    let refused = refused(&replayed.refusals);
    if fallback.offline {
        return Err(refused);
    }
    let progress = ui::Progress::start("asking a server what cannot be followed");
    let mut throwaway = match Throwaway::create(fallback.database_url.as_deref()) {
        Ok(throwaway) => throwaway,
        Err(unavailable) => {
            let why = format!("no server could be asked instead: {}", unavailable.message);
            let hints = unavailable.hints.into_iter();
            return Err(hints.fold(refused.hint(why), CliError::hint));
        }
    };
    for migration in migrations {
        progress.now(format!("running {} for an exact answer", migration.name));
        throwaway
            .run(migration)
            .map_err(|error| error.below(&refused.report))?;
    }
    drop(progress);
    for refusal in &replayed.refusals {
        let file = refusal.file.strip_prefix(&project.root);
        ui::note(format!(
            "{} ran the migrations, since {}:{} cannot be followed: {}",
            throwaway.server(),
            file.unwrap_or(&refusal.file).display(),
            refusal.line(),
            refusal.why
        ));
    }
    throwaway.catalog()
}

/// Says what is in a catalog and not known in full; what its author told replay to ignore is not said again.
pub(crate) fn note_gaps(catalog: &Catalog) {
    let told = catalog.gaps.iter().filter(|gap| {
        let kinds = [GapKind::View, GapKind::MaterializedView, GapKind::Sequence];
        kinds.contains(&gap.kind)
    });
    told.for_each(|gap| ui::note(format!("not known in full: {gap}")));
}

/// The refused statements, underlined.
pub(crate) fn refused(refusals: &[Refusal]) -> CliError {
    let reports: Vec<_> = refusals
        .iter()
        .map(|refusal| {
            let path = ui::shown_path(&refusal.file);
            ui::refused(
                &refusal.why,
                &path,
                &refusal.source,
                refusal.first_line(),
                &refusal.hint,
            )
        })
        .collect();
    let statements = ui::counted(refusals.len(), "statement");
    CliError::failed(format!("{statements} cannot be followed")).report(reports.join("\n\n"))
}

/// A dump, replayed as one migration; the commands of psql in it are none of SQL.
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
    let mut catalog = replayed.catalog;
    // diesel's book of what has run belongs to no schema; of a server it is not read either.
    catalog
        .relations
        .retain(|name, _| name.name != DIESEL_TABLE);
    Ok(catalog)
}

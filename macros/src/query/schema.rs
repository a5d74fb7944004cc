//! The schema against which the SQL is checked: that of the package's migrations, as they are now.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bowline_catalog::Catalog;
use bowline_catalog::json;
use bowline_catalog::replay::{Refusal, replay};
use bowline_migrations::{Migration, SqlFile, Tool, differences, read_folder, script};
use bowline_plan::committed;
use bowline_plan::plan::{Plan, plan, schemas};
use bowline_plan::project::{Project, ProjectOptions};

use super::message::Mistake;

/// The schema and settings against which a package's queries are checked.
pub(crate) struct Schema {
    pub(crate) catalog: Catalog,
    pub(crate) plan: Plan,
    /// The oldest version of PostgreSQL that the queries run on, if it is set.
    pub(crate) postgres: Option<u32>,
    /// The path of the module with the generated code.
    pub(crate) module: String,
    /// The files from which it was read.
    pub(crate) files: Vec<PathBuf>,
}

/// The schema of one package, with the state of the files from which it was read.
struct Known {
    package: PathBuf,
    fingerprint: u64,
    checked: Instant,
    schema: Result<Arc<Schema>, Mistake>,
}

/// The schema that was used last. A compiler compiles one package, so one is enough. A language
/// server can have several, and reads a schema again when it changes to another package.
static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// The time in which the files are not read again: long enough for a compiler to expand hundreds of
/// macros, and too short to be noticed after a migration is edited.
pub(super) const UNREAD: Duration = Duration::from_millis(300);

/// Returns the schema of a package. It is read again if a file has changed.
pub(crate) fn of(package: &Path) -> Result<Arc<Schema>, Mistake> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let same = known.as_mut().filter(|known| known.package == package);
    if let Some(known) = &same
        && known.checked.elapsed() < UNREAD
    {
        return known.schema.clone();
    }
    let read = Read::of(package)?;
    let fingerprint = read.fingerprint();
    if let Some(known) = same
        && known.fingerprint == fingerprint
    {
        known.checked = Instant::now();
        return known.schema.clone();
    }
    let schema = read.schema(package).map(Arc::new);
    *known = Some(Known {
        package: package.to_owned(),
        fingerprint,
        checked: Instant::now(),
        schema: schema.clone(),
    });
    schema
}

/// The files of a project.
struct Read {
    project: Project,
    migrations: Vec<Migration>,
    /// The text of the catalog that is committed where replay cannot follow the migrations.
    committed: Option<String>,
}

impl Read {
    fn of(package: &Path) -> Result<Self, Mistake> {
        let find = |folder: &Path| {
            Project::find(folder, &ProjectOptions::default()).map_err(|failure| {
                let mistake = Mistake::new(failure.message.clone());
                match failure.hints.first() {
                    Some(hint) => mistake.hint(hint.clone()),
                    None => mistake,
                }
            })
        };
        let mut project = find(package)?;
        if let Some(other) = &project.other_package {
            // The files are those of the other package. The path is the one by which this package
            // names its code.
            let mut found = find(other)?;
            found.module = project.module.or(found.module);
            found.files.append(&mut project.files);
            project = found;
        }
        let migrations = read_folder(&project.migrations)
            .map_err(|error| Mistake::new(error.to_string()).hint(error.hint()))?;
        let committed = std::fs::read_to_string(project.catalog_file()).ok();
        Ok(Self {
            project,
            migrations,
            committed,
        })
    }

    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for migration in &self.migrations {
            migration.name.hash(&mut hasher);
            migration.up.text.hash(&mut hasher);
        }
        self.committed.hash(&mut hasher);
        // The settings are few, so their text is compared as a whole.
        format!("{:?}", self.project).hash(&mut hasher);
        hasher.finish()
    }

    fn schema(self, package: &Path) -> Result<Schema, Mistake> {
        let catalog = match &self.migrations[..] {
            [only] if only.is_catalog() => json::read(&only.up.text).map_err(|why| {
                let path = only.up.path.display();
                Mistake::new(format!("{path} is not a catalog: {why}"))
                    .hint("`bowline catalog` writes one")
            })?,
            _ => self.replayed()?,
        };
        let settings = &self.project.settings;
        let planned = schemas(&catalog, settings);
        let patched: Vec<_> = planned.iter().map(|_| None).collect();
        let plan = plan(&catalog, settings, planned, &patched).map_err(|problems| {
            let first = problems.into_iter().next();
            let message = first.map_or_else(String::new, |problem| problem.message);
            Mistake::new(format!("no code can be generated: {message}"))
                .hint("run `bowline generate`, which shows all problems")
        })?;
        let committed = self.committed.iter().map(|_| self.project.catalog_file());
        let committed: Vec<PathBuf> = committed.collect();
        let files = self.migrations.iter();
        let files = files.map(|migration| migration.up.path.clone());
        Ok(Schema {
            postgres: self.project.settings.postgres,
            module: self.project.module_for(package),
            files: files
                .chain(self.project.files.iter().cloned())
                .chain(committed)
                .collect(),
            catalog,
            plan,
        })
    }
}

impl Read {
    /// Returns the catalog that the migrations or the dump make.
    fn replayed(&self) -> Result<Catalog, Mistake> {
        let sent: Vec<SqlFile> = self.migrations.iter().map(sent).collect::<Result<_, _>>()?;
        let replayed = replay(&sent);
        match replayed.refusals.first() {
            None => Ok(replayed.catalog.without_records()),
            Some(refusal) => self.committed_catalog(refusal),
        }
    }

    /// Returns the committed catalog, if it stands for these migrations. `refusal` is the reason
    /// why it is needed.
    fn committed_catalog(&self, refusal: &Refusal) -> Result<Catalog, Mistake> {
        const HINT: &str = "run `bowline generate`, which asks a server for the schema";
        let shown = |path: &Path| {
            let path = path.strip_prefix(&self.project.root).unwrap_or(path);
            path.display().to_string()
        };
        let path = shown(&self.project.catalog_file());
        let Some(text) = &self.committed else {
            return Err(Mistake::new(format!(
                "{}:{} cannot be followed: {}",
                shown(&refusal.file),
                refusal.line(),
                refusal.why
            ))
            .hint(format!(
                "{}; or {HINT} and writes it to {path}",
                refusal.hint
            )));
        };
        let committed = committed::read(text)
            .map_err(|why| Mistake::new(format!("{path} cannot be read: {why}")).hint(HINT))?;
        match differences(&committed.migrations, &self.migrations).first() {
            None => Ok(committed.catalog),
            Some(difference) => Err(Mistake::new(format!(
                "{path} is older than the migrations: {difference}"
            ))
            .hint(HINT)),
        }
    }
}

/// Returns the SQL of a migration as it is sent to a server.
fn sent(migration: &Migration) -> Result<SqlFile, Mistake> {
    let in_transaction = runs_in_transaction(migration);
    let text = script(&migration.up.text, in_transaction).map_err(|wrong| {
        let path = migration.up.path.display();
        let message = format!("{path}:{} cannot run: {}", wrong.line, wrong.message);
        Mistake::new(message).hint(wrong.hint)
    })?;
    Ok(SqlFile {
        path: migration.up.path.clone(),
        text: text.into_owned(),
    })
}

/// Returns false for a migration that diesel runs outside of a transaction.
fn runs_in_transaction(migration: &Migration) -> bool {
    if migration.tool != Tool::Diesel {
        return migration.runs_in_transaction();
    }
    let metadata = SqlFile::read(&migration.path.join("metadata.toml"));
    let metadata = metadata.ok().flatten();
    let metadata = metadata.and_then(|file| file.text.parse::<toml::Table>().ok());
    let setting = metadata.and_then(|table| table.get("run_in_transaction")?.as_bool());
    setting.unwrap_or(true)
}

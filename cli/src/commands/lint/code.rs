//! The code that runs while the new migrations are applied, and what of it each of their statements
//! breaks.
//!
//! Each statement of the code is checked on the schema after each statement of a new migration, as
//! `bowline check --against` does at the end. Programs see a migration only when it ends, so that
//! what its later statements restore is no break.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;

use serde::Serialize;

use super::kept;
use crate::commands::check::breaks::{self, Break};
use crate::commands::check::release::Release;
use crate::error::CliError;
use crate::git::Repository;
use crate::migrations::{Migration, SqlFile, prepared};
use crate::origin;
use crate::project::Project;
use crate::ui;
use bowline_catalog::lint::{Finding, Rule, each_statement};

/// Where the code is.
pub(super) enum Source<'a> {
    /// At the commit where the branch left another one.
    Commit(&'a str),
    /// Here, on the schema at a version.
    Version(&'a str),
    /// Here, on the schema of the migrations that it is generated from.
    Generated,
}

/// The code, and what of it breaks.
pub(super) struct Code {
    /// What messages call it.
    release: String,
    statements: usize,
    /// The new migrations, by their index.
    new: Vec<usize>,
    by_statement: Vec<Broke>,
}

/// A statement of a migration by which code breaks.
struct Broke {
    file: usize,
    span: Range<usize>,
    breaks: Vec<Break>,
}

/// What breaks by the statement of a finding.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Broken<'c> {
    /// What messages call the code.
    pub(super) release: &'c str,
    /// The number of its statements.
    pub(super) statements: usize,
    pub(super) breaks: &'c [Break],
}

/// Reads the code. Returns `None` without code, and for code that knows all migrations.
pub(super) fn read(
    source: &Source<'_>,
    project: &Project,
    migrations: &[Migration],
) -> Result<Option<Code>, CliError> {
    if matches!(migrations, [only] if only.is_catalog()) {
        return Ok(None);
    }
    let (name, release) = match source {
        Source::Commit(reference) => {
            let repository = Repository::of(&project.root)?;
            let base = repository.merge_base(reference)?;
            let release = Release::of_commit(reference, &base, &repository, project);
            ((*reference).to_owned(), release)
        }
        Source::Version(version) => {
            let old = &migrations[..kept(migrations, version)?];
            here(format!("the code here at {version}"), project, old)
        }
        Source::Generated => {
            let module = project.settings.folder.join("mod.rs");
            let text = fs::read_to_string(module).unwrap_or_default();
            let Some(known) = origin::fingerprints(&text) else {
                return Ok(None);
            };
            let old = migrations.iter();
            let old = old.filter(|migration| known.contains(&migration.up.fingerprint()));
            let old: Vec<Migration> = old.cloned().collect();
            if old.len() == migrations.len() {
                return Ok(None);
            }
            here("the generated code here".to_owned(), project, &old)
        }
    };
    match release {
        Ok(release) if release.statements.is_empty() => Ok(None),
        Ok(release) => Code::of(&release, project, migrations).map(Some),
        // The rules need no code, and a folder that has none of Bowline's is linted too.
        Err(error) => {
            ui::note(format!(
                "what breaks of {name} is not known, since its code cannot be read: {}",
                error.message
            ));
            Ok(None)
        }
    }
}

fn here(name: String, project: &Project, old: &[Migration]) -> (String, Result<Release, CliError>) {
    let release = Release::of_project(name.clone(), project, old);
    (name, release)
}

impl Code {
    fn of(release: &Release, project: &Project, all: &[Migration]) -> Result<Self, CliError> {
        let migrations = prepared(all)?;
        let old: BTreeSet<u64> = release
            .migrations
            .iter()
            .map(SqlFile::fingerprint)
            .collect();
        let is_new = |index: &usize| !old.contains(&all[*index].up.fingerprint());
        let new: Vec<usize> = (0..all.len()).filter(is_new).collect();
        let first = release.migrations.len();
        let files: Vec<&SqlFile> = release
            .migrations
            .iter()
            .chain(new.iter().map(|index| &migrations[*index].up))
            .collect();
        let mut trial = Trial {
            release,
            postgres: project.settings.postgres,
            before: BTreeSet::new(),
            by_file: new.iter().map(|_| Vec::new()).collect(),
            at_end: new.iter().map(|_| BTreeSet::new()).collect(),
        };
        each_statement(&files, first, |moment| {
            let breaks = breaks::all(release, moment.catalog, trial.postgres);
            trial.note(moment.file - first, moment.span, breaks);
        });
        Ok(Self {
            release: trial.release.name.clone(),
            statements: release.statements.len(),
            by_statement: trial.finish(&new),
            new,
        })
    }

    /// Returns the findings on statements of which no other one tells that they break programs.
    pub(super) fn findings(&self, named: &[Finding]) -> Vec<Finding> {
        let is_named = |broke: &&Broke| {
            !named
                .iter()
                .any(|finding| tells(finding.rule) && broke.has(finding))
        };
        let unnamed = self.by_statement.iter().filter(is_named);
        unnamed
            .map(|broke| Finding {
                file: broke.file,
                span: broke.span.clone(),
                rule: Rule::BreaksCode,
                message: format!("this breaks code of {}", self.release),
                steps: Vec::new(),
                help: "release code that works on both schemas first, and run this when no older program is in use".to_owned(),
            })
            .collect()
    }

    /// Returns what breaks by the statement of a finding; `None` for a finding that is not about
    /// the names and types of the schema, and for migrations that the code knows.
    pub(super) fn broken_by(&self, finding: &Finding) -> Option<Broken<'_>> {
        if !tells(finding.rule) || !self.new.contains(&finding.file) {
            return None;
        }
        let mut all = self.by_statement.iter();
        let breaks = all.find(|broke| broke.has(finding));
        Some(Broken {
            release: &self.release,
            statements: self.statements,
            breaks: breaks.map_or(&[], |broke| &broke.breaks),
        })
    }
}

impl Broke {
    fn has(&self, finding: &Finding) -> bool {
        self.file == finding.file && self.span.contains(&finding.span.start)
    }
}

/// Returns true for a rule that is about programs that use what a statement changes.
fn tells(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::AddingRequiredField
            | Rule::BanDropColumn
            | Rule::BanDropNotNull
            | Rule::BanDropTable
            | Rule::BreaksCode
            | Rule::ChangingColumnType
            | Rule::RenamingColumn
            | Rule::RenamingTable
    )
}

/// The breaks after each statement of the new migrations.
struct Trial<'r> {
    release: &'r Release,
    postgres: Option<u32>,
    before: BTreeSet<Break>,
    by_file: Vec<Vec<(Range<usize>, BTreeSet<Break>)>>,
    /// What is broken when a migration ends.
    at_end: Vec<BTreeSet<Break>>,
}

impl Trial<'_> {
    fn note(&mut self, file: usize, span: Range<usize>, breaks: BTreeSet<Break>) {
        let new: BTreeSet<Break> = breaks.difference(&self.before).cloned().collect();
        self.by_file[file].push((span, new));
        self.at_end[file].clone_from(&breaks);
        self.before = breaks;
    }

    /// Returns the statements by which something is broken when their migration ends.
    fn finish(self, new: &[usize]) -> Vec<Broke> {
        let files = self.by_file.into_iter().zip(&self.at_end).zip(new);
        let broke = files.flat_map(|((statements, at_end), file)| {
            statements.into_iter().map(move |(span, breaks)| Broke {
                file: *file,
                span,
                breaks: breaks.intersection(at_end).cloned().collect(),
            })
        });
        broke.filter(|broke| !broke.breaks.is_empty()).collect()
    }
}

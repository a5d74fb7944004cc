//! `bowline check --onto`: whether the migrations of two branches commute.

use std::path::Path;

use serde::Serialize;

use crate::error::CliError;
use crate::git::Repository;
use crate::migrations::{Migration, prepared, read_folder};
use crate::project::Project;
use crate::ui::{self, counted};
use bowline_catalog::commute::{Branches, Commuted, Dispute, Order, commute};
use bowline_migrations::SqlFile;

/// The migrations of two branches, and of the commit at which they parted.
struct Parted {
    base: Vec<Migration>,
    ours: Vec<Migration>,
    theirs: Vec<Migration>,
}

/// The result, as JSON.
#[derive(Serialize)]
struct Report<'r> {
    commutes: bool,
    disputes: Vec<Disputed>,
    /// Tables that have the same columns in another order.
    reordered: Vec<String>,
    not_followed: Vec<String>,
    here: Vec<&'r str>,
    there: Vec<&'r str>,
}

/// What the branches do not agree on.
#[derive(Serialize)]
struct Disputed {
    object: Option<String>,
    why: String,
    /// The migrations that change it, of this branch and of the other one.
    here: Vec<String>,
    there: Vec<String>,
}

pub(super) fn run(reference: &str, json: bool, project: &Project) -> Result<(), CliError> {
    let parted = Parted::read(reference, project)?;
    let commuted = parted.commute();
    let disputes: Vec<Disputed> = commuted
        .disputes
        .iter()
        .map(|dispute| parted.disputed(dispute, reference))
        .collect();
    let reordered: Vec<String> = commuted
        .reordered
        .iter()
        .map(|subject| ui::escaped(&subject.to_string()).into_owned())
        .collect();
    let not_followed: Vec<String> = commuted
        .not_followed
        .iter()
        .map(|refusal| format!("{}: {}", name_of(&refusal.file), refusal.why))
        .collect();
    if json {
        ui::json(&Report {
            commutes: disputes.is_empty(),
            reordered,
            not_followed,
            here: names_of(&parted.ours),
            there: names_of(&parted.theirs),
            disputes,
        })?;
    } else {
        for left in &not_followed {
            ui::note(format!("{left}, so less is known of what it changes"));
        }
        for table in &reordered {
            ui::note(format!(
                "the columns of {table} have another order in databases that run {reference} first"
            ));
        }
        disputes
            .iter()
            .for_each(|disputed| print(disputed, reference));
    }
    parted.conclude(&commuted, reference)
}

fn print(disputed: &Disputed, reference: &str) {
    ui::result(ui::escaped(&disputed.why));
    let sides = [
        ("this branch", &disputed.here),
        (reference, &disputed.there),
    ];
    for (side, migrations) in sides {
        for migration in migrations {
            ui::result(format!("  {side}: {}", ui::one_line(migration)));
        }
    }
}

impl Parted {
    fn read(reference: &str, project: &Project) -> Result<Self, CliError> {
        let folder = project.migrations.canonicalize().map_err(|error| {
            CliError::failed(format!(
                "cannot read {}: {error}",
                project.migrations.display()
            ))
        })?;
        let repository = Repository::of(&project.root)?;
        let base = of_commit(&repository, &repository.merge_base(reference)?, &folder)?;
        let theirs = of_commit(&repository, &repository.commit(reference)?, &folder)?;
        let ours = project.read_migrations()?.to_vec();
        for (side, migrations) in [("this branch", &ours), (reference, &theirs)] {
            note_changes(&base, migrations, side);
        }
        let is_new = |migration: &Migration| !has_version(&base, migration);
        let theirs: Vec<Migration> = theirs.into_iter().filter(is_new).collect();
        let mut ours: Vec<Migration> = ours.into_iter().filter(is_new).collect();
        // One that was taken over by cherry-pick or merge is no news.
        ours.retain(|migration| {
            let mut same = theirs.iter();
            !same.any(|other| {
                other.version == migration.version
                    && other.up.fingerprint() == migration.up.fingerprint()
            })
        });
        if let Some(twice) = ours.iter().find(|ours| has_version(&theirs, ours)) {
            let mut others = theirs.iter();
            let other = others.find(|other| other.version == twice.version);
            let other = other.map_or("", |other| other.name.as_str());
            return Err(CliError::failed(format!(
                "{} of this branch and {other} of {reference} have one version, {}",
                twice.name, twice.version
            ))
            .hint("give one of them a later version by renaming its folder"));
        }
        Ok(Self {
            base: prepared(&base)?,
            ours: prepared(&ours)?,
            theirs: prepared(&theirs)?,
        })
    }

    fn commute(&self) -> Commuted {
        let mut merged: Vec<&Migration> = self.ours.iter().chain(&self.theirs).collect();
        merged.sort_by(|a, b| a.version.cmp(&b.version));
        let merged: Vec<&SqlFile> = merged.into_iter().map(|migration| &migration.up).collect();
        commute(&Branches {
            base: &files(&self.base),
            ours: &files(&self.ours),
            theirs: &files(&self.theirs),
            merged: &merged,
        })
    }

    fn disputed(&self, dispute: &Dispute, reference: &str) -> Disputed {
        match dispute {
            Dispute::Fails(order, refusal) => {
                let is_of = |migrations: &[Migration]| {
                    let mut files = migrations.iter();
                    files.any(|migration| migration.up.path == refusal.file)
                };
                let name = name_of(&refusal.file);
                let (here, there) = match is_of(&self.ours) {
                    true => (vec![name.clone()], Vec::new()),
                    false => (Vec::new(), vec![name.clone()]),
                };
                let when = in_words(*order, reference);
                Disputed {
                    object: None,
                    why: format!(
                        "line {} of {name} fails {when}: {}",
                        refusal.line(),
                        refusal.why
                    ),
                    here,
                    there,
                }
            }
            Dispute::Gap(order, gap) => Disputed {
                object: Some(gap.name.sql()),
                why: format!("{}: {gap}", in_words(*order, reference)),
                here: Vec::new(),
                there: Vec::new(),
            },
            Dispute::Differs {
                order,
                difference,
                changed_by: [here, there],
            } => {
                let named = |migrations: &[Migration], indexes: &[usize]| {
                    let found = indexes.iter().filter_map(|index| migrations.get(*index));
                    found.map(|migration| migration.name.clone()).collect()
                };
                Disputed {
                    object: Some(difference.subject.to_string()),
                    why: difference.sentence(
                        &format!("the schema {}", in_words(Order::TheirsFirst, reference)),
                        &format!("the schema {}", in_words(*order, reference)),
                    ),
                    here: named(&self.ours, here),
                    there: named(&self.theirs, there),
                }
            }
        }
    }

    fn conclude(&self, commuted: &Commuted, reference: &str) -> Result<(), CliError> {
        let count = |migrations: &[Migration]| counted(migrations.len(), "new migration");
        let both = format!(
            "{} here, {} in {reference}",
            count(&self.ours),
            count(&self.theirs)
        );
        if commuted.disputes.is_empty() {
            ui::status(format!("{both}: they commute"));
            return Ok(());
        }
        Err(
            CliError::failed(format!("{both}: they do not commute")).hint(format!(
                "rebase on {reference}, give the migrations of this branch later versions, and \
                 write them for the schema that {reference} leaves"
            )),
        )
    }
}

/// Returns the migrations of a commit.
fn of_commit(
    repository: &Repository,
    commit: &str,
    folder: &Path,
) -> Result<Vec<Migration>, CliError> {
    let Some(files) = repository.checkout(commit, folder)? else {
        return Ok(Vec::new());
    };
    let within = repository.relative(folder).unwrap_or_default();
    Ok(read_folder(&files.path().join(within))?)
}

fn has_version(migrations: &[Migration], migration: &Migration) -> bool {
    let mut found = migrations.iter();
    found.any(|found| found.version == migration.version)
}

/// Notes what a branch did with migrations that it did not add.
fn note_changes(base: &[Migration], migrations: &[Migration], side: &str) {
    for earlier in base {
        let mut found = migrations.iter();
        match found.find(|found| found.version == earlier.version) {
            None => ui::note(format!("{} is not in {side} any more", earlier.name)),
            Some(found) if found.up.fingerprint() != earlier.up.fingerprint() => {
                ui::note(format!(
                    "{} was edited in {side}; it is replayed as it was before",
                    earlier.name
                ));
            }
            Some(_) => {}
        }
    }
}

fn files(migrations: &[Migration]) -> Vec<&SqlFile> {
    migrations.iter().map(|migration| &migration.up).collect()
}

fn names_of(migrations: &[Migration]) -> Vec<&str> {
    let names = migrations.iter();
    names.map(|migration| migration.name.as_str()).collect()
}

/// Returns the name of the migration that a file belongs to.
fn name_of(up: &Path) -> String {
    let is_diesels = up.file_name().is_some_and(|name| name == "up.sql");
    let named = match is_diesels {
        true => up.parent().unwrap_or(up),
        false => up,
    };
    named
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn in_words(order: Order, reference: &str) -> String {
    match order {
        Order::TheirsFirst => format!("where {reference} runs first"),
        Order::OursFirst => "where this branch runs first".to_owned(),
        Order::Merged => "where all run by their versions".to_owned(),
    }
}

//! `bowline lint`.

mod code;
mod format;
mod measured;
mod sarif;
mod since;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::error::CliError;
use crate::git::Repository;
use crate::migrations::{Migration, prepared};
use crate::project::Project;
use crate::source::up_to;
use crate::ui::{self, counted};
use bowline_catalog::lint::{self, Finding, Input, Linted, Options, Rule};
use bowline_catalog::replay::Refusal;
use bowline_plan::paths::shown_path;
use code::{Broken, Source};
use measured::Measured;

/// Find statements of migrations that are not safe for a database in use.
///
/// Each finding has the file, the line, the rule, the reason and the safe form of the statement.
/// The migrations are replayed, so that the schema before each statement is known: no database, no
/// network, except with --measure. The rules have squawk's names, and its comments apply: `--
/// squawk-ignore RULE` on the line before hides a finding. `[lint]` in bowline.toml leaves rules
/// out. The exit code is 1 if there are findings.
///
/// A finding on a new migration names the functions and queries that break by its statement: with
/// --since those of the commit where the branch began, with --after those here on the schema at
/// VERSION, else the generated code here if it is older than the migrations.
///
/// Example: bowline lint --since origin/main
#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Report only what the branch has added since it left REF.
    #[arg(long, value_name = "REF")]
    since: Option<String>,
    /// Report only migrations after VERSION.
    #[arg(long, value_name = "VERSION", conflicts_with = "since")]
    after: Option<String>,
    /// Also run the migrations on a throwaway server, and report statements that write a table
    /// anew, or read one while reads or writes wait, and of which no rule knows it.
    #[arg(long)]
    measure: bool,
    /// The server for --measure [default: a local server that is started for it].
    #[arg(long, value_name = "URL", requires = "measure")]
    server_url: Option<String>,
    /// Print JSON: an object with findings (file, line, column, rule, message, steps, help, and
    /// code with release, statements, breaks if the code that runs is known) and not_followed
    /// (file, line, why), and with --measure also measured_on.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// The format: text, json, github (annotations of a workflow) or sarif (2.1.0).
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    format: Format,
}

/// The format of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Github,
    Sarif,
}

/// A finding, with its position in words.
struct Found<'m> {
    /// The path to print; from the root of the repository for other programs.
    path: String,
    source: &'m str,
    finding: lint::Finding,
    /// What of the code that runs breaks by its statement.
    code: Option<Broken<'m>>,
}

pub(crate) fn run(arguments: &Lint, project: &Project) -> Result<(), CliError> {
    let migrations = project.read_migrations()?;
    let options = options(project);
    let code = code::read(&arguments.code(), project, migrations)?;
    let measured = match arguments.measure {
        true => Some(arguments.measure(project, migrations)?),
        false => None,
    };
    let more = |all: &[Finding], shown: &[Finding]| {
        let mut more = code.as_ref().map_or_else(Vec::new, |it| it.findings(shown));
        more.extend(measured.iter().flat_map(|it| it.findings(all)));
        more
    };
    let Linted {
        mut findings,
        refusals,
    } = linted_with(migrations, &options, more)?;
    if let Some(reference) = &arguments.since {
        let before = since::findings(reference, project, &options)?;
        findings = since::new(findings, before, migrations);
    }
    if let Some(version) = &arguments.after {
        let kept = kept(migrations, version)?;
        findings.retain(|finding| finding.file >= kept);
    }
    let format = match arguments.json {
        true => Format::Json,
        false => arguments.format,
    };
    let repository = match format {
        Format::Text | Format::Json => None,
        Format::Github | Format::Sarif => Repository::of(&project.root).ok(),
    };
    let path = |path: &PathBuf| {
        let within = repository.as_ref().and_then(|found| {
            let whole = path.canonicalize().ok()?;
            found.relative(&whole)
        });
        within.map_or_else(|| shown_path(path), |within| within.display().to_string())
    };
    let found: Vec<Found<'_>> = findings
        .into_iter()
        .map(|finding| {
            let up = &migrations[finding.file].up;
            Found {
                path: path(&up.path),
                source: &up.text,
                code: code.as_ref().and_then(|code| code.broken_by(&finding)),
                finding,
            }
        })
        .collect();
    match format {
        Format::Text => format::text(&found),
        Format::Json => {
            let on = measured.as_ref().and_then(|it| it.on.as_deref());
            format::json(&found, &refusals, on)?;
        }
        Format::Github => format::github(&found),
        Format::Sarif => sarif::print(&found)?,
    }
    // What Citus refuses is a finding, unless it is hidden.
    let is_found = |refusal: &&Refusal| {
        found.iter().any(|found| {
            let up = &migrations[found.finding.file].up;
            up.path == refusal.file
                && found.finding.rule == Rule::RefusedByCitus
                && found.finding.span == refusal.span
        })
    };
    for refusal in refusals.iter().filter(|refusal| !is_found(refusal)) {
        ui::note(format!(
            "{}:{} cannot be followed, so the rules know less of what it changes: {}",
            shown_path(&refusal.file),
            refusal.line(),
            refusal.why
        ));
    }
    let concluded = conclude(&found, migrations.len());
    match measured.map(Measured::conclude) {
        // What was found is printed, so that this is the error of the command.
        Some(Err(incomplete)) => Err(incomplete),
        _ => concluded,
    }
}

/// Returns the number of migrations up to a version; 0 is before the first one.
fn kept(migrations: &[Migration], version: &str) -> Result<usize, CliError> {
    match version {
        "0" => Ok(0),
        version => Ok(up_to(migrations, Some(version))?.len()),
    }
}

/// Returns the result of the command.
fn conclude(found: &[Found<'_>], migrations: usize) -> Result<(), CliError> {
    if found.is_empty() {
        let count = counted(migrations, "migration");
        ui::status(format!("{count}, no findings"));
        return Ok(());
    }
    let mut files: Vec<usize> = found.iter().map(|found| found.finding.file).collect();
    files.dedup();
    Err(CliError::failed(format!(
        "{} in {}",
        counted(found.len(), "finding"),
        counted(files.len(), "migration")
    ))
    .hint("a comment `-- squawk-ignore RULE` on the line before a statement hides a finding, and [lint] in bowline.toml leaves a rule out"))
}

impl Lint {
    fn code(&self) -> Source<'_> {
        match (&self.since, &self.after) {
            (Some(reference), _) => Source::Commit(reference),
            (None, Some(version)) => Source::Version(version),
            (None, None) => Source::Generated,
        }
    }

    /// Measures the migrations that the findings are about.
    fn measure(&self, project: &Project, migrations: &[Migration]) -> Result<Measured, CliError> {
        let mut new: Vec<usize> = (0..migrations.len()).collect();
        if let Some(reference) = &self.since {
            let old = since::fingerprints(reference, project)?;
            new.retain(|index| !old.contains(&migrations[*index].up.fingerprint()));
        }
        if let Some(version) = &self.after {
            new.drain(..kept(migrations, version)?);
        }
        let migrations = prepared(migrations)?;
        let url = self.server_url.as_deref();
        Ok(measured::measure(&migrations, &new, url))
    }
}

/// Returns the findings on migrations.
fn linted(migrations: &[Migration], options: &Options) -> Result<Linted, CliError> {
    linted_with(migrations, options, |_, _| Vec::new())
}

/// Returns the findings on migrations, with more of them.
fn linted_with(
    migrations: &[Migration],
    options: &Options,
    more: impl FnOnce(&[Finding], &[Finding]) -> Vec<Finding>,
) -> Result<Linted, CliError> {
    if let [only] = migrations
        && only.is_catalog()
    {
        return Err(CliError::failed(format!(
            "{} is a catalog, and has no statements",
            shown_path(&only.up.path)
        ))
        .hint("name a folder of migrations: --migration-dir"));
    }
    let migrations = prepared(migrations)?;
    let inputs: Vec<Input<'_>> = migrations
        .iter()
        .map(|migration| Input {
            up: &migration.up,
            in_transaction: migration.run_in_transaction,
        })
        .collect();
    Ok(lint::lint_with(&inputs, options, more))
}

fn options(project: &Project) -> Options {
    let settings = &project.settings.lint;
    let rules = |names: &[bowline_plan::project::RuleName]| -> std::collections::BTreeSet<Rule> {
        names.iter().map(|name| name.0).collect()
    };
    Options {
        postgres: project.settings.postgres,
        excluded: rules(&settings.excluded_rules),
        included: rules(&settings.included_rules),
    }
}

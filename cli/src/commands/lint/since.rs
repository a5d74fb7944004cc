//! `--since`: the findings that the commit at which the branch began did not have.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::CliError;
use crate::git::Repository;
use crate::migrations::{Migration, read_folder};
use crate::project::Project;
use bowline_catalog::lint::{Finding, Options, Rule};

/// What identifies a finding, whatever its file is called and wherever it is in it.
type Key = (Rule, String, String);

/// Returns the findings at the commit where the branch left another one, each with its number.
pub(super) fn findings(
    reference: &str,
    project: &Project,
    options: &Options,
) -> Result<BTreeMap<Key, usize>, CliError> {
    let mut counts = BTreeMap::new();
    let migrations = migrations(reference, project)?;
    if migrations.is_empty() {
        return Ok(counts);
    }
    for finding in super::linted(&migrations, options)?.findings {
        *counts.entry(key(&finding, &migrations)).or_default() += 1;
    }
    Ok(counts)
}

/// Returns the fingerprints of the migrations at that commit.
pub(super) fn fingerprints(reference: &str, project: &Project) -> Result<BTreeSet<u64>, CliError> {
    let migrations = migrations(reference, project)?.into_iter();
    Ok(migrations
        .map(|migration| migration.up.fingerprint())
        .collect())
}

/// Returns the migrations at that commit.
fn migrations(reference: &str, project: &Project) -> Result<Vec<Migration>, CliError> {
    let folder = project.migrations.canonicalize().map_err(|error| {
        CliError::failed(format!(
            "cannot read {}: {error}",
            project.migrations.display()
        ))
    })?;
    let repository = Repository::of(&project.root)?;
    let base = repository.merge_base(reference)?;
    let Some(before) = repository.checkout(&base, &folder)? else {
        return Ok(Vec::new());
    };
    let within = repository.relative(&folder).unwrap_or_default();
    Ok(read_folder(&before.path().join(within))?)
}

/// Returns the findings that are not among the earlier ones.
pub(super) fn new(
    findings: Vec<Finding>,
    mut before: BTreeMap<Key, usize>,
    migrations: &[Migration],
) -> Vec<Finding> {
    let mut findings = findings;
    findings.retain(|finding| match before.get_mut(&key(finding, migrations)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    });
    findings
}

fn key(finding: &Finding, migrations: &[Migration]) -> Key {
    let source = &migrations[finding.file].up.text;
    let statement = bowline_sql::one_line(&source[finding.span.clone()]);
    (finding.rule, statement, finding.message.clone())
}

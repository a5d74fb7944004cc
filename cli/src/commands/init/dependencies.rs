//! The dependencies of what will be generated.

use std::path::Path;

use semver::VersionReq;

use super::changes::Changes;
use crate::commands::generate::refused;
use crate::error::CliError;
use crate::migrations::Migration;
use crate::package::{BowlineSource, Lack, Package};
use crate::plan::{self, needs, relative};
use crate::project::Project;
use bowline_catalog::replay::replay;

/// Where bowline is to come from, by what the command line says of it.
pub(super) fn source(
    said: Option<&str>,
    here: &Path,
    package: &Package,
) -> Result<BowlineSource, CliError> {
    let Some(said) = said else {
        // A command that was built from a checkout works with that very bowline.
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let checkout = checkout.filter(|folder| is_bowline(folder));
        return Ok(match checkout {
            Some(folder) => BowlineSource::Folder(folder.display().to_string()),
            None => BowlineSource::Version(env!("CARGO_PKG_VERSION").to_owned()),
        });
    };
    let folder = here.join(said);
    if is_bowline(&folder) {
        return Ok(BowlineSource::Folder(if Path::new(said).is_absolute() {
            said.to_owned()
        } else {
            relative(&folder, &package.folder)
        }));
    }
    VersionReq::parse(said)
        .map(|_| BowlineSource::Version(said.to_owned()))
        .map_err(|_| {
            CliError::failed(format!(
                "{said} is no version, and no folder with the source of bowline"
            ))
            .hint("name the folder that has bowline's Cargo.toml in it: --bowline ../bowline")
        })
}

fn is_bowline(folder: &Path) -> bool {
    let package = Package::read(folder).ok().flatten();
    package.is_some_and(|package| package.manifest.name() == Some("bowline"))
}

/// Adds what the code that is generated from these migrations will name.
pub(super) fn add(
    changes: &mut Changes,
    package: &Package,
    source: &BowlineSource,
    migrations: &[Migration],
    project: &Project,
) -> Result<(), CliError> {
    if let Some(asked) = package.manifest.unfit_diesel() {
        return Err(CliError::failed(format!(
            "Cargo.toml asks for diesel {asked}, and bowline works with 2.3.14 and later of 2.3"
        ))
        .hint("move to diesel 2.3 first: https://diesel.rs/guides/migration_guide.html"));
    }
    let replayed = replay(migrations.iter().map(|migration| &migration.up));
    if !replayed.refusals.is_empty() {
        changes.note(
            "not every statement of the migrations can be followed: `bowline generate` names it, and what else is needed"
                .to_owned(),
        );
    }
    let schemas = plan::schemas(&replayed.catalog, &project.settings);
    let needs = plan::plan(&replayed.catalog, &project.settings, schemas, &[])
        .map(|plan| needs(&plan))
        .map_err(refused)?;
    let mut manifest = package.manifest.clone();
    let is_new = manifest.add_bowline(source);
    let lacks = manifest.lacks(&needs);
    let mut added: Vec<String> = lacks.iter().map(Lack::name).collect();
    if is_new && !added.iter().any(|name| name.starts_with("bowline ")) {
        added.push("bowline".to_owned());
    }
    lacks.iter().for_each(|lack| manifest.add(lack));
    added.sort();
    if !added.is_empty() {
        let (path, text) = (manifest.path().to_owned(), manifest.text());
        changes.extend(path, text, &added.join(", "));
    }
    Ok(())
}

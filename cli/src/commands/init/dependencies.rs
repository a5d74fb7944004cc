//! The dependencies of the generated code.

use std::path::Path;

use semver::VersionReq;

use super::changes::Changes;
use crate::commands::generate::refused;
use crate::error::CliError;
use crate::migrations::Migration;
use crate::package::{BowlineSource, Lack, Package};
use crate::project::Project;
use bowline_catalog::replay::replay;
use bowline_plan::paths::relative;
use bowline_plan::plan::{self, needs};

/// Returns the source of the dependency bowline, as the command line or the default names it.
pub(super) fn source(
    named: Option<&str>,
    here: &Path,
    package: &Package,
) -> Result<BowlineSource, CliError> {
    let Some(named) = named else {
        // A command that was built from a checkout uses the bowline of that checkout.
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let checkout = checkout.filter(|folder| is_bowline(folder));
        return Ok(match checkout {
            Some(folder) => BowlineSource::Folder(folder.display().to_string()),
            None => BowlineSource::Version(env!("CARGO_PKG_VERSION").to_owned()),
        });
    };
    let folder = here.join(named);
    if is_bowline(&folder) {
        return Ok(BowlineSource::Folder(if Path::new(named).is_absolute() {
            named.to_owned()
        } else {
            relative(&folder, &package.folder)
        }));
    }
    VersionReq::parse(named)
        .map(|_| BowlineSource::Version(named.to_owned()))
        .map_err(|_| {
            CliError::failed(format!(
                "{named} is neither a version nor a folder with the code of bowline"
            ))
            .hint("pass the folder of bowline's Cargo.toml: --bowline ../bowline")
        })
}

fn is_bowline(folder: &Path) -> bool {
    let package = Package::read(folder).ok().flatten();
    package.is_some_and(|package| package.manifest.name() == Some("bowline"))
}

/// Adds the dependencies of the code that will be generated from these migrations.
pub(super) fn add(
    changes: &mut Changes,
    package: &Package,
    source: &BowlineSource,
    migrations: &[Migration],
    project: &Project,
) -> Result<(), CliError> {
    if let Some(requirement) = package.manifest.unsupported_diesel() {
        return Err(CliError::failed(format!(
            "Cargo.toml requires diesel {requirement}, and bowline needs 2.3.14 or a later 2.3"
        ))
        .hint("upgrade to diesel 2.3 first: https://diesel.rs/guides/migration_guide.html"));
    }
    let replayed = replay(migrations.iter().map(|migration| &migration.up));
    if !replayed.refusals.is_empty() {
        changes.note(
            "a statement of the migrations cannot be followed; `bowline generate` shows it, and lists further dependencies"
                .to_owned(),
        );
    }
    let schemas = plan::schemas(&replayed.catalog, &project.settings);
    let needs = plan::plan(&replayed.catalog, &project.settings, schemas, &[])
        .map(|plan| needs(&plan))
        .map_err(|problems| refused(&problems, &project.settings))?;
    let optional = package.manifest.optional(&needs);
    if !optional.is_empty() {
        let names = optional.join(", ");
        changes.note(format!(
            "optional dependencies that the generated code needs: {names}; remove `optional` in \
             Cargo.toml, or declare the module under the feature that enables them"
        ));
    }
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

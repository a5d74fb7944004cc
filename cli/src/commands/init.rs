//! `bowline init`: what a cargo package lacks for a data layer, added to what is there.
//!
//! All that is to be written is made out first, so that an error or `--dry-run` leaves the package as it is.

mod changes;
mod dependencies;
mod first;
mod root;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::CliError;
use crate::migrations::{Migration, read_folder};
use crate::package::{BuildScript, Package, build_script, watching_line};
use crate::plan::relative;
use crate::project::{Places, Project};
use crate::ui;
use changes::Changes;

/// Add to a cargo package what a data layer needs: dependencies, migrations, settings, a module.
///
/// Adds what is missing and changes nothing else, so it is safe to run twice. In a package that is on diesel
/// already, diesel.toml, schema.rs and the migrations stay as they are.
///
/// Example: bowline init --dry-run
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Where the dependency bowline comes from: a folder with its source, or a version; else the folder that this
    /// command was built in, if it is still there, else the version of this command.
    #[arg(long, value_name = "PATH_OR_VERSION")]
    bowline: Option<String>,
}

pub(crate) fn run(arguments: &Init, here: &Path, places: &Places) -> Result<(), CliError> {
    let package = package(here)?;
    let project = Project::find(&package.folder, places)?;
    let changes = changes(arguments, here, &package, &project)?;
    if !arguments.dry_run {
        changes.write()?;
    }
    changes.tell();
    let is_generated = project.settings.folder.join("mod.rs").is_file();
    if changes.is_empty() {
        ui::status("everything is there already");
    } else if arguments.dry_run {
        ui::status("nothing was written, because of --dry-run");
    } else if !is_generated {
        ui::status("next: `bowline generate`, once the migrations make the tables that you want");
    }
    Ok(())
}

/// The package that the command is called in.
fn package(here: &Path) -> Result<Package, CliError> {
    let mut folders = here.ancestors();
    let folder = folders.find(|folder| folder.join("Cargo.toml").is_file());
    let package = match folder {
        Some(folder) => Package::read(folder)?,
        None => None,
    };
    let package = package.ok_or_else(|| {
        CliError::failed(format!(
            "there is no Cargo.toml in {} or above it",
            here.display()
        ))
        .hint("make a package first: cargo new NAME")
    })?;
    if package.manifest.name().is_none() {
        let members = package.manifest.members().join(", ");
        return Err(CliError::failed(format!(
            "{} is that of a workspace, which has no code of its own",
            package.manifest.path().display()
        ))
        .hint(format!(
            "run this in the folder of one of its members: {members}"
        )));
    }
    let edition = package.manifest.edition();
    if matches!(edition, "2015" | "2018") {
        return Err(CliError::failed(format!(
            "the package is of Rust's edition {edition}, and generated code is of 2021 or later"
        ))
        .hint("`cargo fix --edition` readies the code for the next one; then set edition in Cargo.toml"));
    }
    Ok(package)
}

fn changes(
    arguments: &Init,
    here: &Path,
    package: &Package,
    project: &Project,
) -> Result<Changes, CliError> {
    let mut changes = Changes::new(&package.folder);
    let source = dependencies::source(arguments.bowline.as_deref(), here, package)?;
    let there = if project.migrations.is_dir() {
        read_folder(&project.migrations)?
    } else {
        Vec::new()
    };
    let first = there
        .is_empty()
        .then(|| first::migration(&project.migrations));
    let migrations: Vec<Migration> = there.into_iter().chain(first.clone()).collect();
    let folder = relative(&project.migrations, &package.folder);

    dependencies::add(&mut changes, package, &source, &migrations, project)?;
    settings(&mut changes, package, project);
    if let Some(first) = &first {
        let files = [Some(&first.up), first.down.as_ref()];
        for file in files.into_iter().flatten() {
            changes.make(file.path.clone(), file.text.clone());
        }
    }
    watch(&mut changes, package, &folder)?;
    root::declare_module(&mut changes, package, project)?;
    environment(&mut changes, package)?;
    if arguments.bowline.is_some() && package.manifest.has_bowline() {
        changes.note("Cargo.toml names bowline already, so --bowline changes nothing".to_owned());
    }
    Ok(changes)
}

/// `diesel.toml`, where there is none.
fn settings(changes: &mut Changes, package: &Package, project: &Project) {
    if project.has_diesel_toml {
        return;
    }
    let own = project.settings.folder.join("schema.rs");
    let outputs = project.settings.outputs.iter();
    let mut found = outputs
        .filter_map(|output| output.file.clone())
        .filter(|file| file.is_file());
    let schema = relative(&found.next().unwrap_or(own), &package.folder);
    changes.make(
        package.folder.join("diesel.toml"),
        format!(
            "# Read by bowline and by diesel's own command; what is bowline's alone is in Cargo.toml, under\n\
             # [package.metadata.bowline].\n\n\
             [print_schema]\n\
             file = \"{schema}\"\n\
             with_docs = \"only-database-comments\"\n\
             custom_type_derives = [\"diesel::query_builder::QueryId\", \"Clone\"]\n"
        ),
    );
}

/// The line of the build script.
fn watch(changes: &mut Changes, package: &Package, folder: &str) -> Result<(), CliError> {
    let line = watching_line(folder);
    match build_script(package, folder)? {
        BuildScript::Watches => {}
        BuildScript::Missing(path) => {
            changes.make(path, format!("fn main() {{\n    {line}\n}}\n"));
        }
        BuildScript::Add(path, text) => changes.extend(path, text, &line),
        BuildScript::ByHand(path) => changes.note(format!(
            "{} is yours: if it has cargo look at certain files only, add this line to its main, so that a migration \
             which was added is noticed: {line}",
            relative(&path, &package.folder)
        )),
        BuildScript::Forbidden => changes.note(format!(
            "Cargo.toml says build = false, so a migration that was added is not noticed until code is compiled again; \
             a build script would have this line: {line}"
        )),
    }
    Ok(())
}

/// `.env.example`, and `.env` kept out of git.
fn environment(changes: &mut Changes, package: &Package) -> Result<(), CliError> {
    let said = [".env.example", ".env.sample"].map(|name| package.folder.join(name));
    let texts = [read(&said[0])?, read(&said[1])?];
    let [example, _] = said;
    let name = package
        .manifest
        .name()
        .unwrap_or_default()
        .replace('-', "_");
    let line = format!("DATABASE_URL=postgres://user:password@localhost:5432/{name}");
    let is_said = |text: &Option<String>| {
        text.as_ref()
            .is_some_and(|text| text.contains("DATABASE_URL"))
    };
    match &texts[0] {
        _ if texts.iter().any(is_said) => {}
        None => changes.make(
            example,
            format!(
                "# Copy this to .env, which is not committed, and put in what is yours.\n{line}\n"
            ),
        ),
        Some(text) => changes.extend(example, with_line(text, &line), &line),
    }
    let Some(repository) = repository(&package.folder) else {
        return Ok(());
    };
    let mut between = package
        .folder
        .ancestors()
        .take_while(|folder| folder.starts_with(repository));
    let is_ignored = between.any(|folder| {
        let text = fs::read_to_string(folder.join(".gitignore")).unwrap_or_default();
        let mut lines = text
            .lines()
            .map(|line| line.trim().trim_start_matches("**/"));
        lines.any(|line| {
            matches!(line, ".env" | "*.env" | ".env*")
                || (line == "/.env" && folder == package.folder)
        })
    });
    if !is_ignored {
        let path = package.folder.join(".gitignore");
        match read(&path)? {
            None => changes.make(path, ".env\n".to_owned()),
            Some(text) => changes.extend(path, with_line(&text, ".env"), ".env"),
        }
    }
    Ok(())
}

/// The folder of the git repository that this is in.
fn repository(folder: &Path) -> Option<&Path> {
    folder
        .ancestors()
        .find(|folder| folder.join(".git").exists())
}

fn with_line(text: &str, line: &str) -> String {
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{text}{end}{line}\n")
}

/// A file's text; `None` if it is not there.
fn read(path: &PathBuf) -> Result<Option<String>, CliError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CliError::failed(format!(
            "cannot read {}: {error}",
            path.display()
        ))),
    }
}

//! `bowline generate`: writes the generated files, without a database.

mod asked;
mod files;
mod places;
mod queries;
mod workspace;

use std::fs;
use std::path::Path;

use clap::Args;

use crate::emit::{self, Files, Statement};
use crate::error::CliError;
use crate::migrations::Migration;
use crate::origin::Origin;
use crate::package::Package;
use crate::project::Project;
use crate::queries::read_folder;
use crate::source::{Fallback, Made, made_of_migrations, of_migrations};
use crate::ui::{self, counted};
use asked::Asked;
use bowline_catalog::Catalog;
use bowline_catalog::gap::{Gap, GapKind};
use bowline_plan::committed;
use bowline_plan::paths::relative;
use bowline_plan::plan::{self, PatchedSchema, Plan, Problem, SchemaPlan};
use bowline_plan::project::Settings;
use files::{check, current, is_ours, refuse_newer, shown, write};

/// Generate the schema module, models and functions from the migrations and query files.
///
/// Reads only these files: no database, no network. If a statement cannot be followed, a local
/// server runs the migrations to get the exact schema, and a note says so. With --offline, or if no
/// server can be started, the command shows the statement and writes nothing.
///
/// Example: bowline generate --schema-only --stdout
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// Compare instead of writing; exit with 1 and show the differences if anything would change.
    #[arg(long, conflicts_with = "stdout")]
    check: bool,
    /// Generate only schema.rs, as `diesel print-schema` writes it, without models and functions.
    #[arg(long)]
    schema_only: bool,
    /// Generate the code of each member of the cargo workspace that has a diesel.toml, a
    /// bowline.toml or migrations; a failure names the member.
    #[arg(long, conflicts_with = "stdout")]
    pub(crate) workspace: bool,
    /// Print the schema instead of writing it; several outputs are sorted by name.
    #[arg(long, requires = "schema_only")]
    stdout: bool,
    #[command(flatten)]
    fallback: Fallback,
}

pub(crate) use workspace::run_workspace;

pub(crate) fn run(arguments: &Generate, project: &Project) -> Result<(), CliError> {
    if !arguments.stdout {
        refuse_virtual(project)?;
    }
    project.settings_note().iter().for_each(ui::note);
    project.ineffective_settings().iter().for_each(ui::note);
    let migrations = project.read_migrations()?;
    let Made { catalog, by_server } = made_of_migrations(migrations, project, &arguments.fallback)?;
    let with_models = !arguments.schema_only;
    let mut schemas = schemas(&catalog, project, with_models, &mut ui::note)?;
    if !with_models {
        schemas.retain(|(schema, _)| schema.is_of_diesel);
    }
    for gap in left_out(&catalog, project) {
        ui::note(gap);
    }
    if arguments.stdout {
        schemas.iter().for_each(|(_, text)| ui::text(text));
        return Ok(());
    }
    let mut files = schema_files(&schemas);
    if by_server {
        files.extend(committed_file(&catalog, migrations, project)?);
    }
    let folder = if arguments.schema_only {
        None
    } else {
        files.extend(models(
            &catalog,
            &schemas,
            migrations,
            project,
            &mut Asked::new(&arguments.fallback, migrations),
            &mut ui::note,
        )?);
        Some(project.settings.folder.as_path())
    };
    let current = current(&files, folder, &project.catalog_file())?;
    refuse_newer(&current, &project.root)?;
    if arguments.check {
        return check(&files, &current, &project.root);
    }
    // A file that diesel.toml names is always overwritten. Any other file that was not generated is
    // the user's own.
    let is_schema = |path: &Path| {
        let mut schemas = schemas.iter();
        schemas.any(|(schema, _)| schema.file.as_deref() == Some(path))
    };
    let mut foreign = current
        .iter()
        .filter(|(path, text)| files.contains_key(*path) && !is_ours(text) && !is_schema(path));
    if let Some((path, _)) = foreign.next() {
        return Err(CliError::failed(format!(
            "{} was not generated, so it is not overwritten",
            shown(path, &project.root)
        ))
        .hint("move it away, or set `folder` in bowline.toml to another folder"));
    }
    write(&files, &current, &project.root)
}

/// Returns the tables that diesel would show but that are not in the catalog, since an extension
/// creates them.
fn left_out(catalog: &Catalog, project: &Project) -> Vec<String> {
    let shown = |gap: &&Gap| {
        let mut outputs = project.settings.outputs.iter();
        gap.kind == GapKind::Table && outputs.any(|output| output.filter.shows(&gap.name.name))
    };
    let gaps = catalog.gaps.iter().filter(shown);
    gaps.map(ToString::to_string).collect()
}

/// Returns the generated files that are not up to date, relative to the project's folder; `None` if
/// nothing has been generated. Uses no server.
pub(crate) fn stale(project: &Project) -> Result<Option<Vec<String>>, CliError> {
    let migrations = project.read_migrations()?;
    let catalog = of_migrations(migrations, project, &Fallback::local(true))?;
    let mut ignored = |_: String| {};
    let folder = project.settings.folder.as_path();
    // Without a module there is only the schema, as with `--schema-only`.
    let has_models = folder.join("mod.rs").exists();
    let mut schemas = schemas(&catalog, project, false, &mut ignored)?;
    schemas.retain(|(schema, _)| schema.is_of_diesel || has_models);
    let mut files = schema_files(&schemas);
    if has_models {
        files.extend(models(
            &catalog,
            &schemas,
            migrations,
            project,
            &mut Asked::new(&Fallback::local(true), migrations),
            &mut ignored,
        )?);
    }
    let current = current(
        &files,
        has_models.then_some(folder),
        &project.catalog_file(),
    )?;
    if current.is_empty() {
        return Ok(None);
    }
    let all = files.keys().chain(current.keys());
    let mut stale: Vec<_> = all
        .filter(|path| files.get(*path) != current.get(*path))
        .map(|path| shown(path, &project.root))
        .collect();
    stale.sort();
    stale.dedup();
    Ok(Some(stale))
}

/// Returns the file of a catalog that a server made, for the macros, which ask no server.
fn committed_file(
    catalog: &Catalog,
    migrations: &[Migration],
    project: &Project,
) -> Result<Files, CliError> {
    let origin = Origin::new(&project.package, &project.migrations, migrations);
    let text = committed::write(catalog, &origin.migrations)
        .map_err(|error| CliError::failed(format!("the catalog cannot be written: {error}")))?;
    Ok(Files::from([(project.catalog_file(), text)]))
}

/// Returns the files of the schemas that are not only printed.
fn schema_files(schemas: &[(SchemaPlan, String)]) -> Files {
    let files = schemas.iter();
    files
        .filter_map(|(schema, text)| Some((schema.file.clone()?, text.clone())))
        .collect()
}

/// Returns each `schema.rs` with its text, after its patch file was applied.
fn schemas(
    catalog: &Catalog,
    project: &Project,
    with_models: bool,
    note: &mut dyn FnMut(String),
) -> Result<Vec<(SchemaPlan, String)>, CliError> {
    let mut problems = plan::checked::settings(catalog, &project.settings);
    if with_models {
        problems.extend(plan::checked::modules(&project.settings));
    }
    let planned = plan::schemas(catalog, &project.settings);
    problems.extend(planned.iter().flat_map(SchemaPlan::too_wide));
    if !problems.is_empty() {
        if with_models {
            // The problems of the models are collected too, so that all are reported together.
            let patched: Vec<Option<PatchedSchema>> = planned.iter().map(|_| None).collect();
            let models = plan::plan(catalog, &project.settings, planned, &patched);
            problems.extend(models.err().into_iter().flatten());
        }
        return Err(refused(&problems, &project.settings));
    }
    planned
        .into_iter()
        .map(|schema| {
            // The models have a note of their own.
            for table in schema.without_key.iter().filter(|_| !with_models) {
                note(format!(
                    "{} is left out: it has no primary key, which diesel needs; name columns that \
                     identify its rows in bowline.toml: [keys] {} = [\"..\"]",
                    plan::shown(table),
                    plan::key(table)
                ));
            }
            let text = emit::schema(&schema);
            let text = match &schema.patch_file {
                Some(file) => patch(&text, file)?,
                None => text,
            };
            Ok((schema, text))
        })
        .collect()
}

/// Returns the files of the models.
fn models(
    catalog: &Catalog,
    schemas: &[(SchemaPlan, String)],
    migrations: &[Migration],
    project: &Project,
    asked: &mut Asked<'_>,
    note: &mut dyn FnMut(String),
) -> Result<Files, CliError> {
    let mut plan = planned(catalog, schemas, project)?;
    plan.notes.iter().cloned().for_each(&mut *note);
    let files = read_folder(&project.queries, &project.root)?;
    plan.queries = queries::planned(catalog, &plan, &files, project, asked, note)?;
    if let Some(package) = Package::read(&project.package)? {
        let mut folders = vec![relative(&project.migrations, &project.package)];
        if !files.is_empty() {
            folders.push(relative(&project.queries, &project.package));
        }
        let notes = package.notes(&plan::needs(&plan), &folders)?;
        notes.into_iter().for_each(note);
    }
    let texts: Vec<(&str, &str)> = files
        .iter()
        .map(|file| (file.file_name(), &*file.text))
        .collect();
    let origin = Origin::new(&project.package, &project.migrations, migrations).with_queries(
        &project.package,
        &project.queries,
        &texts,
    );
    Ok(emit::models(&plan, &origin, &project.settings.folder))
}

/// Returns the plan of the models.
fn planned(
    catalog: &Catalog,
    schemas: &[(SchemaPlan, String)],
    project: &Project,
) -> Result<Plan, CliError> {
    let patched: Vec<Option<PatchedSchema>> = schemas
        .iter()
        .map(|(schema, text)| {
            schema
                .patch_file
                .as_ref()
                .map(|_| PatchedSchema::read(text))
        })
        .collect();
    let schemas = schemas.iter().map(|(schema, _)| schema.clone()).collect();
    plan::plan(catalog, &project.settings, schemas, &patched)
        .map_err(|problems| refused(&problems, &project.settings))
}

/// Returns the plan of the tables' code for a catalog.
pub(super) fn plan_of(catalog: &Catalog, project: &Project) -> Result<Plan, CliError> {
    let schemas = schemas(catalog, project, true, &mut |_| {})?;
    planned(catalog, &schemas, project)
}

/// Returns the statements of the functions that would be generated for a catalog.
pub(super) fn statements(catalog: &Catalog, project: &Project) -> Result<Vec<Statement>, CliError> {
    let schemas = schemas(catalog, project, true, &mut |_| {})?;
    let mut plan = planned(catalog, &schemas, project)?;
    let files = read_folder(&project.queries, &project.root)?;
    let migrations = project.read_migrations()?;
    plan.queries = queries::planned(
        catalog,
        &plan,
        &files,
        project,
        &mut Asked::new(&Fallback::local(true), migrations),
        &mut |_| {},
    )?;
    let mut all = emit::statements(&plan);
    places::complete(&mut all, project, &files);
    Ok(all)
}

/// Fails if the files would be in no crate.
fn refuse_virtual(project: &Project) -> Result<(), CliError> {
    let package = Package::read(&project.package)?;
    let Some(package) = package.filter(|package| package.manifest.is_virtual()) else {
        return Ok(());
    };
    let members = package.manifest.members();
    let first = members.iter().find(|member| !member.contains('*'));
    let first = first.map_or("MEMBER", String::as_str);
    Err(CliError::failed(format!(
        "{} belongs to a workspace, which has no code of its own",
        package.manifest.path().display()
    ))
    .hint(format!(
        "run this in the folder of one of its members: {}",
        members.join(", ")
    ))
    .hint(format!(
        "or set the file in diesel.toml: [print_schema] file = \"{first}/src/db/schema.rs\""
    )))
}

/// Returns one error for all problems. Those with settings show their lines.
pub(super) fn refused(problems: &[Problem], settings: &Settings) -> CliError {
    let mut hints: Vec<&str> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    for problem in problems {
        let hint = problem.hint.as_deref();
        if let (Some(setting), Some(file)) = (&problem.setting, &settings.file) {
            let excerpts = vec![file.excerpt(setting)];
            lines.push(ui::underlined_all(&problem.message, excerpts, hint));
            continue;
        }
        names.push(&problem.message);
        hints.extend(hint.filter(|hint| !hints.contains(hint)));
    }
    let failed = match names.as_slice() {
        [only] if lines.is_empty() => CliError::failed(*only),
        _ => {
            let reports = (!names.is_empty()).then(|| names.join("\n"));
            let reports: Vec<String> = reports.into_iter().chain(lines).collect();
            CliError::failed(format!(
                "no code can be generated: {}",
                counted(problems.len(), "problem")
            ))
            .report(reports.join("\n\n"))
        }
    };
    hints.into_iter().fold(failed, CliError::hint)
}

/// Returns the text after a patch file was applied to it.
fn patch(text: &str, patch_file: &Path) -> Result<String, CliError> {
    let failed = |why: String| {
        CliError::failed(format!("{} cannot be applied: {why}", patch_file.display()))
            .hint("create the patch again, from the file that is generated without it")
    };
    let patch = fs::read_to_string(patch_file).map_err(|error| failed(error.to_string()))?;
    let patch = diffy::Patch::from_str(&patch).map_err(|error| failed(error.to_string()))?;
    diffy::apply(text, &patch).map_err(|error| failed(error.to_string()))
}

//! `bowline verify --functions`: calls each generated function on the throwaway server, by a
//! program that is generated for it.

mod code;
mod package;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::error::CliError;
use crate::package::Package;
use crate::project::Project;
use crate::smoke::{REPORT, Subject, program};
use bowline_plan::paths::shown_path;
use bowline_plan::plan::Plan;
use code::Moved;
use package::{CargoPackage, cargo, is_same, metadata};

/// The database on which the program runs.
pub(super) struct Server {
    pub url: String,
    pub database: String,
}

/// The result of the program.
#[derive(Default)]
pub(super) struct Called {
    /// The number of functions that were called.
    pub functions: usize,
    /// Functions that the server refuses.
    pub findings: Vec<String>,
    /// Functions that were not called, or did not succeed with made-up values.
    pub notes: Vec<String>,
}

/// Removes foreign keys, to whose rows made-up values do not refer.
pub(super) const WITHOUT_FOREIGN_KEYS: &str = "DO $$
    DECLARE key record;
    BEGIN
        FOR key IN SELECT conrelid::regclass AS of, conname FROM pg_constraint
            WHERE contype = 'f' AND conparentid = 0 LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', key.of, key.conname);
        END LOOP;
    END $$";

/// The variables that name the server and the database to the program.
const VARIABLES: [&str; 2] = ["BOWLINE_VERIFY_URL", "BOWLINE_VERIFY_DATABASE"];

const MAIN: &str = r#"
mod smoke;

fn main() -> bowline::Result<()> {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let config = bowline::Config::from_url(&variable("BOWLINE_VERIFY_URL"))?;
    let config = config.dbname(variable("BOWLINE_VERIFY_DATABASE"));
    let mut session = bowline::Session::connect(&config)?;
    let mut reported = Report::default();
    smoke::run(&mut reported, &mut session);
    reported.print();
    Ok(())
}
"#;

/// Calls each function of the generated code.
pub(super) fn call(project: &Project, plan: &Plan, server: &Server) -> Result<Called, CliError> {
    let code = &project.settings.folder;
    if !code.join("mod.rs").exists() {
        return Err(CliError::failed(format!(
            "{} has no generated code whose functions could be called",
            shown_path(code)
        ))
        .hint("run `bowline generate` first"));
    }
    let Some(package) = Package::read(&project.package)? else {
        return Err(CliError::failed(format!(
            "{} has no Cargo.toml, by which the functions could be compiled",
            shown_path(&project.package)
        )));
    };
    let metadata = metadata(&project.package)?;
    let manifest = package.manifest.path();
    let is_own = |found: &&CargoPackage| is_same(&found.manifest_path, manifest);
    let Some(own) = metadata.packages.iter().find(is_own) else {
        return Err(CliError::failed(format!(
            "`cargo metadata` does not list the package of {}",
            shown_path(manifest)
        )));
    };
    // The code of a private module is copied.
    let public = own.public_module(code);
    let subject = Subject {
        label: "",
        module: public.as_deref().unwrap_or("crate::db"),
        folder: code,
        texts: texts(plan),
    };
    let unread = |error: io::Error| CliError::failed(format!("cannot read the code: {error}"));
    let program = program(&subject).map_err(unread)?;
    let folder = metadata
        .target_directory
        .join("bowline/verify")
        .join(&own.name);
    let edition = package.manifest.edition();
    let unwritten = |error: io::Error| {
        CliError::failed(format!("cannot write {}: {error}", shown_path(&folder)))
    };
    let modules = match public {
        Some(_) => "",
        None => "mod bowline_schemas;\nmod db;\n",
    };
    write(&folder, own, edition, modules, &program.source).map_err(unwritten)?;
    if public.is_none() {
        let schemas = plan.schemas.iter();
        let moved = Moved {
            package: &project.package,
            library: own.library(),
            schemas: schemas
                .filter_map(|schema| Some((schema.path.clone()?, schema.file.clone()?)))
                .filter(|(path, _)| path.starts_with("crate::"))
                .collect(),
        };
        moved.copy(code, &folder.join("src")).map_err(unwritten)?;
    }
    // The program gets the versions of the package.
    let lock = metadata.workspace_root.join("Cargo.lock");
    if lock.exists() {
        fs::copy(lock, folder.join("Cargo.lock")).map_err(unwritten)?;
    }
    let printed = run(&folder, &metadata.target_directory, server)?;
    let mut called = read(&printed);
    called.notes.splice(0..0, program.left_out);
    Ok(called)
}

/// Runs the program; fails if it does not compile.
fn run(folder: &Path, target: &Path, server: &Server) -> Result<String, CliError> {
    let output = cargo()
        .args(["run", "--quiet"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .env(VARIABLES[0], &server.url)
        .env(VARIABLES[1], &server.database)
        .output()
        .map_err(|error| CliError::failed(format!("cannot run cargo: {error}")))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    let reason: Vec<&str> = reason.lines().take(LINES).collect();
    Err(CliError::failed(format!(
        "the program that calls the functions failed:\n{}",
        reason.join("\n")
    ))
    .hint(format!("it is in {}", shown_path(folder))))
}

/// The number of lines of the compiler's output in an error.
const LINES: usize = 40;

/// The failure of a function that could not be called.
const NO_VALUE: &str = "no value is known of an argument's type";

/// Reads what the program printed.
fn read(printed: &str) -> Called {
    let mut called = Called::default();
    for line in printed.lines() {
        if let Some(count) = line.strip_prefix("functions ") {
            called.functions = count.parse().unwrap_or_default();
        } else if let Some(failed) = line.strip_prefix("failed ") {
            let (code, what) = failed.split_once(' ').unwrap_or((failed, ""));
            if !is_of_data(code, what) {
                called.findings.push(format!("the server refuses {what}"));
            }
        } else if let Some(never) = line.strip_prefix("never ") {
            let (function, why) = never.split_once(": ").unwrap_or((never, ""));
            if why == NO_VALUE {
                called
                    .notes
                    .push(format!("{function} is not called: {why}"));
                continue;
            }
            let (code, why) = why.split_once(' ').unwrap_or(("", why));
            if is_of_data(code, function) {
                let note = format!("{function} did not succeed with made-up values: {why}");
                called.notes.push(note);
            }
        }
    }
    called.findings.sort();
    called.findings.dedup();
    called
}

/// Returns true for the SQLSTATE of a failure that made-up values can cause: a violated constraint
/// (class 23), a value that is too long or too large, and an error that a trigger raises. Queries
/// of query files calculate with the values, and may refuse any (class 22).
fn is_of_data(code: &str, function: &str) -> bool {
    code.starts_with("23")
        || matches!(code, "22001" | "22003" | "P0001")
        || (code.starts_with("22") && function.starts_with("queries::"))
}

/// Returns the SQL types of columns that are written as text.
fn texts(plan: &Plan) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for table in &plan.tables {
        for field in &table.fields {
            let Some(write) = field.via.as_ref().and_then(|wire| wire.write.as_ref()) else {
                continue;
            };
            let element = write.strip_prefix("text[]::");
            let element = element.and_then(|list| list.strip_suffix("[]"));
            let Some(sql_type) = write.strip_prefix("text::").or(element) else {
                continue;
            };
            for name in [
                format!("New{}", table.row),
                format!("{}Values", table.row),
                format!("{}Changes", table.row),
            ] {
                texts.insert(format!("{name}.{}", field.name), sql_type.to_owned());
            }
        }
    }
    texts
}

/// Writes the package of the program.
fn write(
    folder: &Path,
    own: &CargoPackage,
    edition: &str,
    modules: &str,
    smoke: &str,
) -> io::Result<()> {
    let mut manifest = toml_edit::DocumentMut::new();
    let mut package = toml_edit::Table::new();
    package.insert("name", toml_edit::value("bowline_verify"));
    package.insert("version", toml_edit::value("0.0.0"));
    package.insert("edition", toml_edit::value(edition));
    manifest.insert("package", toml_edit::Item::Table(package));
    // It belongs to no workspace, whatever is above its folder.
    manifest.insert("workspace", toml_edit::table());
    let mut dependencies = toml_edit::Table::new();
    let needed = own.dependencies.iter();
    for found in needed.filter(|found| found.kind.is_none() && found.target.is_none()) {
        let name = found.rename.as_ref().unwrap_or(&found.name);
        dependencies.insert(name, toml_edit::value(found.as_toml()));
    }
    if !dependencies.contains_key("serde_json") {
        dependencies.insert("serde_json", toml_edit::value("1"));
    }
    if own.library().is_some()
        && let Some(path) = own.manifest_path.parent()
    {
        let mut table = toml_edit::InlineTable::new();
        table.insert("path", path.display().to_string().into());
        dependencies.insert(&own.name, toml_edit::value(table));
    }
    manifest.insert("dependencies", toml_edit::Item::Table(dependencies));
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("Cargo.toml"), manifest.to_string())?;
    fs::write(folder.join("src/smoke.rs"), smoke)?;
    fs::write(
        folder.join("src/main.rs"),
        format!("{modules}{REPORT}{MAIN}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_made_up_values_are_no_findings() {
        let called = read(
            "failed 23514 User::insert: a check\nfailed 42804 User::list: a type\n\
             failed 42804 User::list: a type\nnever User::insert: 23514 a check\n\
             never User::list: 42804 a type\nfunctions 2\ncalls 6\n",
        );
        assert_eq!(called.functions, 2);
        assert_eq!(called.findings, ["the server refuses User::list: a type"]);
        assert_eq!(
            called.notes,
            ["User::insert did not succeed with made-up values: a check"]
        );
    }
}

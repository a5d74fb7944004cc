//! The declaration of the generated module in `src/main.rs` or `src/lib.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use super::changes::Changes;
use crate::emit::HEADER;
use crate::error::CliError;
use crate::package::{Declaration, Package, declare};
use crate::paths::read_optional;
use crate::plan::relative;
use crate::project::Project;

/// Declares the module, unless it is declared already. If that is not safe, adds a note with the
/// line.
pub(super) fn declare_module(
    changes: &mut Changes,
    package: &Package,
    project: &Project,
) -> Result<(), CliError> {
    let folder = &project.settings.folder;
    let source = package.folder.join("src");
    let shown = relative(folder, &package.folder);
    let name = folder.strip_prefix(&source).ok().and_then(Path::to_str);
    let Some(name) = name.filter(|name| !name.is_empty() && !name.contains('/')) else {
        if !folder.starts_with(&package.folder) {
            return Err(CliError::failed(format!(
                "the settings name the folder {} for the generated code, which is not in this package",
                folder.display()
            ))
            .hint("run this in the package of the code, or give this package its own diesel.toml"));
        }
        changes.note(format!(
            "declare the module for the code that is generated in {shown}"
        ));
        return Ok(());
    };
    refuse_taken(folder, &shown)?;
    let line = format!("mod {name};");
    let Some((path, text)) = root(package, project)? else {
        changes.note(format!(
            "add `{line}` to the root of the crate that will have the generated code"
        ));
        return Ok(());
    };
    let root = relative(&path, &package.folder);
    let is_library = !path.ends_with("main.rs");
    match declare(&text, name, is_library) {
        Ok(Declaration::Exists) => {}
        Ok(Declaration::Taken) => return Err(taken(&root, &shown)),
        Ok(Declaration::Added(text)) => {
            let line = if is_library {
                format!("pub {line}")
            } else {
                line
            };
            changes.extend(path, text, &line);
        }
        Err(error) => changes.note(format!(
            "{root} is not valid Rust ({error}); add `{line}` there yourself"
        )),
    }
    Ok(())
}

/// Returns the root file of a crate with its text: the crate that declares the schema, or else the
/// library.
fn root(package: &Package, project: &Project) -> Result<Option<(PathBuf, String)>, CliError> {
    let mut roots = Vec::new();
    for (kind, usual) in [("lib", "src/lib.rs"), ("bin", "src/main.rs")] {
        let path = package
            .folder
            .join(package.manifest.root(kind).unwrap_or(usual));
        if let Some(text) = read_optional(&path)? {
            roots.push((path, text));
        }
    }
    let schema = project.settings.schema_path.strip_prefix("crate::");
    let schema = schema.and_then(|path| path.split("::").next());
    let has_schema = |(_, text): &(PathBuf, String)| {
        schema.is_some_and(|name| matches!(declare(text, name, false), Ok(Declaration::Exists)))
    };
    let index = roots.iter().position(has_schema).unwrap_or(0);
    Ok((index < roots.len()).then(|| roots.swap_remove(index)))
}

/// Fails if the module exists and was not generated.
fn refuse_taken(folder: &Path, shown: &str) -> Result<(), CliError> {
    if folder.with_extension("rs").is_file() {
        return Err(taken(&format!("{shown}.rs"), shown));
    }
    let text = fs::read_to_string(folder.join("mod.rs")).unwrap_or_default();
    if text.is_empty() || text.starts_with(HEADER) {
        return Ok(());
    }
    Err(taken(&format!("{shown}/mod.rs"), shown))
}

fn taken(file: &str, folder: &str) -> CliError {
    CliError::failed(format!(
        "{file} is a module of that name already, and generated code would be in {folder}"
    ))
    .hint("name another folder in bowline.toml: folder = \"src/data\"")
}

//! The generated module's declaration in `src/main.rs` or `src/lib.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use super::changes::Changes;
use crate::emit::HEADER;
use crate::error::CliError;
use crate::package::{Declaration, Package, declare};
use crate::plan::relative;
use crate::project::Project;

/// Declares the module, unless it is declared; where that cannot be done safely, says the line.
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
                "the settings put the generated code into {}, which is not in this package",
                folder.display()
            ))
            .hint("run this in the package that the code is for, or give this one a diesel.toml of its own"));
        }
        changes.note(format!("declare the module that is generated into {shown}"));
        return Ok(());
    };
    refuse_taken(folder, &shown)?;
    let line = format!("mod {name};");
    let Some((path, text)) = root(package, project)? else {
        changes.note(format!(
            "say `{line}` in the root of the crate that is to have the generated code"
        ));
        return Ok(());
    };
    let root = relative(&path, &package.folder);
    let is_library = !path.ends_with("main.rs");
    match declare(&text, name, is_library) {
        Ok(Declaration::There) => {}
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
            "{root} cannot be read as Rust ({error}), so say `{line}` there"
        )),
    }
    Ok(())
}

/// The file of a crate's root with its text: the one that has the schema, where that is elsewhere, else the library's.
fn root(package: &Package, project: &Project) -> Result<Option<(PathBuf, String)>, CliError> {
    let mut roots = Vec::new();
    for (kind, usual) in [("lib", "src/lib.rs"), ("bin", "src/main.rs")] {
        let path = package
            .folder
            .join(package.manifest.root(kind).unwrap_or(usual));
        match fs::read_to_string(&path) {
            Ok(text) => roots.push((path, text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(CliError::failed(format!(
                    "cannot read {}: {error}",
                    path.display()
                )));
            }
        }
    }
    let schema = project.settings.schema_path.strip_prefix("crate::");
    let schema = schema.and_then(|path| path.split("::").next());
    let has_schema = |(_, text): &(PathBuf, String)| {
        schema.is_some_and(|name| matches!(declare(text, name, false), Ok(Declaration::There)))
    };
    let place = roots.iter().position(has_schema).unwrap_or(0);
    Ok((place < roots.len()).then(|| roots.swap_remove(place)))
}

/// Fails where the module is a person's own.
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
        "{file} has a module of that name already, and {folder} is where generated code would go"
    ))
    .hint("name another folder in Cargo.toml: [package.metadata.bowline] folder = \"src/data\"")
}

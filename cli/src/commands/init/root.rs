//! The declaration of the generated module in `src/main.rs` or `src/lib.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use super::changes::Changes;
use crate::emit::HEADER;
use crate::error::CliError;
use crate::package::{Declaration, Package, declare};
use crate::project::Project;
use bowline_plan::paths::{read_optional, relative};
use bowline_plan::plan::module_name;

/// The root file of a crate.
pub(super) struct Root {
    path: PathBuf,
    text: String,
    is_library: bool,
}

impl Root {
    /// Returns the folder of the file, in which its modules are.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }
}

/// Declares the module, unless it is declared already. If that is not safe, adds a note with the
/// line.
pub(super) fn declare_module(
    changes: &mut Changes,
    package: &Package,
    root: Option<Root>,
    folder: &Path,
) -> Result<(), CliError> {
    let shown = relative(folder, &package.folder);
    if !folder.starts_with(&package.folder) {
        return Err(CliError::failed(format!(
            "the settings name the folder {} for the generated code, which is not in this package",
            folder.display()
        ))
        .hint("run this in the package of the code, or give this package its own diesel.toml"));
    }
    let usual = package.folder.join("src");
    let source = root.as_ref().map_or(usual.as_path(), Root::folder);
    let name = folder.strip_prefix(source).ok().and_then(Path::to_str);
    let Some(name) = name.filter(|name| !name.is_empty() && !name.contains('/')) else {
        changes.note(format!(
            "declare the module for the code that is generated in {shown}"
        ));
        return Ok(());
    };
    let module = module_name(name).ok_or_else(|| {
        CliError::failed(format!(
            "the folder {shown} cannot be a module, because {name} is not an identifier in Rust"
        ))
        .hint("name another folder: file in diesel.toml, or folder in bowline.toml")
    })?;
    refuse_existing_module(folder, &shown)?;
    let Some(root) = root else {
        changes.note(format!(
            "add `mod {module};` to the root of the crate that will have the generated code"
        ));
        return Ok(());
    };
    let root_file = relative(&root.path, &package.folder);
    let files = [format!("{name}/mod.rs"), format!("./{name}/mod.rs")];
    match declare(&root.text, &module, &files, root.is_library) {
        Ok(Declaration::Exists) => {}
        Ok(Declaration::Taken) => return Err(module_exists(&format!("{root_file} has"), &shown)),
        Ok(Declaration::Added(text)) => {
            let public = if root.is_library { "pub " } else { "" };
            changes.extend(root.path, text, &format!("{public}mod {module};"));
        }
        Err(error) => changes.note(format!(
            "{root_file} is not valid Rust ({error}); add `mod {module};` there yourself"
        )),
    }
    Ok(())
}

/// Returns the root file of the crate that declares the schema, or else of the library.
pub(super) fn root(package: &Package, project: &Project) -> Result<Option<Root>, CliError> {
    let mut roots = Vec::new();
    let manifest = &package.manifest;
    for (file, is_library) in [(manifest.library(), true), (manifest.program(), false)] {
        let path = package.folder.join(file);
        if let Some(text) = read_optional(&path)? {
            roots.push(Root {
                path,
                text,
                is_library,
            });
        }
    }
    let schema = project.settings.schema_path.strip_prefix("crate::");
    let schema = schema.and_then(|path| path.split("::").next());
    let has_schema = |root: &Root| {
        let declared = |name| declare(&root.text, name, &[], false);
        schema.is_some_and(|name| matches!(declared(name), Ok(Declaration::Exists)))
    };
    let index = roots.iter().position(has_schema).unwrap_or(0);
    Ok((index < roots.len()).then(|| roots.swap_remove(index)))
}

/// Fails if the module exists and was not generated.
fn refuse_existing_module(folder: &Path, shown: &str) -> Result<(), CliError> {
    if folder.with_extension("rs").is_file() {
        return Err(module_exists(&format!("{shown}.rs is"), shown));
    }
    let text = fs::read_to_string(folder.join("mod.rs")).unwrap_or_default();
    if text.is_empty() || text.starts_with(HEADER) {
        return Ok(());
    }
    Err(module_exists(&format!("{shown}/mod.rs is"), shown))
}

fn module_exists(file: &str, folder: &str) -> CliError {
    CliError::failed(format!(
        "{file} a module of that name already, and generated code would be in {folder}"
    ))
    .hint("name another folder in bowline.toml: folder = \"src/data\"")
}

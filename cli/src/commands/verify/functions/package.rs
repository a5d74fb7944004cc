//! A package of cargo: what `cargo metadata` says of it, and its dependencies for another one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::error::CliError;

/// The output of `cargo metadata`, as far as it is needed.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<CargoPackage>,
    pub(super) target_directory: PathBuf,
    pub(super) workspace_root: PathBuf,
}

#[derive(Deserialize)]
pub(super) struct CargoPackage {
    pub(super) name: String,
    pub(super) manifest_path: PathBuf,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) targets: Vec<Target>,
}

#[derive(Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) rename: Option<String>,
    pub(super) req: String,
    /// `None` for a folder.
    pub(super) source: Option<String>,
    pub(super) path: Option<PathBuf>,
    pub(super) kind: Option<String>,
    pub(super) uses_default_features: bool,
    pub(super) features: Vec<String>,
    pub(super) target: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) kind: Vec<String>,
    pub(super) src_path: PathBuf,
}

pub(super) fn metadata(package: &Path) -> Result<Metadata, CliError> {
    let output = cargo()
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(package)
        .output()
        .map_err(|error| CliError::failed(format!("cannot run cargo: {error}")))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(CliError::failed(format!(
            "`cargo metadata` failed: {}",
            reason.trim()
        )));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| CliError::failed(format!("cannot read `cargo metadata`: {error}")))
}

/// Returns the command cargo: the one that runs this command, if one does.
pub(super) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

pub(super) fn is_same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

impl CargoPackage {
    /// Returns the name of the library in code, if the package has one.
    pub(super) fn library(&self) -> Option<&str> {
        self.library_target().map(|target| target.name.as_str())
    }

    fn library_target(&self) -> Option<&Target> {
        let is_library = |target: &&Target| {
            let mut kinds = target.kind.iter();
            kinds.any(|kind| matches!(kind.as_str(), "lib" | "rlib"))
        };
        self.targets.iter().find(is_library)
    }

    /// Returns the path of a folder's module in the library, if all modules of the path are public.
    pub(super) fn public_module(&self, folder: &Path) -> Option<String> {
        let library = self.library_target()?;
        let source = library.src_path.parent()?.canonicalize().ok()?;
        let folder = folder.canonicalize().ok()?;
        let below = folder.strip_prefix(&source).ok()?;
        let mut path = library.name.replace('-', "_");
        let mut file = library.src_path.clone();
        let mut within = source.clone();
        for part in below.components() {
            let name = part.as_os_str().to_str()?;
            if !declares(&fs::read_to_string(&file).ok()?, name) {
                return None;
            }
            path = format!("{path}::{name}");
            let beside = within.join(format!("{name}.rs"));
            within.push(name);
            file = if beside.is_file() {
                beside
            } else {
                within.join("mod.rs")
            };
        }
        Some(path)
    }
}

impl Dependency {
    pub(super) fn as_toml(&self) -> toml_edit::InlineTable {
        let mut table = toml_edit::InlineTable::new();
        let git = self.source.as_ref().and_then(|it| it.strip_prefix("git+"));
        if let Some(path) = &self.path {
            table.insert("path", path.display().to_string().into());
        } else if let Some(git) = git {
            let (url, query) = git.split_once('?').unwrap_or((git, ""));
            table.insert("git", url.into());
            let query = query.split('#').next().unwrap_or_default();
            if let Some((key, value)) = query.split_once('=') {
                table.insert(key, value.into());
            }
        } else {
            table.insert("version", self.req.as_str().into());
        }
        if self.rename.is_some() {
            table.insert("package", self.name.as_str().into());
        }
        if !self.uses_default_features {
            table.insert("default-features", false.into());
        }
        let features: toml_edit::Array = self.features.iter().map(String::as_str).collect();
        table.insert("features", features.into());
        table
    }
}

/// Returns true if a file declares a public module, without conditions, in the usual place.
fn declares(source: &str, name: &str) -> bool {
    let Ok(parsed) = syn::parse_file(source) else {
        return false;
    };
    let is_plain = |attribute: &syn::Attribute| {
        let path = attribute.path();
        !path.is_ident("path") && !path.is_ident("cfg") && !path.is_ident("cfg_attr")
    };
    parsed.items.iter().any(|item| match item {
        syn::Item::Mod(module) => {
            module.ident == name
                && module.content.is_none()
                && matches!(module.vis, syn::Visibility::Public(_))
                && module.attrs.iter().all(is_plain)
        }
        _ => false,
    })
}

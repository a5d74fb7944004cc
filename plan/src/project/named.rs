//! Settings that name a folder, a package or a module, and settings that can be written in two
//! places: each names something that is there, and is written once.

use std::path::Path;

use super::bowline_toml::{BowlineToml, SettingsFile};
use crate::failure::{Failure, Report};
use crate::paths::shown_path;

/// Fails if a setting names nothing, or if one is written twice.
pub(super) fn checked(own: &BowlineToml, file: Option<&SettingsFile>) -> Result<(), Failure> {
    // Without a file there are no settings.
    let Some(file) = file else {
        return Ok(());
    };
    let beside = file.path.parent().unwrap_or(Path::new("."));
    let paths = [
        ("source", &own.source),
        ("folder", &own.folder),
        ("queries", &own.queries),
        ("package", &own.package),
    ];
    // A source that does not exist is an error where it is read: `bowline catalog` may write it.
    for (setting, path) in paths {
        let Some(path) = path else { continue };
        if path.as_os_str().is_empty() {
            let title = "this names no folder".to_owned();
            return Err(refused(file, &[setting], title, "is empty")
                .hint("write a path, or leave the setting out"));
        }
        let path = beside.join(path);
        let shown = shown_path(&path);
        let (why, hint) = match setting {
            "folder" if path.is_file() => (
                "names a file",
                "name the folder of the generated files, which `bowline generate` creates",
            ),
            "queries" if !path.is_dir() => (
                "names no folder",
                "check the spelling, create the folder, or leave the setting out",
            ),
            "package" if !path.join("Cargo.toml").is_file() => (
                "names no package",
                "name the folder with the Cargo.toml of the package whose code `query!` means",
            ),
            _ => continue,
        };
        let title = match setting {
            "package" => format!("{shown}/Cargo.toml does not exist"),
            "folder" => format!("{shown} is a file"),
            "queries" if path.exists() => format!("{shown} is a file"),
            _ => format!("{shown} does not exist"),
        };
        return Err(refused(file, &[setting], title, why).hint(hint));
    }
    if let Some(module) = &own.module
        && !is_module(module)
    {
        let title = format!("{module:?} is not the path of a module in Rust");
        return Err(refused(file, &["module"], title, "names no module")
            .hint("write the path of the generated code: module = \"crate::db\""));
    }
    twice(own, file)
}

/// Returns true for a path such as `crate::db`. `query!` asks this in a thread of its own, where
/// the compiler's parser does not work.
fn is_module(module: &str) -> bool {
    let is_first = |c: char| c == '_' || c.is_alphabetic();
    let is_identifier = |part: &str| {
        let part = part.trim();
        let part = part.strip_prefix("r#").unwrap_or(part);
        part.starts_with(is_first) && part.chars().all(|c| is_first(c) || c.is_numeric())
    };
    let path = module.trim().strip_prefix("::").unwrap_or(module);
    path.split("::").all(is_identifier)
}

/// Fails if the name of a row or a key is both in the settings of its table and in those for all.
fn twice(own: &BowlineToml, file: &SettingsFile) -> Result<(), Failure> {
    let is_same = |a: &str, b: &str| {
        let bare = |name: &str| name.strip_prefix("public.").unwrap_or(name).to_owned();
        bare(a) == bare(b)
    };
    for (table, settings) in &own.tables {
        let row = settings.row.as_ref().and_then(|_| {
            let mut others = own.names.keys();
            Some(("row", "names", others.find(|other| is_same(other, table))?))
        });
        let key = settings.key.as_ref().and_then(|_| {
            let mut others = own.keys.keys();
            Some(("key", "keys", others.find(|other| is_same(other, table))?))
        });
        if let Some((of_table, of_all, other)) = row.or(key) {
            let path = |parts: &[&str]| parts.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
            let first = path(&["tables", table, of_table]);
            let second = path(&[of_all, other]);
            let title = format!("`tables.{table}.{of_table}` and `{of_all}.{other}` say the same");
            let excerpts = [file.excerpt(&first), file.excerpt(&second)];
            return Err(
                Failure::new(format!("the {of_table} of {table} is set twice"))
                    .reports([Report::new(title, &excerpts)])
                    .hint("remove one of the two"),
            );
        }
    }
    Ok(())
}

fn refused(file: &SettingsFile, setting: &[&str], title: String, why: &str) -> Failure {
    let path: Vec<String> = setting.iter().map(|&part| part.to_owned()).collect();
    let report = Report::new(title, &[file.excerpt(&path)]);
    Failure::new(format!("the setting `{}` {why}", setting.join("."))).reports([report])
}

//! The build script `build.rs`, which makes cargo watch the migrations.

use std::path::PathBuf;

use super::Package;
use crate::error::CliError;
use bowline_plan::paths::read_optional;

/// The state of a package's build script.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BuildScript {
    /// The script makes cargo watch the folders.
    Watches,
    /// The file does not exist.
    Missing(PathBuf),
    /// The lines can be added safely; the text is that of the file with them.
    Add(PathBuf, String),
    /// Only the author knows where the lines belong.
    ByHand(PathBuf),
    /// The package sets `build = false`.
    Forbidden,
}

/// Returns the line that makes cargo compile the package again when the folder has changed.
fn line(migrations: &str) -> String {
    format!("println!(\"cargo::rerun-if-changed={migrations}\");")
}

/// Returns the state of the build script for folders relative to the package, and the lines that it
/// lacks.
pub(crate) fn build_script(
    package: &Package,
    folders: &[String],
) -> Result<(BuildScript, Vec<String>), CliError> {
    let all = || folders.iter().map(|folder| line(folder)).collect();
    let setting = package.manifest.build();
    if setting.and_then(toml_edit::Value::as_bool) == Some(false) {
        return Ok((BuildScript::Forbidden, all()));
    }
    let file = setting
        .and_then(toml_edit::Value::as_str)
        .unwrap_or("build.rs");
    let path = package.folder.join(file);
    let Some(text) = read_optional(&path)? else {
        return Ok((BuildScript::Missing(path), all()));
    };
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let contains = |what: &str| code.iter().any(|line| line.contains(what));
    let is_watched = |folder: &&String| {
        let mut prefixes = ["cargo:", "cargo::"].iter();
        prefixes.any(|prefix| contains(&format!("{prefix}rerun-if-changed={folder}\"")))
    };
    let missing = folders.iter().filter(|folder| !is_watched(folder));
    let missing: Vec<String> = missing.map(|folder| line(folder)).collect();
    if missing.is_empty() {
        return Ok((BuildScript::Watches, missing));
    }
    // If a script names files, cargo watches only these, so another file can be added safely. A
    // script that names no files runs after each change in the package; with the line it would not.
    let names_files = contains("\"cargo:rerun-if-") || contains("\"cargo::rerun-if-");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let is_main = |line: &String| line.starts_with("fn main()") && line.ends_with('{');
    let main = lines.iter().position(is_main);
    let Some(main) = main.filter(|_| names_files) else {
        return Ok((BuildScript::ByHand(path), missing));
    };
    let added = missing.iter().map(|line| format!("    {line}"));
    lines.splice(main + 1..main + 1, added);
    let text = format!("{}\n", lines.join("\n"));
    Ok((BuildScript::Add(path, text), missing))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn of(cargo_toml: &str, script: &str) -> BuildScript {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("Cargo.toml"), cargo_toml).expect("a file");
        fs::write(folder.path().join("build.rs"), script).expect("a file");
        let package = Package::read(folder.path()).expect("it is read");
        let folders = ["migrations".to_owned()];
        let read = build_script(&package.expect("a package"), &folders);
        read.expect("it is read").0
    }

    const PACKAGE: &str = "[package]\nname = \"a\"\n";

    #[test]
    fn a_script_that_watches_is_not_changed() {
        for line in [
            "cargo:rerun-if-changed=migrations",
            "cargo::rerun-if-changed=migrations",
        ] {
            let script = format!("fn main() {{\n    println!(\"{line}\");\n}}\n");
            assert_eq!(of(PACKAGE, &script), BuildScript::Watches);
        }
        assert_eq!(
            of("[package]\nname = \"a\"\nbuild = false\n", ""),
            BuildScript::Forbidden
        );
    }

    #[test]
    fn the_line_is_added_only_beside_others() {
        let script = "fn main() -> Result<(), Error> {\n    println!(\"cargo:rerun-if-changed=a\");\n    b()\n}\n";
        let BuildScript::Add(_, text) = of(PACKAGE, script) else {
            panic!("it is added");
        };
        assert_eq!(
            text,
            script.replace(
                "    println",
                "    println!(\"cargo::rerun-if-changed=migrations\");\n    println"
            )
        );
        for unclear in [
            "fn main() {\n    b()\n}\n",
            "fn main() { println!(\"cargo::rerun-if-changed=a\"); }\n",
            "fn main() {\n    // println!(\"cargo::rerun-if-changed=migrations\");\n}\n",
        ] {
            assert!(
                matches!(of(PACKAGE, unclear), BuildScript::ByHand(_)),
                "{unclear}"
            );
        }
    }
}

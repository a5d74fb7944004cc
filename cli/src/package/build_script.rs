//! `build.rs`: whether it has cargo look at the migrations.

use std::fs;
use std::path::PathBuf;

use super::Package;
use crate::error::CliError;

/// What a package's build script does for the migrations.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BuildScript {
    /// Cargo looks at the folder.
    Watches,
    /// There is none.
    Missing(PathBuf),
    /// There is one to which the line can be added safely: this is its text then.
    Add(PathBuf, String),
    /// There is one, and where the line belongs in it only its author knows.
    ByHand(PathBuf),
    /// The package says that it has none.
    Forbidden,
}

/// The line that has cargo compile the package again whenever the folder has changed.
pub(crate) fn line(migrations: &str) -> String {
    format!("println!(\"cargo::rerun-if-changed={migrations}\");")
}

/// What the build script of a package does for a folder of migrations, which is named from the package.
pub(crate) fn build_script(package: &Package, migrations: &str) -> Result<BuildScript, CliError> {
    let said = package.manifest.build();
    if said.and_then(toml_edit::Value::as_bool) == Some(false) {
        return Ok(BuildScript::Forbidden);
    }
    let file = said
        .and_then(toml_edit::Value::as_str)
        .unwrap_or("build.rs");
    let path = package.folder.join(file);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(BuildScript::Missing(path));
        }
        Err(error) => {
            return Err(CliError::failed(format!(
                "cannot read {}: {error}",
                path.display()
            )));
        }
    };
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let says = |what: &str| code.iter().any(|line| line.contains(what));
    let watches = |prefix: &str| says(&format!("{prefix}rerun-if-changed={migrations}\""));
    if watches("cargo:") || watches("cargo::") {
        return Ok(BuildScript::Watches);
    }
    // Where a script names files, cargo looks at no others, so one more takes nothing away. One that names none is
    // run for every file of the package, and might not be any more.
    let names_files = says("\"cargo:rerun-if-") || says("\"cargo::rerun-if-");
    let mut lines: Vec<&str> = text.lines().collect();
    let is_main = |line: &&str| line.starts_with("fn main()") && line.ends_with('{');
    let main = lines.iter().position(is_main);
    let Some(main) = main.filter(|_| names_files) else {
        return Ok(BuildScript::ByHand(path));
    };
    let added = format!("    {}", line(migrations));
    lines.insert(main + 1, &added);
    Ok(BuildScript::Add(path, format!("{}\n", lines.join("\n"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cargo_toml: &str, script: &str) -> BuildScript {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("Cargo.toml"), cargo_toml).expect("a file");
        fs::write(folder.path().join("build.rs"), script).expect("a file");
        let package = Package::read(folder.path()).expect("it is read");
        build_script(&package.expect("a package"), "migrations").expect("it is read")
    }

    const PACKAGE: &str = "[package]\nname = \"a\"\n";

    #[test]
    fn a_script_that_watches_is_left_alone_whatever_its_colons() {
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
    fn the_line_is_added_only_where_other_files_are_named_already() {
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

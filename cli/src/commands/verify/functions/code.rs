//! Generated code as a program in another package has it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The code of a package, to be copied into another one.
pub(super) struct Moved<'a> {
    /// The folder of the package.
    pub package: &'a Path,
    /// The name of its library in code.
    pub library: Option<&'a str>,
    /// The files of the schema that are outside of the folder of the code, each with its module:
    /// `crate::schema`.
    pub schemas: Vec<(String, PathBuf)>,
}

/// The module with the copies of the schema's files.
const SCHEMAS: &str = "bowline_schemas";

impl Moved<'_> {
    /// Copies the generated code. It names folders relative to its package, and types that settings
    /// name in its crate.
    pub(super) fn copy(&self, from: &Path, source: &Path) -> io::Result<()> {
        self.copy_folder(from, &source.join("db"))?;
        let folder = source.join(SCHEMAS);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let mut modules = String::new();
        for (index, (_, path)) in self.schemas.iter().enumerate() {
            self.copy_file(path, &folder.join(format!("s{index}.rs")))?;
            modules.push_str(&format!("pub mod s{index};\n"));
        }
        fs::write(folder.join("mod.rs"), modules)
    }

    fn copy_folder(&self, from: &Path, to: &Path) -> io::Result<()> {
        if to.exists() {
            fs::remove_dir_all(to)?;
        }
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let path = entry?.path();
            let Some(name) = path.file_name() else {
                continue;
            };
            if path.is_dir() {
                self.copy_folder(&path, &to.join(name))?;
                continue;
            }
            if path.extension().is_none_or(|end| end != "rs") {
                continue;
            }
            self.copy_file(&path, &to.join(name))?;
        }
        Ok(())
    }

    fn copy_file(&self, from: &Path, to: &Path) -> io::Result<()> {
        let text = fs::read_to_string(from)?;
        let mut out = String::with_capacity(text.len());
        for line in text.lines() {
            out.push_str(&self.line(line));
            out.push('\n');
        }
        fs::write(to, out)
    }

    /// Returns a line of generated code as another package has it.
    fn line(&self, line: &str) -> String {
        let start = line.trim_start();
        for key in ["folder = \"", "queries_folder = \""] {
            if let Some(folder) = start
                .strip_prefix(key)
                .and_then(|rest| rest.strip_suffix("\","))
            {
                let folder = self.package.join(folder).display().to_string();
                return format!("{key}{}\",", folder.replace('\\', "\\\\"));
            }
        }
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let mut out = String::new();
        let mut rest = line;
        while let Some((before, after)) = rest.split_once(CRATE) {
            out.push_str(before);
            rest = after;
            if before.ends_with(is_part) {
                out.push_str(CRATE);
                continue;
            }
            let mut schemas = self.schemas.iter().enumerate();
            let of_schema = schemas.find_map(|(index, (module, _))| {
                let path = module.strip_prefix(CRATE)?;
                let rest = after.strip_prefix(path)?;
                rest.starts_with("::").then_some((index, rest))
            });
            if let Some((index, of_schema)) = of_schema {
                out.push_str(&format!("{CRATE}{SCHEMAS}::s{index}"));
                rest = of_schema;
            } else {
                out.push_str(self.library.unwrap_or("crate"));
                out.push_str("::");
            }
        }
        out + rest
    }
}

const CRATE: &str = "crate::";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_is_moved_names_its_folder_and_crate() {
        let moved = Moved {
            package: Path::new("/p"),
            library: Some("shop"),
            schemas: vec![("crate::model::schema".to_owned(), PathBuf::new())],
        };
        assert_eq!(
            moved.line("    folder = \"../migrations\","),
            "folder = \"/p/../migrations\","
        );
        assert_eq!(
            moved.line("pub email: crate::Email, // my_crate::Email"),
            "pub email: shop::Email, // my_crate::Email"
        );
        assert_eq!(
            moved.line("use crate::model::schema::users;"),
            "use crate::bowline_schemas::s0::users;"
        );
    }
}

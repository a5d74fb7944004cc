//! The parameters of the connection, and their sources.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bowline::Config;

use super::finding::Finding;
use crate::connection::DatabaseArgs;

pub(super) const AREA: &str = "settings";

/// Reads the parameters of the connection.
pub(super) fn check(database: &DatabaseArgs, here: &Path) -> (Vec<Finding>, Option<Config>) {
    let file = here.ancestors().map(|folder| folder.join(".env"));
    let file = file.into_iter().find(|file| file.is_file());
    let config = match database.config() {
        Ok(config) => config,
        Err(error) => return (vec![Finding::problem(AREA, error.into())], None),
    };
    let parameters = match config.parameters() {
        Ok(parameters) => parameters,
        Err(error) => return (vec![Finding::problem(AREA, error.into())], None),
    };
    let mut findings = if database.is_given() {
        vec![Finding::ok(AREA, "from --database-url")]
    } else {
        sources(file.as_deref())
    };
    findings.push(Finding::ok(AREA, in_words(&parameters)));
    findings.extend(password(&parameters));
    (findings, Some(config))
}

/// Lists the variables that are set, in the environment and in `.env`.
fn sources(file: Option<&Path>) -> Vec<Finding> {
    let is_ours = |name: &str| name == "DATABASE_URL" || name.starts_with("PG");
    let set: Vec<String> = env::vars()
        .filter(|(name, value)| is_ours(name) && !value.is_empty())
        .map(|(name, _)| name)
        .collect();
    let mut findings = Vec::new();
    if !set.is_empty() {
        let mut names = set.clone();
        names.sort();
        findings.push(Finding::ok(
            AREA,
            format!("{} in the environment", names.join(", ")),
        ));
    }
    let Some(file) = file else {
        return findings;
    };
    let lines = dotenvy::from_path_iter(file).into_iter().flatten();
    let (kept, hidden): (Vec<String>, Vec<String>) = lines
        .filter_map(|line| Some(line.ok()?.0))
        .filter(|name| is_ours(name))
        .partition(|name| !set.contains(name));
    if !kept.is_empty() {
        findings.push(Finding::ok(
            AREA,
            format!("{} in {}", kept.join(", "), file.display()),
        ));
    }
    if !hidden.is_empty() {
        let names = hidden.join(", ");
        findings.push(Finding::warning(
            AREA,
            format!(
                "{names} in {} has no effect: the environment sets it too",
                file.display()
            ),
            format!("unset {}", hidden.join(" ")),
        ));
    }
    if has_variable(file) {
        findings.push(Finding::warning(
            AREA,
            format!(
                "$ in {} begins the name of a variable, also within a password",
                file.display()
            ),
            "write the value in single quotes: DATABASE_URL='postgres://..'",
        ));
    }
    findings
}

/// Returns true if one of these variables has a `$` that is expanded.
fn has_variable(file: &Path) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().any(|line| {
        let value = line
            .trim_start()
            .trim_start_matches("export ")
            .split_once('=');
        value.is_some_and(|(name, value)| {
            let name = name.trim();
            let is_ours = name == "DATABASE_URL" || name.starts_with("PG");
            let value = value.trim_start();
            is_ours && !value.starts_with('\'') && value.replace("\\$", "").contains('$')
        })
    })
}

/// Describes the parameters in one line.
fn in_words(parameters: &BTreeMap<String, String>) -> String {
    let shown = |name: &str| {
        let value = parameters.get(name).filter(|value| !value.is_empty())?;
        Some(format!("{name} {value}"))
    };
    let mut words: Vec<String> = ["host", "hostaddr", "port", "user", "dbname", "service"]
        .iter()
        .filter_map(|name| shown(name))
        .collect();
    if !parameters.contains_key("host") && !parameters.contains_key("hostaddr") {
        words.insert(0, "no host, so the server on this machine".to_owned());
    }
    words.extend(shown("sslmode"));
    words.join(", ")
}

/// Finds the source of the password, and checks whether libpq will read its file.
fn password(parameters: &BTreeMap<String, String>) -> Option<Finding> {
    if parameters.contains_key("password") {
        let is_of_environment = env::var_os("PGPASSWORD").is_some();
        let source = if is_of_environment {
            "the connection string or PGPASSWORD"
        } else {
            "the connection string"
        };
        return Some(Finding::ok(AREA, format!("password from {source}")));
    }
    let file = parameters
        .get("passfile")
        .map(PathBuf::from)
        .or_else(|| env::var_os("PGPASSFILE").map(PathBuf::from))
        .or_else(|| Some(env::home_dir()?.join(".pgpass")))?;
    let Ok(about) = fs::metadata(&file) else {
        return Some(Finding::ok(
            AREA,
            "no password, which not every server requires",
        ));
    };
    // libpq ignores a file that other users can read.
    if about.permissions().mode() & 0o077 != 0 {
        return Some(Finding::warning(
            AREA,
            format!(
                "libpq ignores {}, since other users can read it",
                file.display()
            ),
            format!("chmod 0600 {}", file.display()),
        ));
    }
    Some(Finding::ok(
        AREA,
        format!("passwords from {}", file.display()),
    ))
}

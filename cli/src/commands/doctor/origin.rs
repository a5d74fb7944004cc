//! Where the settings of the connection come from, and what they are.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bowline::Config;

use super::finding::Finding;

pub(super) const AREA: &str = "settings";

/// What says where the server is, if it can be read.
pub(super) fn look(url: Option<&str>, here: &Path) -> (Vec<Finding>, Option<Config>) {
    let file = here.ancestors().map(|folder| folder.join(".env"));
    let file = file.into_iter().find(|file| file.is_file());
    let config = match url {
        Some(url) => Config::from_url(url),
        None => Config::from_env(),
    };
    let config = match config {
        Ok(config) => config,
        Err(error) => return (vec![Finding::problem(AREA, error.into())], None),
    };
    let parameters = match config.parameters() {
        Ok(parameters) => parameters,
        Err(error) => return (vec![Finding::problem(AREA, error.into())], None),
    };
    let mut findings = match url {
        Some(_) => vec![Finding::ok(AREA, "from --database-url")],
        None => sources(file.as_deref()),
    };
    findings.push(Finding::ok(AREA, in_words(&parameters)));
    findings.extend(password(&parameters));
    (findings, Some(config))
}

/// The variables that say something, and where they are set.
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
                "{names} in {} does not count: the environment says it too",
                file.display()
            ),
            format!("unset {}", hidden.join(" ")),
        ));
    }
    if has_variable(file) {
        findings.push(Finding::warning(
            AREA,
            format!(
                "a $ in {} stands for another variable, also within a password",
                file.display()
            ),
            "write the value in single quotes: DATABASE_URL='postgres://..'",
        ));
    }
    findings
}

/// Whether a setting of ours has a `$` that is not taken as it is.
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

/// The place, in one line.
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
        words.insert(0, "no host, so a server on this machine".to_owned());
    }
    words.extend(shown("sslmode"));
    words.join(", ")
}

/// Where the password comes from, and whether its file will be read.
fn password(parameters: &BTreeMap<String, String>) -> Option<Finding> {
    if parameters.contains_key("password") {
        let is_of_environment = env::var_os("PGPASSWORD").is_some();
        let place = if is_of_environment {
            "the settings or PGPASSWORD"
        } else {
            "the settings"
        };
        return Some(Finding::ok(AREA, format!("a password, in {place}")));
    }
    let file = parameters
        .get("passfile")
        .map(PathBuf::from)
        .or_else(|| env::var_os("PGPASSFILE").map(PathBuf::from))
        .or_else(|| Some(env::home_dir()?.join(".pgpass")))?;
    let Ok(about) = fs::metadata(&file) else {
        return Some(Finding::ok(
            AREA,
            "no password; not every server asks for one",
        ));
    };
    // libpq passes over a file that others can read.
    if about.permissions().mode() & 0o077 != 0 {
        return Some(Finding::warning(
            AREA,
            format!(
                "{} is not read, since others can read it too",
                file.display()
            ),
            format!("chmod 0600 {}", file.display()),
        ));
    }
    Some(Finding::ok(
        AREA,
        format!("passwords in {}", file.display()),
    ))
}

//! The setting `database`: the name of a program's database.

use super::bowline_toml::SettingsFile;
use crate::failure::{Failure, Report};

/// Returns the name, if the setting is there; fails if it is empty.
pub(super) fn checked(
    name: Option<String>,
    file: Option<&SettingsFile>,
) -> Result<Option<String>, Failure> {
    if name.as_deref() != Some("") {
        return Ok(name);
    }
    let title = "a database without a name takes every statement".to_owned();
    let setting = ["database".to_owned()];
    let reports = file.map(|file| Report::new(title, &[file.excerpt(&setting)]));
    Err(Failure::new("the setting `database` is empty".to_owned())
        .reports(reports)
        .hint("write a name, or leave the setting out"))
}

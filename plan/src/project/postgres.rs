//! The setting `postgres`: the oldest version that a program meets.

use bowline_catalog::query::VERSIONS;

use super::bowline_toml::SettingsFile;
use crate::failure::{Failure, Report};

/// Returns the version of PostgreSQL that the setting `postgres` names.
pub(super) fn version(written: &str, file: Option<&SettingsFile>) -> Result<u32, Failure> {
    let version = written.parse().ok();
    if let Some(version) = version.filter(|version| VERSIONS.contains(version)) {
        return Ok(version);
    }
    let title = format!(
        "queries can be checked for PostgreSQL {} to {}",
        VERSIONS.start(),
        VERSIONS.end()
    );
    let setting = ["postgres".to_owned()];
    let reports = file.map(|file| Report::new(title, &[file.excerpt(&setting)]));
    let message = format!("the setting `postgres` has the unknown version {written:?}");
    Err(Failure::new(message).reports(reports).hint(format!(
        "write the oldest version that the program meets: postgres = \"{}\"",
        VERSIONS.start()
    )))
}

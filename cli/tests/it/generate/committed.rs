//! The committed catalog of a project whose migrations need a server.

use super::{ACCOUNTS, DYNAMIC, with_a_server};
use crate::Project;

#[test]
fn a_servers_catalog_is_committed_while_needed() {
    let project = Project::new(&[ACCOUNTS, DYNAMIC]);
    let variables = with_a_server();
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let printed = project.printed(&["generate"], &variables);
    assert!(
        printed.contains("wrote   src/db/schema.catalog\n"),
        "{printed}"
    );
    let committed = project.read("src/db/schema.catalog");
    assert!(
        committed.contains(" 2_more\n") && committed.contains("\"more\""),
        "{committed}"
    );
    let checked = project.printed(&["generate", "--check"], &variables);
    assert!(checked.contains("up to date"), "{checked}");
    project.write(DYNAMIC.0, "ALTER TABLE accounts ADD COLUMN more text;");
    let printed = project.printed(&["generate"], &variables);
    assert!(
        printed.contains("removed src/db/schema.catalog\n"),
        "{printed}"
    );
    assert!(!project.has("src/db/schema.catalog"));
}

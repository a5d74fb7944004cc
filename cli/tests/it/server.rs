//! `bowline server`.

use crate::Project;

#[test]
fn a_projects_server_is_started_once_answers_and_is_stopped() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id int PRIMARY KEY);",
    )]);
    // The programs are found where distributions put them, or where this test's environment says.
    let path = std::env::var("PATH").unwrap_or_default();
    let folder = std::env::var("BOWLINE_PG_BIN").unwrap_or_default();
    let mut variables = vec![("PATH", path.as_str())];
    if !folder.is_empty() {
        variables.push(("BOWLINE_PG_BIN", &folder));
    }
    let said = project.said(&["server", "status"], &variables);
    insta::assert_snapshot!(said, @r"
    error: no server runs for this project
    hint: run `bowline server start`
    exit 1
    ");
    let url = String::from_utf8(project.run_with(&["server", "start"], &variables).stdout)
        .expect("a URL");
    let again = String::from_utf8(project.run_with(&["server", "start"], &variables).stdout)
        .expect("a URL");
    assert_eq!(url, again);
    let run = project.said(
        &["migrate", "run", "--database-url", url.trim()],
        &variables,
    );
    assert!(run.contains("ran 1_a") && run.ends_with("exit 0"), "{run}");
    assert!(
        project
            .said(&["server", "status"], &variables)
            .contains(url.trim())
    );
    insta::assert_snapshot!(project.said(&["server", "stop"], &variables), @r"
    stopped
    exit 0
    ");
    assert!(
        project
            .said(&["server", "status"], &variables)
            .ends_with("exit 1")
    );
}

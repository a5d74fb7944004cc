//! `bowline new`.

use crate::Project;

/// What was said, with a version of now written as such.
fn said(project: &Project, arguments: &[&str]) -> String {
    let version = regex::Regex::new(r"20\d\d-\d\d-\d\d-\d{6}").expect("an expression");
    version
        .replace_all(&project.said(arguments, &[]), "[version]")
        .into_owned()
}

/// The names of the migrations, and the text of a file of each.
fn migrations(project: &Project, file: &str) -> Vec<(String, String)> {
    let folder = std::fs::read_dir(project.path("migrations")).expect("a folder");
    let mut found: Vec<_> = folder
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text = std::fs::read_to_string(path.join(file)).expect("a file");
            (name, text)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_migration_is_two_files_in_a_folder_of_diesels_format() {
    let project = Project::new(&[]);
    insta::assert_snapshot!(said(&project, &["new", "add_email"]), @r"
    wrote migrations/[version]_add_email/up.sql
    wrote migrations/[version]_add_email/down.sql
    fill them in, then run `bowline generate` and `bowline migrate run`
    exit 0
    ");
    insta::assert_snapshot!(migrations(&project, "up.sql")[0].1, @r"
    -- add email
    --
    -- Runs in a transaction of its own. What PostgreSQL takes in no transaction (CREATE INDEX CONCURRENTLY) goes alone
    -- into a migration with a file metadata.toml beside it that says: run_in_transaction = false
    ");
    insta::assert_snapshot!(migrations(&project, "down.sql")[0].1, @r"
    -- Undoes: add email
    --
    -- `bowline verify` tries it. Remove this file if there is no way back.
    ");
    assert!(project.run(&["generate", "--offline"]).status.success());
}

#[test]
fn two_migrations_of_one_second_have_two_versions() {
    let project = Project::new(&[]);
    for _ in 0..3 {
        assert!(project.run(&["new", "same"]).status.success());
    }
    let names: Vec<String> = migrations(&project, "up.sql")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names.len(), 3);
    assert!(
        project.run(&["catalog"]).status.success(),
        "no two have one version"
    );
}

#[test]
fn a_bad_name_is_refused_with_its_reason() {
    let project = Project::new(&[]);
    insta::assert_snapshot!(project.said(&["new", "add email"], &[]), @r"
    error: invalid value 'add email' for '[NAME]': it names a folder, so write add_email

    For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(project.said(&["new", "../up"], &[]), @r"
    error: invalid value '../up' for '[NAME]': it names a folder, so '.' cannot be in it: use letters, digits, _ and -

    For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(project.said(&["new"], &[]), @r"
    error: the following required arguments were not provided:
      <NAME>

    Usage: bowline new <NAME>

    For more information, try '--help'.
    exit 2
    ");
    assert!(!project.has("migrations"), "nothing was written");
}

#[test]
fn a_migration_that_stands_behind_the_new_one_is_named() {
    let project = Project::new(&[("migrations/9_last/up.sql", "SELECT 1;")]);
    insta::assert_snapshot!(said(&project, &["new", "add_email"]), @r"
    wrote migrations/[version]_add_email/up.sql
    wrote migrations/[version]_add_email/down.sql
    note: 9_last stands behind the new migration, since the text of its version is greater
    fill them in, then run `bowline generate` and `bowline migrate run`
    exit 0
    ");
}

#[test]
fn the_migration_of_commit_keys_makes_their_table_once() {
    let project = Project::new(&[]);
    insta::assert_snapshot!(said(&project, &["new", "--commit-keys"]), @r"
    wrote migrations/[version]_create_commit_keys/up.sql
    wrote migrations/[version]_create_commit_keys/down.sql
    run `bowline migrate run`; bowline::commit_keys says how to use them
    exit 0
    ");
    assert!(
        migrations(&project, "up.sql")[0]
            .1
            .contains("CREATE TABLE __bowline_commit_keys")
    );
    assert!(
        migrations(&project, "down.sql")[0]
            .1
            .contains("DROP TABLE __bowline_commit_keys")
    );
    insta::assert_snapshot!(said(&project, &["new", "--commit-keys"]), @r"
    error: [version]_create_commit_keys makes the table of commit keys already
    exit 1
    ");
}

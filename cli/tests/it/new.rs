//! `bowline new`.

use crate::Project;

/// Returns output with a placeholder for the version.
fn printed(project: &Project, arguments: &[&str]) -> String {
    let version = regex::Regex::new(r"20\d\d-\d\d-\d\d-\d{6}").expect("an expression");
    version
        .replace_all(&project.printed(arguments, &[]), "[version]")
        .into_owned()
}

/// Returns the names of the migrations, and the text of one file of each.
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
fn a_migration_is_two_files_in_diesels_format() {
    let project = Project::new(&[]);
    insta::assert_snapshot!(printed(&project, &["new", "add_email"]), @r"
    wrote migrations/[version]_add_email/up.sql
    wrote migrations/[version]_add_email/down.sql
    write the SQL, then run `bowline generate` and `bowline migrate run`
    exit 0
    ");
    insta::assert_snapshot!(migrations(&project, "up.sql")[0].1, @r"
    -- add email
    --
    -- Runs in a transaction of its own. A statement that cannot run in a transaction (CREATE INDEX
    -- CONCURRENTLY) needs a migration of its own, with a file metadata.toml beside its up.sql that
    -- contains: run_in_transaction = false
    ");
    insta::assert_snapshot!(migrations(&project, "down.sql")[0].1, @r"
    -- Reverts: add email
    --
    -- `bowline verify` tests it. Delete this file if the migration cannot be reverted.
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
    insta::assert_snapshot!(project.printed(&["new", "add email"], &[]), @r"
    error: invalid value 'add email' for '[NAME]': it is the name of a folder; use add_email

    For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(project.printed(&["new", "../up"], &[]), @r"
    error: invalid value '../up' for '[NAME]': '.' is not allowed; use letters, digits, _ and -

    For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(project.printed(&["new"], &[]), @r"
    error: the following required arguments were not provided:
      <NAME>

    Usage: bowline new <NAME>

    For more information, try '--help'.
    exit 2
    ");
    assert!(!project.has("migrations"), "nothing was written");
}

#[test]
fn a_migration_after_the_new_one_is_noted() {
    let project = Project::new(&[("migrations/9_last/up.sql", "SELECT 1;")]);
    insta::assert_snapshot!(printed(&project, &["new", "add_email"]), @r"
    wrote migrations/[version]_add_email/up.sql
    wrote migrations/[version]_add_email/down.sql
    note: 9_last comes after the new migration: its version is greater
    write the SQL, then run `bowline generate` and `bowline migrate run`
    exit 0
    ");
}

#[test]
fn commit_keys_are_created_once() {
    let project = Project::new(&[]);
    insta::assert_snapshot!(printed(&project, &["new", "--commit-keys"]), @r"
    wrote migrations/[version]_create_commit_keys/up.sql
    wrote migrations/[version]_create_commit_keys/down.sql
    run `bowline migrate run`; the documentation of bowline::commit_keys explains how to use them
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
    insta::assert_snapshot!(printed(&project, &["new", "--commit-keys"]), @r"
    error: [version]_create_commit_keys already creates the table of commit keys
    exit 1
    ");
}

//! Up and down: `revert -n`, `redo` and `to`.

use super::{project, server, without_times};
use crate::Project;

fn four() -> Project {
    let project = Project::new(&[]);
    for number in 1..=4 {
        project.write(
            &format!("migrations/{number}_t/up.sql"),
            &format!("CREATE TABLE t{number} (id int PRIMARY KEY);"),
        );
        project.write(
            &format!("migrations/{number}_t/down.sql"),
            &format!("DROP TABLE t{number};"),
        );
    }
    project
}

#[test]
fn several_are_reverted_the_last_one_first_and_run_again_in_order() {
    let (project, server) = (four(), server());
    let url = server.url("postgres");
    let said =
        |arguments: &[&str]| without_times(&project.said(arguments, &[("DATABASE_URL", &url)]));
    insta::assert_snapshot!(said(&["migrate", "revert"]), @r"
    nothing has run, so there is nothing to revert
    exit 0
    ");
    said(&["migrate", "run"]);
    insta::assert_snapshot!(said(&["migrate", "redo", "-n", "2"]), @r"
    reverted 4_t
    reverted 3_t
    ran 3_t
    ran 4_t
    exit 0
    ");
    insta::assert_snapshot!(said(&["migrate", "revert", "-n", "3"]), @r"
    reverted 4_t
    reverted 3_t
    reverted 2_t
    exit 0
    ");
    insta::assert_snapshot!(said(&["migrate", "revert", "-n", "9"]), @r"
    reverted 1_t
    exit 0
    ");
    assert!(said(&["migrate", "revert", "-n", "0"]).ends_with("exit 2"));
}

#[test]
fn a_version_is_reached_from_below_and_from_above() {
    let (project, server) = (four(), server());
    let url = server.url("postgres");
    let said =
        |arguments: &[&str]| without_times(&project.said(arguments, &[("DATABASE_URL", &url)]));
    insta::assert_snapshot!(said(&["migrate", "to", "3"]), @r"
    ran 1_t
    ran 2_t
    ran 3_t
    at 3_t: 0 reverted, 3 run now
    exit 0
    ");
    insta::assert_snapshot!(said(&["migrate", "to", "1_t"]), @r"
    reverted 3_t
    reverted 2_t
    at 1_t: 2 reverted, 0 run now
    exit 0
    ");
    insta::assert_snapshot!(said(&["migrate", "to", "1"]), @r"
    at 1_t: 0 reverted, 0 run now
    exit 0
    ");
    insta::assert_snapshot!(said(&["migrate", "to", "0"]), @r"
    reverted 1_t
    at the empty database: 1 reverted, 0 run now
    exit 0
    ");
    insta::assert_snapshot!(said(&["migrate", "to", "2_tt"]), @r"
    error: there is no migration 2_tt
    hint: did you mean 2_t?
    exit 1
    ");
    insta::assert_snapshot!(said(&["migrate", "to", "2026"]), @r"
    error: there is no migration 2026
    hint: did you mean 2_t?
    exit 1
    ");
}

#[test]
fn nothing_is_reverted_if_something_of_it_cannot_be() {
    let (project, server) = (project(), server());
    let url = server.url("postgres");
    let said =
        |arguments: &[&str]| without_times(&project.said(arguments, &[("DATABASE_URL", &url)]));
    project.write(
        "migrations/3_last/up.sql",
        "CREATE TABLE last (id int PRIMARY KEY);",
    );
    project.write("migrations/3_last/down.sql", "DROP TABLE last;");
    said(&["migrate", "run"]);
    insta::assert_snapshot!(said(&["migrate", "to", "1"]), @r"
    error: 2_name has no down.sql, so it cannot be reverted
    hint: write a migration that undoes it, or its down.sql
    exit 1
    ");
    insta::assert_snapshot!(said(&["migrate", "redo", "-n", "2"]), @r"
    error: 2_name has no down.sql, so it cannot be reverted
    hint: write a migration that undoes it, or its down.sql
    exit 1
    ");
    assert!(said(&["migrate", "status", "--check"]).ends_with("exit 0"));
}

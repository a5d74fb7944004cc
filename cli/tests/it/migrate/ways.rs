//! `revert -n`, `redo` and `to`.

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
fn several_are_reverted_in_reverse_and_run_again() {
    let (project, server) = (four(), server());
    let url = server.url("postgres");
    let printed =
        |arguments: &[&str]| without_times(&project.printed(arguments, &[("DATABASE_URL", &url)]));
    insta::assert_snapshot!(printed(&["migrate", "revert"]), @r"
    nothing has run, so there is nothing to revert
    exit 0
    ");
    printed(&["migrate", "run"]);
    insta::assert_snapshot!(printed(&["migrate", "redo", "-n", "2"]), @r"
    reverted 4_t
    reverted 3_t
    ran 3_t
    ran 4_t
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "revert", "-n", "3"]), @r"
    reverted 4_t
    reverted 3_t
    reverted 2_t
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "revert", "-n", "9"]), @r"
    reverted 1_t
    exit 0
    ");
    assert!(printed(&["migrate", "revert", "-n", "0"]).ends_with("exit 2"));
}

#[test]
fn a_version_is_reached_from_below_and_from_above() {
    let (project, server) = (four(), server());
    let url = server.url("postgres");
    let printed =
        |arguments: &[&str]| without_times(&project.printed(arguments, &[("DATABASE_URL", &url)]));
    insta::assert_snapshot!(printed(&["migrate", "to", "3"]), @r"
    ran 1_t
    ran 2_t
    ran 3_t
    at 3_t: 0 reverted, 3 run now
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "to", "1_t"]), @r"
    reverted 3_t
    reverted 2_t
    at 1_t: 2 reverted, 0 run now
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "to", "1"]), @r"
    at 1_t: 0 reverted, 0 run now
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "to", "0"]), @r"
    reverted 1_t
    at the empty database: 1 reverted, 0 run now
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "to", "2_tt"]), @r"
    error: there is no migration 2_tt
    hint: did you mean 2_t?
    exit 1
    ");
    insta::assert_snapshot!(printed(&["migrate", "to", "2026"]), @r"
    error: there is no migration 2026
    hint: did you mean 2_t?
    exit 1
    ");
}

#[test]
fn nothing_is_reverted_if_one_cannot_be() {
    let (project, server) = (project(), server());
    let url = server.url("postgres");
    let printed =
        |arguments: &[&str]| without_times(&project.printed(arguments, &[("DATABASE_URL", &url)]));
    project.write(
        "migrations/3_last/up.sql",
        "CREATE TABLE last (id int PRIMARY KEY);",
    );
    project.write("migrations/3_last/down.sql", "DROP TABLE last;");
    printed(&["migrate", "run"]);
    insta::assert_snapshot!(printed(&["migrate", "to", "1"]), @r"
    error: 2_name has no down.sql, so it cannot be reverted
    hint: write its down.sql, or another migration that reverts it
    exit 1
    ");
    insta::assert_snapshot!(printed(&["migrate", "redo", "-n", "2"]), @r"
    error: 2_name has no down.sql, so it cannot be reverted
    hint: write its down.sql, or another migration that reverts it
    exit 1
    ");
    assert!(printed(&["migrate", "status", "--check"]).ends_with("exit 0"));
}

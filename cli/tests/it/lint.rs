//! `bowline lint`: its formats, its exit codes, and what is new on a branch.

mod code;
mod measured;

use crate::Project;

const BASE: (&str, &str) = (
    "migrations/1_a/up.sql",
    "CREATE TABLE accounts (id bigint PRIMARY KEY, note text);\n",
);

fn project() -> Project {
    Project::new(&[
        BASE,
        (
            "migrations/2_b/up.sql",
            "ALTER TABLE accounts ADD COLUMN level bigint;\n\nALTER TABLE accounts\n    ALTER COLUMN note SET NOT NULL;\n",
        ),
        (
            "migrations/3_c/up.sql",
            "CREATE INDEX ON accounts (note);\n",
        ),
    ])
}

#[test]
fn a_finding_has_its_place_and_its_safe_form() {
    insta::assert_snapshot!(project().printed(&["lint"], &[]));
}

#[test]
fn safe_migrations_have_no_findings() {
    let project = Project::new(&[BASE]);
    let printed = project.printed(&["lint"], &[]);
    assert_eq!(printed, "1 migration, no findings\nexit 0");
}

#[test]
fn later_migrations_can_be_chosen() {
    let printed = project().printed(&["lint", "--after", "2", "--format", "github"], &[]);
    insta::assert_snapshot!(printed);
    let printed = project().printed(&["lint", "--after", "3"], &[]);
    assert_eq!(printed, "3 migrations, no findings\nexit 0");
}

#[test]
fn findings_are_json_for_other_programs() {
    insta::assert_snapshot!(project().printed(&["lint", "--json"], &[]));
}

#[test]
fn sarif_has_what_the_standard_requires() {
    let output = project().run(&["lint", "--format", "sarif"]);
    assert_eq!(output.status.code(), Some(1));
    let log: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    // The required properties of the schema of SARIF 2.1.0, and the limits of those that are set.
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "bowline lint");
    let rules = driver["rules"].as_array().expect("rules");
    for rule in rules {
        assert!(rule["id"].is_string() && rule["shortDescription"]["text"].is_string());
    }
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 2);
    for result in results {
        assert!(result["message"]["text"].is_string());
        let index = result["ruleIndex"].as_u64().expect("an index");
        let index = usize::try_from(index).expect("a small one");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_eq!(result["level"], "error");
        let physical = &result["locations"][0]["physicalLocation"];
        assert!(physical["artifactLocation"]["uri"].is_string());
        let region = &physical["region"];
        let number = |key: &str| region[key].as_u64().expect("a number");
        assert!(number("startLine") >= 1 && number("startColumn") >= 1);
        assert!(
            (number("endLine"), number("endColumn")) > (number("startLine"), number("startColumn"))
        );
    }
}

#[test]
fn settings_leave_rules_out() {
    let project = project();
    project.write(
        "bowline.toml",
        "[lint]\nexcluded_rules = [\"adding-not-nullable-field\", \"require-concurrent-index-creation\"]\n",
    );
    let printed = project.printed(&["lint"], &[]);
    assert_eq!(printed, "3 migrations, no findings\nexit 0");
    project.write(
        "bowline.toml",
        "[lint]\nincluded_rules = [\"require-table-schema\"]\n",
    );
    let printed = project.printed(&["lint"], &[]);
    assert!(printed.contains("6 findings in 3 migrations"), "{printed}");
    project.write(
        "bowline.toml",
        "[lint]\nexcluded_rules = [\"ban-drop-colum\"]\n",
    );
    let printed = project.printed(&["lint"], &[]);
    let message = "there is no rule ban-drop-colum; did you mean ban-drop-column?";
    assert!(
        printed.contains(message) && printed.ends_with("exit 1"),
        "{printed}"
    );
}

#[test]
fn statements_that_cannot_be_followed_get_a_note() {
    let project = Project::new(&[
        BASE,
        (
            "migrations/2_b/up.sql",
            "ALTER TABLE missing ADD COLUMN a text;\nALTER TABLE accounts DROP COLUMN note;\n",
        ),
    ]);
    let printed = project.printed(&["lint", "--format", "github"], &[]);
    assert!(
        printed.contains("title=ban-drop-column")
            && printed.contains("note: migrations/2_b/up.sql:1 cannot be followed")
            && printed.ends_with("exit 1"),
        "{printed}"
    );
}

#[test]
fn what_citus_refuses_is_a_finding_and_no_note() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE EXTENSION citus;
CREATE TABLE d (t bigint, id bigint, PRIMARY KEY (t, id));
SELECT create_distributed_table('d', 't');
",
        ),
        (
            "migrations/2_b/up.sql",
            "ALTER TABLE d ALTER COLUMN t SET DEFAULT 1;\n",
        ),
    ]);
    insta::assert_snapshot!(project.printed(&["lint"], &[]), @"
    migrations/2_b/up.sql:1:1: refused-by-citus: Citus refuses this: cannot execute ALTER TABLE command involving partition column
        ALTER TABLE d ALTER COLUMN t SET DEFAULT 1;
      hint: change the column before the table is distributed, or undistribute the table first
    error: 1 finding in 1 migration
    hint: a comment `-- squawk-ignore RULE` on the line before a statement hides a finding, and [lint] in bowline.toml leaves a rule out
    exit 1
    ");
    let hidden = "-- squawk-ignore refused-by-citus\nALTER TABLE d ALTER COLUMN t SET DEFAULT 1;\n";
    project.write("migrations/2_b/up.sql", hidden);
    let printed = project.printed(&["lint"], &[]);
    assert!(
        printed.starts_with("note: migrations/2_b/up.sql:2 cannot be followed"),
        "{printed}"
    );
}

#[test]
fn only_what_is_new_on_the_branch_is_reported() {
    let project = project();
    let path = std::env::var("PATH").expect("a PATH");
    let variables = [("PATH", path.as_str())];
    project.git(&["init", "-q", "-b", "main"]);
    project.git(&["add", "."]);
    project.git(&["commit", "-q", "-m", "a"]);
    project.git(&["checkout", "-q", "-b", "branch"]);
    let none = "3 migrations, no findings\nexit 0";
    assert_eq!(
        project.printed(&["lint", "--since", "main"], &variables),
        none
    );
    project.write(
        "migrations/4_d/up.sql",
        "ALTER TABLE accounts DROP COLUMN note;\n",
    );
    // Neither a rename nor an edit elsewhere in the file makes an old finding new.
    std::fs::rename(
        project.path("migrations/3_c"),
        project.path("migrations/3_other"),
    )
    .expect("a rename");
    project.write(
        "migrations/3_other/up.sql",
        "-- a comment\nCREATE INDEX ON accounts (note);\n",
    );
    let printed = project.printed(
        &["lint", "--since", "main", "--format", "github"],
        &variables,
    );
    assert!(
        printed.starts_with(
            "::error file=migrations/4_d/up.sql,line=1,endLine=1,col=22,title=ban-drop-column::"
        ) && printed.contains("1 finding in 1 migration\n"),
        "{printed}"
    );
    // What main gets meanwhile is not compared.
    project.git(&["add", "."]);
    project.git(&["commit", "-q", "-m", "b"]);
    let again = project.printed(
        &["lint", "--since", "main", "--format", "github"],
        &variables,
    );
    assert_eq!(again, printed);
    let unknown = project.printed(&["lint", "--since", "nowhere"], &variables);
    assert!(
        unknown.starts_with("error: git knows no commit nowhere"),
        "{unknown}"
    );
    let option = project.printed(&["lint", "--since=--help"], &variables);
    assert!(
        option.starts_with("error: --help is no commit") && option.ends_with("exit 2"),
        "{option}"
    );
}

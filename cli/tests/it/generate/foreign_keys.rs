//! The relations that foreign keys give.

use crate::Project;

/// Returns the relations of a table's file: name, kind and table.
fn relations(project: &Project, file: &str) -> Vec<String> {
    let text = project.read(&format!("src/db/{file}.rs"));
    let lines = text.lines().map(str::trim);
    let heads = lines.filter(|line| line.contains("::table, of ["));
    heads
        .map(|line| {
            let (name, rest) = line.split_once(": ").expect("a name");
            let (kind, path) = rest.split_once(' ').expect("a kind");
            let path = path.split_once("::table").expect("a table").0;
            let table = path.rsplit("::").next().expect("a table");
            format!("{name}: {kind} {table}")
        })
        .collect()
}

fn generated(up: &str) -> Project {
    let project = Project::new(&[("migrations/1_all/up.sql", up)]);
    project.run(&["generate"]);
    project
}

#[test]
fn each_foreign_key_is_a_relation_in_both_directions() {
    let project = generated(
        "CREATE TABLE users (id bigint PRIMARY KEY);
         CREATE TABLE profiles (id bigint PRIMARY KEY, user_id bigint NOT NULL UNIQUE REFERENCES users);
         CREATE TABLE issues (
             id bigint PRIMARY KEY, author bigint NOT NULL REFERENCES users, editor_id bigint REFERENCES users,
             parent_id bigint REFERENCES issues
         );
         CREATE TABLE assignees (
             issue_id bigint REFERENCES issues, user_id bigint REFERENCES users, PRIMARY KEY (issue_id, user_id)
         );
         CREATE TABLE follows (
             follower_id bigint REFERENCES users, followed_id bigint REFERENCES users, since date,
             PRIMARY KEY (follower_id, followed_id)
         );",
    );
    assert_eq!(
        relations(&project, "issues"),
        [
            "AUTHOR: One users",
            "EDITOR: Optional users",
            "PARENT: Optional issues",
            "ASSIGNEES: Many assignees",
            "ISSUES_BY_PARENT: Many issues",
            "USERS: Many users",
        ]
    );
    // What two keys would call the same has neither's name.
    assert_eq!(
        relations(&project, "users"),
        [
            "ASSIGNEES: Many assignees",
            "FOLLOWS_BY_FOLLOWER: Many follows",
            "FOLLOWS_BY_FOLLOWED: Many follows",
            "ISSUES_BY_AUTHOR: Many issues",
            "ISSUES_BY_EDITOR: Many issues",
            "PROFILE: Optional profiles",
            "ISSUES_THROUGH_ASSIGNEES: Many issues",
            "USERS_THROUGH_FOLLOWS_BY_FOLLOWER: Many users",
            "USERS_THROUGH_FOLLOWS_BY_FOLLOWED: Many users",
        ]
    );
    assert_eq!(relations(&project, "profiles"), ["USER: One users"]);
}

#[test]
fn keys_of_several_columns_and_policies_are_relations() {
    let project = generated(
        "CREATE TABLE tenants (id bigint PRIMARY KEY);
         CREATE TABLE docs (tenant_id bigint REFERENCES tenants, id bigint, PRIMARY KEY (tenant_id, id));
         CREATE TABLE lines (
             tenant_id bigint NOT NULL, doc_id bigint NOT NULL, number bigint,
             PRIMARY KEY (tenant_id, doc_id, number), FOREIGN KEY (tenant_id, doc_id) REFERENCES docs
         );
         CREATE TABLE notes (
             id bigint PRIMARY KEY, tenant_id bigint NOT NULL REFERENCES tenants,
             late_id bigint NOT NULL
         );
         ALTER TABLE notes ADD FOREIGN KEY (late_id) REFERENCES tenants NOT VALID;
         ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON tenants USING (id = 1);",
    );
    assert_eq!(
        relations(&project, "docs"),
        ["TENANT: Optional tenants", "LINES: Many lines"]
    );
    let lines = project.read("src/db/lines.rs");
    assert!(
        lines.contains(
            r#""docs AS {t}" where "{t}.tenant_id = {p}.tenant_id AND {t}.id = {p}.doc_id""#
        ),
        "{lines}"
    );
    assert_eq!(relations(&project, "lines"), ["DOC: One docs"]);
    // A policy can hide the row, and a key that was not checked need not find one.
    assert_eq!(
        relations(&project, "notes"),
        ["TENANT: Optional tenants", "LATE: Optional tenants"]
    );
    let notes = project.read("src/db/notes.rs");
    assert_eq!(
        notes.matches("{p}.tenant_id\", calls;").count(),
        1,
        "{notes}"
    );
}

#[test]
fn tables_of_one_name_in_two_schemas_are_two_relations() {
    let project = Project::new(&[
        (
            "migrations/1_all/up.sql",
            "CREATE SCHEMA audit;
             CREATE TABLE users (id bigint PRIMARY KEY);
             CREATE TABLE audit.users (id bigint PRIMARY KEY);
             CREATE TABLE visits (
                 id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users REFERENCES audit.users
             );
             CREATE TABLE audit.visits (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES public.users);
             CREATE TABLE pairs (
                 visit_id bigint REFERENCES visits, own_id bigint REFERENCES users,
                 PRIMARY KEY (visit_id, own_id)
             );
             CREATE TABLE audit.pairs (
                 visit_id bigint REFERENCES visits, own_id bigint REFERENCES audit.users,
                 PRIMARY KEY (visit_id, own_id)
             );",
        ),
        (
            "diesel.toml",
            "[print_schema.default]\nfile = \"src/schema.rs\"\n
             [print_schema.audit]\nfile = \"src/audit_schema.rs\"\nschema = \"audit\"\n",
        ),
    ]);
    let printed = project.printed(&["generate"], &[]);
    assert!(printed.ends_with("exit 0"), "{printed}");
    assert!(!printed.contains("not generated"), "{printed}");
    assert_eq!(
        relations(&project, "visits"),
        [
            "PUBLIC_USER_BY_USER: One users",
            "AUDIT_USER_BY_USER: One users",
            "AUDIT_PAIRS_BY_VISIT: Many pairs",
            "PUBLIC_PAIRS_BY_VISIT: Many pairs",
            "AUDIT_USERS_THROUGH_PAIRS_BY_VISIT: Many users",
            "PUBLIC_USERS_THROUGH_PAIRS_BY_VISIT: Many users",
        ]
    );
    assert_eq!(
        relations(&project, "users"),
        [
            "AUDIT_VISITS_BY_USER: Many visits",
            "PAIRS: Many pairs",
            "PUBLIC_VISITS_BY_USER: Many visits",
            "VISITS_THROUGH_PAIRS: Many visits",
        ]
    );
}

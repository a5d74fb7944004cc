//! The lists of a table, and their names.

use crate::Project;

/// Returns the lists in a file, with the functions about their rows.
fn lists(sql: &str, file: &str) -> Vec<String> {
    let begins = ["list_", "count_", "exists_", "delete_by"];
    let functions = super::functions(sql, file).into_iter();
    functions
        .filter(|name| begins.iter().any(|begin| name.starts_with(begin)))
        .collect()
}

#[test]
fn partial_indexes_over_the_same_columns_give_two_lists() {
    let table =
        "CREATE TABLE issues (id bigint PRIMARY KEY, state text NOT NULL, points int NOT NULL);
        CREATE INDEX issues_open_idx ON issues (points DESC) WHERE state = 'open';";
    assert_eq!(lists(table, "issues"), ["list_order_by_points"]);
    let second =
        format!("{table} CREATE INDEX idx_issues_new ON issues (points DESC) WHERE state = 'new';");
    assert_eq!(lists(&second, "issues"), ["list_open", "list_new"]);
    // An index of all rows has the short name.
    let whole = format!("{table} CREATE INDEX ON issues (points DESC);");
    assert_eq!(
        lists(&whole, "issues"),
        ["list_order_by_points", "list_open"]
    );
}

#[test]
fn the_key_with_a_predicate_has_the_name_of_its_index() {
    let sql =
        "CREATE TABLE issues (id bigint PRIMARY KEY, state text NOT NULL, kind bool NOT NULL);
        CREATE INDEX issues_open_idx ON issues (id) WHERE state = 'open';
        CREATE INDEX ON issues (kind) WHERE state = 'open';
        CREATE UNIQUE INDEX ON issues (kind) WHERE state = 'closed';";
    assert_eq!(
        lists(sql, "issues"),
        [
            "list_open",
            "list_kind",
            "exists_by_kind",
            "delete_by_kind",
            "count_kind",
            "exists_kind",
        ]
    );
}

#[test]
fn an_index_without_a_list_is_named_with_the_reason() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE notes (id int PRIMARY KEY, a text NOT NULL UNIQUE, b int, c int, p jsonb);
         COMMENT ON TABLE notes IS 'What was noted.';
         CREATE INDEX notes_hash_idx ON notes USING hash (a);
         CREATE INDEX notes_gin_idx ON notes USING gin (p);
         CREATE INDEX notes_lower_idx ON notes (lower(a));
         CREATE INDEX notes_c_idx ON notes (a COLLATE \"C\");
         CREATE INDEX notes_like_idx ON notes (a text_pattern_ops);
         CREATE INDEX notes_null_idx ON notes (b DESC, c DESC);
         CREATE INDEX notes_json_idx ON notes (p);
         CREATE INDEX notes_b_idx ON notes (b);
         CREATE INDEX notes_id_idx ON notes (id, a);
         CREATE TABLE logs (id int PRIMARY KEY);
         CREATE INDEX logs_brin_idx ON logs USING brin (id);",
    )]);
    project.run(&["generate"]);
    let doc = |file: &str| {
        let text = project.read(&format!("src/db/{file}.rs"));
        let docs = text.lines().filter(|line| line.contains("serve"));
        let of_row = docs.filter(|line| line.contains("no list"));
        of_row.collect::<Vec<_>>().join("\n")
    };
    let reasons = [
        "`notes_hash_idx` (hash has no order)",
        "`notes_gin_idx` (gin has no order)",
        "`notes_lower_idx` (has an expression)",
        "`notes_c_idx` (another collation than that of a)",
        "`notes_like_idx` (another operator class than that of a)",
        "`notes_null_idx` (more than one column of the order can be NULL)",
        "`notes_json_idx` (no position can have p)",
    ];
    assert_eq!(
        doc("notes"),
        format!("/// These indexes serve no list: {}.", reasons.join(", "))
    );
    assert_eq!(
        doc("logs"),
        "/// This index serves no list: `logs_brin_idx` (brin has no order)."
    );
}

#[test]
fn tables_of_tenants_are_listed_by_tenant() {
    let sql = "CREATE TABLE parcels (
            tenant_id int, id int, box int NOT NULL, weight int NOT NULL, state text NOT NULL, PRIMARY KEY (tenant_id, id)
        );
        CREATE INDEX ON parcels (tenant_id, id DESC);
        CREATE INDEX ON parcels (tenant_id, weight DESC);
        CREATE INDEX ON parcels (tenant_id, box, weight, id);
        CREATE INDEX parcels_new_idx ON parcels (tenant_id, id) WHERE state = 'new';
        CREATE INDEX ON parcels (box, id, tenant_id);";
    let lists = lists(sql, "parcels").into_iter();
    let lists: Vec<String> = lists.filter(|name| name.starts_with("list")).collect();
    assert_eq!(
        lists,
        [
            "list_by_tenant",
            "list_by_tenant_order_by_id",
            "list_by_tenant_order_by_weight",
            "list_by_tenant_and_box_order_by_weight",
            "list_order_by_box",
            "list_new",
        ]
    );
}

#[test]
fn a_tenant_is_not_compared_with_the_position() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE boxes (id int PRIMARY KEY);
         CREATE TABLE parcels (
             tenant_id int, id int, box_id int NOT NULL REFERENCES boxes, PRIMARY KEY (tenant_id, id)
         );
         CREATE INDEX parcels_box_idx ON parcels (tenant_id, box_id, id);",
    )]);
    project.run(&["generate"]);
    let text = project.read("src/db/parcels.rs");
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.replace("\\ ", "");
    for part in [
        "page: Page<(i32, i32)>",
        "WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        "WHERE tenant_id = $1 AND box_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
        "if let Some((_, id)) = page.key() {",
        "/// Served by the index `parcels_box_idx`. pub fn list_by_tenant_and_box(",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn an_index_of_rows_that_are_kept_serves_their_lists() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE people (id bigint PRIMARY KEY);
         CREATE TABLE issues (id bigint PRIMARY KEY, of_id bigint NOT NULL REFERENCES people, deleted_at timestamptz);
         CREATE INDEX issues_kept_idx ON issues (of_id, id) WHERE (deleted_at IS NULL);
         COMMENT ON COLUMN issues.deleted_at IS 'bowline: deleted_at';",
    )]);
    project.run(&["generate"]);
    let text = project.read("src/db/issues.rs");
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.replace("\\ ", "");
    for part in [
        "/// Served by the index `issues_kept_idx`. pub fn list_by_of(",
        "WHERE of_id = $1 AND deleted_at IS NULL ORDER BY id LIMIT $2",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let people = project.read("src/db/people.rs");
    assert!(people.contains("Served by the index `issues_kept_idx`."));
}

//! Keys and columns for which only part of the code is generated: periods, types of extensions.

use crate::Project;

#[test]
fn a_key_without_overlaps_has_no_finder_by_a_part() {
    let project = Project::new(&[(
        "migrations/1_rooms/up.sql",
        "CREATE EXTENSION btree_gist;
        CREATE TABLE rooms (id int, during tsrange, note text, PRIMARY KEY (id, during WITHOUT OVERLAPS));
        CREATE TABLE stays (id serial PRIMARY KEY, room_id int NOT NULL, during tsrange NOT NULL, UNIQUE (room_id, during WITHOUT OVERLAPS),
            FOREIGN KEY (room_id, PERIOD during) REFERENCES rooms);",
    )]);
    assert!(project.printed(&["generate"], &[]).ends_with("exit 0"));
    let schema = project.read("src/db/schema.rs");
    assert!(schema.contains("rooms (id, during) {"), "{schema}");
    assert!(!schema.contains("joinable!"), "{schema}");
    let functions = |file: &str| -> Vec<String> {
        file.lines()
            .filter_map(|line| {
                line.trim()
                    .strip_prefix("pub fn ")?
                    .split(['(', '<'])
                    .next()
            })
            .map(str::to_owned)
            .collect()
    };
    let rooms = functions(&project.read("src/db/rooms.rs"));
    let by_key = "find get find_many list insert insert_many update update_many delete delete_many count exists";
    assert_eq!(rooms.join(" "), by_key);
    let stays = project.read("src/db/stays.rs");
    let by_more = functions(&stays);
    let by_more: Vec<_> = by_more
        .iter()
        .filter(|name| name.contains("_by_"))
        .collect();
    assert!(by_more.is_empty(), "{by_more:?}");
    assert!(stays.contains("`UNIQUE (room_id, during WITHOUT OVERLAPS)`"));
    assert!(stays.contains("`FOREIGN KEY (room_id, PERIOD during) REFERENCES rooms`"));
}

#[test]
fn an_unknown_view_does_not_stop_generation() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE EXTENSION vector; CREATE EXTENSION postgis; CREATE EXTENSION timescaledb;
         CREATE TABLE t (id int PRIMARY KEY, e vector(3), at timestamptz);
         CREATE VIEW daily AS SELECT id, time_bucket('1 day', at) AS d FROM t;",
    )]);
    insta::assert_snapshot!(
        project.printed(&["generate", "--offline", "--schema-only", "--stdout"], &[]),
        @r#"
    // @generated automatically by Diesel CLI.

    pub mod sql_types {
        #[derive(diesel::sql_types::SqlType)]
        #[diesel(postgres_type(name = "vector"))]
        pub struct Vector;
    }

    diesel::table! {
        use diesel::sql_types::*;
        use super::sql_types::Vector;

        t (id) {
            id -> Int4,
            e -> Nullable<Vector>,
            at -> Nullable<Timestamptz>,
        }
    }
    note: not known in full: view daily (1_a/up.sql:3): the result of time_bucket(unknown, timestamp with time zone) is not known
    note: table spatial_ref_sys (1_a/up.sql:1): the extension postgis brings it, so it is left out; diesel print-schema shows it unless diesel.toml has it in except_tables
    exit 0
    "#
    );
    insta::assert_snapshot!(project.printed(&["schema", "daily", "--offline"], &[]), @"
    note: not known in full: view daily (1_a/up.sql:3): the result of time_bucket(unknown, timestamp with time zone) is not known
    error: the columns of daily are not known: view daily (1_a/up.sql:3): the result of time_bucket(unknown, timestamp with time zone) is not known
    hint: `bowline schema --database-url URL` reads a database
    exit 1
    ");
    let of_another = "CREATE TABLE copied (LIKE daily);";
    project.write("migrations/2_b/up.sql", of_another);
    let refused = project.printed(&["generate", "--offline", "--schema-only"], &[]);
    assert!(
        refused.contains("this needs the view daily (") && refused.ends_with("exit 1"),
        "{refused}"
    );
}

//! Code generated from hostile names compiles, and each name in it means its own column.
//!
//! Each text in a row holds the name of its column. The names in the row's JSON are those of SQL,
//! so they have to be equal.

use bowline::testing::LocalServer;
use bowline::{Page, Session};
use diesel::connection::SimpleConnection as _;
use serde_json::{Map, Value, json};

use super::hostile::{
    HostileTable, HostileTableValues, NewType, OptionRow, Self_, Self_Values, Type,
};

const MIGRATION: &str = include_str!("../../hostile/migrations/1_hostile/up.sql");

/// Inserts one row into each table; each text is the name of its column.
const NAMED: &str = "DO $do$
    DECLARE a record;
    BEGIN
        FOR a IN SELECT table_name::text AS name FROM information_schema.tables
            WHERE table_schema = 'public' AND table_name <> 'self' LOOP
            EXECUTE format('INSERT INTO %I DEFAULT VALUES', a.name);
        END LOOP;
        FOR a IN SELECT table_name::text AS name, column_name::text AS part FROM information_schema.columns
            WHERE table_schema = 'public' AND data_type = 'text' AND table_name <> 'self' LOOP
            EXECUTE format('UPDATE %I SET %I = %L', a.name, a.part, a.part);
        END LOOP;
    END $do$";

fn with_session(test: impl FnOnce(&mut Session)) {
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session.batch_execute(MIGRATION).expect("the tables");
    session.batch_execute(NAMED).expect("the rows");
    test(&mut session);
}

/// Asserts that each text equals its name, and returns the names.
fn names(row: impl serde::Serialize) -> Vec<String> {
    let Value::Object(mut fields) = serde_json::to_value(row).expect("a row is an object") else {
        panic!("a row is an object");
    };
    fields.remove("id").expect("an id");
    for (name, value) in &fields {
        assert_eq!(value, name);
    }
    fields.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn each_field_of_a_row_is_the_column_of_its_name() {
    with_session(|session| {
        let odd = session
            .run(HostileTable::list(Page::first(1)))
            .expect("rows");
        let options = session.run(OptionRow::list(Page::first(1))).expect("rows");
        let keywords = session.run(Type::list(Page::first(1))).expect("rows");
        let mut names = [names(&odd[0]), names(&options[0]), names(&keywords[0])].concat();
        names.sort();
        names.dedup();
        assert!(names.len() > 65, "{names:?}");
        assert!(
            names.contains(&"x\"); fn evil() {} //".to_owned())
                && names.contains(&"new\nline".to_owned())
        );
    });
}

#[test]
fn an_insert_by_a_hostile_name_reaches_its_column() {
    with_session(|session| {
        let odd = session
            .run(HostileTable::list(Page::first(1)))
            .expect("rows");
        let wanted: Map<String, Value> = names(&odd[0])
            .into_iter()
            .map(|name| (name.clone(), Value::String(name)))
            .collect();
        let new: HostileTableValues<'_> =
            serde_json::from_value(Value::Object(wanted)).expect("a new row");
        let inserted = session.run(HostileTable::insert(new)).expect("a row");
        names(&inserted);
    });
}

#[test]
fn each_hostile_label_of_an_enum_round_trips() {
    let labels = [
        "a\"c", "c\\d", "*/", "Self", "", "1", "größe", "a b", "a+b", "a-", "type", "r#type", "{}",
    ];
    with_session(|session| {
        let new: NewType = serde_json::from_value(json!({})).expect("a new row");
        let parent = session.run(Type::insert(new)).expect("a row");
        let parent = serde_json::to_value(&parent).expect("an object")["id"].clone();
        for label in labels {
            let new = json!({ "type": parent, "mood\"s": label, "crate": label });
            let new: Self_Values<'_> = serde_json::from_value(new).expect("a new row");
            let row = session.run(Self_::insert(new)).expect("a row");
            assert_eq!(
                serde_json::to_value(&row).expect("an object")["mood\"s"],
                label
            );
        }
    });
}

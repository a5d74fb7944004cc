//! Keys WITHOUT OVERLAPS and foreign keys with a PERIOD, which PostgreSQL has from version 18 on.

use bowline::Session;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

use super::histories::session_of_its_own;
use super::*;
use crate::alter::alter_script;
use crate::compare::compare;
use crate::json;
use crate::testing::introspect;

/// Every way to write these keys.
const KEYS: &str = "
    CREATE TABLE rooms (id int4range, open tsrange, note text, PRIMARY KEY (id, open WITHOUT OVERLAPS) INCLUDE (note));
    CREATE TABLE prices (open tsmultirange, id int4range, CONSTRAINT once UNIQUE NULLS NOT DISTINCT (id, open WITHOUT OVERLAPS) DEFERRABLE);
    CREATE TABLE taken (id int4range, open tsrange, EXCLUDE USING gist (id WITH =, open WITH &&));
    CREATE TABLE stays (id int4range, room_id int4range, open tsrange,
        FOREIGN KEY (room_id, PERIOD open) REFERENCES rooms,
        FOREIGN KEY (id, PERIOD open) REFERENCES taken (id, PERIOD open) ON DELETE NO ACTION);
    ALTER TABLE stays ADD UNIQUE (id, open WITHOUT OVERLAPS),
        ADD CONSTRAINT later FOREIGN KEY (room_id, PERIOD open) REFERENCES rooms (id, PERIOD open) NOT VALID;
    ALTER TABLE stays RENAME open TO during; ALTER TABLE rooms RENAME open TO during;
    CREATE TABLE copies (LIKE rooms INCLUDING INDEXES);
    CREATE TABLE parts (id int4range, during tsrange, PRIMARY KEY (id, during WITHOUT OVERLAPS),
        FOREIGN KEY (id, PERIOD during) REFERENCES rooms) PARTITION BY LIST (id);
    CREATE TABLE part PARTITION OF parts FOR VALUES IN ('[1,2)');
    CREATE TABLE more (LIKE stays INCLUDING ALL);
    CREATE TABLE halls (id int4range, during tsrange) PARTITION BY LIST (id); CREATE TABLE hall PARTITION OF halls DEFAULT;
    ALTER TABLE halls ADD UNIQUE (id, during WITHOUT OVERLAPS);
    CREATE EXTENSION btree_gist; CREATE DOMAIN shift AS tsrange;
    CREATE TABLE desks (at shift, id int, PRIMARY KEY (id, at WITHOUT OVERLAPS));
    CREATE TABLE gone (id int4range, during tsrange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
    CREATE TABLE leads (id int4range, during tsrange, FOREIGN KEY (id, PERIOD during) REFERENCES gone);
    ALTER TABLE gone DROP CONSTRAINT gone_pkey CASCADE;";

/// The same tables with ordinary keys.
const PLAIN: &str = "
    CREATE TABLE rooms (id int4range, during tsrange, note text, PRIMARY KEY (id, during) INCLUDE (note));
    CREATE TABLE stays (id int4range, room_id int4range, during tsrange,
        FOREIGN KEY (room_id, during) REFERENCES rooms, UNIQUE (id, during));";

fn followed(sql: &str) -> Catalog {
    let replayed = replay(&[migration(sql)]);
    let refusals = replayed.refusals.iter();
    let refusals: Vec<String> = refusals.map(ToString::to_string).collect();
    assert_eq!(refusals.join("\n"), "");
    replayed.catalog
}

#[test]
fn a_period_is_the_last_column_of_a_gist_key() {
    let catalog = followed(KEYS);
    let mut lines = Vec::new();
    for relation in catalog.relations.values() {
        let columns = relation.columns.iter();
        let not_null = columns.filter(|column| column.not_null);
        let not_null: Vec<&str> = not_null.map(|column| column.name.as_str()).collect();
        lines.push(format!("{}: {not_null:?}", relation.name.name));
        for constraint in &relation.constraints {
            let definition = constraint.sql(&relation.indexes);
            lines.push(format!("  {}: {definition}", constraint.name));
        }
        let indexes = relation.indexes.iter();
        lines.extend(indexes.map(|index| format!("  {}", index.sql(&relation.name))));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    copies: ["id", "during"]
      copies_pkey: PRIMARY KEY (id, during WITHOUT OVERLAPS) INCLUDE (note)
      CREATE UNIQUE INDEX copies_pkey ON copies USING gist (id, during) INCLUDE (note)
    desks: ["at", "id"]
      desks_pkey: PRIMARY KEY (id, at WITHOUT OVERLAPS)
      CREATE UNIQUE INDEX desks_pkey ON desks USING gist (id, at)
    gone: ["id", "during"]
    hall: []
      hall_id_during_excl: UNIQUE (id, during WITHOUT OVERLAPS)
      CREATE UNIQUE INDEX hall_id_during_excl ON hall USING gist (id, during)
    halls: []
      halls_id_during_key: UNIQUE (id, during WITHOUT OVERLAPS)
      CREATE UNIQUE INDEX halls_id_during_key ON halls USING gist (id, during)
    leads: []
    more: []
      more_id_open_excl: UNIQUE (id, during WITHOUT OVERLAPS)
      CREATE UNIQUE INDEX more_id_open_excl ON more USING gist (id, during)
    part: ["id", "during"]
      part_pkey: PRIMARY KEY (id, during WITHOUT OVERLAPS)
      parts_id_during_fkey: FOREIGN KEY (id, PERIOD during) REFERENCES rooms (id, PERIOD during)
      CREATE UNIQUE INDEX part_pkey ON part USING gist (id, during)
    parts: ["id", "during"]
      parts_pkey: PRIMARY KEY (id, during WITHOUT OVERLAPS)
      parts_id_during_fkey: FOREIGN KEY (id, PERIOD during) REFERENCES rooms (id, PERIOD during)
      CREATE UNIQUE INDEX parts_pkey ON parts USING gist (id, during)
    prices: []
      once: UNIQUE NULLS NOT DISTINCT (id, open WITHOUT OVERLAPS) DEFERRABLE
      CREATE UNIQUE INDEX once ON prices USING gist (id, open) NULLS NOT DISTINCT
    rooms: ["id", "during"]
      rooms_pkey: PRIMARY KEY (id, during WITHOUT OVERLAPS) INCLUDE (note)
      CREATE UNIQUE INDEX rooms_pkey ON rooms USING gist (id, during) INCLUDE (note)
    stays: []
      stays_room_id_open_fkey: FOREIGN KEY (room_id, PERIOD during) REFERENCES rooms (id, PERIOD during)
      stays_id_open_fkey: FOREIGN KEY (id, PERIOD during) REFERENCES taken (id, PERIOD open)
      stays_id_open_key: UNIQUE (id, during WITHOUT OVERLAPS)
      later: FOREIGN KEY (room_id, PERIOD during) REFERENCES rooms (id, PERIOD during) NOT VALID
      CREATE UNIQUE INDEX stays_id_open_key ON stays USING gist (id, during)
    taken: []
      taken_id_open_excl: EXCLUDE USING gist (id WITH =, open WITH &&)
      CREATE INDEX taken_id_open_excl ON taken USING gist (id, open)
    "#);
}

#[test]
fn the_json_marks_only_temporal_keys_as_such() {
    let catalog = followed(KEYS);
    let text = json::write(&catalog).expect("a JSON");
    let temporal = catalog
        .relations
        .values()
        .flat_map(|relation| &relation.constraints)
        .filter(|constraint| constraint.temporal);
    assert_eq!(text.matches("temporal").count(), temporal.count());
    assert_eq!(json::read(&text).expect("the same"), catalog);
}

#[test]
fn a_column_may_be_called_period() {
    let catalog = followed(
        "CREATE TABLE a (id int, period int, PRIMARY KEY (id, period));
         CREATE TABLE b (id int, period int, FOREIGN KEY (period, id) REFERENCES a (period, id),
            FOREIGN KEY (id, period) REFERENCES a (id, period), FOREIGN KEY (id, period) REFERENCES a);",
    );
    let mut constraints = catalog
        .relations
        .values()
        .flat_map(|relation| &relation.constraints);
    assert!(constraints.all(|constraint| !constraint.temporal));
}

#[test]
fn periods_that_postgresql_refuses_are_refused() {
    const TABLES: &str = "
        CREATE TABLE a (id int4range, v tsrange, w tsrange, PRIMARY KEY (id, v WITHOUT OVERLAPS));
        CREATE TABLE b (id int4range, v tsrange, PRIMARY KEY (id, v));
        CREATE TABLE c (id int4range, v tsrange);";
    let refused = [
        "CREATE TABLE d (v tsrange, PRIMARY KEY (v WITHOUT OVERLAPS))",
        "ALTER TABLE c ADD FOREIGN KEY (id, v) REFERENCES a",
        "ALTER TABLE c ADD FOREIGN KEY (id, PERIOD v) REFERENCES b",
        "ALTER TABLE c ADD FOREIGN KEY (id, PERIOD v) REFERENCES a (id, v)",
        "ALTER TABLE c ADD FOREIGN KEY (id, PERIOD v) REFERENCES a (v, PERIOD id)",
        "ALTER TABLE c ADD FOREIGN KEY (id, v) REFERENCES a (id, PERIOD v)",
        "ALTER TABLE c ADD FOREIGN KEY (id, PERIOD v) REFERENCES a ON DELETE CASCADE",
        "ALTER TABLE c ADD FOREIGN KEY (id, PERIOD v) REFERENCES a ON UPDATE RESTRICT",
    ];
    let (_server, mut session) = session_of_its_own("temporal_refused");
    let has_temporal_keys = version(&mut session) >= 18;
    if has_temporal_keys {
        session.batch_execute(TABLES).expect("the tables");
    } else {
        eprintln!("the server is older than 18, so only replay is asked");
    }
    for statement in refused {
        let replayed = replay(&[migration(&format!("{TABLES} {statement};"))]);
        assert_eq!(replayed.refusals.len(), 1, "{statement}");
        if has_temporal_keys {
            let answer = session.batch_execute(statement);
            assert!(answer.is_err(), "{statement}");
        }
    }
}

#[test]
fn a_second_exclusion_from_the_parent_is_refused() {
    let key = "(id int4range, v tsrange, UNIQUE (id, v WITHOUT OVERLAPS))";
    let exclusion = "(id int4range, v tsrange, EXCLUDE USING gist (id WITH =, v WITH &&))";
    let attached = |parent: &str, partition: &str| {
        let sql = format!(
            "CREATE TABLE p {parent} PARTITION BY LIST (id); CREATE TABLE q {partition};
             ALTER TABLE p ATTACH PARTITION q DEFAULT;"
        );
        replay(&[migration(&sql)]).refusals.len()
    };
    assert_eq!(attached(key, key), 1);
    assert_eq!(attached(key, exclusion), 1);
    assert_eq!(attached(exclusion, exclusion), 1);
    assert_eq!(attached(key, "(id int4range, v tsrange)"), 0);
    let sql = "CREATE TABLE p (id int4range, v tsrange) PARTITION BY LIST (id); CREATE TABLE q PARTITION OF p DEFAULT;
        ALTER TABLE q ADD UNIQUE (id, v WITHOUT OVERLAPS); ALTER TABLE p ADD UNIQUE (id, v WITHOUT OVERLAPS);";
    assert_eq!(replay(&[migration(sql)]).refusals.len(), 1);
}

#[test]
fn temporal_keys_equal_those_of_a_server_from_18_on() {
    let (_server, mut session) = session_of_its_own("temporal");
    if version(&mut session) < 18 {
        let refusal = session.batch_execute(KEYS).expect_err("no such syntax");
        assert!(refusal.to_string().contains("syntax error"), "{refusal}");
        return;
    }
    session
        .batch_execute(KEYS)
        .expect("PostgreSQL takes the statements");
    let there = introspect(&mut session).expect("the server's catalog");
    assert_same(&followed(KEYS), &there);
}

#[test]
fn a_script_adds_temporal_keys_and_removes_them() {
    let (_server, mut session) = session_of_its_own("temporal_altered");
    let temporal = followed(&KEYS.split_inclusive(';').take(7).collect::<String>());
    let plain = followed(PLAIN);
    let to_temporal = alter_script(&temporal, &plain, &compare(&temporal, &plain));
    let to_plain = alter_script(&plain, &temporal, &compare(&plain, &temporal));
    insta::assert_snapshot!(to_temporal, @r"
    ALTER TABLE stays DROP CONSTRAINT stays_room_id_during_fkey;
    ALTER TABLE rooms DROP CONSTRAINT rooms_pkey;
    ALTER TABLE stays DROP CONSTRAINT stays_id_during_key;
    CREATE TABLE prices (open tsmultirange, id int4range);
    CREATE TABLE taken (id int4range, open tsrange);
    ALTER TABLE prices ADD CONSTRAINT once UNIQUE NULLS NOT DISTINCT (id, open WITHOUT OVERLAPS) DEFERRABLE;
    ALTER TABLE rooms ADD CONSTRAINT rooms_pkey PRIMARY KEY (id, during WITHOUT OVERLAPS) INCLUDE (note);
    ALTER TABLE stays ADD CONSTRAINT stays_id_open_key UNIQUE (id, during WITHOUT OVERLAPS);
    ALTER TABLE taken ADD CONSTRAINT taken_id_open_excl EXCLUDE USING gist (id WITH =, open WITH &&);
    ALTER TABLE stays ADD CONSTRAINT later FOREIGN KEY (room_id, PERIOD during) REFERENCES rooms (id, PERIOD during) NOT VALID;
    ALTER TABLE stays ADD CONSTRAINT stays_id_open_fkey FOREIGN KEY (id, PERIOD during) REFERENCES taken (id, PERIOD open);
    ALTER TABLE stays ADD CONSTRAINT stays_room_id_open_fkey FOREIGN KEY (room_id, PERIOD during) REFERENCES rooms (id, PERIOD during);
    ");
    if version(&mut session) < 18 {
        let refusal = session.batch_execute(&format!("{PLAIN} {to_temporal}"));
        let refusal = refusal.expect_err("no such syntax");
        assert!(refusal.to_string().contains("syntax error"), "{refusal}");
        return;
    }
    session.batch_execute(PLAIN).expect("the plain keys");
    for (script, wanted) in [(&to_temporal, &temporal), (&to_plain, &plain)] {
        session.batch_execute(script).expect(script);
        let there = introspect(&mut session).expect("the server's catalog");
        assert_same(wanted, &there);
    }
}

fn assert_same(wanted: &Catalog, there: &Catalog) {
    let differences = compare(wanted, there);
    let words = differences.iter();
    let words: Vec<String> = words
        .map(|difference| difference.sentence("replay", "the server"))
        .collect();
    assert_eq!(words.join("\n"), "");
}

/// Returns the major version of the server.
fn version(session: &mut Session) -> i32 {
    diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>(
        "current_setting('server_version_num')::int / 10000",
    ))
    .get_result(session)
    .expect("a version")
}

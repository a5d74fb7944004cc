//! Diagrams of schemas with ordinary and odd names.

use super::*;
use crate::migrations::SqlFile;
use bowline_catalog::replay::{Replayed, replay};

fn drawn(sql: &str, check: impl FnOnce(&Diagram<'_>)) {
    let up = SqlFile {
        path: "up.sql".into(),
        text: sql.to_owned(),
    };
    let Replayed { catalog, refusals } = replay([&up]);
    assert_eq!(refusals, [], "all of it is followed");
    check(&Diagram::new(&catalog));
}

#[test]
fn mermaid_gets_names_that_it_accepts() {
    drawn(
        "CREATE SCHEMA other;
         CREATE TABLE people (id serial PRIMARY KEY, email varchar(254) NOT NULL UNIQUE, height numeric(5, 2));
         CREATE TABLE \"odd \"\"table\"\"\" (\"1st column\" int PRIMARY KEY REFERENCES people, \"größe\" text);
         CREATE TABLE other.notes (person_id int NOT NULL REFERENCES people, boss_id int REFERENCES people);
         COMMENT ON COLUMN people.email IS 'they say \"mail\"
            here';",
        |diagram| insta::assert_snapshot!(mermaid(diagram), @r#"
        erDiagram
            t0["other.notes"] {
                int4 person_id FK
                int4 boss_id FK
            }
            t1["'odd ''table'''"] {
                int4 _1st_column PK, FK
                text gr__e
            }
            people {
                int4 id PK
                varchar(254) email UK "they say 'mail'             here"
                numeric(5__2) height
            }
            people ||--o{ t0 : "person_id"
            people |o--o{ t0 : "boss_id"
            people ||--o| t1 : "1st column"
        "#),
    );
}

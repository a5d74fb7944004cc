//! Pictures of schemas, well-meant and hostile.

use super::layout::{WIDTH, height, layout};
use super::*;
use crate::migrations::SqlFile;
use bowline_catalog::replay::{Replayed, replay};

fn drawn(sql: &str, look: impl FnOnce(&Diagram<'_>)) {
    let up = SqlFile {
        path: "up.sql".into(),
        text: sql.to_owned(),
    };
    let Replayed { catalog, refusals } = replay([&up]);
    assert_eq!(refusals, [], "all of it is followed");
    let changed_by = BTreeMap::new();
    look(&Diagram::new(&catalog, &changed_by));
}

#[test]
fn no_two_cards_overlap_and_all_are_within_the_picture() {
    // Cycles, a table that refers to itself, a hub with many children, and tables on their own.
    let mut sql = "CREATE TABLE hub (id int PRIMARY KEY, up int REFERENCES hub);
        CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
        ALTER TABLE a ADD COLUMN b int REFERENCES b;"
        .to_owned();
    for number in 0..60 {
        sql.push_str(&format!(
            "CREATE TABLE child{number} (id int PRIMARY KEY, hub int REFERENCES hub); CREATE TABLE alone{number} (x int);"
        ));
    }
    drawn(&sql, |diagram| {
        let heights: Vec<u32> = (0..diagram.entities.len())
            .map(|place| height(place % 7))
            .collect();
        let layout = layout(diagram, &heights);
        for (place, card) in layout.cards.iter().enumerate() {
            assert!(card.x + WIDTH <= layout.width && card.y + card.height <= layout.height);
            for other in &layout.cards[place + 1..] {
                let beside = card.x + WIDTH <= other.x || other.x + WIDTH <= card.x;
                let below = card.y + card.height <= other.y || other.y + other.height <= card.y;
                assert!(beside || below, "{card:?} {other:?}");
            }
        }
        let ratio = f64::from(layout.width) / f64::from(layout.height);
        assert!((0.4..4.0).contains(&ratio), "{ratio}");
    });
}

#[test]
fn whatever_names_and_comments_hold_is_text_in_the_page() {
    drawn(
        "CREATE TYPE \"<e>\" AS ENUM ('</section>');
         CREATE TABLE \"<script>alert(1)</script>\" (\"\"\"onload=\"\"x\" int PRIMARY KEY, kind \"<e>\" DEFAULT '</section>');
         COMMENT ON TABLE \"<script>alert(1)</script>\" IS '\"><img src=x onerror=alert(1)>';
         CREATE TABLE b (\"a&b\" int REFERENCES \"<script>alert(1)</script>\");
         CREATE INDEX \"<i>\" ON b ((\"a&b\" + 1)) WHERE \"a&b\" <> 3;",
        |diagram| {
            let page = html(diagram, "</title><b>");
            for hostile in ["<script>alert", "<img", "</title><b>", "<e>", "'</section>'", "\"onload"] {
                assert!(!page.contains(hostile), "{hostile}");
            }
            assert_eq!(page.matches("<script>").count(), 1);
            assert_eq!(page.matches("<section ").count(), page.matches("</section>").count());
            assert!(!page.contains(" src=\"") && !page.contains("url(http"), "it needs nothing from elsewhere");
        },
    );
}

#[test]
fn mermaid_gets_names_that_it_takes() {
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

//! Differences, in words, and histories without any.

use std::path::Path;

use bowline::Session;
use bowline::testing::LocalServer;
use diesel::connection::SimpleConnection as _;

use super::*;
use crate::catalog::introspect::introspect;
use crate::catalog::introspect::tests::after as introspected;
use crate::catalog::replay::replay;
use crate::migrations::{Migration, SqlFile, read_folder};

/// What replay makes of these statements.
pub(crate) fn replayed(sql: &str) -> Catalog {
    let up = SqlFile {
        path: "up.sql".into(),
        text: sql.to_owned(),
    };
    let replayed = replay(&[Migration {
        version: "1".to_owned(),
        name: "1_a".to_owned(),
        path: "1_a".into(),
        up,
        down: None,
        run_in_transaction: true,
    }]);
    assert_eq!(replayed.refusals, [], "all of it is followed");
    replayed.catalog
}

fn words(left: &Catalog, right: &Catalog) -> String {
    let found = compare(left, right);
    let words: Vec<String> = found
        .iter()
        .map(|difference| difference.words("the migrations", "the database"))
        .collect();
    words.join("\n")
}

#[test]
fn the_banks_migrations_differ_in_nothing_from_what_a_server_makes_of_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.parent().expect("the workspace").join("migrations");
    let migrations = read_folder(&folder).expect("the bank's migrations");
    let replayed = replay(&migrations);
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    for migration in &migrations {
        session
            .batch_execute(&migration.up.text)
            .expect("PostgreSQL takes the migration");
    }
    let there = introspect(&mut session).expect("a catalog");
    assert_eq!(words(&replayed.catalog, &there), "");
}

const BEFORE: &str = "
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE DOMAIN small AS int CHECK (VALUE < 10);
    CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL DEFAULT 'x', mood mood, age small, UNIQUE (name));
    CREATE TABLE posts (id serial PRIMARY KEY, author_id int REFERENCES authors, title varchar(20) CHECK (title <> ''), at timestamptz DEFAULT now());
    CREATE INDEX posts_at ON posts (at);
    CREATE TABLE gone (id int);
    COMMENT ON TABLE posts IS 'what is read';
";

const AFTER: &str = "
    CREATE TYPE mood AS ENUM ('good', 'so-so', 'bad');
    CREATE DOMAIN small AS bigint CHECK (VALUE < 11);
    CREATE TABLE authors (id int PRIMARY KEY, mood mood, name text, age small);
    CREATE TABLE posts (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, author_id int REFERENCES authors ON DELETE CASCADE,
        title text CHECK (title <> '-'), at timestamptz DEFAULT CURRENT_TIMESTAMP, body text);
    CREATE INDEX posts_at ON posts (at DESC) WHERE at IS NOT NULL;
    CREATE TABLE \"New\" (id int);
    COMMENT ON TABLE posts IS 'what is written';
";

#[test]
fn each_difference_is_a_sentence() {
    insta::assert_snapshot!(words(&replayed(BEFORE), &introspected(AFTER)), @r#"
    type mood: the list of its labels is 'good', 'bad' in the migrations, 'good', 'so-so', 'bad' in the database
    type small: its base type is int4 in the migrations, int8 in the database
    check small_check of the domain small: it is CHECK (VALUE < 10) in the migrations, CHECK (VALUE < 11) in the database
    column authors.name: its nullability is NOT NULL in the migrations, NULL in the database
    column authors.name: its default is 'x' in the migrations, none in the database
    relation authors: the order of its columns is id, name, mood, age in the migrations, id, mood, name, age in the database
    constraint authors_name_key of authors is in the migrations, but not in the database
    index authors_name_key of authors is in the migrations, but not in the database
    relation gone is in the migrations, but not in the database
    relation posts: its comment is 'what is read' in the migrations, 'what is written' in the database
    column posts.at: its default is now() in the migrations, CURRENT_TIMESTAMP in the database
    column posts.id: its default is the next value of its own sequence posts_id_seq in the migrations, GENERATED ALWAYS AS IDENTITY in the database
    column posts.title: its type is varchar(20) in the migrations, text in the database
    column posts.body is in the database, but not in the migrations
    constraint posts_author_id_fkey of posts: it is FOREIGN KEY (author_id) REFERENCES authors (id) in the migrations, FOREIGN KEY (author_id) REFERENCES authors (id) ON DELETE CASCADE in the database
    constraint posts_title_check of posts: it is CHECK (title <> '') in the migrations, CHECK (title <> '-'::text) in the database
    index posts_at of posts: it is CREATE INDEX posts_at ON posts USING btree (at) in the migrations, CREATE INDEX posts_at ON posts USING btree (at DESC) WHERE at IS NOT NULL in the database
    relation "New" is in the database, but not in the migrations
    "#);
}

#[test]
fn one_history_differs_in_nothing_replayed_and_on_a_server() {
    for statements in [BEFORE, AFTER] {
        assert_eq!(words(&replayed(statements), &introspected(statements)), "");
    }
}

#[test]
fn what_is_written_in_two_ways_is_no_difference() {
    let one =
        "CREATE TABLE a (n numeric(10), s text DEFAULT NULL, m int[][], CHECK (n IN (1, 2)));";
    let other =
        "CREATE TABLE a (n decimal(10, 0), s text, m int[], CHECK ((n = 1 OR false) OR n = 2));";
    insta::assert_snapshot!(words(&introspected(one), &introspected(other)), @r"constraint a_n_check of a: it is CHECK (n = ANY (ARRAY[(1)::numeric, (2)::numeric])) in the migrations, CHECK ((n = (1)::numeric) OR false OR (n = (2)::numeric)) in the database");
    assert_eq!(words(&replayed(one), &introspected(one)), "");
}

#[test]
fn what_is_not_known_is_no_difference() {
    let replayed = replayed(
        "CREATE TABLE t (id int); CREATE VIEW v AS SELECT unheard_of(id) AS x FROM t;
         DO $$ BEGIN EXECUTE format('CREATE SEQUENCE s START %s', random()); END $$;
         -- bowline: ignore
         CREATE INDEX i ON t (id);",
    );
    let there = introspected(
        "CREATE TABLE t (id int); CREATE VIEW v AS SELECT abs(id) AS x FROM t; CREATE SEQUENCE s START 7;
         CREATE INDEX i ON t (id); CREATE VIEW w AS SELECT 1 AS one;",
    );
    assert_eq!(
        words(&replayed, &there),
        "relation w is in the database, but not in the migrations"
    );
}

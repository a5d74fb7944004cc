//! `bowline schema`.

use bowline::testing::LocalServer;

use crate::Project;
use crate::sql::psql;

fn project() -> Project {
    Project::new(&[
        (
            "migrations/1_people/up.sql",
            "CREATE TABLE people (id int PRIMARY KEY); CREATE TABLE gone (id int);",
        ),
        (
            "migrations/2_notes/up.sql",
            "CREATE TABLE notes (person_id int REFERENCES people); DROP TABLE gone;",
        ),
        (
            "migrations/3_more/up.sql",
            "COMMENT ON TABLE people IS 'who'; INSERT INTO notes VALUES (NULL);",
        ),
    ])
}

#[test]
fn a_diagram_shows_an_earlier_version() {
    insta::assert_snapshot!(project().printed(&["schema", "--from", "migrations@1", "--mermaid"], &[]), @r"
    erDiagram
        gone {
            int4 id
        }
        people {
            int4 id PK
        }
    exit 0
    ");
}

#[test]
fn the_tables_are_listed() {
    insta::assert_snapshot!(project().printed(&["schema"], &[]), @r"
        List of relations
     Schema |  Name  | Type  
    --------+--------+-------
     public | notes  | table
     public | people | table
    (2 rows)

    exit 0
    ");
    insta::assert_snapshot!(project().printed(&["schema", "--json"], &[]), @r#"
    [
      {
        "schema": "public",
        "name": "notes",
        "type": "table",
        "comment": null
      },
      {
        "schema": "public",
        "name": "people",
        "type": "table",
        "comment": "who"
      }
    ]
    exit 0
    "#);
}

/// A schema with one of each kind of object that psql describes.
const RICH: &str = "
CREATE SCHEMA audit;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE accounts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username varchar(30) NOT NULL UNIQUE,
    mood mood NOT NULL,
    price numeric(12, 2) NOT NULL,
    balance integer NOT NULL CHECK (balance >= 0),
    nick text,
    at timestamptz NOT NULL,
    tags text[],
    code char(3),
    parent bigint REFERENCES accounts ON DELETE SET NULL
);
CREATE TABLE audit.events (
    id serial PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    seen time(3) with time zone,
    name text COLLATE \"C\",
    UNIQUE (account_id, seen) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX events_name_idx ON audit.events (name DESC) INCLUDE (seen) WHERE seen IS NOT NULL;
CREATE UNIQUE INDEX accounts_lower_idx ON accounts (lower(nick));
CREATE INDEX accounts_sum_idx ON accounts ((balance + 1));
CREATE TABLE readings (at date NOT NULL, value float8) PARTITION BY RANGE (at);
CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE parent_table (id int);
CREATE TABLE child_table (name text) INHERITS (parent_table);
CREATE VIEW rich AS SELECT id, username FROM accounts WHERE balance > 1000;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM accounts;
";

const TABLES: [&str; 8] = [
    "accounts",
    "audit.events",
    "readings",
    "readings_2026",
    "parent_table",
    "child_table",
    "rich",
    "counted",
];

#[test]
fn a_table_is_described_as_psql_describes_it() {
    let project = Project::new(&[("migrations/1_rich/up.sql", RICH)]);
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    assert!(
        project
            .printed(&["migrate", "run"], &variables)
            .ends_with("exit 0")
    );
    for table in TABLES {
        // psql prints only their number.
        let psql = psql(&url, &format!("\\d {table}"))
            .replace(
                "Number of partitions: 1 (Use \\d+ to list them.)",
                "Partitions: readings_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
            )
            .replace(
                "Number of child tables: 1 (Use \\d+ to list them.)",
                "Child tables: child_table",
            );
        let of_database = project.printed(&["schema", table, "--database-url", &url], &[]);
        assert_eq!(of_database, format!("{psql}exit 0"), "{table}");
        let of_migrations = project.printed(&["schema", table, "--offline"], &[]);
        assert_eq!(of_migrations, of_database, "{table}");
    }
}

#[test]
fn a_temporal_key_is_described_as_by_psql_18() {
    let project = Project::new(&[(
        "migrations/1_rooms/up.sql",
        "CREATE TABLE rooms (id int4range, during tsrange, PRIMARY KEY (id, during WITHOUT OVERLAPS) DEFERRABLE);
        CREATE TABLE taken (id int4range, during tsrange, UNIQUE (id, during WITHOUT OVERLAPS),
            FOREIGN KEY (id, PERIOD during) REFERENCES taken (id, PERIOD during));",
    )]);
    insta::assert_snapshot!(project.printed(&["schema", "rooms"], &[]), @r#"
                    Table "public.rooms"
     Column |   Type    | Collation | Nullable | Default 
    --------+-----------+-----------+----------+---------
     id     | int4range |           | not null | 
     during | tsrange   |           | not null | 
    Indexes:
        "rooms_pkey" PRIMARY KEY (id, during WITHOUT OVERLAPS) DEFERRABLE
    
    exit 0
    "#);
    insta::assert_snapshot!(project.printed(&["schema", "taken"], &[]), @r#"
                    Table "public.taken"
     Column |   Type    | Collation | Nullable | Default 
    --------+-----------+-----------+----------+---------
     id     | int4range |           |          | 
     during | tsrange   |           |          | 
    Indexes:
        "taken_id_during_key" UNIQUE (id, during WITHOUT OVERLAPS)
    Foreign-key constraints:
        "taken_id_during_fkey" FOREIGN KEY (id, PERIOD during) REFERENCES taken(id, PERIOD during)
    Referenced by:
        TABLE "taken" CONSTRAINT "taken_id_during_fkey" FOREIGN KEY (id, PERIOD during) REFERENCES taken(id, PERIOD during)
    
    exit 0
    "#);
}

#[test]
fn a_misspelled_table_gets_a_suggestion() {
    let project = Project::new(&[("migrations/1_rich/up.sql", RICH)]);
    insta::assert_snapshot!(project.printed(&["schema", "acounts"], &[]), @r"
    error: there is no table acounts in the migrations
    hint: did you mean accounts?
    exit 1
    ");
    insta::assert_snapshot!(project.printed(&["schema", "xyz"], &[]), @r"
    error: there is no table xyz in the migrations
    hint: `bowline schema` lists them
    exit 1
    ");
    insta::assert_snapshot!(project.printed(&["schema", "accounts_id_seq"], &[]), @r"
    error: accounts_id_seq is a sequence; only tables and views can be described
    hint: `bowline catalog` prints it
    exit 1
    ");
    assert!(
        project
            .printed(&["schema", "events"], &[])
            .contains("Table \"audit.events\""),
        "the only one of its name"
    );
    insta::assert_snapshot!(project.printed(&["schema", "accounts", "--mermaid"], &[]), @r"
    error: the argument '[TABLE]' cannot be used with '--mermaid'

    Usage: bowline schema <TABLE>

    For more information, try '--help'.
    exit 2
    ");
    assert!(
        project
            .printed(&["schema", "accounts", "--json"], &[])
            .contains("\"username\"")
    );
}

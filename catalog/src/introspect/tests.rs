//! Introspection, on a real server.

use super::name;
use crate::testing::after;
use crate::{Catalog, ConstraintKind, Relation, RelationKind};

fn table<'a>(catalog: &'a Catalog, relation: &str) -> &'a Relation {
    &catalog.relations[&name("public", relation)]
}

#[test]
fn columns_have_types_defaults_and_comments() {
    let catalog = after(
        "CREATE TYPE mood AS ENUM ('good', 'bad');
         CREATE TABLE a (
            id serial PRIMARY KEY, big bigint GENERATED ALWAYS AS IDENTITY, price numeric(10, 2) DEFAULT 0.5,
            at timestamp(3) with time zone NOT NULL DEFAULT now(), moods mood[][], code char(5) COLLATE \"C\",
            double_price numeric GENERATED ALWAYS AS (price * 2) STORED, label varchar(30)
         );
         COMMENT ON COLUMN a.label IS 'on the door'; COMMENT ON TABLE a IS 'rooms';
         ALTER TABLE a DROP COLUMN big; ALTER TABLE a ADD COLUMN other int DEFAULT nextval('a_id_seq');",
    );
    let a = table(&catalog, "a");
    assert_eq!(a.comment.as_deref(), Some("rooms"));
    let columns: Vec<String> = a
        .columns
        .iter()
        .map(|column| {
            format!(
                "{} {}{:?}{} {} {:?} {:?} {:?}",
                column.name,
                column.data_type.name.name,
                column.data_type.modifiers,
                "[]".repeat(column.data_type.dimensions.into()),
                column.not_null,
                column.fill,
                column.collation,
                column.comment
            )
        })
        .collect();
    insta::assert_snapshot!(columns.join("\n"), @r#"
    id int4[] true Serial { sequence: Name { schema: "public", name: "a_id_seq" } } None None
    price numeric[10, 2] false Default("0.5") None None
    at timestamptz[3] true Default("now()") None None
    moods mood[][][] false Nothing None None
    code bpchar[5] false Nothing Some(Name { schema: "pg_catalog", name: "C" }) None
    double_price numeric[] false Generated { expression: "(price * (2)::numeric)", stored: true } None None
    label varchar[30] false Nothing None Some("on the door")
    other int4[] false Default("nextval('a_id_seq'::regclass)") None None
    "#);
    let sequence = &catalog.sequences[&name("public", "a_id_seq")];
    assert_eq!(
        sequence.owner,
        Some((name("public", "a"), "id".to_owned())),
        "and none for the dropped identity"
    );
    assert_eq!(catalog.sequences.len(), 1);
}

#[test]
fn constraints_and_indexes_are_complete() {
    let catalog = after(
        "CREATE EXTENSION btree_gist;
         CREATE TABLE a (x int, y int, name text, PRIMARY KEY (x, y), CONSTRAINT positive CHECK (x > 0 AND (y < 5)) NO INHERIT,
            UNIQUE NULLS NOT DISTINCT (name) INCLUDE (y) DEFERRABLE INITIALLY DEFERRED,
            CONSTRAINT nowhere EXCLUDE USING gist (x WITH =, y WITH <>) WHERE (x > 3));
         CREATE TABLE b (x int, y int, z int, FOREIGN KEY (x, y) REFERENCES a MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL);
         ALTER TABLE b ADD CONSTRAINT later CHECK (z IS NOT NULL) NOT VALID;
         CREATE INDEX ON a (lower(name) DESC NULLS LAST, name COLLATE \"C\" text_pattern_ops, (x + y)) INCLUDE (y) WHERE y IS NOT NULL;
         CREATE INDEX hashed ON b USING hash (z); COMMENT ON INDEX hashed IS 'quick'; COMMENT ON CONSTRAINT positive ON a IS 'why';",
    );
    let listed: Vec<String> = [table(&catalog, "a"), table(&catalog, "b")]
        .into_iter()
        .flat_map(|relation| {
            let constraints = relation
                .constraints
                .iter()
                .map(|found| format!("{found:?}"));
            let indexes = relation.indexes.iter().map(|found| format!("{found:?}"));
            constraints.chain(indexes).collect::<Vec<_>>()
        })
        .collect();
    insta::assert_snapshot!(listed.join("\n"), @r#"
    Constraint { name: "positive", kind: Check { expression: "(x > 0) AND (y < 5)", columns: ["x", "y"], no_inherit: true }, deferrable: false, initially_deferred: false, validated: true, enforced: true, temporal: false, comment: Some("why") }
    Constraint { name: "a_pkey", kind: PrimaryKey { columns: ["x", "y"] }, deferrable: false, initially_deferred: false, validated: true, enforced: true, temporal: false, comment: None }
    Constraint { name: "a_name_y_key", kind: Unique { columns: ["name"], nulls_not_distinct: true }, deferrable: true, initially_deferred: true, validated: true, enforced: true, temporal: false, comment: None }
    Constraint { name: "nowhere", kind: Exclude { operators: ["=", "<>"] }, deferrable: false, initially_deferred: false, validated: true, enforced: true, temporal: false, comment: None }
    Index { name: "a_pkey", unique: true, nulls_not_distinct: false, method: "btree", keys: [Column { name: "x", order: KeyOrder { descending: false, nulls_first: false, collation: None, operator_class: None } }, Column { name: "y", order: KeyOrder { descending: false, nulls_first: false, collation: None, operator_class: None } }], included: [], predicate: None, invalid: false, comment: None }
    Index { name: "a_name_y_key", unique: true, nulls_not_distinct: true, method: "btree", keys: [Column { name: "name", order: KeyOrder { descending: false, nulls_first: false, collation: None, operator_class: None } }], included: ["y"], predicate: None, invalid: false, comment: None }
    Index { name: "nowhere", unique: false, nulls_not_distinct: false, method: "gist", keys: [Column { name: "x", order: KeyOrder { descending: false, nulls_first: false, collation: None, operator_class: None } }, Column { name: "y", order: KeyOrder { descending: false, nulls_first: false, collation: None, operator_class: None } }], included: [], predicate: Some("x > 3"), invalid: false, comment: None }
    Index { name: "a_lower_name_expr_y_idx", unique: false, nulls_not_distinct: false, method: "btree", keys: [Expression { text: "lower(name)", order: KeyOrder { descending: true, nulls_first: false, collation: None, operator_class: None } }, Column { name: "name", order: KeyOrder { descending: false, nulls_first: false, collation: Some(Name { schema: "pg_catalog", name: "C" }), operator_class: Some(Name { schema: "pg_catalog", name: "text_pattern_ops" }) } }, Expression { text: "x + y", order: KeyOrder { descending: false, nulls_first: false, collation: None, operator_class: None } }], included: ["y"], predicate: Some("y IS NOT NULL"), invalid: false, comment: None }
    Constraint { name: "b_x_y_fkey", kind: ForeignKey { columns: ["x", "y"], references: Name { schema: "public", name: "a" }, referenced_columns: ["x", "y"], on_delete: SetNull([]), on_update: Cascade, match_full: true }, deferrable: false, initially_deferred: false, validated: true, enforced: true, temporal: false, comment: None }
    Constraint { name: "later", kind: Check { expression: "z IS NOT NULL", columns: ["z"], no_inherit: false }, deferrable: false, initially_deferred: false, validated: false, enforced: true, temporal: false, comment: None }
    Index { name: "hashed", unique: false, nulls_not_distinct: false, method: "hash", keys: [Column { name: "z", order: KeyOrder { descending: false, nulls_first: false, collation: None, operator_class: None } }], included: [], predicate: None, invalid: false, comment: Some("quick") }
    "#);
}

#[test]
fn partitions_children_and_views_differ() {
    let catalog = after(
        "CREATE TABLE at (id int NOT NULL, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
         CREATE TABLE at_2026 PARTITION OF at FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
         CREATE TABLE at_rest PARTITION OF at DEFAULT;
         CREATE TABLE refers (id int, day date, FOREIGN KEY (id, day) REFERENCES at);
         CREATE TABLE heir (more text) INHERITS (refers);
         CREATE TYPE pair AS (a int, b text[]); CREATE TABLE pairs OF pair;
         CREATE VIEW seen AS SELECT id, day::text AS name FROM at; CREATE MATERIALIZED VIEW stored AS SELECT 1 AS one;",
    );
    let listed: Vec<String> = catalog
        .relations
        .values()
        .map(|relation| {
            let parents: Vec<&str> = relation.parents.iter().map(|name| name.name.as_str()).collect();
            let columns: Vec<&str> = relation.columns.iter().map(|column| column.name.as_str()).collect();
            let keys = relation
                .constraints
                .iter()
                .filter(|found| matches!(found.kind, ConstraintKind::ForeignKey { .. }))
                .count();
            format!(
                "{} {:?} {columns:?} parents {parents:?} of {:?} by {:?} bound {:?} foreign keys {keys}",
                relation.name.name,
                relation.kind,
                relation.of_type.as_ref().map(|name| &name.name),
                relation.partition_by,
                relation.partition_bound
            )
        })
        .collect();
    insta::assert_snapshot!(listed.join("\n"), @r#"
    at PartitionedTable ["id", "day"] parents [] of None by Some("RANGE (day)") bound None foreign keys 0
    at_2026 Partition ["id", "day"] parents ["at"] of None by None bound Some("FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')") foreign keys 0
    at_rest Partition ["id", "day"] parents ["at"] of None by None bound Some("DEFAULT") foreign keys 0
    heir Table ["id", "day", "more"] parents ["refers"] of None by None bound None foreign keys 0
    pairs Table ["a", "b"] parents [] of Some("pair") by None bound None foreign keys 0
    refers Table ["id", "day"] parents [] of None by None bound None foreign keys 1
    seen View ["id", "name"] parents [] of None by None bound None foreign keys 0
    stored MaterializedView ["one"] parents [] of None by None bound None foreign keys 0
    "#);
    assert_eq!(table(&catalog, "seen").kind, RelationKind::View);
}

#[test]
fn types_schemas_and_extensions_are_read() {
    let catalog = after(
        "CREATE EXTENSION citext; CREATE SCHEMA other; COMMENT ON SCHEMA other IS 'the rest';
         CREATE TYPE other.mood AS ENUM ('b', 'a'); ALTER TYPE other.mood ADD VALUE 'first' BEFORE 'b';
         CREATE DOMAIN small AS numeric(4, 1) DEFAULT 1 NOT NULL CONSTRAINT low CHECK (VALUE < 10);
         CREATE TYPE pair AS (a int, b citext[]); CREATE TYPE spans AS RANGE (subtype = float8);
         CREATE SEQUENCE steps AS int INCREMENT 5 MINVALUE 10 MAXVALUE 50 CACHE 3 CYCLE;",
    );
    let listed: Vec<String> = catalog
        .types
        .values()
        .map(|found| format!("{found:?}"))
        .collect();
    insta::assert_snapshot!(listed.join("\n"), @r#"
    Type { name: Name { schema: "other", name: "mood" }, kind: Enum { labels: ["first", "b", "a"] }, comment: None }
    Type { name: Name { schema: "public", name: "citext" }, kind: External, comment: None }
    Type { name: Name { schema: "public", name: "pair" }, kind: Composite { attributes: [Attribute { name: "a", data_type: DataType { name: Name { schema: "pg_catalog", name: "int4" }, modifiers: [], fields: None, dimensions: 0 }, collation: None }, Attribute { name: "b", data_type: DataType { name: Name { schema: "public", name: "citext" }, modifiers: [], fields: None, dimensions: 1 }, collation: None }] }, comment: None }
    Type { name: Name { schema: "public", name: "small" }, kind: Domain { base: DataType { name: Name { schema: "pg_catalog", name: "numeric" }, modifiers: [4, 1], fields: None, dimensions: 0 }, not_null: true, default: Some("1"), checks: [Constraint { name: "low", kind: Check { expression: "VALUE < (10)::numeric", columns: [], no_inherit: false }, deferrable: false, initially_deferred: false, validated: true, enforced: true, temporal: false, comment: None }], collation: None }, comment: None }
    Type { name: Name { schema: "public", name: "spans" }, kind: Range { subtype: DataType { name: Name { schema: "pg_catalog", name: "float8" }, modifiers: [], fields: None, dimensions: 0 }, multirange: "spans_multirange", operator_class: None, collation: None, canonical: None, subtype_diff: None }, comment: None }
    "#);
    insta::assert_snapshot!(format!("{:?} {:?}", catalog.schemas, catalog.extensions), @r#"{"other": Some("the rest")} {"citext"}"#);
    insta::assert_snapshot!(format!("{:?}", catalog.sequences.values().next()), @r#"
    Some(Sequence { name: Name { schema: "public", name: "steps" }, data_type: "int4", start: 10, increment: 5, min: 10, max: 50, cache: 3, cycle: true, owner: None, identity: false, comment: None, privileges: Privileges { owner: Some("postgres"), granted: [] } })
    "#);
}

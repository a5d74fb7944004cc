//! Random schemas.

use super::choices::Choices;
use super::values::{any_type, literal, sql_type};

/// Types and routines that each schema has.
const BEGINNING: &str = "\
CREATE SCHEMA other;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE other.mood AS ENUM ('red', 'green');
CREATE DOMAIN cents AS bigint CHECK (VALUE >= 0);
CREATE DOMAIN label AS varchar(20);
CREATE DOMAIN code AS varchar(10) NOT NULL;
CREATE DOMAIN tags AS text[];
CREATE TYPE pair AS (x int, y text);
CREATE TYPE stretch AS RANGE (subtype = float8);
CREATE FUNCTION twice(n int) RETURNS bigint LANGUAGE sql AS 'SELECT n::bigint * 2';
CREATE FUNCTION twice(n text) RETURNS text LANGUAGE sql AS 'SELECT n || n';
CREATE FUNCTION nothing(n int) RETURNS text LANGUAGE sql STRICT AS 'SELECT NULL::text';
CREATE FUNCTION defaults(a int, b text DEFAULT 'x', c numeric DEFAULT 1) RETURNS numeric LANGUAGE sql AS 'SELECT c';
CREATE FUNCTION many(VARIADIC list int[]) RETURNS int LANGUAGE sql AS 'SELECT list[1]';
CREATE FUNCTION numbers(n int) RETURNS SETOF int LANGUAGE sql AS 'SELECT generate_series(1, n)';
CREATE FUNCTION rows_of(n int) RETURNS TABLE (id int, name text) LANGUAGE sql AS 'SELECT n, NULL::text';
CREATE FUNCTION outs(a int, OUT b text, OUT c numeric) LANGUAGE sql AS 'SELECT NULL::text, 1.5';
CREATE FUNCTION same(a anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION pair_of(a int) RETURNS pair LANGUAGE sql AS 'SELECT a, NULL::text';
CREATE FUNCTION void_of(a int) RETURNS void LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION other.hidden() RETURNS other.mood LANGUAGE sql AS 'SELECT NULL::other.mood';
CREATE PROCEDURE work(a int, INOUT b text) LANGUAGE plpgsql AS $$ BEGIN b := NULL; END $$;
";

/// Names of columns. Tables share them, so that there are columns to join by.
const COLUMNS: [&str; 14] = [
    "a",
    "b",
    "name",
    "kind",
    "at",
    "amount",
    "\"Total\"",
    "doc",
    "tags",
    "parent_id",
    "\"order\"",
    "note",
    "c",
    "state",
];

const TABLES: [&str; 5] = ["accounts", "items", "\"Order\"", "other.items", "notes"];

/// A table that was created: its name, and the names and types of its columns.
struct Table {
    name: &'static str,
    columns: Vec<(&'static str, String)>,
    /// The columns that can hold NULL.
    nullable: Vec<&'static str>,
    /// True if its column `id` is unique.
    has_key: bool,
}

/// The statements of a schema.
pub(super) struct Schema {
    pub(super) sql: String,
    /// Statements that run after the rows are inserted. The rows need not satisfy their
    /// constraints.
    pub(super) late: String,
}

/// Returns a schema for a server of this version.
pub(super) fn schema(choices: &mut Choices, version: u32) -> Schema {
    let mut sql = BEGINNING.to_owned();
    let mut tables: Vec<Table> = Vec::new();
    let count = 2 + choices.pick(TABLES.len() - 1);
    for name in &TABLES[..count] {
        sql += &table(name, choices, &mut tables);
    }
    if choices.chance(40) {
        sql += "CREATE TABLE events (id int NOT NULL, at date NOT NULL, doc jsonb, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);\n\
                CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');\n";
    }
    if choices.chance(30) {
        if let Some(column) = any_of(&tables[0].nullable, choices) {
            sql += &format!(
                "ALTER TABLE accounts ADD CONSTRAINT own CHECK ({column} IS NOT NULL) NO INHERIT;\n"
            );
        }
        sql += "CREATE TABLE heirs (extra int[] NOT NULL) INHERITS (accounts);\n";
    }
    for (number, view) in ["things", "joined"].iter().enumerate() {
        if choices.chance(60) {
            let of = choices.pick(tables.len());
            sql += &view_of(view, number, &tables[of], choices);
        }
    }
    sql += &triggers(&tables, choices);
    let late = late(&tables, choices, version);
    Schema { sql, late }
}

fn any_of<'n>(names: &[&'n str], choices: &mut Choices) -> Option<&'n str> {
    (!names.is_empty()).then(|| *choices.of(names))
}

/// Returns triggers that skip rows, and that write NULL.
fn triggers(tables: &[Table], choices: &mut Choices) -> String {
    let mut sql = String::new();
    if choices.chance(20) {
        let name = tables[choices.pick(tables.len())].name;
        sql += &format!(
            "CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF random() < 0.5 THEN RETURN NULL; END IF; IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$;\n\
             CREATE TRIGGER skips BEFORE INSERT OR UPDATE OR DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION skip();\n"
        );
    }
    if choices.chance(20) {
        let table = &tables[choices.pick(tables.len())];
        if let Some(column) = any_of(&table.nullable, choices) {
            let name = table.name;
            sql += &format!(
                "CREATE FUNCTION blank() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.{column} := NULL; RETURN NEW; END $$;\n\
                 CREATE TRIGGER blanks BEFORE INSERT OR UPDATE ON {name} FOR EACH ROW EXECUTE FUNCTION blank();\n"
            );
        }
    }
    sql
}

/// Returns constraints that do not hold for all rows.
fn late(tables: &[Table], choices: &mut Choices, version: u32) -> String {
    let mut sql = String::new();
    for table in tables {
        let Some(column) = any_of(&table.nullable, choices).filter(|_| choices.chance(20)) else {
            continue;
        };
        let forms = [
            "CHECK ({} IS NOT NULL) NOT VALID",
            "CHECK ({} IS NOT NULL) NOT ENFORCED",
            "NOT NULL {} NOT VALID",
        ];
        let form = *choices.of(&forms[..if version < 18 { 1 } else { 3 }]);
        let constraint = form.replace("{}", column);
        sql += &format!(
            "ALTER TABLE {} ADD CONSTRAINT late {constraint};\n",
            table.name
        );
    }
    sql
}

/// Writes a table, and adds it to the list of tables.
fn table(name: &'static str, choices: &mut Choices, tables: &mut Vec<Table>) -> String {
    let (key, key_type) = *choices.of(&[
        ("id serial PRIMARY KEY", "int4"),
        ("id int PRIMARY KEY", "int4"),
        ("id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "int4"),
        ("id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "int8"),
        (
            "id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            "int8",
        ),
        ("id uuid PRIMARY KEY DEFAULT gen_random_uuid()", "uuid"),
        ("id int NOT NULL", "int4"),
        ("id int UNIQUE", "int4"),
    ]);
    let mut columns = vec![("id", key_type.to_owned())];
    let mut parts = vec![key.to_owned()];
    let mut nullable = Vec::new();
    let first = choices.pick(COLUMNS.len());
    for number in 0..3 + choices.pick(6) {
        let column = COLUMNS[(first + number * 3) % COLUMNS.len()];
        if columns.iter().any(|(name, _)| *name == column) {
            continue;
        }
        let kind = any_type(choices);
        if let Some(part) = reference(column, tables, choices) {
            columns.push((column, tables[0].columns[0].1.clone()));
            parts.push(part);
            continue;
        }
        let mut part = format!("{column} {}", sql_type(&kind));
        match choices.pick(12) {
            0 => part = format!("{column} varchar(30)"),
            1 => part = format!("{column} numeric(12, 2)"),
            _ => {}
        }
        let kind = match part.split_once(' ') {
            Some((_, "varchar(30)")) => "varchar".to_owned(),
            Some((_, "numeric(12, 2)")) => "numeric".to_owned(),
            _ => kind,
        };
        if choices.chance(50) {
            part += " NOT NULL";
        } else {
            nullable.push(column);
        }
        if choices.chance(20) {
            part += &format!(" DEFAULT {}", literal(&kind, choices));
        }
        parts.push(part);
        columns.push((column, kind));
    }
    if let Some(column) = of_type(&columns, "int4", choices).filter(|_| choices.chance(30)) {
        parts.push(format!(
            "doubled int GENERATED ALWAYS AS ({column} * 2) STORED"
        ));
    }
    parts.extend(constraints(&columns, choices));
    let mut sql = format!("CREATE TABLE {name} ({});\n", parts.join(", "));
    if choices.chance(30) {
        let column = columns[choices.pick(columns.len())].0;
        let other = columns[choices.pick(columns.len())].0;
        if is_ordered(&columns, column) {
            sql +=
                &format!("CREATE UNIQUE INDEX ON {name} ({column}) WHERE {other} IS NOT NULL;\n");
        }
    }
    let has_key = key != "id int NOT NULL";
    tables.push(Table {
        name,
        columns,
        nullable,
        has_key,
    });
    sql
}

/// Returns a column that refers to the first table, if that has a key.
fn reference(column: &str, tables: &[Table], choices: &mut Choices) -> Option<String> {
    let target = tables.first().filter(|table| table.has_key)?;
    if column != "parent_id" {
        return None;
    }
    let kind = &target.columns[0].1;
    let not_null = if choices.chance(50) { " NOT NULL" } else { "" };
    Some(format!(
        "{column} {kind}{not_null} REFERENCES {} (id)",
        target.name
    ))
}

fn of_type<'c>(
    columns: &[(&'c str, String)],
    kind: &str,
    choices: &mut Choices,
) -> Option<&'c str> {
    let found: Vec<&str> = columns
        .iter()
        .filter(|(_, found)| found == kind)
        .map(|(name, _)| *name)
        .collect();
    (!found.is_empty()).then(|| *choices.of(&found))
}

/// Returns true if the type of a column has an order, so that a key can hold it.
fn is_ordered(columns: &[(&str, String)], name: &str) -> bool {
    let kind = columns.iter().find(|(column, _)| *column == name);
    kind.is_some_and(|(_, kind)| !kind.starts_with("json") || kind.starts_with("jsonb"))
}

fn constraints(columns: &[(&'static str, String)], choices: &mut Choices) -> Vec<String> {
    let mut parts = Vec::new();
    let ordered: Vec<&str> = columns
        .iter()
        .filter(|(name, _)| is_ordered(columns, name))
        .map(|(name, _)| *name)
        .collect();
    if choices.chance(40) {
        let keys = choices.some(&ordered, 40);
        if !keys.is_empty() {
            parts.push(format!("UNIQUE ({})", keys.join(", ")));
        }
    }
    if choices.chance(30) {
        let column = columns[choices.pick(columns.len())].0;
        parts.push(format!("CHECK ({column} IS NOT NULL)"));
    }
    if let Some(column) = of_type(columns, "int4", choices).filter(|_| choices.chance(20)) {
        parts.push(format!("CHECK ({column} > 0)"));
    }
    parts
}

fn view_of(name: &str, number: usize, table: &Table, choices: &mut Choices) -> String {
    let Table {
        name: of, columns, ..
    } = table;
    let chosen = choices.some(columns, 70);
    let mut list: Vec<String> = chosen.iter().map(|(name, _)| format!("t.{name}")).collect();
    if list.is_empty() {
        list.push("1 AS one".to_owned());
    }
    let list = list.join(", ");
    if number == 0 {
        return format!(
            "CREATE VIEW {name} AS SELECT {list} FROM {of} t WHERE t.id IS NOT NULL;\n"
        );
    }
    format!(
        "CREATE VIEW {name} AS SELECT {list}, u.id AS other_id, count(*) OVER () AS total FROM accounts u LEFT JOIN {of} t ON t.id::text = u.id::text;\n"
    )
}

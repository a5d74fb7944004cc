//! A server's description of types and statements.

use std::collections::HashMap;

use bowline::testing::LocalServer;

use super::wire::{Refusal, Rows, Wire};
use crate::{DataType, Name};

/// A separate database, and the types in it.
pub(super) struct Server {
    pub(super) wire: Wire,
    /// `server_version_num` without its last four digits.
    pub(super) version: u32,
    types: HashMap<u32, DataType>,
    database: String,
    server: LocalServer,
}

/// The server's description of a statement.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) parameters: Vec<DataType>,
    pub(super) columns: Vec<(String, DataType)>,
}

/// Types by OID: the names of element types, and whether the type is their array.
const TYPES: &str = "SELECT t.oid, n.nspname, of.typname, (e.oid IS NOT NULL)::int FROM pg_type t \
    LEFT JOIN pg_type e ON e.typarray = t.oid JOIN pg_type of ON of.oid = coalesce(e.oid, t.oid) \
    JOIN pg_namespace n ON n.oid = of.typnamespace";

impl Server {
    pub(super) fn start(name: &str) -> Self {
        let server = LocalServer::start().unwrap_or_else(|error| panic!("{error}"));
        let database = format!("queries_{name}_{}", std::process::id());
        let mut maintenance = Wire::connect(&server.socket(), "postgres");
        maintenance
            .simple(&format!("CREATE DATABASE {database}"))
            .expect("a database");
        let mut wire = Wire::connect(&server.socket(), &database);
        wire.simple("SET plan_cache_mode = force_generic_plan")
            .expect("a setting");
        let version = wire
            .simple("SELECT current_setting('server_version_num')::int / 10000")
            .expect("a version");
        let version = version[0][0].as_deref().unwrap_or_default();
        Self {
            version: version.parse().expect("a number"),
            wire,
            types: HashMap::new(),
            database,
            server,
        }
    }

    /// Returns another connection to the same database.
    pub(super) fn again(&self) -> Session {
        Session {
            wire: Wire::connect(&self.server.socket(), &self.database),
            types: self.types.clone(),
        }
    }

    /// Drops all objects, and runs these statements.
    pub(super) fn create(&mut self, schema: &str) {
        let clean = "DROP SCHEMA IF EXISTS other CASCADE; DROP SCHEMA public CASCADE; \
                     CREATE SCHEMA public";
        self.wire.simple(clean).expect("an empty database");
        if let Err(refusal) = self.wire.simple(schema) {
            panic!("{refusal:?}\n{schema}");
        }
        self.learn_types();
    }

    /// Reads the types of the database.
    pub(super) fn learn_types(&mut self) {
        let rows = self.wire.simple(TYPES).expect("the types");
        self.types = rows.into_iter().map(data_type).collect();
    }

    pub(super) fn describe(&mut self, sql: &str) -> Result<Statement, Refusal> {
        describe(&mut self.wire, &self.types, sql)
    }

    /// Plans a statement with NULL for each parameter, and starts to run it as EXPLAIN does.
    pub(super) fn plan(&mut self, sql: &str, parameters: usize) -> Result<(), Refusal> {
        let nulls = vec!["NULL"; parameters].join(", ");
        let given = if parameters == 0 {
            String::new()
        } else {
            format!("({nulls})")
        };
        if self
            .wire
            .simple(&format!("PREPARE planned AS {sql}"))
            .is_err()
        {
            return Ok(());
        }
        let planned = self.wire.simple(&format!("EXPLAIN EXECUTE planned{given}"));
        self.wire.simple("DEALLOCATE planned")?;
        planned.map(|_| ())
    }

    pub(super) fn rows(&mut self, sql: &str) -> Rows {
        match self.wire.simple(sql) {
            Ok(rows) => rows,
            Err(refusal) => panic!("{refusal:?}\n{sql}"),
        }
    }
}

/// A further connection to a database.
pub(super) struct Session {
    wire: Wire,
    types: HashMap<u32, DataType>,
}

impl Session {
    pub(super) fn describe(&mut self, sql: &str) -> Result<Statement, Refusal> {
        describe(&mut self.wire, &self.types, sql)
    }
}

fn describe(
    wire: &mut Wire,
    types: &HashMap<u32, DataType>,
    sql: &str,
) -> Result<Statement, Refusal> {
    let described = wire.describe(sql)?;
    let data_type = |oid: u32| types[&oid].clone();
    let columns = described.columns.into_iter();
    Ok(Statement {
        parameters: described.parameters.into_iter().map(data_type).collect(),
        columns: columns
            .map(|column| (column.name, data_type(column.type_oid)))
            .collect(),
    })
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut maintenance = Wire::connect(&self.server.socket(), "postgres");
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.database);
        if let Err(refusal) = maintenance.simple(&drop) {
            eprintln!("{refusal:?}");
        }
    }
}

fn data_type(row: Vec<Option<String>>) -> (u32, DataType) {
    let mut values = row.into_iter().map(Option::unwrap_or_default);
    let mut next = || values.next().expect("four values");
    let oid = next().parse().expect("an OID");
    let name = Name {
        schema: next(),
        name: next(),
    };
    let data_type = DataType {
        name,
        modifiers: Vec::new(),
        fields: None,
        dimensions: next().parse().expect("a number"),
    };
    (oid, data_type)
}

#[test]
fn a_statement_is_described_or_refused() {
    let mut server = Server::start("describe");
    server.create("CREATE DOMAIN cents AS bigint; CREATE TABLE t (a cents, b text[])");
    let described = server.describe("INSERT INTO t VALUES ($1, $2) RETURNING *");
    let described = described.expect("it is accepted");
    let show = |kind: &DataType| (kind.name.name.clone(), kind.dimensions);
    let parameters: Vec<_> = described.parameters.iter().map(show).collect();
    assert_eq!(
        parameters,
        [("cents".to_owned(), 0), ("text".to_owned(), 1)]
    );
    let columns: Vec<_> = described
        .columns
        .iter()
        .map(|(_, kind)| show(kind))
        .collect();
    assert_eq!(columns, [("int8".to_owned(), 0), ("text".to_owned(), 1)]);
    let refusal = server.describe("SELECT c FROM t").expect_err("no column");
    assert_eq!(refusal.code, "42703");
    let rows = server
        .wire
        .run("SELECT NULL, $1::int + 1", &[Some("2".to_owned())]);
    assert_eq!(rows.expect("a row"), [[None, Some("3".to_owned())]]);
}

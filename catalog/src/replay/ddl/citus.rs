//! The functions of Citus that change how tables are distributed.
//!
//! Where Citus refuses a call, the refusal has Citus's own words. What it refuses of a table that
//! is distributed is in [`distributed`].

mod alter;
mod colocation;
mod create;

use squawk_syntax::SyntaxNode;

use crate::replay::ddl::distributed::{self, refuses};
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::{State, TEMPORARY};
use crate::{Distribution, DistributionKind, Name, Relation, RelationKind};

/// A call with its arguments.
pub(crate) struct Call {
    function: &'static str,
    /// The parts of the name of the table or schema.
    pub(crate) table: Option<Vec<String>>,
    /// Arguments as text, by parameter.
    pub(crate) texts: Vec<(&'static str, String)>,
    /// The parameters whose argument is NULL.
    pub(crate) nulls: Vec<&'static str>,
}

impl Call {
    pub(crate) fn new(function: &'static str) -> Self {
        Self {
            function,
            table: None,
            texts: Vec::new(),
            nulls: Vec::new(),
        }
    }

    fn text(&self, parameter: &str) -> Option<&str> {
        let mut texts = self.texts.iter();
        let found = texts.find(|(name, _)| *name == parameter);
        found.map(|(_, text)| text.as_str())
    }

    fn is_true(&self, parameter: &str) -> bool {
        self.text(parameter) == Some("true")
    }

    /// Returns the number of shards that the call asks for.
    fn shards(&self, node: &SyntaxNode) -> Result<Option<u32>> {
        let Some(text) = self.text("shard_count") else {
            return Ok(None);
        };
        match text.parse() {
            Ok(shards @ 1..=64_000) => Ok(Some(shards)),
            _ => Err(refuses(
                node,
                &format!(
                    "{text} is outside the valid range for parameter \"shard_count\" (1 .. 64000)"
                ),
                "write a number of shards in this range",
            )),
        }
    }
}

/// Applies a call.
pub(crate) fn apply(state: &mut State, node: &SyntaxNode, call: &Call) -> Result<()> {
    match call.function {
        "citus_schema_distribute" => return schema_distribute(state, node, call),
        "citus_schema_undistribute" => return schema_undistribute(state, node, call),
        "remove_local_tables_from_metadata" => {
            remove_local_tables(state);
            return Ok(());
        }
        _ => {}
    }
    // A function that is STRICT does nothing with NULL, and neither do the others.
    let Some(parts) = &call.table else {
        return Ok(());
    };
    let table = find_table(state, node, parts)?;
    match call.function {
        "create_reference_table" => create_reference(state, node, &table),
        "citus_add_local_table_to_metadata" => add_local(state, node, call, &table),
        "undistribute_table" => undistribute(state, node, call, &table),
        "alter_distributed_table" => alter::alter(state, node, call, &table),
        "update_distributed_table_colocation" => {
            alter::update_colocation(state, node, call, &table)
        }
        _ => create::create_distributed(state, node, call, &table),
    }
}

fn find_table(state: &State, node: &SyntaxNode, parts: &[String]) -> Result<Name> {
    state.find_relation(parts).ok_or_else(|| {
        Refused::error(node, format!("there is no table {}", parts.join(".")))
            .hint("check the spelling, and whether an earlier migration creates it")
            .raises("undefined_table")
    })
}

fn relation<'s>(state: &'s State, node: &SyntaxNode, table: &Name) -> Result<&'s Relation> {
    let found = state.catalog().relations.get(table);
    found.ok_or_else(|| Refused::new(node, format!("there is no table {}", table.name)))
}

/// Refuses a relation that no function of Citus distributes.
fn is_distributable(state: &State, node: &SyntaxNode, table: &Name) -> Result<()> {
    let found = relation(state, node, table)?;
    let name = &table.name;
    if table.schema == TEMPORARY {
        return Err(refuses(
            node,
            "cannot distribute a temporary table",
            "create a table without TEMPORARY",
        ));
    }
    if found.kind == RelationKind::ForeignTable {
        return Err(refuses(
            node,
            "foreign tables cannot be distributed",
            "add it to the metadata: SELECT citus_add_local_table_to_metadata(..)",
        ));
    }
    let has_children = found.partition_by.is_none() && state.children(table).next().is_some();
    let is_child = found.partition_bound.is_none() && !found.parents.is_empty();
    let is_view = matches!(
        found.kind,
        RelationKind::View | RelationKind::MaterializedView
    );
    if is_view || has_children || is_child {
        return Err(refuses(
            node,
            &format!("{name} is not a regular, foreign or partitioned table"),
            "Citus distributes no views, and no tables that inherit or are inherited from",
        ));
    }
    let is_local = |found: &Distribution| found.kind == DistributionKind::Local;
    if found.distribution.as_ref().is_some_and(|it| !is_local(it)) {
        return Err(refuses(
            node,
            &format!("table \"{name}\" is already distributed"),
            "remove this call, or undistribute the table first",
        ));
    }
    if let (Some(_), Some(parent)) = (&found.partition_bound, found.parents.first())
        && state.distribution(parent).is_none()
    {
        return Err(refuses(
            node,
            &format!(
                "cannot distribute relation \"{name}\" which is partition of \"{}\"",
                parent.name
            ),
            &format!(
                "distribute the partitioned table \"{}\" instead",
                parent.name
            ),
        ));
    }
    Ok(())
}

fn create_reference(state: &mut State, node: &SyntaxNode, table: &Name) -> Result<()> {
    is_distributable(state, node, table)?;
    if relation(state, node, table)?.partition_by.is_some() {
        return Err(refuses(
            node,
            "distributing partitioned tables in only supported for hash-distributed tables",
            "a reference table has no partitions",
        ));
    }
    let distribution = Distribution {
        kind: DistributionKind::Reference,
        column: None,
        group: None,
        shards: None,
    };
    distributed::may_be(state, node, table, &distribution)?;
    state.distribute(table, Some(&distribution));
    Ok(())
}

fn add_local(state: &mut State, node: &SyntaxNode, call: &Call, table: &Name) -> Result<()> {
    let distribution = Distribution {
        kind: DistributionKind::Local,
        column: None,
        group: None,
        shards: None,
    };
    let is_foreign = relation(state, node, table)?.kind == RelationKind::ForeignTable;
    if !is_foreign {
        is_distributable(state, node, table)?;
    }
    let connected = state.connected_by_foreign_keys(table);
    if connected.len() > 1 && !call.is_true("cascade_via_foreign_keys") {
        return Err(refuses(
            node,
            &format!(
                "relation {} is involved in a foreign key relationship with another table",
                table.name
            ),
            "write cascade_via_foreign_keys => true",
        ));
    }
    for name in connected {
        if state.distribution(&name).is_none() {
            state.distribute(&name, Some(&distribution));
        }
    }
    Ok(())
}

fn remove_local_tables(state: &mut State) {
    let relations = state.catalog().relations.values();
    let local = relations.filter(|relation| {
        let distribution = relation.distribution.as_ref();
        distribution.is_some_and(|found| found.kind == DistributionKind::Local)
    });
    let names: Vec<Name> = local.map(|relation| relation.name.clone()).collect();
    for name in names {
        state.distribute(&name, None);
    }
}

fn not_distributed(node: &SyntaxNode, words: &str) -> Refused {
    refuses(
        node,
        words,
        "check the name, and whether an earlier migration distributes it",
    )
}

fn undistribute(state: &mut State, node: &SyntaxNode, call: &Call, table: &Name) -> Result<()> {
    if state.distribution(table).is_none() {
        return Err(not_distributed(
            node,
            "cannot undistribute table because the table is not distributed",
        ));
    }
    let found = relation(state, node, table)?;
    if found.partition_bound.is_some() {
        return Err(refuses(
            node,
            "cannot complete operation because table is a partition",
            "undistribute the partitioned table",
        ));
    }
    let connected = state.connected_by_foreign_keys(table);
    if connected.len() > 1 && !call.is_true("cascade_via_foreign_keys") {
        return Err(refuses(
            node,
            &format!(
                "cannot complete operation because a foreign key connects table {} with another",
                table.name
            ),
            "write cascade_via_foreign_keys => true",
        ));
    }
    for name in connected {
        state.distribute(&name, None);
    }
    Ok(())
}

fn schema_distribute(state: &mut State, node: &SyntaxNode, call: &Call) -> Result<()> {
    let Some(schema) = call.table.as_ref().and_then(|parts| parts.last()) else {
        return Ok(());
    };
    if schema == "public" {
        return Err(refuses(
            node,
            "public schema cannot be distributed",
            "distribute a schema of a tenant",
        ));
    }
    if !state.schemas().contains(schema) {
        return Err(Refused::error(node, format!("there is no schema {schema}"))
            .hint("check the spelling, and whether an earlier migration creates it"));
    }
    let mut relations = state.catalog().relations.values();
    let is_distributed = |relation: &&Relation| {
        let distribution = relation.distribution.as_ref();
        let is_sharded = distribution.is_some_and(|found| found.kind.is_sharded());
        relation.name.schema == *schema && is_sharded
    };
    if !state.is_distributed_schema(schema) && relations.any(|it| is_distributed(&it)) {
        return Err(refuses(
            node,
            "distributed schema cannot have distributed tables",
            "undistribute these tables first",
        ));
    }
    if !state.is_distributed_schema(schema) {
        state.distribute_schema(schema);
    }
    Ok(())
}

fn schema_undistribute(state: &mut State, node: &SyntaxNode, call: &Call) -> Result<()> {
    let Some(schema) = call.table.as_ref().and_then(|parts| parts.last()) else {
        return Ok(());
    };
    if state.undistribute_schema(schema) {
        return Ok(());
    }
    Err(not_distributed(
        node,
        &format!("schema {schema} is not distributed"),
    ))
}

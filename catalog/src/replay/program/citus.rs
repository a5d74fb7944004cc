//! Calls of Citus's functions, with their arguments: `SELECT create_distributed_table('a', 'b')`.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl::citus::{self, Call};
use crate::replay::program::Program;
use crate::replay::program::evaluate::Datum;
use crate::replay::refusal::{Refused, Result};
use crate::replay::syntax::expression::words;
use crate::replay::syntax::routine::{callee, calls_in};
use crate::replay::syntax::tree::{child, name};

/// The functions that change how tables are distributed, each with its parameters. The first
/// parameter is a table or a schema.
const CHANGING: [(&str, &[&str]); 10] = [
    ("create_distributed_table", DISTRIBUTED),
    ("create_distributed_table_concurrently", DISTRIBUTED),
    ("create_reference_table", &["table_name"]),
    ("citus_add_local_table_to_metadata", WITH_CASCADE),
    ("undistribute_table", WITH_CASCADE),
    (
        "alter_distributed_table",
        &[
            "table_name",
            "distribution_column",
            "shard_count",
            "colocate_with",
            "cascade_to_colocated",
        ],
    ),
    (
        "update_distributed_table_colocation",
        &["table_name", "colocate_with"],
    ),
    ("citus_schema_distribute", &["schemaname"]),
    ("citus_schema_undistribute", &["schemaname"]),
    ("remove_local_tables_from_metadata", &[]),
];

const DISTRIBUTED: &[&str] = &[
    "table_name",
    "distribution_column",
    "distribution_type",
    "colocate_with",
    "shard_count",
];

const WITH_CASCADE: &[&str] = &["table_name", "cascade_via_foreign_keys"];

/// The functions of Citus that move or remove rows, or change the cluster, but no table's
/// distribution.
const OTHER: [&str; 59] = [
    "truncate_local_data_after_distributing_table",
    "create_distributed_function",
    "alter_table_set_access_method",
    "citus_set_coordinator_host",
    "citus_add_node",
    "citus_add_inactive_node",
    "citus_add_secondary_node",
    "citus_activate_node",
    "citus_disable_node",
    "citus_remove_node",
    "citus_update_node",
    "citus_drain_node",
    "citus_set_node_property",
    "citus_add_rebalance_strategy",
    "citus_set_default_rebalance_strategy",
    "citus_rebalance_start",
    "citus_rebalance_stop",
    "citus_rebalance_wait",
    "citus_rebalance_status",
    "citus_move_shard_placement",
    "citus_copy_shard_placement",
    "citus_split_shard_by_split_points",
    "citus_schema_move",
    "isolate_tenant_to_new_shard",
    "rebalance_table_shards",
    "replicate_table_shards",
    "replicate_reference_tables",
    "get_rebalance_table_shards_plan",
    "get_rebalance_progress",
    "citus_cleanup_orphaned_resources",
    "citus_cleanup_orphaned_shards",
    "citus_create_restore_point",
    "recover_prepared_transactions",
    "citus_finish_citus_upgrade",
    "citus_prepare_pg_upgrade",
    "citus_finish_pg_upgrade",
    "citus_check_cluster_node_health",
    "citus_job_cancel",
    "citus_job_wait",
    "citus_version",
    "citus_get_active_worker_nodes",
    "master_get_active_worker_nodes",
    "master_add_node",
    "master_add_inactive_node",
    "master_activate_node",
    "master_disable_node",
    "master_remove_node",
    "master_update_node",
    "master_drain_node",
    "master_set_node_property",
    "master_move_shard_placement",
    "master_copy_shard_placement",
    "start_metadata_sync_to_node",
    "start_metadata_sync_to_all_nodes",
    "stop_metadata_sync_to_node",
    "citus_table_size",
    "citus_relation_size",
    "citus_total_relation_size",
    "get_shard_id_for_distribution_column",
];

/// Returns true if a statement does nothing without Citus: it creates or changes the extension, or
/// is a query that only calls functions of Citus.
pub(crate) fn is_of_citus(node: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    match node.kind() {
        K::CREATE_EXTENSION => is_named(node, K::EXTENSION),
        K::ALTER_EXTENSION | K::DROP_EXTENSION | K::COMMENT_ON => is_named(node, K::EXTENSION_REF),
        K::SELECT => {
            let mut calls = calls_in(node).peekable();
            let is_citus = |call: SyntaxNode| {
                let function = callee(&call).pop().unwrap_or_default();
                changes_distribution(&function) || is_harmless(&function)
            };
            calls.peek().is_some() && calls.all(is_citus)
        }
        _ => false,
    }
}

fn is_named(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    let mut names = node.descendants().filter(|part| part.kind() == kind);
    names.any(|part| name(&part) == "citus")
}

/// Returns true if a function of Citus changes how tables are distributed.
pub(crate) fn changes_distribution(function: &str) -> bool {
    CHANGING.iter().any(|(name, _)| *name == function)
}

/// Returns true if a function of Citus changes no table's distribution.
pub(crate) fn is_harmless(function: &str) -> bool {
    OTHER.contains(&function)
}

impl Program {
    /// Replays a call of one of Citus's functions that change a distribution.
    pub(crate) fn call_citus(
        &mut self,
        node: &SyntaxNode,
        call: &SyntaxNode,
        function: &str,
    ) -> Result<()> {
        if !runs_once(node, call) {
            let why =
                format!("which tables {function} changes depends on the rows that this reads");
            let hint = "write a SELECT of its own for each table, without FROM";
            return Err(Refused::new(node, why).hint(hint));
        }
        let mut found = CHANGING.iter();
        let (name, parameters) = found
            .find(|(name, _)| *name == function)
            .ok_or_else(|| Refused::new(node, "this is no function of Citus"))?;
        let arguments = self.arguments_of_citus(call, name, parameters)?;
        citus::apply(&mut self.state, call, &arguments)
    }

    /// Returns the arguments by parameter. An argument that is not given is absent.
    fn arguments_of_citus(
        &self,
        call: &SyntaxNode,
        function: &'static str,
        parameters: &[&'static str],
    ) -> Result<Call> {
        use SyntaxKind as K;
        let list = child(call, K::ARG_LIST);
        let given = list.iter().flat_map(SyntaxNode::children);
        let mut arguments = Call::new(function);
        for (position, argument) in given.enumerate() {
            let argument = match argument.kind() {
                K::ARG => argument.children().next().unwrap_or(argument),
                _ => argument,
            };
            let (parameter, value) = if argument.kind() == K::NAMED_ARG {
                let named = child(&argument, K::PARAM_NAME_REF).map(|named| name(&named));
                let value = argument
                    .children()
                    .last()
                    .unwrap_or_else(|| argument.clone());
                let mut known = parameters.iter().copied();
                (known.find(|it| Some(*it) == named.as_deref()), value)
            } else {
                (parameters.get(position).copied(), argument.clone())
            };
            let unknown = || {
                Refused::new(&argument, format!("{function} has no such parameter"))
                    .hint(format!("its parameters are {}", parameters.join(", ")))
            };
            let parameter = parameter.ok_or_else(unknown)?;
            let unclear = || {
                let why =
                    format!("the argument {parameter} of {function} is known only when it runs");
                Refused::new(&argument, why).hint("write a literal")
            };
            let value = self.evaluate(&value).ok_or_else(unclear)?;
            match (parameter, value) {
                ("table_name", Datum::Text(text)) => arguments.table = Some(words(&text)),
                ("table_name", Datum::Object { name, .. }) => {
                    arguments.table = Some(vec![name.schema, name.name]);
                }
                ("schemaname", Datum::Text(text)) => arguments.table = Some(words(&text)),
                ("schemaname", Datum::Object { name, .. }) => {
                    arguments.table = Some(vec![name.name]);
                }
                (_, Datum::Null) => arguments.nulls.push(parameter),
                (_, Datum::Bool(truth)) => arguments.texts.push((parameter, truth.to_string())),
                (_, Datum::Int(number)) => arguments.texts.push((parameter, number.to_string())),
                (_, Datum::Text(text)) => arguments.texts.push((parameter, text)),
                _ => return Err(unclear()),
            }
        }
        Ok(arguments)
    }
}

/// Returns true if a call certainly runs once when its statement does.
pub(super) fn runs_once(node: &SyntaxNode, call: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    const READING: [SyntaxKind; 4] = [
        K::FROM_CLAUSE,
        K::WHERE_CLAUSE,
        K::LIMIT_CLAUSE,
        K::OFFSET_CLAUSE,
    ];
    let is_plain = call
        .ancestors()
        .skip(1)
        .take_while(|around| around != node)
        .all(|around| {
            matches!(
                around.kind(),
                K::TARGET | K::TARGET_LIST | K::SELECT_CLAUSE | K::SELECT | K::PLPGSQL_EXPR
            )
        });
    is_plain
        && !node
            .descendants()
            .any(|part| READING.contains(&part.kind()))
}

//! Calls of functions and procedures.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::gap::GapKind;
use crate::replay::builtin;
use crate::replay::ddl::setting as settings;
use crate::replay::program::Program;
use crate::replay::program::citus;
use crate::replay::program::evaluate::Datum;
use crate::replay::program::variables::Declared;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::functions::{Function, same_types};
use crate::replay::syntax::expression::words;
use crate::replay::syntax::routine::{Source, callee, calls_in};
use crate::replay::syntax::setting::{self, Value};
use crate::replay::syntax::tree::{below, child, child_name, children, has, path};

impl Program {
    /// Replays the function calls in a query, which can change the schema in no other way.
    pub(crate) fn call_in_query(&mut self, node: &SyntaxNode) -> Result<()> {
        for call in calls_in(node) {
            let parts = callee(&call);
            let function = parts.last().cloned().unwrap_or_default();
            if setting::is_changed_by(&call) {
                self.set_config(node, &call)?;
                continue;
            }
            if !self.state.functions().contains_key(&function) {
                if citus::changes_distribution(&function) {
                    self.call_citus(node, &call, &function)?;
                    continue;
                }
                if is_of_extension(&parts) {
                    continue;
                }
            }
            self.call(node, &parts, Some(&call))?;
        }
        Ok(())
    }

    /// Replays a call of `set_config`, if it certainly runs once and its arguments are certain.
    fn set_config(&mut self, node: &SyntaxNode, call: &SyntaxNode) -> Result<()> {
        let unknown = || {
            Refused::new(
                node,
                "which setting this changes, and to what, is known only when it runs",
            )
            .hint("write SET")
        };
        let arguments = setting::arguments(call);
        let [parameter, value, ..] = arguments.as_slice() else {
            return Err(unknown());
        };
        let Some(Datum::Text(parameter)) = self.evaluate(parameter) else {
            return Err(unknown());
        };
        let parameter = parameter.to_ascii_lowercase();
        if !setting::matters(&parameter) {
            return Ok(());
        }
        let value = match self.evaluate(value) {
            _ if !citus::runs_once(node, call) => return Err(unknown()),
            Some(Datum::Text(text)) if parameter == "search_path" => Value::Items(words(&text)),
            Some(Datum::Text(text)) => Value::Items(vec![text]),
            Some(Datum::Null) => Value::Default,
            _ => return Err(unknown()),
        };
        settings::change(&mut self.state, node, &parameter, value)
    }

    pub(crate) fn call_procedure(&mut self, node: &SyntaxNode) -> Result<()> {
        self.call_in_query(node)?;
        let named = child(node, SyntaxKind::PROCEDURE_NAME_REF).map(|named| path(&named));
        let parts = named.unwrap_or_default();
        let procedure = parts.last().cloned().unwrap_or_default();
        if !self.state.functions().contains_key(&procedure) && is_of_extension(&parts) {
            return Ok(());
        }
        self.call(node, &parts, Some(node))
    }

    /// Replays a call of a function. Built-in functions do not change the schema. Functions of
    /// migrations are replayed.
    ///
    /// `call` holds the arguments, where they are known.
    pub(crate) fn call(
        &mut self,
        node: &SyntaxNode,
        parts: &[String],
        call: Option<&SyntaxNode>,
    ) -> Result<()> {
        let function = parts.last().map_or("", String::as_str);
        let overloads = self.overloads_called(parts, call);
        if overloads.is_empty() {
            if is_known(function) {
                return Ok(());
            }
            return Err(Refused::new(
                node,
                format!("this calls the function {function}, which may change the schema"),
            ));
        }
        if self.calls.iter().any(|caller| caller == function) {
            return Err(Refused::new(
                node,
                format!("the function {function} calls itself, which is not followed"),
            ));
        }
        self.calls.push(function.to_owned());
        let followed = self.follow_call(node, function, &overloads, call);
        self.calls.pop();
        followed
    }

    /// Returns the overloads that a call can mean, by their schemas and the number of arguments. If
    /// it can mean none of them, returns all.
    fn overloads_called(&self, parts: &[String], call: Option<&SyntaxNode>) -> Vec<Function> {
        let function = parts.last().map_or("", String::as_str);
        let all = self.state.overloads(function);
        let count = call.map(|call| {
            let list = child(call, SyntaxKind::ARG_LIST);
            list.map_or(0, |list| list.children().count())
        });
        let mut found: Vec<Function> = Vec::new();
        for name in self.state.candidates(parts) {
            let of_schema = all.iter().filter(|function| function.name == name);
            let fitting = of_schema.filter(|it| count.is_none_or(|count| it.takes(count)));
            for function in fitting {
                let is_same =
                    |other: &Function| same_types(&other.argument_types, &function.argument_types);
                if !found.iter().any(is_same) {
                    found.push(function.clone());
                }
            }
        }
        if found.is_empty() {
            found = all.to_vec();
        }
        found
    }

    fn follow_call(
        &mut self,
        node: &SyntaxNode,
        function: &str,
        overloads: &[Function],
        call: Option<&SyntaxNode>,
    ) -> Result<()> {
        let changing: Vec<_> = overloads
            .iter()
            .filter(|overload| self.may_change_catalog(overload))
            .collect();
        match (changing.as_slice(), overloads) {
            ([], _) => {
                self.follow_attached_of_call(overloads, call);
                Ok(())
            }
            ([_], [overload]) => {
                let reads_rows = node
                    .descendants()
                    .any(|part| part.kind() == SyntaxKind::FROM_CLAUSE);
                if reads_rows {
                    return Err(Refused::new(
                        node,
                        format!("how often {function} runs depends on the rows that this reads"),
                    ));
                }
                let arguments = self.arguments_of(&overload.definition, call);
                let own_path = self.own_search_path(node, function, overload)?;
                let before = self.state.search_path_to_restore();
                let sets_path = own_path.is_some();
                if let Some(path) = own_path {
                    self.state.set_search_path(path);
                }
                let done = self.follow_body(overload, arguments);
                if sets_path {
                    self.state.restore_search_path(before);
                }
                done.map_err(|refused| {
                    let why = format!("this calls the function {function}: {}", refused.why);
                    Refused::new(node, why).hint(refused.hint)
                })
            }
            _ => Err(Refused::new(
                node,
                format!("{function} is overloaded, and it is not clear which function is called"),
            )),
        }
    }

    /// Returns the search path that a function sets while it runs.
    fn own_search_path(
        &self,
        node: &SyntaxNode,
        function: &str,
        overload: &Function,
    ) -> Result<Option<Vec<String>>> {
        let unknown = || {
            let why = format!("{function} has a SET clause that replay does not follow");
            Refused::new(node, why)
        };
        let has_gap = self
            .state
            .catalog()
            .gaps
            .iter()
            .any(|gap| gap.kind == GapKind::Routine && gap.name.name == function);
        let Some(routine) = overload.routine.as_ref().filter(|_| !has_gap) else {
            let sets = below(&overload.definition, SyntaxKind::FUNC_OPTION_LIST).any(|options| {
                below(&options, SyntaxKind::SET_FUNC_OPTION)
                    .next()
                    .is_some()
            });
            return if sets || has_gap {
                Err(unknown())
            } else {
                Ok(None)
            };
        };
        let mut path = None;
        for one in &routine.settings {
            let (name, value) = one.split_once('=').ok_or_else(unknown)?;
            match name.to_ascii_lowercase().as_str() {
                "search_path" => path = Some(words(value)),
                name if setting::matters(name) => return Err(unknown()),
                _ => {}
            }
        }
        Ok(path)
    }

    /// Records the changes of a called function to triggers, policies and rules.
    fn follow_attached_of_call(&mut self, overloads: &[Function], call: Option<&SyntaxNode>) {
        for function in overloads {
            let mut bodies = function.bodies().iter();
            let Some(body) = bodies.find(|body| self.changes_attached(body)) else {
                continue;
            };
            if overloads.len() > 1 {
                self.note_attached_gaps(body);
                continue;
            }
            let arguments = self.arguments_of(&function.definition, call);
            self.attempt(body, (), |program| program.follow_body(function, arguments));
        }
    }

    /// Returns the values of the arguments by name, including defaults.
    fn arguments_of(&self, definition: &SyntaxNode, call: Option<&SyntaxNode>) -> Vec<Declared> {
        use SyntaxKind as K;
        let list = call.and_then(|call| child(call, K::ARG_LIST));
        let given: Vec<SyntaxNode> = list
            .map(|list| list.children().collect())
            .unwrap_or_default();
        let is_plain = given
            .iter()
            .all(|argument| argument.kind() == K::ARG && !has(argument, K::VARIADIC_KW));
        let parameters = child(definition, K::PARAM_LIST);
        let parameters = parameters
            .iter()
            .flat_map(|list| children(list, K::PARAM))
            .filter(|parameter| !has(parameter, K::PARAM_OUT));
        let mut all = Vec::new();
        for (position, parameter) in parameters.enumerate() {
            let value = match given.get(position) {
                Some(argument) => self.evaluate(argument),
                None => child(&parameter, K::PARAM_DEFAULT)
                    .and_then(|default| default.children().next())
                    .and_then(|default| self.evaluate(&default)),
            };
            let value = value.filter(|_| is_plain && call.is_some());
            let data_type = self.variable_type(&parameter);
            let named = child_name(&parameter, K::PARAM_NAME);
            let numbered = format!("${}", position + 1);
            all.push(Declared {
                name: numbered,
                data_type: data_type.clone(),
                value: value.clone(),
            });
            all.extend(named.map(|name| Declared {
                name,
                data_type,
                value,
            }));
        }
        all
    }

    /// Replays the body of a function as if its statements were in place of the call.
    fn follow_body(&mut self, function: &Function, arguments: Vec<Declared>) -> Result<()> {
        match function.source() {
            Source::Plpgsql(body) => self.block_with(body, arguments),
            Source::Sql(statements) => {
                let mut statements = statements.iter();
                statements.try_for_each(|statement| self.statement(statement))
            }
            Source::Other => Ok(()),
        }
    }
}

/// Returns true if a call of an extension's function only changes rows of the extension's own
/// tables, such as jobs, policies, messages or secrets.
pub(crate) fn is_of_extension(parts: &[String]) -> bool {
    const IN_SCHEMA: [(&str, &[&str]); 4] = [
        (
            "cron",
            &[
                "schedule",
                "schedule_in_database",
                "unschedule",
                "alter_job",
            ],
        ),
        ("net", &["http_get", "http_post", "http_delete"]),
        ("vault", &["create_secret", "update_secret"]),
        ("pgsodium", &["create_key"]),
    ];
    const ANYWHERE: [&str; 21] = [
        "postgis_extensions_upgrade",
        "postgis_full_version",
        "postgis_version",
        "postgis_lib_version",
        // TimescaleDB
        "add_job",
        "delete_job",
        "add_retention_policy",
        "remove_retention_policy",
        "add_compression_policy",
        "remove_compression_policy",
        "add_columnstore_policy",
        "remove_columnstore_policy",
        "add_continuous_aggregate_policy",
        "remove_continuous_aggregate_policy",
        "add_reorder_policy",
        "remove_reorder_policy",
        "refresh_continuous_aggregate",
        "set_chunk_time_interval",
        "set_integer_now_func",
        "timescaledb_pre_restore",
        "timescaledb_post_restore",
    ];
    let is_anywhere =
        |function: &String| ANYWHERE.contains(&function.as_str()) || citus::is_harmless(function);
    match parts {
        [.., schema, function] => {
            let of_schema = IN_SCHEMA.iter().find(|(name, _)| name == schema);
            of_schema.is_some_and(|(_, functions)| functions.contains(&function.as_str()))
                || is_anywhere(function)
        }
        [function] => is_anywhere(function),
        [] => false,
    }
}

/// Returns true if PostgreSQL or one of its extensions has a function of this name. None of them
/// runs DDL.
pub(crate) fn is_known(function: &str) -> bool {
    const SPECIAL: [&str; 6] = [
        "coalesce",
        "greatest",
        "least",
        "nullif",
        "grouping",
        "diesel_manage_updated_at",
    ];
    const RUNS_SQL: [&str; 6] = [
        "query_to_xml",
        "query_to_xmlschema",
        "query_to_xml_and_xmlschema",
        "cursor_to_xml",
        "crosstab",
        "connectby",
    ];
    SPECIAL.contains(&function)
        || (!RUNS_SQL.contains(&function) && builtin::has_function(function))
}

//! Functions and procedures: kept, so that those which a migration calls can be followed.

use squawk_syntax::ast::{self, AstNode as _};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::refusal::{Refused, Result};
use super::tree::{below, child, child_name, children, has, name, path, string};
use super::variables::Declared;
use super::{Replay, SYSTEM, builtin, data_type};
use crate::routine::Routine;
use crate::{DataType, Name};

/// A function as a migration made it.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) name: Name,
    /// As the catalog keeps it, if all of that is known.
    pub(super) routine: Option<Routine>,
    /// Of the arguments that a call gives.
    pub(super) argument_types: Vec<DataType>,
    /// How many of the last can be left out.
    pub(super) defaults: usize,
    pub(super) is_variadic: bool,
    pub(super) result: Returned,
    /// The statement that made it.
    pub(super) definition: SyntaxNode,
}

impl Function {
    /// Whether a call can have so many arguments.
    pub(super) fn takes(&self, count: usize) -> bool {
        let most = self.argument_types.len();
        let least = most - self.defaults.min(most);
        let is_enough = least <= count || (self.is_variadic && least <= count + 1);
        is_enough && (count <= most || self.is_variadic) && !is_of_trigger(&self.definition)
    }
}

/// What a function gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Returned {
    /// Procedures, and `RETURNS void`.
    Nothing,
    One {
        data_type: DataType,
        is_set: bool,
    },
    /// `RETURNS TABLE` and OUT arguments.
    Columns {
        columns: Vec<(String, DataType)>,
        is_set: bool,
    },
    /// Of a type that is not known.
    Unknown,
}

impl Returned {
    /// Whether a call may give more or fewer than one value.
    pub(super) fn is_set(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::One { is_set, .. } | Self::Columns { is_set, .. } => *is_set,
            Self::Unknown => true,
        }
    }
}

impl Replay {
    pub(super) fn create_function(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let given = node
            .children()
            .find(|child| matches!(child.kind(), K::FUNCTION_NAME | K::PROCEDURE_NAME))
            .ok_or_else(|| Refused::new(node, "the function's name is not given"))?;
        let full = self.routine_name(node, &given);
        let Some(parameters) = child(node, K::PARAM_LIST) else {
            return Ok(());
        };
        let mut function = Function {
            name: full,
            routine: None,
            argument_types: Vec::new(),
            defaults: 0,
            is_variadic: false,
            result: self.returned(node),
            definition: node.clone(),
        };
        for parameter in children(&parameters, K::PARAM) {
            if has(&parameter, K::PARAM_OUT) {
                continue;
            }
            let Some(data_type) = self.routine_type(&parameter) else {
                // Of an argument whose type is not known, nothing can be said; calls of it are refused.
                function.result = Returned::Unknown;
                continue;
            };
            function.argument_types.push(data_type);
            function.defaults += usize::from(has(&parameter, K::PARAM_DEFAULT));
            function.is_variadic |= has(&parameter, K::PARAM_VARIADIC);
        }
        self.add_form(node, function);
        Ok(())
    }

    /// The name of a new function; in a schema that is not known it is where it is written.
    fn routine_name(&self, node: &SyntaxNode, given: &SyntaxNode) -> Name {
        self.new_name(node, given).unwrap_or_else(|_| {
            let mut parts = path(given);
            let name = parts.pop().unwrap_or_default();
            let schema = parts.pop().unwrap_or_else(|| super::PUBLIC.to_owned());
            Name { schema, name }
        })
    }

    fn add_form(&mut self, node: &SyntaxNode, function: Function) {
        let function = self.with_routine(node, function);
        let named = function.name.name.clone();
        self.writes.forget_function(&named);
        let forms = self.functions.entry(named).or_default();
        forms.retain(|form| {
            form.name != function.name
                || !super::routine::same_types(&form.argument_types, &function.argument_types)
        });
        forms.push(function);
    }

    /// An aggregate, whose result follows from its state, or from the function that ends it.
    pub(super) fn create_aggregate(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let given = child(node, K::AGGREGATE_NAME)
            .ok_or_else(|| Refused::new(node, "the aggregate's name is not given"))?;
        let mut function = Function {
            name: self.routine_name(node, &given),
            routine: None,
            argument_types: Vec::new(),
            defaults: 0,
            is_variadic: false,
            result: Returned::Unknown,
            definition: node.clone(),
        };
        let mut is_known = true;
        let parameters = child(node, K::PARAM_LIST);
        for parameter in parameters.iter().flat_map(|list| children(list, K::PARAM)) {
            match self.routine_type(&parameter) {
                Some(data_type) => function.argument_types.push(data_type),
                None => is_known = false,
            }
            function.is_variadic |= has(&parameter, K::PARAM_VARIADIC);
        }
        // The old form says the type of its argument among the options.
        let base = attribute(node, "basetype").filter(|_| parameters.is_none());
        if let Some(base) = base {
            match self.routine_type(&base) {
                Some(data_type) if data_type.name.name == "any" => {}
                Some(data_type) => function.argument_types.push(data_type),
                None => is_known = false,
            }
        }
        if let Some(result) = self.result_of_aggregate(node, &function.argument_types)
            && is_known
        {
            function.result = Returned::One {
                data_type: result,
                is_set: false,
            };
        }
        self.add_form(node, function);
        Ok(())
    }

    pub(super) fn result_of_aggregate(
        &self,
        node: &SyntaxNode,
        arguments: &[DataType],
    ) -> Option<DataType> {
        let state = attribute(node, "stype").or_else(|| attribute(node, "stype1"))?;
        let state = self.routine_type(&state)?;
        let Some(last) = attribute(node, "finalfunc") else {
            return Some(state);
        };
        let is_extra = attribute(node, "finalfunc_extra").is_some()
            || below(node, SyntaxKind::ATTRIBUTE_NAME)
                .any(|option| name(&option) == "finalfunc_extra");
        let mut given = vec![state];
        if is_extra {
            given.extend(arguments.iter().cloned());
        }
        self.result_of_call(&path(&last), &given)
    }

    /// The type of an argument or result, PostgreSQL's pseudo-types among them.
    pub(super) fn routine_type(&self, node: &SyntaxNode) -> Option<DataType> {
        if let Ok(typed) =
            data_type::child_type(self, node).or_else(|_| data_type::read(self, node))
        {
            return Some(typed.data_type);
        }
        let parts: Vec<String> = super::tree::tokens(node)
            .filter(|token| token.kind() != SyntaxKind::DOT)
            .map(|token| super::tree::identifier(token.text()))
            .collect();
        let pseudo = PSEUDO_TYPES.into_iter().find(|pseudo| {
            let mut parts = parts.iter();
            parts.any(|part| part == pseudo)
        })?;
        let dimensions = u8::from(parts.iter().any(|part| part == "["));
        Some(DataType {
            name: Name {
                schema: SYSTEM.to_owned(),
                name: pseudo.to_owned(),
            },
            modifiers: Vec::new(),
            dimensions,
        })
    }

    fn returned(&self, node: &SyntaxNode) -> Returned {
        use SyntaxKind as K;
        let mut columns = Vec::new();
        let out = child(node, K::PARAM_LIST)
            .iter()
            .flat_map(|list| children(list, K::PARAM))
            .filter(|parameter| {
                parameter
                    .children()
                    .any(|mode| matches!(mode.kind(), K::PARAM_OUT | K::PARAM_IN_OUT))
            })
            .collect::<Vec<_>>();
        let returns = child(node, K::RET_TYPE);
        let is_set = returns
            .as_ref()
            .is_some_and(|returns| has_token(returns, K::SETOF_KW));
        let table = returns
            .as_ref()
            .and_then(|returns| child(returns, K::RETURN_TABLE_ARG_LIST));
        let of_table = table
            .iter()
            .flat_map(|table| children(table, K::RETURN_TABLE_COLUMN));
        for column in of_table.chain(out) {
            let named = child_name(&column, K::COLUMN_NAME)
                .or_else(|| child_name(&column, K::PARAM_NAME))
                .unwrap_or_else(|| format!("column{}", columns.len() + 1));
            match data_type::child_type(self, &column) {
                Ok(typed) => columns.push((named, typed.data_type)),
                Err(_) => return Returned::Unknown,
            }
        }
        if !columns.is_empty() {
            let is_set = is_set || table.is_some();
            return Returned::Columns { columns, is_set };
        }
        let Some(returns) = returns else {
            return Returned::Nothing;
        };
        match data_type::child_type(self, &returns) {
            Ok(typed) => Returned::One {
                data_type: typed.data_type,
                is_set,
            },
            Err(_) => match self.routine_type(&returns) {
                Some(data_type) if data_type.name.name.starts_with("any") => {
                    Returned::One { data_type, is_set }
                }
                _ => Returned::Unknown,
            },
        }
    }

    /// The types of the arguments in a signature, if it has a list and they are known.
    pub(super) fn argument_types(&self, signature: &SyntaxNode) -> Option<Vec<DataType>> {
        let list = child(signature, SyntaxKind::PARAM_LIST)?;
        children(&list, SyntaxKind::PARAM)
            .filter(|parameter| !has(parameter, SyntaxKind::PARAM_OUT))
            .map(|parameter| self.routine_type(&parameter))
            .collect()
    }

    /// A query shapes nothing but by the functions that it calls.
    pub(super) fn call_in_query(&mut self, node: &SyntaxNode) -> Result<()> {
        for call in calls_in(node) {
            let parts = callee(&call);
            let function = parts.last().cloned().unwrap_or_default();
            if function == "set_config" {
                let arguments = child(&call, SyntaxKind::ARG_LIST);
                let literals: Vec<_> = arguments
                    .iter()
                    .flat_map(SyntaxNode::children)
                    .map(|argument| string(&argument))
                    .collect();
                if let [Some(parameter), Some(value), ..] = literals.as_slice()
                    && parameter == "search_path"
                {
                    self.set_config(&value.clone());
                }
                continue;
            }
            if !self.functions.contains_key(&function) && is_of_extension(&parts) {
                continue;
            }
            self.call(node, &function, Some(&call))?;
        }
        Ok(())
    }

    pub(super) fn call_procedure(&mut self, node: &SyntaxNode) -> Result<()> {
        self.call_in_query(node)?;
        let named = child(node, SyntaxKind::PROCEDURE_NAME_REF).map(|named| path(&named));
        let parts = named.unwrap_or_default();
        let procedure = parts.last().cloned().unwrap_or_default();
        if !self.functions.contains_key(&procedure) && is_of_extension(&parts) {
            return Ok(());
        }
        self.call(node, &procedure, Some(node))
    }

    /// Follows a call of a function: PostgreSQL's own shape nothing, a migration's own are looked into.
    ///
    /// `call` holds the arguments, where they are known.
    pub(super) fn call(
        &mut self,
        node: &SyntaxNode,
        function: &str,
        call: Option<&SyntaxNode>,
    ) -> Result<()> {
        let forms = self.functions.get(function).cloned().unwrap_or_default();
        if forms.is_empty() {
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
        let followed = self.follow_call(node, function, &forms, call);
        self.calls.pop();
        followed
    }

    fn follow_call(
        &mut self,
        node: &SyntaxNode,
        function: &str,
        forms: &[Function],
        call: Option<&SyntaxNode>,
    ) -> Result<()> {
        let shaping: Vec<_> = forms
            .iter()
            .filter(|form| self.shapes(&form.definition))
            .collect();
        match (shaping.as_slice(), forms) {
            ([], _) => {
                self.guards_of_call(forms, call);
                Ok(())
            }
            ([_], [form]) => {
                let definition = form.definition.clone();
                let reads_rows = node
                    .descendants()
                    .any(|part| part.kind() == SyntaxKind::FROM_CLAUSE);
                if reads_rows {
                    return Err(Refused::new(
                        node,
                        format!("how often {function} runs depends on the rows that this reads"),
                    ));
                }
                let arguments = self.arguments_of(&definition, call);
                self.follow_body(&definition, arguments).map_err(|refused| {
                    let why = format!("this calls the function {function}: {}", refused.why);
                    Refused::new(node, why).do_this(refused.hint)
                })
            }
            _ => Err(Refused::new(
                node,
                format!("{function} has several forms, and it is not clear which is called"),
            )),
        }
    }

    /// What a called function does to triggers, policies and rules.
    fn guards_of_call(&mut self, forms: &[Function], call: Option<&SyntaxNode>) {
        for form in forms {
            let definition = form.definition.clone();
            let bodies = bodies(&definition);
            let Some(body) = bodies.iter().find(|body| self.guards(body)) else {
                continue;
            };
            if forms.len() > 1 {
                self.note_guard_gaps(body);
                continue;
            }
            let arguments = self.arguments_of(&definition, call);
            self.attempt(body, (), |replay| {
                replay.follow_body(&definition, arguments)
            });
        }
    }

    /// The values of the arguments under their names, those of defaults too.
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
        for (place, parameter) in parameters.enumerate() {
            let value = match given.get(place) {
                Some(argument) => self.evaluate(argument),
                None => child(&parameter, K::PARAM_DEFAULT)
                    .and_then(|default| default.children().next())
                    .and_then(|default| self.evaluate(&default)),
            };
            let value = value.filter(|_| is_plain && call.is_some());
            let data_type = self.variable_type(&parameter);
            let named = child_name(&parameter, K::PARAM_NAME);
            let numbered = format!("${}", place + 1);
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

    /// Follows the body of a function as if its statements stood where it is called.
    fn follow_body(&mut self, definition: &SyntaxNode, arguments: Vec<Declared>) -> Result<()> {
        if let Some(body) = plpgsql(definition) {
            return self.block_with(&body, arguments);
        }
        for statement in sql_statements(definition) {
            self.statement(&statement)?;
        }
        Ok(())
    }

    /// Whether following the body could change the catalog.
    fn shapes(&self, definition: &SyntaxNode) -> bool {
        if let Some(body) = plpgsql(definition) {
            return self.block_shapes(&body);
        }
        let is_sql = language(definition).is_none_or(|language| language == "sql");
        !is_sql
            || sql_statements(definition)
                .iter()
                .any(|statement| self.statement_shapes(statement))
    }

    pub(super) fn statement_shapes(&self, statement: &SyntaxNode) -> bool {
        let shapes = |kind| {
            !super::harmless::is_harmless(kind)
                && !super::guard::is_guard(kind)
                && !matches!(
                    kind,
                    SyntaxKind::SELECT
                        | SyntaxKind::COMPOUND_SELECT
                        | SyntaxKind::VALUES
                        | SyntaxKind::PAREN_SELECT
                        | SyntaxKind::SET
                        | SyntaxKind::COMMENT_ON
                        | SyntaxKind::CREATE_AGGREGATE
                        | SyntaxKind::DROP_AGGREGATE
                )
        };
        shapes(statement.kind()) || self.calls_shape(statement)
    }

    /// Whether a function that is called somewhere below shapes anything.
    pub(super) fn calls_shape(&self, node: &SyntaxNode) -> bool {
        calls_in(node).any(|call| {
            let parts = callee(&call);
            let function = parts.last().cloned().unwrap_or_default();
            match self.functions.get(&function) {
                // One that calls itself is looked into once.
                Some(_) if self.calls.contains(&function) => false,
                Some(forms) => forms.iter().any(|form| self.shapes(&form.definition)),
                None => !is_of_extension(&parts) && !is_known(&function),
            }
        })
    }

    /// Whether an expression or view of the catalog calls this function.
    pub(super) fn is_called(&self, function: &str) -> bool {
        !self.uses_of_function(function).is_empty()
    }
}

/// Types that only functions have.
const PSEUDO_TYPES: [&str; 21] = [
    "any",
    "anyelement",
    "anyarray",
    "anynonarray",
    "anyenum",
    "anyrange",
    "anymultirange",
    "anycompatible",
    "anycompatiblearray",
    "anycompatiblenonarray",
    "anycompatiblerange",
    "anycompatiblemultirange",
    "cstring",
    "internal",
    "record",
    "trigger",
    "event_trigger",
    "void",
    "language_handler",
    "fdw_handler",
    "table_am_handler",
];

/// The value of an option in the brackets of CREATE AGGREGATE.
pub(super) fn attribute(node: &SyntaxNode, option: &str) -> Option<SyntaxNode> {
    use SyntaxKind as K;
    let list = child(node, K::ATTRIBUTE_LIST)?;
    let found = children(&list, K::ATTRIBUTE_OPTION)
        .find(|own| child_name(own, K::ATTRIBUTE_NAME).as_deref() == Some(option))?;
    child(&found, K::ATTRIBUTE_VALUE)
}

fn has_token(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    super::tree::tokens(node).any(|token| token.kind() == kind)
}

/// The language that a definition names.
fn language(definition: &SyntaxNode) -> Option<String> {
    definition
        .descendants()
        .find(|child| child.kind() == SyntaxKind::LANGUAGE_REF)
        .map(|language| name(&language).to_ascii_lowercase())
}

/// The body of a function in PL/pgSQL.
fn plpgsql(definition: &SyntaxNode) -> Option<SyntaxNode> {
    let body = ast::CreateFunction::cast(definition.clone())
        .and_then(|function| function.plpgsql())
        .or_else(|| {
            ast::CreateProcedure::cast(definition.clone()).and_then(|procedure| procedure.plpgsql())
        });
    body.map(|body| body.syntax())
}

/// Whether a function is one that a trigger runs.
pub(super) fn is_of_trigger(definition: &SyntaxNode) -> bool {
    child(definition, SyntaxKind::RET_TYPE).is_some_and(|returns| {
        super::tree::tokens(&returns).any(|token| token.text().eq_ignore_ascii_case("trigger"))
    })
}

/// What runs when a function is called; of other languages nothing is known, and nothing given.
pub(super) fn bodies(definition: &SyntaxNode) -> Vec<SyntaxNode> {
    match plpgsql(definition) {
        Some(body) => vec![body],
        None => sql_statements(definition),
    }
}

/// The statements of a function in SQL.
fn sql_statements(definition: &SyntaxNode) -> Vec<SyntaxNode> {
    if let Some(atomic) = child(definition, SyntaxKind::ATOMIC_BODY) {
        return atomic.children().collect();
    }
    let body = ast::CreateFunction::cast(definition.clone())
        .and_then(|function| function.sql_body())
        .or_else(|| {
            ast::CreateProcedure::cast(definition.clone())
                .and_then(|procedure| procedure.sql_body())
        });
    body.map(|body| body.syntax().children().collect())
        .unwrap_or_default()
}

/// Calls of functions by name; what has a syntax of its own, like EXISTS, is no call.
pub(super) fn calls_in(node: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> {
    node.descendants()
        .filter(|node| node.kind() == SyntaxKind::CALL_EXPR)
        .filter(|call| {
            call.children().next().is_some_and(|callee| {
                matches!(callee.kind(), SyntaxKind::NAME_REF | SyntaxKind::FIELD_EXPR)
            })
        })
}

/// The name of what is called, in its parts.
pub(super) fn callee(call: &SyntaxNode) -> Vec<String> {
    call.children()
        .next()
        .map(|callee| super::tree::path(&callee))
        .unwrap_or_default()
}

/// Whether a call of an extension's function changes rows of the extension's own tables and nothing else: jobs, their
/// policies, messages, secrets.
fn is_of_extension(parts: &[String]) -> bool {
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
    const ANYWHERE: [&str; 24] = [
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
        // Citus
        "create_distributed_table",
        "create_reference_table",
        "create_distributed_function",
    ];
    match parts {
        [.., schema, function] => {
            let of_schema = IN_SCHEMA.iter().find(|(own, _)| own == schema);
            of_schema.is_some_and(|(_, functions)| functions.contains(&function.as_str()))
                || ANYWHERE.contains(&function.as_str())
        }
        [function] => ANYWHERE.contains(&function.as_str()),
        [] => false,
    }
}

/// Whether PostgreSQL or one of its extensions has a function of this name, none of which runs DDL.
fn is_known(function: &str) -> bool {
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
        || (builtin::builtin()
            .functions(function, |_| true)
            .next()
            .is_some()
            && !RUNS_SQL.contains(&function))
}

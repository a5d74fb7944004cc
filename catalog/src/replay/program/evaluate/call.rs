//! Calls of built-in functions whose result depends only on their arguments.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::builtin;
use crate::replay::program::Program;
use crate::replay::program::evaluate::rows::{self, Row};
use crate::replay::program::evaluate::system_tables::current_database;
use crate::replay::program::evaluate::{self, Datum, Scope, functions};
use crate::replay::syntax::SYSTEM;
use crate::replay::syntax::expression;
use crate::replay::syntax::routine::callee;
use crate::replay::syntax::tree::{child, has, is_query};

const AGGREGATES: [&str; 12] = [
    "count",
    "array_agg",
    "string_agg",
    "bool_or",
    "bool_and",
    "every",
    "min",
    "max",
    "sum",
    "avg",
    "json_agg",
    "jsonb_agg",
];

/// Returns true if an aggregate is called outside of a subquery.
pub(crate) fn has_aggregate(node: &SyntaxNode) -> bool {
    let is_one = node.kind() == SyntaxKind::CALL_EXPR
        && callee(node)
            .last()
            .is_some_and(|name| AGGREGATES.contains(&name.as_str()));
    is_one
        || node
            .children()
            .filter(|part| !is_query(part.kind()))
            .any(|part| has_aggregate(&part))
}

impl Program {
    pub(crate) fn value_of_call(&self, node: &SyntaxNode, scope: &Scope<'_>) -> Option<Datum> {
        if let Some(exists) = child(node, SyntaxKind::EXISTS_FN) {
            let query = exists.children().find(|part| is_query(part.kind()))?;
            return Some(Datum::Bool(!self.rows_of(&query, scope)?.is_empty()));
        }
        if node.children().any(|part| {
            matches!(
                part.kind(),
                SyntaxKind::FILTER_CLAUSE | SyntaxKind::OVER_CLAUSE | SyntaxKind::WITHIN_CLAUSE
            )
        }) {
            return None;
        }
        let parts = callee(node);
        let function = parts.last()?.as_str();
        if self.state.functions().contains_key(function) || (parts.len() > 1 && parts[0] != SYSTEM)
        {
            return None;
        }
        let list = child(node, SyntaxKind::ARG_LIST)?;
        if let Some(rows) = scope.group
            && AGGREGATES.contains(&function)
        {
            return self.aggregate(function, &list, rows, scope);
        }
        if matches!(function, "coalesce") {
            for argument in list.children() {
                match self.value_of(&argument, scope)? {
                    Datum::Null => {}
                    value => return Some(value),
                }
            }
            return Some(Datum::Null);
        }
        let arguments = list.children().map(|argument| match argument.kind() {
            SyntaxKind::ARG
                if argument.children().count() == 1 && !has(&argument, SyntaxKind::VARIADIC_KW) =>
            {
                self.value_of(&argument, scope)
            }
            _ => None,
        });
        let fills = self.open_numbers.get() && matches!(function, "format" | "concat");
        let arguments = arguments.map(|argument| match argument {
            None if fills => evaluate::unknown_number(),
            argument => argument,
        });
        let arguments = arguments.collect::<Option<Vec<_>>>()?;
        match (function, arguments.as_slice()) {
            ("current_schema", []) => {
                let schema = self
                    .state
                    .search_path()
                    .iter()
                    .find(|argument| self.state.schemas().contains(*argument));
                schema.map(|schema| Datum::Text(schema.clone()))
            }
            ("current_database", []) => Some(current_database()),
            ("to_regclass", [name]) | ("to_regtype", [name]) if function == "to_regclass" => {
                let found = self
                    .state
                    .find_relation(&expression::words(&name.written()?));
                Some(found.map_or(Datum::Null, |name| Datum::Object {
                    name,
                    is_named: true,
                }))
            }
            ("pg_table_is_visible" | "pg_type_is_visible", [Datum::Object { name, .. }]) => {
                let is_first = |name: &crate::Name| {
                    self.state
                        .find_relation(std::slice::from_ref(&name.name))
                        .as_ref()
                        == Some(name)
                };
                Some(Datum::Bool(name.schema == SYSTEM || is_first(name)))
            }
            _ => functions::plain(function, &arguments),
        }
    }

    fn aggregate(
        &self,
        function: &str,
        list: &SyntaxNode,
        rows: &[Row],
        scope: &Scope<'_>,
    ) -> Option<Datum> {
        let mut arguments = list
            .children()
            .filter(|part| part.kind() == SyntaxKind::ARG);
        let values = |argument: Option<SyntaxNode>| -> Option<Vec<Datum>> {
            let argument = argument?;
            (argument.children().count() == 1).then_some(())?;
            rows.iter()
                .map(|row| {
                    let scope = Scope {
                        row: Some(row),
                        group: None,
                        outer: scope.outer,
                    };
                    self.value_of(&argument, &scope)
                })
                .collect()
        };
        let is_plain = !has(list, SyntaxKind::DISTINCT);
        if rows.is_empty() && function != "count" {
            return Some(Datum::Null);
        }
        match function {
            _ if !is_plain => None,
            "count" => match arguments
                .next()
                .filter(|argument| argument.children().next().is_some())
            {
                None => i64::try_from(rows.len()).ok().map(Datum::Int),
                argument => {
                    let values = values(argument)?;
                    let count = values.iter().filter(|value| **value != Datum::Null).count();
                    i64::try_from(count).ok().map(Datum::Int)
                }
            },
            "array_agg" => Some(Datum::List(values(arguments.next())?)),
            // The order of texts depends on their collation.
            "max" | "min" => {
                let numbers = values(arguments.next())?
                    .into_iter()
                    .map(|value| match value {
                        Datum::Int(number) => Some(number),
                        _ => None,
                    });
                let numbers = numbers.collect::<Option<Vec<_>>>()?.into_iter();
                let found = if function == "max" {
                    numbers.max()
                } else {
                    numbers.min()
                };
                Some(found.map_or(Datum::Null, Datum::Int))
            }
            "string_agg" => {
                let values = values(arguments.next())?;
                let between = self.value_of(&arguments.next()?, scope)?.written()?;
                let texts = values.iter().filter(|value| **value != Datum::Null);
                let texts = texts.map(Datum::written).collect::<Option<Vec<_>>>()?;
                Some(Datum::Text(texts.join(&between)))
            }
            _ => None,
        }
    }

    /// Returns true if a call may return no value or several.
    pub(crate) fn may_return_set(&self, call: &SyntaxNode) -> bool {
        let function = callee(call).pop().unwrap_or_default();
        match self.state.functions().get(&function) {
            Some(overloads) => overloads.iter().any(|function| function.result.is_set()),
            None => {
                let mut overloads = builtin::functions(&function, |_| true);
                overloads.any(|function| function.is_set)
            }
        }
    }

    /// Returns the rows of a migration's function that consists of one query without arguments.
    pub(crate) fn rows_of_function(&self, call: &SyntaxNode) -> Option<Vec<rows::Output>> {
        let function = callee(call).pop()?;
        let [function] = self.state.functions().get(&function)?.as_slice() else {
            return None;
        };
        let [query] = function.bodies() else {
            return None;
        };
        let is_plain = function.argument_types.is_empty() && is_query(query.kind());
        is_plain.then(|| self.rows_of(query, &Scope::default()))?
    }

    /// Returns the values of a set-returning function in FROM.
    pub(crate) fn set_of(&self, call: &SyntaxNode, scope: &Scope<'_>) -> Option<Vec<Datum>> {
        let function = callee(call).pop()?;
        let list = child(call, SyntaxKind::ARG_LIST)?;
        let arguments = list
            .children()
            .map(|argument| self.value_of(&argument, scope));
        let arguments = arguments.collect::<Option<Vec<_>>>()?;
        (!self.state.functions().contains_key(&function))
            .then(|| functions::set(&function, &arguments))?
    }
}

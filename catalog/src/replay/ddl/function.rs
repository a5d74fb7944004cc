//! CREATE FUNCTION, PROCEDURE and AGGREGATE.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::Name;
use crate::replay::ddl::{precondition, repeated, routine};
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::functions::{Function, Returned};
use crate::replay::state::{self, State, data_type};
use crate::replay::syntax::routine::{attribute, has_token};
use crate::replay::syntax::tree::{child, child_name, children, has, path};

pub(crate) fn create_function(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let given = node
        .children()
        .find(|child| matches!(child.kind(), K::FUNCTION_NAME | K::PROCEDURE_NAME))
        .ok_or_else(|| Refused::new(node, "the function's name is not given"))?;
    let full = routine_name(state, node, &given);
    let Some(parameters) = child(node, K::PARAM_LIST) else {
        return Ok(());
    };
    repeated::are_parameters(&parameters)?;
    let mut function = Function::new(full, node);
    function.result = returned(state, node);
    for parameter in children(&parameters, K::PARAM) {
        if has(&parameter, K::PARAM_OUT) {
            continue;
        }
        let Some(data_type) = state.routine_type(&parameter) else {
            // The type of an argument is not known, so calls of the function are refused.
            function.result = Returned::Unknown;
            continue;
        };
        function.argument_types.push(data_type);
        function.defaults += usize::from(has(&parameter, K::PARAM_DEFAULT));
        function.is_variadic |= has(&parameter, K::PARAM_VARIADIC);
    }
    add_overload(state, node, function)
}

/// Returns the name of a new function. In an unknown schema, it is the name as written.
fn routine_name(state: &State, node: &SyntaxNode, given: &SyntaxNode) -> Name {
    state.new_name(node, given).unwrap_or_else(|_| {
        let mut parts = path(given);
        let name = parts.pop().unwrap_or_default();
        let schema = parts.pop().unwrap_or_else(|| state::PUBLIC.to_owned());
        Name { schema, name }
    })
}

fn add_overload(state: &mut State, node: &SyntaxNode, function: Function) -> Result<()> {
    let function = routine::with_definition(state, node, function);
    precondition::may_be_created(state, node, &function)?;
    state.add_function(function);
    Ok(())
}

/// Creates an aggregate. Its result is that of its final function, or else its state type.
pub(crate) fn create_aggregate(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let given = child(node, K::AGGREGATE_NAME)
        .ok_or_else(|| Refused::new(node, "the aggregate's name is not given"))?;
    let mut function = Function::new(routine_name(state, node, &given), node);
    let mut is_known = true;
    let parameters = child(node, K::PARAM_LIST);
    for parameter in parameters.iter().flat_map(|list| children(list, K::PARAM)) {
        match state.routine_type(&parameter) {
            Some(data_type) => function.argument_types.push(data_type),
            None => is_known = false,
        }
        function.is_variadic |= has(&parameter, K::PARAM_VARIADIC);
    }
    // The old syntax gives the type of the argument among the options.
    let base = attribute(node, "basetype").filter(|_| parameters.is_none());
    if let Some(base) = base {
        match state.routine_type(&base) {
            Some(data_type) if data_type.name.name == "any" => {}
            Some(data_type) => function.argument_types.push(data_type),
            None => is_known = false,
        }
    }
    if let Some(result) = routine::aggregate_result(state, node, &function.argument_types)
        && is_known
    {
        function.result = Returned::One {
            data_type: result,
            is_set: false,
        };
    }
    add_overload(state, node, function)
}

fn returned(state: &State, node: &SyntaxNode) -> Returned {
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
        match data_type::child_type(state, &column) {
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
    match data_type::child_type(state, &returns) {
        Ok(typed) => Returned::One {
            data_type: typed.data_type,
            is_set,
        },
        Err(_) => match state.routine_type(&returns) {
            Some(data_type) if data_type.name.name.starts_with("any") => {
                Returned::One { data_type, is_set }
            }
            _ => Returned::Unknown,
        },
    }
}

//! The catalog's entry of a function, procedure or aggregate: read from its CREATE statement,
//! changed by ALTER and COMMENT ON.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::definition::quoted;
use crate::gap::GapKind;
use crate::privilege::Privileges;
use crate::replay::analysis;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::state::expressions::Columns;
use crate::replay::state::functions::{Function, same_types};
use crate::replay::syntax::routine::{attribute, is_signature};
use crate::replay::syntax::tree::{
    below, child, child_name, children, has, name, path, string, text, tokens,
};
use crate::routine::{Argument, Body, LISTS, Mode, Routine, RoutineKind, Volatility};
use crate::{DataType, Name};

/// Reads a CREATE statement into the catalog's entry. The error names the part that is not known.
pub(crate) fn read_routine(state: &State, node: &SyntaxNode, name: Name) -> Result<Routine> {
    use SyntaxKind as K;
    let kind = match node.kind() {
        K::CREATE_PROCEDURE => RoutineKind::Procedure,
        K::CREATE_AGGREGATE => RoutineKind::Aggregate,
        _ => RoutineKind::Function,
    };
    let mut routine = Routine {
        name,
        kind,
        arguments: Vec::new(),
        result: None,
        returns_set: false,
        language: "sql".to_owned(),
        body: Body::Text(String::new()),
        volatility: Volatility::Volatile,
        strict: false,
        security_definer: false,
        leakproof: false,
        parallel: "unsafe".to_owned(),
        settings: Vec::new(),
        comment: None,
        privileges: Privileges::default(),
    };
    let parameters = child(node, K::PARAM_LIST);
    for parameter in parameters.iter().flat_map(|list| children(list, K::PARAM)) {
        let mode = if has(&parameter, K::PARAM_OUT) {
            Mode::Out
        } else if has(&parameter, K::PARAM_IN_OUT) {
            Mode::InOut
        } else if has(&parameter, K::PARAM_VARIADIC) {
            Mode::Variadic
        } else {
            Mode::In
        };
        let default = child(&parameter, K::PARAM_DEFAULT)
            .and_then(|default| default.children().next())
            .map(|default| state.as_stored(text(&default), Columns::Nothing));
        routine.arguments.push(Argument {
            mode,
            name: child_name(&parameter, K::PARAM_NAME),
            data_type: known_type(state, &parameter)?,
            default,
        });
    }
    if kind == RoutineKind::Aggregate {
        return aggregate_routine(state, node, routine, parameters.is_none());
    }
    if let Some(returns) = child(node, K::RET_TYPE) {
        let columns = child(&returns, K::RETURN_TABLE_ARG_LIST);
        routine.returns_set =
            columns.is_some() || tokens(&returns).any(|token| token.kind() == K::SETOF_KW);
        for column in columns
            .iter()
            .flat_map(|list| children(list, K::RETURN_TABLE_COLUMN))
        {
            routine.arguments.push(Argument {
                mode: Mode::Table,
                name: child_name(&column, K::COLUMN_NAME),
                data_type: known_type(state, &column)?,
                default: None,
            });
        }
        let has_result_columns = routine
            .arguments
            .iter()
            .any(|argument| matches!(argument.mode, Mode::Out | Mode::InOut | Mode::Table));
        if !has_result_columns {
            routine.result = Some(known_type(state, &returns)?);
        }
    }
    if let Some(options) = child(node, K::FUNC_OPTION_LIST) {
        apply_options(&mut routine, &options)?;
    }
    let body = node
        .children()
        .find(|part| matches!(part.kind(), K::RETURN_STMT | K::ATOMIC_BODY));
    if let Some(body) = body {
        routine.body = Body::Sql(state.code(text(&body).trim_end_matches(';').to_owned()));
    }
    Ok(routine)
}

/// Completes the entry of an aggregate. In the old syntax, its argument is an option.
fn aggregate_routine(
    state: &State,
    node: &SyntaxNode,
    mut routine: Routine,
    is_old_syntax: bool,
) -> Result<Routine> {
    let attribute_of = |option: &str| attribute(node, option);
    if let Some(base) = attribute_of("basetype").filter(|_| is_old_syntax) {
        let data_type = known_type(state, &base)?;
        if data_type.name.name != "any" {
            routine.arguments.push(Argument {
                mode: Mode::In,
                name: None,
                data_type,
                default: None,
            });
        }
    }
    let state_type = attribute_of("stype").or_else(|| attribute_of("stype1"));
    let state_type = state_type
        .map(|named| known_type(state, &named))
        .transpose()?;
    let given: Vec<DataType> = routine.argument_types();
    routine.language = "internal".to_owned();
    let result = aggregate_result(state, node, &given);
    let result = result.ok_or_else(|| Refused::new(node, "its result type is not known"))?;
    routine.result = Some(result.of_signature());
    let function = |option: &str| attribute_of(option).map(|given| name(&given));
    let parts = [
        ("SFUNC", function("sfunc").or_else(|| function("sfunc1"))),
        ("STYPE", state_type.map(|data_type| format_type(&data_type))),
        ("FINALFUNC", function("finalfunc")),
        (
            "INITCOND",
            attribute_of("initcond")
                .or_else(|| attribute_of("initcond1"))
                .map(|initial| string(&initial).unwrap_or_else(|| text(&initial))),
        ),
    ];
    let parts = parts
        .into_iter()
        .filter_map(|(word, value)| Some(format!("{word} = {}", value?)));
    routine.body = Body::Text(parts.collect::<Vec<_>>().join(", "));
    if let Some(parallel) = attribute_of("parallel") {
        routine.parallel = name(&parallel).to_ascii_lowercase();
    }
    routine.volatility = Volatility::Immutable;
    Ok(routine)
}

/// Returns the result type of an aggregate.
pub(crate) fn aggregate_result(
    state: &State,
    node: &SyntaxNode,
    arguments: &[DataType],
) -> Option<DataType> {
    let state_type = attribute(node, "stype").or_else(|| attribute(node, "stype1"))?;
    let state_type = state.routine_type(&state_type)?;
    let Some(final_function) = attribute(node, "finalfunc") else {
        return Some(state_type);
    };
    let is_extra = attribute(node, "finalfunc_extra").is_some()
        || below(node, SyntaxKind::ATTRIBUTE_NAME).any(|option| name(&option) == "finalfunc_extra");
    let mut given = vec![state_type];
    if is_extra {
        given.extend(arguments.iter().cloned());
    }
    analysis::result_of_call(state, &path(&final_function), &given)
}

/// Returns the type of a parameter or result, also of the form `table.column%TYPE`.
fn known_type(state: &State, node: &SyntaxNode) -> Result<DataType> {
    let percent_type = || {
        let percent = below(node, SyntaxKind::PERCENT_TYPE).next()?;
        let reference = child(&percent, SyntaxKind::PATH_REF)?;
        let mut parts = path(&reference);
        let column = parts.pop()?;
        let table = state.find_relation(&parts)?;
        let mut columns = state.catalog().relations.get(&table)?.columns.iter();
        let found = columns.find(|other| other.name == column)?;
        Some(found.data_type.clone())
    };
    let found = percent_type().or_else(|| state.routine_type(node));
    let found = found.ok_or_else(|| Refused::new(node, "one of its types is not known"))?;
    Ok(found.of_signature())
}

/// Applies ALTER FUNCTION and similar statements.
pub(crate) fn alter_routine(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let signature = node
        .children()
        .find(|part| is_signature(part.kind()))
        .ok_or_else(|| Refused::new(node, "no function is named"))?;
    let (key, position) = state.find_function(&signature)?;
    for action in node.children() {
        match action.kind() {
            K::FUNC_OPTION_LIST => {
                if let Some(routine) = state.routine_mut(&key, position) {
                    apply_options(routine, &action)?;
                }
            }
            K::FUNCTION_RENAME_TO
            | K::PROCEDURE_RENAME_TO
            | K::ROUTINE_RENAME_TO
            | K::AGGREGATE_RENAME_TO => {
                let to = action.children().next().map(|to| name(&to));
                let change = |name: &mut Name| name.name = to.unwrap_or_default();
                state.move_function(&key, position, change);
            }
            K::SET_SCHEMA => {
                let to = child_name(&action, K::SCHEMA_REF).unwrap_or_default();
                let change = |name: &mut Name| name.schema = to;
                state.move_function(&key, position, change);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Adds the catalog's entry to an overload. If the statement cannot be read, a gap is recorded
/// instead. CREATE OR REPLACE keeps the comment and the privileges.
pub(crate) fn with_definition(
    state: &mut State,
    node: &SyntaxNode,
    mut function: Function,
) -> Function {
    let name = function.name.clone();
    match read_routine(state, node, name.clone()) {
        Ok(mut routine) => {
            let mut overloads = state.overloads(&name.name).iter();
            let earlier = overloads.find(|overload| {
                overload.name == name
                    && same_types(&overload.argument_types, &function.argument_types)
            });
            if let Some(earlier) = earlier.and_then(|earlier| earlier.routine.as_ref()) {
                routine.comment.clone_from(&earlier.comment);
                routine.privileges.clone_from(&earlier.privileges);
            }
            state.remove_routine_gap(&name);
            function.routine = Some(routine);
        }
        Err(refused) => state.note_gap(GapKind::Routine, name, None, refused.why),
    }
    function
}

/// Applies COMMENT ON FUNCTION and similar statements.
pub(crate) fn comment_on_routine(
    state: &mut State,
    object: &SyntaxNode,
    comment: Option<String>,
) -> Result<()> {
    let Some(signature) = object.children().find(|part| is_signature(part.kind())) else {
        return Ok(());
    };
    let (key, position) = state.find_function(&signature)?;
    if let Some(routine) = state.routine_mut(&key, position) {
        routine.comment = comment;
    }
    Ok(())
}

/// Returns the name of a type as PostgreSQL's function `format_type` writes it.
fn format_type(data_type: &DataType) -> String {
    let name = match data_type.name.name.as_str() {
        "int2" => "smallint",
        "int4" => "integer",
        "int8" => "bigint",
        "float4" => "real",
        "float8" => "double precision",
        "bool" => "boolean",
        "varchar" => "character varying",
        "bpchar" => "character",
        "timestamptz" => "timestamp with time zone",
        "timestamp" => "timestamp without time zone",
        "timetz" => "time with time zone",
        "time" => "time without time zone",
        "varbit" => "bit varying",
        _ => return data_type.sql(),
    };
    format!("{name}{}", "[]".repeat(data_type.dimensions.into()))
}

/// Applies the options of a CREATE or ALTER statement.
pub(crate) fn apply_options(routine: &mut Routine, options: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    for option in options.children() {
        match option.kind() {
            K::LANGUAGE_FUNC_OPTION => {
                let given = option.children().next();
                let given = given.map(|given| string(&given).unwrap_or_else(|| name(&given)));
                routine.language = given.unwrap_or_default().to_ascii_lowercase();
            }
            K::AS_FUNC_OPTION => {
                let literals: Vec<String> = below(&option, K::LITERAL)
                    .filter_map(|literal| string(&literal))
                    .collect();
                let (default_symbol, language) =
                    (routine.name.name.clone(), routine.language.as_str());
                // For a function in C, the source is its symbol, which is the function's name by
                // default.
                let source = match literals.as_slice() {
                    [_, symbol] => symbol.clone(),
                    [file] if language == "c" && !file.is_empty() => default_symbol,
                    [source] => source.clone(),
                    _ => return Err(Refused::new(&option, "its body is not read")),
                };
                routine.body = Body::Text(source);
            }
            K::IMMUTABLE | K::STABLE | K::VOLATILE => {
                let word = tokens(&option).next().map(|token| token.kind());
                routine.volatility = match word {
                    Some(K::IMMUTABLE_KW) => Volatility::Immutable,
                    Some(K::STABLE_KW) => Volatility::Stable,
                    _ => Volatility::Volatile,
                };
            }
            K::STRICT_FUNC_OPTION | K::RETURNS_NULL_ON_NULL_INPUT_FUNC_OPTION => {
                routine.strict = true;
            }
            K::CALLED_ON_NULL_INPUT_FUNC_OPTION => routine.strict = false,
            K::SECURITY_DEFINER_FUNC_OPTION => routine.security_definer = true,
            K::SECURITY_INVOKER_FUNC_OPTION => routine.security_definer = false,
            K::LEAKPROOF_FUNC_OPTION => routine.leakproof = true,
            K::NOT_LEAKPROOF_FUNC_OPTION => routine.leakproof = false,
            K::PARALLEL_FUNC_OPTION => {
                let word = tokens(&option)
                    .last()
                    .map(|token| token.text().to_ascii_lowercase());
                routine.parallel = word.unwrap_or_default();
            }
            K::WINDOW_FUNC_OPTION => routine.kind = RoutineKind::Window,
            K::SET_FUNC_OPTION => set_parameter(routine, &option)?,
            K::RESET_FUNC_OPTION => match below(&option, K::CONFIG_PARAMETER_REF).next() {
                Some(parameter) => {
                    let parameter = path(&parameter).join(".");
                    remove_setting(routine, &parameter);
                }
                None => routine.settings.clear(),
            },
            _ => {}
        }
    }
    Ok(())
}

/// Removes a parameter from the settings of a function.
fn remove_setting(routine: &mut Routine, parameter: &str) {
    routine.settings.retain(|setting| {
        let name = setting.split('=').next().unwrap_or_default();
        !name.eq_ignore_ascii_case(parameter)
    });
}

/// Applies the option `SET parameter = value`. Settings have the form of `pg_proc.proconfig`.
fn set_parameter(routine: &mut Routine, option: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let unknown = || Refused::new(option, "one of its settings is not known");
    let parameter = below(option, K::CONFIG_PARAMETER_REF).next();
    let parameter = parameter.map(|parameter| path(&parameter).join("."));
    let parameter = parameter.ok_or_else(unknown)?;
    // PostgreSQL writes the names of these parameters with capitals.
    let mixed_case = ["DateStyle", "IntervalStyle", "TimeZone"];
    let canonical = mixed_case
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(&parameter));
    let parameter = canonical.map_or(parameter, str::to_owned);
    let value = below(option, K::TO_CONFIG_VALUE)
        .next()
        .ok_or_else(unknown)?;
    remove_setting(routine, &parameter);
    if has(&value, K::DEFAULT_KW) {
        return Ok(());
    }
    let is_list = LISTS.contains(&parameter.as_str());
    let mut items = Vec::new();
    for item in value.children() {
        let item = match string(&item) {
            Some(text) => text,
            None => match item.kind() {
                K::CONFIG_VALUE_NAME => name(&item),
                _ => text(&item),
            },
        };
        items.push(if is_list { quoted(&item) } else { item });
    }
    if items.is_empty() {
        // Words such as `on` are tokens without a node of their own.
        let words = tokens(&value).filter(|token| !matches!(token.kind(), K::EQ | K::TO_KW));
        items.extend(words.map(|token| token.text().to_ascii_lowercase()));
    }
    routine
        .settings
        .push(format!("{parameter}={}", items.join(", ")));
    routine.settings.sort();
    Ok(())
}

//! What PostgreSQL refuses though replay could follow it: a new type of a column that a view reads,
//! a default of another type, a key without the partition key.
//!
//! Two branches that change one table meet here: each is right alone, and one order is refused.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::analysis;
use crate::replay::refusal::{Refused, Result, exists};
use crate::replay::state::functions::Function;
use crate::replay::state::objects::Object;
use crate::replay::state::{State, TEMPORARY};
use crate::replay::syntax::expression::{columns_in, has_word, mentions};
use crate::replay::syntax::routine::has_token;
use crate::replay::syntax::tree::{has, has_any_node, string};
use crate::routine::Routine;
use crate::{Column, DataType, Fill, Name, Relation, RelationKind};

/// Refuses a new type of a column that has dependents which PostgreSQL does not make anew.
pub(crate) fn may_change_type(
    state: &State,
    action: &SyntaxNode,
    tables: &[Name],
    column: &str,
    data_type: &DataType,
) -> Result<()> {
    let refused = |by: String| {
        let why = format!("the type of {column} cannot change while {by} uses it");
        Err(Refused::error(action, why)
            .hint("drop that before this statement, and create it again after it")
            .raises("feature_not_supported"))
    };
    let statement = action.parent().unwrap_or_else(|| action.clone());
    // What the same statement drops is gone before a type changes.
    let drops = has_any_node(
        &statement,
        &[
            SyntaxKind::DROP_COLUMN,
            SyntaxKind::DROP_DEFAULT,
            SyntaxKind::DROP_EXPRESSION,
        ],
    );
    for table in tables {
        let Some(relation) = state.catalog().relations.get(table) else {
            continue;
        };
        for (dependent, _) in state.dependents(&Object::Column(table.clone(), column.to_owned())) {
            match dependent {
                Object::Relation(view) => return refused(format!("the view {}", view.name)),
                Object::Trigger(_, trigger) => return refused(format!("the trigger {trigger}")),
                Object::Policy(_, policy) if !reads_others(relation, &policy) => {
                    return refused(format!("the policy {policy}"));
                }
                Object::Column(_, generated) if !drops => {
                    return refused(format!("the generated column {generated}"));
                }
                _ => {}
            }
        }
        let key = relation.partition_by.as_deref().filter(|_| !drops);
        if key.is_some_and(|key| mentions_in_key(key, column)) {
            return refused("the partition key".to_owned());
        }
    }
    let Some(relation) = tables
        .first()
        .and_then(|it| state.catalog().relations.get(it))
    else {
        return Ok(());
    };
    if let Some(parent) = parent_with(state, relation, column) {
        let why = format!("{column} is inherited from {}", parent.name.name);
        return Err(Refused::error(action, why)
            .hint(format!("change the column of {}", parent.name.name))
            .raises("invalid_table_definition"));
    }
    if tables.len() == 1 && !state.descendants(&relation.name).is_empty() {
        let why = format!("the children of {} have {column} too", relation.name.name);
        return Err(Refused::error(action, why)
            .hint("leave ONLY out")
            .raises("invalid_table_definition"));
    }
    let Some(before) = relation.columns.iter().find(|other| other.name == column) else {
        return Ok(());
    };
    if analysis::assigns(state, &before.data_type, data_type) {
        return Ok(());
    }
    let to = data_type.sql();
    if !has_token(action, SyntaxKind::USING_KW) {
        let why = format!("{column} cannot be cast automatically to {to}");
        return Err(Refused::error(action, why)
            .hint(format!("add USING {column}::{to}"))
            .raises("datatype_mismatch"));
    }
    let has_text = matches!(&before.fill, Fill::Default(text) if text.starts_with('\''));
    if has_text && !drops {
        let why = format!("the default of {column} cannot be cast automatically to {to}");
        return Err(Refused::error(action, why)
            .hint("drop the default before this statement, and set it again after it")
            .raises("datatype_mismatch"));
    }
    Ok(())
}

/// Returns true if a policy has a subquery, in which a column can be that of another table.
fn reads_others(table: &Relation, policy: &str) -> bool {
    let mut policies = table.attached.policies.iter();
    let found = policies.find(|other| other.name == policy);
    let codes = found.into_iter().flat_map(|it| [&it.using, &it.with_check]);
    let mut texts = codes.flatten().filter_map(|code| code.text.as_deref());
    texts.any(|text| has_word(text, "select"))
}

/// Returns a column of a table.
fn column_of<'a>(state: &'a State, table: &Name, column: &str) -> Option<&'a Column> {
    let columns = &state.catalog().relations.get(table)?.columns;
    columns.iter().find(|other| other.name == column)
}

/// Returns true if a partition key names a column. The key begins with a word such as `range`.
fn mentions_in_key(key: &str, column: &str) -> bool {
    key.find('(')
        .is_some_and(|start| mentions(&key[start..], column))
}

/// Returns the parent from which a table inherits a column.
fn parent_with<'a>(state: &'a State, table: &Relation, column: &str) -> Option<&'a Relation> {
    let mut parents = table
        .parents
        .iter()
        .filter_map(|parent| state.catalog().relations.get(parent));
    parents.find(|parent| parent.columns.iter().any(|other| other.name == column))
}

/// Refuses a default that cannot be a value of its column.
pub(crate) fn default_fits(
    state: &State,
    default: &SyntaxNode,
    table: &Name,
    column: &str,
) -> Result<()> {
    let Some(found) = column_of(state, table, column) else {
        return Ok(());
    };
    if is_plainly_of(default, &found.data_type) {
        return Ok(());
    }
    match analysis::fault_of_default(state, default, table, column) {
        None => Ok(()),
        Some(why) => Err(Refused::error(default, why).raises("datatype_mismatch")),
    }
}

/// Returns true for the common defaults, which need no analysis.
fn is_plainly_of(default: &SyntaxNode, data_type: &DataType) -> bool {
    let name = data_type.name.name.as_str();
    let words = default.text().to_string().trim().to_ascii_lowercase();
    let is_word = ["null", "true", "false"].contains(&words.as_str());
    if default.kind() == SyntaxKind::LITERAL && !is_word {
        let is_text = matches!(name, "text" | "varchar" | "bpchar");
        let is_number = matches!(name, "int4" | "int8" | "numeric" | "float8" | "float4");
        return match string(default) {
            Some(_) => is_text && data_type.dimensions == 0,
            None => is_number && words.parse::<f64>().is_ok(),
        };
    }
    match words.as_str() {
        "now()" | "current_timestamp" => matches!(name, "timestamptz" | "timestamp" | "date"),
        "gen_random_uuid()" | "uuid_generate_v4()" => name == "uuid",
        "true" | "false" => name == "bool",
        "null" => true,
        _ => false,
    }
}

/// Refuses an identity of a column that can hold NULL, or that has another value already.
pub(crate) fn may_be_identity(
    state: &State,
    option: &SyntaxNode,
    table: &Name,
    column: &str,
) -> Result<()> {
    let Some(found) = column_of(state, table, column) else {
        return Ok(());
    };
    let refused = |why: String, hint: &str| {
        Err(Refused::error(option, why)
            .hint(hint)
            .raises("object_not_in_prerequisite_state"))
    };
    if !found.not_null {
        let why = format!("{column} can be NULL, and an identity cannot");
        return refused(why, "SET NOT NULL first");
    }
    match found.fill {
        Fill::Nothing => Ok(()),
        Fill::Identity { .. } => refused(format!("{column} is an identity already"), "leave it"),
        Fill::Default(_) | Fill::Serial { .. } | Fill::Generated { .. } => {
            refused(format!("{column} has a default"), "DROP DEFAULT first")
        }
    }
}

/// Refuses NULL in a column of the primary key, in an identity, and in a column that is NOT NULL in
/// a partitioned table above.
pub(crate) fn may_hold_null(
    state: &State,
    action: &SyntaxNode,
    table: &Name,
    column: &str,
) -> Result<()> {
    let Some(relation) = state.catalog().relations.get(table) else {
        return Ok(());
    };
    let is_key = relation
        .primary_key()
        .is_some_and(|key| key.iter().any(|it| it == column));
    let found = column_of(state, table, column);
    let is_partition = relation.kind == RelationKind::Partition;
    let parent = parent_with(state, relation, column).filter(|_| is_partition);
    let above = parent.and_then(|parent| column_of(state, &parent.name, column));
    let why = if is_key {
        format!("{column} is in the primary key")
    } else if found.is_some_and(|found| matches!(found.fill, Fill::Identity { .. })) {
        format!("{column} is an identity")
    } else if above.is_some_and(|above| above.not_null && above.not_null_constraint.is_none()) {
        format!("{column} is NOT NULL in the partitioned table")
    } else {
        return Ok(());
    };
    Err(Refused::error(action, why)
        .hint("a key, an identity and a column of the partitioned table keep NOT NULL")
        .raises("invalid_table_definition"))
}

/// Refuses a unique key of a partitioned table that lacks a column of the partition key.
pub(crate) fn includes_partition_key(
    state: &State,
    node: &SyntaxNode,
    table: &Name,
    key: &[String],
) -> Result<()> {
    let Some(relation) = state.catalog().relations.get(table) else {
        return Ok(());
    };
    let Some(by) = &relation.partition_by else {
        return Ok(());
    };
    let mut columns = relation.columns.iter();
    let missing = columns.find(|it| mentions_in_key(by, &it.name) && !key.contains(&it.name));
    match missing {
        None => Ok(()),
        Some(column) => {
            let why = format!(
                "a unique key of a partitioned table needs all columns of the partition key, and {} is missing",
                column.name
            );
            Err(Refused::error(node, why)
                .hint(format!("add {} to the key", column.name))
                .raises("feature_not_supported"))
        }
    }
}

/// Refuses a child without a column of its parent, or with one of another type. A partition has no
/// other columns.
pub(crate) fn has_columns_of(
    state: &State,
    action: &SyntaxNode,
    child: &Name,
    parent: &Name,
) -> Result<()> {
    let relations = &state.catalog().relations;
    let (Some(child), Some(parent)) = (relations.get(child), relations.get(parent)) else {
        return Ok(());
    };
    let refused = |why: String| {
        Err(Refused::error(action, why)
            .hint(format!(
                "give {} the columns of {}",
                child.name.name, parent.name.name
            ))
            .raises("datatype_mismatch"))
    };
    for column in &parent.columns {
        let name = &column.name;
        let Some(own) = child.columns.iter().find(|own| own.name == *name) else {
            return refused(format!("{} has no column {name}", child.name.name));
        };
        if own.data_type != column.data_type {
            return refused(format!("{name} has another type in {}", child.name.name));
        }
        let is_plain = column.not_null_constraint.is_none() && own.not_null_constraint.is_none();
        if column.not_null && !own.not_null && is_plain {
            return refused(format!("{name} can be NULL in {}", child.name.name));
        }
    }
    let is_partition = action.kind() == SyntaxKind::ATTACH_PARTITION;
    let mut columns = child.columns.iter().filter(|_| is_partition);
    let other = columns.find(|own| !parent.columns.iter().any(|it| it.name == own.name));
    match other {
        Some(own) => refused(format!("{} has no column {}", parent.name.name, own.name)),
        None => Ok(()),
    }
}

/// Refuses a function that exists already, and a replacement with another result or with other
/// names of its arguments.
pub(crate) fn may_be_created(state: &State, node: &SyntaxNode, new: &Function) -> Result<()> {
    let (Some(routine), Some(overloads)) = (&new.routine, state.functions().get(&new.name.name))
    else {
        return Ok(());
    };
    let is_it =
        |other: &&Function| other.name == new.name && other.argument_types == new.argument_types;
    let Some(old) = overloads.iter().find(is_it) else {
        return Ok(());
    };
    let name = &new.name.name;
    if !has(node, SyntaxKind::OR_REPLACE) {
        let why = format!("there is a function {name} with these arguments already");
        return Err(Refused::error(node, why)
            .hint("write CREATE OR REPLACE, or drop the earlier one first")
            .raises("duplicate_function"));
    }
    let Some(before) = &old.routine else {
        return Ok(());
    };
    let drop_first = |why: String| {
        Err(Refused::error(node, why)
            .hint("drop the function first")
            .raises("invalid_function_definition"))
    };
    let result = |routine: &Routine| {
        let one = routine.result.as_ref().map(DataType::of_signature);
        (one, routine.returns_set)
    };
    let columns = |routine: &Routine| -> Vec<_> {
        let columns = routine.arguments.iter().filter(|it| it.mode.is_of_result());
        columns
            .map(|it| (it.name.clone(), it.data_type.of_signature()))
            .collect()
    };
    let is_alike = result(before) == result(routine) && columns(before) == columns(routine);
    if before.kind == routine.kind && !is_alike {
        return drop_first(format!("the earlier function {name} has another result"));
    }
    let given = |routine: &Routine| -> Vec<Option<String>> {
        let given = routine.arguments.iter().filter(|it| it.mode.is_given());
        given.map(|argument| argument.name.clone()).collect()
    };
    let (old_names, new_names) = (given(before), given(routine));
    let mut pairs = old_names.iter().zip(&new_names);
    let renamed = pairs.find_map(|(old, new)| old.as_ref().filter(|_| old != new));
    match renamed {
        Some(argument) => drop_first(format!(
            "the argument {argument} of {name} has another name"
        )),
        None => Ok(()),
    }
}

/// Refuses a schema that a relation cannot move to.
pub(crate) fn may_move(
    state: &State,
    action: &SyntaxNode,
    relation: &Name,
    schema: &str,
) -> Result<()> {
    if relation.schema == schema {
        return Ok(());
    }
    if schema == TEMPORARY || schema.starts_with("pg_temp") {
        return Err(
            Refused::error(action, "no object moves to the schema of temporary ones")
                .hint("create a temporary table")
                .raises("feature_not_supported"),
        );
    }
    if !state.schemas().contains(schema) {
        return Err(
            Refused::error(action, format!("there is no schema {schema}"))
                .hint("create it in a migration before this one")
                .raises("invalid_schema_name"),
        );
    }
    if state.has_relation(schema, &relation.name) {
        let to = Name {
            schema: schema.to_owned(),
            name: relation.name.clone(),
        };
        return Err(exists(action, &to));
    }
    Ok(())
}

/// Refuses a foreign key whose columns cannot be compared with those that they refer to.
pub(crate) fn may_refer(
    state: &State,
    node: &SyntaxNode,
    (table, columns): (&Name, &[String]),
    (references, referenced): (&Name, &[String]),
) -> Result<()> {
    if columns.len() != referenced.len() {
        let why = "the foreign key has another number of columns than what it refers to";
        return Err(Refused::error(node, why).raises("invalid_foreign_key"));
    }
    for (column, other) in columns.iter().zip(referenced) {
        let types = column_of(state, table, column).zip(column_of(state, references, other));
        let Some((own, target)) = types.map(|(own, target)| (&own.data_type, &target.data_type))
        else {
            continue;
        };
        if own.name == target.name || analysis::may_equal(state, own, target) {
            continue;
        }
        let why = format!(
            "{column} is {}, and {}.{other} is {}",
            own.sql(),
            references.name,
            target.sql()
        );
        return Err(Refused::error(node, why)
            .hint("give both columns one type")
            .raises("datatype_mismatch"));
    }
    Ok(())
}

/// Refuses an expression over the columns of a table that names another column.
pub(crate) fn names_columns(state: &State, expression: &SyntaxNode, table: &Name) -> Result<()> {
    let Some(relation) = state.catalog().relations.get(table) else {
        return Ok(());
    };
    let is_known = |name: &String| relation.columns.iter().any(|it| it.name == *name);
    if columns_in(expression).iter().all(is_known) {
        return Ok(());
    }
    match analysis::unknown_column(state, expression, table) {
        Some(refused) => Err(refused),
        None => Ok(()),
    }
}

/// Refuses a condition that is no condition.
pub(crate) fn is_condition(state: &State, condition: &SyntaxNode, table: &Name) -> Result<()> {
    use SyntaxKind as K;
    // These can be numbers as well. All other expressions are conditions most of the time.
    if !matches!(
        condition.kind(),
        K::NAME_REF | K::LITERAL | K::FIELD_EXPR | K::CALL_EXPR | K::CAST_EXPR | K::PAREN_EXPR
    ) {
        return Ok(());
    }
    match analysis::type_of(state, condition, table) {
        Some(data_type) if !is_bool(state, &data_type) => {
            let why = format!("a condition is a boolean, and this is {}", data_type.sql());
            Err(Refused::error(condition, why).raises("datatype_mismatch"))
        }
        _ => Ok(()),
    }
}

fn is_bool(state: &State, data_type: &DataType) -> bool {
    let base = state.base_type(data_type);
    base.dimensions == 0 && matches!(base.name.name.as_str(), "bool" | "unknown")
}

//! What PostgreSQL refuses because a statement says something twice, or says two things that do not
//! go together: two columns of one name, two defaults, a label that an enum has, a view that is
//! replaced by one with other columns.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::clause::recurses;
use crate::replay::syntax::tree::{child, child_name, child_nodes, children, has, has_below};
use crate::{Column, Name, Relation, RelationKind};

/// The longest label of an enum in bytes.
const MAX_LABEL_LENGTH: usize = 63;

/// The columns that each table has beside its own (manual, section 5.6).
const SYSTEM_COLUMNS: [&str; 6] = ["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];

/// Refuses a name that an earlier column of the same list has.
pub(crate) fn is_first(node: &SyntaxNode, earlier: &[String], column: &str) -> Result<()> {
    if earlier.iter().all(|other| other != column) {
        return Ok(());
    }
    let why = format!("the column {column} is named twice");
    Err(Refused::error(node, why)
        .hint("give one of the two another name")
        .raises("duplicate_column"))
}

/// Refuses a column with the name of a system column.
pub(crate) fn is_no_system_column(node: &SyntaxNode, column: &str) -> Result<()> {
    if !SYSTEM_COLUMNS.contains(&column) {
        return Ok(());
    }
    let why = format!("each table has a system column {column}");
    Err(Refused::error(node, why)
        .hint("give the column another name")
        .raises("duplicate_column"))
}

/// Refuses a column with two values, or one that is NULL and NOT NULL.
pub(crate) fn is_declared_once(node: &SyntaxNode, column: &str, is_serial: bool) -> Result<()> {
    use SyntaxKind as K;
    let count = |kind: SyntaxKind| child_nodes(node).filter(|it| it.kind() == kind).count();
    let values = count(K::DEFAULT_CONSTRAINT) + count(K::GENERATED_CONSTRAINT);
    if values + usize::from(is_serial) > 1 {
        let why = format!("{column} has more than one default, identity or expression");
        return Err(Refused::error(node, why)
            .hint("keep one of them")
            .raises("syntax_error"));
    }
    let is_not_null = is_serial || count(K::NOT_NULL_CONSTRAINT) > 0;
    if is_not_null && count(K::NULL_CONSTRAINT) > 0 {
        return Err(
            Refused::error(node, format!("{column} is NULL and NOT NULL"))
                .hint("keep one of the two")
                .raises("syntax_error"),
        );
    }
    Ok(())
}

/// Refuses a column that a child declares with another type than its parent.
pub(crate) fn has_type_of_parent(
    node: &SyntaxNode,
    column: &Column,
    inherited: &Column,
) -> Result<()> {
    if column.data_type.is_same(&inherited.data_type) {
        return Ok(());
    }
    let why = format!("a parent has {} with another type", column.name);
    Err(Refused::error(node, why)
        .hint("declare it with the same type, or leave it out")
        .raises("datatype_mismatch"))
}

/// Refuses NOT VALID where the syntax does not have it: beside a column, and at keys.
pub(crate) fn may_be_not_valid(node: &SyntaxNode, is_of_column: bool) -> Result<()> {
    use SyntaxKind as K;
    let is_key = matches!(
        node.kind(),
        K::PRIMARY_KEY_CONSTRAINT | K::UNIQUE_CONSTRAINT | K::EXCLUDE_CONSTRAINT
    );
    if !(is_of_column || is_key) || !has_below(node, K::NOT_VALID) {
        return Ok(());
    }
    if is_key {
        return Err(Refused::error(node, "a key is never NOT VALID")
            .hint("leave NOT VALID out")
            .raises("feature_not_supported"));
    }
    Err(
        Refused::error(node, "NOT VALID cannot stand beside a column")
            .hint("write ADD CONSTRAINT .. NOT VALID after the column is added")
            .raises("syntax_error"),
    )
}

/// Refuses the labels of an enum of which two are the same, or of which one is too long.
pub(crate) fn are_labels(node: &SyntaxNode, labels: &[String]) -> Result<()> {
    for (at, label) in labels.iter().enumerate() {
        is_label(node, label)?;
        if labels[..at].contains(label) {
            let why = format!("the enum has the label {label} twice");
            return Err(Refused::error(node, why)
                .hint("leave one of the two out")
                .raises("unique_violation"));
        }
    }
    Ok(())
}

/// Refuses a label that is too long.
pub(crate) fn is_label(node: &SyntaxNode, label: &str) -> Result<()> {
    if label.len() <= MAX_LABEL_LENGTH {
        return Ok(());
    }
    let why = format!("the label {label} is longer than {MAX_LABEL_LENGTH} bytes");
    Err(Refused::error(node, why)
        .hint("shorten the label")
        .raises("invalid_name"))
}

/// Refuses a statement that renames, moves or attaches, and does something else too.
pub(crate) fn is_alone(statement: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let mut actions = child_nodes(statement);
    let lone = actions.find(|action| {
        matches!(
            action.kind(),
            K::RENAME_COLUMN
                | K::RENAME_CONSTRAINT
                | K::TABLE_RENAME_TO
                | K::VIEW_RENAME_TO
                | K::SET_SCHEMA
                | K::ATTACH_PARTITION
                | K::DETACH_PARTITION
        )
    });
    let mut parts = statement.children_with_tokens();
    match lone {
        Some(action) if parts.any(|part| part.kind() == K::COMMA) => Err(Refused::error(
            &action,
            "this action cannot stand beside others in one statement",
        )
        .hint("write a statement of its own for it")
        .raises("syntax_error")),
        _ => Ok(()),
    }
}

/// Refuses a new name of a column that a parent has, that children keep, or that a child has too.
pub(crate) fn may_be_renamed(
    state: &State,
    action: &SyntaxNode,
    table: &Name,
    (from, to): (&str, &str),
) -> Result<()> {
    let relations = &state.catalog().relations;
    let has_column = |name: &Name, column: &str| {
        let found = relations.get(name);
        found.is_some_and(|found| found.columns.iter().any(|it| it.name == column))
    };
    let Some(relation) = relations.get(table) else {
        return Ok(());
    };
    if !matches!(
        relation.kind,
        RelationKind::View | RelationKind::MaterializedView
    ) {
        is_no_system_column(action, to)?;
    }
    if let Some(parent) = relation.parents.iter().find(|it| has_column(it, from)) {
        let why = format!("{} inherits {from} from {}", table.name, parent.name);
        return Err(Refused::error(action, why)
            .hint("rename the column of the parent")
            .raises("invalid_table_definition"));
    }
    let children = state.descendants(table);
    if !children.is_empty() && !recurses(action) {
        let why = format!("the children of {} have {from} too", table.name);
        return Err(Refused::error(action, why)
            .hint("leave ONLY out")
            .raises("invalid_table_definition"));
    }
    if let Some(child) = children.iter().find(|child| has_column(child, to)) {
        let why = format!("{} has a column {to} already", child.name);
        return Err(Refused::error(action, why)
            .hint("give it another name")
            .raises("duplicate_column"));
    }
    Ok(())
}

/// Refuses a view that replaces one whose columns it does not begin with.
pub(crate) fn may_replace(node: &SyntaxNode, earlier: &Relation, new: &[Column]) -> Result<()> {
    let refused = |why: String| {
        Err(Refused::error(node, why)
            .hint("drop the view first")
            .raises("invalid_table_definition"))
    };
    for (at, old) in earlier.columns.iter().enumerate() {
        let Some(new) = new.get(at) else {
            return refused(format!("the view has a column {}, which remains", old.name));
        };
        if new.name != old.name {
            return refused(format!(
                "the column {} of the view cannot become {}",
                old.name, new.name
            ));
        }
        let (before, after) = (&old.data_type, &new.data_type);
        if before.name != after.name || (before.dimensions > 0) != (after.dimensions > 0) {
            return refused(format!("the column {} has another type", old.name));
        }
    }
    Ok(())
}

/// Refuses more names of columns than a query has columns.
pub(crate) fn are_at_most(node: &SyntaxNode, given: &[String], columns: usize) -> Result<()> {
    if given.len() <= columns {
        return Ok(());
    }
    let why = format!("{} names are given for {columns} columns", given.len());
    Err(Refused::error(node, why).raises("syntax_error"))
}

/// Refuses two arguments of one name, and two results of one name.
pub(crate) fn are_parameters(parameters: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let (mut given, mut returned): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for parameter in children(parameters, K::PARAM) {
        let Some(name) = child_name(&parameter, K::PARAM_NAME) else {
            continue;
        };
        let (is_out, is_both) = (
            has(&parameter, K::PARAM_OUT),
            has(&parameter, K::PARAM_IN_OUT),
        );
        let is_twice =
            (!is_out && given.contains(&name)) || ((is_out || is_both) && returned.contains(&name));
        if is_twice {
            let why = format!("two parameters are named {name}");
            return Err(Refused::error(&parameter, why)
                .hint("give one of the two another name")
                .raises("invalid_function_definition"));
        }
        if !is_out {
            given.push(name.clone());
        }
        if is_out || is_both {
            returned.push(name);
        }
    }
    Ok(())
}

/// Refuses a relation with the name of a type: each relation has a type of its name.
pub(crate) fn is_no_type(state: &State, node: &SyntaxNode, relation: &Name) -> Result<()> {
    if !state.catalog().types.contains_key(relation) {
        return Ok(());
    }
    let why = format!("there is a type {} already", relation.name);
    Err(Refused::error(node, why)
        .hint("give it another name, or drop the type first")
        .raises("duplicate_object"))
}

/// Refuses a table with two primary keys, also if they are the same.
pub(crate) fn has_one_key(elements: &[SyntaxNode]) -> Result<()> {
    use SyntaxKind as K;
    let beside = |element: &SyntaxNode| match element.kind() {
        K::COLUMN => child(element, K::PRIMARY_KEY_CONSTRAINT),
        K::PRIMARY_KEY_CONSTRAINT => Some(element.clone()),
        _ => None,
    };
    match elements.iter().filter_map(beside).nth(1) {
        None => Ok(()),
        Some(second) => Err(Refused::error(&second, "a table has one primary key")
            .hint("write UNIQUE for the other key")
            .raises("invalid_table_definition")),
    }
}

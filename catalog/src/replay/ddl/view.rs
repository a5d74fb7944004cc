//! Views, and tables created from a query.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::definition::quoted;
use crate::gap::GapKind;
use crate::replay::analysis::{self, Output, renamed};
use crate::replay::ddl::repeated;
use crate::replay::refusal::{Refused, Result, exists};
use crate::replay::state::{State, TEMPORARY, Uses};
use crate::replay::syntax::tree::{
    below, child, child_name, child_names, children, has, is_query, name, string, text,
};
use crate::{Column, Name, Relation, RelationKind};

pub(crate) fn create_view(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let view =
        child(node, K::VIEW).ok_or_else(|| Refused::new(node, "the view's name is not given"))?;
    let bare_name = name(&view);
    let name = state.new_name(node, &view);
    let is_materialized = node.kind() == K::CREATE_MATERIALIZED_VIEW;
    let kind = if is_materialized {
        RelationKind::MaterializedView
    } else {
        RelationKind::View
    };
    let query = node
        .children()
        .find(|part| is_query(part.kind()))
        .ok_or_else(|| Refused::new(node, "the query of the view is not given"))?;
    let given = child(node, K::COLUMN_LIST)
        .map(|list| child_names(&list, K::COLUMN_NAME))
        .unwrap_or_default();
    let analyzed = if has(node, K::RECURSIVE_KW) {
        analysis::analyze_recursive(state, &query, &bare_name, &given)
    } else {
        analysis::analyze(state, &query)
    };
    let analyzed = analyzed.and_then(|(columns, used)| {
        repeated::are_at_most(node, &given, columns.len())?;
        let columns = stored(node, renamed(columns, &given))?;
        Ok((columns, used))
    });
    let (columns, used) = match analyzed {
        Ok(analyzed) => analyzed,
        Err(refused) => return unknown_view(state, node, name?, kind, &query, refused),
    };
    // A view over a temporary table is temporary too, and needs no schema of the search path.
    let is_temporary = used.relations.iter().any(|table| table.schema == TEMPORARY);
    let name = if is_temporary {
        Name {
            schema: TEMPORARY.to_owned(),
            name: bare_name,
        }
    } else {
        name?
    };
    let earlier = state.catalog().relations.get(&name).cloned();
    if state.has_relation(&name.schema, &name.name) {
        if has(node, K::IF_NOT_EXISTS) {
            return Ok(());
        }
        let is_replaced =
            has(node, K::OR_REPLACE) && earlier.as_ref().map(|earlier| earlier.kind) == Some(kind);
        if !is_replaced && !state.forget_earlier_temporary(&name) {
            return Err(exists(node, &name));
        }
        if is_replaced && let Some(earlier) = &earlier {
            repeated::may_replace(node, earlier, &columns)?;
        }
    }
    repeated::is_no_type(state, node, &name)?;
    let mut functions = used.functions;
    functions.extend(state.surely_called(&text(&query)));
    let uses = Uses {
        relations: used.relations,
        columns: used.columns,
        types: used.types,
        functions,
        text: text(&query),
    };
    let written = if has(node, K::RECURSIVE_KW) {
        let list = child(node, K::COLUMN_LIST).map(|list| text(&list));
        let quoted_name = quoted(&name.name);
        let columns = list.unwrap_or_default();
        let bare = columns.trim_matches(['(', ')']);
        format!(
            "WITH RECURSIVE {quoted_name} {columns} AS ({}) SELECT {bare} FROM {quoted_name}",
            text(&query)
        )
    } else {
        text(&query)
    };
    let mut relation = Relation::new(name.clone(), kind);
    relation.columns = columns;
    relation.attached.query = Some(state.code(written));
    if kind == RelationKind::View {
        relation.attached.options = options(node);
    }
    if let Some(earlier) = earlier.filter(|earlier| earlier.kind == kind) {
        relation.comment = earlier.comment;
        relation.attached.triggers = earlier.attached.triggers;
        relation.attached.rules = earlier.attached.rules;
        relation.attached.privileges = earlier.attached.privileges;
        for (column, earlier) in relation.columns.iter_mut().zip(earlier.columns) {
            column.comment = earlier.comment;
        }
    }
    state.add_view(relation, uses);
    Ok(())
}

/// Adds a view whose columns cannot be inferred. No code is generated for it.
fn unknown_view(
    state: &mut State,
    node: &SyntaxNode,
    name: Name,
    kind: RelationKind,
    query: &SyntaxNode,
    refused: Refused,
) -> Result<()> {
    let gap = state.gap_in(query).map(ToString::to_string);
    if gap.is_none() && refused.is_error {
        return Err(refused);
    }
    let earlier = state
        .catalog()
        .relations
        .get(&name)
        .map(|earlier| earlier.kind);
    if state.has_relation(&name.schema, &name.name) && !state.forget_earlier_temporary(&name) {
        if has(node, SyntaxKind::IF_NOT_EXISTS) {
            return Ok(());
        }
        if !has(node, SyntaxKind::OR_REPLACE) || earlier != Some(kind) {
            return Err(exists(node, &name));
        }
    }
    state.take_relation(&name);
    let word = match kind {
        RelationKind::MaterializedView => GapKind::MaterializedView,
        _ => GapKind::View,
    };
    let why = gap.map_or(refused.why, |gap| format!("it reads the {gap}"));
    state.note_gap(word, name, None, why);
    Ok(())
}

pub(crate) fn create_table_as(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let given = child(node, K::TABLE_ARG_LIST)
        .map(|list| {
            children(&list, K::COLUMN)
                .filter_map(|column| child_name(&column, K::COLUMN_NAME))
                .collect::<Vec<_>>()
        })
        .unwrap_or_default();
    let table = child(node, K::TABLE_NAME)
        .ok_or_else(|| Refused::new(node, "the table's name is not given"))?;
    let name = state.new_name(node, &table)?;
    let query = node
        .children()
        .find(|part| is_query(part.kind()))
        .ok_or_else(|| {
            Refused::new(node, "the columns of this statement are not analyzed")
                .hint("create the table with its columns, then insert into it")
        })?;
    table_of_query(state, node, name, &query, &given)
}

pub(crate) fn select_into(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let into = child(node, K::INTO_CLAUSE)
        .ok_or_else(|| Refused::new(node, "the table's name is not given"))?;
    let table = child(&into, K::TABLE_NAME)
        .ok_or_else(|| Refused::new(node, "the table's name is not given"))?;
    let name = state.new_name(&into, &table)?;
    table_of_query(state, node, name, node, &[])
}

fn table_of_query(
    state: &mut State,
    node: &SyntaxNode,
    name: Name,
    query: &SyntaxNode,
    given: &[String],
) -> Result<()> {
    if state.has_relation(&name.schema, &name.name) {
        if has(node, SyntaxKind::IF_NOT_EXISTS) {
            return Ok(());
        }
        if !state.forget_earlier_temporary(&name) {
            return Err(exists(node, &name));
        }
    }
    repeated::is_no_type(state, node, &name)?;
    let (columns, _) = analysis::analyze(state, query)?;
    repeated::are_at_most(node, given, columns.len())?;
    let mut relation = Relation::new(name.clone(), RelationKind::Table);
    relation.columns = stored(node, renamed(columns, given))?;
    for column in &relation.columns {
        repeated::is_no_system_column(node, &column.name)?;
    }
    state.add_relation(relation);
    state.temporary_until_commit(node, &name);
    Ok(())
}

/// Returns the `WITH` options of a view, before and after its query.
fn options(node: &SyntaxNode) -> Vec<String> {
    use SyntaxKind as K;
    let mut options = Vec::new();
    let given = child(node, K::WITH_PARAMS);
    for option in given
        .iter()
        .flat_map(|given| below(given, K::ATTRIBUTE_OPTION))
    {
        set_option(&mut options, &option);
    }
    if let Some(check) = child(node, K::WITH_CHECK_OPTION) {
        let level = if below(&check, K::LOCAL_CHECK_OPTION).next().is_some() {
            "local"
        } else {
            "cascaded"
        };
        options.push(format!("check_option={level}"));
    }
    options.sort();
    options
}

fn set_option(options: &mut Vec<String>, option: &SyntaxNode) {
    use SyntaxKind as K;
    let option_name = child_name(option, K::ATTRIBUTE_NAME).unwrap_or_default();
    let value = child(option, K::ATTRIBUTE_VALUE);
    let value = value.map_or("true".to_owned(), |value| {
        string(&value).unwrap_or_else(|| text(&value).to_ascii_lowercase())
    });
    options.retain(|other| other.split('=').next() != Some(option_name.as_str()));
    options.push(format!("{option_name}={value}"));
}

/// Applies `SET (..)` or `RESET (..)` of ALTER VIEW.
pub(crate) fn view_options(state: &mut State, action: &SyntaxNode, view: &Name) {
    use SyntaxKind as K;
    let resets = action.kind() == K::RESET_OPTIONS;
    let options = &mut state.table(view).attached.options;
    for option in below(action, K::ATTRIBUTE_OPTION) {
        if resets {
            let option_name = child_name(&option, K::ATTRIBUTE_NAME).unwrap_or_default();
            options.retain(|other| other.split('=').next() != Some(option_name.as_str()));
        } else {
            set_option(options, &option);
        }
    }
    options.sort();
}

/// Returns the columns of a query in the form that a table or view has.
fn stored(node: &SyntaxNode, columns: Vec<Output>) -> Result<Vec<Column>> {
    let mut all: Vec<Column> = Vec::new();
    for output in columns {
        if all.iter().any(|column| column.name == output.name) {
            return Err(
                Refused::error(node, format!("two columns are named {}", output.name))
                    .hint("give one of them an alias"),
            );
        }
        let mut column = Column::new(output.name, output.data_type);
        column.collation = output.collation;
        all.push(column);
    }
    Ok(all)
}

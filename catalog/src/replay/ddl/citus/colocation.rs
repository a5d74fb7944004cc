//! The co-location group that a table joins, and the type of its distribution column, which decides
//! that.

use squawk_syntax::SyntaxNode;

use super::{Call, find_table, relation};
use crate::replay::ddl::distributed::refuses;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::state::distribution::{DefaultGroup, distribution_column, same_type};
use crate::replay::syntax::expression::words;
use crate::{DataType, DistributionKind, Fill, Name};

/// The argument `colocate_with`.
pub(super) enum Colocate {
    Default,
    Nothing,
    With(Name),
}

/// Returns the argument `colocate_with`, if it is given.
pub(super) fn colocation(
    state: &State,
    node: &SyntaxNode,
    call: &Call,
) -> Result<Option<Colocate>> {
    let Some(text) = call.text("colocate_with") else {
        return Ok(None);
    };
    if text.eq_ignore_ascii_case("default") {
        return Ok(Some(Colocate::Default));
    }
    if text.eq_ignore_ascii_case("none") {
        return Ok(Some(Colocate::Nothing));
    }
    let table = find_table(state, node, &words(text))?;
    Ok(Some(Colocate::With(table)))
}

pub(super) fn default_group(
    state: &mut State,
    node: &SyntaxNode,
    data_type: Option<&DataType>,
    shards: Option<u32>,
    left: Option<u32>,
) -> Result<u32> {
    match state.default_group(data_type, shards, left) {
        DefaultGroup::Found(group) => Ok(group),
        DefaultGroup::New => Ok(state.new_group()),
        DefaultGroup::Unclear(table) => {
            let why = format!(
                "whether this table is co-located with {} depends on citus.shard_count of the server",
                table.name
            );
            let hint = format!(
                "write colocate_with => '{}' or colocate_with => 'none'",
                table.sql()
            );
            Err(Refused::new(node, why).hint(hint))
        }
    }
}

/// Returns the group of another table, if this table can join it.
pub(super) fn group_of(
    state: &State,
    node: &SyntaxNode,
    (table, kind, data_type): (&Name, DistributionKind, Option<&DataType>),
    other: &Name,
) -> Result<u32> {
    let found = relation(state, node, other)?;
    let cannot = |detail: &str| {
        let words = format!(
            "cannot colocate tables {} and {}: {detail}",
            other.name, table.name
        );
        refuses(
            node,
            &words,
            "name another table, or write colocate_with => 'none'",
        )
    };
    let Some(distribution) = &found.distribution else {
        return Err(refuses(
            node,
            &format!("relation {} is not distributed", other.name),
            "distribute that table first",
        ));
    };
    if distribution.kind != kind {
        return Err(cannot(
            "Only hash distributed tables with the same distribution can be colocated",
        ));
    }
    if let (Some(one), Some(column)) = (data_type, distribution_column(found))
        && !same_type(one, &column.data_type)
    {
        return Err(cannot(&format!(
            "Distribution column types don't match for {} and {}",
            other.name, table.name
        )));
    }
    let group = distribution.group;
    group.ok_or_else(|| cannot("the table has no co-location group"))
}

/// Returns the type of the distribution column, after checks of the column.
pub(super) fn data_type(
    state: &State,
    node: &SyntaxNode,
    table: &Name,
    column: Option<&str>,
) -> Result<Option<DataType>> {
    const WITHOUT_HASH: [&str; 14] = [
        "json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle", "money", "bit",
        "varbit", "tsvector", "tsquery",
    ];
    let Some(name) = column else {
        return Ok(None);
    };
    let found = relation(state, node, table)?;
    let mut columns = found.columns.iter();
    let Some(column) = columns.find(|column| column.name == name) else {
        return Err(refuses(
            node,
            &format!(
                "column \"{name}\" of relation \"{}\" does not exist",
                table.name
            ),
            "write the column as the catalog has it: in its case, and without quotes",
        ));
    };
    if matches!(column.fill, Fill::Generated { .. }) {
        return Err(refuses(
            node,
            &format!(
                "cannot distribute relation: {}: Distribution column must not use GENERATED \
                 ALWAYS AS (...) STORED",
                table.name
            ),
            "distribute it by a plain column",
        ));
    }
    let data_type = &column.data_type;
    let is_built_in = data_type.name.schema == "pg_catalog";
    if is_built_in
        && data_type.dimensions == 0
        && WITHOUT_HASH.contains(&data_type.name.name.as_str())
    {
        return Err(refuses(
            node,
            &format!(
                "data type {} has no default operator class for specified partition method",
                data_type.sql()
            ),
            "distribute it by a column of a type that can be hashed",
        ));
    }
    Ok(Some(data_type.clone()))
}

//! CREATE and ALTER INDEX.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl::precondition;
use crate::replay::refusal::{self, Refused, Result, no_index};
use crate::replay::state::State;
use crate::replay::state::expressions::Columns;
use crate::replay::syntax::index::{expression_of, given_collation, index_key, predicate};
use crate::replay::syntax::tree::{child, child_name, children, has, name, path, text};
use crate::replay::{analysis, builtin};
use crate::{Index, IndexKey, KeyOrder, Name};

pub(crate) fn create_index(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let table_node = child(node, K::TABLE_RELATION_NAME)
        .ok_or_else(|| Refused::new(node, "no table is named"))?;
    let table = state.relation_mut(&table_node)?.name.clone();
    let list = child(node, K::PARTITION_ITEM_LIST)
        .ok_or_else(|| Refused::new(node, "the index has no columns"))?;
    let method = child_name(node, K::USING_METHOD).unwrap_or_else(|| "btree".to_owned());
    let keys: Vec<_> = children(&list, K::PARTITION_ITEM)
        .filter_map(|item| {
            let order = order(state, &item, &table, &method);
            key(state, &item, &table, order)
        })
        .collect();
    for key in &keys {
        if let IndexKey::Column { name, .. } = key
            && !state.is_view(&table)
        {
            state.column_mut(node, &table, name)?;
        }
    }
    let items = children(&list, K::PARTITION_ITEM).filter_map(|item| expression_of(&item));
    let condition = child(node, K::WHERE_CLAUSE).and_then(|clause| clause.children().next());
    for expression in items.chain(condition) {
        precondition::names_columns(state, &expression, &table)?;
    }
    let included: Vec<String> = child(node, K::INDEX_INCLUDE_CLAUSE)
        .and_then(|clause| child(&clause, K::PARTITION_ITEM_LIST))
        .iter()
        .flat_map(|list| children(list, K::PARTITION_ITEM))
        .map(|item| name(&item))
        .collect();
    let given = child_name(node, K::INDEX);
    if let Some(name) = given
        .as_ref()
        .filter(|name| state.has_relation(&table.schema, name))
    {
        if has(node, K::IF_NOT_EXISTS) {
            return Ok(());
        }
        let name = Name {
            schema: table.schema.clone(),
            name: name.clone(),
        };
        return Err(refusal::exists(node, &name));
    }
    let index_name = given.unwrap_or_else(|| state.index_name(&table, &keys, &included, "idx"));
    let predicate = child(node, K::WHERE_CLAUSE)
        .and_then(|clause| predicate(&clause))
        .map(|text| state.as_stored(text, Columns::Table(&table)));
    let index = Index {
        name: index_name,
        unique: has(node, K::UNIQUE_KW),
        nulls_not_distinct: has(node, K::NULLS_NOT_DISTINCT),
        method,
        keys,
        included,
        predicate,
        invalid: false,
        comment: None,
    };
    let recurse = !has(&table_node, K::ONLY_KW);
    if index.unique {
        let columns: Vec<String> = index.columns().map(str::to_owned).collect();
        precondition::includes_partition_key(state, node, &table, &columns)?;
    }
    state.push_index(&table, index, None, recurse);
    Ok(())
}

pub(crate) fn alter_index(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let Some(rename) = child(node, K::INDEX_RENAME_TO) else {
        return Ok(());
    };
    let parts = child(node, K::INDEX_REF).map(|reference| path(&reference));
    let parts = parts.unwrap_or_default();
    let to = child_name(&rename, K::INDEX).unwrap_or_default();
    let Some((table, from)) = state.find_index_by(&parts) else {
        // ALTER INDEX renames other relations too.
        if let Some(relation) = state.find_relation(&parts) {
            let schema = relation.schema.clone();
            state.move_relation(&relation, Name { schema, name: to });
            return Ok(());
        }
        if let Some(sequence) = state.find_sequence(&parts) {
            let schema = sequence.schema.clone();
            state.move_sequence(&sequence, Name { schema, name: to });
            return Ok(());
        }
        return if has(node, K::IF_EXISTS) {
            Ok(())
        } else {
            Err(no_index(node, &parts.join(".")))
        };
    };
    state.rename_index(&table, &from, &to);
    Ok(())
}

/// Returns an index element as a column or an expression.
pub(crate) fn key(
    state: &State,
    item: &SyntaxNode,
    table: &Name,
    order: KeyOrder,
) -> Option<IndexKey> {
    let mut key = index_key(item, order)?;
    if let IndexKey::Expression { text, .. } = &mut key {
        *text = state.as_stored(std::mem::take(text), Columns::Table(table));
    }
    Some(key)
}

/// Returns the sort order and operator class of an index element, without the defaults of its type.
pub(crate) fn order(state: &State, item: &SyntaxNode, table: &Name, method: &str) -> KeyOrder {
    use SyntaxKind as K;
    let descending = has(item, K::SORT_DESC);
    let nulls_first = if descending {
        !has(item, K::NULLS_LAST)
    } else {
        has(item, K::NULLS_FIRST)
    };
    let collation = given_collation(item).map(|parts| state.find_collation(&parts));
    let column = expression_of(item)
        .filter(|expression| expression.kind() == K::NAME_REF)
        .map(|column| name(&column))
        .and_then(|column| {
            let relation = state.catalog().relations.get(table)?;
            relation.columns.iter().find(|other| other.name == column)
        });
    let class = child(item, K::OP_CLASS_REF);
    let class = class.map(|class| state.find_operator_class(&path(&class)));
    let data_type = column.map(|column| state.base_type(&column.data_type));
    KeyOrder {
        descending,
        nulls_first,
        collation: match column {
            Some(column) => {
                let of_column = state.collation_of_column(column);
                collation.filter(|collation| of_column.as_ref() != Some(collation))
            }
            None => collation
                .or_else(|| analysis::collation_over(state, &text(&expression_of(item)?), table)),
        },
        operator_class: class.filter(|class| {
            !builtin::is_default_class(
                &class.name,
                method,
                data_type.as_ref().map(|found| found.name.name.as_str()),
            )
        }),
    }
}

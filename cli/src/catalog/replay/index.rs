//! CREATE, ALTER and DROP INDEX.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::refusal::{Refused, Result};
use super::tree::{child, child_name, children, has, name, path, text};
use crate::catalog::{ConstraintKind, Index, IndexKey, KeyOrder, RelationKind};

impl Replay {
    pub(super) fn create_index(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let table_node = child(node, K::TABLE_RELATION_NAME)
            .ok_or_else(|| Refused::new(node, "no table is named"))?;
        if path(&table_node)
            .last()
            .is_some_and(|table| self.temporary.contains(table))
        {
            return Ok(());
        }
        let table = self.relation_mut(&table_node)?.name.clone();
        let list = child(node, K::PARTITION_ITEM_LIST)
            .ok_or_else(|| Refused::new(node, "the index has no columns"))?;
        let keys: Vec<_> = children(&list, K::PARTITION_ITEM)
            .filter_map(|item| key(&item))
            .collect();
        let given = child_name(node, K::INDEX);
        if given
            .as_ref()
            .is_some_and(|name| self.has_relation(&table.schema, name))
            && has(node, K::IF_NOT_EXISTS)
        {
            return Ok(());
        }
        let index_name = given.unwrap_or_else(|| {
            // Columns that are only kept along are in the name too.
            let included = child(node, K::INDEX_INCLUDE_CLAUSE)
                .and_then(|clause| child(&clause, K::PARTITION_ITEM_LIST));
            let included = included
                .iter()
                .flat_map(|list| children(list, K::PARTITION_ITEM));
            let named: Vec<_> = keys
                .iter()
                .cloned()
                .chain(included.filter_map(|item| key(&item)))
                .collect();
            self.index_name(&table, &named, "idx")
        });
        let predicate = child(node, K::WHERE_CLAUSE).and_then(|clause| clause.children().next());
        let index = Index {
            name: index_name,
            unique: has(node, K::UNIQUE_KW),
            nulls_not_distinct: node
                .descendants()
                .any(|child| child.kind() == K::NULLS_NOT_DISTINCT),
            method: child_name(node, K::USING_METHOD).unwrap_or_else(|| "btree".to_owned()),
            keys,
            included: Vec::new(),
            predicate: predicate.map(|predicate| text(&predicate)),
            comment: None,
        };
        self.table(&table).indexes.push(index);
        Ok(())
    }

    pub(super) fn alter_index(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let Some(rename) = child(node, K::INDEX_RENAME_TO) else {
            return Ok(());
        };
        let from = child_name(node, K::INDEX_REF).unwrap_or_default();
        let to = child_name(&rename, K::INDEX).unwrap_or_default();
        let holder = self
            .catalog
            .relations
            .values_mut()
            .find(|relation| relation.indexes.iter().any(|index| index.name == from));
        let Some(relation) = holder else {
            return if has(node, K::IF_EXISTS) {
                Ok(())
            } else {
                Err(no_index(node, &from))
            };
        };
        relation
            .indexes
            .iter_mut()
            .filter(|index| index.name == from)
            .for_each(|index| index.name.clone_from(&to));
        relation
            .constraints
            .iter_mut()
            .filter(|other| other.name == from)
            .for_each(|other| other.name.clone_from(&to));
        Ok(())
    }

    pub(super) fn drop_indexes(&mut self, node: &SyntaxNode) -> Result<()> {
        for reference in children(node, SyntaxKind::INDEX_REF) {
            let index = name(&reference);
            let schema = path(&reference).into_iter().rev().nth(1);
            let holder = self.catalog.relations.values_mut().find(|relation| {
                schema
                    .as_ref()
                    .is_none_or(|schema| *schema == relation.name.schema)
                    && relation.indexes.iter().any(|other| other.name == index)
            });
            let Some(relation) = holder else {
                if has(node, SyntaxKind::IF_EXISTS) {
                    continue;
                }
                return Err(no_index(node, &index));
            };
            let is_key = |kind: &ConstraintKind| {
                matches!(
                    kind,
                    ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. }
                )
            };
            if relation
                .constraints
                .iter()
                .any(|other| other.name == index && is_key(&other.kind))
                && relation.kind != RelationKind::MaterializedView
            {
                return Err(Refused::new(
                    node,
                    format!("the constraint {index} needs this index, so PostgreSQL refuses this"),
                )
                .do_this("drop the constraint instead"));
            }
            relation.indexes.retain(|other| other.name != index);
        }
        Ok(())
    }
}

fn no_index(node: &SyntaxNode, index: &str) -> Refused {
    Refused::new(node, format!("there is no index {index}"))
        .do_this("look at the name and at the migrations before this one")
}

/// A column or an expression of an index.
fn key(item: &SyntaxNode) -> Option<IndexKey> {
    use SyntaxKind as K;
    let expression = item.children().next()?;
    let descending = has(item, K::SORT_DESC);
    let order = KeyOrder {
        descending,
        nulls_first: descending,
        ..KeyOrder::default()
    };
    Some(match expression.kind() {
        K::NAME_REF => IndexKey::Column {
            name: name(&expression),
            order,
        },
        K::PAREN_EXPR => {
            let inner = text(&expression);
            let text = inner
                .trim_start_matches('(')
                .trim_end_matches(')')
                .trim()
                .to_owned();
            IndexKey::Expression { text, order }
        }
        _ => IndexKey::Expression {
            text: text(&expression),
            order,
        },
    })
}

//! CREATE and ALTER INDEX.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::drop::no_index;
use super::off::is_off;
use super::refusal::{Refused, Result};
use super::tree::{child, child_name, children, has, name, path, text};
use crate::{Index, IndexKey, KeyOrder, Name};

impl Index {
    /// The columns of the key, without expressions.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| match key {
            IndexKey::Column { name, .. } => Some(name.as_str()),
            IndexKey::Expression { .. } => None,
        })
    }

    /// Whether the index rests on this column.
    pub(super) fn names(&self, column: &str) -> bool {
        let in_keys = self.keys.iter().any(|key| match key {
            IndexKey::Column { name, .. } => name == column,
            IndexKey::Expression { text, .. } => super::tree::mentions(text, column),
        });
        in_keys
            || self.included.iter().any(|other| other == column)
            || self
                .predicate
                .as_deref()
                .is_some_and(|predicate| super::tree::mentions(predicate, column))
    }

    pub(super) fn operator_classes(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| match key {
            IndexKey::Column { order, .. } | IndexKey::Expression { order, .. } => {
                order.operator_class.as_deref()
            }
        })
    }
}

impl Replay {
    pub(super) fn create_index(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let table_node = child(node, K::TABLE_RELATION_NAME)
            .ok_or_else(|| Refused::new(node, "no table is named"))?;
        let table = self.relation_mut(&table_node)?.name.clone();
        let list = child(node, K::PARTITION_ITEM_LIST)
            .ok_or_else(|| Refused::new(node, "the index has no columns"))?;
        let method = child_name(node, K::USING_METHOD).unwrap_or_else(|| "btree".to_owned());
        let keys: Vec<_> = children(&list, K::PARTITION_ITEM)
            .filter_map(|item| {
                let order = self.order(&item, &table, &method);
                key_order(&item, order)
            })
            .collect();
        for key in &keys {
            if let IndexKey::Column { name, .. } = key
                && !self.is_view(&table)
            {
                self.column_mut(node, &table, name)?;
            }
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
            .filter(|name| self.has_relation(&table.schema, name))
        {
            if has(node, K::IF_NOT_EXISTS) {
                return Ok(());
            }
            let name = Name {
                schema: table.schema.clone(),
                name: name.clone(),
            };
            return Err(super::table::exists(node, &name));
        }
        let index_name = given.unwrap_or_else(|| self.index_name(&table, &keys, &included, "idx"));
        let predicate = child(node, K::WHERE_CLAUSE).and_then(|clause| predicate(&clause));
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
        self.push_index(&table, index, None, recurse);
        Ok(())
    }

    pub(super) fn alter_index(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let Some(rename) = child(node, K::INDEX_RENAME_TO) else {
            return Ok(());
        };
        let parts = child(node, K::INDEX_REF).map(|reference| path(&reference));
        let parts = parts.unwrap_or_default();
        let to = child_name(&rename, K::INDEX).unwrap_or_default();
        let Some((table, from)) = self.find_index_by(&parts) else {
            // ALTER INDEX renames other relations too.
            if let Some(relation) = self.find_relation(&parts) {
                let schema = relation.schema.clone();
                self.move_relation(&relation, Name { schema, name: to });
                return Ok(());
            }
            if let Some(sequence) = self.find_sequence(&parts) {
                let schema = sequence.schema.clone();
                self.move_sequence(&sequence, Name { schema, name: to });
                return Ok(());
            }
            return if has(node, K::IF_EXISTS) {
                Ok(())
            } else {
                Err(no_index(node, &parts.join(".")))
            };
        };
        self.rename_index(&table, &from, &to);
        Ok(())
    }

    pub(super) fn rename_index(&mut self, table: &Name, from: &str, to: &str) {
        self.index_titles.rename(table, from, to);
        let relation = self.table(table);
        for index in relation
            .indexes
            .iter_mut()
            .filter(|index| index.name == from)
        {
            to.clone_into(&mut index.name);
        }
        for constraint in relation
            .constraints
            .iter_mut()
            .filter(|other| other.name == from && other.kind.has_index())
        {
            to.clone_into(&mut constraint.name);
        }
    }

    /// The table and name of an index, by the search path.
    pub(super) fn find_index_by(&self, parts: &[String]) -> Option<(Name, String)> {
        self.candidates(parts)
            .into_iter()
            .find_map(|index| Some((self.find_index(&index)?, index.name)))
    }

    /// How an element of an index sorts, without what its type would give it anyway.
    pub(super) fn order(&self, item: &SyntaxNode, table: &Name, method: &str) -> KeyOrder {
        use SyntaxKind as K;
        let descending = has(item, K::SORT_DESC);
        let nulls_first = if descending {
            !has(item, K::NULLS_LAST)
        } else {
            has(item, K::NULLS_FIRST)
        };
        let collation = given_collation(item);
        let column = expression_of(item)
            .filter(|expression| expression.kind() == K::NAME_REF)
            .map(|column| name(&column))
            .and_then(|column| {
                let relation = self.catalog.relations.get(table)?;
                relation.columns.iter().find(|other| other.name == column)
            });
        let class = child_name(item, K::OP_CLASS_REF);
        let data_type = column.map(|column| self.base_type(&column.data_type));
        KeyOrder {
            descending,
            nulls_first,
            collation: match column {
                Some(column) => collation.filter(|own| column.collation.as_ref() != Some(own)),
                None => {
                    collation.or_else(|| self.collation_over(&text(&expression_of(item)?), table))
                }
            },
            operator_class: class.filter(|class| {
                !super::builtin::is_default_class(
                    class,
                    method,
                    data_type.as_ref().map(|found| found.name.name.as_str()),
                )
            }),
        }
    }
}

/// The condition of a partial index; one that is always true makes none.
pub(super) fn predicate(clause: &SyntaxNode) -> Option<String> {
    let condition = text(&clause.children().next()?);
    let bare = condition.trim_matches(['(', ')', ' ']);
    (!bare.eq_ignore_ascii_case("true")).then_some(condition)
}

/// What an element of an index is of, without its collation and the parentheses around, which are the index's.
fn expression_of(item: &SyntaxNode) -> Option<SyntaxNode> {
    let mut expression = item.children().next()?;
    while matches!(
        expression.kind(),
        SyntaxKind::COLLATE | SyntaxKind::PAREN_EXPR
    ) && !is_off(expression.kind())
    {
        expression = expression.children().next()?;
    }
    Some(expression)
}

/// The collation that an element of an index is given, also within parentheses; the outermost holds.
fn given_collation(item: &SyntaxNode) -> Option<String> {
    let collation = super::table::collation(item);
    let within = || {
        let inner = item.children().next()?;
        (inner.kind() == SyntaxKind::PAREN_EXPR).then(|| given_collation(&inner))?
    };
    collation.or_else(within)
}

/// A column or an expression of an index.
pub(super) fn key_order(item: &SyntaxNode, order: KeyOrder) -> Option<IndexKey> {
    use SyntaxKind as K;
    let expression = expression_of(item)?;
    Some(match expression.kind() {
        kind if is_off(kind) => return None,
        K::NAME_REF => IndexKey::Column {
            name: name(&expression),
            order,
        },
        _ => IndexKey::Expression {
            text: text(&expression),
            order,
        },
    })
}

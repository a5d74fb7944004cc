//! Constraints of tables and columns, with the indexes that keys imply.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::refusal::{Refused, Result};
use super::table::column_list;
use super::tree::{child, child_name, children, columns_in, expression, has, name, text, tokens};
use crate::catalog::{
    Constraint, ConstraintKind, Index, IndexKey, KeyOrder, Name, ReferentialAction,
};

impl Replay {
    /// Adds a constraint; what is none, or belongs to the column alone, is left to others.
    pub(super) fn add_constraint(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        column: Option<&str>,
    ) -> Result<()> {
        use SyntaxKind as K;
        let given = child(node, K::CONSTRAINT_NAME_CLAUSE)
            .and_then(|clause| child_name(&clause, K::CONSTRAINT_NAME));
        match node.kind() {
            K::PRIMARY_KEY_CONSTRAINT | K::UNIQUE_CONSTRAINT => {
                self.add_key(node, table, column, given)
            }
            K::CHECK_CONSTRAINT => {
                let condition = expression(node)
                    .ok_or_else(|| Refused::new(node, "the condition is not given"))?;
                let columns = columns_in(&condition);
                let part = match (column, columns.as_slice()) {
                    (Some(column), _) => column.to_owned(),
                    (None, [only]) => only.clone(),
                    (None, _) => String::new(),
                };
                let kind = ConstraintKind::Check {
                    expression: text(&condition),
                    columns,
                    no_inherit: false,
                };
                self.push_constraint(node, table, given, &part, "check", kind)
            }
            K::REFERENCES_CONSTRAINT | K::FOREIGN_KEY_CONSTRAINT => {
                self.add_foreign_key(node, table, column, given)
            }
            K::EXCLUDE_CONSTRAINT => {
                let list = child(node, K::CONSTRAINT_EXCLUSION_LIST);
                let elements = list
                    .iter()
                    .flat_map(|list| children(list, K::CONSTRAINT_EXCLUSION))
                    .map(|element| name(&element));
                let part = elements.collect::<Vec<_>>().join("_");
                let kind = ConstraintKind::Exclude {
                    operators: Vec::new(),
                };
                self.push_constraint(node, table, given, &part, "excl", kind)
            }
            K::NOT_NULL_CONSTRAINT if column.is_none() => {
                let named = child_name(node, K::COLUMN_NAME_REF).unwrap_or_default();
                self.column_mut(node, table, &named)?.not_null = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn add_key(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        column: Option<&str>,
        given: Option<String>,
    ) -> Result<()> {
        use SyntaxKind as K;
        let is_primary = node.kind() == K::PRIMARY_KEY_CONSTRAINT;
        if let Some(using) = child(node, K::USING_INDEX_NAME) {
            return self.key_from_index(node, &using, table, given, is_primary);
        }
        let columns = match column {
            Some(column) => vec![column.to_owned()],
            None => column_list(node, K::CONSTRAINT_COLUMN_REF_LIST),
        };
        let nulls_not_distinct = node
            .descendants()
            .any(|child| child.kind() == K::NULLS_NOT_DISTINCT);
        for column in columns.iter().filter(|_| is_primary) {
            self.column_mut(node, table, column)?.not_null = true;
        }
        let keys: Vec<_> = columns
            .iter()
            .map(|name| IndexKey::Column {
                name: name.clone(),
                order: KeyOrder::default(),
            })
            .collect();
        let name = given.unwrap_or_else(|| {
            if is_primary {
                self.free_name(table, "", "pkey", |_| false)
            } else {
                self.index_name(table, &keys, "key")
            }
        });
        let kind = if is_primary {
            ConstraintKind::PrimaryKey { columns }
        } else {
            ConstraintKind::Unique {
                columns,
                nulls_not_distinct,
            }
        };
        let index = Index {
            name: name.clone(),
            unique: true,
            nulls_not_distinct,
            method: "btree".to_owned(),
            keys,
            included: Vec::new(),
            predicate: None,
            comment: None,
        };
        self.push_constraint(node, table, Some(name), "", "key", kind)?;
        self.table(table).indexes.push(index);
        Ok(())
    }

    /// `ADD .. USING INDEX`: the index takes the constraint's name, if one is given.
    fn key_from_index(
        &mut self,
        node: &SyntaxNode,
        using: &SyntaxNode,
        table: &Name,
        given: Option<String>,
        is_primary: bool,
    ) -> Result<()> {
        let index_name = child_name(using, SyntaxKind::INDEX_REF).unwrap_or_default();
        let index = self
            .table(table)
            .indexes
            .iter_mut()
            .find(|index| index.name == index_name);
        let index =
            index.ok_or_else(|| Refused::new(node, format!("there is no index {index_name}")))?;
        let name = given.unwrap_or(index_name);
        index.name.clone_from(&name);
        let nulls_not_distinct = index.nulls_not_distinct;
        let columns: Vec<_> = index
            .keys
            .iter()
            .filter_map(|key| {
                if let IndexKey::Column { name, .. } = key {
                    Some(name.clone())
                } else {
                    None
                }
            })
            .collect();
        for column in columns.iter().filter(|_| is_primary) {
            self.column_mut(node, table, column)?.not_null = true;
        }
        let kind = if is_primary {
            ConstraintKind::PrimaryKey { columns }
        } else {
            ConstraintKind::Unique {
                columns,
                nulls_not_distinct,
            }
        };
        let constraint = constraint(node, name, kind);
        self.table(table).constraints.push(constraint);
        Ok(())
    }

    fn add_foreign_key(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        column: Option<&str>,
        given: Option<String>,
    ) -> Result<()> {
        use SyntaxKind as K;
        let lists: Vec<Vec<String>> = children(node, K::FOREIGN_KEY_COLUMN_LIST)
            .map(|list| {
                children(&list, K::COLUMN_NAME_REF)
                    .map(|column| name(&column))
                    .collect()
            })
            .collect();
        let (columns, mut referenced_columns) = match column {
            Some(column) => (
                vec![column.to_owned()],
                child_name(node, K::COLUMN_NAME_REF).into_iter().collect(),
            ),
            None => (
                lists.first().cloned().unwrap_or_default(),
                lists.get(1).cloned().unwrap_or_default(),
            ),
        };
        let parent_name = child(node, K::TABLE_NAME_REF)
            .ok_or_else(|| Refused::new(node, "no table is referenced"))?;
        let parent = self.relation_mut(&parent_name)?;
        let references = parent.name.clone();
        if referenced_columns.is_empty() {
            referenced_columns = parent
                .primary_key()
                .map(<[String]>::to_vec)
                .unwrap_or_default();
        }
        let part = columns.join("_");
        let kind = ConstraintKind::ForeignKey {
            columns,
            references,
            referenced_columns,
            on_delete: referential_action(node, K::ON_DELETE_ACTION),
            on_update: referential_action(node, K::ON_UPDATE_ACTION),
            match_full: has(node, K::MATCH_FULL),
        };
        self.push_constraint(node, table, given, &part, "fkey", kind)
    }

    fn push_constraint(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        given: Option<String>,
        part: &str,
        label: &str,
        kind: ConstraintKind,
    ) -> Result<()> {
        let name = given.unwrap_or_else(|| self.free_name(table, part, label, |_| false));
        let relation = self.table(table);
        if relation
            .constraints
            .iter()
            .any(|constraint| constraint.name == name)
        {
            return Err(Refused::new(
                node,
                format!(
                    "{} has a constraint {name} already, so PostgreSQL refuses this",
                    table.name
                ),
            )
            .do_this("give it another name"));
        }
        relation.constraints.push(constraint(node, name, kind));
        Ok(())
    }

    /// A column that is known to be there.
    pub(super) fn column_mut(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        column: &str,
    ) -> Result<&mut crate::catalog::Column> {
        let missing = || {
            Refused::new(node, format!("{} has no column {column}", table.name))
                .do_this("look at the name and at the migrations before this one")
        };
        self.table(table)
            .columns
            .iter_mut()
            .find(|other| other.name == column)
            .ok_or_else(missing)
    }
}

fn referential_action(node: &SyntaxNode, clause: SyntaxKind) -> ReferentialAction {
    use SyntaxKind as K;
    let Some(action) = child(node, clause).and_then(|clause| clause.children().next()) else {
        return ReferentialAction::NoAction;
    };
    let columns = || column_list(&action, K::COLUMN_REF_LIST);
    match action.kind() {
        K::RESTRICT => ReferentialAction::Restrict,
        K::CASCADE => ReferentialAction::Cascade,
        K::SET_NULL_COLUMNS => ReferentialAction::SetNull(columns()),
        K::SET_DEFAULT_COLUMNS => ReferentialAction::SetDefault(columns()),
        _ => ReferentialAction::NoAction,
    }
}

fn constraint(node: &SyntaxNode, name: String, kind: ConstraintKind) -> Constraint {
    use SyntaxKind as K;
    let initially_deferred = has(node, K::INITIALLY_DEFERRED_CONSTRAINT_OPTION);
    // INITIALLY DEFERRED alone makes it DEFERRABLE; NOT DEFERRABLE holds the word too.
    let words: Vec<_> = tokens(node).map(|token| token.kind()).collect();
    let negated = words
        .windows(2)
        .any(|pair| pair == [K::NOT_KW, K::DEFERRABLE_KW]);
    let deferrable = initially_deferred || (words.contains(&K::DEFERRABLE_KW) && !negated);
    Constraint {
        name,
        kind,
        deferrable,
        initially_deferred,
        validated: !has(node, K::NOT_VALID),
        enforced: true,
        comment: None,
    }
}

//! Constraints of tables and columns, with the indexes that keys imply.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::column::named_column;
use super::index::{key_order, predicate};
use super::off::is_off;
use super::refusal::{Refused, Result};
use super::table::{child_include, column_list};
use super::tree::{child, child_name, children, columns_in, expression, has, says, text};
use crate::{Column, Constraint, ConstraintKind, Index, IndexKey, KeyOrder, Name, RelationKind};

impl ConstraintKind {
    /// Whether the constraint is kept by an index of its name.
    pub(super) fn has_index(&self) -> bool {
        matches!(
            self,
            Self::PrimaryKey { .. } | Self::Unique { .. } | Self::Exclude { .. }
        )
    }

    /// Whether the constraint rests on this column of its own table, not counting its index.
    pub(super) fn names(&self, column: &str) -> bool {
        match self {
            Self::PrimaryKey { columns }
            | Self::Unique { columns, .. }
            | Self::Check { columns, .. }
            | Self::ForeignKey { columns, .. } => columns.iter().any(|other| other == column),
            Self::Exclude { .. } => false,
        }
    }
}

impl Constraint {
    /// Whether it is an exclusion, be it written as a key WITHOUT OVERLAPS.
    pub(super) fn excludes(&self) -> bool {
        let is_key = self.kind.has_index();
        is_key && self.temporal || matches!(self.kind, ConstraintKind::Exclude { .. })
    }
}

/// The name that a clause gives.
pub(super) fn given_name(clause: &SyntaxNode) -> Option<String> {
    child(clause, SyntaxKind::CONSTRAINT_NAME_CLAUSE)
        .and_then(|given| child_name(&given, SyntaxKind::CONSTRAINT_NAME))
}

pub(super) fn nulls_not_distinct(clause: &SyntaxNode) -> bool {
    says(clause, SyntaxKind::NULLS_NOT_DISTINCT)
}

/// DEFERRABLE and INITIALLY DEFERRED; the second alone implies the first.
pub(super) fn deferral(clause: &SyntaxNode) -> (bool, bool) {
    use SyntaxKind as K;
    let says = |kind| says(clause, kind);
    let deferred = says(K::INITIALLY_DEFERRED_CONSTRAINT_OPTION);
    (deferred || says(K::DEFERRABLE_CONSTRAINT_OPTION), deferred)
}

/// Whether the last column is a period: of a key the rows must not overlap, of a reference they must cover it.
fn is_temporal(clause: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    says(clause, K::WITHOUT_OVERLAPS) || says(clause, K::PERIOD_COLUMN)
}

impl Replay {
    /// Adds a constraint; what is none, or belongs to the column alone, is left to others.
    pub(super) fn add_constraint(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        column: Option<&str>,
    ) -> Result<()> {
        self.add_named_constraint(node, table, column, given_name(node))
    }

    pub(super) fn add_named_constraint(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        column: Option<&str>,
        given: Option<String>,
    ) -> Result<()> {
        use SyntaxKind as K;
        if is_off(node.kind()) {
            return Ok(());
        }
        match node.kind() {
            K::PRIMARY_KEY_CONSTRAINT | K::UNIQUE_CONSTRAINT => {
                self.add_key(node, table, column, given)
            }
            K::CHECK_CONSTRAINT => self.add_check(node, table, given),
            K::REFERENCES_CONSTRAINT | K::FOREIGN_KEY_CONSTRAINT => {
                self.add_foreign_key(node, table, column, given)
            }
            K::EXCLUDE_CONSTRAINT => self.add_exclusion(node, table, given),
            K::NOT_NULL_CONSTRAINT => {
                let named = column.map_or_else(|| named_column(node), str::to_owned);
                self.column_mut(node, table, &named)?;
                self.set_not_null(table, &named, given);
                if !has(node, K::NO_INHERIT) {
                    self.inherit_not_null(table, &named);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn add_check(&mut self, node: &SyntaxNode, table: &Name, given: Option<String>) -> Result<()> {
        let condition =
            expression(node).ok_or_else(|| Refused::new(node, "the condition is not given"))?;
        let known = &self.table(table).columns;
        let mut columns = columns_in(&condition);
        columns.retain(|column| known.iter().any(|known| known.name == *column));
        let name = match given {
            Some(name) => name,
            // One column gives its name, wherever the check stands.
            None => {
                let part = match columns.as_slice() {
                    [only] => only,
                    _ => "",
                };
                self.free_constraint_name(table, part, "check")
            }
        };
        columns.sort();
        let no_inherit = has(node, SyntaxKind::NO_INHERIT);
        let kind = ConstraintKind::Check {
            expression: text(&condition),
            columns,
            no_inherit,
        };
        let new = constraint(node, name, kind);
        self.push_constraint(node, table, new.clone())?;
        if !no_inherit {
            for child in self.descendants(table) {
                let relation = self.table(&child);
                if relation.constraints.iter().any(|own| own.name == new.name) {
                    self.local_checks.note(&child, &new.name, ());
                } else {
                    relation.constraints.push(new.clone());
                }
            }
        }
        Ok(())
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
        if is_primary && self.table(table).primary_key().is_some() {
            return Err(Refused::new(
                node,
                format!(
                    "{} has a primary key already, so PostgreSQL refuses this",
                    table.name
                ),
            ));
        }
        let temporal = is_temporal(node);
        if temporal && columns.len() < 2 {
            return Err(Refused::new(
                node,
                "a key WITHOUT OVERLAPS has no other column, so PostgreSQL refuses this",
            )
            .do_this("name what must not overlap with itself before the period"));
        }
        for column in &columns {
            self.column_mut(node, table, column)?;
            if is_primary {
                self.set_not_null(table, column, None);
                self.inherit_not_null(table, column);
            }
        }
        let keys: Vec<_> = columns
            .iter()
            .map(|name| IndexKey::Column {
                name: name.clone(),
                order: KeyOrder::default(),
            })
            .collect();
        let included = child_include(node);
        let name = given.unwrap_or_else(|| {
            if is_primary {
                self.free_relation_name(table, "", "pkey")
            } else {
                self.index_name(table, &keys, &included, "key")
            }
        });
        let nulls_not_distinct = nulls_not_distinct(node);
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
            method: if temporal { "gist" } else { "btree" }.to_owned(),
            keys,
            included,
            predicate: None,
            invalid: false,
            comment: None,
        };
        let new = constraint(node, name, kind);
        self.must_be_free(node, table, &new.name)?;
        let recurse = self.recurses(node);
        if recurse && temporal {
            self.partitions_must_have_none_like(node, table, &index)?;
        }
        self.push_index(table, index, Some(new), recurse);
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
        let indexes = &mut self.table(table).indexes;
        let index = indexes.iter_mut().find(|index| index.name == index_name);
        let index =
            index.ok_or_else(|| Refused::new(node, format!("there is no index {index_name}")))?;
        let name = given.unwrap_or(index_name);
        let old = std::mem::replace(&mut index.name, name.clone());
        let nulls_not_distinct = index.nulls_not_distinct;
        let columns: Vec<String> = index.columns().map(str::to_owned).collect();
        self.index_titles.rename(table, &old, &name);
        for column in columns.iter().filter(|_| is_primary) {
            self.column_mut(node, table, column)?;
            self.set_not_null(table, column, None);
            self.inherit_not_null(table, column);
        }
        let kind = if is_primary {
            ConstraintKind::PrimaryKey { columns }
        } else {
            ConstraintKind::Unique {
                columns,
                nulls_not_distinct,
            }
        };
        self.push_constraint(node, table, constraint(node, name, kind))
    }

    fn add_exclusion(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        given: Option<String>,
    ) -> Result<()> {
        use SyntaxKind as K;
        let list = child(node, K::CONSTRAINT_EXCLUSION_LIST)
            .ok_or_else(|| Refused::new(node, "the elements are not given"))?;
        let method = child(node, K::CONSTRAINT_INDEX_METHOD)
            .and_then(|method| child_name(&method, K::ACCESS_METHOD_REF))
            .unwrap_or_else(|| "btree".to_owned());
        let mut keys = Vec::new();
        let mut operators = Vec::new();
        for element in children(&list, K::CONSTRAINT_EXCLUSION) {
            let operator = child(&element, K::OP)
                .ok_or_else(|| Refused::new(&element, "the operator is not given"))?;
            operators.push(text(&operator).split_whitespace().collect::<String>());
            let order = self.order(&element, table, &method);
            keys.extend(key_order(&element, order));
        }
        let predicate =
            child(node, K::WHERE_CONDITION_CLAUSE).and_then(|clause| predicate(&clause));
        let included = child_include(node);
        let name = given.unwrap_or_else(|| self.index_name(table, &keys, &included, "excl"));
        self.must_be_free(node, table, &name)?;
        let index = Index {
            name: name.clone(),
            unique: false,
            nulls_not_distinct: false,
            method,
            keys,
            included,
            predicate,
            invalid: false,
            comment: None,
        };
        let new = constraint(node, name, ConstraintKind::Exclude { operators });
        self.partitions_must_have_none_like(node, table, &index)?;
        self.push_index(table, index, Some(new), true);
        Ok(())
    }

    fn partitions_must_have_none_like(
        &self,
        node: &SyntaxNode,
        table: &Name,
        index: &Index,
    ) -> Result<()> {
        let mut partitions = self.partitions(table).into_iter();
        partitions.try_for_each(|partition| self.must_have_none_like(node, &partition, index))
    }

    pub(super) fn push_constraint(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        new: Constraint,
    ) -> Result<()> {
        let constraints = &self.table(table).constraints;
        if constraints.iter().any(|other| other.name == new.name) {
            return Err(has_already(node, table, &new.name));
        }
        self.table(table).constraints.push(new);
        Ok(())
    }

    /// A key's name must be free among constraints of the table and relations of the schema.
    fn must_be_free(&mut self, node: &SyntaxNode, table: &Name, name: &str) -> Result<()> {
        let constraints = &self.table(table).constraints;
        if constraints.iter().any(|other| other.name == name)
            || self.has_relation(&table.schema, name)
        {
            return Err(has_already(node, table, name));
        }
        Ok(())
    }

    /// Whether a change is for the partitions too: not with ONLY.
    pub(super) fn recurses(&self, clause: &SyntaxNode) -> bool {
        let statement = clause
            .ancestors()
            .find_map(|node| child(&node, SyntaxKind::TABLE_RELATION_NAME));
        !statement.is_some_and(|table| has(&table, SyntaxKind::ONLY_KW))
    }

    /// A column that is known to be there.
    pub(super) fn column_mut(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        column: &str,
    ) -> Result<&mut Column> {
        let missing = || {
            Refused::new(node, format!("{} has no column {column}", table.name))
                .do_this("look at the name and at the migrations before this one")
                .raises("undefined_column")
        };
        self.table(table)
            .columns
            .iter_mut()
            .find(|other| other.name == column)
            .ok_or_else(missing)
    }

    /// `ALTER CONSTRAINT` and `VALIDATE CONSTRAINT`.
    pub(super) fn alter_constraint(&mut self, action: &SyntaxNode, table: &Name) -> Result<()> {
        use SyntaxKind as K;
        let name = child_name(action, K::CONSTRAINT_NAME_REF).unwrap_or_default();
        let says = |kind| says(action, kind);
        // References of partitions may have other names; checks of children have the same.
        let mut affected = vec![(table.clone(), name.clone())];
        affected.extend(self.partition_references(table, &name));
        for child in self.descendants(table) {
            if !affected.iter().any(|(table, _)| *table == child) {
                affected.push((child, name.clone()));
            }
        }
        let mut found = self.not_null_column(table, &name).is_some();
        for (table, name) in affected {
            let relation = self.table(&table);
            let constraints = relation.constraints.iter_mut();
            for constraint in constraints.filter(|constraint| constraint.name == name) {
                found = true;
                if action.kind() == K::VALIDATE_CONSTRAINT {
                    constraint.validated = constraint.enforced;
                    continue;
                }
                let (deferrable, deferred) = deferral(action);
                if says(K::NOT_ENFORCED) {
                    constraint.enforced = false;
                    constraint.validated = false;
                } else if says(K::ENFORCED) {
                    constraint.enforced = true;
                    constraint.validated = true;
                } else {
                    constraint.deferrable = deferrable;
                    constraint.initially_deferred = deferred;
                }
            }
        }
        if found {
            Ok(())
        } else {
            let why = format!("{} has no constraint {name}", table.name);
            Err(Refused::new(action, why))
        }
    }

    /// Whether the relation is a table, whose constraints and columns can be changed.
    pub(super) fn is_view(&self, name: &Name) -> bool {
        self.catalog.relations.get(name).is_some_and(|relation| {
            matches!(
                relation.kind,
                RelationKind::View | RelationKind::MaterializedView
            )
        })
    }
}

fn has_already(node: &SyntaxNode, table: &Name, name: &str) -> Refused {
    Refused::new(
        node,
        format!(
            "there is a {name} already that {} cannot have twice, so PostgreSQL refuses this",
            table.name
        ),
    )
    .do_this("give it another name")
    .raises("duplicate_object")
}

pub(super) fn constraint(node: &SyntaxNode, name: String, kind: ConstraintKind) -> Constraint {
    let (deferrable, initially_deferred) = deferral(node);
    let says = |kind| says(node, kind);
    let enforced = !says(SyntaxKind::NOT_ENFORCED);
    Constraint {
        name,
        kind,
        deferrable,
        initially_deferred,
        validated: enforced && !says(SyntaxKind::NOT_VALID),
        enforced,
        temporal: is_temporal(node),
        comment: None,
    }
}

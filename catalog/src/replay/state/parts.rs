//! The parts of relations, columns, constraints and indexes, and their dependencies.

use crate::attached::Attached;
use crate::replay::syntax::expression;
use crate::{
    Column, Constraint, ConstraintKind, Fill, Index, IndexKey, Name, Relation, RelationKind,
};

impl ConstraintKind {
    /// Returns true if an index of the same name enforces the constraint.
    pub(crate) fn has_index(&self) -> bool {
        matches!(
            self,
            Self::PrimaryKey { .. } | Self::Unique { .. } | Self::Exclude { .. }
        )
    }

    /// Returns true if the constraint depends on this column of its own table, not counting its
    /// index.
    pub(crate) fn names(&self, column: &str) -> bool {
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
    /// Returns true if the constraint is an exclusion constraint or a key WITHOUT OVERLAPS.
    pub(crate) fn excludes(&self) -> bool {
        let is_key = self.kind.has_index();
        is_key && self.temporal || matches!(self.kind, ConstraintKind::Exclude { .. })
    }
}

impl Relation {
    /// Returns the name of the index that a foreign key to these columns uses, which is the oldest
    /// that fits.
    pub(crate) fn referenced_index(&self, columns: &[String], temporal: bool) -> Option<&str> {
        // PERIOD refers to a key WITHOUT OVERLAPS or an exclusion constraint, and to its last
        // column.
        let has_kind = |index: &crate::Index| {
            let constraint = self.constraint_of(&index.name);
            let excludes = constraint.is_some_and(crate::Constraint::excludes);
            match temporal {
                true => excludes && index.columns().last() == columns.last().map(String::as_str),
                false => index.unique && !excludes,
            }
        };
        let fits = |index: &&crate::Index| {
            let mut keys: Vec<_> = index.columns().collect();
            let mut wanted: Vec<_> = columns.iter().map(String::as_str).collect();
            keys.sort_unstable();
            wanted.sort_unstable();
            has_kind(index)
                && index.predicate.is_none()
                && keys == wanted
                && keys.len() == index.keys.len()
        };
        self.indexes
            .iter()
            .find(fits)
            .map(|index| index.name.as_str())
    }
}

impl Index {
    /// Returns the columns of the key, without expressions.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| match key {
            IndexKey::Column { name, .. } => Some(name.as_str()),
            IndexKey::Expression { .. } => None,
        })
    }

    /// Returns true if the index depends on this column.
    pub(crate) fn names(&self, column: &str) -> bool {
        let in_keys = self.keys.iter().any(|key| match key {
            IndexKey::Column { name, .. } => name == column,
            IndexKey::Expression { text, .. } => expression::mentions(text, column),
        });
        in_keys
            || self.included.iter().any(|other| other == column)
            || self
                .predicate
                .as_deref()
                .is_some_and(|predicate| expression::mentions(predicate, column))
    }

    pub(crate) fn operator_classes(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| match key {
            IndexKey::Column { order, .. } | IndexKey::Expression { order, .. } => order
                .operator_class
                .as_ref()
                .map(|class| class.name.as_str()),
        })
    }
}

impl Relation {
    /// Returns true if the index enforces an exclusion constraint or a key WITHOUT OVERLAPS.
    pub(crate) fn excludes(&self, index: &Index) -> bool {
        let constraint = self.constraint_of(&index.name);
        constraint.is_some_and(Constraint::excludes)
    }

    /// Returns the constraint that this index enforces.
    pub(crate) fn constraint_of(&self, index: &str) -> Option<&Constraint> {
        let mut constraints = self.constraints.iter();
        constraints.find(|constraint| constraint.name == index && constraint.kind.has_index())
    }
}

impl Relation {
    pub(crate) fn new(name: Name, kind: RelationKind) -> Self {
        Self {
            name,
            kind,
            columns: Vec::new(),
            constraints: Vec::new(),
            indexes: Vec::new(),
            parents: Vec::new(),
            of_type: None,
            partition_by: None,
            partition_bound: None,
            distribution: None,
            comment: None,
            attached: Attached::default(),
        }
    }

    /// Copies the inherited properties from the parent: columns, defaults, NOT NULL, checks.
    pub(crate) fn inherit(&mut self, parent: &Self, is_partition: bool) {
        for column in &parent.columns {
            match self
                .columns
                .iter_mut()
                .find(|other| other.name == column.name)
            {
                // A default may also come from another parent.
                Some(existing) => {
                    existing.not_null |= column.not_null;
                    if existing.fill == Fill::Nothing {
                        existing.fill = inherited(&column.fill, is_partition);
                    }
                }
                None => {
                    let fill = inherited(&column.fill, is_partition);
                    self.columns.push(Column {
                        fill,
                        comment: None,
                        ..column.clone()
                    });
                }
            }
        }
        for constraint in &parent.constraints {
            let is_inherited = matches!(
                constraint.kind,
                ConstraintKind::Check {
                    no_inherit: false,
                    ..
                }
            );
            if is_inherited
                && !self
                    .constraints
                    .iter()
                    .any(|other| other.name == constraint.name)
            {
                let mut constraint = constraint.clone();
                constraint.comment = None;
                // The child is empty, so no row violates the constraint.
                constraint.validated = constraint.enforced;
                self.constraints.push(constraint);
            }
        }
    }
}

/// Returns the fill that a child inherits. Only partitions inherit an identity.
fn inherited(fill: &Fill, is_partition: bool) -> Fill {
    match fill {
        Fill::Identity { .. } if !is_partition => Fill::Nothing,
        fill => fill.clone(),
    }
}

//! ALTER TABLE, action by action.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::refusal::{Refused, Result};
use super::table::{default_fill, generated};
use super::tree::{child, child_name, expression, has, mentions, path, rename_in, text};
use super::{Replay, data_type, drop};
use crate::catalog::{ConstraintKind, Fill, IndexKey, Name, RelationKind};

impl Replay {
    pub(super) fn alter_table(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let table_node = child(node, K::TABLE_RELATION_NAME)
            .ok_or_else(|| Refused::new(node, "no table is named"))?;
        let parts = path(&table_node);
        if parts
            .last()
            .is_some_and(|table| self.temporary.contains(table))
        {
            return Ok(());
        }
        let Some(mut table) = self.find_relation(&parts) else {
            return if has(node, K::IF_EXISTS) {
                Ok(())
            } else {
                self.relation_mut(&table_node).map(|_| ())
            };
        };
        for action in node
            .children()
            .filter(|child| !matches!(child.kind(), K::TABLE_RELATION_NAME | K::IF_EXISTS))
        {
            table = self.alter_table_action(&action, table)?;
        }
        Ok(())
    }

    /// Applies one action; gives the table's name, which it may have changed.
    fn alter_table_action(&mut self, action: &SyntaxNode, table: Name) -> Result<Name> {
        use SyntaxKind as K;
        match action.kind() {
            K::ADD_COLUMN => {
                let column = child_name(action, K::COLUMN_NAME).unwrap_or_default();
                let exists = self
                    .table(&table)
                    .columns
                    .iter()
                    .any(|other| other.name == column);
                if exists && has(action, K::IF_NOT_EXISTS) {
                    return Ok(table);
                }
                if exists {
                    return Err(Refused::new(
                        action,
                        format!("{} has a column {column} already", table.name),
                    )
                    .do_this("give it another name"));
                }
                let column = self.add_column(action, &table)?;
                for clause in action.children() {
                    self.add_constraint(&clause, &table, Some(&column))?;
                }
            }
            K::ADD_CONSTRAINT => {
                for clause in action.children() {
                    self.add_constraint(&clause, &table, None)?;
                }
            }
            K::DROP_COLUMN => self.drop_column(action, &table)?,
            K::DROP_CONSTRAINT => self.drop_constraint(action, &table)?,
            K::ALTER_COLUMN => self.alter_column(action, &table)?,
            K::RENAME_COLUMN => {
                let from = child_name(action, K::COLUMN_NAME_REF).unwrap_or_default();
                let to = child_name(action, K::COLUMN_NAME).unwrap_or_default();
                self.column_mut(action, &table, &from)?;
                self.rename_column(&table, &from, &to);
            }
            K::RENAME_CONSTRAINT => {
                let from = child_name(action, K::CONSTRAINT_NAME_REF).unwrap_or_default();
                let to = child_name(action, K::CONSTRAINT_NAME).unwrap_or_default();
                let relation = self.table(&table);
                let constraint = relation
                    .constraints
                    .iter_mut()
                    .find(|constraint| constraint.name == from);
                constraint
                    .ok_or_else(|| {
                        Refused::new(action, format!("{} has no constraint {from}", table.name))
                    })?
                    .name
                    .clone_from(&to);
                for index in relation
                    .indexes
                    .iter_mut()
                    .filter(|index| index.name == from)
                {
                    index.name.clone_from(&to);
                }
            }
            K::TABLE_RENAME_TO => {
                let to = child_name(action, K::TABLE_NAME).unwrap_or_default();
                return Ok(self.move_relation(
                    &table,
                    Name {
                        schema: table.schema.clone(),
                        name: to,
                    },
                ));
            }
            K::SET_SCHEMA => {
                let schema = child_name(action, K::SCHEMA_REF).unwrap_or_default();
                return Ok(self.move_relation(
                    &table,
                    Name {
                        schema,
                        name: table.name.clone(),
                    },
                ));
            }
            K::ATTACH_PARTITION | K::DETACH_PARTITION => {
                let part = action
                    .descendants()
                    .find(|node| node.kind() == K::TABLE_NAME_REF);
                let part = part.ok_or_else(|| Refused::new(action, "no partition is named"))?;
                let attached = action.kind() == K::ATTACH_PARTITION;
                self.relation_mut(&part)?.kind = if attached {
                    RelationKind::Partition
                } else {
                    RelationKind::Table
                };
            }
            kind if shapes_nothing(kind) => {}
            kind => {
                let words = format!("{kind:?}").replace('_', " ");
                return Err(Refused::new(
                    action,
                    format!("replay does not follow ALTER TABLE .. {words} yet"),
                ));
            }
        }
        Ok(table)
    }

    fn alter_column(&mut self, action: &SyntaxNode, table: &Name) -> Result<()> {
        use SyntaxKind as K;
        let column_name = child_name(action, K::COLUMN_NAME_REF).unwrap_or_default();
        let Some(option) = action
            .children()
            .find(|child| child.kind() != K::COLUMN_NAME_REF)
        else {
            return Ok(());
        };
        if option.kind() == K::SET_TYPE {
            let data_type = data_type::child_type(self, &option)?.data_type;
            self.column_mut(action, table, &column_name)?.data_type = data_type;
            return Ok(());
        }
        let column = self.column_mut(action, table, &column_name)?;
        match option.kind() {
            K::SET_DEFAULT => {
                let default = expression(&option)
                    .ok_or_else(|| Refused::new(&option, "the default is not given"))?;
                column.fill = default_fill(&default);
            }
            K::DROP_DEFAULT | K::DROP_IDENTITY | K::DROP_EXPRESSION => column.fill = Fill::Nothing,
            K::SET_NOT_NULL => column.not_null = true,
            K::DROP_NOT_NULL => column.not_null = false,
            K::ADD_GENERATED => {
                column.fill = generated(&option)?;
                let sequence = self.free_name(table, &column_name, "seq", |_| false);
                let full = Name {
                    schema: table.schema.clone(),
                    name: sequence,
                };
                self.insert_sequence(full, "int8", Some((table.clone(), column_name)));
            }
            K::SET_GENERATED => {
                column.fill = Fill::Identity {
                    always: text(&option).to_ascii_uppercase().contains("ALWAYS"),
                }
            }
            K::SET_STATISTICS
            | K::SET_STORAGE
            | K::SET_COMPRESSION
            | K::SET_OPTIONS
            | K::RESET_OPTIONS
            | K::SET_SEQUENCE_OPTION
            | K::SET_GENERATED_OPTIONS
            | K::SET_OPTIONS_LIST => {}
            kind => {
                let words = format!("{kind:?}").replace('_', " ");
                return Err(Refused::new(
                    action,
                    format!("replay does not follow ALTER COLUMN .. {words} yet"),
                ));
            }
        }
        Ok(())
    }

    fn drop_column(&mut self, action: &SyntaxNode, table: &Name) -> Result<()> {
        use SyntaxKind as K;
        let column = child_name(action, K::COLUMN_NAME_REF).unwrap_or_default();
        if has(action, K::IF_EXISTS)
            && !self
                .table(table)
                .columns
                .iter()
                .any(|other| other.name == column)
        {
            return Ok(());
        }
        self.column_mut(action, table, &column)?;
        let referenced = |kind: &ConstraintKind| {
            matches!(kind, ConstraintKind::ForeignKey { references, referenced_columns, .. }
                if references == table && referenced_columns.contains(&column))
        };
        let mut others = self
            .catalog
            .relations
            .values()
            .filter(|other| other.name != *table);
        let dependent = others.find(|other| {
            other
                .constraints
                .iter()
                .any(|constraint| referenced(&constraint.kind))
        });
        if let Some(other) = dependent.filter(|_| !drop::cascades(action)) {
            return Err(Refused::new(
                action,
                format!(
                    "{} refers to the column {column}, so PostgreSQL refuses this",
                    other.name.name
                ),
            )
            .do_this("drop the reference first, or say CASCADE"));
        }
        for other in self.catalog.relations.values_mut() {
            other
                .constraints
                .retain(|constraint| !referenced(&constraint.kind));
        }
        self.catalog.sequences.retain(|_, sequence| {
            sequence
                .owner
                .as_ref()
                .is_none_or(|owner| owner != &(table.clone(), column.clone()))
        });
        let relation = self.table(table);
        relation.columns.retain(|other| other.name != column);
        relation.indexes.retain(|index| {
            let in_keys = index.keys.iter().any(|key| match key {
                IndexKey::Column { name, .. } => *name == column,
                IndexKey::Expression { text, .. } => mentions(text, &column),
            });
            !in_keys
                && !index
                    .predicate
                    .as_deref()
                    .is_some_and(|predicate| mentions(predicate, &column))
        });
        relation
            .constraints
            .retain(|constraint| !constraint.kind.names(&column));
        Ok(())
    }

    fn drop_constraint(&mut self, action: &SyntaxNode, table: &Name) -> Result<()> {
        use SyntaxKind as K;
        let constraint = child_name(action, K::CONSTRAINT_NAME_REF).unwrap_or_default();
        let relation = self.table(table);
        let Some(place) = relation
            .constraints
            .iter()
            .position(|other| other.name == constraint)
        else {
            // NOT NULL constraints have names of their own from PostgreSQL 18 on.
            let column = constraint
                .strip_prefix(&format!("{}_", table.name))
                .and_then(|rest| rest.strip_suffix("_not_null"));
            if let Some(column) = column.and_then(|column| {
                relation
                    .columns
                    .iter_mut()
                    .find(|other| other.name == column)
            }) {
                column.not_null = false;
                return Ok(());
            }
            let known = has(action, K::IF_EXISTS);
            return if known {
                Ok(())
            } else {
                Err(Refused::new(
                    action,
                    format!("{} has no constraint {constraint}", table.name),
                ))
            };
        };
        let dropped = relation.constraints.remove(place);
        relation.indexes.retain(|index| index.name != constraint);
        // References that rest on a key go with it, under CASCADE.
        let key = match dropped.kind {
            ConstraintKind::PrimaryKey { columns } | ConstraintKind::Unique { columns, .. }
                if drop::cascades(action) =>
            {
                columns
            }
            _ => return Ok(()),
        };
        for other in self.catalog.relations.values_mut() {
            other.constraints.retain(|constraint| {
                !matches!(&constraint.kind, ConstraintKind::ForeignKey { references, referenced_columns, .. }
                    if references == table && *referenced_columns == key)
            });
        }
        Ok(())
    }

    fn rename_column(&mut self, table: &Name, from: &str, to: &str) {
        let rename = |column: &mut String| {
            if column == from {
                to.clone_into(column);
            }
        };
        for relation in self.catalog.relations.values_mut() {
            for constraint in &mut relation.constraints {
                if let ConstraintKind::ForeignKey {
                    references,
                    referenced_columns,
                    ..
                } = &mut constraint.kind
                    && references == table
                {
                    referenced_columns.iter_mut().for_each(rename);
                }
            }
        }
        for owner in self
            .catalog
            .sequences
            .values_mut()
            .filter_map(|sequence| sequence.owner.as_mut())
            .filter(|owner| owner.0 == *table)
        {
            rename(&mut owner.1);
        }
        let relation = self.table(table);
        relation.columns.iter_mut().for_each(|column| {
            rename(&mut column.name);
            if let Fill::Generated { expression, .. } = &mut column.fill {
                *expression = rename_in(expression, from, to);
            }
        });
        for index in &mut relation.indexes {
            for key in &mut index.keys {
                match key {
                    IndexKey::Column { name, .. } => rename(name),
                    IndexKey::Expression { text, .. } => {
                        *text = rename_in(text, from, to);
                    }
                }
            }
            if let Some(predicate) = &mut index.predicate {
                *predicate = rename_in(predicate, from, to);
            }
        }
        for constraint in &mut relation.constraints {
            match &mut constraint.kind {
                ConstraintKind::Check {
                    expression,
                    columns,
                    ..
                } => {
                    *expression = rename_in(expression, from, to);
                    columns.iter_mut().for_each(rename);
                }
                ConstraintKind::PrimaryKey { columns }
                | ConstraintKind::Unique { columns, .. }
                | ConstraintKind::ForeignKey { columns, .. } => columns.iter_mut().for_each(rename),
                ConstraintKind::Exclude { .. } => {}
            }
        }
    }

    /// Gives a relation another name; references follow it, indexes and constraints keep their own names.
    pub(super) fn move_relation(&mut self, from: &Name, to: Name) -> Name {
        if let Some(mut relation) = self.catalog.relations.remove(from) {
            relation.name = to.clone();
            self.catalog.relations.insert(to.clone(), relation);
        }
        for relation in self.catalog.relations.values_mut() {
            for constraint in &mut relation.constraints {
                if let ConstraintKind::ForeignKey { references, .. } = &mut constraint.kind
                    && references == from
                {
                    *references = to.clone();
                }
            }
        }
        for owner in self
            .catalog
            .sequences
            .values_mut()
            .filter_map(|sequence| sequence.owner.as_mut())
            .filter(|owner| owner.0 == *from)
        {
            owner.0 = to.clone();
        }
        to
    }
}

impl ConstraintKind {
    /// Whether the constraint rests on this column of its own table.
    fn names(&self, column: &str) -> bool {
        match self {
            Self::PrimaryKey { columns }
            | Self::Unique { columns, .. }
            | Self::Check { columns, .. }
            | Self::ForeignKey { columns, .. } => columns.iter().any(|other| other == column),
            Self::Exclude { .. } => false,
        }
    }
}

/// Actions that change how a table is kept or guarded, not what it is.
fn shapes_nothing(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::ALTER_CONSTRAINT
            | K::CLUSTER_ON
            | K::DISABLE_RLS
            | K::DISABLE_RULE
            | K::DISABLE_TRIGGER
            | K::ENABLE_ALWAYS_RULE
            | K::ENABLE_ALWAYS_TRIGGER
            | K::ENABLE_REPLICA_RULE
            | K::ENABLE_REPLICA_TRIGGER
            | K::ENABLE_RLS
            | K::ENABLE_RULE
            | K::ENABLE_TRIGGER
            | K::FORCE_RLS
            | K::NO_FORCE_RLS
            | K::OWNER_TO
            | K::REPLICA_IDENTITY
            | K::RESET_OPTIONS
            | K::SET_ACCESS_METHOD
            | K::SET_LOGGED
            | K::SET_UNLOGGED
            | K::SET_OPTIONS
            | K::SET_TABLESPACE
            | K::SET_WITHOUT_CLUSTER
            | K::SET_WITHOUT_OIDS
            | K::VALIDATE_CONSTRAINT
    )
}

//! ALTER TABLE, action by action; ALTER VIEW and its like, which have some of them.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::column::named_column;
use super::dependents::Object;
use super::off::is_off;
use super::refusal::{Refused, Result};
use super::tree::{child, child_name, has, path};
use crate::{ConstraintKind, Name, RelationKind};

/// The nodes that name what is altered.
const SUBJECTS: [SyntaxKind; 5] = [
    SyntaxKind::TABLE_RELATION_NAME,
    SyntaxKind::TABLE_NAME_REF,
    SyntaxKind::VIEW_REF,
    SyntaxKind::RELATION_NAME,
    SyntaxKind::IF_EXISTS,
];

impl Replay {
    pub(super) fn alter_table(&mut self, node: &SyntaxNode) -> Result<()> {
        let subject = node
            .children()
            .find(|child| SUBJECTS[..4].contains(&child.kind()))
            .ok_or_else(|| Refused::new(node, "no table is named"))?;
        let parts = path(&subject);
        let Some(mut table) = self.find_relation(&parts) else {
            // ALTER TABLE renames and moves sequences and indexes too.
            if let Some((holder, index)) = self.find_index_by(&parts)
                && let Some(rename) = child(node, SyntaxKind::TABLE_RENAME_TO)
            {
                let to = child_name(&rename, SyntaxKind::TABLE_NAME).unwrap_or_default();
                self.rename_index(&holder, &index, &to);
                return Ok(());
            }
            if let Some(sequence) = self.find_sequence(&parts) {
                return self.alter_sequence_as_table(node, &sequence);
            }
            return if has(node, SyntaxKind::IF_EXISTS) {
                Ok(())
            } else {
                self.relation_mut(&subject).map(|_| ())
            };
        };
        for action in node
            .children()
            .filter(|child| !SUBJECTS.contains(&child.kind()))
        {
            table = self.alter_table_action(&action, table)?;
        }
        Ok(())
    }

    fn alter_sequence_as_table(&mut self, node: &SyntaxNode, sequence: &Name) -> Result<()> {
        use SyntaxKind as K;
        for action in node.children() {
            match action.kind() {
                K::TABLE_RENAME_TO => {
                    let to = child_name(&action, K::TABLE_NAME).unwrap_or_default();
                    let schema = sequence.schema.clone();
                    self.move_sequence(sequence, Name { schema, name: to });
                }
                K::SET_SCHEMA => {
                    let schema = child_name(&action, K::SCHEMA_REF).unwrap_or_default();
                    let name = sequence.name.clone();
                    self.move_sequence(sequence, Name { schema, name });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Applies one action; gives the table's name, which it may have changed.
    fn alter_table_action(&mut self, action: &SyntaxNode, table: Name) -> Result<Name> {
        use SyntaxKind as K;
        if is_off(action.kind()) {
            return Ok(table);
        }
        match action.kind() {
            K::ADD_COLUMN => self.alter_add_column(action, &table)?,
            K::ADD_CONSTRAINT => {
                for clause in action.children() {
                    self.add_constraint(&clause, &table, None)?;
                }
            }
            K::DROP_COLUMN => self.drop_column(action, &table)?,
            K::DROP_CONSTRAINT => self.drop_constraint(action, &table)?,
            K::ALTER_COLUMN | K::ALTER_VIEW_COLUMN => self.alter_column(action, &table)?,
            K::RENAME_COLUMN => self.alter_rename_column(action, &table)?,
            K::RENAME_CONSTRAINT => self.rename_constraint(action, &table)?,
            K::TABLE_RENAME_TO | K::VIEW_RENAME_TO => {
                let to = action.children().map(|to| super::tree::name(&to)).next();
                let to = Name {
                    schema: table.schema.clone(),
                    name: to.unwrap_or_default(),
                };
                if self.has_relation(&to.schema, &to.name) {
                    return Err(super::table::exists(action, &to));
                }
                return Ok(self.move_relation(&table, to));
            }
            K::SET_SCHEMA => {
                let schema = child_name(action, K::SCHEMA_REF).unwrap_or_default();
                let name = table.name.clone();
                return Ok(self.move_relation(&table, Name { schema, name }));
            }
            K::ATTACH_PARTITION => self.attach_partition(action, &table)?,
            K::DETACH_PARTITION => self.detach_partition(action)?,
            K::INHERIT_TABLE | K::NO_INHERIT_TABLE => self.change_parent(action, &table)?,
            K::OF_TYPE => {
                let composite = self.composite(action)?;
                self.table(&table).of_type = Some(composite);
            }
            K::NOT_OF => self.table(&table).of_type = None,
            K::ALTER_CONSTRAINT | K::VALIDATE_CONSTRAINT => {
                self.alter_constraint(action, &table)?;
            }
            K::ENABLE_RLS | K::DISABLE_RLS | K::FORCE_RLS | K::NO_FORCE_RLS => {
                self.row_security(action, &table);
            }
            K::ENABLE_TRIGGER
            | K::DISABLE_TRIGGER
            | K::ENABLE_REPLICA_TRIGGER
            | K::ENABLE_ALWAYS_TRIGGER => self.enable_trigger(action, &table),
            K::ENABLE_RULE | K::DISABLE_RULE | K::ENABLE_REPLICA_RULE | K::ENABLE_ALWAYS_RULE => {
                self.enable_rule(action, &table);
            }
            K::SET_OPTIONS | K::RESET_OPTIONS | K::ALTER_OPTION_LIST | K::OPTION_ITEM_LIST
                if self.table(&table).kind == RelationKind::View =>
            {
                self.view_options(action, &table);
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

    fn alter_add_column(&mut self, action: &SyntaxNode, table: &Name) -> Result<()> {
        use SyntaxKind as K;
        let column = child_name(action, K::COLUMN_NAME).unwrap_or_default();
        let columns = &self.table(table).columns;
        let exists = columns.iter().any(|other| other.name == column);
        if exists && has(action, K::IF_NOT_EXISTS) {
            return Ok(());
        }
        if exists {
            return Err(Refused::new(
                action,
                format!("{} has a column {column} already", table.name),
            )
            .do_this("give it another name")
            .raises("duplicate_column"));
        }
        let column = self.add_column(action, table)?;
        self.column_is_added(table);
        if self.recurses(action)
            && let Some(added) = self
                .as_inherited(table)
                .columns
                .into_iter()
                .find(|other| other.name == column)
        {
            for child in self.descendants(table) {
                let relation = self.table(&child);
                if let Some(own) = relation.columns.iter_mut().find(|own| own.name == column) {
                    own.not_null |= added.not_null;
                    self.local_columns.note(&child, &column, ());
                } else {
                    relation.columns.push(added.clone());
                }
            }
        }
        // Keys come before checks, and checks before references, as in CREATE TABLE.
        let clauses: Vec<_> = action.children().collect();
        let order = [
            vec![K::CHECK_CONSTRAINT, K::NOT_NULL_CONSTRAINT],
            vec![K::PRIMARY_KEY_CONSTRAINT, K::UNIQUE_CONSTRAINT],
            vec![K::REFERENCES_CONSTRAINT],
        ];
        for kinds in order {
            for clause in clauses
                .iter()
                .filter(|clause| kinds.contains(&clause.kind()))
            {
                self.add_constraint(clause, table, Some(&column))?;
            }
        }
        Ok(())
    }

    fn drop_column(&mut self, action: &SyntaxNode, table: &Name) -> Result<()> {
        let column = named_column(action);
        let columns = &self.table(table).columns;
        if has(action, SyntaxKind::IF_EXISTS) && !columns.iter().any(|other| other.name == column) {
            return Ok(());
        }
        self.column_mut(action, table, &column)?;
        let mut targets = vec![Object::Column(table.clone(), column.clone())];
        if self.recurses(action) {
            self.inherited_columns(table, &column, &mut targets);
        }
        self.drop_objects(action, &targets)
    }

    /// The columns of children that are there only because the parent's is.
    pub(super) fn inherited_columns(&self, table: &Name, column: &str, targets: &mut Vec<Object>) {
        for relation in self.catalog.relations.values() {
            let child = &relation.name;
            let is_elsewhere = relation.parents.iter().any(|parent| {
                !targets.contains(&Object::Column(parent.clone(), column.to_owned()))
                    && self.catalog.relations.get(parent).is_some_and(|parent| {
                        parent.columns.iter().any(|other| other.name == column)
                    })
            });
            if relation.parents.contains(table)
                && !is_elsewhere
                && !self.local_columns.has(child, column)
            {
                targets.push(Object::Column(child.clone(), column.to_owned()));
                self.inherited_columns(&relation.name, column, targets);
            }
        }
    }

    fn alter_rename_column(&mut self, action: &SyntaxNode, table: &Name) -> Result<()> {
        let from = named_column(action);
        let to = child_name(action, SyntaxKind::COLUMN_NAME).unwrap_or_default();
        let columns = &self.table(table).columns;
        if columns.iter().any(|column| column.name == to) {
            return Err(
                Refused::new(action, format!("{} has a column {to} already", table.name))
                    .do_this("give it another name")
                    .raises("duplicate_column"),
            );
        }
        self.column_mut(action, table, &from)?;
        self.rename_column(table, &from, &to);
        for child in self.descendants(table) {
            self.rename_column(&child, &from, &to);
        }
        Ok(())
    }

    fn rename_constraint(&mut self, action: &SyntaxNode, table: &Name) -> Result<()> {
        use SyntaxKind as K;
        let from = child_name(action, K::CONSTRAINT_NAME_REF).unwrap_or_default();
        let to = child_name(action, K::CONSTRAINT_NAME).unwrap_or_default();
        if let Some(column) = self.not_null_column(table, &from) {
            self.not_null_names.note(table, &column, to);
            return Ok(());
        }
        self.local_checks.rename(table, &from, &to);
        self.index_titles.rename(table, &from, &to);
        let relation = self.table(table);
        let constraint = relation
            .constraints
            .iter_mut()
            .find(|constraint| constraint.name == from);
        let missing = || Refused::new(action, format!("{} has no constraint {from}", table.name));
        let constraint = constraint.ok_or_else(missing)?;
        constraint.name.clone_from(&to);
        let has_index = constraint.kind.has_index();
        let is_check = matches!(constraint.kind, ConstraintKind::Check { .. });
        if has_index {
            let indexes = relation.indexes.iter_mut();
            for index in indexes.filter(|index| index.name == from) {
                index.name.clone_from(&to);
            }
        }
        if is_check {
            for child in self.descendants(table) {
                let constraints = self.table(&child).constraints.iter_mut();
                for constraint in constraints.filter(|constraint| constraint.name == from) {
                    constraint.name.clone_from(&to);
                }
            }
        }
        Ok(())
    }

    fn drop_constraint(&mut self, action: &SyntaxNode, table: &Name) -> Result<()> {
        use SyntaxKind as K;
        let name = child_name(action, K::CONSTRAINT_NAME_REF).unwrap_or_default();
        let constraints = &self.table(table).constraints;
        let Some(dropped) = constraints.iter().find(|other| other.name == name).cloned() else {
            // NOT NULL constraints have names of their own from PostgreSQL 18 on.
            if let Some(column) = self.not_null_column(table, &name) {
                self.drop_not_null(table, &column);
                return Ok(());
            }
            return if has(action, K::IF_EXISTS) {
                Ok(())
            } else {
                let why = format!("{} has no constraint {name}", table.name);
                Err(Refused::new(action, why))
            };
        };
        let mut targets = vec![Object::Constraint(table.clone(), name.clone())];
        match &dropped.kind {
            ConstraintKind::Check { .. } => {
                let children = self.descendants(table).into_iter();
                let inherited = children.filter(|child| !self.local_checks.has(child, &name));
                targets.extend(inherited.map(|child| Object::Constraint(child, name.clone())));
            }
            ConstraintKind::ForeignKey { .. } => {
                let partitions = self.partition_references(table, &name).into_iter();
                targets.extend(partitions.map(|(table, name)| Object::Constraint(table, name)));
            }
            kind if kind.has_index() => {
                let partitions = self.partition_indexes(table, &name).into_iter();
                targets.extend(partitions.map(|(table, name)| Object::Constraint(table, name)));
            }
            _ => {}
        }
        self.drop_objects(action, &targets)
    }
}

/// Actions that change how a table is kept or guarded, not what it is.
fn shapes_nothing(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::CLUSTER_ON
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
            | K::ALTER_OPTION_LIST
            | K::OPTION_ITEM_LIST
            | K::DEPENDS_ON_EXTENSION
            | K::NO_DEPENDS_ON_EXTENSION
    )
}

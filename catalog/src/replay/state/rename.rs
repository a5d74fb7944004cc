//! Renames objects and moves them to other schemas. References follow, but names derived from the
//! old name remain.

use crate::replay::state::State;
use crate::replay::syntax::expression::rename_in;
use crate::{ConstraintKind, Fill, IndexKey, Name, TypeKind};

impl State {
    /// Renames a relation. If it moves to another schema, the sequences that it owns move too.
    pub(crate) fn move_relation(&mut self, from: &Name, to: Name) -> Name {
        self.relation_moves(from, &to);
        self.parent_moves(from, &to);
        self.move_gaps(from, &to);
        if let Some(mut relation) = self.catalog.relations.remove(from) {
            relation.name = to.clone();
            self.catalog.relations.insert(to.clone(), relation);
        }
        let owned: Vec<Name> = self
            .catalog
            .sequences
            .values_mut()
            .filter_map(|sequence| {
                let owner = sequence.owner.as_mut().filter(|owner| owner.0 == *from)?;
                owner.0 = to.clone();
                Some(sequence.name.clone())
            })
            .collect();
        if from.schema != to.schema {
            for sequence in owned {
                let moved = Name {
                    schema: to.schema.clone(),
                    name: sequence.name.clone(),
                };
                self.move_sequence(&sequence, moved);
            }
        }
        let follow = |name: &mut Name| {
            if name == from {
                name.clone_from(&to);
            }
        };
        for relation in self.catalog.relations.values_mut() {
            relation.parents.iter_mut().for_each(follow);
            for constraint in &mut relation.constraints {
                if let ConstraintKind::ForeignKey { references, .. } = &mut constraint.kind {
                    follow(references);
                }
            }
        }
        self.writes.rename(&from.name, &to.name);
        self.follow_type(from, &to);
        if let Some(uses) = self.views.remove(from) {
            self.views.insert(to.clone(), uses);
        }
        for uses in self.views.values_mut() {
            if uses.relations.remove(from) {
                uses.relations.insert(to.clone());
            }
            uses.columns = std::mem::take(&mut uses.columns)
                .into_iter()
                .map(|(mut table, column)| {
                    follow(&mut table);
                    (table, column)
                })
                .collect();
        }
        self.local_columns.move_table(from, &to);
        self.local_checks.move_table(from, &to);
        self.local_not_null.move_table(from, &to);
        self.not_null_names.move_table(from, &to);
        self.index_column_names.move_table(from, &to);
        to
    }

    pub(crate) fn move_sequence(&mut self, from: &Name, to: Name) {
        let Some(mut sequence) = self.catalog.sequences.remove(from) else {
            return;
        };
        sequence.name = to.clone();
        self.move_gaps(from, &to);
        self.catalog.sequences.insert(to.clone(), sequence);
        for relation in self.catalog.relations.values_mut() {
            for column in &mut relation.columns {
                column.fill.rename_sequence(from, &to);
            }
        }
    }

    pub(crate) fn move_type(&mut self, from: &Name, to: Name) {
        if let Some(mut moved) = self.catalog.types.remove(from) {
            if let TypeKind::Range { multirange, .. } = &moved.kind
                && from.schema != to.schema
            {
                let multirange = |schema: &str| Name {
                    schema: schema.to_owned(),
                    name: multirange.clone(),
                };
                let (old, new) = (multirange(&from.schema), multirange(&to.schema));
                self.follow_type(&old, &new);
            }
            moved.name = to.clone();
            self.catalog.types.insert(to.clone(), moved);
        }
        self.follow_type(from, &to);
    }

    /// Renames a type in columns, attributes and domains.
    fn follow_type(&mut self, from: &Name, to: &Name) {
        self.type_moves(from);
        self.follow_type_in_functions(from, to);
        let follow = |name: &mut Name| {
            if name == from {
                name.clone_from(to);
            }
        };
        for relation in self.catalog.relations.values_mut() {
            relation.of_type.iter_mut().for_each(follow);
            for column in &mut relation.columns {
                follow(&mut column.data_type.name);
            }
        }
        for uses in self.views.values_mut() {
            if uses.types.remove(from) {
                uses.types.insert(to.clone());
            }
        }
        for found in self.catalog.types.values_mut() {
            match &mut found.kind {
                TypeKind::Domain { base, .. } => follow(&mut base.name),
                TypeKind::Range { subtype, .. } => follow(&mut subtype.name),
                TypeKind::Composite { attributes } => attributes
                    .iter_mut()
                    .for_each(|attribute| follow(&mut attribute.data_type.name)),
                TypeKind::Enum { .. } | TypeKind::External => {}
            }
        }
    }

    pub(crate) fn rename_schema(&mut self, from: &str, to: &str) {
        let moved = |name: &Name| Name {
            schema: to.to_owned(),
            name: name.name.clone(),
        };
        let inside = |name: &&Name| name.schema == from;
        let relations: Vec<_> = self
            .catalog
            .relations
            .keys()
            .filter(inside)
            .cloned()
            .collect();
        for name in relations {
            self.move_relation(&name, moved(&name));
        }
        let sequences: Vec<_> = self
            .catalog
            .sequences
            .keys()
            .filter(inside)
            .cloned()
            .collect();
        for name in sequences {
            self.move_sequence(&name, moved(&name));
        }
        let types: Vec<_> = self.catalog.types.keys().filter(inside).cloned().collect();
        for name in types {
            self.move_type(&name, moved(&name));
        }
        self.schema_is_renamed(from, to);
        self.distributed_schema_is_renamed(from, to);
        self.move_functions(from, to);
        self.move_collations(from, to);
        let schemas = self.extension_schemas.values_mut();
        for schema in schemas.filter(|schema| *schema == from) {
            to.clone_into(schema);
        }
        self.schemas.remove(from);
        self.schemas.insert(to.to_owned());
        if let Some(comment) = self.catalog.schemas.remove(from) {
            self.catalog.schemas.insert(to.to_owned(), comment);
        }
    }

    /// Renames a column of this one relation.
    pub(crate) fn rename_column(&mut self, table: &Name, from: &str, to: &str) {
        self.column_is_renamed(table, from, to);
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
        let owners = self.catalog.sequences.values_mut();
        for owner in owners
            .filter_map(|sequence| sequence.owner.as_mut())
            .filter(|owner| owner.0 == *table)
        {
            rename(&mut owner.1);
        }
        for uses in self.views.values_mut() {
            if uses.columns.remove(&(table.clone(), from.to_owned())) {
                uses.columns.insert((table.clone(), to.to_owned()));
            }
        }
        self.local_columns.rename(table, from, to);
        self.local_not_null.rename(table, from, to);
        self.not_null_names.rename(table, from, to);
        self.keep_column_names(table, from);
        let relation = self.table(table);
        relation.columns.iter_mut().for_each(|column| {
            rename(&mut column.name);
            if let Fill::Generated { expression, .. } = &mut column.fill {
                *expression = rename_in(expression, from, to);
            }
        });
        if let Some(distribution) = &mut relation.distribution {
            distribution.column.iter_mut().for_each(rename);
        }
        if let Some(partition_by) = &mut relation.partition_by {
            *partition_by = rename_in(partition_by, from, to);
        }
        for index in &mut relation.indexes {
            for key in &mut index.keys {
                match key {
                    IndexKey::Column { name, .. } => rename(name),
                    IndexKey::Expression { text, .. } => *text = rename_in(text, from, to),
                }
            }
            index.included.iter_mut().for_each(rename);
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
                    columns.sort();
                }
                ConstraintKind::PrimaryKey { columns } | ConstraintKind::Unique { columns, .. } => {
                    columns.iter_mut().for_each(rename);
                }
                ConstraintKind::ForeignKey {
                    columns, on_delete, ..
                } => {
                    columns.iter_mut().for_each(rename);
                    if let crate::ReferentialAction::SetNull(columns)
                    | crate::ReferentialAction::SetDefault(columns) = on_delete
                    {
                        columns.iter_mut().for_each(rename);
                    }
                }
                ConstraintKind::Exclude { .. } => {}
            }
        }
    }
}

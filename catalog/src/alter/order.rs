//! The order of the statements: an object is created before its users, and dropped after them.
//!
//! The step of a statement gives a rough order. A statement also follows the statements that create
//! the objects it names, in its step or another. A table follows its parents and the types of its
//! columns. A view follows the views that it reads.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bowline_sql::Token;

use super::Step;
use crate::attached::Code;
use crate::routine::{Body, Routine};
use crate::{DataType, Fill, Name, Relation, Type, TypeKind};

/// The objects that an object or statement depends on, as far as their texts show.
#[derive(Debug, Clone, Default)]
pub(super) struct Dependencies {
    /// Objects that it certainly depends on: parents, types of columns.
    objects: BTreeSet<Name>,
    /// Identifiers in its expressions, which may be names of objects.
    identifiers: BTreeSet<String>,
    /// Names of columns and constraints, which are names of no objects.
    parts: BTreeSet<String>,
}

/// A statement of the script.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) step: Step,
    /// Its position within the step: parents before children, or children before parents.
    pub(super) rank: (usize, usize),
    pub(super) sql: String,
    /// The object that it creates, and the multirange type of a new range type.
    creates: Vec<Name>,
    /// The indexes and identity sequences that are created with the object or column.
    also_creates: Vec<Name>,
    /// The object that it drops.
    drops: Option<Name>,
    /// The sequences and the multirange type that are dropped with the object or column.
    also_drops: Vec<Name>,
    /// The sequence whose owner it changes. The old owner may be dropped afterwards.
    reassigns: Option<Name>,
    /// The column that it adds, or to which it gives a type.
    makes_column: Option<(Name, String)>,
    /// The constraint, trigger, policy or rule that it creates, with its table.
    makes_part: Option<(Name, String)>,
    pub(super) dependencies: Dependencies,
}

impl Statement {
    /// Returns a statement that creates and drops no object.
    pub(super) fn new(step: Step, sql: String, dependencies: Dependencies) -> Self {
        Self {
            step,
            rank: (0, 0),
            sql,
            creates: Vec::new(),
            also_creates: Vec::new(),
            drops: None,
            also_drops: Vec::new(),
            reassigns: None,
            makes_column: None,
            makes_part: None,
            dependencies,
        }
    }

    /// Returns a statement that depends on the objects that its text names. A statement of a step
    /// before [`Step::Schemas`] depends on no new object.
    pub(super) fn of_text(step: Step, sql: String) -> Self {
        let dependencies = if step < Step::Schemas {
            Dependencies::default()
        } else {
            Dependencies::of_text(&sql)
        };
        Self::new(step, sql, dependencies)
    }

    /// Adds objects that the statement creates.
    pub(super) fn creating(mut self, objects: impl IntoIterator<Item = Name>) -> Self {
        self.creates.extend(objects);
        self
    }

    /// Adds indexes and identity sequences that are created with the object or column.
    pub(super) fn also_creating(mut self, names: impl IntoIterator<Item = Name>) -> Self {
        self.also_creates.extend(names);
        self
    }

    /// Sets the object that the statement drops.
    pub(super) fn dropping(mut self, object: &Name) -> Self {
        self.drops = Some(object.clone());
        self
    }

    /// Adds objects that are dropped with the object or column.
    pub(super) fn also_dropping(mut self, objects: impl IntoIterator<Item = Name>) -> Self {
        self.also_drops.extend(objects);
        self
    }

    /// Sets the sequence whose owner the statement changes.
    pub(super) fn reassigning(mut self, sequence: &Name) -> Self {
        self.reassigns = Some(sequence.clone());
        self
    }

    /// Returns true if an object that it creates has this name.
    pub(super) fn creates(&self, name: &Name) -> bool {
        self.created().any(|created| created == name)
    }

    /// Returns true if it changes a column of the relation.
    pub(super) fn alters_column(&self, relation: &Name) -> bool {
        let rest = self.sql.strip_prefix("ALTER TABLE ");
        let rest = rest.map(|rest| rest.strip_prefix("ONLY ").unwrap_or(rest));
        let rest = rest.and_then(|rest| rest.strip_prefix(relation.sql().as_str()));
        rest.is_some_and(|rest| rest.starts_with(" ALTER COLUMN "))
    }

    /// Sets the column that the statement adds, or to which it gives a type.
    pub(super) fn making_column(mut self, table: &Name, column: &str) -> Self {
        self.makes_column = Some((table.clone(), column.to_owned()));
        self
    }

    /// Returns the column that it adds, or to which it gives a type.
    pub(super) fn made_column(&self) -> Option<&(Name, String)> {
        self.makes_column.as_ref()
    }

    /// Returns true if it adds a column to a table, and the other one adds another column to it.
    fn adds_column_after(&self, other: &Self) -> bool {
        let added = |statement: &Self| {
            let (table, _) = statement.makes_column.as_ref()?;
            let adds = statement.sql.contains(" ADD COLUMN ");
            (adds && statement.step == Step::Columns).then(|| table.clone())
        };
        self.makes_column != other.makes_column
            && added(self).is_some_and(|table| added(other) == Some(table))
    }

    /// Sets the constraint, trigger, policy or rule that the statement creates.
    pub(super) fn making_part(mut self, table: &Name, name: &str) -> Self {
        self.makes_part = Some((table.clone(), name.to_owned()));
        self
    }

    /// Returns the column, constraint, trigger, policy or rule that it creates.
    pub(super) fn made_parts(&self) -> impl Iterator<Item = &(Name, String)> {
        self.makes_column.iter().chain(&self.makes_part)
    }

    /// Returns the names of all objects that it creates.
    pub(super) fn created(&self) -> impl Iterator<Item = &Name> {
        self.creates.iter().chain(&self.also_creates)
    }

    /// Returns the identity sequences of the columns that it adds or changes.
    fn sequences_of_columns(&self) -> &[Name] {
        match self.step {
            Step::Columns => &self.also_creates,
            _ => &[],
        }
    }

    /// Returns the names of all objects that it drops.
    fn dropped(&self) -> impl Iterator<Item = &Name> {
        self.drops.iter().chain(&self.also_drops)
    }

    fn does_drop(&self, name: &Name) -> bool {
        self.dropped().any(|dropped| dropped == name)
    }

    fn is_routine_step(&self) -> bool {
        matches!(
            self.step,
            Step::Routines | Step::DropRoutinesEarly | Step::DropRoutinesLate
        )
    }

    /// Returns true if it creates an object with a name that the other statement frees. Relations,
    /// indexes, sequences and types share one namespace. Routines have another. An
    /// old routine may be an overload of the new one, so it does not have to be dropped first.
    fn reuses_name_of(&self, other: &Self) -> bool {
        self.is_routine_step() == other.is_routine_step()
            && other.step != Step::DropRoutinesLate
            && self.created().any(|name| other.does_drop(name))
    }
}

impl Dependencies {
    pub(super) fn of_objects<'n>(objects: impl IntoIterator<Item = &'n Name>) -> Self {
        Self {
            objects: objects.into_iter().cloned().collect(),
            ..Self::default()
        }
    }

    pub(super) fn of_text(text: &str) -> Self {
        let mut dependencies = Self::default();
        dependencies.add_text(text);
        dependencies
    }

    pub(super) fn of_relation(relation: &Relation) -> Self {
        let mut dependencies = Self::default();
        dependencies
            .objects
            .extend(relation.parents.iter().cloned());
        dependencies.objects.extend(relation.of_type.clone());
        for column in &relation.columns {
            dependencies.add_type(&column.data_type);
            match &column.fill {
                Fill::Default(text)
                | Fill::Generated {
                    expression: text, ..
                } => dependencies.add_text(text),
                Fill::Serial { sequence } => {
                    dependencies.objects.insert(sequence.clone());
                }
                Fill::Nothing | Fill::Identity { .. } => {}
            }
        }
        if let Some(query) = &relation.attached.query {
            dependencies.add_code(query);
        }
        for text in [&relation.partition_by, &relation.partition_bound] {
            text.iter().for_each(|text| dependencies.add_text(text));
        }
        dependencies
    }

    /// Returns the dependencies of a relation and of its constraints, indexes, triggers, policies
    /// and rules.
    pub(super) fn of_relation_with_parts(relation: &Relation) -> Self {
        let mut dependencies = Self::of_relation(relation);
        for constraint in &relation.constraints {
            dependencies.add_text(&constraint.sql(&relation.indexes));
        }
        for index in &relation.indexes {
            dependencies.add_text(&index.sql(&relation.name));
        }
        for trigger in &relation.attached.triggers {
            dependencies.add_text(&trigger.sql(&relation.name));
        }
        for policy in &relation.attached.policies {
            dependencies.add_text(&policy.sql(&relation.name));
        }
        for rule in &relation.attached.rules {
            dependencies.add_code(&rule.definition);
        }
        dependencies
    }

    pub(super) fn of_type(found: &Type) -> Self {
        let mut dependencies = Self::default();
        match &found.kind {
            TypeKind::Domain {
                base,
                default,
                checks,
                ..
            } => {
                dependencies.add_type(base);
                default.iter().for_each(|text| dependencies.add_text(text));
                checks
                    .iter()
                    .for_each(|check| dependencies.add_text(&check.sql(&[])));
            }
            TypeKind::Composite { attributes } => {
                let types = attributes.iter().map(|attribute| &attribute.data_type);
                types.for_each(|data_type| dependencies.add_type(data_type));
            }
            TypeKind::Range { subtype, .. } => {
                dependencies.add_type(subtype);
                let options = found.kind.range_options();
                options
                    .iter()
                    .for_each(|option| dependencies.add_text(option));
            }
            TypeKind::Enum { .. } | TypeKind::External => {}
        }
        dependencies
    }

    pub(super) fn of_routine(routine: &Routine) -> Self {
        let mut dependencies = Self::default();
        for argument in &routine.arguments {
            dependencies.add_type(&argument.data_type);
            argument
                .default
                .iter()
                .for_each(|text| dependencies.add_text(text));
        }
        routine
            .result
            .iter()
            .for_each(|result| dependencies.add_type(result));
        match &routine.body {
            Body::Sql(code) => dependencies.add_code(code),
            // PostgreSQL resolves the parts of an aggregate at its creation, but other texts at
            // their call.
            Body::Text(text) if routine.kind == crate::routine::RoutineKind::Aggregate => {
                dependencies.add_text(text);
            }
            Body::Text(_) => {}
        }
        dependencies
    }

    /// Adds an object that it depends on.
    pub(super) fn add(&mut self, name: &Name) {
        self.objects.insert(name.clone());
    }

    /// Removes an object: another statement adds the dependency later.
    pub(super) fn remove(&mut self, name: &Name) {
        self.objects.remove(name);
    }

    /// Returns true if it certainly depends on an object of the schema.
    pub(super) fn certainly_has_in_schema(&self, schema: &str) -> bool {
        self.objects.iter().any(|object| object.schema == schema)
    }

    /// Returns true if it certainly depends on the object, as a parent or a type.
    pub(super) fn certainly_has(&self, name: &Name) -> bool {
        self.objects.contains(name)
    }

    /// Returns true if it may depend on the object: an expression has its name.
    pub(super) fn may_have(&self, name: &Name) -> bool {
        self.objects.contains(name) || self.identifiers.contains(&name.name)
    }

    /// Returns true if the expressions contain an identifier of this name.
    pub(super) fn mentions(&self, word: &str) -> bool {
        self.identifiers.contains(word) || self.parts.contains(word)
    }

    fn add_type(&mut self, data_type: &DataType) {
        self.objects.insert(data_type.name.clone());
    }

    fn add_code(&mut self, code: &Code) {
        code.text.iter().for_each(|text| self.add_text(text));
    }

    fn add_text(&mut self, text: &str) {
        let tokens: Vec<Token<'_>> = bowline_sql::tokens(text).collect();
        for (at, token) in tokens.iter().enumerate() {
            // The name of a constraint or column is that of no object. `COLUMN t.a` names a table.
            let before = at.checked_sub(1).and_then(|before| tokens.get(before));
            let is_part = before.is_some_and(|before| before.is_one_of(&["constraint", "column"]))
                && !tokens.get(at + 1).is_some_and(|next| next.is("."));
            if is_part {
                self.parts.extend(token.name().map(Cow::into_owned));
                continue;
            }
            if let Some(name) = token.name() {
                self.identifiers.insert(name.into_owned());
            } else if let Some(inner) = token.text().strip_prefix('\'') {
                // A string may name a sequence or table: `'steps'::regclass`.
                let inner = inner.trim_end_matches('\'');
                let names =
                    bowline_sql::tokens(inner).filter_map(|token| Some(token.name()?.into_owned()));
                self.identifiers.extend(names);
            }
        }
    }
}

/// Returns the statements in their order.
pub(super) fn sorted(mut statements: Vec<Statement>) -> Vec<Statement> {
    statements.sort_by_key(|statement| (statement.step, statement.rank));
    let mut order = Order {
        is_sorted: vec![false; statements.len()],
        in_progress: vec![false; statements.len()],
        sorted: Vec::new(),
        statements: &statements,
    };
    for index in 0..statements.len() {
        order.add(index);
    }
    order.sorted.into_iter().cloned().collect()
}

struct Order<'s> {
    statements: &'s [Statement],
    is_sorted: Vec<bool>,
    /// Statements whose predecessors are being added. They are not visited again, which ends a
    /// cycle.
    in_progress: Vec<bool>,
    sorted: Vec<&'s Statement>,
}

impl Order<'_> {
    fn add(&mut self, index: usize) {
        if self.is_sorted[index] || self.in_progress[index] {
            return;
        }
        self.in_progress[index] = true;
        for (certain, other) in self.predecessors(index) {
            if certain || !self.certainly_follows(other, index, &mut BTreeSet::new()) {
                self.add(other);
            }
        }
        self.is_sorted[index] = true;
        self.sorted.push(&self.statements[index]);
    }

    /// Returns the statements that must come before this one, and whether that is certain.
    fn predecessors(&self, index: usize) -> Vec<(bool, usize)> {
        let user = &self.statements[index];
        let mut found = Vec::new();
        for (other, statement) in self.statements.iter().enumerate() {
            if other == index {
                continue;
            }
            let sequences = statement.sequences_of_columns().iter();
            for created in statement.creates.iter().chain(sequences) {
                if user.drops.is_none()
                    && !user.creates(created)
                    && user.dependencies.may_have(created)
                {
                    found.push((user.dependencies.objects.contains(created), other));
                }
            }
            let is_replaced = user.reuses_name_of(statement);
            // `DROP SEQUENCE IF EXISTS` does nothing after the owner of the sequence is dropped.
            let mut object = user.drops.iter();
            let is_owned = object.any(|name| statement.also_drops.contains(name));
            // An object is dropped before the objects that it uses.
            let is_user = statement.dropped().next().is_some()
                && user.dropped().any(|name| {
                    !statement.does_drop(name) && statement.dependencies.may_have(name)
                });
            let mut kept = statement.reassigns.iter();
            let is_kept = kept.any(|name| user.also_drops.contains(name));
            // The new owner of a sequence is a column that is added first.
            let mut column = statement.makes_column.iter();
            let is_owner = user.reassigns.is_some()
                && column.any(|(table, column)| {
                    user.dependencies.may_have(table) && user.dependencies.mentions(column)
                });
            // Columns have the order in which they are added.
            let is_column_before = other < index && user.adds_column_after(statement);
            let is_certain = is_owner || is_replaced || is_owned || is_kept || is_column_before;
            if is_certain || is_user {
                found.push((is_certain, other));
            }
        }
        found
    }

    /// Returns true if one statement certainly follows another, directly or through others.
    fn certainly_follows(&self, index: usize, other: usize, seen: &mut BTreeSet<usize>) -> bool {
        if !seen.insert(index) {
            return false;
        }
        let predecessors = self.predecessors(index).into_iter();
        let certain: Vec<usize> = predecessors
            .filter(|(certain, _)| *certain)
            .map(|(_, next)| next)
            .collect();
        certain.contains(&other)
            || certain
                .into_iter()
                .any(|next| self.certainly_follows(next, other, seen))
    }
}

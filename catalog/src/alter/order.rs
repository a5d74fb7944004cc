//! The order of the statements: an object is created before its users, and dropped after them.
//!
//! Steps give a rough order. Within and across steps, a statement follows those that create the
//! objects that it names. A table follows its parents and the types of its columns. A view follows
//! the views that it reads.

use std::collections::BTreeSet;

use super::Step;
use crate::attached::Code;
use crate::routine::{Body, Routine};
use crate::{DataType, Fill, Name, Relation, Type, TypeKind};

/// The objects that an object or statement uses.
#[derive(Debug, Clone, Default)]
pub(super) struct Needs {
    /// Objects that it certainly uses: parents, types of columns.
    names: BTreeSet<Name>,
    /// Identifiers in its expressions, which may be names of objects.
    words: BTreeSet<String>,
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
    /// The names that its new indexes and identity sequences take.
    takes: Vec<Name>,
    /// The object that it drops.
    drops: Option<Name>,
    /// The sequences and the multirange type that are dropped with the object or column.
    also_drops: Vec<Name>,
    /// The sequence that it takes from its owner, which may be dropped afterwards.
    keeps: Option<Name>,
    pub(super) needs: Needs,
}

impl Statement {
    /// Returns a statement that uses objects, and creates and drops none.
    pub(super) fn new(step: Step, sql: String, needs: Needs) -> Self {
        Self {
            step,
            rank: (0, 0),
            sql,
            creates: Vec::new(),
            takes: Vec::new(),
            drops: None,
            also_drops: Vec::new(),
            keeps: None,
            needs,
        }
    }

    /// Returns a statement that uses the objects that its text names. One that removes an obstacle
    /// uses no new object.
    pub(super) fn of_text(step: Step, sql: String) -> Self {
        let needs = if step < Step::Schemas {
            Needs::default()
        } else {
            Needs::of_text(&sql)
        };
        Self::new(step, sql, needs)
    }

    /// Adds objects that the statement creates.
    pub(super) fn creating(mut self, objects: impl IntoIterator<Item = Name>) -> Self {
        self.creates.extend(objects);
        self
    }

    /// Adds names that its new indexes and identity sequences take.
    pub(super) fn taking(mut self, names: impl IntoIterator<Item = Name>) -> Self {
        self.takes.extend(names);
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

    /// Sets the sequence that the statement takes from its owner.
    pub(super) fn keeping(mut self, sequence: &Name) -> Self {
        self.keeps = Some(sequence.clone());
        self
    }

    /// Returns the names of the objects that it creates.
    pub(super) fn created(&self) -> impl Iterator<Item = &Name> {
        self.creates.iter()
    }

    /// Returns the names of all objects that it drops.
    fn dropped(&self) -> impl Iterator<Item = &Name> {
        self.drops.iter().chain(&self.also_drops)
    }

    fn does_drop(&self, name: &Name) -> bool {
        self.dropped().any(|dropped| dropped == name)
    }

    fn is_of_routine(&self) -> bool {
        matches!(
            self.step,
            Step::Routines | Step::DropRoutines | Step::DropOldRoutines
        )
    }

    /// Returns true if it takes a name that the other statement frees. Relations, indexes,
    /// sequences and types share names. Routines have names of their own. An old routine may be an
    /// overload of the new one, so it does not have to be dropped first.
    fn takes_name_from(&self, other: &Self) -> bool {
        self.is_of_routine() == other.is_of_routine()
            && other.step != Step::DropOldRoutines
            && self
                .creates
                .iter()
                .chain(&self.takes)
                .any(|name| other.does_drop(name))
    }
}

impl Needs {
    pub(super) fn of_text(text: &str) -> Self {
        let mut needs = Self::default();
        needs.read(text);
        needs
    }

    pub(super) fn of_relation(relation: &Relation) -> Self {
        let mut needs = Self::default();
        needs.names.extend(relation.parents.iter().cloned());
        needs.names.extend(relation.of_type.clone());
        for column in &relation.columns {
            needs.data_type(&column.data_type);
            match &column.fill {
                Fill::Default(text)
                | Fill::Generated {
                    expression: text, ..
                } => needs.read(text),
                Fill::Serial { sequence } => {
                    needs.names.insert(sequence.clone());
                }
                Fill::Nothing | Fill::Identity { .. } => {}
            }
        }
        if let Some(query) = &relation.attached.query {
            needs.code(query);
        }
        for text in [&relation.partition_by, &relation.partition_bound] {
            text.iter().for_each(|text| needs.read(text));
        }
        needs
    }

    /// Returns the needs of a relation and of its constraints, indexes, triggers, policies and
    /// rules.
    pub(super) fn of_all(relation: &Relation) -> Self {
        let mut needs = Self::of_relation(relation);
        for constraint in &relation.constraints {
            needs.read(&constraint.sql(&relation.indexes));
        }
        for index in &relation.indexes {
            needs.read(&index.sql(&relation.name));
        }
        for trigger in &relation.attached.triggers {
            needs.read(&trigger.sql(&relation.name));
        }
        for policy in &relation.attached.policies {
            needs.read(&policy.sql(&relation.name));
        }
        for rule in &relation.attached.rules {
            needs.code(&rule.definition);
        }
        needs
    }

    pub(super) fn of_type(found: &Type) -> Self {
        let mut needs = Self::default();
        match &found.kind {
            TypeKind::Domain {
                base,
                default,
                checks,
                ..
            } => {
                needs.data_type(base);
                default.iter().for_each(|text| needs.read(text));
                checks.iter().for_each(|check| needs.read(&check.sql(&[])));
            }
            TypeKind::Composite { attributes } => {
                let types = attributes.iter().map(|attribute| &attribute.data_type);
                types.for_each(|data_type| needs.data_type(data_type));
            }
            TypeKind::Range { subtype, .. } => {
                needs.data_type(subtype);
                let options = found.kind.range_options();
                options.iter().for_each(|option| needs.read(option));
            }
            TypeKind::Enum { .. } | TypeKind::External => {}
        }
        needs
    }

    pub(super) fn of_routine(routine: &Routine) -> Self {
        let mut needs = Self::default();
        for argument in &routine.arguments {
            needs.data_type(&argument.data_type);
            argument.default.iter().for_each(|text| needs.read(text));
        }
        routine
            .result
            .iter()
            .for_each(|result| needs.data_type(result));
        match &routine.body {
            Body::Sql(code) => needs.code(code),
            // PostgreSQL resolves the parts of an aggregate at its creation, but other texts at
            // their call.
            Body::Text(text) if routine.kind == crate::routine::RoutineKind::Aggregate => {
                needs.read(text);
            }
            Body::Text(_) => {}
        }
        needs
    }

    /// Removes an object that is not needed after all.
    pub(super) fn forget(&mut self, name: &Name) {
        self.names.remove(name);
    }

    /// Returns true if the object is a parent or a type.
    pub(super) fn needs_for_certain(&self, name: &Name) -> bool {
        self.names.contains(name)
    }

    /// Returns true if the object may be needed.
    pub(super) fn has(&self, name: &Name) -> bool {
        self.names.contains(name) || self.words.contains(&name.name)
    }

    /// Returns true if an identifier of this name is in the expressions.
    pub(super) fn mentions(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    fn data_type(&mut self, data_type: &DataType) {
        self.names.insert(data_type.name.clone());
    }

    fn code(&mut self, code: &Code) {
        code.text.iter().for_each(|text| self.read(text));
    }

    fn read(&mut self, text: &str) {
        for token in bowline_sql::tokens(text) {
            if let Some(name) = token.name() {
                self.words.insert(name.into_owned());
            } else if let Some(inner) = token.text().strip_prefix('\'') {
                // A string may name a sequence or table: `'steps'::regclass`.
                let inner = inner.trim_end_matches('\'');
                let names =
                    bowline_sql::tokens(inner).filter_map(|token| Some(token.name()?.into_owned()));
                self.words.extend(names);
            }
        }
    }
}

/// Returns the statements in their order.
pub(super) fn sorted(mut statements: Vec<Statement>) -> Vec<Statement> {
    statements.sort_by_key(|statement| (statement.step, statement.rank));
    let mut order = Order {
        done: vec![false; statements.len()],
        open: vec![false; statements.len()],
        sorted: Vec::new(),
        statements: &statements,
    };
    for at in 0..statements.len() {
        order.add(at);
    }
    order.sorted.into_iter().cloned().collect()
}

struct Order<'s> {
    statements: &'s [Statement],
    done: Vec<bool>,
    /// Statements whose needs are being added; a cycle ends there.
    open: Vec<bool>,
    sorted: Vec<&'s Statement>,
}

impl Order<'_> {
    fn add(&mut self, at: usize) {
        if self.done[at] || self.open[at] {
            return;
        }
        self.open[at] = true;
        for (certain, other) in self.before(at) {
            if certain || !self.needs_for_certain(other, at, &mut BTreeSet::new()) {
                self.add(other);
            }
        }
        self.done[at] = true;
        self.sorted.push(&self.statements[at]);
    }

    /// Returns the statements that must come before this one, and whether that is certain.
    fn before(&self, at: usize) -> Vec<(bool, usize)> {
        let user = &self.statements[at];
        let mut found = Vec::new();
        for (other, statement) in self.statements.iter().enumerate() {
            if other == at {
                continue;
            }
            for made in &statement.creates {
                if user.drops.is_none() && !user.creates.contains(made) && user.needs.has(made) {
                    found.push((user.needs.names.contains(made), other));
                }
            }
            let is_replaced = user.takes_name_from(statement);
            // `DROP SEQUENCE IF EXISTS` does nothing after the owner of the sequence is dropped.
            let mut object = user.drops.iter();
            let is_owned = object.any(|name| statement.also_drops.contains(name));
            // An object is dropped before the objects that it uses.
            let is_user = statement.dropped().next().is_some()
                && user
                    .dropped()
                    .any(|name| !statement.does_drop(name) && statement.needs.has(name));
            let mut kept = statement.keeps.iter();
            let is_kept = kept.any(|name| user.also_drops.contains(name));
            let is_certain = is_replaced || is_owned || is_kept;
            if is_certain || is_user {
                found.push((is_certain, other));
            }
        }
        found
    }

    /// Returns true if one statement needs another, directly or not, by certain names.
    fn needs_for_certain(&self, at: usize, other: usize, seen: &mut BTreeSet<usize>) -> bool {
        if !seen.insert(at) {
            return false;
        }
        let before = self.before(at).into_iter();
        let certain: Vec<usize> = before
            .filter(|(certain, _)| *certain)
            .map(|(_, next)| next)
            .collect();
        certain.contains(&other)
            || certain
                .into_iter()
                .any(|next| self.needs_for_certain(next, other, seen))
    }
}

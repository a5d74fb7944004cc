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
    /// The object that it creates.
    pub(super) creates: Option<Name>,
    /// The object that it drops, and the sequences that are dropped with it.
    pub(super) drops: Vec<Name>,
    pub(super) needs: Needs,
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
            if let Some(made) = &statement.creates
                && user.drops.is_empty()
                && user.creates.as_ref() != Some(made)
                && user.needs.has(made)
            {
                found.push((user.needs.names.contains(made), other));
            }
            let is = |name: &Name| statement.drops.contains(name);
            // The old form of an object is dropped before the new one is created. In `DropRest`, an
            // overload of a function may have the same name.
            let is_replaced =
                statement.step != Step::DropRest && user.creates.as_ref().is_some_and(is);
            // An object is dropped before the objects that it uses.
            let mut removed = user.drops.iter();
            let is_user = !statement.drops.is_empty()
                && removed.any(|name| !is(name) && statement.needs.has(name));
            if is_replaced || is_user {
                found.push((is_replaced, other));
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

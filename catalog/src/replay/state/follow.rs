//! Renames within SQL that PostgreSQL stores as a parse tree. PostgreSQL's tree follows a rename,
//! but the author's text does not. The text is rewritten where that is certain. Otherwise it
//! becomes unknown, and is not compared.

use crate::attached::Code;
use crate::definition::quoted;
use crate::replay::builtin;
use crate::replay::state::State;
use crate::replay::state::functions::{Function, Returned};
use crate::replay::syntax::call::calls_in_text;
use crate::replay::syntax::expression::{has_word, rename_in};
use crate::routine::Body;
use crate::{DataType, Name};

/// The kind of object that a piece of SQL belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    View,
    Condition,
    Policy,
    Rule,
    Body,
}

impl State {
    pub(crate) fn each_code(&mut self, mut change: impl FnMut(&Name, Holder, &mut Code)) {
        if !self.has_code.get() {
            return;
        }
        for (name, relation) in &mut self.catalog.relations {
            let attached = &mut relation.attached;
            if let Some(query) = &mut attached.query {
                change(name, Holder::View, query);
            }
            for trigger in &mut attached.triggers {
                if let Some(condition) = &mut trigger.condition {
                    change(name, Holder::Condition, condition);
                }
            }
            for policy in &mut attached.policies {
                let codes = [&mut policy.using, &mut policy.with_check];
                for code in codes.into_iter().flatten() {
                    change(name, Holder::Policy, code);
                }
            }
            for rule in &mut attached.rules {
                change(name, Holder::Rule, &mut rule.definition);
            }
        }
        for overload in self.functions.values_mut().flatten() {
            if let Some(routine) = &mut overload.routine
                && let Body::Sql(code) = &mut routine.body
            {
                change(&routine.name, Holder::Body, code);
            }
        }
    }

    /// Updates references to a relation before it gets another name or schema.
    pub(crate) fn relation_moves(&mut self, from: &Name, to: &Name) {
        let readers: Vec<Name> = self
            .views
            .iter()
            .filter(|(_, uses)| uses.relations.contains(from))
            .map(|(view, _)| view.clone())
            .collect();
        self.each_code(|owner, holder, code| match holder {
            Holder::View if readers.contains(owner) => code.text = None,
            Holder::View | Holder::Condition => {}
            Holder::Rule if owner == from => code.text = None,
            Holder::Policy | Holder::Rule | Holder::Body => forget_text_with(code, &from.name),
        });
        for relation in self.catalog.relations.values_mut() {
            for trigger in &mut relation.attached.triggers {
                if trigger.referenced.as_ref() == Some(from) {
                    trigger.referenced = Some(to.clone());
                }
            }
        }
    }

    /// Updates references to a column before it is renamed.
    pub(crate) fn column_is_renamed(&mut self, table: &Name, from: &str, to: &str) {
        let used = (table.clone(), from.to_owned());
        let readers: Vec<Name> = self
            .views
            .iter()
            .filter(|(_, uses)| uses.columns.contains(&used))
            .map(|(view, _)| view.clone())
            .collect();
        self.each_code(|owner, holder, code| {
            let is_same_table = owner == table;
            match holder {
                Holder::View if readers.contains(owner) => code.text = None,
                Holder::View => {}
                // In a subquery, the table of a column name is not known.
                Holder::Condition | Holder::Policy if is_same_table && !has_query(code) => {
                    if let Some(text) = &mut code.text {
                        *text = rename_in(text, from, to);
                    }
                }
                Holder::Condition => {}
                Holder::Policy if is_same_table || has_query(code) => forget_text_with(code, from),
                Holder::Policy => {}
                Holder::Rule | Holder::Body => forget_text_with(code, from),
            }
        });
        if let Some(relation) = self.catalog.relations.get_mut(table) {
            for privilege in &mut relation.attached.privileges.granted {
                if privilege.column.as_deref() == Some(from) {
                    privilege.column = Some(to.to_owned());
                }
            }
            for trigger in &mut relation.attached.triggers {
                for column in trigger.columns.iter_mut().filter(|column| *column == from) {
                    to.clone_into(column);
                }
            }
        }
    }

    /// Forgets the texts with `*` or NATURAL that read a table which has got another column, its
    /// last one: PostgreSQL's tree has no column that was added later. In `SELECT * FROM t` the
    /// earlier columns are written out.
    pub(crate) fn column_is_added(&mut self, table: &Name) {
        let relation = self.catalog.relations.get(table);
        let columns = relation.into_iter().flat_map(|relation| &relation.columns);
        let mut columns: Vec<String> = columns.map(|column| quoted(&column.name)).collect();
        columns.pop();
        let readers: Vec<Name> = self
            .views
            .iter()
            .filter(|(_, uses)| uses.relations.contains(table))
            .map(|(view, _)| view.clone())
            .collect();
        self.each_code(|owner, holder, code| {
            let is_reader = match holder {
                Holder::View => readers.contains(owner),
                Holder::Condition => false,
                Holder::Policy | Holder::Rule | Holder::Body => true,
            };
            let takes_all = code.text.as_deref().is_some_and(|text| {
                text.replace("(*)", "").contains('*') || has_word(text, "natural")
            });
            if is_reader && takes_all && code.is_written() {
                code.text = match holder {
                    Holder::View => code
                        .text
                        .take()
                        .and_then(|text| with_columns(&text, &columns)),
                    _ => None,
                };
            }
        });
    }

    /// Forgets the texts that name a type, after it was renamed or moved to another schema.
    pub(crate) fn type_moves(&mut self, from: &Name) {
        self.each_code(|_, _, code| forget_text_with(code, &from.name));
    }

    /// Updates the privileges and texts of a schema after it was renamed.
    pub(crate) fn schema_is_renamed(&mut self, from: &str, to: &str) {
        if let Some(privileges) = self.catalog.schema_privileges.remove(from) {
            let all = &mut self.catalog.schema_privileges;
            all.insert(to.to_owned(), privileges);
        }
        for default in &mut self.defaults {
            default.rename_schema(from, to);
        }
        self.each_expression(|_, text| rename_schema_of_calls(text, from, to));
        self.each_code(|_, _, code| {
            forget_text_with(code, from);
            for schema in code.search_path.iter_mut().flatten() {
                if schema == from {
                    to.clone_into(schema);
                }
            }
        });
    }

    /// Updates argument and result types of functions after a type was renamed.
    pub(crate) fn follow_type_in_functions(&mut self, from: &Name, to: &Name) {
        let follow = |data_type: &mut DataType| {
            if data_type.name == *from {
                data_type.name.clone_from(to);
            }
        };
        for uses in self.views.values_mut() {
            let functions = std::mem::take(&mut uses.functions).into_iter();
            uses.functions = functions
                .map(|(name, mut arguments)| {
                    arguments.iter_mut().for_each(follow);
                    (name, arguments)
                })
                .collect();
        }
        for overload in self.functions.values_mut().flatten() {
            overload.argument_types.iter_mut().for_each(follow);
            match &mut overload.result {
                Returned::One { data_type, .. } => follow(data_type),
                Returned::Columns { columns, .. } => {
                    columns.iter_mut().for_each(|(_, column)| follow(column));
                }
                Returned::Nothing | Returned::Unknown => {}
            }
            if let Some(routine) = &mut overload.routine {
                routine.result.iter_mut().for_each(follow);
                for argument in &mut routine.arguments {
                    follow(&mut argument.data_type);
                }
            }
        }
    }

    /// Moves the functions of a schema to the schema's new name.
    pub(crate) fn move_functions(&mut self, from: &str, to: &str) {
        let mut moved = Vec::new();
        for uses in self.views.values_mut() {
            let functions = std::mem::take(&mut uses.functions).into_iter();
            uses.functions = functions
                .map(|(mut name, arguments)| {
                    if name.schema == from {
                        to.clone_into(&mut name.schema);
                    }
                    (name, arguments)
                })
                .collect();
        }
        for overload in self.functions.values_mut().flatten() {
            if overload.name.schema == from {
                moved.push(overload.name.clone());
                to.clone_into(&mut overload.name.schema);
                if let Some(routine) = &mut overload.routine {
                    to.clone_into(&mut routine.name.schema);
                }
            }
        }
        for relation in self.catalog.relations.values_mut() {
            for trigger in &mut relation.attached.triggers {
                if moved.contains(&trigger.function) {
                    to.clone_into(&mut trigger.function.schema);
                }
            }
        }
    }

    /// Rewrites the calls of an overload after it got another name or schema. `before` is the state
    /// with the former name.
    ///
    /// If other functions have the new name too, the call names the schema, as in PostgreSQL.
    pub(crate) fn follow_function(&mut self, before: &Self, from: &Function, to: &Name) {
        let overloads = self.functions.get(&to.name).map_or(0, Vec::len);
        let is_shared = overloads > 1 || builtin::has_function(&to.name);
        let written = match is_shared {
            true => format!("{}.{}", quoted(&to.schema), quoted(&to.name)),
            false => to.sql(),
        };
        self.each_expression(|columns, text| {
            *text = before.with_calls_renamed(text, columns, from, &written);
        });
        self.each_code(|_, holder, code| {
            if matches!(holder, Holder::View | Holder::Rule | Holder::Body)
                && let Some(text) = &code.text
            {
                code.text = before.with_query_calls_renamed(text, from, &written);
            }
        });
        for uses in self.views.values_mut() {
            let old = (from.name.clone(), from.argument_types.clone());
            if uses.functions.remove(&old) {
                uses.functions.insert((to.clone(), old.1));
            }
        }
        // A trigger runs the overload without arguments.
        if from.argument_types.is_empty() {
            for relation in self.catalog.relations.values_mut() {
                for trigger in &mut relation.attached.triggers {
                    if trigger.function == from.name {
                        trigger.function.clone_from(to);
                    }
                }
            }
        }
    }
}

/// Returns `SELECT * FROM t` with these columns in place of `*`; `None` for another query.
fn with_columns(text: &str, columns: &[String]) -> Option<String> {
    let tokens: Vec<_> = bowline_sql::tokens(text).collect();
    let [select, star, from, rest @ ..] = tokens.as_slice() else {
        return None;
    };
    // Names, dots and a semicolon. A name after that of the table is an alias, if it is no clause.
    let is_table = rest.iter().all(|token| {
        token.is(".") || token.is(";") || (token.name().is_some() && !token.is_word("natural"))
    });
    let is_simple = select.is_word("select") && star.is("*") && from.is_word("from");
    let names = rest.iter().filter(|token| !token.is(".") && !token.is(";"));
    let dots = rest.iter().filter(|token| token.is(".")).count();
    if !is_simple || !is_table || names.count() != dots + 1 {
        return None;
    }
    let (before, after) = (&text[..star.start()], &text[star.end()..]);
    Some(format!("{before}{}{after}", columns.join(", ")))
}

/// Forgets a text that contains this word.
fn forget_text_with(code: &mut Code, word: &str) {
    if code
        .text
        .as_deref()
        .is_some_and(|text| has_word(text, word))
    {
        code.text = None;
    }
}

fn has_query(code: &Code) -> bool {
    code.text
        .as_deref()
        .is_some_and(|text| has_word(text, "select"))
}

/// Renames a schema where an expression names it before the name of a function.
fn rename_schema_of_calls(text: &mut String, from: &str, to: &str) {
    for call in calls_in_text(text).into_iter().rev() {
        if call.schema.as_deref() == Some(from) {
            let renamed = format!("{}.{}", quoted(to), quoted(&call.name));
            text.replace_range(call.span, &renamed);
        }
    }
}

//! SQL that turns one catalog into another: that of a database into that of the migrations.
//!
//! The statements are in an order that PostgreSQL accepts. A comment names each change that the
//! script leaves out, for one of two reasons. The catalog lacks the definition, such as the query
//! of a view after a rename. Or PostgreSQL has no statement for it, such as for the order of
//! columns.
//!
//! Each file below has the changes of one kind of object. `order` sorts the statements,
//! `inheritance` answers questions about parents and children, `recreated` finds what blocks a
//! change.

mod attached;
mod blocked;
mod column;
mod constraint;
mod distribution;
mod inheritance;
mod order;
mod privilege;
mod recreated;
mod relation;
mod routine;
mod sequence;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use self::order::{Dependencies, Statement};
use super::compare::{Aspect, Difference, How, Subject};
use super::definition::{literal, quoted};
use super::{Catalog, Name, TypeKind};

/// The part of the script that a statement belongs to, in the order of execution. Objects that
/// block a change are dropped first. Objects are created after those that they use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// `SET` of parameters of the session.
    Settings,
    /// `DROP` of triggers, policies and rules.
    DropAttached,
    /// `DROP VIEW`, after the triggers and rules of the view.
    DropViews,
    DropForeignKeys,
    /// Tables that Citus distributes become tables of PostgreSQL alone.
    Undistribute,
    /// Tables leave their parents and composite types.
    Detach,
    DropConstraints,
    /// `DROP COLUMN` of generated columns, before the columns that they use.
    DropGenerated,
    Schemas,
    Types,
    /// Sequences, and the removal of the old defaults and identities of columns.
    Sequences,
    Tables,
    Columns,
    /// `OWNED BY` and the types of sequences, and defaults that were dropped for a change of type.
    Owners,
    /// `DROP FUNCTION` and the like, before the routines that replace them are created.
    DropRoutinesEarly,
    Routines,
    Constraints,
    /// Reference tables, which distributed tables can refer to.
    DistributeReferences,
    /// The first table of each co-location group.
    DistributeFirst,
    /// The other tables of the co-location groups.
    Distribute,
    ForeignKeys,
    /// Tables get their parents and composite types.
    Attach,
    Views,
    /// Triggers, policies and rules, and the indexes of materialized views.
    Attached,
    /// States of triggers and rules, after partitions have got the triggers of their parents.
    States,
    Privileges,
    Comments,
    DropTables,
    /// `DROP FUNCTION` and the like of routines that are not replaced.
    DropRoutinesLate,
    DropRest,
    DropExtensions,
    DropSchemas,
}

/// A script under construction: its statements, and the changes that no statement makes.
#[derive(Default)]
struct Script {
    statements: Vec<Statement>,
    notes: Vec<String>,
    /// The depth of the table that the next statements change, see [`inheritance::depth`].
    depth: usize,
    /// The position of the column that the next statement adds, from 1 on; 0 for other statements.
    column_position: usize,
    /// Views that are dropped and recreated.
    recreated: BTreeSet<Name>,
    /// Labels that the script adds to enums.
    added_labels: Vec<String>,
    /// Relations and types that no statement can turn into the expected ones, and relations that
    /// cannot change without them.
    blocked: BTreeSet<Name>,
    /// Objects that are not dropped, each with the blocked object because of which it stays.
    kept: BTreeMap<String, Name>,
    /// The names of the objects that are not dropped. Routines are not among them.
    kept_names: BTreeSet<Name>,
    /// Objects that no statement can create, since the catalog lacks a part of their definition.
    not_created: BTreeSet<Name>,
    /// Relations that change, and the expected parents of relations that change or are created.
    changing: BTreeSet<Name>,
    /// Columns whose type no statement can turn into the expected one, with their tables.
    unchanged_columns: BTreeSet<(Name, String)>,
    /// Tables with a column that no statement can turn into the expected one. They fit no parent.
    unattachable: BTreeSet<Name>,
    /// Relations with a column whose change is left out, each with what that change may use.
    half_changed: BTreeMap<Name, String>,
}

impl Script {
    /// Adds a statement, unless the script already has it.
    fn push(&mut self, step: Step, sql: impl Into<String>) {
        self.add(Statement::of_text(step, sql.into()));
    }

    /// Adds a statement that creates an object.
    fn create(
        &mut self,
        step: Step,
        sql: impl Into<String>,
        object: &Name,
        dependencies: Dependencies,
    ) {
        self.add(Statement::new(step, sql.into(), dependencies).creating([object.clone()]));
    }

    /// Adds a statement that drops an object; `needs` are the objects that it uses.
    fn drop(
        &mut self,
        step: Step,
        sql: impl Into<String>,
        object: &Name,
        dependencies: Dependencies,
    ) {
        self.add(Statement::new(step, sql.into(), dependencies).dropping(object));
    }

    /// Adds a statement, unless the script already has it.
    fn add(&mut self, mut statement: Statement) {
        if self.has(statement.step, &statement.sql) {
            return;
        }
        // A key or index is created on a partition first. That of the parent then attaches it.
        statement.rank = match statement.step {
            Step::Constraints | Step::ForeignKeys => (usize::MAX - self.depth, 0),
            _ => (self.depth, self.column_position),
        };
        self.statements.push(statement);
    }

    /// Returns true if the script has this statement in this step.
    fn has(&self, step: Step, sql: &str) -> bool {
        let mut statements = self.statements.iter();
        statements.any(|known| known.step == step && known.sql == sql)
    }

    /// Replaces two kinds of statements by comments: those that use an object that is blocked or
    /// not created, and those that create an object with the name of one that stays.
    fn leave_out_users_of_blocked(&mut self, actual: &Catalog) {
        let used: BTreeSet<Name> = self.blocked.union(&self.not_created).cloned().collect();
        let mut taken: BTreeSet<Name> = self.blocked.union(&self.kept_names).cloned().collect();
        let relations = taken.iter().filter_map(|name| actual.relations.get(name));
        let indexes = relations.flat_map(|relation| {
            relation.indexes.iter().map(|index| Name {
                schema: relation.name.schema.clone(),
                name: index.name.clone(),
            })
        });
        let kept = taken.iter().filter_map(|name| actual.types.get(name));
        let multiranges = kept.filter_map(types::multirange_name);
        let names: Vec<Name> = indexes.chain(multiranges).collect();
        taken.extend(names);
        let columns = std::mem::take(&mut self.unchanged_columns);
        self.leave_out(actual, &used, &taken, &columns);
    }

    /// Replaces by a comment each statement that uses one of the objects or parts of tables, or
    /// takes one of the names. Does the same with the statements that use what such a statement
    /// would have created.
    fn leave_out(
        &mut self,
        actual: &Catalog,
        used: &BTreeSet<Name>,
        taken: &BTreeSet<Name>,
        parts: &BTreeSet<(Name, String)>,
    ) {
        let (mut objects_left_out, mut parts_left_out) = (BTreeSet::new(), BTreeSet::new());
        let statements = std::mem::take(&mut self.statements);
        for statement in statements {
            let uses = |name: &&Name| statement.dependencies.may_have(name);
            let is_builder = (Step::Schemas..Step::DropTables).contains(&statement.step);
            let blocker = match statement.step {
                Step::Attach => used.iter().chain(&self.unattachable).find(uses),
                _ => used.iter().filter(|_| is_builder).find(uses),
            };
            let blocker = blocker.or_else(|| taken.iter().find(|name| statement.creates(name)));
            let part = || {
                let mut parts = parts.iter().filter(|_| is_builder);
                let used = parts.find(|(table, part)| {
                    statement.dependencies.may_have(table) && statement.dependencies.mentions(part)
                });
                used.map(|(table, part)| format!("{}.{}", table.sql(), quoted(part)))
            };
            match blocker.map(Name::sql).or_else(part) {
                Some(name) => {
                    let mut relations = actual.relations.keys();
                    if let Some(altered) = relations.find(|table| statement.alters_column(table)) {
                        self.half_changed.insert(altered.clone(), name.clone());
                    }
                    self.note(format!(
                        "left out, since it may use {name}: {}",
                        statement.sql
                    ));
                    objects_left_out.extend(statement.created().cloned());
                    if let Some((table, _)) = statement.made_column() {
                        self.unattachable.insert(table.clone());
                    }
                    parts_left_out.extend(statement.made_parts().cloned());
                }
                None => self.statements.push(statement),
            }
        }
        if !objects_left_out.is_empty() || !parts_left_out.is_empty() {
            let no_names = BTreeSet::new();
            self.leave_out(actual, &objects_left_out, &no_names, &parts_left_out);
        }
    }

    /// Adds a comment about a change that no statement makes, unless the script already has it.
    fn note(&mut self, why: String) {
        if !self.notes.contains(&why) {
            self.notes.push(why);
        }
    }

    /// Sets or removes the comment of an object.
    fn comment_on(&mut self, on: &str, comment: Option<&String>) {
        let text = comment.map_or("NULL".to_owned(), |comment| literal(comment));
        self.push(Step::Comments, format!("COMMENT ON {on} IS {text}"));
    }
}

/// Returns the SQL that turns `actual` into `expected`. `differences` are all the differences
/// between the two.
///
/// A comment at the beginning of the script lists the changes that the statements do not make.
pub fn alter_script(expected: &Catalog, actual: &Catalog, differences: &[Difference]) -> String {
    if differences.is_empty() {
        return String::new();
    }
    let mut script = write(expected, actual, differences, BTreeMap::new());
    // A relation that keeps a column keeps what the column uses, so it is not changed at all. That
    // may concern other relations.
    loop {
        let known = script.blocked.len();
        let half_changed = std::mem::take(&mut script.half_changed);
        if half_changed
            .keys()
            .all(|table| script.blocked.contains(table))
        {
            break;
        }
        script = write(expected, actual, differences, half_changed);
        if script.blocked.len() <= known {
            break;
        }
    }
    let notes = script.notes.iter();
    // A line break in a name would end the comment, so it becomes a space.
    let notes = notes.map(|why| format!("-- {}\n", why.replace(['\n', '\r'], " ")));
    let statements = order::sorted(script.statements).into_iter();
    let statements = statements.map(|statement| format!("{};\n", statement.sql));
    notes.chain(statements).collect()
}

/// Writes the script. The relations in `half_changed` are not changed.
fn write(
    expected: &Catalog,
    actual: &Catalog,
    differences: &[Difference],
    half_changed: BTreeMap<Name, String>,
) -> Script {
    let mut script = Script {
        recreated: recreated::views_to_recreate(expected, actual, differences),
        half_changed,
        ..Script::default()
    };
    blocked::record(&mut script, expected, actual, differences);
    record_changing(&mut script, expected, differences);
    recreated::recreate(&mut script, expected, actual, differences);
    move_extensions(&mut script, expected, actual);
    for difference in differences {
        let table = difference.subject.relation();
        let is_in = |names: &BTreeSet<Name>| table.is_some_and(|table| names.contains(table));
        if is_in(&script.recreated) || is_in(&script.blocked) {
            continue;
        }
        let subject = &difference.subject;
        if let Some(user) = script.kept.get(&subject.to_string()) {
            let user = user.sql();
            script.note(format!("{subject} is not dropped, since {user} may use it"));
            continue;
        }
        if let Some(table) = blocked::blocked_owner(&script, expected, actual, subject) {
            let table = table.sql();
            script.note(format!(
                "{subject} is not changed, since {table} is not changed"
            ));
            if let (Subject::Sequence(name), How::OnlyLeft) = (subject, &difference.how) {
                script.not_created.insert(name.clone());
            }
            continue;
        }
        if let Some(table) = blocked::uncreated_owner(expected, actual, difference) {
            let table = table.sql();
            script.note(format!(
                "{subject} is not created, since {table} is not created"
            ));
            continue;
        }
        script.depth = table.map_or(0, |table| {
            inheritance::depth(expected, table).max(inheritance::depth(actual, table))
        });
        change(&mut script, expected, actual, difference);
    }
    column::note_order(&mut script, expected, actual);
    types::note_new_labels(&mut script);
    script.leave_out_users_of_blocked(actual);
    script
}

/// Records the relations that change, and the expected parents of relations that change or are
/// created.
fn record_changing(script: &mut Script, expected: &Catalog, differences: &[Difference]) {
    for difference in differences {
        let Some(name) = difference.subject.relation() else {
            continue;
        };
        script.changing.insert(name.clone());
        let relation = expected.relations.get(name);
        let parents = relation.into_iter().flat_map(|found| &found.parents);
        script.changing.extend(parents.cloned());
    }
}

/// Returns the statement that drops a schema.
fn drop_schema(name: &str) -> String {
    format!("DROP SCHEMA {}", quoted(name))
}

/// Adds the statements that remove one difference.
fn change(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    Difference { subject, how, .. }: &Difference,
) {
    let aspect = how.aspect();
    if aspect == Some(Aspect::Privileges) {
        privilege::change(script, expected, actual, subject);
        return;
    }
    let only_comment = aspect == Some(Aspect::Comment);
    match (subject, how) {
        (Subject::Schema(name), How::OnlyRight) => {
            script.push(Step::DropSchemas, drop_schema(name));
        }
        (Subject::Schema(name), _) => {
            let comment = expected.schemas.get(name).and_then(Option::as_ref);
            if *how == How::OnlyLeft {
                script.push(Step::Schemas, format!("CREATE SCHEMA {}", quoted(name)));
                if let Some(privileges) = expected.schema_privileges.get(name) {
                    let on = format!("SCHEMA {}", quoted(name));
                    privilege::grant_all(script, &on, privileges);
                }
            }
            if only_comment || comment.is_some() {
                script.comment_on(&format!("SCHEMA {}", quoted(name)), comment);
            }
        }
        (Subject::Extension(name), How::OnlyRight) => {
            let drop = format!("DROP EXTENSION {}", quoted(name));
            script.push(Step::DropExtensions, drop);
        }
        (Subject::Extension(name), _) => {
            let schema = extension_schema(expected, name);
            let schema = schema.map_or(String::new(), |schema| {
                format!(" SCHEMA {}", quoted(&schema))
            });
            let create = format!("CREATE EXTENSION {}{schema}", quoted(name));
            script.push(Step::Types, create);
        }
        (Subject::Type(name), _) => types::change(script, expected, actual, name, how),
        (Subject::DomainCheck(domain, name), _) => {
            types::change_check(script, expected, actual, domain, name, only_comment);
        }
        (Subject::Sequence(name), _) => sequence::change(script, expected, actual, name, how),
        (Subject::Relation(name), _) => relation::change(script, expected, actual, name, how),
        (Subject::Column(table, name), _) => {
            column::change(script, expected, actual, (table, name), how);
        }
        (Subject::Constraint(table, name), _) => {
            constraint::change(script, expected, actual, (table, name), only_comment);
        }
        (Subject::Trigger(..) | Subject::Policy(..) | Subject::Rule(..), _) => {
            attached::change(script, expected, actual, subject, how);
        }
        (Subject::Routine(kind, _, signature), _) => {
            routine::change(script, expected, actual, (*kind, signature), only_comment);
        }
        (Subject::Index(table, name), _) => {
            constraint::change_index(script, expected, actual, (table, name), only_comment);
        }
    }
}

/// Moves the extensions whose types are in another schema.
fn move_extensions(script: &mut Script, expected: &Catalog, actual: &Catalog) {
    for name in expected.extensions.intersection(&actual.extensions) {
        let schema =
            |catalog| extension_schema(catalog, name).unwrap_or_else(|| "public".to_owned());
        let (new, old) = (schema(expected), schema(actual));
        if new != old {
            let alter = format!(
                "ALTER EXTENSION {} SET SCHEMA {}",
                quoted(name),
                quoted(&new)
            );
            script.push(Step::Types, alter);
        }
    }
}

/// Returns the schema of an extension, if one of its types shows it; `None` for `public`.
fn extension_schema(expected: &Catalog, extension: &str) -> Option<String> {
    let types = crate::extension::types(extension);
    let mut known = expected.types.values();
    let found = known.find(|found| {
        found.kind == TypeKind::External && types.contains(&found.name.name.as_str())
    })?;
    (found.name.schema != "public").then(|| found.name.schema.clone())
}

#[cfg(test)]
mod tests;

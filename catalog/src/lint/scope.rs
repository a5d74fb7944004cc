//! A statement, with what the rules may ask about it.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::rewrite::{self, Step};
use super::rule::Rule;
use super::statistics::Statistics;
use super::{Finding, Transaction};
use crate::replay::state::{State, TEMPORARY};
use crate::replay::syntax::setting::{self, Value};
use crate::replay::syntax::tree::{child, child_name, children, path};
use crate::{Column, Constraint, Name, Relation};

/// A statement that was just replayed.
pub(crate) struct Scope<'a> {
    pub(super) node: &'a SyntaxNode,
    /// The relations that it names, before it.
    pub(super) before: &'a [Relation],
    /// The state before it, if the statement is one whose safe form can be replayed.
    pub(super) start: Option<&'a State>,
    /// The state after it.
    pub(super) state: &'a State,
    pub(super) transaction: &'a Transaction,
    pub(super) postgres: u32,
    pub(super) statistics: &'a [Statistics],
    pub(super) findings: &'a mut Vec<Finding>,
}

impl<'a> Scope<'a> {
    /// Adds a finding at a node.
    pub(super) fn report(
        &mut self,
        at: &SyntaxNode,
        rule: Rule,
        message: impl Into<String>,
    ) -> &mut Finding {
        let range = at.text_range();
        // Comments and white space before a node belong to it in the tree.
        let start = at
            .descendants_with_tokens()
            .filter_map(rowan::NodeOrToken::into_token)
            .find(|token| !crate::replay::syntax::tree::is_trivia(token.kind()))
            .map_or(range.start(), |token| token.text_range().start());
        let finding = Finding {
            file: self.transaction.file,
            span: start.into()..range.end().into(),
            rule,
            message: message.into(),
            steps: Vec::new(),
            help: String::new(),
        };
        self.findings.push(finding);
        // The element was pushed on the line above.
        let last = self.findings.len() - 1;
        &mut self.findings[last]
    }

    /// Returns the table of ALTER TABLE or CREATE INDEX before the statement, if others can use it
    /// already: it is not new in this transaction, and not temporary.
    pub(super) fn used_table(&self) -> Option<&'a Relation> {
        let table = self.before.first()?;
        self.is_used(&table.name).then_some(table)
    }

    /// Returns true for a relation that others can use already.
    pub(super) fn is_used(&self, name: &Name) -> bool {
        name.schema != TEMPORARY && self.transaction.existing.contains(name)
    }

    /// Returns true if the statement's table may be in use: it is, or replay does not know it and
    /// no statement of the transaction creates one of that name.
    pub(super) fn may_be_used(&self) -> bool {
        match self.before.first() {
            Some(table) => self.is_used(&table.name),
            None => subject(self.node)
                .and_then(|subject| path(&subject).pop())
                .is_some_and(|name| !self.transaction.created.contains(&name)),
        }
    }

    /// Returns the name of the statement's table as SQL.
    pub(super) fn table_sql(&self) -> String {
        match self.before.first() {
            Some(table) => rewrite::relation(&table.name),
            None => subject(self.node).map_or_else(String::new, |subject| {
                path(&subject)
                    .iter()
                    .map(|part| bowline_sql::quote::identifier(part))
                    .collect::<Vec<_>>()
                    .join(".")
            }),
        }
    }

    /// Returns true if the table has no primary key.
    pub(super) fn lacks_key(&self) -> bool {
        let table = self.before.first();
        table.is_some_and(|table| table.primary_key().is_none())
    }

    /// Returns the table after the statement.
    pub(super) fn table_after(&self) -> Option<&'a Relation> {
        let before = self.before.first()?;
        self.state.catalog().relations.get(&before.name)
    }

    /// Returns a column of the table before the statement.
    pub(super) fn column_before(&self, column: &str) -> Option<&'a Column> {
        let table = self.before.first()?;
        table.columns.iter().find(|found| found.name == column)
    }

    /// Returns a column of the table after the statement.
    pub(super) fn column_after(&self, column: &str) -> Option<&'a Column> {
        let table = self.table_after()?;
        table.columns.iter().find(|found| found.name == column)
    }

    /// Returns the constraints that the statement added.
    pub(super) fn added_constraints(&self) -> Vec<&'a Constraint> {
        let Some((before, after)) = self.before.first().zip(self.table_after()) else {
            return Vec::new();
        };
        added(before, after).collect()
    }
}

impl Finding {
    pub(super) fn steps(&mut self, steps: Vec<Step>) -> &mut Self {
        self.steps = steps;
        self
    }

    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = help.into();
        self
    }
}

fn added<'r>(before: &'r Relation, after: &'r Relation) -> impl Iterator<Item = &'r Constraint> {
    let is_old = |name: &str| before.constraints.iter().any(|old| old.name == name);
    after
        .constraints
        .iter()
        .filter(move |constraint| !is_old(&constraint.name))
}

/// Returns the node that names the table of ALTER TABLE or CREATE INDEX.
pub(super) fn subject(node: &SyntaxNode) -> Option<SyntaxNode> {
    use SyntaxKind as K;
    [K::TABLE_RELATION_NAME, K::TABLE_NAME_REF, K::RELATION_NAME]
        .into_iter()
        .find_map(|kind| child(node, kind))
}

/// Returns the relations that a statement names: the table of ALTER TABLE and CREATE INDEX, the
/// tables of DROP TABLE, the tables of the indexes of DROP INDEX.
fn named_relations(node: &SyntaxNode, state: &State) -> Vec<Name> {
    use SyntaxKind as K;
    match node.kind() {
        K::ALTER_TABLE | K::CREATE_INDEX => subject(node)
            .and_then(|subject| state.find_relation(&path(&subject)))
            .into_iter()
            .collect(),
        K::DROP_TABLE => children(node, K::TABLE_NAME_REF)
            .filter_map(|table| state.find_relation(&path(&table)))
            .collect(),
        K::DROP_INDEX => children(node, K::INDEX_REF)
            .filter_map(|index| Some(state.find_index_by(&path(&index))?.0))
            .collect(),
        _ => Vec::new(),
    }
}

/// Returns these relations as they are in a state.
pub(super) fn relations(node: &SyntaxNode, state: &State) -> Vec<Relation> {
    named_relations(node, state)
        .into_iter()
        .filter_map(|name| state.catalog().relations.get(&name).cloned())
        .collect()
}

/// Returns the name in CREATE TABLE, without its schema.
pub(super) fn created_table(node: &SyntaxNode) -> Option<String> {
    child_name(node, SyntaxKind::TABLE_NAME)
}

/// Returns the new name of a table, if the statement renamed or moved it.
pub(super) fn renamed(node: &SyntaxNode, before: &Relation, state: &State) -> Option<Name> {
    use SyntaxKind as K;
    if state.catalog().relations.contains_key(&before.name) {
        return None;
    }
    let mut name = before.name.clone();
    if let Some(rename) = child(node, K::TABLE_RENAME_TO) {
        name.name = child_name(&rename, K::TABLE_NAME)?;
    }
    if let Some(schema) = child(node, K::SET_SCHEMA) {
        name.schema = child_name(&schema, K::SCHEMA_REF)?;
    }
    Some(name)
}

/// Returns whether a statement sets the time zone of the session to UTC; `None` if it leaves it.
pub(super) fn sets_utc(node: &SyntaxNode) -> Option<bool> {
    match setting::changed(node)? {
        (name, Value::Items(items)) if name == "timezone" => {
            let value = items.first()?;
            let zone = value.rsplit(char::is_whitespace).next()?;
            let zone = zone.trim_matches(['\'', '"']);
            let is_utc = |utc: &&str| zone.eq_ignore_ascii_case(utc);
            Some(["utc", "etc/utc", "gmt"].iter().any(is_utc))
        }
        (name, Value::Default) if ["timezone", "all", "discard"].contains(&&*name) => Some(false),
        _ => None,
    }
}

/// Returns the constraints that a statement added as NOT VALID.
pub(super) fn added_not_valid(before: &[Relation], state: &State) -> Vec<(Name, String)> {
    let Some(before) = before.first() else {
        return Vec::new();
    };
    let Some(after) = state.catalog().relations.get(&before.name) else {
        return Vec::new();
    };
    added(before, after)
        .filter(|constraint| !constraint.validated)
        .map(|constraint| (after.name.clone(), constraint.name.clone()))
        .collect()
}

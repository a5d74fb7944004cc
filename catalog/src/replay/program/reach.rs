//! Hidden code that a statement runs: triggers, defaults, checks, views, operators.
//!
//! Replay follows the functions that a query calls by name. It does not follow code that runs
//! because of a row, or inside a view. If such code may run DDL or change a setting, the statement
//! is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::builtin;
use crate::replay::program::{Program, writes};

use crate::replay::refusal::{Refused, Result};
use crate::replay::syntax::SYSTEM;
use crate::replay::syntax::expression::words;
use crate::replay::syntax::routine::{callee, calls_in};
use crate::replay::syntax::setting;
use crate::replay::syntax::tree::{children, has_any_node, tokens};
use crate::{ConstraintKind, Relation, TypeKind};

/// The way in which a statement runs functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// It calls functions by name, which are replayed. The code that these functions and the
    /// relations run is hidden.
    Query,
    /// All code that it runs is hidden.
    Data,
    /// It creates an object that later statements run.
    Hook,
    /// It may evaluate the expressions that it stores.
    Expression,
    Nothing,
}

fn reach(node: &SyntaxNode) -> Reach {
    use SyntaxKind as K;
    match node.kind() {
        K::SELECT | K::COMPOUND_SELECT | K::PAREN_SELECT | K::VALUES | K::CALL => Reach::Query,
        K::EXPLAIN if !is_analyze(node) => Reach::Nothing,
        K::TRUNCATE | K::DECLARE | K::CREATE_TABLE_AS | K::SELECT_INTO => Reach::Data,
        K::CREATE_MATERIALIZED_VIEW => Reach::Data,
        kind if writes::may_write(kind) => Reach::Data,
        K::CREATE_EVENT_TRIGGER
        | K::CREATE_OPERATOR
        | K::CREATE_CAST
        | K::CREATE_CONVERSION
        | K::CREATE_TRANSFORM
        | K::CREATE_OPERATOR_CLASS
        | K::ALTER_OPERATOR_FAMILY => Reach::Hook,
        K::ALTER_TABLE | K::ALTER_DOMAIN | K::CREATE_INDEX => Reach::Expression,
        _ => Reach::Nothing,
    }
}

/// Returns true if EXPLAIN runs its statement.
fn is_analyze(explain: &SyntaxNode) -> bool {
    let words: Vec<String> = tokens(explain)
        .take(24)
        .map(|token| token.text().to_ascii_lowercase())
        .collect();
    words
        .iter()
        .any(|word| word == "analyze" || word == "analyse")
}

impl Program {
    /// Refuses a statement whose hidden code may change the catalog, or the meaning of later
    /// statements.
    pub(crate) fn reaches_nothing(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let reach = reach(node);
        if reach == Reach::Nothing {
            return Ok(());
        }
        if node.kind() == K::EXPLAIN
            && node.descendants().any(|part| {
                matches!(
                    part.kind(),
                    K::CREATE_TABLE_AS | K::SELECT_INTO | K::CREATE_MATERIALIZED_VIEW
                )
            })
        {
            return Err(Refused::new(
                node,
                "EXPLAIN ANALYZE runs its statement, which creates a relation",
            )
            .hint("write the statement without EXPLAIN"));
        }
        if writes_to_catalog(node) {
            return Err(Refused::new(
                node,
                "this changes PostgreSQL's own tables, which replay does not follow",
            ));
        }
        if reach != Reach::Query && calls_in(node).any(|call| setting::is_changed_by(&call)) {
            return Err(Refused::new(
                node,
                "whether this changes a setting is known only when it runs",
            )
            .hint("write SET"));
        }
        if let Some(function) = self.hidden(node, reach) {
            let why = format!("this may run the function {function}, which may change the schema");
            return Err(Refused::new(node, why));
        }
        if reach == Reach::Hook {
            let named = words(&node.text().to_string());
            self.state.note_hooks(named);
        }
        Ok(())
    }

    /// Returns true if hidden code of a statement within this node may change the catalog.
    pub(crate) fn hidden_code_may_change(&self, node: &SyntaxNode) -> bool {
        !self.changing().is_empty()
            && node
                .descendants()
                .filter(|inner| writes::may_write(inner.kind()))
                .any(|inner| self.hidden(&inner, reach(&inner)).is_some())
    }

    /// Refuses an unknown text that writes rows, if hidden code of it may change the catalog.
    pub(crate) fn unknown_text_reaches_nothing(&self, execute: &SyntaxNode) -> Result<()> {
        let relations = self.state.catalog().relations.keys();
        let mut start: Vec<String> = relations.map(|name| name.name.clone()).collect();
        let literals = execute
            .descendants()
            .filter(|part| part.kind() == SyntaxKind::LITERAL);
        let literals = literals.filter_map(|literal| crate::replay::syntax::tree::string(&literal));
        start.extend(literals.flat_map(|literal| words(&literal)));
        match self.reached(start) {
            Some(function) => Err(Refused::new(
                execute,
                format!("this may run the function {function}, which may change the schema"),
            )),
            None => Ok(()),
        }
    }

    fn hidden(&self, node: &SyntaxNode, reach: Reach) -> Option<String> {
        let calls: BTreeSet<String> = calls_in(node)
            .filter_map(|call| callee(&call).pop())
            .collect();
        if reach == Reach::Expression && calls.is_empty() {
            return None;
        }
        let changing = self.changing();
        if changing.is_empty() {
            return None;
        }
        if reach == Reach::Expression {
            return calls.into_iter().find(|called| changing.contains(called));
        }
        let mut start = words(&node.text().to_string());
        if reach == Reach::Query {
            // These functions are replayed, statement by statement.
            start.retain(|word| {
                let is_procedure = node.kind() == SyntaxKind::CALL;
                !changing.contains(word) || !(is_procedure || calls.contains(word))
            });
        }
        start.extend(self.state.hooks().cloned());
        self.reached(start)
    }

    /// Returns a function that may change the catalog, and that can be reached by names from these
    /// words.
    fn reached(&self, mut open: Vec<String>) -> Option<String> {
        const CHANGES: [&str; 4] = ["update", "delete", "merge", "truncate"];
        let changing = self.changing();
        if changing.is_empty() {
            return None;
        }
        let relations = &self.state.catalog().relations;
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut reached: Vec<&Relation> = Vec::new();
        let mut procedure = None;
        loop {
            while let Some(word) = open.pop() {
                if !seen.insert(word.clone()) {
                    continue;
                }
                if changing.contains(&word) {
                    // Only CALL runs a procedure. Other objects can have its name.
                    if !self.is_procedure(&word) {
                        return Some(word);
                    }
                    procedure = Some(word.clone());
                }
                for function in self.state.overloads(&word) {
                    open.extend(function.words().iter().cloned());
                }
                for relation in relations.values().filter(|one| one.name.name == word) {
                    reached.push(relation);
                    if let Ok(value) = serde_json::to_value(relation) {
                        strings(&value, &mut |text| open.extend(words(text)));
                    }
                    let children = relations
                        .values()
                        .filter(|one| one.parents.contains(&relation.name));
                    open.extend(children.map(|child| child.name.name.clone()));
                }
                for found in self
                    .state
                    .catalog()
                    .types
                    .values()
                    .filter(|one| one.name.name == word)
                {
                    if let TypeKind::Domain {
                        base,
                        default,
                        checks,
                        ..
                    } = &found.kind
                    {
                        open.push(base.name.name.clone());
                        open.extend(default.iter().flat_map(|text| words(text)));
                        for check in checks {
                            if let ConstraintKind::Check { expression, .. } = &check.kind {
                                open.extend(words(expression));
                            }
                        }
                    }
                }
            }
            if procedure.is_some() && seen.contains("call") {
                return procedure;
            }
            // Rows that refer to a changed row may change too.
            if !CHANGES.iter().any(|word| seen.contains(*word)) {
                return None;
            }
            let referring = relations.values().filter(|one| {
                one.constraints
                    .iter()
                    .any(|constraint| match &constraint.kind {
                        ConstraintKind::ForeignKey { references, .. } => {
                            reached.iter().any(|reached| reached.name == *references)
                        }
                        _ => false,
                    })
            });
            open.extend(
                referring
                    .map(|one| one.name.name.clone())
                    .filter(|name| !seen.contains(name)),
            );
            if open.is_empty() {
                return None;
            }
        }
    }

    /// Returns true if all functions of this name are procedures.
    fn is_procedure(&self, name: &str) -> bool {
        let mut overloads = self.state.overloads(name).iter();
        overloads.all(|function| !function.is_function())
    }

    /// Returns the names of the functions that may change the catalog or a setting.
    pub(super) fn changing(&self) -> Arc<BTreeSet<String>> {
        let version = self.state.version_of_functions();
        if let Some((known, changing)) = &*self.changing.borrow()
            && *known == version
        {
            return Arc::clone(changing);
        }
        let changing = Arc::new(self.find_changing());
        *self.changing.borrow_mut() = Some((version, Arc::clone(&changing)));
        changing
    }
}

/// Returns true if a statement writes rows of `pg_catalog` or `information_schema`.
fn writes_to_catalog(node: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    let kinds = [K::INSERT, K::UPDATE, K::DELETE, K::MERGE, K::COPY];
    if !has_any_node(node, &kinds) {
        return false;
    }
    node.descendants()
        .filter(|part| {
            matches!(
                part.kind(),
                K::INSERT | K::UPDATE | K::DELETE | K::MERGE | K::COPY
            )
        })
        .filter(|part| !sets_only_ignored_columns(part))
        .filter_map(|part| {
            part.children().find(|child| {
                matches!(
                    child.kind(),
                    K::RELATION_NAME | K::RELATION_NAME_REF | K::TABLE_NAME_REF
                )
            })
        })
        .any(|target| {
            let parts = words(&target.text().to_string());
            let parts: Vec<&str> = parts
                .iter()
                .map(String::as_str)
                .filter(|part| *part != "only")
                .collect();
            match parts.as_slice() {
                [schema, _, ..] => matches!(*schema, "pg_catalog" | "information_schema"),
                [table] => builtin::relations(table).any(|found| found.schema == SYSTEM),
                [] => false,
            }
        })
}

/// Returns true if an UPDATE sets only columns that replay does not record.
fn sets_only_ignored_columns(update: &SyntaxNode) -> bool {
    const IGNORED: [&str; 5] = [
        "indisready",
        "indcheckxmin",
        "reltuples",
        "relpages",
        "datallowconn",
    ];
    let mut columns = children(update, SyntaxKind::SET_CLAUSE)
        .flat_map(|clause| clause.descendants().collect::<Vec<_>>())
        .filter(|part| part.kind() == SyntaxKind::COLUMN_TARGET)
        .peekable();
    columns.peek().is_some()
        && columns.all(|column| {
            words(&column.text().to_string())
                .iter()
                .all(|column| IGNORED.contains(&column.as_str()))
        })
}

/// Visits each string of a value.
fn strings(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(all) => all.iter().for_each(|one| strings(one, visit)),
        Value::Object(all) => all.values().for_each(|one| strings(one, visit)),
        _ => {}
    }
}

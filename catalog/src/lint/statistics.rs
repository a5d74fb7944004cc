//! Extended statistics. The catalog does not have them, since no code depends on them, but they end
//! with a column that they are of: a column that takes its place needs them again.

use bowline_sql::quote::identifier;
use bowline_sql::tokens;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::rewrite;
use super::scope;
use crate::replay::state::State;
use crate::replay::syntax::tree::{child_name, text};
use crate::{Name, Relation};

/// A statistics object.
#[derive(Debug, Clone)]
pub(super) struct Statistics {
    table: Name,
    /// The name, without its schema; empty if PostgreSQL chooses it.
    name: String,
    /// The statement before ON.
    head: String,
    /// The columns and expressions.
    list: String,
}

/// Applies a statement to the statistics so far.
pub(super) fn note(
    all: &mut Vec<Statistics>,
    node: &SyntaxNode,
    before: &[Relation],
    state: &State,
) {
    match node.kind() {
        SyntaxKind::CREATE_STATISTICS => all.extend(read(&text(node), state)),
        SyntaxKind::DROP_STATISTICS => {
            let sql = text(node);
            all.retain(|one| !tokens(&sql).any(|token| token.is_name(&one.name)));
        }
        SyntaxKind::ALTER_TABLE => {
            let Some(table) = before.first() else { return };
            let new = scope::renamed(node, table, state);
            for one in all.iter_mut().filter(|one| one.table == table.name) {
                one.follow(node, new.as_ref());
            }
            let Some(after) = state
                .catalog()
                .relations
                .get(new.as_ref().unwrap_or(&table.name))
            else {
                return;
            };
            // PostgreSQL has dropped those of a column that is gone.
            let gone = table.columns.iter().filter(|column| {
                let mut left = after.columns.iter();
                !left.any(|left| left.name == column.name)
            });
            let gone: Vec<&str> = gone.map(|column| column.name.as_str()).collect();
            all.retain(|one| one.table != after.name || !gone.iter().any(|it| one.is_of(it)));
        }
        _ => {}
    }
}

fn read(sql: &str, state: &State) -> Option<Statistics> {
    let tokens: Vec<_> = tokens(sql).collect();
    let on = tokens.iter().position(|token| token.is_word("on"))?;
    let from = tokens.iter().rposition(|token| token.is_word("from"))?;
    let path = tokens
        .get(from + 1..)?
        .iter()
        .filter_map(|token| token.name());
    let path: Vec<String> = path.map(std::borrow::Cow::into_owned).collect();
    // The name stands before ON and before the kinds in parentheses.
    let before_on = tokens.get(2..on)?;
    let named = before_on.iter().take_while(|token| !token.is("("));
    let name = named.filter_map(|token| token.name()).last();
    Some(Statistics {
        table: state.find_relation(&path)?,
        name: name.map(std::borrow::Cow::into_owned).unwrap_or_default(),
        head: sql[..tokens[on].start()].trim().to_owned(),
        list: sql[tokens[on].end()..tokens[from].start()]
            .trim()
            .to_owned(),
    })
}

impl Statistics {
    fn follow(&mut self, node: &SyntaxNode, new: Option<&Name>) {
        if let Some(new) = new {
            self.table.clone_from(new);
        }
        let renames = node
            .children()
            .filter(|action| action.kind() == SyntaxKind::RENAME_COLUMN);
        for rename in renames {
            let names = child_name(&rename, SyntaxKind::COLUMN_NAME_REF)
                .zip(child_name(&rename, SyntaxKind::COLUMN_NAME));
            if let Some((from, to)) = names {
                self.list = renamed(&self.list, &from, &to);
            }
        }
    }

    fn is_of(&self, column: &str) -> bool {
        tokens(&self.list).any(|token| token.is_name(column))
    }

    /// Returns the statement that creates it for a column that has taken the place of another;
    /// `None` if it is not of that column.
    pub(super) fn again(&self, table: &Name, old: &str, end: &str) -> Option<String> {
        if self.table != *table || !self.is_of(old) {
            return None;
        }
        let list = renamed(&self.list, old, end);
        let table = rewrite::relation(table);
        Some(format!("{} ON {list} FROM {table};", self.head))
    }
}

/// Returns a list of columns and expressions in which a column has another name.
fn renamed(list: &str, from: &str, to: &str) -> String {
    let mut out = String::new();
    let mut at = 0;
    for token in tokens(list).filter(|token| token.is_name(from)) {
        out.push_str(&list[at..token.start()]);
        out.push_str(&identifier(to));
        at = token.end();
    }
    out.push_str(&list[at..]);
    out
}

//! The clauses of a query that can stand behind brackets: ORDER BY, LIMIT, locks. Behind the
//! brackets around a query they are its own (`insertSelectOptions` in `gram.y`).

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::Result;
use super::fault::Fault;
use super::raw::span_of;
use super::set_operation::is_query_node;
use crate::replay::syntax::tree::{child, children, has, has_any_node};

/// Returns a query and the brackets around it, the innermost first.
fn levels(query: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> + use<> {
    std::iter::successors(Some(query.clone()), |level| {
        let above = level.parent();
        above.filter(|it| matches!(it.kind(), K::PAREN_SELECT | K::PAREN_EXPR))
    })
}

/// Returns a clause of a query, which can stand behind the brackets around it.
pub(super) fn option(query: &SyntaxNode, kind: K) -> Option<SyntaxNode> {
    levels(query).find_map(|level| child(&level, kind))
}

/// Returns the locks of a query.
pub(super) fn locks(query: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> + use<> {
    levels(query).flat_map(|level| children(&level, K::LOCKING_CLAUSE))
}

/// Returns the query within brackets.
pub(super) fn innermost(query: &SyntaxNode) -> SyntaxNode {
    let is_bracket = matches!(query.kind(), K::PAREN_SELECT | K::PAREN_EXPR);
    let inner = is_bracket.then(|| query.children().find(is_query_node));
    inner
        .flatten()
        .map_or_else(|| query.clone(), |it| innermost(&it))
}

/// Fails if a clause stands both within brackets and behind them, or if WITH TIES is not possible.
pub(super) fn check_options(statement: &SyntaxNode) -> Result<()> {
    if !has_any_node(statement, &[K::PAREN_SELECT, K::WITH_TIES]) {
        return Ok(());
    }
    let queries = statement.descendants();
    for query in queries.filter(|it| {
        let kind = it.kind();
        matches!(kind, K::SELECT | K::COMPOUND_SELECT | K::VALUES | K::TABLE)
    }) {
        check_levels(&query)?;
    }
    Ok(())
}

fn check_levels(query: &SyntaxNode) -> Result<()> {
    let mut given: Vec<&str> = Vec::new();
    let mut skips_locked = false;
    for level in levels(query) {
        for lock in children(&level, K::LOCKING_CLAUSE) {
            skips_locked |= has(&lock, K::SKIP_LOCKED);
        }
        for (kind, word) in [
            (K::ORDER_BY_CLAUSE, "ORDER BY"),
            (K::OFFSET_CLAUSE, "OFFSET"),
            (K::LIMIT_CLAUSE, "LIMIT"),
            (K::FETCH_CLAUSE, "LIMIT"),
            (K::WITH_CLAUSE, "WITH"),
        ] {
            let Some(clause) = child(&level, kind) else {
                continue;
            };
            if given.contains(&word) {
                let message = format!("multiple {word} clauses not allowed");
                return Err(Fault::error("42601", span_of(&clause), message)
                    .hint("one of them is within brackets, and both are clauses of one query"));
            }
            given.push(word);
            if !has(&clause, K::WITH_TIES) {
                continue;
            }
            if !given.contains(&"ORDER BY") {
                let message = "WITH TIES cannot be specified without ORDER BY clause";
                return Err(Fault::error("42601", span_of(&clause), message)
                    .hint("without an order there are no ties: write ONLY, or add ORDER BY"));
            }
            if skips_locked {
                let message = "SKIP LOCKED and WITH TIES options cannot be used together";
                return Err(Fault::error("42601", span_of(&clause), message)
                    .hint("write ROWS ONLY in place of WITH TIES"));
            }
        }
    }
    Ok(())
}

//! What this parser takes and PostgreSQL's grammar does not.

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::Result;
use super::expr::Span;
use super::fault::Fault;
use super::raw::span_of;
use crate::replay::syntax::tree::{child, children, has, tokens};

/// Returns the error of PostgreSQL's grammar at a part of a statement.
pub(super) fn unexpected(node: &SyntaxNode) -> Fault {
    let first = tokens(node).next();
    let (span, text) = match &first {
        Some(token) => {
            let range = token.text_range();
            let span = range.start().into()..range.end().into();
            (span, token.text().to_owned())
        }
        None => (span_of(node), String::new()),
    };
    unexpected_text(span, &text)
}

fn unexpected_text(span: Span, text: &str) -> Fault {
    Fault::error("42601", span, format!("syntax error at or near \"{text}\""))
}

/// Fails for clauses behind a function of the grammar, such as `coalesce(..) OVER ()`.
pub(super) fn no_clauses(call: &SyntaxNode) -> Result<()> {
    for kind in [K::WITHIN_CLAUSE, K::FILTER_CLAUSE, K::OVER_CLAUSE] {
        if let Some(clause) = child(call, kind) {
            return Err(unexpected(&clause).hint("this function takes no such clause"));
        }
    }
    Ok(())
}

/// Fails unless a function of the grammar, such as `coalesce`, has a plain list of arguments, so
/// many as `counts` has.
pub(super) fn plain_arguments(
    call: &SyntaxNode,
    counts: std::ops::RangeInclusive<usize>,
) -> Result<()> {
    no_clauses(call)?;
    let Some(list) = child(call, K::ARG_LIST) else {
        return Ok(());
    };
    let words = [
        K::ALL,
        K::DISTINCT,
        K::DISTINCT_KW,
        K::ALL_KW,
        K::STAR,
        K::VARIADIC_KW,
    ];
    let is_word = |kind| words.contains(&kind);
    let direct = list.children_with_tokens();
    let within = children(&list, K::ARG).flat_map(|it| it.children_with_tokens());
    for part in direct.chain(within) {
        let is_other = match part.kind() {
            K::NAMED_ARG | K::ORDER_BY_CLAUSE => true,
            kind => is_word(kind),
        };
        if is_other {
            let range = part.text_range();
            let text = part.to_string();
            let word = text.split_whitespace().next().unwrap_or_default();
            let start = usize::from(range.start());
            return Err(unexpected_text(start..start + word.len(), word));
        }
    }
    let given: Vec<SyntaxNode> = children(&list, K::ARG).collect();
    if counts.contains(&given.len()) {
        return Ok(());
    }
    match given.get(*counts.end()) {
        Some(extra) => Err(Fault::error(
            "42601",
            span_of(extra),
            "syntax error at or near \",\"",
        )),
        None => {
            let end = span_of(&list).end;
            Err(unexpected_text(end.saturating_sub(1)..end, ")"))
        }
    }
}

/// Fails for an action that MERGE does not allow here, and for one that is never reached.
pub(super) fn merge_actions(merge: &SyntaxNode) -> Result<()> {
    let mut always = Vec::new();
    for when in merge.children() {
        let kind = when.kind();
        let wrong: &[K] = match kind {
            K::MERGE_WHEN_MATCHED | K::MERGE_WHEN_NOT_MATCHED_SOURCE => &[K::MERGE_INSERT],
            K::MERGE_WHEN_NOT_MATCHED_TARGET => &[K::MERGE_UPDATE, K::MERGE_DELETE],
            _ => continue,
        };
        if let Some(action) = wrong.iter().find_map(|kind| child(&when, *kind)) {
            return Err(unexpected(&action).hint(match kind {
                K::MERGE_WHEN_NOT_MATCHED_TARGET => "there is no row to change: write INSERT",
                _ => "the row is there already: write UPDATE or DELETE",
            }));
        }
        let rows = child(&when, K::MERGE_INSERT).and_then(|it| child(&it, K::VALUES));
        let rows = rows.and_then(|it| child(&it, K::ROW_LIST));
        if let Some(second) = rows.and_then(|it| children(&it, K::ROW).nth(1)) {
            let message = "syntax error at or near \",\"";
            return Err(Fault::error("42601", span_of(&second), message)
                .hint("INSERT of MERGE takes one row"));
        }
        if always.contains(&kind) {
            let message = "unreachable WHEN clause specified after unconditional WHEN clause";
            return Err(Fault::error("42601", span_of(&when), message)
                .hint("write the clause without AND last"));
        }
        if !has(&when, K::MERGE_CONDITION) {
            always.push(kind);
        }
    }
    Ok(())
}

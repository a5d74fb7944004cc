//! Clauses of a view's query that decide no column. What is not known of them does not matter.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::analyzer::{Analyzer, Result};
use super::fault::Fault;
use super::operator::is_comparison;
use super::raw::{Raw, RawKind};
use crate::replay::syntax::tree::is_query;

impl Analyzer<'_> {
    /// Returns the value of a clause that decides no column, or `None` if it is not known.
    pub(super) fn tolerate<T>(&mut self, value: Result<T>) -> Result<Option<T>> {
        match value {
            Ok(value) => Ok(Some(value)),
            Err(Fault {
                code: None | Some("42883"),
                ..
            }) if self.objects.is_some() => {
                self.has_unknown = true;
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Notes what a clause uses, if a part of it was passed over.
    pub(super) fn note_unknown(&mut self, clause: &SyntaxNode) {
        if std::mem::take(&mut self.has_unknown) {
            self.note_names(clause);
            self.has_unknown = false;
        }
    }

    fn note_names(&mut self, node: &SyntaxNode) {
        for part in node.children() {
            if is_query(part.kind()) {
                self.query(&part, false).ok();
                continue;
            }
            let is_name = matches!(part.kind(), SyntaxKind::NAME_REF | SyntaxKind::FIELD_EXPR);
            if !is_name || self.value(&part).is_err() {
                self.note_names(&part);
            }
        }
    }
}

/// Returns true for a construct of the grammar whose result is a boolean.
pub(super) fn is_condition(raw: &Raw) -> bool {
    match &raw.kind {
        RawKind::Operator { name, left, .. } => left.is_some() && is_comparison(name),
        RawKind::And(..)
        | RawKind::Or(..)
        | RawKind::Not(_)
        | RawKind::IsNull { .. }
        | RawKind::IsBool { .. }
        | RawKind::IsOther(..)
        | RawKind::Distinct { .. }
        | RawKind::Between { .. }
        | RawKind::In { .. }
        | RawKind::Like { .. }
        | RawKind::AnyAll { .. } => true,
        _ => false,
    }
}

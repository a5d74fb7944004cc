//! TABLESAMPLE: a part of the rows of a table (manual, SELECT).

use super::analyzer::{Analyzer, Result};
use super::fault::Fault;
use super::raw::span_of;
use super::scope::Table;
use super::types;
use crate::RelationKind;
use crate::replay::syntax::tree::{child, name, seen};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

/// The methods, with the extension that has them, and the type of their argument.
const METHODS: [(&str, Option<&str>, &str); 4] = [
    ("bernoulli", None, "float4"),
    ("system", None, "float4"),
    ("system_rows", Some("tsm_system_rows"), "int8"),
    ("system_time", Some("tsm_system_time"), "float8"),
];

impl Analyzer<'_> {
    /// Checks the method of a TABLESAMPLE, its arguments, and the table before it.
    pub(super) fn sample(&mut self, sample: &SyntaxNode, table: &Table) -> Result<()> {
        let span = span_of(sample);
        let relation = table.relation.as_ref();
        let kind = relation.and_then(|it| self.catalog.relations.get(it));
        let is_table = match kind.map(|it| it.kind) {
            Some(kind) => !matches!(kind, RelationKind::View | RelationKind::ForeignTable),
            None => table.system.is_some(),
        };
        if !is_table {
            let message = "TABLESAMPLE clause can only be applied to tables and materialized views";
            return Err(Fault::error("0A000", span, message));
        }
        let call = child(sample, K::CALL_EXPR);
        let call = call.ok_or_else(|| Fault::refused(span.clone(), "no method is named"))?;
        let method = call.children().next().map(|it| name(&it));
        let method = method.unwrap_or_default();
        let extensions = &self.catalog.extensions;
        let known = METHODS.iter().find(|(known, extension, _)| {
            *known == method && extension.is_none_or(|it| extensions.contains(it))
        });
        let Some((_, _, ty)) = known else {
            let message = format!("tablesample method {method} does not exist");
            return Err(
                Fault::error("42704", span, message).hint("PostgreSQL has bernoulli and system")
            );
        };
        let arguments = call.descendants().filter(|it| seen(it.kind()) == K::ARG);
        let arguments: Vec<SyntaxNode> = arguments.filter_map(|it| it.children().next()).collect();
        let ty = self.types.built_in(ty);
        if arguments.len() != 1 {
            let count = arguments.len();
            let message = format!("tablesample method {method} requires 1 argument, not {count}");
            return Err(Fault::error("2202H", span, message));
        }
        for value in arguments {
            let value = self.value(&value)?;
            self.specific(value, ty, "TABLESAMPLE")?;
        }
        let seed = child(sample, K::REPEATABLE_CLAUSE).and_then(|it| it.children().next());
        if let Some(value) = seed {
            let value = self.value(&value)?;
            self.specific(value, types::FLOAT8, "REPEATABLE")?;
        }
        Ok(())
    }
}

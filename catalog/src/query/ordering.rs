//! The types that can be sorted or compared for equality: those with a default operator class
//! (manual, 36.16).

use super::analyzer::{Analyzer, Result};
use super::expr::{Expr, Span};
use super::fault::Fault;
use super::types::{self, Kind as TypeKind, TypeId};
use crate::replay::builtin;

impl Analyzer<'_> {
    /// Checks that values can be sorted, as for ORDER BY.
    pub(super) fn check_sortable(&mut self, value: &Expr) -> Result<()> {
        match self.has_class(value.ty, &["btree"]) {
            true => Ok(()),
            false => Err(self.no_operator_for(value.ty, "an ordering", &value.span)),
        }
    }

    /// Checks that values can be compared, as for DISTINCT, GROUP BY and UNION.
    pub(super) fn check_comparable(&mut self, ty: TypeId, span: &Span) -> Result<()> {
        match self.has_class(ty, &["btree", "hash"]) {
            true => Ok(()),
            false => Err(self.no_operator_for(ty, "an equality", span)),
        }
    }

    fn no_operator_for(&self, ty: TypeId, what: &str, span: &Span) -> Fault {
        let words = self.types.words(ty);
        if self.is_opaque(ty) {
            let message = format!("whether {words} has {what} operator is not known");
            return Fault::refused(span.clone(), message);
        }
        let message = format!("could not identify {what} operator for type {words}");
        Fault::error("42883", span.clone(), message).hint("cast it to a type that has one, as text")
    }

    fn has_class(&mut self, ty: TypeId, methods: &[&str]) -> bool {
        let base = self.types.base(ty);
        match self.types.kind(base) {
            TypeKind::Array { element } => self.has_class(element, methods),
            TypeKind::Enum | TypeKind::Range { .. } | TypeKind::Multirange { .. } => true,
            TypeKind::Composite => {
                let fields = self.fields_of(base).unwrap_or_default();
                fields
                    .into_iter()
                    .all(|(_, ty)| self.has_class(ty, methods))
            }
            TypeKind::Pseudo => base == types::RECORD || base == types::UNKNOWN,
            TypeKind::Base | TypeKind::Domain { .. } => {
                let name = match self.types.bare(base) {
                    Some("varchar") => "text",
                    Some("cidr") => "inet",
                    Some("varbit") => "bit",
                    Some(
                        "regclass" | "regtype" | "regproc" | "regprocedure" | "regrole"
                        | "regnamespace" | "regconfig" | "regdictionary" | "regoper"
                        | "regoperator" | "regcollation",
                    ) => "oid",
                    Some("int2vector") => return true,
                    Some("xid" | "cid" | "aclitem") => return methods.contains(&"hash"),
                    Some("xid8" | "uuid") => return true,
                    Some(name) => name,
                    None => return false,
                };
                methods
                    .iter()
                    .any(|method| builtin::has_default_class(name, method))
            }
        }
    }
}

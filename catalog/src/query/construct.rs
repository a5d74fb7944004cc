//! Expressions with delimiters of their own: CASE, ARRAY, subscripts.

use super::analyzer::{Analyzer, Result};
use super::brackets::{first, unwrapped};
use super::coerce::Context;
use super::expr::{Expr, Kind, Span, Use};
use super::fault::Fault;
use super::raw::span_of;
use super::types::{self, TypeId};
use crate::replay::syntax::tree::{child, children, is_query};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    pub(super) fn case_value(&mut self, node: &SyntaxNode, span: Span) -> Result<Expr> {
        let is_clause = |kind| matches!(kind, K::WHEN_CLAUSE_LIST | K::ELSE_CLAUSE);
        let subject = node.children().find(|part| !is_clause(part.kind()));
        let subject = match subject {
            None => None,
            Some(subject) => {
                let mut value = self.value(&subject)?;
                if value.ty == types::UNKNOWN {
                    value = self.convert(value, types::TEXT)?;
                }
                Some(value)
            }
        };
        let (mut conditions, mut results) = (Vec::new(), Vec::new());
        let list = child(node, K::WHEN_CLAUSE_LIST);
        for when in list.iter().flat_map(|list| children(list, K::WHEN_CLAUSE)) {
            let mut parts = when.children();
            let (Some(condition), Some(result)) = (parts.next(), parts.next()) else {
                return Err(Fault::refused(span, "the CASE is incomplete"));
            };
            let mut condition = self.value(&condition);
            if let Some(subject) = &subject {
                condition = condition.and_then(|condition| {
                    let place = condition.span.clone();
                    let value = Expr::new(
                        subject.ty,
                        Kind::CaseValue(Box::new(subject.clone())),
                        place.clone(),
                    );
                    self.operate("=", vec![value, condition], place)
                });
            }
            let condition = condition.and_then(|it| self.boolean(it, "CASE/WHEN"));
            let unknown = || Expr::new(types::BOOL, Kind::Other(Vec::new()), span.clone());
            conditions.push(self.tolerate(condition)?.unwrap_or_else(unknown));
            results.push(self.value(&result)?);
        }
        let otherwise = child(node, K::ELSE_CLAUSE).and_then(|clause| clause.children().next());
        let otherwise = match otherwise {
            Some(value) => self.value(&value)?,
            None => Expr::new(types::UNKNOWN, Kind::Const(None), span.clone()),
        };
        let all: Vec<&Expr> = std::iter::once(&otherwise).chain(&results).collect();
        let mut parts = all.iter().copied().chain(&subject);
        let has_set = parts.any(super::expr::has_set);
        let common = self.common(&all, "CASE")?;
        let otherwise = self.convert_to_common(otherwise, common, "CASE/ELSE")?;
        let mut whens = Vec::new();
        for (condition, result) in conditions.into_iter().zip(results) {
            whens.push((
                condition,
                self.convert_to_common(result, common, "CASE/WHEN")?,
            ));
        }
        if has_set {
            let message = "set-returning functions are not allowed in CASE";
            return Err(Fault::error("0A000", span, message));
        }
        let otherwise = Box::new(otherwise);
        Ok(Expr::new(common, Kind::Case { whens, otherwise }, span))
    }

    /// Returns `ARRAY[..]`; `target` is the type to which it is cast.
    pub(super) fn array_value(
        &mut self,
        node: &SyntaxNode,
        span: Span,
        target: Option<TypeId>,
    ) -> Result<Expr> {
        if let Some(query) = node.children().find(|part| is_query(part.kind())) {
            return self.query_value(&query, Use::Array, None, span);
        }
        let mut elements = Vec::new();
        let mut is_nested = false;
        for part in node.children() {
            let bare = unwrapped(&part);
            let element = if bare.kind() == K::ARRAY_EXPR
                && !bare.children().any(|part| is_query(part.kind()))
            {
                is_nested = true;
                self.array_value(&bare, span_of(&part), target)?
            } else {
                let element = self.value(&part)?;
                is_nested |= matches!(self.types.kind(element.ty), types::Kind::Array { .. });
                element
            };
            elements.push(element);
        }
        if elements.is_empty() {
            let Some(target) = target else {
                let message = "cannot determine type of empty array";
                return Err(
                    Fault::error("42P18", span, message).hint("cast it, as ARRAY[]::integer[]")
                );
            };
            return Ok(Expr::new(target, Kind::Array(elements), span));
        }
        let (element, array) = match target {
            Some(target) => {
                let base = self.types.base(target);
                let element = self.types.element(base).unwrap_or(base);
                (if is_nested { base } else { element }, base)
            }
            None => {
                let common = self.common(&elements.iter().collect::<Vec<_>>(), "ARRAY")?;
                if is_nested {
                    (common, common)
                } else if matches!(self.types.kind(common), types::Kind::Array { .. }) {
                    let words = self.types.words(common);
                    let message = format!("could not find array type for data type {words}");
                    return Err(Fault::error("42704", span, message));
                } else {
                    (common, self.types.array_of(common))
                }
            }
        };
        let mut converted = Vec::new();
        for value in elements {
            converted.push(match target {
                Some(_) => self.coerce(value, element, Context::Explicit)?,
                None => self.convert_to_common(value, element, "ARRAY")?,
            });
        }
        Ok(Expr::new(array, Kind::Array(converted), span))
    }

    pub(super) fn subscript(&mut self, node: &SyntaxNode, span: Span) -> Result<Expr> {
        // Several subscripts are applied together: a[1][2], a[1:2][3].
        let mut chain = vec![node.clone()];
        let mut base = first(node, &span)?;
        while matches!(base.kind(), K::INDEX_EXPR | K::SLICE_EXPR) {
            chain.push(base.clone());
            base = first(&base, &span)?;
        }
        let value = self.value(&base)?;
        let container = self.types.base(value.ty);
        let is_json = container == types::JSONB;
        let is_slice = chain.iter().any(|part| part.kind() == K::SLICE_EXPR);
        let ty = if is_json {
            types::JSONB
        } else {
            // Types of a fixed number of parts (`raw_array_subscript_handler`).
            let bare = self.types.bare(container);
            let is_fixed = matches!(bare, Some("point" | "line" | "box" | "lseg" | "name"));
            if is_fixed && is_slice {
                let message = "slices of fixed-length arrays not implemented";
                return Err(Fault::error("0A000", span, message));
            }
            let element = match bare {
                Some("point" | "line") => Some(types::FLOAT8),
                Some("box" | "lseg") => Some(self.types.built_in("point")),
                Some("name") => Some(self.types.built_in("char")),
                _ => self.types.element(container),
            };
            let Some(element) = element else {
                let message = format!(
                    "cannot subscript type {} because it does not support subscripting",
                    self.types.words(value.ty)
                );
                if self.is_opaque(container) {
                    return Err(Fault::refused(
                        span,
                        "subscripts of this type are not inferred",
                    ));
                }
                return Err(Fault::error("42804", span, message));
            };
            if is_slice { container } else { element }
        };
        let mut indexes = Vec::new();
        for part in chain.iter().rev() {
            if is_json && part.kind() == K::SLICE_EXPR {
                return Err(no_slices(span_of(part)));
            }
            for index in part.children().skip(1) {
                let index = self.value(&index)?;
                indexes.push(self.index(index, is_json)?);
            }
        }
        let value = Box::new(value);
        Ok(Expr::new(
            ty,
            Kind::Subscript {
                value,
                indexes,
                is_slice,
            },
            span,
        ))
    }

    /// Returns a subscript: a number, or a key of jsonb.
    pub(super) fn index(&mut self, index: Expr, is_json: bool) -> Result<Expr> {
        if is_json {
            let is_number = index.ty != types::UNKNOWN
                && self.can_coerce(index.ty, types::INT4, Context::Implicit);
            let target = if is_number { types::INT4 } else { types::TEXT };
            return self.convert(index, target);
        }
        if !self.can_coerce(index.ty, types::INT4, Context::Assignment) {
            return Err(Fault::error(
                "42804",
                index.span,
                "array subscript must have type integer",
            ));
        }
        self.convert(index, types::INT4)
    }
}

/// Returns the error for a slice of jsonb.
pub(super) fn no_slices(span: Span) -> Fault {
    Fault::error("42804", span, "jsonb subscript does not support slices")
        .hint("jsonb_path_query_array() returns a part of an array")
}

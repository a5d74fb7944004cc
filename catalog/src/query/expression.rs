//! The types of expressions (parse_expr.c).

use super::brackets::first;
use super::brackets::row_of;
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::{Analyzer, Result};
use super::expr::{Call, Expr, Kind, Nulls, Span, Truth, Use};
use super::fault::Fault;
use super::raw::{Raw, RawKind, Test, parameter, query_in, read, span_of};
use super::types::{self, TypeId};
use super::unknown::is_condition;
use crate::replay::syntax::tree::{is_query, seen, string, text};

impl Analyzer<'_> {
    /// Returns the expression of a node.
    pub(super) fn value(&mut self, node: &SyntaxNode) -> Result<Expr> {
        let raw = read(node)?;
        self.raw(&raw)
    }

    pub(super) fn raw(&mut self, raw: &Raw) -> Result<Expr> {
        self.enter(&raw.span)?;
        let value = self.raw_inner(raw);
        self.leave();
        if let Ok(value) = &value {
            self.check_collations(value)?;
        }
        if !is_condition(raw) {
            return value;
        }
        let value = self.tolerate(value)?;
        // Whatever the operands of a condition are, its type is known.
        let unknown = || Expr::new(types::BOOL, Kind::Other(Vec::new()), raw.span.clone());
        Ok(value.unwrap_or_else(unknown))
    }

    pub(super) fn raw_inner(&mut self, raw: &Raw) -> Result<Expr> {
        let span = raw.span.clone();
        match &raw.kind {
            RawKind::Leaf(node) => self.leaf(node),
            RawKind::Operator {
                name,
                left: None,
                right,
            } => {
                let is_number = is_number_literal(right);
                let right = self.raw(right)?;
                // In PostgreSQL's grammar a number with a sign is a literal.
                if name == "-"
                    && is_number
                    && let Kind::Const(Some(digits)) = &right.kind
                {
                    let digits = format!("-{digits}");
                    return Ok(Expr::new(number(&digits), Kind::Const(Some(digits)), span));
                }
                self.operate(name, vec![right], span)
            }
            RawKind::Operator {
                name,
                left: Some(left),
                right,
            } => self.binary(name, left, right, span),
            RawKind::And(left, right) | RawKind::Or(left, right) => {
                let is_and = matches!(raw.kind, RawKind::And(..));
                let word = if is_and { "AND" } else { "OR" };
                let left = self.raw(left)?;
                let left = self.boolean(left, word)?;
                let right = self.raw(right)?;
                let right = self.boolean(right, word)?;
                let both = vec![left, right];
                let kind = if is_and {
                    Kind::And(both)
                } else {
                    Kind::Or(both)
                };
                Ok(Expr::new(types::BOOL, kind, span))
            }
            RawKind::Not(value) => {
                let value = self.raw(value)?;
                let value = self.boolean(value, "NOT")?;
                Ok(Expr::new(types::BOOL, Kind::Not(Box::new(value)), span))
            }
            RawKind::IsNull { value, not } => {
                let value = Box::new(self.raw(value)?);
                Ok(Expr::new(
                    types::BOOL,
                    Kind::IsNull { value, not: *not },
                    span,
                ))
            }
            RawKind::IsBool { value, truth, not } => {
                let value = self.raw(value)?;
                let word = match (truth, not) {
                    (Truth::True, false) => "IS TRUE",
                    (Truth::True, true) => "IS NOT TRUE",
                    (Truth::False, false) => "IS FALSE",
                    (Truth::False, true) => "IS NOT FALSE",
                    (Truth::Unknown, false) => "IS UNKNOWN",
                    (Truth::Unknown, true) => "IS NOT UNKNOWN",
                };
                let value = Box::new(self.boolean(value, word)?);
                Ok(Expr::new(
                    types::BOOL,
                    Kind::IsBool {
                        value,
                        truth: *truth,
                        not: *not,
                    },
                    span,
                ))
            }
            RawKind::IsOther(value, test) => {
                if *test == Test::Json {
                    self.since(16, "IS JSON", &span)?;
                }
                let mut value = self.raw(value)?;
                if *test == Test::Document {
                    value = self.specific(value, types::XML, "IS DOCUMENT")?;
                } else if value.ty == types::UNKNOWN {
                    value = self.convert(value, types::TEXT)?;
                }
                let call = Call {
                    name: "is".to_owned(),
                    arguments: vec![value],
                    nulls: Nulls::Strict,
                    is_operator: true,
                    returns_set: false,
                    columns: Vec::new(),
                    over: None,
                };
                Ok(Expr::new(types::BOOL, Kind::Call(call), span))
            }
            RawKind::Distinct { left, right, not } => self.distinct(left, right, *not, span),
            RawKind::Between {
                value,
                low,
                high,
                not,
                symmetric,
            } => self.between(value, [low, high], *not, *symmetric, span),
            RawKind::In { value, list, not } => self.in_list(value, list, *not, span),
            RawKind::Like {
                operator,
                value,
                pattern,
                escape,
                similar,
            } => {
                let value = self.raw(value)?;
                let mut pattern = self.raw(pattern)?;
                let escape = escape.as_ref().map(|escape| self.raw(escape)).transpose()?;
                if *similar || escape.is_some() {
                    let function = if *similar {
                        "similar_to_escape"
                    } else {
                        "like_escape"
                    };
                    let mut arguments = vec![pattern];
                    arguments.extend(escape);
                    pattern = self.system_call(function, arguments, span.clone())?;
                }
                self.operate(operator, vec![value, pattern], span)
            }
            RawKind::AnyAll {
                operator,
                value,
                list,
                all,
            } => self.any_all(operator, value, list, *all, span),
            RawKind::AtTimeZone { value, zone } => {
                // PostgreSQL reads the zone first, as the first argument of `timezone`.
                let mut arguments = Vec::new();
                match zone {
                    Some(zone) => arguments.push(self.raw(zone)?),
                    None => self.since(17, "AT LOCAL", &span)?,
                }
                arguments.push(self.raw(value)?);
                self.system_call("timezone", arguments, span)
            }
            RawKind::Overlaps(left, right) => {
                let mut arguments = Vec::new();
                for side in [left, right] {
                    match &side.kind {
                        RawKind::Leaf(node) if node.kind() == K::TUPLE_EXPR => {
                            for value in node.children() {
                                arguments.push(self.value(&value)?);
                            }
                        }
                        _ => arguments.push(self.raw(side)?),
                    }
                }
                self.system_call("overlaps", arguments, span)
            }
        }
    }

    pub(super) fn binary(
        &mut self,
        name: &str,
        left: &Raw,
        right: &Raw,
        span: Span,
    ) -> Result<Expr> {
        if let (Some(left), Some(right)) = (row_of(left), row_of(right)) {
            let left = self.values_of_row(&left)?;
            let right = self.values_of_row(&right)?;
            return self.compare_rows(name, left, right, span);
        }
        if let (Some(_), RawKind::Leaf(right)) = (row_of(left), &right.kind)
            && let Some(query) = query_in(right)
        {
            return self.query_value(&query, Use::Scalar, Some((left, name)), span);
        }
        let left = self.raw(left)?;
        let right = self.raw(right)?;
        self.operate(name, vec![left, right], span)
    }

    /// Returns a call of the built-in function that PostgreSQL's grammar substitutes for a
    /// construct.
    pub(super) fn system_call(
        &mut self,
        name: &str,
        values: Vec<Expr>,
        span: Span,
    ) -> Result<Expr> {
        let given = super::arguments::Arguments {
            values,
            ..Default::default()
        };
        self.call(&["pg_catalog".to_owned(), name.to_owned()], given, span)
    }

    pub(super) fn leaf(&mut self, node: &SyntaxNode) -> Result<Expr> {
        let span = span_of(node);
        match seen(node.kind()) {
            kind if is_query(kind) => self.query_value(node, Use::Scalar, None, span),
            K::LITERAL => self.literal_value(node, span),
            K::NAME_REF => self.name_value(node, span),
            K::FIELD_EXPR => self.field_value(node, span),
            K::PAREN_EXPR => {
                let inner = first(node, &span)?;
                if is_query(inner.kind()) {
                    return self.query_value(&inner, Use::Scalar, None, span);
                }
                let mut value = self.value(&inner)?;
                // A parameter without a type is recognized by its position.
                if value.ty != types::UNKNOWN {
                    value.span = span;
                }
                Ok(value)
            }
            K::CALL_EXPR => self.call_value(node, span),
            K::CAST_EXPR => self.cast_value(node, span),
            K::COLLATE => {
                self.collations += 1;
                let inner = first(node, &span)?;
                let value = self.value(&inner)?;
                let base = self.types.base(value.ty);
                let element = self.types.element(base).unwrap_or(base);
                if value.ty != types::UNKNOWN
                    && self.types.category(element) != 'S'
                    && !self.is_opaque(element)
                {
                    let words = self.types.words(value.ty);
                    let message = format!("collations are not supported by type {words}");
                    return Err(Fault::error("42804", span, message));
                }
                // Two different texts may be equal under the collation. So the result is not
                // treated as the column itself.
                let ty = value.ty;
                let call = Call {
                    name: "collate".to_owned(),
                    arguments: vec![value],
                    nulls: Nulls::Strict,
                    is_operator: true,
                    returns_set: false,
                    columns: Vec::new(),
                    over: None,
                };
                let mut value = Expr::new(ty, Kind::Call(call), span);
                value.form = self.form_of_collate(node, &value);
                Ok(value)
            }
            K::CASE_EXPR => self.case_value(node, span),
            K::ARRAY_EXPR => self.array_value(node, span, None),
            K::TUPLE_EXPR => {
                let values = self.values_of_row(node)?;
                let mut fields = Vec::new();
                for value in values {
                    fields.push(value);
                }
                Ok(Expr::new(types::RECORD, Kind::RowOf(fields), span))
            }
            K::INDEX_EXPR | K::SLICE_EXPR => self.subscript(node, span),
            _ => Err(Fault::refused(span, "the type of this is not inferred")),
        }
    }

    pub(super) fn literal_value(&mut self, node: &SyntaxNode, span: Span) -> Result<Expr> {
        let written = text(node);
        if let Some(number) = parameter(&written) {
            return self.parameter(number, span);
        }
        let lower = written.to_ascii_lowercase();
        let start = lower.chars().next().unwrap_or(' ');
        let constant = |ty, text: &str| {
            Ok(Expr::new(
                ty,
                Kind::Const(Some(text.to_owned())),
                span.clone(),
            ))
        };
        match lower.as_str() {
            "true" | "false" => constant(types::BOOL, &lower),
            "null" => Ok(Expr::new(types::UNKNOWN, Kind::Const(None), span)),
            "default" => Err(Fault::error(
                "42601",
                span,
                "DEFAULT is not allowed in this context",
            )),
            _ if start.is_ascii_digit() || start == '.' => {
                if lower.contains(['_', 'x', 'o', 'b']) {
                    self.since(16, "this notation of numbers", &span)?;
                }
                constant(number(&lower), &lower)
            }
            _ if lower.starts_with("b'") || lower.starts_with("x'") => {
                constant(types::BIT, &written)
            }
            _ => {
                let value = string(node)
                    .ok_or_else(|| Fault::refused(span.clone(), "this literal is not supported"))?;
                if lower.starts_with("n'") {
                    return constant(types::BPCHAR, &value);
                }
                constant(types::UNKNOWN, &value)
            }
        }
    }
}

/// Returns the type of a number as written.
pub(super) fn number(written: &str) -> TypeId {
    let digits: String = written.chars().filter(|c| *c != '_').collect();
    let parsed = match digits.get(..2) {
        Some("0x") => i128::from_str_radix(&digits[2..], 16),
        Some("0o") => i128::from_str_radix(&digits[2..], 8),
        Some("0b") => i128::from_str_radix(&digits[2..], 2),
        _ => digits.parse(),
    };
    match parsed {
        Ok(value) if i32::try_from(value).is_ok() => types::INT4,
        Ok(value) if i64::try_from(value).is_ok() => types::INT8,
        _ => types::NUMERIC,
    }
}

/// Returns true for a numeric literal, also in parentheses.
fn is_number_literal(raw: &Raw) -> bool {
    let RawKind::Leaf(node) = &raw.kind else {
        return false;
    };
    let node = super::brackets::unwrapped(node);
    node.kind() == K::LITERAL && text(&node).starts_with(|c: char| c.is_ascii_digit() || c == '.')
}

//! The types of expressions.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::infer::from::Scope;
use crate::replay::infer::{Inference, Value, system};
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::data_type;
use crate::replay::syntax::operators::{Piece, flatten, precedence};
use crate::replay::syntax::tree::{child, children, has, is_query, name, path, text, tokens};
use crate::replay::syntax::{clause, type_name};

impl Inference<'_> {
    pub(crate) fn value(&self, node: &SyntaxNode, scope: &Scope) -> Result<Value> {
        use SyntaxKind as K;
        let whole = || Refused::new(node, "the query is not whole");
        let first = || node.children().next().ok_or_else(whole);
        match node.kind() {
            kind if is_query(kind) => self.scalar(node, scope),
            K::LITERAL => literal(node),
            K::NAME_REF => self.name(node, scope),
            K::FIELD_EXPR => self.field(node, scope),
            K::PAREN_EXPR => self.value(&first()?, scope),
            K::CALL_EXPR => self.call(node, scope),
            K::CAST_EXPR => {
                let target = data_type::child_type(self.state, node)?.data_type;
                self.used.borrow_mut().types.insert(target.name.clone());
                let inner = node
                    .children()
                    .find(|part| !type_name::is_type(part.kind()) && part.kind() != K::COLON_COLON);
                // An empty array has the type of its cast, and no elements to infer.
                let inner = inner.filter(|inner| !is_empty_array(inner));
                let inner = inner.map(|inner| self.value(&inner, scope)).transpose()?;
                Ok(Value {
                    collation: self.collation_of(&target, inner.as_slice()),
                    data_type: Some(target),
                })
            }
            K::COLLATE => {
                let value = self.value(&first()?, scope)?;
                Ok(Value {
                    data_type: value.data_type.or_else(|| Some(system("text"))),
                    collation: clause::collation_of(node)
                        .map(|parts| self.state.find_collation(&parts)),
                })
            }
            K::CASE_EXPR => self.case(node, scope),
            K::ARRAY_EXPR => self.array(node, scope),
            K::TUPLE_EXPR => {
                node.children().for_each(|part| self.visit(&part, scope));
                Ok(Value::system("record"))
            }
            K::INDEX_EXPR => {
                let base = first()?;
                let value = self.value(&base, scope)?;
                for part in node.children().skip(1) {
                    self.visit(&part, scope);
                }
                let is_json = value
                    .data_type
                    .as_ref()
                    .is_some_and(|data_type| self.key(data_type) == "jsonb");
                if is_json {
                    return Ok(value);
                }
                if base.kind() == K::INDEX_EXPR {
                    // A second subscript indexes the same array.
                    return Ok(value);
                }
                let element = self
                    .element(&value)
                    .ok_or_else(|| Refused::new(node, "the elements of this are not known"))?;
                Ok(Value {
                    data_type: Some(element),
                    collation: value.collation,
                })
            }
            K::SLICE_EXPR => self.value(&first()?, scope),
            K::BETWEEN_EXPR | K::POSTFIX_EXPR => {
                node.children().for_each(|part| self.visit(&part, scope));
                Ok(Value::system("bool"))
            }
            K::PREFIX_EXPR => self.prefix(node, scope),
            K::BIN_EXPR => {
                let mut pieces = Vec::new();
                flatten(node, &mut pieces);
                let mut position = 0;
                self.climb(node, &pieces, &mut position, 0, scope)
            }
            _ => Err(Refused::new(node, "the type of this is not inferred")),
        }
    }

    pub(crate) fn name(&self, node: &SyntaxNode, scope: &Scope) -> Result<Value> {
        let written = text(node);
        let column = name(node);
        if let Some(found) = scope.column(&column) {
            self.note(found);
            return Ok(found.value.clone());
        }
        if !written.starts_with('"')
            && let Some(found) = keyword_value(&column)
        {
            return Ok(Value::system(found));
        }
        if let Some(source) = scope.source(std::slice::from_ref(&column)) {
            // A whole-row reference depends on the table, but not on its columns.
            return Ok(source.row());
        }
        Err(Refused::new(
            node,
            format!("there is no column {column} in what this reads"),
        )
        .hint("check the spelling, and whether an earlier migration creates it")
        .raises("undefined_column"))
    }

    pub(crate) fn field(&self, node: &SyntaxNode, scope: &Scope) -> Result<Value> {
        let base = node
            .children()
            .next()
            .ok_or_else(|| Refused::new(node, "the query is not whole"))?;
        let is_path = matches!(base.kind(), SyntaxKind::NAME_REF | SyntaxKind::FIELD_EXPR);
        let parts = path(node);
        if has(node, SyntaxKind::STAR) {
            // As an argument, `t.*` is the row.
            return match scope.source(&parts) {
                Some(source) if is_path => Ok(source.row()),
                _ => self.value(&base, scope),
            };
        }
        if is_path && let Some((column, table)) = parts.split_last() {
            if let Some(source) = scope.source(table) {
                let found = source.column(column).ok_or_else(|| {
                    Refused::new(
                        node,
                        format!("there is no column {} in what this reads", parts.join(".")),
                    )
                    .hint("check the spelling, and whether an earlier migration creates it")
                    .raises("undefined_column")
                })?;
                self.note(found);
                return Ok(found.value.clone());
            }
            return Err(Refused::new(
                node,
                format!("there is no table {} in what this reads", table.join(".")),
            )
            .hint("check the spelling, and whether an earlier migration creates it"));
        }
        let value = self.value(&base, scope)?;
        let wanted = parts.last().cloned().unwrap_or_default();
        let fields = self.fields(node, &value)?;
        let found = fields.into_iter().find(|field| field.name == wanted);
        let found = found
            .ok_or_else(|| Refused::new(node, format!("there is no field {wanted} in this")))?;
        self.note(&found);
        Ok(found.value)
    }

    pub(crate) fn case(&self, node: &SyntaxNode, scope: &Scope) -> Result<Value> {
        use SyntaxKind as K;
        let mut values = Vec::new();
        // The ELSE value comes first, as in PostgreSQL. Without ELSE it is NULL.
        let otherwise = child(node, K::ELSE_CLAUSE).and_then(|clause| clause.children().next());
        values.push(match otherwise {
            Some(value) => self.value(&value, scope)?,
            None => Value::open(),
        });
        for part in node.children() {
            match part.kind() {
                K::WHEN_CLAUSE_LIST => {
                    for when in children(&part, K::WHEN_CLAUSE) {
                        let mut parts = when.children();
                        if let Some(condition) = parts.next() {
                            self.visit(&condition, scope);
                        }
                        if let Some(value) = parts.next() {
                            values.push(self.value(&value, scope)?);
                        }
                    }
                }
                K::ELSE_CLAUSE => {}
                _ => self.visit(&part, scope),
            }
        }
        self.common(node, &values)
    }

    fn array(&self, node: &SyntaxNode, scope: &Scope) -> Result<Value> {
        let mut values = Vec::new();
        for part in node.children() {
            if is_query(part.kind()) {
                let element = self.scalar(&part, scope)?;
                return Ok(array_of(element));
            }
            values.push(self.value(&part, scope)?);
        }
        if values.is_empty() {
            return Err(
                Refused::new(node, "the type of an empty array is not known")
                    .hint("cast it, as ARRAY[]::text[]"),
            );
        }
        Ok(array_of(self.common(node, &values)?))
    }

    fn prefix(&self, node: &SyntaxNode, scope: &Scope) -> Result<Value> {
        let operand = node
            .children()
            .last()
            .ok_or_else(|| Refused::new(node, "the query is not whole"))?;
        let start = operand.text_range().start();
        let operator: String = tokens(node)
            .take_while(|token| token.text_range().start() < start)
            .map(|token| token.text().to_owned())
            .collect();
        if operator.eq_ignore_ascii_case("not") {
            self.visit(&operand, scope);
            return Ok(Value::system("bool"));
        }
        let value = self.value(&operand, scope)?;
        self.operator(node, &operator, &[value])
    }

    /// Infers binary operators by their precedence (manual, 4.1.6). The nesting of the tree is not
    /// used.
    pub(crate) fn climb(
        &self,
        node: &SyntaxNode,
        pieces: &[Piece],
        position: &mut usize,
        least: u8,
        scope: &Scope,
    ) -> Result<Value> {
        let whole = || Refused::new(node, "the query is not whole");
        let Some(Piece::Operand(operand)) = pieces.get(*position) else {
            return Err(whole());
        };
        *position += 1;
        let mut left = match pieces.get(*position) {
            Some(Piece::Operator(operator)) if is_boolean(operator) => {
                // The operands of a comparison may have an unknown type.
                self.value(operand, scope).unwrap_or_else(|_| {
                    self.visit(operand, scope);
                    Value::open()
                })
            }
            _ => self.value(operand, scope)?,
        };
        while let Some(Piece::Operator(operator)) = pieces.get(*position) {
            let precedence = precedence(operator);
            if precedence < least {
                break;
            }
            *position += 1;
            let start = *position;
            let right = self.climb(node, pieces, position, precedence + 1, scope);
            if is_boolean(operator) {
                if right.is_err() {
                    // The objects that the operand uses are recorded, and the operands after it are
                    // skipped.
                    *position = (*position).max(start + 1);
                    if let Some(Piece::Operand(operand)) = pieces.get(start) {
                        self.visit(operand, scope);
                    }
                }
                left = Value::system("bool");
                continue;
            }
            let right = right?;
            left = match operator.as_str() {
                "at time zone" | "at local" => self.at_time_zone(node, &left)?,
                _ => self.operator(node, operator, &[left, right])?,
            };
        }
        Ok(left)
    }

    fn at_time_zone(&self, node: &SyntaxNode, value: &Value) -> Result<Value> {
        let key = value
            .data_type
            .as_ref()
            .map(|data_type| self.base_key(&self.key(data_type)));
        match key.as_deref() {
            Some("timestamptz") => Ok(Value::system("timestamp")),
            Some("timestamp" | "date") => Ok(Value::system("timestamptz")),
            Some("time" | "timetz") => Ok(Value::system("timetz")),
            None => Ok(Value::system("timestamp")),
            _ => Err(Refused::new(node, "the type of this is not inferred")),
        }
    }
}

/// Returns true for `ARRAY[]`, also in parentheses or in other arrays. None of its elements has a
/// type.
fn is_empty_array(node: &SyntaxNode) -> bool {
    match node.kind() {
        SyntaxKind::ARRAY_EXPR => node.children().all(|part| is_empty_array(&part)),
        SyntaxKind::PAREN_EXPR => node.children().any(|part| is_empty_array(&part)),
        _ => false,
    }
}

fn array_of(mut element: Value) -> Value {
    if let Some(data_type) = &mut element.data_type {
        data_type.dimensions = 1;
    }
    element
}

/// Returns true for an operator whose result is always boolean.
fn is_boolean(operator: &str) -> bool {
    precedence(operator) < 7
}

fn literal(node: &SyntaxNode) -> Result<Value> {
    let written = text(node);
    let lower = written.to_ascii_lowercase();
    let first = lower.chars().next().unwrap_or(' ');
    let name = match lower.as_str() {
        "true" | "false" => "bool",
        "null" => return Ok(Value::open()),
        _ if first.is_ascii_digit() || first == '.' => number(&lower),
        _ if lower.starts_with("b'") || lower.starts_with("x'") => "bit",
        _ if lower.starts_with("n'") => "bpchar",
        _ if first == '$' && lower.chars().nth(1).is_some_and(|c| c.is_ascii_digit()) => {
            return Err(Refused::new(node, "a parameter has no type here"));
        }
        _ => return Ok(Value::open()),
    };
    Ok(Value::system(name))
}

/// Returns the type of a number as written.
fn number(written: &str) -> &'static str {
    let digits: String = written.chars().filter(|c| *c != '_').collect();
    let parsed = match digits.get(..2) {
        Some("0x") => i128::from_str_radix(&digits[2..], 16),
        Some("0o") => i128::from_str_radix(&digits[2..], 8),
        Some("0b") => i128::from_str_radix(&digits[2..], 2),
        _ => digits.parse(),
    };
    match parsed {
        Ok(value) if i32::try_from(value).is_ok() => "int4",
        Ok(value) if i64::try_from(value).is_ok() => "int8",
        _ => "numeric",
    }
}

/// Returns the type of a keyword that looks like a column.
fn keyword_value(name: &str) -> Option<&'static str> {
    Some(match name {
        "current_timestamp" => "timestamptz",
        "current_date" => "date",
        "current_time" => "timetz",
        "localtime" => "time",
        "localtimestamp" => "timestamp",
        "current_user" | "session_user" | "user" | "current_role" | "current_catalog"
        | "current_schema" | "system_user" => "name",
        _ => return None,
    })
}

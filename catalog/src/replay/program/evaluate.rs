//! Evaluates expressions whose value is certain: the conditions of PL/pgSQL, and the texts that it
//! executes.
//!
//! A value that depends on data, settings or the server is unknown (`None`), and the caller then
//! refuses. Values are not guessed. A table counts as empty only if no migration can have written
//! to it.

pub(crate) mod call;
pub(crate) mod from;
pub(crate) mod functions;
pub(crate) mod operator;
pub(crate) mod rows;
pub(crate) mod system_objects;
pub(crate) mod system_tables;

use bowline_sql::quote::identifier as quoted;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::Name;
use crate::replay::program::Program;
use crate::replay::program::evaluate::operator::{compare, is_among, operate};
use crate::replay::program::evaluate::rows::Row;
use crate::replay::state;
use crate::replay::syntax::operators::{Piece, flatten, precedence};
use crate::replay::syntax::tree::{self, child, children, has, name, path, string, text, tokens};
use crate::replay::syntax::{SYSTEM, array_text, expression, type_name};

/// A value that is certain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Datum {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Datum>),
    /// A record; a field may be unknown.
    Record(Vec<(String, Option<Datum>)>),
    /// An object of the catalog by its OID. It is written as a name only for `regclass` and similar
    /// types.
    Object {
        name: Name,
        is_named: bool,
    },
}

/// The names that are visible to an expression.
#[derive(Clone, Copy, Default)]
pub(crate) struct Scope<'a> {
    row: Option<&'a Row>,
    /// The rows over which an aggregate is computed.
    group: Option<&'a [Row]>,
    outer: Option<&'a Scope<'a>>,
}

impl Datum {
    /// Returns the text that `format` and `||` produce for a value.
    pub(crate) fn written(&self) -> Option<String> {
        match self {
            Self::Null => Some(String::new()),
            Self::Bool(true) => Some("t".to_owned()),
            Self::Bool(false) => Some("f".to_owned()),
            Self::Int(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::Object {
                name,
                is_named: true,
            } => {
                let written = quoted(&name.name);
                Some(match name.schema.as_str() {
                    state::PUBLIC | SYSTEM => written,
                    schema => format!("{}.{written}", quoted(schema)),
                })
            }
            Self::Object { .. } | Self::List(_) | Self::Record(_) => None,
        }
    }

    pub(crate) fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }
}

impl Program {
    /// Returns the value of a PL/pgSQL expression.
    pub(crate) fn evaluate(&self, node: &SyntaxNode) -> Option<Datum> {
        self.value_of(node, &Scope::default())
    }

    /// Returns the text of an expression, in which unknown parts are replaced by a number.
    pub(crate) fn evaluate_with_unknown_numbers(&self, node: &SyntaxNode) -> Option<Datum> {
        self.open_numbers.set(true);
        let value = self.evaluate(node);
        self.open_numbers.set(false);
        value
    }

    pub(crate) fn value_of(&self, node: &SyntaxNode, scope: &Scope<'_>) -> Option<Datum> {
        use SyntaxKind as K;
        if !self.budget.takes_a_step() {
            return None;
        }
        let first = || node.children().next();
        match node.kind() {
            K::PLPGSQL_EXPR | K::TARGET_LIST | K::PAREN_EXPR => {
                let mut parts = node.children();
                let only = parts.next()?;
                parts.next().is_none().then_some(())?;
                self.value_of(&only, scope)
            }
            K::TARGET | K::ARG => self.value_of(&first()?, scope),
            kind if tree::is_query(kind) => {
                let mut rows = self.rows_of(node, scope)?;
                match rows.len() {
                    0 => Some(Datum::Null),
                    1 => rows.pop()?.into_iter().next()?.1,
                    _ => None,
                }
            }
            K::LITERAL => literal(node),
            K::NAME_REF => self.named(node, scope),
            K::FIELD_EXPR => self.field(node, scope),
            K::CAST_EXPR => {
                let is_type = |kind| type_name::is_type(kind);
                let target = node.children().find(|part| is_type(part.kind()))?;
                let value = node
                    .children()
                    .find(|part| !is_type(part.kind()) && part.kind() != K::COLON_COLON)?;
                self.cast(self.value_of(&value, scope)?, &target)
            }
            K::ARRAY_EXPR => {
                if let Some(query) = node.children().find(|part| tree::is_query(part.kind())) {
                    let rows = self.rows_of(&query, scope)?;
                    let firsts = rows.into_iter().map(|row| row.into_iter().next()?.1);
                    return Some(Datum::List(firsts.collect::<Option<_>>()?));
                }
                let values = node.children().map(|part| self.value_of(&part, scope));
                Some(Datum::List(values.collect::<Option<_>>()?))
            }
            K::TUPLE_EXPR => {
                let values = node.children().map(|part| self.value_of(&part, scope));
                Some(Datum::List(values.collect::<Option<_>>()?))
            }
            K::INDEX_EXPR => {
                let mut parts = node.children();
                let list = self.value_of(&parts.next()?, scope)?;
                let position = self.value_of(&parts.next()?, scope)?;
                match (list, position) {
                    (Datum::List(list), Datum::Int(position)) => {
                        let position = usize::try_from(position.checked_sub(1)?).ok();
                        let found = position.and_then(|position| list.get(position).cloned());
                        Some(found.unwrap_or(Datum::Null))
                    }
                    _ => None,
                }
            }
            K::CASE_EXPR => self.case(node, scope),
            K::COLLATE => self.value_of(&first()?, scope),
            K::PREFIX_EXPR => {
                let value = self.value_of(&node.children().last()?, scope)?;
                let operator = tokens(node).next()?;
                match (operator.kind(), value) {
                    (_, Datum::Null) => Some(Datum::Null),
                    (K::NOT_KW, Datum::Bool(truth)) => Some(Datum::Bool(!truth)),
                    (K::MINUS, Datum::Int(number)) => number.checked_neg().map(Datum::Int),
                    _ => None,
                }
            }
            K::POSTFIX_EXPR => {
                let value = self.value_of(&first()?, scope)?;
                let words: Vec<_> = tokens(node).map(|token| token.kind()).collect();
                let is_null = value == Datum::Null;
                if words.ends_with(&[K::ISNULL_KW]) {
                    Some(Datum::Bool(is_null))
                } else if words.ends_with(&[K::NOTNULL_KW]) {
                    Some(Datum::Bool(!is_null))
                } else {
                    None
                }
            }
            K::BETWEEN_EXPR => {
                let mut parts = node.children();
                let value = self.value_of(&parts.next()?, scope)?;
                let low = self.value_of(&parts.next()?, scope)?;
                let high = self.value_of(&parts.next()?, scope)?;
                let is_within = compare(">=", &value, &low)?.truth()?
                    && compare("<=", &value, &high)?.truth()?;
                Some(Datum::Bool(is_within != has(node, K::NOT_KW)))
            }
            K::BIN_EXPR => {
                let mut pieces = Vec::new();
                flatten(node, &mut pieces);
                self.climb(&pieces, &mut 0, 0, scope)
            }
            K::CALL_EXPR => self.value_of_call(node, scope),
            _ => None,
        }
    }

    fn named(&self, node: &SyntaxNode, scope: &Scope<'_>) -> Option<Datum> {
        let wanted = name(node);
        if let Some(found) = scope.column(&wanted) {
            return found;
        }
        if let Some(found) = self.variable(&wanted) {
            return found;
        }
        if let Some(row) = scope.record(&wanted) {
            return Some(row);
        }
        let schema = || {
            self.state
                .search_path()
                .iter()
                .find(|schema| self.state.schemas().contains(*schema))
        };
        match text(node).to_ascii_lowercase().as_str() {
            "current_schema" => schema().map(|schema| Datum::Text(schema.clone())),
            _ => None,
        }
    }

    pub(crate) fn field(&self, node: &SyntaxNode, scope: &Scope<'_>) -> Option<Datum> {
        let base = node.children().next()?;
        let parts = path(node);
        let wanted = parts.last()?;
        if base.kind() == SyntaxKind::NAME_REF && !has(node, SyntaxKind::STAR) {
            if let Some(found) = scope.column_of(&parts[0], wanted) {
                return found;
            }
            return match self.variable(&parts[0])?? {
                Datum::Record(fields) => fields.into_iter().find(|(name, _)| name == wanted)?.1,
                _ => None,
            };
        }
        None
    }

    pub(crate) fn case(&self, node: &SyntaxNode, scope: &Scope<'_>) -> Option<Datum> {
        use SyntaxKind as K;
        let mut parts = node.children();
        let first = parts.next()?;
        let subject = match first.kind() {
            K::WHEN_CLAUSE_LIST => None,
            _ => Some(self.value_of(&first, scope)?),
        };
        for when in child(node, K::WHEN_CLAUSE_LIST)
            .iter()
            .flat_map(|list| children(list, K::WHEN_CLAUSE))
        {
            let mut parts = when.children();
            let condition = self.value_of(&parts.next()?, scope)?;
            let condition = match &subject {
                Some(subject) => compare("=", subject, &condition)?,
                None => condition,
            };
            if condition == Datum::Bool(true) {
                return self.value_of(&parts.next()?, scope);
            }
        }
        let otherwise = child(node, K::ELSE_CLAUSE).and_then(|clause| clause.children().next());
        otherwise.map_or(Some(Datum::Null), |value| self.value_of(&value, scope))
    }

    pub(crate) fn climb(
        &self,
        pieces: &[Piece],
        position: &mut usize,
        least: u8,
        scope: &Scope<'_>,
    ) -> Option<Datum> {
        let Some(Piece::Operand(operand)) = pieces.get(*position) else {
            return None;
        };
        *position += 1;
        let mut left = self.value_of(operand, scope);
        while let Some(Piece::Operator(operator)) = pieces.get(*position) {
            let precedence = precedence(operator);
            if precedence < least {
                break;
            }
            *position += 1;
            if let Some(Piece::Operand(call)) = pieces.get(*position)
                && let Some(any) = child(call, SyntaxKind::ANY_FN)
            {
                *position += 1;
                left = self.any(operator, left, &any, scope);
                continue;
            }
            let right = self.climb(pieces, position, precedence + 1, scope);
            let is_joined = operator == "||" && self.open_numbers.get();
            let (left_text, right_text) = if is_joined {
                (left.or_else(unknown_number), right.or_else(unknown_number))
            } else {
                (left, right)
            };
            left = operate(operator, left_text, right_text);
        }
        left
    }

    /// Returns the value of `x = ANY (list)`, or of ANY with a subquery.
    pub(crate) fn any(
        &self,
        operator: &str,
        left: Option<Datum>,
        any: &SyntaxNode,
        scope: &Scope<'_>,
    ) -> Option<Datum> {
        match self.value_of(&any.children().next()?, scope)? {
            Datum::List(list) if operator == "=" => is_among(&left?, &list),
            _ => None,
        }
    }

    pub(crate) fn cast(&self, value: Datum, target: &SyntaxNode) -> Option<Datum> {
        if value == Datum::Null {
            return Some(value);
        }
        if matches!(value, Datum::List(_)) {
            return Some(value);
        }
        let is_list = has(target, SyntaxKind::ARRAY_BOUND)
            || tokens(target).any(|token| token.kind() == SyntaxKind::L_BRACK);
        self.converted(value, &type_name::stored_name(target), is_list)
    }

    /// Returns a value converted to a type.
    pub(crate) fn converted(&self, value: Datum, target: &str, is_list: bool) -> Option<Datum> {
        match (target, value) {
            (_, Datum::Text(text)) if is_list => {
                let elements = array_text::elements(&text)?.into_iter();
                let elements = elements.map(|element| match element {
                    Some(element) => self.converted(Datum::Text(element), target, false),
                    None => Some(Datum::Null),
                });
                Some(Datum::List(elements.collect::<Option<_>>()?))
            }
            (_, Datum::Null) => Some(Datum::Null),
            (_, Datum::List(list)) => Some(Datum::List(list)),
            ("text" | "varchar" | "name" | "bpchar", Datum::Bool(truth)) => {
                Some(Datum::Text(truth.to_string()))
            }
            ("text" | "varchar" | "name", value) => {
                let written = value.written()?;
                Some(Datum::Text(match target {
                    "name" => tree::truncate(&written).to_owned(),
                    _ => written,
                }))
            }
            ("int2" | "int4" | "int8" | "numeric", Datum::Text(text)) => {
                text.trim().parse().ok().map(Datum::Int)
            }
            ("int2" | "int4" | "int8" | "numeric", Datum::Int(number)) => Some(Datum::Int(number)),
            ("bool", Datum::Text(text)) => match text.trim().to_ascii_lowercase().as_str() {
                "t" | "true" | "y" | "yes" | "on" | "1" => Some(Datum::Bool(true)),
                "f" | "false" | "n" | "no" | "off" | "0" => Some(Datum::Bool(false)),
                _ => None,
            },
            ("bool", Datum::Bool(truth)) => Some(Datum::Bool(truth)),
            ("regclass", Datum::Text(text)) => {
                let name = self.state.find_relation(&expression::words(&text))?;
                Some(Datum::Object {
                    name,
                    is_named: true,
                })
            }
            ("regnamespace", Datum::Text(text)) => {
                let schema = expression::words(&text).pop()?;
                self.state
                    .schemas()
                    .contains(&schema)
                    .then(|| namespace(&schema))
            }
            ("regtype", Datum::Text(text)) => {
                let name = self.state.find_own_type(&expression::words(&text))?;
                Some(Datum::Object {
                    name,
                    is_named: true,
                })
            }
            ("regclass" | "regtype", Datum::Object { name, .. }) => Some(Datum::Object {
                name,
                is_named: true,
            }),
            ("oid", Datum::Object { name, .. }) => Some(Datum::Object {
                name,
                is_named: false,
            }),
            // For a domain or an unsupported type, only a record remains unchanged.
            ("record", value @ Datum::Record(_)) => Some(value),
            _ => None,
        }
    }
}

/// A number that replaces an unknown one, if only its type matters.
pub(crate) const UNKNOWN_NUMBER: i64 = 1_087_654_321;

#[expect(
    clippy::unnecessary_wraps,
    reason = "it has the type of the functions that it replaces"
)]
pub(crate) fn unknown_number() -> Option<Datum> {
    Some(Datum::Int(UNKNOWN_NUMBER))
}

/// Returns a schema by its OID.
pub(crate) fn namespace(schema: &str) -> Datum {
    Datum::Object {
        name: Name {
            schema: "pg_namespace".to_owned(),
            name: schema.to_owned(),
        },
        is_named: false,
    }
}

fn literal(node: &SyntaxNode) -> Option<Datum> {
    if let Some(text) = string(node) {
        return Some(Datum::Text(text));
    }
    match text(node).to_ascii_lowercase().as_str() {
        "null" => Some(Datum::Null),
        "true" => Some(Datum::Bool(true)),
        "false" => Some(Datum::Bool(false)),
        digits => digits.parse().ok().map(Datum::Int),
    }
}

//! Expressions as PostgreSQL's grammar nests them (gram.y, manual 4.1.6).
//!
//! The syntax tree gives the operands and operators in their order. Their nesting follows from the
//! precedences here.

mod pieces;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::expr::{Span, Truth};
use super::fault::Fault;
use crate::replay::syntax::tree::{begins_with_between, has, is_query, is_trivia, seen, tokens};
use pieces::{Piece, flatten, is_operator};

/// An expression before its names are resolved.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    pub(super) kind: RawKind,
    pub(super) span: Span,
}

/// `IS DOCUMENT`, `IS JSON`, `IS NORMALIZED`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    Document,
    Json,
    Normalized,
}

#[derive(Debug, Clone)]
pub(super) enum RawKind {
    /// An operand: a name, a literal, a call, an expression in parentheses.
    Leaf(SyntaxNode),
    Operator {
        name: String,
        left: Option<Box<Raw>>,
        right: Box<Raw>,
    },
    And(Box<Raw>, Box<Raw>),
    Or(Box<Raw>, Box<Raw>),
    Not(Box<Raw>),
    IsNull {
        value: Box<Raw>,
        not: bool,
    },
    IsBool {
        value: Box<Raw>,
        truth: Truth,
        not: bool,
    },
    IsOther(Box<Raw>, Test),
    Distinct {
        left: Box<Raw>,
        right: Box<Raw>,
        not: bool,
    },
    Between {
        value: Box<Raw>,
        low: Box<Raw>,
        high: Box<Raw>,
        not: bool,
        symmetric: bool,
    },
    In {
        value: Box<Raw>,
        list: SyntaxNode,
        not: bool,
    },
    Like {
        operator: &'static str,
        value: Box<Raw>,
        pattern: Box<Raw>,
        escape: Option<Box<Raw>>,
        similar: bool,
    },
    /// `op ANY (..)` and `op ALL (..)`.
    AnyAll {
        operator: String,
        value: Box<Raw>,
        list: SyntaxNode,
        all: bool,
    },
    AtTimeZone {
        value: Box<Raw>,
        zone: Option<Box<Raw>>,
    },
    Overlaps(Box<Raw>, Box<Raw>),
}

/// Returns the position of a node, without the white space and comments around it.
pub(super) fn span_of(node: &SyntaxNode) -> Span {
    let range = node.text_range();
    let mut first = node.first_token();
    while let Some(token) = first.as_ref().filter(|token| is_trivia(token.kind())) {
        first = token.next_token();
    }
    let mut last = node.last_token();
    while let Some(token) = last.as_ref().filter(|token| is_trivia(token.kind())) {
        last = token.prev_token();
    }
    let start = first.map_or(range.start(), |token| token.text_range().start());
    let end = last.map_or(range.end(), |token| token.text_range().end());
    let (start, end) = (start.into(), end.into());
    if start <= end {
        start..end
    } else {
        range.start().into()..range.end().into()
    }
}

/// Returns the expression of a node.
pub(super) fn read(node: &SyntaxNode) -> Result<Raw, Fault> {
    let mut pieces = Vec::new();
    flatten(node, &mut pieces);
    // The parser makes a BETWEEN after a cast a sibling of the cast.
    let mut next = node.next_sibling();
    while let Some(rest) = next.filter(begins_with_between) {
        flatten(&rest, &mut pieces);
        next = rest.next_sibling();
    }
    let mut reader = Reader {
        pieces,
        at: 0,
        span: span_of(node),
    };
    let expression = reader.expression(0)?;
    if reader.at < reader.pieces.len() {
        return Err(reader.unread());
    }
    Ok(expression)
}

struct Reader {
    pieces: Vec<Piece>,
    at: usize,
    span: Span,
}

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const IS: u8 = 4;
const COMPARE: u8 = 5;
const LIKE: u8 = 6;
const OTHER: u8 = 7;
const PLUS: u8 = 8;
const TIMES: u8 = 9;
const POWER: u8 = 10;
const AT: u8 = 11;
const SIGN: u8 = 13;

fn precedence(sign: &str) -> u8 {
    match sign {
        "or" => OR,
        "and" => AND,
        "isnull" | "notnull" => IS,
        _ if sign == "is" || sign.starts_with("is ") => IS,
        "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=" => COMPARE,
        "between" | "in" | "like" | "ilike" | "similar to" | "not in" | "not like"
        | "not ilike" | "not similar to" | "not" | "overlaps" => LIKE,
        "+" | "-" => PLUS,
        "*" | "/" | "%" => TIMES,
        "^" => POWER,
        "at time zone" | "at local" => AT,
        _ => OTHER,
    }
}

impl Reader {
    fn unread(&self) -> Fault {
        Fault::refused(self.span.clone(), "this expression is not supported")
    }

    fn sign(&self) -> Option<&str> {
        match self.pieces.get(self.at) {
            Some(Piece::Sign(sign, _)) => Some(sign),
            _ => None,
        }
    }

    fn operand(&mut self) -> Result<SyntaxNode, Fault> {
        match self.pieces.get(self.at) {
            Some(Piece::Operand(node)) => {
                let node = node.clone();
                self.at += 1;
                Ok(node)
            }
            _ => Err(self.unread()),
        }
    }

    fn prefix(&mut self) -> Result<Raw, Fault> {
        let Some(Piece::Sign(sign, span)) = self.pieces.get(self.at) else {
            let node = self.operand()?;
            let span = span_of(&node);
            return Ok(Raw {
                kind: RawKind::Leaf(node),
                span,
            });
        };
        let (sign, start) = (sign.clone(), span.start);
        self.at += 1;
        let least = match sign.as_str() {
            "not" => NOT,
            "+" | "-" => SIGN,
            _ => OTHER + 1,
        };
        let right = self.expression(least)?;
        let span = start..right.span.end;
        let right = Box::new(right);
        let kind = match sign.as_str() {
            "not" => RawKind::Not(right),
            _ => {
                let name = sign.strip_prefix("operator ").unwrap_or(&sign).to_owned();
                RawKind::Operator {
                    name,
                    left: None,
                    right,
                }
            }
        };
        Ok(Raw { kind, span })
    }

    fn expression(&mut self, least: u8) -> Result<Raw, Fault> {
        let mut left = self.prefix()?;
        // The precedence of the operator before, if it ends with an operand and does not associate.
        let mut not_associative = None;
        while let Some(Piece::Sign(sign, span)) = self.pieces.get(self.at) {
            // The `and` of a BETWEEN and the `escape` of a LIKE are read with their operators.
            let (sign, span) = (sign.to_owned(), span.clone());
            let precedence = precedence(&sign);
            if sign == "escape" || precedence < least {
                break;
            }
            if not_associative == Some(precedence) {
                let word = sign.split(' ').next().unwrap_or_default();
                let message = format!("syntax error at or near \"{word}\"");
                return Err(Fault::error("42601", span, message).hint("write parentheses"));
            }
            self.at += 1;
            left = self.infix(left, &sign, precedence)?;
            let ends_with_operand = matches!(
                left.kind,
                RawKind::Operator { .. }
                    | RawKind::Distinct { .. }
                    | RawKind::Between { .. }
                    | RawKind::Like { .. }
            );
            not_associative = (ends_with_operand && matches!(precedence, IS | COMPARE | LIKE))
                .then_some(precedence);
        }
        Ok(left)
    }

    fn infix(&mut self, left: Raw, sign: &str, precedence: u8) -> Result<Raw, Fault> {
        let start = left.span.start;
        let value = Box::new(left);
        let kind = match sign {
            "isnull" => RawKind::IsNull { value, not: false },
            "notnull" => RawKind::IsNull { value, not: true },
            "is distinct from" | "is not distinct from" => RawKind::Distinct {
                left: value,
                right: Box::new(self.expression(IS + 1)?),
                not: sign.contains("not"),
            },
            "is" | "is not" => self.is(value, sign == "is not")?,
            _ if sign.starts_with("is ") => {
                let is_json = sign.contains("json");
                let test = if is_json {
                    Test::Json
                } else {
                    Test::Normalized
                };
                RawKind::IsOther(value, test)
            }
            "and" => RawKind::And(value, Box::new(self.expression(AND + 1)?)),
            "or" => RawKind::Or(value, Box::new(self.expression(OR + 1)?)),
            "overlaps" => RawKind::Overlaps(value, Box::new(self.expression(LIKE + 1)?)),
            "not" if self.sign() == Some("between") => {
                self.at += 1;
                self.between(value, true)?
            }
            "between" => self.between(value, false)?,
            "in" | "not in" => RawKind::In {
                value,
                list: self.operand()?,
                not: sign == "not in",
            },
            "like" => self.like(value, "~~", false)?,
            "not like" => self.like(value, "!~~", false)?,
            "ilike" => self.like(value, "~~*", false)?,
            "not ilike" => self.like(value, "!~~*", false)?,
            "similar to" => self.like(value, "~", true)?,
            "not similar to" => self.like(value, "!~", true)?,
            "at local" => RawKind::AtTimeZone { value, zone: None },
            "at time zone" => RawKind::AtTimeZone {
                value,
                zone: Some(Box::new(self.expression(AT + 1)?)),
            },
            _ => self.operator(value, sign, precedence)?,
        };
        let end = self.end_before().max(start);
        Ok(Raw {
            kind,
            span: start..end,
        })
    }

    /// Returns the end position of the last piece that was read.
    fn end_before(&self) -> usize {
        match self.at.checked_sub(1).and_then(|at| self.pieces.get(at)) {
            Some(Piece::Operand(node)) => span_of(node).end,
            Some(Piece::Sign(_, span)) => span.end,
            None => self.span.end,
        }
    }

    fn operator(&mut self, left: Box<Raw>, sign: &str, precedence: u8) -> Result<RawKind, Fault> {
        let name = sign.strip_prefix("operator ").unwrap_or(sign);
        let name = if name == "!=" { "<>" } else { name }.to_owned();
        if let Some(Piece::Operand(node)) = self.pieces.get(self.at)
            && node.kind() == SyntaxKind::CALL_EXPR
            && let Some(list) = node.children().next()
        {
            let all = match seen(list.kind()) {
                SyntaxKind::ANY_FN | SyntaxKind::SOME_FN => Some(false),
                SyntaxKind::ALL_FN => Some(true),
                _ => None,
            };
            if let Some(all) = all {
                self.at += 1;
                return Ok(RawKind::AnyAll {
                    operator: name,
                    value: left,
                    list,
                    all,
                });
            }
        }
        let right = Box::new(self.expression(precedence + 1)?);
        Ok(RawKind::Operator {
            name,
            left: Some(left),
            right,
        })
    }

    fn is(&mut self, value: Box<Raw>, not: bool) -> Result<RawKind, Fault> {
        let word = self.operand()?;
        let words: Vec<String> = tokens(&word)
            .map(|token| token.text().to_ascii_lowercase())
            .collect();
        Ok(match words.join(" ").as_str() {
            "null" => RawKind::IsNull { value, not },
            "true" => RawKind::IsBool {
                value,
                truth: Truth::True,
                not,
            },
            "false" => RawKind::IsBool {
                value,
                truth: Truth::False,
                not,
            },
            "unknown" => RawKind::IsBool {
                value,
                truth: Truth::Unknown,
                not,
            },
            "document" => RawKind::IsOther(value, Test::Document),
            _ => return Err(self.unread()),
        })
    }

    fn between(&mut self, value: Box<Raw>, not: bool) -> Result<RawKind, Fault> {
        let symmetric = matches!(self.sign(), Some("symmetric"));
        if symmetric || self.sign() == Some("asymmetric") {
            self.at += 1;
        }
        let low = Box::new(self.expression(OTHER)?);
        if self.sign() != Some("and") {
            return Err(self.unread());
        }
        self.at += 1;
        let high = Box::new(self.expression(OTHER)?);
        Ok(RawKind::Between {
            value,
            low,
            high,
            not,
            symmetric,
        })
    }

    fn like(
        &mut self,
        value: Box<Raw>,
        operator: &'static str,
        similar: bool,
    ) -> Result<RawKind, Fault> {
        if let Some(Piece::Operand(node)) = self.pieces.get(self.at)
            && node.kind() == SyntaxKind::CALL_EXPR
            && let Some(list) = node.children().next()
            && !similar
            && matches!(
                list.kind(),
                SyntaxKind::ANY_FN | SyntaxKind::SOME_FN | SyntaxKind::ALL_FN
            )
        {
            self.at += 1;
            let all = list.kind() == SyntaxKind::ALL_FN;
            return Ok(RawKind::AnyAll {
                operator: operator.to_owned(),
                value,
                list,
                all,
            });
        }
        let pattern = Box::new(self.expression(LIKE + 1)?);
        let mut escape = None;
        if self.sign() == Some("escape") {
            self.at += 1;
            escape = Some(Box::new(self.expression(LIKE + 1)?));
        }
        Ok(RawKind::Like {
            operator,
            value,
            pattern,
            escape,
            similar,
        })
    }
}

/// Returns the first error of PostgreSQL's grammar in the expressions of a statement. PostgreSQL
/// reports it before all other errors.
pub(super) fn syntax_error(statement: &SyntaxNode) -> Option<Fault> {
    let operators = statement
        .descendants()
        .filter(|node| is_operator(node.kind()));
    let mut outer =
        operators.filter(|node| !node.parent().is_some_and(|it| is_operator(it.kind())));
    outer.find_map(|node| {
        read(&node)
            .err()
            .filter(|fault| fault.code == Some("42601"))
    })
}

/// Returns the only query in brackets, as in `IN (SELECT ..)`.
pub(super) fn query_in(node: &SyntaxNode) -> Option<SyntaxNode> {
    if is_query(node.kind()) {
        return Some(node.clone());
    }
    let is_bracket = node.kind() == SyntaxKind::PAREN_EXPR
        || matches!(
            node.kind(),
            SyntaxKind::ANY_FN | SyntaxKind::SOME_FN | SyntaxKind::ALL_FN
        );
    let inner = node.children().next()?;
    (is_bracket && !has(node, SyntaxKind::COMMA))
        .then(|| query_in(&inner))
        .flatten()
}

/// Fails for an operand that is too loose for a place where IN follows (`b_expr` of gram.y).
pub(super) fn restricted(node: &SyntaxNode) -> Result<(), Fault> {
    let is_loose = match read(node)?.kind {
        RawKind::Leaf(node) => seen(node.kind()) == SyntaxKind::COLLATE,
        RawKind::And(..)
        | RawKind::Or(..)
        | RawKind::Not(..)
        | RawKind::IsNull { .. }
        | RawKind::IsBool { .. }
        | RawKind::Between { .. }
        | RawKind::In { .. }
        | RawKind::Like { .. }
        | RawKind::AtTimeZone { .. } => true,
        _ => false,
    };
    match is_loose {
        false => Ok(()),
        true => Err(
            Fault::error("42601", span_of(node), "syntax error in this operand")
                .hint("write parentheses around it"),
        ),
    }
}

/// Returns the number of a parameter, counted from 1.
pub(super) fn parameter(text: &str) -> Option<usize> {
    text.strip_prefix('$')?.parse().ok()
}

//! The tree of an expression. Equivalent spellings of PostgreSQL have the same tree.

use super::lexer::{Token, lex};
use super::value::number;

/// A tree of words, literals and lists. The first item of a list is its operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Word(String),
    /// A column in quotes whose name is a reserved word: `"user"` is not `user`.
    Column(String),
    Text(String),
    Number(String),
    /// The name of a function with its schema. PostgreSQL's own functions have no schema here.
    Function {
        schema: String,
        name: String,
    },
    List(Vec<Node>),
}

/// Limits of the nesting and of the number of tokens. They bound the recursion of the parser, and
/// of the functions that visit the tree. No expression written by hand reaches them.
const MAX_DEPTH: usize = 100;
const MAX_TOKENS: usize = 4_096;

/// Parses an expression. Returns `None` if the text has another form, or exceeds a limit.
pub(super) fn parse(text: &str) -> Option<Node> {
    let tokens = lex(text).filter(|tokens| tokens.len() <= MAX_TOKENS)?;
    let mut parser = Parser {
        tokens,
        position: 0,
        depth: 0,
    };
    let node = parser.expression(0)?;
    (parser.position == parser.tokens.len()).then_some(node)
}

/// A parser of expressions, by precedence climbing.
pub(super) struct Parser {
    tokens: Vec<Token>,
    pub(super) position: usize,
    pub(super) depth: usize,
}

/// The precedence of operators (manual, 4.1.6).
pub(super) mod precedence {
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const NOT: u8 = 3;
    pub(super) const IS: u8 = 4;
    pub(super) const COMPARISON: u8 = 5;
    pub(in super::super) const LIKE: u8 = 6;
    pub(super) const OTHER: u8 = 7;
    pub(super) const SUM: u8 = 8;
    pub(super) const PRODUCT: u8 = 9;
    pub(super) const POWER: u8 = 10;
    pub(super) const TIME_ZONE: u8 = 11;
    pub(super) const COLLATE: u8 = 12;
    pub(super) const SIGN: u8 = 13;
}

/// Returns a word as a node.
pub(super) fn word(text: &str) -> Node {
    Node::Word(text.to_owned())
}

/// Returns a list: an operator and its operands. A chain of AND or OR becomes one list.
pub(super) fn list(operator: &str, nodes: impl IntoIterator<Item = Node>) -> Node {
    let mut items = vec![word(operator)];
    for node in nodes {
        match node {
            Node::List(inner)
                if matches!(operator, "and" | "or") && inner.first() == Some(&word(operator)) =>
            {
                items.extend(inner.into_iter().skip(1));
            }
            other => items.push(other),
        }
    }
    Node::List(items)
}

impl Parser {
    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.position)
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.position).cloned();
        self.position += 1;
        token
    }

    /// Consumes the next token if it is this one. Returns true if it was.
    pub(super) fn eat(&mut self, token: &Token) -> bool {
        let is_next = self.peek() == Some(token);
        self.position += usize::from(is_next);
        is_next
    }

    pub(super) fn eat_word(&mut self, text: &str) -> bool {
        self.eat(&Token::Word(text.to_owned()))
    }

    pub(super) fn is_word(&self, text: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found == text)
    }

    /// Parses an expression up to an operator whose precedence is at most `minimum`.
    pub(super) fn expression(&mut self, minimum: u8) -> Option<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut left = self.prefix()?;
        while let Some((token, operator, level)) = self.infix_operator(minimum) {
            left = self.infix(left, &token, &operator, level)?;
        }
        self.depth -= 1;
        Some(left)
    }

    /// Parses an operand with the operators before it.
    fn prefix(&mut self) -> Option<Node> {
        match self.peek()? {
            Token::Word(found) if found == "not" => {
                self.position += 1;
                let inner = self.expression(precedence::NOT)?;
                Some(list("not", [inner]))
            }
            Token::Operator(sign) if sign == "-" || sign == "+" => {
                let sign = sign.clone();
                self.position += 1;
                let inner = self.expression(precedence::SIGN)?;
                Some(match inner {
                    inner if sign == "+" => inner,
                    Node::Number(digits) => Node::Number(number(&format!("-{digits}"))),
                    inner => list("-", [inner]),
                })
            }
            Token::Operator(operator) => {
                let operator = operator.clone();
                self.position += 1;
                let inner = self.expression(precedence::OTHER)?;
                Some(list(&operator, [inner]))
            }
            _ => {
                let primary = self.primary()?;
                self.postfix(primary)
            }
        }
    }

    /// Consumes the operator after an operand, and returns it with its precedence. Returns `None`
    /// if there is no operator, or one whose precedence is at most `minimum`.
    fn infix_operator(&mut self, minimum: u8) -> Option<(Token, String, u8)> {
        let token = self.peek()?.clone();
        let (level, operator) = match &token {
            Token::Operator(operator) => {
                let level = match operator.as_str() {
                    "=" | "<" | ">" | "<=" | ">=" | "<>" => precedence::COMPARISON,
                    "+" | "-" => precedence::SUM,
                    "*" | "/" | "%" => precedence::PRODUCT,
                    "^" => precedence::POWER,
                    _ => precedence::OTHER,
                };
                (level, operator.clone())
            }
            Token::Word(found) => {
                let level = match found.as_str() {
                    "or" => precedence::OR,
                    "and" => precedence::AND,
                    "is" | "isnull" | "notnull" => precedence::IS,
                    "between" | "in" | "like" | "ilike" | "similar" => precedence::LIKE,
                    "not" => precedence::LIKE,
                    "operator" => precedence::OTHER,
                    "at" => precedence::TIME_ZONE,
                    "collate" => precedence::COLLATE,
                    _ => return None,
                };
                (level, found.clone())
            }
            _ => return None,
        };
        if level <= minimum {
            return None;
        }
        self.position += 1;
        Some((token, operator, level))
    }

    /// Parses what follows an operator, of symbols or of keywords.
    fn infix(&mut self, left: Node, token: &Token, operator: &str, level: u8) -> Option<Node> {
        if matches!(token, Token::Operator(_)) {
            return self.operator(left, operator, level);
        }
        match operator {
            "isnull" => Some(list("is", [left, word("null")])),
            "notnull" => Some(list("is not", [left, word("null")])),
            "is" => self.is_test(left),
            "at" => {
                if !(self.eat_word("time") && self.eat_word("zone")) {
                    return None;
                }
                let zone = self.expression(level)?;
                Some(list("timezone", [zone, left]))
            }
            "collate" => {
                let mut name = self.next()?.text();
                while self.eat(&Token::Dot) {
                    name = self.next()?.text();
                }
                Some(list("collate", [left, Node::Word(name)]))
            }
            "operator" => {
                self.eat(&Token::Open).then_some(())?;
                let mut name = self.next()?;
                while !matches!(name, Token::Operator(_)) {
                    name = self.next()?;
                }
                self.eat(&Token::Close).then_some(())?;
                self.operator(left, &name.text(), level)
            }
            "or" | "and" => {
                let right = self.expression(level)?;
                Some(list(operator, [left, right]))
            }
            "not" => {
                let Token::Word(found) = self.next()? else {
                    return None;
                };
                self.range_or_pattern(left, &found, true)
            }
            found => self.range_or_pattern(left, found, false),
        }
    }

    /// Parses the right side of an operator of symbols, which may be `ANY (..)` or `ALL (..)`.
    fn operator(&mut self, left: Node, operator: &str, level: u8) -> Option<Node> {
        for quantifier in ["any", "some", "all"] {
            if self.is_word(quantifier) && self.tokens.get(self.position + 1) == Some(&Token::Open)
            {
                self.position += 2;
                let array = self.expression(0)?;
                self.eat(&Token::Close).then_some(())?;
                let quantifier = if quantifier == "all" { "all" } else { "any" };
                return Some(list(quantifier, [word(operator), left, array]));
            }
        }
        let right = self.expression(level)?;
        let row = |node: &Node| match node {
            Node::List(items) if items.first() == Some(&word("row")) => Some(items[1..].to_vec()),
            _ => None,
        };
        // Rows are compared column by column.
        if let ("=" | "<>", Some(left), Some(right)) = (operator, row(&left), row(&right)) {
            let pairs = left.into_iter().zip(right);
            let pairs = pairs.map(|(left, right)| list(operator, [left, right]));
            return Some(list(if operator == "=" { "and" } else { "or" }, pairs));
        }
        Some(list(operator, [left, right]))
    }

    /// Parses the rest of IS NULL, IS DISTINCT FROM and similar tests.
    fn is_test(&mut self, left: Node) -> Option<Node> {
        let negated = self.eat_word("not");
        if self.eat_word("distinct") {
            self.eat_word("from").then_some(())?;
            let right = self.expression(precedence::IS)?;
            let distinct = list("is distinct", [left, right]);
            return Some(if negated {
                list("not", [distinct])
            } else {
                distinct
            });
        }
        let Token::Word(what) = self.next()? else {
            return None;
        };
        let operator = if negated { "is not" } else { "is" };
        Some(list(operator, [left, word(&what)]))
    }

    /// Parses the rest of BETWEEN, IN, LIKE, ILIKE and SIMILAR TO into the form that PostgreSQL
    /// writes.
    fn range_or_pattern(&mut self, left: Node, keyword: &str, negated: bool) -> Option<Node> {
        match keyword {
            "between" => {
                if self.eat_word("symmetric") {
                    return None;
                }
                let low = self.expression(precedence::LIKE)?;
                self.eat_word("and").then_some(())?;
                let high = self.expression(precedence::LIKE)?;
                Some(if negated {
                    let below = list("<", [left.clone(), low]);
                    list("or", [below, list(">", [left, high])])
                } else {
                    let above = list(">=", [left.clone(), low]);
                    list("and", [above, list("<=", [left, high])])
                })
            }
            "in" => {
                self.eat(&Token::Open).then_some(())?;
                let mut items = self.items(&Token::Close)?;
                let operator = if negated { "<>" } else { "=" };
                if items.len() == 1 {
                    return Some(list(operator, [left, items.remove(0)]));
                }
                let quantifier = if negated { "all" } else { "any" };
                Some(list(
                    quantifier,
                    [word(operator), left, list("array", items)],
                ))
            }
            "like" | "ilike" | "similar" => {
                if keyword == "similar" {
                    self.eat_word("to").then_some(())?;
                }
                let mut pattern = self.expression(precedence::LIKE)?;
                let escape = if self.eat_word("escape") {
                    Some(self.expression(precedence::LIKE)?)
                } else {
                    None
                };
                let operator = match (keyword, negated) {
                    ("like", false) => "~~",
                    ("like", true) => "!~~",
                    ("ilike", false) => "~~*",
                    ("ilike", true) => "!~~*",
                    (_, false) => "~",
                    (_, true) => "!~",
                };
                if keyword == "similar" {
                    pattern = list("similar_to_escape", [pattern].into_iter().chain(escape));
                } else if let Some(escape) = escape {
                    pattern = list("like_escape", [pattern, escape]);
                }
                Some(list(operator, [left, pattern]))
            }
            _ => None,
        }
    }

    /// Parses expressions up to the closing token, and consumes that token. Keywords that separate
    /// the arguments of some functions count as commas.
    pub(super) fn items(&mut self, close: &Token) -> Option<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            if self.eat(close) {
                return Some(items);
            }
            items.push(self.expression(0)?);
            let separated = self.eat(&Token::Comma)
                || ["from", "for", "placing", "as"]
                    .into_iter()
                    .any(|separator| self.eat_word(separator));
            if !separated && self.peek() != Some(close) {
                return None;
            }
        }
    }
}

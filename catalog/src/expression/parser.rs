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

/// Limits of the nesting and of the number of tokens, which bound the recursion of the parser and of
/// the functions that walk the tree. No expression written by hand reaches them.
const DEEPEST: usize = 100;
const LONGEST: usize = 4_096;

pub(super) fn parse(text: &str) -> Option<Node> {
    let tokens = lex(text).filter(|tokens| tokens.len() <= LONGEST)?;
    let mut parser = Parser {
        tokens,
        position: 0,
        depth: 0,
    };
    let node = parser.expression(0)?;
    (parser.position == parser.tokens.len()).then_some(node)
}

pub(super) struct Parser {
    tokens: Vec<Token>,
    pub(super) position: usize,
    pub(super) depth: usize,
}

/// The precedence of operators (manual, 4.1.6).
pub(super) mod binding {
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

pub(super) fn word(text: &str) -> Node {
    Node::Word(text.to_owned())
}

/// Returns a list. A chain of AND or OR becomes one list.
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

    pub(super) fn expression(&mut self, minimum: u8) -> Option<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut left = self.prefix()?;
        while let Some((token, operator, binds)) = self.infix(minimum) {
            left = self.bound(left, &token, &operator, binds)?;
        }
        self.depth -= 1;
        Some(left)
    }

    fn prefix(&mut self) -> Option<Node> {
        match self.peek()? {
            Token::Word(found) if found == "not" => {
                self.position += 1;
                let inner = self.expression(binding::NOT)?;
                Some(list("not", [inner]))
            }
            Token::Operator(sign) if sign == "-" || sign == "+" => {
                let sign = sign.clone();
                self.position += 1;
                let inner = self.expression(binding::SIGN)?;
                Some(match inner {
                    inner if sign == "+" => inner,
                    Node::Number(digits) => Node::Number(number(&format!("-{digits}"))),
                    inner => list("-", [inner]),
                })
            }
            Token::Operator(operator) => {
                let operator = operator.clone();
                self.position += 1;
                let inner = self.expression(binding::OTHER)?;
                Some(list(&operator, [inner]))
            }
            _ => {
                let primary = self.primary()?;
                self.postfix(primary)
            }
        }
    }

    /// Returns the operator after an operand, with its precedence; `None` if that is at most
    /// `minimum`.
    fn infix(&mut self, minimum: u8) -> Option<(Token, String, u8)> {
        use binding as b;
        let token = self.peek()?.clone();
        let (binds, operator) = match &token {
            Token::Operator(operator) => {
                let binds = match operator.as_str() {
                    "=" | "<" | ">" | "<=" | ">=" | "<>" => b::COMPARISON,
                    "+" | "-" => b::SUM,
                    "*" | "/" | "%" => b::PRODUCT,
                    "^" => b::POWER,
                    _ => b::OTHER,
                };
                (binds, operator.clone())
            }
            Token::Word(found) => {
                let binds = match found.as_str() {
                    "or" => b::OR,
                    "and" => b::AND,
                    "is" | "isnull" | "notnull" => b::IS,
                    "between" | "in" | "like" | "ilike" | "similar" => b::LIKE,
                    "not" => b::LIKE,
                    "operator" => b::OTHER,
                    "at" => b::TIME_ZONE,
                    "collate" => b::COLLATE,
                    _ => return None,
                };
                (binds, found.clone())
            }
            _ => return None,
        };
        if binds <= minimum {
            return None;
        }
        self.position += 1;
        Some((token, operator, binds))
    }

    fn bound(&mut self, left: Node, token: &Token, operator: &str, binds: u8) -> Option<Node> {
        if matches!(token, Token::Operator(_)) {
            return self.operator(left, operator, binds);
        }
        match operator {
            "isnull" => Some(list("is", [left, word("null")])),
            "notnull" => Some(list("is not", [left, word("null")])),
            "is" => self.is(left),
            "at" => {
                if !(self.eat_word("time") && self.eat_word("zone")) {
                    return None;
                }
                let zone = self.expression(binds)?;
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
                self.operator(left, &name.text(), binds)
            }
            "or" | "and" => {
                let right = self.expression(binds)?;
                Some(list(operator, [left, right]))
            }
            "not" => {
                let Token::Word(found) = self.next()? else {
                    return None;
                };
                self.matching(left, &found, true)
            }
            found => self.matching(left, found, false),
        }
    }

    fn operator(&mut self, left: Node, operator: &str, binds: u8) -> Option<Node> {
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
        let right = self.expression(binds)?;
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

    fn is(&mut self, left: Node) -> Option<Node> {
        let negated = self.eat_word("not");
        if self.eat_word("distinct") {
            self.eat_word("from").then_some(())?;
            let right = self.expression(binding::IS)?;
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
    fn matching(&mut self, left: Node, how: &str, negated: bool) -> Option<Node> {
        match how {
            "between" => {
                if self.eat_word("symmetric") {
                    return None;
                }
                let low = self.expression(binding::LIKE)?;
                self.eat_word("and").then_some(())?;
                let high = self.expression(binding::LIKE)?;
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
                if how == "similar" {
                    self.eat_word("to").then_some(())?;
                }
                let mut pattern = self.expression(binding::LIKE)?;
                let escape = if self.eat_word("escape") {
                    Some(self.expression(binding::LIKE)?)
                } else {
                    None
                };
                let operator = match (how, negated) {
                    ("like", false) => "~~",
                    ("like", true) => "!~~",
                    ("ilike", false) => "~~*",
                    ("ilike", true) => "!~~*",
                    (_, false) => "~",
                    (_, true) => "!~",
                };
                if how == "similar" {
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

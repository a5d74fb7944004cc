//! The operands of an expression: literals, columns, calls, and the casts and subscripts after
//! them.

use super::lexer::{Token, is_reserved};
use super::parser::{Node, Parser, list, precedence, word};
use super::value::number;

/// Constructs that look like function calls and are not (manual, 9.18 and 4.2).
const CONSTRUCTS: [&str; 7] = [
    "coalesce", "exists", "greatest", "grouping", "least", "nullif", "row",
];

impl Parser {
    /// Parses a literal, a column, a call, a row, an array, CASE or CAST.
    pub(super) fn primary(&mut self) -> Option<Node> {
        match self.next()? {
            Token::Number(digits) => Some(Node::Number(number(&digits))),
            Token::Text(text) => Some(Node::Text(text)),
            Token::Open => {
                let mut items = self.items(&Token::Close)?;
                match items.len() {
                    1 => items.pop(),
                    _ => Some(list("row", items)),
                }
            }
            Token::Quoted(name) => self.name(name, false),
            Token::Word(name) => match name.as_str() {
                "case" => self.case(),
                "cast" => {
                    self.eat(&Token::Open).then_some(())?;
                    let inner = self.expression(0)?;
                    self.eat_word("as").then_some(())?;
                    self.type_name()?;
                    self.eat(&Token::Close).then_some(inner)
                }
                "array" if self.eat(&Token::OpenBracket) => {
                    Some(list("array", self.items(&Token::CloseBracket)?))
                }
                _ => self.name(name, true),
            },
            Token::OpenBracket => Some(list("array", self.items(&Token::CloseBracket)?)),
            _ => None,
        }
    }

    /// Parses a column, a function call, or a literal after the name of its type. The tree holds a
    /// column without the name of its table.
    fn name(&mut self, mut name: String, is_word: bool) -> Option<Node> {
        let start = self.position - 1;
        let mut is_bare = is_word;
        let mut schema = None;
        while self.eat(&Token::Dot) {
            is_bare = false;
            let (Token::Word(part) | Token::Quoted(part)) = self.next()? else {
                return None;
            };
            schema = Some(std::mem::replace(&mut name, part));
        }
        if self.eat(&Token::Open) {
            // In quotes, the name is that of a function, not of a construct of the grammar.
            if !is_bare && CONSTRUCTS.contains(&name.as_str()) {
                name = format!("\"{name}\"");
            }
            let call = self.call(&name)?;
            return Some(match schema.filter(|schema| schema != "pg_catalog") {
                Some(schema) => with_schema(schema, call),
                None => call,
            });
        }
        if is_word && let Some(literal) = self.typed_literal(start) {
            return Some(literal);
        }
        Some(if !is_bare && is_reserved(&name) {
            Node::Column(name)
        } else {
            Node::Word(name)
        })
    }

    /// Parses `interval '1 day'` or `timestamp with time zone '..'`. Consumes no token if it finds
    /// no such literal.
    fn typed_literal(&mut self, start: usize) -> Option<Node> {
        let (back, depth) = (self.position, self.depth);
        self.position = start;
        if self.type_name().is_some()
            && let Some(Token::Text(text)) = self.peek().cloned()
        {
            self.position += 1;
            return Some(Node::Text(text));
        }
        (self.position, self.depth) = (back, depth);
        None
    }

    /// Parses the arguments of a call.
    fn call(&mut self, name: &str) -> Option<Node> {
        if name == "trim" && self.eat_word("both") {
            self.eat_word("from");
        }
        if name == "position" {
            let part = self.expression(precedence::LIKE)?;
            (self.eat_word("in") || self.eat(&Token::Comma)).then_some(())?;
            let whole = self.expression(0)?;
            return self
                .eat(&Token::Close)
                .then_some(list("position", [part, whole]));
        }
        let mut items = self.items(&Token::Close)?;
        match (name, items.first_mut()) {
            ("extract" | "date_part", Some(first)) => {
                if let Node::Word(field) = first {
                    *first = Node::Text(field.clone());
                }
            }
            // Sequences are compared without their schema.
            ("nextval" | "currval" | "setval", Some(Node::Text(sequence))) => {
                let last = sequence.rsplit('.').next().unwrap_or_default();
                *sequence = last.trim_matches('"').to_owned();
            }
            _ => {}
        }
        let name = if name == "trim" { "btrim" } else { name };
        Some(list(name, items))
    }

    /// Parses the rest of CASE.
    fn case(&mut self) -> Option<Node> {
        let mut parts = Vec::new();
        if !self.is_word("when") {
            parts.push(self.expression(0)?);
        }
        while self.eat_word("when") {
            let condition = self.expression(0)?;
            self.eat_word("then").then_some(())?;
            let result = self.expression(0)?;
            parts.push(list("when", [condition, result]));
        }
        if self.eat_word("else") {
            let otherwise = self.expression(0)?;
            // PostgreSQL writes `ELSE NULL` where the author wrote no ELSE.
            if otherwise != word("null") {
                parts.push(otherwise);
            }
        }
        self.eat_word("end").then_some(list("case", parts))
    }

    /// Parses the casts, subscripts and fields after an operand.
    pub(super) fn postfix(&mut self, mut node: Node) -> Option<Node> {
        loop {
            if self.eat(&Token::Cast) {
                self.type_name()?;
            } else if self.eat(&Token::OpenBracket) {
                let mut items = vec![node];
                while !self.eat(&Token::CloseBracket) {
                    if self.eat(&Token::Colon) {
                        items.push(word(":"));
                    } else {
                        items.push(self.expression(0)?);
                    }
                }
                node = list("[]", items);
            } else if self.eat(&Token::Dot) {
                let field = self.next()?.text();
                node = list(".", [node, Node::Word(field)]);
            } else {
                return Some(node);
            }
        }
    }

    /// Skips the name of a type, which is not compared.
    fn type_name(&mut self) -> Option<()> {
        let (Token::Word(first) | Token::Quoted(first)) = self.next()? else {
            return None;
        };
        while self.eat(&Token::Dot) {
            self.next()?;
        }
        match first.as_str() {
            "double" => drop(self.eat_word("precision")),
            "character" | "char" | "bit" | "nchar" => drop(self.eat_word("varying")),
            "interval" => {
                const FIELDS: [&str; 7] =
                    ["year", "month", "day", "hour", "minute", "second", "to"];
                while FIELDS.into_iter().any(|field| self.eat_word(field)) {}
            }
            _ => {}
        }
        if self.eat(&Token::Open) {
            self.items(&Token::Close)?;
        }
        if matches!(first.as_str(), "timestamp" | "time")
            && (self.eat_word("with") || self.eat_word("without"))
        {
            (self.eat_word("time") && self.eat_word("zone")).then_some(())?;
        }
        self.eat_word("array");
        while self.eat(&Token::OpenBracket) {
            while !self.eat(&Token::CloseBracket) {
                self.next()?;
            }
        }
        Some(())
    }
}

/// Returns the call with the schema of its function.
fn with_schema(schema: String, mut call: Node) -> Node {
    if let Node::List(items) = &mut call
        && let Some(first) = items.first_mut()
        && let Node::Word(name) = first
    {
        let name = std::mem::take(name);
        *first = Node::Function { schema, name };
    }
    call
}

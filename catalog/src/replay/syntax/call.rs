//! The function calls in the text of an expression.

use std::ops::Range;

use bowline_sql::{Token, tokens};

use crate::replay::syntax::tree::truncate;

/// A call in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    /// The position of the name, including the schema.
    pub(crate) span: Range<usize>,
    /// The positions of the arguments.
    pub(crate) arguments: Vec<Range<usize>>,
}

/// Returns the calls in a text, in the order of their names. Keywords before parentheses, such as
/// `IN`, are among them.
pub(crate) fn calls_in_text(text: &str) -> Vec<Call> {
    let all: Vec<Token<'_>> = tokens(text).collect();
    let mut found = Vec::new();
    for (at, token) in all.iter().enumerate() {
        let is_before_list = all.get(at + 1).is_some_and(|next| next.is("("));
        let Some(name) = token.name().filter(|_| is_before_list) else {
            continue;
        };
        let Some(arguments) = arguments(&all[at + 2..]) else {
            continue;
        };
        let schema = at
            .checked_sub(2)
            .filter(|_| all[at - 1].is("."))
            .map(|at| &all[at]);
        found.push(Call {
            schema: schema
                .and_then(|schema| schema.name())
                .map(|schema| truncate(&schema).to_owned()),
            name: truncate(&name).to_owned(),
            span: schema.map_or(token.start(), |schema| schema.start())..token.end(),
            arguments,
        });
    }
    found
}

/// Returns the positions of the arguments, given the tokens after the opening parenthesis. Returns
/// `None` if there is no closing one.
fn arguments(within: &[Token<'_>]) -> Option<Vec<Range<usize>>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let (mut depth, mut is_new) = (0_usize, true);
    for token in within {
        match token.text() {
            "(" | "[" => depth += 1,
            ")" | "]" if depth == 0 => return Some(found),
            ")" | "]" => depth -= 1,
            "," if depth == 0 => {
                is_new = true;
                continue;
            }
            _ => {}
        }
        match found.last_mut().filter(|_| !is_new) {
            Some(argument) => argument.end = token.end(),
            None => found.push(token.start()..token.end()),
        }
        is_new = false;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_schemas_and_arguments() {
        let text = "z.\"F\"(a, g((1), '(,'), x[1, 2]) + h() IN (3)";
        let calls = calls_in_text(text);
        let shown: Vec<String> = calls
            .iter()
            .map(|call| {
                let arguments = call.arguments.iter().map(|range| &text[range.clone()]);
                format!(
                    "{}: {}",
                    &text[call.span.clone()],
                    arguments.collect::<Vec<_>>().join(" | ")
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "z.\"F\": a | g((1), '(,') | x[1, 2]",
                "g: (1) | '(,'",
                "h: ",
                "IN: 3"
            ]
        );
        assert_eq!(calls[0].schema.as_deref(), Some("z"));
        assert_eq!(calls[0].name, "F");
        assert_eq!(calls_in_text("f(1"), []);
    }
}

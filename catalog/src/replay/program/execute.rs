//! EXECUTE of a text.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::gap::GapKind;
use crate::replay::program::block::BOWLINE_DO;
use crate::replay::program::evaluate::{Datum, UNKNOWN_NUMBER};
use crate::replay::program::{Program, harmless_text};
use crate::replay::refusal::{Refused, Result};
use crate::replay::syntax::nesting;
use crate::replay::syntax::parse::{Unparsed, parse};
use crate::replay::syntax::tree::{self, child, tokens};

impl Program {
    /// Runs `EXECUTE` of a text that is certain.
    pub(crate) fn dynamic(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let text = child(node, K::PLPGSQL_EXPR).and_then(|expression| self.evaluate(&expression));
        let Some(Datum::Text(sql)) = text else {
            self.skip_statement(node);
            if harmless_text::is_harmless(node) {
                self.unknown_text_reaches_nothing(node)?;
                self.data_may_not_fail(node)?;
            }
            if harmless_text::is_harmless(node) || self.sequence_with_unknown_numbers(node)? {
                return Ok(());
            }
            return Err(Refused::new(
                node,
                "the text that this executes is known only when it runs",
            )
            .hint(BOWLINE_DO));
        };
        if !self.budget.runs_text(sql.len()) {
            return Err(Refused::new(node, "this runs too long to be followed"));
        }
        let tree = parse(&sql).map_err(|unparsed| match unparsed {
            Unparsed::TooDeep => Refused::new(node, nesting::TOO_DEEP),
            Unparsed::Error { message, .. } => {
                let why = format!("what this executes cannot be parsed: {message}");
                Refused::new(node, why)
            }
        })?;
        for statement in tree::statements(&tree) {
            self.statement(&statement).map_err(|refused| Refused {
                span: Refused::new(node, "").span,
                ..refused
            })?;
        }
        if let Some(into) = child(node, K::PLPGSQL_INTO_CLAUSE) {
            self.forget_variables_in(&into);
        }
        Ok(())
    }

    /// Replays a text that creates or alters a sequence, and of which only numbers are unknown.
    fn sequence_with_unknown_numbers(&mut self, node: &SyntaxNode) -> Result<bool> {
        use SyntaxKind as K;
        let text = child(node, K::PLPGSQL_EXPR)
            .and_then(|expression| self.evaluate_with_unknown_numbers(&expression));
        let Some(Datum::Text(sql)) = text else {
            return Ok(false);
        };
        let Ok(tree) = parse(&sql) else {
            return Ok(false);
        };
        let mut statements = tree::statements(&tree);
        let (Some(statement), None) = (statements.next(), statements.next()) else {
            return Ok(false);
        };
        if !matches!(statement.kind(), K::CREATE_SEQUENCE | K::ALTER_SEQUENCE) {
            return Ok(false);
        }
        let unknown = UNKNOWN_NUMBER.to_string();
        let is_number = |token: &squawk_syntax::SyntaxToken| token.text() == unknown;
        let is_option = |token: &squawk_syntax::SyntaxToken| {
            let mut around = token.parent_ancestors();
            around.any(|node| {
                matches!(
                    node.kind(),
                    K::OPTION_START
                        | K::OPTION_INCREMENT
                        | K::OPTION_MIN_VALUE
                        | K::OPTION_MAX_VALUE
                        | K::OPTION_CACHE
                        | K::OPTION_RESTART
                )
            })
        };
        let mut unknown_tokens = tokens(&statement).filter(|token| token.text().contains(&unknown));
        if !unknown_tokens.all(|token| is_number(&token) && is_option(&token)) {
            return Ok(false);
        }
        self.statement(&statement)?;
        let named = statement
            .children()
            .find(|part| matches!(part.kind(), K::SEQUENCE | K::SEQUENCE_REF));
        let named = named.and_then(|named| self.state.find_sequence(&tree::path(&named)));
        if let Some(sequence) = named {
            let why = "some of its numbers are known only when it runs";
            self.state.note_gap(GapKind::Sequence, sequence, None, why);
        }
        Ok(true)
    }
}

//! IF, CASE, EXIT and CONTINUE, which are replayed if their conditions are certain.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::program::Program;
use crate::replay::program::block::{BOWLINE_DO, Flow, leaves};
use crate::replay::program::evaluate::Datum;
use crate::replay::refusal::{Refused, Result};
use crate::replay::syntax::tree::{child, child_name, children};

impl Program {
    /// Runs the branch whose condition is certainly true.
    pub(crate) fn if_statement(&mut self, node: &SyntaxNode) -> Result<Flow> {
        use SyntaxKind as K;
        let elsifs = children(node, K::PLPGSQL_ELSIF_CLAUSE);
        for branch in std::iter::once(node.clone()).chain(elsifs) {
            let condition = child(&branch, K::PLPGSQL_EXPR);
            let truth = condition.and_then(|condition| self.evaluate(&condition));
            match truth {
                Some(Datum::Bool(true)) => return self.body_of(&branch),
                Some(Datum::Bool(false) | Datum::Null) => {}
                _ => return self.undecided(node, &branch),
            }
        }
        let otherwise = child(node, K::PLPGSQL_ELSE_CLAUSE);
        otherwise.map_or(Ok(Flow::Next), |clause| self.body_of(&clause))
    }

    pub(crate) fn case_statement(&mut self, node: &SyntaxNode) -> Result<Flow> {
        use SyntaxKind as K;
        let subject = child(node, K::PLPGSQL_EXPR);
        let subject = subject.map(|subject| self.evaluate(&subject));
        for branch in children(node, K::PLPGSQL_CASE_WHEN) {
            let conditions = child(&branch, K::PLPGSQL_EXPR)
                .and_then(|expression| child(&expression, K::TARGET_LIST))
                .map(|list| list.children().collect::<Vec<_>>())
                .unwrap_or_default();
            for condition in conditions {
                let value = self.evaluate(&condition);
                let is_taken = match (&subject, value) {
                    (None, Some(value)) => value == Datum::Bool(true),
                    (Some(Some(subject)), Some(value)) => *subject == value,
                    _ => return self.undecided(node, &branch),
                };
                if is_taken {
                    return self.body_of(&branch);
                }
            }
        }
        let otherwise = child(node, K::PLPGSQL_ELSE_CLAUSE);
        otherwise.map_or(Ok(Flow::Next), |clause| self.body_of(&clause))
    }

    /// Handles a branch whose condition is unknown. Refuses it if it could change the schema or
    /// leave the block.
    fn undecided(&mut self, node: &SyntaxNode, branch: &SyntaxNode) -> Result<Flow> {
        if self.block_may_change(node) || leaves(node) {
            return Err(Refused::new(
                branch,
                "whether this runs depends on values that only a server has",
            )
            .hint(BOWLINE_DO));
        }
        self.skip_statement(node);
        Ok(Flow::Next)
    }

    /// Applies `EXIT` or `CONTINUE`, with its condition.
    pub(crate) fn leave(&mut self, node: &SyntaxNode) -> Result<Flow> {
        use SyntaxKind as K;
        let label = child_name(node, K::PLPGSQL_LABEL_NAME_REF);
        let condition = child(node, K::PLPGSQL_EXIT_WHEN)
            .and_then(|when| child(&when, K::PLPGSQL_EXPR))
            .map(|condition| self.evaluate(&condition));
        match condition {
            None | Some(Some(Datum::Bool(true))) if node.kind() == K::PLPGSQL_EXIT_STMT => {
                Ok(Flow::Exit(label))
            }
            None | Some(Some(Datum::Bool(true))) => Ok(Flow::Continue(label)),
            Some(Some(Datum::Bool(false) | Datum::Null)) => Ok(Flow::Next),
            Some(_) => Err(Refused::new(
                node,
                "whether this runs depends on values that only a server has",
            )
            .hint(BOWLINE_DO)),
        }
    }
}

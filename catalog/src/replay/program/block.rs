//! The blocks and statements of PL/pgSQL.

mod loops;

use squawk_syntax::ast::{self, AstNode as _};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::program::Program;
use crate::replay::program::variables::Declared;
use crate::replay::refusal::{Refused, Result};
use crate::replay::syntax::tree::{child, children, name, path, tokens};

/// The way in which control continues after a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flow {
    /// To the next statement.
    Next,
    /// `RETURN`.
    Return,
    /// `EXIT` from the loop with this label.
    Exit(Option<String>),
    /// `CONTINUE`.
    Continue(Option<String>),
}

impl Program {
    pub(crate) fn do_block(&mut self, node: &SyntaxNode) -> Result<()> {
        let body = ast::Do::cast(node.clone()).and_then(|block| block.plpgsql());
        let Some(body) = body else {
            return Err(Refused::new(
                node,
                "this block is in a language that replay does not follow",
            ));
        };
        self.block(&body.syntax()).map_err(|mut refused| {
            // Positions in the body become positions in the file.
            let syntax = body.syntax();
            let at = |node: &SyntaxNode| Refused::new(node, "").span == refused.span;
            let node = syntax.descendants().find(at).unwrap_or(syntax);
            let within = body.source_range(node.text_range());
            refused.span = within.start().into()..within.end().into();
            refused
        })
    }

    /// Runs the outermost block of a body, which has variables of its own.
    pub(crate) fn block(&mut self, body: &SyntaxNode) -> Result<()> {
        self.block_with(body, Vec::new())
    }

    /// Runs the body of a function that was called with these values.
    pub(crate) fn block_with(&mut self, body: &SyntaxNode, arguments: Vec<Declared>) -> Result<()> {
        self.variables.open_function();
        for argument in arguments {
            self.declare(argument.name, argument.data_type, argument.value);
        }
        let mut done = Ok(Flow::Next);
        for block in children(body, SyntaxKind::PLPGSQL_BLOCK) {
            done = done.and_then(|_| self.inner_block(&block));
        }
        self.variables.close_function();
        done.map(drop)
    }

    fn inner_block(&mut self, block: &SyntaxNode) -> Result<Flow> {
        self.variables.open_block();
        let flow = self.block_in_scope(block);
        self.variables.close_block();
        flow
    }

    fn block_in_scope(&mut self, block: &SyntaxNode) -> Result<Flow> {
        use SyntaxKind as K;
        for section in children(block, K::PLPGSQL_DECLARE_SECTION) {
            self.call_in_query(&section)?;
            for declared in section.children() {
                self.declared_variable(&declared);
            }
        }
        let Some(body) = child(block, K::PLPGSQL_BODY) else {
            return Ok(Flow::Next);
        };
        let Some(handlers) = child(block, K::PLPGSQL_EXCEPTION_SECTION) else {
            return self.statements(&body);
        };
        if !self.block_may_change(&body)
            && !self.block_may_change(&handlers)
            && self.changes_attached(&body)
        {
            let block = block.clone();
            return Ok(self.attempt(&block, Flow::Next, |program| {
                program.with_handlers(&body, &handlers)
            }));
        }
        if !self.block_may_change(&body) {
            return if self.block_may_change(&handlers) {
                Err(Refused::new(
                    &handlers,
                    "whether this runs depends on an error that replay does not foresee",
                ))
            } else {
                Ok(Flow::Next)
            };
        }
        self.with_handlers(&body, &handlers)
    }

    /// Runs a block with exception handlers. It is a savepoint, which an error rolls back.
    fn with_handlers(&mut self, body: &SyntaxNode, handlers: &SyntaxNode) -> Result<Flow> {
        use SyntaxKind as K;
        let before = self.savepoint();
        let names = self.variables.names();
        self.state.enter_handlers();
        let depth = self.enter_handled_block(handlers);
        let done = self.statements(body);
        self.leave_handled_block(depth);
        self.state.leave_handlers();
        match done {
            Ok(flow) => Ok(flow),
            Err(refused) => {
                let Some(condition) = refused.raises else {
                    return Err(refused);
                };
                let handler = children(handlers, K::PLPGSQL_EXCEPTION_HANDLER)
                    .find(|handler| catches(handler, condition));
                let handler = handler.ok_or(refused)?;
                self.roll_back(before);
                // Variables keep the values that the block assigned, which replay does not know.
                names.iter().for_each(|name| self.assign(name, None));
                child(&handler, K::PLPGSQL_BODY)
                    .map_or(Ok(Flow::Next), |body| self.statements(&body))
            }
        }
    }

    fn statements(&mut self, body: &SyntaxNode) -> Result<Flow> {
        for statement in body.children() {
            if !self.budget.runs_text(statement.text_range().len().into()) {
                return Err(Refused::new(
                    &statement,
                    "this runs too long to be followed",
                ));
            }
            let flow = self.plpgsql_statement(&statement)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn plpgsql_statement(&mut self, node: &SyntaxNode) -> Result<Flow> {
        use SyntaxKind as K;
        self.is_certain_to_succeed(node)?;
        match node.kind() {
            K::PLPGSQL_EXEC_SQL_STMT => {
                for statement in node.children() {
                    self.statement(&statement)?;
                }
            }
            K::PLPGSQL_BLOCK => return self.inner_block(node),
            K::PLPGSQL_IF_STMT => return self.if_statement(node),
            K::PLPGSQL_CASE_STMT => return self.case_statement(node),
            K::PLPGSQL_DYN_EXECUTE_STMT => self.dynamic(node)?,
            K::PLPGSQL_RETURN_STMT => {
                self.call_in_query(node)?;
                return Ok(Flow::Return);
            }
            K::PLPGSQL_EXIT_STMT | K::PLPGSQL_CONTINUE_STMT => return self.leave(node),
            K::PLPGSQL_ASSIGN_STMT => {
                self.note_writes(node);
                self.call_in_query(node)?;
                self.assignment(node);
            }
            K::PLPGSQL_NULL_STMT
            | K::PLPGSQL_ASSERT_STMT
            | K::PLPGSQL_PERFORM_STMT
            | K::PLPGSQL_CALL_STMT
            | K::PLPGSQL_GET_DIAG_STMT
            | K::PLPGSQL_OPEN_STMT
            | K::PLPGSQL_FETCH_STMT
            | K::PLPGSQL_MOVE_STMT
            | K::PLPGSQL_CLOSE_STMT
            | K::PLPGSQL_RETURN_NEXT_STMT
            | K::PLPGSQL_RETURN_QUERY_STMT
            | K::PLPGSQL_COMMIT_STMT => {
                self.note_writes(node);
                self.call_in_query(node)?;
                if let Some(procedure) = node
                    .descendants()
                    .find(|child| child.kind() == K::PROCEDURE_NAME_REF)
                {
                    self.call(node, &path(&procedure), None)?;
                }
                self.forget_variables_in(node);
            }
            K::PLPGSQL_RAISE_STMT if !is_exception(node) => self.call_in_query(node)?,
            // A SELECT into a variable, which the parser does not support. Only its functions can
            // change the schema.
            K::ERROR if is_select_into(node) => {
                self.note_writes(node);
                self.select_into_variable(node);
            }
            kind if loops::is_loop(kind) => return self.loop_statement(node),
            _ if !self.block_may_change(node) => self.skip_statement(node),
            _ => return Err(unforeseen(node)),
        }
        Ok(Flow::Next)
    }

    /// Skips a statement that cannot change the schema. The variables that it may set become
    /// unknown.
    pub(crate) fn skip_statement(&mut self, node: &SyntaxNode) {
        self.note_attached_gaps(node);
        self.note_writes(node);
        self.forget_variables_in(node);
    }

    pub(crate) fn body_of(&mut self, branch: &SyntaxNode) -> Result<Flow> {
        let body = child(branch, SyntaxKind::PLPGSQL_BODY);
        body.map_or(Ok(Flow::Next), |body| self.statements(&body))
    }
}

/// The hint for code whose effect cannot be replayed.
pub(crate) const BOWLINE_DO: &str = "describe its effect in a comment on the line before the statement, as \
`-- bowline: ALTER TABLE ..;`, or write `-- bowline: ignore` if it changes no table, column, key or type";

pub(crate) fn is_exception(raise: &SyntaxNode) -> bool {
    child(raise, SyntaxKind::PLPGSQL_RAISE_LEVEL)
        .is_none_or(|level| name(&level).eq_ignore_ascii_case("exception"))
}

pub(crate) fn leaves(node: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    node.descendants().any(|inner| {
        matches!(
            inner.kind(),
            K::PLPGSQL_RETURN_STMT | K::PLPGSQL_EXIT_STMT | K::PLPGSQL_CONTINUE_STMT
        )
    })
}

pub(crate) fn leaves_function(node: &SyntaxNode) -> bool {
    node.descendants()
        .any(|inner| inner.kind() == SyntaxKind::PLPGSQL_RETURN_STMT)
}

pub(crate) fn unforeseen(node: &SyntaxNode) -> Refused {
    Refused::new(
        node,
        "how often this runs, and with what, is known only when it runs",
    )
    .hint(BOWLINE_DO)
}

/// Returns true for `SELECT .. INTO variable ..`, and DML with `RETURNING .. INTO`, without a
/// function call.
pub(crate) fn is_select_into(node: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    let kinds: Vec<_> = tokens(node).map(|token| token.kind()).collect();
    let first = kinds.first().copied();
    matches!(
        first,
        Some(K::SELECT_KW | K::INSERT_KW | K::UPDATE_KW | K::DELETE_KW | K::WITH_KW)
    ) && kinds.contains(&K::INTO_KW)
        && !kinds.contains(&K::EXECUTE_KW)
        && kinds.iter().filter(|kind| **kind == K::SEMICOLON).count() <= 1
}

/// Returns true if a handler catches an error, given PostgreSQL's name of its condition.
fn catches(handler: &SyntaxNode, condition: &str) -> bool {
    children(handler, SyntaxKind::PLPGSQL_CONDITION)
        .map(|caught| name(&caught))
        .any(|caught| {
            caught == condition
                || (caught == "others" && condition != "assert_failure")
                || (condition.starts_with("duplicate_") && caught.starts_with("duplicate_"))
                || (condition.starts_with("undefined_") && caught.starts_with("undefined_"))
        })
}

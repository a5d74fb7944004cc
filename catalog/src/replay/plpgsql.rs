//! PL/pgSQL: the statements of a DO block or a function, as they run on a database that begins empty.
//!
//! Conditions, loops and texts that are executed are followed where their values are certain (`evaluate`); where
//! they are not, the block is refused if it could change the catalog.

mod assignment;
pub(super) mod harmless_text;
mod loops;

use squawk_syntax::ast::{self, AstNode as _};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::evaluate::{Datum, OPEN_NUMBER};
use super::refusal::{Refused, Result};
use super::tree::{child, child_name, children, name, tokens};
use super::variables::Declared;
use super::{Replay, nesting};
use crate::gap::GapKind;

/// What follows after a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Flow {
    Goes,
    Returns,
    /// `EXIT`, of the loop with this label.
    Exits(Option<String>),
    /// `CONTINUE`.
    Continues(Option<String>),
}

impl Replay {
    pub(super) fn do_block(&mut self, node: &SyntaxNode) -> Result<()> {
        let body = ast::Do::cast(node.clone()).and_then(|block| block.plpgsql());
        let Some(body) = body else {
            return Err(Refused::new(
                node,
                "this block is in a language that replay does not follow",
            ));
        };
        self.block(&body.syntax()).map_err(|mut refused| {
            // Places in the body become places in the file.
            let syntax = body.syntax();
            let at = |node: &SyntaxNode| Refused::new(node, "").span == refused.span;
            let place = syntax.descendants().find(at).unwrap_or(syntax);
            let within = body.source_range(place.text_range());
            refused.span = within.start().into()..within.end().into();
            refused
        })
    }

    /// The outermost block of a body, whose variables are its own.
    pub(super) fn block(&mut self, body: &SyntaxNode) -> Result<()> {
        self.block_with(body, Vec::new())
    }

    /// The same of a function that was called with these values.
    pub(super) fn block_with(&mut self, body: &SyntaxNode, arguments: Vec<Declared>) -> Result<()> {
        self.variables.open_function();
        for argument in arguments {
            self.declare(argument.name, argument.data_type, argument.value);
        }
        let mut done = Ok(Flow::Goes);
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
            return Ok(Flow::Goes);
        };
        let Some(handlers) = child(block, K::PLPGSQL_EXCEPTION_SECTION) else {
            return self.statements(&body);
        };
        if !self.block_shapes(&body) && !self.block_shapes(&handlers) && self.guards(&body) {
            let block = block.clone();
            return Ok(self.attempt(&block, Flow::Goes, |replay| {
                replay.with_handlers(&body, &handlers)
            }));
        }
        if !self.block_shapes(&body) {
            return if self.block_shapes(&handlers) {
                Err(Refused::new(
                    &handlers,
                    "whether this runs depends on an error that replay does not foresee",
                ))
            } else {
                Ok(Flow::Goes)
            };
        }
        self.with_handlers(&body, &handlers)
    }

    /// A block with handlers is a savepoint: an error takes back what it did.
    fn with_handlers(&mut self, body: &SyntaxNode, handlers: &SyntaxNode) -> Result<Flow> {
        use SyntaxKind as K;
        let before = self.savepoint();
        let names = self.variables.names();
        self.handlers += 1;
        let done = self.statements(body);
        self.handlers -= 1;
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
                // Variables keep what the block gave them; what that was is not followed.
                names.iter().for_each(|name| self.assign(name, None));
                child(&handler, K::PLPGSQL_BODY)
                    .map_or(Ok(Flow::Goes), |body| self.statements(&body))
            }
        }
    }

    fn statements(&mut self, body: &SyntaxNode) -> Result<Flow> {
        for statement in body.children() {
            if !self.runs_text(statement.text_range().len().into()) {
                return Err(Refused::new(
                    &statement,
                    "this runs too long to be followed",
                ));
            }
            let flow = self.plpgsql_statement(&statement)?;
            if flow != Flow::Goes {
                return Ok(flow);
            }
        }
        Ok(Flow::Goes)
    }

    fn plpgsql_statement(&mut self, node: &SyntaxNode) -> Result<Flow> {
        use SyntaxKind as K;
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
                return Ok(Flow::Returns);
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
                    self.call(node, &name(&procedure), None)?;
                }
                self.forget_variables_in(node);
            }
            K::PLPGSQL_RAISE_STMT if !is_exception(node) => self.call_in_query(node)?,
            // A SELECT into a variable, which the parser does not know; it shapes what its functions shape.
            K::ERROR if is_select_into(node) => {
                self.note_writes(node);
                self.select_into_variable(node);
            }
            kind if loops::is_loop(kind) => return self.loop_statement(node),
            _ if !self.block_shapes(node) => self.pass_by(node),
            _ => return Err(unforeseen(node)),
        }
        Ok(Flow::Goes)
    }

    /// Leaves out what shapes nothing: what it may set is not known from here on.
    fn pass_by(&mut self, node: &SyntaxNode) {
        self.note_guard_gaps(node);
        self.note_writes(node);
        self.forget_variables_in(node);
    }

    /// A branch is taken if its condition is certain.
    fn if_statement(&mut self, node: &SyntaxNode) -> Result<Flow> {
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
        otherwise.map_or(Ok(Flow::Goes), |clause| self.body_of(&clause))
    }

    fn case_statement(&mut self, node: &SyntaxNode) -> Result<Flow> {
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
        otherwise.map_or(Ok(Flow::Goes), |clause| self.body_of(&clause))
    }

    fn body_of(&mut self, branch: &SyntaxNode) -> Result<Flow> {
        let body = child(branch, SyntaxKind::PLPGSQL_BODY);
        body.map_or(Ok(Flow::Goes), |body| self.statements(&body))
    }

    /// Whether a branch runs is not known: that matters if it shapes something, or leaves.
    fn undecided(&mut self, node: &SyntaxNode, branch: &SyntaxNode) -> Result<Flow> {
        if self.block_shapes(node) || leaves(node) {
            return Err(Refused::new(
                branch,
                "whether this runs depends on what only a server can answer",
            )
            .do_this(BOWLINE_DO));
        }
        self.pass_by(node);
        Ok(Flow::Goes)
    }

    /// `EXIT` and `CONTINUE`, with their conditions.
    fn leave(&mut self, node: &SyntaxNode) -> Result<Flow> {
        use SyntaxKind as K;
        let label = child_name(node, K::PLPGSQL_LABEL_NAME_REF);
        let condition = child(node, K::PLPGSQL_EXIT_WHEN)
            .and_then(|when| child(&when, K::PLPGSQL_EXPR))
            .map(|condition| self.evaluate(&condition));
        match condition {
            None | Some(Some(Datum::Bool(true))) if node.kind() == K::PLPGSQL_EXIT_STMT => {
                Ok(Flow::Exits(label))
            }
            None | Some(Some(Datum::Bool(true))) => Ok(Flow::Continues(label)),
            Some(Some(Datum::Bool(false) | Datum::Null)) => Ok(Flow::Goes),
            Some(_) => Err(Refused::new(
                node,
                "whether this runs depends on what only a server can answer",
            )
            .do_this(BOWLINE_DO)),
        }
    }

    /// `EXECUTE` of a text that is certain.
    fn dynamic(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let text = child(node, K::PLPGSQL_EXPR).and_then(|expression| self.evaluate(&expression));
        let Some(Datum::Text(sql)) = text else {
            self.pass_by(node);
            if harmless_text::is_harmless(node) || self.sequence_of_open_numbers(node)? {
                return Ok(());
            }
            return Err(Refused::new(
                node,
                "the text that this executes is known only when it runs",
            )
            .do_this(BOWLINE_DO));
        };
        if !self.runs_text(sql.len()) {
            return Err(Refused::new(node, "this runs too long to be followed"));
        }
        let Some(parse) = nesting::parse(&sql) else {
            return Err(Refused::new(node, nesting::TOO_DEEP));
        };
        if let Some(error) = parse.errors().first() {
            let why = format!("what this executes cannot be parsed: {}", error.message());
            return Err(Refused::new(node, why));
        }
        for statement in parse.tree().stmts() {
            self.statement(statement.syntax())
                .map_err(|refused| Refused {
                    span: Refused::new(node, "").span,
                    ..refused
                })?;
        }
        if let Some(into) = child(node, K::PLPGSQL_INTO_CLAUSE) {
            self.forget_variables_in(&into);
        }
        Ok(())
    }

    /// Follows a text that makes or alters a sequence, of which nothing but its numbers is not known.
    fn sequence_of_open_numbers(&mut self, node: &SyntaxNode) -> Result<bool> {
        use SyntaxKind as K;
        let text = child(node, K::PLPGSQL_EXPR)
            .and_then(|expression| self.evaluate_with_open_numbers(&expression));
        let Some(Datum::Text(sql)) = text else {
            return Ok(false);
        };
        let Some(parse) = nesting::parse(&sql) else {
            return Ok(false);
        };
        let mut statements = parse.tree().stmts();
        let (Some(statement), None) = (statements.next(), statements.next()) else {
            return Ok(false);
        };
        let statement = statement.syntax().clone();
        if !parse.errors().is_empty()
            || !matches!(statement.kind(), K::CREATE_SEQUENCE | K::ALTER_SEQUENCE)
        {
            return Ok(false);
        }
        let open = OPEN_NUMBER.to_string();
        let is_number = |token: &squawk_syntax::SyntaxToken| token.text() == open;
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
        let mut holes = tokens(&statement).filter(|token| token.text().contains(&open));
        if !holes.all(|token| is_number(&token) && is_option(&token)) {
            return Ok(false);
        }
        self.statement(&statement)?;
        let named = statement
            .children()
            .find(|part| matches!(part.kind(), K::SEQUENCE | K::SEQUENCE_REF));
        let named = named.and_then(|named| self.find_sequence(&super::tree::path(&named)));
        if let Some(sequence) = named {
            let why = "some of its numbers are known only when it runs";
            self.note_gap(GapKind::Sequence, sequence, None, why);
        }
        Ok(true)
    }

    /// Whether anything below could change the catalog.
    pub(super) fn block_shapes(&self, node: &SyntaxNode) -> bool {
        use SyntaxKind as K;
        node.descendants().any(|inner| match inner.kind() {
            K::PLPGSQL_DYN_EXECUTE_STMT => !harmless_text::is_harmless(&inner),
            K::PLPGSQL_FOR_DYN_STMT | K::PLPGSQL_DO_STMT => true,
            K::PLPGSQL_EXEC_SQL_STMT => inner
                .children()
                .any(|statement| self.statement_shapes(&statement)),
            K::PLPGSQL_CALL_STMT => true,
            K::ERROR => !is_select_into(&inner),
            _ => false,
        }) || self.calls_shape(node)
    }
}

/// What to do about code whose effect is not followed.
const BOWLINE_DO: &str = "say its effect in a comment on the line before the statement, as \
`-- bowline: ALTER TABLE ..;`, or write `-- bowline: ignore` if it changes no table, column, key or type";

fn is_exception(raise: &SyntaxNode) -> bool {
    child(raise, SyntaxKind::PLPGSQL_RAISE_LEVEL)
        .is_none_or(|level| name(&level).eq_ignore_ascii_case("exception"))
}

fn leaves(node: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    node.descendants().any(|inner| {
        matches!(
            inner.kind(),
            K::PLPGSQL_RETURN_STMT | K::PLPGSQL_EXIT_STMT | K::PLPGSQL_CONTINUE_STMT
        )
    })
}

fn leaves_function(node: &SyntaxNode) -> bool {
    node.descendants()
        .any(|inner| inner.kind() == SyntaxKind::PLPGSQL_RETURN_STMT)
}

fn unforeseen(node: &SyntaxNode) -> Refused {
    Refused::new(
        node,
        "how often this runs, and with what, is known only when it runs",
    )
    .do_this(BOWLINE_DO)
}

/// `SELECT .. INTO variable ..`, and DML with `RETURNING .. INTO`, without a call of a function in it.
fn is_select_into(node: &SyntaxNode) -> bool {
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

/// Whether a handler catches an error; the condition is one of PostgreSQL's names of errors.
fn catches(handler: &SyntaxNode, condition: &str) -> bool {
    children(handler, SyntaxKind::PLPGSQL_CONDITION)
        .map(|caught| name(&caught))
        .any(|caught| {
            caught == condition
                || caught == "others"
                || (condition.starts_with("duplicate_") && caught.starts_with("duplicate_"))
                || (condition.starts_with("undefined_") && caught.starts_with("undefined_"))
        })
}

//! PL/pgSQL: the statements of a DO block or a function that certainly run, and run once.
//!
//! What runs only sometimes, or with text made at run time, is refused if it could change the catalog.

use squawk_syntax::ast::{self, AstNode as _};
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};

use super::Replay;
use super::condition::Truth;
use super::refusal::{Refused, Result};
use super::tree::{child, children, has, name, string, tokens};

/// What followed after a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Goes,
    Returns,
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

    /// The outermost block of a body.
    pub(super) fn block(&mut self, body: &SyntaxNode) -> Result<()> {
        for block in children(body, SyntaxKind::PLPGSQL_BLOCK) {
            self.inner_block(&block)?;
        }
        Ok(())
    }

    fn inner_block(&mut self, block: &SyntaxNode) -> Result<Flow> {
        use SyntaxKind as K;
        for section in children(block, K::PLPGSQL_DECLARE_SECTION) {
            self.call_in_query(&section)?;
        }
        let Some(body) = child(block, K::PLPGSQL_BODY) else {
            return Ok(Flow::Goes);
        };
        let Some(handlers) = child(block, K::PLPGSQL_EXCEPTION_SECTION) else {
            return self.statements(&body);
        };
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
        // A block with handlers is a savepoint: an error takes back what it did.
        let before = self.savepoint();
        match self.statements(&body) {
            Ok(flow) => Ok(flow),
            Err(refused) => {
                let Some(condition) = refused.raises else {
                    return Err(refused);
                };
                let handler = children(&handlers, K::PLPGSQL_EXCEPTION_HANDLER)
                    .find(|handler| catches(handler, condition));
                let handler = handler.ok_or(refused)?;
                self.roll_back(before);
                child(&handler, K::PLPGSQL_BODY)
                    .map_or(Ok(Flow::Goes), |body| self.statements(&body))
            }
        }
    }

    fn statements(&mut self, body: &SyntaxNode) -> Result<Flow> {
        for statement in body.children() {
            if self.plpgsql_statement(&statement)? == Flow::Returns {
                return Ok(Flow::Returns);
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
            K::PLPGSQL_DYN_EXECUTE_STMT => self.dynamic(node)?,
            K::PLPGSQL_RETURN_STMT => {
                self.call_in_query(node)?;
                return Ok(Flow::Returns);
            }
            K::PLPGSQL_NULL_STMT
            | K::PLPGSQL_ASSERT_STMT
            | K::PLPGSQL_ASSIGN_STMT
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
                self.call_in_query(node)?;
                if let Some(procedure) = node
                    .descendants()
                    .find(|child| child.kind() == K::PROCEDURE_NAME_REF)
                {
                    self.call(node, &name(&procedure))?;
                }
            }
            K::PLPGSQL_RAISE_STMT if !is_exception(node) => self.call_in_query(node)?,
            // A SELECT into a variable, which the parser does not know; it shapes what its functions shape.
            K::ERROR if is_select_into(node) => {}
            _ if !self.block_shapes(node) => {}
            _ => {
                return Err(Refused::new(
                    node,
                    "how often this runs, and with what, is known only when it runs",
                )
                .do_this(BOWLINE_DO));
            }
        }
        Ok(Flow::Goes)
    }

    /// A branch is taken if its condition can be answered from the catalog.
    fn if_statement(&mut self, node: &SyntaxNode) -> Result<Flow> {
        use SyntaxKind as K;
        let elsifs = children(node, K::PLPGSQL_ELSIF_CLAUSE);
        let branches: Vec<SyntaxNode> = std::iter::once(node.clone()).chain(elsifs).collect();
        let is_moot = !self.block_shapes(node) && !returns(node);
        if is_moot {
            return Ok(Flow::Goes);
        }
        for branch in branches {
            let condition = child(&branch, K::PLPGSQL_EXPR);
            let truth = condition.map_or(Truth::Unknown, |condition| self.truth(&condition));
            match truth {
                Truth::True => {
                    let body = child(&branch, K::PLPGSQL_BODY);
                    return body.map_or(Ok(Flow::Goes), |body| self.statements(&body));
                }
                Truth::False => {}
                Truth::Unknown => {
                    return Err(Refused::new(
                        &branch,
                        "whether this runs depends on what only a server can answer",
                    )
                    .do_this(BOWLINE_DO));
                }
            }
        }
        let otherwise =
            child(node, K::PLPGSQL_ELSE_CLAUSE).and_then(|clause| child(&clause, K::PLPGSQL_BODY));
        otherwise.map_or(Ok(Flow::Goes), |body| self.statements(&body))
    }

    /// `EXECUTE` of a text that stands there.
    fn dynamic(&mut self, node: &SyntaxNode) -> Result<()> {
        let literal = node
            .descendants()
            .find(|child| child.kind() == SyntaxKind::TARGET_LIST)
            .and_then(|targets| {
                let mut targets = targets.children();
                let target = targets.next()?.children().next()?;
                (targets.next().is_none()).then_some(target)
            })
            .and_then(|target| constant(&target));
        if literal.is_none() && is_harmless_text(node) {
            return Ok(());
        }
        let Some(sql) = literal.filter(|_| !has(node, SyntaxKind::PLPGSQL_USING_CLAUSE)) else {
            return Err(Refused::new(
                node,
                "the text that this executes is known only when it runs",
            )
            .do_this(BOWLINE_DO));
        };
        let parse = SourceFile::parse(&sql);
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
        Ok(())
    }

    /// Whether anything below could change the catalog.
    pub(super) fn block_shapes(&self, node: &SyntaxNode) -> bool {
        use SyntaxKind as K;
        node.descendants().any(|inner| match inner.kind() {
            K::PLPGSQL_DYN_EXECUTE_STMT => !is_harmless_text(&inner),
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

fn returns(node: &SyntaxNode) -> bool {
    node.descendants()
        .any(|inner| inner.kind() == SyntaxKind::PLPGSQL_RETURN_STMT)
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

/// Whether what is executed begins, in a literal, as a statement that shapes nothing, and is that one alone.
fn is_harmless_text(execute: &SyntaxNode) -> bool {
    const HARMLESS: [&[&str]; 18] = [
        &["create", "trigger"],
        &["create", "constraint", "trigger"],
        &["drop", "trigger"],
        &["grant"],
        &["revoke"],
        &["insert", "into"],
        &["update"],
        &["delete", "from"],
        &["analyze"],
        &["refresh", "materialized", "view"],
        &["alter", "default", "privileges"],
        &["notify"],
        &["create", "role"],
        &["create", "user"],
        &["alter", "role"],
        &["alter", "user"],
        &["drop", "role"],
        &["drop", "user"],
    ];
    let literals: Vec<String> = execute
        .descendants()
        .filter(|node| node.kind() == SyntaxKind::LITERAL)
        .filter_map(|literal| string(&literal))
        .collect();
    let Some(first) = literals.first() else {
        return false;
    };
    // The literal has to be where the text begins: alone, or as the first argument of format().
    let begins = execute
        .descendants()
        .find(|node| node.kind() == SyntaxKind::TARGET)
        .map(|target| tokens(&target).map(|token| token.text().to_ascii_lowercase()))
        .and_then(|mut words| words.find(|word| !matches!(word.as_str(), "format" | "(")));
    let is_at_start = begins.is_some_and(|word| word.starts_with(['\'', '$', 'e']));
    let words: Vec<String> = first
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    let starts = |statement: &&[&str]| {
        words.len() >= statement.len() && words.iter().zip(*statement).all(|(a, b)| a == b)
    };
    let ends_once = literals
        .iter()
        .all(|literal| !literal.trim_end().trim_end_matches(';').contains(';'));
    is_at_start && ends_once && HARMLESS.iter().any(starts)
}

/// A text that is made of literals alone.
fn constant(node: &SyntaxNode) -> Option<String> {
    match node.kind() {
        SyntaxKind::LITERAL => string(node),
        SyntaxKind::PAREN_EXPR => constant(&node.children().next()?),
        SyntaxKind::BIN_EXPR => {
            let operator = child(node, SyntaxKind::CUSTOM_OP)?;
            let operands: Vec<_> = node
                .children()
                .filter(|child| child.kind() != SyntaxKind::CUSTOM_OP)
                .collect();
            let [left, right] = operands.as_slice() else {
                return None;
            };
            let is_joined = tokens(&operator).all(|token| token.text() == "|");
            is_joined.then_some(constant(left)? + &constant(right)?)
        }
        _ => None,
    }
}

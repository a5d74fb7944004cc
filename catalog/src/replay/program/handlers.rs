//! Blocks with EXCEPTION. An error that a handler catches rolls back the block.
//!
//! Errors of DDL are foreseen. A statement about rows may fail only when it runs, so it is refused
//! if a handler would catch its error.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::program::block::is_exception;
use crate::replay::program::evaluate::Datum;
use crate::replay::program::{Program, writes};
use crate::replay::refusal::{Refused, Result};
use crate::replay::syntax::tree::{below, child, children, has, name, path};

/// The kinds of errors that the handlers of a block catch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Caught {
    /// Errors of statements that read or write rows, and of expressions.
    data: bool,
    /// Errors of statements about roles and privileges.
    roles: bool,
    /// A failed ASSERT, caught by name. OTHERS does not catch it.
    assert: bool,
}

/// Conditions that only DDL raises, and not statements about rows.
const OF_DDL: [&str; 12] = [
    "duplicate_object",
    "duplicate_table",
    "duplicate_column",
    "duplicate_schema",
    "duplicate_function",
    "duplicate_alias",
    "duplicate_database",
    "invalid_table_definition",
    "invalid_object_definition",
    "invalid_schema_definition",
    "invalid_foreign_key",
    "dependent_objects_still_exist",
];

impl Caught {
    fn of(handlers: &SyntaxNode) -> Self {
        let mut caught = Self::default();
        for handler in children(handlers, SyntaxKind::PLPGSQL_EXCEPTION_HANDLER) {
            for condition in children(&handler, SyntaxKind::PLPGSQL_CONDITION) {
                let condition = name(&condition).to_ascii_lowercase();
                caught.data |= !OF_DDL.contains(&condition.as_str());
                caught.roles |=
                    !OF_DDL.contains(&condition.as_str()) || condition == "duplicate_object";
                caught.assert |= condition == "assert_failure";
            }
        }
        caught
    }
}

impl Program {
    /// Begins a block with handlers. Returns the number of enclosing ones.
    pub(super) fn enter_handled_block(&mut self, handlers: &SyntaxNode) -> usize {
        let depth = self.handlers.len();
        self.handlers.push(Caught::of(handlers));
        depth
    }

    pub(super) fn leave_handled_block(&mut self, depth: usize) {
        self.handlers.truncate(depth);
    }

    fn catches(&self, what: impl Fn(&Caught) -> bool) -> bool {
        self.handlers.iter().any(what)
    }

    /// Refuses a statement that may or may not fail, if a handler catches that error.
    pub(super) fn is_certain_to_succeed(&self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        if self.handlers.is_empty() {
            return Ok(());
        }
        match node.kind() {
            K::PLPGSQL_RAISE_STMT if is_exception(node) => return Err(raised(node)),
            K::PLPGSQL_ASSERT_STMT => {
                let holds =
                    child(node, K::PLPGSQL_EXPR).and_then(|condition| self.evaluate(&condition));
                return match holds {
                    Some(Datum::Bool(true)) => Ok(()),
                    Some(_) => {
                        Err(Refused::new(node, "this assertion fails").raises("assert_failure"))
                    }
                    None if self.catches(|caught| caught.assert) => Err(uncertain(node)),
                    None => self.data_may_not_fail(node),
                };
            }
            K::PLPGSQL_ASSIGN_STMT | K::PLPGSQL_RETURN_STMT => {
                let value = child(node, K::PLPGSQL_EXPR);
                let is_known = value.is_none_or(|value| self.evaluate(&value).is_some());
                if is_known {
                    return Ok(());
                }
            }
            K::PLPGSQL_PERFORM_STMT
            | K::PLPGSQL_OPEN_STMT
            | K::PLPGSQL_FETCH_STMT
            | K::PLPGSQL_MOVE_STMT
            | K::PLPGSQL_RETURN_NEXT_STMT
            | K::PLPGSQL_RETURN_QUERY_STMT
            | K::ERROR => {}
            K::CREATE_ROLE
            | K::CREATE_USER
            | K::CREATE_GROUP
            | K::DROP_ROLE
            | K::DROP_USER
            | K::DROP_GROUP => {
                return if self.catches(|caught| caught.roles) {
                    Err(uncertain(node))
                } else {
                    Ok(())
                };
            }
            // The existence of a role is not known.
            K::GRANT | K::REVOKE | K::CREATE_POLICY | K::ALTER_DEFAULT_PRIVILEGES
                if !names_a_role(node) =>
            {
                return Ok(());
            }
            K::GRANT
            | K::REVOKE
            | K::SET_ROLE
            | K::SET_SESSION_AUTH
            | K::CREATE_POLICY
            | K::ALTER_DEFAULT_PRIVILEGES => {}
            K::TRUNCATE | K::CREATE_TABLE_AS | K::SELECT_INTO => {}
            K::CALL => return Ok(()),
            kind if writes::may_write(kind) => {}
            K::ALTER_TABLE | K::CREATE_INDEX if self.checks_rows(node) => {}
            _ => return Ok(()),
        }
        self.data_may_not_fail(node)
    }

    /// Refuses a statement that may fail because of rows, if a handler catches that error.
    pub(super) fn data_may_not_fail(&self, node: &SyntaxNode) -> Result<()> {
        if self.catches(|caught| caught.data) {
            return Err(uncertain(node));
        }
        Ok(())
    }

    /// Returns true if a DDL statement reads the rows of a table that may not be empty.
    fn checks_rows(&self, node: &SyntaxNode) -> bool {
        use SyntaxKind as K;
        let reads = node.kind() == K::CREATE_INDEX && has(node, K::UNIQUE_KW)
            || node.descendants().any(|part| {
                matches!(
                    part.kind(),
                    K::PRIMARY_KEY_CONSTRAINT
                        | K::UNIQUE_CONSTRAINT
                        | K::CHECK_CONSTRAINT
                        | K::FOREIGN_KEY_CONSTRAINT
                        | K::REFERENCES_CONSTRAINT
                        | K::EXCLUDE_CONSTRAINT
                        | K::NOT_NULL_CONSTRAINT
                        | K::SET_NOT_NULL
                        | K::VALIDATE_CONSTRAINT
                        | K::SET_TYPE
                )
            });
        let table = node.descendants().find(|part| {
            matches!(
                part.kind(),
                K::RELATION_NAME | K::RELATION_NAME_REF | K::TABLE_NAME_REF
            )
        });
        let table = table.and_then(|table| self.state.find_relation(&path(&table)));
        reads && table.is_none_or(|table| !self.state.is_certainly_empty(&table))
    }
}

/// Returns true if a statement names a role that may be missing.
fn names_a_role(node: &SyntaxNode) -> bool {
    const ALWAYS: [&str; 4] = ["public", "current_user", "session_user", "current_role"];
    below(node, SyntaxKind::ROLE_REF)
        .chain(below(node, SyntaxKind::ROLE))
        .any(|role| !ALWAYS.contains(&name(&role).to_ascii_lowercase().as_str()))
}

fn uncertain(node: &SyntaxNode) -> Refused {
    Refused::new(
        node,
        "whether this fails, which would undo what its block did, is known only when it runs",
    )
    .hint("write what is certain into a block without EXCEPTION, or outside of it")
}

/// Returns the error that RAISE raises, if it has no name of its own.
fn raised(node: &SyntaxNode) -> Refused {
    use SyntaxKind as K;
    let is_named = node.descendants().any(|part| {
        matches!(
            part.kind(),
            K::PLPGSQL_CONDITION | K::PLPGSQL_RAISE_USING_CLAUSE
        )
    }) || child(node, K::PLPGSQL_RAISE_LEVEL).is_none();
    let refused = Refused::new(
        node,
        "this raises an error, and the handler that catches it is not determined",
    );
    if is_named {
        refused
    } else {
        refused.raises("raise_exception")
    }
}

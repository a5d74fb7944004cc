//! What the text of a statement says about its effects; nothing is sent to find out.
//!
//! Knows SQL and nothing else: no connection, no session. Where the text does not tell, each question has the
//! answer that costs a round trip rather than correctness.
//!
//! - [`keywords`]: the kind of a statement, by its first words.
//! - [`read_only`]: whether a query only reads, so that it can be repeated.
//! - [`session_state`]: whether a statement leaves something behind in its session.
//! - [`search_path`]: how a statement changes what names are found by.
//! - [`statement_kinds`] and [`functions`]: the tables behind these questions.
//! - [`single_statement`]: one statement without its semicolons, and whether it can stand in a WITH.

mod functions;
pub(crate) mod keywords;
pub(crate) mod read_only;
pub(crate) mod search_path;
pub(crate) mod session_state;
pub(crate) mod single_statement;
pub(crate) mod statement_kinds;

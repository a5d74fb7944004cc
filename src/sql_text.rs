//! Determines the effects of a statement from its text, without the server.
//!
//! This module is independent of connections and sessions. If the text does not decide a question,
//! the answer is the one that costs a round trip rather than correctness.
//!
//! - [`keywords`]: the kind of a statement, by its first words.
//! - [`read_only`]: whether a query only reads, so that it can be repeated.
//! - [`session_state`]: whether a statement leaves state behind in its session.
//! - [`search_path`]: how a statement changes the search path.
//! - [`statement_kinds`] and [`functions`]: the tables behind these questions.
//! - [`single_statement`]: one statement without its semicolons, and whether it is allowed in a
//!   WITH.

mod functions;
pub(crate) mod keywords;
pub(crate) mod local_setting;
pub(crate) mod read_only;
pub(crate) mod search_path;
pub(crate) mod session_state;
pub(crate) mod single_statement;
pub(crate) mod statement_kinds;

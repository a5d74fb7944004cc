//! PostgreSQL's lexical rules (manual, section 4.1), for all of Bowline.
//!
//! The library, the macros and the command read and write SQL only with this package, so that all
//! of them agree on comments, strings, names and reserved words.
//!
//! - [`tokens`] returns the tokens of a text, [`tokens_and_comments`] includes the comments. A
//!   [`Token`] has a [`Kind`], its text and its byte position. [`Token::is_word`] compares with a
//!   keyword without allocation. [`Token::name`] and [`Token::value`] decode a name and a string.
//! - [`one_line`] writes SQL without the line breaks and comments between its tokens.
//! - [`compose`] writes SQL without the conditions that a call leaves out.
//! - [`statements`] splits a text at its top-level semicolons, [`first_word`] returns the first
//!   word of the first statement.
//! - [`quote::identifier`] and [`quote::literal`] write SQL as `quote_ident` and `quote_literal`
//!   do.
//!
//! No function fails: text that is not SQL has tokens too, and an unterminated string, name or
//! comment extends to the end of the text.
//!
//! ```
//! use bowline_sql::{quote, tokens};
//!
//! let words: Vec<&str> = tokens("SELECT/* a */ 'b;c' -- d").map(|token| token.text()).collect();
//! assert_eq!(words, ["SELECT", "'b;c'"]);
//! assert_eq!(quote::identifier("user"), "\"user\"");
//! assert_eq!(quote::literal("it's"), "'it''s'");
//! ```

#![forbid(unsafe_code)]

mod lexer;
mod one_line;
pub mod quote;
mod shape;
mod statements;

pub use lexer::{Kind, Token, Tokens, string_value, tokens, tokens_and_comments};
pub use one_line::one_line;
pub use shape::{compose, with_braces_twice};
pub use statements::{Statement, Statements, first_word, statements};

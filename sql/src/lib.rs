//! PostgreSQL's lexical rules (manual, section 4.1), for all of Bowline.
//!
//! The run time, the macros and the command read and write SQL text through this package only, so that all
//! of them agree on comments, strings, names and reserved words.
//!
//! - [`tokens`] gives the tokens of a text, [`tokens_and_comments`] the comments too. A [`Token`] has a
//!   [`Kind`], its text and its byte position. [`Token::is_word`] compares with a keyword without
//!   allocation, [`Token::name`] and [`Token::value`] decode a name and a string.
//! - [`one_line`] writes SQL without the line breaks and comments between its tokens.
//! - [`statements`] splits a text at its top-level semicolons, [`first_word`] gives the first word of the
//!   first statement.
//! - [`quote::identifier`] and [`quote::literal`] write SQL as `quote_ident` and `quote_literal` do.
//!
//! Nothing fails: text that is no SQL has tokens too, and what is not ended reaches up to the end.
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
mod statements;

pub use lexer::{Kind, Token, Tokens, string_value, tokens, tokens_and_comments};
pub use one_line::one_line;
pub use statements::{Statement, Statements, first_word, statements};

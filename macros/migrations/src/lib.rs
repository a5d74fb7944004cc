//! A folder of SQL migrations, and the format of the code that is generated from it.
//!
//! The command `bowline` reads the folder when code is generated. The macro
//! `bowline::migrations!` reads it whenever the code is compiled. Both have to read the same.
//!
//! This crate depends only on the lexer, because every crate with generated code compiles it.

mod difference;
mod fingerprint;
mod folder;
mod format;
mod script;

pub use difference::{Difference, differences, differences_of};
pub use fingerprint::{fingerprint, query_fingerprint};
pub use folder::{FolderError, MOVING, Migration, SqlFile, read_folder, read_queries, version_of};
pub use format::{FORMAT, UNNAMED, mismatch};
pub use script::{ScriptError, script};

//! A folder of SQL migrations, and the format of the code that is generated from it.
//!
//! The command `bowline` reads the folder when code is generated. The macro
//! `bowline::migrations!` reads it whenever the code is compiled. Both have to read the same.
//!
//! This crate depends only on the lexer, because every crate with generated code compiles it.

mod backfill;
mod difference;
mod file;
mod fingerprint;
mod flat;
mod folder;
mod format;
mod migration;
mod script;
mod script_error;
mod sections;
mod tool;

pub use backfill::{Backfill, KeyColumn, backfills};
pub use difference::{Difference, differences, differences_of};
pub use file::{FolderError, SqlFile};
pub use fingerprint::{fingerprint, query_fingerprint};
pub use folder::{MOVING, read_folder, read_queries};
pub use format::{FORMAT, UNNAMED, mismatch};
pub use migration::{Migration, version_of};
pub use script::script;
pub use script_error::ScriptError;
pub use tool::Tool;

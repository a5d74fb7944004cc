//! A folder of SQL migrations, and the format of the code that is generated from it.
//!
//! The command `bowline` and the macro `bowline::migrations!` both read the folder, one when code is
//! generated, the other whenever it is compiled; they have to read the same. Nothing else is in here, and
//! it depends on nothing but the lexer, because every crate with generated code compiles it.

mod difference;
mod folder;
mod format;
mod print;
mod script;

pub use difference::{Difference, differences};
pub use folder::{FolderError, Migration, SqlFile, read_folder, version_of};
pub use format::{FORMAT, UNNAMED, mismatch};
pub use print::print;
pub use script::{ScriptError, script};

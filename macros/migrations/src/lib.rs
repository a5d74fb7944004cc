//! A folder of SQL migrations, and what code that was generated from it is compared with.
//!
//! The command `bowline` and the macro `bowline::migrations!` both read the folder, one when code is
//! generated, the other whenever it is compiled; they have to read the same. Nothing else is in here, and
//! it depends on nothing but the lexer, because every crate with generated code compiles it.

mod difference;
mod folder;
mod print;
mod script;

pub use difference::{Difference, differences};
pub use folder::{FolderError, Migration, SqlFile, read_folder, version_of};
pub use print::print;
pub use script::{ScriptError, script};

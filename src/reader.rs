//! Readers: queries on standbys, and how a reader sees what was just written.

pub use crate::database::reader::Reader;
pub use crate::database::write_mark::WriteMark;
pub use crate::statement::ReadStatement;

//! The table in which diesel notes what has run: it is there before the first migration, so a loop over all tables
//! meets it too, as on the server.

use std::path::PathBuf;

use bowline_migrations::SqlFile;

use crate::replay::history::History;
use crate::replay::state::PUBLIC;
use crate::{DIESEL_TABLE, Name, Relation};

/// As diesel makes it.
const COLUMNS: &str = "(version varchar(50) PRIMARY KEY NOT NULL, \
     run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)";

/// Whether a file speaks of it, as a dump does that makes it: then it is the file's.
pub(crate) fn is_named(files: &[&SqlFile]) -> bool {
    files.iter().any(|file| file.text.contains(DIESEL_TABLE))
}

fn name() -> Name {
    Name {
        schema: PUBLIC.to_owned(),
        name: DIESEL_TABLE.to_owned(),
    }
}

impl History {
    pub(crate) fn make_own_table(&mut self) {
        let file = SqlFile {
            path: PathBuf::new(),
            text: format!("CREATE TABLE {DIESEL_TABLE} {COLUMNS};"),
        };
        let mut refusals = Vec::new();
        self.file(&file, &mut refusals);
        debug_assert!(refusals.is_empty(), "{refusals:?}");
    }

    /// The catalog without it.
    pub(crate) fn take_own_table(&mut self) -> Option<Relation> {
        self.program.state.take_relation(&name())
    }

    pub(crate) fn put_back(&mut self, own: Option<Relation>) {
        if let Some(table) = own {
            self.program.state.add_relation(table);
        }
    }
}

//! The table in which diesel records the migrations that have run. It exists before the first
//! migration, so a loop over all tables includes it, as on a server.

use std::path::PathBuf;

use bowline_migrations::SqlFile;

use crate::replay::history::History;
use crate::replay::state::PUBLIC;
use crate::{DIESEL_TABLE, Name, Relation};

/// The definition that diesel uses.
const COLUMNS: &str = "(version varchar(50) PRIMARY KEY NOT NULL, \
     run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)";

/// Returns true if a file names the table, as a dump that creates it does. The files then define
/// it.
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

    /// Removes the table from the catalog, and returns it.
    pub(crate) fn take_own_table(&mut self) -> Option<Relation> {
        self.program.state.take_relation(&name())
    }

    pub(crate) fn put_back(&mut self, own: Option<Relation>) {
        if let Some(table) = own {
            self.program.state.add_relation(table);
        }
    }
}

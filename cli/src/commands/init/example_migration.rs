//! The first migration of a package without any: an example to edit.

use std::path::Path;

use bowline_migrations::version_of;
use chrono::Utc;

use crate::migrations::{Migration, SqlFile, Tool};

const UP: &str = "\
-- An example: write your own tables here, or delete this folder.
CREATE TABLE notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE notes IS 'A text to remember.';
";

const DOWN: &str = "DROP TABLE notes;\n";

/// Returns the example, without writing it.
pub(super) fn migration(folder: &Path) -> Migration {
    let name = format!("{}_create_notes", Utc::now().format("%Y-%m-%d-%H%M%S"));
    let path = folder.join(&name);
    let file = |name: &str, text: &str| SqlFile {
        path: path.join(name),
        text: text.to_owned(),
    };
    Migration {
        version: version_of(&name),
        up: file("up.sql", UP),
        down: Some(file("down.sql", DOWN)),
        run_in_transaction: true,
        tool: Tool::Diesel,
        name,
        path,
    }
}

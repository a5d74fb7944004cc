//! A first migration, for a package that has none: an example to be changed.

use std::path::Path;

use bowline_migrations::version_of;
use chrono::Utc;

use crate::migrations::{Migration, SqlFile};

const UP: &str = "\
-- An example: write your own tables here, or remove this folder.
CREATE TABLE notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE notes IS 'What somebody wants to remember.';
";

const DOWN: &str = "DROP TABLE notes;\n";

/// The example, which is not written yet.
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
        name,
        path,
    }
}

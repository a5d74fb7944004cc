//! `bowline schema`: a schema as a picture.

use std::collections::BTreeMap;

use clap::Args;

use crate::catalog::replay::replay_each;
use crate::catalog::{Catalog, Name};
use crate::diagram::{Diagram, html, mermaid};
use crate::error::CliError;
use crate::migrations::read_folder;
use crate::project::Project;
use crate::source::{Fallback, Source};
use crate::ui;

/// Print a diagram of the tables and their foreign keys.
///
/// --html is one self-contained page with every table, column, key and comment, and the migration that last
/// changed each table; --mermaid is text that viewers of Markdown draw.
///
/// Example: bowline schema --html > schema.html
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Where the schema is: migrations, migrations@VERSION, a postgres:// URL, a file .json or .sql.
    #[arg(default_value = "migrations", value_parser = Source::parse)]
    source: Source,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    fallback: Fallback,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Form {
    /// A page of HTML.
    #[arg(long)]
    html: bool,
    /// Mermaid's erDiagram.
    #[arg(long)]
    mermaid: bool,
}

pub(crate) fn run(arguments: &Schema, project: &Project) -> Result<(), CliError> {
    let catalog = arguments.source.catalog(project, &arguments.fallback)?;
    let changed_by = match &arguments.source {
        Source::Migrations(version) => last_changes(project, version.as_deref())?,
        _ => BTreeMap::new(),
    };
    let diagram = Diagram::new(&catalog, &changed_by);
    if arguments.form.mermaid {
        ui::text(&mermaid(&diagram));
    } else {
        let title = project.root.file_name();
        let title = title.map_or("schema".into(), |name| name.to_string_lossy());
        ui::text(&html(&diagram, &title));
    }
    Ok(())
}

/// The migration after which each relation was as it is.
fn last_changes(
    project: &Project,
    version: Option<&str>,
) -> Result<BTreeMap<Name, String>, CliError> {
    let migrations = read_folder(&project.migrations)?;
    let migrations = crate::source::up_to(&migrations, version)?;
    let mut before = Catalog::default();
    let mut changed_by = BTreeMap::new();
    replay_each(migrations, |migration, after| {
        for (name, relation) in &after.relations {
            if before.relations.get(name) != Some(relation) {
                changed_by.insert(name.clone(), migration.name.clone());
                before.relations.insert(name.clone(), relation.clone());
            }
        }
        before
            .relations
            .retain(|name, _| after.relations.contains_key(name));
    });
    Ok(changed_by)
}

//! `bowline migrate baseline`.

use bowline::__generated::migrating::Origin;
use clap::Args;

use super::Work;
use crate::commands::diff;
use crate::error::CliError;
use crate::introspect::{ComparisonServer, introspect};
use crate::project::Project;
use crate::source::{Fallback, of_migrations, up_to};
use crate::ui;
use bowline_catalog::compare::{EqualTexts, compare_with};

/// Record the migrations up to VERSION as run, on a database that has their changes already.
///
/// For a database that was made without them, or whose record is lost. First compares the schema of
/// the database with the one that these migrations make, as `bowline drift` does, and records
/// nothing if they differ. Nothing else in the database is changed.
///
/// Example: bowline migrate baseline 2026-01-31-120000
#[derive(Debug, Args)]
pub(super) struct Baseline {
    /// The version, with or without -, or the name of the folder.
    version: String,
    /// Record them although the schemas differ; the differences are printed.
    #[arg(long)]
    accept_differences: bool,
    /// Use no other server, even if a migration cannot be followed.
    #[arg(long)]
    offline: bool,
}

pub(super) fn run(
    arguments: &Baseline,
    work: &mut Work<'_>,
    project: &Project,
) -> Result<(), CliError> {
    let kept = up_to(work.migrations, Some(&arguments.version))?;
    let expected = of_migrations(kept, project, &Fallback::local(arguments.offline))?;
    work.locked(|locked| {
        let found = introspect(locked.session)?;
        let comparison = compare_with(
            &expected,
            &found,
            Some(&mut ComparisonServer::with_catalog(locked.session)),
            &mut EqualTexts::default(),
        );
        let same = diff::report(
            (&expected, "the migrations"),
            (&found, "the database"),
            comparison,
            diff::Form::of(false, false),
        );
        match same {
            Err(differences) if arguments.accept_differences => ui::note(differences.message),
            Err(differences) => {
                return Err(differences.hint(
                    "choose the version that the database is at, or record it as it is with \
                     --accept-differences",
                ));
            }
            Ok(()) => {}
        }
        let records: Vec<_> = kept
            .iter()
            .map(|migration| (migration.record(), None))
            .collect();
        let count = locked
            .table
            .record(locked.session, &records, Origin::Baseline)?;
        let all = ui::counted(kept.len(), "migration");
        ui::status(format!("{all}, {count} recorded as run now"));
        Ok(())
    })
}

//! Statements that change no schema, and still fail if what they name is not there: INSERT, UPDATE
//! and the like, CREATE STATISTICS, TRUNCATE, and the body of a function in SQL.

use bowline_migrations::SqlFile;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::analysis;
use crate::replay::history::History;
use crate::replay::refusal::Refused;
use crate::replay::state::State;
use crate::replay::syntax::tree::{child, is_of_rows, path, text};
use crate::replay::watch::Watch;
use crate::replay::{Refusal, Replayed, on_a_deep_stack, own_table};

/// Replays the files of a base, and after them each of these lists of files, which may end at
/// different catalogs. The refusals include the statements of a list that name what is not there.
///
/// # Panics
/// If no thread can be started.
pub(crate) fn replay_each_after(base: &[&SqlFile], lists: &[Vec<&SqlFile>]) -> Vec<Replayed> {
    on_a_deep_stack(|| {
        let mut begun = History::default();
        let mut refusals = Vec::new();
        let files = base.iter().chain(lists.iter().flatten());
        if !own_table::is_named(&files.copied().collect::<Vec<_>>()) {
            begun.make_own_table();
        }
        for file in base {
            begun.begin_migration();
            begun.file(file, &mut refusals);
        }
        let ended = lists.iter().map(|files| {
            let mut history = begun.clone();
            let mut refusals = refusals.clone();
            let mut faults = Vec::new();
            for file in files {
                history.begin_migration();
                let faults = &mut faults;
                history.watched_file(file, &mut refusals, &mut Named { file, faults });
            }
            history.take_own_table();
            for fault in faults {
                let is_in_it = |known: &Refusal| {
                    known.file == fault.file
                        && known.span.start < fault.span.end
                        && fault.span.start < known.span.end
                };
                if !refusals.iter().any(is_in_it) {
                    refusals.push(fault);
                }
            }
            history.finish(refusals)
        });
        ended.collect()
    })
}

struct Named<'a> {
    file: &'a SqlFile,
    faults: &'a mut Vec<Refusal>,
}

impl Watch for Named<'_> {
    fn begin(&mut self, _: usize, _: &State) {}

    fn before(&mut self, _: &SyntaxNode, _: &State) -> bool {
        false
    }

    fn after(&mut self, node: &SyntaxNode, _: Option<State>, state: &State) {
        let file = self.file;
        if let Some(refused) = fault(state, node, &file.text) {
            self.faults.push(Refusal {
                file: file.path.clone(),
                source: file.text.clone(),
                span: refused.span,
                why: refused.why,
                hint: refused.hint,
            });
        }
    }
}

/// Returns the error that PostgreSQL raises for a statement which changes no schema.
fn fault(state: &State, node: &SyntaxNode, file: &str) -> Option<Refused> {
    use SyntaxKind as K;
    match node.kind() {
        kind if is_of_rows(kind) => analysis::fault(state, node),
        K::CREATE_STATISTICS => {
            let columns = text(&child(node, K::STATISTICS_ON_CLAUSE)?);
            let (_, columns) = columns.split_at_checked("ON".len())?;
            let table = text(&child(node, K::FROM_TABLE)?);
            let refused = analysis::fault_of_text(state, &format!("SELECT {columns} {table}"))?;
            Some(at(node, refused))
        }
        K::TRUNCATE
        | K::LOCK
        | K::ANALYZE
        | K::VACUUM
        | K::CLUSTER
        | K::REINDEX
        | K::REFRESH
        | K::CREATE_PUBLICATION
        | K::ALTER_PUBLICATION => {
            let is_relation = |part: &SyntaxNode| {
                matches!(
                    part.kind(),
                    K::TABLE_NAME_REF | K::RELATION_NAME_REF | K::VIEW_REF
                )
            };
            let mut relations = node.descendants().filter(is_relation);
            relations.find_map(|relation| {
                let parts = path(&relation);
                let is_there =
                    state.find_relation(&parts).is_some() || state.find_gap(&parts).is_some();
                let why = format!("there is no table {}", parts.join("."));
                (!is_there).then(|| Refused::error(&relation, why))
            })
        }
        K::CREATE_FUNCTION | K::CREATE_PROCEDURE if !file.contains("check_function_bodies") => {
            analysis::fault_of_body(state, node).map(|refused| at(node, refused))
        }
        _ => None,
    }
}

/// Returns a refusal of a part of a statement's text, at the whole statement.
fn at(node: &SyntaxNode, refused: Refused) -> Refused {
    let range = node.text_range();
    Refused {
        span: range.start().into()..range.end().into(),
        ..refused
    }
}

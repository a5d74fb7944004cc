//! Every arm of replay is needed: if any one of them is switched off, some history has another
//! result.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::strategy::{Strategy as _, ValueTree as _};
use squawk_syntax::{SourceFile, SyntaxKind};

use super::histories::{disagreement_without, number, runner, session_of_its_own, take};
use super::statements::{history, one_of_each};

/// The files of replay whose arms change the catalog. The others read names, analyze queries, or
/// decide which statements are refused.
const FILES: [&str; 28] = [
    "ddl.rs",
    "history.rs",
    "program.rs",
    "ddl/alter_column.rs",
    "ddl/alter_table.rs",
    "ddl/column.rs",
    "ddl/comment.rs",
    "ddl/composite.rs",
    "ddl/constraint.rs",
    "ddl/domain.rs",
    "ddl/drop.rs",
    "ddl/extension.rs",
    "ddl/foreign_key.rs",
    "ddl/identity.rs",
    "ddl/index.rs",
    "ddl/like.rs",
    "ddl/partition.rs",
    "ddl/schema.rs",
    "ddl/sequence.rs",
    "ddl/table.rs",
    "ddl/types.rs",
    "ddl/view.rs",
    "state/lookup.rs",
    "state/sequence.rs",
    "state/temporary.rs",
    "syntax/clause.rs",
    "syntax/index.rs",
    "syntax/schema.rs",
];

/// Returns every kind of syntax that these files name.
pub(super) fn arms() -> BTreeSet<SyntaxKind> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/replay");
    let mut named = BTreeSet::new();
    for file in FILES {
        let text = std::fs::read_to_string(folder.join(file)).expect("the source of replay");
        for (at, _) in text
            .match_indices("K::")
            .chain(text.match_indices("SyntaxKind::"))
        {
            let rest = text[at..].split("::").nth(1).unwrap_or_default();
            let end = rest.find(|c: char| !(c.is_ascii_uppercase() || c == '_'));
            named.insert(rest[..end.unwrap_or(rest.len())].to_owned());
        }
    }
    let kinds = (0..=u16::from(SyntaxKind::__LAST) - 1).map(SyntaxKind::from);
    kinds
        .filter(|kind| named.contains(&format!("{kind:?}")))
        .collect()
}

/// Returns the number of times that each arm occurs in a statement.
pub(super) fn count(
    statement: &str,
    arms: &BTreeSet<SyntaxKind>,
    counts: &mut BTreeMap<SyntaxKind, usize>,
) {
    let parse = SourceFile::parse(statement);
    let below = parse.syntax_node().descendants_with_tokens();
    for kind in below
        .map(|part| part.kind())
        .filter(|kind| arms.contains(kind))
    {
        *counts.entry(kind).or_default() += 1;
    }
}

#[test]
fn switching_off_any_arm_of_replay_is_noticed() {
    let (_server, mut session) = session_of_its_own("arms");
    let version = take(&mut session, &[]).version;
    let mut open = arms();
    open.retain(|arm| !EXEMPT.iter().any(|(_, exempt)| exempt.contains(arm)));
    if version < 18 {
        open.retain(|arm| !SINCE_18.contains(arm));
    }
    let strategy = history(version);
    let mut runner = runner(1);
    let most = number("BOWLINE_ARMS", 900);
    let random = std::iter::repeat_with(|| {
        let tree = strategy.new_tree(&mut runner).expect("a history");
        tree.current()
    });
    let random = random.take(most as usize);
    let mut histories = 0;
    for history in one_of_each(version).chain(random) {
        if open.is_empty() {
            break;
        }
        histories += 1;
        let statements: Vec<String> = history.into_iter().map(|one| one.0).collect();
        let mut used = BTreeMap::new();
        for statement in &statements {
            count(statement, &open, &mut used);
        }
        // A history is examined only if it contains an arm that no earlier history has shown to be
        // needed.
        if used.is_empty() {
            continue;
        }
        let taken = take(&mut session, &statements);
        used.clear();
        for statement in &taken.statements {
            count(statement, &open, &mut used);
        }
        for arm in used.into_keys() {
            if disagreement_without(&taken, Some(arm)).is_some() {
                open.remove(&arm);
            }
        }
    }
    eprintln!("{histories} histories");
    assert_eq!(
        open,
        BTreeSet::new(),
        "these could be left out, and nothing would show it"
    );
}

/// The arms that no history can show to be needed, each with the reason.
const EXEMPT: [(&str, &[SyntaxKind]); 8] = {
    use SyntaxKind as K;
    [
        (
            "how a table is kept and guarded shapes nothing, so there is nothing to leave out",
            &[
                K::ALTER_OPTION_LIST,
                K::CLUSTER_ON,
                K::DEPENDS_ON_EXTENSION,
                K::DISABLE_RLS,
                K::DISABLE_RULE,
                K::DISABLE_TRIGGER,
                K::ENABLE_ALWAYS_RULE,
                K::ENABLE_ALWAYS_TRIGGER,
                K::ENABLE_REPLICA_RULE,
                K::ENABLE_REPLICA_TRIGGER,
                K::ENABLE_RLS,
                K::ENABLE_RULE,
                K::ENABLE_TRIGGER,
                K::FORCE_RLS,
                K::NO_DEPENDS_ON_EXTENSION,
                K::NO_FORCE_RLS,
                K::OPTION_ITEM_LIST,
                K::OWNER_TO,
                K::PROPERTY_COMPRESSION,
                K::PROPERTY_STATISTICS,
                K::PROPERTY_STORAGE,
                K::REPLICA_IDENTITY,
                K::RESET_OPTIONS,
                K::SET_ACCESS_METHOD,
                K::SET_COMPRESSION,
                K::SET_LOGGED,
                K::SET_OPTIONS,
                K::SET_OPTIONS_LIST,
                K::SET_STATISTICS,
                K::SET_STORAGE,
                K::SET_TABLESPACE,
                K::SET_UNLOGGED,
                K::SET_WITHOUT_CLUSTER,
                K::SET_WITHOUT_OIDS,
            ],
        ),
        (
            "a sequence's next value is not part of a catalog, nor what the default of a view's column is",
            &[K::RESTART, K::ALTER_VIEW_COLUMN],
        ),
        (
            "they are there to refuse",
            &[
                K::ALTER_DATABASE,
                K::ALTER_ROLE,
                K::ALTER_USER,
                K::CREATE_KW,
                K::CREATE_RULE,
                K::CREATE_TRIGGER,
                K::GRANT,
                K::RESET_ROLE,
                K::RESET_SESSION_AUTH,
                K::SELECT_KW,
                K::SEMICOLON,
                K::SET_ROLE,
                K::SET_SESSION_AUTH,
            ],
        ),
        (
            "the histories run in a transaction, where no server takes it",
            &[K::CONCURRENTLY_KW, K::DISCARD],
        ),
        (
            "a procedure that was dropped is not called, and one made anew takes its place",
            &[K::DROP_PROCEDURE, K::PROCEDURE_SIG],
        ),
        (
            "reading stops there, so there is nothing behind it to miss",
            &[K::L_PAREN],
        ),
        (
            "temporary tables are gone by the end, so only a second migration shows when",
            &[K::ON_COMMIT, K::DROP],
        ),
        (
            "RESTRICT says what is so anyway; a name that stands in another node is found there too",
            &[K::RESTRICT, K::RELATION_NAME],
        ),
    ]
};

/// The arms of statements that only PostgreSQL 18 and later accept.
const SINCE_18: [SyntaxKind; 5] = {
    use SyntaxKind as K;
    [
        K::NOT_ENFORCED,
        K::ENFORCED,
        K::SET_EXPRESSION,
        K::PERIOD_COLUMN,
        K::WITHOUT_OVERLAPS,
    ]
};

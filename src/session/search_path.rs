//! What the names in a session's SQL are found by, as far as its own statements tell.
//!
//! PostgreSQL tells of a new search path from version 18 on. Before, the statements that set one are read: SET,
//! RESET, `set_config`, and those that change the role, by which `"$user"` in the path is another schema. What a
//! function sets is not seen; then a statement that rests on a type of the other path fails, and is made anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bowline_sql::{Token, first_word, quote, statements, tokens};

use super::libpq::BoundValue;
use super::types::Path;

/// The search path: that of the session's start, unless a statement has set another.
#[derive(Debug, Default)]
pub(super) struct SearchPath {
    now: Setting,
    /// What is in effect once the transaction has been committed.
    session: Setting,
    /// For each open transaction: its depth, and what both were when it began.
    saved: Vec<(u32, Setting, Setting)>,
    /// What the server told first and last.
    reported: Option<(String, String)>,
    /// Whether a transaction that was begun by hand set something for the session.
    is_in_doubt: bool,
}

/// SQL that makes names be found so, for one transaction; nothing is as at the session's start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Setting {
    path: Option<Arc<str>>,
    role: Option<Arc<str>>,
}

/// What a statement changes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// For the transaction, not for the session.
    is_local: bool,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// This SQL would do the same for a transaction.
    Path(String),
    Role(String),
    PathAsAtStart,
    RoleAsAtStart,
    AllAsAtStart,
    /// To something that the SQL does not tell.
    Unknown,
    /// Back to what it was at a savepoint that was made by hand.
    PartUndone,
}

/// Begins the key of a path that nobody knows; no SQL begins so.
const UNKNOWN: &str = "?";

impl Setting {
    /// The key under which types are known.
    pub(crate) fn key(&self) -> Path {
        match (&self.path, &self.role) {
            (None, None) => Path::default(),
            (Some(one), None) | (None, Some(one)) => Arc::clone(one),
            (Some(path), Some(role)) => format!("{role};{path}").into(),
        }
    }

    /// What it is after a change.
    pub(crate) fn change(&mut self, change: &Change) {
        match &change.what {
            What::Path(sql) => self.path = Some(sql.as_str().into()),
            What::Role(sql) => self.role = Some(sql.as_str().into()),
            What::PathAsAtStart => self.path = None,
            What::RoleAsAtStart => self.role = None,
            What::AllAsAtStart => *self = Self::default(),
            What::Unknown => self.path = Some(unknown()),
            What::PartUndone => {}
        }
    }
}

/// A key that no other session has given to a path that nobody knows.
fn unknown() -> Arc<str> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{UNKNOWN}{number}").into()
}

impl SearchPath {
    /// What is in effect.
    pub(super) fn setting(&self) -> &Setting {
        &self.now
    }

    /// The key of what is in effect.
    pub(super) fn now(&self) -> Path {
        self.now.key()
    }

    /// The SQL that sets a path for one transaction, statement by statement; nothing for the one in effect.
    pub(super) fn set_for_a_moment(&self, path: &Path) -> Vec<String> {
        if *path == self.now() || path.starts_with(UNKNOWN) {
            return Vec::new();
        }
        if path.is_empty() {
            return vec![
                "SET LOCAL ROLE NONE".to_owned(),
                "SET LOCAL search_path TO DEFAULT".to_owned(),
            ];
        }
        statements(path)
            .map(|statement| statement.text().to_owned())
            .collect()
    }

    /// A statement was run that changes it; within a transaction or not.
    pub(super) fn ran(&mut self, change: &Change, is_in_transaction: bool) {
        if change.is_local && !is_in_transaction {
            return;
        }
        if change.what == What::PartUndone {
            let at_begin = self.saved.first().map(|(_, now, _)| now);
            if at_begin != Some(&self.now) {
                self.now.path = Some(unknown());
            }
            return;
        }
        self.now.change(change);
        if !change.is_local {
            self.session = self.now.clone();
            self.is_in_doubt |= is_in_transaction && self.saved.is_empty();
        }
    }

    /// A transaction begins at this depth.
    pub(super) fn begin(&mut self, depth: u32) {
        self.saved
            .push((depth, self.now.clone(), self.session.clone()));
    }

    /// The transaction of this depth was rolled back, or all of them at depth 0.
    pub(super) fn rolled_back(&mut self, depth: u32) {
        while let Some((saved, now, session)) = self.saved.pop_if(|(saved, ..)| *saved >= depth) {
            (self.now, self.session) = (now, session);
            if saved == depth {
                break;
            }
        }
    }

    /// The transaction of this depth was committed, or all of them at depth 0.
    pub(super) fn committed(&mut self, depth: u32) {
        self.saved.retain(|(saved, ..)| *saved < depth);
        if self.saved.is_empty() {
            self.now = self.session.clone();
        }
    }

    /// The server has no transaction open.
    pub(super) fn is_idle(&mut self) {
        if !self.saved.is_empty() {
            return;
        }
        if std::mem::take(&mut self.is_in_doubt) {
            // It was committed or rolled back.
            self.session.path = Some(unknown());
        }
        if self.now != self.session {
            self.now = self.session.clone();
        }
    }

    /// It is as at the session's start.
    pub(super) fn reset(&mut self) {
        let reported = self.reported.take();
        *self = Self {
            reported: reported.map(|(first, _)| (first.clone(), first)),
            ..Self::default()
        };
    }

    /// The server tells its search path by itself.
    pub(super) fn told(&mut self, path: Option<String>) {
        let Some(path) = path else { return };
        let Some((first, last)) = &mut self.reported else {
            self.reported = Some((path.clone(), path));
            return;
        };
        if *last != path {
            self.now.path = (*first != path).then(|| set(&path).into());
            *last = path;
        }
    }
}

/// The SQL that sets a path, as text of the setting, for a transaction.
fn set(path: &str) -> String {
    format!(
        "SELECT pg_catalog.set_config('search_path', {}, true)",
        quote::literal(path)
    )
}

impl Change {
    /// What a statement with these values changes; nothing, nearly always.
    pub(crate) fn of(sql: &str, values: &[BoundValue]) -> Option<Self> {
        if !mentions(sql) {
            return None;
        }
        let first = first_word(sql)?;
        let mut words = tokens(sql)
            .skip_while(|token| token.start() != first.start())
            .skip(1);
        match &*first.text().to_ascii_uppercase() {
            "SET" => Self::of_set(&mut words),
            "RESET" => {
                let what = words.next()?;
                Self::whole(if what.is_word("all") {
                    What::AllAsAtStart
                } else if what.is_name("search_path") {
                    What::PathAsAtStart
                } else if what.is_name("role") || what.is_word("session") {
                    What::RoleAsAtStart
                } else {
                    return None;
                })
            }
            "DISCARD" => words
                .next()?
                .is_word("all")
                .then_some(())
                .and_then(|()| Self::whole(What::AllAsAtStart)),
            "SELECT" | "WITH" | "VALUES" | "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "EXPLAIN" => {
                Self::of_calls(sql, values)
            }
            "DO" | "CALL" => Self::whole(What::Unknown),
            "ROLLBACK" => words.any(|word| word.is_word("to")).then_some(Self {
                is_local: true,
                what: What::PartUndone,
            }),
            _ => None,
        }
    }

    /// What a script changes, statement by statement; what it does in transactions of its own is not followed.
    pub(crate) fn of_script(sql: &str) -> Vec<Self> {
        if !mentions(sql) {
            return Vec::new();
        }
        let all: Vec<_> = statements(sql).map(|statement| statement.text()).collect();
        let changes: Vec<_> = all.iter().filter_map(|sql| Self::of(sql, &[])).collect();
        let is_control = |sql: &&str| {
            first_word(sql).is_some_and(|word| {
                word.is_one_of(&[
                    "begin",
                    "start",
                    "commit",
                    "end",
                    "rollback",
                    "abort",
                    "savepoint",
                ])
            })
        };
        if !changes.is_empty() && all.iter().any(is_control) {
            return Self::whole(What::Unknown).into_iter().collect();
        }
        changes
    }

    fn whole(what: What) -> Option<Self> {
        Some(Self {
            is_local: false,
            what,
        })
    }

    /// SET [SESSION | LOCAL] search_path, SCHEMA, ROLE, SESSION AUTHORIZATION.
    fn of_set<'a>(words: &mut impl Iterator<Item = Token<'a>>) -> Option<Self> {
        let mut next = words.next()?;
        let is_local = next.is_word("local");
        let is_session = next.is_word("session");
        if is_local || is_session {
            next = words.next()?;
        }
        let change = |what| Some(Self { is_local, what });
        if next.is_name("search_path") {
            let mut values: Vec<_> = words.collect();
            if values.first()?.is("=") || values.first()?.is_word("to") {
                values.remove(0);
            }
            if values.first()?.is_word("default") {
                return change(What::PathAsAtStart);
            }
            let list: Option<Vec<_>> = values
                .iter()
                .filter(|token| !token.is(",") && !token.is(";"))
                .map(|token| {
                    let name = token.value().or_else(|| token.name())?;
                    Some(quote::identifier(&name))
                })
                .collect();
            return change(list.map_or(What::Unknown, |list| What::Path(set(&list.join(", ")))));
        }
        if next.is_word("schema") {
            let name = words.next()?;
            let name = name.value();
            return change(name.map_or(What::Unknown, |name| {
                What::Path(set(&quote::identifier(&name)))
            }));
        }
        // SET SESSION AUTHORIZATION, with or without another SESSION or LOCAL before it.
        let is_authorization = next.is_word("authorization") && is_session;
        let is_role = next.is_word("role");
        if next.is_word("session") {
            words.next().filter(|word| word.is_word("authorization"))?;
        } else if !is_authorization && !is_role {
            return None;
        }
        let name = words.next()?;
        if name.is_word("default") || (is_role && name.is_word("none")) {
            return change(What::RoleAsAtStart);
        }
        let kind = if is_role {
            "ROLE"
        } else {
            "SESSION AUTHORIZATION"
        };
        let name = name.value().or_else(|| name.name());
        change(name.map_or(What::Unknown, |name| {
            What::Role(format!("SET LOCAL {kind} {}", quote::identifier(&name)))
        }))
    }

    /// Calls of `set_config`, if it is known what they are about; the last one counts.
    fn of_calls(sql: &str, values: &[BoundValue]) -> Option<Self> {
        let all: Vec<_> = tokens(sql).collect();
        let is_plain = all.iter().all(|token| {
            !token.is_one_of(&[
                "from", "where", "case", "union", "with", "limit", "insert", "update", "delete",
            ])
        });
        let text = |token: &Token<'_>| -> Option<String> {
            if let Some(value) = token.value() {
                return Some(value.into_owned());
            }
            let number: usize = token.text().strip_prefix('$')?.parse().ok()?;
            let value = values.get(number.checked_sub(1)?)?.as_ref()?;
            String::from_utf8(value.clone()).ok()
        };
        let flag = |token: &Token<'_>| {
            if token.is_word("true") || token.is_word("false") {
                return Some(token.is_word("true"));
            }
            match &*text(token)? {
                "\u{1}" | "t" | "true" | "on" => Some(true),
                "\0" | "f" | "false" | "off" => Some(false),
                _ => None,
            }
        };
        let mut found = None;
        for (at, token) in all.iter().enumerate() {
            if !token.is_name("set_config") || !all.get(at + 1).is_some_and(|next| next.is("(")) {
                continue;
            }
            let argument = |number: usize, end: &str| {
                let value = all.get(at + 2 + 2 * number)?;
                all.get(at + 3 + 2 * number)?.is(end).then_some(value)
            };
            let name = argument(0, ",").and_then(text);
            let is_path = name
                .as_deref()
                .map(|name| name.eq_ignore_ascii_case("search_path"));
            let is_role = name
                .as_deref()
                .map(|name| name.eq_ignore_ascii_case("role"));
            if is_path == Some(false) && is_role == Some(false) {
                continue;
            }
            let what = match (argument(1, ",").and_then(text), is_path) {
                (Some(path), Some(true)) if is_plain => What::Path(set(&path)),
                (Some(role), Some(false)) if is_plain && role.eq_ignore_ascii_case("none") => {
                    What::RoleAsAtStart
                }
                (Some(role), Some(false)) if is_plain => {
                    What::Role(format!("SET LOCAL ROLE {}", quote::identifier(&role)))
                }
                _ => What::Unknown,
            };
            found = Some(match argument(2, ")").and_then(flag) {
                Some(is_local) => Self { is_local, what },
                None => Self {
                    is_local: false,
                    what: What::Unknown,
                },
            });
        }
        found
    }
}

/// Whether a text may set a path or a role: a word of those that such statements have.
fn mentions(sql: &str) -> bool {
    const WORDS: [&str; 6] = [
        "search_path",
        "set_config",
        "schema",
        "role",
        "authorization",
        "all",
    ];
    let is_set = |token: &Token<'_>| token.is_one_of(&["set", "reset", "discard", "do", "call"]);
    let is_rollback = |token: &Token<'_>| token.is_word("rollback");
    has(sql, "set_config")
        || has(sql, "search_path")
        || first_word(sql).as_ref().is_some_and(is_rollback)
        || (first_word(sql).as_ref().is_some_and(is_set) || sql.contains(';'))
            && WORDS.iter().any(|word| has(sql, word))
}

/// Whether a text holds a word in upper or lower case.
fn has(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let first = word.first().copied().unwrap_or_default();
    text.windows(word.len()).any(|window| {
        window
            .first()
            .is_some_and(|byte| byte.to_ascii_lowercase() == first)
            && window.eq_ignore_ascii_case(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key after a statement, and whether it holds for the transaction only; `None` where nothing changes.
    fn after(sql: &str, values: &[&str]) -> Option<(String, bool)> {
        let values: Vec<_> = values
            .iter()
            .map(|value| Some(value.as_bytes().to_vec()))
            .collect();
        let change = Change::of(sql, &values)?;
        let mut setting = Setting::default();
        setting.change(&change);
        Some((setting.key().to_string(), change.is_local))
    }

    fn path(path: &str) -> String {
        set(path)
    }

    #[test]
    fn a_search_path_that_a_statement_sets_is_told_from_its_text() {
        for (sql, values, expected, is_local) in [
            ("SET search_path TO ta, public", vec![], "ta, public", false),
            (
                "set local Search_Path = \"Ta\", 'public'",
                vec![],
                "\"Ta\", public",
                true,
            ),
            (
                "/* a */ SET SESSION search_path TO E'ta';",
                vec![],
                "ta",
                false,
            ),
            ("SET SCHEMA 'ta'", vec![], "ta", false),
            (
                "SELECT set_config('search_path', 'ta', true)",
                vec![],
                "ta",
                true,
            ),
            (
                "SELECT pg_catalog.set_config('search_path', $1, $2)",
                vec!["tb", "\u{1}"],
                "tb",
                true,
            ),
            (
                "SELECT SET_CONFIG($1, $2, false)",
                vec!["search_path", "tb"],
                "tb",
                false,
            ),
        ] {
            assert_eq!(
                after(sql, &values),
                Some((path(expected), is_local)),
                "{sql}"
            );
        }
        assert_eq!(
            after("SET LOCAL ROLE ann", &[]),
            Some(("SET LOCAL ROLE ann".to_owned(), true))
        );
        for start in [
            "RESET search_path",
            "SET search_path TO DEFAULT",
            "DISCARD ALL",
            "RESET ALL",
            "RESET ROLE",
            "SET ROLE NONE",
        ] {
            assert_eq!(after(start, &[]), Some((String::new(), false)), "{start}");
        }
        for unknown in [
            "SELECT set_config('search_path', x, true) FROM t",
            "SELECT set_config('search_path', 'a' || 'b', true)",
            "DO $$ BEGIN SET search_path TO x; END $$",
        ] {
            let (key, _) = after(unknown, &[]).expect("a change");
            assert!(key.starts_with(UNKNOWN), "{unknown}: {key}");
        }
        for nothing in [
            "SELECT 1",
            "SELECT set_config('app.x', $1, true)",
            "SELECT 'SET search_path TO x'",
            "SHOW search_path",
            "SELECT current_setting('search_path')",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path TO x AS 'SELECT 1'",
            "SET LOCAL statement_timeout TO '1s'",
            "SELECT \"set_config\", all, role FROM schema",
        ] {
            assert_eq!(after(nothing, &[]), None, "{nothing}");
        }
    }

    #[test]
    fn what_the_server_tells_counts() {
        let mut search_path = SearchPath::default();
        let mut told = |path: &str| {
            search_path.told(Some(path.to_owned()));
            search_path.now()
        };
        assert!(told("\"$user\", public").is_empty());
        assert_eq!(*told("ta"), *set("ta"));
        assert_eq!(*told("ta"), *set("ta"));
        assert!(told("\"$user\", public").is_empty());
    }

    #[test]
    fn a_savepoint_made_by_hand_may_undo_a_path() {
        let change = |sql| Change::of(sql, &[]).expect("a change");
        let mut search_path = SearchPath::default();
        search_path.begin(1);
        search_path.ran(&change("ROLLBACK TO SAVEPOINT a"), true);
        assert!(search_path.now().is_empty());
        search_path.ran(&change("SET LOCAL search_path TO ta"), true);
        search_path.ran(&change("ROLLBACK WORK TO a"), true);
        assert!(search_path.now().starts_with(UNKNOWN));
        search_path.rolled_back(1);
        assert!(search_path.now().is_empty());
    }

    #[test]
    fn a_path_ends_with_its_transaction() {
        let change = |sql| Change::of(sql, &[]).expect("a change");
        let mut search_path = SearchPath::default();
        search_path.begin(1);
        search_path.ran(&change("SET LOCAL search_path TO ta"), true);
        assert_eq!(*search_path.now(), *set("ta"));
        search_path.begin(2);
        search_path.ran(&change("SET search_path TO tb"), true);
        search_path.rolled_back(2);
        assert_eq!(*search_path.now(), *set("ta"));
        search_path.begin(2);
        search_path.ran(&change("SET search_path TO tc"), true);
        search_path.committed(2);
        assert_eq!(*search_path.now(), *set("tc"));
        search_path.committed(1);
        assert_eq!(*search_path.now(), *set("tc"));
        search_path.ran(&change("RESET search_path"), false);
        assert!(search_path.now().is_empty());
        // What is local needs a transaction.
        search_path.ran(&change("SET LOCAL search_path TO ta"), false);
        assert!(search_path.now().is_empty());
        // One that was begun by hand may have been rolled back.
        search_path.ran(&change("SET search_path TO ta"), true);
        search_path.is_idle();
        assert!(search_path.now().starts_with(UNKNOWN));
    }
}

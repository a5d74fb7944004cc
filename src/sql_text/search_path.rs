//! Statements that change how names without a schema are resolved: by the search path and the role.
//!
//! PostgreSQL reports a new search path from version 18 on. For earlier versions, this module
//! recognizes the statements that set one: `SET`, `RESET`, `set_config`, and those that change the
//! role, because `"$user"` in the path is another schema then. Changes made by a function are not
//! seen. In that case, a statement that uses a type of the other path fails, and is encoded again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bowline_sql::{Token, first_word, quote, statements, tokens};

use super::local_setting::sets_path;

/// The search path by which a name without a schema was resolved, as a key of caches.
///
/// The empty key is the path of the session's start. Otherwise the key is SQL that sets the path
/// for one transaction.
pub(crate) type SearchPathKey = Arc<str>;

/// The search path and the role in effect, as SQL that sets them for one transaction; `None` is the
/// value at the session's start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SearchPathSetting {
    path: Option<Arc<str>>,
    role: Option<Arc<str>>,
}

/// A change that a statement makes to the search path or the role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SearchPathChange {
    /// Whether it ends with the transaction.
    is_local: bool,
    what: SettingChange,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum SettingChange {
    /// A new path: SQL that sets it for one transaction.
    Path(Arc<str>),
    /// A new role: SQL that sets it for one transaction.
    Role(String),
    PathAsAtStart,
    RoleAsAtStart,
    AllAsAtStart,
    /// A new path that the SQL does not contain.
    Unknown,
    /// The setting at a savepoint that the caller created with SQL.
    RollbackToSavepoint,
}

/// The beginning of the key of an unknown path; no SQL begins like this.
const UNKNOWN: &str = "?";

/// Returns whether a key stands for a path that the SQL did not contain.
pub(crate) fn is_unknown(key: &SearchPathKey) -> bool {
    key.starts_with(UNKNOWN)
}

impl SearchPathSetting {
    /// Returns the key under which types are cached.
    pub(crate) fn key(&self) -> SearchPathKey {
        match (&self.path, &self.role) {
            (None, None) => SearchPathKey::default(),
            (Some(one), None) | (None, Some(one)) => Arc::clone(one),
            (Some(path), Some(role)) => format!("{role};{path}").into(),
        }
    }

    /// Applies a change.
    pub(crate) fn apply(&mut self, change: &SearchPathChange) {
        match &change.what {
            SettingChange::Path(sql) => self.path = Some(Arc::clone(sql)),
            SettingChange::Role(sql) => self.role = Some(sql.as_str().into()),
            SettingChange::PathAsAtStart => self.path = None,
            SettingChange::RoleAsAtStart => self.role = None,
            SettingChange::AllAsAtStart => *self = Self::default(),
            SettingChange::Unknown => self.set_unknown(),
            SettingChange::RollbackToSavepoint => {}
        }
    }

    /// Sets the path that the server reported; `None` is that of the session's start.
    pub(crate) fn set_reported(&mut self, path: Option<&str>) {
        // The key of a schema stays what it was when its first statement was encoded.
        let of_schema = |path| self.path.as_ref().is_some_and(|sql| sets_path(sql, path));
        if path.is_some_and(of_schema) {
            return;
        }
        self.path = path.map(|path| set_config(path).into());
    }

    /// Sets a new path that the SQL does not contain.
    ///
    /// Its key is one that no other session uses.
    pub(crate) fn set_unknown(&mut self) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.path = Some(format!("{UNKNOWN}{number}").into());
    }
}

/// Returns the SQL that sets a path, given as the text of the setting, for one transaction.
pub(crate) fn set_config(path: &str) -> String {
    format!(
        "SELECT pg_catalog.set_config('search_path', {}, true)",
        quote::literal(path)
    )
}

impl SearchPathChange {
    /// Returns the change to a path until the transaction ends, given the SQL that sets it; `None`
    /// is the path of the session's start.
    pub(crate) fn local(path: Option<&SearchPathKey>) -> Self {
        let path = path.map(|sql| SettingChange::Path(Arc::clone(sql)));
        Self {
            is_local: true,
            what: path.unwrap_or(SettingChange::PathAsAtStart),
        }
    }

    /// Returns whether it ends with the transaction.
    pub(crate) fn is_local(&self) -> bool {
        self.is_local
    }

    /// Returns whether it is a rollback to a savepoint that the caller created with SQL.
    pub(crate) fn is_rollback_to_savepoint(&self) -> bool {
        self.what == SettingChange::RollbackToSavepoint
    }

    /// Returns the change of a statement with these values; nearly always `None`.
    pub(crate) fn of(sql: &str, values: &[Option<Vec<u8>>]) -> Option<Self> {
        if !may_change_path(sql) {
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
                    SettingChange::AllAsAtStart
                } else if what.is_name("search_path") {
                    SettingChange::PathAsAtStart
                } else if what.is_name("role") || what.is_word("session") {
                    SettingChange::RoleAsAtStart
                } else {
                    return None;
                })
            }
            "DISCARD" => words
                .next()?
                .is_word("all")
                .then_some(())
                .and_then(|()| Self::whole(SettingChange::AllAsAtStart)),
            "SELECT" | "WITH" | "VALUES" | "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "EXPLAIN" => {
                Self::of_calls(sql, values)
            }
            "DO" | "CALL" => Self::whole(SettingChange::Unknown),
            "ROLLBACK" => words.any(|word| word.is_word("to")).then_some(Self {
                is_local: true,
                what: SettingChange::RollbackToSavepoint,
            }),
            _ => None,
        }
    }

    /// Returns the changes of a script, statement by statement. If the script contains
    /// transactions, the result is unknown.
    pub(crate) fn of_script(sql: &str) -> Vec<Self> {
        if !may_change_path(sql) {
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
            return Self::whole(SettingChange::Unknown).into_iter().collect();
        }
        changes
    }

    fn whole(what: SettingChange) -> Option<Self> {
        Some(Self {
            is_local: false,
            what,
        })
    }

    /// Returns the change of SET [SESSION | LOCAL] search_path, SCHEMA, ROLE, SESSION
    /// AUTHORIZATION.
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
                return change(SettingChange::PathAsAtStart);
            }
            let list: Option<Vec<_>> = values
                .iter()
                .filter(|token| !token.is(",") && !token.is(";"))
                .map(|token| {
                    let name = token.value().or_else(|| token.name())?;
                    Some(quote::identifier(&name))
                })
                .collect();
            return change(list.map_or(SettingChange::Unknown, |list| {
                SettingChange::Path(set_config(&list.join(", ")).into())
            }));
        }
        if next.is_word("schema") {
            let name = words.next()?;
            let name = name.value();
            return change(name.map_or(SettingChange::Unknown, |name| {
                SettingChange::Path(set_config(&quote::identifier(&name)).into())
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
            return change(SettingChange::RoleAsAtStart);
        }
        let kind = if is_role {
            "ROLE"
        } else {
            "SESSION AUTHORIZATION"
        };
        let name = name.value().or_else(|| name.name());
        change(name.map_or(SettingChange::Unknown, |name| {
            SettingChange::Role(format!("SET LOCAL {kind} {}", quote::identifier(&name)))
        }))
    }

    /// Returns the change of calls of `set_config`; the last one counts.
    fn of_calls(sql: &str, values: &[Option<Vec<u8>>]) -> Option<Self> {
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
                (Some(path), Some(true)) if is_plain => {
                    SettingChange::Path(set_config(&path).into())
                }
                (Some(role), Some(false)) if is_plain && role.eq_ignore_ascii_case("none") => {
                    SettingChange::RoleAsAtStart
                }
                (Some(role), Some(false)) if is_plain => {
                    SettingChange::Role(format!("SET LOCAL ROLE {}", quote::identifier(&role)))
                }
                _ => SettingChange::Unknown,
            };
            found = Some(match argument(2, ")").and_then(flag) {
                Some(is_local) => Self { is_local, what },
                None => Self {
                    is_local: false,
                    what: SettingChange::Unknown,
                },
            });
        }
        found
    }
}

/// Returns whether a text may set a path or a role: it contains a word of such statements.
pub(crate) fn may_change_path(sql: &str) -> bool {
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

/// Returns whether a text contains a word in upper or lower case.
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

    /// Returns the key after a statement, and whether it holds for the transaction only; `None`
    /// where nothing changes.
    fn after(sql: &str, values: &[&str]) -> Option<(String, bool)> {
        let values: Vec<_> = values
            .iter()
            .map(|value| Some(value.as_bytes().to_vec()))
            .collect();
        let change = SearchPathChange::of(sql, &values)?;
        let mut setting = SearchPathSetting::default();
        setting.apply(&change);
        Some((setting.key().to_string(), change.is_local))
    }

    fn path(path: &str) -> String {
        set_config(path)
    }

    #[test]
    fn a_search_path_is_read_from_the_statement() {
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
}

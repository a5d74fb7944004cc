//! The settings of the session that runs a migration.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::refusal::{Refused, Result};
use crate::replay::state::{PUBLIC, State};
use crate::replay::syntax::tree::{string, text};

/// The settings that affect how names and literals of a statement are resolved.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The search path without the empty name and `$user`.
    pub(super) search_path: Vec<String>,
    /// Whether `$user` is in the search path.
    has_user: bool,
    /// The role of SET ROLE or SET SESSION AUTHORIZATION.
    role: Option<String>,
    /// The changed settings that affect how PostgreSQL reads dates, times and money.
    of_literals: Vec<String>,
    /// `citus.shard_count`; `None` for the server's.
    shard_count: Option<u32>,
    /// The settings of Citus that are on, and are off by default.
    of_citus: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            search_path: vec![PUBLIC.to_owned()],
            has_user: true,
            role: None,
            of_literals: Vec::new(),
            shard_count: None,
            of_citus: Vec::new(),
        }
    }
}

impl State {
    /// Sets the search path. The empty name and `$user` name no schema.
    pub(crate) fn set_search_path(&mut self, schemas: Vec<String>) {
        let is_user = |schema: &String| schema == "$user";
        self.settings.has_user = schemas.iter().any(is_user);
        let named = schemas.into_iter();
        self.settings.search_path = named
            .filter(|schema| !is_user(schema) && !schema.is_empty())
            .collect();
    }

    pub(crate) fn reset_search_path(&mut self) {
        self.set_search_path(vec!["$user".to_owned(), PUBLIC.to_owned()]);
    }

    pub(crate) fn reset_settings(&mut self) {
        self.settings = Settings {
            role: self.settings.role.take(),
            ..Settings::default()
        };
    }

    /// Resets the settings, because a migration has a session of its own.
    pub(super) fn forget_settings(&mut self) {
        self.settings = Settings::default();
    }

    /// Returns the search path, to be restored after a function that sets another one.
    pub(crate) fn search_path_to_restore(&self) -> (Vec<String>, bool) {
        (self.settings.search_path.clone(), self.settings.has_user)
    }

    pub(crate) fn restore_search_path(&mut self, (schemas, has_user): (Vec<String>, bool)) {
        self.settings.search_path = schemas;
        self.settings.has_user = has_user;
    }

    pub(crate) fn set_role(&mut self, role: Option<String>) {
        self.settings.role = role;
    }

    /// Returns the schema that `$user` in the search path names.
    pub(crate) fn schema_of_role(&self) -> Option<&str> {
        let role = self
            .settings
            .role
            .as_deref()
            .filter(|_| self.settings.has_user)?;
        self.schemas.contains(role).then_some(role)
    }

    /// Returns `citus.shard_count`; `None` for the server's.
    pub(crate) fn shard_count(&self) -> Option<u32> {
        self.settings.shard_count
    }

    pub(crate) fn set_shard_count(&mut self, shards: Option<u32>) {
        self.settings.shard_count = shards;
    }

    /// Returns true if a setting of Citus, which is off by default, is on.
    pub(crate) fn citus_has(&self, setting: &str) -> bool {
        self.settings.of_citus.iter().any(|other| other == setting)
    }

    pub(crate) fn switch_citus(&mut self, setting: &str, on: bool) {
        self.settings.of_citus.retain(|other| other != setting);
        if on {
            self.settings.of_citus.push(setting.to_owned());
        }
    }

    pub(crate) fn note_literal_setting(&mut self, setting: &str) {
        self.forget_literal_setting(setting);
        self.settings.of_literals.push(setting.to_owned());
    }

    pub(crate) fn forget_literal_setting(&mut self, setting: &str) {
        self.settings.of_literals.retain(|other| other != setting);
    }

    /// Refuses a statement that stores a literal whose value depends on a changed setting.
    pub(crate) fn literals_are_certain(&self, node: &SyntaxNode) -> Result<()> {
        const WORDS: [&str; 6] = ["now", "today", "tomorrow", "yesterday", "epoch", "allballs"];
        let Some(setting) = self.settings.of_literals.last() else {
            return Ok(());
        };
        let mut literals = node
            .descendants()
            .filter(|part| part.kind() == SyntaxKind::LITERAL)
            .filter_map(|literal| Some((string(&literal)?, literal)));
        let found = literals.find(|(value, literal)| {
            let is_word = WORDS.contains(&value.trim().to_ascii_lowercase().as_str());
            // The body of a function is read at the call.
            !text(literal).starts_with('$')
                && (is_word || value.contains(|c: char| c.is_ascii_digit()))
        });
        let Some((_, literal)) = found else {
            return Ok(());
        };
        let why = format!(
            "what this literal means depends on the setting {setting}, which this file changes"
        );
        Err(Refused::new(&literal, why)
            .hint("write the literal so that it does not depend on a setting, and change no setting before it"))
    }
}

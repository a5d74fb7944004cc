//! The modules that each module may use.

mod catalog;

/// A package whose modules have rules.
pub(crate) struct Package {
    /// The folder of its sources.
    pub(crate) source: &'static str,
    /// Rows in order, from the lowest layer.
    pub(crate) rows: &'static [Row],
}

/// A module with all modules below it that have no separate row, and the modules that it may use.
///
/// The root of a package, `""`, is the code in its `lib.rs`, except for re-exports.
pub(crate) struct Row {
    pub(crate) module: &'static str,
    pub(crate) uses: &'static [&'static str],
}

const fn row(module: &'static str, uses: &'static [&'static str]) -> Row {
    Row { module, uses }
}

pub(crate) const PACKAGES: [Package; 7] = [
    catalog::CATALOG,
    Package {
        source: "src",
        rows: &[
            row("", &[]),
            row("chunks", &[]),
            row("constraint", &[]),
            row("deadline", &[]),
            row("generated", &[""]),
            row("migrations/list", &[]),
            row("no_session", &[]),
            row("page", &[]),
            row("random", &[]),
            row("sql_text", &[]),
            row("sqlstate", &[""]),
            row("error", &["", "constraint", "no_session", "sqlstate"]),
            row("wire", &["deadline", "error"]),
            row("command", &["error", "sql_text", "sqlstate", "wire"]),
            row(
                "observe",
                &["command", "error", "no_session", "sql_text", "wire"],
            ),
            row(
                "statement",
                &["chunks", "command", "error", "page", "sql_text", "wire"],
            ),
            row("activity", &["statement"]),
            row("commit_keys", &["error", "random", "sqlstate", "statement"]),
            row("retry", &["error", "observe", "sqlstate"]),
            row("types", &["", "command", "statement"]),
            row(
                "config",
                &["deadline", "error", "migrations/list", "retry", "wire"],
            ),
            row("transaction", &["command", "commit_keys"]),
            row(
                "connect",
                &["config", "deadline", "error", "sqlstate", "wire"],
            ),
            row(
                "session",
                &[
                    "command",
                    "commit_keys",
                    "config",
                    "connect",
                    "deadline",
                    "error",
                    "observe",
                    "retry",
                    "sql_text",
                    "sqlstate",
                    "statement",
                    "transaction",
                    "wire",
                ],
            ),
            row(
                "copy",
                &[
                    "command",
                    "error",
                    "retry",
                    "session",
                    "sql_text",
                    "statement",
                    "wire",
                ],
            ),
            row(
                "migrations",
                &[
                    "config",
                    "deadline",
                    "error",
                    "random",
                    "session",
                    "sql_text",
                    "sqlstate",
                    "statement",
                    "wire",
                ],
            ),
            row(
                "pool",
                &[
                    "command",
                    "config",
                    "deadline",
                    "error",
                    "no_session",
                    "observe",
                    "random",
                    "session",
                    "statement",
                    "wire",
                ],
            ),
            row(
                "database",
                &[
                    "activity",
                    "command",
                    "commit_keys",
                    "config",
                    "copy",
                    "deadline",
                    "error",
                    "migrations",
                    "migrations/list",
                    "no_session",
                    "observe",
                    "pool",
                    "retry",
                    "session",
                    "sql_text",
                    "sqlstate",
                    "statement",
                    "transaction",
                    "wire",
                ],
            ),
            row(
                "async_database",
                &[
                    "activity",
                    "command",
                    "copy",
                    "database",
                    "deadline",
                    "error",
                    "no_session",
                    "observe",
                    "retry",
                    "session",
                    "statement",
                    "transaction",
                    "wire",
                ],
            ),
            row("executor", &["database", "error", "session", "statement"]),
            row(
                "testing",
                &[
                    "async_database",
                    "config",
                    "database",
                    "error",
                    "migrations",
                    "session",
                    "sqlstate",
                    "statement",
                ],
            ),
        ],
    },
    Package {
        source: "cli/src",
        rows: &[
            row("diagram", &[]),
            row("smoke", &[]),
            row("interrupt", &[]),
            row("error", &["interrupt"]),
            row("git", &["error"]),
            row("connection", &["error"]),
            row("introspect", &["error"]),
            row("ui", &["error"]),
            row("migrations", &["error", "ui"]),
            row("origin", &["migrations"]),
            row("project", &["error", "migrations"]),
            row("queries", &["migrations", "ui"]),
            row("sql_error", &["error", "interrupt", "ui"]),
            row(
                "step",
                &["error", "interrupt", "migrations", "sql_error", "ui"],
            ),
            row("emit", &["origin"]),
            row("package", &["error"]),
            row("catalog_file", &["error"]),
            row(
                "throwaway",
                &[
                    "catalog_file",
                    "connection",
                    "error",
                    "introspect",
                    "migrations",
                    "step",
                    "ui",
                ],
            ),
            row(
                "source",
                &[
                    "catalog_file",
                    "connection",
                    "error",
                    "introspect",
                    "migrations",
                    "project",
                    "throwaway",
                    "ui",
                ],
            ),
            row(
                "commands",
                &[
                    "catalog_file",
                    "connection",
                    "diagram",
                    "emit",
                    "error",
                    "git",
                    "interrupt",
                    "introspect",
                    "migrations",
                    "origin",
                    "package",
                    "project",
                    "queries",
                    "smoke",
                    "source",
                    "sql_error",
                    "step",
                    "throwaway",
                    "ui",
                ],
            ),
        ],
    },
    Package {
        source: "plan/src",
        rows: &[
            row("committed", &[]),
            row("failure", &[]),
            row("suggestion", &[]),
            row("paths", &["failure"]),
            row("project", &["committed", "failure", "paths", "suggestion"]),
            row("plan", &["paths", "project", "suggestion"]),
        ],
    },
    Package {
        source: "macros/src",
        rows: &[
            row("migrations", &[]),
            row("test", &[]),
            row("query", &["migrations"]),
            row("row", &["migrations"]),
            row("graph", &["migrations", "row"]),
            row("", &["graph", "migrations", "query", "row", "test"]),
        ],
    },
    Package {
        source: "macros/migrations/src",
        rows: &[
            row("fingerprint", &[]),
            row("tool", &[]),
            row("file", &["fingerprint"]),
            row("sections", &["tool"]),
            row("script_error", &[]),
            row("backfill", &["script_error"]),
            row("script", &["backfill", "script_error"]),
            row("migration", &["file", "sections", "tool"]),
            row("flat", &["file", "migration", "sections", "tool"]),
            row("folder", &["file", "flat", "migration", "tool"]),
            row("difference", &["migration"]),
        ],
    },
    Package {
        source: "sql/src",
        rows: &[
            row("lexer", &[]),
            row("one_line", &["lexer"]),
            row("shape", &["lexer"]),
            row("statements", &["lexer"]),
        ],
    },
];

/// A module, exempt files in it, words that its code must not have, and the rule to print.
type Rule = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);

pub(crate) const FORBIDDEN: [Rule; 7] = [
    (
        "src/wire/protocol",
        &[],
        &[
            "Instant",
            "SystemTime",
            "sleep",
            "park",
            "Condvar",
            "set_nonblocking",
        ],
        "a machine of the protocol never waits and reads no clock",
    ),
    (
        "src/statement",
        &[],
        &["libpq", "wire::driver", "wire::protocol", "Connection"],
        "a statement knows no connection",
    ),
    (
        "src/session",
        &[
            "src/session/observer.rs",
            "src/session/observe.rs",
            "src/session/notifications.rs",
        ],
        &["tracing::"],
        "a session reports by its observer",
    ),
    (
        "plan/src/plan",
        &[],
        &["std::fs", "fs::", "std::env", "std::process"],
        "a plan follows from the catalog and the settings",
    ),
    (
        "cli/src/emit",
        &[],
        &["std::fs", "fs::", "std::env", "std::process"],
        "a text follows from the plan",
    ),
    (
        "cli/src/commands",
        &[],
        &[
            "io::stdout",
            "io::stderr",
            "anstream::stdout",
            "anstream::stderr",
        ],
        "only `ui` prints",
    ),
    (
        "catalog/src",
        &[],
        &[
            "std::net",
            "std::env",
            "std::fs",
            "std::process",
            "std::io",
            "std::time",
        ],
        "the engine has no server, terminal or clock",
    ),
];

/// Folders whose files `bowline generate` or a script wrote.
pub(crate) const GENERATED: [&str; 6] = [
    "cli/tests/fixtures",
    "tests/geometries/src/db",
    "tests/types/src/db",
    "tests/ui/column_types",
    "tests/it/generated/hostile",
    "tests/it/generated/tickets",
];

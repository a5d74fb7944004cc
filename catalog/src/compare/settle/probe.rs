//! The form in which a server writes one text. It comes from the definition of a temporary object.

use super::Server;
use crate::definition::{literal, quoted};
use crate::introspect::SETTINGS;
use crate::routine::{Routine, RoutineKind};
use crate::{DataType, Name};

/// The context of a text, which decides how a server can parse it.
pub(super) enum Context<'p> {
    /// A value of this type.
    Value(&'p DataType),
    /// An expression over the columns of a table.
    Over(&'p Name),
    /// The condition of a trigger.
    OldAndNew(&'p Name),
    /// A check of a domain.
    Domain(&'p DataType),
    /// The query of a view with these columns.
    Query(&'p [String]),
    /// The bound of a partition of this table.
    Bound(&'p Name),
    /// The body of a function.
    Body(&'p Routine),
    /// The statement that creates a rule of this table or view.
    Rule(&'p Name),
}

/// The settings with which a server parses a text. They decide the meaning of a date without a
/// zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settings {
    /// The settings with which introspection made the server write its texts.
    OfIntrospection,
    /// The settings of the session, with which a migration runs.
    OfTheSession,
}

/// Returns the text as the server writes it; `None` if the server rejects it.
pub(super) fn probe(
    server: &mut dyn Server,
    text: &str,
    context: &Context<'_>,
    search_path: Option<&[String]>,
    settings: Settings,
) -> Option<String> {
    const PROBE: &str = "pg_temp.bowline_probe";
    let view = |select: &str| format!("CREATE TEMPORARY VIEW bowline_probe AS {select}");
    let view_definition = format!("pg_get_viewdef('{PROBE}'::regclass)");
    let text = text.trim().trim_end_matches(';');
    let (create, read) = match context {
        Context::Value(data_type) => {
            let target = data_type.sql();
            (
                view(&format!("SELECT ({text})::{target} AS e")),
                view_definition,
            )
        }
        Context::Over(table) => (
            view(&format!("SELECT ({text}) AS e FROM ONLY {}", full(table))),
            view_definition,
        ),
        Context::OldAndNew(table) => {
            let table = full(table);
            let select = format!("SELECT ({text}) AS e FROM ONLY {table} old, ONLY {table} new");
            (view(&select), view_definition)
        }
        Context::Domain(data_type) => {
            let base = data_type.sql();
            let select = format!("SELECT ({text}) AS e FROM (SELECT NULL::{base} AS value) domain");
            (view(&select), view_definition)
        }
        Context::Query(columns) => {
            let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
            let columns = match columns.as_slice() {
                [] => String::new(),
                columns => format!(" ({})", columns.join(", ")),
            };
            let create = format!("CREATE TEMPORARY VIEW bowline_probe{columns} AS {text}");
            (create, view_definition)
        }
        Context::Bound(parent) => {
            let key = format!("pg_get_partkeydef({}::regclass)", literal_of(parent));
            let create = format!(
                "DO $probe$ BEGIN EXECUTE 'CREATE TEMPORARY TABLE bowline_parent (LIKE {} ) PARTITION BY ' || {key}; END $probe$;
                 CREATE TEMPORARY TABLE bowline_probe PARTITION OF bowline_parent {text}",
                full(parent).replace('\'', "''")
            );
            let read = format!(
                "(SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = '{PROBE}'::regclass)"
            );
            (create, read)
        }
        Context::Rule(table) => {
            let rule = of_another_table(text, PROBE)?;
            let create = format!(
                "CREATE TEMPORARY TABLE bowline_probe (LIKE {}); {rule}",
                full(table)
            );
            let read = format!(
                "(SELECT pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = '{PROBE}'::regclass)"
            );
            (create, read)
        }
        Context::Body(routine) => {
            let keyword = match routine.kind {
                RoutineKind::Procedure => "PROCEDURE",
                _ => "FUNCTION",
            };
            let head = routine.head();
            let create = format!("CREATE {keyword} {PROBE}{head} {text}");
            let read = "(SELECT pg_get_function_sqlbody(oid) FROM pg_proc WHERE proname = 'bowline_probe')";
            (create, read.to_owned())
        }
    };
    let path: Vec<String> = match search_path {
        Some([]) => vec!["''".to_owned()],
        Some(path) => path.iter().map(|schema| quoted(schema)).collect(),
        None => vec!["public".to_owned()],
    };
    let settings: String = match settings {
        Settings::OfTheSession => String::new(),
        Settings::OfIntrospection => SETTINGS
            .into_iter()
            .filter(|(name, _)| *name != "search_path")
            .map(|(name, value)| format!("SET LOCAL {name} TO {}; ", literal(value)))
            .collect(),
    };
    let statements = format!(
        "{settings}SET LOCAL search_path TO {}; {create}; SET LOCAL search_path TO public",
        path.join(", ")
    );
    let text = server.probe(&statements, &format!("SELECT {read}::text AS text"))?;
    Some(text.trim().trim_end_matches(';').to_owned())
}

/// Returns the statement `CREATE RULE .. ON .. TO a.b ..` with another table.
fn of_another_table(rule: &str, table: &str) -> Option<String> {
    let mut tokens = bowline_sql::tokens(rule);
    tokens.find(|token| token.is_word("to"))?;
    let first = tokens.next()?;
    let mut end = first.end();
    let mut rest = tokens.peekable();
    while rest.next_if(|token| token.text() == ".").is_some() {
        end = rest.next()?.end();
    }
    let (before, after) = (rule.get(..first.start())?, rule.get(end..)?);
    Some(format!("{before}{table}{after}"))
}

/// Returns a name with its schema, independent of the search path.
fn full(name: &Name) -> String {
    format!("{}.{}", quoted(&name.schema), quoted(&name.name))
}

fn literal_of(name: &Name) -> String {
    crate::definition::literal(&full(name))
}

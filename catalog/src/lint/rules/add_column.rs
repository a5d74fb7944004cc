//! `ADD COLUMN`.

use bowline_sql::quote::identifier;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::{constraint, not_null};
use crate::TypeKind;
use crate::lint::rewrite::{Step, without};
use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::builtin;
use crate::replay::state::State;
use crate::replay::syntax::expression::expression;
use crate::replay::syntax::tree::{child, child_name, descendants, has_below, name, text};
use crate::replay::syntax::type_name::{Written, is_type};
use crate::routine::Volatility;

/// Functions of PostgreSQL and its extensions whose results differ within a statement.
const VOLATILE: [&str; 20] = [
    "clock_timestamp",
    "currval",
    "gen_random_bytes",
    "gen_random_uuid",
    "gen_salt",
    "lastval",
    "nextval",
    "pg_notify",
    "pg_sleep",
    "random",
    "random_normal",
    "setseed",
    "setval",
    "timeofday",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
    "set_config",
];

const SERIAL: [(&str, &str); 6] = [
    ("serial", "integer"),
    ("serial4", "integer"),
    ("bigserial", "bigint"),
    ("serial8", "bigint"),
    ("smallserial", "smallint"),
    ("serial2", "smallint"),
];

/// A column that is added.
struct Added<'n> {
    action: &'n SyntaxNode,
    name: String,
    /// The type as written.
    data_type: String,
    default: Option<SyntaxNode>,
    /// The type below `serial`.
    serial: Option<&'static str>,
}

pub(super) fn check(scope: &mut Scope<'_>, action: &SyntaxNode) {
    use SyntaxKind as K;
    let data_type = action.children().find(|child| is_type(child.kind()));
    let words = data_type
        .as_ref()
        .map(|found| Written::new(found).words.join(" "));
    let column = Added {
        action,
        name: child_name(action, K::COLUMN_NAME).unwrap_or_default(),
        data_type: data_type.as_ref().map_or_else(String::new, text),
        default: child(action, K::DEFAULT_CONSTRAINT).and_then(|clause| expression(&clause)),
        serial: words.and_then(|words| {
            let found = SERIAL.iter().find(|(serial, _)| *serial == words);
            found.map(|(_, integer)| *integer)
        }),
    };
    let exists = scope.column_before(&column.name).is_some();
    if exists && has_below(action, K::IF_NOT_EXISTS) {
        return;
    }
    let is_filled = default(scope, &column);
    if !is_filled {
        required(scope, &column);
    }
    for clause in action.children() {
        match clause.kind() {
            K::UNIQUE_CONSTRAINT => {
                constraint::unique_column(scope, action, &clause, &column.name);
            }
            K::PRIMARY_KEY_CONSTRAINT => {
                constraint::primary_column(scope, action, &clause, &column.name);
            }
            K::CHECK_CONSTRAINT => constraint::check_column(scope, action, &clause),
            // The values of a new column without a default are NULL, which needs no check.
            K::REFERENCES_CONSTRAINT if column.has_default() => {
                constraint::references_column(scope, action, &clause, &column.name);
            }
            _ => {}
        }
    }
}

impl Added<'_> {
    fn has_default(&self) -> bool {
        let is_null = |default: &SyntaxNode| text(default).eq_ignore_ascii_case("null");
        self.serial.is_some()
            || self
                .default
                .as_ref()
                .is_some_and(|default| !is_null(default))
    }
}

/// Reports a default that writes all rows. Returns true if the column has a value in each row.
fn default(scope: &mut Scope<'_>, column: &Added<'_>) -> bool {
    use SyntaxKind as K;
    let Added {
        action,
        name,
        data_type,
        ..
    } = column;
    let (table, quoted) = (scope.table_sql(), identifier(name));
    if let Some(generated) = child(action, K::GENERATED_CONSTRAINT) {
        if has_below(&generated, K::VIRTUAL) {
            return true;
        }
        let is_identity = has_below(&generated, K::IDENTITY_KW);
        let what = if is_identity { "identity" } else { "generated" };
        let finding = scope.report(
            action,
            Rule::AddingFieldWithDefault,
            format!("the {what} column {name} writes all rows of {table} anew while its readers and writers wait"),
        );
        if !is_identity {
            finding.help("add a plain column, a trigger that fills it, and write the rows that exist in batches; from PostgreSQL 18 on, a VIRTUAL column writes no row");
        } else {
            finding.help("add a plain column that takes its values from a sequence, and write the rows that exist in batches");
        }
        return true;
    }
    if let Some(integer) = column.serial {
        let sequence = format!(
            "{}_{name}_seq",
            scope.before.first().map_or("", |table| &table.name.name)
        );
        let sequence = identifier(&sequence);
        let steps = vec![
            Step::new(format!(
                "ALTER TABLE {table} ADD COLUMN {quoted} {integer};\nCREATE SEQUENCE {sequence} OWNED BY {table}.{quoted};\nALTER TABLE {table} ALTER COLUMN {quoted} SET DEFAULT nextval('{sequence}');"
            )),
            backfill(&table, &quoted, &format!("nextval('{sequence}')")),
        ];
        scope
            .report(
                action,
                Rule::AddingFieldWithDefault,
                format!("the column {name} of type {data_type} writes all rows of {table} anew while its readers and writers wait"),
            )
            .steps(steps);
        return true;
    }
    let Some(default) = column.default.as_ref().filter(|_| column.has_default()) else {
        return false;
    };
    let volatile = volatile_call(scope.state, default);
    let checked = checked_domain(scope, name);
    if volatile.is_none() && checked.is_none() {
        return true;
    }
    let why = match (volatile, checked) {
        (Some(function), _) => format!("its default calls {function}, whose results differ"),
        (_, domain) => format!("the domain {} has a constraint", domain.unwrap_or_default()),
    };
    let default_text = text(default);
    let mut steps = vec![
        Step::new(format!(
            "ALTER TABLE {table} ADD COLUMN {quoted} {data_type};\nALTER TABLE {table} ALTER COLUMN {quoted} SET DEFAULT {default_text};"
        )),
        backfill(&table, &quoted, &default_text),
    ];
    if child(action, K::NOT_NULL_CONSTRAINT).is_some() {
        let plain = scope.before.first().map_or("", |table| &table.name.name);
        steps.extend(not_null::steps(&table, plain, name, scope.postgres));
    }
    scope
        .report(
            action,
            Rule::AddingFieldWithDefault,
            format!(
                "{name} writes all rows of {table} anew while its readers and writers wait: {why}"
            ),
        )
        .steps(steps);
    true
}

/// Reports a column that has no value in the rows that exist.
fn required(scope: &mut Scope<'_>, column: &Added<'_>) {
    let Added {
        action,
        name,
        data_type,
        ..
    } = column;
    let Some(clause) = child(action, SyntaxKind::NOT_NULL_CONSTRAINT) else {
        return;
    };
    let (table, quoted) = (scope.table_sql(), identifier(name));
    let plain = scope.before.first().map_or("", |table| &table.name.name);
    let mut steps = vec![
        Step::new(format!(
            "ALTER TABLE {table} {};",
            without(action, &[clause])
        )),
        Step::new(format!(
            "-- Release a program that writes {quoted}. Then, in batches, each in a transaction of its own:\nUPDATE {table} SET {quoted} = .. WHERE {quoted} IS NULL;"
        )),
    ];
    steps.extend(not_null::steps(&table, plain, name, scope.postgres));
    scope
        .report(
            action,
            Rule::AddingRequiredField,
            format!("this fails if {table} has a row, and programs that do not write {name} fail afterwards"),
        )
        .steps(steps)
        .help(format!("or give it a constant default: {quoted} {data_type} NOT NULL DEFAULT .."));
}

fn backfill(table: &str, column: &str, value: &str) -> Step {
    Step::new(format!(
        "-- In batches, each in a transaction of its own:\nUPDATE {table} SET {column} = {value} WHERE {column} IS NULL;"
    ))
}

/// Returns the first function in an expression whose results differ within a statement.
fn volatile_call(state: &State, default: &SyntaxNode) -> Option<String> {
    descendants(default, SyntaxKind::CALL_EXPR).find_map(|call| {
        let callee = call.children().next()?;
        let is_name = [SyntaxKind::NAME_REF, SyntaxKind::FIELD_EXPR].contains(&callee.kind());
        let called = match callee.kind() {
            SyntaxKind::FIELD_EXPR => callee.children().last().map(|last| name(&last))?,
            _ => name(&callee),
        };
        let overloads = state.overloads(&called);
        let is_volatile = if overloads.is_empty() {
            VOLATILE.contains(&called.as_str()) || !builtin::has_function(&called)
        } else {
            overloads.iter().any(|function| {
                let routine = function.routine.as_ref();
                routine.is_none_or(|routine| routine.volatility == Volatility::Volatile)
            })
        };
        (is_name && is_volatile).then_some(called)
    })
}

/// Returns the domain of a column, if it has a constraint that is checked for each row.
fn checked_domain(scope: &Scope<'_>, column: &str) -> Option<String> {
    let found = scope.column_after(column)?;
    let domain = scope.state.catalog().types.get(&found.data_type.name)?;
    let TypeKind::Domain { checks, .. } = &domain.kind else {
        return None;
    };
    (!checks.is_empty()).then(|| domain.name.name.clone())
}

//! `ADD COLUMN`: what it does to the rows that exist, and its safe form.
//!
//! A column can have several clauses that are not safe. Each has its finding, and all have the same
//! safe form, in which each clause has its step.

use bowline_sql::quote::identifier;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::{constraint, not_null};
use crate::definition::literal;
use crate::lint::rewrite::{self, Step};
use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::builtin;
use crate::replay::state::State;
use crate::replay::syntax::expression::expression;
use crate::replay::syntax::tree::{child, child_name, descendants, has_below, name, text};
use crate::replay::syntax::type_name::{Written, is_type};
use crate::routine::Volatility;
use crate::{Constraint, ConstraintKind, Fill};

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
    /// The value in the rows that exist.
    value: Value,
}

/// The source of the value in the rows that exist.
enum Value {
    /// There is none: it is NULL.
    Null,
    /// The catalog has it, or it is computed when it is read. No row is written.
    Stored,
    /// An expression for each row, for the reason given.
    Computed { expression: String, why: String },
    /// The sequence of `serial`, with the type below it.
    Serial(&'static str),
    /// PostgreSQL writes it, and no statement can do it in steps.
    Written { what: String, help: &'static str },
}

/// A clause that is not safe: its node, the rule and the reason.
type Unsafe = (SyntaxNode, Rule, String);

pub(super) fn check(scope: &mut Scope<'_>, action: &SyntaxNode) {
    use SyntaxKind as K;
    let name = child_name(action, K::COLUMN_NAME).unwrap_or_default();
    if scope.column_before(&name).is_some() && has_below(action, K::IF_NOT_EXISTS) {
        return;
    }
    let data_type = action.children().find(|child| is_type(child.kind()));
    let column = Added {
        action,
        value: value(scope, action, &name),
        name,
        data_type: data_type.as_ref().map_or_else(String::new, text),
    };
    let found = column.found(&scope.table_sql());
    if found.is_empty() {
        return;
    }
    let steps = column.steps(scope).unwrap_or_default();
    let lacks_key = steps.is_empty() && column.is_written_later() && scope.lacks_key();
    for (at, rule, message) in found {
        let help = match lacks_key {
            true => rewrite::no_key(&scope.table_sql()),
            false => column.help(rule),
        };
        scope
            .report(&at, rule, message)
            .steps(steps.clone())
            .help(help);
    }
}

impl Added<'_> {
    fn clause(&self, kind: SyntaxKind) -> Option<SyntaxNode> {
        child(self.action, kind)
    }

    /// Returns the clauses that are not safe.
    fn found(&self, table: &str) -> Vec<Unsafe> {
        use SyntaxKind as K;
        let name = &self.name;
        let mut found: Vec<Unsafe> = Vec::new();
        let mut add = |at: &SyntaxNode, rule, message| found.push((at.clone(), rule, message));
        let anew = format!("writes all rows of {table} anew while its readers and writers wait");
        let with_default = Rule::AddingFieldWithDefault;
        match &self.value {
            Value::Written { what, .. } => {
                add(self.action, with_default, format!("{what} {anew}"));
            }
            Value::Serial(_) => {
                let data_type = &self.data_type;
                let what = format!("the column {name} of type {data_type} {anew}");
                add(self.action, with_default, what);
            }
            Value::Computed { why, .. } => {
                add(self.action, with_default, format!("{name} {anew}: {why}"));
            }
            Value::Null if self.clause(K::NOT_NULL_CONSTRAINT).is_some() => add(
                self.action,
                Rule::AddingRequiredField,
                format!(
                    "this fails if {table} has a row, and programs that do not write {name} fail afterwards"
                ),
            ),
            Value::Null | Value::Stored => {}
        }
        let key =
            format!("the index of the key is built while readers and writers of {table} wait");
        if self.clause(K::UNIQUE_CONSTRAINT).is_some() {
            add(self.action, Rule::DisallowedUniqueConstraint, key.clone());
        }
        if self.clause(K::PRIMARY_KEY_CONSTRAINT).is_some() {
            add(self.action, Rule::AddingSerialPrimaryKeyField, key);
        }
        let reads = format!("all rows of {table} are read for it while readers and writers wait");
        if !self.checks().is_empty() {
            add(self.action, Rule::ConstraintMissingNotValid, reads.clone());
        }
        // The values of a new column without a default are NULL, which needs no check.
        let is_null = matches!(self.value, Value::Null);
        if self.clause(K::REFERENCES_CONSTRAINT).is_some() && !is_null {
            add(self.action, Rule::AddingForeignKeyConstraint, reads);
        }
        found
    }

    /// Returns the CHECK clauses that read the rows.
    fn checks(&self) -> Vec<SyntaxNode> {
        use SyntaxKind as K;
        let clauses = self.action.children();
        clauses
            .filter(|clause| clause.kind() == K::CHECK_CONSTRAINT)
            .filter(|clause| !has_below(clause, K::NOT_ENFORCED))
            .collect()
    }

    /// Returns true if the safe form writes the rows that exist.
    fn is_written_later(&self) -> bool {
        use SyntaxKind as K;
        match &self.value {
            Value::Computed { .. } | Value::Serial(_) => true,
            Value::Null => {
                self.clause(K::NOT_NULL_CONSTRAINT).is_some()
                    || self.clause(K::PRIMARY_KEY_CONSTRAINT).is_some()
            }
            Value::Stored | Value::Written { .. } => false,
        }
    }

    fn help(&self, rule: Rule) -> String {
        match &self.value {
            Value::Written { help, .. } => (*help).to_owned(),
            Value::Null if rule == Rule::AddingRequiredField => format!(
                "or give it a constant default: {} {} NOT NULL DEFAULT ..",
                identifier(&self.name),
                self.data_type
            ),
            _ => String::new(),
        }
    }

    /// Returns the safe form: a column without what is unsafe, and then a step for each clause.
    fn steps(&self, scope: &Scope<'_>) -> Option<Vec<Step>> {
        use SyntaxKind as K;
        let (table, quoted) = (scope.table_sql(), identifier(&self.name));
        let is_filled = matches!(self.value, Value::Stored);
        let mut moved = self.checks();
        moved.extend(self.clause(K::UNIQUE_CONSTRAINT));
        moved.extend(self.clause(K::PRIMARY_KEY_CONSTRAINT));
        // Without its default, the column holds only NULL, so that its REFERENCES reads nothing.
        let references = self.clause(K::REFERENCES_CONSTRAINT).filter(|_| is_filled);
        moved.extend(references);
        let constraints = moved_constraints(scope, is_filled);
        if constraints.len() != moved.len() {
            return None;
        }
        let not_null = self.clause(K::NOT_NULL_CONSTRAINT);
        let is_key = self.clause(K::PRIMARY_KEY_CONSTRAINT).is_some();
        let becomes_not_null = match &self.value {
            Value::Stored => is_key && not_null.is_none(),
            Value::Serial(_) => true,
            _ => is_key || not_null.is_some(),
        };
        if becomes_not_null {
            moved.extend(not_null);
        }
        let mut first = Vec::new();
        let mut default = None;
        match &self.value {
            Value::Written { .. } => return None,
            Value::Computed { expression, .. } => {
                moved.extend(self.clause(K::DEFAULT_CONSTRAINT));
                default = Some(expression.clone());
            }
            Value::Serial(integer) => {
                let sequence = match &scope.column_after(&self.name)?.fill {
                    Fill::Serial { sequence } => rewrite::relation(sequence),
                    _ => return None,
                };
                first.push(format!(
                    "CREATE SEQUENCE {sequence} AS {integer} OWNED BY {table}.{quoted};"
                ));
                default = Some(format!("nextval({})", literal(&sequence)));
            }
            Value::Null | Value::Stored => {}
        }
        if let Some(value) = &default {
            first.push(format!(
                "ALTER TABLE {table} ALTER COLUMN {quoted} SET DEFAULT {value};"
            ));
        }
        let (keys, rules): (Vec<&Constraint>, Vec<&Constraint>) = constraints
            .into_iter()
            .partition(|constraint| constraint::key_columns(&constraint.kind).is_some());
        for constraint in &rules {
            first.push(constraint::not_valid_sql(scope, constraint)?);
        }
        let definition = rewrite::changed(self.action, |child| match &self.value {
            _ if moved.contains(child) => Some(String::new()),
            Value::Serial(integer) if is_type(child.kind()) => Some((*integer).to_owned()),
            _ => None,
        });
        first.insert(0, format!("ALTER TABLE {table} {definition};"));

        let mut steps = vec![Step::new(first.join("\n"))];
        match default {
            Some(value) => {
                let update =
                    format!("UPDATE {table} SET {quoted} = {value} WHERE {quoted} IS NULL;");
                steps.push(rewrite::backfill(scope.before.first(), "", &update)?);
            }
            None if becomes_not_null && !is_filled => {
                let update = format!("UPDATE {table} SET {quoted} = .. WHERE {quoted} IS NULL;");
                let released = format!("Release a program that writes {quoted}. Then:");
                let table = scope.before.first();
                steps.push(rewrite::backfill(table, &released, &update)?);
            }
            None => {}
        }
        let validations = rules.iter().map(|constraint| {
            let name = identifier(&constraint.name);
            Step::new(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};"))
        });
        steps.extend(validations);
        if becomes_not_null {
            steps.extend(not_null::steps(scope, &self.name));
        }
        for constraint in keys {
            let of_key = constraint::key_steps(scope, constraint);
            if of_key.is_empty() {
                return None;
            }
            steps.extend(of_key);
        }
        Some(steps)
    }
}

/// Returns the constraints that the statement added and that have a step of their own.
fn moved_constraints<'s>(scope: &Scope<'s>, is_filled: bool) -> Vec<&'s Constraint> {
    let mut added = scope.added_constraints();
    added.retain(|constraint| match constraint.kind {
        ConstraintKind::ForeignKey { .. } => is_filled,
        ConstraintKind::Check { .. } => constraint.enforced,
        _ => true,
    });
    added
}

/// Returns the source of the value that the column has in the rows that exist.
fn value(scope: &Scope<'_>, action: &SyntaxNode, name: &str) -> Value {
    use SyntaxKind as K;
    if let Some(generated) = child(action, K::GENERATED_CONSTRAINT) {
        if has_below(&generated, K::VIRTUAL) {
            return Value::Stored;
        }
        let is_identity = has_below(&generated, K::IDENTITY_KW);
        return match is_identity {
            true => Value::Written {
                what: format!("the identity column {name}"),
                help: "add a plain column that takes its values from a sequence, and write the rows that exist in batches",
            },
            false => Value::Written {
                what: format!("the generated column {name}"),
                help: "add a plain column, a trigger that fills it, and write the rows that exist in batches; from PostgreSQL 18 on, a VIRTUAL column writes no row",
            },
        };
    }
    let found = scope.column_after(name);
    if let Some(domain) = found.and_then(|found| scope.state.checking_domain(&found.data_type)) {
        return Value::Written {
            what: format!(
                "the column {name}, whose domain {} has a constraint,",
                domain.sql()
            ),
            help: "give it the type below the domain, and the domain's constraint as a CHECK that is NOT VALID at first",
        };
    }
    let data_type = action.children().find(|child| is_type(child.kind()));
    let words = data_type.map(|found| Written::new(&found).words.join(" "));
    let serial = SERIAL
        .iter()
        .find(|(serial, _)| Some(*serial) == words.as_deref());
    if let Some((_, integer)) = serial {
        return Value::Serial(integer);
    }
    let default = child(action, K::DEFAULT_CONSTRAINT).and_then(|clause| expression(&clause));
    let Some(default) = default.filter(|default| !text(default).eq_ignore_ascii_case("null"))
    else {
        return Value::Null;
    };
    match volatile_call(scope.state, &default) {
        Some(function) => Value::Computed {
            expression: text(&default),
            why: format!("its default calls {function}, whose results differ"),
        },
        None => Value::Stored,
    }
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

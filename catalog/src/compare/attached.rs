//! Differences between the triggers, policies, rules and queries of two relations, and between two
//! routines.

use std::collections::{BTreeMap, BTreeSet};

use super::{Aspect, Found, Subject};
use crate::attached::{Attached, Code, Enabled, Policy, Rule, Trigger};
use crate::expression::is_same;
use crate::routine::{Argument, Body, Routine};
use crate::{Catalog, Relation};

pub(super) fn compare(found: &mut Found, subject: &Subject, left: &Relation, right: &Relation) {
    let (table, left, right) = (&left.name, &left.attached, &right.attached);
    found.privileges(subject, &left.privileges, &right.privileges);
    let on = |on: bool| if on { "on" } else { "off" }.to_owned();
    found.differs(
        subject,
        Aspect::RowSecurity,
        on(left.row_security),
        on(right.row_security),
    );
    found.differs(
        subject,
        Aspect::ForcedRowSecurity,
        on(left.force_row_security),
        on(right.force_row_security),
    );
    let options = |options: &[String]| match options {
        [] => "none".to_owned(),
        options => options.join(", "),
    };
    found.differs(
        subject,
        Aspect::Options,
        options(&left.options),
        options(&right.options),
    );
    found.code(
        subject,
        Aspect::Query,
        left.query.as_ref(),
        right.query.as_ref(),
    );
    found.each(
        &by_name(&left.triggers, |trigger| &trigger.name),
        &by_name(&right.triggers, |trigger| &trigger.name),
        |name| Subject::Trigger(table.clone(), (*name).to_owned()),
        |found, subject, left: &&Trigger, right: &&Trigger| {
            found.differs(
                subject,
                Aspect::Definition,
                left.sql_when(table, None),
                right.sql_when(table, None),
            );
            found.code(
                subject,
                Aspect::Condition,
                left.condition.as_ref(),
                right.condition.as_ref(),
            );
            enabled(found, subject, left.enabled, right.enabled);
            found.comment(subject, left.comment.as_ref(), right.comment.as_ref());
        },
    );
    let inherited = |attached: &'_ Attached| -> BTreeMap<String, Enabled> {
        let triggers = attached.inherited_triggers.iter();
        triggers
            .map(|trigger| (trigger.name.clone(), trigger.enabled))
            .collect()
    };
    let (left_states, right_states) = (inherited(left), inherited(right));
    let names: BTreeSet<&String> = left_states.keys().chain(right_states.keys()).collect();
    for name in names {
        let state = |of: &BTreeMap<String, Enabled>| {
            let inherited = of.get(name).copied();
            inherited.map_or("as in the parent".to_owned(), state_word)
        };
        let subject = Subject::Trigger(table.clone(), name.clone());
        found.differs(
            &subject,
            Aspect::State,
            state(&left_states),
            state(&right_states),
        );
    }
    found.each(
        &by_name(&left.policies, |policy| &policy.name),
        &by_name(&right.policies, |policy| &policy.name),
        |name| Subject::Policy(table.clone(), (*name).to_owned()),
        |found, subject, left: &&Policy, right: &&Policy| {
            found.differs(
                subject,
                Aspect::Definition,
                left.sql_with(table, None, None),
                right.sql_with(table, None, None),
            );
            found.code(
                subject,
                Aspect::Using,
                left.using.as_ref(),
                right.using.as_ref(),
            );
            found.code(
                subject,
                Aspect::WithCheck,
                left.with_check.as_ref(),
                right.with_check.as_ref(),
            );
            found.comment(subject, left.comment.as_ref(), right.comment.as_ref());
        },
    );
    found.each(
        &by_name(&left.rules, |rule| &rule.name),
        &by_name(&right.rules, |rule| &rule.name),
        |name| Subject::Rule(table.clone(), (*name).to_owned()),
        |found, subject, left: &&Rule, right: &&Rule| {
            found.code(
                subject,
                Aspect::Definition,
                Some(&left.definition),
                Some(&right.definition),
            );
            enabled(found, subject, left.enabled, right.enabled);
            found.comment(subject, left.comment.as_ref(), right.comment.as_ref());
        },
    );
}

fn enabled(found: &mut Found, subject: &Subject, left: Enabled, right: Enabled) {
    found.differs(subject, Aspect::State, state_word(left), state_word(right));
}

fn state_word(enabled: Enabled) -> String {
    match enabled {
        Enabled::Origin => "enabled",
        Enabled::Never => "disabled",
        Enabled::Replica => "enabled in replicas",
        Enabled::Always => "enabled always",
    }
    .to_owned()
}

fn by_name<'a, T>(items: &'a [T], name: impl Fn(&'a T) -> &'a String) -> BTreeMap<&'a str, &'a T> {
    items
        .iter()
        .map(|item| (name(item).as_str(), item))
        .collect()
}

pub(super) fn routines(found: &mut Found, left: &Catalog, right: &Catalog) {
    let by_title = |catalog: &Catalog| -> BTreeMap<String, Routine> {
        let routines = catalog.routines.iter();
        routines
            .map(|routine| (routine.signature(), routine.clone()))
            .collect()
    };
    let (left, right) = (by_title(left), by_title(right));
    let subject = |signature: &String| {
        let routine = left.get(signature).or_else(|| right.get(signature));
        let routine = routine.expect("the title is in one of the maps");
        Subject::Routine(routine.kind, routine.name.clone(), signature.clone())
    };
    found.each(&left, &right, subject, routine);
}

fn routine(found: &mut Found, subject: &Subject, left: &Routine, right: &Routine) {
    found.privileges(subject, &left.privileges, &right.privileges);
    let bare = |routine: &Routine| {
        let mut bare = routine.clone();
        for argument in &mut bare.arguments {
            argument.default = argument.default.as_ref().map(|_| "..".to_owned());
        }
        format!("{} {}", bare.kind.noun(), bare.head())
    };
    found.differs(subject, Aspect::Definition, bare(left), bare(right));
    let defaults = |argument: &Argument| argument.default.clone();
    for (left, right) in left.arguments.iter().zip(&right.arguments) {
        if let (Some(left), Some(right)) = (defaults(left), defaults(right)) {
            found.expression(subject, Aspect::ArgumentDefault, Some(&left), Some(&right));
        }
    }
    match (&left.body, &right.body) {
        (Body::Text(left), Body::Text(right)) => {
            // git may write CR LF on checkout.
            let [left, right] = [left, right].map(|body| body.replace("\r\n", "\n"));
            if left != right {
                let (left, right) = first_difference(&left, &right);
                found.record(subject, Aspect::Body, (left, right), false);
            }
        }
        (Body::Sql(left), Body::Sql(right)) => {
            found.code(subject, Aspect::Body, Some(left), Some(right));
        }
        _ => found.record(
            subject,
            Aspect::Body,
            (body(&left.body).to_owned(), body(&right.body).to_owned()),
            false,
        ),
    }
    found.comment(subject, left.comment.as_ref(), right.comment.as_ref());
}

fn body(body: &Body) -> &'static str {
    match body {
        Body::Text(_) => "a text",
        Body::Sql(_) => "SQL",
    }
}

/// Returns the first lines in which two texts differ, with their number.
fn first_difference(left: &str, right: &str) -> (String, String) {
    let (mut one, mut other) = (left.split('\n'), right.split('\n'));
    let mut number = 1;
    loop {
        let (left, right) = (one.next(), other.next());
        if left != right || left.is_none() {
            let shown = |line: Option<&str>| match line {
                Some(line) => format!("{} (line {number})", shortened(line)),
                None => format!("over (line {number})"),
            };
            return (shown(left), shown(right));
        }
        number += 1;
    }
}

fn shortened(line: &str) -> String {
    const MAX_LENGTH: usize = 80;
    let shown: String = line.chars().take(MAX_LENGTH).collect();
    let rest = if shown.len() < line.len() { ".." } else { "" };
    format!("{}{rest}", crate::definition::literal(&shown))
}

/// Returns true if two pieces of SQL are the same, as far as their texts show; `None` if only a
/// server can tell.
pub(super) fn same_code(left: &Code, right: &Code) -> Option<bool> {
    let (Some(one), Some(other)) = (&left.text, &right.text) else {
        return None;
    };
    let bare = |text: &str| text.trim().trim_end_matches(';').to_owned();
    let is_same = is_same(&bare(one), &bare(other));
    // PostgreSQL's form of an author's text differs in more than spelling.
    (is_same || left.is_written() == right.is_written()).then_some(is_same)
}

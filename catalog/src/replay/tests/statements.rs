//! Random histories: each statement is a template that is filled with objects of the statements
//! before it.

use proptest::prelude::*;

use super::super::*;
use super::holes::fill;
use super::migration;
use super::templates::{BEGINNING, SUBJECTS};

/// One statement.
#[derive(Clone)]
pub(super) struct Statement(pub(super) String);

impl std::fmt::Debug for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{};", self.0)
    }
}

/// A statement before it is written: its subject, its template, and the choices that fill the
/// holes.
type Choice = (usize, u16, Vec<u8>);

fn choice() -> impl Strategy<Value = Choice> {
    let weighted = SUBJECTS.iter().enumerate();
    let subjects: Vec<_> = weighted
        .map(|(at, (weight, _))| (*weight, Just(at)))
        .collect();
    let subject = prop::strategy::Union::new_weighted(subjects);
    (
        subject,
        any::<u16>(),
        prop::collection::vec(any::<u8>(), 24),
    )
}

/// Returns the statements of a history, each filled for the catalog after those before it.
fn write(beginning: Vec<&str>, choices: &[Choice], version: u32) -> Vec<Statement> {
    let mut history = History::default();
    let mut statements = Vec::new();
    let mut add = |history: &mut History, sql: &str| {
        let before = history.program.savepoint();
        let mut refusals = Vec::new();
        history.file(&migration(&format!("{sql};")), &mut refusals);
        if !refusals.is_empty() {
            history.program.roll_back(before);
        }
        statements.push(Statement(sql.to_owned()));
    };
    for sql in beginning {
        add(&mut history, sql);
    }
    for (subject, template, picks) in choices {
        let templates = SUBJECTS[*subject].1;
        let template = templates[usize::from(*template) % templates.len()];
        for sql in split(&fill(template, picks, &history.program.state, version)) {
            add(&mut history, sql);
        }
    }
    statements
}

/// Splits at semicolons, except those within a body.
fn split(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut is_inside) = (0, false);
    for (at, _) in text.char_indices() {
        if text[at..].starts_with("$$") {
            is_inside = !is_inside;
        } else if !is_inside && text[at..].starts_with("; ") {
            found.push(&text[start..at]);
            start = at + 2;
        }
    }
    found.push(&text[start..]);
    found
}

/// Returns histories for a server of this version.
pub(super) fn history(version: u32) -> impl Strategy<Value = Vec<Statement>> {
    let beginning = prop::sample::subsequence(BEGINNING.to_vec(), 0..=BEGINNING.len());
    (beginning, prop::collection::vec(choice(), 3..30))
        .prop_map(move |(beginning, choices)| write(beginning, &choices, version))
}

/// Returns each template once, filled for the initial catalog.
pub(super) fn one_of_each(version: u32) -> impl Iterator<Item = Vec<Statement>> {
    let templates = SUBJECTS
        .iter()
        .enumerate()
        .flat_map(|(subject, (_, templates))| {
            (0..templates.len()).map(move |template| (subject, template))
        });
    templates.map(move |(subject, template)| {
        let template = u16::try_from(template).expect("a few templates");
        let picks = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8].to_vec();
        write(BEGINNING.to_vec(), &[(subject, template, picks)], version)
    })
}

/// Returns statements of every kind, with their holes filled.
pub(super) fn corpus() -> impl Iterator<Item = String> {
    let mut history = History::default();
    for sql in BEGINNING {
        history.file(&migration(&format!("{sql};")), &mut Vec::new());
    }
    let templates = SUBJECTS.iter().flat_map(|(_, templates)| *templates);
    let filled: Vec<String> = templates
        .map(|template| fill(template, &[0, 1, 2, 3, 4, 5], &history.program.state, 18) + ";")
        .collect();
    filled
        .into_iter()
        .chain(BEGINNING.map(|sql| format!("{sql};")))
}

//! Random expressions.

use super::choices::Choices;
use super::query_names::{Function, QueryNames};
use super::templates;
use super::values::{any_type, literal, sql_type};

/// The names that an expression can use: those of the items in FROM.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) alias: String,
    /// The columns, each with its name and type.
    pub(super) columns: Vec<(String, String)>,
}

/// The names that can occur in an expression.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed {
    pub(super) aggregates: bool,
    pub(super) windows: bool,
    /// The expressions of GROUP BY, outside of which only aggregates can use columns.
    pub(super) grouped: Option<Vec<(String, String)>>,
}

/// Writes one random statement.
pub(super) struct Writer<'w> {
    pub(super) world: &'w QueryNames,
    pub(super) choices: Choices,
    /// The scopes of the queries, outer ones first.
    pub(super) scopes: Vec<Vec<Item>>,
    /// The index of the first scope that can be used.
    pub(super) visible: usize,
    pub(super) allowed: Allowed,
    /// The types for which parameters were written.
    parameters: Vec<String>,
    /// Names and columns of WITH queries.
    pub(super) with: Vec<Item>,
    names: usize,
    /// The number of expressions and queries written so far.
    size: usize,
    pub(super) nesting: usize,
}

/// After this number of expressions and queries, only the simplest ones are written.
const ENOUGH: usize = 60;

impl<'w> Writer<'w> {
    pub(super) fn new(world: &'w QueryNames, choices: Choices) -> Self {
        Self {
            world,
            choices,
            scopes: Vec::new(),
            visible: 0,
            allowed: Allowed::default(),
            parameters: Vec::new(),
            with: Vec::new(),
            names: 0,
            size: 0,
            nesting: 0,
        }
    }

    pub(super) fn name(&mut self, letter: char) -> String {
        self.names += 1;
        format!("{letter}{}", self.names)
    }

    pub(super) fn is_enough(&self) -> bool {
        self.size > ENOUGH || self.nesting > 3
    }

    /// Writes an expression, usually of this type. It can be a literal or parameter of unknown
    /// type.
    pub(super) fn expression(&mut self, kind: &str, depth: usize) -> String {
        self.write(kind, depth, false)
    }

    /// Writes an expression that usually has the type in any context.
    pub(super) fn typed(&mut self, kind: &str, depth: usize) -> String {
        self.write(kind, depth, true)
    }

    fn write(&mut self, kind: &str, depth: usize, is_typed: bool) -> String {
        self.size += 1;
        let noise = self.choices.pick(150) == 149;
        let other;
        let kind = if noise {
            other = any_type(&mut self.choices);
            &other
        } else {
            kind
        };
        if depth == 0 || self.is_enough() {
            return self.leaf(kind, is_typed);
        }
        match self.choices.pick(24) {
            0..=8 => self.leaf(kind, is_typed),
            9..=13 => {
                let templates = templates::of(kind);
                if templates.is_empty() {
                    return self.leaf(kind, is_typed);
                }
                let template = *self.choices.of(templates);
                self.fill(template, kind, depth, is_typed)
            }
            14..=17 => {
                let template = *self.choices.of(&templates::ANY);
                self.fill(template, kind, depth, is_typed)
            }
            18..=20 => self.call(kind, depth),
            _ => self.operation(kind, depth),
        }
    }

    /// Writes a column, a literal or a parameter.
    fn leaf(&mut self, kind: &str, is_typed: bool) -> String {
        let choice = self.choices.pick(20);
        let column = if choice < 10 { self.column(kind) } else { None };
        if let Some(column) = column {
            return column;
        }
        if is_typed {
            return match choice {
                14..=18 => format!("{}::{}", self.parameter(kind), sql_type(kind)),
                19 => format!("NULL::{}", sql_type(kind)),
                _ if kind == "text" && choice < 5 => format!("upper({})", self.literal(kind)),
                _ => format!("{}::{}", self.literal(kind), sql_type(kind)),
            };
        }
        match choice {
            0..=9 => self.literal(kind),
            10..=12 => self.literal(kind),
            13..=16 => self.parameter(kind),
            17 => format!("{}::{}", self.parameter(kind), sql_type(kind)),
            18 => "NULL".to_owned(),
            _ => format!("{}::{}", self.literal(kind), sql_type(kind)),
        }
    }

    fn literal(&mut self, kind: &str) -> String {
        match kind {
            "int2" | "int4" | "int8" if self.choices.pick(4) < 3 => {
                (1 + self.choices.pick(3)).to_string()
            }
            "bool" if self.choices.pick(2) == 0 => "true".to_owned(),
            _ => literal(kind, &mut self.choices),
        }
    }

    /// Writes a column of the type.
    pub(super) fn column(&mut self, kind: &str) -> Option<String> {
        let mut found: Vec<String> = Vec::new();
        let innermost = self.scopes.len().saturating_sub(1);
        for (level, scope) in self.scopes.iter().enumerate().skip(self.visible) {
            if let Some(grouped) = self.allowed.grouped.as_ref().filter(|_| level == innermost) {
                let fitting = grouped.iter().filter(|(_, found)| found == kind);
                found.extend(fitting.map(|(sql, _)| sql.clone()));
                continue;
            }
            for item in scope {
                for (name, _) in item.columns.iter().filter(|(_, found)| found == kind) {
                    found.push(format!("{}.{name}", item.alias));
                }
            }
        }
        if found.is_empty() {
            return None;
        }
        let chosen = self.choices.of(&found).clone();
        // A bare name may be ambiguous.
        let bare = self.choices.pick(16) == 15;
        Some(match chosen.rsplit_once('.') {
            Some((_, name)) if bare && !chosen.contains('(') => name.to_owned(),
            _ => chosen,
        })
    }

    /// Writes a new parameter, or one that was written for this type.
    pub(super) fn parameter(&mut self, kind: &str) -> String {
        let noise = self.choices.pick(30) == 29;
        let same = self
            .parameters
            .iter()
            .position(|found| found == kind || noise);
        if let Some(same) = same.filter(|_| self.choices.pick(3) == 2) {
            return format!("${}", same + 1);
        }
        self.parameters.push(kind.to_owned());
        format!("${}", self.parameters.len())
    }

    /// Writes an operand: in parentheses, unless it is one word.
    fn operand(&mut self, kind: &str, depth: usize, is_typed: bool) -> String {
        let written = self.write(kind, depth, is_typed);
        let is_word = !written.contains([' ', '-', ':']) || written.starts_with('\'');
        if is_word && !written.contains("::") || written.starts_with('(') && !written.contains(") ")
        {
            return written;
        }
        format!("({written})")
    }

    /// Writes expressions into the holes of a template.
    ///
    /// At most one of them is a literal or parameter of unknown type.
    fn fill(&mut self, template: &str, kind: &str, depth: usize, is_typed: bool) -> String {
        // PostgreSQL 18 has these for more types.
        let is_extreme = template.contains("max({it}") || template.contains("min({it}");
        if is_extreme && self.world.version < 18 && matches!(kind, "bytea" | "pair") {
            return self.leaf(kind, is_typed);
        }
        let is_window = template.contains(" OVER ");
        let is_aggregate = !is_window && is_aggregate(template);
        if is_window && !self.allowed.windows || is_aggregate && !self.allowed.aggregates {
            // One in a hundred is at a position where PostgreSQL refuses it.
            if self.choices.pick(100) < 99 {
                return self.leaf(kind, true);
            }
        }
        let allowed = self.allowed.clone();
        if is_aggregate {
            self.allowed = Allowed::default();
        } else if is_window {
            self.allowed.windows = false;
        }
        let of = self.comparable();
        let other = self.comparable();
        let holes = template.matches('{').count();
        let untyped = self.choices.pick(holes + if holes == 1 { 9 } else { 2 });
        let mut number = 0;
        let mut written = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            written += before;
            // Braces with a comma or quote between them are a literal, not a hole.
            let Some((hole, after)) = after
                .split_once('}')
                .filter(|(hole, _)| !hole.is_empty() && !hole.contains('\''))
            else {
                written.push('{');
                rest = after;
                continue;
            };
            rest = after;
            let element = kind.trim_end_matches("[]");
            let named = |name: &str| match name {
                "it" => kind.to_owned(),
                "it[]" => format!("{element}[]"),
                "e" => element.to_owned(),
                "x" => of.clone(),
                "x[]" => format!("{}[]", of.trim_end_matches("[]")),
                "y" => other.clone(),
                name => name.to_owned(),
            };
            written += &match hole {
                "it:type" => sql_type(kind),
                "row" => self.row(),
                "query" => self.subquery(None),
                _ => match hole.strip_prefix("query ") {
                    Some(names) => {
                        let kinds: Vec<String> = names.split(' ').map(named).collect();
                        self.subquery(Some(&kinds))
                    }
                    None => {
                        let is_part = matches!(hole, "it" | "it[]" | "e");
                        let is_typed = number != untyped || is_part && is_typed;
                        number += 1;
                        let kind = named(hole);
                        let is_argument =
                            written.ends_with(['(', '[']) && rest.starts_with([')', ',', ']']);
                        if is_argument {
                            self.write(&kind, depth - 1, is_typed)
                        } else {
                            self.operand(&kind, depth - 1, is_typed)
                        }
                    }
                },
            };
        }
        self.allowed = allowed;
        written + rest
    }

    /// Writes a whole row of an item in FROM.
    fn row(&mut self) -> String {
        let items: Vec<String> = match self.scopes.last() {
            Some(scope) if self.allowed.grouped.is_none() => {
                scope.iter().map(|item| item.alias.clone()).collect()
            }
            _ => Vec::new(),
        };
        if items.is_empty() {
            return "ROW(1, 'x')".to_owned();
        }
        self.choices.of(&items).clone()
    }

    /// Writes a call of a function of PostgreSQL that returns the type.
    fn call(&mut self, kind: &str, depth: usize) -> String {
        let world = self.world;
        let fits = |function: &&Function| {
            let may = match function.kind.as_str() {
                "a" => self.allowed.aggregates,
                "w" => self.allowed.windows,
                _ => !function.is_set,
            };
            let is_of_ranges = function
                .arguments
                .iter()
                .any(|name| name.ends_with("range"));
            may && (function.result == kind
                || fits_polymorphic(&function.result, kind) && (!is_of_ranges || kind == "int4"))
        };
        let found: Vec<&Function> = world.functions.iter().filter(fits).collect();
        if found.is_empty() {
            return self.leaf(kind, true);
        }
        let function = *self.choices.of(&found);
        let allowed = self.allowed.clone();
        match function.kind.as_str() {
            "a" => self.allowed = Allowed::default(),
            "w" => self.allowed.windows = false,
            _ => {}
        }
        let any = self.kind();
        let element = binding(&function.result, kind).unwrap_or(any);
        let untyped = self.choices.pick(function.arguments.len() * 2 + 2);
        let arguments: Vec<String> = function
            .arguments
            .iter()
            .enumerate()
            .map(|(number, argument)| {
                let kind = bound(argument, &element);
                self.write(&kind, depth - 1, number != untyped)
            })
            .collect();
        let order = self.comparable();
        let over = match function.kind.as_str() {
            "w" => format!(" OVER (ORDER BY {})", self.typed(&order, 0)),
            "a" if allowed.windows && self.choices.pick(4) == 3 => " OVER w".to_owned(),
            _ => String::new(),
        };
        self.allowed = allowed;
        format!("{}({}){over}", function.name, arguments.join(", "))
    }

    /// Writes an operator of PostgreSQL that returns the type.
    fn operation(&mut self, kind: &str, depth: usize) -> String {
        let world = self.world;
        let fits = world
            .operators
            .iter()
            .filter(|operator| operator.result == kind || fits_polymorphic(&operator.result, kind));
        let found: Vec<_> = fits.collect();
        if found.is_empty() {
            return self.leaf(kind, true);
        }
        let operator = *self.choices.of(&found);
        let any = self.kind();
        let element = binding(&operator.result, kind).unwrap_or(any);
        let untyped = self.choices.pick(4);
        let left = operator.left.as_ref().map(|left| {
            let kind = bound(left, &element);
            self.operand(&kind, depth - 1, untyped != 1) + " "
        });
        let right = bound(&operator.right, &element);
        let right = self.operand(&right, depth - 1, untyped != 2 || left.is_none());
        format!("{}{} {right}", left.unwrap_or_default(), operator.name)
    }
}

fn is_aggregate(template: &str) -> bool {
    const NAMES: [&str; 16] = [
        "max(",
        "min(",
        "sum(",
        "avg(",
        "count(",
        "array_agg(",
        "string_agg(",
        "json_agg(",
        "jsonb_agg(",
        "object_agg(",
        "bool_and(",
        "every(",
        "grouping(",
        "WITHIN GROUP",
        "range_agg(",
        "stddev(",
    ];
    NAMES.iter().any(|name| template.contains(name)) || template.starts_with("corr(")
}

/// Returns true if a polymorphic result can be the type.
fn fits_polymorphic(result: &str, kind: &str) -> bool {
    match result {
        "anyelement" | "anycompatible" => true,
        "anyarray" | "anycompatiblearray" => kind.ends_with("[]"),
        "anynonarray" | "anycompatiblenonarray" => !kind.ends_with("[]"),
        "anyrange" | "anycompatiblerange" => kind == "int4range",
        _ => false,
    }
}

/// Returns the element type of polymorphic arguments, if the result decides it.
fn binding(result: &str, kind: &str) -> Option<String> {
    match result {
        "anyelement" | "anycompatible" | "anynonarray" | "anycompatiblenonarray" => {
            Some(kind.to_owned())
        }
        "anyarray" | "anycompatiblearray" => Some(kind.trim_end_matches("[]").to_owned()),
        "anyrange" | "anycompatiblerange" => Some("int4".to_owned()),
        _ => None,
    }
}

/// Returns the type of an argument.
fn bound(argument: &str, element: &str) -> String {
    match argument {
        "any" | "anyelement" | "anycompatible" => element.to_owned(),
        "anynonarray" | "anycompatiblenonarray" => element.trim_end_matches("[]").to_owned(),
        "anyarray" | "anycompatiblearray" => format!("{}[]", element.trim_end_matches("[]")),
        "anyenum" => "mood".to_owned(),
        "anyrange" | "anycompatiblerange" => "int4range".to_owned(),
        "anymultirange" | "anycompatiblemultirange" => "int4multirange".to_owned(),
        argument => argument.to_owned(),
    }
}

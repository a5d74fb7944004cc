//! Random conditions on columns.

use super::expression::{Item, Writer};
use super::values::{any_type, sql_type};

impl Writer<'_> {
    /// Returns the type of a column that can be used, or any other type.
    pub(super) fn kind(&mut self) -> String {
        let kinds: Vec<&String> = match (&self.allowed.grouped, self.scopes.last()) {
            (Some(grouped), _) => grouped.iter().map(|(_, kind)| kind).collect(),
            (None, Some(scope)) => {
                let columns = scope.iter().flat_map(|item| &item.columns);
                columns.map(|(_, kind)| kind).collect()
            }
            (None, None) => Vec::new(),
        };
        if kinds.is_empty() || self.choices.pick(10) >= 6 {
            return any_type(&mut self.choices);
        }
        (*self.choices.of(&kinds)).clone()
    }

    /// Returns a type with an order.
    pub(super) fn comparable(&mut self) -> String {
        let kind = self.kind();
        let has_order = !matches!(kind.trim_end_matches("[]"), "json" | "point" | "xml");
        if has_order { kind } else { "int4".to_owned() }
    }

    /// Writes a condition, often on a column.
    pub(super) fn condition(&mut self) -> String {
        let columns: Vec<(String, String)> = match self.scopes.last() {
            Some(scope) => {
                let of = |item: &Item| {
                    let alias = item.alias.clone();
                    let columns = item.columns.clone().into_iter();
                    columns.map(move |(name, kind)| (format!("{alias}.{name}"), kind))
                };
                scope.iter().flat_map(of).collect()
            }
            None => Vec::new(),
        };
        if columns.is_empty() || self.choices.pick(10) >= 7 {
            return self.expression("bool", 2);
        }
        let (column, kind) = self.choices.of(&columns).clone();
        let is_array = kind.ends_with("[]");
        let is_text = matches!(
            kind.as_str(),
            "text" | "varchar" | "label" | "name" | "bpchar"
        );
        if kind == "json" || kind == "jsonb" && self.choices.pick(2) == 1 {
            return format!("{column} ->> 'a' = {}", self.parameter("text"));
        }
        match self.choices.pick(14) {
            0 | 1 => format!("{column} = {}", self.parameter(&kind)),
            2 => format!("{column} IS NOT NULL"),
            3 => format!("{column} IS NULL"),
            4 if !is_array => {
                let parameter = self.parameter(&format!("{kind}[]"));
                format!("{column} = ANY ({parameter})")
            }
            5 => format!(
                "{column} IN ({}, {})",
                self.parameter(&kind),
                self.expression(&kind, 1)
            ),
            6 => format!(
                "{column} > {} AND {}",
                self.parameter(&kind),
                self.condition()
            ),
            7 => match self.column(&kind) {
                Some(other) => format!("{column} = {other}"),
                None => format!("{column} <> {}", self.parameter(&kind)),
            },
            8 if is_text => format!("{column} LIKE {}", self.parameter("text")),
            9 => {
                let parameter = self.parameter(&kind);
                match self.choices.pick(8) {
                    7 => format!("({parameter} IS NULL OR {column} = {parameter})"),
                    6 => format!("({column} = {parameter} OR {parameter} IS NULL)"),
                    _ => format!(
                        "({parameter}::{} IS NULL OR {column} = {parameter})",
                        sql_type(&kind)
                    ),
                }
            }
            10 => format!("({} OR {})", self.condition(), self.condition()),
            11 => format!("NOT ({})", self.condition()),
            12 => format!("{column} = coalesce({}, {column})", self.parameter(&kind)),
            _ => format!(
                "{column} = {} AND {}",
                self.parameter(&kind),
                self.condition()
            ),
        }
    }
}

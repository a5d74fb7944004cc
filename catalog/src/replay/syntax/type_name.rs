//! The name of a type as written: words, modifiers and brackets. Also finds the name that
//! PostgreSQL stores.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::name::SYSTEM_TYPES;
use crate::replay::syntax::SYSTEM;
use crate::replay::syntax::geometry;
use crate::replay::syntax::tree::{identifier, tokens};

/// Returns the name that PostgreSQL stores for a type.
pub(crate) fn stored_name(node: &SyntaxNode) -> String {
    let written = Written::new(node);
    let words = written.words.join(" ");
    match built_in(&words, &written.modifiers) {
        Some("bpchar") if (written.is_quoted || written.is_qualified) && words == "char" => {
            "char".to_owned()
        }
        Some(name) if !written.is_quoted => name.to_owned(),
        _ => written.words.last().cloned().unwrap_or_default(),
    }
}

/// A type as written in the source.
pub(crate) struct Written {
    /// The name, in words (`double precision`) or in parts (`audit.level`).
    pub(crate) words: Vec<String>,
    pub(crate) modifiers: Vec<i32>,
    /// The fields of an interval, `day to second`, or the kind of a geometry, `PointZ`.
    pub(crate) fields: Option<String>,
    pub(crate) dimensions: u8,
    pub(crate) is_quoted: bool,
    /// Whether `pg_catalog` precedes the name.
    pub(crate) is_qualified: bool,
}

impl Written {
    pub(crate) fn new(node: &SyntaxNode) -> Self {
        let mut written = Self {
            words: Vec::new(),
            modifiers: Vec::new(),
            fields: None,
            dimensions: 0,
            is_quoted: false,
            is_qualified: false,
        };
        let (mut parens, mut brackets, mut is_negative) = (0, 0, false);
        let mut word = None;
        for token in tokens(node) {
            match token.kind() {
                SyntaxKind::L_PAREN => parens += 1,
                SyntaxKind::R_PAREN => parens -= 1,
                SyntaxKind::L_BRACK => {
                    brackets += 1;
                    written.dimensions = written.dimensions.saturating_add(1);
                }
                SyntaxKind::R_BRACK => brackets -= 1,
                SyntaxKind::DOT | SyntaxKind::COMMA => {}
                _ if brackets > 0 => {}
                // The scale of numeric may be negative.
                SyntaxKind::MINUS if parens > 0 => is_negative = true,
                _ if parens > 0 => {
                    let number = token.text().parse::<i32>().ok();
                    let sign = if std::mem::take(&mut is_negative) {
                        -1
                    } else {
                        1
                    };
                    match number {
                        Some(number) => written.modifiers.push(sign * number),
                        None => word = word.or(Some(token.text().to_owned())),
                    }
                }
                SyntaxKind::ARRAY_KW => written.dimensions = written.dimensions.max(1),
                SyntaxKind::SETOF_KW => {}
                _ => {
                    written.is_quoted |= token.text().starts_with('"');
                    written.words.push(identifier(token.text()));
                }
            }
        }
        if written.words.len() == 2 && written.words[0] == SYSTEM {
            written.words.remove(0);
            written.is_qualified = true;
        }
        if let (Some(word), Some(name)) = (word, written.words.last())
            && let number = written.modifiers.first().copied()
            && let Some((kind, numbers)) = geometry::modifiers(name, &word, number)
        {
            (written.fields, written.modifiers) = (kind, numbers);
        }
        if let [interval, fields @ ..] = written.words.as_slice()
            && interval == "interval"
            && !fields.is_empty()
        {
            written.fields = Some(fields.join(" "));
        }
        written
    }
}

/// Returns the `pg_type.typname` of a built-in type (manual, table 8.1).
pub(crate) fn built_in(name: &str, modifiers: &[i32]) -> Option<&'static str> {
    let found = match name {
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "boolean" => "bool",
        "real" => "float4",
        "double precision" => "float8",
        "float" if modifiers.first().is_some_and(|bits| *bits <= 24) => "float4",
        "float" => "float8",
        "decimal" | "dec" => "numeric",
        "character varying" | "char varying" | "nchar varying" | "national character varying" => {
            "varchar"
        }
        "character" | "char" | "nchar" | "national character" => "bpchar",
        "bit varying" => "varbit",
        "timestamp without time zone" => "timestamp",
        "timestamp with time zone" => "timestamptz",
        "time without time zone" => "time",
        "time with time zone" => "timetz",
        _ if name.starts_with("interval ") => "interval",
        _ => return SYSTEM_TYPES.into_iter().find(|built_in| *built_in == name),
    };
    Some(found)
}

/// The node kinds of types.
pub(crate) const TYPES: [SyntaxKind; 10] = [
    SyntaxKind::PATH_TYPE,
    SyntaxKind::ARRAY_TYPE,
    SyntaxKind::VARCHAR_TYPE,
    SyntaxKind::CHARACTER_TYPE,
    SyntaxKind::BIT_TYPE,
    SyntaxKind::BIT_VARYING_TYPE,
    SyntaxKind::DOUBLE_TYPE,
    SyntaxKind::TIME_TYPE,
    SyntaxKind::TIMESTAMP_TYPE,
    SyntaxKind::INTERVAL_TYPE,
];

/// Returns true if a child of a column's definition is its type.
pub(crate) fn is_type(kind: SyntaxKind) -> bool {
    TYPES.contains(&kind)
}

//! The Rust enums for PostgreSQL's enums, and the names of their variants.

use std::collections::{BTreeMap, BTreeSet};

use crate::project::{Settings, of_name};
use bowline_catalog::{Catalog, Name, Type, TypeKind};

use super::mapping::Mapping;
use super::names::type_name;
use super::problem::{Problem, toml_key};

/// A Rust enum for one of PostgreSQL's enums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumPlan {
    /// The name in Rust.
    pub name: String,
    /// The name of the type in PostgreSQL.
    pub sql_name: Name,
    /// The text of `COMMENT ON TYPE`.
    pub comment: Option<String>,
    /// Its marker types: the path of each module of `schema.rs`, and the name in its `sql_types`.
    pub markers: Vec<(String, String)>,
    /// Derives from the settings.
    pub extra_derives: Vec<String>,
    /// Variant and label, in PostgreSQL's order.
    pub variants: Vec<(String, String)>,
}

/// Returns the enums that planned tables use.
pub(super) fn enums(
    catalog: &Catalog,
    used: &BTreeSet<Name>,
    mapping: &Mapping,
    settings: &Settings,
    problems: &mut Vec<Problem>,
) -> Vec<EnumPlan> {
    let mut enums: Vec<EnumPlan> = used
        .iter()
        .filter_map(|name| catalog.types.get(name))
        .filter_map(|found| enum_plan(found, mapping, settings, problems))
        .collect();
    enums.sort_by(|a, b| (&a.name, &a.sql_name).cmp(&(&b.name, &b.sql_name)));
    enums
}

fn enum_plan(
    found: &Type,
    mapping: &Mapping,
    settings: &Settings,
    problems: &mut Vec<Problem>,
) -> Option<EnumPlan> {
    let TypeKind::Enum { labels } = &found.kind else {
        return None;
    };
    Some(EnumPlan {
        name: mapping.rust_name(&found.name)?.clone(),
        sql_name: found.name.clone(),
        comment: found.comment.clone(),
        markers: mapping.markers(&found.name).to_vec(),
        extra_derives: settings.derives.enums.clone(),
        variants: variants(&found.name, labels, settings, problems),
    })
}

/// Returns the variants. Each name depends only on its own label, so that a new label does not
/// rename the others.
fn variants(
    name: &Name,
    labels: &[String],
    settings: &Settings,
    problems: &mut Vec<Problem>,
) -> Vec<(String, String)> {
    let given = of_name(&settings.variants, name);
    let variant = |label: &String| {
        let given = given.and_then(|given| given.get(label)).cloned();
        given.unwrap_or_else(|| variant_name(label))
    };
    let variants: Vec<(String, String)> = labels
        .iter()
        .map(|label| (variant(label), label.clone()))
        .collect();
    let mut by_variant: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
    for (variant, label) in &variants {
        by_variant.entry(variant).or_default().push(label);
    }
    for (variant, labels) in by_variant {
        if let [.., last] = labels.as_slice()
            && labels.len() > 1
        {
            let shown: Vec<String> = labels.iter().map(|label| format!("'{label}'")).collect();
            problems.push(Problem::new(
                format!(
                    "the labels {} of the enum {} would all be the variant {variant} in Rust",
                    shown.join(", "),
                    super::problem::shown(name)
                ),
                format!(
                    "name the variants in bowline.toml: [variants.{}] {} = \"..\"",
                    super::problem::key(name),
                    toml_key(last)
                ),
            ));
        }
    }
    variants
}

/// Names for sequences of signs.
const SEQUENCES: [(&str, &str); 10] = [
    ("<=>", "Compare"),
    ("<=", "LessOrEqual"),
    (">=", "GreaterOrEqual"),
    ("!=", "NotEqual"),
    ("<>", "LessOrGreater"),
    ("->", "Arrow"),
    ("=>", "DoubleArrow"),
    ("<-", "LeftArrow"),
    ("==", "EqualEqual"),
    ("...", "Ellipsis"),
];

/// Names for single signs.
const SIGNS: [(char, &str); 57] = [
    ('+', "Plus"),
    ('<', "Less"),
    ('>', "Greater"),
    ('=', "Equal"),
    ('#', "Sharp"),
    ('%', "Percent"),
    ('&', "And"),
    ('@', "At"),
    ('$', "Dollar"),
    ('*', "Star"),
    ('^', "Caret"),
    ('~', "Tilde"),
    ('|', "Bar"),
    ('\\', "Backslash"),
    ('!', "Exclamation"),
    ('?', "Question"),
    ('€', "Euro"),
    ('£', "Pound"),
    ('¥', "Yen"),
    ('¢', "Cent"),
    ('§', "Section"),
    ('°', "Degree"),
    ('±', "PlusMinus"),
    ('×', "Times"),
    ('÷', "DividedBy"),
    ('≤', "LessOrEqual"),
    ('≥', "GreaterOrEqual"),
    ('≠', "NotEqual"),
    ('≈', "Approximately"),
    ('→', "Arrow"),
    ('←', "LeftArrow"),
    ('∞', "Infinity"),
    ('…', "Ellipsis"),
    ('½', "Half"),
    ('¼', "Quarter"),
    ('¾', "ThreeQuarters"),
    ('⅓', "Third"),
    ('⅔', "TwoThirds"),
    ('²', "Squared"),
    ('³', "Cubed"),
    ('✓', "Check"),
    ('✗', "Cross"),
    // Between words or digits, the next six signs are separators. The signs after them are ignored
    // in a label with words.
    ('-', "Minus"),
    ('.', "Dot"),
    ('/', "Slash"),
    (':', "Colon"),
    (',', "Comma"),
    (';', "Semicolon"),
    ('\'', "Quote"),
    ('"', "DoubleQuote"),
    ('`', "Backquote"),
    ('(', "Open"),
    (')', "Close"),
    ('[', "OpenBracket"),
    (']', "CloseBracket"),
    ('{', "OpenBrace"),
    ('}', "CloseBrace"),
];

/// Signs that separate words. Elsewhere they get their names.
const SEPARATORS: [char; 6] = ['-', '.', '/', ':', ',', ';'];

/// Signs that are ignored, unless a label has no letters and digits.
const QUOTES: [char; 9] = ['\'', '"', '`', '(', ')', '[', ']', '{', '}'];

/// Returns the variant for a label: its words, and the names of signs that are not separators.
fn variant_name(label: &str) -> String {
    let has_words = label.chars().any(char::is_alphanumeric);
    let mut text = String::new();
    let mut rest = label;
    while let Some(c) = rest.chars().next() {
        let before = label[..label.len() - rest.len()].contains(char::is_alphanumeric);
        let sequence = SEQUENCES.iter().find(|(sign, _)| rest.starts_with(sign));
        if let Some((sign, name)) = sequence {
            rest = &rest[sign.len()..];
            text.push_str(&format!(" {name} "));
            continue;
        }
        rest = &rest[c.len_utf8()..];
        let is_between = before && rest.contains(char::is_alphanumeric);
        let is_passed_over = (SEPARATORS.contains(&c) && is_between)
            || (QUOTES.contains(&c) && has_words)
            || c.is_whitespace()
            || c == '_';
        // Fewer characters are valid in Rust's identifiers than Unicode counts as letters and
        // digits: not `½`, not `²`.
        if unicode_ident::is_xid_continue(c) && c != '_' {
            text.push(c);
        } else if is_passed_over {
            text.push(' ');
        } else if let Some((_, name)) = SIGNS.iter().find(|(sign, _)| *sign == c) {
            text.push_str(&format!(" {name} "));
        } else {
            text.push_str(&format!(" U{:X} ", u32::from(c)));
        }
    }
    if text.trim().is_empty() && !label.is_empty() {
        return if label.contains('_') {
            "Underscore"
        } else {
            "Space"
        }
        .to_owned();
    }
    type_name(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_named_by_words_and_signs() {
        let named = [
            ("active", "Active"),
            ("in progress", "InProgress"),
            ("in-progress", "InProgress"),
            ("N/A", "NA"),
            ("A+", "APlus"),
            ("A-", "AMinus"),
            ("A", "A"),
            ("-1", "Minus1"),
            ("1", "N1"),
            ("1.5", "N15"),
            ("<", "Less"),
            ("<=", "LessOrEqual"),
            ("=", "Equal"),
            (">=", "GreaterOrEqual"),
            ("!=", "NotEqual"),
            ("c++", "CPlusPlus"),
            ("c#", "CSharp"),
            ("R&D", "RAndD"),
            ("50%", "N50Percent"),
            ("(none)", "None"),
            ("don't", "DonT"),
            ("*", "Star"),
            ("--", "MinusMinus"),
            ("👍", "U1f44d"),
            ("", "Empty"),
            (" ", "Space"),
            ("größe", "Größe"),
            ("self", "Self_"),
            ("snake_case", "SnakeCase"),
            ("v1.2", "V12"),
            ("½", "Half"),
            ("1½", "N1Half"),
            ("m²", "MSquared"),
            ("m³", "MCubed"),
            ("①", "U2460"),
            ("x⁴", "XU2074"),
            ("٣", "N٣"),
            ("+1", "Plus1"),
            ("1st place", "N1stPlace"),
            ("async", "Async"),
            ("a_b-c d", "ABCD"),
        ];
        for (label, variant) in named {
            assert_eq!(variant_name(label), variant, "{label}");
        }
    }

    /// Each name depends only on its own label.
    #[test]
    fn a_label_that_is_added_renames_no_other() {
        let all = ["A", "A+", "A-", "B", "<", "<=", "=", "=="];
        let name = Name {
            schema: "public".to_owned(),
            name: "e".to_owned(),
        };
        let settings = Settings::default();
        let of = |labels: &[&str]| {
            let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
            variants(&name, &labels, &settings, &mut Vec::new())
        };
        let whole = of(&all);
        for taken_out in 0..all.len() {
            let fewer: Vec<&str> = all
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != taken_out)
                .map(|(_, label)| *label)
                .collect();
            assert!(of(&fewer).iter().all(|variant| whole.contains(variant)));
        }
    }

    #[test]
    fn labels_that_would_be_one_variant_are_refused() {
        let name = Name {
            schema: "app".to_owned(),
            name: "e".to_owned(),
        };
        let labels = ["a".to_owned(), "A".to_owned(), "b".to_owned()];
        let mut problems = Vec::new();
        variants(&name, &labels, &Settings::default(), &mut problems);
        assert_eq!(
            problems,
            [Problem::new(
                "the labels 'a', 'A' of the enum app.e would all be the variant A in Rust"
                    .to_owned(),
                "name the variants in bowline.toml: [variants.\"app.e\"] A = \"..\"".to_owned(),
            )]
        );
        let given = BTreeMap::from([("A".to_owned(), "UpperA".to_owned())]);
        let settings = Settings {
            variants: BTreeMap::from([("app.e".to_owned(), given)]),
            ..Settings::default()
        };
        let mut problems = Vec::new();
        let variants = variants(&name, &labels, &settings, &mut problems);
        assert_eq!((variants[1].0.as_str(), problems.len()), ("UpperA", 0));
    }
}

//! Types of random schemas and queries, and values of them.

use std::collections::BTreeMap;

use super::choices::Choices;

/// Types of columns and expressions. The first are the most frequent.
pub(super) const TYPES: [&str; 47] = [
    "int4",
    "text",
    "int8",
    "timestamptz",
    "bool",
    "jsonb",
    "uuid",
    "numeric",
    "text[]",
    "varchar",
    "date",
    "mood",
    "int4[]",
    "cents",
    "bytea",
    "timestamp",
    "float8",
    "int2",
    "json",
    "interval",
    "pair",
    "name",
    "label",
    "time",
    "bpchar",
    "float4",
    "int8[]",
    "uuid[]",
    "mood[]",
    "int4range",
    "tstzrange",
    "numeric[]",
    "other.mood",
    "pair[]",
    "varchar[]",
    "inet",
    "timetz",
    "numrange",
    "tags",
    "jsonb[]",
    "char",
    "oid",
    "bit",
    "varbit",
    "int4multirange",
    "stretch",
    "code",
];

/// Returns one of the types, a frequent one more often.
pub(super) fn any_type(choices: &mut Choices) -> String {
    let below = *choices.of(&[8, 20, 20, TYPES.len()]);
    TYPES[choices.pick(below)].to_owned()
}

/// Returns the type as SQL writes it.
pub(super) fn sql_type(name: &str) -> String {
    let (element, brackets) = match name.strip_suffix("[]") {
        Some(element) => (element, "[]"),
        None => (name, ""),
    };
    match element {
        "char" => format!("\"char\"{brackets}"),
        other => format!("{other}{brackets}"),
    }
}

/// Returns texts of values of an element type.
fn texts(name: &str) -> &'static [&'static str] {
    match name {
        "int2" | "int4" | "int8" | "oid" | "cents" | "money" | "xid" => &["1", "2", "3"],
        "numeric" => &["1", "2.50", "1000000"],
        "float4" | "float8" => &["1", "0.5", "-2e3"],
        "bool" => &["true", "f", "no"],
        "text" | "varchar" | "bpchar" | "name" | "label" | "code" | "citext" => &["x", "ab c", ""],
        "char" => &["x"],
        "uuid" => &[
            "00000000-0000-0000-0000-000000000001",
            "00000000000000000000000000000002",
        ],
        "bytea" => &["\\x00ff", ""],
        "date" => &["2024-01-31", "2020-02-29"],
        "time" => &["12:30", "00:00:01"],
        "timetz" => &["12:30+02"],
        "timestamp" => &["2024-01-31 12:00", "2020-02-29"],
        "timestamptz" => &["2024-01-31 12:00+00", "2020-02-29 01:00-05"],
        "interval" => &["1 day", "02:00"],
        "json" | "jsonb" => &["{\"a\": 1}", "[1, null]", "null", "\"x\""],
        "mood" => &["sad", "ok"],
        "other.mood" => &["red", "green"],
        "pair" => &["(1,x)", "(,)"],
        "int4range" | "int8range" | "numrange" | "stretch" => &["[1,3)", "empty", "(,2]"],
        "int4multirange" => &["{[1,3)}", "{}"],
        "tsrange" | "tstzrange" | "daterange" => &["[2024-01-01,2024-02-01)", "empty"],
        "inet" => &["10.0.0.1", "10.0.0.0/8"],
        "cidr" => &["10.0.0.0/8"],
        "macaddr" => &["08:00:2b:01:02:03"],
        "point" => &["(1,2)"],
        "bit" => &["1"],
        "varbit" => &["101"],
        "xml" => &["<a/>"],
        "tags" => &["{}", "{x,NULL}"],
        "regclass" => &["pg_class"],
        "tsvector" | "tsquery" => &["a"],
        "jsonpath" => &["$.a"],
        _ => &[],
    }
}

/// Returns the texts of values of all types.
pub(super) fn all_texts() -> impl Iterator<Item = &'static str> {
    let others = [
        "jsonpath",
        "point",
        "xml",
        "macaddr",
        "tsvector",
        "regclass",
        "tstzrange",
    ];
    let names = TYPES.into_iter().chain(others);
    names.flat_map(|name| texts(name).iter().copied())
}

/// Returns true if values of the type are known.
pub(super) fn is_known(name: &str) -> bool {
    !texts(name.strip_suffix("[]").unwrap_or(name)).is_empty()
}

/// Returns the text of a value of the type.
pub(super) fn value(name: &str, choices: &mut Choices) -> String {
    let Some(element) = name.strip_suffix("[]") else {
        let texts = texts(name);
        assert!(!texts.is_empty(), "there are no values of {name}");
        return (*choices.of(texts)).to_owned();
    };
    match choices.pick(4) {
        0 => "{}".to_owned(),
        1 => "{NULL}".to_owned(),
        _ => {
            let text = value(element, choices)
                .replace('\\', "\\\\")
                .replace('"', "\\\"");
            format!("{{\"{text}\"}}")
        }
    }
}

/// The labels of enums.
pub(super) type Labels = BTreeMap<String, Vec<String>>;

/// Returns the text of a value of the type, if one is known.
pub(super) fn value_of(name: &str, labels: &Labels, choices: &mut Choices) -> Option<String> {
    if is_known(name) {
        return Some(value(name, choices));
    }
    let element = name.trim_end_matches("[]");
    let label = choices.of(labels.get(element)?).clone();
    Some(match name.ends_with("[]") {
        true => format!("{{\"{label}\"}}"),
        false => label,
    })
}

/// Returns a literal whose type is not given.
pub(super) fn literal(name: &str, choices: &mut Choices) -> String {
    let text = value(name, choices);
    format!("'{}'", text.replace('\'', "''"))
}

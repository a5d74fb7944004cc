//! Rust names for SQL names.
//!
//! Names from SQL are data: whatever they hold, what comes out is an identifier.

use heck::ToUpperCamelCase as _;

use crate::catalog::Relation;

/// The name that diesel's own `print-schema` gives: unmappable characters become `_`, and a name that
/// Rust or diesel needs for itself gets a `_` behind it.
pub(super) fn rust_name(sql_name: &str, table: Option<&str>) -> String {
    let mut name = String::new();
    let mut replaced = false;
    if sql_name.starts_with(|c: char| c.is_ascii_digit()) {
        name.push('_');
    }
    for c in sql_name.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            name.push(c);
            replaced = false;
        } else if !replaced {
            name.push('_');
            replaced = true;
        }
    }
    let is_taken = table.is_some() && TAKEN_IN_TABLE.contains(&name.as_str());
    if is_reserved(&name) || is_taken || Some(name.as_str()) == table {
        name.push('_');
    }
    // A table `type` with a column `type`.
    if Some(name.as_str()) == table {
        name.push('_');
    }
    name
}

/// What `table!` puts beside the columns: one of this name does not compile, in what diesel's own command writes.
const TAKEN_IN_TABLE: [&str; 7] = [
    "Ok",
    "star",
    "diesel",
    "dsl",
    "all_columns",
    "BoxedQuery",
    "SqlType",
];

fn is_reserved(name: &str) -> bool {
    name.is_empty()
        || name == "_"
        || KEYWORDS.contains(&name)
        || ["table", "columns", "is_nullable"].contains(&name)
        || (name.starts_with("__") && !name.ends_with('_'))
}

/// Rust's keywords, strict and reserved, of every edition (The Rust Reference, Keywords). `gen` is one since 2024:
/// diesel's own command leaves it as it is, which does not compile there.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "Self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The name of a Rust type or variant, which for a SQL type is the name that `print-schema` gives to it.
pub(super) fn type_name(sql_name: &str) -> String {
    let name: String = sql_name
        .to_upper_camel_case()
        .chars()
        .filter(|c| unicode_ident::is_xid_continue(*c) && *c != '_')
        .collect();
    match name.chars().next() {
        None => "Empty".to_owned(),
        Some(first) if !unicode_ident::is_xid_start(first) => format!("N{name}"),
        Some(_) if name == "Self" => "Self_".to_owned(),
        Some(_) => name,
    }
}

/// The Rust names of a relation's columns, in their order; a number tells apart those that would be one.
pub(super) fn column_names(relation: &Relation) -> Vec<String> {
    let table = rust_name(&relation.name.name, None);
    let columns = relation.columns.iter();
    let names: Vec<String> = columns
        .map(|column| rust_name(&column.name, Some(&table)))
        .collect();
    // One whose name is mapped as it is keeps it, wherever it stands.
    let is_plain = |place: &usize| names[*place] == relation.columns[*place].name;
    let (plain, mapped): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(is_plain);
    let places: Vec<usize> = plain.into_iter().chain(mapped).collect();
    let mut told_apart = names.clone();
    let in_order = distinct(places.iter().map(|place| names[*place].clone()));
    for (place, name) in places.into_iter().zip(in_order) {
        told_apart[place] = name;
    }
    told_apart
}

/// The name of a row's type or of an enum: what generated code names itself is not taken from it.
pub(super) fn own_type_name(sql_name: &str) -> String {
    const TAKEN: [&str; 24] = [
        "AsChangeset",
        "BigDecimal",
        "Cow",
        "DateTime",
        "Deserialize",
        "Err",
        "Identifiable",
        "Insertable",
        "IpNetwork",
        "NaiveDate",
        "NaiveDateTime",
        "NaiveTime",
        "None",
        "Ok",
        "Option",
        "Page",
        "Queryable",
        "Result",
        "Selectable",
        "Serialize",
        "Some",
        "Statement",
        "String",
        "Utc",
    ];
    const ALSO: [&str; 4] = ["Uuid", "Value", "Vec", "Nullable"];
    let name = type_name(sql_name);
    if TAKEN.contains(&name.as_str()) || ALSO.contains(&name.as_str()) {
        format!("{name}Row")
    } else {
        name
    }
}

/// The names with a number behind those that came before.
pub(super) fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for name in names {
        let mut candidate = name.clone();
        let mut count = 1;
        while seen.contains(&candidate) {
            count += 1;
            candidate = format!("{name}{count}");
        }
        seen.push(candidate);
    }
    seen
}

/// The singular of the last word of an English table name; a guess, which settings can override.
pub(super) fn singular(table: &str) -> String {
    let (head, word) = match table.rfind('_') {
        Some(place) => table.split_at(place + 1),
        None => ("", table),
    };
    format!("{head}{}", singular_word(word))
}

fn singular_word(word: &str) -> String {
    const IRREGULAR: [(&str, &str); 8] = [
        ("people", "person"),
        ("children", "child"),
        ("men", "man"),
        ("women", "woman"),
        ("indices", "index"),
        ("statuses", "status"),
        ("addresses", "address"),
        ("movies", "movie"),
    ];
    const UNCHANGED: [&str; 5] = ["news", "series", "species", "data", "metadata"];
    if let Some((_, singular)) = IRREGULAR.iter().find(|(plural, _)| *plural == word) {
        return (*singular).to_owned();
    }
    if UNCHANGED.contains(&word)
        || word.ends_with("ss")
        || word.ends_with("us")
        || word.ends_with("is")
    {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for ending in ["sses", "shes", "ches", "xes", "zes"] {
        if let Some(stem) = word.strip_suffix(ending) {
            return format!("{stem}{}", &ending[..ending.len() - 2]);
        }
    }
    word.strip_suffix('s').unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_name_holds_an_identifier_comes_out() {
        assert_eq!(rust_name("type", None), "type_");
        assert_eq!(
            rust_name("user-has::complex>>>role", None),
            "user_has_complex_role"
        );
        assert_eq!(rust_name("1st", None), "_1st");
        assert_eq!(rust_name("x\"; fn evil() {} //", None), "x_fn_evil_");
        assert_eq!(rust_name("accounts", Some("accounts")), "accounts_");
        assert_eq!(type_name("in-progress!"), "InProgress");
        assert_eq!(type_name("2fa"), "N2fa");
        assert_eq!(type_name("…"), "Empty");
    }

    #[test]
    fn table_names_have_singulars() {
        let singulars = [
            "accounts",
            "account_labels",
            "categories",
            "boxes",
            "statuses",
            "news",
            "people",
            "address",
            "crates",
        ]
        .map(singular);
        assert_eq!(
            singulars,
            [
                "account",
                "account_label",
                "category",
                "box",
                "status",
                "news",
                "person",
                "address",
                "crate"
            ]
        );
    }
}

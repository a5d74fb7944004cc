//! Rust names for SQL names.
//!
//! A name in SQL can be any text. Each text gets a valid identifier.

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};

use bowline_catalog::Relation;

/// Returns the name that diesel's `print-schema` writes for a column of `table`, or for a table if
/// `table` is `None`.
///
/// Characters other than ASCII letters and digits become `_`. A name that Rust or diesel reserves
/// gets a `_` at the end.
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
    let taken = if table.is_some() {
        [&TAKEN_IN_TABLE[..], &SQL_TYPES[..]]
    } else {
        [&TAKEN_AS_TABLE[..], &[]]
    };
    let is_taken = taken.iter().any(|names| names.contains(&name.as_str()));
    if is_reserved(&name) || is_taken || Some(name.as_str()) == table {
        name.push('_');
    }
    // For example, a table `type` with a column `type`: both become `type_`.
    if Some(name.as_str()) == table {
        name.push('_');
    }
    name
}

/// Names that `table!` defines beside the columns or uses for parameters or values, and types of
/// Rust that it uses. diesel's own command writes columns with these names, and its output does not
/// compile.
const TAKEN_IN_TABLE: [&str; 19] = [
    "Ok",
    "star",
    "diesel",
    "dsl",
    "all_columns",
    "BoxedQuery",
    "SqlType",
    "bool",
    "str",
    "DB",
    "From",
    "Join",
    "Left",
    "On",
    "QS",
    "Right",
    "T",
    "TSM",
    "q",
];

/// Names of tables that diesel's own command writes although they do not compile.
const TAKEN_AS_TABLE: [&str; 3] = ["diesel", "ExpressionMethods", "TSM"];

/// Names from `diesel::sql_types` in the module of a table. A column with such a name would hide
/// the type.
const SQL_TYPES: [&str; 94] = [
    "AllAreNullable",
    "AreAllNullable",
    "Array",
    "BigInt",
    "BigSerial",
    "Bigint",
    "Binary",
    "Bit",
    "Blob",
    "Bool",
    "BoolOrNullableBool",
    "Bpchar",
    "Bytea",
    "CChar",
    "Char",
    "Cidr",
    "Citext",
    "CombinedNullableValue",
    "Date",
    "Datemultirange",
    "Daterange",
    "Decimal",
    "DieselNumericOps",
    "Double",
    "Float",
    "Float4",
    "Float8",
    "Foldable",
    "HasSqlType",
    "Inet",
    "Int2",
    "Int4",
    "Int4multirange",
    "Int4range",
    "Int8",
    "Int8multirange",
    "Int8range",
    "Integer",
    "Interval",
    "IntoNotNullable",
    "IntoNullable",
    "IsNullable",
    "IsOneNullable",
    "IsSqlTypeNullable",
    "Json",
    "Jsonb",
    "Longblob",
    "Longtext",
    "MacAddr",
    "MacAddr8",
    "Macaddr",
    "Macaddr8",
    "MaybeNullable",
    "MaybeNullableType",
    "Mediumblob",
    "Mediumtext",
    "Money",
    "Multirange",
    "NotNull",
    "NullValueTreatmentEnum",
    "Nullable",
    "Numeric",
    "Nummultirange",
    "Numrange",
    "Oid",
    "OneIsNullable",
    "PgLsn",
    "Range",
    "RangeBoundEnum",
    "Record",
    "Serial",
    "SingleValue",
    "SmallInt",
    "SmallSerial",
    "Smallint",
    "SqlOrd",
    "Text",
    "Time",
    "Timestamp",
    "Timestamptz",
    "TinyInt",
    "Tinyblob",
    "Tinyint",
    "Tinytext",
    "Tsmultirange",
    "Tsrange",
    "Tstzmultirange",
    "Tstzrange",
    "TypeMetadata",
    "Untyped",
    "Uuid",
    "VarChar",
    "Varbinary",
    "Varchar",
];

fn is_reserved(name: &str) -> bool {
    name.is_empty()
        || name == "_"
        || KEYWORDS.contains(&name)
        || ["table", "columns", "is_nullable"].contains(&name)
        || (name.starts_with("__") && !name.ends_with('_'))
}

/// Rust's strict and reserved keywords in any edition (The Rust Reference, Keywords). `gen` is a
/// keyword since edition 2024; diesel's own command writes it unchanged, which does not compile.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "Self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Returns the name of a Rust type or variant. For an SQL type it is the name that `print-schema`
/// writes.
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

/// Returns the name of a type that derives diesel's traits. It begins with an ASCII character,
/// since diesel's derives split the name after its first byte.
pub(super) fn derivable_name(sql_name: &str) -> String {
    let name = type_name(sql_name);
    if name.starts_with(|c: char| c.is_ascii()) {
        name
    } else {
        format!("N{name}")
    }
}

/// Returns the Rust names of a relation's columns, in their order. Names that would collide get
/// numbers.
pub(super) fn column_names(relation: &Relation) -> Vec<String> {
    let table = rust_name(&relation.name.name, None);
    // The marker of a user-defined type is in the module of the table too.
    let markers: Vec<String> = relation
        .columns
        .iter()
        .filter(|column| column.data_type.name.schema != "pg_catalog")
        .map(|column| derivable_name(&column.data_type.name.name))
        .collect();
    let columns = relation.columns.iter();
    let names: Vec<String> = columns
        .map(|column| {
            let name = rust_name(&column.name, Some(&table));
            if markers.contains(&name) {
                format!("{name}_")
            } else {
                name
            }
        })
        .collect();
    // A column whose name needs no change keeps it, even if an earlier column is mapped to the
    // same name.
    let is_plain = |index: &usize| names[*index] == relation.columns[*index].name;
    let (plain, mapped): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(is_plain);
    let indexes: Vec<usize> = plain.into_iter().chain(mapped).collect();
    let mut unique = names.clone();
    let in_order = distinct(indexes.iter().map(|index| names[*index].clone()));
    for (index, name) in indexes.into_iter().zip(in_order) {
        unique[index] = name;
    }
    unique
}

/// Returns the name of a row's type or of an enum. A name that Rust or generated code needs gets
/// `kind` at the end.
///
/// `use db::*` hides names of the standard library's prelude, so these are reserved too: a row
/// `Default` would break `..Default::default()`.
pub(super) fn own_type_name(sql_name: &str, kind: &str) -> String {
    let name = derivable_name(sql_name);
    if is_needed(&name) {
        format!("{name}{kind}")
    } else {
        name
    }
}

/// Names that generated files use, names of the standard library's prelude, and traits of diesel's
/// prelude whose methods a query needs.
const NEEDED: [&str; 79] = [
    "AppearsOnTable",
    "AsChangeset",
    "AsMut",
    "AsRef",
    "Associations",
    "AsyncFn",
    "AsyncFnMut",
    "AsyncFnOnce",
    "BigDecimal",
    "Bool",
    "Box",
    "BoxableExpression",
    "Clone",
    "Copy",
    "Cow",
    "DateTime",
    "DecoratableTarget",
    "Default",
    "Deserialize",
    "DoubleEndedIterator",
    "Drop",
    "Eq",
    "Err",
    "ExactSizeIterator",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "FromIterator",
    "Future",
    "GroupedBy",
    "HasQuery",
    "Identifiable",
    "Insertable",
    "Into",
    "IntoFuture",
    "IntoIterator",
    "IntoSql",
    "IpNetwork",
    "Iterator",
    "JoinTo",
    "NaiveDate",
    "NaiveDateTime",
    "NaiveTime",
    "None",
    "Nullable",
    "Ok",
    "Option",
    "OptionalExtension",
    "Ord",
    "Page",
    "PartialEq",
    "PartialOrd",
    "QueryResult",
    "Queryable",
    "QueryableByName",
    "Result",
    "Selectable",
    "SelectableExpression",
    "SelectableHelper",
    "Send",
    "Serialize",
    "Sized",
    "Some",
    "Statement",
    "String",
    "Sync",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
    "Unpin",
    "Utc",
    "Uuid",
    "Value",
    "Vec",
    "OptionalEmptyChangesetExtension",
    "StatementDsl",
];

/// Names of crates and types that the file of a table needs. The table's module cannot have these
/// names.
pub(super) const OUTSIDE: [&str; 30] = [
    "alloc",
    "bool",
    "bowline",
    "char",
    "chrono",
    "core",
    "diesel",
    "f128",
    "f16",
    "f32",
    "f64",
    "i128",
    "i16",
    "i32",
    "i64",
    "i8",
    "isize",
    "proc_macro",
    "serde",
    "serde_json",
    "std",
    "str",
    "test",
    "u128",
    "u16",
    "u32",
    "u64",
    "u8",
    "usize",
    "sql_types",
];

/// Returns the name of a table's module in the file of the table: the name in `schema.rs`, or
/// another one if that is in use.
pub(super) fn module_name(schema_name: &str, derives: &[String]) -> String {
    let mut crates = derives
        .iter()
        .filter_map(|derive| derive.split("::").next());
    let is_plain = !schema_name.contains(|c: char| c.is_ascii_uppercase());
    let is_free = !OUTSIDE.contains(&schema_name) && !crates.any(|name| name == schema_name);
    if is_plain && is_free {
        schema_name.to_owned()
    } else {
        format!("{}_table", snake(schema_name).trim_matches('_'))
    }
}

/// Returns the name of a function's argument for a column.
pub(super) fn argument_name(field: &str) -> String {
    /// Names of other arguments, variables and functions in generated functions.
    const OWN: [&str; 10] = [
        "after", "changes", "chunk", "excluded", "insert", "keep", "new", "page", "query", "sql",
    ];
    let name = if field.contains(|c: char| c.is_ascii_uppercase()) {
        rust_name(&snake(field), None)
    } else {
        field.to_owned()
    };
    if OWN.contains(&name.as_str()) {
        format!("{name}_")
    } else {
        name
    }
}

/// Returns a name in snake case; one without capitals is unchanged.
pub(super) fn snake(name: &str) -> String {
    if name.contains(|c: char| c.is_ascii_uppercase()) {
        name.to_snake_case()
    } else {
        name.to_owned()
    }
}

/// Returns true if generated files, or Rust's prelude, need this name for a type.
pub(super) fn is_needed(name: &str) -> bool {
    NEEDED.contains(&name) || name.ends_with("Dsl") || name.ends_with("Methods")
}

/// Returns true if a text is a valid name for a type in Rust, in upper camel case.
pub(super) fn is_type_name(text: &str) -> bool {
    let mut chars = text.chars();
    // diesel's derives split the name after its first byte.
    chars.next().is_some_and(|c| c.is_ascii_uppercase())
        && chars.all(unicode_ident::is_xid_continue)
        && !KEYWORDS.contains(&text)
}

/// Returns the names, with a number at the end of each name that occurred before.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Such as `..Default::default()` under `use db::*`, beside a table `defaults`.
    #[test]
    fn no_row_takes_a_name_of_rusts_idioms() {
        assert!(["Default", "Option", "Some", "Ok", "Vec", "From"].map(is_needed) == [true; 6]);
    }

    #[test]
    fn any_name_gives_an_identifier() {
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
}

//! The built-in functions that return NULL only for a NULL argument. PostgreSQL's catalog does not
//! say so: a strict function may return NULL for other arguments too.

use super::expr::{Expr, Kind, Nulls};

/// Aggregates that are never NULL, not even over no rows.
pub(super) fn is_total_aggregate(name: &str) -> bool {
    matches!(name, "count" | "regr_count")
}

/// Aggregates that are NULL only over no rows, and for arguments that are NULL.
pub(super) fn is_total_aggregate_of_rows(name: &str) -> bool {
    matches!(
        name,
        "max"
            | "min"
            | "sum"
            | "avg"
            | "any_value"
            | "array_agg"
            | "json_agg"
            | "jsonb_agg"
            | "string_agg"
            | "bool_and"
            | "bool_or"
            | "every"
            | "bit_and"
            | "bit_or"
            | "bit_xor"
            | "range_agg"
            | "json_object_agg"
            | "jsonb_object_agg"
    )
}

/// Aggregates of which only no rows make NULL: they take NULL as a value.
pub(super) fn keeps_nulls(name: &str) -> bool {
    matches!(
        name,
        "array_agg" | "json_agg" | "jsonb_agg" | "json_object_agg" | "jsonb_object_agg"
    )
}

/// Returns when a window function is NULL, where its arguments decide it.
pub(super) fn nulls_in_window(
    name: &str,
    arguments: &[Expr],
    holds_current_row: bool,
) -> Option<Nulls> {
    let is_constant = |it: &Expr| matches!(it.bare().kind, Kind::Const(Some(_)));
    match (name, arguments) {
        ("first_value" | "last_value", [_]) if holds_current_row => Some(Nulls::Lenient),
        // The third argument stands in for a row that is not there.
        ("lag" | "lead", [_, offset, _]) if is_constant(offset) => Some(Nulls::Lenient),
        _ => None,
    }
}

/// Returns when the result of a built-in function is NULL. `types` are those of its arguments.
pub(super) fn nulls_of(name: &str, types: &[&str], is_strict: bool) -> Nulls {
    let (count, first) = (types.len(), types.first().copied().unwrap_or("own"));
    match name {
        // Functions without arguments, and functions that take NULL as a value.
        "now"
        | "clock_timestamp"
        | "statement_timestamp"
        | "transaction_timestamp"
        | "timeofday"
        | "gen_random_uuid"
        | "uuidv4"
        | "uuid_generate_v1"
        | "uuid_generate_v1mc"
        | "uuid_generate_v4"
        | "version"
        | "pg_backend_pid"
        | "current_database"
        | "txid_current"
        | "pg_current_xact_id"
        | "row_number"
        | "rank"
        | "dense_rank"
        | "percent_rank"
        | "cume_dist"
        | "concat"
        | "num_nulls"
        | "num_nonnulls"
        | "jsonb_build_object"
        | "json_build_object"
        | "jsonb_build_array"
        | "json_build_array"
        | "pg_typeof"
        | "pi"
        | "lastval"
        | "pg_current_wal_lsn"
        | "pg_is_in_recovery"
        | "pg_postmaster_start_time"
        | "pg_conf_load_time" => Nulls::Never,
        "random" | "uuidv7" if count == 0 => Nulls::Never,
        "quote_nullable" => Nulls::Never,
        "concat_ws" | "format" | "string_to_array" => Nulls::First,
        "array_append" | "array_prepend" | "array_cat" | "array_remove" | "array_replace" => {
            Nulls::Lenient
        }
        // From PostgreSQL 18 on these return NULL for a JSON null.
        "bool" | "float4" | "float8" | "numeric" if first == "jsonb" => Nulls::StrictAndPartial,
        "lower" | "upper" if first.contains("range") || first == "own" => Nulls::StrictAndPartial,
        // A pattern that is not found.
        "substring" if matches!(types, ["text", "text", ..] | ["text", _]) => {
            Nulls::StrictAndPartial
        }
        "split_part" if first == "citext" => Nulls::StrictAndPartial,
        // The time of an infinite moment.
        "time" | "timetz" if first.starts_with("timestamp") => Nulls::StrictAndPartial,
        "current_setting" if count > 1 => Nulls::StrictAndPartial,
        "generate_series" | "generate_subscripts" => Nulls::Never,
        "jsonb_array_elements"
        | "json_array_elements"
        | "jsonb_object_keys"
        | "json_object_keys"
        | "regexp_split_to_table" => Nulls::Never,
        "string_to_table" if count < 3 => Nulls::Never,
        _ if is_strict && TOTAL.contains(&name) => Nulls::Strict,
        _ if is_strict => Nulls::StrictAndPartial,
        _ => Nulls::Always,
    }
}

/// Strict functions that always have a result.
const TOTAL: &[&str] = &[
    "abs",
    "acos",
    "age",
    "array_fill",
    "ascii",
    "asin",
    "atan",
    "atan2",
    "bit_count",
    "bit_length",
    "bool",
    "btrim",
    "cardinality",
    "cbrt",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "chr",
    "convert",
    "convert_from",
    "convert_to",
    "cos",
    "cot",
    "crc32",
    "currval",
    "date",
    "date_bin",
    "date_trunc",
    "decode",
    "degrees",
    "digest",
    "div",
    "encode",
    "exp",
    "factorial",
    "family",
    "float4",
    "float8",
    "floor",
    "gcd",
    "get_bit",
    "get_byte",
    "hashtext",
    "hashtextextended",
    "hmac",
    "host",
    "hostmask",
    "initcap",
    "isempty",
    "isfinite",
    "json_array_length",
    "json_typeof",
    "jsonb_array_length",
    "jsonb_insert",
    "jsonb_pretty",
    "jsonb_set",
    "jsonb_strip_nulls",
    "jsonb_typeof",
    "json_strip_nulls",
    "justify_days",
    "justify_hours",
    "justify_interval",
    "lcm",
    "left",
    "length",
    "like_escape",
    "ln",
    "log",
    "log10",
    "lower",
    "lower_inc",
    "lower_inf",
    "lpad",
    "ltrim",
    "make_date",
    "make_interval",
    "make_time",
    "make_timestamp",
    "make_timestamptz",
    "masklen",
    "md5",
    "mod",
    "netmask",
    "network",
    "nextval",
    "normalize",
    "ntile",
    "numeric",
    "octet_length",
    "overlay",
    "parse_ident",
    "phraseto_tsquery",
    "plainto_tsquery",
    "position",
    "power",
    "pow",
    "quote_ident",
    "quote_literal",
    "radians",
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_replace",
    "regexp_split_to_array",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row_to_json",
    "rpad",
    "rtrim",
    "set_bit",
    "set_byte",
    "setval",
    "setweight",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sign",
    "similarity",
    "sin",
    "split_part",
    "sqrt",
    "starts_with",
    "strict_word_similarity",
    "strpos",
    "substr",
    "substring",
    "tan",
    "text",
    "timezone",
    "to_ascii",
    "to_hex",
    "to_json",
    "to_jsonb",
    "to_tsquery",
    "to_tsvector",
    "translate",
    "trim_scale",
    "trunc",
    "ts_headline",
    "ts_rank",
    "ts_rank_cd",
    "unaccent",
    "upper",
    "upper_inc",
    "upper_inf",
    "websearch_to_tsquery",
    "width_bucket",
    "word_similarity",
];

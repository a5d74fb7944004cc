//! What a type's input function certainly refuses.
//!
//! Each check is a necessary condition: a text that fails it is an error for PostgreSQL, and one
//! that passes may still be.

/// Returns false if the text is certainly no value of the built-in type.
pub(super) fn is_valid(name: &str, text: &str) -> bool {
    let trimmed = text.trim();
    match name {
        "int2" | "int4" | "int8" | "oid" => is_integer(trimmed),
        "numeric" | "float4" | "float8" => is_number(trimmed),
        "bool" => is_bool(trimmed),
        "uuid" => is_uuid(trimmed),
        "json" | "jsonb" => serde_json::from_str::<serde_json::Value>(text).is_ok(),
        "inet" | "cidr" => is_address(trimmed),
        "date" | "timestamp" | "timestamptz" => is_date(trimmed),
        "time" | "timetz" => is_time(trimmed),
        "interval" => {
            let lower = trimmed.to_ascii_lowercase();
            lower.ends_with("infinity") || has_digit(trimmed) && !has_clock_date(trimmed)
        }
        "macaddr" | "macaddr8" => {
            has_digit(trimmed)
                || trimmed
                    .chars()
                    .all(|c| c.is_ascii_hexdigit() || ":-.".contains(c))
        }
        _ => true,
    }
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Returns true for a text such as `2024-01-31 12:00+00`, which is no interval.
fn has_clock_date(text: &str) -> bool {
    let mut parts = text.split([' ', 'T']);
    parts.next().is_some_and(|date| {
        let mut numbers = date.split('-');
        date.starts_with(|c: char| c.is_ascii_digit())
            && numbers.clone().count() == 3
            && numbers.all(|part| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit()))
    })
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = digits.to_ascii_lowercase();
    let has_base = ["0x", "0o", "0b"]
        .iter()
        .any(|base| lower.starts_with(base));
    let is_digit =
        |c: char| c.is_ascii_digit() || c == '_' || (has_base && c.is_ascii_alphanumeric());
    digits.starts_with(|c: char| c.is_ascii_digit()) && digits.chars().all(is_digit)
}

fn is_number(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let digits = lower.strip_prefix(['+', '-']).unwrap_or(&lower);
    matches!(digits, "nan" | "inf" | "infinity")
        || (digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && has_digit(digits)
            && digits
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c)))
}

fn is_bool(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_start = |word: &str| !lower.is_empty() && word.starts_with(lower.as_str());
    ["true", "false", "yes", "no"].into_iter().any(is_start)
        || matches!(lower.as_str(), "on" | "of" | "off" | "1" | "0")
}

fn is_uuid(text: &str) -> bool {
    let digits = text.trim_start_matches('{').trim_end_matches('}');
    let mut hex = digits.chars().filter(|c| *c != '-');
    hex.clone().count() == 32 && hex.all(|c| c.is_ascii_hexdigit())
}

fn is_address(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_hexdigit() || ".:/".contains(c);
    !text.is_empty() && text.chars().all(is_part) && (has_digit(text) || text.contains(':'))
}

/// Returns false for a text without a date.
fn is_date(text: &str) -> bool {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let lower = text.to_ascii_lowercase();
    let mut runs = text.split(|c: char| !c.is_ascii_digit());
    is_word_of_time(&lower)
        || (has_digit(text)
            && (text.contains(['-', '/', '.'])
                || runs.any(|run| run.len() >= 5)
                || MONTHS.iter().any(|month| lower.contains(month))))
}

/// Returns false for a text without a time.
fn is_time(text: &str) -> bool {
    has_digit(text) || is_word_of_time(&text.to_ascii_lowercase())
}

fn is_word_of_time(lower: &str) -> bool {
    const WORDS: [&str; 9] = [
        "now",
        "today",
        "tomorrow",
        "yesterday",
        "infinity",
        "-infinity",
        "+infinity",
        "epoch",
        "allballs",
    ];
    lower.split(' ').any(|word| WORDS.contains(&word))
}

/// Returns false if the text is certainly no array.
pub(super) fn is_array(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with('{') || text.starts_with('[')) && text.ends_with('}')
}

/// Returns false if the text is certainly no range.
pub(super) fn is_range(text: &str) -> bool {
    let text = text.trim();
    text.eq_ignore_ascii_case("empty")
        || (text.starts_with(['[', '(']) && text.ends_with([']', ')']) && text.contains(','))
}

/// Returns false if the text is certainly no multirange.
pub(super) fn is_multirange(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('{') && text.ends_with('}')
}

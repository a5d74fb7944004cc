//! The texts of scalar built-in types.

/// The error for a text that is not a value of a type.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Wrong {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
        }
    }
}

/// Checks the text of a built-in type; `words` is its name in messages.
pub(super) fn check(name: &str, words: &str, text: &str) -> Result<(), Wrong> {
    let trimmed = text.trim();
    let is_valid = match name {
        "int2" => return integer(trimmed, words, text, i16::MIN.into(), i16::MAX.into()),
        "int4" => return integer(trimmed, words, text, i32::MIN.into(), i32::MAX.into()),
        "int8" => return integer(trimmed, words, text, i64::MIN.into(), i64::MAX.into()),
        // A negative number is accepted: it stands for the OID with the same bits.
        "oid" => return integer(trimmed, words, text, i32::MIN.into(), u32::MAX.into()),
        "numeric" | "float4" | "float8" => is_number(trimmed),
        "bool" => is_bool(trimmed),
        "uuid" => is_uuid(trimmed),
        "json" | "jsonb" => serde_json::from_str::<serde_json::Value>(text).is_ok(),
        "inet" | "cidr" => is_address(trimmed),
        "date" | "timestamp" | "timestamptz" if is_date(trimmed) => return date_range(text),
        "date" | "timestamp" | "timestamptz" => false,
        "time" | "timetz" => is_time(trimmed),
        "interval" => is_interval(trimmed),
        "bit" | "varbit" => return bits(text),
        "point" => is_point(trimmed),
        "box" | "lseg" | "path" | "polygon" | "circle" | "line" => is_shape(trimmed),
        "macaddr" | "macaddr8" => {
            has_digit(trimmed)
                || trimmed
                    .chars()
                    .all(|c| c.is_ascii_hexdigit() || ":-.".contains(c))
        }
        _ => true,
    };
    if is_valid {
        return Ok(());
    }
    let code = match name {
        "date" | "time" | "timetz" | "timestamp" | "timestamptz" | "interval" => "22007",
        _ => "22P02",
    };
    let message = format!("invalid input syntax for type {words}: \"{text}\"");
    Err(Wrong::new(code, message))
}

/// Checks an integer and its range.
fn integer(digits: &str, words: &str, text: &str, least: i128, most: i128) -> Result<(), Wrong> {
    if !is_integer(digits) {
        let message = format!("invalid input syntax for type {words}: \"{text}\"");
        return Err(Wrong::new("22P02", message));
    }
    match digits.parse::<i128>() {
        Ok(value) if value < least || value > most => Err(Wrong::new(
            "22003",
            format!("value \"{text}\" is out of range for type {words}"),
        )),
        _ => Ok(()),
    }
}

/// Checks a bit string: `101`, `b101`, `x1F`.
fn bits(text: &str) -> Result<(), Wrong> {
    let (digits, is_hex) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, true),
        None => (text.strip_prefix(['b', 'B']).unwrap_or(text), false),
    };
    let is_digit = |c: &char| matches!(c, '0' | '1') || is_hex && c.is_ascii_hexdigit();
    match digits.chars().find(|c| !is_digit(c)) {
        None => Ok(()),
        Some(wrong) => {
            let kind = if is_hex { "hexadecimal" } else { "binary" };
            let message = format!("\"{wrong}\" is not a valid {kind} digit");
            Err(Wrong::new("22P02", message))
        }
    }
}

/// Checks the month and the day of a date that is written with digits alone, or as `2024-01-31`.
fn date_range(text: &str) -> Result<(), Wrong> {
    let trimmed = text.trim();
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    let (month, day) = if trimmed.len() >= 6 && is_digits(trimmed) {
        let at = trimmed.len() - 4;
        (&trimmed[at..at + 2], &trimmed[at + 2..])
    } else {
        let first = trimmed.split([' ', 'T']).next().unwrap_or_default();
        let parts: Vec<&str> = first.split('-').collect();
        match parts[..] {
            [year, month, day] if year.len() == 4 && parts.iter().all(|it| is_digits(it)) => {
                (month, day)
            }
            _ => return Ok(()),
        }
    };
    let is_in = |part: &str, most: u32| part.parse().is_ok_and(|part| (1..=most).contains(&part));
    if is_in(month, 12) && is_in(day, 31) {
        return Ok(());
    }
    let message = format!("date/time field value out of range: \"{text}\"");
    Err(Wrong::new("22008", message))
}

/// Returns false for a text such as `2024-01-31 12:00+00` or `12:30+02`, which is not an interval.
fn is_interval(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if lower.ends_with("infinity") {
        return true;
    }
    has_digit(text) && !has_clock_date(text) && !has_zone(text)
}

/// Returns true for a time followed by a signed number, which is not part of an interval.
fn has_zone(text: &str) -> bool {
    let Some(colon) = text.rfind(':') else {
        return false;
    };
    let after = text[colon + 1..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    after.starts_with(['+', '-'])
        && after[1..].bytes().all(|it| it.is_ascii_digit())
        && after.len() > 1
}

fn is_point(text: &str) -> bool {
    let inner = text.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
    let mut parts = inner.unwrap_or(text).split(',');
    let is_next = |part: Option<&str>| part.is_some_and(|part| is_number(part.trim()));
    is_next(parts.next()) && is_next(parts.next()) && parts.next().is_none()
}

fn is_shape(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || " .,()[]<>{}+-".contains(c);
    has_digit(text) && text.contains(',') && text.chars().all(is_part)
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Returns true for a text such as `2024-01-31 12:00+00`, which is not an interval.
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

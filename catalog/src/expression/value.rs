//! Comparison of literals. PostgreSQL writes a value in the output format of its type.

/// Returns a number in one spelling: without leading zeros, an exponent, or a plus sign.
pub(super) fn number(text: &str) -> String {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().unwrap_or_default()),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (mut whole, mut fraction) = (whole.to_owned(), fraction.to_owned());
    // The exponent is limited to 1000, since each step moves one digit.
    for _ in 0..exponent.clamp(0, 1000) {
        whole.push(if fraction.is_empty() {
            '0'
        } else {
            fraction.remove(0)
        });
    }
    for _ in 0..(-exponent).clamp(0, 1000) {
        fraction.insert(0, whole.pop().unwrap_or('0'));
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if negative { "-" } else { "" };
    if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

/// Returns true if PostgreSQL reads a text as this boolean (manual, 8.6).
pub(super) fn is_boolean(text: &str, word: &str) -> bool {
    let text = text.trim().to_lowercase();
    match word {
        "true" => ["t", "true", "y", "yes", "on", "1"].contains(&text.as_str()),
        "false" => ["f", "false", "n", "no", "off", "0"].contains(&text.as_str()),
        _ => false,
    }
}

/// Returns true if two texts are the same value of some type. They may be equal as texts, numbers,
/// points in time, intervals, arrays, JSON, UUIDs or bytes.
pub(super) fn is_same(left: &str, right: &str) -> bool {
    left == right
        || (is_number(left) && is_number(right) && number(left) == number(right))
        || (is_structured(left) && dense(left) == dense(right))
        || (is_moment(left) && moment(left) == moment(right))
        || interval(left).is_some_and(|interval| Some(interval) == self::interval(right))
        || (left.to_lowercase() == right.to_lowercase() && is_uuid(left))
        || is_same_bytes(left, right)
}

/// Returns true if two texts are the same `bytea`, and one of them is in hexadecimal, as PostgreSQL
/// writes it (manual, 8.4).
fn is_same_bytes(left: &str, right: &str) -> bool {
    let is_hexadecimal = |text: &str| text.starts_with("\\x");
    (is_hexadecimal(left) || is_hexadecimal(right))
        && bytes(left).is_some_and(|bytes| Some(bytes) == self::bytes(right))
}

/// Returns the bytes of a `bytea` in either of its formats.
fn bytes(text: &str) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix("\\x") {
        let digits: Vec<char> = digits.chars().filter(|c| !c.is_whitespace()).collect();
        let pairs = digits.chunks(2).map(|pair| {
            let pair: String = pair.iter().collect();
            u8::from_str_radix(&pair, 16)
                .ok()
                .filter(|_| pair.len() == 2)
        });
        return pairs.collect();
    }
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'\\', [b'\\', after @ ..]) => {
                bytes.push(b'\\');
                rest = after;
            }
            (
                b'\\',
                [
                    a @ b'0'..=b'3',
                    b @ b'0'..=b'7',
                    c @ b'0'..=b'7',
                    after @ ..,
                ],
            ) => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = after;
            }
            (b'\\', _) => return None,
            (byte, _) => bytes.push(*byte),
        }
    }
    Some(bytes)
}

pub(super) fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// Returns true if a text may be an array, or an object or array of JSON.
fn is_structured(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Returns a text without the white space outside of double quotes.
fn dense(text: &str) -> String {
    let mut inside = false;
    let mut escaped = false;
    text.chars()
        .filter(|c| {
            if *c == '"' && !escaped {
                inside = !inside;
            }
            escaped = *c == '\\' && !escaped;
            inside || !c.is_whitespace()
        })
        .collect()
}

fn is_moment(text: &str) -> bool {
    if text == EPOCH {
        return true;
    }
    let mut parts = text.splitn(3, '-');
    let year = parts.next().unwrap_or_default();
    (4..=6).contains(&year.len()) && year.chars().all(|c| c.is_ascii_digit()) && parts.count() == 2
}

/// The only name of a fixed date and time (manual, 8.5.1.4).
const EPOCH: &str = "epoch";

/// Returns a date or timestamp without a UTC zone and without trailing zero parts of the time.
fn moment(text: &str) -> String {
    let text = if text == EPOCH { "1970-01-01" } else { text };
    let text = text.replace('T', " ");
    // A UTC zone is redundant, and PostgreSQL ignores the zone of a timestamp without time zone.
    let zone = ["Z", "+00:00", "+0000", "+00", " UTC", " utc"];
    let bare = zone.iter().find_map(|zone| text.strip_suffix(zone));
    let bare = bare.unwrap_or(&text);
    let (date, time) = bare.split_once(' ').unwrap_or((bare, ""));
    let date: Vec<String> = date.split('-').map(|part| format!("{part:0>2}")).collect();
    let time = time.trim().trim_end_matches(":00").trim_end_matches(":00");
    let time = if time == "00" { "" } else { time };
    format!("{} {time}", date.join("-")).trim_end().to_owned()
}

/// Returns the months, days and microseconds of an interval in PostgreSQL's own format (manual,
/// 8.5.4).
fn interval(text: &str) -> Option<(i64, i64, i64)> {
    let (mut months, mut days, mut micros) = (0, 0, 0);
    let mut words = text.split_whitespace().peekable();
    words.peek()?;
    while let Some(word) = words.next() {
        if word.contains(':') {
            let (negative, clock) = match word.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, word),
            };
            let mut seconds = 0.0;
            for (part, unit) in clock.split(':').zip([3600.0, 60.0, 1.0]) {
                seconds += part.parse::<f64>().ok()? * unit;
            }
            let seconds = if negative { -seconds } else { seconds };
            micros += (seconds * 1e6).round() as i64;
            continue;
        }
        let start = word.find(|c: char| c.is_alphabetic()).unwrap_or(word.len());
        let (amount, own_unit) = word.split_at(start);
        let amount: f64 = amount.parse().ok()?;
        let unit = if own_unit.is_empty() {
            words.next()?
        } else {
            own_unit
        };
        let whole = amount as i64;
        match unit.trim_end_matches('s').to_lowercase().as_str() {
            "year" | "y" | "yr" => months += whole * 12,
            "month" | "mon" => months += whole,
            "week" | "w" => days += whole * 7,
            "day" | "d" => days += whole,
            "hour" | "h" | "hr" => micros += (amount * 3.6e9) as i64,
            "minute" | "min" | "m" => micros += (amount * 6e7) as i64,
            "second" | "sec" | "" => micros += (amount * 1e6) as i64,
            _ => return None,
        }
    }
    Some((months, days, micros))
}

//! Built-in functions of texts, numbers and lists that migrations use to build SQL.

use bowline_sql::quote::{identifier, literal};

use crate::replay::program::evaluate::{Datum, operator};

/// Returns the result of a function of texts, numbers or lists.
pub(crate) fn plain(function: &str, arguments: &[Datum]) -> Option<Datum> {
    use Datum::{Int, List, Null, Text};
    let text = |text: String| Some(Text(text));
    match (function, arguments) {
        ("format", [Text(pattern), values @ ..]) => text(format(pattern, values)?),
        ("concat", values) => {
            let texts = values.iter().map(Datum::written);
            text(texts.collect::<Option<Vec<_>>>()?.concat())
        }
        ("concat_ws", [between, values @ ..]) => {
            let texts = values
                .iter()
                .filter(|value| **value != Null)
                .map(Datum::written);
            text(texts.collect::<Option<Vec<_>>>()?.join(&between.written()?))
        }
        ("nullif", [a, b]) => {
            let is_same = operator::compare("=", a, b)? == Datum::Bool(true);
            Some(if is_same { Null } else { a.clone() })
        }
        ("quote_nullable", [Null]) => text("NULL".to_owned()),
        ("array_append", [Null, value]) => Some(List(vec![value.clone()])),
        ("array_append", [List(list), value]) => {
            Some(List(list.iter().cloned().chain([value.clone()]).collect()))
        }
        ("array_cat", [List(a), List(b)]) => Some(List(a.iter().chain(b).cloned().collect())),
        (_, values) if values.contains(&Null) => IS_STRICT.contains(&function).then_some(Null),
        ("quote_ident", [value]) => text(identifier(&value.written()?)),
        ("quote_literal" | "quote_nullable", [value]) => text(literal(&value.written()?)),
        ("lower", [Text(value)]) if value.is_ascii() => text(value.to_ascii_lowercase()),
        ("upper", [Text(value)]) if value.is_ascii() => text(value.to_ascii_uppercase()),
        ("replace", [Text(value), Text(from), Text(to)]) if !from.is_empty() => {
            text(value.replace(from.as_str(), to))
        }
        ("length" | "char_length" | "character_length", [Text(value)]) => {
            i64::try_from(value.chars().count()).ok().map(Int)
        }
        ("left", [Text(value), Int(count)]) => {
            let length = value.chars().count();
            let count = if *count < 0 {
                length.saturating_sub(usize::try_from(count.unsigned_abs()).ok()?)
            } else {
                usize::try_from(*count).ok()?
            };
            text(value.chars().take(count).collect())
        }
        ("right", [Text(value), Int(count)]) => {
            let length = value.chars().count();
            let skipped = if *count < 0 {
                usize::try_from(count.unsigned_abs()).ok()?
            } else {
                length.saturating_sub(usize::try_from(*count).ok()?)
            };
            text(value.chars().skip(skipped).collect())
        }
        ("substr" | "substring", [Text(value), Int(from)]) if *from > 0 => {
            let skipped = usize::try_from(from - 1).ok()?;
            text(value.chars().skip(skipped).collect())
        }
        ("substr" | "substring", [Text(value), Int(from), Int(count)])
            if *from > 0 && *count >= 0 =>
        {
            let skipped = usize::try_from(from - 1).ok()?;
            let count = usize::try_from(*count).ok()?;
            text(value.chars().skip(skipped).take(count).collect())
        }
        ("regexp_replace", [Text(value), Text(pattern), Text(by)])
            if !by.contains('\\') && !pattern.contains('|') =>
        {
            let found = common_expression(pattern)?;
            text(found.replacen(value, 1, regex::NoExpand(by)).into_owned())
        }
        ("split_part", [Text(value), Text(between), Int(position)])
            if *position > 0 && !between.is_empty() =>
        {
            let position = usize::try_from(position - 1).ok()?;
            text(
                value
                    .split(between.as_str())
                    .nth(position)
                    .unwrap_or_default()
                    .to_owned(),
            )
        }
        ("lpad" | "rpad", [value, Int(width), filling @ ..]) => {
            pad(function == "lpad", &value.written()?, *width, filling)
        }
        ("btrim" | "trim", [Text(value)]) => text(value.trim_matches(' ').to_owned()),
        ("ltrim", [Text(value)]) => text(value.trim_start_matches(' ').to_owned()),
        ("rtrim", [Text(value)]) => text(value.trim_end_matches(' ').to_owned()),
        ("to_hex", [Int(number)]) if *number >= 0 => text(format!("{number:x}")),
        ("repeat", [Text(value), Int(count)]) => {
            let count = usize::try_from(*count).unwrap_or(0);
            (value.len().checked_mul(count)? <= MAX_LENGTH).then(|| Text(value.repeat(count)))
        }
        ("chr", [Int(code)]) => {
            let code = u32::try_from(*code).ok().and_then(char::from_u32);
            code.filter(|c| *c != '\0').map(|c| Text(c.to_string()))
        }
        ("cardinality", [List(list)]) => i64::try_from(list.len()).ok().map(Int),
        ("array_length", [List(list), Int(1)]) => match list.len() {
            0 => Some(Null),
            length => i64::try_from(length).ok().map(Int),
        },
        ("array_to_string", [List(list), Text(between)]) => {
            let texts = list
                .iter()
                .filter(|value| **value != Null)
                .map(Datum::written);
            text(texts.collect::<Option<Vec<_>>>()?.join(between))
        }
        ("regexp_split_to_array", [Text(value), Text(pattern)])
            if !pattern.contains('|') && !pattern.contains('^') && !pattern.contains('$') =>
        {
            let parts = common_expression(pattern)?;
            // PostgreSQL skips empty matches at a boundary. An expression that can match an empty
            // text is not evaluated.
            (!parts.is_match("")).then_some(())?;
            let parts = parts.split(value).map(|part| Text(part.to_owned()));
            Some(List(parts.collect()))
        }
        ("string_to_array", [Text(value), Text(between)]) if !between.is_empty() => {
            let parts = value
                .split(between.as_str())
                .map(|part| Text(part.to_owned()));
            Some(List(if value.is_empty() {
                Vec::new()
            } else {
                parts.collect()
            }))
        }
        _ => None,
    }
}

/// Returns the values of a set-returning function that depend only on its arguments.
pub(crate) fn set(function: &str, arguments: &[Datum]) -> Option<Vec<Datum>> {
    use Datum::{Int, List, Null, Text};
    const MAX_ROWS: usize = 20_000;
    if arguments.contains(&Null) {
        return Some(Vec::new());
    }
    match (function, arguments) {
        ("unnest", [List(list)]) => Some(list.clone()),
        ("generate_series", [Int(from), Int(to), step @ ..]) => {
            let step = match step {
                [] => 1,
                [Int(step)] if *step != 0 => *step,
                _ => return None,
            };
            let mut all = Vec::new();
            let mut next = *from;
            while if step > 0 { next <= *to } else { next >= *to } {
                all.push(Int(next));
                (all.len() <= MAX_ROWS).then_some(())?;
                next = next.checked_add(step)?;
            }
            Some(all)
        }
        ("generate_subscripts", [List(list), Int(1)]) => {
            let positions = 1..=i64::try_from(list.len()).ok()?;
            Some(positions.map(Int).collect())
        }
        ("string_to_table", [Text(_), Text(_)]) => match plain("string_to_array", arguments)? {
            List(list) => Some(list),
            _ => None,
        },
        ("regexp_split_to_table", [Text(_), Text(_)]) => {
            match plain("regexp_split_to_array", arguments)? {
                List(list) => Some(list),
                _ => None,
            }
        }
        ("jsonb_array_elements_text" | "json_array_elements_text", [Text(json)]) => {
            let values: Vec<serde_json::Value> = serde_json::from_str(json).ok()?;
            let values = values.into_iter().map(|value| match value {
                serde_json::Value::String(text) => Some(Text(text)),
                serde_json::Value::Null => Some(Null),
                serde_json::Value::Bool(truth) => Some(Text(truth.to_string())),
                serde_json::Value::Number(number) if number.is_i64() => {
                    Some(Text(number.to_string()))
                }
                // The notation depends on which of the two types the value has.
                _ => None,
            });
            values.collect()
        }
        _ => None,
    }
}

/// The functions of this module that return NULL for a NULL argument.
const IS_STRICT: [&str; 18] = [
    "quote_ident",
    "quote_literal",
    "lower",
    "upper",
    "replace",
    "length",
    "char_length",
    "left",
    "right",
    "substr",
    "split_part",
    "lpad",
    "rpad",
    "btrim",
    "to_hex",
    "cardinality",
    "array_length",
    "array_to_string",
];

/// The maximum length of a text, which is longer than any that a migration executes.
const MAX_LENGTH: usize = 1 << 20;

fn pad(is_left: bool, value: &str, width: i64, filling: &[Datum]) -> Option<Datum> {
    let filling = match filling {
        [] => " ".to_owned(),
        [only] => only.written()?,
        _ => return None,
    };
    let width = usize::try_from(width).unwrap_or(0);
    let length = value.chars().count();
    if width > MAX_LENGTH {
        return None;
    }
    let kept: String = value.chars().take(width).collect();
    let missing = width.saturating_sub(length);
    let filled: String = filling
        .chars()
        .cycle()
        .take(if filling.is_empty() { 0 } else { missing })
        .collect();
    Some(Datum::Text(if is_left {
        filled + &kept
    } else {
        kept + &filled
    }))
}

/// Returns the result of `format` with `%s`, `%I`, `%L` and `%%`, and positions as in `%1$I`.
fn format(pattern: &str, values: &[Datum]) -> Option<String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut next = 0;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut digits = String::new();
        while let Some(digit) = chars.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        if !digits.is_empty() {
            // Digits without `$` are a width, which is not supported.
            (chars.next()? == '$').then_some(())?;
            next = digits.parse::<usize>().ok()?.checked_sub(1)?;
        }
        let form = chars.next()?;
        if form == '%' {
            out.push('%');
            continue;
        }
        let value = values.get(next)?;
        next += 1;
        match form {
            's' => out.push_str(&value.written()?),
            'I' if *value == Datum::Null => return None,
            'I' => match value {
                Datum::Object { .. } => return None,
                value => out.push_str(&identifier(&value.written()?)),
            },
            'L' if *value == Datum::Null => out.push_str("NULL"),
            'L' => out.push_str(&literal(&value.written()?)),
            _ => return None,
        }
        (out.len() <= MAX_LENGTH).then_some(())?;
    }
    Some(out)
}

/// Returns the result of LIKE with `%`, `_` and the backslash.
pub(crate) fn is_like(text: &str, pattern: &str) -> bool {
    let mut expression = String::from("^(?s)");
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => expression.push_str(".*"),
            '_' => expression.push('.'),
            '\\' => expression.push_str(&regex::escape(&chars.next().unwrap_or('\\').to_string())),
            c => expression.push_str(&regex::escape(&c.to_string())),
        }
    }
    expression.push('$');
    regex::Regex::new(&expression).is_ok_and(|found| found.is_match(text))
}

/// Returns whether a text matches an expression that PostgreSQL and Rust read alike, or `None` for
/// others.
pub(crate) fn matches(text: &str, pattern: &str) -> Option<bool> {
    Some(common_expression(pattern)?.is_match(text))
}

fn common_expression(pattern: &str) -> Option<regex::Regex> {
    let is_common = pattern
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-^$.+*?()|[]% ,:;/=@~<>&!'\"".contains(c));
    // With alternatives, PostgreSQL takes the longest match and Rust the first.
    let is_alike = !pattern.contains("(?") && !pattern.contains("*?") && !pattern.contains("+?");
    (is_common && is_alike).then_some(())?;
    regex::Regex::new(&format!("(?s){pattern}")).ok()
}

//! Operators of certain values, in three-valued logic.

use crate::replay::program::evaluate::{Datum, functions};

/// Returns the result of an operator. AND and OR may be certain if one side is unknown.
pub(crate) fn operate(operator: &str, left: Option<Datum>, right: Option<Datum>) -> Option<Datum> {
    let is = |side: &Option<Datum>, truth| *side == Some(Datum::Bool(truth));
    match operator {
        "and" if is(&left, false) || is(&right, false) => return Some(Datum::Bool(false)),
        "or" if is(&left, true) || is(&right, true) => return Some(Datum::Bool(true)),
        _ => {}
    }
    let (left, right) = (left?, right?);
    match operator {
        "is" | "is not distinct from" => return Some(Datum::Bool(same(&left, &right)?)),
        "is not" | "is distinct from" => return Some(Datum::Bool(!same(&left, &right)?)),
        "in" | "not in" => {
            let list = match right {
                Datum::List(list) => list,
                only => vec![only],
            };
            let found = is_among(&left, &list)?;
            return match (operator, found) {
                ("not in", Datum::Bool(truth)) => Some(Datum::Bool(!truth)),
                (_, found) => Some(found),
            };
        }
        _ => {}
    }
    if left == Datum::Null || right == Datum::Null {
        return (operator != "||"
            || !matches!((&left, &right), (Datum::List(_), _) | (_, Datum::List(_))))
        .then_some(Datum::Null);
    }
    match (operator, &left, &right) {
        ("and" | "or", Datum::Bool(_), Datum::Bool(right)) => Some(Datum::Bool(*right)),
        ("=" | "<>" | "!=" | "<" | ">" | "<=" | ">=", ..) => compare(operator, &left, &right),
        ("||", Datum::List(a), Datum::List(b)) => {
            Some(Datum::List(a.iter().chain(b).cloned().collect()))
        }
        ("||", Datum::List(a), b) => {
            Some(Datum::List(a.iter().cloned().chain([b.clone()]).collect()))
        }
        ("||", a, b) => Some(Datum::Text(a.written()? + &b.written()?)),
        ("+", Datum::Int(a), Datum::Int(b)) => a.checked_add(*b).map(Datum::Int),
        ("-", Datum::Int(a), Datum::Int(b)) => a.checked_sub(*b).map(Datum::Int),
        ("*", Datum::Int(a), Datum::Int(b)) => a.checked_mul(*b).map(Datum::Int),
        ("/", Datum::Int(a), Datum::Int(b)) => a.checked_div(*b).map(Datum::Int),
        ("%", Datum::Int(a), Datum::Int(b)) => a.checked_rem(*b).map(Datum::Int),
        ("like" | "~~", Datum::Text(a), Datum::Text(b)) => {
            Some(Datum::Bool(functions::is_like(a, b)))
        }
        ("not like" | "!~~", Datum::Text(a), Datum::Text(b)) => {
            Some(Datum::Bool(!functions::is_like(a, b)))
        }
        ("~", Datum::Text(a), Datum::Text(b)) => functions::matches(a, b).map(Datum::Bool),
        ("!~", Datum::Text(a), Datum::Text(b)) => {
            functions::matches(a, b).map(|is_match| Datum::Bool(!is_match))
        }
        _ => None,
    }
}

/// Returns whether a value is in a list, in three-valued logic.
pub(crate) fn is_among(value: &Datum, list: &[Datum]) -> Option<Datum> {
    let mut answer = Datum::Bool(false);
    for other in list {
        match compare("=", value, other)? {
            Datum::Bool(true) => return Some(Datum::Bool(true)),
            Datum::Null => answer = Datum::Null,
            _ => {}
        }
    }
    Some(answer)
}

/// Returns whether two values are equal, where NULL equals NULL.
fn same(left: &Datum, right: &Datum) -> Option<bool> {
    match (left, right) {
        (Datum::Null, Datum::Null) => Some(true),
        (Datum::Null, _) | (_, Datum::Null) => Some(false),
        _ => compare("=", left, right)?.truth(),
    }
}

pub(crate) fn compare(operator: &str, left: &Datum, right: &Datum) -> Option<Datum> {
    let order = match (left, right) {
        (Datum::Null, _) | (_, Datum::Null) => return Some(Datum::Null),
        (Datum::Object { name: a, .. }, Datum::Object { name: b, .. }) => a.cmp(b),
        (Datum::Int(number), Datum::Text(text)) => number.cmp(&text.trim().parse().ok()?),
        (Datum::Text(text), Datum::Int(number)) => text.trim().parse::<i64>().ok()?.cmp(number),
        (Datum::Bool(truth), Datum::Text(text)) | (Datum::Text(text), Datum::Bool(truth)) => {
            match (text.as_str(), truth) {
                ("t" | "true", true) | ("f" | "false", false) => std::cmp::Ordering::Equal,
                ("t" | "true" | "f" | "false", _) => std::cmp::Ordering::Less,
                _ => return None,
            }
        }
        (Datum::Text(a), Datum::Text(b)) => a.cmp(b),
        (Datum::Int(a), Datum::Int(b)) => a.cmp(b),
        (Datum::Bool(a), Datum::Bool(b)) => a.cmp(b),
        (Datum::List(a), Datum::List(b)) => a.cmp(b),
        _ => return None,
    };
    Some(Datum::Bool(match operator {
        "=" => order.is_eq(),
        "<>" | "!=" => order.is_ne(),
        // The order of texts depends on the collation, and OIDs depend on the history of the
        // server.
        _ if matches!(left, Datum::Object { .. }) => return None,
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        "<=" => order.is_le(),
        ">=" => order.is_ge(),
        _ => return None,
    }))
}

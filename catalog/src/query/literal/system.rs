//! The texts of PostgreSQL's own identifiers: positions in the log, transactions, snapshots, rows,
//! and the addresses of network cards.

use super::wrong::Wrong;

/// Checks a position in the write-ahead log: `0/16B3748` (`pg_lsn_in`).
pub(super) fn is_log_position(text: &str) -> bool {
    let is_half =
        |part: &str| matches!(part.len(), 1..=8) && part.bytes().all(|it| it.is_ascii_hexdigit());
    text.split_once('/')
        .is_some_and(|(high, low)| is_half(high) && is_half(low))
}

/// Checks a transaction's number (`uint32in_subr`); before PostgreSQL 16 every text is one.
pub(super) fn is_transaction(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    match lower.strip_prefix("0x") {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_hexdigit()),
        None => {
            let is_octal = lower.len() > 1 && lower.starts_with('0');
            let is_digit = |it: u8| it.is_ascii_digit() && (!is_octal || it < b'8');
            !lower.is_empty() && lower.bytes().all(is_digit)
        }
    }
}

/// Checks a snapshot: `10:20:10,14,15` (`parse_snapshot`).
pub(super) fn is_snapshot(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    let mut number = || parts.next()?.parse::<u64>().ok().filter(|it| *it != 0);
    let (Some(least), Some(most)) = (number(), number()) else {
        return false;
    };
    let Some(list) = parts.next() else {
        return false;
    };
    if least > most {
        return false;
    }
    let mut last = 0;
    list.is_empty()
        || list.split(',').all(|part| {
            let value = part.parse::<u64>().ok();
            let value = value.filter(|it| (least..most).contains(it) && *it >= last);
            last = value.unwrap_or(last);
            value.is_some()
        })
}

/// Checks the position of a row: `(0,1)` (`tidin`).
pub(super) fn is_row_position(text: &str) -> bool {
    let Some((_, inner)) = text.split_once('(') else {
        return false;
    };
    let Some((block, rest)) = inner.split_once(',') else {
        return false;
    };
    let Some((offset, _)) = rest.split_once(')') else {
        return false;
    };
    let digits = |text: &str| match text {
        "" => Some(0),
        text => text.trim_start().parse::<u64>().ok(),
    };
    digits(block).is_some_and(|it| it <= u32::MAX.into())
        && digits(offset).is_some_and(|it| it <= u16::MAX.into())
}

/// Checks the address of a network card, 6 bytes (`macaddr_in`).
pub(super) fn check_card(text: &str, whole: &str) -> Result<(), Wrong> {
    let wrong = || {
        let message = format!("invalid input syntax for type macaddr: \"{whole}\"");
        Err(Wrong::new("22P02", message))
    };
    let separator = text.chars().find(|c| !c.is_ascii_hexdigit());
    let parts: Vec<&str> = match separator {
        Some(separator) => text.split(separator).collect(),
        None => vec![text],
    };
    let lengths = match (parts.len(), separator) {
        (1, _) => 11..=12,
        (6, Some(':' | '-')) => 1..=8,
        (3, Some('.' | '-')) => 3..=4,
        (2, Some(':' | '-')) => 5..=6,
        _ => return wrong(),
    };
    let is_hex = |part: &&str| part.bytes().all(|it| it.is_ascii_hexdigit());
    let is_part = |part: &&str| is_hex(part) && lengths.contains(&part.len());
    if !parts.iter().all(is_part) {
        return wrong();
    }
    let is_octet = |part: &&str| u32::from_str_radix(part, 16).is_ok_and(|it| it <= 255);
    if parts.len() == 6 && !parts.iter().all(is_octet) {
        let message = format!("invalid octet value in \"macaddr\" value: \"{whole}\"");
        return Err(Wrong::new("22003", message));
    }
    Ok(())
}

/// Checks the address of a network card, 6 or 8 bytes (`macaddr8_in`).
pub(super) fn is_long_card(text: &str) -> bool {
    let mut rest = text;
    let mut separator = None;
    let mut count = 0;
    while !rest.is_empty() {
        let Some((pair, after)) = rest.split_at_checked(2) else {
            return false;
        };
        if !pair.bytes().all(|it| it.is_ascii_hexdigit()) {
            return false;
        }
        count += 1;
        rest = after;
        if let Some(found) = rest.chars().next().filter(|c| matches!(c, ':' | '-' | '.')) {
            if *separator.get_or_insert(found) != found {
                return false;
            }
            rest = &rest[1..];
        }
    }
    matches!(count, 6 | 8)
}

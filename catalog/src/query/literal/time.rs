//! The texts of dates, times and intervals (datetime.c; manual, B.1).
//!
//! A text is split into fields, and each field must fit those before it.

mod fields;
mod interval;

use super::wrong::Wrong;
use fields::{Field, Kind};

/// The names and abbreviations of time zones that are plain words.
const ZONES: &str = include_str!("time/zones.txt");

const MONTHS: [&str; 24] = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "sept",
    "september",
    "october",
    "november",
    "december",
];

const DAYS: [&str; 20] = [
    "sun",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "tues",
    "wed",
    "weds",
    "thur",
    "thurs",
    "sund",
];

/// Words that mark the next number: `y2024`, `jd`, `doy`.
const LABELS: [&str; 14] = [
    "d", "doy", "dow", "h", "isodow", "isoyear", "j", "jd", "julian", "m", "mm", "s", "y", "w",
];

/// A text that PostgreSQL refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Syntax,
    OutOfRange,
    /// There is no such time zone.
    Zone,
}

/// The parts of a point in time that the fields have given so far.
#[derive(Debug, Clone, Copy, Default)]
struct Given {
    year: bool,
    month: bool,
    day: bool,
    time: bool,
    zone: bool,
    /// A word such as `mon` was a month.
    named_month: bool,
    /// The next field must be a time: `T` stood before it.
    expects_time: bool,
}

type Parsed<T> = std::result::Result<T, Refusal>;

impl Given {
    fn has_date(self) -> bool {
        self.year && self.month && self.day
    }

    fn set(flag: &mut bool) -> Parsed<()> {
        match std::mem::replace(flag, true) {
            true => Err(Refusal::Syntax),
            false => Ok(()),
        }
    }
}

/// Checks the text of a date or timestamp, or with `is_time` that of a time.
pub(super) fn check(text: &str, is_time: bool, words: &str) -> std::result::Result<(), Wrong> {
    parse(text, is_time).map_err(|refusal| refusal.wrong(text, words))
}

/// Checks the text of an interval. `has_infinity` says whether the version has infinite ones.
pub(super) fn check_interval(text: &str, has_infinity: bool) -> std::result::Result<(), Wrong> {
    interval::read(text, has_infinity).map_err(|refusal| match refusal {
        Refusal::OutOfRange => {
            let message = format!("interval field value out of range: \"{text}\"");
            Wrong::new("22015", message)
        }
        refusal => refusal.wrong(text, "interval"),
    })
}

impl Refusal {
    fn wrong(self, text: &str, words: &str) -> Wrong {
        match self {
            Self::Syntax => Wrong::new(
                "22007",
                format!("invalid input syntax for type {words}: \"{text}\""),
            ),
            Self::OutOfRange => Wrong::new(
                "22008",
                format!("date/time field value out of range: \"{text}\""),
            ),
            Self::Zone => Wrong::new("22023", format!("time zone \"{text}\" not recognized")),
        }
    }
}

fn parse(text: &str, is_time: bool) -> Parsed<()> {
    let fields = fields::split(text).ok_or(Refusal::Syntax)?;
    // What a label such as `y` or `jd` says of the next number is not followed.
    let is_label = |field: &Field| {
        field.kind == Kind::Word && LABELS.contains(&field.text.as_str()) || field.is_labelled()
    };
    if fields.iter().any(is_label) && (fields.len() > 1 || fields[0].is_labelled()) {
        return match is_time {
            true => Err(Refusal::Syntax),
            false => Ok(()),
        };
    }
    let mut given = Given::default();
    for (at, field) in fields.iter().enumerate() {
        let next = fields.get(at + 1);
        match field.kind {
            Kind::Date => date_field(field, &fields, at, is_time, &mut given)?,
            Kind::Time => {
                Given::set(&mut given.time)?;
                given.expects_time = false;
                clock(&field.text)?;
            }
            Kind::Zone => {
                Given::set(&mut given.zone)?;
                zone(&field.text)?;
            }
            Kind::Number => number_field(&field.text, at, &fields, is_time, &mut given)?,
            Kind::Word | Kind::Special => {
                if word(&field.text, field.kind, next, is_time, &mut given)? {
                    return Ok(());
                }
            }
        }
    }
    match is_time {
        true if given.time => Ok(()),
        false if given.has_date() => Ok(()),
        _ => Err(Refusal::Syntax),
    }
}

/// Reads a word. Returns true if it is a whole value, such as `now`.
fn word(
    text: &str,
    kind: Kind,
    next: Option<&Field>,
    is_time: bool,
    given: &mut Given,
) -> Parsed<bool> {
    if kind == Kind::Special {
        return match text.trim_start_matches(['+', '-']) {
            "infinity" if !is_time => Ok(true),
            _ => Err(Refusal::Syntax),
        };
    }
    match text {
        "now" => Ok(true),
        "allballs" if is_time => Ok(true),
        "today" | "tomorrow" | "yesterday" | "epoch" | "infinity" if !is_time => Ok(true),
        "at" | "on" | "am" | "pm" | "ad" | "bc" | "dst" => Ok(false),
        "t" => {
            let is_before_time = next
                .is_some_and(|next| matches!(next.kind, Kind::Number | Kind::Time | Kind::Date));
            match is_before_time && (is_time || given.has_date()) {
                true => {
                    given.expects_time = true;
                    Ok(false)
                }
                false => Err(Refusal::Syntax),
            }
        }
        text if !is_time && MONTHS.contains(&text) => {
            // A number before it was the day.
            if given.month && !given.named_month && !given.day {
                given.day = true;
            } else {
                Given::set(&mut given.month)?;
            }
            given.named_month = true;
            Ok(false)
        }
        text if !is_time && DAYS.contains(&text) => Ok(false),
        text if ZONES.split_whitespace().any(|zone| zone == text) => {
            Given::set(&mut given.zone)?;
            Ok(false)
        }
        _ => Err(Refusal::Syntax),
    }
}

/// Reads a field with the separators of a date. It can also be a time zone such as
/// `Europe/Paris`, or a time and a zone: `1230-08`.
fn date_field(
    field: &Field,
    fields: &[Field],
    at: usize,
    is_time: bool,
    given: &mut Given,
) -> Parsed<()> {
    let text = &field.text;
    let is_digit = text.starts_with(|c: char| c.is_ascii_digit());
    let is_zone = if is_time {
        let last = fields.last().map(|last| last.kind);
        let is_date = at == 0
            && fields.len() >= 2
            && (last == Some(Kind::Date) || fields[1].kind == Kind::Time);
        !is_date
    } else {
        given.month && given.day || given.expects_time
    };
    if !is_zone {
        return date(text, given);
    }
    if !is_digit {
        return match may_be_zone(text) {
            true => Given::set(&mut given.zone),
            false => Err(Refusal::Zone),
        };
    }
    let minus = text.find('-').ok_or(Refusal::Syntax)?;
    given.expects_time = false;
    Given::set(&mut given.zone)?;
    zone(&text[minus..])?;
    concatenated(&text[..minus], true, given)
}

/// Returns false for a text that is certainly no time zone: neither `Europe/Paris`, nor `EST5EDT`.
fn may_be_zone(text: &str) -> bool {
    const AREAS: [&str; 18] = [
        "africa",
        "america",
        "antarctica",
        "arctic",
        "asia",
        "atlantic",
        "australia",
        "brazil",
        "canada",
        "chile",
        "etc",
        "europe",
        "indian",
        "mexico",
        "pacific",
        "posix",
        "right",
        "us",
    ];
    if let Some((area, place)) = text.split_once('/') {
        return AREAS.contains(&area) && !place.is_empty();
    }
    let name = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let offset = name.trim_start_matches(['+', '-']);
    let rest = offset.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
    let is_posix = name.len() < text.len()
        && name.len() - offset.len() <= 1
        && (1..=8).contains(&(offset.len() - rest.len()))
        && rest.chars().all(|c| c.is_ascii_alphabetic());
    is_posix || matches!(text, "gb-eire" | "nz-chat" | "w-su")
}

/// Reads a date whose parts are separated by signs.
fn date(text: &str, given: &mut Given) -> Parsed<()> {
    let parts: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    // A day of the year: `2024.031`.
    if let [year, day] = parts[..]
        && year.len() >= 3
        && day.len() == 3
    {
        let value: u32 = day.parse().map_err(|_| Refusal::Syntax)?;
        (given.year, given.month, given.day) = (true, true, true);
        return match (1..=366).contains(&value) {
            true => Ok(()),
            false => Err(Refusal::OutOfRange),
        };
    }
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    let is_month = |part: &str| MONTHS.contains(&part);
    let known = parts.iter().all(|part| is_digits(part) || is_month(part));
    let months = parts.iter().filter(|part| is_month(part)).count();
    if parts.len() != 3 || !known || months > 1 || given.year || given.month || given.day {
        return Err(Refusal::Syntax);
    }
    (given.year, given.month, given.day) = (true, true, true);
    match parts[..] {
        [year, month, day] if year.len() >= 3 && months == 0 => year_month_day(year, month, day),
        _ => Ok(()),
    }
}

fn year_month_day(year: &str, month: &str, day: &str) -> Parsed<()> {
    let number = |part: &str| part.parse::<u32>().map_err(|_| Refusal::OutOfRange);
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return Err(Refusal::OutOfRange),
    };
    match (1..=days).contains(&day) {
        true => Ok(()),
        false => Err(Refusal::OutOfRange),
    }
}

/// Reads a number without separators.
fn number_field(
    text: &str,
    at: usize,
    fields: &[Field],
    is_time: bool,
    given: &mut Given,
) -> Parsed<()> {
    if given.expects_time {
        given.expects_time = false;
        return concatenated(text, true, given);
    }
    let point = text.find('.');
    if is_time {
        let is_date = at == 0 && fields.len() >= 2 && fields[fields.len() - 1].kind == Kind::Date;
        return match point {
            Some(_) if is_date => date(text, given),
            Some(point) if point <= 2 => Err(Refusal::Syntax),
            _ => concatenated(text, true, given),
        };
    }
    match point {
        Some(_) if !given.year && !given.month && !given.day => date(text, given),
        Some(point) if point > 2 => concatenated(text, given.has_date(), given),
        None if text.len() >= 6 && !(given.has_date() && given.time) => {
            concatenated(text, given.has_date(), given)
        }
        _ if given.has_date() => concatenated(text, true, given),
        _ => part_of_date(text, given),
    }
}

/// Reads a number that is the year, the month or the day.
fn part_of_date(text: &str, given: &mut Given) -> Parsed<()> {
    let part = match (given.year, given.month, given.day) {
        (false, false, false) if text.len() >= 3 => &mut given.year,
        (false, false, false) => &mut given.month,
        (true, false, false) => &mut given.month,
        (false, true, false) if given.named_month && text.len() >= 3 => &mut given.year,
        (_, true, false) => &mut given.day,
        (false, true, true) => &mut given.year,
        (_, false, true) => &mut given.month,
        _ => return Err(Refusal::Syntax),
    };
    *part = true;
    Ok(())
}

/// Reads a date or time that is written as one number: `20240131`, `123000.5`.
fn concatenated(text: &str, has_date: bool, given: &mut Given) -> Parsed<()> {
    let digits = match text.find('.') {
        Some(point) => &text[..point],
        None if !has_date && text.len() >= 6 => {
            (given.year, given.month, given.day) = (true, true, true);
            let year = text.len() - 4;
            return match year {
                2 => year_month_day("2000", &text[2..4], &text[4..]),
                _ => year_month_day(&text[..year], &text[year..year + 2], &text[year + 2..]),
            };
        }
        None => text,
    };
    if !matches!(digits.len(), 4 | 6) {
        return Err(Refusal::Syntax);
    }
    Given::set(&mut given.time)?;
    let parts = [&digits[..2], &digits[2..4], digits.get(4..).unwrap_or("0")];
    in_range(parts.map(|part| if part.is_empty() { "0" } else { part }))
}

/// Checks `12:30`, `12:30:15` or `12:30:15.5`.
fn clock(text: &str) -> Parsed<()> {
    let mut parts = text.split(':');
    let (hour, minute) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let second = parts.next().filter(|second| !second.is_empty());
    let second = second.unwrap_or("0");
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    let (minute, second) = match minute.split_once('.') {
        // `30:15.5` has minutes and seconds.
        Some((seconds, _)) if text.matches(':').count() == 1 => (hour, seconds),
        _ => (minute, second),
    };
    let whole = second.split('.').next().unwrap_or_default();
    let points = second.matches('.').count();
    if parts.next().is_some() || points > 1 || ![hour, minute, whole].into_iter().all(is_digits) {
        return Err(Refusal::Syntax);
    }
    in_range([hour, minute, whole])
}

fn in_range([hour, minute, second]: [&str; 3]) -> Parsed<()> {
    let number = |part: &str| part.parse::<u32>().map_err(|_| Refusal::OutOfRange);
    let (hour, minute, second) = (number(hour)?, number(minute)?, number(second)?);
    let is_past_midnight = hour > 24 || hour == 24 && (minute > 0 || second > 0);
    match !is_past_midnight && minute <= 59 && second <= 60 {
        true => Ok(()),
        false => Err(Refusal::OutOfRange),
    }
}

/// Checks `+02`, `-0530` or `+05:30`.
fn zone(text: &str) -> Parsed<()> {
    let parts: Vec<&str> = text[1..].split(':').collect();
    let is_digits = |part: &&str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    match parts.len() <= 3 && parts.iter().all(is_digits) {
        true => Ok(()),
        false => Err(Refusal::Syntax),
    }
}

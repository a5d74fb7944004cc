//! The texts of intervals (`DecodeInterval` of datetime.c; manual, 8.5.4).

use super::fields::{self, Kind};
use super::{Parsed, Refusal};

/// The units of an interval, each with the bit of the field that it gives.
const UNITS: [(&str, u32); 52] = [
    ("c", CENTURIES),
    ("cent", CENTURIES),
    ("centuries", CENTURIES),
    ("century", CENTURIES),
    ("d", DAYS),
    ("day", DAYS),
    ("days", DAYS),
    ("dec", DECADES),
    ("decade", DECADES),
    ("decades", DECADES),
    ("decs", DECADES),
    ("h", HOURS),
    ("hour", HOURS),
    ("hours", HOURS),
    ("hr", HOURS),
    ("hrs", HOURS),
    ("m", MINUTES),
    ("min", MINUTES),
    ("mins", MINUTES),
    ("minute", MINUTES),
    ("minutes", MINUTES),
    ("microsecond", MICROSECONDS),
    ("microseconds", MICROSECONDS),
    ("us", MICROSECONDS),
    ("usec", MICROSECONDS),
    ("usecs", MICROSECONDS),
    ("useconds", MICROSECONDS),
    ("mil", MILLENNIA),
    ("millennia", MILLENNIA),
    ("millennium", MILLENNIA),
    ("mils", MILLENNIA),
    ("millisecond", MILLISECONDS),
    ("milliseconds", MILLISECONDS),
    ("ms", MILLISECONDS),
    ("msec", MILLISECONDS),
    ("msecs", MILLISECONDS),
    ("mseconds", MILLISECONDS),
    ("mon", MONTHS),
    ("mons", MONTHS),
    ("month", MONTHS),
    ("months", MONTHS),
    ("s", SECONDS),
    ("sec", SECONDS),
    ("secs", SECONDS),
    ("second", SECONDS),
    ("seconds", SECONDS),
    ("w", WEEKS),
    ("week", WEEKS),
    ("weeks", WEEKS),
    ("y", YEARS),
    ("year", YEARS),
    ("years", YEARS),
];

const MICROSECONDS: u32 = 1;
const MILLISECONDS: u32 = 1 << 1;
const SECONDS: u32 = 1 << 2;
const MINUTES: u32 = 1 << 3;
const HOURS: u32 = 1 << 4;
const DAYS: u32 = 1 << 5;
const WEEKS: u32 = 1 << 6;
const MONTHS: u32 = 1 << 7;
const YEARS: u32 = 1 << 8;
const DECADES: u32 = 1 << 9;
const CENTURIES: u32 = 1 << 10;
const MILLENNIA: u32 = 1 << 11;
/// The fields of `12:30:15`.
const CLOCK: u32 = HOURS | MINUTES | SECONDS | MILLISECONDS | MICROSECONDS;

/// Reads the fields from the last to the first, since a unit follows its number.
pub(super) fn read(text: &str, has_infinity: bool) -> Parsed<()> {
    let trimmed = text.trim();
    // The form of ISO 8601, such as `P1DT2H`, has only signs, digits and these letters.
    if trimmed.starts_with('P') {
        let is_part = |c: char| c.is_ascii_digit() || "PTYMWDHS.,:+-".contains(c);
        return match trimmed.len() > 1 && trimmed.chars().all(is_part) {
            true => Ok(()),
            false => Err(Refusal::Syntax),
        };
    }
    let mut given = 0;
    let mut unit = None;
    for field in fields::split(text).ok_or(Refusal::Syntax)?.iter().rev() {
        let is_infinite = field.text.trim_start_matches(['+', '-']) == "infinity";
        let fields = match field.kind {
            _ if is_infinite && has_infinity => return Ok(()),
            Kind::Time => clock(&field.text, &mut unit)?,
            Kind::Zone if field.text.contains(':') => clock(&field.text[1..], &mut unit)?,
            Kind::Zone | Kind::Date | Kind::Number => quantity(&field.text, &mut unit)?,
            Kind::Word if field.text == "ago" => 0,
            Kind::Word => {
                unit = Some(unit_of(&field.text).ok_or(Refusal::Syntax)?);
                0
            }
            Kind::Special => return Err(Refusal::Syntax),
        };
        if given & fields != 0 {
            return Err(Refusal::Syntax);
        }
        given |= fields;
    }
    match given {
        0 => Err(Refusal::Syntax),
        _ => Ok(()),
    }
}

/// Returns the fields of a unit, whose first ten letters PostgreSQL compares.
fn unit_of(word: &str) -> Option<u32> {
    let compared = |text: &str| text.get(..10).unwrap_or(text).to_owned();
    let word = compared(word);
    let found = UNITS.iter().find(|(name, _)| compared(name) == word);
    found.map(|(_, fields)| *fields)
}

/// Checks `12:30:15`; the hours have no limit.
fn clock(text: &str, unit: &mut Option<u32>) -> Parsed<u32> {
    *unit = Some(DAYS);
    let parts: Vec<&str> = text.split([':', '.']).collect();
    let minutes = parts.get(1).and_then(|part| part.parse::<u32>().ok());
    match minutes.is_some_and(|minutes| minutes > 59) && !text.contains('.') {
        true => Err(Refusal::OutOfRange),
        false => Ok(CLOCK),
    }
}

/// Reads a number, or years and months: `1-2`. Returns the fields that it gives.
fn quantity(text: &str, unit: &mut Option<u32>) -> Parsed<u32> {
    let digits = text.trim_start_matches(['+', '-']);
    let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(months) = rest.strip_prefix('-') {
        let number: String = months.chars().take_while(char::is_ascii_digit).collect();
        if number.parse::<u32>().is_ok_and(|number| number >= 12) {
            return Err(Refusal::OutOfRange);
        }
        if !is_digits(months) {
            return Err(Refusal::Syntax);
        }
        *unit = Some(MONTHS);
        return Ok(MONTHS);
    }
    if !is_digits(rest.strip_prefix('.').unwrap_or(rest)) {
        return Err(Refusal::Syntax);
    }
    Ok(*unit.get_or_insert(SECONDS))
}

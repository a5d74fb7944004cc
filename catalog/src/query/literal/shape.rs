//! The texts of geometric types (geo_ops.c): brackets are optional in many places.

use super::wrong::Wrong;

/// Checks the text of a geometric type; `words` is its name in messages.
pub(super) fn check(name: &str, words: &str, text: &str) -> Result<(), Wrong> {
    let wrong = || {
        let message = format!("invalid input syntax for type {words}: \"{text}\"");
        Wrong::new("22P02", message)
    };
    let count = || {
        let commas = text.bytes().filter(|byte| *byte == b',').count();
        (commas % 2 == 1).then_some(commas.div_ceil(2))
    };
    let mut reader = Reader::new(text);
    let is_valid = match name {
        "point" => reader.pair().map(drop),
        "lseg" => reader.points(2, true).map(drop),
        "box" => reader.points(2, false).map(drop),
        "polygon" => count().and_then(|count| reader.points(count, false).map(drop)),
        "path" => count().and_then(|count| reader.path(count)),
        "circle" => reader.circle(),
        _ => {
            let line = reader.line().filter(|_| reader.rest.is_empty());
            return match (reader.too_large, line) {
                (Some(number), _) => Err(out_of_range(number)),
                (None, Some(line)) => line,
                (None, None) => Err(wrong()),
            };
        }
    };
    match (reader.too_large, is_valid) {
        (Some(number), _) => Err(out_of_range(number)),
        (None, Some(())) if reader.rest.is_empty() => Ok(()),
        _ => Err(wrong()),
    }
}

fn out_of_range(number: &str) -> Wrong {
    let message = format!("\"{number}\" is out of range for type double precision");
    Wrong::new("22003", message)
}

struct Reader<'t> {
    rest: &'t str,
    /// The first number that no coordinate can be.
    too_large: Option<&'t str>,
}

type Point = (f64, f64);

/// PostgreSQL's tolerance in comparisons of coordinates.
const EPSILON: f64 = 1e-6;

impl<'t> Reader<'t> {
    fn new(rest: &'t str) -> Self {
        Self {
            rest,
            too_large: None,
        }
    }

    fn space(&mut self) {
        let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c');
        self.rest = self.rest.trim_start_matches(is_space);
    }

    /// Takes a character, if it is the next one.
    fn take(&mut self, wanted: char) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn number(&mut self) -> Option<f64> {
        self.space();
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        let lower = number.to_ascii_lowercase();
        let is_word = lower.trim_start_matches(['+', '-']).starts_with(['i', 'n']);
        let value = lower.parse().ok()?;
        if f64::is_infinite(value) && !is_word {
            self.too_large = Some(number);
            return None;
        }
        self.rest = rest;
        self.space();
        Some(value)
    }

    fn pair(&mut self) -> Option<Point> {
        self.space();
        let has_bracket = self.take('(');
        let x = self.number()?;
        if !self.take(',') {
            return None;
        }
        let y = self.number()?;
        if has_bracket {
            if !self.take(')') {
                return None;
            }
            self.space();
        }
        Some((x, y))
    }

    /// Returns true if the bracket at the start is the only one of its kind.
    fn has_one_bracket(&self) -> bool {
        self.rest.starts_with('(') && self.rest.rfind('(') == Some(0)
    }

    /// Reads points; in square brackets where they can be an open path.
    fn points(&mut self, count: usize, can_be_open: bool) -> Option<Vec<Point>> {
        self.space();
        let mut depth = 0;
        let is_open = self.rest.starts_with('[');
        if is_open {
            if !can_be_open {
                return None;
            }
            self.take('[');
            depth = 1;
        } else if self.rest.starts_with('(') {
            let mut after = Reader::new(&self.rest[1..]);
            after.space();
            if after.rest.starts_with('(') || self.has_one_bracket() {
                self.rest = after.rest;
                depth = 1;
            }
        }
        let mut points = Vec::new();
        for _ in 0..count {
            points.push(self.pair()?);
            self.take(',');
        }
        while depth > 0 {
            let is_closed = self.take(')') || is_open && depth == 1 && self.take(']');
            if !is_closed {
                return None;
            }
            depth -= 1;
            self.space();
        }
        Some(points)
    }

    fn path(&mut self, count: usize) -> Option<()> {
        self.space();
        let is_in_bracket = self.has_one_bracket();
        if is_in_bracket {
            self.take('(');
        }
        self.points(count, true)?;
        if is_in_bracket && !self.take(')') {
            return None;
        }
        self.space();
        Some(())
    }

    fn circle(&mut self) -> Option<()> {
        self.space();
        let mut depth = 0;
        let is_angle = self.take('<');
        if is_angle {
            depth = 1;
        } else if self.rest.starts_with('(') {
            let mut after = Reader::new(&self.rest[1..]);
            after.space();
            if after.rest.starts_with('(') {
                self.rest = after.rest;
                depth = 1;
            }
        }
        self.pair()?;
        self.take(',');
        if self.number()? < 0.0 {
            return None;
        }
        while depth > 0 {
            let is_closed = self.take(')') || is_angle && depth == 1 && self.take('>');
            if !is_closed {
                return None;
            }
            depth -= 1;
            self.space();
        }
        Some(())
    }

    /// Reads a line: `{A,B,C}` or two points. `None` is an error of the syntax.
    fn line(&mut self) -> Option<Result<(), Wrong>> {
        let wrong = |why: &str| {
            let message = format!("invalid line specification: {why}");
            Some(Err(Wrong::new("22P02", message)))
        };
        self.space();
        if self.take('{') {
            let a = self.number()?;
            let b = self.take(',').then(|| self.number())??;
            self.take(',').then(|| self.number())??;
            if !self.take('}') {
                return None;
            }
            self.space();
            if !self.rest.is_empty() {
                return None;
            }
            return match a.abs() <= EPSILON && b.abs() <= EPSILON {
                true => wrong("A and B cannot both be zero"),
                false => Some(Ok(())),
            };
        }
        let points = self.points(2, true)?;
        if !self.rest.is_empty() {
            return None;
        }
        let is_same = |one: f64, other: f64| one == other || (one - other).abs() <= EPSILON;
        match points[..] {
            [(a, b), (c, d)] if is_same(a, c) && is_same(b, d) => {
                wrong("must be two distinct points")
            }
            _ => Some(Ok(())),
        }
    }
}

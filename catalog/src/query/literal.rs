//! Checks of literals: texts that a type's input function certainly refuses, down to the values
//! within arrays, rows and ranges.
//!
//! A text that fails a check is an error in PostgreSQL. A text that passes may still be one.

mod jsonpath;
mod names;
mod search;
mod shape;
mod system;
mod time;
mod values;
mod wrong;

use super::analyzer::{Analyzer, Result};
use super::expr::Span;
use super::fault::Fault;
use super::types::{Kind, TypeId};
use crate::TypeKind as OwnKind;
use wrong::Wrong;

impl Analyzer<'_> {
    /// Checks the text of a literal.
    pub(super) fn literal(&mut self, text: &str, target: TypeId, span: &Span) -> Result<()> {
        self.text_of_type(text, target).map_err(|wrong| {
            let fault = Fault::error(wrong.code, span.clone(), wrong.message);
            match wrong.hint {
                Some(hint) => fault.hint(hint),
                None => fault,
            }
        })
    }

    fn text_of_type(&mut self, text: &str, target: TypeId) -> std::result::Result<(), Wrong> {
        let base = self.types.base(target);
        match self.types.kind(base) {
            Kind::Enum => self.label(text, base),
            Kind::Array { element } => self.array(text, element),
            Kind::Range { subtype } => self.range(text, subtype),
            Kind::Multirange { range } => self.multirange(text, range),
            Kind::Composite => self.record(text, base),
            _ => match self.types.bare(base) {
                Some("int2vector" | "oidvector") | None => Ok(()),
                Some("regclass") => self.relation_text(text),
                Some("regtype") => self.type_text(text),
                Some("regnamespace") => self.schema_text(text),
                Some("regproc") => self.function_text(text),
                Some(name) => {
                    let words = self.types.words(base);
                    values::check(name, &words, text, self.version)
                }
            },
        }
    }

    fn label(&self, text: &str, ty: TypeId) -> std::result::Result<(), Wrong> {
        let kind = self.catalog.types.get(self.types.name(ty));
        let Some(OwnKind::Enum { labels }) = kind.map(|found| &found.kind) else {
            return Ok(());
        };
        if labels.iter().any(|label| label == text) {
            return Ok(());
        }
        let words = self.types.words(ty);
        let message = format!("invalid input value for enum {words}: \"{text}\"");
        Err(Wrong {
            hint: Some(format!("its labels are {}", labels.join(", "))),
            ..Wrong::new("22P02", message)
        })
    }

    /// Checks a value within another. `None` is NULL, which a domain can forbid.
    fn part(&mut self, text: Option<&str>, ty: TypeId) -> std::result::Result<(), Wrong> {
        let Some(text) = text else {
            return match self.not_null_domain(ty) {
                Some(name) => {
                    let message = format!("domain {name} does not allow null values");
                    Err(Wrong::new("23502", message))
                }
                None => Ok(()),
            };
        };
        self.text_of_type(text, ty)
    }

    /// Returns the name of a domain that forbids NULL.
    fn not_null_domain(&self, mut ty: TypeId) -> Option<String> {
        while let Kind::Domain { base } = self.types.kind(ty) {
            let name = self.types.name(ty);
            if let Some(OwnKind::Domain { not_null: true, .. }) =
                self.catalog.types.get(name).map(|found| &found.kind)
            {
                return Some(name.name.clone());
            }
            ty = base;
        }
        None
    }

    fn array(&mut self, text: &str, element: TypeId) -> std::result::Result<(), Wrong> {
        let wrong = || Wrong::new("22P02", format!("malformed array literal: \"{text}\""));
        let delimiter = match self.types.bare(self.types.base(element)) {
            Some("box") => b';',
            _ => b',',
        };
        let elements = elements(text, delimiter).ok_or_else(wrong)?;
        elements
            .iter()
            .try_for_each(|found| self.part(found.as_deref(), element))
    }

    fn record(&mut self, text: &str, ty: TypeId) -> std::result::Result<(), Wrong> {
        let Some(fields) = self.fields_of(ty) else {
            return Ok(());
        };
        let wrong = || Wrong::new("22P02", format!("malformed record literal: \"{text}\""));
        let found = columns(text, fields.len()).ok_or_else(wrong)?;
        found
            .iter()
            .zip(fields)
            .try_for_each(|(found, (_, ty))| self.part(found.as_deref(), ty))
    }

    fn range(&mut self, text: &str, subtype: TypeId) -> std::result::Result<(), Wrong> {
        let wrong = || Wrong::new("22P02", format!("malformed range literal: \"{text}\""));
        let text = text.trim();
        if text.eq_ignore_ascii_case("empty") {
            return Ok(());
        }
        let inner = text
            .strip_prefix(['[', '('])
            .and_then(|inner| inner.strip_suffix([']', ')']))
            .ok_or_else(wrong)?;
        let bounds = bounds(inner).ok_or_else(wrong)?;
        for bound in bounds.iter().flatten() {
            self.text_of_type(bound, subtype)?;
        }
        if let [Some(low), Some(high)] = &bounds
            && let (Ok(low), Ok(high)) = (low.trim().parse::<i128>(), high.trim().parse::<i128>())
            && low > high
        {
            let message = "range lower bound must be less than or equal to range upper bound";
            return Err(Wrong::new("22000", message));
        }
        Ok(())
    }

    fn multirange(&mut self, text: &str, range: TypeId) -> std::result::Result<(), Wrong> {
        let wrong = || Wrong::new("22P02", format!("malformed multirange literal: \"{text}\""));
        let inner = text
            .trim()
            .strip_prefix('{')
            .and_then(|inner| inner.strip_suffix('}'))
            .ok_or_else(wrong)?;
        let ranges = ranges(inner).ok_or_else(wrong)?;
        let Some(subtype) = self.types.subtype(range) else {
            return Ok(());
        };
        ranges
            .into_iter()
            .try_for_each(|range| self.range(range, subtype))
    }
}

/// Returns the elements of an array's text, without its dimensions; `None` within is NULL. Returns
/// `None` if the text is malformed (`array_in`).
fn elements(text: &str, delimiter: u8) -> Option<Vec<Option<String>>> {
    let mut text = text.trim();
    if text.starts_with('[') {
        let (bounds, rest) = text.split_once('=')?;
        let is_bound = |c: char| c.is_ascii_digit() || "[]:+- ".contains(c);
        if !bounds.chars().all(is_bound) {
            return None;
        }
        text = rest.trim_start();
    }
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    // The number of elements that each level has had so far, and whether one is expected.
    let mut open: Vec<usize> = Vec::new();
    let mut lengths: Vec<Option<usize>> = Vec::new();
    let mut leaves_at: Option<usize> = None;
    let mut expects = true;
    loop {
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        match bytes.get(at)? {
            b'{' if expects => {
                open.push(0);
                if lengths.len() < open.len() {
                    lengths.push(None);
                }
                at += 1;
                while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
                    at += 1;
                }
                // `{}` has no elements.
                expects = bytes.get(at) != Some(&b'}');
            }
            b'}' if !expects => {
                let count = open.pop()?;
                let length = lengths.get_mut(open.len())?;
                if length.is_some_and(|length| length != count) {
                    return None;
                }
                *length = Some(count);
                at += 1;
                let Some(outer) = open.last_mut() else {
                    let rest = text.get(at..)?;
                    return rest.trim().is_empty().then_some(found);
                };
                *outer += 1;
            }
            byte if *byte == delimiter && !expects && !open.is_empty() => {
                at += 1;
                expects = true;
            }
            _ if expects && !open.is_empty() => {
                if *leaves_at.get_or_insert(open.len()) != open.len() {
                    return None;
                }
                let (element, end) = element(text, at, delimiter)?;
                found.push(element);
                *open.last_mut()? += 1;
                at = end;
                expects = false;
            }
            _ => return None,
        }
    }
}

/// Reads an element of an array, in quotes or without. Returns where it ends.
fn element(text: &str, start: usize, delimiter: u8) -> Option<(Option<String>, usize)> {
    let rest = text.get(start..)?;
    if rest.starts_with('"') {
        let mut value = String::new();
        let mut all = rest.char_indices().skip(1);
        while let Some((at, c)) = all.next() {
            match c {
                '"' => return Some((Some(value), start + at + 1)),
                '\\' => value.push(all.next()?.1),
                c => value.push(c),
            }
        }
        return None;
    }
    let mut value = String::new();
    let mut is_escaped = false;
    let mut all = rest.char_indices();
    while let Some((at, c)) = all.next() {
        match c {
            '"' | '{' => return None,
            '\\' => {
                is_escaped = true;
                value.push(all.next()?.1);
            }
            c if c == '}' || c == char::from(delimiter) => {
                let value = value.trim();
                if value.is_empty() {
                    return None;
                }
                let is_null = !is_escaped && value.eq_ignore_ascii_case("null");
                return Some(((!is_null).then(|| value.to_owned()), start + at));
            }
            c => value.push(c),
        }
    }
    None
}

/// Returns the columns of a row's text; `None` within is NULL. Returns `None` if the text is
/// malformed (`record_in`).
fn columns(text: &str, count: usize) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    if count == 0 {
        return inner.trim().is_empty().then(Vec::new);
    }
    let columns = split(inner)?;
    (columns.len() == count).then_some(columns)
}

/// Splits at the commas outside of quotes. An empty part is NULL, and `""` is the empty text.
fn split(text: &str) -> Option<Vec<Option<String>>> {
    let mut all = Vec::new();
    let mut value: Option<String> = None;
    let mut in_quotes = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if in_quotes && chars.peek() == Some(&'"') => {
                chars.next();
                value.get_or_insert_default().push('"');
            }
            '"' => {
                in_quotes = !in_quotes;
                value.get_or_insert_default();
            }
            '\\' => value.get_or_insert_default().push(chars.next()?),
            ',' if !in_quotes => all.push(value.take()),
            c => value.get_or_insert_default().push(c),
        }
    }
    all.push(value);
    (!in_quotes).then_some(all)
}

/// Returns the two bounds of a range's text. An inner `None` is a missing bound.
fn bounds(inner: &str) -> Option<[Option<String>; 2]> {
    let mut parts = split(inner)?.into_iter();
    let bounds = [parts.next()?, parts.next()?];
    let is_bracket = |bound: &Option<String>| {
        let text = bound.as_deref().unwrap_or_default();
        !inner.contains('"') && text.contains(['[', ']', '(', ')'])
    };
    (parts.next().is_none() && !bounds.iter().any(is_bracket)).then_some(bounds)
}

/// Splits the text of a multirange into its ranges.
fn ranges(inner: &str) -> Option<Vec<&str>> {
    let mut all = Vec::new();
    let mut rest = inner.trim();
    while !rest.is_empty() {
        let end = if rest
            .get(..5)
            .is_some_and(|it| it.eq_ignore_ascii_case("empty"))
        {
            5
        } else {
            let mut in_quotes = false;
            let end = rest.char_indices().find(|(_, c)| {
                in_quotes ^= *c == '"';
                !in_quotes && matches!(c, ')' | ']')
            });
            rest.starts_with(['[', '(']).then_some(end?.0 + 1)?
        };
        all.push(&rest[..end]);
        rest = rest[end..].trim_start();
        if let Some(more) = rest.strip_prefix(',') {
            rest = more.trim_start();
            if rest.is_empty() {
                return None;
            }
        } else if !rest.is_empty() {
            return None;
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_split_into_their_elements() {
        let read = |text: &str| {
            let found = elements(text, b',')?;
            let shown = found.into_iter().map(|it| it.unwrap_or("NULL!".to_owned()));
            Some(shown.collect::<Vec<_>>().join("|"))
        };
        for (text, expected) in [
            ("{}", Some("")),
            (" { 1 , 2 } ", Some("1|2")),
            (r#"{"a,b","c\"d",NULL,"NULL"}"#, Some("a,b|c\"d|NULL!|NULL")),
            ("{{1,2},{3,4}}", Some("1|2|3|4")),
            ("[0:1]={a b,c}", Some("a b|c")),
            ("{{1},{2,3}}", None),
            ("{1,{2}}", None),
            ("{,}", None),
            ("{1,}", None),
            ("{\"a\": 1}", None),
            ("{a}b", None),
            ("{", None),
            ("1", None),
            ("", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn rows_and_ranges_are_split_into_their_parts() {
        assert_eq!(columns("(1,)", 2), Some(vec![Some("1".to_owned()), None]));
        assert_eq!(
            columns(r#"("a,""b",x)"#, 2),
            Some(vec![Some("a,\"b".to_owned()), Some("x".to_owned())])
        );
        for text in ["x", "(1)", "(1,2,3)", "(1,2", "(\"1,2)"] {
            assert_eq!(columns(text, 2), None, "{text}");
        }
        assert_eq!(ranges("[1,3),(5,)"), Some(vec!["[1,3)", "(5,)"]));
        assert_eq!(ranges(""), Some(Vec::new()));
        for text in ["[1,3", "1,3", "[1,3),", "[1,3)x"] {
            assert_eq!(ranges(text), None, "{text}");
        }
    }
}

//! The text of an array, such as `{a,b,"c d"}` (manual, 8.15.6).

/// A part of the text of an array.
enum Part<'t> {
    /// A brace, a comma or white space.
    Sign(char),
    Element(Element<'t>),
}

/// An element as it is written, and its value.
struct Element<'t> {
    /// The text without the white space after it.
    raw: &'t str,
    /// The white space after the element.
    space: &'t str,
    /// `None` for NULL.
    value: Option<String>,
    /// Whether PostgreSQL accepts the element: quotes surround all of it, and are closed.
    is_valid: bool,
}

/// Reads the parts of a text in order.
fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        if is_sign(first) || is_space(first) {
            rest = &rest[first.len_utf8()..];
            return Some(Part::Sign(first));
        }
        let (element, remaining) = element_of(rest);
        rest = remaining;
        Some(Part::Element(element))
    })
}

/// Reads the element at the start of a text. Returns it with the rest of the text.
fn element_of(text: &str) -> (Element<'_>, &str) {
    let (mut value, mut quotes) = (String::new(), 0);
    // The position of the last quote, and the length of the value before it.
    let (mut last_quote, mut quoted) = (0, 0);
    let mut end = text.len();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            c if is_sign(c) && quotes % 2 == 0 => {
                end = at;
                break;
            }
            '"' => (quotes, last_quote, quoted) = (quotes + 1, at, value.len()),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    let raw = text[..end].trim_end_matches(is_space);
    if quotes == 0 {
        value.truncate(value.trim_end_matches(is_space).len());
    } else if last_quote + 1 == raw.len() {
        value.truncate(quoted);
    }
    let is_null = quotes == 0 && value.eq_ignore_ascii_case("null");
    let element = Element {
        raw,
        space: &text[raw.len()..end],
        value: (!is_null).then_some(value),
        is_valid: quotes == 0
            || (quotes == 2 && raw.starts_with('"') && last_quote + 1 == raw.len()),
    };
    (element, &text[end..])
}

fn is_sign(c: char) -> bool {
    matches!(c, '{' | '}' | ',')
}

/// Returns true if PostgreSQL skips this character around elements.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// Returns the elements of a one-dimensional array, or `None` for another text.
pub(crate) fn elements(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut all = Vec::new();
    let mut is_behind_element = false;
    for part in parts(inner) {
        match part {
            Part::Sign(c) if is_space(c) => {}
            Part::Sign(',') if is_behind_element => is_behind_element = false,
            Part::Element(element) if element.is_valid && !is_behind_element => {
                all.push(element.value);
                is_behind_element = true;
            }
            _ => return None,
        }
    }
    (is_behind_element || all.is_empty() && inner.trim().is_empty()).then_some(all)
}

/// Returns the text of an array with one element renamed.
///
/// Returns `None` if the text is not an array, or has no such element.
pub(crate) fn rename_element(text: &str, from: &str, to: &str) -> Option<String> {
    let (start, end) = (text.find('{')?, text.rfind('}')?);
    let is_array = text[end + 1..].trim().is_empty()
        && (text[..start].trim().is_empty() || text[..start].trim_end().ends_with('='));
    is_array.then_some(())?;
    let mut out = text[..start].to_owned();
    let mut is_renamed = false;
    for part in parts(&text[start..]) {
        match part {
            Part::Sign(c) => out.push(c),
            Part::Element(element) => {
                if element.value.as_deref() == Some(from) {
                    out.push_str(&element_text(to));
                    is_renamed = true;
                } else {
                    out.push_str(element.raw);
                }
                out.push_str(element.space);
            }
        }
    }
    is_renamed.then_some(out)
}

/// Returns an element in the notation that PostgreSQL uses within an array's text.
fn element_text(value: &str) -> String {
    let is_plain = !value.is_empty()
        && !value.eq_ignore_ascii_case("null")
        && !value.contains(|c: char| is_space(c) || "{},\"\\".contains(c));
    if is_plain {
        value.to_owned()
    } else {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_as_postgresql_reads_them() {
        let shown = |text| {
            elements(text).map(|all| {
                all.iter()
                    .map(|one| {
                        one.as_deref()
                            .map_or_else(|| "NULL".to_owned(), |one| format!("<{one}>"))
                    })
                    .collect::<String>()
            })
        };
        for (text, wanted) in [
            ("{}", Some("")),
            (" { } ", Some("")),
            ("{a, b c ,\"d,}\\\"\" }", Some("<a><b c><d,}\">")),
            ("{null,\"null\",a\\,b}", Some("NULL<null><a,b>")),
            ("{a,}", None),
            ("{,a}", None),
            ("{a\"b\"}", None),
            ("{\"a\"b}", None),
            ("{\"a}", None),
            ("{{a},{b}}", None),
            ("a", None),
        ] {
            assert_eq!(shown(text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn an_element_is_renamed_in_any_dimension() {
        let renamed = |text| rename_element(text, "a", "new one");
        assert_eq!(renamed("{a ,b}").as_deref(), Some("{\"new one\" ,b}"));
        assert_eq!(
            renamed("[0:1]={{b,\"a\"},{\"a,\",aa}}").as_deref(),
            Some("[0:1]={{b,\"new one\"},{\"a,\",aa}}")
        );
        assert_eq!(renamed("{b}"), None);
        assert_eq!(renamed("a"), None);
    }
}

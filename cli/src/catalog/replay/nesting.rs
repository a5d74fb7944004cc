//! A bound on how deep SQL may be nested: parser and replay go down into it, and the stack has an end.

/// The deepest nesting of brackets that is followed; people write some ten.
const DEEPEST: usize = 500;

/// What replay runs on: enough for [`DEEPEST`] brackets and long chains of operators, in a build without optimization.
pub(super) const STACK: usize = 256 << 20;

/// Whether brackets are nested deeper than is followed; those in strings and comments do not count.
pub(super) fn is_too_deep(text: &str) -> bool {
    let mut rest = text.char_indices().peekable();
    let mut depth = 0_usize;
    while let Some((_, c)) = rest.next() {
        match c {
            '(' | '[' => {
                depth += 1;
                if depth > DEEPEST {
                    return true;
                }
            }
            ')' | ']' => depth = depth.saturating_sub(1),
            '\'' | '"' => {
                for (_, other) in rest.by_ref() {
                    if other == c {
                        break;
                    }
                }
            }
            '-' if rest.peek().is_some_and(|(_, next)| *next == '-') => {
                for (_, other) in rest.by_ref() {
                    if other == '\n' {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    false
}

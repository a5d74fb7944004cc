//! SQL with conditions that a call leaves out.
//!
//! A template is SQL with gaps: `WHERE project_id = $1{0: AND status = $2}{1: AND title = $3}`. A
//! gap has the number of its condition. A brace of the SQL is written twice.

use std::collections::BTreeSet;

use crate::lexer::{Kind, tokens};

/// Returns the SQL of a template with the conditions that are given.
///
/// The parameters that are left are numbered anew, from `$1` without gaps, in the order of their
/// numbers.
///
/// ```
/// let template = "SELECT '{{}}' FROM t WHERE a = $1{0: AND b = $2} LIMIT $3";
/// let compose = |given: &[usize]| bowline_sql::compose(template, |number| given.contains(&number));
/// assert_eq!(compose(&[0]), "SELECT '{}' FROM t WHERE a = $1 AND b = $2 LIMIT $3");
/// assert_eq!(compose(&[]), "SELECT '{}' FROM t WHERE a = $1 LIMIT $2");
/// ```
pub fn compose(template: &str, is_given: impl Fn(usize) -> bool) -> String {
    let mut sql = String::with_capacity(template.len());
    let mut is_left_out = false;
    let mut rest = template;
    while let Some(brace) = rest.find(['{', '}']) {
        if !is_left_out {
            sql.push_str(&rest[..brace]);
        }
        let after = &rest[brace + 1..];
        rest = match gap(&rest[brace..]) {
            Some((number, start)) => {
                is_left_out = !is_given(number);
                start
            }
            // A brace of the SQL.
            None if after.starts_with(&rest[brace..=brace]) => {
                if !is_left_out {
                    sql.push_str(&rest[brace..=brace]);
                }
                &after[1..]
            }
            // The end of a gap.
            None => {
                is_left_out = false;
                after
            }
        };
    }
    sql.push_str(rest);
    numbered(&sql)
}

/// Returns SQL with each brace twice, as a template has it.
pub fn with_braces_twice(sql: &str) -> String {
    sql.replace('{', "{{").replace('}', "}}")
}

/// Reads the beginning of a gap: its number, and the text after its colon.
fn gap(text: &str) -> Option<(usize, &str)> {
    let (number, text) = text.strip_prefix('{')?.split_once(':')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number
        .then(|| number.parse().ok())
        .flatten()
        .map(|number| (number, text))
}

/// Numbers the parameters from `$1` without gaps, in the order of their numbers.
fn numbered(sql: &str) -> String {
    let parameter = |text: &str| text.strip_prefix('$')?.parse::<u32>().ok();
    let parameters = || {
        let all = tokens(sql).filter(|token| token.kind() == Kind::Parameter);
        all.filter_map(|token| Some((token, parameter(token.text())?)))
    };
    let numbers: BTreeSet<u32> = parameters().map(|(_, number)| number).collect();
    if numbers
        .last()
        .is_none_or(|last| *last as usize == numbers.len())
    {
        return sql.to_owned();
    }
    let mut out = String::with_capacity(sql.len());
    let mut end = 0;
    for (token, number) in parameters() {
        out.push_str(&sql[end..token.start()]);
        out.push_str(&format!("${}", numbers.range(..=number).count()));
        end = token.end();
    }
    out.push_str(&sql[end..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_in_strings_keep_their_numbers() {
        let template =
            "SELECT '$3{{' WHERE true{0: AND a = $2}{12: AND b = ANY($1 || '}}')} LIMIT $4";
        let compose = |given: &[usize]| compose(template, |number| given.contains(&number));
        assert_eq!(compose(&[]), "SELECT '$3{' WHERE true LIMIT $1");
        assert_eq!(
            compose(&[12]),
            "SELECT '$3{' WHERE true AND b = ANY($1 || '}') LIMIT $2"
        );
        assert_eq!(
            compose(&[0, 12]),
            "SELECT '$3{' WHERE true AND a = $2 AND b = ANY($1 || '}') LIMIT $3"
        );
    }

    #[test]
    fn sql_in_a_template_stays_as_it_is() {
        for sql in [
            "SELECT '{0: a}'",
            "SELECT '{}'::text[] || '{{x}}'",
            "SELECT $2 + $1",
        ] {
            assert_eq!(compose(&with_braces_twice(sql), |_| false), sql);
        }
    }
}

//! The faults of a connection string, described without quoting it: any part of it may be the
//! password.

use crate::wire::libpq::parse_conninfo;

/// A fault of a connection string, phrased to follow "cannot be read", and its remedy.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Typo {
    pub(super) what: String,
    pub(super) remedy: String,
}

const FORM: &str = "the form is postgres://user@host:5432/database";
const ESCAPES: &str = "in a password write / as %2F, @ as %40, % as %25, a space as %20";

fn typo(what: impl Into<String>, remedy: impl Into<String>) -> Typo {
    Typo {
        what: what.into(),
        remedy: remedy.into(),
    }
}

/// Finds a part that libpq would misread, such as a part of the password as the host.
pub(super) fn misread(text: &str, parameters: &[(String, String)]) -> Option<Typo> {
    let Some(rest) = after_scheme(text) else {
        return bad_port(parameters);
    };
    if text.contains(char::is_whitespace) {
        return Some(space());
    }
    let before_query = rest.split('?').next().unwrap_or_default();
    let (authority, path) = before_query.split_once('/').unwrap_or((before_query, ""));
    if path.contains('@') {
        return Some(typo("there is a / before its @", ESCAPES));
    }
    if authority.matches('@').count() > 1 {
        return Some(typo("there is more than one @ in it", ESCAPES));
    }
    bad_port(parameters)
}

/// Returns the fault of a connection string that libpq cannot read.
pub(super) fn unreadable(text: &str) -> Typo {
    if text.starts_with(['"', '\'']) {
        return typo(
            "it begins with a quote",
            "remove the quotes: not every program that sets a variable does so by itself",
        );
    }
    let Some(rest) = after_scheme(text) else {
        return of_another_form(text);
    };
    if text.contains(char::is_whitespace) {
        return space();
    }
    if has_bad_escape(rest) {
        return typo(
            "there is a % in it that no two hexadecimal digits follow",
            ESCAPES,
        );
    }
    // The text after the last @ is not part of the password, but it can be part of a parameter.
    let after_password = rest.rsplit_once('@').map_or(rest, |(_, after)| after);
    match after_password.split_once('?') {
        Some((_, query)) if !rest.contains("password=") => unknown_parameter(query),
        _ => typo("it is not a complete URL", format!("{FORM}; {ESCAPES}")),
    }
}

/// Returns the text after `postgres://`.
fn after_scheme(text: &str) -> Option<&str> {
    text.strip_prefix("postgres://")
        .or_else(|| text.strip_prefix("postgresql://"))
}

fn space() -> Typo {
    typo(
        "there is a space in it",
        "remove it; within a password or a name, write %20",
    )
}

/// Finds a port that is not a port: an unescaped `/` in a password makes libpq read the password as
/// the port.
fn bad_port(parameters: &[(String, String)]) -> Option<Typo> {
    let ports = parameters.iter().filter(|(name, _)| name == "port");
    let mut ports = ports.flat_map(|(_, ports)| ports.split(','));
    let is_port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok_and(|port| port > 0);
    ports.any(|port| !is_port(port)).then(|| {
        typo(
            "its port is not a number from 1 to 65535",
            format!("{FORM}; {ESCAPES}"),
        )
    })
}

/// Returns the fault of a string that does not begin like a PostgreSQL URL.
fn of_another_form(text: &str) -> Typo {
    if text.starts_with("jdbc:") {
        return typo(
            "it is a JDBC URL",
            "leave jdbc: out, and write the user in it: postgres://user@host:5432/database",
        );
    }
    match text.split_once("://") {
        Some((scheme, _)) if is_scheme(scheme) => typo(
            format!("it begins with {scheme}://, and not with postgres://"),
            FORM,
        ),
        Some(_) => typo("it does not begin with postgres://", FORM),
        None if text.starts_with("postgres") && !text.contains('=') => {
            typo("it does not begin with postgres://", FORM)
        }
        None if text.contains('=') => typo(
            "it is not a list of name=value",
            "write each as name=value, with a value that holds a space in quotes: password='two words'; the names are in \
             the PostgreSQL manual, 32.1.2",
        ),
        None => typo("it is neither a URL nor a list of name=value", FORM),
    }
}

/// Returns whether this can only be the scheme of a URL.
fn is_scheme(text: &str) -> bool {
    (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn has_bad_escape(text: &str) -> bool {
    let is_escape = |follows: &str| {
        let digits = follows.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    text.split('%').skip(1).any(|follows| !is_escape(follows))
}

/// Returns the fault for the first parameter after the `?` that libpq does not know.
fn unknown_parameter(query: &str) -> Typo {
    const LIST: &str = "the parameters are libpq's: PostgreSQL manual, 32.1.2";
    let mut names = query
        .split('&')
        .filter_map(|parameter| Some(parameter.split_once('=')?.0));
    let is_name = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let is_known = |name: &str| parse_conninfo(&format!("{name}=1")).is_ok();
    let Some(unknown) = names.find(|name| is_name(name) && !is_known(name)) else {
        return typo("what follows its ? is not a list of name=value", LIST);
    };
    let plain = unknown.replace('_', "").to_lowercase();
    let remedy = match plain.as_str() {
        "schema" | "currentschema" | "searchpath" => {
            "use options=-csearch_path%3DNAME instead".to_owned()
        }
        near if is_known(near) => format!("did you mean {near}?"),
        _ => LIST.to_owned(),
    };
    typo(format!("there is no parameter {unknown}"), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the fault of a string that has to be refused.
    fn what(text: &str) -> String {
        let found = match parse_conninfo(text) {
            Ok(parameters) => misread(text, &parameters),
            Err(_) => Some(unreadable(text)),
        };
        found.unwrap_or_else(|| panic!("{text} is taken")).what
    }

    fn is_taken(text: &str) -> bool {
        parse_conninfo(text).is_ok_and(|parameters| misread(text, &parameters).is_none())
    }

    #[test]
    fn a_password_is_not_read_as_another_part_of_the_url() {
        assert_eq!(
            what("postgres://ann:p/w@db/bank"),
            "there is a / before its @"
        );
        assert_eq!(
            what("postgres://ann:12/34@db/bank"),
            "there is a / before its @"
        );
        assert_eq!(
            what("postgres://ann:p@w@db/bank"),
            "there is more than one @ in it"
        );
        assert!(what("postgres://ann:p%w@db/bank").starts_with("there is a % in it"));
    }

    #[test]
    fn correct_parameters_are_accepted() {
        for good in [
            "postgres://ann:p#w@db/bank",
            "postgres://ann:p:w@db:5432/bank",
            "postgres://ann:12?w=1@db/bank",
            "postgres://ann:p%2Fw@db,db2:5433/bank?target_session_attrs=read-write",
            "postgresql:///bank?host=/tmp&user=ann@example",
            "postgres://[::1]:5432/bank",
            "host=db port=5432 password='p w'",
            "",
        ] {
            assert!(is_taken(good), "{good}: {}", what(good));
        }
    }

    #[test]
    fn a_parameter_is_named_only_if_it_is_not_in_a_password() {
        assert_eq!(
            what("postgres://ann:pw@db/bank?ssl_mode=require"),
            "there is no parameter ssl_mode"
        );
        let hidden = "what follows its ? is not a list of name=value";
        assert!(!what("postgres://[db/bank?s3cret=b").contains("[db"));
        assert_eq!(what("postgres://ann:pw@db/bank?s3cret"), hidden);
        assert!(!what("postgres://ann@db/bank?password=a&s3cret=b").contains("s3cret"));
        assert!(!what("postgres://ann:a?s3cret=b@db/bank?c").contains("s3cret"));
        assert!(!what("s3cret:x://db/bank").contains("s3cret"));
    }
}

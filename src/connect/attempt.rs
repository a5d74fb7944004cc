//! libpq's message about a failed connect: one paragraph for each attempt.
//!
//! libpq tries hosts and addresses in turn, and one address again with or without encryption, until
//! an attempt succeeds. The error is about the attempt that decides.

use crate::error::ServerError;
use crate::sqlstate::SqlState;

/// One attempt.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    /// `at "127.0.0.1", port 5432`, or `on socket "/tmp/.s.PGSQL.5432"`.
    pub(super) server_address: &'a str,
    /// Why it failed, in one line: the server's message, or libpq's.
    pub(super) reason: String,
    /// The server's error, if it answered.
    pub(super) server: Option<ServerError>,
}

/// The beginning of each paragraph.
const BEGINNING: &str = "connection to server ";

/// The end of a server's message about a connection that it accepts with encryption only, or not at
/// all.
pub(super) const NO_ENCRYPTION: &str = ", no encryption";

impl<'a> Attempt<'a> {
    /// Returns all attempts, in order; none if libpq failed before the first.
    pub(super) fn all(message: &'a str) -> Vec<Self> {
        let mut starts: Vec<usize> = message
            .match_indices(BEGINNING)
            .map(|(at, _)| at)
            .filter(|at| *at == 0 || message[..*at].ends_with('\n'))
            .collect();
        starts.push(message.len());
        starts
            .windows(2)
            .filter_map(|ends| message.get(*ends.first()?..*ends.last()?))
            .map(|paragraph| Self::read(&paragraph[BEGINNING.len()..]))
            .collect()
    }

    fn read(paragraph: &'a str) -> Self {
        let (server_address, reason) = paragraph.split_once(" failed: ").unwrap_or(("", paragraph));
        let server = server_error(reason);
        let reason = match &server {
            Some(server) => server.message.clone(),
            None => one_line(reason),
        };
        Self {
            server_address,
            reason,
            server,
        }
    }

    /// Returns the attempt that decides: the last, since libpq stops at the first server that
    /// answers.
    ///
    /// An attempt without encryption, after the server has refused something else, does not count.
    pub(super) fn decisive(attempts: &[Self]) -> Option<&Self> {
        let last = attempts.last()?;
        let mut of_last_server = attempts
            .iter()
            .rev()
            .filter(|attempt| attempt.server_address == last.server_address);
        let decisive = of_last_server.find(|attempt| !attempt.reason.ends_with(NO_ENCRYPTION));
        Some(decisive.unwrap_or(last))
    }

    /// Returns the message of this attempt, and those of other addresses with another message.
    pub(super) fn among(&self, attempts: &[Self]) -> String {
        let mut reasons = vec![self.reason.as_str()];
        let mut all = self.reason.clone();
        for other in attempts
            .iter()
            .filter(|other| other.server_address != self.server_address)
        {
            if !reasons.contains(&other.reason.as_str()) {
                reasons.push(&other.reason);
                all.push_str(&format!("; {}: {}", other.server_address, other.reason));
            }
        }
        all
    }
}

/// Returns the server's error in libpq's verbose text: `FATAL:  28P01: message`, then lines with a
/// label.
fn server_error(reason: &str) -> Option<ServerError> {
    let mut lines = reason.lines();
    let (severity, rest) = lines.next()?.split_once(":  ")?;
    let (code, message) = rest.split_once(": ")?;
    let mut error = ServerError {
        severity: severity.to_owned(),
        ..ServerError::new(SqlState::new(code)?, message.to_owned())
    };
    for line in lines {
        match line.split_once(":  ") {
            Some(("DETAIL", detail)) => error.detail = Some(detail.to_owned()),
            Some(("HINT", hint)) => error.hint = Some(hint.to_owned()),
            Some(("LOCATION", _)) => {}
            // libpq's own remark: the file that the password was read from.
            _ => error.message.push_str(&format!("; {}", line.trim())),
        }
    }
    Some(error)
}

/// Returns the lines as one, without positions in PostgreSQL's source. libpq's advice is left out,
/// since the hint says the same.
pub(super) fn one_line(message: &str) -> String {
    let is_kept = |line: &str| {
        !line.trim().is_empty()
            && !line.starts_with("LOCATION:  ")
            && !["\tIs the server running", "Either provide the file"]
                .iter()
                .any(|advice| line.starts_with(advice))
    };
    let lines: Vec<_> = message
        .lines()
        .filter(|line| is_kept(line))
        .map(str::trim)
        .collect();
    let line = lines.join("; ");
    // The prefix is a function of libpq, and does not help the caller.
    let plain = line.strip_prefix("fe_sendauth: ");
    plain.map_or_else(|| line.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN: &str = "connection to server at \"::1\", port 5432 failed: Connection refused\n\tIs the server running \
                        on that host and accepting TCP/IP connections?\n";
    const WRONG: &str = "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password \
                         authentication failed for user \"ann\"\nLOCATION:  auth_failed, auth.c:340\n";
    const IN_CLEAR: &str = "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28000: no pg_hba.conf \
                            entry for host \"127.0.0.1\", user \"ann\", database \"bank\", no encryption\n";

    fn reason_of(message: &str) -> String {
        let attempts = Attempt::all(message);
        let decisive = Attempt::decisive(&attempts).expect("an attempt");
        decisive.among(&attempts)
    }

    #[test]
    fn the_last_of_several_servers_is_reported_first() {
        assert_eq!(
            reason_of(&format!("{DOWN}{WRONG}")),
            "password authentication failed for user \"ann\"; at \"::1\", port 5432: Connection refused"
        );
    }

    #[test]
    fn an_unencrypted_retry_does_not_hide_the_first_refusal() {
        let wrong = "password authentication failed for user \"ann\"";
        assert_eq!(reason_of(&format!("{WRONG}{IN_CLEAR}")), wrong);
        assert_eq!(reason_of(&format!("{IN_CLEAR}{WRONG}")), wrong);
        assert!(reason_of(IN_CLEAR).ends_with(NO_ENCRYPTION));
    }

    #[test]
    fn a_servers_error_is_read_field_by_field() {
        let attempts = Attempt::all(
            "connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  3D000: database \"x\" does not exist\n\
             DETAIL:  It was dropped.\nLOCATION:  InitPostgres, postinit.c:950",
        );
        let server = attempts.first().and_then(|attempt| attempt.server.as_ref());
        let server = server.expect("the server's words");
        assert_eq!(server.sqlstate, SqlState::INVALID_CATALOG_NAME);
        assert_eq!(server.message, "database \"x\" does not exist");
        assert_eq!(server.detail.as_deref(), Some("It was dropped."));
    }

    #[test]
    fn a_message_before_the_first_server_is_no_attempt() {
        assert!(Attempt::all("invalid sslmode value: \"often\"").is_empty());
    }
}

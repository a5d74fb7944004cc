//! The span of one statement: its SQL, its counts, and the time that each part took.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::Span;
use tracing::field::Empty;

use super::ServerAddress;
use crate::command::{Command, ExpectedRows};
use crate::error::Error;
use crate::sql_text::keywords;
use crate::wire::answer::Answer;

/// The span of a statement: begun before the statement is encoded, and recorded when its answer was
/// read.
#[derive(Debug)]
pub(crate) struct StatementSpan {
    span: Span,
    begun: Instant,
    commands: Vec<CommandText>,
    pub(crate) wire: Duration,
    pub(crate) decoding: Duration,
    pub(crate) round_trips: u32,
    pub(crate) sent_bytes: usize,
    pub(super) received_bytes: usize,
    pub(super) returned_rows: usize,
    affected_rows: usize,
}

/// A command's SQL as the caller wrote it, and the function that created it.
#[derive(Debug)]
struct CommandText {
    sql: Arc<str>,
    function: Option<&'static str>,
}

/// The number of bytes and commands of a batch that are shown; the rest is left out.
const TEXT: usize = 16 * 1024;
const COMMANDS: usize = 64;

impl StatementSpan {
    /// Returns whether a subscriber or recorder wants statements.
    pub(crate) fn is_wanted() -> bool {
        cfg!(feature = "metrics")
            || tracing::enabled!(target: "bowline::statement", tracing::Level::DEBUG)
    }

    pub(crate) fn begin(server: &ServerAddress, waited: Duration, attempt: u32) -> Self {
        let span = tracing::debug_span!(
            target: "bowline::statement",
            "statement",
            otel.kind = "client",
            otel.name = Empty,
            otel.status_code = Empty,
            db.system.name = "postgresql",
            db.namespace = &*server.database,
            server.address = server.address,
            server.port = server.port,
            db.operation.name = Empty,
            db.operation.batch.size = Empty,
            db.query.text = Empty,
            db.response.returned_rows = Empty,
            db.response.status_code = Empty,
            error.r#type = Empty,
            code.function.name = Empty,
            bowline.attempt = attempt,
            bowline.affected_rows = Empty,
            bowline.sent_bytes = Empty,
            bowline.received_bytes = Empty,
            bowline.round_trips = Empty,
            bowline.wait_seconds = waited.as_secs_f64(),
            bowline.wire_seconds = Empty,
            bowline.decode_seconds = Empty,
        );
        Self {
            span,
            begun: Instant::now(),
            commands: Vec::new(),
            wire: Duration::ZERO,
            decoding: Duration::ZERO,
            round_trips: 0,
            sent_bytes: 0,
            received_bytes: 0,
            returned_rows: 0,
            affected_rows: 0,
        }
    }

    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Sets the commands; they are set again if the statement is sent again.
    pub(crate) fn set_commands<'c>(&mut self, commands: impl IntoIterator<Item = &'c Command>) {
        let commands = commands.into_iter().map(|command| CommandText {
            sql: command.caller_sql(),
            function: command.function,
        });
        self.commands.clear();
        self.commands.extend(commands);
    }

    /// Sets the script that runs.
    pub(crate) fn set_script(&mut self, sql: &str) {
        self.commands.push(CommandText {
            sql: shortened(sql).into(),
            function: None,
        });
    }

    /// Counts data of a COPY.
    pub(crate) fn copied(&mut self, sent: usize, received: usize) {
        self.sent_bytes += sent;
        self.received_bytes += received;
    }

    /// Sets the number of rows of a COPY that has ended.
    pub(crate) fn copied_rows(&mut self, rows: usize) {
        self.affected_rows = rows;
    }

    /// Counts the answer to a command.
    pub(crate) fn answered(&mut self, rows: ExpectedRows, answer: &Answer) {
        self.received_bytes += answer.value_bytes();
        match rows {
            // If the server has checked the count, the answer is a row.
            ExpectedRows::Exactly(rows) if answer.column_count() > 0 => {
                self.affected_rows += usize::try_from(rows).unwrap_or(usize::MAX);
            }
            _ if answer.column_count() > 0 => self.returned_rows += answer.row_count(),
            _ => self.affected_rows += answer.rows_affected(),
        }
    }

    /// Records the result of the statement in the span.
    pub(crate) fn record(&self, failure: Option<&Error>) {
        if self.span.is_disabled() {
            return;
        }
        let operation = self.operation();
        let function = self.function();
        let name = function.as_deref().unwrap_or(&operation);
        self.span.record("otel.name", name);
        self.span.record("db.operation.name", &*operation);
        if self.commands.len() > 1 {
            self.span
                .record("db.operation.batch.size", self.commands.len());
        }
        self.span.record("db.query.text", &*self.text());
        if let Some(function) = &function {
            self.span.record("code.function.name", &**function);
        }
        self.span
            .record("db.response.returned_rows", self.returned_rows);
        self.span
            .record("bowline.affected_rows", self.affected_rows);
        self.span.record("bowline.sent_bytes", self.sent_bytes);
        self.span
            .record("bowline.received_bytes", self.received_bytes);
        self.span.record("bowline.round_trips", self.round_trips);
        self.span
            .record("bowline.wire_seconds", self.wire.as_secs_f64());
        self.span
            .record("bowline.decode_seconds", self.decoding.as_secs_f64());
        if let Some(error) = failure {
            self.span.record("otel.status_code", "ERROR");
            match error.sqlstate() {
                Some(state) => {
                    self.span.record("db.response.status_code", state.code());
                    self.span.record("error.type", state.code());
                }
                None => {
                    self.span.record("error.type", error.kind().name());
                }
            }
        }
    }

    /// Emits the event of a slow statement.
    pub(crate) fn report_slow(&self, duration: Duration, plan: Option<&str>) {
        let (text, function) = (self.text(), self.function());
        tracing::event!(
            target: "bowline::slow",
            tracing::Level::WARN,
            db.query.text = text,
            code.function.name = function,
            db.response.returned_rows = self.returned_rows,
            bowline.affected_rows = self.affected_rows,
            bowline.duration_seconds = duration.as_secs_f64(),
            bowline.plan = plan,
            "slow statement"
        );
    }

    /// Returns the operation: `SELECT`; for several commands `BATCH`, with the operation if all
    /// have the same one.
    pub(super) fn operation(&self) -> String {
        let mut operations = self
            .commands
            .iter()
            .map(|command| keywords::operation(&command.sql));
        let first = operations.next().unwrap_or_default();
        match self.commands.len() {
            0 | 1 => first,
            _ if operations.all(|operation| operation == first) => format!("BATCH {first}"),
            _ => "BATCH".to_owned(),
        }
    }

    /// Returns the function that created each command.
    #[cfg(feature = "metrics")]
    pub(super) fn functions(&self) -> impl Iterator<Item = Option<&'static str>> {
        self.commands.iter().map(|command| command.function)
    }

    /// Returns the function that created all commands; `None` if they differ.
    #[cfg(feature = "metrics")]
    pub(super) fn only_function(&self) -> Option<&'static str> {
        let first = self.functions().next().flatten();
        first.filter(|_| self.functions().all(|function| function == first))
    }

    /// Returns the functions that created the commands, each once.
    fn function(&self) -> Option<String> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.commands.iter().filter_map(|command| command.function) {
            if !names.contains(&name) && names.len() < COMMANDS {
                names.push(name);
            }
        }
        (!names.is_empty()).then(|| names.join(", "))
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut shown = 0;
        for command in self.commands.iter().take(COMMANDS) {
            if text.len() >= TEXT {
                break;
            }
            if shown > 0 {
                text.push_str("; ");
            }
            text.push_str(shortened(&command.sql));
            shown += 1;
        }
        text.truncate(shortened(&text).len());
        if shown < self.commands.len() {
            text.push_str("; ..");
        }
        text
    }
}

/// Returns the beginning of a text that is too long to be shown.
fn shortened(sql: &str) -> &str {
    let mut end = sql.len().min(TEXT);
    while !sql.is_char_boundary(end) {
        end -= 1;
    }
    &sql[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(
        commands: impl IntoIterator<Item = (&'static str, Option<&'static str>)>,
    ) -> StatementSpan {
        let server = ServerAddress::new("db.example.com".to_owned(), 5432, "bank");
        let mut seen = StatementSpan::begin(&server, Duration::ZERO, 1);
        let commands = commands.into_iter().map(|(sql, function)| CommandText {
            sql: sql.into(),
            function,
        });
        seen.commands.extend(commands);
        seen
    }

    #[test]
    fn a_batch_is_named_after_the_common_part_of_its_commands() {
        assert_eq!(seen([("select 1", None)]).operation(), "SELECT");
        let alike = [("SELECT 1", None), ("(select 2)", None)];
        assert_eq!(seen(alike).operation(), "BATCH SELECT");
        let unlike = [("SELECT 1", None), ("DELETE FROM t", None)];
        assert_eq!(seen(unlike).operation(), "BATCH");
        assert_eq!(seen([]).operation(), "");
    }

    #[test]
    fn each_function_is_named_once() {
        let commands = [
            ("a", Some("A::x")),
            ("b", None),
            ("c", Some("A::x")),
            ("d", Some("B::y")),
        ];
        assert_eq!(seen(commands).function().as_deref(), Some("A::x, B::y"));
        assert_eq!(seen([("a", None)]).function(), None);
    }

    #[test]
    fn the_text_of_a_large_batch_is_bounded() {
        let text = seen((0..1000).map(|_| ("SELECT 1", None))).text();
        assert!(text.starts_with("SELECT 1; SELECT 1;") && text.ends_with("; .."));
        assert_eq!(text.matches("SELECT").count(), COMMANDS);
        let long: &'static str = Box::leak("é".repeat(TEXT).into_boxed_str());
        assert!(seen([("a", None), (long, None), (long, None)]).text().len() <= TEXT + 4);
    }
}

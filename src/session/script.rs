//! A script of any number of statements, as one simple query.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use bowline_sql::statements;
use diesel::connection::{InstrumentationEvent, StrQueryHelper};

use super::Session;
use super::exchange::{Cargo, CommitPoint};
use super::flight::cannot_end;
use crate::command::failure::{rows_too_late, server_error, shift};
use crate::error::{Error, Outcome, Result};
use crate::sql_text::keywords::{begins_with, ends_transaction, may_commit_and_fail, stands_alone};
use crate::sql_text::read_only::Reads;
use crate::sql_text::search_path::SearchPathChange;
use crate::wire::cancel::settle;
use crate::wire::driver::{Stopped, drive};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::Cancel;
use crate::wire::protocol::{Machine as _, NO_COPY_SAYS, Script, ScriptPart, c_string};

/// Who is told of what a script gives, in its order; breaks off what is no longer wanted.
pub(super) type Hearer<'h> = &'h mut dyn FnMut(ScriptPart) -> ControlFlow<()>;

impl Session {
    /// Runs a script of any number of statements, as one simple query; gives the tags of its commands.
    pub(super) fn script(&mut self, sql: &str) -> Result<Vec<String>> {
        self.script_heard(sql, None)
    }

    /// The same, and what it gives is heard as it arrives.
    pub(super) fn script_heard(
        &mut self,
        sql: &str,
        hearer: Option<Hearer<'_>>,
    ) -> Result<Vec<String>> {
        self.watched(|session| {
            session.watch.asks_script(sql);
            session.script_told(sql, hearer)
        })
    }

    /// The same, and diesel's instrumentation is told.
    fn script_told(&mut self, sql: &str, hearer: Option<Hearer<'_>>) -> Result<Vec<String>> {
        let query = StrQueryHelper::new(sql);
        self.instrumentation
            .on_connection_event(InstrumentationEvent::start_query(&query));
        match self.script_unseen(sql, hearer) {
            Ok(tags) => {
                self.instrumentation
                    .on_connection_event(InstrumentationEvent::finish_query(&query, None));
                Ok(tags)
            }
            Err(error) => {
                self.tell_failure(sql, &error);
                Err(error)
            }
        }
    }

    fn script_unseen(&mut self, sql: &str, hearer: Option<Hearer<'_>>) -> Result<Vec<String>> {
        self.refuse_if_lost()?;
        self.refuse_if_given_up()?;
        self.refuse_if_late()?;
        self.refuse_end_in_script(sql)?;
        self.look_at_script(sql);
        let deadline = self.call_deadline();
        self.send_ahead(deadline)?;
        let before = self.in_front_of_a_query(false);
        let ahead = self.statements_in_front(false).len();
        // Also one that the caller began by hand.
        let within = self.transactions.depth() > 0 || self.is_in_transaction();
        // What would end the transaction was refused, and PostgreSQL refuses all else that would commit in one.
        let may_commit = self.transactions.depth() == 0;
        self.transactions.sent = Reads::No;
        let text: Arc<str> = format!("{before}{sql}").into();
        let c_text = c_string(&text).map_err(Error::query)?;
        self.watch.departs(&[]);
        let since = self.watch.now();
        let interrupt = self.interrupt();
        let mut script = Script::new(&mut self.connection, c_text).heeding(interrupt);
        self.activity.begin(Arc::clone(&text));
        let heard_by_somebody = hearer.is_some();
        let driven = match hearer {
            None => drive(&mut script, deadline).map_err(Ended::of),
            Some(hearer) => {
                script = script.handing_out();
                hand_out(&mut script, deadline, ahead, hearer)
            }
        };
        let (driven, expired) = match driven {
            Err(Ended::Early { expired }) => {
                script.hand_out_no_more();
                let settled = settle(&mut script, |script| Cancel::start(script.connection()));
                (settled, expired)
            }
            Err(Ended::Lost(stopped)) => (Err(stopped), false),
            Ok(()) => (Ok(()), false),
        };
        let heard = std::mem::take(&mut script.heard);
        self.watch.arrived(since);
        self.activity.end(self.is_in_transaction());
        // What cannot be parsed runs not even in part: what waited still waits.
        let refused_whole = heard.tags.is_empty() && heard.error.is_some() && !before.is_empty();
        if !refused_whole {
            self.transactions.sent();
        }
        let result = match (driven, heard.error) {
            (Err(stopped), error) => {
                let outcome = if heard.sent && (!within || may_commit && commits(sql, usize::MAX)) {
                    Outcome::Unknown
                } else {
                    Outcome::NotCommitted
                };
                Err(self.lost_error(stopped, error.as_ref(), expired, outcome))
            }
            (Ok(()), Some(error))
                if error
                    .error_field(crate::wire::libpq::Field::Message)
                    .is_some_and(|said| said.contains(NO_COPY_SAYS)) =>
            {
                Err(Error::query(NO_COPY_SAYS)
                    .with_outcome(outcome_if_refused(may_commit, sql, &heard.tags))
                    .with_hint("insert the rows, or let the server read a file")
                    .with_sql(sql.into()))
            }
            (Ok(()), Some(error)) => {
                let outcome = outcome_if_refused(may_commit, sql, &heard.tags);
                Err(shift(server_error(&error, expired), before.chars().count())
                    .with_outcome(outcome)
                    .with_sql(sql.into()))
            }
            (Ok(()), None) if expired && heard_by_somebody && heard.dropped => {
                let outcome = if within && !(may_commit && commits(sql, usize::MAX)) {
                    Outcome::NotCommitted
                } else {
                    Outcome::Committed
                };
                Err(rows_too_late().with_outcome(outcome).with_sql(sql.into()))
            }
            (Ok(()), None) => Ok(heard.tags.clone()),
        };
        if let Err(error) = &result {
            self.transactions.note(error);
        } else {
            self.follow_search_path(SearchPathChange::of_script(sql).iter());
        }
        result
    }
}

impl Session {
    /// A script cannot end the transaction that its session has for somebody.
    fn refuse_end_in_script(&self, sql: &str) -> Result<()> {
        if self.transactions.depth() == 0 {
            return Ok(());
        }
        let end = statements(sql).find(|statement| ends_transaction(statement.text()));
        // Where backslashes escape, a string may end elsewhere than it seems to.
        let unsure = self.is_read_otherwise(sql)
            && sql
                .split(|c: char| !c.is_ascii_alphabetic())
                .any(|word| ends_transaction(word) || word.eq_ignore_ascii_case("prepare"));
        match end {
            None if unsure => Err(cannot_end(sql)),
            None => Ok(()),
            Some(end) => Err(cannot_end(end.text())),
        }
    }

    /// SAVEPOINT goes ahead of a simple query, in a round trip of its own.
    ///
    /// What PostgreSQL cannot parse as a whole it does not run in part, so a savepoint that came with it would
    /// not be there to go back to.
    pub(super) fn send_ahead(&mut self, deadline: Instant) -> Result<()> {
        if self.is_in_transaction() && !self.transactions.waiting().is_empty() {
            self.exchange(Cargo::default(), CommitPoint::Later, deadline)?;
        }
        Ok(())
    }
}

/// How a script ended without coming to its end.
enum Ended {
    /// The deadline passed, or nobody wants the rest; the server has to be asked to stop.
    Early {
        expired: bool,
    },
    Lost(Stopped),
}

impl Ended {
    fn of(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Deadline => Self::Early { expired: true },
            lost @ Stopped::Lost(_) => Self::Lost(lost),
        }
    }
}

/// Drives a script to its end, part by part, but for those of the statements that travel ahead; the time that the
/// hearer takes does not count.
fn hand_out(
    script: &mut Script<'_>,
    mut deadline: Instant,
    mut ahead: usize,
    hearer: Hearer<'_>,
) -> Result<(), Ended> {
    loop {
        // What is here already is handed out without a wait in which it would be noticed.
        if script.interrupt().is_some_and(Interrupt::is_given_up) {
            return Err(Ended::Early { expired: true });
        }
        drive(script, deadline).map_err(Ended::of)?;
        let Some(part) = script.take_part() else {
            return Ok(());
        };
        if ahead > 0 {
            ahead -= usize::from(part.ends_a_statement());
            continue;
        }
        let since = Instant::now();
        if hearer(part).is_break() {
            return Err(Ended::Early { expired: false });
        }
        deadline += since.elapsed();
    }
}

/// What became of a script of which the server refused a statement: the one behind those that have a tag.
fn outcome_if_refused(may_commit: bool, sql: &str, tags: &[String]) -> Outcome {
    if may_commit && commits(sql, tags.len() + 1) {
        Outcome::Unknown
    } else {
        Outcome::NotCommitted
    }
}

/// Whether one of a script's first statements commits work of its own accord, so that a failure behind it, or of it,
/// does not undo that.
fn commits(sql: &str, first: usize) -> bool {
    statements(sql).take(first).any(|statement| {
        let sql = statement.text();
        let rolls_back = begins_with(sql, &["rollback", "abort"]);
        (ends_transaction(sql) && !rolls_back) || stands_alone(sql) || may_commit_and_fail(sql)
    })
}

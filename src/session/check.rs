//! Checks whether answers can be read as the Rust types that the program expects.

use std::ffi::CStr;
use std::sync::Arc;
use std::time::Instant;

use diesel::row::Row as _;
use diesel::sql_types::{Array, Bool, Nullable, Oid, Text};

use super::Session;
use super::exchange::CommitPoint;
use crate::command::columns::{
    Checks, Columns, Describe, check_values, is_untyped, mismatch, only_null,
};
use crate::command::types::{SqlType, TypeMatch, TypePair};
use crate::command::{Command, ExpectedRows, ReadAs};
use crate::error::{Error, Result};
use crate::sql_text::search_path::SearchPathKey;
use crate::statement::render;
use crate::wire::answer::Answer;
use crate::wire::row::SessionRow;

/// The query that compares pairs of types. They match if they are the same, if one is a domain over
/// the other, if they are binary-coercible, or if an enum is read as text.
const JUDGE: &str = "\
    WITH RECURSIVE wanted AS ( \
        SELECT number, actual, CASE WHEN is_array THEN \
                (SELECT typarray FROM pg_catalog.pg_type WHERE oid = coalesce(expected, named)) \
            ELSE coalesce(expected, named) END AS expected \
        FROM ( \
            SELECT number, actual, expected, is_array, pg_catalog.to_regtype( \
                coalesce(pg_catalog.quote_ident(schema) || '.', '') || pg_catalog.quote_ident(name))::oid AS named \
            FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS w (actual, expected, schema, name, is_array, number) \
        ) AS w \
    ), sides AS ( \
        SELECT number, 'a' AS side, actual AS type FROM wanted \
        UNION ALL SELECT number, 'e', expected FROM wanted \
    ), steps AS ( \
        SELECT number, side, type, 0 AS elements FROM sides \
        UNION ALL \
        SELECT s.number, s.side, CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.typelem END, \
            s.elements + CASE t.typtype WHEN 'd' THEN 0 ELSE 1 END \
        FROM steps s JOIN pg_catalog.pg_type t ON t.oid = s.type \
        WHERE t.typtype = 'd' OR (t.typcategory = 'A' AND t.typelem <> 0) \
    ) \
    SELECT w.number::text, pg_catalog.format_type(w.actual, NULL), coalesce(( \
        SELECT bool_or(a.elements = e.elements AND (a.type = e.type \
            OR (t.typtype = 'e' AND e.type IN (19, 25, 1042, 1043)) \
            OR EXISTS (SELECT FROM pg_catalog.pg_cast c \
                WHERE c.castsource = a.type AND c.casttarget = e.type AND c.castmethod = 'b'))) \
        FROM steps a JOIN steps e USING (number) JOIN pg_catalog.pg_type t ON t.oid = a.type \
        WHERE a.number = w.number AND a.side = 'a' AND e.side = 'e' \
    ), false) FROM wanted w";

impl Session {
    /// Checks the types of the answers to these commands; an error names the command.
    ///
    /// A positive result is kept with the prepared statement. If the command before it was the same
    /// statement, the result of that one is used.
    pub(super) async fn check_answers(
        &mut self,
        commands: &mut [Command],
        answers: &[Answer],
        deadline: Instant,
    ) -> Result<()> {
        let of = commands.len();
        let mut alike: Option<Alike> = None;
        for (number, (command, answer)) in commands.iter_mut().zip(answers).enumerate() {
            if let Some(read_as) = &mut command.read_as
                && read_as.checks.is_none()
            {
                read_as.checks = alike.take().and_then(|alike| alike.checks_for(read_as));
            }
            let checked = match known_checks(command, answer) {
                Some(checked) => checked,
                None => Box::pin(self.check_answer(command, answer, Some(deadline))).await,
            };
            checked.map_err(|error| {
                error
                    .with_sql(command.caller_sql())
                    .with_statement(number + 1, of)
            })?;
            alike = if of > 1 { Alike::of(command) } else { None };
        }
        Ok(())
    }

    /// Checks the types of one answer. Without a deadline, the server cannot be asked, and a type
    /// in doubt may pass.
    pub(crate) async fn check_answer(
        &mut self,
        command: &mut Command,
        answer: &Answer,
        deadline: Option<Instant>,
    ) -> Result<()> {
        if let Some(checked) = known_checks(command, answer) {
            return checked;
        }
        let is_dsl = command.is_diesels;
        let Some(read_as) = &mut command.read_as else {
            return Ok(());
        };
        let mut columns = Columns::default();
        (read_as.describe)(&mut columns);
        let checks = self
            .judge_columns(&columns, answer, is_dsl, &command.path, deadline)
            .await?;
        read_as.checks = Some(Arc::clone(&checks));
        // A type that passed because the server could not be asked is checked the next time.
        if let Some(name) = read_as.name.as_ref().filter(|_| deadline.is_some()) {
            self.connection
                .prepared_mut()
                .set_checked(name, read_as.describe, Arc::clone(&checks));
        }
        check_values(answer, &checks)
    }

    async fn judge_columns(
        &mut self,
        columns: &Columns,
        answer: &Answer,
        is_dsl: bool,
        path: &SearchPathKey,
        deadline: Option<Instant>,
    ) -> Result<Checks> {
        let mut compared = columns.compare(answer, is_dsl)?;
        let doubts: Vec<&TypePair> = compared.doubts.iter().map(|(_, pair)| pair).collect();
        let judged = self.judge(&doubts, path, deadline).await?;
        for ((column, (actual, expected)), judged) in compared.doubts.iter().zip(judged) {
            match judged {
                Some(judged) if judged.reads => {}
                None if expected.may_read() => {}
                _ if is_untyped(*actual, *column, answer) => {
                    compared.checks.push(only_null(expected, *column, answer));
                }
                judged => {
                    let actual = judged.map_or_else(
                        || crate::command::columns::type_name(*actual).into_owned(),
                        |judged| judged.actual,
                    );
                    return Err(mismatch(answer, *column, &actual, expected));
                }
            }
        }
        Ok(compared.checks.into())
    }

    /// Returns whether types match, as the server said before, or says now: one round trip for all
    /// pairs.
    pub(super) async fn judge(
        &mut self,
        pairs: &[&TypePair],
        path: &SearchPathKey,
        deadline: Option<Instant>,
    ) -> Result<Vec<Option<TypeMatch>>> {
        let known = |session: &Self| -> Vec<_> {
            let pairs = pairs.iter();
            pairs
                .map(|pair| session.types.cache().judged(path, pair))
                .collect()
        };
        let judged = known(self);
        let Some(deadline) = deadline.filter(|_| judged.iter().any(Option::is_none)) else {
            return Ok(judged);
        };
        let unknown: Vec<&TypePair> = pairs
            .iter()
            .zip(&judged)
            .filter(|(_, judged)| judged.is_none())
            .map(|(pair, _)| *pair)
            .collect();
        self.ask(&unknown, path, deadline).await?;
        Ok(known(self))
    }

    async fn ask(
        &mut self,
        pairs: &[&TypePair],
        path: &SearchPathKey,
        deadline: Instant,
    ) -> Result<()> {
        let expected = |(_, expected): &TypePair| match expected {
            SqlType::BuiltIn(oid) => (Some(*oid), None, None, false),
            SqlType::Named { name, is_array } => (
                None,
                name.schema.clone(),
                Some(name.name.clone()),
                *is_array,
            ),
        };
        let expected: Vec<_> = pairs.iter().map(|pair| expected(pair)).collect();
        let query = diesel::sql_query(JUDGE)
            .bind::<Array<Oid>, _>(pairs.iter().map(|(actual, _)| *actual).collect::<Vec<_>>())
            .bind::<Array<Nullable<Oid>>, _>(expected.iter().map(|e| e.0).collect::<Vec<_>>())
            .bind::<Array<Nullable<Text>>, _>(
                expected.iter().map(|e| e.1.as_deref()).collect::<Vec<_>>(),
            )
            .bind::<Array<Nullable<Text>>, _>(
                expected.iter().map(|e| e.2.as_deref()).collect::<Vec<_>>(),
            )
            .bind::<Array<Bool>, _>(expected.iter().map(|e| e.3).collect::<Vec<_>>());
        let mut encoder = self.encoder();
        let command = render(&query, ExpectedRows::Any, &mut encoder)?;
        let batch = self.by_path(path, command);
        let mut result = self.exchange(batch, CommitPoint::Later, deadline).await?;
        let mut found = Vec::new();
        for row in result.take_answers().flat_map(SessionRow::all) {
            let number = row.get_value::<Text, String, _>(0).map_err(Error::decode)?;
            let actual = row.get_value::<Text, String, _>(1).map_err(Error::decode)?;
            let reads = row.get_value::<Bool, bool, _>(2).map_err(Error::decode)?;
            let number = number.parse::<usize>().ok();
            if let Some(pair) = number.and_then(|number| pairs.get(number.checked_sub(1)?)) {
                found.push(((*pair).clone(), TypeMatch { reads, actual }));
            }
        }
        self.types.cache().keep(path, found);
        Ok(())
    }
}

/// Checks the answers to commands, if the types of all of them were compared before.
pub(super) fn check_known(commands: &[Command], answers: &[Answer]) -> Option<Result<()>> {
    for (number, (command, answer)) in commands.iter().zip(answers).enumerate() {
        if let Err(error) = known_checks(command, answer)? {
            let error = error.with_sql(command.caller_sql());
            return Some(Err(error.with_statement(number + 1, commands.len())));
        }
    }
    Some(Ok(()))
}

/// Returns the result of the checks if no types have to be compared for it.
fn known_checks(command: &Command, answer: &Answer) -> Option<Result<()>> {
    let Some(read_as) = &command.read_as else {
        return Some(Ok(()));
    };
    if answer.column_count() == 0 {
        return Some(Ok(()));
    }
    let checks = read_as.checks.as_ref()?;
    Some(check_values(answer, checks))
}

/// The checks of a prepared statement, for the next command if that is the same statement.
struct Alike {
    name: Arc<CStr>,
    describe: Describe,
    checks: Checks,
}

impl Alike {
    fn of(command: &Command) -> Option<Self> {
        let read_as = command.read_as.as_ref()?;
        Some(Self {
            name: Arc::clone(read_as.name.as_ref()?),
            describe: read_as.describe,
            checks: Arc::clone(read_as.checks.as_ref()?),
        })
    }

    fn checks_for(self, read_as: &ReadAs) -> Option<Checks> {
        let is_same = read_as.name.as_ref() == Some(&self.name) && read_as.is_by(self.describe);
        is_same.then_some(self.checks)
    }
}

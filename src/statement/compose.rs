//! Statements that consist of other statements.

use super::{Answers, Encoder, RowReader, RowStatement, Sealed, Statement};
use crate::command::columns::Columns;
use crate::error::Result;
use crate::sql_text::read_only::Reads;

/// A statement whose output is changed by a function; returned by [`Statement::map`].
#[derive(Debug)]
pub struct Map<S, F> {
    statement: S,
    f: F,
}

impl<S, F> Map<S, F> {
    pub(super) fn new(statement: S, f: F) -> Self {
        Self { statement, f }
    }

    pub(super) fn inner(&self) -> &S {
        &self.statement
    }
}

impl<S, F> Sealed for Map<S, F> {}

impl<S: Statement, T, F: Fn(S::Output) -> T> Statement for Map<S, F> {
    type Output = T;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.statement.encode(encoder)
    }

    fn decode(&self, answers: &mut Answers) -> Result<T> {
        self.statement.decode(answers).map(&self.f)
    }
}

/// A statement under the name of the function that created it; returned by [`Statement::named`].
#[derive(Debug)]
#[must_use = "a statement does nothing until it is run"]
pub struct Named<S> {
    statement: S,
    function: &'static str,
    /// Whether the statement is known from the catalog to only read.
    reads: bool,
}

impl<S> Named<S> {
    pub(super) fn new(statement: S, function: &'static str, reads: bool) -> Self {
        Self {
            statement,
            function,
            reads,
        }
    }

    /// Adds the commands that `encode` adds, under the name.
    pub(super) fn encode_by(
        &self,
        encoder: &mut Encoder<'_>,
        encode: impl FnOnce(&S, &mut Encoder<'_>) -> Result<()>,
    ) -> Result<()> {
        let first = encoder.commands.len();
        let encoded = encode(&self.statement, encoder);
        for command in &mut encoder.commands[first..] {
            command.function.get_or_insert(self.function);
            if self.reads {
                command.set_reads_if_unknown(Reads::Yes);
            }
        }
        encoded
    }
}

impl<S> Sealed for Named<S> {}

impl<S: Statement> Statement for Named<S> {
    type Output = S::Output;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.encode_by(encoder, S::encode)
    }

    fn decode(&self, answers: &mut Answers) -> Result<S::Output> {
        self.statement.decode(answers)
    }
}

impl<S: RowStatement> RowStatement for Named<S> {
    type Row = S::Row;

    fn reader() -> RowReader<S::Row> {
        S::reader()
    }

    fn describe(columns: &mut Columns) {
        S::describe(columns);
    }
}

/// A statement that is never prepared under a name; returned by [`Statement::unprepared`].
#[derive(Debug)]
#[must_use = "a statement does nothing until it is run"]
pub struct Unprepared<S>(S);

impl<S> Unprepared<S> {
    pub(super) fn new(statement: S) -> Self {
        Self(statement)
    }

    /// Adds the commands that `encode` adds, without a name for the server.
    pub(super) fn encode_by(
        &self,
        encoder: &mut Encoder<'_>,
        encode: impl FnOnce(&S, &mut Encoder<'_>) -> Result<()>,
    ) -> Result<()> {
        let first = encoder.commands.len();
        let encoded = encode(&self.0, encoder);
        for command in &mut encoder.commands[first..] {
            command.is_named = false;
        }
        encoded
    }
}

impl<S> Sealed for Unprepared<S> {}

impl<S: Statement> Statement for Unprepared<S> {
    type Output = S::Output;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.encode_by(encoder, S::encode)
    }

    fn decode(&self, answers: &mut Answers) -> Result<S::Output> {
        self.0.decode(answers)
    }
}

impl<S: RowStatement> RowStatement for Unprepared<S> {
    type Row = S::Row;

    fn reader() -> RowReader<S::Row> {
        S::reader()
    }

    fn describe(columns: &mut Columns) {
        S::describe(columns);
    }
}

/// A statement without its type; returned by [`Statement::boxed`].
pub type BoxedStatement<'a, T> = Box<dyn Statement<Output = T> + Send + 'a>;

impl<S: Statement + ?Sized> Sealed for Box<S> {}

impl<S: Statement + ?Sized> Statement for Box<S> {
    type Output = S::Output;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        (**self).encode(encoder)
    }

    fn decode(&self, answers: &mut Answers) -> Result<S::Output> {
        (**self).decode(answers)
    }
}

impl<S> Sealed for Vec<S> {}

/// The statements run in order; the output has one item for each.
impl<S: Statement> Statement for Vec<S> {
    type Output = Vec<S::Output>;

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.iter()
            .try_for_each(|statement| statement.encode(encoder))
    }

    fn decode(&self, answers: &mut Answers) -> Result<Self::Output> {
        // Collecting results would not reserve the memory.
        let mut outputs = Vec::with_capacity(self.len());
        for statement in self {
            outputs.push(statement.decode(answers)?);
        }
        Ok(outputs)
    }
}

macro_rules! tuple {
    ($($S:ident $index:tt),+) => {
        impl<$($S),+> Sealed for ($($S,)+) {}

        impl<$($S: Statement),+> Statement for ($($S,)+) {
            type Output = ($($S::Output,)+);

            fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
                $(self.$index.encode(encoder)?;)+
                Ok(())
            }

            fn decode(&self, answers: &mut Answers) -> Result<Self::Output> {
                Ok(($(self.$index.decode(answers)?,)+))
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

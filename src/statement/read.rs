//! Statements that a reader runs: those that are known to read.

use std::sync::Arc;

use super::query::{Affected, Rows};
use super::{Encoder, ExactQuery, Map, Named, Query, QueryOutput, Read, Statement, Unprepared};
use crate::error::{Error, Result};
use crate::sql_text::read_only::Reads;

/// A statement that [`Reader::run`](crate::reader::Reader::run) takes: its type does not say that
/// it writes.
///
/// A generated function or checked query that reads returns [`Query`], which is one. A generated
/// function that writes, and a query that locks rows, are none, so they do not compile there. The
/// types of diesel's queries, of SQL written by hand and of boxed statements do not say what they
/// do: such a statement is one, and is refused when it is run, before anything is sent, unless its
/// text is known to read (see
/// [`Config::trust_views_and_operators`](crate::Config::trust_views_and_operators) for how that is
/// known). The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` may write or lock rows, so a reader does not run it",
    label = "not known to read",
    note = "run it on the database itself: `db.run(..)` in place of `db.reader().run(..)`"
)]
pub trait ReadStatement: Statement {
    /// Adds its commands; fails if one of them is not known to read.
    #[doc(hidden)]
    fn encode_read(&self, encoder: &mut Encoder<'_>) -> Result<()>;
}

/// Adds the commands of a statement whose type does not say whether it reads; fails if the text of
/// one does not either.
fn encode_if_it_reads<S: Statement + ?Sized>(
    statement: &S,
    encoder: &mut Encoder<'_>,
) -> Result<()> {
    let first = encoder.commands.len();
    let encoded = statement.encode(encoder);
    let may_write = encoder.commands[first..]
        .iter()
        .find(|command| command.reads() == Reads::No);
    let Some(command) = may_write else {
        return encoded;
    };
    Err(
        Error::query("the statement is not known to read, so a reader does not run it")
            .with_hint(
                "run it on the database itself, by `db.run(..)`; a query by hand is known to read if it locks no row and \
                 calls only functions of PostgreSQL that compute",
            )
            .with_sql(Arc::clone(command.sql())),
    )
}

impl<O: QueryOutput> ReadStatement for Query<O, Read> {
    fn encode_read(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.encode(encoder)
    }
}

impl ReadStatement for ExactQuery<Read> {
    fn encode_read(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.encode(encoder)
    }
}

impl<Q, R, T, N> ReadStatement for Rows<Q, R, T, N>
where
    Self: Statement,
{
    fn encode_read(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        encode_if_it_reads(self, encoder)
    }
}

impl<Q> ReadStatement for Affected<Q>
where
    Self: Statement,
{
    fn encode_read(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        encode_if_it_reads(self, encoder)
    }
}

impl<S: Statement + ?Sized> ReadStatement for Box<S> {
    fn encode_read(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        encode_if_it_reads(self, encoder)
    }
}

impl<S: ReadStatement, F> ReadStatement for Map<S, F>
where
    Self: Statement,
{
    fn encode_read(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.inner().encode_read(encoder)
    }
}

impl<S: ReadStatement> ReadStatement for Named<S> {
    fn encode_read(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.encode_by(encoder, S::encode_read)
    }
}

impl<S: ReadStatement> ReadStatement for Unprepared<S> {
    fn encode_read(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.encode_by(encoder, S::encode_read)
    }
}

impl<S: ReadStatement> ReadStatement for Vec<S> {
    fn encode_read(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        self.iter()
            .try_for_each(|statement| statement.encode_read(encoder))
    }
}

macro_rules! tuple {
    ($($S:ident $index:tt),+) => {
        impl<$($S: ReadStatement),+> ReadStatement for ($($S,)+) {
            fn encode_read(&self, encoder: &mut Encoder<'_>) -> Result<()> {
                $(self.$index.encode_read(encoder)?;)+
                Ok(())
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

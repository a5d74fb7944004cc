//! The conditions of a query that a call leaves out: those of `-- optional:` in a query file.

use diesel::pg::Pg;
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;

use super::Query;
use crate::command::text::ColumnSet;

/// The conditions that are given, by their numbers. A query has at most twelve.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Conditions(u16);

impl Conditions {
    fn insert(&mut self, number: u8) {
        self.0 |= 1_u16.checked_shl(number.into()).unwrap_or_default();
    }

    fn contains(self, number: usize) -> bool {
        number < 16 && self.0 & (1 << number) != 0
    }

    /// Returns the key of the composed text in the memory of sessions.
    pub(super) fn set(self) -> ColumnSet {
        let mut set = ColumnSet::default();
        (0..16)
            .filter(|number| self.contains(*number))
            .for_each(|number| set.insert(number));
        set
    }

    /// Returns the SQL of a template with these conditions.
    pub(super) fn compose(self, template: &str) -> String {
        bowline_sql::compose(template, |number| self.contains(number))
    }
}

impl<O, A> Query<O, A> {
    /// Binds the value of a condition, as an SQL type. Without a value the condition is left out.
    #[doc(hidden)]
    pub fn bind_condition<ST, T>(mut self, number: u8, value: Option<&T>) -> Self
    where
        Pg: HasSqlType<ST>,
        T: ToSql<ST, Pg> + ?Sized,
    {
        match value {
            Some(value) => {
                self.conditions.insert(number);
                self.bind_as::<ST, T>(value)
            }
            None => self,
        }
    }

    /// Binds the value of a condition as [`bind_condition`](Self::bind_condition) does, with the
    /// OIDs of [`bind_with_oids`](Self::bind_with_oids).
    #[doc(hidden)]
    pub fn bind_condition_with_oids<ST, T>(
        mut self,
        number: u8,
        oids: (u32, Option<u32>),
        value: Option<&T>,
    ) -> Self
    where
        Pg: HasSqlType<ST>,
        T: ToSql<ST, Pg> + ?Sized,
    {
        match value {
            Some(value) => {
                self.conditions.insert(number);
                self.bind_with_oids::<ST, T>(oids, value)
            }
            None => self,
        }
    }
}

//! The items that generated code, macros and the command use, under separate paths, so that they
//! may change.
//!
//! Nothing here is covered by semver. Generated code names the format that it was written in, and
//! `bowline::migrations!` refuses code of another format.

#[path = "generated/rows.rs"]
mod rows;

pub use diesel::deserialize::Result as RowResult;

pub use crate::command::columns::Columns as RowColumns;
pub use crate::error::is_hidden;
pub use crate::migrations::migrating;
pub use crate::nullable::{not_null, nullable};
pub use crate::page::{InvalidPosition, Page, read as read_position, write as write_position};
pub use crate::statement::ready::{
    Alias, AnswerRow, As, ColumnArrays, ColumnValues, Fields, GivenArrays, GivenColumns, Graph,
    GraphNode, GraphSql, KeyArrays, Limit, Many, One, Optional, Relation, RelationSql, RowKey,
    RowOf, StaticSql, StructRow, TableRow, depth, read_record,
};
pub use crate::statement::row_value;
pub use crate::types::composite::{Attributes, Declared, write_attribute, write_count};
pub use crate::types::json;
pub use crate::types::range::{read_multirange, read_range};
pub use crate::wire::row::SessionRow;
pub use crate::{
    body, column_arrays, column_values, composite, constraints, graph, id, inline_row, key_of,
    newtype, own_multirange, own_range, pages, pg_enum, position, query_row, relations, row_key,
    table_row, values_from,
};

/// Implements [`ColumnValues`](crate::statement::ready::ColumnValues):
/// `NewAccount<'_>: accounts { username, balance = optional }`.
///
/// A column that is `optional` is left out where its field is `None`. One that is not sent as the
/// type of the schema module has that type, and the casts of its parameter:
/// `doc as Text => "text::tsvector" = optional`.
#[doc(hidden)]
#[macro_export]
macro_rules! column_values {
    ($Values:ident $(<$lifetime:lifetime>)?: $table:ident { $($field:ident $(= $optional:ident)?),+ $(,)? }) => {
        impl $crate::__generated::ColumnValues for $Values $(<$lifetime>)? {
            const COLUMNS: &'static [&'static str] =
                &[$(<$table::$field as ::diesel::Column>::NAME),+];

            fn collect(&self, given: &mut $crate::__generated::GivenColumns<'_>) {
                $($crate::column_values!(@add given, $table::$field, self.$field $(, $optional)?);)+
            }
        }
    };
    ($Values:ident $(<$lifetime:lifetime>)?: $table:ident { $($field:ident $(as $ST:ty $(=> $cast:literal)?)? $(= $optional:ident)?),+ $(,)? }) => {
        impl $crate::__generated::ColumnValues for $Values $(<$lifetime>)? {
            const COLUMNS: &'static [&'static str] =
                &[$(<$table::$field as ::diesel::Column>::NAME),+];

            const CASTS: &'static [&'static str] = &[$(::core::concat!($($($cast)?)?)),+];

            fn collect(&self, given: &mut $crate::__generated::GivenColumns<'_>) {
                $($crate::column_values!(
                    @add given, $table::$field, self.$field $(as $ST)? $(, $optional)?
                );)+
            }
        }
    };
    (@add $given:ident, $table:ident::$column:ident, $self:ident.$field:ident as $ST:ty) => {
        $given.add_as::<$ST, _>(&$self.$field)
    };
    (@add $given:ident, $table:ident::$column:ident, $self:ident.$field:ident as $ST:ty, optional) => {
        $given.add_if_as::<$ST, _>(&$self.$field)
    };
    (@add $given:ident, $table:ident::$column:ident, $self:ident.$field:ident) => {
        $given.add::<$table::$column, _>(&$self.$field)
    };
    (@add $given:ident, $table:ident::$column:ident, $self:ident.$field:ident, optional) => {
        $given.add_if::<$table::$column, _>(&$self.$field)
    };
}

/// Makes the values of a row from the columns that each row needs:
/// `AccountValues<'a> from NewAccount<'a> { username, balance = None }`.
#[doc(hidden)]
#[macro_export]
macro_rules! values_from {
    ($Values:ident $(<$lifetime:lifetime>)? from $New:ident $(<$of_new:lifetime>)? { $($field:ident $(= $none:ident)?),+ $(,)? }) => {
        impl $(<$lifetime>)? ::core::convert::From<$New $(<$of_new>)?> for $Values $(<$lifetime>)? {
            #[allow(unused_variables, reason = "a new row may need no column")]
            fn from(new: $New $(<$of_new>)?) -> Self {
                Self { $($field: $crate::values_from!(@field new, $field $(, $none)?),)+ }
            }
        }
    };
    (@field $new:ident, $field:ident) => { $new.$field };
    (@field $new:ident, $field:ident, None) => { ::core::option::Option::None };
}

/// Makes values from the request of a client, and from the columns that it cannot send:
/// `NewIssueBody with NewIssueRest<'a> makes IssueValues<'a> { author_id = rest, title = sent }`.
/// Other kinds are `optional`, `nullable` and `none`. Without a struct for the others it is `From`.
#[doc(hidden)]
#[macro_export]
macro_rules! body {
    ($Body:ident with $Rest:ident $(<$of_rest:lifetime>)? makes $Values:ident $(<$lifetime:lifetime>)? { $($field:ident = $kind:ident),+ $(,)? }) => {
        impl $Body {
            /// Returns the values of a new row, with the columns that a client cannot send. Those
            /// that neither of the two has take their defaults.
            #[must_use]
            pub fn with $(<$of_rest>)? (self, rest: $Rest $(<$of_rest>)?) -> $Values $(<$lifetime>)? {
                $Values { $($field: $crate::body!(@field self, rest, $field, $kind),)+ }
            }
        }
    };
    ($Body:ident makes $Values:ident $(<$lifetime:lifetime>)? { $($field:ident = $kind:ident),+ $(,)? }) => {
        impl ::core::convert::From<$Body> for $Values $(<$lifetime>)? {
            fn from(body: $Body) -> Self {
                Self { $($field: $crate::body!(@field body, body, $field, $kind),)+ }
            }
        }
    };
    (@field $body:ident, $rest:ident, $field:ident, rest) => { $rest.$field };
    (@field $body:ident, $rest:ident, $field:ident, sent) => {
        ::core::convert::Into::into($body.$field)
    };
    (@field $body:ident, $rest:ident, $field:ident, optional) => {
        $body.$field.map(::core::convert::Into::into)
    };
    (@field $body:ident, $rest:ident, $field:ident, nullable) => {
        $body.$field.map(|value| value.map(::core::convert::Into::into))
    };
    (@field $body:ident, $rest:ident, $field:ident, none) => { ::core::option::Option::None };
}

/// Implements [`ColumnArrays`](crate::statement::ready::ColumnArrays), for the same list of
/// columns.
#[doc(hidden)]
#[macro_export]
macro_rules! column_arrays {
    ($Values:ident $(<$lifetime:lifetime>)?: $table:ident { $($field:ident $(= $optional:ident)?),+ $(,)? }) => {
        impl $crate::__generated::ColumnArrays for $Values $(<$lifetime>)? {
            fn collect_arrays(rows: &[&Self], given: &mut $crate::__generated::GivenArrays<'_>) {
                $($crate::column_arrays!(@add rows, given, $table, $field $(, $optional)?);)+
            }
        }
    };
    ($Values:ident $(<$lifetime:lifetime>)?: $table:ident { $($field:ident $(as $ST:ty $(=> $cast:literal)?)? $(= $optional:ident)?),+ $(,)? }) => {
        impl $crate::__generated::ColumnArrays for $Values $(<$lifetime>)? {
            fn collect_arrays(rows: &[&Self], given: &mut $crate::__generated::GivenArrays<'_>) {
                $($crate::column_arrays!(@add rows, given, $table, $field $(as $ST)? $(, $optional)?);)+
            }
        }
    };
    (@add $rows:ident, $given:ident, $table:ident, $field:ident as $ST:ty) => {
        $given.add_as::<$ST, _>($rows.iter().map(|row| &row.$field))
    };
    (@add $rows:ident, $given:ident, $table:ident, $field:ident as $ST:ty, optional) => {
        $given.add_as::<$ST, _>($rows.iter().filter_map(|row| row.$field.as_ref()))
    };
    (@add $rows:ident, $given:ident, $table:ident, $field:ident) => {
        $given.add::<$table::$field, _>($rows.iter().map(|row| &row.$field))
    };
    (@add $rows:ident, $given:ident, $table:ident, $field:ident, optional) => {
        $given.add::<$table::$field, _>($rows.iter().filter_map(|row| row.$field.as_ref()))
    };
}

/// Declares the position of a row in a list, with its text for clients:
/// `pub struct IssueByState of Issue in "Issue: by_state: id" { 0 id: IssueId }`.
#[doc(hidden)]
#[macro_export]
macro_rules! position {
    ($(#[$attribute:meta])* pub struct $Position:ident of $($Row:ident)::+ in $list:literal {
        $($index:tt $field:ident: $Type:ty $(= $($path:ident).+)?),+ $(,)?
    }) => {
        $(#[$attribute])*
        ///
        /// Its text, by `to_string`, `parse` and serde, is for clients: it has a version, and that
        /// of another list is refused.
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Position {
            $($field: $Type,)+
        }

        impl ::core::convert::From<&$($Row)::+> for $Position {
            fn from(row: &$($Row)::+) -> Self {
                Self {
                    $($field: ::core::clone::Clone::clone(
                        &$crate::position!(@of row, $field $(, $($path).+)?),
                    ),)+
                }
            }
        }

        impl ::core::fmt::Display for $Position {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(&$crate::__generated::write_position($list, &($(&self.$field,)+)))
            }
        }

        impl ::core::str::FromStr for $Position {
            type Err = $crate::__generated::InvalidPosition;

            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                let values = $crate::__generated::read_position::<($($Type,)+)>($list, text)?;
                ::core::result::Result::Ok(Self { $($field: values.$index,)+ })
            }
        }

        impl ::serde::Serialize for $Position {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $Position {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                let text = <::std::string::String as ::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }
    };
    (@of $row:ident, $field:ident) => { $row.$field };
    (@of $row:ident, $field:ident, $($path:ident).+) => { $row.$($path).+ };
}

/// Declares the pages of a query with several orders: `pub enum SearchPage of SearchRow,
/// SearchOrder { Newest: SearchNewestPosition }`.
#[doc(hidden)]
#[macro_export]
macro_rules! pages {
    ($(#[$attribute:meta])* pub enum $Page:ident of $($Row:ident)::+, $Order:ident {
        $($Variant:ident: $Position:ident),+ $(,)?
    }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $Page {
            $(
                #[doc = concat!("A page in the order [`", stringify!($Order), "::", stringify!($Variant), "`].")]
                $Variant($crate::__generated::Page<$Position>),
            )+
        }

        impl $Order {
            /// Returns a page in this order: the rows after a position, given as text, or the first
            /// rows without one. The text of a position in another order or list is refused.
            pub fn page(
                self,
                after: ::core::option::Option<&str>,
                limit: u32,
            ) -> ::core::result::Result<$Page, $crate::__generated::InvalidPosition> {
                ::core::result::Result::Ok(match self {
                    $(Self::$Variant => {
                        let after = after.map(str::parse::<$Position>).transpose()?;
                        $Page::$Variant($crate::__generated::Page::new(after, limit))
                    })+
                })
            }

            /// Returns a page in this order: the last rows before a position, given as text. The
            /// text of a position in another order or list is refused.
            pub fn page_before(
                self,
                before: &str,
                limit: u32,
            ) -> ::core::result::Result<$Page, $crate::__generated::InvalidPosition> {
                ::core::result::Result::Ok(match self {
                    $(Self::$Variant => {
                        let before = before.parse::<$Position>()?;
                        $Page::$Variant($crate::__generated::Page::before(before, limit))
                    })+
                })
            }

            /// Returns the position of a row in this order, as text for clients.
            pub fn position(self, row: &$($Row)::+) -> ::std::string::String {
                match self {
                    $(Self::$Variant => ::std::string::ToString::to_string(&$Position::from(row)),)+
                }
            }
        }
    };
}

/// Implements [`RowKey`](crate::statement::ready::RowKey): `Account: accounts { 0 id: AccountId }`.
/// A column that is not sent as the type of the schema module has that type: `0 doc: String as
/// Text`.
#[doc(hidden)]
#[macro_export]
macro_rules! row_key {
    ($Row:ident: $table:ident { 0 $field:ident: $Key:ty $(as $ST:ty)? $(,)? }) => {
        impl $crate::__generated::RowKey for $Row {
            type Key = $Key;

            fn collect_keys(keys: &[&$Key], arrays: &mut $crate::__generated::KeyArrays<'_>) {
                $crate::row_key!(@add arrays, keys.iter().copied(), $table::$field $(, $ST)?);
            }
        }
    };
    ($Row:ident: $table:ident { $($index:tt $field:ident: $Key:ty $(as $ST:ty)?),+ $(,)? }) => {
        impl $crate::__generated::RowKey for $Row {
            type Key = ($($Key),+);

            fn collect_keys(keys: &[&Self::Key], arrays: &mut $crate::__generated::KeyArrays<'_>) {
                $($crate::row_key!(
                    @add arrays, keys.iter().map(|key| &key.$index), $table::$field $(, $ST)?
                );)+
            }
        }
    };
    (@add $arrays:ident, $keys:expr, $table:ident::$field:ident) => {
        $arrays.add::<$table::$field, _>($keys)
    };
    (@add $arrays:ident, $keys:expr, $table:ident::$field:ident, $ST:ty) => {
        $arrays.add_as::<$ST, _>($keys)
    };
}

/// Converts a row to its key: `AccountLabel => (AccountId, String) { account_id, label }`.
#[doc(hidden)]
#[macro_export]
macro_rules! key_of {
    ($Row:ident => $Key:ty { $field:ident $(,)? }) => {
        impl ::core::convert::From<&$Row> for $Key {
            fn from(row: &$Row) -> Self {
                ::core::clone::Clone::clone(&row.$field)
            }
        }
    };
    ($Row:ident => $Key:ty { $($field:ident),+ $(,)? }) => {
        impl ::core::convert::From<&$Row> for $Key {
            fn from(row: &$Row) -> Self {
                ($(::core::clone::Clone::clone(&row.$field),)+)
            }
        }
    };
}

/// Declares the relations of a row: `Account { TRANSFERS: Many transfers of ["id"] by ["id"] =
/// "transfers AS {t}" where "{t}.sender_id = {p}.id" }`.
///
/// One to a table with policies, which could call a function that writes, ends with `, calls`.
#[doc(hidden)]
#[macro_export]
macro_rules! relations {
    ($Row:ident { $(
        $(#[$meta:meta])*
        $NAME:ident: $Kind:ident $table:path, of $of:tt by $key:tt =
            $from:literal where $condition:literal $(, $calls:ident)?;
    )+ }) => {
        impl $Row {$(
            $(#[$meta])*
            pub const $NAME: $crate::__generated::Relation<$crate::__generated::$Kind, $table> =
                $crate::__generated::Relation::new($crate::__generated::RelationSql {
                    from: $from,
                    condition: $condition,
                    of: &$of,
                    key: &$key,
                    only_reads: $crate::relations!(@only_reads $($calls)?),
                });
        )+}
    };
    (@only_reads) => { true };
    (@only_reads calls) => { false };
}

/// Implements the traits of a graph: `IssuePage { issue: Issue; author: User = AUTHOR All; }`. A
/// relation is followed by its limit, and by the field that gives the order.
#[doc(hidden)]
#[macro_export]
macro_rules! graph {
    ($Graph:ident { $row:ident: $Row:ty; $(
        $field:ident: $Type:ty = $RELATION:ident $limit:ident $(($rows:literal))? $($by:ident)?;
    )* }) => {
        #[automatically_derived]
        impl $crate::__generated::AnswerRow for $Graph {
            fn describe(columns: &mut $crate::__generated::RowColumns) {
                <$Row as $crate::__generated::AnswerRow>::describe(columns);
                $($crate::graph!(@field $Row, $Type, $RELATION).describe(columns);)*
            }

            fn read(
                fields: &mut $crate::__generated::Fields<'_>,
            ) -> $crate::__generated::RowResult<Self> {
                Ok(Self {
                    $row: <$Row as $crate::__generated::AnswerRow>::read(fields)?,
                    $($field: $crate::graph!(@field $Row, $Type, $RELATION)
                        .read(fields, ::core::stringify!($field))?,)*
                })
            }
        }

        // Checked at once, not only where the graph is loaded.
        const _: () = {
            $(
                $crate::graph!(@field $Row, $Type, $RELATION)
                    .require_columns(<$Row as $crate::__generated::TableRow>::COLUMNS);
                $(
                    $crate::graph!(@relation $Row, $RELATION).require_field::<$Type>(|row| {
                        let _ = &row.$by;
                    });
                )?
            )*
            let _ = <$Graph as $crate::__generated::GraphNode>::DEPTH;
        };

        #[automatically_derived]
        impl $crate::__generated::GraphNode for $Graph {
            type Row = $Row;

            const DEPTH: usize = $crate::__generated::depth(&[
                $($crate::graph!(@field $Row, $Type, $RELATION).depth(),)*
            ]);
            const ONLY_READS: bool =
                true $(&& $crate::graph!(@field $Row, $Type, $RELATION).only_reads())*;

            fn select(
                sql: &mut $crate::__generated::GraphSql,
                row: $crate::__generated::Alias,
            ) {
                <$Row as $crate::__generated::GraphNode>::select(sql, row);
                $(
                    sql.related(
                        row,
                        &$crate::graph!(@field $Row, $Type, $RELATION),
                        $crate::__generated::Limit::$limit $(($rows))?,
                        $crate::graph!(@by $Row, $Type, $RELATION $(, $by)?),
                    );
                )*
            }
        }

        #[automatically_derived]
        impl $crate::__generated::Graph for $Graph {}

        $crate::table_row!(@nested $Graph);
    };
    (@relation $Row:ty, $RELATION:ident) => {
        <<$Row as $crate::__generated::TableRow>::Whole>::$RELATION
    };
    (@field $Row:ty, $Type:ty, $RELATION:ident) => {
        $crate::graph!(@relation $Row, $RELATION).field::<$Type>()
    };
    (@by $Row:ty, $Type:ty, $RELATION:ident) => { ::core::option::Option::None };
    (@by $Row:ty, $Type:ty, $RELATION:ident, $by:ident) => {
        ::core::option::Option::Some(const {
            $crate::graph!(@field $Row, $Type, $RELATION).order_by(::core::stringify!($by))
        })
    };
}

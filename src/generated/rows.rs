//! How rows of generated code are read.

/// Implements [`TableRow`](crate::statement::ready::TableRow): `Account: accounts { id, username
/// }`. A row without all columns names the whole one: `ListedAccount of Account: accounts { .. }`.
/// A column that is not read as the type of the schema module has that type, and the cast by which
/// it is read: `doc as Text => "::text"`.
#[doc(hidden)]
#[macro_export]
macro_rules! table_row {
    ($Row:ident $(of $Whole:ident)?: $table:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::__generated::AnswerRow for $Row {
            fn describe(columns: &mut $crate::__generated::RowColumns) {
                $(columns.column::<$table::$field>();)+
            }

            fn read(
                fields: &mut $crate::__generated::Fields<'_>,
            ) -> $crate::__generated::RowResult<Self> {
                Ok(Self {
                    $($field: fields.read::<$table::$field, _>()?,)+
                })
            }
        }

        impl $crate::__generated::TableRow for $Row {
            type Table = $table::table;
            type Whole = $crate::table_row!(@whole $Row $($Whole)?);

            const FIELDS: &'static [&'static str] = &[$(::core::stringify!($field)),+];
            const COLUMNS: &'static [&'static str] =
                &[$(<$table::$field as ::diesel::Column>::NAME),+];
        }

        $crate::table_row!(@nested $Row);
    };
    // Some columns are not read as the type of the schema module.
    ($Row:ident $(of $Whole:ident)?: $table:ident { $($field:ident $(as $ST:ty $(=> $cast:literal)?)?),+ $(,)? }) => {
        impl $crate::__generated::AnswerRow for $Row {
            fn describe(columns: &mut $crate::__generated::RowColumns) {
                $($crate::table_row!(@describe columns, $table::$field $(as $ST)?);)+
            }

            fn read(
                fields: &mut $crate::__generated::Fields<'_>,
            ) -> $crate::__generated::RowResult<Self> {
                Ok(Self {
                    $($field: $crate::table_row!(@read fields, $table::$field $(as $ST)?)?,)+
                })
            }
        }

        impl $crate::__generated::TableRow for $Row {
            type Table = $table::table;
            type Whole = $crate::table_row!(@whole $Row $($Whole)?);

            const FIELDS: &'static [&'static str] = &[$(::core::stringify!($field)),+];
            const COLUMNS: &'static [&'static str] =
                &[$(<$table::$field as ::diesel::Column>::NAME),+];
            const CASTS: &'static [&'static str] = &[$(::core::concat!($($($cast)?)?)),+];
        }

        $crate::table_row!(@nested $Row);
    };
    (@whole $Row:ident) => { $Row };
    (@whole $Row:ident $Whole:ident) => { $Whole };
    (@nested $Row:ident) => {
        impl ::diesel::deserialize::FromSql<$crate::__generated::RowOf<$Row>, ::diesel::pg::Pg>
            for $Row
        {
            fn from_sql(value: ::diesel::pg::PgValue<'_>) -> $crate::__generated::RowResult<Self> {
                $crate::__generated::read_record(value)
            }
        }
    };
    (@describe $columns:ident, $table:ident::$field:ident) => {
        $columns.column::<$table::$field>()
    };
    (@describe $columns:ident, $table:ident::$field:ident as $ST:ty) => {
        $columns.positional::<$ST>()
    };
    (@read $fields:ident, $table:ident::$field:ident) => {
        $fields.read::<$table::$field, _>()
    };
    (@read $fields:ident, $table:ident::$field:ident as $ST:ty) => {
        $fields.read_named::<$ST, _>(<$table::$field as ::diesel::Column>::NAME)
    };
}

/// Implements [`AnswerRow`](crate::statement::ready::AnswerRow) for the rows of `query!`:
/// `Total { name: sql_types::Text = "name", sum: sql_types::Nullable<sql_types::BigInt> = "sum" }`.
///
/// No other row has such a row in it, so it is not readable as a value.
#[doc(hidden)]
#[macro_export]
macro_rules! inline_row {
    ($Row:ident { $($field:ident: $ST:ty = $name:literal),* $(,)? }) => {
        impl $crate::__generated::AnswerRow for $Row {
            #[allow(unused_variables, reason = "a row can have no columns")]
            fn describe(columns: &mut $crate::__generated::RowColumns) {
                $(columns.positional::<$ST>();)*
            }

            #[allow(unused_variables, reason = "a row can have no columns")]
            fn read(
                fields: &mut $crate::__generated::Fields<'_>,
            ) -> $crate::__generated::RowResult<Self> {
                Ok(Self {
                    $($field: fields.read_named::<$ST, _>($name)?,)*
                })
            }
        }
    };
}

/// Does what `inline_row!` does for the rows of a query file, and reads one as a value of another
/// row.
#[doc(hidden)]
#[macro_export]
macro_rules! query_row {
    ($Row:ident { $($columns:tt)* }) => {
        $crate::inline_row! { $Row { $($columns)* } }

        impl ::diesel::deserialize::FromSql<$crate::__generated::RowOf<$Row>, ::diesel::pg::Pg>
            for $Row
        {
            fn from_sql(value: ::diesel::pg::PgValue<'_>) -> $crate::__generated::RowResult<Self> {
                $crate::__generated::read_record(value)
            }
        }
    };
}

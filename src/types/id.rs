//! `id!`: a separate type for each table's id, so that the id of another table is a type error.

/// Declares the type of a table's id: `pub struct AccountId(i64): diesel::sql_types::BigInt;`.
///
/// It is stored, sent and serialized like the value that it holds.
#[doc(hidden)]
#[macro_export]
macro_rules! id {
    ($(#[$attribute:meta])* $visibility:vis struct $Id:ident($inner:ident): $($sql_type:ident)::+;) => {
        $crate::id!(@derive $inner, $(#[$attribute])* $visibility struct $Id($inner): $($sql_type)::+;);

        impl From<$inner> for $Id {
            fn from(id: $inner) -> Self {
                Self(id)
            }
        }

        impl ::std::fmt::Display for $Id {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl $crate::statement::DefaultSqlType for $Id {
            type SqlType = $($sql_type)::+;
        }

        impl ::diesel::serialize::ToSql<$($sql_type)::+, ::diesel::pg::Pg> for $Id {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::pg::Pg>,
            ) -> ::diesel::serialize::Result {
                ::diesel::serialize::ToSql::<$($sql_type)::+, ::diesel::pg::Pg>::to_sql(&self.0, out)
            }
        }

        impl ::diesel::deserialize::FromSql<$($sql_type)::+, ::diesel::pg::Pg> for $Id {
            fn from_sql(value: ::diesel::pg::PgValue<'_>) -> ::diesel::deserialize::Result<Self> {
                ::diesel::deserialize::FromSql::<$($sql_type)::+, ::diesel::pg::Pg>::from_sql(value).map(Self)
            }
        }
    };
    (@derive String, $($declaration:tt)*) => {
        $crate::id!(@declare [] $($declaration)*);
    };
    (@derive $inner:ident, $($declaration:tt)*) => {
        $crate::id!(@declare [Copy] $($declaration)*);
    };
    (@declare [$($copy:ident)?] $(#[$attribute:meta])* $visibility:vis struct $Id:ident($inner:ident): $($sql_type:ident)::+;) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, $($copy,)? PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(::serde::Serialize, ::serde::Deserialize)]
        #[derive(::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow)]
        #[serde(transparent)]
        #[diesel(sql_type = $($sql_type)::+)]
        $visibility struct $Id(pub $inner);
    };
}

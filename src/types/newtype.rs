//! `newtype!`: the traits of a struct around the value of a domain.

/// Implements what diesel needs of a struct around a value: `Email(String): sql_types::Text`.
///
/// It is sent and read as its value. PostgreSQL checks the constraints of the domain when the value
/// is written: Rust checks nothing.
#[doc(hidden)]
#[macro_export]
macro_rules! newtype {
    ($Newtype:ident($inner:ty): $($sql_type:ident)::+ $(, $plain:ident)?) => {
        impl ::std::convert::From<$inner> for $Newtype {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl $crate::statement::DefaultSqlType for $Newtype {
            type SqlType = $($sql_type)::+;
        }

        impl ::diesel::serialize::ToSql<$($sql_type)::+, ::diesel::pg::Pg> for $Newtype {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::pg::Pg>,
            ) -> ::diesel::serialize::Result {
                ::diesel::serialize::ToSql::<$($sql_type)::+, ::diesel::pg::Pg>::to_sql(&self.0, out)
            }
        }

        impl ::diesel::deserialize::FromSql<$($sql_type)::+, ::diesel::pg::Pg> for $Newtype {
            fn from_sql(value: ::diesel::pg::PgValue<'_>) -> ::diesel::deserialize::Result<Self> {
                ::diesel::deserialize::FromSql::<$($sql_type)::+, ::diesel::pg::Pg>::from_sql(value).map(Self)
            }
        }

        $(
            impl ::std::fmt::Display for $Newtype {
                fn fmt(&self, $plain: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    ::std::fmt::Display::fmt(&self.0, $plain)
                }
            }
        )?
    };
}

//! `pg_enum!`: a Rust enum for a PostgreSQL enum.

/// Declares a Rust enum by the labels of a PostgreSQL enum: `pub enum Mood: sql_types::Mood { Sad =
/// "sad" }`.
///
/// If several `schema.rs` have a marker type for it, all are named: `pub enum Mood: a::Mood,
/// b::Mood { .. }`.
///
/// A label that the enum does not have, from a database that is ahead of the program, is an error
/// when it is read. serde reads and writes the labels.
#[doc(hidden)]
#[macro_export]
macro_rules! pg_enum {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $Enum:ident: $($sql_type:ident)::+ $(, $($other:ident)::+)* {
            $($(#[$variant_attribute:meta])* $Variant:ident = $label:literal),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(::serde::Serialize, ::serde::Deserialize)]
        #[derive(::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = $($sql_type)::+)]
        $(#[diesel(sql_type = $($other)::+)])*
        $visibility enum $Enum {
            $(
                $(#[$variant_attribute])*
                #[doc = concat!("`", $label, "`")]
                #[serde(rename = $label)]
                $Variant,
            )+
        }

        impl $Enum {
            /// All values, in the database's order.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),+];

            /// The label that PostgreSQL stores.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Variant => $label,)+
                }
            }
        }

        impl ::std::fmt::Display for $Enum {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $Enum {
            type Err = $crate::types::UnknownLabel;

            fn from_str(label: &str) -> ::std::result::Result<Self, $crate::types::UnknownLabel> {
                match label {
                    $($label => Ok(Self::$Variant),)+
                    _ => Err($crate::types::UnknownLabel::new(stringify!($Enum), label)),
                }
            }
        }

        impl $crate::statement::DefaultSqlType for $Enum {
            type SqlType = $($sql_type)::+;
        }

        $crate::pg_enum!(@stored $Enum, $($sql_type)::+);
        $($crate::pg_enum!(@stored $Enum, $($other)::+);)*
    };
    (@stored $Enum:ident, $($sql_type:ident)::+) => {
        impl ::diesel::serialize::ToSql<$($sql_type)::+, ::diesel::pg::Pg> for $Enum {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::pg::Pg>,
            ) -> ::diesel::serialize::Result {
                ::std::io::Write::write_all(out, self.as_str().as_bytes())?;
                Ok(::diesel::serialize::IsNull::No)
            }
        }

        impl ::diesel::deserialize::FromSql<$($sql_type)::+, ::diesel::pg::Pg> for $Enum {
            fn from_sql(value: ::diesel::pg::PgValue<'_>) -> ::diesel::deserialize::Result<Self> {
                Ok(::std::str::from_utf8(value.as_bytes())?.parse()?)
            }
        }
    };
}

/// The error for a label that an enum does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{type_name} has no label {label:?}: run `bowline generate` if the database is ahead of the program"
)]
pub struct UnknownLabel {
    type_name: &'static str,
    label: String,
}

impl UnknownLabel {
    #[doc(hidden)]
    pub fn new(type_name: &'static str, label: &str) -> Self {
        Self {
            type_name,
            label: label.to_owned(),
        }
    }
}

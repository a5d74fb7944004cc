//! Constraints as values, which `err.constraint::<C>()` returns.

/// The constraints and unique indexes of one table; implemented by generated enums.
pub trait Constraint: Copy + Sized + 'static {
    /// The schema of the table, unquoted and case-sensitive.
    const SCHEMA: &'static str;
    /// The name of the table, unquoted and case-sensitive.
    const TABLE: &'static str;
    /// Whether the generated code names the schema, so that a table of the same name in the schema
    /// of [`Database::with_schema`](crate::Database::with_schema) is another one.
    const IS_QUALIFIED: bool = false;

    /// All constraints of the table. On Citus, an error names a constraint of a shard, whose name
    /// may be a shortened one: [`Error::constraint`](crate::Error::constraint) finds it among
    /// these.
    const ALL: &'static [Self] = &[];

    /// Returns the constraint of that name, if the table has it.
    fn from_name(name: &str) -> Option<Self>;

    /// Returns the constraint's name in the database.
    fn name(self) -> &'static str;
}

/// Declares the constraints of a table: `pub enum AccountConstraint on "public"."accounts" { Pkey =
/// "accounts_pkey" }`.
#[doc(hidden)]
#[macro_export]
macro_rules! constraints {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $Enum:ident on $schema:literal.$table:literal $($only:ident)? {
            $($(#[$variant_attribute:meta])* $Variant:ident = $name:literal),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $visibility enum $Enum {
            $($(#[$variant_attribute])* $Variant,)+
        }

        impl $crate::error::Constraint for $Enum {
            const SCHEMA: &'static str = $schema;
            const TABLE: &'static str = $table;
            const IS_QUALIFIED: bool = !stringify!($($only)?).is_empty();
            const ALL: &'static [Self] = &[$(Self::$Variant),+];

            fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$Variant),)+
                    _ => None,
                }
            }

            fn name(self) -> &'static str {
                match self {
                    $(Self::$Variant => $name,)+
                }
            }
        }
    };
}

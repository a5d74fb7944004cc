//! Constraints as values: what `err.constraint::<C>()` gives.

/// The constraints and unique indexes of one table; implemented by generated enums.
pub trait Constraint: Copy + Sized + 'static {
    /// The schema of the table, as PostgreSQL stores it.
    const SCHEMA: &'static str;
    /// The table, as PostgreSQL stores it.
    const TABLE: &'static str;

    /// The constraint of that name, if the table has it.
    fn from_name(name: &str) -> Option<Self>;

    /// The constraint's name in the database.
    fn name(self) -> &'static str;
}

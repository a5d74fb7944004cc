//! A generated function, as plain data.

use super::rust_type::Wire;

/// A function of a table's row type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Function {
    /// Returns a row by its key, if there is one.
    Find,
    /// Returns a row by its key, or fails.
    Get,
    /// Returns a row by a unique index, if there is one.
    FindBy {
        /// The name of the function.
        name: String,
        /// The columns of the index.
        columns: Vec<KeyColumn>,
        /// The name of the index.
        index: String,
        /// The predicate of a partial index, in SQL.
        predicate: Option<String>,
    },
    /// Returns the rows of a page.
    List,
    /// Returns some rows of a relation without a key.
    ListUnordered,
    /// Runs the query of a materialized view again.
    Refresh,
    /// The same, while others read the view.
    RefreshConcurrently,
    /// Returns the rows of a page that have the values of a foreign key.
    ListBy {
        /// The name of the function.
        name: String,
        /// The columns of the index.
        columns: Vec<KeyColumn>,
        /// The name of the index.
        index: String,
        /// True if the index does not have the key after them, so that the rows are sorted.
        is_sorted: bool,
        /// The predicate of a partial index, in SQL.
        predicate: Option<String>,
    },
    /// Returns the rows of a page in the order of an index.
    ListOrdered(OrderedList),
    /// Inserts a row.
    Insert,
    /// Inserts a row in which PostgreSQL fills every column.
    InsertDefault,
    /// Inserts rows.
    InsertMany,
    /// Returns the rows with several keys.
    FindMany,
    /// Deletes the rows with several keys, or marks them as deleted.
    DeleteMany,
    /// Changes the rows with several keys.
    UpdateMany,
    /// Inserts rows, or changes the rows with the same values of a unique index.
    UpsertMany {
        /// The name of the function.
        name: String,
        /// The columns of the index.
        columns: Vec<KeyColumn>,
        /// The predicate of a partial index, in SQL.
        predicate: Option<String>,
    },
    /// Inserts a row, unless there is one with the same value of a unique index.
    InsertOrIgnore {
        /// The name of the function.
        name: String,
        /// The columns of the index.
        columns: Vec<KeyColumn>,
        /// The predicate of a partial index, in SQL.
        predicate: Option<String>,
    },
    /// Inserts the rows whose values of a unique index are not there.
    InsertManyOrIgnore {
        /// The name of the function.
        name: String,
        /// The columns of the index.
        columns: Vec<KeyColumn>,
        /// The predicate of a partial index, in SQL.
        predicate: Option<String>,
    },
    /// Returns the number of rows with the values of a foreign key.
    CountBy {
        /// The name of the function.
        name: String,
        /// The columns of the index.
        columns: Vec<KeyColumn>,
        /// The name of the index.
        index: String,
        /// The predicate of a partial index, in SQL.
        predicate: Option<String>,
    },
    /// Returns whether there is a row with the values of an index.
    ExistsBy {
        /// The name of the function.
        name: String,
        /// The columns of the index.
        columns: Vec<KeyColumn>,
        /// The name of the index.
        index: String,
        /// The predicate of a partial index, in SQL.
        predicate: Option<String>,
    },
    /// Deletes the rows with the values of an index, or marks them as deleted.
    DeleteBy {
        /// The name of the function.
        name: String,
        /// The columns of the index.
        columns: Vec<KeyColumn>,
        /// The name of the index.
        index: String,
        /// The predicate of a partial index, in SQL.
        predicate: Option<String>,
        /// True if there is at most one such row.
        is_unique: bool,
    },
    /// Changes a row by its key.
    Update,
    /// Inserts a row, or changes the row with the same value of a unique index.
    Upsert {
        /// The name of the function.
        name: String,
        /// The columns of the index.
        columns: Vec<KeyColumn>,
        /// The predicate of a partial index, in SQL.
        predicate: Option<String>,
    },
    /// Deletes a row by its key, or marks it as deleted.
    Delete,
    /// Deletes a row that can be marked as deleted.
    DeletePermanently,
    /// Removes the mark of a deleted row.
    Restore,
    /// Returns a deleted row by its key, if there is one.
    FindDeleted,
    /// Returns the deleted rows of a page.
    ListDeleted,
    /// Returns the number of rows.
    Count,
    /// Returns whether a row has this key.
    Exists,
}

/// A list in the order of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedList {
    /// The name of the function.
    pub name: String,
    /// The columns that are compared with values.
    pub columns: Vec<KeyColumn>,
    /// The columns that give the order, of which each row has other values.
    pub order: Vec<OrderColumn>,
    /// The name of the index.
    pub index: String,
    /// The predicate of a partial index, in SQL.
    pub predicate: Option<String>,
    /// The type of a position in the list.
    pub position: String,
    /// True if the index does not have all columns of the order, so that ties are sorted.
    pub is_sorted: bool,
}

/// A column that gives the order of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderColumn {
    /// The column.
    pub column: KeyColumn,
    /// The type in a row.
    pub owned: String,
    /// `DESC`.
    pub descending: bool,
    /// True if NULLs come first.
    pub nulls_first: bool,
    /// True if it can be NULL.
    pub nullable: bool,
}

/// A column that a function selects by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumn {
    /// The name of the field in the row.
    pub field: String,
    /// The name of the argument.
    pub argument_name: String,
    /// The name of the column in PostgreSQL.
    pub sql_name: String,
    /// The type of the argument.
    pub argument: String,
    /// The type as which the value is sent, if it is not that of `schema.rs`.
    pub via: Option<Wire>,
    /// The types that the parameter is cast to.
    pub cast: Option<String>,
}

impl Function {
    /// Returns the columns of its index or foreign key.
    pub(super) fn columns(&self) -> Option<&[KeyColumn]> {
        match self {
            Self::FindBy { columns, .. }
            | Self::ListBy { columns, .. }
            | Self::Upsert { columns, .. }
            | Self::UpsertMany { columns, .. }
            | Self::InsertOrIgnore { columns, .. }
            | Self::InsertManyOrIgnore { columns, .. }
            | Self::CountBy { columns, .. }
            | Self::ExistsBy { columns, .. }
            | Self::DeleteBy { columns, .. }
            | Self::ListOrdered(OrderedList { columns, .. }) => Some(columns),
            _ => None,
        }
    }

    /// Returns the name in Rust.
    pub fn name(&self) -> &str {
        match self {
            Self::Find => "find",
            Self::Get => "get",
            Self::List | Self::ListUnordered => "list",
            Self::Refresh => "refresh",
            Self::RefreshConcurrently => "refresh_concurrently",
            Self::Insert | Self::InsertDefault => "insert",
            Self::InsertMany => "insert_many",
            Self::FindMany => "find_many",
            Self::DeleteMany => "delete_many",
            Self::UpdateMany => "update_many",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::DeletePermanently => "delete_permanently",
            Self::Restore => "restore",
            Self::FindDeleted => "find_deleted",
            Self::ListDeleted => "list_deleted",
            Self::Count => "count",
            Self::Exists => "exists",
            Self::FindBy { name, .. }
            | Self::ListBy { name, .. }
            | Self::Upsert { name, .. }
            | Self::UpsertMany { name, .. }
            | Self::InsertOrIgnore { name, .. }
            | Self::InsertManyOrIgnore { name, .. }
            | Self::CountBy { name, .. }
            | Self::ExistsBy { name, .. }
            | Self::DeleteBy { name, .. }
            | Self::ListOrdered(OrderedList { name, .. }) => name,
        }
    }
}

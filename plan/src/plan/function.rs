//! A generated function, as plain data.

/// A function of a table's row type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Function {
    Find,
    Get,
    FindBy {
        name: String,
        columns: Vec<KeyColumn>,
        index: String,
        predicate: Option<String>,
    },
    List,
    ListBy {
        name: String,
        columns: Vec<KeyColumn>,
        index: String,
    },
    Insert,
    /// An insert of a row in which PostgreSQL fills every column.
    InsertDefault,
    InsertMany,
    Update,
    Upsert {
        name: String,
        columns: Vec<KeyColumn>,
        predicate: Option<String>,
    },
    Delete,
    Count,
    Exists,
}

/// A column that a function selects by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumn {
    pub field: String,
    pub argument_name: String,
    pub sql_name: String,
    /// The type of the argument.
    pub argument: String,
}

impl Function {
    /// Returns the columns of its index or foreign key.
    pub(super) fn columns(&self) -> Option<&[KeyColumn]> {
        match self {
            Self::FindBy { columns, .. }
            | Self::ListBy { columns, .. }
            | Self::Upsert { columns, .. } => Some(columns),
            _ => None,
        }
    }

    /// Returns the name in Rust.
    pub fn name(&self) -> &str {
        match self {
            Self::Find => "find",
            Self::Get => "get",
            Self::List => "list",
            Self::Insert | Self::InsertDefault => "insert",
            Self::InsertMany => "insert_many",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Count => "count",
            Self::Exists => "exists",
            Self::FindBy { name, .. } | Self::ListBy { name, .. } | Self::Upsert { name, .. } => {
                name
            }
        }
    }
}

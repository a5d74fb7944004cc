//! The settings that shape the generated code.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::bowline_toml::SettingsFile;
use super::crates::Crates;
use super::lint::LintSettings;
use super::migrate::MigrateSettings;
use super::output::Output;
use super::tables::{ColumnSettings, RenameAll, TableSettings};
use bowline_catalog::{Index, Name, Relation, RelationKind};

/// The settings that shape the generated code: those of `diesel.toml` and of `bowline.toml`.
#[derive(Debug, Default)]
pub struct Settings {
    /// The folder of `diesel.toml`.
    pub root: PathBuf,
    /// The folder of the generated files.
    pub folder: PathBuf,
    /// The path by which a table's file names the module of the first `schema.rs`:
    /// `super::schema`, or `crate::..` if that file is in another folder.
    pub schema_path: String,
    /// rustfmt's `tab_spaces`, if set: `diesel print-schema` runs rustfmt over its output.
    pub tab_spaces: Option<usize>,
    /// One output for each `schema.rs`.
    pub outputs: Vec<Output>,
    /// The file that the settings below come from, if there is one.
    pub file: Option<SettingsFile>,
    /// The name of the database that the generated statements belong to.
    pub database: Option<String>,
    /// The oldest version of PostgreSQL that queries run on; `None` is the newest that is known.
    pub postgres: Option<u32>,
    /// Rust names by table or enum, for names that are guessed wrong or are taken.
    pub names: BTreeMap<String, String>,
    /// The crates whose types columns have.
    pub crates: Crates,
    /// Rust types by SQL type.
    pub types: BTreeMap<String, String>,
    /// The domains that have a Rust type of their own.
    pub newtypes: Vec<String>,
    /// Arrays in which no element is NULL: `posts.tags`.
    pub not_null_elements: Vec<String>,
    /// Columns of views that cannot be NULL: `account_totals.total`.
    pub not_null: Vec<String>,
    /// Names of variants by enum and label.
    pub variants: BTreeMap<String, BTreeMap<String, String>>,
    /// Derives of each row in addition to the usual ones.
    pub extra_derives: Vec<String>,
    /// Derives of the other types.
    pub derives: Derives,
    /// serde's `rename_all` of rows, of `New` and of `Changes`.
    pub rename_all: Option<RenameAll>,
    /// True if `New` and `Changes` are not read from JSON with a field that they do not have.
    pub deny_unknown_fields: bool,
    /// True if `New` and `Changes` derive diesel's `Insertable` and `AsChangeset`.
    pub insertable: bool,
    /// Functions that are not generated because handwritten ones have their names:
    /// `Account::list`.
    pub leave_out: Vec<String>,
    /// The columns that serve as the primary key of a table without one, by table.
    pub keys: BTreeMap<String, Vec<String>>,
    /// The settings of single tables.
    pub tables: BTreeMap<String, TableSettings>,
    /// The foreign key to join by, where several lead from one table to another:
    /// `posts.author_id`.
    pub joinables: Vec<String>,
    /// Settings of `bowline migrate`.
    pub migrate: MigrateSettings,
    /// Settings of `bowline lint`.
    pub lint: LintSettings,
}

/// Derives in addition to the usual ones.
#[derive(Debug, Clone, Default)]
pub struct Derives {
    /// Those of each `New`.
    pub new: Vec<String>,
    /// Those of each `Changes`.
    pub changes: Vec<String>,
    /// Those of each id.
    pub id: Vec<String>,
    /// Those of each enum.
    pub enums: Vec<String>,
}

impl Settings {
    /// Returns the settings of a column.
    pub fn column(&self, relation: &Name, column: &str) -> Option<&ColumnSettings> {
        of_name(&self.tables, relation)?.columns.get(column)
    }

    /// Returns true if a domain has a Rust type of its own.
    pub fn has_newtype(&self, domain: &Name) -> bool {
        let mut names = self.newtypes.iter();
        names.any(|name| is_named(domain, name))
    }

    /// Returns the columns of the primary key, or those that serve as one.
    pub fn primary_key(&self, relation: &Relation) -> Option<Vec<String>> {
        let primary_key = relation.primary_key().map(<[String]>::to_vec);
        primary_key
            .or_else(|| of_name(&self.keys, &relation.name).cloned())
            .or_else(|| unique_key(relation, |_| true))
    }

    /// Returns columns that PostgreSQL keeps unique and not null: the primary key, or those of a
    /// unique index.
    pub fn row_key(&self, relation: &Relation) -> Option<Vec<String>> {
        let primary_key = relation.primary_key().map(<[String]>::to_vec);
        primary_key.or_else(|| match of_name(&self.keys, &relation.name) {
            // A view and a foreign table have no indexes that could say so.
            Some(named) if is_outside_of_indexes(relation) => Some(named.clone()),
            Some(named) => unique_key(relation, |columns| columns == named),
            None => unique_key(relation, |_| true),
        })
    }
}

/// Returns true if a setting means this table or type: by schema and name, or by the name alone if
/// it is in `public` or PostgreSQL's own.
pub fn is_named(name: &Name, setting: &str) -> bool {
    (has_plain_name(name) && name.name == setting)
        || setting
            .split_once('.')
            .is_some_and(|(schema, object)| name.schema == schema && name.name == object)
}

/// Returns true if the name alone means this table or type, whatever other schemas have.
fn has_plain_name(name: &Name) -> bool {
    ["public", "pg_catalog"].contains(&name.schema.as_str())
}

/// Returns true for a relation whose key only a setting can name.
fn is_outside_of_indexes(relation: &Relation) -> bool {
    matches!(
        relation.kind,
        RelationKind::View | RelationKind::MaterializedView | RelationKind::ForeignTable
    )
}

/// Returns the setting for a table or type, by schema and name, or by the name alone if it is in
/// `public` or PostgreSQL's own.
pub fn of_name<'a, T>(settings: &'a BTreeMap<String, T>, name: &Name) -> Option<&'a T> {
    let qualified = settings.get(&format!("{}.{}", name.schema, name.name));
    qualified.or_else(|| settings.get(&name.name).filter(|_| has_plain_name(name)))
}

/// Returns the columns of the first unique index that could be a primary key and is accepted.
fn unique_key(relation: &Relation, accepts: impl Fn(&[String]) -> bool) -> Option<Vec<String>> {
    let is_not_null = |name: &String| {
        let mut columns = relation.columns.iter();
        columns.any(|column| column.name == *name && column.not_null)
    };
    let is_temporal = |index: &Index| {
        let mut constraints = relation.constraints.iter();
        constraints.any(|constraint| constraint.name == index.name && constraint.temporal)
    };
    relation
        .indexes
        .iter()
        .filter(|index| index.unique && index.predicate.is_none() && !is_temporal(index))
        .filter_map(Index::plain_columns)
        .find(|columns| columns.iter().all(is_not_null) && accepts(columns))
}

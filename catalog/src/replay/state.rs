//! The state of the database after the migrations that have been replayed so far.
//!
//! All writes to the catalog are methods here. Other modules change one object at a time, through a
//! reference that this module returns (`table`, `column_mut`). They cannot add, remove or rename an
//! object in any other way, since the catalog is private. Dependencies are not recorded. They are
//! computed from the catalog, so a rename cannot leave an outdated one.

pub(crate) mod calls;
pub(crate) mod collation;
pub(crate) mod column;
pub(crate) mod constraint;
pub(crate) mod data_type;
pub(crate) mod dependents;
pub(crate) mod distribution;
pub(crate) mod ever;
pub(crate) mod expressions;
pub(crate) mod follow;
pub(crate) mod functions;
pub(crate) mod gaps;
pub(crate) mod identity;
pub(crate) mod index;
pub(crate) mod inherit;
pub(crate) mod label;
pub(crate) mod lookup;
pub(crate) mod names;
pub(crate) mod nextval;
pub(crate) mod not_null;
pub(crate) mod notes;
pub(crate) mod objects;
pub(crate) mod partition;
pub(crate) mod parts;
pub(crate) mod privileges;
pub(crate) mod relation;
pub(crate) mod removal;
pub(crate) mod rename;
pub(crate) mod routine;
pub(crate) mod schema;
pub(crate) mod sequence;
pub(crate) mod setting;
pub(crate) mod temporary;
pub(crate) mod trigger;
pub(crate) mod types;
pub(crate) mod users;
pub(crate) mod writes;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use crate::replay::state::calls::FindOverloads;
use crate::replay::state::distribution::Citus;
use crate::replay::state::ever::Ever;
use crate::replay::state::functions::Function;
use crate::replay::state::notes::Notes;
use crate::replay::state::setting::Settings;
use crate::replay::state::writes::Writes;
use crate::{Catalog, DataType, Name};

pub(crate) const PUBLIC: &str = "public";

/// The schema of temporary tables.
pub(crate) const TEMPORARY: &str = "pg_temp";

/// The result of the migrations so far, in the form of PostgreSQL's catalog.
#[derive(Clone)]
pub(crate) struct State {
    catalog: Catalog,
    settings: Settings,
    /// The schemas that exist, including `public`.
    schemas: BTreeSet<String>,
    /// The relations and columns that the query of each view uses.
    views: BTreeMap<Name, Uses>,
    /// Functions and procedures by name, without schema. Overloads are in one list.
    functions: BTreeMap<String, Vec<Function>>,
    /// The overload that a call in an expression means, by its types.
    find_overloads: FindOverloads,
    /// The names of NOT NULL constraints. PostgreSQL names them from version 18 on.
    not_null_names: Notes<String>,
    /// Columns that were declared NOT NULL in their own table, not only in a parent.
    local_not_null: Notes<()>,
    /// Columns of child tables that remain when the parent's column is dropped.
    local_columns: Notes<()>,
    /// Checks of child tables that remain when the parent's check is dropped.
    local_checks: Notes<()>,
    /// The names that the columns of an index had when it was created, if they were renamed since.
    /// PostgreSQL derives the names of copies of the index from them.
    index_column_names: Notes<Vec<String>>,
    /// The schema of each extension. An extension is dropped with its schema.
    extension_schemas: BTreeMap<String, String>,
    /// The collations that migrations created.
    collations: BTreeSet<Name>,
    /// Temporary tables that are dropped at the end of the migration's transaction.
    until_commit: Vec<Name>,
    /// Temporary tables of earlier migrations, which may have run in another session.
    earlier_temporary: BTreeSet<Name>,
    /// The default privileges of new objects.
    defaults: Vec<privileges::Default>,
    /// The tables that may have rows.
    writes: Writes,
    /// Counts the changes of functions. Facts derived from function bodies are computed again after
    /// a change.
    version_of_functions: u64,
    /// The names, including those of functions, in statements that create operators, casts and
    /// event triggers.
    hooks: BTreeSet<String>,
    /// Whether a migration created a cast, an operator or another object of those statements. The
    /// rules for types are then not certain.
    has_own_casts: bool,
    /// The names that objects have or had.
    ever: Ever,
    /// Whether there is or was SQL of an object that is kept as its author wrote it.
    has_code: Cell<bool>,
    /// What Citus distributes, besides the tables.
    citus: Citus,
    /// The position of the statement that is being replayed.
    here: Here,
}

impl State {
    /// Creates the state of an empty database.
    pub(crate) fn new(find_overloads: FindOverloads) -> Self {
        Self {
            catalog: Catalog::default(),
            settings: Settings::default(),
            schemas: BTreeSet::from([PUBLIC.to_owned()]),
            views: BTreeMap::new(),
            functions: BTreeMap::new(),
            find_overloads,
            not_null_names: Notes::default(),
            local_not_null: Notes::default(),
            local_columns: Notes::default(),
            local_checks: Notes::default(),
            index_column_names: Notes::default(),
            extension_schemas: BTreeMap::new(),
            collations: BTreeSet::new(),
            until_commit: Vec::new(),
            earlier_temporary: BTreeSet::new(),
            defaults: Vec::new(),
            writes: Writes::default(),
            version_of_functions: 0,
            hooks: BTreeSet::new(),
            has_own_casts: false,
            ever: Ever::default(),
            has_code: Cell::default(),
            citus: Citus::default(),
            here: Here::default(),
        }
    }
}

/// Read access.
impl State {
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Returns the functions and procedures by name, without schema.
    pub(crate) fn functions(&self) -> &BTreeMap<String, Vec<Function>> {
        &self.functions
    }

    /// Returns the overloads of the function of this name.
    pub(crate) fn overloads(&self, name: &str) -> &[Function] {
        self.functions.get(name).map_or(&[][..], Vec::as_slice)
    }

    pub(crate) fn search_path(&self) -> &[String] {
        &self.settings.search_path
    }

    /// Returns the schemas that exist, including `public`.
    pub(crate) fn schemas(&self) -> &BTreeSet<String> {
        &self.schemas
    }

    /// Returns the schema in which an extension is installed.
    pub(crate) fn schema_of_extension(&self, extension: &str) -> Option<&String> {
        self.extension_schemas.get(extension)
    }

    /// Returns true if an exception handler around the statement catches an error of PostgreSQL.
    pub(crate) fn is_handled(&self) -> bool {
        self.here.handlers > 0
    }
}

/// Migrations and positions.
impl State {
    /// Begins a migration: another transaction, with the default search path.
    pub(crate) fn begin_migration(&mut self) {
        self.forget_settings();
        self.end_transaction();
        let relations = self.catalog.relations.keys();
        let temporary = relations.filter(|name| name.schema == TEMPORARY);
        self.earlier_temporary = temporary.cloned().collect();
    }

    /// Records the file that is replayed next.
    pub(crate) fn set_file(&mut self, file: String) {
        self.here.file = file;
    }

    /// Records the line of the statement that is replayed next.
    pub(crate) fn set_line(&mut self, line: usize) {
        self.here.line = line;
        self.here.handlers = 0;
    }

    /// Enters a block that has exception handlers.
    pub(crate) fn enter_handlers(&mut self) {
        self.here.handlers += 1;
    }

    pub(crate) fn leave_handlers(&mut self) {
        self.here.handlers -= 1;
    }

    /// Returns the catalog after all migrations, without temporary objects.
    pub(crate) fn into_catalog(mut self) -> Catalog {
        self.forget_temporary();
        self.keep_routines();
        self.move_operator_classes();
        self.settle_trigger_states();
        self.catalog
    }
}

/// The position of the statement that is being replayed.
#[derive(Debug, Clone, Default)]
struct Here {
    file: String,
    line: usize,
    /// The number of enclosing blocks with exception handlers, one of which catches an error of
    /// PostgreSQL.
    handlers: u32,
}

/// The relations and columns that the query of a view uses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uses {
    pub(crate) relations: BTreeSet<Name>,
    pub(crate) columns: BTreeSet<(Name, String)>,
    pub(crate) types: BTreeSet<Name>,
    /// The functions of migrations that the query calls, with the types of their arguments.
    pub(crate) functions: BTreeSet<(Name, Vec<DataType>)>,
    /// The query as written, which is searched for the functions of extensions.
    pub(crate) text: String,
}

//! The state of the database that the migrations have made so far.
//!
//! All writes to the catalog are methods here. Another module changes one object at a time through a reference that
//! this module hands out (`table`, `column_mut`); it cannot add, remove or rename an object past this module, since
//! the catalog is private. What rests on an object is not recorded but found, so a rename leaves nothing behind.

pub(crate) mod collation;
pub(crate) mod column;
pub(crate) mod constraint;
pub(crate) mod data_type;
pub(crate) mod dependents;
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
pub(crate) mod writes;

use std::collections::{BTreeMap, BTreeSet};

use crate::replay::state::functions::Function;
use crate::replay::state::notes::Notes;
use crate::replay::state::setting::Settings;
use crate::replay::state::writes::Writes;
use crate::{Catalog, Name};

pub(crate) const PUBLIC: &str = "public";

/// Where temporary tables are.
pub(crate) const TEMPORARY: &str = "pg_temp";

/// What the migrations have made so far, as PostgreSQL's own catalog would have it.
#[derive(Clone)]
pub(crate) struct State {
    catalog: Catalog,
    settings: Settings,
    /// The schemas that exist, `public` among them.
    schemas: BTreeSet<String>,
    /// What the query of each view uses.
    views: BTreeMap<Name, Uses>,
    /// Functions and procedures by name, without schema; overloads beside each other.
    functions: BTreeMap<String, Vec<Function>>,
    /// The names of NOT NULL constraints, which PostgreSQL has from 18 on.
    not_null_names: Notes<String>,
    /// Columns that are NOT NULL whatever the parent's are.
    local_not_null: Notes<()>,
    /// Columns of child tables that stay when the parent's go.
    local_columns: Notes<()>,
    /// Checks of child tables that stay when the parent's go.
    local_checks: Notes<()>,
    /// The names that the columns of an index had when it was created, where they have other names now:
    /// PostgreSQL names indexes like it after those.
    index_titles: Notes<Vec<String>>,
    /// The schema of each extension, which is dropped with it.
    extension_schemas: BTreeMap<String, String>,
    /// The collations that migrations created.
    collations: BTreeSet<Name>,
    /// Temporary tables that end with the migration's transaction.
    until_commit: Vec<Name>,
    /// Temporary tables of earlier migrations, which may have run in another session.
    earlier_temporary: BTreeSet<Name>,
    /// What new objects are granted.
    defaults: Vec<privileges::Default>,
    /// Which tables may have rows.
    writes: Writes,
    /// Counts the changes of functions, by which what follows from their bodies is found anew.
    version_of_functions: u64,
    /// The names in statements that make operators, casts and event triggers, functions among them.
    hooks: BTreeSet<String>,
    /// The position of the statement that is being followed.
    here: Here,
}

impl Default for State {
    fn default() -> Self {
        Self {
            catalog: Catalog::default(),
            settings: Settings::default(),
            schemas: BTreeSet::from([PUBLIC.to_owned()]),
            views: BTreeMap::new(),
            functions: BTreeMap::new(),
            not_null_names: Notes::default(),
            local_not_null: Notes::default(),
            local_columns: Notes::default(),
            local_checks: Notes::default(),
            index_titles: Notes::default(),
            extension_schemas: BTreeMap::new(),
            collations: BTreeSet::new(),
            until_commit: Vec::new(),
            earlier_temporary: BTreeSet::new(),
            defaults: Vec::new(),
            writes: Writes::default(),
            version_of_functions: 0,
            hooks: BTreeSet::new(),
            here: Here::default(),
        }
    }
}

/// Reading.
impl State {
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The functions and procedures by name, without schema.
    pub(crate) fn functions(&self) -> &BTreeMap<String, Vec<Function>> {
        &self.functions
    }

    /// The forms of the function of this name.
    pub(crate) fn forms(&self, name: &str) -> &[Function] {
        self.functions.get(name).map_or(&[][..], Vec::as_slice)
    }

    pub(crate) fn search_path(&self) -> &[String] {
        &self.settings.search_path
    }

    /// The schemas that exist, `public` among them.
    pub(crate) fn schemas(&self) -> &BTreeSet<String> {
        &self.schemas
    }

    /// The schema in which an extension is installed.
    pub(crate) fn schema_of_extension(&self, extension: &str) -> Option<&String> {
        self.extension_schemas.get(extension)
    }

    /// Returns true if a handler around the statement takes an error that PostgreSQL raises.
    pub(crate) fn is_handled(&self) -> bool {
        self.here.handlers > 0
    }
}

/// The order of the migrations.
impl State {
    /// Begins a migration: another transaction, with the default search path.
    pub(crate) fn begin_migration(&mut self) {
        self.forget_settings();
        self.end_transaction();
        let relations = self.catalog.relations.keys();
        let temporary = relations.filter(|name| name.schema == TEMPORARY);
        self.earlier_temporary = temporary.cloned().collect();
    }

    /// Notes the position of the statement that is followed next.
    pub(crate) fn set_position(&mut self, file: String, line: usize) {
        self.here = Here {
            file,
            line,
            handlers: 0,
        };
    }

    /// Works within a block that has handlers.
    pub(crate) fn enter_handlers(&mut self) {
        self.here.handlers += 1;
    }

    pub(crate) fn leave_handlers(&mut self) {
        self.here.handlers -= 1;
    }

    /// The catalog after all migrations, without what is temporary.
    pub(crate) fn into_catalog(mut self) -> Catalog {
        self.forget_temporary();
        self.keep_routines();
        self.move_operator_classes();
        self.settle_trigger_states();
        self.catalog
    }
}

/// Where the statement stands that is being followed.
#[derive(Debug, Clone, Default)]
struct Here {
    file: String,
    line: usize,
    /// How many blocks with handlers stand around it: one of them takes the error that PostgreSQL raises.
    handlers: u32,
}

/// What the query of a view uses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uses {
    pub(crate) relations: BTreeSet<Name>,
    pub(crate) columns: BTreeSet<(Name, String)>,
    pub(crate) types: BTreeSet<Name>,
    /// The query as written, for the functions it calls.
    pub(crate) text: String,
}

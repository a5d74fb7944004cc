//! The state of the database that the migrations have made so far.
//!
//! All writes to the catalog are methods here. Another module changes one object at a time through a reference that
//! this module hands out (`table`, `column_mut`); it cannot add, remove or rename an object past this module, since
//! the catalog is private. What rests on an object is not recorded but found, so a rename leaves nothing behind.

pub(crate) mod column;
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
pub(crate) mod removal;
pub(crate) mod rename;
pub(crate) mod routine;
pub(crate) mod sequence;
pub(crate) mod temporary;
pub(crate) mod types;
pub(crate) mod writes;

use std::collections::{BTreeMap, BTreeSet};

use squawk_syntax::SyntaxNode;

use crate::replay::refusal::{Refused, Result, has_already};
use crate::replay::state::functions::Function;
use crate::replay::state::notes::Notes;
use crate::replay::state::writes::Writes;
use crate::replay::syntax::tree::path;
use crate::{Catalog, Column, Constraint, Name, Relation, RelationKind};

pub(crate) const PUBLIC: &str = "public";

pub(crate) const SYSTEM: &str = "pg_catalog";

/// Where temporary tables are.
pub(crate) const TEMPORARY: &str = "pg_temp";

/// What the migrations have made so far, as PostgreSQL's own catalog would have it.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) catalog: Catalog,
    pub(crate) search_path: Vec<String>,
    /// The schemas that exist, `public` among them.
    pub(crate) schemas: BTreeSet<String>,
    /// What the query of each view uses.
    pub(crate) views: BTreeMap<Name, Uses>,
    /// Functions and procedures by name, without schema; overloads beside each other.
    pub(crate) functions: BTreeMap<String, Vec<Function>>,
    /// The names of NOT NULL constraints, which PostgreSQL has from 18 on.
    pub(crate) not_null_names: Notes<String>,
    /// Columns that are NOT NULL whatever the parent's are.
    pub(crate) local_not_null: Notes<()>,
    /// Columns of child tables that stay when the parent's go.
    pub(crate) local_columns: Notes<()>,
    /// Checks of child tables that stay when the parent's go.
    pub(crate) local_checks: Notes<()>,
    /// The names that the columns of an index had when it was created, where they have other names now:
    /// PostgreSQL names indexes like it after those.
    pub(crate) index_titles: Notes<Vec<String>>,
    /// The schema of each extension, which is dropped with it.
    pub(crate) extension_schemas: BTreeMap<String, String>,
    /// Temporary tables that end with the migration's transaction.
    pub(crate) until_commit: Vec<Name>,
    /// Temporary tables of earlier migrations, which may have run in another session.
    pub(crate) earlier_temporary: BTreeSet<Name>,
    /// What new objects are granted.
    pub(crate) defaults: Vec<privileges::Default>,
    /// Which tables may have rows.
    pub(crate) writes: Writes,
    /// The position of the statement that is being followed.
    pub(crate) here: Here,
}

impl Default for State {
    fn default() -> Self {
        Self {
            catalog: Catalog::default(),
            search_path: vec![PUBLIC.to_owned()],
            schemas: BTreeSet::from([PUBLIC.to_owned()]),
            views: BTreeMap::new(),
            functions: BTreeMap::new(),
            not_null_names: Notes::default(),
            local_not_null: Notes::default(),
            local_columns: Notes::default(),
            local_checks: Notes::default(),
            index_titles: Notes::default(),
            extension_schemas: BTreeMap::new(),
            until_commit: Vec::new(),
            earlier_temporary: BTreeSet::new(),
            defaults: Vec::new(),
            writes: Writes::default(),
            here: Here::default(),
        }
    }
}

impl State {
    /// The relation that a node names.
    pub(crate) fn relation_mut(&mut self, node: &SyntaxNode) -> Result<&mut Relation> {
        let parts = path(node);
        let missing = || {
            Refused::new(node, format!("there is no table {}", parts.join(".")))
                .do_this("look at the name and at the migrations before this one")
                .raises("undefined_table")
        };
        let name = self.find_relation(&parts).ok_or_else(missing)?;
        self.catalog.relations.get_mut(&name).ok_or_else(missing)
    }

    pub(crate) fn push_constraint(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        new: Constraint,
    ) -> Result<()> {
        let constraints = &self.table(table).constraints;
        if constraints.iter().any(|other| other.name == new.name) {
            return Err(has_already(node, table, &new.name));
        }
        self.table(table).constraints.push(new);
        Ok(())
    }

    /// A column that is known to be there.
    pub(crate) fn column_mut(
        &mut self,
        node: &SyntaxNode,
        table: &Name,
        column: &str,
    ) -> Result<&mut Column> {
        let missing = || {
            Refused::new(node, format!("{} has no column {column}", table.name))
                .do_this("look at the name and at the migrations before this one")
                .raises("undefined_column")
        };
        self.table(table)
            .columns
            .iter_mut()
            .find(|other| other.name == column)
            .ok_or_else(missing)
    }

    /// Whether the relation is a table, whose constraints and columns can be changed.
    pub(crate) fn is_view(&self, name: &Name) -> bool {
        self.catalog.relations.get(name).is_some_and(|relation| {
            matches!(
                relation.kind,
                RelationKind::View | RelationKind::MaterializedView
            )
        })
    }

    pub(crate) fn set_search_path(&mut self, schemas: Vec<String>) {
        self.search_path = schemas
            .into_iter()
            .filter(|schema| schema != "$user" && !schema.is_empty())
            .collect();
    }

    /// A table that is known to be there, because it was found or made a moment ago.
    pub(crate) fn table(&mut self, name: &Name) -> &mut Relation {
        self.catalog
            .relations
            .entry(name.clone())
            .or_insert_with(|| Relation::new(name.clone(), RelationKind::Table))
    }
}

/// Where the statement stands that is being followed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Here {
    pub(crate) file: String,
    pub(crate) line: usize,
    /// How many blocks with handlers stand around it: one of them takes the error that PostgreSQL raises.
    pub(crate) handlers: u32,
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

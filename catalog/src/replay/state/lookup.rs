//! Resolves names by the search path, and finds the schema of a new object.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::refusal::{Refused, Result};
use crate::replay::state::{State, TEMPORARY};
use crate::replay::syntax::tree::{has, path};
use crate::{Name, TypeKind};

impl State {
    /// Returns the schema in which a new object is created.
    pub(crate) fn current_schema(&self, node: &SyntaxNode) -> Result<String> {
        let schema = self
            .search_path()
            .iter()
            .find(|schema| self.schemas.contains(*schema) || *schema == TEMPORARY);
        schema.cloned().ok_or_else(|| {
            Refused::new(
                node,
                "no schema of the search path exists, so this has no schema",
            )
            .hint("name the schema, or set the search path in this file")
            .raises("invalid_schema_name")
        })
    }

    /// Returns the full name of an object that a statement creates.
    pub(crate) fn new_name(&self, statement: &SyntaxNode, node: &SyntaxNode) -> Result<Name> {
        let mut parts = path(node);
        let name = parts.pop().unwrap_or_default();
        let schema = match parts.pop() {
            Some(schema) => schema,
            None if has(statement, SyntaxKind::TEMP) => TEMPORARY.to_owned(),
            None => self.current_schema(statement)?,
        };
        if !self.schemas.contains(&schema) && schema != TEMPORARY {
            return Err(
                Refused::error(statement, format!("there is no schema {schema}"))
                    .hint("create it in a migration before this one")
                    .raises("invalid_schema_name"),
            );
        }
        Ok(Name { schema, name })
    }

    /// Returns the names that a reference may mean, in the order of the search path.
    pub(crate) fn candidates(&self, parts: &[String]) -> Vec<Name> {
        let full = |schema: &str, name: &str| Name {
            schema: schema.to_owned(),
            name: name.to_owned(),
        };
        match parts {
            [.., schema, name] => vec![full(schema, name)],
            [name] => {
                let path = self.search_path().iter().map(String::as_str);
                // PostgreSQL searches `pg_temp` first, unless the search path names it.
                let is_named = path.clone().any(|schema| schema == TEMPORARY);
                let first = (!is_named).then_some(TEMPORARY);
                let all = first.into_iter().chain(path);
                all.map(|schema| full(schema, name)).collect()
            }
            [] => Vec::new(),
        }
    }

    /// Returns a type that a column can have: a type of a migration, a multirange, or the row type
    /// of a table.
    pub(crate) fn find_type(&self, parts: &[String]) -> Option<Name> {
        self.candidates(parts).into_iter().find(|name| {
            self.catalog.types.contains_key(name)
                || self.catalog.relations.contains_key(name)
                || self.range_of(name).is_some()
        })
    }

    /// Returns the range type that this multirange belongs to.
    pub(crate) fn range_of(&self, name: &Name) -> Option<Name> {
        let found = self.catalog.types.values().find(|found| {
            found.name.schema == name.schema
                && matches!(&found.kind, TypeKind::Range { multirange, .. } if *multirange == name.name)
        });
        found.map(|found| found.name.clone())
    }

    /// Returns a type that CREATE TYPE or CREATE DOMAIN created.
    pub(crate) fn find_own_type(&self, parts: &[String]) -> Option<Name> {
        self.candidates(parts)
            .into_iter()
            .find(|name| self.catalog.types.contains_key(name))
    }

    pub(crate) fn find_relation(&self, parts: &[String]) -> Option<Name> {
        self.candidates(parts)
            .into_iter()
            .find(|name| self.catalog.relations.contains_key(name))
    }

    /// Returns the relation or composite type that a reference means. Both have columns.
    pub(crate) fn find_row_type(&self, parts: &[String]) -> Option<Name> {
        self.candidates(parts).into_iter().find(|name| {
            let found = self.catalog.types.get(name).map(|found| &found.kind);
            self.catalog.relations.contains_key(name)
                || matches!(found, Some(TypeKind::Composite { .. }))
        })
    }

    pub(crate) fn find_sequence(&self, parts: &[String]) -> Option<Name> {
        self.candidates(parts)
            .into_iter()
            .find(|name| self.catalog.sequences.contains_key(name))
    }
}

//! Collations and operator classes: resolves references, and updates them after a rename.

use squawk_syntax::SyntaxKind;

use crate::replay::builtin;
use crate::replay::state::State;
use crate::replay::state::dependents::Dependency;
use crate::replay::state::expressions::Columns;
use crate::replay::state::objects::Object;
use crate::replay::syntax::SYSTEM;
use crate::replay::syntax::expression::has_word;
use crate::replay::syntax::parse::parse_again;
use crate::replay::syntax::tree::{below, path};
use crate::{
    Catalog, Column, DataType, IndexKey, KeyOrder, Name, RelationKind, TypeKind, information_schema,
};

impl State {
    /// Adds a collation that a migration creates.
    pub(crate) fn add_collation(&mut self, name: Name) {
        self.collations.insert(name);
    }

    /// Returns the collation of a migration that a reference names.
    pub(crate) fn find_own_collation(&self, parts: &[String]) -> Option<Name> {
        let mut candidates = self.candidates(parts).into_iter();
        candidates.find(|name| self.collations.contains(name))
    }

    /// Returns the collations that migrations created.
    pub(crate) fn collations(&self) -> impl Iterator<Item = &Name> {
        self.collations.iter()
    }

    /// Adds the dependents of a collation: columns, indexes, types and expressions.
    pub(crate) fn of_collation(&self, name: &Name, found: &mut Vec<(Object, Dependency)>) {
        let is_it = |own: &Option<Name>| own.as_ref() == Some(name);
        for relation in self.catalog.relations.values() {
            let table = || relation.name.clone();
            for column in relation.columns.iter().filter(|own| is_it(&own.collation)) {
                let object = match relation.kind {
                    RelationKind::View | RelationKind::MaterializedView => {
                        Object::Relation(table())
                    }
                    _ => Object::Column(table(), column.name.clone()),
                };
                found.push((object, Dependency::Cascade));
            }
            for index in &relation.indexes {
                let mut orders = index.keys.iter().map(|key| match key {
                    IndexKey::Column { order, .. } | IndexKey::Expression { order, .. } => order,
                });
                if orders.any(|order| is_it(&order.collation)) {
                    found.push((relation.object_of_index(&index.name), Dependency::Cascade));
                }
            }
        }
        for other in self.catalog.types.values() {
            match &other.kind {
                TypeKind::Domain { collation, .. } | TypeKind::Range { collation, .. }
                    if is_it(collation) =>
                {
                    found.push((Object::Type(other.name.clone()), Dependency::Cascade));
                }
                TypeKind::Composite { attributes } => {
                    for own in attributes.iter().filter(|own| is_it(&own.collation)) {
                        let object = Object::Attribute(other.name.clone(), own.name.clone());
                        found.push((object, Dependency::Cascade));
                    }
                }
                _ => {}
            }
        }
        let is_used = |text: &str, _: Columns<'_>| {
            let named = has_word(text, "collate") && has_word(text, &name.name);
            named && self.collates_by(text, name)
        };
        self.users(is_used, found);
    }

    /// Returns true if an expression names this collation after COLLATE.
    fn collates_by(&self, expression: &str, collation: &Name) -> bool {
        let names = parse_again(&format!("SELECT {expression}"));
        below(&names, SyntaxKind::COLLATION_REF)
            .any(|reference| self.find_own_collation(&path(&reference)).as_ref() == Some(collation))
    }

    /// Renames a collation, and updates all references to it.
    pub(crate) fn move_collation(&mut self, from: &Name, to: &Name) {
        self.collations.remove(from);
        self.collations.insert(to.clone());
        for name in collations_mut(&mut self.catalog) {
            if name == from {
                name.clone_from(to);
            }
        }
    }

    /// Moves the collations of a schema to the schema's new name.
    pub(crate) fn move_collations(&mut self, from: &str, to: &str) {
        let inside = self.collations.iter().filter(|name| name.schema == from);
        let inside: Vec<Name> = inside.cloned().collect();
        for name in inside {
            let moved = Name {
                schema: to.to_owned(),
                name: name.name.clone(),
            };
            self.move_collation(&name, &moved);
        }
    }

    /// Returns the collation that a reference names: one that a migration created, or else a
    /// built-in one.
    pub(crate) fn find_collation(&self, parts: &[String]) -> Name {
        let own = self.find_own_collation(parts);
        own.unwrap_or_else(|| written(parts))
    }

    /// Returns the collation of a type, if it is not the database's: that of a domain, or C for
    /// `name` and the text types of `information_schema`.
    pub(crate) fn collation_of_type(&self, data_type: &DataType) -> Option<Name> {
        let mut found = data_type.clone();
        // A domain is over an earlier type, so this ends. The bound is for an inconsistent catalog.
        for _ in 0..64 {
            let defined = self.catalog.types.get(&found.name).map(|found| &found.kind);
            let Some(TypeKind::Domain {
                base, collation, ..
            }) = defined
            else {
                break;
            };
            if collation.is_some() {
                return collation.clone();
            }
            found = base.clone();
        }
        let is_of_c = match information_schema::base(&found.name) {
            Some(base) => matches!(base.name.name.as_str(), "name" | "varchar"),
            None => found.name.schema == SYSTEM && found.name.name == "name",
        };
        is_of_c.then(|| written(&["C".to_owned()]))
    }

    /// Returns the collation of a column, if it is not the database's.
    pub(crate) fn collation_of_column(&self, column: &Column) -> Option<Name> {
        let own = column.collation.clone();
        own.or_else(|| self.collation_of_type(&column.data_type))
    }

    /// Returns the operator class that a reference names: one of an extension, or else a built-in
    /// one.
    pub(crate) fn find_operator_class(&self, parts: &[String]) -> Name {
        let class = written(parts);
        let schema = builtin::extension_of_class(&class.name);
        let schema = schema.and_then(|extension| self.schema_of_extension(extension));
        match schema {
            Some(schema) => Name {
                schema: schema.clone(),
                ..class
            },
            None => class,
        }
    }

    /// Returns the function that a reference names, whatever its arguments: one that a migration
    /// created, or else a built-in one.
    pub(crate) fn find_function_name(&self, parts: &[String]) -> Name {
        let functions = parts
            .last()
            .map(|name| self.overloads(name))
            .unwrap_or_default();
        let mut candidates = self.candidates(parts).into_iter();
        let found = candidates.find(|name| functions.iter().any(|function| function.name == *name));
        found.unwrap_or_else(|| written(parts))
    }

    /// Gives the operator classes of extensions the final schemas of those extensions.
    pub(crate) fn move_operator_classes(&mut self) {
        let schemas = self.extension_schemas.clone();
        for class in operator_classes_mut(&mut self.catalog) {
            let extension = builtin::extension_of_class(&class.name);
            if let Some(schema) = extension.and_then(|extension| schemas.get(extension)) {
                class.schema.clone_from(schema);
            }
        }
    }
}

/// Returns the name as written. Without a schema, the name is a built-in one.
fn written(parts: &[String]) -> Name {
    let (schema, name) = match parts {
        [.., schema, name] => (schema.as_str(), name.as_str()),
        [name] => (SYSTEM, name.as_str()),
        [] => (SYSTEM, ""),
    };
    Name {
        schema: schema.to_owned(),
        name: name.to_owned(),
    }
}

fn orders_mut(catalog: &mut Catalog) -> impl Iterator<Item = &mut KeyOrder> {
    let indexes = catalog
        .relations
        .values_mut()
        .flat_map(|relation| &mut relation.indexes);
    let keys = indexes.flat_map(|index| &mut index.keys);
    keys.map(|key| match key {
        IndexKey::Column { order, .. } | IndexKey::Expression { order, .. } => order,
    })
}

fn operator_classes_mut(catalog: &mut Catalog) -> Vec<&mut Name> {
    orders_mut(catalog)
        .filter_map(|order| order.operator_class.as_mut())
        .collect()
}

fn collations_mut(catalog: &mut Catalog) -> Vec<&mut Name> {
    let mut all = Vec::new();
    for relation in catalog.relations.values_mut() {
        let columns = relation.columns.iter_mut();
        all.extend(columns.filter_map(|column| column.collation.as_mut()));
        let keys = relation
            .indexes
            .iter_mut()
            .flat_map(|index| &mut index.keys);
        all.extend(keys.filter_map(|key| match key {
            IndexKey::Column { order, .. } | IndexKey::Expression { order, .. } => {
                order.collation.as_mut()
            }
        }));
    }
    for found in catalog.types.values_mut() {
        match &mut found.kind {
            TypeKind::Domain { collation, .. } | TypeKind::Range { collation, .. } => {
                all.extend(collation.as_mut());
            }
            TypeKind::Composite { attributes } => {
                let attributes = attributes.iter_mut();
                all.extend(attributes.filter_map(|attribute| attribute.collation.as_mut()));
            }
            TypeKind::Enum { .. } | TypeKind::External => {}
        }
    }
    all
}

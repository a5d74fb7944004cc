//! The modifiers and the collation that a value derives from its parts (`exprTypmod`,
//! parse_collate.c). Collations are followed only for views and tables.

use squawk_syntax::SyntaxNode;

use super::analyzer::Analyzer;
use super::expr::{Expr, Kind};
use super::form::Form;
use super::types::TypeId;
use crate::replay::builtin;
use crate::replay::syntax::clause::collation_of;
use crate::replay::syntax::type_name::{self, Written, built_in};
use crate::{Column, Name, TypeKind};

impl Analyzer<'_> {
    /// Returns the form of a column of a relation.
    pub(super) fn form_of_column(&self, column: &Column) -> Form {
        Form {
            modifiers: column.data_type.modifiers.clone(),
            fields: column.data_type.fields.clone(),
            collation: column.collation.clone().filter(|_| self.objects.is_some()),
        }
    }

    /// Returns the modifiers of the type that a child of a node names.
    pub(super) fn form_of_node(&self, node: &SyntaxNode) -> Form {
        let found = node.children().find(|part| type_name::is_type(part.kind()));
        let Some(found) = found else {
            return Form::default();
        };
        let written = Written::new(&found);
        let words = written.words.join(" ");
        let is_system = !written.is_quoted || words == "bpchar";
        let name = built_in(&words, &written.modifiers).filter(|_| is_system);
        let mut modifiers = written.modifiers;
        match name {
            Some("bpchar" | "bit")
                if modifiers.is_empty() && words != "bpchar" && !written.is_qualified =>
            {
                modifiers.push(1);
            }
            Some("bit") if modifiers.is_empty() => modifiers.push(1),
            Some(name) if name.starts_with("float") => modifiers.clear(),
            _ => {}
        }
        Form {
            modifiers,
            fields: written.fields,
            collation: None,
        }
    }

    /// Returns the form of a cast to the type that the node names.
    pub(super) fn form_of_cast(&self, node: &SyntaxNode, value: &Expr) -> Option<Form> {
        if self.objects.is_none() {
            return Some(self.form_of_node(node));
        }
        let inner = Expr {
            form: None,
            ..value.clone()
        };
        let collation = match &value.form {
            Some(form) => form.collation.clone(),
            None => self.form_of(&inner).collation,
        };
        Some(Form {
            collation: collation.filter(|_| self.has_derived_collation(value.ty)),
            ..self.form_of_node(node)
        })
    }

    /// Returns the form of a value with COLLATE.
    pub(super) fn form_of_collate(&self, node: &SyntaxNode, value: &Expr) -> Option<Form> {
        let inner = match &value.kind {
            Kind::Call(call) => call.arguments.first(),
            _ => None,
        };
        let inner = inner.map(|inner| self.form_of(inner)).unwrap_or_default();
        Some(Form {
            collation: collation_of(node).map(|parts| match self.objects {
                Some(objects) => objects.collation(&parts),
                None => Name {
                    schema: "pg_catalog".to_owned(),
                    name: parts.last().cloned().unwrap_or_default(),
                },
            }),
            ..inner
        })
    }

    /// Returns the modifiers and the collation of a value.
    pub(super) fn form_of(&self, value: &Expr) -> Form {
        if let Some(form) = &value.form {
            return form.clone();
        }
        match &value.kind {
            Kind::Var { table, column } => self.table(*table).columns[*column].form.clone(),
            Kind::Case { whens, otherwise } => {
                let results = whens.iter().map(|(_, result)| result);
                let all: Vec<&Expr> = std::iter::once(&**otherwise).chain(results).collect();
                self.form_of_refs(value.ty, &all)
            }
            Kind::Coalesce(all) | Kind::Extreme(all) | Kind::Array(all) => {
                let refs: Vec<&Expr> = all.iter().collect();
                match refs.first() {
                    Some(first) => self.form_of_refs(first.ty, &refs),
                    None => Form::default(),
                }
            }
            Kind::NullIf(left, right) => Form {
                collation: self.derived(value.ty, &[left, right]),
                ..self.form_of(left)
            },
            Kind::Query(query) => query.form.clone(),
            Kind::Subscript { value, .. } => self.form_of(value),
            Kind::Field { value, index } => {
                let base = self.types.base(value.ty);
                let forms = self.forms_of_fields(base);
                forms.into_iter().nth(*index).unwrap_or_default()
            }
            Kind::Call(call) => {
                let arguments: Vec<&Expr> = call.arguments.iter().collect();
                Form::of_collation(self.derived(value.ty, &arguments))
            }
            Kind::Aggregate(aggregate) => {
                let arguments: Vec<&Expr> = aggregate.arguments.iter().collect();
                Form::of_collation(self.derived(value.ty, &arguments))
            }
            Kind::Coerce(inner) => Form::of_collation(self.derived(value.ty, &[inner])),
            _ => Form::default(),
        }
    }

    /// Returns the form of the attributes of a composite type or of the columns of a relation.
    pub(super) fn forms_of_fields(&self, ty: TypeId) -> Vec<Form> {
        let name = self.types.name(ty);
        if let Some(relation) = self.catalog.relations.get(name) {
            let columns = relation.columns.iter();
            return columns.map(|column| self.form_of_column(column)).collect();
        }
        match self.catalog.types.get(name).map(|found| &found.kind) {
            Some(TypeKind::Composite { attributes }) => attributes
                .iter()
                .map(|attribute| Form {
                    modifiers: attribute.data_type.modifiers.clone(),
                    fields: attribute.data_type.fields.clone(),
                    collation: attribute.collation.clone(),
                })
                .collect(),
            _ => {
                let found = self.types.bare(ty).and_then(builtin::find_type);
                let attributes = found.into_iter().flat_map(|found| found.attributes());
                attributes.map(|_| Form::default()).collect()
            }
        }
    }

    /// Returns the form of a result for which each of the values may stand.
    pub(super) fn form_of_all(&self, ty: TypeId, values: &[Expr]) -> Form {
        self.form_of_refs(ty, &values.iter().collect::<Vec<_>>())
    }

    fn form_of_refs(&self, ty: TypeId, values: &[&Expr]) -> Form {
        let sides: Vec<(TypeId, Form)> = values
            .iter()
            .map(|value| (value.ty, self.form_of(value)))
            .collect();
        self.common_form(ty, &sides)
    }

    /// Returns a type with its modifiers as messages have it: `character varying(3)`.
    pub(super) fn words_of(&self, ty: TypeId, form: &Form) -> String {
        let words = self.types.words(ty);
        let numbers: Vec<String> = form.modifiers.iter().map(i32::to_string).collect();
        if numbers.is_empty() {
            return words;
        }
        let numbers = format!("({})", numbers.join(","));
        // The precision of a time stands before its zone.
        let zones = [" with time zone", " without time zone"];
        match zones.iter().find_map(|zone| words.split_once(zone)) {
            Some((name, rest)) => {
                let zone = &words[name.len()..words.len() - rest.len()];
                format!("{name}{numbers}{zone}{rest}")
            }
            None => match words.strip_suffix("[]") {
                Some(element) => format!("{element}{numbers}[]"),
                None => format!("{words}{numbers}"),
            },
        }
    }

    /// Returns the form of the common type of several values.
    pub(super) fn common_form(&self, ty: TypeId, sides: &[(TypeId, Form)]) -> Form {
        let Some((_, first)) = sides.first() else {
            return Form::default();
        };
        let collation = self.derived_of(ty, sides);
        let is_same = sides
            .iter()
            .all(|(other, form)| *other == ty && form.has_modifiers_of(first));
        if is_same {
            Form {
                collation,
                ..first.clone()
            }
        } else {
            Form::of_collation(collation)
        }
    }

    fn derived(&self, ty: TypeId, values: &[&Expr]) -> Option<Name> {
        if !self.has_derived_collation(ty) {
            return None;
        }
        let sides: Vec<(TypeId, Form)> = values
            .iter()
            .map(|value| (value.ty, self.form_of(value)))
            .collect();
        self.derived_of(ty, &sides)
    }

    /// Returns the collation that a result derives from its inputs, if they agree.
    fn derived_of(&self, ty: TypeId, sides: &[(TypeId, Form)]) -> Option<Name> {
        if !self.has_derived_collation(ty) {
            return None;
        }
        let objects = self.objects?;
        let mut named = sides.iter().filter_map(|(ty, form)| {
            let of_type = || objects.collation_of_type(&self.types.data_type(*ty));
            form.collation.clone().or_else(of_type)
        });
        let first = named.next()?;
        named.all(|other| other == first).then_some(first)
    }

    /// Returns true for the types of text, unless they have a collation of their own.
    fn has_derived_collation(&self, ty: TypeId) -> bool {
        let Some(objects) = self.objects else {
            return false;
        };
        let base = self.types.base(ty);
        let element = match self.types.kind(base) {
            super::types::Kind::Array { element } => self.types.base(element),
            _ => base,
        };
        self.types.category(element) == 'S'
            && objects
                .collation_of_type(&self.types.data_type(ty))
                .is_none()
    }
}

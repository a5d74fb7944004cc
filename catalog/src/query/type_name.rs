//! Names of types in a query.

use super::analyzer::{Analyzer, Result};
use super::brackets::unwrapped;
use super::coerce::Context;
use super::expr::{Expr, Span};
use super::fault::Fault;
use super::raw::span_of;
use super::types::TypeId;
use crate::Name;
use crate::name::SYSTEM_TYPES;
use crate::replay::syntax::tree::is_query;
use crate::replay::syntax::type_name::{self, Written, built_in};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    pub(super) fn cast_value(&mut self, node: &SyntaxNode, span: Span) -> Result<Expr> {
        let target = self.type_of_node(node, &span)?;
        let inner = node
            .children()
            .find(|part| !type_name::is_type(part.kind()) && part.kind() != K::COLON_COLON)
            .ok_or_else(|| Fault::refused(span.clone(), "nothing is cast"))?;
        let bare = unwrapped(&inner);
        if bare.kind() == K::ARRAY_EXPR
            && self.types.element(target).is_some()
            && !bare.children().any(|part| is_query(part.kind()))
        {
            let value = self.array_value(&bare, span, Some(target))?;
            let mut value = self.coerce(value, target, Context::Explicit)?;
            value.form = self.form_of_cast(node, &value);
            return Ok(value);
        }
        let value = self.value(&inner)?;
        let mut value = self.coerce(value, target, Context::Explicit)?;
        value.form = self.form_of_cast(node, &value);
        value.span = span;
        Ok(value)
    }

    /// Returns the type that a child of a node names.
    pub(super) fn type_of_node(&mut self, node: &SyntaxNode, span: &Span) -> Result<TypeId> {
        let found = node.children().find(|part| type_name::is_type(part.kind()));
        let found = found.ok_or_else(|| Fault::refused(span.clone(), "no type is named"))?;
        self.named_type(&found)
    }

    pub(super) fn named_type(&mut self, node: &SyntaxNode) -> Result<TypeId> {
        let written = Written::new(node);
        let words = written.words.join(" ");
        let system = match built_in(&words, &written.modifiers) {
            Some("bpchar") if (written.is_quoted || written.is_qualified) && words == "char" => {
                Some("char")
            }
            Some(name) if !written.is_quoted || name == words => Some(name),
            _ => None,
        };
        let id = match system {
            Some(name) => Some(self.types.built_in(name)),
            None => self.type_of_path(&written.words),
        };
        let Some(id) = id else {
            let span = span_of(node);
            let message = format!("type \"{}\" does not exist", written.words.join("."));
            if self
                .catalog
                .gaps
                .iter()
                .any(|gap| Some(&gap.name.name) == written.words.last())
            {
                return Err(Fault::refused(span, "this type is not known exactly"));
            }
            return Err(Fault::error("42704", span, message)
                .hint("create the type, or the extension that has it, in a migration"));
        };
        if self.objects.is_some() {
            let name = self.types.name(id).clone();
            self.used.types.insert(name);
        }
        Ok(match written.dimensions {
            0 => id,
            _ => self.types.array_of(id),
        })
    }

    /// Returns the type of this name that exists.
    pub(super) fn type_of_path(&mut self, path: &[String]) -> Option<TypeId> {
        let (last, schema) = path.split_last()?;
        let is_system = schema.first().is_none_or(|schema| schema == "pg_catalog");
        if is_system {
            let known = match last.strip_prefix('_') {
                Some(element) if SYSTEM_TYPES.contains(&element) => Some(format!("{element}[]")),
                _ if SYSTEM_TYPES.contains(&last.as_str())
                    || matches!(last.as_str(), "record" | "void" | "unknown") =>
                {
                    Some(last.clone())
                }
                _ => None,
            };
            if let Some(known) = known {
                return Some(self.types.built_in(&known));
            }
        }
        let schemas: Vec<String> = match schema.first() {
            Some(schema) => vec![schema.clone()],
            None => self.path.to_vec(),
        };
        for schema in schemas {
            let name = Name {
                schema: schema.clone(),
                name: last.clone(),
            };
            let catalog = self.catalog;
            let is_multirange = || {
                catalog.types.values().any(|it| {
                    it.name.schema == schema
                        && matches!(&it.kind, crate::TypeKind::Range { multirange, .. } if multirange == last)
                })
            };
            if catalog.types.contains_key(&name)
                || catalog.relations.contains_key(&name)
                || is_multirange()
            {
                return Some(self.types.of_name(&name));
            }
            if let Some(element) = last.strip_prefix('_') {
                let name = Name {
                    schema: schema.clone(),
                    name: element.to_owned(),
                };
                if catalog.types.contains_key(&name) || catalog.relations.contains_key(&name) {
                    let element = self.types.of_name(&name);
                    return Some(self.types.array_of(element));
                }
            }
        }
        None
    }
}

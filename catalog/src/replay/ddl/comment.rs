//! COMMENT ON the objects whose comments the catalog records.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::TypeKind;
use crate::replay::ddl::{attached, composite, routine};
use crate::replay::refusal::{self, Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::tree::{child, child_name, child_nodes, path, string};

pub(crate) fn comment_on(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let comment = child(node, K::LITERAL)
        .and_then(|literal| string(&literal))
        .filter(|comment| !comment.is_empty());
    let Some(object) = child_nodes(node).find(|child| child.kind() != K::LITERAL) else {
        return Ok(());
    };
    match object.kind() {
        K::OBJECT_TABLE
        | K::OBJECT_VIEW
        | K::OBJECT_MATERIALIZED_VIEW
        | K::OBJECT_FOREIGN_TABLE => {
            state.relation_mut(&object)?.comment = comment;
        }
        K::OBJECT_COLUMN => {
            let mut parts = path(&object);
            let column = parts.pop().unwrap_or_default();
            let missing = || {
                Refused::new(
                    node,
                    format!("there is no column {}.{column}", parts.join(".")),
                )
                .hint("check the spelling, and whether an earlier migration creates it")
            };
            let table = state.find_row_type(&parts).ok_or_else(missing)?;
            if !state.catalog().relations.contains_key(&table) {
                // Comments on attributes of a composite type are not recorded.
                let composite = table;
                let columns = composite::columns_of_type(state, node, &composite)?;
                let mut names = columns.iter().map(|attribute| &attribute.name);
                return if names.any(|name| *name == column) {
                    Ok(())
                } else {
                    Err(missing())
                };
            }
            let relation = state.table(&table);
            if relation.columns.is_empty() {
                return Ok(());
            }
            relation
                .columns
                .iter_mut()
                .find(|other| other.name == column)
                .ok_or_else(missing)?
                .comment = comment;
        }
        K::OBJECT_CONSTRAINT => {
            let name = child_name(&object, K::CONSTRAINT_NAME_REF).unwrap_or_default();
            let constraints = if let Some(table) = child(&object, K::TABLE_NAME_REF) {
                &mut state.relation_mut(&table)?.constraints
            } else if let Some(domain) = child(&object, K::DOMAIN_REF) {
                let found = state.find_own_type(&path(&domain));
                let kind = found.and_then(|domain| state.type_mut(&domain));
                match kind.map(|found| &mut found.kind) {
                    Some(TypeKind::Domain { checks, .. }) => checks,
                    _ => return Err(Refused::new(node, "there is no such domain")),
                }
            } else {
                return Ok(());
            };
            for constraint in constraints.iter_mut().filter(|other| other.name == name) {
                constraint.comment.clone_from(&comment);
            }
        }
        K::OBJECT_INDEX => {
            let parts = path(&object);
            let missing = || refusal::no_index(node, &parts.join("."));
            let (table, name) = state.find_index_by(&parts).ok_or_else(missing)?;
            let indexes = state.table(&table).indexes.iter_mut();
            for index in indexes.filter(|index| index.name == name) {
                index.comment.clone_from(&comment);
            }
        }
        K::OBJECT_SEQUENCE => {
            let parts = path(&object);
            let found = state.find_sequence(&parts);
            let found = found.and_then(|name| state.sequence_mut(&name));
            let missing =
                || Refused::new(node, format!("there is no sequence {}", parts.join(".")));
            found.ok_or_else(missing)?.comment = comment;
        }
        K::OBJECT_SCHEMA => {
            let schema = child_name(&object, K::SCHEMA_REF).unwrap_or_default();
            state.comment_on_schema(&schema, comment);
        }
        K::OBJECT_TYPE | K::OBJECT_DOMAIN => {
            let reference = object.children().next().unwrap_or_else(|| object.clone());
            let name = state.find_own_type(&path(&reference));
            let missing = || {
                Refused::new(node, "there is no such type")
                    .hint("check the spelling, and whether an earlier migration creates it")
            };
            if let Some(found) = state.type_mut(&name.ok_or_else(missing)?) {
                found.comment = comment;
            }
        }
        K::OBJECT_FUNCTION | K::OBJECT_PROCEDURE | K::OBJECT_ROUTINE | K::OBJECT_AGGREGATE => {
            // A function that no migration created belongs to an extension.
            routine::comment_on_routine(state, &object, comment).ok();
        }
        K::OBJECT_TRIGGER | K::OBJECT_POLICY | K::OBJECT_RULE => {
            attached::comment_on_attached(state, &object, comment).ok();
        }
        // Comments on event triggers, publications and so on are not recorded.
        _ => {}
    }
    Ok(())
}

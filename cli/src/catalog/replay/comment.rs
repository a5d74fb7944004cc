//! COMMENT ON what the catalog keeps comments of.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::refusal::{Refused, Result};
use super::tree::{child, child_name, path, string};

impl Replay {
    pub(super) fn comment_on(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let comment = child(node, K::LITERAL)
            .and_then(|literal| string(&literal))
            .filter(|comment| !comment.is_empty());
        let Some(object) = node.children().find(|child| child.kind() != K::LITERAL) else {
            return Ok(());
        };
        match object.kind() {
            K::OBJECT_TABLE | K::OBJECT_VIEW | K::OBJECT_MATERIALIZED_VIEW => {
                self.relation_mut(&object)?.comment = comment;
            }
            K::OBJECT_COLUMN => {
                let mut parts = path(&object);
                let column = parts.pop().unwrap_or_default();
                let missing = || {
                    Refused::new(
                        node,
                        format!("there is no column {}.{column}", parts.join(".")),
                    )
                    .do_this("look at the name and at the migrations before this one")
                };
                let table = self.find_relation(&parts).ok_or_else(missing)?;
                let relation = self.table(&table);
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
                let Some(table) = child(&object, K::TABLE_NAME_REF) else {
                    return Ok(());
                };
                for constraint in self
                    .relation_mut(&table)?
                    .constraints
                    .iter_mut()
                    .filter(|constraint| constraint.name == name)
                {
                    constraint.comment.clone_from(&comment);
                }
            }
            K::OBJECT_TYPE | K::OBJECT_DOMAIN => {
                let reference = object.children().next().unwrap_or_else(|| object.clone());
                let name = self.find_type(&path(&reference));
                let missing = || {
                    Refused::new(node, "there is no such type")
                        .do_this("look at the name and at the migrations before this one")
                };
                if let Some(found) = self.catalog.types.get_mut(&name.ok_or_else(missing)?) {
                    found.comment = comment;
                }
            }
            // Of indexes, functions, triggers, .. no comment is kept.
            _ => {}
        }
        Ok(())
    }
}

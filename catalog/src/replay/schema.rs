//! Schemas, and the search path that says where names are looked up.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::off::is_off;
use super::refusal::{Refused, Result};
use super::tree::{below, child, child_name, child_names, has, name, string, words};
use super::{PUBLIC, Replay};

impl Replay {
    /// `SET search_path` and `RESET`; other settings shape nothing.
    pub(super) fn set(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let parameter = below(node, K::CONFIG_PARAMETER_REF).next();
        if node.kind() == K::RESET {
            if parameter.is_none_or(|parameter| name(&parameter) == "search_path") {
                self.search_path = vec![PUBLIC.to_owned()];
            }
            return Ok(());
        }
        if parameter.map(|parameter| name(&parameter)).as_deref() != Some("search_path") {
            return Ok(());
        }
        let value = below(node, K::TO_CONFIG_VALUE)
            .next()
            .ok_or_else(|| Refused::new(node, "no value is given"))?;
        let items = value.children().filter(|item| !is_off(item.kind()));
        let items = items.filter_map(|item| match item.kind() {
            K::CONFIG_VALUE_NAME => Some(name(&item)),
            _ => string(&item),
        });
        let mut schemas: Vec<String> = items.collect();
        if has(&value, K::DEFAULT_KW) || schemas == ["default"] {
            schemas = vec![PUBLIC.to_owned()];
        }
        self.set_search_path(schemas);
        Ok(())
    }

    /// `set_config('search_path', ..)`, which pg_dump writes.
    pub(super) fn set_config(&mut self, value: &str) {
        self.set_search_path(words(value));
    }

    fn set_search_path(&mut self, schemas: Vec<String>) {
        self.search_path = schemas
            .into_iter()
            .filter(|schema| schema != "$user" && !schema.is_empty())
            .collect();
    }

    pub(super) fn create_schema(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let named = below(node, K::SCHEMA).chain(below(node, K::ROLE)).next();
        let named = named.ok_or_else(|| Refused::new(node, "the schema's name is not given"))?;
        let schema = name(&named);
        if named.kind() == K::ROLE
            && ["current_user", "session_user", "current_role"].contains(&schema.as_str())
        {
            return Err(Refused::new(
                node,
                "the schema is named after the role that runs this, which is not known",
            )
            .do_this("name the schema"));
        }
        let (elements, _) = elements(node);
        if let Some(other) = elements.iter().find(|element| is_other_statement(element)) {
            return Err(Refused::new(
                other,
                "PostgreSQL before 19 makes no such thing inside of CREATE SCHEMA",
            )
            .do_this("write CREATE SCHEMA alone, and this after it with the schema's name"));
        }
        if self.schemas.contains(&schema) {
            if has(node, K::IF_NOT_EXISTS) {
                return Ok(());
            }
            return Err(Refused::new(
                node,
                format!("there is a schema {schema} already, so PostgreSQL refuses this"),
            ));
        }
        if schema != PUBLIC {
            self.catalog.schemas.insert(schema.clone(), None);
        }
        self.schemas.insert(schema.clone());
        self.schema_elements(&schema, elements)
    }

    /// What CREATE SCHEMA makes inside, in PostgreSQL's order: a view may stand before the table that it reads.
    fn schema_elements(&mut self, schema: &str, mut elements: Vec<SyntaxNode>) -> Result<()> {
        use SyntaxKind as K;
        elements.sort_by_key(|element| match element.kind() {
            K::CREATE_SEQUENCE => 0,
            K::CREATE_TABLE => 1,
            K::CREATE_VIEW => 2,
            K::CREATE_INDEX => 3,
            K::CREATE_TRIGGER => 4,
            _ => 5,
        });
        let before = self.search_path.clone();
        self.search_path.insert(0, schema.to_owned());
        let done = elements
            .iter()
            .try_for_each(|element| self.statement(element));
        self.search_path = before;
        done
    }

    pub(super) fn alter_schema(&mut self, node: &SyntaxNode) -> Result<()> {
        let Some(rename) = child(node, SyntaxKind::SCHEMA_RENAME_TO) else {
            return Ok(());
        };
        let from = child_names(node, SyntaxKind::SCHEMA_REF)
            .pop()
            .unwrap_or_default();
        let to = child_name(&rename, SyntaxKind::SCHEMA).unwrap_or_default();
        if !self.schemas.contains(&from) {
            return Err(Refused::new(node, format!("there is no schema {from}")));
        }
        self.rename_schema(&from, &to);
        Ok(())
    }
}

/// Whether a statement can be part of CREATE SCHEMA.
fn is_element(node: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    matches!(
        node.kind(),
        K::CREATE_TABLE
            | K::CREATE_VIEW
            | K::CREATE_INDEX
            | K::CREATE_SEQUENCE
            | K::CREATE_TRIGGER
            | K::GRANT
    )
}

/// Whether a part of CREATE SCHEMA is a statement that is no element of it.
fn is_other_statement(node: &SyntaxNode) -> bool {
    is_statement(node) && !is_element(node)
}

fn is_statement(node: &SyntaxNode) -> bool {
    is_element(node)
        || node
            .first_token()
            .is_some_and(|first| first.kind() == SyntaxKind::CREATE_KW)
}

/// The statements in the node of a CREATE SCHEMA: its elements, and those behind its semicolon, which the parser does
/// not tell apart.
fn elements(node: &SyntaxNode) -> (Vec<SyntaxNode>, Vec<SyntaxNode>) {
    let (mut inside, mut behind) = (Vec::new(), Vec::new());
    let mut is_over = false;
    for statement in node.children().filter(is_statement) {
        let last = super::tree::tokens(&statement).last();
        let ends = last.is_some_and(|last| last.kind() == SyntaxKind::SEMICOLON);
        if is_over {
            behind.push(statement);
        } else {
            inside.push(statement);
        }
        is_over |= ends;
    }
    (inside, behind)
}

/// A statement, and those that the parser has put into its node though they come after it.
pub(super) fn with_swallowed(node: SyntaxNode) -> Vec<SyntaxNode> {
    let mut all = vec![node];
    if all[0].kind() == SyntaxKind::CREATE_SCHEMA {
        let (_, behind) = elements(&all[0]);
        all.extend(behind);
    }
    all
}

/// Settings of a role or database hold from the next session on: a search path would change what names mean.
pub(super) fn later_settings(node: &SyntaxNode) -> Result<()> {
    if below(node, SyntaxKind::CONFIG_PARAMETER_REF)
        .map(|parameter| name(&parameter))
        .any(|name| name == "search_path")
    {
        return Err(Refused::new(
            node,
            "this changes the search path of later sessions, which may run the later migrations",
        )
        .do_this("set the search path in each file that needs it, and ignore this statement"));
    }
    Ok(())
}

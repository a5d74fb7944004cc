//! The catalog from SQL migrations, without a server.
//!
//! Each statement is applied as PostgreSQL would apply it. What is not followed is refused, with its
//! place and a remedy; nothing is passed over because it is not known.

mod alter_table;
mod comment;
mod constraint;
mod data_type;
mod drop;
mod index;
mod names;
mod refusal;
mod table;
mod tree;
mod types;
mod view;

use std::collections::BTreeSet;

use squawk_syntax::ast::AstNode as _;
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};

use super::{Catalog, Name, Relation};
use crate::migrations::{Migration, SqlFile};
use refusal::{Refused, Result};
use tree::{child, child_name, child_names, has, path};

pub(crate) use refusal::Refusal;

/// What replaying migrations gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replayed {
    /// What was followed.
    pub catalog: Catalog,
    /// What was not, in order; the catalog is exact only if this is empty.
    pub refusals: Vec<Refusal>,
}

/// Applies the migrations in order.
pub(crate) fn replay(migrations: &[Migration]) -> Replayed {
    let mut replay = Replay::default();
    let mut refusals = Vec::new();
    for migration in migrations {
        // diesel runs each migration on one connection, but a SET is meant for its own file.
        replay.search_path = vec![PUBLIC.to_owned()];
        replay.file(&migration.up, &mut refusals);
    }
    Replayed {
        catalog: replay.catalog,
        refusals,
    }
}

/// The catalog in the making.
pub(crate) struct Replay {
    catalog: Catalog,
    search_path: Vec<String>,
    schemas: BTreeSet<String>,
    /// Tables that end with the session.
    temporary: BTreeSet<String>,
    /// Relations that a refused statement would have made.
    unfollowed: BTreeSet<String>,
}

const PUBLIC: &str = "public";
const SYSTEM: &str = "pg_catalog";

impl Default for Replay {
    fn default() -> Self {
        Self {
            catalog: Catalog::default(),
            search_path: vec![PUBLIC.to_owned()],
            schemas: BTreeSet::from([PUBLIC.to_owned()]),
            temporary: BTreeSet::new(),
            unfollowed: BTreeSet::new(),
        }
    }
}

impl Replay {
    fn file(&mut self, file: &SqlFile, refusals: &mut Vec<Refusal>) {
        let refusal = |span: std::ops::Range<usize>, why: String, hint: String| Refusal {
            file: file.path.clone(),
            source: file.text.clone(),
            span,
            why,
            hint,
        };
        let parse = SourceFile::parse(&file.text);
        if let Some(error) = parse.errors().first() {
            let start = usize::from(error.range().start()).min(file.text.len());
            let end = usize::from(error.range().end()).clamp(start, file.text.len());
            let why = format!("the SQL cannot be parsed: {}", error.message());
            refusals.push(refusal(
                start..end,
                why,
                "mend the statement; PostgreSQL would refuse it too".to_owned(),
            ));
            return;
        }
        for statement in parse.tree().stmts() {
            let node = statement.syntax();
            if is_ignored(node) {
                continue;
            }
            let Err(Refused { span, why, hint }) = self.statement(node) else {
                continue;
            };
            // What rests on a refused statement is refused with it: naming that one is enough.
            let rests_on_another = path(node).iter().any(|name| self.unfollowed.contains(name));
            self.unfollowed.extend(made_by(node));
            if !rests_on_another {
                refusals.push(refusal(span, why, hint));
            }
        }
    }

    /// The index of what is understood.
    fn statement(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        match node.kind() {
            K::CREATE_TABLE | K::CREATE_FOREIGN_TABLE => self.create_table(node),
            K::ALTER_TABLE => self.alter_table(node),
            K::DROP_TABLE => self.drop_relations(node, K::TABLE_NAME_REF),
            K::CREATE_INDEX => self.create_index(node),
            K::ALTER_INDEX => self.alter_index(node),
            K::DROP_INDEX => self.drop_indexes(node),
            K::CREATE_TYPE => self.create_type(node),
            K::ALTER_TYPE => self.alter_type(node),
            K::DROP_TYPE => self.drop_types(node, K::TYPE_NAME_REF),
            K::CREATE_DOMAIN => self.create_domain(node),
            K::DROP_DOMAIN => self.drop_types(node, K::DOMAIN_REF),
            K::CREATE_VIEW | K::CREATE_MATERIALIZED_VIEW => self.create_view(node),
            K::DROP_VIEW | K::DROP_MATERIALIZED_VIEW => self.drop_relations(node, K::VIEW_REF),
            K::CREATE_SEQUENCE => self.create_sequence(node),
            K::DROP_SEQUENCE => self.drop_sequences(node),
            K::CREATE_EXTENSION => self.create_extension(node),
            K::CREATE_SCHEMA => self.create_schema(node),
            K::DROP_SCHEMA => self.drop_schemas(node),
            K::COMMENT_ON => self.comment_on(node),
            K::SET => self.set(node),
            K::SELECT => select(node),
            kind if is_harmless(kind) => Ok(()),
            kind => {
                let words = format!("{kind:?}").replace('_', " ");
                Err(Refused::new(
                    node,
                    format!("replay does not follow {words} yet"),
                ))
            }
        }
    }

    /// `SET search_path`; other settings shape nothing.
    fn set(&mut self, node: &SyntaxNode) -> Result<()> {
        let Some(config) = child(node, SyntaxKind::SET_CONFIG) else {
            return Ok(());
        };
        if child_name(&config, SyntaxKind::CONFIG_PARAMETER_REF).as_deref() != Some("search_path") {
            return Ok(());
        }
        let value = child(&config, SyntaxKind::TO_CONFIG_VALUE)
            .ok_or_else(|| Refused::new(node, "no value is given"))?;
        let names = child_names(&value, SyntaxKind::CONFIG_VALUE_NAME);
        let strings = value.children().filter_map(|item| tree::string(&item));
        self.search_path = names
            .into_iter()
            .chain(strings)
            .filter(|schema| schema != "$user")
            .collect();
        Ok(())
    }

    fn create_schema(&mut self, node: &SyntaxNode) -> Result<()> {
        let schema = tree::tokens(node)
            .filter(|token| token.kind() == SyntaxKind::IDENT)
            .map(|token| tree::identifier(token.text()))
            .next();
        let schema = schema.ok_or_else(|| Refused::new(node, "the schema's name is not given"))?;
        if schema != PUBLIC {
            self.catalog.schemas.entry(schema.clone()).or_default();
        }
        self.schemas.insert(schema);
        Ok(())
    }

    fn drop_schemas(&mut self, node: &SyntaxNode) -> Result<()> {
        for schema in child_names(node, SyntaxKind::SCHEMA_REF) {
            let relations: Vec<Name> = self
                .catalog
                .relations
                .keys()
                .filter(|name| name.schema == schema)
                .cloned()
                .collect();
            let types = self.catalog.types.keys().any(|name| name.schema == schema);
            if (types || !relations.is_empty()) && !drop::cascades(node) {
                return Err(Refused::new(
                    node,
                    format!("the schema {schema} is not empty, so PostgreSQL refuses this"),
                )
                .do_this("empty it first, or say CASCADE"));
            }
            relations.iter().for_each(|name| self.remove_relation(name));
            self.catalog.types.retain(|name, _| name.schema != schema);
            self.catalog.schemas.remove(&schema);
            self.catalog
                .sequences
                .retain(|name, _| name.schema != schema);
            self.schemas.remove(&schema);
        }
        Ok(())
    }

    fn create_extension(&mut self, node: &SyntaxNode) -> Result<()> {
        let extension = child_name(node, SyntaxKind::EXTENSION).unwrap_or_default();
        let schema = child(node, SyntaxKind::EXTENSION_SCHEMA)
            .map_or_else(|| self.current_schema(), |schema| tree::name(&schema));
        for name in data_type::types_of_extension(&extension) {
            let external = data_type::external(&schema, name);
            self.catalog.types.insert(external.name.clone(), external);
        }
        self.catalog.extensions.insert(extension);
        Ok(())
    }

    /// Where something new goes.
    fn current_schema(&self) -> String {
        self.search_path
            .iter()
            .find(|schema| self.schemas.contains(*schema))
            .cloned()
            .unwrap_or_else(|| PUBLIC.to_owned())
    }

    /// The name of something new.
    fn new_name(&self, node: &SyntaxNode) -> Name {
        let mut parts = path(node);
        let name = parts.pop().unwrap_or_default();
        let schema = parts.pop().unwrap_or_else(|| self.current_schema());
        Name { schema, name }
    }

    /// The names that a reference may mean, in the order of the search path.
    fn candidates(&self, parts: &[String]) -> Vec<Name> {
        match parts {
            [.., schema, name] => vec![Name {
                schema: schema.clone(),
                name: name.clone(),
            }],
            [name] => self
                .search_path
                .iter()
                .map(|schema| Name {
                    schema: schema.clone(),
                    name: name.clone(),
                })
                .collect(),
            [] => Vec::new(),
        }
    }

    fn find_type(&self, parts: &[String]) -> Option<Name> {
        self.candidates(parts)
            .into_iter()
            .find(|name| self.catalog.types.contains_key(name))
    }

    fn find_relation(&self, parts: &[String]) -> Option<Name> {
        self.candidates(parts)
            .into_iter()
            .find(|name| self.catalog.relations.contains_key(name))
    }

    /// The relation that a node names.
    fn relation_mut(&mut self, node: &SyntaxNode) -> Result<&mut Relation> {
        let parts = path(node);
        let missing = || {
            Refused::new(node, format!("there is no table {}", parts.join(".")))
                .do_this("look at the name and at the migrations before this one")
        };
        let name = self.find_relation(&parts).ok_or_else(missing)?;
        self.catalog.relations.get_mut(&name).ok_or_else(missing)
    }
}

/// The names that a statement would give to relations.
fn made_by(node: &SyntaxNode) -> Vec<String> {
    let named = node.descendants().filter(|child| {
        matches!(
            child.kind(),
            SyntaxKind::TABLE_NAME | SyntaxKind::VIEW | SyntaxKind::INDEX
        )
    });
    named
        .map(|name| tree::name(&name))
        .filter(|name| !name.is_empty())
        .collect()
}

/// `-- bowline: ignore` right before a statement: its author answers for it.
fn is_ignored(node: &SyntaxNode) -> bool {
    let before = std::iter::successors(
        node.first_token().and_then(|token| token.prev_token()),
        |token| token.prev_token(),
    );
    before
        .take_while(|token| tree::is_trivia(token.kind()))
        .any(|token| token.text().trim_start_matches('-').trim() == "bowline: ignore")
}

/// A SELECT can change the schema only through a function; the functions known here do not.
fn select(node: &SyntaxNode) -> Result<()> {
    const HARMLESS: [&str; 12] = [
        "setval",
        "nextval",
        "currval",
        "set_config",
        "diesel_manage_updated_at",
        "count",
        "coalesce",
        "max",
        "min",
        "now",
        "pg_sleep",
        "pg_advisory_xact_lock",
    ];
    if child(node, SyntaxKind::SELECT_INTO).is_some() || has(node, SyntaxKind::INTO_CLAUSE) {
        return Err(Refused::new(node, "replay does not follow SELECT INTO yet")
            .do_this("create the table with its columns, then insert into it"));
    }
    for call in node
        .descendants()
        .filter(|node| node.kind() == SyntaxKind::CALL_EXPR)
    {
        let function = call
            .children()
            .next()
            .map(|callee| tree::name(&callee))
            .unwrap_or_default();
        if !HARMLESS.contains(&function.as_str()) {
            return Err(Refused::new(
                node,
                format!("this calls the function {function}, which may change the schema"),
            ));
        }
    }
    Ok(())
}

/// Statements that cannot touch tables, columns, keys or types: data, rights, functions, triggers, settings.
fn is_harmless(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::INSERT
            | K::UPDATE
            | K::DELETE
            | K::MERGE
            | K::TRUNCATE
            | K::VALUES
            | K::COMPOUND_SELECT
            | K::GRANT
            | K::REVOKE
            | K::ALTER_DEFAULT_PRIVILEGES
            | K::REASSIGN
            | K::CREATE_FUNCTION
            | K::ALTER_FUNCTION
            | K::DROP_FUNCTION
            | K::CREATE_PROCEDURE
            | K::ALTER_PROCEDURE
            | K::DROP_PROCEDURE
            | K::ALTER_ROUTINE
            | K::DROP_ROUTINE
            | K::CREATE_AGGREGATE
            | K::ALTER_AGGREGATE
            | K::DROP_AGGREGATE
            | K::CREATE_TRIGGER
            | K::ALTER_TRIGGER
            | K::DROP_TRIGGER
            | K::CREATE_EVENT_TRIGGER
            | K::ALTER_EVENT_TRIGGER
            | K::DROP_EVENT_TRIGGER
            | K::CREATE_POLICY
            | K::ALTER_POLICY
            | K::DROP_POLICY
            | K::CREATE_ROLE
            | K::ALTER_ROLE
            | K::DROP_ROLE
            | K::CREATE_USER
            | K::ALTER_USER
            | K::DROP_USER
            | K::CREATE_GROUP
            | K::ALTER_GROUP
            | K::DROP_GROUP
            | K::CREATE_OPERATOR
            | K::ALTER_OPERATOR
            | K::DROP_OPERATOR
            | K::CREATE_CAST
            | K::DROP_CAST
            | K::CREATE_COLLATION
            | K::DROP_COLLATION
            | K::CREATE_STATISTICS
            | K::ALTER_STATISTICS
            | K::DROP_STATISTICS
            | K::CREATE_PUBLICATION
            | K::ALTER_PUBLICATION
            | K::DROP_PUBLICATION
            | K::CREATE_SUBSCRIPTION
            | K::ALTER_SUBSCRIPTION
            | K::DROP_SUBSCRIPTION
            | K::CREATE_TEXT_SEARCH_CONFIGURATION
            | K::ALTER_TEXT_SEARCH_CONFIGURATION
            | K::CREATE_TEXT_SEARCH_DICTIONARY
            | K::ALTER_TEXT_SEARCH_DICTIONARY
            | K::ALTER_DATABASE
            | K::ALTER_SYSTEM
            | K::ALTER_SEQUENCE
            | K::ALTER_EXTENSION
            | K::ANALYZE
            | K::VACUUM
            | K::REINDEX
            | K::CLUSTER
            | K::REFRESH
            | K::LOCK
            | K::CHECKPOINT
            | K::RESET
            | K::SHOW
            | K::SET_TRANSACTION
            | K::SET_CONSTRAINTS
            | K::SET_ROLE
            | K::SET_SESSION_AUTH
            | K::BEGIN
            | K::COMMIT_TRANSACTION
            | K::ROLLBACK_TRANSACTION
            | K::SAVEPOINT_CREATE
            | K::RELEASE_SAVEPOINT
            | K::NOTIFY
            | K::LISTEN
            | K::UNLISTEN
            | K::SECURITY_LABEL
            | K::EXPLAIN
    )
}

#[cfg(test)]
mod tests;

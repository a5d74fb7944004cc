//! The catalog from SQL migrations, without a server.
//!
//! Each statement is applied as PostgreSQL would apply it. What is not followed is refused, with its
//! place and a remedy; nothing is passed over because it is not known.

mod alter_column;
mod alter_table;
mod answer;
mod builtin;
mod collation;
mod column;
mod comment;
mod composite;
mod constraint;
mod data_type;
mod dependents;
mod domain;
mod drop;
mod evaluate;
#[cfg(test)]
mod expression_words;
mod extension;
mod follow;
mod foreign_key;
mod function;
mod guard;
mod harmless;
mod identity;
mod index;
mod label;
mod like;
mod names;
mod nesting;
mod nextval;
mod not_null;
mod notes;
mod off;
mod operators;
mod own_table;
mod partition;
mod plpgsql;
mod privilege;
mod query;
mod refusal;
mod rename;
mod routine;
mod schema;
mod sequence;
mod table;
mod temporary;
mod tree;
mod types;
mod unknown;
mod variables;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use squawk_syntax::ast::AstNode as _;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::{Catalog, Name, Relation, RelationKind, TypeKind};
use bowline_migrations::SqlFile;
use notes::Notes;
use off::is_off;
use refusal::{Refused, Result};
use tree::{has, path};

#[cfg(test)]
pub(crate) use expression_words::tokens_of;
pub use refusal::Refusal;

/// What replaying migrations gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// What was followed.
    pub catalog: Catalog,
    /// What was not, in order; the catalog is exact only if this is empty.
    pub refusals: Vec<Refusal>,
}

/// Applies the files in order, each being the `up.sql` of a migration.
pub fn replay<'a>(files: impl IntoIterator<Item = &'a SqlFile>) -> Replayed {
    replay_each(files, |_, _| {})
}

/// Applies the files in order, and shows the catalog after each, with the number of the file from 0 on.
///
/// # Panics
/// If no thread can be started.
pub fn replay_each<'a>(
    files: impl IntoIterator<Item = &'a SqlFile>,
    after: impl FnMut(usize, &Catalog) + Send,
) -> Replayed {
    let files: Vec<&SqlFile> = files.into_iter().collect();
    // Deeply nested SQL needs a deep stack: this thread has one, of which the system commits only the used part.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(nesting::STACK);
        let running = thread
            .spawn_scoped(scope, || in_order(&files, after))
            .expect("a process that has begun can start one thread");
        match running.join() {
            Ok(replayed) => replayed,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn in_order(files: &[&SqlFile], mut after: impl FnMut(usize, &Catalog)) -> Replayed {
    let mut replay = Replay::default();
    let mut refusals = Vec::new();
    if !own_table::is_named(files) {
        replay.make_own_table();
    }
    for (number, file) in files.iter().enumerate() {
        replay.begin_migration();
        replay.file(file, &mut refusals);
        let own = replay.take_own_table();
        replay.keep_routines();
        after(number, &replay.catalog);
        replay.put_back(own);
    }
    replay.take_own_table();
    replay.finish(refusals)
}

/// The catalog in the making.
#[derive(Clone)]
pub struct Replay {
    catalog: Catalog,
    search_path: Vec<String>,
    schemas: BTreeSet<String>,
    /// What views rest on.
    views: BTreeMap<Name, view::Uses>,
    /// Functions and procedures by name, without schema; overloads beside each other.
    functions: BTreeMap<String, Vec<function::Function>>,
    /// The names of NOT NULL constraints, which PostgreSQL has from 18 on.
    not_null_names: Notes<String>,
    /// Columns that are NOT NULL whatever the parent's are.
    local_not_null: Notes<()>,
    /// Columns of child tables that stay when the parent's go.
    local_columns: Notes<()>,
    /// Checks of child tables that stay when the parent's go.
    local_checks: Notes<()>,
    /// What the columns of an index were called when it was made, if they have other names now: PostgreSQL names
    /// indexes like it after those.
    index_titles: Notes<Vec<String>>,
    /// The schema of each extension, which is dropped with it.
    extension_schemas: BTreeMap<String, String>,
    /// Temporary tables that end with the migration's transaction.
    until_commit: Vec<Name>,
    /// Temporary tables of earlier migrations, which may have run in another session.
    earlier_temporary: BTreeSet<Name>,
    /// Relations that a refused statement would have made.
    unfollowed: BTreeSet<String>,
    /// The place of the statement that is being followed.
    here: unknown::Here,
    /// What new objects are granted.
    defaults: Vec<privilege::Default>,
    /// Blocks with handlers around the statement that is being followed.
    handlers: u32,
    /// Functions that are being followed, to find one that calls itself.
    calls: Vec<String>,
    /// Which tables may have rows.
    writes: evaluate::Writes,
    variables: variables::Variables,
    /// How much PL/pgSQL may still do; it ends by being refused.
    steps: std::cell::Cell<u32>,
    /// Whether what is not known is taken for a number while a text is put together.
    open_numbers: std::cell::Cell<bool>,
    /// How much text of it may still run, each turn of a loop anew.
    text: std::cell::Cell<usize>,
}

/// Steps of PL/pgSQL and of what it evaluates; a generous history takes some ten thousand.
const MOST_STEPS: u32 = 2_000_000;

/// Characters of PL/pgSQL; a loop that makes 256 partitions runs 150,000.
const MOST_TEXT: usize = 500_000;

const PUBLIC: &str = "public";
const SYSTEM: &str = "pg_catalog";
/// Where temporary tables are.
const TEMPORARY: &str = "pg_temp";

impl Default for Replay {
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
            unfollowed: BTreeSet::new(),
            here: unknown::Here::default(),
            defaults: Vec::new(),
            handlers: 0,
            calls: Vec::new(),
            writes: evaluate::Writes::default(),
            variables: variables::Variables::default(),
            steps: std::cell::Cell::new(MOST_STEPS),
            open_numbers: std::cell::Cell::new(false),
            text: std::cell::Cell::new(MOST_TEXT),
        }
    }
}

impl Replay {
    fn begin_migration(&mut self) {
        // diesel runs each migration on one connection, but a SET is meant for its own file.
        self.search_path = vec![PUBLIC.to_owned()];
        self.end_transaction();
        self.earlier_temporary = self
            .catalog
            .relations
            .keys()
            .filter(|name| name.schema == TEMPORARY)
            .cloned()
            .collect();
    }

    fn finish(mut self, refusals: Vec<Refusal>) -> Replayed {
        self.forget_temporary();
        self.keep_routines();
        Replayed {
            catalog: self.catalog,
            refusals,
        }
    }

    fn file(&mut self, file: &SqlFile, refusals: &mut Vec<Refusal>) {
        let refusal = |span: std::ops::Range<usize>, why: String, hint: String| Refusal {
            file: file.path.clone(),
            source: file.text.clone(),
            span,
            why,
            hint,
        };
        let Some(parse) = nesting::parse(&file.text) else {
            refusals.push(refusal(
                0..0,
                format!("{} in this file", nesting::TOO_DEEP),
                "say the same with less nesting".to_owned(),
            ));
            return;
        };
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
        let statements = parse.tree().stmts();
        let statements = statements.map(|statement| statement.syntax().clone());
        for node in statements.flat_map(schema::with_swallowed) {
            let node = &node;
            let start = usize::from(node.text_range().start());
            self.here = unknown::Here {
                file: unknown::shown(&file.path),
                line: file.text[..start].matches('\n').count() + 1,
            };
            let done = match answer::before(node) {
                None => tree::no_escaped_name(node).and_then(|()| self.statement(node)),
                Some(effect) => self.declared(node, &effect),
            };
            let Err(Refused {
                span, why, hint, ..
            }) = done
            else {
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

    fn statement(&mut self, node: &SyntaxNode) -> Result<()> {
        let before = self.objects_before(node);
        match self.apply(node) {
            Ok(()) => {
                if let Some(before) = before {
                    self.give_defaults(&before);
                }
                self.close_gaps(node);
                Ok(())
            }
            Err(refused) => self.pass_over(node, refused),
        }
    }

    /// The index of what is understood.
    fn apply(&mut self, node: &SyntaxNode) -> Result<()> {
        use RelationKind::{ForeignTable, MaterializedView, View};
        use SyntaxKind as K;
        const TABLES: [RelationKind; 3] = [
            RelationKind::Table,
            RelationKind::PartitionedTable,
            RelationKind::Partition,
        ];
        if is_off(node.kind()) {
            return Ok(());
        }
        match node.kind() {
            K::CREATE_TABLE_AS | K::SELECT_INTO => {
                self.note_writes(node);
                self.note_made_of_query(node);
            }
            kind if evaluate::may_write(kind) => self.note_writes(node),
            _ => {}
        }
        match node.kind() {
            K::CREATE_TABLE | K::CREATE_FOREIGN_TABLE => self.create_table(node),
            K::ALTER_TABLE
            | K::ALTER_FOREIGN_TABLE
            | K::ALTER_VIEW
            | K::ALTER_MATERIALIZED_VIEW => self.alter_table(node),
            K::DROP_TABLE => self.drop_relations(node, K::TABLE_NAME_REF, &TABLES),
            K::DROP_FOREIGN_TABLE => self.drop_relations(node, K::TABLE_NAME_REF, &[ForeignTable]),
            K::CREATE_INDEX => self.create_index(node),
            K::ALTER_INDEX => self.alter_index(node),
            K::DROP_INDEX => self.drop_indexes(node),
            K::CREATE_TYPE => self.create_type(node),
            K::ALTER_TYPE => self.alter_type(node),
            K::DROP_TYPE => self.drop_types(node, K::TYPE_NAME_REF),
            K::CREATE_DOMAIN => self.create_domain(node),
            K::ALTER_DOMAIN => self.alter_domain(node),
            K::DROP_DOMAIN => self.drop_types(node, K::DOMAIN_REF),
            K::CREATE_VIEW | K::CREATE_MATERIALIZED_VIEW => self.create_view(node),
            K::DROP_VIEW => self.drop_relations(node, K::VIEW_REF, &[View]),
            K::DROP_MATERIALIZED_VIEW => {
                self.drop_relations(node, K::VIEW_REF, &[MaterializedView])
            }
            K::CREATE_TABLE_AS => self.create_table_as(node),
            K::SELECT_INTO => self.select_into(node),
            K::CREATE_SEQUENCE => self.create_sequence(node),
            K::ALTER_SEQUENCE => self.alter_sequence(node),
            K::DROP_SEQUENCE => self.drop_sequences(node),
            K::CREATE_EXTENSION => self.create_extension(node),
            K::ALTER_EXTENSION => self.alter_extension(node),
            K::DROP_EXTENSION => self.drop_extension(node),
            K::CREATE_SCHEMA => self.create_schema(node),
            K::ALTER_SCHEMA => self.alter_schema(node),
            K::DROP_SCHEMA => self.drop_schemas(node),
            K::CREATE_FUNCTION | K::CREATE_PROCEDURE => self.create_function(node),
            K::DROP_FUNCTION | K::DROP_PROCEDURE | K::DROP_ROUTINE => self.drop_functions(node),
            K::CREATE_AGGREGATE => self.create_aggregate(node),
            K::DROP_AGGREGATE => self.drop_functions(node),
            K::DO => self.do_block(node),
            K::CALL => self.call_procedure(node),
            K::COMMENT_ON => self.comment_on(node),
            K::SET | K::RESET => self.set(node),
            K::ALTER_ROLE | K::ALTER_USER | K::ALTER_DATABASE => schema::later_settings(node),
            K::SELECT | K::COMPOUND_SELECT | K::VALUES | K::PAREN_SELECT => {
                self.call_in_query(node)
            }
            // A rule on SELECT makes a view of a table; others only change what statements do.
            K::CREATE_RULE if guard::makes_a_view(node) => Err(Refused::new(
                node,
                "a rule on SELECT makes a view of a table, which is not followed",
            )),
            kind if guard::is_guard(kind) => self.guard(node),
            kind if harmless::is_harmless(kind) => Ok(()),
            kind => {
                let words = format!("{kind:?}").replace('_', " ");
                Err(Refused::new(
                    node,
                    format!("replay does not follow {words} yet"),
                ))
            }
        }
    }

    /// Counts a step; false where there were too many.
    fn takes_a_step(&self) -> bool {
        let left = self.steps.get().saturating_sub(1);
        self.steps.set(left);
        left > 0
    }

    /// Counts a text of PL/pgSQL that runs; false where it was too much.
    fn runs_text(&self, length: usize) -> bool {
        let left = self.text.get().saturating_sub(length);
        self.text.set(left);
        left > 0
    }

    /// What an error in a block with handlers goes back to.
    fn savepoint(&self) -> Self {
        self.clone()
    }

    fn roll_back(&mut self, savepoint: Self) {
        let unfollowed = std::mem::take(&mut self.unfollowed);
        let (steps, text) = (self.steps.clone(), self.text.clone());
        *self = Self {
            unfollowed,
            steps,
            text,
            ..savepoint
        };
    }

    /// Where something new goes.
    fn current_schema(&self, node: &SyntaxNode) -> Result<String> {
        let schema = self
            .search_path
            .iter()
            .find(|schema| self.schemas.contains(*schema));
        schema.cloned().ok_or_else(|| {
            Refused::new(
                node,
                "no schema of the search path is there to create this in",
            )
            .do_this("name the schema, or set the search path in this file")
        })
    }

    /// The name of something new that a statement makes.
    fn new_name(&self, statement: &SyntaxNode, node: &SyntaxNode) -> Result<Name> {
        let mut parts = path(node);
        let name = parts.pop().unwrap_or_default();
        let schema = match parts.pop() {
            Some(schema) => schema,
            None if has(statement, SyntaxKind::TEMP) => TEMPORARY.to_owned(),
            None => self.current_schema(statement)?,
        };
        if !self.schemas.contains(&schema) && schema != TEMPORARY {
            return Err(Refused::new(
                statement,
                format!("there is no schema {schema}, so PostgreSQL refuses this"),
            )
            .do_this("create it in a migration before this one"));
        }
        Ok(Name { schema, name })
    }

    /// The names that a reference may mean, in the order of the search path.
    fn candidates(&self, parts: &[String]) -> Vec<Name> {
        let full = |schema: &str, name: &str| Name {
            schema: schema.to_owned(),
            name: name.to_owned(),
        };
        match parts {
            [.., schema, name] => vec![full(schema, name)],
            [name] => std::iter::once(TEMPORARY)
                .chain(self.search_path.iter().map(String::as_str))
                .map(|schema| full(schema, name))
                .collect(),
            [] => Vec::new(),
        }
    }

    /// A type that a column can have: of a migration's own, a multirange, or the rows of a table.
    fn find_type(&self, parts: &[String]) -> Option<Name> {
        self.candidates(parts).into_iter().find(|name| {
            self.catalog.types.contains_key(name)
                || self.catalog.relations.contains_key(name)
                || self.range_of(name).is_some()
        })
    }

    /// The range that this multirange comes with.
    fn range_of(&self, name: &Name) -> Option<Name> {
        let found = self.catalog.types.values().find(|found| {
            found.name.schema == name.schema
                && matches!(&found.kind, TypeKind::Range { multirange, .. } if *multirange == name.name)
        });
        found.map(|found| found.name.clone())
    }

    /// A type that CREATE TYPE or CREATE DOMAIN made.
    fn find_own_type(&self, parts: &[String]) -> Option<Name> {
        self.candidates(parts)
            .into_iter()
            .find(|name| self.catalog.types.contains_key(name))
    }

    fn find_relation(&self, parts: &[String]) -> Option<Name> {
        self.candidates(parts)
            .into_iter()
            .find(|name| self.catalog.relations.contains_key(name))
    }

    fn find_sequence(&self, parts: &[String]) -> Option<Name> {
        self.candidates(parts)
            .into_iter()
            .find(|name| self.catalog.sequences.contains_key(name))
    }

    /// The relation that a node names.
    fn relation_mut(&mut self, node: &SyntaxNode) -> Result<&mut Relation> {
        let parts = path(node);
        let missing = || {
            Refused::new(node, format!("there is no table {}", parts.join(".")))
                .do_this("look at the name and at the migrations before this one")
                .raises("undefined_table")
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

#[cfg(test)]
mod tests;

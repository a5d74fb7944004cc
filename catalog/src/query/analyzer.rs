//! The state of an analysis: types, parameters, tables, and the names of each query.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::candidate::Candidate;
use super::composite::Replaced;
use super::expr::{Expr, Kind, Span, TableId};
use super::fault::Fault;
use super::memo::Memo;
use super::nulls::OuterJoin;
use super::objects::{Objects, Used};
use super::scope::{RelationColumn, Scope, Table, TableColumn};
use super::shards::Noted;
use super::signature::Function;
use super::types::{self, TypeId, Types};
use super::view::View;
use crate::{Catalog, ConstraintKind, Name};

pub(super) type Result<T> = std::result::Result<T, Fault>;

pub(super) struct Analyzer<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) path: Rc<[String]>,
    /// The oldest version of PostgreSQL that the query runs on; `None` is the newest.
    pub(super) version: Option<u32>,
    pub(super) types: Types<'a>,
    pub(super) operators: HashMap<String, [Rc<[Candidate]>; 2]>,
    pub(super) views: HashMap<Name, Option<Rc<View>>>,
    pub(super) functions: HashMap<String, HashMap<Option<String>, Rc<[Function]>>>,
    pub(super) relations: HashMap<(Name, bool), Rc<[TableColumn]>>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) tables: Vec<Table>,
    /// The scopes of the queries around the current position, the innermost last.
    pub(super) scopes: Vec<Scope>,
    pub(super) reads: BTreeSet<RelationColumn>,
    pub(super) writes: BTreeSet<Name>,
    /// The columns that are written.
    pub(super) assigns: BTreeSet<(Name, String)>,
    /// The indexes that can serve the query, each with its relation.
    pub(super) indexes: BTreeSet<(Name, String)>,
    /// What decides which shards of Citus the query asks.
    pub(super) shards: Noted,
    /// The uses of parameters that have no type yet.
    pub(super) open_parameters: Vec<(Span, usize)>,
    /// An error that PostgreSQL raises once the whole statement is read.
    pub(super) late: Option<Fault>,
    /// The first mistake that PostgreSQL accepts: an INSERT leaves out a required column, or ORDER
    /// BY sorts nothing.
    pub(super) omitted: Option<Fault>,
    /// The texts that replace each `*`.
    pub(super) edits: Vec<Replaced>,
    /// The number of outer joins so far.
    pub(super) joins: usize,
    pub(super) outer_joins: Vec<OuterJoin>,
    /// The WITH clauses that were read already. That of a set operation is in the syntax tree of
    /// its first part, where it must not be read again.
    pub(super) shared_with: Vec<Span>,
    pub(super) depth: usize,
    /// The objects of a replay in progress. The analysis then follows modifiers, collations and
    /// uses, and leaves out what can be NULL.
    pub(super) objects: Option<&'a dyn Objects>,
    pub(super) used: Used,
    /// The name of the first column of each query in an expression, by the query's position.
    pub(super) first_columns: HashMap<usize, String>,
    /// How many times the query has COLLATE so far.
    pub(super) collations: usize,
    /// True if a part of the current clause was passed over, since its type is not known.
    pub(super) has_unknown: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Parameter {
    /// The type: `UNKNOWN` until a use decides it; `None` if no parameter has this number.
    pub(super) ty: Option<TypeId>,
    pub(super) span: Span,
    pub(super) nullable: bool,
    pub(super) column: Origin,
}

/// The column that a parameter is compared with or assigned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    None,
    One(RelationColumn),
    Several,
}

/// The maximum nesting of queries and expressions, so that the stack suffices.
const DEEPEST: usize = 400;

impl<'a> Analyzer<'a> {
    pub(super) fn new(
        catalog: &'a Catalog,
        path: Rc<[String]>,
        memo: Memo<'a>,
        nullable: &[bool],
    ) -> Self {
        let parameters = nullable.iter().map(|nullable| Parameter {
            ty: None,
            span: 0..0,
            nullable: *nullable,
            column: Origin::None,
        });
        Self {
            catalog,
            path,
            version: memo.version,
            types: memo.types,
            operators: memo.operators,
            views: memo.views,
            functions: memo.functions,
            relations: memo.relations,
            parameters: parameters.collect(),
            tables: Vec::new(),
            scopes: Vec::new(),
            reads: BTreeSet::new(),
            writes: BTreeSet::new(),
            assigns: BTreeSet::new(),
            indexes: BTreeSet::new(),
            shards: Noted::new(catalog.is_distributed()),
            omitted: None,
            open_parameters: Vec::new(),
            late: None,
            edits: Vec::new(),
            joins: 0,
            outer_joins: Vec::new(),
            shared_with: Vec::new(),
            depth: 0,
            objects: None,
            used: Used::default(),
            first_columns: HashMap::new(),
            collations: 0,
            has_unknown: false,
        }
    }

    /// Returns the parts of the state that the next query needs too.
    pub(super) fn into_memo(self) -> Memo<'a> {
        Memo {
            version: self.version,
            types: self.types,
            operators: self.operators,
            views: self.views,
            functions: self.functions,
            relations: self.relations,
        }
    }

    pub(super) fn enter(&mut self, span: &Span) -> Result<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Fault::refused(
                span.clone(),
                "the query is nested too deeply",
            ));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Returns the names of the innermost query.
    pub(super) fn scope(&mut self) -> &mut Scope {
        if self.scopes.is_empty() {
            self.scopes.push(Scope::default());
        }
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    pub(super) fn table(&self, id: TableId) -> &Table {
        &self.tables[id.0]
    }

    pub(super) fn add_table(&mut self, table: Table) -> TableId {
        self.tables.push(table);
        TableId(self.tables.len() - 1)
    }

    /// Returns a parameter by its number, counted from 1.
    pub(super) fn parameter(&mut self, number: usize, span: Span) -> Result<Expr> {
        const MAX_PARAMETERS: usize = 65_535;
        if number == 0 || number > MAX_PARAMETERS {
            let message = format!("there is no parameter ${number}");
            return Err(Fault::error("42P02", span, message));
        }
        while self.parameters.len() < number {
            self.parameters.push(Parameter {
                ty: None,
                span: span.clone(),
                nullable: false,
                column: Origin::None,
            });
        }
        let parameter = &mut self.parameters[number - 1];
        if parameter.ty.is_none() {
            parameter.span = span.clone();
        }
        let ty = *parameter.ty.get_or_insert(types::UNKNOWN);
        if ty == types::UNKNOWN {
            self.open_parameters.push((span.clone(), number - 1));
        }
        Ok(Expr::new(ty, Kind::Param(number - 1), span))
    }

    /// Gives a type to a parameter that has none yet.
    pub(super) fn decide(&mut self, index: usize, ty: TypeId, span: &Span) -> Result<()> {
        self.open_parameters.retain(|(open, _)| open != span);
        let earlier = self.parameters[index].ty.unwrap_or(types::UNKNOWN);
        if earlier == types::UNKNOWN {
            self.parameters[index].ty = Some(ty);
            return Ok(());
        }
        if earlier == ty {
            return Ok(());
        }
        let message = format!("inconsistent types deduced for parameter ${}", index + 1);
        let (earlier, later) = (self.types.words(earlier), self.types.words(ty));
        Err(Fault::error("42P08", span.clone(), message).hint(format!(
            "it is {earlier} in one place and {later} in another: cast one of them, as ${}::{later}",
            index + 1
        )))
    }

    /// Records that the values of a parameter are those of a column.
    pub(super) fn relate(&mut self, value: &Expr, column: Option<RelationColumn>) {
        let Some(column) = column else {
            return;
        };
        match &value.kind {
            Kind::Param(index) => {
                let origin = match &self.parameters[*index].column {
                    Origin::None => Origin::One(column),
                    Origin::One(earlier) if *earlier == column => Origin::One(column),
                    // The keys of one table, such as of a sender and of a receiver.
                    Origin::One(earlier) => {
                        let referenced = referenced(self.catalog, earlier);
                        match referenced == self::referenced(self.catalog, &column) {
                            true => Origin::One(Rc::new(referenced)),
                            false => Origin::Several,
                        }
                    }
                    Origin::Several => Origin::Several,
                };
                self.parameters[*index].column = origin;
            }
            Kind::Array(all) => {
                for value in all {
                    self.relate(value, Some(Rc::clone(&column)));
                }
            }
            _ => {}
        }
    }

    /// Returns the column of a relation, if a value is that column and nothing else.
    pub(super) fn origin(&self, value: &Expr) -> Option<RelationColumn> {
        match &value.kind {
            Kind::Var { table, column } => self.table(*table).columns[*column].origin.clone(),
            _ => None,
        }
    }
}

/// Returns the column to which foreign keys lead from a column, at last; itself if there are none.
fn referenced(catalog: &Catalog, column: &(Name, String)) -> (Name, String) {
    /// Circular references end here.
    const LONGEST: usize = 16;
    let mut found = column.clone();
    for _ in 0..LONGEST {
        let (relation, name) = &found;
        let constraints = catalog.relations.get(relation).map(|it| &it.constraints);
        let next = constraints.into_iter().flatten().find_map(|constraint| {
            let ConstraintKind::ForeignKey {
                columns,
                references,
                referenced_columns,
                ..
            } = &constraint.kind
            else {
                return None;
            };
            let at = columns.iter().position(|column| column == name)?;
            Some((references.clone(), referenced_columns.get(at)?.clone()))
        });
        match next {
            Some(next) if next != found => found = next,
            _ => break,
        }
    }
    found
}

//! The result columns of a query. Their names and types come from the catalog, PostgreSQL's
//! signatures and the query's text.
//!
//! A query whose columns cannot be inferred is refused. Inference also records the objects that the
//! query depends on, since a view prevents them from being dropped.

pub(crate) mod call;
pub(crate) mod expression;
pub(crate) mod from;
pub(crate) mod overload;
pub(crate) mod special;
pub(crate) mod tables;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::infer::from::Scope;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::state::expressions::Columns;
use crate::replay::syntax::SYSTEM;
use crate::replay::syntax::column_name::column_name;
use crate::replay::syntax::parse::parse_again;
use crate::replay::syntax::tree::{child, child_name, child_names, children, has, is_query, name};
use crate::{DataType, Name};

/// The type of a value. The type of a string literal is open until its context requires one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    /// `None` for a string literal and for NULL.
    pub(crate) data_type: Option<DataType>,
    /// The collation, if it differs from that of the type.
    pub(crate) collation: Option<Name>,
}

/// A result column of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) value: Value,
    /// The column of a table or view, if this is an unchanged one.
    origin: Option<(Name, String)>,
}

/// The objects that a query uses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Used {
    pub(crate) relations: BTreeSet<Name>,
    pub(crate) columns: BTreeSet<(Name, String)>,
    /// The types that the query casts to.
    pub(crate) types: BTreeSet<Name>,
    /// The functions of migrations that the query calls, with the types of their arguments.
    pub(crate) functions: BTreeSet<(Name, Vec<DataType>)>,
    /// The positions of calls of functions of migrations, with the index of the overload.
    pub(crate) calls: Vec<(usize, usize)>,
}

/// An inference in progress, with the objects that the query uses.
pub(crate) struct Inference<'a> {
    state: &'a State,
    /// The schemas in which bare names of functions are searched for.
    path: &'a [String],
    used: RefCell<Used>,
}

impl Value {
    pub(crate) fn new(data_type: DataType) -> Self {
        Self {
            data_type: Some(data_type),
            collation: None,
        }
    }

    pub(crate) fn open() -> Self {
        Self {
            data_type: None,
            collation: None,
        }
    }

    /// Returns a value of a built-in type.
    pub(crate) fn system(name: &str) -> Self {
        Self::new(system(name))
    }
}

/// Returns a built-in type.
pub(crate) fn system(name: &str) -> DataType {
    let (name, dimensions) = match name.strip_suffix("[]") {
        Some(element) => (element, 1),
        None => (name, 0),
    };
    DataType {
        name: Name {
            schema: SYSTEM.to_owned(),
            name: name.to_owned(),
        },
        modifiers: Vec::new(),
        fields: None,
        dimensions,
    }
}

/// Returns the columns of a query, and the objects that it uses.
pub(crate) fn infer(state: &State, query: &SyntaxNode) -> Result<(Vec<Output>, Used)> {
    infer_by(state, |inference| inference.query(query, &Scope::default()))
}

/// Returns the columns of a query that reads itself by this name, as in `CREATE RECURSIVE VIEW`.
pub(crate) fn infer_recursive(
    state: &State,
    query: &SyntaxNode,
    itself: &str,
    columns: &[String],
) -> Result<(Vec<Output>, Used)> {
    infer_by(state, |inference| {
        inference.recursive(query, itself, columns, &Scope::default())
    })
}

/// Returns the overload that each call in an expression means: the index in the list of overloads,
/// by the position of the call. Bare names are searched for in these schemas.
pub(crate) fn overloads_called(
    state: &State,
    expression: &str,
    columns: Columns<'_>,
    path: &[String],
) -> BTreeMap<usize, usize> {
    const BEFORE: &str = "SELECT ";
    let from = match columns {
        Columns::Nothing => String::new(),
        Columns::Table(table) => format!(" FROM {}", qualified(table)),
        Columns::OldAndNew(table) => format!(" FROM {0} AS old, {0} AS new", qualified(table)),
        Columns::Value(data_type) => {
            format!(
                " FROM (SELECT NULL::{} AS value) AS domain",
                data_type.sql()
            )
        }
    };
    let select = parse_again(&format!("{BEFORE}{expression}{from}"));
    let inference = Inference::new(state, path);
    if let Some(select) = select.descendants().find(|node| is_query(node.kind())) {
        // An error ends inference, but the calls found before it remain valid.
        inference.query(&select, &Scope::default()).ok();
    }
    let calls = inference.used.into_inner().calls.into_iter();
    let calls =
        calls.filter_map(|(start, position)| Some((start.checked_sub(BEFORE.len())?, position)));
    calls.collect()
}

/// Returns the result of a function for arguments of these types.
pub(crate) fn result_of_call(
    state: &State,
    function: &[String],
    arguments: &[crate::DataType],
) -> Option<crate::DataType> {
    let inference = Inference::new(state, state.search_path());
    inference.result_of(function, arguments)
}

fn infer_by(
    state: &State,
    read: impl FnOnce(&Inference<'_>) -> Result<Vec<Output>>,
) -> Result<(Vec<Output>, Used)> {
    let inference = Inference::new(state, state.search_path());
    let mut columns = read(&inference)?;
    for column in &mut columns {
        // A type that is still open at the end is text.
        column.value.data_type.get_or_insert_with(|| system("text"));
    }
    Ok((columns, inference.used.into_inner()))
}

/// Returns a name with its schema, which the search path need not contain.
fn qualified(name: &Name) -> String {
    use bowline_sql::quote::identifier;
    format!("{}.{}", identifier(&name.schema), identifier(&name.name))
}

/// Returns the collation of an expression over the columns of a table, if it differs from that of
/// its type.
pub(crate) fn collation_over(state: &State, expression: &str, table: &Name) -> Option<Name> {
    let relation = qualified(table);
    let query = format!("SELECT {expression} FROM {relation}");
    let select = parse_again(&query);
    let select = select.descendants().find(|node| is_query(node.kind()))?;
    let (columns, _) = infer(state, &select).ok()?;
    columns.into_iter().next()?.value.collation
}

impl<'a> Inference<'a> {
    fn new(state: &'a State, path: &'a [String]) -> Self {
        Self {
            state,
            path,
            used: RefCell::default(),
        }
    }
}

impl Inference<'_> {
    pub(crate) fn query(&self, node: &SyntaxNode, outer: &Scope) -> Result<Vec<Output>> {
        use SyntaxKind as K;
        let mut scope = outer.clone();
        if let Some(with) = with_clause(node) {
            self.common_tables(&with, &mut scope)?;
        }
        match node.kind() {
            K::SELECT | K::SELECT_INTO => self.select(node, &scope),
            K::COMPOUND_SELECT => {
                let mut parts = node.children().filter(|part| is_query(part.kind()));
                let (Some(left), Some(right)) = (parts.next(), parts.next()) else {
                    return Err(Refused::new(node, "the query is not whole"));
                };
                let left = self.query(&left, &scope)?;
                let right = self.query(&right, &scope)?;
                self.combine(node, left, &right)
            }
            K::PAREN_SELECT => {
                let inner = node.children().find(|part| is_query(part.kind()));
                inner.map_or_else(
                    || Err(Refused::new(node, "the query is not whole")),
                    |inner| self.query(&inner, &scope),
                )
            }
            K::VALUES => self.values(node, &scope),
            K::TABLE => {
                let reference = node
                    .descendants()
                    .find(|part| part.kind() == K::RELATION_NAME_REF)
                    .ok_or_else(|| Refused::new(node, "no table is named"))?;
                Ok(self.relation(&reference, &scope)?.columns)
            }
            _ => Err(Refused::new(
                node,
                "the columns of this statement are not inferred",
            )),
        }
    }

    fn common_tables(&self, with: &SyntaxNode, scope: &mut Scope) -> Result<()> {
        use SyntaxKind as K;
        let is_recursive = has(with, K::RECURSIVE_KW);
        for table in children(with, K::WITH_TABLE) {
            let named = child_name(&table, K::CTE_NAME).unwrap_or_default();
            let given = child(&table, K::COLUMN_LIST)
                .map(|list| child_names(&list, K::COLUMN_NAME))
                .unwrap_or_default();
            let query = table
                .children()
                .find(|part| is_query(part.kind()))
                .ok_or_else(|| {
                    Refused::new(&table, "the columns of this statement are not inferred")
                })?;
            let columns = if is_recursive {
                self.recursive(&query, &named, &given, scope)?
            } else {
                renamed(self.query(&query, scope)?, &given)
            };
            scope.add_common(named, settled(columns));
        }
        Ok(())
    }

    /// Infers a recursive query. Its first part determines the columns.
    fn recursive(
        &self,
        query: &SyntaxNode,
        itself: &str,
        given: &[String],
        scope: &Scope,
    ) -> Result<Vec<Output>> {
        let mut within = scope.clone();
        if query.kind() == SyntaxKind::COMPOUND_SELECT
            && let Some(first) = query.children().find(|part| is_query(part.kind()))
        {
            let columns = renamed(self.query(&first, scope)?, given);
            within.add_common(itself.to_owned(), settled(columns));
        }
        Ok(renamed(self.query(query, &within)?, given))
    }

    fn select(&self, node: &SyntaxNode, outer: &Scope) -> Result<Vec<Output>> {
        use SyntaxKind as K;
        let mut scope = outer.inner();
        if let Some(from) = child(node, K::FROM_CLAUSE) {
            for item in from.children() {
                let found = self.read_item(&item, &scope)?;
                scope.add(found);
            }
        }
        let mut columns = Vec::new();
        if let Some(clause) = child(node, K::SELECT_CLAUSE) {
            let list = child(&clause, K::TARGET_LIST);
            for target in list.iter().flat_map(|list| children(list, K::TARGET)) {
                self.target(&target, &scope, &mut columns)?;
            }
        }
        for part in node.children() {
            let is_read_already = matches!(
                part.kind(),
                K::SELECT_CLAUSE | K::FROM_CLAUSE | K::WITH_CLAUSE | K::INTO_CLAUSE
            );
            if !is_read_already {
                self.visit(&part, &scope);
            }
        }
        Ok(columns)
    }

    pub(crate) fn target(
        &self,
        target: &SyntaxNode,
        scope: &Scope,
        columns: &mut Vec<Output>,
    ) -> Result<()> {
        use SyntaxKind as K;
        let Some(expression) = target.children().next() else {
            let all = scope.star();
            all.iter().for_each(|column| self.note(column));
            columns.extend(all);
            return Ok(());
        };
        if expression.kind() == K::FIELD_EXPR && has(&expression, K::STAR) {
            columns.extend(self.star_of(&expression, scope)?);
            return Ok(());
        }
        let value = self.value(&expression, scope)?;
        let alias = child(target, K::AS_NAME).map(|alias| name(&alias));
        let alias = match alias {
            Some(alias) => alias,
            None => column_name(&expression),
        };
        columns.push(Output {
            name: alias,
            value,
            origin: None,
        });
        Ok(())
    }

    /// Combines the parts of UNION, INTERSECT or EXCEPT. The names are those of the first part, the
    /// types are the common ones.
    fn combine(
        &self,
        node: &SyntaxNode,
        left: Vec<Output>,
        right: &[Output],
    ) -> Result<Vec<Output>> {
        if left.len() != right.len() {
            return Err(Refused::error(
                node,
                "the queries do not have equally many columns",
            ));
        }
        left.into_iter()
            .zip(right)
            .map(|(column, other)| {
                let value = self.common(node, &[column.value, other.value.clone()])?;
                Ok(Output {
                    name: column.name,
                    value,
                    origin: None,
                })
            })
            .collect()
    }

    pub(crate) fn values(&self, node: &SyntaxNode, scope: &Scope) -> Result<Vec<Output>> {
        use SyntaxKind as K;
        let mut rows: Vec<Vec<Value>> = Vec::new();
        let list = child(node, K::ROW_LIST);
        for row in list.iter().flat_map(|list| children(list, K::ROW)) {
            let values = row.children().map(|value| self.value(&value, scope));
            rows.push(values.collect::<Result<_>>()?);
        }
        let width = rows.first().map_or(0, Vec::len);
        (0..width)
            .map(|position| {
                let column: Vec<Value> = rows
                    .iter()
                    .filter_map(|row| row.get(position).cloned())
                    .collect();
                Ok(Output {
                    name: format!("column{}", position + 1),
                    value: self.common(node, &column)?,
                    origin: None,
                })
            })
            .collect()
    }

    pub(crate) fn note(&self, column: &Output) {
        if let Some(origin) = &column.origin {
            self.used.borrow_mut().columns.insert(origin.clone());
        }
    }

    /// Records the objects that a clause uses. The type of the clause does not matter.
    pub(crate) fn visit(&self, node: &SyntaxNode, scope: &Scope) {
        use SyntaxKind as K;
        match node.kind() {
            kind if is_query(kind) => drop(self.query(node, scope)),
            K::NAME_REF | K::FIELD_EXPR => {
                if self.value(node, scope).is_err() {
                    node.children().for_each(|part| self.visit(&part, scope));
                }
            }
            _ => node.children().for_each(|part| self.visit(&part, scope)),
        }
    }
}

/// Returns the WITH clause of a query. In a UNION, that of the first part applies to all parts.
fn with_clause(node: &SyntaxNode) -> Option<SyntaxNode> {
    let with = child(node, SyntaxKind::WITH_CLAUSE);
    let first = || node.children().find(|part| is_query(part.kind()));
    match node.kind() {
        SyntaxKind::COMPOUND_SELECT => with.or_else(|| {
            first()
                .filter(|first| first.kind() != SyntaxKind::PAREN_SELECT)
                .and_then(|first| with_clause(&first))
        }),
        _ => with,
    }
}

/// Returns the columns with the names that an alias gives to the first of them.
pub(crate) fn renamed(mut columns: Vec<Output>, names: &[String]) -> Vec<Output> {
    for (column, name) in columns.iter_mut().zip(names) {
        column.name.clone_from(name);
    }
    columns
}

/// Returns the columns of a subquery. Open literals become text, and origins are removed, because
/// the subquery uses them.
pub(crate) fn settled(mut columns: Vec<Output>) -> Vec<Output> {
    for column in &mut columns {
        column.value.data_type.get_or_insert_with(|| system("text"));
        column.origin = None;
    }
    columns
}

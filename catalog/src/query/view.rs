//! The columns of a view, by the view's own query: which can be NULL, and where the values are
//! from.

use std::mem;
use std::rc::Rc;

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::Analyzer;
use super::locks::Reach;
use super::memo::Memo;
use crate::replay::syntax::parse::parse;
use crate::replay::syntax::tree::{has, statements};
use crate::{Name, RelationKind};

/// The query of a view.
#[derive(Debug)]
pub(super) struct View {
    pub(super) columns: Vec<ViewColumn>,
    /// True if its rows are not those of one table, by DISTINCT, aggregates, window functions or
    /// functions that return sets.
    pub(super) combines_rows: bool,
    /// What a lock on its rows reaches.
    pub(super) reach: Reach,
    pub(super) keys: Rc<[Vec<usize>]>,
}

/// A column of a view or materialized view, as its query makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewColumn {
    /// True if the query can return NULL.
    pub nullable: bool,
    /// The column that the values are from.
    pub origin: Option<(Name, String)>,
}

impl Analyzer<'_> {
    /// Returns the columns of a view; `None` if the view's query does not show which can be NULL.
    ///
    /// A materialized view is not analyzed: its rows may be older than the constraints of its
    /// tables.
    pub(super) fn nullable_in_view(&mut self, name: &Name) -> Option<Rc<View>> {
        let relation = self.catalog.relations.get(name)?;
        if relation.kind != RelationKind::View {
            return None;
        }
        self.view(name)
    }

    /// Returns the query of a view or materialized view, if it says what the columns are.
    pub(super) fn view(&mut self, name: &Name) -> Option<Rc<View>> {
        if let Some(known) = self.views.get(name) {
            return known.clone();
        }
        // A view that reads itself, through others, is not analyzed again.
        self.views.insert(name.clone(), None);
        let found = self.analyze_view(name);
        self.views.insert(name.clone(), found.clone());
        found
    }

    fn analyze_view(&mut self, name: &Name) -> Option<Rc<View>> {
        let relation = self.catalog.relations.get(name)?;
        let query = relation.attached.query.as_ref()?;
        let file = parse(query.text.as_ref()?).ok()?;
        let statement = statements(&file).next()?;
        let path = query
            .search_path
            .as_deref()
            .map_or_else(|| Rc::clone(&self.path), Rc::from);
        let memo = Memo {
            version: self.version,
            types: mem::replace(&mut self.types, super::types::Types::new(self.catalog)),
            operators: mem::take(&mut self.operators),
            // The functions of a name depend on the search path.
            functions: Default::default(),
            views: mem::take(&mut self.views),
            relations: mem::take(&mut self.relations),
        };
        let mut inner = Analyzer::new(self.catalog, path, memo, &[]);
        inner.depth = self.depth;
        let analyzed = inner.query(&statement, false);
        let memo = inner.into_memo();
        self.types = memo.types;
        self.operators = memo.operators;
        self.views = memo.views;
        self.relations = memo.relations;
        let analyzed = analyzed.ok()?;
        let columns = analyzed.columns;
        // The view was created with the columns that `*` had then. The table may have got more
        // since. Without `*`, the columns are the same, whatever names the view gives them.
        let has_names = || {
            let pairs = columns.iter().zip(&relation.columns);
            pairs.into_iter().all(|(one, other)| one.name == other.name)
        };
        let is_same =
            columns.len() == relation.columns.len() && (!has_star(&statement) || has_names());
        let columns = columns.into_iter().map(|column| ViewColumn {
            nullable: column.nullable,
            origin: column.origin.map(Rc::unwrap_or_clone),
        });
        is_same.then(|| {
            Rc::new(View {
                columns: columns.collect(),
                combines_rows: analyzed.reach.clause.is_some(),
                reach: analyzed.reach,
                keys: analyzed.keys,
            })
        })
    }
}

/// Returns true if `*` or `TABLE` stands for the columns of a table.
fn has_star(query: &SyntaxNode) -> bool {
    query.descendants().any(|part| match part.kind() {
        K::TABLE => true,
        K::TARGET | K::FIELD_EXPR => has(&part, K::STAR),
        _ => false,
    })
}

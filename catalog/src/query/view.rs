//! The columns of a view, by the view's own query: which can be NULL, and where the values are from.

use std::mem;
use std::rc::Rc;

use super::analyzer::Analyzer;
use super::memo::Memo;
use crate::replay::syntax::parse::parse;
use crate::replay::syntax::tree::statements;
use crate::{Name, RelationKind};

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
    pub(super) fn nullable_in_view(&mut self, name: &Name) -> Option<Rc<[ViewColumn]>> {
        let relation = self.catalog.relations.get(name)?;
        if relation.kind != RelationKind::View {
            return None;
        }
        self.view_columns(name)
    }

    /// Returns the columns of a view or materialized view, if its query says what they are.
    pub(super) fn view_columns(&mut self, name: &Name) -> Option<Rc<[ViewColumn]>> {
        if let Some(known) = self.views.get(name) {
            return known.clone();
        }
        // A view that reads itself, through others, is not analyzed again.
        self.views.insert(name.clone(), None);
        let found = self.analyze_view(name);
        self.views.insert(name.clone(), found.clone());
        found
    }

    fn analyze_view(&mut self, name: &Name) -> Option<Rc<[ViewColumn]>> {
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
        };
        let mut inner = Analyzer::new(self.catalog, path, memo, &[]);
        inner.depth = self.depth;
        let analyzed = inner.query(&statement, false);
        let memo = inner.into_memo();
        self.types = memo.types;
        self.operators = memo.operators;
        self.views = memo.views;
        let columns = analyzed.ok()?.columns;
        // The view was created with the columns that `*` had then. The table may have got more
        // since.
        let is_same = columns.len() == relation.columns.len()
            && columns
                .iter()
                .zip(&relation.columns)
                .all(|(one, other)| one.name == other.name);
        let columns = columns.into_iter().map(|column| ViewColumn {
            nullable: column.nullable,
            origin: column.origin,
        });
        is_same.then(|| columns.collect())
    }
}

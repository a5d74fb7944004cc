//! The rows of a query, if they are certain: those of system tables, which the catalog answers, and
//! of tables that are certainly empty.

use std::rc::Rc;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::program::Program;
use crate::replay::program::evaluate::{Datum, Scope, call};
use crate::replay::syntax::column_name::column_name;
use crate::replay::syntax::routine;
use crate::replay::syntax::tree::{child, child_name, children, has, is_query, path, text};

/// The columns of one table under its alias.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    pub(crate) alias: String,
    pub(crate) columns: Vec<(String, Option<Datum>)>,
}

/// One row of FROM.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) parts: Vec<Rc<Part>>,
}

/// One row of a result.
pub(crate) type Output = Vec<(String, Option<Datum>)>;

/// The maximum number of rows, which is more than a migration needs and limits the run time.
pub(crate) const MAX_ROWS: usize = 200_000;

/// One of the conditions that AND joins.
pub(crate) struct Condition {
    pub(crate) node: SyntaxNode,
    /// The tables that it names, if it depends on nothing else.
    pub(crate) aliases: Option<Vec<String>>,
}

/// Collects the conditions that AND joins. Those with a subquery come last.
pub(crate) fn conjuncts(node: &SyntaxNode, all: &mut Vec<Condition>) {
    use SyntaxKind as K;
    if node.kind() == K::BIN_EXPR && has(node, K::AND_KW) {
        for part in node.children() {
            conjuncts(&part, all);
        }
    } else {
        let has_query = node.descendants().any(|part| is_query(part.kind()));
        let is_bare = |part: &SyntaxNode| {
            part.kind() == K::NAME_REF
                && !part
                    .parent()
                    .is_some_and(|parent| matches!(parent.kind(), K::FIELD_EXPR | K::CALL_EXPR))
        };
        let aliases = node
            .descendants()
            .filter(|part| part.kind() == K::FIELD_EXPR)
            .filter_map(|part| path(&part).into_iter().next());
        let is_ready = !has_query && !node.descendants().any(|part| is_bare(&part));
        all.push(Condition {
            node: node.clone(),
            aliases: is_ready.then(|| aliases.collect()),
        });
    }
    all.sort_by_key(|condition| condition.aliases.is_none());
}

impl Scope<'_> {
    /// Returns a column by its bare name. The inner `None` is an unknown value.
    pub(crate) fn column(&self, name: &str) -> Option<Option<Datum>> {
        let parts = self.row.iter().flat_map(|row| &row.parts);
        let mut columns = parts.flat_map(|part| &part.columns);
        let found = columns.find(|(column, _)| column == name);
        let outer = || self.outer.and_then(|outer| outer.column(name));
        found.map(|(_, value)| value.clone()).or_else(outer)
    }

    pub(crate) fn column_of(&self, alias: &str, name: &str) -> Option<Option<Datum>> {
        let part = self.part(alias)?;
        let found = part.columns.iter().find(|(column, _)| column == name);
        Some(found.and_then(|(_, value)| value.clone()))
    }

    /// Returns a whole row by its alias.
    pub(crate) fn record(&self, alias: &str) -> Option<Datum> {
        Some(Datum::Record(self.part(alias)?.columns.clone()))
    }

    fn part(&self, alias: &str) -> Option<&Part> {
        let mut parts = self.row.iter().flat_map(|row| &row.parts);
        let outer = || self.outer.and_then(|outer| outer.part(alias));
        parts
            .find(|part| part.alias == alias)
            .map(Rc::as_ref)
            .or_else(outer)
    }
}

impl Program {
    /// Returns the rows of a query, or `None` if they are not certain.
    pub(crate) fn rows(&self, query: &SyntaxNode) -> Option<Vec<Output>> {
        self.rows_of(query, &Scope::default())
    }

    pub(crate) fn rows_of(&self, query: &SyntaxNode, outer: &Scope<'_>) -> Option<Vec<Output>> {
        use SyntaxKind as K;
        match query.kind() {
            K::PAREN_SELECT => {
                let inner = query.children().find(|part| is_query(part.kind()))?;
                self.rows_of(&inner, outer)
            }
            K::VALUES => {
                let list = child(query, K::ROW_LIST)?;
                let rows = children(&list, K::ROW).map(|row| {
                    let values = row.children().enumerate().map(|(position, value)| {
                        let value = self.value_of(&value, outer);
                        (format!("column{}", position + 1), value)
                    });
                    values.collect()
                });
                Some(rows.collect())
            }
            K::COMPOUND_SELECT => {
                let is_all = query.descendants().any(|part| part.kind() == K::ALL);
                let is_union = has(query, K::UNION);
                let mut parts = query.children().filter(|part| is_query(part.kind()));
                let mut rows = self.rows_of(&parts.next()?, outer)?;
                rows.extend(self.rows_of(&parts.next()?, outer)?);
                let bare = query
                    .children()
                    .all(|part| is_query(part.kind()) || part.kind() == K::UNION);
                (bare && is_union && (is_all || rows.len() < 2)).then_some(rows)
            }
            K::SELECT => self.selected(query, outer),
            _ => None,
        }
    }

    fn selected(&self, query: &SyntaxNode, outer: &Scope<'_>) -> Option<Vec<Output>> {
        use SyntaxKind as K;
        if child(query, K::WITH_CLAUSE).is_some() {
            return None;
        }
        let mut conditions = Vec::new();
        if let Some(condition) = child(query, K::WHERE_CLAUSE) {
            conjuncts(&condition.children().next()?, &mut conditions);
        }
        let mut rows = vec![Row::default()];
        if let Some(from) = child(query, K::FROM_CLAUSE) {
            for item in from.children() {
                rows = self.times(&rows, &item, &conditions, outer)?;
            }
        }
        rows = self.fitting(rows, &conditions, outer)?;
        let select = child(query, K::SELECT_CLAUSE)?;
        let targets: Vec<SyntaxNode> = child(&select, K::TARGET_LIST)
            .map(|list| children(&list, K::TARGET).collect())
            .unwrap_or_default();
        if let [target] = targets.as_slice()
            && child(query, K::FROM_CLAUSE).is_none()
            && let Some(rows) = self.set_of_target(target)
        {
            return rows;
        }
        let is_set = |target: &SyntaxNode| {
            let mut calls = routine::calls_in(target);
            calls.any(|call| self.may_return_set(&call))
        };
        let has_set = targets.iter().any(is_set);
        let is_ordered = child(query, K::ORDER_BY_CLAUSE).is_some();
        if has_set && is_ordered && !rows.is_empty() {
            return None;
        }
        let is_grouped = child(query, K::GROUP_BY_CLAUSE).is_some();
        let is_aggregate = targets.iter().any(call::has_aggregate);
        if rows.is_empty() && (is_grouped || !is_aggregate) {
            return Some(Vec::new());
        }
        if is_grouped || child(query, K::HAVING_CLAUSE).is_some() {
            return None;
        }
        if is_aggregate {
            let scope = Scope {
                group: Some(&rows),
                outer: Some(outer),
                ..Scope::default()
            };
            return Some(vec![self.outputs(&targets, &scope)]);
        }
        if let Some(order) = child(query, K::ORDER_BY_CLAUSE) {
            rows = self.sorted(rows, &order, outer).unwrap_or_default();
            if rows.is_empty() {
                return None;
            }
        }
        let only_some = query.children().any(|part| {
            matches!(
                part.kind(),
                K::LIMIT_CLAUSE | K::OFFSET_CLAUSE | K::FETCH_CLAUSE
            )
        });
        let is_distinct = text(&select).to_ascii_lowercase().contains("distinct");
        let has_known_clauses = query.children().all(|part| {
            matches!(
                part.kind(),
                K::SELECT_CLAUSE
                    | K::FROM_CLAUSE
                    | K::WHERE_CLAUSE
                    | K::ORDER_BY_CLAUSE
                    | K::LIMIT_CLAUSE
            )
        });
        if !has_known_clauses || ((rows.len() > 1 || has_set) && only_some) {
            return None;
        }
        let mut outputs: Vec<Output> = Vec::new();
        for row in &rows {
            let scope = Scope {
                row: Some(row),
                group: None,
                outer: Some(outer),
            };
            if has_set {
                outputs.extend(self.rows_of_sets(&targets, &scope)?);
                (outputs.len() <= MAX_ROWS).then_some(())?;
            } else {
                outputs.push(self.outputs(&targets, &scope));
            }
        }
        if is_distinct {
            let is_known = outputs.iter().flatten().all(|(_, value)| value.is_some());
            is_known.then_some(())?;
            let mut seen = std::collections::BTreeSet::new();
            outputs.retain(|output| seen.insert(output.clone()));
        }
        Some(outputs)
    }

    /// Returns the rows of `SELECT f()` with a set-returning function.
    fn set_of_target(&self, target: &SyntaxNode) -> Option<Option<Vec<Output>>> {
        let call = target.children().next()?;
        let function = routine::callee(&call).pop()?;
        let is_call = call.kind() == SyntaxKind::CALL_EXPR
            && self.state.functions().contains_key(&function)
            && self.may_return_set(&call);
        is_call.then(|| self.rows_of_function(&call))
    }

    /// Returns the rows that a select list with set-returning functions produces from one row. The
    /// sets are side by side, and the shorter ones end in NULL.
    fn rows_of_sets(&self, targets: &[SyntaxNode], scope: &Scope<'_>) -> Option<Vec<Output>> {
        let mut columns = Vec::new();
        for target in targets {
            let call = target.children().next()?;
            let calls: Vec<_> = routine::calls_in(&call)
                .filter(|call| self.may_return_set(call))
                .collect();
            let values = match calls.as_slice() {
                [] => None,
                // A set within an expression produces rows too, but it is rare and not supported.
                [only] if *only == call => Some(self.set_of(&call, scope)?),
                _ => return None,
            };
            columns.push((target, values));
        }
        let lengths = columns
            .iter()
            .filter_map(|(_, values)| Some(values.as_ref()?.len()));
        let mut rows = Vec::new();
        for index in 0..lengths.max()? {
            let mut output = Output::new();
            for (target, values) in &columns {
                let mut own = self.outputs(std::slice::from_ref(*target), scope);
                if let Some(values) = values {
                    let value = values.get(index).cloned().unwrap_or(Datum::Null);
                    own.iter_mut()
                        .for_each(|(_, own)| *own = Some(value.clone()));
                }
                output.extend(own);
            }
            rows.push(output);
        }
        Some(rows)
    }

    fn outputs(&self, targets: &[SyntaxNode], scope: &Scope<'_>) -> Output {
        let mut output = Vec::new();
        for target in targets {
            let Some(expression) = target.children().next() else {
                let parts = scope.row.iter().flat_map(|row| &row.parts);
                output.extend(parts.flat_map(|part| part.columns.clone()));
                continue;
            };
            let alias = child_name(target, SyntaxKind::AS_NAME);
            let named = alias.unwrap_or_else(|| column_name(&expression));
            output.push((named, self.value_of(&expression, scope)));
        }
        output
    }

    /// Returns the rows for which all conditions are true, or `None` if one condition is unknown.
    pub(crate) fn fitting(
        &self,
        rows: Vec<Row>,
        conditions: &[Condition],
        outer: &Scope<'_>,
    ) -> Option<Vec<Row>> {
        let mut fitting = Vec::new();
        for row in rows {
            if self.fits(&row, conditions.iter(), outer)? {
                fitting.push(row);
            }
        }
        Some(fitting)
    }

    /// Returns whether all conditions are true. One that is certainly not true decides, whatever
    /// the others are.
    pub(crate) fn fits<'a>(
        &self,
        row: &Row,
        conditions: impl Iterator<Item = &'a Condition>,
        outer: &Scope<'_>,
    ) -> Option<bool> {
        let scope = Scope {
            row: Some(row),
            group: None,
            outer: Some(outer),
        };
        let mut is_known = true;
        for condition in conditions {
            match self.value_of(&condition.node, &scope) {
                Some(Datum::Bool(true)) => {}
                Some(Datum::Bool(false) | Datum::Null) => return Some(false),
                _ => is_known = false,
            }
        }
        is_known.then_some(true)
    }

    fn sorted(&self, rows: Vec<Row>, order: &SyntaxNode, outer: &Scope<'_>) -> Option<Vec<Row>> {
        use SyntaxKind as K;
        let keys: Vec<(SyntaxNode, bool)> = order
            .descendants()
            .filter(|part| part.kind() == K::SORT_BY)
            .filter_map(|part| Some((part.children().next()?, has(&part, K::SORT_DESC))))
            .collect();
        let mut keyed = rows
            .into_iter()
            .map(|row| {
                let scope = Scope {
                    row: Some(&row),
                    group: None,
                    outer: Some(outer),
                };
                let values = keys.iter().map(|(key, _)| self.value_of(key, &scope));
                let values = values.collect::<Option<Vec<_>>>()?;
                Some((values, row))
            })
            .collect::<Option<Vec<_>>>()?;
        keyed.sort_by(|(a, _), (b, _)| {
            let positions = a.iter().zip(b).zip(&keys);
            let mut orders = positions.map(
                |((a, b), (_, descends))| {
                    if *descends { b.cmp(a) } else { a.cmp(b) }
                },
            );
            orders
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        Some(keyed.into_iter().map(|(_, row)| row).collect())
    }
}

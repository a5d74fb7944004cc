//! FROM of an evaluated query: tables, subqueries, sets and joins.

use std::collections::BTreeMap;
use std::rc::Rc;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::program::Program;
use crate::replay::program::evaluate::rows::{Condition, MAX_ROWS, Output, Part, Row, conjuncts};
use crate::replay::program::evaluate::{Datum, Scope, operator};
use crate::replay::syntax::routine;
use crate::replay::syntax::tree::{child, child_name, child_names, has, is_query, path};

impl Program {
    /// Returns each row combined with each row of a FROM item, except those that a condition
    /// already excludes.
    pub(crate) fn times(
        &self,
        rows: &[Row],
        item: &SyntaxNode,
        conditions: &[Condition],
        outer: &Scope<'_>,
    ) -> Option<Vec<Row>> {
        // A table is the same for every row, and is looked up by its join columns.
        let table = match item.kind() {
            SyntaxKind::RELATION_FROM_ITEM => Some(self.items(item, outer)?),
            _ => None,
        };
        let index = table
            .as_deref()
            .and_then(|table| self.indexed(table, rows, conditions));
        let mut all = Vec::new();
        let mut positions = 0;
        for row in rows {
            let scope = Scope {
                row: Some(row),
                group: None,
                outer: Some(outer),
            };
            let found = match (&index, &table) {
                (Some((key, index)), Some(table)) => {
                    let value = match self.value_of(key, &scope)? {
                        Datum::Object { name, .. } => Datum::Object {
                            name,
                            is_named: false,
                        },
                        value => value,
                    };
                    let positions = index.get(&value).into_iter().flatten();
                    positions.map(|position| table[*position].clone()).collect()
                }
                (_, Some(table)) => table.clone(),
                _ => self.items(item, &scope)?,
            };
            for found in found {
                let mut joined = row.clone();
                joined.parts.extend(found.parts);
                let is_there =
                    |alias: &String| joined.parts.iter().any(|part| part.alias == *alias);
                let ready = conditions.iter().filter(|condition| {
                    let aliases = condition.aliases.as_ref();
                    aliases.is_some_and(|aliases| aliases.iter().all(is_there))
                });
                positions += 1;
                if self.fits(&joined, ready, outer) != Some(false) {
                    all.push(joined);
                }
            }
            (positions <= MAX_ROWS && self.budget.takes_a_step()).then_some(())?;
        }
        Some(all)
    }

    /// Returns the column of the rows to join by, and an index of the table's rows by its own
    /// column. Returns `None` unless a condition equates two columns.
    fn indexed(
        &self,
        table: &[Row],
        rows: &[Row],
        conditions: &[Condition],
    ) -> Option<(SyntaxNode, BTreeMap<Datum, Vec<usize>>)> {
        let alias = &table.first()?.parts.first()?.alias;
        let before = &rows.first()?.parts;
        let is_column = |node: &SyntaxNode| node.kind() == SyntaxKind::FIELD_EXPR;
        for condition in conditions {
            let sides: Vec<_> = condition
                .node
                .children()
                .filter(|part| is_column(part))
                .collect();
            let [left, right] = sides.as_slice() else {
                continue;
            };
            let is_equal = condition
                .node
                .children_with_tokens()
                .any(|part| part.kind() == SyntaxKind::EQ);
            let of = |node: &SyntaxNode| path(node).into_iter().next();
            let (joined, other) = match (of(left)? == *alias, of(right)? == *alias) {
                (true, false) => (left, right),
                (false, true) => (right, left),
                _ => continue,
            };
            let other_alias = of(other)?;
            if !is_equal || !before.iter().any(|part| part.alias == other_alias) {
                continue;
            }
            let mut index: BTreeMap<Datum, Vec<usize>> = BTreeMap::new();
            for (position, row) in table.iter().enumerate() {
                let scope = Scope {
                    row: Some(row),
                    group: None,
                    outer: None,
                };
                let Datum::Object { name, .. } = self.value_of(joined, &scope)? else {
                    return None;
                };
                let key = Datum::Object {
                    name,
                    is_named: false,
                };
                index.entry(key).or_default().push(position);
            }
            return Some((other.clone(), index));
        }
        None
    }

    fn items(&self, node: &SyntaxNode, scope: &Scope<'_>) -> Option<Vec<Row>> {
        use SyntaxKind as K;
        let of_outputs = |outputs: Vec<Output>, alias: String, names: &[String]| {
            let rows = outputs.into_iter().map(|mut columns| {
                for (column, name) in columns.iter_mut().zip(names) {
                    column.0.clone_from(name);
                }
                Row {
                    parts: vec![Rc::new(Part {
                        alias: alias.clone(),
                        columns,
                    })],
                }
            });
            rows.collect()
        };
        let alias = child(node, K::FROM_ALIAS);
        let named = alias
            .as_ref()
            .and_then(|alias| child_name(alias, K::TABLE_ALIAS));
        let names = alias
            .and_then(|alias| child(&alias, K::COLUMN_LIST))
            .map(|list| child_names(&list, K::COLUMN_NAME))
            .unwrap_or_default();
        match node.kind() {
            K::RELATION_FROM_ITEM => {
                let parts = path(&child(node, K::RELATION_NAME_REF)?);
                let alias = named.or_else(|| parts.last().cloned())?;
                if let Some(rows) = self.system_rows(&parts) {
                    return Some(of_outputs(rows?, alias, &names));
                }
                let table = self.state.find_relation(&parts)?;
                self.state.is_certainly_empty(&table).then(Vec::new)
            }
            K::PAREN_FROM_ITEM | K::PAREN_EXPR => {
                let inner = node.children().find(|part| part.kind() != K::FROM_ALIAS)?;
                if is_query(inner.kind()) {
                    let rows = self.rows_of(&inner, scope)?;
                    return Some(of_outputs(rows, named.unwrap_or_default(), &names));
                }
                named.is_none().then(|| self.items(&inner, scope))?
            }
            K::FUNCTION_FROM_ITEM => {
                let call = child(node, K::CALL_EXPR)?;
                let function = routine::callee(&call).pop()?;
                let values = self.set_of(&call, scope)?;
                let alias = named.unwrap_or(function);
                let is_numbered = has(node, K::WITH_ORDINALITY);
                let rows = values.into_iter().enumerate().map(|(position, value)| {
                    let mut columns = vec![(alias.clone(), Some(value))];
                    if is_numbered {
                        let number = i64::try_from(position + 1).ok().map(Datum::Int);
                        columns.push(("ordinality".to_owned(), number));
                    }
                    columns
                });
                Some(of_outputs(rows.collect(), alias.clone(), &names))
            }
            K::JOIN_EXPR => self.joined(node, scope),
            _ => None,
        }
    }

    fn joined(&self, node: &SyntaxNode, scope: &Scope<'_>) -> Option<Vec<Row>> {
        use SyntaxKind as K;
        let mut parts = node.children();
        let mut rows = self.items(&parts.next()?, scope)?;
        for join in parts.filter(|part| part.kind() == K::JOIN) {
            let is_inner = !join
                .descendants()
                .any(|part| matches!(part.kind(), K::JOIN_LEFT | K::JOIN_RIGHT | K::JOIN_FULL));
            let on = child(&join, K::ON_CLAUSE);
            let right = join.children().find(|part| {
                matches!(
                    part.kind(),
                    K::RELATION_FROM_ITEM
                        | K::PAREN_FROM_ITEM
                        | K::JOIN_EXPR
                        | K::FUNCTION_FROM_ITEM
                )
            })?;
            if rows.is_empty() && !has(&join, K::JOIN_RIGHT) && !has(&join, K::JOIN_FULL) {
                // The join of no rows with another item has no rows, whatever the other item is.
                continue;
            }
            let using = child(&join, K::JOIN_USING_CLAUSE)
                .and_then(|clause| child(&clause, K::COLUMN_REF_LIST))
                .map(|list| child_names(&list, K::COLUMN_NAME_REF))
                .unwrap_or_default();
            let is_natural = has(&join, K::NATURAL_KW);
            if !is_inner || is_natural {
                return None;
            }
            let before = rows.first().map_or(0, |row| row.parts.len());
            let mut conditions = Vec::new();
            if let Some(on) = on {
                conjuncts(&on.children().next()?, &mut conditions);
            }
            rows = self.times(&rows, &right, &conditions, scope)?;
            for name in &using {
                let find = |parts: &[Rc<Part>]| {
                    let mut columns = parts.iter().flat_map(|part| &part.columns);
                    columns.find(|(column, _)| column == name)?.1.clone()
                };
                let mut kept = Vec::new();
                for row in rows {
                    let (left, right) = (find(&row.parts[..before])?, find(&row.parts[before..])?);
                    if operator::compare("=", &left, &right)? == Datum::Bool(true) {
                        kept.push(row);
                    }
                }
                rows = kept;
            }
            rows = self.fitting(rows, &conditions, scope)?;
        }
        Some(rows)
    }
}

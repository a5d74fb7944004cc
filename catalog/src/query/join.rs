//! Joins, as PostgreSQL's grammar nests them.

use super::alias::quoted;
use super::analyzer::{Analyzer, Result};
use super::expr::{Expr, Kind, Span, TableId};
use super::fault::Fault;
use super::nulls::OuterJoin;
use super::raw::span_of;
use super::scope::{Item, Joined, StarColumn};
use super::types;
use crate::replay::syntax::tree::{child, child_name, child_names, has, seen};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    pub(super) fn aliased_join(&mut self, joined: Joined, alias: &SyntaxNode) -> Result<Joined> {
        let Some(named) = child_name(alias, K::TABLE_ALIAS) else {
            return Ok(joined);
        };
        let names = child(alias, K::COLUMN_LIST)
            .map(|list| child_names(&list, K::COLUMN_NAME))
            .unwrap_or_default();
        let mut columns: Vec<(String, Expr)> = joined
            .star
            .into_iter()
            .map(|it| (it.name, it.value))
            .collect();
        for ((column, _), name) in columns.iter_mut().zip(&names) {
            column.clone_from(name);
        }
        let star = columns.iter().map(|(name, value)| StarColumn {
            name: name.clone(),
            value: value.clone(),
            alias: Some(quoted(&named)),
        });
        Ok(Joined {
            star: star.collect(),
            items: vec![Item {
                alias: Some(named),
                schema: None,
                table: None,
                columns: columns.into(),
                shows_columns: true,
                shows_alias: true,
                is_forbidden: false,
            }],
            tables: joined.tables,
        })
    }

    /// Reads joins from left to right, as PostgreSQL's grammar nests them.
    pub(super) fn join_sequence(
        &mut self,
        parts: &mut std::iter::Peekable<std::vec::IntoIter<Part>>,
        span: &Span,
    ) -> Result<Joined> {
        let mut left = self.join_item(parts, span)?;
        while matches!(parts.peek(), Some(Part::Join(_))) {
            left = self.join_step(left, parts, span)?;
        }
        Ok(left)
    }

    pub(super) fn join_item(
        &mut self,
        parts: &mut std::iter::Peekable<std::vec::IntoIter<Part>>,
        span: &Span,
    ) -> Result<Joined> {
        match parts.next() {
            Some(Part::Item(node)) => self.read_item(&node),
            _ => Err(Fault::refused(span.clone(), "the join is incomplete")),
        }
    }

    pub(super) fn join_step(
        &mut self,
        left: Joined,
        parts: &mut std::iter::Peekable<std::vec::IntoIter<Part>>,
        span: &Span,
    ) -> Result<Joined> {
        let Some(Part::Join(join)) = parts.next() else {
            return Err(Fault::refused(span.clone(), "the join is incomplete"));
        };
        let before = self.scope().lateral.len();
        let is_forbidden = has(&join, K::JOIN_RIGHT) || has(&join, K::JOIN_FULL);
        let items = left.items.iter().cloned().map(|item| Item {
            is_forbidden: item.is_forbidden || is_forbidden,
            ..item
        });
        self.scope().lateral.extend(items);
        let right = self.join_right(&join, parts, span);
        self.scope().lateral.truncate(before);
        let (right, condition) = right?;
        self.check_names(&left, &right, &span_of(&join))?;
        self.join(&join, left, right, condition.as_ref())
    }

    pub(super) fn join_right(
        &mut self,
        join: &SyntaxNode,
        parts: &mut std::iter::Peekable<std::vec::IntoIter<Part>>,
        span: &Span,
    ) -> Result<(Joined, Option<SyntaxNode>)> {
        let mut right = self.join_item(parts, span)?;
        if has(join, K::NATURAL_KW) || has(join, K::JOIN_CROSS) {
            return Ok((right, None));
        }
        loop {
            match parts.peek() {
                Some(Part::Condition(condition)) => {
                    let condition = condition.clone();
                    parts.next();
                    return Ok((right, Some(condition)));
                }
                Some(Part::Join(_)) => right = self.join_step(right, parts, span)?,
                _ => {
                    return Err(Fault::error(
                        "42601",
                        span_of(join),
                        "the join has no ON or USING",
                    ));
                }
            }
        }
    }

    pub(super) fn join(
        &mut self,
        join: &SyntaxNode,
        left: Joined,
        right: Joined,
        condition: Option<&SyntaxNode>,
    ) -> Result<Joined> {
        let kind = if has(join, K::JOIN_LEFT) {
            JoinKind::Left
        } else if has(join, K::JOIN_RIGHT) {
            JoinKind::Right
        } else if has(join, K::JOIN_FULL) {
            JoinKind::Full
        } else {
            JoinKind::Inner
        };
        let narrowed: Vec<TableId> = match kind {
            JoinKind::Inner => left.tables.iter().chain(&right.tables).copied().collect(),
            JoinKind::Left => right.tables.clone(),
            JoinKind::Right => left.tables.clone(),
            JoinKind::Full => Vec::new(),
        };
        let mut conditions = Vec::new();
        let mut shared = Vec::new();
        let mut using_alias = None;
        if has(join, K::NATURAL_KW) {
            for column in &left.star {
                if right.star.iter().any(|other| other.name == column.name) {
                    shared.push(column.name.clone());
                }
            }
        }
        let mut joined = Joined {
            items: left.items.iter().chain(&right.items).cloned().collect(),
            star: left.star.iter().chain(&right.star).cloned().collect(),
            tables: left.tables.iter().chain(&right.tables).copied().collect(),
        };
        match condition.map(SyntaxNode::kind) {
            Some(K::ON_CLAUSE) => {
                let value = condition.and_then(|condition| condition.children().next());
                if let Some(value) = value {
                    let items = std::mem::replace(&mut self.scope().items, joined.items.clone());
                    let previous = self.scope().no_aggregate.replace("JOIN conditions");
                    let value = self
                        .value(&value)
                        .and_then(|it| self.boolean(it, "JOIN/ON"));
                    self.scope().no_aggregate = previous;
                    if let Some(value) = self.tolerate(value)?
                        && self.objects.is_none()
                    {
                        self.narrow(&value, &narrowed);
                        self.bind(&value, &narrowed);
                        conditions.push(value);
                    }
                    self.scope().items = joined.items.clone();
                    if let Some(condition) = condition {
                        self.note_unknown(condition);
                    }
                    self.scope().items = items;
                }
            }
            Some(K::JOIN_USING_CLAUSE) => {
                if let Some(clause) = condition {
                    let list = child(clause, K::COLUMN_REF_LIST);
                    shared = list
                        .map(|list| child_names(&list, K::COLUMN_NAME_REF))
                        .unwrap_or_default();
                    using_alias = child(clause, K::REQUIRED_AS_ALIAS)
                        .and_then(|alias| child_name(&alias, K::TABLE_ALIAS));
                }
            }
            _ => {}
        }
        if !shared.is_empty() || using_alias.is_some() {
            let sides = (left.clone(), right.clone());
            joined = self.merge(join, kind, sides, &shared, &narrowed, &mut conditions)?;
            if let Some(alias) = using_alias {
                let columns = joined.star.iter().take(shared.len());
                joined.items.push(Item {
                    alias: Some(alias),
                    schema: None,
                    table: None,
                    columns: columns
                        .map(|it| (it.name.clone(), it.value.clone()))
                        .collect(),
                    shows_columns: false,
                    shows_alias: true,
                    is_forbidden: false,
                });
            }
        }
        // A single row that is always there is joined to each row.
        let has_row = |id: &TableId| {
            let table = &self.tables[id.0];
            table.has_row && table.nulled_by.is_empty()
        };
        let is_always = |it: &Expr| {
            it.ty == types::BOOL && matches!(&it.kind, Kind::Const(Some(text)) if text == "true")
        };
        let always_matches = kind == JoinKind::Left
            && matches!(conditions.as_slice(), [only] if is_always(only))
            && matches!(right.tables.as_slice(), [only] if has_row(only));
        if always_matches {
            for table in &right.tables {
                self.tables[table.0].is_outer = true;
            }
        }
        // A row of one side of a FULL JOIN need not have a counterpart on the other side.
        let nulled = match kind {
            JoinKind::Inner => [Vec::new(), Vec::new()],
            JoinKind::Left if always_matches => [Vec::new(), Vec::new()],
            JoinKind::Left => [Vec::new(), right.tables],
            JoinKind::Right => [left.tables, Vec::new()],
            JoinKind::Full => [left.tables, right.tables],
        };
        for side in nulled {
            self.joins += 1;
            if kind != JoinKind::Full && !side.is_empty() && !conditions.is_empty() {
                self.outer_joins.push(OuterJoin {
                    number: self.joins,
                    conditions: std::mem::take(&mut conditions),
                    tables: joined.tables.clone(),
                });
            }
            for table in side {
                self.tables[table.0].nulled_by.push(self.joins);
            }
        }
        if kind == JoinKind::Full {
            self.scope().has_full_join = true;
        }
        Ok(joined)
    }

    /// Returns a join by common columns. Its columns are the common ones, each once, and then the
    /// others.
    pub(super) fn merge(
        &mut self,
        join: &SyntaxNode,
        kind: JoinKind,
        (left, right): (Joined, Joined),
        shared: &[String],
        narrowed: &[TableId],
        conditions: &mut Vec<Expr>,
    ) -> Result<Joined> {
        let span = span_of(join);
        let mut star = Vec::new();
        let mut pairs = Vec::new();
        for (at, name) in shared.iter().enumerate() {
            if shared[..at].contains(name) {
                let message =
                    format!("column name \"{name}\" appears more than once in USING clause");
                return Err(Fault::error("42701", span, message));
            }
            let find = |side: &Joined, word: &str| {
                let mut found = side.star.iter().filter(|column| column.name == *name);
                let first = found.next().ok_or_else(|| {
                    let message = format!(
                        "column \"{name}\" specified in USING clause does not exist in {word} table"
                    );
                    Fault::error("42703", span.clone(), message)
                })?;
                if found.next().is_some() {
                    let message = format!(
                        "common column name \"{name}\" appears more than once in {word} table"
                    );
                    return Err(Fault::error("42702", span.clone(), message));
                }
                Ok(first.value.clone())
            };
            let (one, other) = (find(&left, "left")?, find(&right, "right")?);
            self.note_columns(&one);
            self.note_columns(&other);
            pairs.push((name, one, other));
        }
        // All operators are looked up before the first common type.
        for (_, one, other) in &pairs {
            let equal = self.operate("=", vec![one.clone(), other.clone()], span.clone())?;
            self.narrow(&equal, narrowed);
            self.bind(&equal, narrowed);
            conditions.push(equal);
        }
        for (name, one, other) in pairs {
            let common = self.common(&[&one, &other], "JOIN/USING")?;
            let sides = [
                (one.ty, self.form_of(&one)),
                (other.ty, self.form_of(&other)),
            ];
            let form = self.common_form(common, &sides);
            let one_is_column = matches!(one.kind, Kind::Var { .. }) && one.ty == common;
            let other_is_column = matches!(other.kind, Kind::Var { .. }) && other.ty == common;
            let one = self.convert(one, common)?;
            let other = self.convert(other, common)?;
            let value = match kind {
                JoinKind::Inner if one_is_column || !other_is_column => one,
                JoinKind::Inner | JoinKind::Right => other,
                JoinKind::Left => one,
                JoinKind::Full => Expr::new(common, Kind::Coalesce(vec![one, other]), span.clone()),
            };
            star.push(StarColumn {
                name: name.clone(),
                value: Expr {
                    form: Some(form),
                    ..value
                },
                alias: None,
            });
        }
        let rest = left.star.iter().chain(&right.star);
        star.extend(
            rest.filter(|column| !shared.contains(&column.name))
                .cloned(),
        );
        let mut items: Vec<Item> = left.items.into_iter().chain(right.items).collect();
        for item in &mut items {
            item.shows_columns = false;
        }
        items.push(Item {
            alias: None,
            schema: None,
            table: None,
            columns: star
                .iter()
                .map(|it| (it.name.clone(), it.value.clone()))
                .collect(),
            shows_columns: true,
            shows_alias: false,
            is_forbidden: false,
        });
        Ok(Joined {
            items,
            star,
            tables: left.tables.into_iter().chain(right.tables).collect(),
        })
    }
}

/// A part of a join, in the order of the text.
pub(super) enum Part {
    Item(SyntaxNode),
    Join(SyntaxNode),
    /// ON or USING of the join.
    Condition(SyntaxNode),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
}

pub(super) fn is_from_item(kind: K) -> bool {
    matches!(
        kind,
        K::RELATION_FROM_ITEM
            | K::JOIN_EXPR
            | K::PAREN_FROM_ITEM
            | K::PAREN_EXPR
            | K::FUNCTION_FROM_ITEM
            | K::ROWS_FROM_ITEM
            | K::JSON_TABLE_FROM_ITEM
            | K::XML_TABLE_FROM_ITEM
    )
}

/// Lists the items, joins and conditions in the order of the text.
pub(super) fn join_parts(node: &SyntaxNode, parts: &mut Vec<Part>) {
    for part in node.children() {
        match seen(part.kind()) {
            K::JOIN_EXPR => join_parts(&part, parts),
            K::JOIN => {
                parts.push(Part::Join(part.clone()));
                for inner in part.children() {
                    match seen(inner.kind()) {
                        K::JOIN_EXPR => join_parts(&inner, parts),
                        K::ON_CLAUSE | K::JOIN_USING_CLAUSE => parts.push(Part::Condition(inner)),
                        kind if is_from_item(kind) => parts.push(Part::Item(inner)),
                        _ => {}
                    }
                }
            }
            K::ON_CLAUSE | K::JOIN_USING_CLAUSE => parts.push(Part::Condition(part)),
            kind if is_from_item(kind) => parts.push(Part::Item(part)),
            _ => {}
        }
    }
}

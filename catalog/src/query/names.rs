//! Names of columns, tables and fields (parse_relation.c, parse_expr.c).

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::{Analyzer, Result};
use super::expr::{Expr, Kind, Span, TableId};
use super::fault::Fault;
use super::raw::span_of;
use super::scope::{Item, StarColumn};
use super::similar::{distance, similar};
use super::types;
use crate::RelationKind;
use crate::replay::builtin;
use crate::replay::syntax::tree::{has, name, path, seen, text};

/// The columns that every table has.
const SYSTEM_COLUMNS: [(&str, types::TypeId); 6] = [
    ("tableoid", types::OID),
    ("ctid", types::TID),
    ("xmin", types::XID),
    ("xmax", types::XID),
    ("cmin", types::CID),
    ("cmax", types::CID),
];

impl Analyzer<'_> {
    /// Returns a column by its bare name.
    fn bare_column(&mut self, name: &str, span: &Span) -> Result<Option<Expr>> {
        for depth in (0..self.scopes.len()).rev() {
            let scope = &self.scopes[depth];
            let lateral = scope.lateral.iter().filter(|_| scope.is_lateral);
            let mut found: Option<&Expr> = None;
            for item in scope
                .items
                .iter()
                .chain(lateral)
                .filter(|item| item.shows_columns)
            {
                let mut columns = item.columns.iter().filter(|(column, _)| column == name);
                let Some((_, value)) = columns.next() else {
                    continue;
                };
                if found.is_some() || columns.next().is_some() {
                    let message = format!("column reference \"{name}\" is ambiguous");
                    return Err(Fault::error("42702", span.clone(), message)
                        .hint("write the table before it"));
                }
                // PostgreSQL looks no further than an item that cannot be referenced here.
                allowed(item, span)?;
                found = Some(value);
            }
            if let Some(value) = found {
                let mut value = value.clone();
                value.span = span.clone();
                return Ok(Some(self.use_column(value, depth)));
            }
            if let Some((_, ty)) = SYSTEM_COLUMNS.iter().find(|(column, _)| *column == name) {
                let scope = &self.scopes[depth];
                let items = scope.items.iter().filter(|item| item.shows_columns);
                let mut tables = items.filter_map(|item| self.system_columns_of(item));
                if let Some(table) = tables.next() {
                    if tables.next().is_some() {
                        let message = format!("column reference \"{name}\" is ambiguous");
                        return Err(Fault::error("42702", span.clone(), message)
                            .hint("write the table before it"));
                    }
                    return Ok(Some(self.system_column(table, *ty, depth, span)));
                }
            }
        }
        Ok(None)
    }

    /// Returns the table of an item, if its rows have system columns. Those of views have none.
    fn system_columns_of(&self, item: &Item) -> Option<TableId> {
        let id = item.table?;
        let name = self.table(id).relation.as_ref()?;
        let relation = self.catalog.relations.get(name)?;
        (relation.kind != RelationKind::View).then_some(id)
    }

    /// Returns a system column, which is NULL only where the whole row is missing.
    fn system_column(
        &mut self,
        table: TableId,
        ty: types::TypeId,
        depth: usize,
        span: &Span,
    ) -> Expr {
        let row = Expr::new(self.table(table).row, Kind::Row(table), span.clone());
        let value = Expr::new(ty, Kind::Coerce(Box::new(row)), span.clone());
        self.use_column(value, depth)
    }

    /// Records that a column is read, also in each query between its own and the current one.
    pub(super) fn use_column(&mut self, value: Expr, depth: usize) -> Expr {
        value.any(&mut |it| {
            if let Kind::Var { table, column } = &it.kind {
                let column = &self.tables[table.0].columns[*column];
                if let Some(origin) = &column.origin {
                    self.reads.insert(origin.clone());
                    if self.objects.is_some() {
                        self.used.columns.insert((**origin).clone());
                    }
                }
            }
            false
        });
        for scope in self.scopes.iter_mut().skip(depth + 1) {
            scope.outer.push((depth, value.clone()));
        }
        value
    }

    /// Notes that a query uses the columns in a value.
    pub(super) fn note_columns(&mut self, value: &Expr) {
        let depth = self.scopes.len().saturating_sub(1);
        self.use_column(value.clone(), depth);
    }

    /// Returns an item of FROM by its alias or name, with the depth of its query.
    fn item(&self, parts: &[String]) -> Option<(usize, Item)> {
        for depth in (0..self.scopes.len()).rev() {
            let scope = &self.scopes[depth];
            let lateral = scope.lateral.iter().filter(|_| scope.is_lateral);
            let fits = |item: &&Item| {
                item.shows_alias
                    && match parts {
                        [name] => item.alias.as_ref() == Some(name),
                        [schema, name] => {
                            item.alias.as_ref() == Some(name)
                                && item.schema.as_ref() == Some(schema)
                        }
                        _ => false,
                    }
            };
            if let Some(found) = scope.items.iter().chain(lateral).find(fits) {
                return Some((depth, found.clone()));
            }
        }
        None
    }

    pub(super) fn name_value(&mut self, node: &SyntaxNode, span: Span) -> Result<Expr> {
        let column = name(node);
        if let Some(found) = self.bare_column(&column, &span)? {
            return Ok(found);
        }
        if !text(node).starts_with('"')
            && let Some(found) = keyword_value(&column)
        {
            if column == "system_user" {
                self.since(16, "`system_user`", &span)?;
            }
            let kind = Kind::Const(Some(column));
            return Ok(Expr::new(found, kind, span));
        }
        if let Some((depth, item)) = self.item(std::slice::from_ref(&column)) {
            allowed(&item, &span)?;
            return Ok(self.row_value(&item, depth, span));
        }
        let scopes = self.scopes.iter().flat_map(|scope| &scope.items);
        if let Some(fault) = scopes
            .into_iter()
            .find_map(|it| self.later_column(it, &column, &span))
        {
            return Err(fault);
        }
        let message = format!("column \"{column}\" does not exist");
        let fault = Fault::error("42703", span, message);
        Err(match self.similar_column(&column) {
            Some(similar) => fault.hint(format!("did you mean {similar}?")),
            None => fault.hint("check the spelling, and whether a table in FROM has it"),
        })
    }

    /// Returns the error for a column of a system table that only a later version has.
    fn later_column(&self, item: &Item, column: &str, span: &Span) -> Option<Fault> {
        let system = self.table(item.table?).system.as_ref()?;
        let came = builtin::came_with(&format!("column:{system}.{column}"));
        let what = format!("`{column}`");
        match came.filter(|came| self.is_before(*came)) {
            Some(came) => Some(self.too_new("42703", &what, came, span)),
            None => self.gone_columns(system, span),
        }
    }

    /// Returns the error for the name of a table that FROM does not have.
    fn no_table(&self, parts: &[String], span: Span) -> Fault {
        let wanted = parts.last().map(String::as_str).unwrap_or_default();
        let items = || self.scopes.iter().rev().flat_map(|scope| &scope.items);
        let is_hidden = |item: &&Item| {
            let relation = item.table.and_then(|it| self.table(it).relation.as_ref());
            parts.len() == 1 && relation.is_some_and(|it| it.name == wanted)
        };
        let alias = |item: &Item| item.alias.as_deref().map(super::alias::quoted);
        if let Some(alias) = items().find(is_hidden).and_then(alias) {
            let message = format!("invalid reference to FROM-clause entry for table \"{wanted}\"");
            return Fault::error("42P01", span, message).hint(format!("write its alias: {alias}"));
        }
        let is_beside = |item: &Item| {
            parts.len() == 1 && item.shows_alias && item.alias.as_deref() == Some(wanted)
        };
        let mut beside = self.scopes.iter().flat_map(|scope| &scope.lateral);
        if beside.any(is_beside) {
            let message = format!("invalid reference to FROM-clause entry for table \"{wanted}\"");
            return Fault::error("42P01", span, message).hint(
                "this part of the query cannot read it: move the condition to WHERE, or write LATERAL",
            );
        }
        let message = format!("missing FROM-clause entry for table \"{wanted}\"");
        let fault = Fault::error("42P01", span, message);
        let named = items().filter_map(|it| it.alias.as_deref());
        match similar(wanted, named) {
            Some(similar) => fault.hint(format!("did you mean {similar}?")),
            None => fault.hint("check the alias, and whether FROM has the table"),
        }
    }

    /// Returns the whole row of an item of FROM.
    fn row_value(&mut self, item: &Item, depth: usize, span: Span) -> Expr {
        let value = match item.table {
            Some(table) if self.table(table).is_value => {
                let mut value = item.columns[0].1.clone();
                value.span = span;
                value
            }
            Some(table) => Expr::new(self.table(table).row, Kind::Row(table), span),
            None => {
                let fields = item
                    .columns
                    .iter()
                    .map(|(_, value)| value.clone())
                    .collect();
                Expr::new(types::RECORD, Kind::RowOf(fields), span)
            }
        };
        if let Some(table) = item.table {
            for at in 0..self.tables[table.0].columns.len() {
                if let Some(origin) = &self.tables[table.0].columns[at].origin {
                    self.reads.insert(origin.clone());
                }
            }
        }
        self.use_column(value, depth)
    }

    fn similar_column(&self, wanted: &str) -> Option<String> {
        let mut best: Option<(usize, String)> = None;
        for item in self.scopes.iter().flat_map(|scope| &scope.items) {
            for (column, _) in item.columns.iter() {
                let distance = distance(wanted, column);
                if distance <= (wanted.len() / 3).max(1)
                    && best.as_ref().is_none_or(|(least, _)| distance < *least)
                {
                    let alias = item.alias.as_deref().map(|alias| format!("{alias}."));
                    best = Some((distance, format!("{}{column}", alias.unwrap_or_default())));
                }
            }
        }
        best.map(|(_, name)| name)
    }

    pub(super) fn field_value(&mut self, node: &SyntaxNode, span: Span) -> Result<Expr> {
        let base = node
            .children()
            .next()
            .ok_or_else(|| Fault::refused(span.clone(), "the query is incomplete"))?;
        let is_path = is_path(&base);
        if has(node, K::STAR) {
            if is_path && let Some((depth, item)) = self.item(&path(&base)) {
                allowed(&item, &span)?;
                return Ok(self.row_value(&item, depth, span));
            }
            return self.value(&base);
        }
        if is_path {
            let parts = path(node);
            let (column, table) = match parts.split_last() {
                Some((column, table)) => (column.clone(), table.to_vec()),
                None => return Err(Fault::refused(span, "the name is incomplete")),
            };
            if let Some((depth, item)) = self.item(&table) {
                allowed(&item, &span)?;
                return self.item_column(&item, depth, &column, span);
            }
            if let [name] = table.as_slice()
                && matches!(name.as_str(), "old" | "new")
                && self
                    .scopes
                    .iter()
                    .any(|scope| scope.no_aggregate == Some("RETURNING"))
            {
                self.since(18, &format!("`{name}` in RETURNING"), &span)?;
            }
            // In PostgreSQL a field of `t.composite` is written `(t.composite).field`. Without the
            // parentheses PostgreSQL takes the first name for that of a table.
            return Err(self.no_table(&table, span));
        }
        let value = self.value(&base)?;
        let wanted = node
            .children()
            .last()
            .map(|field| name(&field))
            .unwrap_or_default();
        self.field_of(value, &wanted, span)
    }

    fn item_column(&mut self, item: &Item, depth: usize, column: &str, span: Span) -> Result<Expr> {
        let mut found = item.columns.iter().filter(|(name, _)| name == column);
        if let Some((_, value)) = found.next() {
            if found.next().is_some() {
                let message = format!("column reference \"{column}\" is ambiguous");
                return Err(Fault::error("42702", span, message));
            }
            let mut value = value.clone();
            value.span = span;
            return Ok(self.use_column(value, depth));
        }
        if let Some(table) = self.system_columns_of(item)
            && let Some((_, ty)) = SYSTEM_COLUMNS.iter().find(|(name, _)| *name == column)
        {
            return Ok(self.system_column(table, *ty, depth, &span));
        }
        // `t.f` can call a function `f` with the row as argument.
        let row = self.row_value(item, depth, span.clone());
        if let Some(call) = self.call_by_field(&row, column, &span) {
            return Ok(call);
        }
        if let Some(fault) = self.later_column(item, column, &span) {
            return Err(fault);
        }
        let alias = item.alias.clone().unwrap_or_default();
        let message = format!("column {alias}.{column} does not exist");
        let fault = Fault::error("42703", span, message);
        let similar = item
            .columns
            .iter()
            .map(|(name, _)| (distance(column, name), name))
            .min()
            .filter(|(distance, _)| *distance <= (column.len() / 3).max(1));
        Err(match similar {
            Some((_, similar)) => fault.hint(format!("did you mean {alias}.{similar}?")),
            None => fault.hint("check the spelling, and whether a migration creates it"),
        })
    }

    /// Returns a column of a table.
    pub(super) fn column_of(&mut self, table: TableId, column: usize, span: Span) -> Expr {
        let found = &self.tables[table.0].columns[column];
        if let Some(origin) = &found.origin {
            self.reads.insert(origin.clone());
            if self.objects.is_some() {
                self.used.columns.insert((**origin).clone());
            }
        }
        Expr::new(found.ty, Kind::Var { table, column }, span)
    }

    /// Returns the columns of `t.*` or `(composite).*`.
    pub(super) fn star_of(&mut self, node: &SyntaxNode) -> Result<Vec<StarColumn>> {
        let span = span_of(node);
        let base = node
            .children()
            .next()
            .ok_or_else(|| Fault::refused(span.clone(), "the query is incomplete"))?;
        if is_path(&base) {
            let parts = path(&base);
            let Some((depth, item)) = self.item(&parts) else {
                return Err(self.no_table(&parts, span));
            };
            let alias = text(&base);
            let columns = item.columns.iter().map(|(name, value)| StarColumn {
                name: name.clone(),
                value: value.clone(),
                alias: Some(alias.clone()),
            });
            let columns: Vec<_> = columns.collect();
            for column in &columns {
                self.use_column(column.value.clone(), depth);
            }
            return Ok(columns);
        }
        let value = self.value(&base)?;
        let fields = match (&value.kind, value.ty) {
            (Kind::Row(table), _) => {
                let columns = self.table(*table).columns.iter();
                Some(
                    columns
                        .map(|column| (column.name.clone(), column.ty))
                        .collect(),
                )
            }
            (Kind::RowOf(fields), types::RECORD) => {
                let names = (1..=fields.len()).map(|number| format!("f{number}"));
                let types = fields.iter().map(|field| field.ty);
                Some(names.zip(types).collect())
            }
            (Kind::Call(call), types::RECORD) if !call.columns.is_empty() => {
                Some(call.columns.clone())
            }
            _ => {
                let base = self.types.base(value.ty);
                self.fields_of(base)
            }
        };
        let Some(fields) = fields else {
            return Err(Fault::refused(span, "the fields of this are not known"));
        };
        let fields: Vec<String> = fields.into_iter().map(|(name, _)| name).collect();
        let written = text(&base);
        let mut columns = Vec::new();
        for field in fields {
            let value = self.field_of(value.clone(), &field, span.clone())?;
            columns.push(StarColumn {
                name: field,
                value,
                alias: Some(written.clone()),
            });
        }
        Ok(columns)
    }
}

/// Fails for an item of FROM that cannot be referenced at this position.
fn allowed(item: &Item, span: &Span) -> Result<()> {
    if item.is_forbidden {
        return Err(invalid_reference(item, span));
    }
    Ok(())
}

fn invalid_reference(item: &Item, span: &Span) -> Fault {
    let alias = item.alias.as_deref().unwrap_or_default();
    let message = format!("invalid reference to FROM-clause entry for table \"{alias}\"");
    Fault::error("42P10", span.clone(), message)
        .hint("the right side of RIGHT JOIN and FULL JOIN cannot read the left one")
}

fn is_path(node: &SyntaxNode) -> bool {
    match seen(node.kind()) {
        K::NAME_REF => true,
        K::FIELD_EXPR => node.children().next().is_some_and(|base| is_path(&base)),
        _ => false,
    }
}

/// Returns the type of a keyword that looks like a column.
pub(super) fn keyword_value(name: &str) -> Option<types::TypeId> {
    Some(match name {
        "current_timestamp" => types::TIMESTAMPTZ,
        "current_date" => types::DATE,
        "current_time" => types::TIMETZ,
        "localtime" => types::TIME,
        "localtimestamp" => types::TIMESTAMP,
        "current_user" | "session_user" | "user" | "current_role" | "current_catalog"
        | "current_schema" => types::NAME,
        "system_user" => types::TEXT,
        _ => return None,
    })
}

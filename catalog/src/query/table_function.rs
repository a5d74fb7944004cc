//! Functions and documents in FROM.

use std::rc::Rc;

use super::analyzer::{Analyzer, Result};
use super::expr::{Expr, Kind, Nulls, Span};
use super::fault::Fault;
use super::form::Form;
use super::locks::{Reach, Source};
use super::names::keyword_value;
use super::raw::span_of;
use super::scope::{Joined, Table, TableColumn};
use super::types;
use crate::replay::syntax::tree::{child, child_name, children, has, name, path, seen, text};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    pub(super) fn functions_item(&mut self, node: &SyntaxNode, span: Span) -> Result<Joined> {
        let scope = self.scope();
        let (was_lateral, returned_set) = (scope.is_lateral, scope.returns_set);
        scope.is_lateral = true;
        let joined = self.functions_item_inner(node, span);
        let scope = self.scope();
        scope.is_lateral = was_lateral;
        scope.returns_set = returned_set;
        joined
    }

    pub(super) fn functions_item_inner(&mut self, node: &SyntaxNode, span: Span) -> Result<Joined> {
        let alias = child(node, K::FROM_ALIAS);
        let given = alias
            .as_ref()
            .and_then(|alias| child_name(alias, K::TABLE_ALIAS));
        let mut calls = Vec::new();
        if node.kind() == K::ROWS_FROM_ITEM {
            for part in children(node, K::ROWS_FROM_ARG) {
                let call = part.children().find(|it| it.kind() != K::COLUMN_DEF_LIST);
                let call =
                    call.ok_or_else(|| Fault::refused(span.clone(), "no function is named"))?;
                calls.push((call, child(&part, K::COLUMN_DEF_LIST)));
            }
        } else {
            let is_call =
                |it: &SyntaxNode| !matches!(it.kind(), K::FROM_ALIAS | K::WITH_ORDINALITY);
            let call = node.children().find(is_call);
            let call = call.ok_or_else(|| Fault::refused(span.clone(), "no function is named"))?;
            let list = alias
                .as_ref()
                .and_then(|alias| child(alias, K::COLUMN_DEF_LIST));
            calls.push((call, list));
        }
        let is_only_one = calls.len() == 1;
        let (mut columns, mut first_name) = (Vec::new(), None);
        let (mut is_single, mut has_row, mut is_value) = (true, true, false);
        let mut row = types::RECORD;
        let mut functions = 0;
        for (call, definitions) in calls {
            let function = call
                .children()
                .next()
                .map(|it| name(&it))
                .unwrap_or_default();
            let function = if function.is_empty() {
                text(&call).to_ascii_lowercase()
            } else {
                function
            };
            let values = self.calls_of(&call, &function, &span)?;
            let is_only_one = is_only_one && values.len() == 1;
            for value in values {
                functions += 1;
                let shown = match (&given, is_only_one) {
                    (Some(alias), true) => alias.clone(),
                    _ => function.clone(),
                };
                check_arguments(&value, &span)?;
                if let Kind::Call(call) = &value.kind
                    && call.returns_set
                {
                    is_single = false;
                    has_row = false;
                }
                let is_scalar = self.columns_of_function(
                    &value,
                    definitions.as_ref(),
                    shown,
                    &span,
                    &mut columns,
                )?;
                if is_only_one {
                    is_value = is_scalar;
                    row = value.ty;
                }
            }
            first_name.get_or_insert(function);
        }
        if has(node, K::WITH_ORDINALITY) {
            is_value = false;
            row = types::RECORD;
            columns.push(TableColumn {
                name: "ordinality".to_owned(),
                ty: types::INT8,
                nullable: false,
                origin: None,
                composite: None,
                form: Form::default(),
            });
        }
        if columns.len() > 1 && is_value {
            row = types::RECORD;
        }
        if functions > 1 {
            // The columns of a shorter result are filled with NULL.
            for column in &mut columns {
                column.nullable = true;
            }
        }
        let depth = self.scopes.len().saturating_sub(1);
        let table = Table {
            relation: None,
            is_value: is_value && columns.len() == 1,
            is_self: false,
            reach: Reach::default(),
            source: Source::Function,
            alias: None,
            may_be_reduced: false,
            is_outer: false,
            system: None,
            columns,
            row,
            nulled_by: Vec::new(),
            is_single,
            keys: Rc::default(),
            has_row,
            is_only: false,
            depth,
        };
        self.finish(node, first_name, None, table)
    }

    /// Returns the table of a keyword such as `current_date`, which is a function of one row.
    pub(super) fn keyword_table(&mut self, node: &SyntaxNode) -> Option<(String, Table)> {
        let reference = child(node, K::RELATION_NAME_REF)?;
        let keyword = text(&reference).to_ascii_lowercase();
        let ty = keyword_value(&keyword)?;
        let depth = self.scopes.len().saturating_sub(1);
        let given = child(node, K::FROM_ALIAS).and_then(|it| child_name(&it, K::TABLE_ALIAS));
        let column = TableColumn {
            name: given.unwrap_or_else(|| keyword.clone()),
            ty,
            nullable: false,
            origin: None,
            composite: None,
            form: Form::default(),
        };
        let table = Table {
            source: Source::Function,
            is_value: true,
            row: ty,
            is_single: true,
            has_row: true,
            ..Table::of_records(vec![column], depth)
        };
        Some((keyword, table))
    }

    /// Returns the calls of a function in FROM: `unnest(a, b)` is a call for each array.
    pub(super) fn calls_of(
        &mut self,
        call: &SyntaxNode,
        function: &str,
        span: &Span,
    ) -> Result<Vec<Expr>> {
        let list = child(call, K::ARG_LIST);
        let arguments: Vec<SyntaxNode> = list
            .iter()
            .flat_map(|list| children(list, K::ARG))
            .collect();
        let is_plain =
            |it: &SyntaxNode| !has(it, K::VARIADIC_KW) && child(it, K::ORDER_BY_CLAUSE).is_none();
        // The grammar knows `unnest` with several arrays, by its bare name.
        let is_bare = call
            .children()
            .next()
            .is_some_and(|it| path(&it).len() == 1);
        let is_several = function == "unnest" && is_bare && arguments.len() > 1;
        if !is_several || !arguments.iter().all(is_plain) {
            return Ok(vec![self.value(call)?]);
        }
        let mut calls = Vec::new();
        for argument in arguments {
            let Some(value) = argument.children().next() else {
                continue;
            };
            let value = self.value(&value)?;
            let call = self.system_call("unnest", vec![value], span.clone())?;
            check_arguments(&call, span)?;
            calls.push(call);
        }
        Ok(calls)
    }

    /// Adds the columns of a function. Returns true if each of its rows is a single value.
    pub(super) fn columns_of_function(
        &mut self,
        value: &Expr,
        definitions: Option<&SyntaxNode>,
        shown: String,
        span: &Span,
        columns: &mut Vec<TableColumn>,
    ) -> Result<bool> {
        let column = |name: String, ty, nullable| TableColumn {
            name,
            ty,
            nullable,
            origin: None,
            composite: None,
            form: Form::default(),
        };
        if let Some(list) = definitions {
            self.check_definitions(value, &span_of(list))?;
            let before = columns.len();
            for definition in children(list, K::COLUMN_DEF) {
                let ty = self.type_of_node(&definition, span)?;
                let name = child_name(&definition, K::COLUMN_NAME).unwrap_or_default();
                if columns[before..].iter().any(|it| it.name == name) {
                    let message = format!("column name \"{name}\" specified more than once");
                    return Err(Fault::error("42701", span_of(&definition), message));
                }
                columns.push(TableColumn {
                    form: self.form_of_node(&definition),
                    ..column(name, ty, true)
                });
            }
            return Ok(false);
        }
        let call = match &value.kind {
            Kind::Call(call) => Some(call),
            _ => None,
        };
        let base = self.types.base(value.ty);
        if base == types::RECORD {
            let found = call.map(|call| call.columns.clone()).unwrap_or_default();
            if found.is_empty() {
                let message =
                    "a column definition list is required for functions returning \"record\"";
                return Err(Fault::error("42601", span.clone(), message));
            }
            let is_total =
                call.is_some_and(|call| matches!(call.name.as_str(), "jsonb_each" | "json_each"));
            columns.extend(
                found
                    .into_iter()
                    .map(|(name, ty)| column(name, ty, !is_total)),
            );
            return Ok(false);
        }
        if let Some(fields) = self.fields_of(base) {
            let forms = self.forms_of_fields(base);
            let fields = fields.into_iter().zip(forms);
            columns.extend(fields.map(|((name, ty), form)| TableColumn {
                form,
                ..column(name, ty, true)
            }));
            return Ok(false);
        }
        if self.is_opaque(base) && self.types.is_composite(base) {
            return Err(Fault::refused(
                span.clone(),
                "the columns of this function are not known",
            ));
        }
        let named = call
            .and_then(|call| call.columns.first())
            .map(|(name, _)| name.clone());
        let nullable = match call.map(|call| (call.returns_set, call.nulls)) {
            Some((true, nulls)) => nulls != Nulls::Never,
            _ => self.nullable(value),
        };
        columns.push(TableColumn {
            form: self.form_of(value),
            ..column(named.unwrap_or(shown), value.ty, nullable)
        });
        Ok(true)
    }

    /// Fails if the list of columns after a function says what its result says already.
    fn check_definitions(&self, value: &Expr, span: &Span) -> Result<()> {
        let has_columns = matches!(&value.kind, Kind::Call(call) if !call.columns.is_empty());
        let base = self.types.base(value.ty);
        let why = if base == types::RECORD && !has_columns {
            return Ok(());
        } else if base == types::RECORD {
            "a column definition list is redundant for a function with OUT parameters"
        } else if self.types.is_composite(base) {
            "a column definition list is redundant for a function returning a named composite type"
        } else {
            "a column definition list is only allowed for functions returning \"record\""
        };
        if self.is_opaque(base) {
            return Ok(());
        }
        Err(Fault::error("42601", span.clone(), why))
    }

    pub(super) fn document_item(&mut self, node: &SyntaxNode, span: Span) -> Result<Joined> {
        let is_list = |kind| matches!(kind, K::JSON_TABLE_COLUMN_LIST | K::XML_TABLE_COLUMN_LIST);
        let document = node
            .children()
            .find(|part| matches!(part.kind(), K::JSON_TABLE | K::XML_TABLE))
            .ok_or_else(|| Fault::refused(span.clone(), "the query is incomplete"))?;
        if document.kind() == K::JSON_TABLE {
            self.since(17, "`json_table`", &span)?;
        }
        let mut tokens = crate::replay::syntax::tree::tokens(&document);
        if tokens.any(|token| super::raw::parameter(token.text()).is_some()) {
            return Err(
                Fault::refused(span, "parameters in this table are not inferred")
                    .hint("compute the document in a subquery, with a cast"),
            );
        }
        let mut columns = Vec::new();
        for part in document.children().filter(|part| is_list(part.kind())) {
            self.document_columns(&part, &span, &mut columns)?;
        }
        let alias = match seen(document.kind()) {
            K::JSON_TABLE => "json_table",
            _ => "xmltable",
        };
        let depth = self.scopes.len().saturating_sub(1);
        let table = Table {
            source: Source::TableFunction,
            ..Table::of_records(columns, depth)
        };
        self.finish(node, Some(alias.to_owned()), None, table)
    }

    pub(super) fn document_columns(
        &mut self,
        list: &SyntaxNode,
        span: &Span,
        columns: &mut Vec<TableColumn>,
    ) -> Result<()> {
        for column in list.children() {
            let name = child_name(&column, K::COLUMN_NAME).unwrap_or_default();
            let (ty, form) = match seen(column.kind()) {
                K::JSON_TABLE_NESTED_COLUMN => {
                    if let Some(inner) = child(&column, K::JSON_TABLE_COLUMN_LIST) {
                        self.document_columns(&inner, span, columns)?;
                    }
                    continue;
                }
                _ if has(&column, K::ORDINALITY_KW) => (types::INT4, Form::default()),
                _ => {
                    let ty = self.type_of_node(&column, span)?;
                    (ty, self.form_of_node(&column))
                }
            };
            columns.push(TableColumn {
                name,
                ty,
                nullable: true,
                origin: None,
                composite: None,
                form,
            });
        }
        Ok(())
    }
}

/// Fails if an argument of a call in FROM returns a set.
fn check_arguments(value: &Expr, span: &Span) -> Result<()> {
    let returns_set = |it: &Expr| matches!(&it.kind, Kind::Call(it) if it.returns_set);
    if let Kind::Call(call) = &value.kind
        && call
            .arguments
            .iter()
            .any(|it| it.any(&mut |it| returns_set(it)))
    {
        let message = "set-returning functions must appear at top level of FROM";
        return Err(Fault::error("0A000", span.clone(), message));
    }
    Ok(())
}

//! Calls as they are written: arguments, FILTER, OVER, and the functions with a syntax of their
//! own.

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::{Analyzer, Result};
use super::arguments::Arguments;
use super::coerce::Context;
use super::expr::{Expr, Kind, Span, Use};
use super::fault::Fault;
use super::grammar::{no_clauses, plain_arguments, unexpected};
use super::names::keyword_value;
use super::types;
use crate::replay::syntax::tree::{child, children, has, is_query, name, path, seen, text, tokens};

impl Analyzer<'_> {
    pub(super) fn call_value(&mut self, node: &SyntaxNode, span: Span) -> Result<Expr> {
        let form = node
            .children()
            .next()
            .ok_or_else(|| Fault::refused(span.clone(), "the query is incomplete"))?;
        if !matches!(
            form.kind(),
            K::NAME_REF | K::FIELD_EXPR | K::JSON_OBJECT_AGG_FN | K::JSON_ARRAY_AGG_FN
        ) {
            no_clauses(node)?;
        }
        match seen(form.kind()) {
            K::NAME_REF | K::FIELD_EXPR => self.named_call(node, &form, span),
            K::EXISTS_FN => {
                let query = form.children().find(|part| is_query(part.kind()));
                let query =
                    query.ok_or_else(|| Fault::refused(span.clone(), "the query is incomplete"))?;
                self.query_value(&query, Use::Exists, None, span)
            }
            K::EXTRACT_FN => {
                let mut arguments = Vec::new();
                if !form
                    .children()
                    .any(|part| part.kind() == K::EXTRACT_FIELD_NAME)
                {
                    let field = form.children().next();
                    let field = field
                        .ok_or_else(|| Fault::refused(span.clone(), "the query is incomplete"))?;
                    arguments.push(self.value(&field)?);
                } else {
                    let field = child(&form, K::EXTRACT_FIELD_NAME).map(|field| text(&field));
                    let kind = Kind::Const(Some(field.unwrap_or_default()));
                    arguments.push(Expr::new(types::TEXT, kind, span.clone()));
                }
                let value = form
                    .children()
                    .last()
                    .ok_or_else(|| Fault::refused(span.clone(), "the query is incomplete"))?;
                arguments.push(self.value(&value)?);
                self.system_call("extract", arguments, span)
            }
            K::POSITION_FN => {
                // `position('a' IN b)` is `position(b, 'a')`.
                let mut parts: Vec<_> = form.children().collect();
                parts.reverse();
                let mut values = Vec::new();
                for part in parts {
                    super::raw::restricted(&part)?;
                    values.push(self.value(&part)?);
                }
                self.system_call("position", values, span)
            }
            K::SUBSTRING_FN => {
                let values = self.parts_of(&form)?;
                let is_similar = form
                    .descendants()
                    .any(|part| format!("{:?}", part.kind()).starts_with("SUBSTRING_SIMILAR"));
                if is_similar {
                    return self.system_call("substring", values, span);
                }
                // `substring(a FOR 2)` starts at 1.
                let has_from = tokens(&form).any(|token| token.kind() == K::FROM_KW);
                let has_for = tokens(&form).any(|token| token.kind() == K::FOR_KW);
                if has_for && !has_from && values.len() == 2 {
                    let mut values = values.into_iter();
                    let (Some(text), Some(length)) = (values.next(), values.next()) else {
                        return Err(Fault::refused(span, "the query is incomplete"));
                    };
                    let start = Expr::new(types::INT4, Kind::Const(Some("1".into())), span.clone());
                    let length = self.coerce(length, types::INT4, Context::Explicit)?;
                    return self.system_call("substring", vec![text, start, length], span);
                }
                self.system_call("substring", values, span)
            }
            K::OVERLAY_FN => {
                let values = self.parts_of(&form)?;
                self.system_call("overlay", values, span)
            }
            K::TRIM_FN => {
                let has = |kind| form.children().any(|part| part.kind() == kind);
                let name = if has(K::TRIM_LEADING) {
                    "ltrim"
                } else if has(K::TRIM_TRAILING) {
                    "rtrim"
                } else {
                    "btrim"
                };
                let mut parts = Vec::new();
                list_parts(&form, &mut parts);
                // `trim('a' FROM b)` is `btrim(b, 'a')`.
                if form.children().any(|part| part.kind() == K::TRIM_EXPR_FROM) {
                    parts.reverse();
                }
                let mut values = Vec::new();
                for part in parts {
                    values.push(self.value(&part)?);
                }
                self.system_call(name, values, span)
            }
            K::COLLATION_FOR_FN => {
                let values = self.parts_of(&form)?;
                self.system_call("pg_collation_for", values, span)
            }
            K::ANY_FN | K::SOME_FN | K::ALL_FN => Err(Fault::error(
                "42601",
                span,
                "ANY and ALL stand after an operator",
            )),
            K::JSON_OBJECT_AGG_FN | K::JSON_ARRAY_AGG_FN => self.json_aggregate(node, &form, span),
            _ => self.special_form(&form, span),
        }
    }

    /// Returns the expressions within a function that has a syntax of its own, such as `substring(a
    /// FROM 2)`, in their order.
    pub(super) fn parts_of(&mut self, form: &SyntaxNode) -> Result<Vec<Expr>> {
        let mut parts = Vec::new();
        list_parts(form, &mut parts);
        let mut values = Vec::new();
        for part in parts {
            values.push(self.value(&part)?);
        }
        Ok(values)
    }

    fn named_call(&mut self, node: &SyntaxNode, form: &SyntaxNode, span: Span) -> Result<Expr> {
        let parts = path(form);
        let is_quoted = text(form).starts_with('"');
        let function = parts.last().cloned().unwrap_or_default();
        let list = child(node, K::ARG_LIST);
        if parts.len() == 1 && !is_quoted {
            match function.as_str() {
                "coalesce" | "greatest" | "least" => {
                    plain_arguments(node, 1..=usize::MAX)?;
                    let mut values = Vec::new();
                    for value in list.iter().flat_map(|list| children(list, K::ARG)) {
                        values.push(self.argument(&value)?);
                    }
                    let construct = function.to_ascii_uppercase();
                    let common = self.common(&values.iter().collect::<Vec<_>>(), &construct)?;
                    let mut all = Vec::new();
                    for value in values {
                        all.push(self.convert_to_common(value, common, &construct)?);
                    }
                    if function == "coalesce" && all.iter().any(super::expr::has_set) {
                        let message = "set-returning functions are not allowed in COALESCE";
                        return Err(Fault::error("0A000", span, message));
                    }
                    let kind = match function.as_str() {
                        "coalesce" => Kind::Coalesce(all),
                        _ => Kind::Extreme(all),
                    };
                    return Ok(Expr::new(common, kind, span));
                }
                "xmlconcat" => {
                    plain_arguments(node, 1..=usize::MAX)?;
                    let mut values = Vec::new();
                    for value in list.iter().flat_map(|list| children(list, K::ARG)) {
                        let value = self.argument(&value)?;
                        values.push(self.specific(value, types::XML, "XMLCONCAT")?);
                    }
                    // It is NULL if all of them are.
                    return Ok(Expr::new(types::XML, Kind::Extreme(values), span));
                }
                "nullif" => {
                    plain_arguments(node, 2..=2)?;
                    let mut values = Vec::new();
                    for value in list.iter().flat_map(|list| children(list, K::ARG)) {
                        values.push(self.argument(&value)?);
                    }
                    let equal = self.operate("=", values, span.clone())?;
                    let Kind::Call(call) = equal.kind else {
                        return Err(Fault::refused(span, "this call is not supported"));
                    };
                    let mut sides = call.arguments.into_iter();
                    let (Some(left), Some(right)) = (sides.next(), sides.next()) else {
                        return Err(Fault::error("42601", span, "NULLIF takes two arguments"));
                    };
                    let kind = Kind::NullIf(Box::new(left.clone()), Box::new(right));
                    return Ok(Expr::new(left.ty, kind, span));
                }
                "grouping" => {
                    plain_arguments(node, 1..=usize::MAX)?;
                    if let Some(clause) = self.scope().no_aggregate {
                        let message = format!("grouping operations are not allowed in {clause}");
                        return Err(Fault::error("42803", span, message));
                    }
                    let mut values = Vec::new();
                    for value in list.iter().flat_map(|list| children(list, K::ARG)) {
                        values.push(self.argument(&value)?);
                    }
                    self.scope().has_aggregates = true;
                    return Ok(Expr::new(types::INT4, Kind::Grouping(values), span));
                }
                "merge_action" => {
                    if self.is_before(17) {
                        return Err(self.too_new("42883", "`merge_action`", 17, &span));
                    }
                    plain_arguments(node, 0..=0)?;
                    if !self.scopes.iter().any(|scope| scope.returns_of_merge) {
                        let message = "MERGE_ACTION() can only be used in the RETURNING list of a MERGE command";
                        return Err(Fault::error("42601", span, message));
                    }
                    return Ok(Expr::new(
                        types::TEXT,
                        Kind::Const(Some("x".to_owned())),
                        span,
                    ));
                }
                "normalize" => {
                    plain_arguments(node, 1..=2)?;
                    let mut given = list.iter().flat_map(|list| children(list, K::ARG));
                    let first = given.next();
                    let is_form = |it: &SyntaxNode| {
                        let form = text(it).to_ascii_lowercase();
                        matches!(form.as_str(), "nfc" | "nfd" | "nfkc" | "nfkd")
                    };
                    if let Some(form) = given.next().filter(|it| !is_form(it)) {
                        return Err(unexpected(&form).hint("the forms are NFC, NFD, NFKC and NFKD"));
                    }
                    let first = first
                        .ok_or_else(|| Fault::refused(span.clone(), "the query is incomplete"))?;
                    let value = self.argument(&first)?;
                    return self.system_call("normalize", vec![value], span);
                }
                name if keyword_value(name).is_some()
                    && name.starts_with(['c', 'l'])
                    && name != "current_schema" =>
                {
                    let has_precision = matches!(
                        name,
                        "current_time" | "current_timestamp" | "localtime" | "localtimestamp"
                    );
                    if let Some(list) = list.as_ref().filter(|_| !has_precision) {
                        return Err(unexpected(list).hint("write it without parentheses"));
                    }
                    plain_arguments(node, 1..=1)?;
                    let given = list.iter().flat_map(|list| children(list, K::ARG)).next();
                    let is_digit = |it: &SyntaxNode| text(it).bytes().all(|it| it.is_ascii_digit());
                    if let Some(given) = given.filter(|it| !is_digit(it)) {
                        return Err(unexpected(&given).hint("its precision is a number"));
                    }
                    let ty = keyword_value(name).unwrap_or(types::TEXT);
                    return Ok(Expr::new(ty, Kind::Const(Some(function)), span));
                }
                _ => {}
            }
        }
        let mut given = Arguments::default();
        for argument in list.iter().flat_map(SyntaxNode::children) {
            match seen(argument.kind()) {
                K::ARG => {
                    given.is_variadic |= has(&argument, K::VARIADIC_KW);
                    self.read_argument(&argument, &mut given)?;
                }
                K::DISTINCT => given.is_distinct = true,
                _ => {}
            }
        }
        given.check_names()?;
        given.is_star = list.as_ref().is_some_and(|list| has(list, K::STAR));
        if let Some(within) = child(node, K::WITHIN_CLAUSE) {
            let is_ordered = |it: SyntaxNode| child(&it, K::ORDER_BY_CLAUSE).is_some();
            let what = if list
                .iter()
                .flat_map(|it| children(it, K::ARG))
                .any(is_ordered)
            {
                Some("multiple ORDER BY clauses")
            } else if given.is_distinct {
                Some("DISTINCT")
            } else if given.is_variadic {
                Some("VARIADIC")
            } else {
                None
            };
            if let Some(what) = what {
                let message = format!("cannot use {what} with WITHIN GROUP");
                return Err(Fault::error("42601", span, message));
            }
            let direct = given.values.len();
            given.direct = Some(direct);
            let list =
                child(&within, K::ORDER_BY_CLAUSE).and_then(|it| child(&it, K::SORT_BY_LIST));
            for key in list.iter().flat_map(|list| children(list, K::SORT_BY)) {
                if let Some(value) = key.children().next() {
                    given.values.push(self.value(&value)?);
                }
            }
            // The row of a hypothetical-set aggregate has the types of the keys.
            let is_hypothetical = parts.last().is_some_and(|name| {
                matches!(
                    name.as_str(),
                    "rank" | "dense_rank" | "percent_rank" | "cume_dist"
                )
            });
            if is_hypothetical && given.values.len() != 2 * direct {
                let types: Vec<_> = given.values.iter().map(|it| it.ty).collect();
                let keys = given.values.len() - direct;
                let fault = self.no_function(&parts, &types, &span, false);
                return Err(fault.hint(format!(
                    "it takes as many values as ORDER BY has keys: {direct} given, {keys} keys"
                )));
            }
            if is_hypothetical {
                for at in 0..direct {
                    let both = [&given.values[at], &given.values[at + direct]];
                    let ty = self.common(&both, "WITHIN GROUP")?;
                    for at in [at, at + direct] {
                        given.values[at] = self.convert(given.values[at].clone(), ty)?;
                    }
                }
            }
        }
        given.others.extend(self.filter(node, &span)?);
        // PostgreSQL reads the order of an aggregate after its condition.
        for argument in list.iter().flat_map(|list| children(list, K::ARG)) {
            self.open_sort_keys(&argument, &mut given.order)?;
        }
        let over = child(node, K::OVER_CLAUSE)
            .or_else(|| list.as_ref().and_then(|list| child(list, K::OVER_CLAUSE)));
        if let Some(over) = &over {
            given.over = Some(Vec::new());
            given.holds_current_row = self.holds_current_row(over);
        }
        let value = self.call(&parts, given, span)?;
        // PostgreSQL checks that a window is allowed here before it looks up the window's name.
        if let Some(over) = over {
            self.window_of(&over)?;
        }
        Ok(value)
    }

    /// Returns the condition of FILTER, if it is known.
    pub(super) fn filter(&mut self, node: &SyntaxNode, span: &Span) -> Result<Option<Expr>> {
        let Some(filter) = child(node, K::FILTER_CLAUSE) else {
            return Ok(None);
        };
        let condition = filter.children().last();
        let condition =
            condition.ok_or_else(|| Fault::refused(span.clone(), "the query is incomplete"))?;
        let previous = self.scope().no_aggregate.replace("FILTER");
        let condition = self.value(&condition);
        self.scope().no_aggregate = previous;
        let condition = condition.and_then(|it| self.boolean(it, "FILTER"));
        self.tolerate(condition)
    }

    /// Returns the value of an argument without a name.
    fn argument(&mut self, argument: &SyntaxNode) -> Result<Expr> {
        let value = argument.children().next();
        let value = value.ok_or_else(|| {
            Fault::refused(super::raw::span_of(argument), "the query is incomplete")
        })?;
        self.value(&value)
    }

    pub(super) fn read_argument(
        &mut self,
        argument: &SyntaxNode,
        given: &mut Arguments,
    ) -> Result<()> {
        let Some(value) = argument.children().next() else {
            return Ok(());
        };
        if value.kind() == K::NAMED_ARG {
            let parameter = child(&value, K::PARAM_NAME_REF).map(|it| name(&it));
            let inner = value.children().last();
            if let Some(inner) = inner {
                given.values.push(self.value(&inner)?);
                given.names.push(parameter);
            }
            return Ok(());
        }
        if value.kind() == K::FIELD_EXPR && has(&value, K::STAR) {
            // As an argument, `t.*` is the row.
            given.values.push(self.value(&value)?);
            given.names.push(None);
            return Ok(());
        }
        given.values.push(self.value(&value)?);
        given.names.push(None);
        Ok(())
    }

    /// Reads the keys of ORDER BY within a clause. Literals of unknown type become text.
    pub(super) fn sort_keys(&mut self, node: &SyntaxNode, keys: &mut Vec<Expr>) -> Result<()> {
        let before = keys.len();
        self.open_sort_keys(node, keys)?;
        for key in &mut keys[before..] {
            if key.ty == types::UNKNOWN {
                *key = self.convert(key.clone(), types::TEXT)?;
            }
        }
        Ok(())
    }

    /// Reads the keys of ORDER BY within a clause, and leaves the types of literals open.
    fn open_sort_keys(&mut self, node: &SyntaxNode, keys: &mut Vec<Expr>) -> Result<()> {
        let clause = child(node, K::ORDER_BY_CLAUSE);
        let list = clause.and_then(|clause| child(&clause, K::SORT_BY_LIST));
        for key in list.iter().flat_map(|list| children(list, K::SORT_BY)) {
            let Some(value) = key.children().next() else {
                continue;
            };
            let mut value = self.value(&value)?;
            if value.ty == types::UNKNOWN && !matches!(value.kind, Kind::Const(_)) {
                value = self.convert(value, types::TEXT)?;
            }
            if !has(&key, K::SORT_USING) {
                self.check_sortable(&value)?;
            }
            keys.push(value);
        }
        Ok(())
    }
}

/// Lists the expressions within a function that has a syntax of its own, in their order.
fn list_parts(form: &SyntaxNode, parts: &mut Vec<SyntaxNode>) {
    for part in form.children() {
        let kind = format!("{:?}", part.kind());
        let is_group = kind.starts_with("SUBSTRING_")
            || kind.starts_with("OVERLAY_")
            || kind.starts_with("TRIM_EXPR")
            || kind == "TRIM_FROM";
        if is_group {
            list_parts(&part, parts);
        } else if !kind.starts_with("TRIM_") {
            parts.push(part);
        }
    }
}

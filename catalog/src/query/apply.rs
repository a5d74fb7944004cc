//! The call of a function whose overload is chosen: its type, and the rules for where it is
//! allowed.

use super::analyzer::{Analyzer, Result};
use super::arguments::Arguments;
use super::candidate::Candidate;
use super::expr::{Aggregate, Call, Expr, Kind, Nulls, Span, has_set};
use super::fault::Fault;
use super::function::FROM;
use super::signature::Function;
use super::total;
use super::types::{self, TypeId};
use super::window::WINDOW;
use crate::routine::RoutineKind;

impl Analyzer<'_> {
    pub(super) fn apply(
        &mut self,
        function: &Function,
        chosen: &Candidate,
        given: Arguments,
        span: Span,
    ) -> Result<Expr> {
        if let Some(overload) = function.overload {
            let called = (span.start, function.name.clone(), overload);
            self.used.calls.push(called);
        }
        if function.is_opaque {
            let message = format!("the result of {} is not known", function.name);
            return Err(Fault::refused(span, message).hint("cast the call"));
        }
        let types: Vec<TypeId> = given.values.iter().map(|it| it.ty).collect();
        let ordered = chosen.ordered(&types);
        let (declared, result) = self.resolve(&chosen.arguments, &ordered, chosen.result, &span)?;
        let ordered: Vec<Expr> = match &chosen.order {
            None => given.values.clone(),
            Some(order) => order.iter().map(|at| given.values[*at].clone()).collect(),
        };
        let mut arguments = Vec::new();
        for (value, ty) in ordered.into_iter().zip(declared) {
            let value = self.convert(value, ty)?;
            arguments.push(value);
        }
        let mut columns = function.columns.clone();
        for (_, ty) in &mut columns {
            if types::is_polymorphic(*ty) {
                (_, *ty) = self.resolve(&chosen.arguments, &types, *ty, &span)?;
            }
        }
        let is_aggregate = function.kind == RoutineKind::Aggregate;
        if is_aggregate && given.is_distinct {
            let unconverted = arguments.clone();
            for argument in &mut arguments {
                if argument.ty == types::UNKNOWN {
                    *argument = self.convert(argument.clone(), types::TEXT)?;
                }
                self.check_comparable(argument.ty, &argument.span)?;
            }
            // A key is compared with the arguments as they were written, before their conversion to
            // the parameters' types.
            // A literal is no argument any more once it has the parameter's type.
            let is_argument = |key: &&Expr| match key.ty {
                types::UNKNOWN => unconverted.contains(key),
                _ => arguments.contains(key) || given.values.contains(key),
            };
            if let Some(key) = given.order.iter().find(|key| !is_argument(key)) {
                let message = "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list";
                return Err(Fault::error("42P10", key.span.clone(), message));
            }
        }
        let mut given = given;
        check_clauses(function, &given, &span)?;
        self.check_list(&chosen.arguments, &given)?;
        for key in arguments.iter().skip(given.direct.unwrap_or(usize::MAX)) {
            self.check_sortable(key)?;
        }
        for key in &mut given.order {
            if key.ty == types::UNKNOWN {
                *key = self.convert(key.clone(), types::TEXT)?;
            }
        }
        let has_filter = !given.others.is_empty();
        given.others.extend(std::mem::take(&mut given.order));
        if is_aggregate && given.values.is_empty() && !given.is_star && given.direct.is_none() {
            let message = format!(
                "{}(*) must be used to call a parameterless aggregate function",
                function.name
            );
            return Err(Fault::error("42809", span, message));
        }
        if is_aggregate || given.over.is_some() {
            let what = if given.over.is_some() {
                "window"
            } else {
                "aggregate"
            };
            if arguments.iter().chain(&given.others).any(has_set) {
                let message =
                    format!("{what} function calls cannot contain set-returning function calls");
                return Err(Fault::error("0A000", span, message));
            }
        }
        if given.over.is_some() && !matches!(function.kind, RoutineKind::Function) {
            self.note_window(&span)?;
            if arguments.iter().chain(&given.others).any(has_window) {
                let message = "window function calls cannot be nested";
                return Err(Fault::error("42P20", span, message));
            }
        }
        if is_aggregate && given.over.is_none() {
            let is_total = function.is_built_in && total::is_total_aggregate(&function.name);
            let mut value = self.aggregate(
                &function.name,
                arguments,
                given.others,
                result,
                is_total,
                span,
            )?;
            if let Kind::Aggregate(aggregate) = &mut value.kind {
                aggregate.has_filter = has_filter;
                aggregate.direct = given.direct.unwrap_or(0);
                aggregate.needs_row =
                    function.is_built_in && total::is_total_aggregate_of_rows(&function.name);
            }
            return Ok(value);
        }
        if function.returns_set {
            let scope = self.scope();
            let clause = scope.no_aggregate.or(scope.no_window);
            if let Some(clause) = clause.filter(|clause| {
                *clause != "GROUP BY"
                    && *clause != FROM
                    && *clause != WINDOW
                    && !(*clause == "VALUES" && scope.is_single_row)
            }) {
                let message = format!("set-returning functions are not allowed in {clause}");
                return Err(Fault::error("0A000", span, message));
            }
            scope.returns_set = true;
        }
        let nulls = if is_aggregate {
            self.nulls_over_window(function, &given, has_filter)
        } else if given.over.is_some()
            && function.is_built_in
            && let Some(nulls) =
                total::nulls_in_window(&function.name, &arguments, given.holds_current_row)
        {
            nulls
        } else if given.is_variadic {
            // The array after VARIADIC can itself be NULL.
            Nulls::Always
        } else if function.is_built_in {
            let types = arguments.iter().map(|it| {
                let base = self.types.base(it.ty);
                self.types.bare(base).unwrap_or("own")
            });
            let types: Vec<&str> = types.collect();
            total::nulls_of(&function.name, &types, function.is_strict)
        } else if function.is_strict {
            Nulls::StrictAndPartial
        } else {
            Nulls::Always
        };
        Ok(Expr::new(
            result,
            Kind::Call(Call {
                name: function.name.clone(),
                arguments,
                nulls: if function.returns_set
                    && nulls == Nulls::Strict
                    && function.name == "unnest"
                {
                    Nulls::Always
                } else {
                    nulls
                },
                is_operator: false,
                returns_set: function.returns_set,
                columns,
                over: given.over.map(|mut over| {
                    over.extend(given.others);
                    over
                }),
            }),
            span,
        ))
    }

    /// Returns when an aggregate over a window is NULL.
    fn nulls_over_window(&self, function: &Function, given: &Arguments, has_filter: bool) -> Nulls {
        let name = &function.name;
        if function.is_built_in && total::is_total_aggregate(name) {
            return Nulls::Never;
        }
        let has_row = given.holds_current_row && !has_filter;
        if !has_row || !function.is_built_in || !total::is_total_aggregate_of_rows(name) {
            return Nulls::Always;
        }
        match total::keeps_nulls(name) {
            true => Nulls::Never,
            false => Nulls::First,
        }
    }

    /// Fails if the list after VARIADIC is no array. Where the parameter is `"any"`, no conversion
    /// finds it.
    fn check_list(&mut self, declared: &[TypeId], given: &Arguments) -> Result<()> {
        let last = given.values.last().filter(|_| given.is_variadic);
        let Some(last) = last.filter(|_| declared.last() == Some(&types::ANY)) else {
            return Ok(());
        };
        let is_array = self.types.element(self.types.base(last.ty)).is_some();
        if is_array || self.is_opaque(last.ty) {
            return Ok(());
        }
        let message = "VARIADIC argument must be an array";
        Err(Fault::error("42804", last.span.clone(), message))
    }

    /// Returns the depth of the query that `GROUPING(..)` belongs to: that of its columns.
    fn depth_of_grouping(&self, of: &[Expr]) -> usize {
        let innermost = self.scopes.len() - 1;
        let mut depth: Option<usize> = None;
        for value in of {
            value.any(&mut |it| {
                if let Kind::Var { table, .. } = &it.kind {
                    let found = self.table(*table).depth;
                    depth = Some(depth.map_or(found, |depth| depth.max(found)));
                }
                false
            });
        }
        depth.unwrap_or(innermost).min(innermost)
    }

    pub(super) fn aggregate(
        &mut self,
        name: &str,
        arguments: Vec<Expr>,
        others: Vec<Expr>,
        ty: TypeId,
        is_total: bool,
        span: Span,
    ) -> Result<Expr> {
        // An aggregate belongs to the innermost query whose columns it reads.
        let mut depth: Option<usize> = None;
        for argument in arguments.iter().chain(&others) {
            argument.any(&mut |it| {
                if let Kind::Var { table, .. } | Kind::Row(table) = &it.kind {
                    let found = self.table(*table).depth;
                    depth = Some(depth.map_or(found, |depth| depth.max(found)));
                }
                if let Kind::Query(query) = &it.kind {
                    for (found, _) in &query.outer {
                        depth = Some(depth.map_or(*found, |depth| depth.max(*found)));
                    }
                }
                false
            });
        }
        let innermost = self.scopes.len() - 1;
        let depth = depth.unwrap_or(innermost).min(innermost);
        let nested = arguments.iter().chain(&others).any(|it| {
            it.any(&mut |it| match &it.kind {
                Kind::Aggregate(inner) => inner.depth == depth,
                Kind::Grouping(of) => self.depth_of_grouping(of) == depth,
                _ => false,
            })
        });
        if nested {
            let message = "aggregate function calls cannot be nested";
            return Err(Fault::error("42803", span, message));
        }
        if arguments.iter().chain(&others).any(has_window) {
            let message = "aggregate function calls cannot contain window function calls";
            return Err(Fault::error("42803", span, message));
        }
        if let Some(clause) = self.scopes[depth].no_aggregate {
            let message = format!("aggregate functions are not allowed in {clause}");
            return Err(Fault::error("42803", span, message));
        }
        self.scopes[depth].has_aggregates = true;
        // A column that an aggregate of the outer query reads need not be in that query's GROUP BY.
        let mut read_by_aggregate = |value: &Expr| {
            for scope in self.scopes.iter_mut().skip(depth + 1) {
                let found = scope.outer.iter().rposition(|(_, outer)| outer == value);
                if let Some(at) = found.filter(|at| scope.outer[*at].0 == depth) {
                    scope.outer.remove(at);
                }
            }
        };
        for argument in arguments.iter().chain(&others) {
            argument.any(&mut |it| {
                read_by_aggregate(it);
                if let Kind::Query(query) = &it.kind {
                    query.outer.iter().for_each(|(_, it)| read_by_aggregate(it));
                }
                false
            });
        }
        let aggregate = Aggregate {
            name: name.to_owned(),
            arguments,
            others,
            has_filter: false,
            direct: 0,
            needs_row: false,
            depth,
            is_total,
        };
        Ok(Expr::new(ty, Kind::Aggregate(aggregate), span))
    }
}

/// The aggregates that have WITHIN GROUP (manual, section 9.21).
const ORDERED_SET: [&str; 7] = [
    "mode",
    "percentile_cont",
    "percentile_disc",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
];

/// Fails for clauses that do not fit a function of this kind (`ParseFuncOrColumn`).
fn check_clauses(function: &Function, given: &Arguments, span: &Span) -> Result<()> {
    let name = &function.name;
    let wrong = |message: String| Err(Fault::error("42809", span.clone(), message));
    let missing = |message: &str| Err(Fault::error("0A000", span.clone(), message));
    let has_within = given.direct.is_some();
    match function.kind {
        RoutineKind::Function | RoutineKind::Procedure => {
            let what = if given.is_star {
                format!("{name}(*)")
            } else if given.is_distinct {
                "DISTINCT".to_owned()
            } else if has_within {
                "WITHIN GROUP".to_owned()
            } else if !given.order.is_empty() {
                "ORDER BY".to_owned()
            } else if !given.others.is_empty() {
                "FILTER".to_owned()
            } else if given.over.is_some() {
                return wrong(format!(
                    "OVER specified, but {name} is not a window function nor an aggregate function"
                ));
            } else {
                return Ok(());
            };
            return wrong(format!(
                "{what} specified, but {name} is not an aggregate function"
            ));
        }
        RoutineKind::Aggregate => {
            let is_ordered_set = function.is_built_in && ORDERED_SET.contains(&name.as_str());
            if is_ordered_set && !has_within {
                return wrong(format!(
                    "WITHIN GROUP is required for ordered-set aggregate {name}"
                ));
            }
            if is_ordered_set && given.over.is_some() {
                let message = format!("OVER is not supported for ordered-set aggregate {name}");
                return missing(&message);
            }
            if function.is_built_in && has_within && !is_ordered_set {
                return wrong(format!(
                    "{name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP"
                ));
            }
        }
        RoutineKind::Window => {
            if given.over.is_none() {
                return wrong(format!("window function {name} requires an OVER clause"));
            }
            if has_within {
                return wrong(format!("window function {name} cannot have WITHIN GROUP"));
            }
        }
    }
    if given.over.is_none() {
        return Ok(());
    }
    if given.is_distinct {
        return missing("DISTINCT is not implemented for window functions");
    }
    let is_aggregate = function.kind == RoutineKind::Aggregate;
    if is_aggregate && given.values.is_empty() && !given.is_star {
        return wrong(format!(
            "{name}(*) must be used to call a parameterless aggregate function"
        ));
    }
    if !given.order.is_empty() && !has_within {
        return missing("aggregate ORDER BY is not implemented for window functions");
    }
    if !is_aggregate && !given.others.is_empty() {
        return missing("FILTER is not implemented for non-aggregate window functions");
    }
    Ok(())
}

/// Returns true if an expression contains a call of a window function.
pub(super) fn has_window(value: &Expr) -> bool {
    value.any(&mut |it| matches!(&it.kind, Kind::Call(call) if call.over.is_some()))
}

//! Windows: OVER and the WINDOW clause, with their frames (`transformWindowDefinitions`).

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::{Analyzer, Result};
use super::coerce::Context;
use super::expr::{Expr, Kind, Span};
use super::fault::Fault;
use super::raw::span_of;
use super::scope::NamedWindow;
use super::types::{self, TypeId};
use crate::replay::syntax::tree::{child, child_name, children, name, seen};

/// The clause of OVER and WINDOW, in which a function may return a set.
pub(super) const WINDOW: &str = "window definitions";

/// A window that others can refer to by its name.
#[derive(Debug, Clone)]
pub(super) struct Window {
    name: String,
    /// The types of the keys of ORDER BY.
    order: Vec<TypeId>,
    has_frame: bool,
}

impl Analyzer<'_> {
    /// Reads the names of the WINDOW clause of a query.
    pub(super) fn name_windows(&mut self, node: &SyntaxNode) {
        let Some(clause) = child(node, K::WINDOW_CLAUSE) else {
            return;
        };
        let windows = children(&clause, K::WINDOW_DEF).filter_map(|it| {
            Some(NamedWindow {
                name: child_name(&it, K::WINDOW)?,
                holds_current_row: frame_holds_current_row(&it),
            })
        });
        self.scope().windows = windows.collect();
    }

    /// Reads the windows of a query, after all other clauses. Returns their expressions.
    pub(super) fn windows(&mut self, node: &SyntaxNode) -> Result<Vec<Expr>> {
        let mut all = Vec::new();
        let mut named: Vec<Window> = Vec::new();
        let clause = child(node, K::WINDOW_CLAUSE);
        for window in clause.iter().flat_map(|it| children(it, K::WINDOW_DEF)) {
            let own = child_name(&window, K::WINDOW).unwrap_or_default();
            if named.iter().any(|other| other.name == own) {
                let message = format!("window \"{own}\" is already defined");
                return Err(Fault::error("42P20", span_of(&window), message));
            }
            let read = match child(&window, K::WINDOW_SPEC) {
                Some(spec) => self.window_spec(&spec, Some(own), &named, &mut all)?,
                None => Window {
                    name: own,
                    order: Vec::new(),
                    has_frame: false,
                },
            };
            named.push(read);
        }
        for spec in std::mem::take(&mut self.scope().over) {
            let window = self.window_spec(&spec, None, &named, &mut all);
            self.tolerate(window)?;
            self.note_unknown(&spec);
        }
        Ok(all)
    }

    /// Reads `OVER ..`. Its expressions are analyzed later.
    pub(super) fn window_of(&mut self, over: &SyntaxNode) -> Result<()> {
        if let Some(spec) =
            child(over, K::OVER_WINDOW_SPEC).and_then(|it| child(&it, K::WINDOW_SPEC))
        {
            self.scope().over.push(spec);
        }
        if let Some(window) = child(over, K::WINDOW_REF) {
            let wanted = name(&window);
            if !self.scope().windows.iter().any(|it| it.name == wanted) {
                return Err(no_window(&wanted, span_of(&window)));
            }
        }
        Ok(())
    }

    /// Returns true if the frame of each row certainly has the row itself.
    pub(super) fn holds_current_row(&mut self, over: &SyntaxNode) -> bool {
        match child(over, K::WINDOW_REF).map(|it| name(&it)) {
            // One that is copied has no frame clause: PostgreSQL refuses it.
            None => frame_holds_current_row(over),
            Some(wanted) => {
                let mut windows = self.scope().windows.iter();
                windows.any(|it| it.name == wanted && it.holds_current_row)
            }
        }
    }

    /// Notes a window function; fails in a clause that has none.
    pub(super) fn note_window(&mut self, span: &Span) -> Result<()> {
        let scope = self.scope();
        if let Some(clause) = scope.no_aggregate.or(scope.no_window) {
            let message = format!("window functions are not allowed in {clause}");
            return Err(Fault::error("42P20", span.clone(), message));
        }
        scope.has_windows = true;
        Ok(())
    }

    fn window_spec(
        &mut self,
        spec: &SyntaxNode,
        own: Option<String>,
        named: &[Window],
        out: &mut Vec<Expr>,
    ) -> Result<Window> {
        let previous = self.scope().no_window.replace(WINDOW);
        let done = self.window_parts(spec, own, named, out);
        self.scope().no_window = previous;
        done
    }

    fn window_parts(
        &mut self,
        spec: &SyntaxNode,
        own: Option<String>,
        named: &[Window],
        out: &mut Vec<Expr>,
    ) -> Result<Window> {
        let copied = match child(spec, K::WINDOW_REF) {
            None => None,
            Some(reference) => {
                let wanted = name(&reference);
                let found = named.iter().find(|other| other.name == wanted);
                Some(found.ok_or_else(|| no_window(&wanted, span_of(&reference)))?)
            }
        };
        // PostgreSQL reads ORDER BY before PARTITION BY.
        let mut keys = Vec::new();
        self.sort_keys(spec, &mut keys)?;
        let mut order: Vec<TypeId> = keys.iter().map(|key| key.ty).collect();
        out.extend(keys);
        let partition = child(spec, K::PARTITION_BY_CLAUSE);
        for value in partition.iter().flat_map(SyntaxNode::children) {
            let value = self.value(&value)?;
            let value = self.as_key(value)?;
            self.check_comparable(value.ty, &value.span)?;
            out.push(value);
        }
        let frame = child(spec, K::FRAME_CLAUSE);
        if let Some(copied) = copied {
            let clause = match (&partition, copied.order.is_empty() || order.is_empty()) {
                (Some(_), _) => Some("override PARTITION BY clause of"),
                (None, false) => Some("override ORDER BY clause of"),
                (None, true) if copied.has_frame => Some("copy"),
                _ => None,
            };
            if let Some(clause) = clause {
                let message = match clause {
                    "copy" => format!(
                        "cannot copy window \"{}\" because it has a frame clause",
                        copied.name
                    ),
                    clause => format!("cannot {clause} window \"{}\"", copied.name),
                };
                return Err(Fault::error("42P20", span_of(spec), message));
            }
            if order.is_empty() {
                order.clone_from(&copied.order);
            }
        }
        if let Some(frame) = &frame {
            self.frame(frame, &order, out)?;
        }
        Ok(Window {
            name: own.unwrap_or_default(),
            order,
            has_frame: frame.is_some(),
        })
    }

    /// Reads the frame of a window, whose ORDER BY has keys of these types.
    fn frame(&mut self, frame: &SyntaxNode, order: &[TypeId], out: &mut Vec<Expr>) -> Result<()> {
        if let Some(message) = wrong_bounds(frame) {
            return Err(Fault::error("42P20", span_of(frame), message));
        }
        let mode = if child(frame, K::FRAME_RANGE).is_some() {
            "RANGE"
        } else if child(frame, K::FRAME_GROUPS).is_some() {
            "GROUPS"
        } else {
            "ROWS"
        };
        let bounds: Vec<SyntaxNode> = frame
            .descendants()
            .filter(|it| matches!(it.kind(), K::EXPR_PRECEDING | K::EXPR_FOLLOWING))
            .collect();
        let refused = match (mode, order.len()) {
            ("RANGE", 1) => None,
            ("RANGE", _) if !bounds.is_empty() => {
                Some("RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column")
            }
            ("GROUPS", 0) => Some("GROUPS mode requires an ORDER BY clause"),
            _ => None,
        };
        if let Some(message) = refused {
            return Err(Fault::error("42P20", span_of(frame), message));
        }
        for value in bounds.iter().filter_map(|bound| bound.children().next()) {
            let previous = self.scope().no_aggregate.replace(match mode {
                "RANGE" => "window RANGE",
                "GROUPS" => "window GROUPS",
                _ => "window ROWS",
            });
            let value = self.value(&value);
            self.scope().no_aggregate = previous;
            let value = match (mode, order) {
                ("RANGE", [order]) => self.range_offset(value?, *order)?,
                _ => self.specific(value?, types::INT8, mode)?,
            };
            self.check_no_columns(&value, mode)?;
            out.push(value);
        }
        Ok(())
    }

    /// Converts the offset of RANGE to the type that can be added to the key (`in_range` of btree).
    fn range_offset(&mut self, value: Expr, order: TypeId) -> Result<Expr> {
        let key = self.types.base(order);
        let offsets: &[&str] = match self.types.bare(key) {
            Some("int2" | "int4") => &["int2", "int4", "int8"],
            Some("int8") => &["int8"],
            Some("float4" | "float8") => &["float8"],
            Some("numeric") => &["numeric"],
            Some("date" | "time" | "timetz" | "timestamp" | "timestamptz" | "interval") => {
                &["interval"]
            }
            _ if self.is_opaque(key) => {
                let message = "the offsets of this type are not known";
                return Err(Fault::refused(value.span, message));
            }
            _ => &[],
        };
        let words = self.types.words(order);
        let start = "RANGE with offset PRECEDING/FOLLOWING is not supported for column type";
        if offsets.is_empty() {
            return Err(Fault::error(
                "0A000",
                value.span,
                format!("{start} {words}"),
            ));
        }
        let preferred = match value.ty {
            types::UNKNOWN => key,
            given => given,
        };
        let mut chosen = None;
        for offset in offsets {
            let offset = self.types.built_in(offset);
            if self.can_coerce(value.ty, offset, Context::Implicit) && chosen != Some(preferred) {
                chosen = Some(offset);
            }
        }
        let Some(chosen) = chosen else {
            let given = self.types.words(value.ty);
            let message = format!("{start} {words} and offset type {given}");
            return Err(Fault::error("0A000", value.span, message)
                .hint("cast the offset value to a type that fits"));
        };
        self.convert(value, chosen)
    }

    /// Fails if a value reads a column of the current query.
    pub(super) fn check_no_columns(&self, value: &Expr, clause: &str) -> Result<()> {
        let depth = self.scopes.len() - 1;
        let reads_column = value.any(&mut |it| match &it.kind {
            Kind::Var { table, .. } | Kind::Row(table) => self.table(*table).depth == depth,
            _ => false,
        });
        if reads_column {
            let message = format!("argument of {clause} must not contain variables");
            return Err(Fault::error("42P10", value.span.clone(), message));
        }
        Ok(())
    }
}

/// Returns the bounds of a frame, without those of EXCLUDE.
fn bounds(frame: &SyntaxNode) -> Vec<K> {
    let is_bound = |it: &SyntaxNode| {
        matches!(
            seen(it.kind()),
            K::UNBOUNDED_PRECEDING
                | K::EXPR_PRECEDING
                | K::CURRENT_ROW
                | K::EXPR_FOLLOWING
                | K::UNBOUNDED_FOLLOWING
        )
    };
    let is_excluded = |it: &SyntaxNode| it.ancestors().any(|it| it.kind() == K::FRAME_EXCLUDE);
    let bounds = frame
        .descendants()
        .filter(|it| is_bound(it) && !is_excluded(it));
    bounds.map(|it| it.kind()).collect()
}

/// Returns what PostgreSQL's grammar says of the bounds of a frame that never holds.
fn wrong_bounds(frame: &SyntaxNode) -> Option<&'static str> {
    let bounds = bounds(frame);
    match bounds.as_slice() {
        [K::UNBOUNDED_FOLLOWING, ..] => Some("frame start cannot be UNBOUNDED FOLLOWING"),
        [K::EXPR_FOLLOWING] => {
            Some("frame starting from following row cannot end with current row")
        }
        [_, K::UNBOUNDED_PRECEDING] => Some("frame end cannot be UNBOUNDED PRECEDING"),
        [K::CURRENT_ROW, K::EXPR_PRECEDING] => {
            Some("frame starting from current row cannot have preceding rows")
        }
        [K::EXPR_FOLLOWING, K::EXPR_PRECEDING | K::CURRENT_ROW] => {
            Some("frame starting from following row cannot have preceding rows")
        }
        _ => None,
    }
}

/// Returns true if the frame of each row certainly has the row itself, as the default frame has.
fn frame_holds_current_row(window: &SyntaxNode) -> bool {
    let spec = window.descendants().find(|it| it.kind() == K::WINDOW_SPEC);
    let Some(frame) = spec.and_then(|spec| child(&spec, K::FRAME_CLAUSE)) else {
        return true;
    };
    let excluded = child(&frame, K::FRAME_EXCLUDE);
    let excluded = excluded.iter().flat_map(SyntaxNode::descendants);
    let is_excluded = excluded
        .map(|it| seen(it.kind()))
        .any(|it| matches!(it, K::CURRENT_ROW | K::GROUP));
    let bounds = bounds(&frame);
    // Whether a key is within a distance of itself is for the key's type to say.
    let has_distance = child(&frame, K::FRAME_RANGE).is_some()
        && bounds
            .iter()
            .any(|it| matches!(it, K::EXPR_PRECEDING | K::EXPR_FOLLOWING));
    let begins = |it: &K| {
        matches!(
            it,
            K::UNBOUNDED_PRECEDING | K::EXPR_PRECEDING | K::CURRENT_ROW
        )
    };
    let ends = |it: &K| {
        matches!(
            it,
            K::CURRENT_ROW | K::EXPR_FOLLOWING | K::UNBOUNDED_FOLLOWING
        )
    };
    let holds = match bounds.as_slice() {
        [start] => begins(start),
        [start, end] => begins(start) && ends(end),
        _ => false,
    };
    holds && !has_distance && !is_excluded
}

fn no_window(name: &str, span: Span) -> Fault {
    Fault::error("42704", span, format!("window \"{name}\" does not exist"))
}

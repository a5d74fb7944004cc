//! A query's expressions with their types.

use std::ops::Range;
use std::rc::Rc;

use super::composite::Composite;
use super::form::Form;
use super::types::TypeId;

/// A position in the query, in bytes.
pub(super) type Span = Range<usize>;

/// The index of a table in the analyzer's list of the tables that a query reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TableId(pub(super) usize);

/// An expression with a type. Two expressions are equal if they mean the same; their positions are
/// not compared.
#[derive(Debug, Clone)]
pub(super) struct Expr {
    pub(super) ty: TypeId,
    pub(super) kind: Kind,
    pub(super) span: Span,
    /// The modifiers and the collation, where a cast or COLLATE gives them.
    pub(super) form: Option<Form>,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.ty == other.ty && self.kind == other.kind
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A column of a table.
    Var {
        table: TableId,
        column: usize,
    },
    /// The whole row of a table.
    Row(TableId),
    /// `$1` is 0.
    Param(usize),
    /// A literal. NULL has no text.
    Const(Option<String>),
    /// A function, an operator, or a cast that computes.
    Call(Call),
    Aggregate(Aggregate),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    /// `IS NULL`, and `IS NOT NULL` if it is negated.
    IsNull {
        value: Box<Expr>,
        not: bool,
    },
    /// `IS TRUE`, `IS NOT FALSE`, `IS UNKNOWN`.
    IsBool {
        value: Box<Expr>,
        truth: Truth,
        not: bool,
    },
    /// `IS DISTINCT FROM`, `IS NOT DISTINCT FROM`.
    Distinct {
        left: Box<Expr>,
        right: Box<Expr>,
        not: bool,
    },
    Case {
        whens: Vec<(Expr, Expr)>,
        otherwise: Box<Expr>,
    },
    /// The value that `CASE value WHEN ..` compares.
    CaseValue(Box<Expr>),
    Coalesce(Vec<Expr>),
    /// `GREATEST` and `LEAST`.
    Extreme(Vec<Expr>),
    NullIf(Box<Expr>, Box<Expr>),
    /// `ROW(..)`.
    RowOf(Vec<Expr>),
    Array(Vec<Expr>),
    /// A change of type that never makes a value NULL.
    Coerce(Box<Expr>),
    /// `value op ANY (array)`, or ALL.
    AnyOf {
        operator: String,
        left: Box<Expr>,
        array: Box<Expr>,
        all: bool,
    },
    /// A query in an expression.
    Query(SubQuery),
    Subscript {
        value: Box<Expr>,
        indexes: Vec<Expr>,
        is_slice: bool,
    },
    Field {
        value: Box<Expr>,
        index: usize,
    },
    /// A value that a column gets by default.
    Default,
    /// `GROUPING(..)`.
    Grouping(Vec<Expr>),
    /// Another expression. Only its type matters.
    Other(Vec<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False,
    Unknown,
}

/// The condition under which the result of a function is NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    /// If and only if an argument is NULL.
    Strict,
    /// If an argument is NULL, and maybe otherwise.
    StrictAndPartial,
    /// Never.
    Never,
    /// The result may be NULL unless all arguments are known to be not NULL.
    Lenient,
    /// It can always be NULL.
    Always,
    /// If the first argument is NULL.
    First,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) arguments: Vec<Expr>,
    pub(super) nulls: Nulls,
    /// Whether it is an operator.
    pub(super) is_operator: bool,
    pub(super) returns_set: bool,
    /// The columns of a result that is a record.
    pub(super) columns: Vec<(String, TypeId)>,
    /// `OVER ..`: the window's own expressions.
    pub(super) over: Option<Vec<Expr>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aggregate {
    pub(super) name: String,
    pub(super) arguments: Vec<Expr>,
    /// The condition of FILTER, and ORDER BY within the arguments.
    pub(super) others: Vec<Expr>,
    /// Whether the first of `others` is the condition of FILTER.
    pub(super) has_filter: bool,
    /// The number of the first arguments that WITHIN GROUP does not aggregate.
    pub(super) direct: usize,
    /// Whether it is NULL only over no rows and for an argument that is NULL.
    pub(super) needs_row: bool,
    /// The depth of the query that it belongs to.
    pub(super) depth: usize,
    /// True if it is never NULL, as `count`.
    pub(super) is_total: bool,
}

/// The use of a query in an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Scalar,
    Exists,
    Array,
    /// `IN` and `= ANY`.
    Any,
    All,
}

#[derive(Debug, Clone)]
pub(super) struct SubQuery {
    pub(super) how: Use,
    /// The left side of IN.
    pub(super) left: Vec<Expr>,
    /// The columns of outer queries that it reads, with the depth of their query.
    pub(super) outer: Vec<(usize, Expr)>,
    /// Whether its first column can be NULL when there is a row.
    pub(super) is_nullable: bool,
    /// Whether it certainly has a row.
    pub(super) has_row: bool,
    /// Whether its first column is an array.
    pub(super) is_array: bool,
    /// The fields of its first column, if that holds rows or arrays of rows.
    pub(super) composite: Option<Rc<Composite>>,
    /// The modifiers and the collation of its first column.
    pub(super) form: Form,
}

impl PartialEq for SubQuery {
    /// Returns false: whether two queries mean the same is not examined.
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl Expr {
    pub(super) fn new(ty: TypeId, kind: Kind, span: Span) -> Self {
        Self {
            ty,
            kind,
            span,
            form: None,
        }
    }

    /// Calls a function for each expression directly below this one.
    pub(super) fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match &self.kind {
            Kind::Var { .. } | Kind::Row(_) | Kind::Param(_) | Kind::Const(_) | Kind::Default => {}
            Kind::Call(call) => {
                call.arguments.iter().for_each(&mut *visit);
                call.over.iter().flatten().for_each(visit);
            }
            Kind::Aggregate(aggregate) => {
                aggregate.arguments.iter().for_each(&mut *visit);
                aggregate.others.iter().for_each(visit);
            }
            Kind::And(all)
            | Kind::Or(all)
            | Kind::Coalesce(all)
            | Kind::Extreme(all)
            | Kind::RowOf(all)
            | Kind::Array(all)
            | Kind::Grouping(all)
            | Kind::Other(all) => all.iter().for_each(visit),
            Kind::Not(value)
            | Kind::IsNull { value, .. }
            | Kind::IsBool { value, .. }
            | Kind::CaseValue(value)
            | Kind::Coerce(value)
            | Kind::Field { value, .. } => visit(value),
            Kind::Distinct { left, right, .. } | Kind::NullIf(left, right) => {
                visit(left);
                visit(right);
            }
            Kind::AnyOf { left, array, .. } => {
                visit(left);
                visit(array);
            }
            Kind::Case { whens, otherwise } => {
                for (condition, value) in whens {
                    visit(condition);
                    visit(value);
                }
                visit(otherwise);
            }
            Kind::Query(query) => query.left.iter().for_each(visit),
            Kind::Subscript { value, indexes, .. } => {
                visit(value);
                indexes.iter().for_each(visit);
            }
        }
    }

    /// Returns true if this expression or one below it fulfils a condition.
    pub(super) fn any(&self, test: &mut dyn FnMut(&Expr) -> bool) -> bool {
        if test(self) {
            return true;
        }
        let mut found = false;
        self.each(&mut |child| found = found || child.any(test));
        found
    }

    /// Returns the expression without the changes of type around it.
    pub(super) fn bare(&self) -> &Expr {
        match &self.kind {
            Kind::Coerce(inner) => inner.bare(),
            _ => self,
        }
    }
}

/// Returns true if an expression contains a call of a function that returns a set.
pub(super) fn has_set(value: &Expr) -> bool {
    match &value.kind {
        Kind::Call(call) if call.returns_set => true,
        // The value of a CASE is computed once, and not again by each comparison.
        Kind::CaseValue(_) => false,
        _ => {
            let mut found = false;
            value.each(&mut |child| found = found || has_set(child));
            found
        }
    }
}

//! Operators: which one is meant, and the type of its result (parse_oper.c; manual, 10.2).

use std::rc::Rc;

use super::analyzer::{Analyzer, Result};
use super::candidate::Candidate;
use super::expr::{Call, Expr, Kind, Nulls, Span};
use super::fault::Fault;
use super::types::{self, TypeId, is_polymorphic};
use crate::replay::builtin;

/// An operator for operands of certain types.
#[derive(Debug, Clone)]
pub(super) struct Operator {
    /// The declared types: the left one, if there is one, and the right one.
    pub(super) declared: Vec<TypeId>,
    pub(super) result: TypeId,
}

impl Analyzer<'_> {
    /// Returns the operators of a name with this number of operands.
    fn operators(&mut self, name: &str, operands: usize) -> Rc<[Candidate]> {
        if let Some(found) = self.operators.get(name) {
            return Rc::clone(&found[operands - 1]);
        }
        let extensions = &self.catalog.extensions;
        let found: Vec<builtin::Operator> =
            builtin::operators(name, |extension| extensions.contains(extension)).collect();
        let mut candidates = [Vec::new(), Vec::new()];
        for (index, operator) in found.into_iter().enumerate() {
            let list = usize::from(operator.left.is_some());
            let arguments = operator.left.into_iter().chain([operator.right]);
            let candidate = Candidate {
                arguments: arguments.map(|ty| self.types.built_in(ty)).collect(),
                result: self.types.built_in(operator.result),
                index,
                is_variadic: false,
                defaults: 0,
                order: None,
            };
            candidates[list].push(candidate);
        }
        let found = candidates.map(Rc::from);
        let list = Rc::clone(&found[operands - 1]);
        self.operators.insert(name.to_owned(), found);
        list
    }

    /// Returns the operator for operands of these types.
    pub(super) fn find_operator(
        &mut self,
        name: &str,
        given: &[TypeId],
        span: &Span,
    ) -> Result<Operator> {
        let candidates = self.operators(name, given.len());
        let chosen = match self.exact_operator(&candidates, given) {
            Some(chosen) => Some(chosen),
            None => {
                let mut matching = self.matching(&candidates, given);
                match matching.len() {
                    0 => {
                        return Err(self.no_operator(name, given, span, "does not exist", "42883"));
                    }
                    1 => matching.pop(),
                    _ => self.choose(matching, given),
                }
            }
        };
        match chosen {
            Some(chosen) => Ok(Operator {
                declared: chosen.arguments,
                result: chosen.result,
            }),
            None => Err(self.no_operator(name, given, span, "is not unique", "42725")),
        }
    }

    fn exact_operator(&mut self, candidates: &[Candidate], given: &[TypeId]) -> Option<Candidate> {
        let mut wanted = given.to_vec();
        let mut was_open = false;
        if let [left, right] = wanted.as_mut_slice() {
            if *left == types::UNKNOWN && *right != types::UNKNOWN {
                *left = *right;
                was_open = true;
            } else if *right == types::UNKNOWN && *left != types::UNKNOWN {
                *right = *left;
                was_open = true;
            }
        }
        let find = |wanted: &[TypeId]| candidates.iter().find(|it| it.arguments == wanted).cloned();
        find(&wanted).or_else(|| {
            let base = self.types.base(*wanted.first()?);
            if was_open && base != wanted[0] {
                find(&vec![base; wanted.len()])
            } else {
                None
            }
        })
    }

    fn no_operator(
        &self,
        name: &str,
        given: &[TypeId],
        span: &Span,
        what: &str,
        code: &'static str,
    ) -> Fault {
        let words: Vec<String> = given.iter().map(|ty| self.types.words(*ty)).collect();
        let call = match words.as_slice() {
            [left, right] => format!("{left} {name} {right}"),
            [right] => format!("{name} {right}"),
            _ => name.to_owned(),
        };
        if given.iter().any(|ty| self.is_opaque(*ty)) {
            return Fault::refused(
                span.clone(),
                format!("whether there is an operator {call} is not known"),
            )
            .hint(
                "its operands have a type of an extension whose operators are not known: cast them",
            );
        }
        Fault::error(code, span.clone(), format!("operator {what}: {call}"))
            .hint("no operator takes operands of these types: cast one of them")
    }

    /// Returns true for a type of an extension whose functions and operators are not known.
    pub(super) fn is_opaque(&self, ty: TypeId) -> bool {
        let ty = match self.types.kind(ty) {
            types::Kind::Array { element } => element,
            _ => ty,
        };
        let bare = self.types.bare(ty);
        bare.is_some_and(|bare| builtin::find_type(bare).is_none())
    }

    /// Returns the application of an operator (`make_op`).
    pub(super) fn operate(&mut self, name: &str, operands: Vec<Expr>, span: Span) -> Result<Expr> {
        let given: Vec<TypeId> = operands.iter().map(|it| it.ty).collect();
        let operator = self.find_operator(name, &given, &span)?;
        let (declared, result) =
            self.resolve(&operator.declared, &given, operator.result, &span)?;
        if is_comparison(name)
            && let [left, right] = operands.as_slice()
        {
            let (left_column, right_column) = (self.origin(left.bare()), self.origin(right.bare()));
            self.relate(left, right_column);
            self.relate(right, left_column);
        }
        let mut arguments = Vec::new();
        for (operand, ty) in operands.into_iter().zip(declared) {
            arguments.push(self.convert(operand, ty)?);
        }
        Ok(Expr::new(
            result,
            Kind::Call(Call {
                name: name.to_owned(),
                nulls: self.nulls_of_operator(name, &arguments),
                arguments,
                is_operator: true,
                returns_set: false,
                columns: Vec::new(),
                over: None,
            }),
            span,
        ))
    }

    /// Returns `value op ANY (array)`, or ALL (`make_scalar_array_op`).
    pub(super) fn operate_on_array(
        &mut self,
        name: &str,
        left: Expr,
        array: Expr,
        all: bool,
        span: Span,
    ) -> Result<Expr> {
        let element = if array.ty == types::UNKNOWN {
            types::UNKNOWN
        } else {
            self.types.element(array.ty).ok_or_else(|| {
                Fault::error(
                    "42809",
                    span.clone(),
                    "op ANY/ALL (array) requires array on right side",
                )
            })?
        };
        let given = [left.ty, element];
        let operator = self.find_operator(name, &given, &span)?;
        let (declared, result) =
            self.resolve(&operator.declared, &given, operator.result, &span)?;
        if result != types::BOOL {
            return Err(Fault::error(
                "42809",
                span,
                "op ANY/ALL (array) requires operator to yield boolean",
            ));
        }
        if is_comparison(name) {
            let column = self.origin(left.bare());
            self.relate(&array, column);
        }
        let left = self.convert(left, declared[0])?;
        // The type of an array that is known is not changed.
        let is_kept = is_polymorphic(operator.declared[1]) && element != types::UNKNOWN;
        let array = if is_kept || is_polymorphic(declared[1]) {
            array
        } else if matches!(self.types.kind(declared[1]), types::Kind::Array { .. }) {
            let words = self.types.words(declared[1]);
            let message = format!("could not find array type for data type {words}");
            return Err(Fault::error("42704", span, message));
        } else {
            let wanted = self.types.array_of(declared[1]);
            self.convert(array, wanted)?
        };
        Ok(Expr::new(
            types::BOOL,
            Kind::AnyOf {
                operator: name.to_owned(),
                left: Box::new(left),
                array: Box::new(array),
                all,
            },
            span,
        ))
    }

    /// Returns when an operator's result is NULL.
    fn nulls_of_operator(&self, name: &str, operands: &[Expr]) -> Nulls {
        let bare = |at: usize| {
            let operand: &Expr = operands.get(at)?;
            self.types.bare(self.types.base(operand.ty))
        };
        match name {
            "||" if [0, 1]
                .into_iter()
                .any(|at| bare(at).is_none_or(|it| it.ends_with("[]"))) =>
            {
                Nulls::Lenient
            }
            "->" | "->>" | "#>" | "#>>" | "@?" | "##" => Nulls::StrictAndPartial,
            "@@" if bare(1) == Some("jsonpath") => Nulls::StrictAndPartial,
            "#" if !matches!(bare(0), Some("int2" | "int4" | "int8" | "bit")) => {
                Nulls::StrictAndPartial
            }
            "+" | "<->" if bare(0) == Some("path") => Nulls::StrictAndPartial,
            "=" | "<>" | "<" | ">" | "<=" | ">=" | "+" | "-" | "*" | "/" | "%" | "^" | "||"
            | "~~" | "!~~" | "~~*" | "!~~*" | "~" | "!~" | "~*" | "!~*" | "&" | "|" | "#"
            | "<<" | ">>" | "&&" | "@>" | "<@" | "@@" | "?" | "?|" | "?&" | "#-" | "-|-" | "^@"
            | "@" | "|/" | "||/" | "<->" | "&<" | "&>" | "!!" | "<<=" | ">>=" => {
                let is_known = operands.iter().all(|it| {
                    let ty = self.types.base(it.ty);
                    self.types.bare(ty).is_none_or(|bare| {
                        let bare = bare.trim_end_matches("[]");
                        !matches!(bare, "hstore" | "ltree" | "cube" | "lquery" | "intset")
                    })
                });
                if is_known {
                    Nulls::Strict
                } else {
                    Nulls::StrictAndPartial
                }
            }
            _ => Nulls::StrictAndPartial,
        }
    }
}

/// Returns true for a comparison operator (manual, 9.2).
pub(super) fn is_comparison(name: &str) -> bool {
    matches!(name, "=" | "<>" | "<" | ">" | "<=" | ">=")
}

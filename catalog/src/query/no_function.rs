//! The errors for a call of a function that is not there.

use super::analyzer::Analyzer;
use super::arguments::Arguments;
use super::expr::Span;
use super::fault::Fault;
use super::signature::Function;
use super::similar::similar;
use super::types::TypeId;
use crate::replay::builtin;

impl Analyzer<'_> {
    /// Returns the error for a CALL of a function, or for a procedure in an expression.
    pub(super) fn other_kind(
        &mut self,
        path: &[String],
        functions: &[Function],
        given: Arguments,
        types: &[TypeId],
        span: &Span,
    ) -> Option<Fault> {
        let is_procedure = given.is_procedure;
        let given = Arguments {
            is_procedure: !is_procedure,
            ..given
        };
        let candidates = self.candidates(functions, &given);
        let found = self.matching(&candidates, types).pop()?;
        let words: Vec<String> = found
            .arguments
            .iter()
            .map(|ty| self.types.words(*ty))
            .collect();
        let call = format!("{}({})", path.join("."), words.join(", "));
        let (message, hint) = match is_procedure {
            true => (format!("{call} is not a procedure"), "call it in a SELECT"),
            false => (format!("{call} is a procedure"), "call it with CALL"),
        };
        Some(Fault::error("42809", span.clone(), message).hint(hint))
    }

    /// Returns the error for a CALL of a procedure that does not exist.
    pub(super) fn no_procedure(&self, path: &[String], types: &[TypeId], span: &Span) -> Fault {
        let fault = self.no_function(path, types, span, false);
        match fault.message.strip_prefix("function ") {
            Some(rest) => Fault {
                message: format!("procedure {rest}"),
                hint: Some("no procedure of this name takes such arguments".to_owned()),
                ..fault
            },
            None => fault,
        }
    }

    pub(super) fn no_function(
        &self,
        path: &[String],
        given: &[TypeId],
        span: &Span,
        many: bool,
    ) -> Fault {
        let words: Vec<String> = given.iter().map(|ty| self.types.words(*ty)).collect();
        let call = format!("{}({})", path.join("."), words.join(", "));
        if given.iter().any(|ty| self.is_opaque(*ty)) || self.may_be_unknown(path) {
            return Fault::refused(
                span.clone(),
                format!("whether there is a function {call} is not known"),
            );
        }
        if many {
            return Fault::error(
                "42725",
                span.clone(),
                format!("function {call} is not unique"),
            )
            .hint("more than one function takes such arguments: cast some of them");
        }
        if let Some(fault) = self.later_function(path, span) {
            return fault;
        }
        Fault::error(
            "42883",
            span.clone(),
            format!("function {call} does not exist"),
        )
        .hint(match self.similar_function(path) {
            Some(name) => format!("did you mean {name}?"),
            None => {
                "no function of this name takes such arguments: check the spelling, or cast them"
                    .to_owned()
            }
        })
    }

    /// Returns the name of a function that a name may be a misspelling of. Returns `None` if there
    /// are functions of the name itself.
    fn similar_function(&self, path: &[String]) -> Option<String> {
        let wanted = path.last()?;
        let own = self.catalog.routines.iter().map(|it| it.name.name.as_str());
        let known = builtin::functions_of("-").into_iter();
        let names: Vec<&str> = own.chain(known).collect();
        if names.contains(&wanted.as_str()) {
            return None;
        }
        similar(wanted, names).map(str::to_owned)
    }

    /// Returns true if a function of this name may exist without being known: an extension is not
    /// in the lists, or replay could not follow the statement that created it.
    pub(super) fn may_be_unknown(&self, path: &[String]) -> bool {
        let name = path.last().map(String::as_str).unwrap_or_default();
        let is_listed = |extension: &String| {
            extension == "plpgsql" || !builtin::functions_of(extension).is_empty()
        };
        self.catalog.extensions.iter().any(|it| !is_listed(it))
            || self.catalog.gaps.iter().any(|gap| gap.name.name == name)
    }
}

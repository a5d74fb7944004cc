//! Functions and procedures that migrations created. Their statements are kept, so that calls can
//! be replayed.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::attached::Code;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::{self, State, data_type};
use crate::replay::syntax::SYSTEM;
use crate::replay::syntax::expression::words;
use crate::replay::syntax::routine::{Source, is_of_trigger};
use crate::replay::syntax::tree::{self, child, children, has, path, tokens};
use crate::routine::Routine;
use crate::{DataType, Name};

/// A function that a migration created.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) name: Name,
    /// The function in the form of the catalog, if all of it is known.
    pub(crate) routine: Option<Routine>,
    /// The types of the arguments that a call passes.
    pub(crate) argument_types: Vec<DataType>,
    /// The number of trailing arguments that have defaults.
    pub(crate) defaults: usize,
    pub(crate) is_variadic: bool,
    pub(crate) result: Returned,
    /// The statement that created the function.
    pub(crate) definition: SyntaxNode,
    pub(crate) is_of_trigger: bool,
    facts: Rc<Facts>,
}

/// Facts about a function, derived from its definition when they are first needed.
#[derive(Debug, Default)]
struct Facts {
    source: OnceCell<Source>,
    effect: OnceCell<Effect>,
    words: OnceCell<BTreeSet<String>>,
}

/// The effect of a function's code.
#[derive(Debug)]
pub(crate) struct Effect {
    /// Whether the code itself could change the schema or a setting.
    pub(crate) changes: bool,
    pub(crate) calls: Vec<Called>,
}

/// A function that code calls.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) name: String,
    /// Whether PostgreSQL or a known extension has a function of this name, which is called if no
    /// migration creates one.
    pub(crate) is_known: bool,
}

impl Function {
    /// Creates a function without arguments, of which only the name is known.
    pub(crate) fn new(name: Name, definition: &SyntaxNode) -> Self {
        Self {
            name,
            routine: None,
            argument_types: Vec::new(),
            defaults: 0,
            is_variadic: false,
            result: Returned::Unknown,
            definition: definition.clone(),
            is_of_trigger: is_of_trigger(definition),
            facts: Rc::default(),
        }
    }

    /// Returns the code.
    pub(crate) fn source(&self) -> &Source {
        let source = &self.facts.source;
        source.get_or_init(|| Source::of(&self.definition))
    }

    /// Returns the code that a call runs.
    pub(crate) fn bodies(&self) -> &[SyntaxNode] {
        self.source().bodies()
    }

    /// Returns the effect of the code, which `find` derives from it once.
    pub(crate) fn effect(&self, find: impl FnOnce() -> Effect) -> &Effect {
        let effect = &self.facts.effect;
        effect.get_or_init(find)
    }

    /// Returns the words of the definition, including those of a quoted body.
    pub(crate) fn words(&self) -> &BTreeSet<String> {
        self.facts.words.get_or_init(|| {
            let texts = std::iter::once(&self.definition).chain(self.bodies());
            let words = texts.flat_map(|part| words(&part.text().to_string()));
            words.collect()
        })
    }

    /// Returns true unless this is a procedure, which an expression cannot call.
    pub(crate) fn is_function(&self) -> bool {
        self.definition.kind() != SyntaxKind::CREATE_PROCEDURE
    }

    /// Returns true if a call can have this number of arguments.
    pub(crate) fn takes(&self, count: usize) -> bool {
        let most = self.argument_types.len();
        let least = most - self.defaults.min(most);
        let is_enough = least <= count || (self.is_variadic && least <= count + 1);
        is_enough && (count <= most || self.is_variadic) && !self.is_of_trigger
    }
}

/// The result of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Returned {
    /// Procedures, and `RETURNS void`.
    Nothing,
    One {
        data_type: DataType,
        is_set: bool,
    },
    /// `RETURNS TABLE` and OUT arguments.
    Columns {
        columns: Vec<(String, DataType)>,
        is_set: bool,
    },
    /// A result whose type is not known.
    Unknown,
}

impl Returned {
    /// Returns true if a call may return no row or several rows.
    pub(crate) fn is_set(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::One { is_set, .. } | Self::Columns { is_set, .. } => *is_set,
            Self::Unknown => true,
        }
    }
}

impl State {
    /// Adds a function. Replaces the one of the same name and argument types.
    pub(crate) fn add_function(&mut self, function: Function) {
        let named = function.name.name.clone();
        self.keep_calls_from(&function);
        self.version_of_functions += 1;
        self.writes.forget_function(&named);
        let overloads = self.functions.entry(named).or_default();
        overloads.retain(|overload| {
            overload.name != function.name
                || !same_types(&overload.argument_types, &function.argument_types)
        });
        overloads.push(function);
    }

    /// Returns the catalog's entry for a function, mutably.
    pub(crate) fn routine_mut(&mut self, key: &str, position: usize) -> Option<&mut Routine> {
        let overload = self.functions.get_mut(key)?.get_mut(position)?;
        overload.routine.as_mut()
    }

    /// Returns the type of an argument or result, which may be a pseudo-type.
    pub(crate) fn routine_type(&self, node: &SyntaxNode) -> Option<DataType> {
        if let Ok(typed) =
            data_type::child_type(self, node).or_else(|_| data_type::read(self, node))
        {
            return Some(typed.data_type);
        }
        let parts: Vec<String> = tree::tokens(node)
            .filter(|token| token.kind() != SyntaxKind::DOT)
            .map(|token| tree::identifier(token.text()))
            .collect();
        let pseudo = PSEUDO_TYPES.into_iter().find(|pseudo| {
            let mut parts = parts.iter();
            parts.any(|part| part == pseudo)
        })?;
        let dimensions = u8::from(parts.iter().any(|part| part == "["));
        Some(DataType {
            name: Name {
                schema: SYSTEM.to_owned(),
                name: pseudo.to_owned(),
            },
            modifiers: Vec::new(),
            fields: None,
            dimensions,
        })
    }

    /// Returns the argument types of a signature, if it has a list and all types are known.
    pub(crate) fn argument_types(&self, signature: &SyntaxNode) -> Option<Vec<DataType>> {
        let list = child(signature, SyntaxKind::PARAM_LIST)?;
        children(&list, SyntaxKind::PARAM)
            .filter(|parameter| !has(parameter, SyntaxKind::PARAM_OUT))
            .map(|parameter| self.routine_type(&parameter))
            .collect()
    }

    /// Returns SQL as its author wrote it, with the search path.
    pub(crate) fn code(&self, text: String) -> Code {
        self.has_code.set(true);
        Code {
            text: Some(text),
            search_path: Some(self.search_path().to_vec()),
        }
    }

    /// Returns the key of a signature's function and its position in the list of overloads.
    pub(crate) fn find_function(&self, signature: &SyntaxNode) -> Result<(String, usize)> {
        let parts = signature.children().next().map(|named| path(&named));
        let parts = parts.unwrap_or_default();
        let key = parts.last().cloned().unwrap_or_default();
        let missing = || {
            Refused::new(signature, format!("there is no function {key}"))
                .raises("undefined_function")
        };
        let overloads = self.functions.get(&key).ok_or_else(missing)?;
        let given = child(signature, SyntaxKind::PARAM_LIST)
            .is_some()
            .then(|| self.argument_types(signature))
            .flatten();
        let is_star = child(signature, SyntaxKind::PARAM_LIST)
            .is_some_and(|list| tokens(&list).any(|token| token.kind() == SyntaxKind::STAR));
        for name in self.candidates(&parts) {
            let fitting: Vec<usize> = (0..overloads.len())
                .filter(|position| overloads[*position].name == name)
                .filter(|position| {
                    is_star
                        || given.as_ref().is_none_or(|given| {
                            same_types(given, &overloads[*position].argument_types)
                        })
                })
                .collect();
            match fitting.as_slice() {
                [] => {}
                [only] => return Ok((key, *only)),
                _ => {
                    let why = format!("there are several functions {key}");
                    return Err(Refused::error(signature, why));
                }
            }
        }
        Err(missing())
    }

    /// Returns a number that is different after each change of a function.
    pub(crate) fn version_of_functions(&self) -> u64 {
        self.version_of_functions
    }

    /// Records the names in a statement that creates an operator, a cast or an event trigger.
    pub(crate) fn note_hooks(&mut self, names: Vec<String>) {
        self.has_own_casts = true;
        let functions = &self.functions;
        self.hooks.extend(
            names
                .into_iter()
                .filter(|name| functions.contains_key(name)),
        );
    }

    /// Returns the functions that operators, casts and event triggers may run.
    pub(crate) fn hooks(&self) -> impl Iterator<Item = &String> {
        self.hooks.iter()
    }

    /// Returns whether a migration created a cast, an operator or the like.
    pub(crate) fn has_own_casts(&self) -> bool {
        self.has_own_casts
    }

    /// Copies the functions into the catalog.
    pub(crate) fn keep_routines(&mut self) {
        let overloads = self.functions.values().flatten();
        let kept = overloads.filter(|overload| overload.name.schema != state::TEMPORARY);
        self.catalog.routines = kept
            .filter_map(|overload| overload.routine.clone())
            .collect();
        self.catalog.sort_routines();
    }
}

/// Types that only functions can use.
const PSEUDO_TYPES: [&str; 21] = [
    "any",
    "anyelement",
    "anyarray",
    "anynonarray",
    "anyenum",
    "anyrange",
    "anymultirange",
    "anycompatible",
    "anycompatiblearray",
    "anycompatiblenonarray",
    "anycompatiblerange",
    "anycompatiblemultirange",
    "cstring",
    "internal",
    "record",
    "trigger",
    "event_trigger",
    "void",
    "language_handler",
    "fdw_handler",
    "table_am_handler",
];

pub(crate) fn same_types(left: &[DataType], right: &[DataType]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|(a, b)| a.of_signature() == b.of_signature())
}

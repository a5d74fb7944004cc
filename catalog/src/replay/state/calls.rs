//! The functions that stored expressions call.
//!
//! PostgreSQL stores a call as a reference to one function. Here the text is the reference. A name
//! without a schema means a function of `public` or a built-in one. The number of arguments and
//! their types decide which overload a call means. If a new overload would match a stored call
//! better, the arguments of the call are cast to the types of the overload that it meant before.

use std::collections::BTreeMap;

use bowline_sql::quote::identifier as quoted;
use bowline_sql::tokens;

use crate::replay::builtin;
use crate::replay::state::expressions::Columns;
use crate::replay::state::functions::{Function, same_types};
use crate::replay::state::{PUBLIC, State};
use crate::replay::syntax::SYSTEM;
use crate::replay::syntax::call::{Call, calls_in_text};
use crate::{DataType, Name};

/// Infers the overload that each call in an expression means: the index in the list of overloads,
/// by the position of the call. Bare names are searched for in these schemas.
pub(crate) type FindOverloads = fn(&State, &str, Columns<'_>, &[String]) -> BTreeMap<usize, usize>;

/// Returns the schemas in which a stored expression finds names without a schema.
fn stored_path() -> [String; 1] {
    [PUBLIC.to_owned()]
}

impl State {
    /// Returns an expression in the form that is stored: its functions are resolved by the current
    /// search path.
    pub(crate) fn as_stored(&self, mut expression: String, columns: Columns<'_>) -> String {
        if self.functions.is_empty() || self.search_path() == stored_path() {
            return expression;
        }
        let called = self.called(&expression, columns, self.search_path());
        for (call, function) in called.into_iter().rev() {
            if call.schema.is_none() && function.name.schema != PUBLIC {
                let schema = format!("{}.", quoted(&function.name.schema));
                expression.insert_str(call.span.start, &schema);
            }
        }
        expression
    }

    /// Returns true if a stored expression calls this overload.
    pub(crate) fn calls_function(
        &self,
        expression: &str,
        columns: Columns<'_>,
        name: &Name,
        arguments: &[DataType],
    ) -> bool {
        // Most expressions do not contain the name at all.
        let is_named = tokens(expression).any(|token| token.is_name(&name.name));
        is_named
            && self
                .called(expression, columns, &stored_path())
                .iter()
                .any(|(_, function)| {
                    function.name == *name && same_types(&function.argument_types, arguments)
                })
    }

    /// Returns the functions of migrations that an expression certainly calls.
    fn called(
        &self,
        expression: &str,
        columns: Columns<'_>,
        path: &[String],
    ) -> Vec<(Call, &Function)> {
        let mut inferred = None;
        let mut found = Vec::new();
        for call in calls_in_text(expression) {
            let overloads = self.overloads(&call.name);
            if overloads.is_empty() {
                continue;
            }
            let function = match self.fitting(&call, path).as_slice() {
                [] => None,
                [only] if !has_builtin(&call) => Some(*only),
                _ => {
                    let inferred = inferred.get_or_insert_with(|| {
                        (self.find_overloads)(self, expression, columns, path)
                    });
                    let overload = inferred.get(&call.span.start);
                    overload.and_then(|overload| overloads.get(*overload))
                }
            };
            found.extend(function.map(|function| (call, function)));
        }
        found
    }

    /// Returns the overloads that a call can mean: those that accept the number of arguments, in
    /// the schemas where the call finds them. An overload hides those with the same arguments in
    /// later schemas.
    fn fitting(&self, call: &Call, path: &[String]) -> Vec<&Function> {
        let mut fitting: Vec<&Function> = Vec::new();
        let named = call.schema.iter();
        let bare = path.iter().filter(|_| call.schema.is_none());
        for schema in named.chain(bare) {
            for function in self.overloads(&call.name) {
                let is_hidden = fitting
                    .iter()
                    .any(|earlier| same_types(&earlier.argument_types, &function.argument_types));
                if function.name.schema == *schema
                    && function.takes(call.arguments.len())
                    && function.is_function()
                    && !is_hidden
                {
                    fitting.push(function);
                }
            }
        }
        fitting
    }

    /// Returns the only overload that each call in a query can mean, whatever the types of the
    /// arguments.
    pub(crate) fn surely_called(&self, query: &str) -> Vec<(Name, Vec<DataType>)> {
        let calls = calls_in_text(query).into_iter();
        calls
            .filter_map(
                |call| match self.fitting(&call, self.search_path()).as_slice() {
                    [only] if !has_builtin(&call) => {
                        Some((only.name.clone(), only.argument_types.clone()))
                    }
                    _ => None,
                },
            )
            .collect()
    }

    /// Returns a stored expression after an overload got another name or schema.
    pub(crate) fn with_calls_renamed(
        &self,
        expression: &str,
        columns: Columns<'_>,
        function: &Function,
        to: &str,
    ) -> String {
        let mut renamed = expression.to_owned();
        let called = self.called(expression, columns, &stored_path());
        for (call, called) in called.into_iter().rev() {
            if called.name == function.name
                && same_types(&called.argument_types, &function.argument_types)
            {
                renamed.replace_range(call.span, to);
            }
        }
        renamed
    }

    /// Returns a query after an overload got another name or schema. Returns `None` if a call may
    /// mean this overload or another one.
    pub(crate) fn with_query_calls_renamed(
        &self,
        query: &str,
        function: &Function,
        to: &str,
    ) -> Option<String> {
        let mut renamed = query.to_owned();
        for call in calls_in_text(query).into_iter().rev() {
            let is_of_schema = call
                .schema
                .as_ref()
                .is_none_or(|it| *it == function.name.schema);
            if call.name != function.name.name
                || !is_of_schema
                || !function.takes(call.arguments.len())
            {
                continue;
            }
            let mut overloads = self.overloads(&call.name).iter();
            let is_clear = overloads.all(|other| {
                let is_it = other.name == function.name
                    && same_types(&other.argument_types, &function.argument_types);
                is_it || !other.takes(call.arguments.len())
            });
            if !is_clear {
                return None;
            }
            renamed.replace_range(call.span, to);
        }
        Some(renamed)
    }

    /// Casts the arguments of the calls that a new overload could take over, so that they keep
    /// their meaning.
    pub(crate) fn keep_calls_from(&mut self, new: &Function) {
        let overloads = self.overloads(&new.name.name).iter();
        let of_schema = overloads.filter(|function| function.name.schema == new.name.schema);
        let mut others = of_schema.peekable();
        let is_new = others.peek().is_some()
            && others.all(|function| !same_types(&function.argument_types, &new.argument_types));
        if !is_new || !new.is_function() {
            return;
        }
        let before = self.clone();
        self.each_expression(|columns, text| {
            let called = before.called(text, columns, &stored_path());
            for (call, function) in called.into_iter().rev() {
                if function.name == new.name && new.takes(call.arguments.len()) {
                    cast_arguments(text, &call, &function.argument_types);
                }
            }
        });
    }
}

/// Casts the arguments of a call to these types. Leaves a call with named or variadic arguments as
/// it is.
fn cast_arguments(text: &mut String, call: &Call, types: &[DataType]) {
    let is_plain = call.arguments.iter().all(|range| {
        tokens(&text[range.clone()])
            .all(|token| !token.is("=>") && !token.is(":=") && !token.is_word("variadic"))
    });
    if !is_plain {
        return;
    }
    let arguments = call.arguments.iter().zip(types);
    for (range, data_type) in arguments.rev() {
        let is_pseudo = data_type.name.schema == SYSTEM && data_type.name.name.starts_with("any");
        if is_pseudo {
            continue;
        }
        let argument = &text[range.clone()];
        if argument.ends_with(&format!("::{}", data_type.sql())) {
            continue;
        }
        let is_one = tokens(argument).nth(1).is_none();
        let cast = if is_one {
            format!("{argument}::{}", data_type.sql())
        } else {
            format!("({argument})::{}", data_type.sql())
        };
        text.replace_range(range.clone(), &cast);
    }
}

/// Returns true if a call can mean a built-in function.
fn has_builtin(call: &Call) -> bool {
    let is_visible = call.schema.as_deref().is_none_or(|schema| schema == SYSTEM);
    is_visible && builtin::has_function(&call.name)
}

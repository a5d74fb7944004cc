//! Calls of functions: those with a syntax of their own, built-in ones, and those of migrations.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::builtin;
use crate::replay::infer::from::Scope;
use crate::replay::infer::overload::Candidate;
use crate::replay::infer::{Inference, Output, Value, system};
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::functions::{Function, Returned, same_types};
use crate::replay::syntax::routine::callee;
use crate::replay::syntax::tree::{child, has, is_query};
use crate::{DataType, Name};

/// The arguments of a call.
#[derive(Default)]
struct Arguments {
    values: Vec<Value>,
    /// Whether the last argument is the array itself (`VARIADIC list`).
    is_variadic: bool,
    /// Whether some arguments are given by name.
    is_named: bool,
}

/// The overloads that a call may mean.
struct Overloads {
    candidates: Vec<Candidate>,
    /// The result columns of each overload, in the order of the candidates.
    columns: Vec<Vec<(String, DataType)>>,
}

impl Overloads {
    /// Returns the overloads that accept these arguments.
    fn taking(&self, given: &Arguments) -> Vec<Candidate> {
        let mut candidates = self.candidates.clone();
        if given.is_variadic {
            candidates.retain(|candidate| candidate.is_variadic);
            for candidate in &mut candidates {
                candidate.is_variadic = false;
            }
        }
        candidates
    }

    /// Returns the result type of all overloads, if it is the same and does not depend on the
    /// arguments.
    fn only_result(&self) -> Option<&str> {
        let first = &self.candidates.first()?.result;
        let is_one = self.candidates.iter().all(|other| other.result == *first);
        (is_one && !first.starts_with("any")).then_some(first)
    }
}

impl Inference<'_> {
    pub(crate) fn call(&self, node: &SyntaxNode, scope: &Scope) -> Result<Value> {
        use SyntaxKind as K;
        let form = node
            .children()
            .next()
            .ok_or_else(|| Refused::new(node, "the query is not whole"))?;
        for clause in node.children().skip(1) {
            if matches!(clause.kind(), K::FILTER_CLAUSE | K::OVER_CLAUSE) {
                self.visit(&clause, scope);
            }
        }
        match form.kind() {
            K::NAME_REF | K::FIELD_EXPR => self.named_call(node, scope),
            K::EXISTS_FN => {
                self.visit(&form, scope);
                Ok(Value::system("bool"))
            }
            K::EXTRACT_FN => {
                self.visit(&form, scope);
                Ok(Value::system("numeric"))
            }
            K::POSITION_FN => {
                self.visit(&form, scope);
                Ok(Value::system("int4"))
            }
            K::SUBSTRING_FN | K::OVERLAY_FN | K::TRIM_FN => {
                let first = form.descendants().skip(1).find(|part| {
                    matches!(
                        part.kind(),
                        K::NAME_REF
                            | K::LITERAL
                            | K::CALL_EXPR
                            | K::FIELD_EXPR
                            | K::CAST_EXPR
                            | K::BIN_EXPR
                            | K::PAREN_EXPR
                            | K::INDEX_EXPR
                    )
                });
                self.visit(&form, scope);
                let value = first.map(|first| self.value(&first, scope)).transpose()?;
                let key = value.as_ref().and_then(|value| value.data_type.as_ref());
                let key = key.map(|data_type| self.base_key(&self.key(data_type)));
                match key.as_deref() {
                    Some("bytea") => Ok(Value::system("bytea")),
                    Some("bit" | "varbit") => Ok(Value::system("bit")),
                    _ => Ok(Value {
                        collation: value.and_then(|value| value.collation),
                        ..Value::system("text")
                    }),
                }
            }
            _ => self.special_form(&form, scope),
        }
    }

    fn arguments(&self, node: &SyntaxNode, scope: &Scope) -> Result<Arguments> {
        use SyntaxKind as K;
        let mut given = Arguments::default();
        let list = child(node, K::ARG_LIST);
        for argument in list.iter().flat_map(SyntaxNode::children) {
            if argument.kind() != K::ARG {
                self.visit(&argument, scope);
                continue;
            }
            given.is_variadic |= has(&argument, K::VARIADIC_KW);
            let whole = || Refused::new(&argument, "the query is not whole");
            let mut value = argument.children().next().ok_or_else(whole)?;
            if value.kind() == K::NAMED_ARG {
                given.is_named = true;
                value = value.children().last().ok_or_else(whole)?;
            }
            given.values.push(self.value(&value, scope)?);
            // The ORDER BY of an aggregate is in the node of its last argument.
            for clause in argument.children().skip(1) {
                self.visit(&clause, scope);
            }
        }
        let within = child(node, K::WITHIN_CLAUSE);
        for sorted in within
            .iter()
            .flat_map(SyntaxNode::descendants)
            .filter(|part| part.kind() == K::SORT_BY)
        {
            if let Some(value) = sorted.children().next() {
                given.values.push(self.value(&value, scope)?);
            }
        }
        Ok(given)
    }

    fn named_call(&self, node: &SyntaxNode, scope: &Scope) -> Result<Value> {
        let parts = callee(node);
        let name = parts.last().cloned().unwrap_or_default();
        let given = self.arguments(node, scope)?;
        let arguments = &given.values;
        if let Some(value) = self.special(node, &name, arguments)? {
            return Ok(value);
        }
        let overloads = self.overloads(&parts);
        let result = if given.is_named {
            // With named arguments, the overload is not known, but a result type that all overloads
            // share is.
            overloads
                .only_result()
                .and_then(|result| self.of_key(result))
        } else {
            let chosen = self.choose(&overloads.taking(&given), arguments);
            if let Some((candidate, _)) = &chosen {
                self.note_call(node, &name, candidate);
            }
            chosen
                .and_then(|(candidate, parameters)| self.result(&candidate, &parameters, arguments))
        };
        let result = result.ok_or_else(|| self.unknown_call(node, &name, arguments))?;
        Ok(Value {
            collation: self.collation_of(&result, arguments),
            data_type: Some(result),
        })
    }

    /// Records the call of a function of a migration.
    fn note_call(&self, node: &SyntaxNode, name: &str, candidate: &Candidate) {
        if let Some(function) = self.state.overloads(name).get(candidate.position) {
            let mut used = self.used.borrow_mut();
            let called = (function.name.clone(), function.argument_types.clone());
            used.functions.insert(called);
            let start = usize::from(node.text_range().start());
            used.calls.push((start, candidate.position));
        }
    }

    pub(crate) fn result_of(&self, function: &[String], given: &[DataType]) -> Option<DataType> {
        let given = Arguments {
            values: given.iter().cloned().map(Value::new).collect(),
            ..Arguments::default()
        };
        let candidates = self.overloads(function).taking(&given);
        let (candidate, parameters) = self.choose(&candidates, &given.values)?;
        self.result(&candidate, &parameters, &given.values)
    }

    fn unknown_call(&self, node: &SyntaxNode, name: &str, arguments: &[Value]) -> Refused {
        let types: Vec<_> = arguments
            .iter()
            .map(|value| match &value.data_type {
                Some(data_type) => self.key(data_type),
                None => "unknown".to_owned(),
            })
            .collect();
        let types = types.join(", ");
        Refused::new(node, format!("the result of {name}({types}) is not known"))
            .hint("add a cast to its type: inference then uses the cast")
    }

    /// Returns the value of a construct that looks like a function call but is not one.
    fn special(&self, node: &SyntaxNode, name: &str, arguments: &[Value]) -> Result<Option<Value>> {
        Ok(match name {
            "coalesce" | "greatest" | "least" => Some(self.common(node, arguments)?),
            "nullif" => match arguments {
                [first, _] => {
                    // The result has the type to which the comparison converts its left side.
                    let candidates = self.operator_candidates("=", 2);
                    let chosen = self.choose(&candidates, arguments);
                    let (_, parameters) =
                        chosen.ok_or_else(|| self.unknown_call(node, name, arguments))?;
                    let element = first
                        .data_type
                        .as_ref()
                        .map(|data_type| self.key(data_type));
                    let mut value = first.clone();
                    if element.as_ref() != parameters.first() && !parameters[0].starts_with("any") {
                        value.data_type = self.of_key(&parameters[0]);
                    }
                    Some(value)
                }
                _ => None,
            },
            "grouping" => Some(Value::system("int4")),
            _ => None,
        })
    }

    fn overloads(&self, parts: &[String]) -> Overloads {
        let name = parts.last().map_or("", String::as_str);
        let is_system = parts.len() < 2 || parts[0] == "pg_catalog";
        let extensions = &self.state.catalog().extensions;
        let mut overloads = Overloads {
            candidates: Vec::new(),
            columns: Vec::new(),
        };
        for function in self.state.overloads(name) {
            let (result, columns) = match &function.result {
                Returned::One { data_type, .. } => (self.key(data_type), Vec::new()),
                // A record of one column becomes that column's value.
                Returned::Columns { columns, .. } => match columns.as_slice() {
                    [(_, data_type)] => (self.key(data_type), columns.clone()),
                    _ => ("record".to_owned(), columns.clone()),
                },
                Returned::Nothing => ("void".to_owned(), Vec::new()),
                Returned::Unknown => ("?".to_owned(), Vec::new()),
            };
            let arguments = function.argument_types.iter();
            if self.finds(parts, function) {
                overloads.candidates.push(Candidate {
                    arguments: arguments.map(|argument| self.key(argument)).collect(),
                    defaults: function.defaults,
                    is_variadic: function.is_variadic,
                    result,
                    position: overloads.columns.len(),
                });
            }
            overloads.columns.push(columns);
        }
        // A function that an extension installed outside the search path is not found by its bare
        // name.
        let has_extension = |extension: &str| {
            let schema = self.state.schema_of_extension(extension);
            let is_found = schema.is_none_or(|schema| self.state.search_path().contains(schema));
            extensions.contains(extension) && (parts.len() > 1 || is_found)
        };
        for function in builtin::functions(name, has_extension) {
            let is_bound = !is_system
                && function
                    .arguments()
                    .all(|argument| builtin::find_type(argument).is_none());
            if is_bound {
                continue;
            }
            overloads.candidates.push(Candidate {
                arguments: function.arguments().map(str::to_owned).collect(),
                defaults: function.defaults,
                is_variadic: function.is_variadic,
                result: function.result.to_owned(),
                position: overloads.columns.len(),
            });
            let columns = function
                .columns()
                .filter_map(|(name, key)| Some((name.to_owned(), self.of_key(key)?)));
            overloads.columns.push(columns.collect());
        }
        overloads
    }

    /// Returns true if a call by this name finds a function: its schema is named or on the search
    /// path, and no earlier schema has a function with the same arguments.
    fn finds(&self, parts: &[String], function: &Function) -> bool {
        if !function.is_function() {
            return false;
        }
        if let [.., schema, _] = parts {
            return function.name.schema == *schema;
        }
        let position = |schema: &str| self.path.iter().position(|other| other == schema);
        let Some(own) = position(&function.name.schema) else {
            return false;
        };
        let mut others = self.state.overloads(&function.name.name).iter();
        !others.any(|other| {
            other.is_function()
                && position(&other.name.schema).is_some_and(|other| other < own)
                && same_types(&other.argument_types, &function.argument_types)
        })
    }

    /// Returns the columns of a function in FROM.
    pub(crate) fn columns_of_call(
        &self,
        node: &SyntaxNode,
        scope: &Scope,
        alias: &str,
    ) -> Result<(Vec<Output>, Value)> {
        let output = |name: &str, value: Value| Output {
            name: name.to_owned(),
            value,
            origin: None,
        };
        let record = Value::system("record");
        let parts = callee(node);
        let name = parts.last().cloned().unwrap_or_default();
        let given = self.arguments(node, scope)?;
        let arguments = &given.values;
        if given.is_named {
            return Err(self.unknown_call(node, &name, arguments));
        }
        if name == "unnest" && arguments.len() > 1 {
            let columns = arguments
                .iter()
                .map(|value| {
                    let element = self.element(value);
                    let element =
                        element.ok_or_else(|| self.unknown_call(node, &name, arguments))?;
                    Ok(output("unnest", Value::new(element)))
                })
                .collect::<Result<_>>()?;
            return Ok((columns, record));
        }
        let overloads = self.overloads(&parts);
        let Some((candidate, parameters)) = self.choose(&overloads.taking(&given), arguments)
        else {
            return Err(self.unknown_call(node, &name, arguments));
        };
        self.note_call(node, &name, &candidate);
        let columns = &overloads.columns[candidate.position];
        let is_record = candidate.result == "record";
        if is_record {
            // A function without columns of its own gets them from the column list after the alias.
            let columns = columns
                .iter()
                .map(|(name, data_type)| output(name, Value::new(data_type.clone())));
            return Ok((columns.collect(), record));
        }
        let result = self
            .result(&candidate, &parameters, arguments)
            .ok_or_else(|| self.unknown_call(node, &name, arguments))?;
        let value = Value::new(result);
        if let Ok(fields) = self.fields(node, &value) {
            return Ok((fields, value));
        }
        let column_name = match columns.as_slice() {
            [(name, _)] => name,
            _ => alias,
        };
        Ok((vec![output(column_name, value.clone())], value))
    }

    /// Returns the element type of an array.
    pub(crate) fn element(&self, value: &Value) -> Option<DataType> {
        let data_type = self.state.base_type(value.data_type.as_ref()?);
        let key = self.key(&data_type);
        let mut element = self.of_key(key.strip_suffix("[]")?)?;
        element.modifiers.clone_from(&data_type.modifiers);
        Some(element)
    }

    pub(crate) fn is_text(&self, data_type: &DataType) -> bool {
        let key = self.key(data_type);
        self.category(key.trim_end_matches("[]")).0 == 'S'
    }

    /// Returns the only column of a subquery.
    pub(crate) fn scalar(&self, query: &SyntaxNode, scope: &Scope) -> Result<Value> {
        debug_assert!(is_query(query.kind()), "only queries are asked for here");
        let mut columns = self.query(query, scope)?;
        match columns.len() {
            1 => {
                let mut value = columns.remove(0).value;
                value.data_type.get_or_insert_with(|| system("text"));
                Ok(value)
            }
            _ => Err(Refused::error(
                query,
                "a subquery that is a value has one column",
            )),
        }
    }

    fn operator_candidates(&self, name: &str, operands: usize) -> Vec<Candidate> {
        let extensions = &self.state.catalog().extensions;
        let has_extension = |extension: &str| extensions.contains(extension);
        builtin::operators(name, has_extension)
            .filter(|operator| operator.left.is_some() == (operands == 2))
            .map(|operator| Candidate {
                arguments: operator
                    .left
                    .into_iter()
                    .chain([operator.right])
                    .map(str::to_owned)
                    .collect(),
                defaults: 0,
                is_variadic: false,
                result: operator.result.to_owned(),
                position: 0,
            })
            .collect()
    }

    pub(crate) fn operator(
        &self,
        node: &SyntaxNode,
        name: &str,
        operands: &[Value],
    ) -> Result<Value> {
        let candidates = self.operator_candidates(name, operands.len());
        let found = self
            .choose(&candidates, operands)
            .and_then(|(candidate, parameters)| self.result(&candidate, &parameters, operands));
        let result = found.ok_or_else(|| {
            let types: Vec<_> = operands
                .iter()
                .map(|value| match &value.data_type {
                    Some(data_type) => self.key(data_type),
                    None => "unknown".to_owned(),
                })
                .collect();
            let why = format!(
                "the result of {name} for {} is not known",
                types.join(" and ")
            );
            Refused::new(node, why).hint("add a cast to its type: inference then uses the cast")
        })?;
        Ok(Value {
            collation: self.collation_of(&result, operands),
            data_type: Some(result),
        })
    }

    /// Returns the common type of several values.
    pub(crate) fn common(&self, node: &SyntaxNode, values: &[Value]) -> Result<Value> {
        if values.iter().all(|value| value.data_type.is_none()) {
            return Ok(Value::system("text"));
        }
        let data_type = self.common_type(values);
        let data_type = data_type.ok_or_else(|| {
            Refused::new(node, "these values have no type in common")
                .hint("cast them to the type that is meant")
        })?;
        Ok(Value {
            collation: self.collation_of(&data_type, values),
            data_type: Some(data_type),
        })
    }

    /// Returns the collation that a result derives from its inputs.
    pub(crate) fn collation_of(&self, result: &DataType, values: &[Value]) -> Option<Name> {
        if !self.is_text(result) || self.state.collation_of_type(result).is_some() {
            return None;
        }
        let mut named = values.iter().filter_map(|value| self.collation(value));
        let first = named.next()?;
        named.all(|other| other == first).then_some(first)
    }

    /// Returns the collation of a value, if it is not the database's.
    fn collation(&self, value: &Value) -> Option<Name> {
        let of_type = || self.state.collation_of_type(value.data_type.as_ref()?);
        value.collation.clone().or_else(of_type)
    }
}

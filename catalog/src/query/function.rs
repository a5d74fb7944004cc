//! Functions: which one a call means, and the type of its result (parse_func.c; manual, 10.3).

use super::signature::Function;
use std::rc::Rc;

use super::analyzer::{Analyzer, Result};
use super::arguments::Arguments;
use super::candidate::Candidate;
use super::coerce::{Context, Pathway};
use super::expr::{Expr, Kind, Span};
use super::types::{self, TypeId};
use crate::replay::builtin;
use crate::routine::{Mode, RoutineKind};

/// The clause in which no aggregate is allowed, but a function that returns a set is.
pub(super) const FROM: &str = "FROM clause of their own query level";

impl Analyzer<'_> {
    /// Returns the functions of a name, those of the first schemas first.
    pub(super) fn functions(&mut self, path: &[String]) -> Rc<[Function]> {
        let Some((name, schema)) = path.split_last() else {
            return Rc::default();
        };
        let key = schema.first().cloned();
        let known = self.functions.get(name).and_then(|found| found.get(&key));
        if let Some(known) = known {
            return Rc::clone(known);
        }
        let functions: Rc<[Function]> = self.find_functions(name, schema).into();
        let of_name = self.functions.entry(name.clone()).or_default();
        of_name.insert(key, Rc::clone(&functions));
        functions
    }

    pub(super) fn find_functions(&mut self, name: &str, schema: &[String]) -> Vec<Function> {
        if let Some(objects) = self.objects {
            return self.find_overloads(objects, name, schema);
        }
        let mut functions = Vec::new();
        let catalog = self.catalog;
        if schema.first().is_none_or(|schema| {
            schema == "pg_catalog" || (!catalog.extensions.is_empty() && self.path.contains(schema))
        }) {
            let found =
                builtin::functions(name, |extension| catalog.extensions.contains(extension));
            let version = self.version;
            let found = found.filter_map(|function| match version {
                Some(version) => function.in_version(version),
                None => Some(function),
            });
            for function in found.collect::<Vec<_>>() {
                functions.push(self.built_in_function(&function));
            }
        }
        let path = Rc::clone(&self.path);
        let schemas = match schema.first() {
            Some(_) => schema,
            None => &path[..],
        };
        for schema in schemas {
            let own = catalog.routines.iter();
            let own = own.filter(|it| it.name.name == name && it.name.schema == *schema);
            for routine in own {
                functions.push(self.own_function(routine));
            }
            functions.extend(self.range_constructors(name, schema));
        }
        functions
    }

    pub(super) fn built_in_function(&mut self, function: &builtin::Function) -> Function {
        let kind = if function.is_aggregate() {
            RoutineKind::Aggregate
        } else if function.is_window() {
            RoutineKind::Window
        } else if function.is_procedure() {
            RoutineKind::Procedure
        } else {
            RoutineKind::Function
        };
        Function {
            name: function.name.to_owned(),
            parameters: function
                .arguments()
                .map(|ty| self.types.built_in(ty))
                .collect(),
            names: function.names().map(str::to_owned).collect(),
            defaults: function.defaults,
            is_variadic: function.is_variadic,
            result: self.types.built_in(function.result),
            returns_set: function.is_set,
            kind,
            is_strict: function.is_strict(),
            columns: function
                .columns()
                .map(|(name, ty)| (name.to_owned(), self.types.built_in(ty)))
                .collect(),
            is_built_in: true,
            is_opaque: false,
            overload: None,
        }
    }

    pub(super) fn own_function(&mut self, routine: &crate::routine::Routine) -> Function {
        let given: Vec<_> = routine
            .arguments
            .iter()
            .filter(|it| it.mode.is_given())
            .collect();
        let is_output = |mode| matches!(mode, Mode::Out | Mode::InOut | Mode::Table);
        let outputs: Vec<_> = routine
            .arguments
            .iter()
            .filter(|it| is_output(it.mode))
            .collect();
        let mut columns = Vec::new();
        for (at, output) in outputs.iter().enumerate() {
            let name = output
                .name
                .clone()
                .unwrap_or_else(|| format!("column{}", at + 1));
            columns.push((name, self.types.of_data_type(&output.data_type)));
        }
        let result = match (&routine.result, columns.as_slice()) {
            (Some(result), []) => Some(self.types.of_data_type(result)),
            (_, [(_, only)]) if routine.kind != RoutineKind::Procedure => Some(*only),
            (_, [_, ..]) => Some(types::RECORD),
            (None, []) if routine.kind == RoutineKind::Procedure => Some(types::VOID),
            (None, []) => None,
        };
        Function {
            name: routine.name.name.clone(),
            parameters: given
                .iter()
                .map(|it| self.types.of_data_type(&it.data_type))
                .collect(),
            names: given
                .iter()
                .map(|it| it.name.clone().unwrap_or_default())
                .collect(),
            defaults: given.iter().filter(|it| it.default.is_some()).count(),
            is_variadic: given.last().is_some_and(|it| it.mode == Mode::Variadic),
            result: result.unwrap_or(types::VOID),
            returns_set: routine.returns_set,
            kind: routine.kind,
            is_strict: routine.strict,
            columns,
            is_built_in: false,
            is_opaque: result.is_none(),
            overload: None,
        }
    }

    /// Returns the constructor functions of a range type that a migration created, and of its
    /// multirange.
    pub(super) fn range_constructors(&mut self, name: &str, schema: &str) -> Vec<Function> {
        let catalog = self.catalog;
        let mut functions = Vec::new();
        let own = catalog.types.values().filter(|it| it.name.schema == schema);
        for range in own {
            let crate::TypeKind::Range { multirange, .. } = &range.kind else {
                continue;
            };
            let id = self.types.of_name(&range.name);
            let Some(subtype) = self.types.subtype(id) else {
                continue;
            };
            let function = |parameters: Vec<TypeId>, is_variadic, result, is_strict| Function {
                name: name.to_owned(),
                parameters,
                names: Vec::new(),
                defaults: 0,
                is_variadic,
                result,
                returns_set: false,
                kind: RoutineKind::Function,
                is_strict,
                columns: Vec::new(),
                is_built_in: false,
                is_opaque: false,
                overload: None,
            };
            if range.name.name == name {
                functions.push(function(vec![subtype, subtype], false, id, false));
                functions.push(function(
                    vec![subtype, subtype, types::TEXT],
                    false,
                    id,
                    false,
                ));
            } else if multirange == name
                && let Some(result) = self.types.multirange_of(id)
            {
                let array = self.types.array_of(id);
                functions.push(function(Vec::new(), false, result, true));
                functions.push(function(vec![id], false, result, true));
                functions.push(function(vec![array], true, result, true));
            }
        }
        functions
    }

    /// Returns the functions that accept a call with these arguments, as candidates
    /// (`FuncnameGetCandidates`).
    pub(super) fn candidates(
        &mut self,
        functions: &[Function],
        given: &Arguments,
    ) -> Vec<Candidate> {
        let count = given.values.len();
        let mut candidates: Vec<Candidate> = Vec::new();
        for (index, function) in functions.iter().enumerate() {
            if (function.kind == RoutineKind::Procedure) != given.is_procedure {
                continue;
            }
            let Some(candidate) = self.candidate(function, index, given, count) else {
                continue;
            };
            // Of two candidates with the same parameter types, the one in the earlier schema is
            // kept, and one without VARIADIC before one with it.
            let same = candidates
                .iter()
                .position(|it| it.arguments == candidate.arguments);
            match same {
                Some(at) if candidates[at].is_variadic && !candidate.is_variadic => {
                    candidates[at] = candidate;
                }
                Some(at) if candidates[at].defaults > candidate.defaults => {
                    candidates[at] = candidate;
                }
                Some(_) => {}
                None => candidates.push(candidate),
            }
        }
        candidates
    }

    pub(super) fn candidate(
        &mut self,
        function: &Function,
        index: usize,
        given: &Arguments,
        count: usize,
    ) -> Option<Candidate> {
        let declared = &function.parameters;
        let named = given.names.iter().flatten().count();
        if named > 0 {
            return named_candidate(function, index, given, count);
        }
        let plain = |arguments: Vec<TypeId>, defaults, is_variadic| Candidate {
            arguments,
            result: function.result,
            index,
            is_variadic,
            defaults,
            order: None,
        };
        if function.is_variadic && !given.is_variadic && count + 1 > declared.len() {
            let (last, before) = declared.split_last()?;
            let element = match *last {
                types::ANY => types::ANY,
                types::ANY_ARRAY => types::ANY_ELEMENT,
                types::COMPATIBLE_ARRAY => types::COMPATIBLE,
                array => self.types.element(array)?,
            };
            let mut all = before.to_vec();
            all.resize(count, element);
            return (count > before.len() || *last == types::ANY && count == before.len())
                .then(|| plain(all, 0, true));
        }
        if count == declared.len() {
            return Some(plain(declared.clone(), 0, false));
        }
        let least = declared.len().checked_sub(function.defaults)?;
        (least <= count && count < declared.len())
            .then(|| plain(declared[..count].to_vec(), declared.len() - count, false))
    }

    /// Returns a call of a function, or the field of a row that it means (`ParseFuncOrColumn`).
    pub(super) fn call(&mut self, path: &[String], given: Arguments, span: Span) -> Result<Expr> {
        if let ([value], [name]) = (given.values.as_slice(), path)
            && self.functions(path).is_empty()
            && let Some(field) = self.field_by_call(value, name, &span)
        {
            return Ok(field);
        }
        self.call_function(path, given, span)
    }

    pub(super) fn call_function(
        &mut self,
        path: &[String],
        given: Arguments,
        span: Span,
    ) -> Result<Expr> {
        let functions = self.functions(path);
        let types: Vec<TypeId> = given.values.iter().map(|it| it.ty).collect();
        let candidates = self.candidates(&functions, &given);
        let exact = candidates
            .iter()
            .find(|it| it.ordered(&types) == it.arguments)
            .cloned();
        let chosen = match exact {
            Some(exact) => Some(exact),
            None => {
                if let Some(cast) = self.cast_by_call(path, &given)? {
                    return Ok(cast);
                }
                let mut matching = self.matching(&candidates, &types);
                match matching.len() {
                    0 => None,
                    1 => matching.pop(),
                    _ => {
                        let chosen = self.choose(matching, &types);
                        if chosen.is_none() {
                            return Err(self.no_function(path, &types, &span, true));
                        }
                        chosen
                    }
                }
            }
        };
        let Some(chosen) = chosen else {
            let is_procedure = given.is_procedure;
            let other = self.other_kind(path, &functions, given, &types, &span);
            return Err(other.unwrap_or_else(|| match is_procedure {
                true => self.no_procedure(path, &types, &span),
                false => self.no_function(path, &types, &span, false),
            }));
        };
        let function = functions[chosen.index].clone();
        self.apply(&function, &chosen, given, span)
    }

    /// Returns the conversion to which a call such as `text(x)` refers, if no function has exactly
    /// these parameter types.
    pub(super) fn cast_by_call(
        &mut self,
        path: &[String],
        given: &Arguments,
    ) -> Result<Option<Expr>> {
        let [value] = given.values.as_slice() else {
            return Ok(None);
        };
        if !given.names.iter().all(Option::is_none) || given.is_procedure {
            return Ok(None);
        }
        let Some(target) = self.type_of_path(path) else {
            return Ok(None);
        };
        let is_literal = matches!(value.kind, Kind::Const(_));
        // A parameter is converted only to a string type.
        if value.ty == types::UNKNOWN && !is_literal && self.types.category(target) != 'S' {
            return Ok(None);
        }
        let is_cast = value.ty == types::UNKNOWN
            || match self.pathway(value.ty, target, Context::Explicit) {
                Some(Pathway::Relabel) => true,
                Some(Pathway::Function) => {
                    let source = self.types.base(value.ty);
                    let by_function = self
                        .types
                        .bare(source)
                        .zip(self.types.bare(self.types.base(target)))
                        .is_some_and(|(from, to)| self.cast(from, to).is_some());
                    let is_row = source == types::RECORD || self.types.is_composite(source);
                    // A cast with a function of its own is found as a call of that function.
                    let is_text = is_row && self.types.category(target) == 'S';
                    !(by_function || is_text)
                }
                None => false,
            };
        if is_cast {
            return self.convert(value.clone(), target).map(Some);
        }
        Ok(None)
    }
}

pub(super) fn named_candidate(
    function: &Function,
    index: usize,
    given: &Arguments,
    count: usize,
) -> Option<Candidate> {
    let declared = &function.parameters;
    if count > declared.len() {
        return None;
    }
    let mut order: Vec<Option<usize>> = vec![None; declared.len()];
    for (at, name) in given.names.iter().enumerate() {
        let position = match name {
            None => at,
            Some(name) => function.names.iter().position(|it| it == name)?,
        };
        if order.get(position)?.is_some() {
            return None;
        }
        order[position] = Some(at);
    }
    let first_default = declared.len().checked_sub(function.defaults)?;
    if order[..first_default].iter().any(Option::is_none) {
        return None;
    }
    let (mut arguments, mut positions) = (Vec::new(), Vec::new());
    for (ty, position) in declared.iter().zip(&order) {
        if let Some(position) = position {
            arguments.push(*ty);
            positions.push(*position);
        }
    }
    Some(Candidate {
        arguments,
        result: function.result,
        index,
        is_variadic: false,
        defaults: declared.len() - count,
        order: Some(positions),
    })
}

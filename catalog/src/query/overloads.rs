//! The functions that a replay in progress has.

use super::analyzer::Analyzer;
use super::objects::{Objects, Overload};
use super::signature::Function;
use super::types;
use crate::replay::builtin;
use crate::routine::RoutineKind;

/// The schema of temporary objects, in which no function is searched for.
const TEMPORARY: &str = "pg_temp";

impl<'a> Analyzer<'a> {
    /// Returns the functions of a name, those of the first schemas first.
    pub(super) fn find_overloads(
        &mut self,
        objects: &'a dyn Objects,
        name: &str,
        schema: &[String],
    ) -> Vec<Function> {
        let named = schema.first().map(String::as_str);
        let extensions = &self.catalog.extensions;
        let is_installed = |extension: &str| {
            extensions.contains(extension) && objects.finds_extension(extension, named)
        };
        let built_in: Vec<_> = builtin::functions(name, is_installed)
            .filter(|function| {
                named.is_none_or(|schema| schema == "pg_catalog") || function.is_of_extension()
            })
            .collect();
        let mut functions = Vec::new();
        for function in &built_in {
            functions.push(self.built_in_function(function));
        }
        let path = std::rc::Rc::clone(&self.path);
        let schemas = match schema.first() {
            Some(_) => schema,
            None => &path[..],
        };
        for schema in schemas {
            if named.is_none() && schema == TEMPORARY {
                continue;
            }
            for (index, overload) in objects.overloads(name).into_iter().enumerate() {
                if overload.name.schema != *schema {
                    continue;
                }
                let mut function = match overload.routine {
                    Some(routine) => self.own_function(routine),
                    None => self.unknown_function(&overload),
                };
                function.overload = Some(index);
                functions.push(function);
            }
            functions.extend(self.range_constructors(name, schema));
        }
        functions
    }

    /// Returns a function of which the result is not known.
    fn unknown_function(&mut self, overload: &Overload<'_>) -> Function {
        let parameters = overload.argument_types.iter();
        Function {
            name: overload.name.name.clone(),
            parameters: parameters
                .map(|data_type| self.types.of_data_type(data_type))
                .collect(),
            names: Vec::new(),
            defaults: 0,
            is_variadic: false,
            result: types::VOID,
            returns_set: false,
            kind: if overload.is_function {
                RoutineKind::Function
            } else {
                RoutineKind::Procedure
            },
            is_strict: false,
            columns: Vec::new(),
            is_built_in: false,
            is_opaque: true,
            overload: None,
        }
    }
}

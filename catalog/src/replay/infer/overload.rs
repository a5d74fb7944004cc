//! Resolves overloads: finds the function or operator that a call means, and its result (manual,
//! chapter 10).

use crate::replay::builtin;
use crate::replay::infer::{Inference, Value, system};
use crate::replay::state::TEMPORARY;
use crate::replay::syntax::SYSTEM;
use crate::{DataType, Name, TypeKind};

/// A function or operator that a call may mean. Types are the names of [`Inference::key`].
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) arguments: Vec<String>,
    pub(crate) defaults: usize,
    pub(crate) is_variadic: bool,
    pub(crate) result: String,
    /// The index among the overloads of the called function.
    pub(crate) position: usize,
}

/// The way an argument matches a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Exact,
    /// The parameter has a polymorphic type.
    Polymorphic,
    Coerced,
}

impl Inference<'_> {
    /// Returns a type by name, as in the signatures. Built-in types and those of extensions have no
    /// schema, other types have one. Arrays have brackets.
    pub(crate) fn key(&self, data_type: &DataType) -> String {
        let defined = self.state.catalog().types.get(&data_type.name);
        let is_bare = data_type.name.schema == SYSTEM
            || defined.is_some_and(|found| found.kind == TypeKind::External);
        let base = if is_bare {
            data_type.name.name.clone()
        } else {
            format!("{}.{}", data_type.name.schema, data_type.name.name)
        };
        if data_type.dimensions > 0 {
            format!("{base}[]")
        } else {
            base
        }
    }

    /// Returns the type that a key names.
    pub(crate) fn of_key(&self, key: &str) -> Option<DataType> {
        let (base, dimensions) = match key.strip_suffix("[]") {
            Some(base) => (base, 1),
            None => (key, 0),
        };
        if let Some((schema, name)) = base.split_once('.') {
            return Some(DataType {
                name: Name {
                    schema: schema.to_owned(),
                    name: name.to_owned(),
                },
                modifiers: Vec::new(),
                fields: None,
                dimensions,
            });
        }
        let types = &self.state.catalog().types;
        let external = types
            .values()
            .find(|found| found.kind == TypeKind::External && found.name.name == base);
        let mut found = match external {
            Some(found) => DataType {
                name: found.name.clone(),
                modifiers: Vec::new(),
                fields: None,
                dimensions: 0,
            },
            None => {
                builtin::find_type(base)?;
                system(base)
            }
        };
        found.dimensions = dimensions;
        Some(found)
    }

    /// Returns the base type of a domain, or any other type unchanged.
    pub(crate) fn base_key(&self, key: &str) -> String {
        self.of_key(key).map_or_else(
            || key.to_owned(),
            |data_type| {
                let mut base = self.state.base_type(&data_type);
                base.modifiers.clear();
                self.key(&base)
            },
        )
    }

    fn own_kind(&self, key: &str) -> Option<&TypeKind> {
        let name = self.of_key(key)?.name;
        let defined = self.state.catalog().types.get(&name)?;
        Some(&defined.kind)
    }

    /// Returns the category of a type, and whether it is the preferred type of that category.
    pub(crate) fn category(&self, key: &str) -> (char, bool) {
        let base = self.base_key(key);
        if base.ends_with("[]") {
            return ('A', false);
        }
        if let Some(found) = builtin::find_type(&base) {
            return (found.category, found.is_preferred);
        }
        match self.own_kind(&base) {
            Some(TypeKind::Enum { .. }) => ('E', false),
            Some(TypeKind::Range { .. }) => ('R', false),
            Some(TypeKind::Composite { .. }) | None => ('C', false),
            Some(_) => ('U', false),
        }
    }

    /// Returns the subtype of a range or multirange.
    fn subtype(&self, key: &str) -> Option<String> {
        if let Some(found) = builtin::find_type(key) {
            return found.subtype.map(str::to_owned);
        }
        let name = self.of_key(key)?.name;
        let range = self.state.range_of(&name).unwrap_or(name);
        match &self.state.catalog().types.get(&range)?.kind {
            TypeKind::Range { subtype, .. } => Some(self.key(subtype)),
            _ => None,
        }
    }

    /// Returns true if a value of one type is implicitly converted to another.
    pub(crate) fn coerces(&self, from: &str, to: &str) -> bool {
        if from == to {
            return true;
        }
        let from = self.base_key(from);
        if from == to || builtin::cast(&from, to) == Some('i') {
            return true;
        }
        if let (Some(from), Some(to)) = (from.strip_suffix("[]"), to.strip_suffix("[]")) {
            return self.coerces(from, to);
        }
        to == "record" && self.category(&from).0 == 'C'
    }

    fn fit(&self, from: Option<&str>, to: &str) -> Option<Fit> {
        let Some(from) = from else {
            return Some(if is_polymorphic(to) {
                Fit::Polymorphic
            } else {
                Fit::Coerced
            });
        };
        if from == to {
            return Some(Fit::Exact);
        }
        let base = self.base_key(from);
        if base == to {
            return Some(Fit::Exact);
        }
        let is_array = base.ends_with("[]");
        let fits = match to {
            "any" | "anyelement" | "anycompatible" => true,
            "anyarray" | "anycompatiblearray" => is_array,
            "anynonarray" | "anycompatiblenonarray" => !is_array,
            "anyenum" => self.category(&base).0 == 'E',
            "anyrange" | "anycompatiblerange" => {
                self.category(&base).0 == 'R' && !base.contains("multirange")
            }
            "anymultirange" | "anycompatiblemultirange" => {
                self.subtype(&base).is_some() && base.contains("multirange")
            }
            _ => return self.coerces(from, to).then_some(Fit::Coerced),
        };
        fits.then_some(Fit::Polymorphic)
    }

    /// Returns the candidate that PostgreSQL would choose, with the parameter types for this call.
    pub(crate) fn choose(
        &self,
        candidates: &[Candidate],
        arguments: &[Value],
    ) -> Option<(Candidate, Vec<String>)> {
        let given: Vec<Option<String>> = arguments
            .iter()
            .map(|value| value.data_type.as_ref().map(|argument| self.key(argument)))
            .collect();
        let mut fitting: Vec<(Candidate, Vec<String>, Vec<Fit>)> = Vec::new();
        for candidate in candidates {
            let Some(parameters) = parameters(candidate, given.len()) else {
                continue;
            };
            let fits: Option<Vec<Fit>> = given
                .iter()
                .zip(&parameters)
                .map(|(from, to)| self.fit(from.as_deref(), to))
                .collect();
            let fits = fits.filter(|_| self.have_common_type(&parameters, &given));
            if let Some(fits) = fits {
                fitting.push((candidate.clone(), parameters, fits));
            }
        }
        let exact = fitting.iter().find(|(_, parameters, _)| {
            given
                .iter()
                .zip(parameters)
                .all(|(from, to)| from.as_ref() == Some(to))
        });
        if let Some((candidate, parameters, _)) = exact {
            return Some((candidate.clone(), parameters.clone()));
        }
        self.narrow(&mut fitting, &given);
        // If several overloads have the same parameters, one of a migration hides the built-in one.
        let (first, parameters, _) = fitting.first()?.clone();
        let all_alike = fitting
            .iter()
            .all(|(other, others, _)| *others == parameters && other.result == first.result);
        all_alike.then_some((first, parameters))
    }

    /// Returns true if the arguments of `anycompatible` parameters have a common type of elements.
    fn have_common_type(&self, parameters: &[String], given: &[Option<String>]) -> bool {
        let elements = given.iter().zip(parameters).filter_map(|(from, to)| {
            let form = to.strip_prefix("anycompatible")?;
            let base = self.base_key(from.as_ref()?);
            let key = match form {
                "array" => base.strip_suffix("[]")?,
                "" | "nonarray" => &base,
                _ => return None,
            };
            self.of_key(key).map(Value::new)
        });
        let elements: Vec<Value> = elements.collect();
        elements.is_empty() || self.common_type(&elements).is_some()
    }

    fn narrow(
        &self,
        fitting: &mut Vec<(Candidate, Vec<String>, Vec<Fit>)>,
        given: &[Option<String>],
    ) {
        // An operand of unknown type is assumed to have the type of the other.
        if let [Some(known), None] | [None, Some(known)] = given {
            let base = self.base_key(known);
            let same = |parameters: &Vec<String>| parameters.iter().all(|to| *to == base);
            if fitting.iter().any(|(_, parameters, _)| same(parameters)) {
                fitting.retain(|(_, parameters, _)| same(parameters));
                return;
            }
            // Next to an array, an operator of two arrays is chosen. The literal is then read as an
            // array.
            let arrays = |parameters: &Vec<String>| {
                let takes = |to: &String| matches!(to.as_str(), "anyarray" | "anycompatiblearray");
                parameters.iter().all(takes)
            };
            if base.ends_with("[]") && fitting.iter().any(|(_, parameters, _)| arrays(parameters)) {
                fitting.retain(|(_, parameters, _)| arrays(parameters));
                return;
            }
        }
        keep_best(fitting, |(_, _, fits)| {
            let known = fits.iter().zip(given).filter(|(_, from)| from.is_some());
            known.filter(|(fit, _)| **fit == Fit::Exact).count()
        });
        keep_best(fitting, |(_, parameters, fits)| {
            let positions = fits.iter().zip(parameters).zip(given);
            positions
                .filter(|((fit, to), from)| {
                    from.is_some() && (**fit == Fit::Exact || self.category(to).1)
                })
                .count()
        });
        if fitting.len() < 2 {
            return;
        }
        for (position, from) in given.iter().enumerate() {
            if from.is_some() {
                continue;
            }
            let categories: Vec<(char, bool)> = fitting
                .iter()
                .filter_map(|(_, parameters, _)| parameters.get(position))
                .map(|to| self.category(to))
                .collect();
            let first = categories.first().map(|(category, _)| *category);
            let chosen = if categories.iter().any(|(category, _)| *category == 'S') {
                Some('S')
            } else if categories
                .iter()
                .all(|(category, _)| Some(*category) == first)
            {
                first
            } else {
                None
            };
            let Some(chosen) = chosen else {
                continue;
            };
            let has_preferred = categories.contains(&(chosen, true));
            let is_chosen = |parameters: &Vec<String>| {
                parameters.get(position).is_some_and(|to| {
                    let (category, is_preferred) = self.category(to);
                    category == chosen && (!has_preferred || is_preferred)
                })
            };
            if fitting
                .iter()
                .any(|(_, parameters, _)| is_chosen(parameters))
            {
                fitting.retain(|(_, parameters, _)| is_chosen(parameters));
            }
        }
        // Finally, unknown arguments are assumed to have the type that all others share.
        let known: Vec<String> = given
            .iter()
            .flatten()
            .map(|key| self.base_key(key))
            .collect();
        if let Some(shared) = known
            .first()
            .filter(|first| known.iter().all(|key| key == *first))
            && fitting.len() > 1
        {
            let takes_shared = |parameters: &Vec<String>| {
                parameters
                    .iter()
                    .all(|to| self.coerces(shared, to) || is_polymorphic(to))
            };
            if fitting
                .iter()
                .filter(|(_, parameters, _)| takes_shared(parameters))
                .count()
                == 1
            {
                fitting.retain(|(_, parameters, _)| takes_shared(parameters));
            }
        }
    }

    /// Returns the result of the chosen candidate, with polymorphic types resolved for this call.
    pub(crate) fn result(
        &self,
        candidate: &Candidate,
        parameters: &[String],
        arguments: &[Value],
    ) -> Option<DataType> {
        if !is_polymorphic(&candidate.result) {
            return self.of_key(&candidate.result);
        }
        let is_compatible = candidate.result.starts_with("anycompatible");
        let mut elements: Vec<Value> = Vec::new();
        let mut ranges: Vec<String> = Vec::new();
        for (value, parameter) in arguments.iter().zip(parameters) {
            if !is_polymorphic(parameter) || parameter.starts_with("anycompatible") != is_compatible
            {
                continue;
            }
            let Some(data_type) = &value.data_type else {
                continue;
            };
            let data_type = match self.state.base_type(data_type) {
                base if base.dimensions > 0 => base,
                _ => data_type.clone(),
            };
            let key = self.key(&data_type);
            let element = match parameter
                .trim_start_matches("anycompatible")
                .trim_start_matches("any")
            {
                "array" => self.of_key(key.strip_suffix("[]")?)?,
                "range" | "multirange" => {
                    ranges.push(self.base_key(&key));
                    self.of_key(&self.subtype(&self.base_key(&key))?)?
                }
                _ => data_type,
            };
            elements.push(Value::new(element));
        }
        let mut element = self.common_type(&elements)?;
        element.modifiers.clear();
        match candidate
            .result
            .trim_start_matches("anycompatible")
            .trim_start_matches("any")
        {
            "array" => {
                element.dimensions = 1;
                Some(element)
            }
            "range" => {
                let range = ranges.first()?;
                if range.contains("multirange") {
                    self.of_key(&range.replace("multirange", "range"))
                } else {
                    self.of_key(range)
                }
            }
            "multirange" => {
                let range = ranges.first()?;
                if range.contains("multirange") {
                    self.of_key(range)
                } else {
                    let name = self.of_key(range)?.name;
                    match self
                        .state
                        .catalog()
                        .types
                        .get(&name)
                        .map(|found| &found.kind)
                    {
                        Some(TypeKind::Range { multirange, .. }) => {
                            self.of_key(&format!("{}.{multirange}", name.schema))
                        }
                        _ => self.of_key(&range.replace("range", "multirange")),
                    }
                }
            }
            _ => Some(element),
        }
    }

    /// Returns the common type of several values in CASE, UNION, COALESCE and arrays.
    pub(crate) fn common_type(&self, values: &[Value]) -> Option<DataType> {
        let mut known = values.iter().filter_map(|value| value.data_type.as_ref());
        let first = known.next()?;
        if known
            .clone()
            .all(|other| other.name == first.name && other.dimensions == first.dimensions)
            && values.iter().all(|value| value.data_type.is_some())
        {
            let mut shared = first.clone();
            if known.any(|other| other.modifiers != first.modifiers) {
                shared.modifiers.clear();
            }
            return Some(shared);
        }
        let mut chosen = self.base_key(&self.key(first));
        for other in values
            .iter()
            .skip(1)
            .filter_map(|value| value.data_type.as_ref())
        {
            let other = self.base_key(&self.key(other));
            if other == chosen {
                continue;
            }
            let (category, is_preferred) = self.category(&chosen);
            if self.category(&other).0 != category {
                return None;
            }
            if !is_preferred && self.coerces(&chosen, &other) && !self.coerces(&other, &chosen) {
                chosen = other;
            }
        }
        let mut shared = self.of_key(&chosen)?;
        // The modifiers remain if all values have the same. A string literal has none.
        let all_same = values.iter().all(|value| {
            value.data_type.as_ref().is_some_and(|other| {
                other.name == shared.name && other.modifiers == first.modifiers
            })
        });
        if all_same {
            shared.modifiers.clone_from(&first.modifiers);
        }
        (shared.name.schema != TEMPORARY).then_some(shared)
    }
}

fn keep_best<T>(all: &mut Vec<T>, score: impl Fn(&T) -> usize) {
    let best = all.iter().map(&score).max().unwrap_or(0);
    all.retain(|one| score(one) == best);
}

fn is_polymorphic(name: &str) -> bool {
    name.starts_with("any")
}

/// Returns the parameters for this number of arguments, if the candidate accepts it.
fn parameters(candidate: &Candidate, count: usize) -> Option<Vec<String>> {
    let declared = &candidate.arguments;
    if candidate.is_variadic && count + 1 >= declared.len() {
        let (last, before) = declared.split_last()?;
        let element = match last.as_str() {
            "any" => "any",
            "anyarray" => "anyelement",
            "anycompatiblearray" => "anycompatible",
            array => array.strip_suffix("[]")?,
        };
        let mut all = before.to_vec();
        while all.len() < count {
            all.push(element.to_owned());
        }
        return Some(all);
    }
    let least = declared.len().checked_sub(candidate.defaults)?;
    (least <= count && count <= declared.len()).then(|| declared[..count].to_vec())
}

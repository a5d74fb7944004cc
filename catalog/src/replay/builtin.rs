//! The objects of PostgreSQL and of the extensions in its distribution: types, functions,
//! operators, casts, operator classes and system tables. The lists come from a server of the newest
//! version (`script/builtins`), and `later.txt` says which objects older versions do not have.

mod table;

use std::collections::HashSet;
use std::sync::LazyLock;

use self::table::{Table, lines};

/// Returns a list of the folder `builtin`, as a table.
macro_rules! table {
    ($file:literal) => {{
        const TEXT: &str = include_str!(concat!("builtin/", $file));
        static TABLE: Table<{ lines(TEXT) }> = Table::new(TEXT);
        &TABLE
    }};
}

/// A type by its bare name. An array has its element's name with brackets: `text[]`.
pub(crate) type TypeName = &'static str;

#[derive(Debug)]
pub(crate) struct BuiltinType {
    /// `pg_type.typcategory`.
    pub(crate) category: char,
    pub(crate) is_preferred: bool,
    /// The subtype of a range or multirange.
    pub(crate) subtype: Option<TypeName>,
    attributes: &'static str,
}

impl BuiltinType {
    /// Returns the attributes of a composite type.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&'static str, TypeName)> + use<> {
        let attributes = some(self.attributes).into_iter();
        let attributes = attributes.flat_map(|it| it.split(','));
        attributes.filter_map(|attribute| attribute.split_once(':'))
    }
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    arguments: &'static str,
    names: &'static str,
    flags: &'static str,
    /// The number of trailing arguments that have defaults.
    pub(crate) defaults: usize,
    pub(crate) result: TypeName,
    pub(crate) is_variadic: bool,
    pub(crate) is_set: bool,
    columns: &'static str,
    extension: &'static str,
}

impl Function {
    pub(crate) fn arguments(&self) -> impl Iterator<Item = TypeName> + use<> {
        some(self.arguments)
            .into_iter()
            .flat_map(|it| it.split(','))
    }

    /// Returns the version with which the function came, if that is later than the oldest one.
    pub(crate) fn came_with(&self) -> Option<u32> {
        came_with(&format!("function:{}({})", self.name, self.arguments))
    }

    /// Returns the function as an older version has it: perhaps without the last arguments that
    /// have defaults.
    pub(crate) fn in_version(mut self, version: u32) -> Option<Self> {
        while self.came_with().is_some_and(|came| came > version) {
            self.defaults = self.defaults.checked_sub(1)?;
            let (arguments, names) = (self.arguments, self.names);
            self.arguments = arguments.rsplit_once(',').map_or("-", |(before, _)| before);
            self.names = names.rsplit_once(',').map_or("-", |(before, _)| before);
        }
        Some(self)
    }

    /// Returns the names of the arguments, if they have names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        some(self.names).into_iter().flat_map(|it| it.split(','))
    }

    /// Returns true if an extension has the function.
    pub(crate) fn is_of_extension(&self) -> bool {
        self.extension != "-"
    }

    /// Returns true if the result is NULL whenever an argument is.
    pub(crate) fn is_strict(&self) -> bool {
        self.flags.contains('t')
    }

    pub(crate) fn is_aggregate(&self) -> bool {
        self.flags.contains('a')
    }

    pub(crate) fn is_window(&self) -> bool {
        self.flags.contains('w')
    }

    pub(crate) fn is_procedure(&self) -> bool {
        self.flags.contains('p')
    }

    /// Returns the columns of a result that is a record.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&'static str, TypeName)> + use<> {
        let columns = some(self.columns).into_iter().flat_map(|it| it.split(','));
        columns.filter_map(|column| column.split_once(':'))
    }
}

#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) left: Option<TypeName>,
    pub(crate) right: TypeName,
    pub(crate) result: TypeName,
    extension: &'static str,
}

/// A system table or view, or one of an extension.
#[derive(Debug)]
pub(crate) struct SystemRelation {
    /// `-` for a relation of an extension, which is in the extension's schema.
    pub(crate) schema: &'static str,
    pub(crate) extension: &'static str,
    columns: &'static str,
}

/// A column of a system relation. The collation is present only if it differs from that of the
/// type.
pub(crate) struct SystemColumn {
    pub(crate) name: &'static str,
    pub(crate) data_type: TypeName,
    pub(crate) collation: Option<&'static str>,
}

impl SystemRelation {
    pub(crate) fn columns(&self) -> impl Iterator<Item = SystemColumn> + use<> {
        self.columns.split(',').map(|column| {
            let mut parts = column.split(':');
            SystemColumn {
                name: parts.next().unwrap_or_default(),
                data_type: parts.next().unwrap_or_default(),
                collation: parts.next(),
            }
        })
    }
}

/// Returns a type by its name, without brackets.
pub(crate) fn find_type(name: &str) -> Option<BuiltinType> {
    let [category, preferred, parts] = table!("types.txt").find(name).next()?;
    let is_composite = category == "C";
    Some(BuiltinType {
        category: category.chars().next().unwrap_or('U'),
        is_preferred: preferred == "p",
        subtype: some(parts).filter(|_| !is_composite),
        attributes: if is_composite { parts } else { "-" },
    })
}

/// The oldest version of PostgreSQL that is supported, and the newest that is known.
pub(crate) const VERSIONS: std::ops::RangeInclusive<u32> = 15..=18;

/// Returns the version of PostgreSQL with which an object came, if that is later than the oldest
/// one: `function:casefold(text)`, `cast:bytea:int4`, `relation:pg_catalog.pg_aios`.
pub(crate) fn came_with(object: &str) -> Option<u32> {
    let [version] = table!("later.txt").find(object).next()?;
    version.parse().ok()
}

/// Returns true if a version of PostgreSQL, or an extension in its distribution, has a function of
/// this name.
pub(crate) fn has_function_in(name: &str, version: u32) -> bool {
    functions(name, |_| true).any(|function| function.in_version(version).is_some())
}

/// Returns the names of all types, in order.
pub(crate) fn type_names() -> impl Iterator<Item = &'static str> {
    table!("types.txt").all::<3>().map(|(name, _)| name)
}

/// Returns the functions of this name that exist with these extensions.
pub(crate) fn functions(
    name: &str,
    is_installed: impl Fn(&str) -> bool,
) -> impl Iterator<Item = Function> {
    let found = table!("functions.txt").find_with_key(name);
    let found = found.map(|(name, words)| function(name, words));
    found.filter(move |function| function.extension == "-" || is_installed(function.extension))
}

/// Returns true if PostgreSQL or one of the extensions has a function of this name.
pub(crate) fn has_function(name: &str) -> bool {
    table!("functions.txt").find::<7>(name).next().is_some()
}

/// Returns the functions of one extension, in the order of their names.
pub(crate) fn functions_of(extension: &str) -> Vec<&'static str> {
    let mut names: Vec<(&'static str, bool)> = Vec::new();
    for (name, words) in table!("functions.txt").all() {
        let is_its = function(name, words).extension == extension;
        match names.last_mut().filter(|(last, _)| *last == name) {
            Some((_, are_its)) => *are_its &= is_its,
            None => names.push((name, is_its)),
        }
    }
    let its = names.into_iter().filter(|(_, is_its)| *is_its);
    its.map(|(name, _)| name).collect()
}

fn function(name: &'static str, words: [&'static str; 7]) -> Function {
    let [
        arguments,
        defaults,
        result,
        flags,
        columns,
        names,
        extension,
    ] = words;
    Function {
        name,
        arguments,
        names,
        flags,
        defaults: defaults.parse().unwrap_or(0),
        result,
        is_variadic: flags.contains('v'),
        is_set: flags.contains('s'),
        columns,
        extension,
    }
}

/// Returns the operators of this name that exist with these extensions.
pub(crate) fn operators(
    name: &str,
    is_installed: impl Fn(&str) -> bool,
) -> impl Iterator<Item = Operator> {
    let found = table!("operators.txt").find(name);
    let found = found.map(|[left, right, result, extension]| Operator {
        left: some(left),
        right,
        result,
        extension,
    });
    found.filter(move |operator| operator.extension == "-" || is_installed(operator.extension))
}

/// Returns the context of a cast. `i`: implicit, `a`: in assignments, `e`: only explicit.
pub(crate) fn cast(source: &str, target: &str) -> Option<char> {
    let mut casts = table!("casts.txt").find(source);
    let [_, context] = casts.find(|[other, _]| *other == target)?;
    context.chars().next()
}

/// Returns the system tables of this name, and those of extensions.
pub(crate) fn relations(name: &str) -> impl Iterator<Item = SystemRelation> + use<> {
    table!("relations.txt").find(name).map(relation)
}

/// Returns the system tables and views, with their schemas.
pub(crate) fn core_relations() -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = table!("relations.txt").all();
    let all = all.map(|(name, words)| (relation(words), name));
    let core = all.filter(|(found, _)| found.extension == "-");
    core.map(|(found, name)| (found.schema, name))
}

fn relation(words: [&'static str; 3]) -> SystemRelation {
    let [schema, extension, columns] = words;
    SystemRelation {
        schema,
        extension,
        columns,
    }
}

/// Returns the extension of an operator class. Returns `None` for a built-in or unknown class.
pub(crate) fn extension_of_class(class: &str) -> Option<&'static str> {
    let [.., extension] = table!("classes.txt").find::<4>(class).next()?;
    some(extension)
}

/// Returns the operator classes of one extension.
pub(crate) fn classes_of(extension: &str) -> impl Iterator<Item = &'static str> {
    let all = table!("classes.txt").all::<4>();
    all.filter(move |(_, [.., of])| *of == extension)
        .map(|(class, _)| class)
}

/// Returns true if an operator class is the default of the index method for the type. The type of
/// an expression is not known.
pub(crate) fn is_default_class(class: &str, method: &str, data_type: Option<&str>) -> bool {
    let known = table!("classes.txt").find::<4>(class);
    let mut known = known.filter(|[of, ..]| *of == method);
    known.any(|[_, own, default, _]| {
        let fits = |data_type: &str| {
            own == data_type || own.starts_with("any") || (own == "text" && data_type == "varchar")
        };
        default == "d" && data_type.is_none_or(fits)
    })
}

/// Returns true if values of the type can be sorted, or compared for equality, by a default
/// operator class of the method.
pub(crate) fn has_default_class(data_type: &str, method: &str) -> bool {
    // Each ORDER BY and GROUP BY of a query asks, so the table is read once.
    static DEFAULTS: LazyLock<HashSet<(&str, &str)>> = LazyLock::new(|| {
        let all = table!("classes.txt").all::<4>();
        let defaults = all.filter(|(_, [_, _, default, _])| *default == "d");
        defaults
            .map(|(_, [method, data_type, ..])| (data_type, method))
            .collect()
    });
    DEFAULTS.contains(&(data_type, method))
}

/// Returns the word unless it is `-`.
fn some(word: &'static str) -> Option<&'static str> {
    (word != "-").then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_found_by_name() {
        let lower = functions("lower", |_| false);
        let lower: Vec<Vec<_>> = lower.map(|found| found.arguments().collect()).collect();
        assert_eq!(lower, [["text"], ["anyrange"], ["anymultirange"]]);
        assert!(functions("similarity", |_| false).next().is_none());
        assert!(
            functions("similarity", |name| name == "pg_trgm")
                .next()
                .is_some()
        );
        assert!(
            functions_of("citext").contains(&"citextsend")
                || functions_of("citext").contains(&"citext")
        );
        assert_eq!(
            find_type("int4range").and_then(|found| found.subtype),
            Some("int4")
        );
        assert_eq!(cast("int4", "int8"), Some('i'));
        assert_eq!(cast("int8", "int4"), Some('a'));
        assert_eq!(extension_of_class("gin_trgm_ops"), Some("pg_trgm"));
        assert_eq!(extension_of_class("int4_ops"), None);
        assert!(is_default_class("int4_ops", "btree", Some("int4")));
        let table = relations("pg_class").next().expect("a system table");
        assert!(table.columns().any(|column| column.name == "relname"));
        assert!(core_relations().any(|found| found == ("pg_catalog", "pg_class")));
    }
}

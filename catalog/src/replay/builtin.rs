//! The objects of PostgreSQL and of the extensions in its distribution: types, functions,
//! operators, casts, operator classes and system tables. The list comes from a server of the newest
//! version (`script/builtins`).

use std::collections::HashMap;
use std::sync::OnceLock;

const SIGNATURES: &str = include_str!("builtin/signatures.txt");

/// A type by its bare name. An array has its element's name with brackets: `text[]`.
pub(crate) type TypeName = &'static str;

#[derive(Debug)]
pub(crate) struct BuiltinType {
    /// `pg_type.typcategory`.
    pub(crate) category: char,
    pub(crate) is_preferred: bool,
    /// The subtype of a range or multirange.
    pub(crate) subtype: Option<TypeName>,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) arguments: Vec<TypeName>,
    /// The number of trailing arguments that have defaults.
    pub(crate) defaults: usize,
    pub(crate) result: TypeName,
    pub(crate) is_variadic: bool,
    pub(crate) is_set: bool,
    /// The columns of a result that is a record.
    pub(crate) columns: Vec<(&'static str, TypeName)>,
    extension: &'static str,
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
    pub(crate) fn columns(&self) -> impl Iterator<Item = SystemColumn> {
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

#[derive(Debug, Default)]
pub(crate) struct Builtin {
    types: HashMap<&'static str, BuiltinType>,
    functions: HashMap<&'static str, Vec<Function>>,
    operators: HashMap<&'static str, Vec<Operator>>,
    /// `i`: implicit, `a`: in assignments, `e`: only explicit.
    casts: HashMap<(TypeName, TypeName), char>,
    /// Operator classes with method, type, extension, and whether it is the default.
    classes: Vec<[&'static str; 5]>,
    relations: HashMap<&'static str, Vec<SystemRelation>>,
}

/// Returns the signatures, which are read at first use.
pub(crate) fn builtin() -> &'static Builtin {
    static BUILTIN: OnceLock<Builtin> = OnceLock::new();
    BUILTIN.get_or_init(Builtin::read)
}

impl Builtin {
    pub(crate) fn read() -> Self {
        let mut all = Self::default();
        let some = |word: &'static str| (word != "-").then_some(word);
        for line in SIGNATURES.lines() {
            let words: Vec<&'static str> = line.split(' ').collect();
            match *words.as_slice() {
                ["T", _, name, category, preferred, _, subtype] => {
                    let found = BuiltinType {
                        category: category.chars().next().unwrap_or('U'),
                        is_preferred: preferred == "p",
                        subtype: some(subtype),
                    };
                    all.types.insert(name, found);
                }
                [
                    "F",
                    extension,
                    name,
                    arguments,
                    defaults,
                    result,
                    flags,
                    columns,
                ] => {
                    let arguments = some(arguments).map(|list| list.split(',').collect());
                    let columns = some(columns).map(|list| {
                        list.split(',')
                            .filter_map(|column| column.split_once(':'))
                            .collect()
                    });
                    all.functions.entry(name).or_default().push(Function {
                        arguments: arguments.unwrap_or_default(),
                        defaults: defaults.parse().unwrap_or(0),
                        result,
                        is_variadic: flags.contains('v'),
                        is_set: flags.contains('s'),
                        columns: columns.unwrap_or_default(),
                        extension,
                    });
                }
                ["O", extension, name, left, right, result] => {
                    all.operators.entry(name).or_default().push(Operator {
                        left: some(left),
                        right,
                        result,
                        extension,
                    });
                }
                ["C", _, source, target, context] => {
                    let context = context.chars().next().unwrap_or('e');
                    all.casts.insert((source, target), context);
                }
                ["K", extension, class, method, data_type, default] => {
                    all.classes
                        .push([class, method, data_type, default, extension]);
                }
                ["R", extension, schema, name, columns] => {
                    all.relations.entry(name).or_default().push(SystemRelation {
                        schema,
                        extension,
                        columns,
                    });
                }
                _ => {}
            }
        }
        all
    }

    pub(crate) fn find_type(&self, name: &str) -> Option<&BuiltinType> {
        self.types.get(name)
    }

    /// Returns the functions of this name that exist with these extensions.
    pub(crate) fn functions<'a>(
        &'a self,
        name: &str,
        is_installed: impl Fn(&str) -> bool + 'a,
    ) -> impl Iterator<Item = &'a Function> {
        let found = self.functions.get(name).map_or(&[][..], Vec::as_slice);
        found
            .iter()
            .filter(move |function| function.extension == "-" || is_installed(function.extension))
    }

    pub(crate) fn operators<'a>(
        &'a self,
        name: &str,
        is_installed: impl Fn(&str) -> bool + 'a,
    ) -> impl Iterator<Item = &'a Operator> {
        let found = self.operators.get(name).map_or(&[][..], Vec::as_slice);
        found
            .iter()
            .filter(move |operator| operator.extension == "-" || is_installed(operator.extension))
    }

    pub(crate) fn cast(&self, source: &str, target: &str) -> Option<char> {
        let casts: &HashMap<(&str, &str), char> = &self.casts;
        casts.get(&(source, target)).copied()
    }

    /// Returns the system tables of this name, and those of extensions.
    pub(crate) fn relations(&self, name: &str) -> &[SystemRelation] {
        self.relations.get(name).map_or(&[], Vec::as_slice)
    }

    /// Returns the system tables and views, with their schemas.
    pub(crate) fn core_relations(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.relations.iter().flat_map(|(name, found)| {
            let core = found.iter().filter(|found| found.extension == "-");
            core.map(|found| (found.schema, *name))
        })
    }

    pub(crate) fn type_names(&self) -> impl Iterator<Item = &'static str> {
        self.types.keys().copied()
    }

    /// Returns the functions of one extension.
    pub(crate) fn functions_of(&self, extension: &str) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = self
            .functions
            .iter()
            .filter(|(_, overloads)| {
                overloads
                    .iter()
                    .all(|function| function.extension == extension)
            })
            .map(|(name, _)| *name)
            .collect();
        names.sort_unstable();
        names
    }

    /// Returns the extension of an operator class. Returns `None` for a built-in or unknown class.
    pub(crate) fn extension_of_class(&self, class: &str) -> Option<&'static str> {
        let known = self.classes.iter().find(|known| known[0] == class);
        known
            .map(|known| known[4])
            .filter(|extension| *extension != "-")
    }

    /// Returns the operator classes of one extension.
    pub(crate) fn classes_of(&self, extension: &str) -> impl Iterator<Item = &'static str> {
        self.classes
            .iter()
            .filter(move |class| class[4] == extension)
            .map(|class| class[0])
    }
}

/// Returns true if an operator class is the default of the index method for the type. The type of
/// an expression is not known.
pub(crate) fn is_default_class(class: &str, method: &str, data_type: Option<&str>) -> bool {
    let classes = &builtin().classes;
    let mut known = classes
        .iter()
        .filter(|known| known[0] == class && known[1] == method);
    known.any(|known| {
        let fits = |data_type: &str| {
            known[2] == data_type
                || known[2].starts_with("any")
                || (known[2] == "text" && data_type == "varchar")
        };
        known[3] == "d" && data_type.is_none_or(fits)
    })
}

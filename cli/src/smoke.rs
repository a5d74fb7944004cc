//! The source of a program that calls each generated function on a server. It takes the functions'
//! signatures from the code, and makes values of their types.

mod code;
mod geometry;
mod values;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use syn::{GenericArgument, PathArguments, Type, TypeParamBound};

use code::{Choice, Code, Function, Struct, read};

/// The part of the program that prints the result of each function: whether a call of it succeeded,
/// else its last error.
pub const REPORT: &str = include_str!("smoke/report.rs.in");

/// The first page of a list.
const FIRST_PAGE: &str = "bowline::Page::first(5)";

/// The function that makes values of the application's types.
const MADE_UP: &str = "crate::made_up";

/// How often each function is called, with other values each time.
const ROUNDS: usize = 3;

/// What a program is to call.
pub struct Subject<'a> {
    /// A name for the report; empty, or with `::` at its end.
    pub label: &'a str,
    /// The path of the module with the generated code in the program.
    pub module: &'a str,
    /// The folder of the generated code.
    pub folder: &'a Path,
    /// SQL types of fields that hold them as text, by struct and field: `AccountValues.path`. The
    /// field alone means that of each struct.
    pub texts: BTreeMap<String, String>,
}

/// The source of a module with the function `run(&mut Report, &mut Session)`.
pub struct Program {
    /// The source.
    pub source: String,
    /// The functions that are not called, each with the reason.
    pub left_out: Vec<String>,
}

/// The name of a type of which no value is known.
struct NoValue(String);

type Value = Result<String, NoValue>;

/// Returns the program for generated code.
///
/// # Errors
///
/// If the files cannot be read, or are not Rust.
pub fn program(subject: &Subject<'_>) -> io::Result<Program> {
    let mut code = read(subject)?;
    let mut source = "#[allow(clippy::all)]\n\
        pub(crate) fn run(reported: &mut crate::Report, session: &mut bowline::Session) {\n"
        .to_owned();
    for round in 1..=ROUNDS {
        let _ = writeln!(source, "    round_{round}(reported, session);");
    }
    source.push_str("    deletes(reported, session);\n}\n");
    let mut left_out = Vec::new();
    let is_delete = |function: &Function| function.name == "delete";
    let functions = std::mem::take(&mut code.functions);
    for round in 1..=ROUNDS {
        let functions = functions.iter().filter(|function| !is_delete(function));
        let name = format!("round_{round}");
        source.push_str(&calls(&name, &code, round, functions, &mut left_out));
    }
    let deletes = functions.iter().filter(|function| is_delete(function));
    source.push_str(&calls("deletes", &code, 9, deletes, &mut left_out));
    left_out.sort();
    left_out.dedup();
    Ok(Program { source, left_out })
}

/// Returns a function that calls functions with the values of a round.
fn calls<'a>(
    name: &str,
    code: &Code,
    round: usize,
    functions: impl Iterator<Item = &'a Function>,
    left_out: &mut Vec<String>,
) -> String {
    let mut out =
        format!("\nfn {name}(reported: &mut crate::Report, session: &mut bowline::Session) {{\n");
    out.push_str("    let _ = (&reported, &session);\n");
    let (root, label) = (&code.root, &code.label);
    for function in functions {
        let values = function.arguments.iter();
        let values: Result<Vec<String>, NoValue> = values
            .map(|argument| code.value(argument, round, &code.module_of(function)))
            .collect();
        let Function {
            module, row, name, ..
        } = function;
        let arguments = match values {
            Ok(values) => values.join(", "),
            Err(NoValue(of)) => {
                left_out.push(format!(
                    "{label}{module}{row}::{name} is not called: no value is known of {of}"
                ));
                continue;
            }
        };
        let call = |arguments: &str| {
            // A closure for each call would make the program slow to compile.
            let (with, before) = match arguments.contains(MADE_UP) {
                true => ("try_call", "|| "),
                false => ("call", ""),
            };
            format!(
                "reported.{with}(\"{label}{module}{row}::{name}\", {before}session.run({root}::{module}{row}::{name}({arguments})));"
            )
        };
        let _ = writeln!(out, "    {}", call(&arguments));
        // The next page begins after a row of the list.
        let after = arguments.replace(FIRST_PAGE, "bowline::Page::after(row, 5)");
        if code.takes_position(function) {
            let _ = writeln!(
                out,
                "    if let Some(row) = session.run({root}::{module}{row}::{name}({arguments})).iter().flatten().last() {{ {} }}",
                call(&after)
            );
        }
    }
    out + "}\n"
}

/// Returns the type in `impl Into<AccountValues<'_>>`.
fn into(of: &Type) -> Option<String> {
    let Type::ImplTrait(of) = of else {
        return None;
    };
    let Some(TypeParamBound::Trait(bound)) = of.bounds.first() else {
        return None;
    };
    let PathArguments::AngleBracketed(arguments) = &bound.path.segments.first()?.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(Type::Path(path)) => {
            Some(path.path.segments.first()?.ident.to_string())
        }
        _ => None,
    }
}

/// Returns a type as an error names it.
fn shown(of: &Type) -> NoValue {
    let name = match of {
        Type::Path(path) => {
            let segments = path.path.segments.iter();
            let names: Vec<String> = segments.map(|it| it.ident.to_string()).collect();
            format!("the type {}", names.join("::"))
        }
        _ => "a type of this kind".to_owned(),
    };
    NoValue(name)
}

impl Code {
    /// Returns the module whose types a function's arguments name without a path.
    fn module_of(&self, function: &Function) -> String {
        let Function { module, row, .. } = function;
        match module.as_str() {
            "queries::" => format!("{module}{row}::"),
            _ => module.clone(),
        }
    }

    /// Returns a value of a type, another one in each round. The first one has required fields
    /// only.
    fn value(&self, of: &Type, round: usize, module: &str) -> Value {
        match of {
            Type::ImplTrait(_) => {
                let values = into(of).ok_or_else(|| shown(of))?;
                self.new_row(&values, round, module)
            }
            Type::Reference(reference) => match &*reference.elem {
                Type::Path(path) if path.path.is_ident("str") => Ok(format!("\"x{round}\"")),
                Type::Slice(slice) => match &*slice.elem {
                    Type::Path(path) if path.path.is_ident("u8") => Ok(format!("&[{round}u8]")),
                    elem => Ok(format!("&[{}]", self.value(elem, round, module)?)),
                },
                other => Ok(format!("&{}", self.value(other, round, module)?)),
            },
            Type::Tuple(tuple) => {
                let values = tuple.elems.iter();
                let values: Result<Vec<String>, _> =
                    values.map(|of| self.value(of, round, module)).collect();
                Ok(format!("({})", values?.join(", ")))
            }
            Type::Path(path) => self.of_path(of, &path.path, round, module),
            Type::Array(array) => match &array.len {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Int(length),
                    ..
                }) => Ok(format!("[{round}; {length}]")),
                _ => Err(shown(of)),
            },
            _ => Err(shown(of)),
        }
    }

    fn of_path(&self, of: &Type, path: &syn::Path, round: usize, module: &str) -> Value {
        let segments = &path.segments;
        let (Some(first), Some(last)) = (segments.first(), segments.last()) else {
            return Err(shown(of));
        };
        let inner = match &last.arguments {
            PathArguments::AngleBracketed(list) => {
                list.args.iter().find_map(|argument| match argument {
                    GenericArgument::Type(of) => Some(of),
                    _ => None,
                })
            }
            _ => None,
        };
        let last = last.ident.to_string();
        // An id of another schema is written with its module.
        if first.ident == "super" {
            let module = match segments.len() {
                2 => String::new(),
                _ => segments
                    .get(1)
                    .map_or_else(String::new, |module| format!("{}::", module.ident)),
            };
            return self.of_name(&last, inner, round, &module);
        }
        // A type that a setting names: it reads some JSON, since `New` derives `Deserialize`.
        if first.ident == "crate" {
            return Ok(format!("{MADE_UP}({round})"));
        }
        let module_of_first = format!("{}::", first.ident);
        if segments.len() == 2 && self.ids.iter().any(|(of, ..)| *of == module_of_first) {
            return self.of_name(&last, inner, round, &module_of_first);
        }
        // A row can have the name of a type of another crate, which is written with its path.
        if segments.len() > 1 {
            let modules = ["jiff", "postgis"].into_iter();
            let mut modules = modules.filter(|of| segments.iter().any(|it| it.ident == of));
            let name = match modules.next() {
                Some("postgis") => {
                    let point = inner.and_then(last_word);
                    let value = geometry::value(&last, point.as_deref(), round);
                    return value.ok_or(NoValue(last));
                }
                Some(module) => format!("{module}::{last}"),
                None => last,
            };
            return self.of_another_crate(&name, inner, round, module);
        }
        self.of_name(&last, inner, round, module)
    }

    /// Whether a function returns the rows of a list that has positions.
    fn takes_position(&self, function: &Function) -> bool {
        let Some(Type::Path(page)) = function.arguments.last() else {
            return false;
        };
        let last = page.path.segments.last();
        let is_choice = |last: &syn::PathSegment| {
            let pages = |choice: &Choice| choice.variants.iter().any(|(_, held)| !held.is_empty());
            let mut choices = self.choices.iter();
            choices.any(|choice| last.ident == choice.name && pages(choice))
        };
        if last.is_some_and(is_choice) {
            return true;
        }
        let Some(PathArguments::AngleBracketed(list)) = last.map(|last| &last.arguments) else {
            return false;
        };
        let inner = list.args.first();
        matches!(inner, Some(GenericArgument::Type(inner)) if self.is_position(inner))
    }

    fn is_position(&self, of: &Type) -> bool {
        let Type::Path(path) = of else {
            return false;
        };
        let mut positions = self.positions.iter();
        path.path
            .get_ident()
            .is_some_and(|name| positions.any(|known| name == known))
    }

    /// Returns a new row: in the first round with the columns that it needs, else with all of them.
    fn new_row(&self, values: &str, round: usize, module: &str) -> Value {
        let name = match (round, values.strip_suffix("Values")) {
            (1, Some(row)) => format!("New{row}"),
            _ => values.to_owned(),
        };
        self.of_name(&name, None, round, module)
    }

    fn of_name(&self, name: &str, inner: Option<&Type>, round: usize, module: &str) -> Value {
        let root = &self.root;
        let mut ids = self.ids.iter();
        if let Some((_, id, held)) = ids.find(|(of, id, _)| of == module && id == name) {
            let held = self.of_name(held, None, round, module)?;
            return Ok(format!("{root}::{module}{id}({held})"));
        }
        let mut choices = self.choices.iter();
        let choice = choices.find(|it| it.module == module && it.name == name);
        if let Some((variant, held)) =
            choice.and_then(|it| it.variants.get(round % it.variants.len().max(1)))
        {
            let held = held.iter().map(|of| self.value(of, round, module));
            let held: Vec<String> = held.collect::<Result<_, _>>()?;
            let held = match held[..] {
                [] => String::new(),
                _ => format!("({})", held.join(", ")),
            };
            return Ok(format!("{root}::{module}{name}::{variant}{held}"));
        }
        let mut structs = self.structs.iter();
        let known = structs.find(|known| known.module == module && known.name == name);
        if let Some(Struct { name, fields, .. }) = known {
            let mut values = Vec::new();
            for (field, of) in fields {
                let texts = &self.texts;
                let sql_type = texts
                    .get(&format!("{name}.{field}"))
                    .or_else(|| texts.get(field));
                let value = self.value(of, round, module)?;
                let value = match sql_type.map(|sql_type| values::text(sql_type, round)) {
                    // An enum without labels has no value.
                    Some(Some(text)) if text.is_empty() => "None".to_owned(),
                    Some(Some(text)) => value.replace(&format!("x{round}"), &text),
                    Some(None) if of_option(of) => "None".to_owned(),
                    _ => value,
                };
                values.push(format!("{field}: {value}"));
            }
            return Ok(format!(
                "{root}::{module}{name} {{ {} }}",
                values.join(", ")
            ));
        }
        if self.enums.iter().any(|known| known == name) {
            return Ok(format!(
                "{root}::{name}::ALL[{round} % {root}::{name}::ALL.len()]"
            ));
        }
        // Composite types are exported without a module, and query files use the types of tables.
        let mut ids = self.ids.iter();
        let is_id = ids.any(|(of, id, _)| of.is_empty() && id == name);
        if !module.is_empty() && (is_id || self.structs.iter().any(|it| it.name == name)) {
            return self.of_name(name, inner, round, "");
        }
        self.of_another_crate(name, inner, round, module)
    }
}

/// Returns the last word of a path.
fn last_word(of: &Type) -> Option<String> {
    let Type::Path(path) = of else { return None };
    path.path.segments.last().map(|last| last.ident.to_string())
}

/// Returns true for an `Option`.
fn of_option(of: &Type) -> bool {
    let Type::Path(path) = of else { return false };
    path.path
        .segments
        .last()
        .is_some_and(|last| last.ident == "Option")
}

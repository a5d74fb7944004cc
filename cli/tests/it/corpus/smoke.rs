//! A program that calls each generated function. It takes the functions' signatures from the code,
//! and generates values of their types.

mod values;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use syn::{
    FnArg, GenericArgument, ImplItem, Item, Pat, PathArguments, ReturnType, Type, Visibility,
};

/// The part of the program that records the result of each call.
pub(super) const REPORT: &str = r#"
use std::collections::BTreeMap;

/// The result of each function: whether a call of it succeeded, and its last error.
#[derive(Default)]
pub(crate) struct Report {
    calls: usize,
    functions: BTreeMap<String, (bool, String)>,
}

impl Report {
    pub(crate) fn call<T>(&mut self, name: &str, result: bowline::Result<T>) {
        self.calls += 1;
        let entry = self.functions.entry(name.to_owned()).or_default();
        match result {
            Ok(_) => entry.0 = true,
            // `get` and `update` report a missing row.
            Err(error) if error.kind() == bowline::ErrorKind::NotFound => entry.0 = true,
            // `update` reports a row whose version is not the generated one.
            Err(error) if error.kind() == bowline::ErrorKind::VersionChanged => entry.0 = true,
            // Two tables, one of which inherits from the other, have rows with the same key.
            Err(error)
                if error.kind() == bowline::ErrorKind::TooManyRows
                    && name.starts_with("inherited::City::") =>
            {
                entry.0 = true;
            }
            Err(error) => {
                let code = error.sqlstate().map(|code| code.code().to_owned()).unwrap_or_default();
                entry.1 = format!("{code} {error}");
                println!("failed {code} {name}: {error}");
            }
        }
    }

    fn print(&self) {
        for (name, (done, failure)) in &self.functions {
            if !done {
                println!("never {name}: {failure}");
            }
        }
        println!("calls {}", self.calls);
    }
}
"#;

/// Values for fields of the type `String` that hold another SQL type, by the name of the field.
const AS_TEXT: [(&str, &str); 2] = [("cells", "{{1}}"), ("empty", "")];

/// The first page of a list.
const FIRST_PAGE: &str = "bowline::Page::first(5)";

/// How often each function is called, with other values each time.
const ROUNDS: usize = 3;

struct Function {
    /// The module of its schema: empty, or `audit::`.
    module: String,
    row: String,
    name: String,
    arguments: Vec<Type>,
}

/// The generated files of a case.
struct Code {
    functions: Vec<Function>,
    /// `New..` and `..Changes`, with their fields.
    structs: Vec<Struct>,
    /// Ids: the module, the name, and what they hold.
    ids: Vec<(String, String, String)>,
    enums: Vec<String>,
    /// Positions in lists.
    positions: Vec<String>,
}

struct Struct {
    module: String,
    name: String,
    fields: Vec<(String, Type)>,
}

/// Returns the module that runs a case.
pub(super) fn program(case: &str, db: &Path) -> String {
    let code = read(db);
    let mut out = format!(
        "use super::db;\n\n#[allow(clippy::all)]\npub(crate) fn run(reported: &mut crate::Report) {{\n    \
         let url = std::env::var(\"URL_{case}\").expect(\"a URL\");\n    \
         let config = bowline::Config::from_url(&url).expect(\"it can be read\");\n    \
         let mut session = bowline::Session::connect(&config).expect(\"a connection\");\n"
    );
    for round in 1..=ROUNDS {
        let _ = writeln!(out, "    round_{round}(reported, &mut session);");
    }
    out.push_str("    deletes(reported, &mut session);\n}\n");
    let is_delete = |function: &&Function| function.name == "delete";
    for round in 1..=ROUNDS {
        let functions = code
            .functions
            .iter()
            .filter(|function| !is_delete(function));
        out.push_str(&calls(
            &format!("round_{round}"),
            &code,
            case,
            round,
            functions,
        ));
    }
    let deletes = code.functions.iter().filter(is_delete);
    out.push_str(&calls("deletes", &code, case, 9, deletes));
    out
}

fn calls<'a>(
    name: &str,
    code: &Code,
    case: &str,
    round: usize,
    functions: impl Iterator<Item = &'a Function>,
) -> String {
    let mut out =
        format!("\nfn {name}(reported: &mut crate::Report, session: &mut bowline::Session) {{\n");
    out.push_str("    let _ = (&reported, &session);\n");
    for function in functions {
        let arguments: Vec<String> = function
            .arguments
            .iter()
            .map(|argument| code.value(argument, round, &function.module))
            .collect();
        let arguments = arguments.join(", ");
        let Function {
            module, row, name, ..
        } = function;
        let call = |arguments: &str| {
            format!(
                "reported.call(\"{case}::{module}{row}::{name}\", session.run(db::{module}{row}::{name}({arguments})));"
            )
        };
        let _ = writeln!(out, "    {}", call(&arguments));
        // The next page begins after a row of the list.
        let after = arguments.replace(FIRST_PAGE, "bowline::Page::after(row, 5)");
        if code.takes_position(function) {
            let _ = writeln!(
                out,
                "    if let Some(row) = session.run(db::{module}{row}::{name}({arguments})).iter().flatten().last() {{ {} }}",
                call(&after)
            );
        }
    }
    out + "}\n"
}

fn read(db: &Path) -> Code {
    let mut code = Code {
        functions: Vec::new(),
        structs: Vec::new(),
        ids: Vec::new(),
        enums: Vec::new(),
        positions: Vec::new(),
    };
    let mut paths: Vec<_> = fs::read_dir(db)
        .expect("the files")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort();
    let modules = modules(&fs::read_to_string(db.join("mod.rs")).expect("mod.rs"));
    for path in paths {
        let file = path.file_stem().and_then(|stem| stem.to_str());
        let module = modules
            .iter()
            .find(|(name, _)| Some(name.as_str()) == file)
            .map_or("", |(_, module)| module);
        let text = fs::read_to_string(path).expect("a file");
        if !text.starts_with("// @generated by `bowline") {
            continue;
        }
        for item in syn::parse_file(&text).expect("it is Rust").items {
            code.item(item, module);
        }
    }
    code
}

/// Returns the files that a module of another schema exports, each with that module: `audit::`.
fn modules(mod_rs: &str) -> Vec<(String, String)> {
    let mut within = String::new();
    let mut found = Vec::new();
    for line in mod_rs.lines().map(str::trim) {
        if let Some(module) = line
            .strip_prefix("pub mod ")
            .and_then(|it| it.strip_suffix(" {"))
        {
            within = format!("{module}::");
        } else if let Some(path) = line.strip_prefix("pub use super::") {
            let file = path.split("::").next().expect("a file");
            found.push((file.to_owned(), within.clone()));
        }
    }
    found
}

/// The type in `impl Into<AccountValues<'_>>`.
fn into(of: &Type) -> String {
    let Type::ImplTrait(of) = of else {
        panic!("it is an `impl Into<..>`");
    };
    let syn::TypeParamBound::Trait(bound) = &of.bounds[0] else {
        panic!("a trait");
    };
    let PathArguments::AngleBracketed(arguments) = &bound.path.segments[0].arguments else {
        panic!("the argument of `Into`");
    };
    let GenericArgument::Type(Type::Path(path)) = &arguments.args[0] else {
        panic!("a type");
    };
    path.path.segments[0].ident.to_string()
}

impl Code {
    fn item(&mut self, item: Item, module: &str) {
        match item {
            Item::Struct(item) => {
                let fields = item.fields.into_iter().filter_map(|field| {
                    let name = field.ident?.to_string();
                    Some((name, field.ty))
                });
                self.structs.push(Struct {
                    module: module.to_owned(),
                    name: item.ident.to_string(),
                    fields: fields.collect(),
                });
            }
            Item::Macro(item) => {
                let name = item
                    .mac
                    .path
                    .segments
                    .last()
                    .expect("a name")
                    .ident
                    .to_string();
                let text = item.mac.tokens.to_string();
                let words: Vec<&str> = text
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .filter(|word| !word.is_empty())
                    .collect();
                let behind = |keyword: &str| {
                    // A comment may contain any word; the declaration follows `pub`.
                    let mut pairs = words.windows(3).rev();
                    let found = pairs.find(|words| words[0] == "pub" && words[1] == keyword);
                    found.map(|words| words[2].to_owned())
                };
                match name.as_str() {
                    "id" => {
                        let name = behind("struct").expect("an id");
                        let place = words.iter().rposition(|word| *word == name).expect("it");
                        let held = words[place + 1].to_owned();
                        self.ids.push((module.to_owned(), name, held));
                    }
                    "position" => self.positions.push(behind("struct").expect("a position")),
                    "pg_enum" => self.enums.push(behind("enum").expect("an enum")),
                    _ => {}
                }
            }
            Item::Impl(item) => {
                let Type::Path(row) = *item.self_ty else {
                    return;
                };
                let row = row.path.segments.last().expect("a row").ident.to_string();
                for member in item.items {
                    let ImplItem::Fn(function) = member else {
                        continue;
                    };
                    assert!(matches!(function.vis, Visibility::Public(_)));
                    assert!(matches!(function.sig.output, ReturnType::Type(..)));
                    let arguments =
                        function
                            .sig
                            .inputs
                            .into_iter()
                            .map(|argument| match argument {
                                FnArg::Typed(argument) => {
                                    assert!(matches!(*argument.pat, Pat::Ident(_)));
                                    *argument.ty
                                }
                                FnArg::Receiver(_) => panic!("a generated function has no self"),
                            });
                    self.functions.push(Function {
                        module: module.to_owned(),
                        row: row.clone(),
                        name: function.sig.ident.to_string(),
                        arguments: arguments.collect(),
                    });
                }
            }
            _ => {}
        }
    }

    /// Returns a value of a type, another one in each round. The first one has required fields
    /// only.
    fn value(&self, of: &Type, round: usize, module: &str) -> String {
        match of {
            Type::ImplTrait(_) => self.new_row(&into(of), round, module),
            Type::Reference(reference) => match &*reference.elem {
                Type::Path(path) if path.path.is_ident("str") => format!("\"x{round}\""),
                Type::Slice(slice) => match &*slice.elem {
                    Type::Path(path) if path.path.is_ident("u8") => format!("&[{round}u8]"),
                    elem => format!("&[{}]", self.value(elem, round, module)),
                },
                other => format!("&{}", self.value(other, round, module)),
            },
            Type::Tuple(tuple) => {
                let values = tuple.elems.iter();
                let values: Vec<String> = values.map(|of| self.value(of, round, module)).collect();
                format!("({})", values.join(", "))
            }
            Type::Path(path) => {
                let last = path.path.segments.last().expect("a type");
                let inner = match &last.arguments {
                    PathArguments::AngleBracketed(list) => {
                        list.args.iter().find_map(|argument| match argument {
                            GenericArgument::Type(of) => Some(of),
                            _ => None,
                        })
                    }
                    _ => None,
                };
                let segments = &path.path.segments;
                let first = segments.first().expect("a path").ident.to_string();
                // An id of another schema is written with its module.
                if first == "super" {
                    let module = match segments.len() {
                        2 => String::new(),
                        _ => format!("{}::", segments[1].ident),
                    };
                    return self.of_name(&last.ident.to_string(), inner, round, &module);
                }
                // A row can have the name of a type of another crate, which is written with its path.
                if segments.len() > 1 {
                    return self.of_another_crate(&last.ident.to_string(), inner, round, module);
                }
                self.of_name(&last.ident.to_string(), inner, round, module)
            }
            Type::Array(array) => match &array.len {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Int(length),
                    ..
                }) => format!("[{round}; {length}]"),
                _ => panic!("the length of an array is a number"),
            },
            _ => panic!("a generated function has no argument of another kind"),
        }
    }

    /// Whether a function returns the rows of a list that has positions.
    fn takes_position(&self, function: &Function) -> bool {
        let Some(Type::Path(page)) = function.arguments.last() else {
            return false;
        };
        let last = page.path.segments.last().expect("a type");
        let PathArguments::AngleBracketed(list) = &last.arguments else {
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

    /// A new row: in the first round the columns that it needs, else all of them.
    fn new_row(&self, values: &str, round: usize, module: &str) -> String {
        let row = values.strip_suffix("Values").expect("the columns of a row");
        let name = match round {
            1 => format!("New{row}"),
            _ => values.to_owned(),
        };
        self.of_name(&name, None, round, module)
    }

    fn of_name(&self, name: &str, inner: Option<&Type>, round: usize, module: &str) -> String {
        let mut ids = self.ids.iter();
        if let Some((_, id, held)) = ids.find(|(of, id, _)| of == module && id == name) {
            return format!(
                "db::{module}{id}({})",
                self.of_name(held, None, round, module)
            );
        }
        let mut structs = self.structs.iter();
        let known = structs.find(|known| known.module == module && known.name == name);
        if let Some(Struct { name, fields, .. }) = known {
            let fields: Vec<String> = fields
                .iter()
                .map(|(field, of)| {
                    let value = self.value(of, round, module);
                    let as_text = AS_TEXT.iter().find(|(name, _)| name == field);
                    let value = match as_text {
                        // An enum without labels has no value.
                        Some((_, "")) => "None".to_owned(),
                        Some((_, text)) => value.replace(&format!("x{round}"), text),
                        None => value,
                    };
                    format!("{field}: {value}")
                })
                .collect();
            return format!("db::{module}{name} {{ {} }}", fields.join(", "));
        }
        if self.enums.iter().any(|known| known == name) {
            return format!("db::{name}::ALL[{round} % db::{name}::ALL.len()]");
        }
        // Composite types are exported without a module.
        if !module.is_empty() && self.structs.iter().any(|it| it.name == name) {
            return self.of_name(name, inner, round, "");
        }
        self.of_another_crate(name, inner, round, module)
    }
}

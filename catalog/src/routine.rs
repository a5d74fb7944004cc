//! Functions, procedures and aggregates.

use serde::{Deserialize, Serialize};

use super::attached::Code;
use super::definition::{literal, quoted};
use super::privilege::Privileges;
use super::{DataType, Name};

/// A function, procedure or aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routine {
    /// The name of the routine.
    #[serde(flatten)]
    pub name: Name,
    /// The kind of the routine: a function, a procedure, ..
    pub kind: RoutineKind,
    /// The arguments and the columns of the result, in the order of the statement.
    pub arguments: Vec<Argument>,
    /// The type of `RETURNS`; `None` if the arguments determine the result.
    pub result: Option<DataType>,
    /// True for `SETOF` and `TABLE`.
    pub returns_set: bool,
    /// `sql`, `plpgsql`, `c`, ..
    pub language: String,
    /// The body of the routine.
    pub body: Body,
    /// `IMMUTABLE`, `STABLE` or `VOLATILE`.
    pub volatility: Volatility,
    /// `STRICT`.
    pub strict: bool,
    /// `SECURITY DEFINER`.
    pub security_definer: bool,
    /// `LEAKPROOF`.
    pub leakproof: bool,
    /// `safe`, `restricted` or `unsafe`.
    pub parallel: String,
    /// `SET`, sorted: `search_path=app, public`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
    /// `COMMENT ON`.
    pub comment: Option<String>,
    /// Privileges on the routine, except those of its owner.
    #[serde(default, skip_serializing_if = "Privileges::is_empty")]
    pub privileges: Privileges,
}

/// The kind of a routine, as in `pg_proc.prokind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoutineKind {
    /// `CREATE FUNCTION`.
    Function,
    /// `CREATE PROCEDURE`.
    Procedure,
    /// `CREATE AGGREGATE`.
    Aggregate,
    /// `CREATE FUNCTION .. WINDOW`.
    Window,
}

impl RoutineKind {
    /// Returns this kind as a noun.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Function | Self::Window => "function",
            Self::Procedure => "procedure",
            Self::Aggregate => "aggregate",
        }
    }
}

/// An argument of a routine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argument {
    /// The mode: `IN`, `OUT`, ..
    pub mode: Mode,
    /// The name of the argument, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The type of the argument.
    pub data_type: DataType,
    /// `DEFAULT`, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// The mode of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// `IN`.
    In,
    /// `OUT`.
    Out,
    /// `INOUT`.
    InOut,
    /// `VARIADIC`.
    Variadic,
    /// A column of `RETURNS TABLE`.
    Table,
}

impl Mode {
    /// Returns true if the argument is a column of the result.
    pub(crate) fn is_of_result(self) -> bool {
        matches!(self, Self::Out | Self::InOut | Self::Table)
    }

    /// Returns true if a call passes the argument.
    pub(crate) fn is_given(self) -> bool {
        matches!(self, Self::In | Self::InOut | Self::Variadic)
    }
}

/// The body of a routine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// The text of `AS`, which PostgreSQL stores unchanged. For an aggregate, the text in its
    /// parentheses.
    Text(String),
    /// `RETURN` or `BEGIN ATOMIC`, which PostgreSQL stores as a tree.
    Sql(Code),
}

/// The assumptions that PostgreSQL may make about the results of a function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volatility {
    /// `IMMUTABLE`.
    Immutable,
    /// `STABLE`.
    Stable,
    /// `VOLATILE`.
    #[default]
    Volatile,
}

impl Routine {
    /// Returns the argument types, by which PostgreSQL distinguishes overloads.
    pub fn argument_types(&self) -> Vec<DataType> {
        let given = self
            .arguments
            .iter()
            .filter(|argument| argument.mode.is_given());
        given
            .map(|argument| argument.data_type.of_signature())
            .collect()
    }

    /// Returns the name with the argument types: `f(int4, text)`.
    pub fn signature(&self) -> String {
        let types: Vec<String> = self.argument_types().iter().map(DataType::sql).collect();
        format!("{}({})", self.name.sql(), types.join(", "))
    }

    /// Returns the text between the name and the body.
    pub fn head(&self) -> String {
        let arguments: Vec<String> = self
            .arguments
            .iter()
            .filter(|argument| argument.mode != Mode::Table)
            .map(Argument::sql)
            .collect();
        let mut out = format!("({})", arguments.join(", "));
        let columns: Vec<String> = self
            .arguments
            .iter()
            .filter(|argument| argument.mode == Mode::Table)
            .map(|column| {
                let name = column.name.as_deref().map(quoted).unwrap_or_default();
                format!("{name} {}", column.data_type.sql())
            })
            .collect();
        let set = if self.returns_set { "SETOF " } else { "" };
        if !columns.is_empty() {
            out.push_str(&format!(" RETURNS TABLE ({})", columns.join(", ")));
        } else if let Some(result) = &self.result {
            out.push_str(&format!(" RETURNS {set}{}", result.sql()));
        } else if self.returns_set {
            out.push_str(" RETURNS SETOF record");
        }
        out.push_str(&format!(" LANGUAGE {}", quoted(&self.language)));
        if self.kind == RoutineKind::Window {
            out.push_str(" WINDOW");
        }
        match self.volatility {
            Volatility::Immutable => out.push_str(" IMMUTABLE"),
            Volatility::Stable => out.push_str(" STABLE"),
            Volatility::Volatile => {}
        }
        if self.strict {
            out.push_str(" STRICT");
        }
        if self.security_definer {
            out.push_str(" SECURITY DEFINER");
        }
        if self.leakproof {
            out.push_str(" LEAKPROOF");
        }
        if self.parallel != "unsafe" {
            out.push_str(&format!(" PARALLEL {}", self.parallel.to_uppercase()));
        }
        for setting in &self.settings {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            // A list is stored as one text, in which each part is quoted if needed.
            let value = if LISTS.contains(&name) && !value.is_empty() {
                value.to_owned()
            } else {
                literal(value)
            };
            out.push_str(&format!(" SET {name} TO {value}"));
        }
        out
    }

    /// Returns `CREATE OR REPLACE ..`; `None` if the catalog lacks a part of it, as for an
    /// aggregate.
    pub fn sql(&self) -> Option<String> {
        let word = match self.kind {
            RoutineKind::Aggregate => return None,
            RoutineKind::Procedure => "PROCEDURE",
            RoutineKind::Function | RoutineKind::Window => "FUNCTION",
        };
        let (name, head) = (self.name.sql(), self.head());
        let body = match &self.body {
            // The library file of a function in C is not known.
            Body::Text(_) if self.language == "c" => return None,
            Body::Text(text) => format!("AS {}", dollars(text)),
            Body::Sql(code) => code.text.clone()?,
        };
        Some(format!("CREATE OR REPLACE {word} {name}{head} {body}"))
    }
}

/// Settings whose value is a list of names.
pub(crate) const LISTS: [&str; 7] = [
    "search_path",
    "temp_tablespaces",
    "session_preload_libraries",
    "shared_preload_libraries",
    "local_preload_libraries",
    "unix_socket_directories",
    "DateStyle",
];

impl Argument {
    fn sql(&self) -> String {
        let mode = match self.mode {
            Mode::In | Mode::Table => "",
            Mode::Out => "OUT ",
            Mode::InOut => "INOUT ",
            Mode::Variadic => "VARIADIC ",
        };
        let name = self.name.as_deref();
        let name = name.map_or(String::new(), |name| format!("{} ", quoted(name)));
        let default = self.default.as_deref();
        let default = default.map_or(String::new(), |default| format!(" DEFAULT {default}"));
        format!("{mode}{name}{}{default}", self.data_type.sql())
    }
}

impl DataType {
    /// Returns the type as in a signature: without modifiers, and with at most one array dimension.
    pub(crate) fn of_signature(&self) -> Self {
        Self {
            name: self.name.clone(),
            modifiers: Vec::new(),
            fields: None,
            dimensions: self.dimensions.min(1),
        }
    }
}

/// Returns a text in dollar quotes, with a tag that does not occur in the text.
pub(crate) fn dollars(text: &str) -> String {
    let mut tag = "$$".to_owned();
    let mut number = 0;
    while text.contains(&tag) || text.ends_with('$') && number == 0 {
        number += 1;
        tag = format!("$body{number}$");
    }
    format!("{tag}{text}{tag}")
}

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
    /// Whether it is a function, a procedure, ..
    pub kind: RoutineKind,
    /// Its arguments and the columns of its result, in their order.
    pub arguments: Vec<Argument>,
    /// `RETURNS`, where no argument says what comes back.
    pub result: Option<DataType>,
    /// `SETOF` and `TABLE`.
    pub returns_set: bool,
    /// `sql`, `plpgsql`, `c`, ..
    pub language: String,
    /// What it does.
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
    /// Privileges on it, beside those of its owner.
    #[serde(default, skip_serializing_if = "Privileges::is_empty")]
    pub privileges: Privileges,
}

/// What a routine is, as `pg_proc.prokind` says it.
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
    /// Returns the word for this kind in a sentence.
    pub fn word(self) -> &'static str {
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
    /// Whether it goes in, out, or both.
    pub mode: Mode,
    /// The name of the argument, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its type.
    pub data_type: DataType,
    /// `DEFAULT`, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// The direction of an argument.
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
    /// Whether a call gives it.
    pub(crate) fn is_given(self) -> bool {
        matches!(self, Self::In | Self::InOut | Self::Variadic)
    }
}

/// What a routine does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// `AS`: kept letter by letter. Of an aggregate what is in its brackets.
    Text(String),
    /// `RETURN` and `BEGIN ATOMIC`: kept as a tree.
    Sql(Code),
}

/// What PostgreSQL may assume of a function's results.
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
    /// The types by which PostgreSQL tells one form from another.
    pub fn signature(&self) -> Vec<DataType> {
        let given = self
            .arguments
            .iter()
            .filter(|argument| argument.mode.is_given());
        given
            .map(|argument| argument.data_type.of_signature())
            .collect()
    }

    /// The name with the types of what is given: `public.f(int4, text)`.
    pub fn title(&self) -> String {
        let types: Vec<String> = self.signature().iter().map(DataType::sql).collect();
        format!("{}({})", self.name.sql(), types.join(", "))
    }

    /// What stands between the name and the body.
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
            // A list is kept as one text, quoted part by part where that is needed.
            let value = if LISTS.contains(&name) && !value.is_empty() {
                value.to_owned()
            } else {
                literal(value)
            };
            out.push_str(&format!(" SET {name} TO {value}"));
        }
        out
    }

    /// `CREATE OR REPLACE`; an aggregate cannot be made of what is known.
    pub fn sql(&self) -> Option<String> {
        let word = match self.kind {
            RoutineKind::Aggregate => return None,
            RoutineKind::Procedure => "PROCEDURE",
            RoutineKind::Function | RoutineKind::Window => "FUNCTION",
        };
        let (name, head) = (self.name.sql(), self.head());
        let body = match &self.body {
            // Of a function in C the file is not known.
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
    /// As a signature has it: without a length, and as an array or none.
    pub(crate) fn of_signature(&self) -> Self {
        Self {
            name: self.name.clone(),
            modifiers: Vec::new(),
            fields: None,
            dimensions: self.dimensions.min(1),
        }
    }
}

/// A text between dollars that are not in it.
pub(crate) fn dollars(text: &str) -> String {
    let mut tag = "$$".to_owned();
    let mut number = 0;
    while text.contains(&tag) || text.ends_with('$') && number == 0 {
        number += 1;
        tag = format!("$body{number}$");
    }
    format!("{tag}{text}{tag}")
}

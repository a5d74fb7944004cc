//! Functions, procedures and aggregates as the catalog keeps them: CREATE, ALTER, COMMENT.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::function::{Function, attribute};
use super::refusal::{Refused, Result};
use super::tree::{below, child, child_name, children, has, name, path, string, text, tokens};
use crate::attached::Code;
use crate::definition::quoted;
use crate::gap::GapKind;
use crate::privilege::Privileges;
use crate::routine::{Argument, Body, LISTS, Mode, Routine, RoutineKind, Volatility};
use crate::{DataType, Name};

impl Replay {
    /// What the catalog keeps of a function; an error says what of it is not known.
    pub(super) fn routine(&self, node: &SyntaxNode, name: Name) -> Result<Routine> {
        use SyntaxKind as K;
        let kind = match node.kind() {
            K::CREATE_PROCEDURE => RoutineKind::Procedure,
            K::CREATE_AGGREGATE => RoutineKind::Aggregate,
            _ => RoutineKind::Function,
        };
        let mut routine = Routine {
            name,
            kind,
            arguments: Vec::new(),
            result: None,
            returns_set: false,
            language: "sql".to_owned(),
            body: Body::Text(String::new()),
            volatility: Volatility::Volatile,
            strict: false,
            security_definer: false,
            leakproof: false,
            parallel: "unsafe".to_owned(),
            settings: Vec::new(),
            comment: None,
            privileges: Privileges::default(),
        };
        let parameters = child(node, K::PARAM_LIST);
        for parameter in parameters.iter().flat_map(|list| children(list, K::PARAM)) {
            let mode = if has(&parameter, K::PARAM_OUT) {
                Mode::Out
            } else if has(&parameter, K::PARAM_IN_OUT) {
                Mode::InOut
            } else if has(&parameter, K::PARAM_VARIADIC) {
                Mode::Variadic
            } else {
                Mode::In
            };
            let default = child(&parameter, K::PARAM_DEFAULT)
                .and_then(|default| default.children().next())
                .map(|default| text(&default));
            routine.arguments.push(Argument {
                mode,
                name: child_name(&parameter, K::PARAM_NAME),
                data_type: self.known_type(&parameter)?,
                default,
            });
        }
        if kind == RoutineKind::Aggregate {
            return self.aggregate_routine(node, routine, parameters.is_none());
        }
        if let Some(returns) = child(node, K::RET_TYPE) {
            let columns = child(&returns, K::RETURN_TABLE_ARG_LIST);
            routine.returns_set =
                columns.is_some() || tokens(&returns).any(|token| token.kind() == K::SETOF_KW);
            for column in columns
                .iter()
                .flat_map(|list| children(list, K::RETURN_TABLE_COLUMN))
            {
                routine.arguments.push(Argument {
                    mode: Mode::Table,
                    name: child_name(&column, K::COLUMN_NAME),
                    data_type: self.known_type(&column)?,
                    default: None,
                });
            }
            let says_result = routine
                .arguments
                .iter()
                .any(|argument| matches!(argument.mode, Mode::Out | Mode::InOut | Mode::Table));
            if !says_result {
                routine.result = Some(self.known_type(&returns)?);
            }
        }
        if let Some(options) = child(node, K::FUNC_OPTION_LIST) {
            change(&mut routine, &options)?;
        }
        let body = node
            .children()
            .find(|part| matches!(part.kind(), K::RETURN_STMT | K::ATOMIC_BODY));
        if let Some(body) = body {
            routine.body = Body::Sql(self.code(text(&body).trim_end_matches(';').to_owned()));
        }
        Ok(routine)
    }

    fn aggregate_routine(
        &self,
        node: &SyntaxNode,
        mut routine: Routine,
        is_old_form: bool,
    ) -> Result<Routine> {
        let says = |option: &str| attribute(node, option);
        if let Some(base) = says("basetype").filter(|_| is_old_form) {
            let data_type = self.known_type(&base)?;
            if data_type.name.name != "any" {
                routine.arguments.push(Argument {
                    mode: Mode::In,
                    name: None,
                    data_type,
                    default: None,
                });
            }
        }
        let state = says("stype").or_else(|| says("stype1"));
        let state = state.map(|state| self.known_type(&state)).transpose()?;
        let given: Vec<DataType> = routine.signature();
        routine.language = "internal".to_owned();
        let result = self.result_of_aggregate(node, &given);
        let result = result.ok_or_else(|| Refused::new(node, "what it gives is not known"))?;
        routine.result = Some(result.of_signature());
        let function = |option: &str| says(option).map(|given| name(&given));
        let parts = [
            ("SFUNC", function("sfunc").or_else(|| function("sfunc1"))),
            ("STYPE", state.map(|state| full(&state))),
            ("FINALFUNC", function("finalfunc")),
            (
                "INITCOND",
                says("initcond")
                    .or_else(|| says("initcond1"))
                    .map(|initial| string(&initial).unwrap_or_else(|| text(&initial))),
            ),
        ];
        let parts = parts
            .into_iter()
            .filter_map(|(word, value)| Some(format!("{word} = {}", value?)));
        routine.body = Body::Text(parts.collect::<Vec<_>>().join(", "));
        if let Some(parallel) = says("parallel") {
            routine.parallel = name(&parallel).to_ascii_lowercase();
        }
        routine.volatility = Volatility::Immutable;
        Ok(routine)
    }

    /// SQL as its author wrote it.
    pub(super) fn code(&self, text: String) -> Code {
        Code {
            text: Some(text),
            search_path: Some(self.search_path.clone()),
        }
    }

    fn known_type(&self, node: &SyntaxNode) -> Result<DataType> {
        let of_column = || {
            let percent = below(node, SyntaxKind::PERCENT_TYPE).next()?;
            let reference = child(&percent, SyntaxKind::PATH_REF)?;
            let mut parts = path(&reference);
            let column = parts.pop()?;
            let table = self.find_relation(&parts)?;
            let mut columns = self.catalog.relations.get(&table)?.columns.iter();
            let found = columns.find(|other| other.name == column)?;
            Some(found.data_type.clone())
        };
        let found = of_column().or_else(|| self.routine_type(node));
        let found = found.ok_or_else(|| Refused::new(node, "one of its types is not known"))?;
        Ok(found.of_signature())
    }

    /// ALTER FUNCTION and its like.
    pub(super) fn alter_routine(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let signature = node
            .children()
            .find(|part| is_signature(part.kind()))
            .ok_or_else(|| Refused::new(node, "no function is named"))?;
        let (key, place) = self.find_form(&signature)?;
        for action in node.children() {
            match action.kind() {
                K::FUNC_OPTION_LIST => {
                    let form = self
                        .functions
                        .get_mut(&key)
                        .and_then(|all| all.get_mut(place));
                    if let Some(routine) = form.and_then(|form| form.routine.as_mut()) {
                        change(routine, &action)?;
                    }
                }
                K::FUNCTION_RENAME_TO
                | K::PROCEDURE_RENAME_TO
                | K::ROUTINE_RENAME_TO
                | K::AGGREGATE_RENAME_TO => {
                    let to = action.children().next().map(|to| name(&to));
                    self.move_form(&key, place, |name| name.name = to.unwrap_or_default());
                }
                K::SET_SCHEMA => {
                    let to = child_name(&action, K::SCHEMA_REF).unwrap_or_default();
                    self.move_form(&key, place, |name| name.schema = to);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Where a signature's function is: the key and place in the list of forms.
    pub(super) fn find_form(&self, signature: &SyntaxNode) -> Result<(String, usize)> {
        let parts = signature.children().next().map(|named| path(&named));
        let parts = parts.unwrap_or_default();
        let key = parts.last().cloned().unwrap_or_default();
        let missing = || {
            Refused::new(signature, format!("there is no function {key}"))
                .raises("undefined_function")
        };
        let forms = self.functions.get(&key).ok_or_else(missing)?;
        let given = child(signature, SyntaxKind::PARAM_LIST)
            .is_some()
            .then(|| self.argument_types(signature))
            .flatten();
        let is_star = child(signature, SyntaxKind::PARAM_LIST)
            .is_some_and(|list| tokens(&list).any(|token| token.kind() == SyntaxKind::STAR));
        for name in self.candidates(&parts) {
            let fitting: Vec<usize> = (0..forms.len())
                .filter(|place| forms[*place].name == name)
                .filter(|place| {
                    is_star
                        || given
                            .as_ref()
                            .is_none_or(|given| same_types(given, &forms[*place].argument_types))
                })
                .collect();
            match fitting.as_slice() {
                [] => {}
                [only] => return Ok((key, *only)),
                _ => {
                    let why =
                        format!("there are several functions {key}, so PostgreSQL refuses this");
                    return Err(Refused::new(signature, why));
                }
            }
        }
        Err(missing())
    }

    /// Gives a function another name or schema.
    pub(super) fn move_form(&mut self, key: &str, place: usize, change: impl FnOnce(&mut Name)) {
        let before = self.clone();
        let Some(forms) = self.functions.get_mut(key) else {
            return;
        };
        if place >= forms.len() {
            return;
        }
        let mut form = forms.remove(place);
        if forms.is_empty() {
            self.functions.remove(key);
        }
        let from = form.name.clone();
        change(&mut form.name);
        let to = form.name.clone();
        if let Some(routine) = &mut form.routine {
            routine.name.clone_from(&to);
        }
        // Which form a call means is told by how many arguments it has; where that is not enough, by their types.
        let others = self.functions.get(key).cloned().unwrap_or_default();
        let own = form.clone();
        self.functions
            .entry(to.name.clone())
            .or_default()
            .push(form);
        let runs_triggers = own.argument_types.is_empty();
        self.follow_function(&from, &to, runs_triggers, |text, table, start, count| {
            let is_clear = !others.iter().any(|other| other.takes(count));
            own.takes(count)
                && (is_clear || before.forms_called(text, table).get(&start) == Some(&place))
        });
    }

    /// The functions as the catalog keeps them.
    pub(super) fn keep_routines(&mut self) {
        let forms = self.functions.values().flatten();
        let kept = forms.filter(|form| form.name.schema != super::TEMPORARY);
        self.catalog.routines = kept.filter_map(|form| form.routine.clone()).collect();
        self.catalog.sort_routines();
    }

    /// Keeps what is known of a new form; where that is not all, its name.
    pub(super) fn with_routine(&mut self, node: &SyntaxNode, mut function: Function) -> Function {
        let name = function.name.clone();
        match self.routine(node, name.clone()) {
            Ok(mut routine) => {
                let earlier = self.functions.get(&name.name).and_then(|forms| {
                    let mut forms = forms.iter();
                    forms.find(|form| {
                        form.name == name
                            && same_types(&form.argument_types, &function.argument_types)
                    })
                });
                if let Some(earlier) = earlier.and_then(|earlier| earlier.routine.as_ref()) {
                    routine.comment.clone_from(&earlier.comment);
                    routine.privileges.clone_from(&earlier.privileges);
                }
                self.catalog
                    .gaps
                    .retain(|gap| gap.kind != GapKind::Routine || gap.name != name);
                function.routine = Some(routine);
            }
            Err(refused) => self.note_gap(GapKind::Routine, name, None, refused.why),
        }
        function
    }

    /// COMMENT ON FUNCTION and its like.
    pub(super) fn comment_on_routine(
        &mut self,
        object: &SyntaxNode,
        comment: Option<String>,
    ) -> Result<()> {
        let Some(signature) = object.children().find(|part| is_signature(part.kind())) else {
            return Ok(());
        };
        let (key, place) = self.find_form(&signature)?;
        let form = self
            .functions
            .get_mut(&key)
            .and_then(|all| all.get_mut(place));
        if let Some(routine) = form.and_then(|form| form.routine.as_mut()) {
            routine.comment = comment;
        }
        Ok(())
    }
}

pub(super) fn is_signature(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::AGGREGATE
            | SyntaxKind::FUNCTION_SIG
            | SyntaxKind::PROCEDURE_SIG
            | SyntaxKind::ROUTINE_SIG
    )
}

pub(super) fn same_types(left: &[DataType], right: &[DataType]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|(a, b)| a.of_signature() == b.of_signature())
}

/// A type as `format_type` writes it.
fn full(data_type: &DataType) -> String {
    let name = match data_type.name.name.as_str() {
        "int2" => "smallint",
        "int4" => "integer",
        "int8" => "bigint",
        "float4" => "real",
        "float8" => "double precision",
        "bool" => "boolean",
        "varchar" => "character varying",
        "bpchar" => "character",
        "timestamptz" => "timestamp with time zone",
        "timestamp" => "timestamp without time zone",
        "timetz" => "time with time zone",
        "time" => "time without time zone",
        "varbit" => "bit varying",
        _ => return data_type.sql(),
    };
    format!("{name}{}", "[]".repeat(data_type.dimensions.into()))
}

/// Applies options, of CREATE and of ALTER.
fn change(routine: &mut Routine, options: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    for option in options.children() {
        match option.kind() {
            K::LANGUAGE_FUNC_OPTION => {
                let given = option.children().next();
                let given = given.map(|given| string(&given).unwrap_or_else(|| name(&given)));
                routine.language = given.unwrap_or_default().to_ascii_lowercase();
            }
            K::AS_FUNC_OPTION => {
                let literals: Vec<String> = below(&option, K::LITERAL)
                    .filter_map(|literal| string(&literal))
                    .collect();
                let (own, language) = (routine.name.name.clone(), routine.language.as_str());
                // Of a function in C the symbol is kept, which is its name where none is given.
                let source = match literals.as_slice() {
                    [_, symbol] => symbol.clone(),
                    [file] if language == "c" && !file.is_empty() => own,
                    [source] => source.clone(),
                    _ => return Err(Refused::new(&option, "its body is not read")),
                };
                routine.body = Body::Text(source);
            }
            K::IMMUTABLE | K::STABLE | K::VOLATILE => {
                let word = tokens(&option).next().map(|token| token.kind());
                routine.volatility = match word {
                    Some(K::IMMUTABLE_KW) => Volatility::Immutable,
                    Some(K::STABLE_KW) => Volatility::Stable,
                    _ => Volatility::Volatile,
                };
            }
            K::STRICT_FUNC_OPTION | K::RETURNS_NULL_ON_NULL_INPUT_FUNC_OPTION => {
                routine.strict = true;
            }
            K::CALLED_ON_NULL_INPUT_FUNC_OPTION => routine.strict = false,
            K::SECURITY_DEFINER_FUNC_OPTION => routine.security_definer = true,
            K::SECURITY_INVOKER_FUNC_OPTION => routine.security_definer = false,
            K::LEAKPROOF_FUNC_OPTION => routine.leakproof = true,
            K::NOT_LEAKPROOF_FUNC_OPTION => routine.leakproof = false,
            K::PARALLEL_FUNC_OPTION => {
                let word = tokens(&option)
                    .last()
                    .map(|token| token.text().to_ascii_lowercase());
                routine.parallel = word.unwrap_or_default();
            }
            K::WINDOW_FUNC_OPTION => routine.kind = RoutineKind::Window,
            K::SET_FUNC_OPTION => set(routine, &option)?,
            K::RESET_FUNC_OPTION => match below(&option, K::CONFIG_PARAMETER_REF).next() {
                Some(parameter) => {
                    let parameter = path(&parameter).join(".");
                    forget_setting(routine, &parameter);
                }
                None => routine.settings.clear(),
            },
            _ => {}
        }
    }
    Ok(())
}

fn forget_setting(routine: &mut Routine, parameter: &str) {
    routine.settings.retain(|setting| {
        let own = setting.split('=').next().unwrap_or_default();
        !own.eq_ignore_ascii_case(parameter)
    });
}

/// `SET` of a function, as `pg_proc.proconfig` keeps it.
fn set(routine: &mut Routine, option: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let unknown = || Refused::new(option, "one of its settings is not known");
    let parameter = below(option, K::CONFIG_PARAMETER_REF).next();
    let parameter = parameter.map(|parameter| path(&parameter).join("."));
    let parameter = parameter.ok_or_else(unknown)?;
    // The few whose names PostgreSQL writes with capitals.
    let capitals = ["DateStyle", "IntervalStyle", "TimeZone"];
    let spelled = capitals
        .into_iter()
        .find(|own| own.eq_ignore_ascii_case(&parameter));
    let parameter = spelled.map_or(parameter, str::to_owned);
    let value = below(option, K::TO_CONFIG_VALUE)
        .next()
        .ok_or_else(unknown)?;
    forget_setting(routine, &parameter);
    if has(&value, K::DEFAULT_KW) {
        return Ok(());
    }
    let is_list = LISTS.contains(&parameter.as_str());
    let mut items = Vec::new();
    for item in value.children() {
        let item = match string(&item) {
            Some(text) => text,
            None => match item.kind() {
                K::CONFIG_VALUE_NAME => name(&item),
                _ => text(&item),
            },
        };
        items.push(if is_list { quoted(&item) } else { item });
    }
    if items.is_empty() {
        // Words such as `on` stand alone.
        let words = tokens(&value).filter(|token| !matches!(token.kind(), K::EQ | K::TO_KW));
        items.extend(words.map(|token| token.text().to_ascii_lowercase()));
    }
    routine
        .settings
        .push(format!("{parameter}={}", items.join(", ")));
    routine.settings.sort();
    Ok(())
}

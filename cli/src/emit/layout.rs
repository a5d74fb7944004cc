//! The layout of code as rustfmt writes it: on one line if it fits, else on several.

/// The maximum length of a line.
pub(super) const WIDTH: usize = 100;
/// The maximum length of a chain of calls, or of a list of arguments, on one line.
const CHAIN: usize = 60;

/// Returns a chain of calls: on one line if it is short or has one call, else with a line for each
/// call.
pub(super) fn chain(indent: usize, before: &str, links: &[String], after: &str) -> String {
    let single = links.concat();
    let pad = " ".repeat(indent);
    let is_short = single.len() <= CHAIN || links.len() <= 2;
    let fits = indent + before.len() + single.len() + after.len() <= WIDTH;
    if is_short && fits && !single.contains('\n') {
        return format!("{pad}{before}{single}{after}\n");
    }
    let inner = " ".repeat(indent + 4);
    if is_short
        && !before.is_empty()
        && indent + 4 + single.len() + after.len() <= WIDTH
        && !single.contains('\n')
    {
        return format!("{pad}{}\n{inner}{single}{after}\n", before.trim_end());
    }
    let mut out = format!("{pad}{before}{}", links.first().map_or("", String::as_str));
    for link in &links[1..] {
        out.push_str(&format!("\n{inner}{link}"));
    }
    format!("{out}{after}\n")
}

/// Returns the signature of a function: on one line if it fits, else with a line for each argument.
pub(super) fn signature(indent: usize, name: &str, arguments: &[String], output: &str) -> String {
    let pad = " ".repeat(indent);
    let single = format!(
        "{pad}pub fn {name}({}) -> {output} {{\n",
        arguments.join(", ")
    );
    if single.trim_end().len() <= WIDTH {
        return single;
    }
    let arguments: String = arguments
        .iter()
        .map(|argument| format!("{pad}    {argument},\n"))
        .collect();
    format!("{pad}pub fn {name}(\n{arguments}{pad}) -> {output} {{\n")
}

/// Returns the choice of a page's constant, if a column of its position can be NULL.
pub(super) fn choice_of_page(indent: usize, nullable: &str) -> String {
    let pad = " ".repeat(indent);
    let null = "page.choose(&FIRST, &AFTER_NULL, &BEFORE_NULL)";
    let arm = format!("{pad}    Some(at) if at.{nullable}.is_none() =>");
    let arm = if arm.len() + null.len() + 2 <= WIDTH {
        format!("{arm} {null},\n")
    } else {
        format!("{arm} {{\n{pad}        {null}\n{pad}    }}\n")
    };
    format!(
        "{pad}let sql = match page.key() {{\n{arm}{pad}    _ => page.choose(&FIRST, &AFTER, \
         &BEFORE),\n{pad}}};\n"
    )
}

/// Returns a `use` of several names, sorted as rustfmt sorts them.
pub(super) fn use_list(path: &str, names: Vec<String>) -> String {
    use_list_at(0, path, names)
}

/// Returns a `use` of several names that fits the width after it is indented. The caller indents
/// it.
pub(super) fn use_list_at(indent: usize, path: &str, mut names: Vec<String>) -> String {
    let width = WIDTH - indent;
    names.sort();
    if let [only] = names.as_slice() {
        return format!("{path}{only};\n");
    }
    let single = format!("{path}{{{}}};\n", names.join(", "));
    if single.trim_end().len() <= width {
        return single;
    }
    let mut lines = vec![String::new()];
    for name in names {
        let fits = lines.last().is_some_and(|line: &String| {
            line.is_empty() || 4 + line.len() + 1 + name.len() < width
        });
        if !fits {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(&format!("{name},"));
        }
    }
    let lines: String = lines.iter().map(|line| format!("    {line}\n")).collect();
    format!("{path}{{\n{lines}}};\n")
}

/// The maximum length of names that share lines, in a list that does not fit on one line.
const SHORT: usize = 10;

/// Returns a macro call with a list of names: on one line if it fits, else with a line for each
/// name. If all names are short, they fill the lines.
pub(super) fn macro_list(indent: usize, tab_spaces: usize, name: &str, items: &[String]) -> String {
    let pad = " ".repeat(indent);
    let single = format!("{pad}{name}({},);\n", items.join(", "));
    // The comma after the last name is not counted.
    if single.trim_end().len() <= WIDTH + 1 {
        return single;
    }
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line)
                if items.iter().all(|item| item.len() <= SHORT)
                    && line.len() + 1 + item.len() + 1 < WIDTH =>
            {
                line.push_str(&format!(" {item},"));
            }
            _ => lines.push(format!("{pad}{}{item},", " ".repeat(tab_spaces))),
        }
    }
    format!("{pad}{name}(\n{}\n{pad});\n", lines.join("\n"))
}

/// The attribute of a field that `bowline::types::json` writes.
pub(super) const JSON_OUT: &str =
    "    #[serde(serialize_with = \"bowline::__generated::json::serialize\")]\n";

/// Returns a `#[derive(..)]`: on one line if it fits, else with the list on a separate line, else
/// with a line for each derive.
pub(super) fn derive(indent: usize, items: &[String]) -> String {
    let pad = " ".repeat(indent);
    let single = items.join(", ");
    if indent + single.len() <= WIDTH - 15 {
        return format!("{pad}#[derive({single})]\n");
    }
    if indent + single.len() + 4 <= WIDTH {
        return format!("{pad}#[derive(\n{pad}    {single},\n{pad})]\n");
    }
    let items: String = items
        .iter()
        .map(|item| format!("{pad}    {item},\n"))
        .collect();
    format!("{pad}#[derive(\n{items}{pad})]\n")
}

/// Returns the derives that generated code always writes, followed by those of settings that are
/// not among them. A trait that is derived twice does not compile.
pub(super) fn with_derives(written: &[&str], settings: &[String]) -> Vec<String> {
    let mut all: Vec<String> = written.iter().map(|&name| name.to_owned()).collect();
    for derive in settings {
        if all.iter().all(|other| bare(other) != bare(derive)) {
            all.push(derive.clone());
        }
    }
    all
}

/// Returns the derives of settings that a macro, which derives these, does not.
pub(super) fn beside_derives(of_macro: &[&str], settings: &[String]) -> Vec<String> {
    with_derives(of_macro, settings).split_off(of_macro.len())
}

/// The derives of `pg_enum!` and of `id!`.
pub(super) const OF_MACROS: [&str; 11] = [
    "AsExpression",
    "Clone",
    "Debug",
    "Deserialize",
    "Eq",
    "FromSqlRow",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Serialize",
];

/// Returns the path of a derive, without the path that each of its names has in common: `Debug` for
/// `std::fmt::Debug`.
fn bare(derive: &str) -> &str {
    let path = derive.trim_start_matches("::");
    let (first, name) = (path.split("::").next(), path.rsplit("::").next());
    match (first, name) {
        (Some("core" | "diesel" | "serde" | "serde_derive" | "std"), Some(name)) => name,
        _ => path,
    }
}

/// Returns an attribute with arguments: on one line if it fits, else with a line for each argument.
/// `name` may contain open parentheses, which are closed here.
pub(super) fn attribute(indent: usize, name: &str, arguments: &[String]) -> String {
    let pad = " ".repeat(indent);
    let close = ")".repeat(name.matches('(').count());
    let single = format!("{pad}#[{name}({}){close}]\n", arguments.join(", "));
    if single.trim_end().chars().count() < WIDTH {
        return single;
    }
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| format!("{pad}    {argument}"))
        .collect();
    format!(
        "{pad}#[{name}(\n{}\n{pad}){close}]\n",
        arguments.join(",\n")
    )
}

/// Returns a field of a struct. If name and type do not fit on one line, the type is on the next
/// line.
pub(super) fn field(name: &str, rust_type: &str) -> String {
    let single = format!("    pub {name}: {rust_type},");
    if single.chars().count() <= WIDTH {
        format!("{single}\n")
    } else {
        format!("    pub {name}:\n        {rust_type},\n")
    }
}

/// Returns the string literal in Rust for any text.
pub(super) fn literal(text: &str) -> String {
    format!("{text:?}")
}

/// Returns a field of a struct's value with a string, on several lines if it is long.
///
/// A line ends at a single space, and the next line begins where rustfmt puts it.
pub(super) fn string_field(indent: usize, name: &str, text: &str) -> String {
    let begin = format!("{:indent$}{name}: \"", "");
    let indent = " ".repeat(begin.len());
    let mut out = begin;
    let mut width = out.len();
    let words: Vec<&str> = text.split(' ').collect();
    for (index, word) in words.iter().enumerate() {
        let escaped = escaped(word);
        let length = escaped.chars().count();
        // Spaces at the beginning of a line are not part of the string.
        let is_single = index > 0 && !word.is_empty() && !words[index - 1].is_empty();
        if is_single && width + 1 + length + 2 > WIDTH && !word.starts_with(char::is_whitespace) {
            out.push_str(" \\\n");
            out.push_str(&indent);
            width = indent.len();
        } else if index > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(&escaped);
        width += length;
    }
    out + "\",\n"
}

fn escaped(word: &str) -> String {
    let quoted = literal(word);
    quoted[1..quoted.len() - 1].to_owned()
}

/// Returns a doc comment, with a line for each line of the text.
///
/// Code fences are replaced, since rustdoc would run the code after them as a test. Control
/// characters are removed.
pub(super) fn doc(indent: usize, text: &str) -> String {
    let pad = " ".repeat(indent);
    let text = text.replace("```", "'''").replace("~~~", "'''");
    text.split(['\n', '\r'])
        .map(|line| {
            line.chars()
                .filter(|c| !c.is_control() && !is_bidirectional(*c))
                .collect::<String>()
        })
        .map(|line| {
            if line.trim().is_empty() {
                format!("{pad}///\n")
            } else {
                format!("{pad}/// {}\n", line.trim())
            }
        })
        .collect()
}

/// Returns true if a character changes the direction of the text around it. Rust refuses such
/// characters in comments.
pub(super) fn is_bidirectional(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trait_is_derived_once() {
        let settings = ["Eq", "std::fmt::Debug", "Eq", "::serde::Serialize", "Hash"];
        let settings = settings.map(str::to_owned);
        let all = with_derives(&["Debug", "Serialize"], &settings);
        assert_eq!(all, ["Debug", "Serialize", "Eq", "Hash"]);
        assert_eq!(
            beside_derives(&["Eq", "Debug"], &settings),
            ["::serde::Serialize", "Hash"]
        );
        // Two crates have a derive of this name.
        let settings = ["utoipa::ToSchema", "salvo::ToSchema"].map(str::to_owned);
        assert_eq!(with_derives(&[], &settings), settings);
    }
}

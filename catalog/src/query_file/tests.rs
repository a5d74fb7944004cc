//! Headers, and the notation of parameters.

mod headers;
mod notation;
mod pages;
mod shapes;

use super::{NamedQuery, QueryFile, line_and_column, read};

/// Returns the only query of a file.
#[track_caller]
fn only(text: &str) -> NamedQuery {
    let file = read(text);
    assert_eq!(file.mistakes, [], "{text}");
    let [query] = file.queries.as_slice() else {
        panic!("{} queries in {text}", file.queries.len());
    };
    query.clone()
}

/// Returns every mistake of a file: `line:column [text] message (hint)`.
fn mistakes(text: &str) -> String {
    let QueryFile { queries, mistakes } = read(text);
    let of_queries = queries.iter().flat_map(|query| &query.mistakes);
    let all = mistakes.iter().chain(of_queries);
    let lines = all.map(|mistake| {
        let (line, column) = line_and_column(text, mistake.span.start);
        format!(
            "{line}:{column} [{}] {} ({})",
            &text[mistake.span.clone()],
            mistake.message,
            mistake.hint.as_deref().unwrap_or_default()
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

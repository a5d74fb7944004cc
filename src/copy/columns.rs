//! The types of the columns of a binary COPY, asked for in the round trip in which it begins.

use bowline_sql::{Kind, first_word, quote, tokens};

use super::BEGINNING;
use crate::command::columns::Columns;
use crate::error::{Error, Result};
use crate::session::copy::Question;
use crate::wire::answer::Answer;

/// Returns the question about the columns of the table that diesel wrote into `COPY table (columns)
/// FROM ..`, and their names.
///
/// It asks the catalog, which a role that may only insert can read. The answer has for each column
/// the number, the type, the base type of a domain, and the name of the type.
pub(super) fn of_target(copy: &str) -> (Question, Vec<String>) {
    let is_open = |token: &bowline_sql::Token<'_>| token.is("(");
    let open = tokens(copy)
        .find(is_open)
        .map_or(copy.len(), |token| token.start());
    let table = copy.get("COPY ".len()..open).unwrap_or_default().trim();
    let names: Vec<String> = tokens(copy)
        .skip_while(|token| !is_open(token))
        .skip(1)
        .take_while(|token| !token.is(")"))
        .filter(|token| matches!(token.kind(), Kind::Word | Kind::QuotedName))
        .filter_map(|token| token.name().map(std::borrow::Cow::into_owned))
        .collect();
    let list: Vec<_> = names.iter().map(|name| quote::literal(name)).collect();
    let sql = format!(
        "SELECT c.number, a.atttypid, ( \
            WITH RECURSIVE up AS ( \
                SELECT t.oid, t.typtype, t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid \
                UNION ALL SELECT t.oid, t.typtype, t.typbasetype \
                FROM up JOIN pg_catalog.pg_type t ON t.oid = up.typbasetype WHERE up.typtype = 'd' \
            ) SELECT up.oid FROM up WHERE up.typtype <> 'd'), pg_catalog.format_type(a.atttypid, NULL) \
         FROM unnest(ARRAY[{}]::text[]) WITH ORDINALITY AS c (name, number) \
         JOIN pg_catalog.pg_attribute a ON a.attname = c.name AND a.attnum > 0 \
         AND a.attrelid = pg_catalog.to_regclass({})",
        list.join(", "),
        quote::literal(table),
    );
    (Question { sql, behind: 0 }, names)
}

/// Compares the types of a table's columns with those of the values; COPY itself refuses a column
/// that does not exist.
pub(super) fn check_target(expected: &Columns, names: &[String], answer: &Answer) -> Result<()> {
    for row in 0..answer.row_count() {
        let text = |column| std::str::from_utf8(answer.value(row, column)?).ok();
        let number = |column| text(column)?.parse::<u32>().ok();
        let (Some(at), Some(type_oid), Some(base)) = (number(0), number(1), number(2)) else {
            continue;
        };
        let at = usize::try_from(at).unwrap_or_default().saturating_sub(1);
        let name = names.get(at).map_or("", String::as_str);
        expected.check_target(at, name, type_oid, base, text(3).unwrap_or_default())?;
    }
    Ok(())
}

/// Returns the question about the columns of a query: a cursor that fetches nothing describes them
/// without running it.
pub(super) fn of_query(sql: &str) -> Result<Question> {
    const DECLARE: &str = "DECLARE bowline_copy NO SCROLL CURSOR FOR\n";
    let writes = first_word(sql)
        .is_some_and(|word| word.is_one_of(&["insert", "update", "delete", "merge"]));
    if writes {
        return Err(
            Error::query("a typed COPY reads the rows of a query that does not write")
                .with_hint(
                    "use Session::stream for the rows that a statement with RETURNING returns",
                )
                .with_sql(sql.into()),
        );
    }
    Ok(Question {
        sql: format!("{DECLARE}{sql}\n;FETCH 0 FROM bowline_copy;CLOSE bowline_copy"),
        behind: DECLARE.len() - BEGINNING.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_a_target_may_have_any_name() {
        let (question, names) =
            of_target("COPY \"a(b\".\"t\"\"\"(\"x\", \"y)\"\"z\") FROM STDIN (FORMAT binary)");
        assert_eq!(names, ["x", "y)\"z"]);
        assert!(
            question.sql.ends_with("to_regclass('\"a(b\".\"t\"\"\"')"),
            "{}",
            question.sql
        );
    }
}

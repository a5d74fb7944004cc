//! The functions that write.

use crate::plan::{KeyColumn, TablePlan, article};

use super::super::super::layout::{chain, doc, literal, tuple_call};
use super::super::lifetime;
use super::{Arguments, condition, end, find_link, key, key_arguments, named, returning, source};

fn new_argument(table: &TablePlan) -> String {
    let lifetime = lifetime(&table.new_fields).replace("'a", "'_");
    format!("{}{lifetime}", table.new_type())
}

fn changes_argument(table: &TablePlan) -> String {
    let lifetime = lifetime(&table.changes_fields).replace("'a", "'_");
    format!("{}{lifetime}", table.changes_type())
}

pub(super) fn insert(table: &TablePlan) -> String {
    let arguments = Arguments::new([("new".to_owned(), new_argument(table))]);
    let insert = format!("diesel::insert_into({})", source(table));
    doc(
        4,
        &format!(
            "Inserts {} {} and returns it as stored.",
            article(&table.noun),
            table.noun
        ),
    ) + &arguments.head("insert", &table.row)
        + &chain(
            8,
            "",
            &[
                insert,
                ".values(new)".to_owned(),
                returning(table),
                end(table, "one"),
                named(table, "insert"),
            ],
            "",
        )
        + "    }\n"
}

/// Returns the insert for a table in which PostgreSQL fills every column.
pub(super) fn insert_default(table: &TablePlan) -> String {
    let insert = format!("diesel::insert_into({})", source(table));
    doc(
        4,
        &format!(
            "Inserts {} {} of what PostgreSQL fills in, and returns it as stored.",
            article(&table.noun),
            table.noun
        ),
    ) + &Arguments::new([]).head("insert", &table.row)
        + &chain(
            8,
            "",
            &[
                insert,
                ".default_values()".to_owned(),
                returning(table),
                end(table, "one"),
                named(table, "insert"),
            ],
            "",
        )
        + "    }\n"
}

pub(super) fn insert_many(table: &TablePlan) -> String {
    let arguments = Arguments::new([("new".to_owned(), format!("Vec<{}>", new_argument(table)))]);
    let insert = format!("diesel::insert_into({})", source(table));
    doc(
        4,
        "Inserts many in one round trip, all or none, and returns them as stored, in their order.",
    ) + &arguments.head("insert_many", &format!("Vec<{}>", table.row))
        + &format!(
            "        bowline::__generated::chunks(new, {})\n            .map(|chunk| {{\n",
            table.new_fields.len()
        )
        + &chain(
            16,
            "",
            &[
                insert,
                ".values(chunk)".to_owned(),
                returning(table),
                end(table, "all"),
            ],
            "",
        )
        + "            })\n            .collect::<Vec<_>>()\n"
        + "            .map(|rows| rows.into_iter().flatten().collect::<Vec<_>>())\n"
        + &format!("            {}\n    }}\n", named(table, "insert_many"))
}

pub(super) fn update(table: &TablePlan) -> String {
    let arguments = Arguments::new(
        key_arguments(table)
            .into_iter()
            .chain([("changes".to_owned(), changes_argument(table))]),
    );
    let names: Vec<_> = key(table)
        .iter()
        .map(|field| field.argument_name.clone())
        .collect();
    let update = format!("diesel::update({}{})", source(table), find_link(table));
    doc(
        4,
        &format!(
            "Makes the changes and returns the {} as stored, or the error `NotFound`.\n\nNo changes just read it.",
            table.noun
        ),
    ) + &arguments.head("update", &table.row)
        + &format!(
            "        if changes == {}::default() {{\n",
            table.changes_type()
        )
        + &format!(
            "            return Self::get({}).boxed();\n        }}\n",
            names.join(", ")
        )
        + &chain(
            8,
            "",
            &[
                update,
                ".set(changes)".to_owned(),
                returning(table),
                end(table, "one"),
                named(table, "update"),
                ".boxed()".to_owned(),
            ],
            "",
        )
        + "    }\n"
}

pub(super) fn upsert(
    table: &TablePlan,
    name: &str,
    columns: &[KeyColumn],
    predicate: Option<&str>,
) -> String {
    let has_changes = !table.changes_fields.is_empty();
    let mut list = vec![("new".to_owned(), new_argument(table))];
    if has_changes {
        list.push(("changes".to_owned(), changes_argument(table)));
    }
    let arguments = Arguments::new(list);
    let column = |column: &KeyColumn| format!("{}::{}", table.module, column.field);
    let conflict: Vec<_> = columns.iter().map(column).collect();
    let target = tuple_call(12, ".on_conflict", &conflict);
    let words = columns
        .iter()
        .map(|column| column.sql_name.clone())
        .collect::<Vec<_>>()
        .join(" and ");
    let mut insert = vec![
        format!("diesel::insert_into({})", source(table)),
        ".values(new)".to_owned(),
        target,
    ];
    insert.extend(predicate.map(|predicate| {
        format!(
            ".filter_target(sql::<Bool>({}))",
            literal(&condition(predicate))
        )
    }));
    insert.push(".do_update()".to_owned());
    let first = columns.first().map(column).unwrap_or_default();
    // The update writes the value that the row already has: DO NOTHING would return no row.
    let keep = [first.clone(), format!(".eq(excluded({first}))")];
    let run = |set: String, last: &[&str]| {
        let mut links = vec![
            "insert".to_owned(),
            set,
            returning(table),
            end(table, "one"),
            named(table, name),
        ];
        links.extend(last.iter().map(|link| (*link).to_owned()));
        links
    };
    let what = if has_changes {
        "makes the changes to it instead"
    } else {
        "leaves it as it is"
    };
    let mut out = doc(
        4,
        &format!(
            "Inserts the {}; where one with this {words} is there already, {what}.",
            table.noun
        ),
    );
    out.push_str(&arguments.head(name, &table.row));
    out.push_str(&chain(8, "let insert = ", &insert, ";"));
    if has_changes {
        out.push_str(&format!(
            "        if changes == {}::default() {{\n",
            table.changes_type()
        ));
        out.push_str(&chain(12, "let keep = ", &keep, ";"));
        out.push_str(&chain(
            12,
            "return ",
            &run(".set(keep)".to_owned(), &[".boxed()"]),
            ";",
        ));
        out.push_str("        }\n");
        out.push_str(&chain(
            8,
            "",
            &run(".set(changes)".to_owned(), &[".boxed()"]),
            "",
        ));
    } else {
        out.push_str(&chain(8, "let keep = ", &keep, ";"));
        out.push_str(&chain(8, "", &run(".set(keep)".to_owned(), &[]), ""));
    }
    out + "    }\n"
}

pub(super) fn delete(table: &TablePlan) -> String {
    let arguments = Arguments::new(key_arguments(table));
    let delete = format!("diesel::delete({}{})", source(table), find_link(table));
    doc(
        4,
        &format!("Deletes the {}; `false` if there was none.", table.noun),
    ) + &arguments.head("delete", "bool")
        + &chain(
            8,
            "",
            &[
                delete,
                ".affected()".to_owned(),
                ".map(|rows| rows == 1)".to_owned(),
                named(table, "delete"),
            ],
            "",
        )
        + "    }\n"
}

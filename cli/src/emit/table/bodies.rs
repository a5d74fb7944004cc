//! The structs that a client sends: with the columns that a setting names, and no others.
//!
//! `Values` as the body of a request would let a client set each column, also `author_id` and
//! `is_admin`. The columns that a client cannot send are given by name beside it.

use bowline_plan::plan::{Field, TablePlan, article};

use super::super::layout::{self, doc};
use super::given::{derives_of, read_by, reads_by_itself};
use super::values::lines;
use super::{comment_of, given_attributes, lifetime, rename, serde_of, wrapped};

/// Returns the request that inserts a row.
pub(super) fn new(table: &TablePlan) -> String {
    if table.new_body.is_empty() {
        return String::new();
    }
    let (row, body) = (&table.row, table.new_body_type());
    let is_sent = |field: &&Field| table.new_body.contains(&field.sql_name);
    let sent: Vec<&Field> = table.new_fields.iter().filter(is_sent).collect();
    let rest = table.rest_fields();
    let others = if rest.is_empty() {
        "It is made into the values by `into`."
    } else {
        "`with` adds the columns that it needs beside them."
    };
    let words = format!("What a client may send for a new [`{row}`], and nothing else. {others}");
    let fields = sent.iter().map(|field| {
        let own = &field.new_attributes;
        sent_field(table, field, own)
    });
    let mut out = sent_struct(table, &body, &words, &table.new_derives, fields);
    let kinds = table.new_fields.iter().map(|field| {
        let kind = match field.options {
            _ if rest.contains(field) => "rest",
            _ if !is_sent(&field) => "none",
            0 => "sent",
            1 => "optional",
            _ => "nullable",
        };
        format!("{} = {kind}", field.name)
    });
    let makes = |lifetime: &str| {
        let is_borrowed = !super::lifetime(&table.new_fields).is_empty();
        let lifetime = if is_borrowed { lifetime } else { "" };
        format!("makes {}{lifetime}", table.inserted_type())
    };
    let head = if rest.is_empty() {
        format!("{body} {}", makes("<'static>"))
    } else {
        let of_rest = lifetime(&rest);
        out.push('\n');
        out.push_str(&rest_struct(table, &rest));
        let of_values = if of_rest.is_empty() {
            "<'static>"
        } else {
            of_rest
        };
        format!(
            "{body} with {}{of_rest} {}",
            table.rest_type(),
            makes(of_values)
        )
    };
    format!("{out}\n{}", call(&head, kinds))
}

/// Returns the struct with the columns that each new row needs and that a client cannot send.
fn rest_struct(table: &TablePlan, rest: &[Field]) -> String {
    let words = format!(
        "The columns that each new [`{}`] needs beside [`{}`].",
        table.row,
        table.new_body_type()
    );
    let derives = ["Debug", "Clone", "PartialEq"];
    let mut out = doc(0, &words) + &derives_of(&derives, &[]);
    out.push_str(&format!(
        "pub struct {}{} {{\n",
        table.rest_type(),
        lifetime(rest)
    ));
    for field in rest {
        out.push_str(&layout::field(&field.name, &field.rust_type.borrowed));
    }
    out + "}\n"
}

/// Returns the request that changes a row.
pub(super) fn changes(table: &TablePlan) -> String {
    if table.changes_body.is_empty() {
        return String::new();
    }
    let (row, body) = (&table.row, table.changes_body_type());
    let words = format!(
        "What a client may send to change {} [`{row}`], and nothing else. An absent field is left \
         as it is.",
        article(row)
    );
    let is_sent = |field: &&Field| table.changes_body.contains(&field.sql_name);
    let is_version = |field: &&Field| table.roles.version.as_ref() == Some(&field.sql_name);
    let version = table.fields.iter().filter(is_version).filter(is_sent);
    let version = version.map(|field| {
        let words = "The version that the client has read, for `update`.";
        let field_type = &field.rust_type.owned;
        doc(4, words) + &rename(table, field) + &layout::field(&field.name, field_type)
    });
    let sent = table.changes_fields.iter().filter(is_sent);
    let sent = sent.map(|field| {
        let own = &field.changes_attributes;
        sent_field(table, field, own)
    });
    let fields = version.chain(sent);
    let out = sent_struct(table, &body, &words, &table.changes_derives, fields);
    let kinds = table.changes_fields.iter().map(|field| {
        let kind = match field.options {
            _ if !is_sent(&field) => "none",
            1 => "optional",
            _ => "nullable",
        };
        format!("{} = {kind}", field.name)
    });
    let lifetime = match lifetime(&table.changes_fields) {
        "" => "",
        _ => "<'static>",
    };
    let head = format!("{body} makes {}{lifetime}", table.changes_type());
    format!("{out}\n{}", call(&head, kinds))
}

/// Returns a struct that a client sends.
fn sent_struct(
    table: &TablePlan,
    name: &str,
    words: &str,
    derives: &[String],
    fields: impl Iterator<Item = String>,
) -> String {
    let own: &[&str] = if table.deny_unknown_fields {
        &["deny_unknown_fields"]
    } else {
        &[]
    };
    let usual = ["Debug", "Clone", "PartialEq", "Deserialize"];
    let fields: String = fields.collect();
    doc(0, words)
        + &derives_of(&usual, derives)
        + &serde_of(table, own)
        + &format!("pub struct {name} {{\n{fields}}}\n")
}

/// Returns a field that a client sends. It owns its value, which is read from the body.
fn sent_field(table: &TablePlan, field: &Field, attributes: &[String]) -> String {
    let has_null = table
        .fields
        .iter()
        .any(|it| it.sql_name == field.sql_name && it.options > 0);
    let is_read = attributes
        .iter()
        .any(|attribute| reads_by_itself(attribute));
    let function = match (field.rust_type.by_json, field.options, has_null) {
        _ if is_read => None,
        (false, 0, _) => None,
        (false, 1, true) => None,
        (false, 1, false) => Some("not_null"),
        (false, ..) => Some("nullable"),
        (true, 0, _) => Some("json::deserialize"),
        (true, 1, true) => Some("json::deserialize"),
        (true, 1, false) => Some("json::not_null"),
        (true, ..) => Some("json::nullable"),
    };
    let default = if field.options > 0 { "default, " } else { "" };
    comment_of(field)
        + &rename(table, field)
        + &given_attributes(attributes)
        + &function.map_or(String::new(), |function| read_by(default, function))
        + &layout::field(&field.name, &wrapped(&field.rust_type.owned, field.options))
}

fn call(head: &str, kinds: impl Iterator<Item = String>) -> String {
    format!(
        "bowline::__generated::body! {{\n    {head} {{\n{}    }}\n}}\n",
        lines(kinds)
    )
}

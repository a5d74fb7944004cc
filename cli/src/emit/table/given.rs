//! The structs with values for columns: `New`, `Values` and `Changes`.

use bowline_plan::plan::{Field, TablePlan, article};

use super::super::layout::{self, derive, doc};
use super::{capital, given_attributes, lifetime, rename, serde_of, values, wrapped};

/// Returns the struct with the columns that each new row needs, and the one with all columns that a
/// new row can give, if there are more.
pub(super) fn new(table: &TablePlan) -> String {
    if table.new_fields.is_empty() {
        return String::new();
    }
    let row = &table.row;
    let article = capital(article(row));
    if !table.has_values_type() {
        let comment = format!("{article} [`{row}`] to insert.");
        return given_struct(table, &table.new_type(), &table.new_fields, &comment);
    }
    let required = table.required_fields();
    let (new, values) = (table.new_type(), table.values_type());
    let comment = match required.as_slice() {
        [] => {
            format!("{article} [`{row}`] to insert. Each column can be left out: see [`{values}`].")
        }
        _ => format!(
            "{article} [`{row}`] to insert: the columns that each one needs. [`{values}`] has all columns."
        ),
    };
    let fields = if required.is_empty() { "" } else { " .. " };
    let of_values = format!(
        "The columns of {} [`{row}`] to insert. `None` takes the column's default.\n\n\
         `{values} {{ .., ..{new} {{{fields}}}.into() }}` leaves out the columns that it does not name.",
        bowline_plan::plan::article(row),
    );
    [
        given_struct(table, &new, &required, &comment),
        given_struct(table, &values, &table.new_fields, &of_values),
        values::from_required(table),
    ]
    .join("\n")
}

/// Returns a struct with columns of a new row.
fn given_struct(table: &TablePlan, name: &str, fields: &[Field], comment: &str) -> String {
    let mut out = doc(0, comment);
    let is_insertable = table.insertable && are_shown(fields) && !fields.is_empty();
    let mut usual = vec!["Debug", "Clone", "PartialEq", "Deserialize"];
    if is_insertable {
        usual.insert(3, "Insertable");
    }
    // As soon as a column is required, there is no default any more.
    if fields.iter().all(|field| field.options > 0) {
        usual.insert(2, "Default");
    }
    out.push_str(&derives_of(&usual, &table.new_derives));
    if is_insertable {
        out.push_str(&format!("#[diesel(table_name = {})]\n", table.module));
    }
    let own: &[&str] = if table.deny_unknown_fields {
        &["deny_unknown_fields"]
    } else {
        &[]
    };
    out.push_str(&serde_of(table, own));
    if fields.is_empty() {
        return out + &format!("pub struct {name} {{}}\n");
    }
    out.push_str(&format!("pub struct {name}{} {{\n", lifetime(fields)));
    for field in fields {
        out.push_str(&rename(table, field));
        out.push_str(&given_attributes(&field.new_attributes));
        out.push_str(&read_from_json(field));
        out.push_str(&layout::field(
            &field.name,
            &wrapped(&field.rust_type.borrowed, field.options),
        ));
    }
    out + "}\n"
}

pub(super) fn changes(table: &TablePlan) -> String {
    if table.changes_fields.is_empty() {
        return String::new();
    }
    let has_nullable = table.changes_fields.iter().any(|field| field.options > 1);
    let nullable = if has_nullable {
        "; `Some(None)` sets it to NULL"
    } else {
        ""
    };
    let mut out = format!(
        "/// Changes to {} [`{}`]. `None` leaves the column as it is{nullable}.\n",
        article(&table.row),
        table.row
    );
    let is_changeset = table.insertable && are_shown(&table.changes_fields);
    let mut usual = vec!["Debug", "Clone", "Default", "PartialEq", "Deserialize"];
    if is_changeset {
        usual.insert(4, "AsChangeset");
    }
    out.push_str(&derives_of(&usual, &table.changes_derives));
    if is_changeset {
        out.push_str(&format!("#[diesel(table_name = {})]\n", table.module));
    }
    let own: &[&str] = if table.deny_unknown_fields {
        &["default", "deny_unknown_fields"]
    } else {
        &["default"]
    };
    out.push_str(&serde_of(table, own));
    out.push_str(&format!(
        "pub struct {}{} {{\n",
        table.changes_type(),
        lifetime(&table.changes_fields)
    ));
    for field in &table.changes_fields {
        out.push_str(&rename(table, field));
        out.push_str(&given_attributes(&field.changes_attributes));
        out.push_str(&read_change_from_json(field));
        out.push_str(&layout::field(
            &field.name,
            &wrapped(&field.rust_type.borrowed, field.options),
        ));
    }
    out + "}\n"
}

/// Returns the derives of `New` or `Changes`, with those of the settings.
pub(super) fn derives_of(usual: &[&str], extra: &[String]) -> String {
    derive(0, &layout::with_derives(usual, extra))
}

/// Returns true if each field has the type that `schema.rs` shows, as diesel's derives need it.
fn are_shown(fields: &[Field]) -> bool {
    fields.iter().all(|field| field.via.is_none())
}

/// Returns the attribute by which serde reads a field of `New` or `Values`.
fn read_from_json(field: &Field) -> String {
    match (field.rust_type.by_json, field.options) {
        _ if field.skip_deserializing => SKIPPED.to_owned(),
        (false, 0 | 1) => String::new(),
        (false, _) => read_by("default, ", "nullable"),
        (true, 0) => read_by("", "json::deserialize"),
        (true, 1) => read_by("default, ", "json::deserialize"),
        (true, _) => read_by("default, ", "json::nullable"),
    }
}

/// Returns the attribute by which serde reads a field of `Changes`: null is no change of a column
/// that is NOT NULL, nor is it an absent field.
fn read_change_from_json(field: &Field) -> String {
    let mut own = field.changes_attributes.iter();
    let is_read_by_another = own.any(|attribute| reads_by_itself(attribute));
    match (field.rust_type.by_json, field.options) {
        _ if field.skip_deserializing => SKIPPED.to_owned(),
        _ if is_read_by_another => String::new(),
        (false, 1) => read_by("", "not_null"),
        (false, _) => read_by("", "nullable"),
        (true, 1) => read_by("", "json::not_null"),
        (true, _) => read_by("", "json::nullable"),
    }
}

/// The attribute of a field that is not read.
const SKIPPED: &str = "    #[serde(skip_deserializing)]\n";

pub(super) fn read_by(default: &str, function: &str) -> String {
    format!("    #[serde({default}deserialize_with = \"bowline::__generated::{function}\")]\n")
}

/// Returns true if an attribute of the settings names the function that reads the field; serde
/// refuses a second one.
pub(super) fn reads_by_itself(attribute: &str) -> bool {
    let attribute: String = attribute.split_whitespace().collect();
    let of_serde = attribute.strip_prefix("serde(").unwrap_or_default();
    let mut arguments = of_serde.split([',', ')']);
    let names = ["with=", "deserialize_with=", "skip"];
    arguments.any(|it| {
        names.iter().any(|name| it.starts_with(name)) && !it.starts_with("skip_serializing")
    })
}

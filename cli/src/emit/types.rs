//! `types.rs`: the enums, the structs of composite types, the ranges of the schema, and the markers
//! of SQL types that only occur within other types, so diesel's `schema.rs` does not define them.

use std::collections::BTreeMap;

use bowline_plan::plan::{
    AttributePlan, CompositePlan, Declared, EnumPlan, MarkerPlan, NewtypePlan, Plan, RangePlan,
};

use super::HEADER;
use super::layout::{self, doc, literal};

/// The path by which other generated files refer to this module.
const TYPES_MODULE: &str = "super::types";

/// Returns true if a plan has types for this file.
pub(super) fn are_needed(plan: &Plan) -> bool {
    !plan.enums.is_empty()
        || !plan.newtypes.is_empty()
        || !plan.composites.is_empty()
        || !plan.ranges.is_empty()
        || !plan.markers.is_empty()
}

pub(super) fn types(plan: &Plan) -> String {
    let modules = modules(plan);
    let mut out = format!("{HEADER} Do not edit.\n");
    let imports = imports(plan, &modules);
    if !imports.is_empty() {
        out.push_str(&format!("\n{imports}"));
    }
    if !plan.markers.is_empty() {
        out.push_str(&markers(&plan.markers));
    }
    for plan in &plan.enums {
        out.push_str(&enumeration(plan, &modules));
    }
    for plan in &plan.newtypes {
        out.push_str(&newtype(plan));
    }
    for plan in &plan.composites {
        out.push_str(&composite(plan, &modules));
    }
    for plan in &plan.ranges {
        out.push_str(&range(plan, &modules));
    }
    out
}

fn imports(plan: &Plan, modules: &BTreeMap<String, String>) -> String {
    let attributes = plan.composites.iter().flat_map(|plan| &plan.attributes);
    let of_attributes = attributes.flat_map(|attribute| attribute.rust_type.imports.clone());
    let of_ranges = plan
        .ranges
        .iter()
        .flat_map(|range| range.bound.imports.clone());
    let of_domains = plan.newtypes.iter();
    let of_domains = of_domains.flat_map(|newtype| newtype.inner.imports.clone());
    let mut external: Vec<String> = of_attributes.chain(of_ranges).chain(of_domains).collect();
    // Structs of composite types hold `String`, never `Cow`.
    external.retain(|import| import != "std::borrow::Cow");
    if !plan.composites.is_empty() || !plan.newtypes.is_empty() {
        external.push("diesel::deserialize::FromSqlRow".to_owned());
        external.push("diesel::expression::AsExpression".to_owned());
        external.push("serde::{Deserialize, Serialize}".to_owned());
    }
    external.sort();
    external.dedup();
    let external: String = external
        .iter()
        .map(|import| format!("use {import};\n"))
        .collect();
    let mut internal = String::new();
    for (path, name) in modules {
        if path == TYPES_MODULE {
            continue;
        }
        let alias = if name == "sql_types" {
            String::new()
        } else {
            format!(" as {name}")
        };
        internal.push_str(&format!("use {path}::sql_types{alias};\n"));
    }
    let groups = [external, internal].into_iter();
    let groups: Vec<String> = groups.filter(|group| !group.is_empty()).collect();
    groups.join("\n")
}

/// Returns the module of the marker types.
fn markers(markers: &[MarkerPlan]) -> String {
    let mut out = "\n/// SQL types that are in no `schema.rs`.\npub mod sql_types {\n".to_owned();
    for (index, marker) in markers.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let name = literal(&marker.sql_name.name);
        let schema = match marker.sql_name.schema.as_str() {
            "public" if !marker.sql_name.is_hidden_type() => String::new(),
            schema => format!(", schema = {}", literal(schema)),
        };
        out.push_str(&doc(4, &format!("The type `{}`.", marker.sql_name.name)));
        out.push_str(&format!(
            "    #[derive(diesel::query_builder::QueryId, diesel::sql_types::SqlType)]\n    \
             #[diesel(postgres_type(name = {name}{schema}))]\n    pub struct {};\n",
            marker.rust_name
        ));
    }
    out + "}\n"
}

fn enumeration(plan: &EnumPlan, modules: &BTreeMap<String, String>) -> String {
    let mut out = "\nbowline::__generated::pg_enum! {\n".to_owned();
    let comment = plan
        .comment
        .clone()
        .unwrap_or_else(|| format!("A value of the enum `{}`.", plan.sql_name.name));
    out.push_str(&doc(4, &comment));
    let of_macro = [&["Copy"][..], &layout::OF_MACROS].concat();
    let extra = layout::beside_derives(&of_macro, &plan.extra_derives);
    if !extra.is_empty() {
        out.push_str(&layout::derive(4, &extra));
    }
    out.push_str(&format!(
        "    pub enum {}: {} {{\n",
        plan.name,
        paths(&plan.markers, modules).join(", ")
    ));
    for (variant, label) in &plan.variants {
        out.push_str(&format!("        {variant} = {},\n", literal(label)));
    }
    out + "    }\n}\n"
}

fn newtype(plan: &NewtypePlan) -> String {
    let NewtypePlan {
        name,
        sql_name,
        comment,
        inner,
        sql_type,
    } = plan;
    let comment = comment
        .clone()
        .unwrap_or_else(|| format!("A value of the domain `{}`.", sql_name.name));
    let copied = if plan.is_copied() { ", Copy" } else { "" };
    let ordered = if plan.is_plain() {
        ", Eq, PartialOrd, Ord, Hash"
    } else {
        ""
    };
    // The markers of types.rs are in this file.
    let sql_type = sql_type.in_table().replace("super::types::", "");
    let by_json = if inner.by_json {
        "#[serde(with = \"bowline::__generated::json\")] "
    } else {
        ""
    };
    let text = if plan.is_plain() { ", formatter" } else { "" };
    let owned = &inner.owned;
    format!(
        "\n{}#[derive(Debug, Clone{copied}, PartialEq{ordered})]\n\
         #[derive(AsExpression, Deserialize, FromSqlRow, Serialize)]\n\
         #[diesel(sql_type = {sql_type})]\n#[serde(transparent)]\n\
         pub struct {name}({by_json}pub {owned});\n\n\
         bowline::__generated::newtype! {{\n    {name}({owned}): {sql_type}{text}\n}}\n",
        doc(0, &comment)
    )
}

fn composite(plan: &CompositePlan, modules: &BTreeMap<String, String>) -> String {
    let comment = plan
        .comment
        .clone()
        .unwrap_or_else(|| format!("A value of the composite type `{}`.", plan.sql_name.name));
    let markers = paths(&plan.markers, modules);
    let sql_types: Vec<String> = markers
        .iter()
        .map(|marker| format!("#[diesel(sql_type = {marker})]\n"))
        .collect();
    let mut out = format!(
        "\n{}#[derive(Debug, Clone, Default, PartialEq)]\n\
         #[derive(AsExpression, Deserialize, FromSqlRow, Serialize)]\n{}\
         #[serde(default)]\npub struct {} {{\n",
        doc(0, &comment),
        sql_types.concat(),
        plan.name
    );
    for attribute in &plan.attributes {
        if attribute.name != attribute.sql_name {
            let name = literal(&attribute.sql_name);
            out.push_str(&format!("    #[serde(rename = {name})]\n"));
        }
        if attribute.rust_type.by_json {
            out.push_str("    #[serde(with = \"bowline::__generated::json\")]\n");
        }
        let rust_type = format!("Option<{}>", attribute.rust_type.owned);
        out.push_str(&layout::field(&attribute.name, &rust_type));
    }
    let attributes: String = plan.attributes.iter().map(self::attribute).collect();
    out.push_str(&format!(
        "}}\n\nbowline::__generated::composite! {{\n    {}: {} {{\n{attributes}    }}\n}}\n",
        plan.name,
        markers.join(", ")
    ));
    out
}

/// Returns a line of `composite!`: the attribute, the SQL type of diesel by which it is sent, and
/// its type in PostgreSQL if that differs.
fn attribute(attribute: &AttributePlan) -> String {
    let declared = match &attribute.declared {
        None => String::new(),
        Some(Declared::BuiltIn(oid, element)) => {
            format!(" => BuiltIn({oid}, {})", element.unwrap_or(0))
        }
        Some(Declared::Domain(name)) => {
            let schema = match name.schema.as_str() {
                "public" => "None".to_owned(),
                schema => format!("Some({})", literal(schema)),
            };
            format!(" => Named({schema}, {})", literal(&name.name))
        }
    };
    // The markers of types.rs are in this file.
    let sql_type = attribute.sql_type.replace("super::types::", "");
    format!("        {}: {sql_type}{declared},\n", attribute.name)
}

fn range(plan: &RangePlan, modules: &BTreeMap<String, String>) -> String {
    let kind = if plan.is_multirange {
        "multirange"
    } else {
        "range"
    };
    format!(
        "\nbowline::__generated::own_{kind}! {{\n    {}: {}, {}\n}}\n",
        plan.bound.owned,
        plan.sql_type,
        paths(&plan.markers, modules).join(", ")
    )
}

/// Returns the paths by which this file refers to marker types of these modules and names.
fn paths(markers: &[(String, String)], modules: &BTreeMap<String, String>) -> Vec<String> {
    let paths = markers.iter().filter_map(|(path, marker)| {
        let module = modules.get(path)?;
        Some(format!("{module}::{marker}"))
    });
    paths.collect()
}

/// Returns the modules that contain marker types: the name under which this file imports the
/// `sql_types` of a module, by the module's path.
fn modules(plan: &Plan) -> BTreeMap<String, String> {
    let of_enums = plan.enums.iter().flat_map(|plan| &plan.markers);
    let of_composites = plan.composites.iter().flat_map(|plan| &plan.markers);
    let of_ranges = plan.ranges.iter().flat_map(|plan| &plan.markers);
    let mut paths: Vec<&String> = of_enums
        .chain(of_composites)
        .chain(of_ranges)
        .map(|(path, _)| path)
        .collect();
    paths.sort();
    paths.dedup();
    // A file with marker types has a module `sql_types` of its own.
    let is_taken = !plan.markers.is_empty();
    let elsewhere = paths.iter().filter(|path| **path != TYPES_MODULE);
    let named = elsewhere.zip(usize::from(is_taken)..).map(|(path, index)| {
        let name = match index {
            0 => "sql_types".to_owned(),
            index => format!("sql_types{}", index + 1),
        };
        ((*path).clone(), name)
    });
    let own = is_taken.then(|| (TYPES_MODULE.to_owned(), "sql_types".to_owned()));
    named.chain(own).collect()
}

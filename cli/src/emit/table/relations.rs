//! The relations of a table's rows, which graphs read.

use bowline_plan::plan::{RelationPlan, RelationTo, TablePlan};

use super::super::layout::{doc, literal};

/// Returns the macro that declares them.
pub(super) fn relations(table: &TablePlan) -> String {
    if table.relations.is_empty() {
        return String::new();
    }
    let relations: String = table.relations.iter().map(relation).collect();
    format!(
        "bowline::__generated::relations! {{\n    {} {{\n{relations}    }}\n}}\n",
        table.row
    )
}

fn relation(relation: &RelationPlan) -> String {
    let kind = match relation.kind {
        RelationTo::One => "One",
        RelationTo::Optional => "Optional",
        RelationTo::Many => "Many",
    };
    let calls = if relation.calls { ", calls" } else { "" };
    format!(
        "{}        {}: {kind} {}::table, of {} by {} =\n            {} where {}{calls};\n",
        doc(8, &relation.words),
        relation.name.to_uppercase(),
        relation.table,
        list(&relation.of),
        list(&relation.key),
        literal(&relation.from),
        literal(&relation.condition)
    )
}

fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
    format!("[{}]", names.join(", "))
}

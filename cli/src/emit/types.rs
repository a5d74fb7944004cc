//! `types.rs`: the enums.

use crate::plan::EnumPlan;

use super::HEADER;
use super::layout::{doc, literal};

pub(super) fn types(enums: &[EnumPlan], schema_path: &str) -> String {
    let mut out = format!("{HEADER} Do not edit.\n\nuse {schema_path}::sql_types;\n");
    for plan in enums {
        out.push_str("\nbowline::pg_enum! {\n");
        let comment = plan
            .comment
            .clone()
            .unwrap_or_else(|| format!("A value of the enum `{}`.", plan.sql_name));
        out.push_str(&doc(4, &comment));
        out.push_str(&format!(
            "    pub enum {}: sql_types::{} {{\n",
            plan.name, plan.name
        ));
        for (variant, label) in &plan.variants {
            out.push_str(&format!("        {variant} = {},\n", literal(label)));
        }
        out.push_str("    }\n}\n");
    }
    out
}

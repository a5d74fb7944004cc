//! The settings of `bowline lint`.

use serde::Deserialize;

use crate::suggestion::nearest;
use bowline_catalog::lint::Rule;

/// The table `[lint]` of `bowline.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LintSettings {
    /// Rules that are left out.
    pub excluded_rules: Vec<RuleName>,
    /// Opt-in rules that apply.
    pub included_rules: Vec<RuleName>,
}

/// A rule, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RuleName(pub Rule);

impl TryFrom<String> for RuleName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Rule::of_name(&name).map(Self).ok_or_else(|| {
            let meant = nearest(&name, Rule::all().map(Rule::name));
            let meant = meant.map(|meant| format!("; did you mean {meant}?"));
            format!("there is no rule {name}{}", meant.unwrap_or_default())
        })
    }
}

#[cfg(test)]
impl schemars::JsonSchema for RuleName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RuleName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Rule::all().map(Rule::name).collect();
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}

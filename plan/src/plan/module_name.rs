//! Names of modules.

/// Returns the name of a module as an identifier, raw if it is a keyword; `None` if no module can
/// have that name.
pub fn module_name(name: &str) -> Option<String> {
    let is_identifier = |text: &str| syn::parse_str::<syn::Ident>(text).is_ok();
    let raw = format!("r#{name}");
    match name {
        _ if is_identifier(name) => Some(name.to_owned()),
        "self" | "super" | "crate" | "Self" => None,
        _ => is_identifier(&raw).then_some(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_is_a_raw_identifier() {
        assert_eq!(module_name("db").as_deref(), Some("db"));
        assert_eq!(module_name("type").as_deref(), Some("r#type"));
        for wrong in ["self", "crate", "my-db", "1", ""] {
            assert_eq!(module_name(wrong), None, "{wrong}");
        }
    }
}

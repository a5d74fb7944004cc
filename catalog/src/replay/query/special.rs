//! Expressions of JSON and XML that have a syntax of their own and look like calls.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::from::Scope;
use super::{Inference, Value};
use crate::replay::data_type;
use crate::replay::refusal::{Refused, Result};
use crate::replay::tree::child;

impl Inference<'_> {
    /// The value of one of them: what RETURNING says, or what the standard gives without it.
    pub(super) fn special_form(&self, form: &SyntaxNode, scope: &Scope) -> Result<Value> {
        use SyntaxKind as K;
        let default = match form.kind() {
            K::JSON_OBJECT_FN
            | K::JSON_ARRAY_FN
            | K::JSON_OBJECT_AGG_FN
            | K::JSON_ARRAY_AGG_FN
            | K::JSON_SCALAR_FN
            | K::JSON_FN => "json",
            K::JSON_QUERY_FN => "jsonb",
            K::JSON_VALUE_FN | K::JSON_SERIALIZE_FN => "text",
            K::JSON_EXISTS_FN | K::XML_EXISTS_FN => "bool",
            K::XML_ELEMENT_FN
            | K::XML_FOREST_FN
            | K::XML_PI_FN
            | K::XML_ROOT_FN
            | K::XML_PARSE_FN => "xml",
            K::XML_SERIALIZE_FN => {
                self.visit(form, scope);
                return Ok(Value::new(
                    data_type::child_type(self.replay, form)?.data_type,
                ));
            }
            _ => return Err(Refused::new(form, "the type of this is not inferred")),
        };
        self.visit(form, scope);
        match child(form, K::JSON_RETURNING_CLAUSE) {
            Some(returning) => {
                let target = data_type::child_type(self.replay, &returning)?.data_type;
                self.used.borrow_mut().types.insert(target.name.clone());
                Ok(Value::new(target))
            }
            None => Ok(Value::system(default)),
        }
    }
}

/// The name of a column of one of them.
pub(super) fn form_title(kind: SyntaxKind) -> Option<&'static str> {
    use SyntaxKind as K;
    Some(match kind {
        K::JSON_OBJECT_FN => "json_object",
        K::JSON_ARRAY_FN => "json_array",
        K::JSON_OBJECT_AGG_FN => "json_objectagg",
        K::JSON_ARRAY_AGG_FN => "json_arrayagg",
        K::JSON_SCALAR_FN => "json_scalar",
        K::JSON_FN => "json",
        K::JSON_QUERY_FN => "json_query",
        K::JSON_VALUE_FN => "json_value",
        K::JSON_SERIALIZE_FN => "json_serialize",
        K::JSON_EXISTS_FN => "json_exists",
        K::XML_EXISTS_FN => "xmlexists",
        K::XML_ELEMENT_FN => "xmlelement",
        K::XML_FOREST_FN => "xmlforest",
        K::XML_PI_FN => "xmlpi",
        K::XML_ROOT_FN => "xmlroot",
        K::XML_PARSE_FN => "xmlparse",
        K::XML_SERIALIZE_FN => "xmlserialize",
        _ => return None,
    })
}

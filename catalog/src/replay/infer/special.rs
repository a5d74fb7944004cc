//! JSON and XML expressions that look like calls but have a syntax of their own.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::infer::from::Scope;
use crate::replay::infer::{Inference, Value};
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::data_type;
use crate::replay::syntax::tree::child;

impl Inference<'_> {
    /// Returns the value of such an expression. Its type is that of RETURNING, or else the
    /// standard's default.
    pub(crate) fn special_form(&self, form: &SyntaxNode, scope: &Scope) -> Result<Value> {
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
                    data_type::child_type(self.state, form)?.data_type,
                ));
            }
            _ => return Err(Refused::new(form, "the type of this is not inferred")),
        };
        self.visit(form, scope);
        match child(form, K::JSON_RETURNING_CLAUSE) {
            Some(returning) => {
                let target = data_type::child_type(self.state, &returning)?.data_type;
                self.used.borrow_mut().types.insert(target.name.clone());
                Ok(Value::new(target))
            }
            None => Ok(Value::system(default)),
        }
    }
}

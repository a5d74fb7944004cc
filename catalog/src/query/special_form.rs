//! JSON and XML expressions that look like calls but have a syntax of their own.

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::{Analyzer, Result};
use super::expr::{Call, Expr, Kind, Nulls, Span, Use};
use super::fault::Fault;
use super::types;
use crate::replay::syntax::tree::{child, is_query, seen, tokens};
use crate::replay::syntax::type_name;

impl Analyzer<'_> {
    /// Returns a JSON or XML expression that looks like a call but has a syntax of its own.
    pub(super) fn special_form(&mut self, form: &SyntaxNode, span: Span) -> Result<Expr> {
        let default = match seen(form.kind()) {
            // `json_object(keys, values)` is an ordinary function of the same name.
            K::JSON_OBJECT_FN
                if !form.descendants().any(|it| it.kind() == K::JSON_KEY_VALUE)
                    && form.children().next().is_some() =>
            {
                let values = self.parts_of(form)?;
                return self.system_call("json_object", values, span);
            }
            K::JSON_OBJECT_FN
            | K::JSON_ARRAY_FN
            | K::JSON_OBJECT_AGG_FN
            | K::JSON_ARRAY_AGG_FN
            | K::JSON_SCALAR_FN
            | K::JSON_FN => types::JSON,
            K::JSON_QUERY_FN => types::JSONB,
            K::JSON_VALUE_FN | K::JSON_SERIALIZE_FN => types::TEXT,
            K::JSON_EXISTS_FN | K::XML_EXISTS_FN => types::BOOL,
            K::XML_ELEMENT_FN
            | K::XML_FOREST_FN
            | K::XML_PI_FN
            | K::XML_ROOT_FN
            | K::XML_PARSE_FN => types::XML,
            K::XML_SERIALIZE_FN => self.type_of_node(form, &span)?,
            _ => return Err(Fault::refused(span, "the type of this is not inferred")),
        };
        self.form_since(form, &span)?;
        let mut all = tokens(form).filter(|it| super::raw::parameter(it.text()).is_some());
        // A cast gives the parameter its type.
        let is_open = |token: &squawk_syntax::SyntaxToken| {
            let mut above = token.parent_ancestors().take(2);
            !above.any(|it| it.kind() == K::CAST_EXPR)
        };
        if all.any(|token| is_open(&token)) {
            return Err(
                Fault::refused(span, "parameters in this expression are not inferred")
                    .hint("cast the parameter, as $1::text"),
            );
        }
        let mut values = Vec::new();
        self.visit(form, &mut values)?;
        let returning = child(form, K::JSON_RETURNING_CLAUSE);
        let ty = match &returning {
            Some(returning) => self.type_of_node(returning, &span)?,
            None => default,
        };
        let written = match seen(form.kind()) {
            K::XML_SERIALIZE_FN => Some(self.form_of_node(form)),
            _ => returning.map(|returning| self.form_of_node(&returning)),
        };
        let call = Call {
            name: "form".to_owned(),
            arguments: values,
            nulls: Nulls::Always,
            is_operator: false,
            returns_set: false,
            columns: Vec::new(),
            over: None,
        };
        Ok(Expr {
            form: written,
            ..Expr::new(ty, Kind::Call(call), span)
        })
    }

    /// Returns JSON_OBJECTAGG or JSON_ARRAYAGG, which can have FILTER and OVER.
    pub(super) fn json_aggregate(
        &mut self,
        node: &SyntaxNode,
        form: &SyntaxNode,
        span: Span,
    ) -> Result<Expr> {
        let mut value = self.special_form(form, span.clone())?;
        let condition = self.filter(node, &span)?;
        let Kind::Call(call) = &mut value.kind else {
            return Ok(value);
        };
        if let Some(over) = child(node, K::OVER_CLAUSE) {
            call.over = Some(condition.into_iter().collect());
            self.note_window(&span)?;
            self.window_of(&over)?;
            return Ok(value);
        }
        let values = std::mem::take(&mut call.arguments);
        let others = condition.into_iter().collect();
        let aggregate = self.aggregate("form", values, others, value.ty, false, span)?;
        Ok(Expr {
            form: value.form,
            ..aggregate
        })
    }

    /// Fails if this syntax came with a later version than that of the settings.
    fn form_since(&self, form: &SyntaxNode, span: &Span) -> Result<()> {
        let (came_with, what) = match seen(form.kind()) {
            K::JSON_OBJECT_FN => (16, "`json_object` with keys and values"),
            K::JSON_ARRAY_FN => (16, "`json_array`"),
            K::JSON_OBJECT_AGG_FN => (16, "`json_objectagg`"),
            K::JSON_ARRAY_AGG_FN => (16, "`json_arrayagg`"),
            K::JSON_SCALAR_FN => (17, "`json_scalar`"),
            K::JSON_FN => (17, "`json()`"),
            K::JSON_QUERY_FN => (17, "`json_query`"),
            K::JSON_VALUE_FN => (17, "`json_value`"),
            K::JSON_SERIALIZE_FN => (17, "`json_serialize`"),
            K::JSON_EXISTS_FN => (17, "`json_exists`"),
            K::XML_SERIALIZE_FN if tokens(form).any(|it| it.kind() == K::INDENT_KW) => {
                (16, "INDENT of `xmlserialize`")
            }
            _ => return Ok(()),
        };
        self.since(came_with, what, span)
    }

    /// Reads the expressions anywhere below a node.
    fn visit(&mut self, node: &SyntaxNode, out: &mut Vec<Expr>) -> Result<()> {
        for part in node.children() {
            let is_expression = matches!(
                part.kind(),
                K::NAME_REF
                    | K::LITERAL
                    | K::CALL_EXPR
                    | K::FIELD_EXPR
                    | K::CAST_EXPR
                    | K::BIN_EXPR
                    | K::PAREN_EXPR
                    | K::INDEX_EXPR
                    | K::CASE_EXPR
                    | K::ARRAY_EXPR
                    | K::PREFIX_EXPR
                    | K::POSTFIX_EXPR
            );
            if is_expression {
                out.push(self.value(&part)?);
            } else if is_query(part.kind()) {
                self.query_value(&part, Use::Array, None, super::raw::span_of(&part))?;
            } else if !type_name::is_type(part.kind()) && part.kind() != K::JSON_RETURNING_CLAUSE {
                self.visit(&part, out)?;
            }
        }
        Ok(())
    }
}

//! Assigns values to variables: declarations, assignments and `SELECT .. INTO`.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::program::Program;
use crate::replay::program::evaluate::Datum;
use crate::replay::syntax::parse::parse;
use crate::replay::syntax::tree::{self, child, child_name, identifier, name, path, tokens};
use crate::replay::syntax::type_name;

impl Program {
    pub(crate) fn declared_variable(&mut self, node: &SyntaxNode) {
        use SyntaxKind as K;
        let named = child_name(node, K::PLPGSQL_VAR_NAME).unwrap_or_default();
        match node.kind() {
            K::PLPGSQL_CURSOR_DECL => {
                if let Some(query) = node.children().find(|part| tree::is_query(part.kind())) {
                    self.variables.declare_cursor(named, query);
                }
            }
            K::PLPGSQL_VAR_DECL => {
                let value = match child(node, K::PLPGSQL_VAR_INIT) {
                    Some(init) => child(&init, K::PLPGSQL_EXPR)
                        .and_then(|expression| self.evaluate(&expression)),
                    None => Some(Datum::Null),
                };
                let data_type = self.variable_type(node);
                self.declare(named, data_type, value);
            }
            _ => self.declare(named, Some(("?".to_owned(), false)), None),
        }
    }

    /// Returns the type of a variable or argument, or `None` if it holds rows.
    pub(crate) fn variable_type(&self, node: &SyntaxNode) -> Option<(String, bool)> {
        let written = node.children().find(|part| {
            type_name::is_type(part.kind()) || part.kind() == SyntaxKind::PERCENT_TYPE
        });
        let Some(written) = written else {
            return Some(("?".to_owned(), false));
        };
        let words: Vec<_> = tokens(&written).map(|token| token.kind()).collect();
        if words.contains(&SyntaxKind::ROWTYPE_KW) {
            return None;
        }
        if words.contains(&SyntaxKind::PERCENT) {
            return Some(("?".to_owned(), false));
        }
        let is_list = words.contains(&SyntaxKind::L_BRACK) || words.contains(&SyntaxKind::ARRAY_KW);
        let stored = type_name::stored_name(&written);
        let is_row = stored == "record" || self.state.find_relation(&path(&written)).is_some();
        (!is_row || is_list).then_some((stored, is_list))
    }

    /// Makes the variables that a node names unknown from here on.
    pub(crate) fn forget_variables_in(&mut self, node: &SyntaxNode) {
        let names: Vec<String> = tokens(node).map(|token| identifier(token.text())).collect();
        for name in names {
            self.assign(&name, None);
        }
    }

    pub(crate) fn assignment(&mut self, node: &SyntaxNode) {
        use SyntaxKind as K;
        let Some(target) = child(node, K::PLPGSQL_ASSIGN_TARGET) else {
            return;
        };
        let variable = child_name(&target, K::PLPGSQL_VAR_NAME_REF).unwrap_or_default();
        let value = child(node, K::PLPGSQL_EXPR).and_then(|expression| self.evaluate(&expression));
        let accessors: Vec<SyntaxNode> = target.children().skip(1).collect();
        match accessors.as_slice() {
            [] => self.assign(&variable, value),
            [field] if field.kind() == K::FIELD_ACCESSOR => {
                let field = name(field);
                let record = match self.variable(&variable) {
                    Some(Some(Datum::Record(mut fields))) => {
                        for found in fields.iter_mut().filter(|(name, _)| *name == field) {
                            found.1.clone_from(&value);
                        }
                        Some(Datum::Record(fields))
                    }
                    _ => None,
                };
                self.assign(&variable, record);
            }
            _ => self.assign(&variable, None),
        }
    }

    /// Applies `SELECT .. INTO variable, ..`. The query is the text without the INTO clause.
    pub(crate) fn select_into_variable(&mut self, node: &SyntaxNode) {
        use SyntaxKind as K;
        let words: Vec<_> = tokens(node).collect();
        let is_query = words
            .first()
            .is_some_and(|token| token.kind() == K::SELECT_KW);
        let into = words.iter().rposition(|token| token.kind() == K::INTO_KW);
        let (Some(into), true) = (into, is_query) else {
            self.forget_variables_in(node);
            return;
        };
        let mut end = into + 1;
        if words
            .get(end)
            .is_some_and(|token| token.kind() == K::STRICT_KW)
        {
            end += 1;
        }
        let mut targets = Vec::new();
        while let Some(target) = words.get(end) {
            targets.push(identifier(target.text()));
            end += 1;
            match words.get(end) {
                Some(comma) if comma.kind() == K::COMMA => end += 1,
                _ => break,
            }
        }
        // An operator of several tokens is complete only in the source text.
        let start = usize::from(node.text_range().start());
        let written = node.text().to_string();
        let from = usize::from(words[into].text_range().start()).saturating_sub(start);
        let to = words.get(end).map_or(written.len(), |token| {
            usize::from(token.text_range().start()).saturating_sub(start)
        });
        let query = format!("{} {}", &written[..from], &written[to..]);
        let tree = parse(&query).ok();
        let statement = tree.and_then(|tree| tree::statements(&tree).next());
        let rows = statement.and_then(|statement| self.rows(&statement));
        // With several rows, the first one depends on the order, which is not evaluated.
        let row = match rows {
            Some(rows) if rows.len() == 1 => rows.into_iter().next(),
            Some(rows) if rows.is_empty() => Some(Vec::new()),
            _ => None,
        };
        self.assign_row(&targets, row);
    }

    /// Assigns a row to variables, or to a single variable that holds a whole row. `None` is an
    /// unknown row. A row without columns is the result of no row, which is NULL.
    pub(crate) fn assign_row(
        &mut self,
        targets: &[String],
        row: Option<Vec<(String, Option<Datum>)>>,
    ) {
        let Some(row) = row else {
            targets.iter().for_each(|target| self.assign(target, None));
            return;
        };
        if let [only] = targets
            && self.is_record(only)
        {
            let value = if row.is_empty() {
                Datum::Null
            } else {
                Datum::Record(row)
            };
            self.assign(only, Some(value));
            return;
        }
        let mut values = row.into_iter().map(|(_, value)| value);
        for target in targets {
            let value = values.next().unwrap_or(Some(Datum::Null));
            self.assign(target, value);
        }
    }
}

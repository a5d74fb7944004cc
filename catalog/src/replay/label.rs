//! An enum's label under its new name, in the expressions that PostgreSQL keeps as values and not as text.

use bowline_sql::quote::literal;
use bowline_sql::{Kind, Token, string_value, tokens};
use squawk_syntax::SyntaxNode;

use super::refusal::{Refused, Result};
use super::{Replay, tree};
use crate::{Column, ConstraintKind, Fill, IndexKey, Name, Relation, TypeKind};

impl Replay {
    /// Renames the label in all expressions; where it is not certain that a text is the label, refuses.
    pub(super) fn rename_label(
        &mut self,
        node: &SyntaxNode,
        data_type: &Name,
        from: &str,
        to: &str,
    ) -> Result<()> {
        let label = Label {
            data_type,
            from,
            to,
        };
        let unsure = |what: &str| {
            Refused::new(
                node,
                format!("whether {what} means this label is not known"),
            )
            .do_this("drop it before the rename, and make it anew after it")
        };
        for relation in self.catalog.relations.values_mut() {
            let columns = relation.columns.clone();
            for text in expressions(relation) {
                label.rename(text, &columns).map_err(|()| unsure(text))?;
            }
            for column in &mut relation.columns {
                if let Fill::Default(text) = &mut column.fill {
                    let is_of_it = column.data_type.name == *data_type;
                    let is_array = column.data_type.dimensions > 0;
                    if is_of_it && !is_array && string_value(text).as_deref() == Some(label.from) {
                        *text = literal(label.to);
                    }
                    // Labels in the text of an array, `'{a,b}'`, are values too.
                    if is_of_it && is_array && text.contains("'{") && text.contains(from) {
                        return Err(unsure(text));
                    }
                    label.rename(text, &[]).map_err(|()| unsure(text))?;
                }
            }
        }
        for found in self.catalog.types.values_mut() {
            if let TypeKind::Domain {
                base,
                default,
                checks,
                ..
            } = &mut found.kind
            {
                let is_it = base.name == *data_type && base.dimensions == 0;
                let value = Column::new("value".to_owned(), base.clone());
                for check in checks {
                    if let ConstraintKind::Check { expression, .. } = &mut check.kind {
                        label
                            .rename(expression, std::slice::from_ref(&value))
                            .map_err(|()| unsure(expression))?;
                    }
                }
                if let Some(text) = default
                    .as_mut()
                    .filter(|text| is_it && string_value(text).as_deref() == Some(label.from))
                {
                    *text = literal(label.to);
                }
            }
        }
        Ok(())
    }
}

/// Expressions over the columns of a table, but for defaults.
fn expressions(relation: &mut Relation) -> impl Iterator<Item = &mut String> {
    let columns = relation.columns.iter_mut();
    let generated = columns.filter_map(|column| match &mut column.fill {
        Fill::Generated { expression, .. } => Some(expression),
        _ => None,
    });
    let constraints = relation.constraints.iter_mut();
    let checks = constraints.filter_map(|constraint| match &mut constraint.kind {
        ConstraintKind::Check { expression, .. } => Some(expression),
        _ => None,
    });
    let indexes = relation.indexes.iter_mut().flat_map(|index| {
        let keys = index.keys.iter_mut().filter_map(|key| match key {
            IndexKey::Expression { text, .. } => Some(text),
            IndexKey::Column { .. } => None,
        });
        keys.chain(&mut index.predicate)
    });
    generated.chain(checks).chain(indexes)
}

/// A label that is renamed.
struct Label<'a> {
    data_type: &'a Name,
    from: &'a str,
    to: &'a str,
}

impl Label<'_> {
    /// Renames it where it is compared with one of these columns, or cast; an error if it might be meant elsewhere.
    fn rename(&self, expression: &mut String, all: &[Column]) -> std::result::Result<(), ()> {
        let words: Vec<Token<'_>> = tokens(expression).collect();
        // A column of this type, of another, or neither.
        let column = |at: Option<usize>| {
            let found = all.iter().find(|column| {
                at.and_then(|at| words.get(at))
                    .is_some_and(|word| word.is_name(&column.name))
            });
            found.map(|column| column.data_type.name == *self.data_type)
        };
        let is_comparison = |at: usize| {
            let operators = ["=", "<", ">", "<=", ">=", "<>", "!="];
            words
                .get(at)
                .is_some_and(|word| operators.iter().any(|operator| word.is(operator)))
        };
        let mut places = Vec::new();
        for (at, found) in words
            .iter()
            .enumerate()
            .filter(|(_, word)| word.value().is_some_and(|value| value == self.from))
        {
            let place = found.start()..found.end();
            let mut before = at;
            while before > 0 && is_comparison(before - 1) {
                before -= 1;
            }
            let mut after = at + 1;
            while is_comparison(after) {
                after += 1;
            }
            let is_cast = words.get(at + 1).is_some_and(|word| word.is("::"))
                && words
                    .get(at + 2)
                    .is_some_and(|word| word.is_name(&self.data_type.name));
            let left = column(before.checked_sub(1)).filter(|_| before < at);
            let right = column(Some(after)).filter(|_| after > at + 1);
            let listed = listed_for(&words, at).and_then(|at| column(Some(at)));
            match left.or(right).or(listed) {
                Some(true) => places.push(place),
                _ if is_cast => places.push(place),
                Some(false) => {}
                None => {
                    let mut of_type = all
                        .iter()
                        .filter(|column| column.data_type.name == *self.data_type);
                    if of_type.any(|column| tree::mentions(expression, &column.name)) {
                        return Err(());
                    }
                }
            }
        }
        for place in places.into_iter().rev() {
            expression.replace_range(place, &literal(self.to));
        }
        Ok(())
    }
}

/// The word before a list, as of `column IN` or `column = ANY`, that this word stands in.
fn listed_for(words: &[Token<'_>], at: usize) -> Option<usize> {
    const BETWEEN: [&str; 6] = ["array", "any", "all", "in", "not", "between"];
    const MARKS: [&str; 7] = [",", "(", "[", "=", "<", ">", "<>"];
    let is_of_list = |word: &Token<'_>| {
        word.kind() == Kind::String
            || word.is_one_of(&BETWEEN)
            || MARKS.iter().any(|mark| word.is(mark))
    };
    words[..at].iter().rposition(|word| !is_of_list(word))
}

//! An enum's label under its new name, in the expressions that PostgreSQL keeps as values and not as text.

use std::collections::BTreeMap;

use bowline_sql::quote::literal;
use bowline_sql::{Kind, Token, string_value, tokens};
use squawk_syntax::SyntaxNode;

use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::state::follow::Holder;
use crate::replay::syntax::array_text::rename_element;
use crate::replay::syntax::expression;
use crate::{Column, ConstraintKind, DataType, Fill, IndexKey, Name, Relation, TypeKind};

impl State {
    /// Renames the label in all expressions; where it is not certain that a text is the label, refuses.
    pub(crate) fn rename_label(
        &mut self,
        node: &SyntaxNode,
        data_type: &Name,
        from: &str,
        to: &str,
    ) -> Result<()> {
        let label = Label {
            types: self.types_of_values(data_type),
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
                    label.rename_value(text, &column.data_type);
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
                let value = Column::new("value".to_owned(), base.clone());
                for check in checks {
                    if let ConstraintKind::Check { expression, .. } = &mut check.kind {
                        label
                            .rename(expression, std::slice::from_ref(&value))
                            .map_err(|()| unsure(expression))?;
                    }
                }
                if let Some(text) = default {
                    label.rename_value(text, base);
                }
            }
        }
        for form in self.functions.values_mut().flatten() {
            let arguments = form.routine.iter_mut().flat_map(|own| &mut own.arguments);
            for argument in arguments {
                if let Some(text) = &mut argument.default {
                    label.rename_value(text, &argument.data_type);
                }
            }
        }
        let tables: BTreeMap<Name, Vec<Column>> = self
            .catalog
            .relations
            .iter()
            .map(|(name, relation)| (name.clone(), relation.columns.clone()))
            .collect();
        self.each_code(|owner, holder, code| {
            let Some(text) = &mut code.text else { return };
            let columns = tables.get(owner).map_or(&[][..], Vec::as_slice);
            let is_known = match holder {
                Holder::Condition | Holder::Policy => label.rename(text, columns).is_ok(),
                // Whose columns stand in a query is not known here.
                Holder::View | Holder::Rule | Holder::Body => !label.is_in(text),
            };
            if !is_known {
                code.text = None;
            }
        });
        Ok(())
    }

    /// The enum and the domains over it, with the number of their dimensions.
    fn types_of_values(&self, data_type: &Name) -> Vec<(Name, u8)> {
        let mut found = vec![(data_type.clone(), 0)];
        let mut at = 0;
        while let Some((base_name, more)) = found.get(at).cloned() {
            for domain in self.catalog.types.values() {
                if let TypeKind::Domain { base, .. } = &domain.kind
                    && base.name == base_name
                {
                    found.push((domain.name.clone(), base.dimensions + more));
                }
            }
            at += 1;
        }
        found
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
    /// The enum and the domains over it, with the number of their dimensions.
    types: Vec<(Name, u8)>,
    from: &'a str,
    to: &'a str,
}

/// What a string is a value of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meant {
    /// Of the enum, or an array of it.
    Label { is_array: bool },
    /// Of another type.
    Other,
}

impl Label<'_> {
    /// What a value of this type is.
    pub(crate) fn of_type(&self, data_type: &DataType) -> Meant {
        let mut types = self.types.iter();
        let found = types.find(|(name, _)| *name == data_type.name);
        found.map_or(Meant::Other, |(_, dimensions)| Meant::Label {
            is_array: dimensions + data_type.dimensions > 0,
        })
    }

    /// The text of a string under the new name, as a label or as an array; `None` where it has not the old one.
    fn renamed(&self, value: &str) -> Option<String> {
        if value == self.from {
            return Some(literal(self.to));
        }
        let renamed = rename_element(value, self.from, self.to)?;
        Some(literal(&renamed))
    }

    /// Whether a string of this text may be the label, or an array with it.
    fn is_in(&self, text: &str) -> bool {
        let mut values = tokens(text).filter_map(|token| token.value());
        values.any(|value| self.renamed(&value).is_some())
    }

    /// Renames it in a value of this type, such as a default: without a cast a string has the type itself.
    fn rename_value(&self, text: &mut String, data_type: &DataType) {
        if let Some(value) = string_value(text) {
            if let Meant::Label { is_array } = self.of_type(data_type)
                && is_array != (value == self.from)
                && let Some(renamed) = self.renamed(&value)
            {
                *text = renamed;
            }
            return;
        }
        // Without columns, only casts say what a string is, and no other string is one.
        self.rename(text, &[]).ok();
    }

    /// Renames it where it is compared with one of these columns, or cast; an error if it might be meant elsewhere.
    pub(crate) fn rename(
        &self,
        expression: &mut String,
        all: &[Column],
    ) -> std::result::Result<(), ()> {
        let words: Vec<Token<'_>> = tokens(expression).collect();
        let mut places = Vec::new();
        for (at, found) in words.iter().enumerate() {
            let Some(renamed) = found.value().and_then(|value| self.renamed(&value)) else {
                continue;
            };
            let is_label = found.value().is_some_and(|value| value == self.from);
            match self.meant(&words, at, all) {
                Some(Meant::Label { is_array }) if is_array != is_label => {
                    places.push((found.start()..found.end(), renamed));
                }
                Some(_) => {}
                None => {
                    let mut of_type = all
                        .iter()
                        .filter(|column| self.of_type(&column.data_type) != Meant::Other);
                    if of_type.any(|column| expression::mentions(expression, &column.name)) {
                        return Err(());
                    }
                }
            }
        }
        for (place, renamed) in places.into_iter().rev() {
            expression.replace_range(place, &renamed);
        }
        Ok(())
    }

    /// What the string at this place is, as far as a cast or a column beside it tells.
    fn meant(&self, words: &[Token<'_>], at: usize, all: &[Column]) -> Option<Meant> {
        if let Some(cast) = self.cast(words, at + 1) {
            return Some(cast);
        }
        let column = |at: Option<usize>| {
            let word = words.get(at?)?;
            let found = all.iter().find(|column| word.is_name(&column.name))?;
            Some(self.of_type(&found.data_type))
        };
        let is_comparison = |at: usize| {
            let operators = [
                "=", "<", ">", "<=", ">=", "<>", "!=", "@>", "<@", "&&", "||",
            ];
            words
                .get(at)
                .is_some_and(|word| operators.iter().any(|operator| word.is(operator)))
        };
        let mut before = at;
        while before > 0 && is_comparison(before - 1) {
            before -= 1;
        }
        let mut after = at + 1;
        while is_comparison(after) {
            after += 1;
        }
        let left = column(before.checked_sub(1)).filter(|_| before < at);
        let right = column(Some(after)).filter(|_| after > at + 1);
        if let Some(meant) = left.or(right) {
            return Some(meant);
        }
        let array = array_around(words, at);
        let element = |meant: Meant| match meant {
            Meant::Label { .. } => Meant::Label { is_array: false },
            Meant::Other => Meant::Other,
        };
        if let Some(cast) = array.and_then(|(_, end)| self.cast(words, end + 1)) {
            return Some(element(cast));
        }
        let listed = listed_for(words, at)?;
        // The text of an array stands alone behind ANY or ALL.
        let is_array = array.is_none()
            && words[listed + 1..at]
                .iter()
                .any(|word| word.is_one_of(&["any", "all"]));
        match column(Some(listed))? {
            Meant::Label { .. } => Some(Meant::Label { is_array }),
            Meant::Other => Some(Meant::Other),
        }
    }

    /// The type that a cast at this place names.
    pub(crate) fn cast(&self, words: &[Token<'_>], at: usize) -> Option<Meant> {
        words.get(at)?.is("::").then_some(())?;
        let mut name = at + 1;
        while words.get(name + 1).is_some_and(|word| word.is(".")) {
            name += 2;
        }
        let named = words.get(name)?;
        let mut types = self.types.iter();
        let Some((_, dimensions)) = types.find(|(own, _)| named.is_name(&own.name)) else {
            return Some(Meant::Other);
        };
        let has_brackets = words
            .get(name + 1)
            .is_some_and(|word| word.is("[") || word.is_word("array"));
        Some(Meant::Label {
            is_array: *dimensions > 0 || has_brackets,
        })
    }
}

/// The brackets of `ARRAY[..]` around a word.
fn array_around(words: &[Token<'_>], at: usize) -> Option<(usize, usize)> {
    let mut depth = 0;
    let start = words[..at].iter().rposition(|word| {
        depth += i32::from(word.is("]")) - i32::from(word.is("["));
        depth < 0
    })?;
    words
        .get(start.checked_sub(1)?)?
        .is_word("array")
        .then_some(())?;
    let mut depth = 0;
    let end = words[at..].iter().position(|word| {
        depth += i32::from(word.is("[")) - i32::from(word.is("]"));
        depth < 0
    })?;
    Some((start, at + end))
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

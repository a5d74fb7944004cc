//! Renames an enum's label in expressions, where PostgreSQL stores the value and not its text.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Renames the label in all expressions. Refuses where it is not certain that a string is the
    /// label.
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
            .hint("drop it before the rename, and create it again after it")
        };
        for relation in self.catalog.relations.values_mut() {
            if expressions(relation).any(|text| label.is_in(text)) {
                let columns = relation.columns.clone();
                for text in expressions(relation) {
                    label.rename(text, &columns).map_err(|()| unsure(text))?;
                }
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
        for function in self.functions.values_mut().flatten() {
            let arguments = function
                .routine
                .iter_mut()
                .flat_map(|routine| &mut routine.arguments);
            for argument in arguments {
                if let Some(text) = &mut argument.default {
                    label.rename_value(text, &argument.data_type);
                }
            }
        }
        let mut owners = BTreeSet::new();
        self.each_code(|owner, holder, code| {
            if !code.text.as_ref().is_some_and(|text| label.is_in(text)) {
                return;
            }
            match holder {
                Holder::Condition | Holder::Policy => {
                    owners.insert(owner.clone());
                }
                // The tables of the columns in a query are not known here.
                Holder::View | Holder::Rule | Holder::Body => code.text = None,
            }
        });
        let columns: BTreeMap<Name, Vec<Column>> = owners
            .into_iter()
            .filter_map(|owner| {
                let relation = self.catalog.relations.get(&owner)?;
                Some((owner, relation.columns.clone()))
            })
            .collect();
        self.each_code(|owner, holder, code| {
            if let (Holder::Condition | Holder::Policy, Some(columns), Some(text)) =
                (holder, columns.get(owner), &mut code.text)
                && label.rename(text, columns).is_err()
            {
                code.text = None;
            }
        });
        Ok(())
    }

    /// Returns the enum and the domains over it, each with its number of dimensions.
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

/// Returns the expressions over the columns of a table, except defaults.
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

/// A label to rename.
struct Label<'a> {
    /// The enum and the domains over it, each with its number of dimensions.
    types: Vec<(Name, u8)>,
    from: &'a str,
    to: &'a str,
}

/// The type of a string literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meant {
    /// The enum, or an array of it.
    Label { is_array: bool },
    /// Another type.
    Other,
}

impl Label<'_> {
    /// Returns whether this type is the enum, an array of it, or another type.
    pub(crate) fn of_type(&self, data_type: &DataType) -> Meant {
        let mut types = self.types.iter();
        let found = types.find(|(name, _)| *name == data_type.name);
        found.map_or(Meant::Other, |(_, dimensions)| Meant::Label {
            is_array: dimensions + data_type.dimensions > 0,
        })
    }

    /// Returns the string with the new label, as a label or an array. Returns `None` if it does not
    /// contain the old one.
    fn renamed(&self, value: &str) -> Option<String> {
        if value == self.from {
            return Some(literal(self.to));
        }
        let renamed = rename_element(value, self.from, self.to)?;
        Some(literal(&renamed))
    }

    /// Returns true if a string in this text may be the label, or an array with it.
    fn is_in(&self, text: &str) -> bool {
        let mut values = tokens(text).filter_map(|token| token.value());
        values.any(|value| self.renamed(&value).is_some())
    }

    /// Renames the label in a value of this type, such as a default. A string without a cast has
    /// the type itself.
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
        // Without columns, only a cast gives a string a type, and the other strings are not the
        // label.
        self.rename(text, &[]).ok();
    }

    /// Renames the label where it is cast or compared with one of these columns. Returns an error
    /// if another string may be the label.
    pub(crate) fn rename(
        &self,
        expression: &mut String,
        all: &[Column],
    ) -> std::result::Result<(), ()> {
        let words: Vec<Token<'_>> = tokens(expression).collect();
        let mut ranges = Vec::new();
        for (at, found) in words.iter().enumerate() {
            let Some(renamed) = found.value().and_then(|value| self.renamed(&value)) else {
                continue;
            };
            let is_label = found.value().is_some_and(|value| value == self.from);
            match self.type_of_string(&words, at, all) {
                Some(Meant::Label { is_array }) if is_array != is_label => {
                    ranges.push((found.start()..found.end(), renamed));
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
        for (range, renamed) in ranges.into_iter().rev() {
            expression.replace_range(range, &renamed);
        }
        Ok(())
    }

    /// Returns the type of the string at this position, if a cast or a compared column determines
    /// it.
    fn type_of_string(&self, words: &[Token<'_>], at: usize, all: &[Column]) -> Option<Meant> {
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
        if let Some(found) = left.or(right) {
            return Some(found);
        }
        let array = array_around(words, at);
        let element = |found: Meant| match found {
            Meant::Label { .. } => Meant::Label { is_array: false },
            Meant::Other => Meant::Other,
        };
        if let Some(cast) = array.and_then(|(_, end)| self.cast(words, end + 1)) {
            return Some(element(cast));
        }
        let listed = listed_for(words, at)?;
        // After ANY or ALL, a string outside `ARRAY[..]` is the text of an array.
        let is_array = array.is_none()
            && words[listed + 1..at]
                .iter()
                .any(|word| word.is_one_of(&["any", "all"]));
        match column(Some(listed))? {
            Meant::Label { .. } => Some(Meant::Label { is_array }),
            Meant::Other => Some(Meant::Other),
        }
    }

    /// Returns the type that a cast at this position names.
    pub(crate) fn cast(&self, words: &[Token<'_>], at: usize) -> Option<Meant> {
        words.get(at)?.is("::").then_some(())?;
        let mut name = at + 1;
        while words.get(name + 1).is_some_and(|word| word.is(".")) {
            name += 2;
        }
        let named = words.get(name)?;
        let mut types = self.types.iter();
        let Some((_, dimensions)) = types.find(|(name, _)| named.is_name(&name.name)) else {
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

/// Returns the positions of the brackets of `ARRAY[..]` around a word.
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

/// Returns the position of the word before the list that contains this word, as in `column IN` or
/// `column = ANY`.
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

//! Sequences, their options and their owners.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::privilege::Privileges;
use crate::replay::refusal::{self, Refused, Result};
use crate::replay::state::{State, data_type};
use crate::replay::syntax::tree::{child, child_nodes, has, path, text};
use crate::{Fill, Name, Sequence};

impl Sequence {
    /// Creates a sequence that counts up from 1.
    pub(crate) fn new(name: Name, data_type: &str) -> Self {
        Self {
            name,
            data_type: data_type.to_owned(),
            start: 1,
            increment: 1,
            min: 1,
            max: range(data_type).1,
            cache: 1,
            cycle: false,
            owner: None,
            identity: false,
            comment: None,
            privileges: Privileges::default(),
        }
    }

    /// Changes the type. A bound that was the old type's default becomes that of the new one.
    pub(crate) fn change_type(&mut self, data_type: &str) {
        Given::default().apply(self, Some(data_type.to_owned()), false);
    }
}

fn range(data_type: &str) -> (i64, i64) {
    match data_type {
        "int2" => (i16::MIN.into(), i16::MAX.into()),
        "int4" => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}

impl State {
    /// Adds a sequence, or replaces the one of the same name.
    pub(crate) fn add_sequence(&mut self, sequence: Sequence) {
        self.catalog
            .sequences
            .insert(sequence.name.clone(), sequence);
    }

    /// Returns a sequence, mutably.
    pub(crate) fn sequence_mut(&mut self, name: &Name) -> Option<&mut Sequence> {
        self.catalog.sequences.get_mut(name)
    }

    /// Removes the sequence of an identity column.
    pub(crate) fn drop_identity_sequence(&mut self, table: &Name, column: &str) {
        self.catalog
            .sequences
            .retain(|_, sequence| !(sequence.identity && sequence.is_owned_by(table, column)));
    }

    /// Adds the sequence of a `serial` or identity column.
    pub(crate) fn insert_sequence(
        &mut self,
        table: &Name,
        column: &str,
        data_type: &str,
        options: Option<&SyntaxNode>,
    ) -> Result<Name> {
        let given = options
            .and_then(|options| child(options, SyntaxKind::OPTION_SEQUENCE_NAME))
            .and_then(|option| child(&option, SyntaxKind::SEQUENCE));
        let name = match (&given, options) {
            // The sequence is in the schema of its table, whatever the search path.
            (Some(given), Some(options)) => {
                let mut parts = path(given);
                let name = Name {
                    schema: table.schema.clone(),
                    name: parts.pop().unwrap_or_default(),
                };
                if parts.last().is_some_and(|schema| *schema != table.schema) {
                    let why = "the sequence is in another schema than its table";
                    return Err(Refused::error(options, why));
                }
                if self.has_relation(&name.schema, &name.name) {
                    return Err(refusal::exists(options, &name));
                }
                name
            }
            _ => Name {
                schema: table.schema.clone(),
                name: self.free_relation_name(table, column, "seq"),
            },
        };
        let mut sequence = Sequence::new(name.clone(), data_type);
        sequence.owner = Some((table.clone(), column.to_owned()));
        sequence.identity = self
            .table(table)
            .columns
            .iter()
            .any(|other| other.name == column && matches!(other.fill, Fill::Identity { .. }));
        self.catalog.sequences.insert(name.clone(), sequence);
        if let Some(options) = options {
            self.sequence_options(options, &name, true)?;
        }
        Ok(name)
    }

    /// Applies options. For a new sequence, missing options follow from its type and direction.
    pub(crate) fn sequence_options(
        &mut self,
        node: &SyntaxNode,
        name: &Name,
        is_new: bool,
    ) -> Result<()> {
        use SyntaxKind as K;
        let mut data_type = None;
        let mut owner = None;
        let mut given = Given::default();
        for option in child_nodes(node) {
            match option.kind() {
                K::OPTION_AS_TYPE => {
                    let read = data_type::child_type(self, &option)?.data_type;
                    data_type = Some(read.name.name);
                }
                K::OPTION_OWNED_BY if has(&option, K::OWNED_BY_NONE) => owner = Some(None),
                K::OPTION_OWNED_BY => owner = Some(Some(self.owning_column(&option)?)),
                K::OPTION_INCREMENT => given.increment = Some(number(&option)?),
                K::OPTION_MIN_VALUE => given.min = Some(Some(number(&option)?)),
                K::OPTION_NO_MIN_VALUE => given.min = Some(None),
                K::OPTION_MAX_VALUE => given.max = Some(Some(number(&option)?)),
                K::OPTION_NO_MAX_VALUE => given.max = Some(None),
                K::OPTION_START => given.start = Some(number(&option)?),
                K::OPTION_CACHE => given.cache = Some(number(&option)?),
                K::OPTION_CYCLE => given.cycle = Some(true),
                K::OPTION_NO_CYCLE => given.cycle = Some(false),
                _ => {}
            }
        }
        let Some(sequence) = self.catalog.sequences.get_mut(name) else {
            return Ok(());
        };
        given.apply(sequence, data_type, is_new);
        if let Some(owner) = owner {
            sequence.owner = owner;
            self.update_fills(name);
        }
        Ok(())
    }

    /// Updates the fills of the columns that use a sequence after its owner changed. Only the
    /// owner's column is `serial`.
    fn update_fills(&mut self, sequence: &Name) {
        let relations = self.catalog.relations.values();
        let users: Vec<(Name, String, Fill)> = relations
            .flat_map(|table| {
                let columns = table.columns.iter();
                let users =
                    columns.filter(|column| column.fill.sequence().as_ref() == Some(sequence));
                users.map(|column| (table.name.clone(), column.name.clone(), column.fill.clone()))
            })
            .collect();
        for (table, column, fill) in users {
            self.set_fill(&table, &column, fill);
        }
    }

    /// Returns the table and column that OWNED BY names.
    fn owning_column(&self, option: &SyntaxNode) -> Result<(Name, String)> {
        let mut parts = child(option, SyntaxKind::QUALIFIED_COLUMN_NAME_REF)
            .map(|reference| path(&reference))
            .unwrap_or_default();
        let column = parts.pop().unwrap_or_default();
        let table = self.find_relation(&parts).ok_or_else(|| {
            Refused::new(option, format!("there is no table {}", parts.join(".")))
                .hint("check the spelling, and whether an earlier migration creates it")
        })?;
        Ok((table, column))
    }
}

/// The options of a sequence, as given in a statement.
#[derive(Default)]
struct Given {
    increment: Option<i64>,
    /// `Some(None)` is NO MINVALUE.
    min: Option<Option<i64>>,
    max: Option<Option<i64>>,
    start: Option<i64>,
    cache: Option<i64>,
    cycle: Option<bool>,
}

impl Given {
    pub(crate) fn apply(&self, sequence: &mut Sequence, data_type: Option<String>, is_new: bool) {
        let old = range(&sequence.data_type);
        // A bound of the old type becomes that of the new one, whatever the direction.
        let (mut was_min, mut was_max) = (false, false);
        if let Some(data_type) = data_type {
            was_max = !is_new && sequence.max == old.1;
            was_min = !is_new && sequence.min == old.0;
            sequence.data_type = data_type;
        }
        let bounds = range(&sequence.data_type);
        sequence.increment = self.increment.unwrap_or(sequence.increment);
        let is_rising = sequence.increment > 0;
        match self.max {
            Some(Some(max)) => sequence.max = max,
            None if !is_new && !was_max => {}
            _ if is_rising || was_max => sequence.max = bounds.1,
            _ => sequence.max = -1,
        }
        match self.min {
            Some(Some(min)) => sequence.min = min,
            None if !is_new && !was_min => {}
            _ if !is_rising || was_min => sequence.min = bounds.0,
            _ => sequence.min = 1,
        }
        let first = if is_rising {
            sequence.min
        } else {
            sequence.max
        };
        match self.start {
            Some(start) => sequence.start = start,
            None if is_new => sequence.start = first,
            None => {}
        }
        sequence.cache = self.cache.unwrap_or(sequence.cache);
        sequence.cycle = self.cycle.unwrap_or(sequence.cycle);
    }
}

fn number(option: &SyntaxNode) -> Result<i64> {
    let value = option.children().last();
    let digits: String = value
        .map(|value| text(&value))
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '_')
        .collect();
    digits
        .parse()
        .map_err(|_| Refused::new(option, "this is not a number that a sequence can have"))
}

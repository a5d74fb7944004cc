//! The variables of PL/pgSQL, by block, for each function that is being replayed.

use std::collections::BTreeMap;

use squawk_syntax::SyntaxNode;

use crate::replay::program::Program;
use crate::replay::program::evaluate::Datum;

/// A variable to declare, such as an argument of a call.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) name: String,
    /// The type by the name that PostgreSQL stores, and whether it is an array of that type. `None`
    /// for rows.
    pub(crate) data_type: Option<(String, bool)>,
    pub(crate) value: Option<Datum>,
}

/// A variable. Its value is `None` if it is unknown.
#[derive(Debug, Clone)]
struct Variable {
    /// The type by the name that PostgreSQL stores, and whether it is an array of that type. `None`
    /// for rows.
    data_type: Option<(String, bool)>,
    value: Option<Datum>,
}

/// The variables and cursors of one block.
#[derive(Debug, Clone, Default)]
struct Block {
    variables: BTreeMap<String, Variable>,
    cursors: BTreeMap<String, SyntaxNode>,
}

/// The open blocks, innermost last, for each function that is being replayed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables {
    functions: Vec<Vec<Block>>,
}

impl Variables {
    pub(crate) fn open_function(&mut self) {
        self.functions.push(vec![Block::default()]);
    }

    pub(crate) fn close_function(&mut self) {
        self.functions.pop();
    }

    pub(crate) fn open_block(&mut self) {
        self.blocks().push(Block::default());
    }

    pub(crate) fn close_block(&mut self) {
        self.blocks().pop();
    }

    fn blocks(&mut self) -> &mut Vec<Block> {
        if self.functions.is_empty() {
            self.functions.push(vec![Block::default()]);
        }
        let last = self.functions.len() - 1;
        &mut self.functions[last]
    }

    fn block(&mut self) -> &mut Block {
        let blocks = self.blocks();
        if blocks.is_empty() {
            blocks.push(Block::default());
        }
        let last = blocks.len() - 1;
        &mut blocks[last]
    }

    fn find(&self, name: &str) -> Option<&Variable> {
        let blocks = self.functions.last()?;
        let mut blocks = blocks.iter().rev();
        blocks.find_map(|block| block.variables.get(name))
    }

    pub(crate) fn cursor(&self, name: &str) -> Option<SyntaxNode> {
        let blocks = self.functions.last()?;
        let mut blocks = blocks.iter().rev();
        blocks.find_map(|block| block.cursors.get(name).cloned())
    }

    pub(crate) fn declare_cursor(&mut self, name: String, query: SyntaxNode) {
        self.block().cursors.insert(name, query);
    }

    /// Returns the visible names.
    pub(crate) fn names(&self) -> Vec<String> {
        let blocks = self.functions.last();
        let names = blocks.iter().flat_map(|blocks| blocks.iter());
        names
            .flat_map(|block| block.variables.keys().cloned())
            .collect()
    }
}

impl Program {
    /// Returns the value of a variable. The outer `None` means that there is no such variable, the
    /// inner one that its value is unknown.
    pub(crate) fn variable(&self, name: &str) -> Option<Option<Datum>> {
        self.variables.find(name).map(|found| found.value.clone())
    }

    /// Declares a variable of the innermost block.
    pub(crate) fn declare(
        &mut self,
        name: String,
        data_type: Option<(String, bool)>,
        value: Option<Datum>,
    ) {
        let value = self.as_declared(value, data_type.as_ref());
        let variable = Variable { data_type, value };
        self.variables.block().variables.insert(name, variable);
    }

    /// Returns true if a variable holds whole rows, or is not declared.
    pub(crate) fn is_record(&self, name: &str) -> bool {
        let found = self.variables.find(name);
        found.is_none_or(|found| found.data_type.is_none())
    }

    pub(crate) fn assign(&mut self, name: &str, value: Option<Datum>) {
        let data_type = self
            .variables
            .find(name)
            .and_then(|found| found.data_type.clone());
        let value = self.as_declared(value, data_type.as_ref());
        let blocks = self.variables.blocks().iter_mut().rev();
        let mut found = blocks.filter_map(|block| block.variables.get_mut(name));
        if let Some(found) = found.next() {
            found.value = value;
        }
    }

    fn as_declared(
        &self,
        value: Option<Datum>,
        data_type: Option<&(String, bool)>,
    ) -> Option<Datum> {
        match data_type {
            Some((name, is_list)) if is_scalar(name) => self.converted(value?, name, *is_list),
            Some(_) => value.filter(|value| *value == Datum::Null),
            None => value,
        }
    }
}

/// Returns true for a type whose values are evaluated. Other types are rows, or not supported.
fn is_scalar(data_type: &str) -> bool {
    matches!(
        data_type,
        "text"
            | "varchar"
            | "name"
            | "int2"
            | "int4"
            | "int8"
            | "bool"
            | "regclass"
            | "oid"
            | "regtype"
    )
}

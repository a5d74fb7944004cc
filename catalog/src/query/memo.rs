//! The results of one query that the next one needs too: types, and the overloads of names.

use std::collections::HashMap;
use std::rc::Rc;

use super::candidate::Candidate;
use super::scope::TableColumn;
use super::signature::Function;
use super::types::Types;
use super::view::View;
use crate::{Catalog, Name};

pub(super) struct Memo<'a> {
    /// The oldest version of PostgreSQL that the queries run on; `None` is the newest.
    pub(super) version: Option<u32>,
    pub(super) types: Types<'a>,
    /// The operators of a name, with one operand and with two.
    pub(super) operators: HashMap<String, [Rc<[Candidate]>; 2]>,
    /// The query of each view, where it is known.
    pub(super) views: HashMap<Name, Option<Rc<View>>>,
    /// The functions of a name, by schema. `None` stands for a name without schema.
    pub(super) functions: HashMap<String, HashMap<Option<String>, Rc<[Function]>>>,
    /// The columns of a relation: alone, and with the tables that inherit from it.
    pub(super) relations: HashMap<(Name, bool), Rc<[TableColumn]>>,
}

impl<'a> Memo<'a> {
    pub(super) fn new(catalog: &'a Catalog, version: Option<u32>) -> Self {
        Self {
            version,
            types: Types::new(catalog),
            operators: HashMap::new(),
            views: HashMap::new(),
            functions: HashMap::new(),
            relations: HashMap::new(),
        }
    }
}

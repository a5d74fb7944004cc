//! The parameters of a command: values in binary, with their types.

use std::cell::RefCell;
use std::sync::Arc;

use diesel::pg::{Pg, PgMetadataLookup};
use diesel::query_builder::BindCollector as _;
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;
use smallvec::SmallVec;

use super::libpq::BoundValue;

/// Values in the order of `$1`, `$2`, .. with the OIDs of their types.
///
/// A copy shares the values, so a retry sends them again without encoding them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Option<Arc<Bound>>);

#[derive(Debug, Clone, Default)]
struct Bound {
    types: SmallVec<[u32; 4]>,
    values: Vec<BoundValue>,
}

type Collector = RawBytesBindCollector<Pg>;

thread_local! {
    /// Encodes the values that are pushed one by one. Empty between two values; its memory is kept.
    static COLLECTOR: RefCell<Collector> = RefCell::new(Collector::new());
}

impl Parameters {
    /// Returns the collected values; allocates nothing for none.
    pub(crate) fn new(collected: Collector) -> Self {
        if collected.binds.is_empty() {
            return Self::default();
        }
        let types = collected.metadata.iter();
        Self(Some(Arc::new(Bound {
            types: types.map(|found| found.oid().unwrap_or(0)).collect(),
            values: collected.binds,
        })))
    }

    /// Adds a value.
    pub(crate) fn push<ST, T>(
        &mut self,
        value: &T,
        lookup: &mut (dyn PgMetadataLookup + 'static),
    ) -> QueryResult<()>
    where
        Pg: HasSqlType<ST>,
        T: ToSql<ST, Pg> + ?Sized,
    {
        COLLECTOR.with(|collector| match collector.try_borrow_mut() {
            Ok(mut collector) => self.push_by::<ST, T>(&mut collector, value, lookup),
            // The encoding of a value encodes another one.
            Err(_) => self.push_by::<ST, T>(&mut Collector::new(), value, lookup),
        })
    }

    fn push_by<ST, T>(
        &mut self,
        collector: &mut Collector,
        value: &T,
        lookup: &mut (dyn PgMetadataLookup + 'static),
    ) -> QueryResult<()>
    where
        Pg: HasSqlType<ST>,
        T: ToSql<ST, Pg> + ?Sized,
    {
        collector.push_bound_value::<ST, T>(value, lookup)?;
        let types = collector.metadata.drain(..);
        let types = types.map(|found| found.oid().unwrap_or(0));
        let own = self.own();
        own.types.extend(types);
        own.values.append(&mut collector.binds);
        Ok(())
    }

    /// Returns the value of this number, counted from 0.
    pub(crate) fn value_mut(&mut self, number: usize) -> Option<&mut Vec<u8>> {
        self.own().values.get_mut(number)?.as_mut()
    }

    /// Sets the OID of the type of this parameter, counted from 0.
    pub(crate) fn set_type(&mut self, number: usize, oid: u32) {
        if let Some(known) = self.own().types.get_mut(number) {
            *known = oid;
        }
    }

    /// Returns the values for a change; values that are shared are copied first.
    fn own(&mut self) -> &mut Bound {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    pub(crate) fn len(&self) -> usize {
        self.values().len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the values; `None` is NULL.
    pub(crate) fn values(&self) -> &[BoundValue] {
        self.0.as_ref().map_or(&[], |bound| &bound.values)
    }

    /// Returns the OIDs of the types; 0 leaves the type to the server.
    pub(crate) fn types(&self) -> &[u32] {
        self.0.as_ref().map_or(&[], |bound| &bound.types)
    }

    /// Returns the number of bytes of the values.
    pub(crate) fn size(&self) -> usize {
        self.values().iter().flatten().map(Vec::len).sum()
    }
}

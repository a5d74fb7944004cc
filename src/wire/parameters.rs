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

/// Values in the order of `$1`, `$2`, .. with the OIDs of their types.
///
/// A copy shares the values, so a retry sends them again without encoding them. A block of memory
/// for few values is used again by this thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Option<Arc<Bound>>);

/// The values of a command.
#[derive(Debug, Clone, Default)]
struct Bound {
    types: SmallVec<[u32; 4]>,
    /// The bytes as diesel has encoded them, in memory of their own; `None` is NULL.
    values: SmallVec<[Option<Vec<u8>>; 4]>,
}

/// The OID of the type `text`.
const TEXT_OID: u32 = 25;

pub(crate) type Collector = RawBytesBindCollector<Pg>;

thread_local! {
    /// Encodes values. Empty between two uses; its memory is kept.
    static COLLECTOR: RefCell<Collector> = RefCell::new(Collector::new());

    /// Blocks of memory without values, for the parameters that follow.
    static UNUSED: RefCell<Vec<Arc<Bound>>> = const { RefCell::new(Vec::new()) };
}

/// The most blocks of memory that a thread keeps.
const UNUSED_KEPT: usize = 32;

/// Runs `work` with this thread's collector, or with another one if it is in use: the encoding of a
/// value may encode another one.
fn with_collector<T>(work: impl FnOnce(&mut Collector) -> T) -> T {
    COLLECTOR.with(|collector| match collector.try_borrow_mut() {
        Ok(mut collector) => work(&mut collector),
        Err(_) => work(&mut Collector::new()),
    })
}

impl Parameters {
    /// Returns the values that `collect` collects.
    pub(crate) fn collect(
        collect: impl FnOnce(&mut Collector) -> QueryResult<()>,
    ) -> QueryResult<Self> {
        with_collector(|collector| {
            let collected = collect(collector);
            let mut parameters = Self::default();
            // The values before one that cannot be encoded are taken as well, so that none is left.
            parameters.take_from(collector);
            collected.map(|()| parameters)
        })
    }

    /// Returns values of the type `text`.
    pub(crate) fn texts(values: &[&str]) -> Self {
        let mut parameters = Self::default();
        for value in values {
            parameters
                .own()
                .push(TEXT_OID, Some(value.as_bytes().to_vec()));
        }
        parameters
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
        with_collector(|collector| {
            collector.push_bound_value::<ST, T>(value, lookup)?;
            let value = collector.binds.pop().flatten();
            let oid = collector.metadata.pop().and_then(|found| found.oid().ok());
            self.own().push(oid.unwrap_or(0), value);
            Ok(())
        })
    }

    /// Takes the values out of a collector; allocates nothing for none.
    fn take_from(&mut self, collector: &mut Collector) {
        if collector.binds.is_empty() {
            return;
        }
        let own = self.own();
        own.types.reserve(collector.binds.len());
        own.values.reserve(collector.binds.len());
        for (value, found) in collector.binds.iter_mut().zip(&collector.metadata) {
            own.push(found.oid().unwrap_or(0), value.take());
        }
        collector.metadata.clear();
        collector.binds.clear();
    }

    /// Returns the value of this number, counted from 0, for a change of its bytes.
    pub(crate) fn value_mut(&mut self, number: usize) -> Option<&mut [u8]> {
        let own = self.own();
        own.values.get_mut(number)?.as_deref_mut()
    }

    /// Sets the OID of the type of this parameter, counted from 0.
    pub(crate) fn set_type(&mut self, number: usize, oid: u32) {
        if let Some(known) = self.own().types.get_mut(number) {
            *known = oid;
        }
    }

    /// Returns the values for a change; values that are shared are copied first.
    #[inline]
    fn own(&mut self) -> &mut Bound {
        Arc::make_mut(self.0.get_or_insert_with(unused))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |bound| bound.values.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the values; `None` is NULL.
    pub(crate) fn values(&self) -> impl ExactSizeIterator<Item = Option<&[u8]>> {
        self.bytes().iter().map(Option::as_deref)
    }

    #[inline]
    fn bytes(&self) -> &[Option<Vec<u8>>] {
        self.0.as_ref().map_or(&[], |bound| &bound.values)
    }

    /// Returns the OIDs of the types; 0 leaves the type to the server.
    pub(crate) fn types(&self) -> &[u32] {
        self.0.as_ref().map_or(&[], |bound| &bound.types)
    }

    /// Returns the number of bytes of the values.
    pub(crate) fn size(&self) -> usize {
        self.bytes().iter().flatten().map(Vec::len).sum()
    }

    /// Returns the number of bytes of the largest value; 0 for none.
    pub(crate) fn largest(&self) -> usize {
        let sizes = self.bytes().iter().flatten().map(Vec::len);
        sizes.max().unwrap_or(0)
    }
}

/// Returns a block of memory without values.
#[inline]
fn unused() -> Arc<Bound> {
    let kept = UNUSED.try_with(|unused| unused.try_borrow_mut().ok()?.pop());
    kept.ok().flatten().unwrap_or_default()
}

impl Drop for Parameters {
    #[inline]
    fn drop(&mut self) {
        if let Some(bound) = self.0.take() {
            give_back(bound);
        }
    }
}

/// Keeps a block of memory for the parameters that follow, without its values.
fn give_back(mut bound: Arc<Bound>) {
    if Arc::strong_count(&bound) > 1 {
        return;
    }
    // Nobody else has the values, and they take no memory besides the block.
    if Arc::get_mut(&mut bound).is_some_and(Bound::clear_if_few) {
        // At the end of a thread, the block is freed.
        let keep = |unused: &RefCell<Vec<_>>| {
            if let Ok(mut unused) = unused.try_borrow_mut()
                && unused.len() < UNUSED_KEPT
            {
                unused.push(bound);
            }
        };
        UNUSED.try_with(keep).ok();
    }
}

impl Bound {
    /// Removes the values, if no more memory is left behind than without values.
    fn clear_if_few(&mut self) -> bool {
        let are_few = !(self.types.spilled() || self.values.spilled());
        if are_few {
            self.types.clear();
            self.values.clear();
        }
        are_few
    }

    #[inline]
    fn push(&mut self, oid: u32, value: Option<Vec<u8>>) {
        self.types.push(oid);
        self.values.push(value);
    }
}

#[cfg(test)]
mod tests {
    use diesel::pg::PgTypeMetadata;

    use super::*;

    fn parameters(values: &[Option<Vec<u8>>]) -> Parameters {
        Parameters::collect(|collector| {
            collector.binds.extend(values.iter().cloned());
            let oids = (1..).map(|oid| PgTypeMetadata::new(oid, 0));
            collector.metadata.extend(oids.take(values.len()));
            Ok(())
        })
        .expect("values")
    }

    #[test]
    fn values_of_all_sizes_are_kept_in_order() {
        let sizes = [0, 1, 1024, 1025, 64, 3072];
        let mut values: Vec<_> = (0..)
            .zip(sizes)
            .map(|(n, size)| Some(vec![n; size]))
            .collect();
        values.insert(2, None);
        let kept = parameters(&values);
        let wanted = values.iter().map(Option::as_deref);
        assert!(kept.values().eq(wanted));
        assert_eq!(kept.types(), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(kept.size(), sizes.iter().sum::<usize>());
        assert_eq!(kept.largest(), 3072);
    }

    #[test]
    fn a_change_does_not_reach_a_copy() {
        let mut kept = parameters(&[None, Some(vec![1, 2]), Some(vec![3; 1025])]);
        let copy = kept.clone();
        assert!(kept.value_mut(0).is_none() && kept.value_mut(3).is_none());
        for number in [1, 2] {
            kept.value_mut(number).expect("a value")[0] = 9;
        }
        let first = |all: &Parameters| all.values().flatten().map(|v| v[0]).collect::<Vec<_>>();
        assert_eq!(first(&kept), [9, 9]);
        assert_eq!(first(&copy), [1, 3]);
    }

    /// Returns the number of blocks that this thread keeps.
    fn unused() -> usize {
        UNUSED.with_borrow(Vec::len)
    }

    #[test]
    fn memory_is_kept_within_a_bound_and_not_while_shared() {
        let small = || parameters(&[Some(vec![7; 8])]);
        let first = small();
        let copy = first.clone();
        drop(first);
        assert_eq!(unused(), 0);
        drop(copy);
        assert_eq!(unused(), 1);
        // The next one has its memory, and none of its values.
        let next = parameters(&[None]);
        assert_eq!((unused(), next.size()), (0, 0));
        drop((0..100).map(|_| small()).collect::<Vec<_>>());
        assert_eq!(unused(), UNUSED_KEPT);
        UNUSED.with_borrow_mut(Vec::clear);
        drop(parameters(&vec![Some(Vec::new()); 5]));
        assert_eq!(unused(), 0);
        drop(parameters(&[Some(vec![0; 1 << 20])]));
        let kept = UNUSED.with_borrow(|unused| unused.iter().all(|bound| bound.values.is_empty()));
        assert!(kept && unused() == 1);
    }

    #[test]
    fn a_value_that_fails_leaves_nothing_to_the_next() {
        let failed = Parameters::collect(|collector| {
            collector.binds.push(None);
            collector.metadata.push(PgTypeMetadata::new(1, 0));
            Err(diesel::result::Error::NotFound)
        });
        assert!(failed.is_err());
        assert!(parameters(&[]).is_empty());
    }
}

//! Values that are encoded before there is a session.

use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata};
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;

use crate::command::types::{TypeLookup, TypeName};
use crate::error::{Error, Result};
use crate::wire::parameters::Parameters;

/// Values in binary, with the types that have to be looked up before they can be sent.
#[derive(Debug, Default)]
pub(super) struct EncodedAhead {
    parameters: Parameters,
    /// Boxed, because few statements have any.
    rest: Option<Box<Rest>>,
}

/// The work that remains before the values can be sent.
#[derive(Debug, Default)]
struct Rest {
    /// The parameters that are arrays of a type without a fixed OID, by number.
    arrays: Vec<(usize, TypeName)>,
    /// The OIDs within the values.
    oids: Vec<UnknownOid>,
    /// The reason why a value could not be encoded.
    failure: Option<String>,
}

/// The position of an OID in a value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UnknownOid {
    /// The number of the parameter.
    number: usize,
    /// The first byte of the OID in the value.
    start: usize,
    name: TypeName,
    is_array: bool,
}

/// Answers each look-up of a type with OID 0, for which the server assumes the type that it
/// expects.
#[derive(Debug, Default)]
struct Unknown {
    questions: usize,
    latest: Option<TypeName>,
}

/// Answers each look-up of a type with numbers that stand for its OID and that of its array.
#[derive(Debug)]
struct Numbered {
    first: u32,
    names: Vec<TypeName>,
}

/// The first placeholders of two encodings of a value. Their first bytes differ, so an OID begins
/// at each byte at which the encodings begin to differ.
const FIRST: [u32; 2] = [0x5a5a_0000, 0xa5a5_0000];

/// The bytes of an array in binary that hold the OID of its elements' type. The number of
/// dimensions and the flags precede them (PostgreSQL's `array_send`).
const ELEMENT_TYPE: std::ops::Range<usize> = 8..12;

impl EncodedAhead {
    /// Adds a value.
    ///
    /// The value is encoded now. A type without a fixed OID, such as an enum, is left to the
    /// server, which knows the type of each parameter from the SQL. Only an array contains the OID
    /// of its elements' type; it is filled in before the array is sent.
    pub(super) fn push<ST, T>(&mut self, value: &T)
    where
        Pg: HasSqlType<ST>,
        T: ToSql<ST, Pg> + ?Sized,
    {
        let mut unknown = Unknown::default();
        let number = self.parameters.len();
        if let Err(error) = self.parameters.push::<ST, T>(value, &mut unknown) {
            self.fail(|| error.to_string());
            return;
        }
        if unknown.questions == 0 {
            return;
        }
        // One look-up is for the type of the parameter; the value has made the others.
        let mut of_type = Numbered::new(FIRST[0]);
        let metadata = <Pg as HasSqlType<ST>>::metadata(&mut of_type);
        let is_array = metadata.oid().is_ok_and(|oid| oid == FIRST[0] + 1);
        let others = unknown.questions.saturating_sub(1);
        let Some(name) = unknown.latest.filter(|_| others > 0) else {
            return;
        };
        let element = self.parameters.value_mut(number);
        let element = element.and_then(|bytes| bytes.get(ELEMENT_TYPE));
        if others == 1 && is_array && element.is_none_or(|oid| *oid == [0; 4]) {
            let start = ELEMENT_TYPE.start;
            let rest = self.rest.get_or_insert_default();
            rest.arrays.push((number, name.clone()));
            rest.oids.extend(element.map(|_| UnknownOid {
                number,
                start,
                name,
                is_array: false,
            }));
            return;
        }
        match unknown_oids::<ST, T>(value, number) {
            Some(oids) => {
                let rest = self.rest.get_or_insert_default();
                rest.oids.extend(oids);
                if is_array && let Some(name) = of_type.names.pop() {
                    rest.arrays.push((number, name));
                }
            }
            None => self.fail(|| format!("where a value names the type {} is unclear", name.name)),
        }
    }

    /// Adds a value, as [`push`](Self::push) does, that is sent with this OID. In an array the
    /// elements have the second OID, if there is one.
    pub(super) fn push_with_oids<ST, T>(&mut self, (oid, element): (u32, Option<u32>), value: &T)
    where
        Pg: HasSqlType<ST>,
        T: ToSql<ST, Pg> + ?Sized,
    {
        let number = self.parameters.len();
        self.push::<ST, T>(value);
        self.parameters.set_type(number, oid);
        if let Some(element) = element
            && let Some(bytes) = self.parameters.value_mut(number)
            && let Some(of_elements) = bytes.get_mut(ELEMENT_TYPE)
        {
            of_elements.copy_from_slice(&element.to_be_bytes());
        }
    }

    /// Returns the bytes of the values; `None` is NULL. OIDs within them may be unknown.
    pub(super) fn encoded(&self) -> Vec<Option<&[u8]>> {
        self.parameters.values().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.parameters.len()
    }

    fn fail(&mut self, reason: impl FnOnce() -> String) {
        let rest = self.rest.get_or_insert_default();
        rest.failure.get_or_insert_with(reason);
    }

    /// Returns the parameters, once all types in them are known.
    pub(super) fn parameters(&self, lookup: &mut TypeLookup) -> Result<Parameters> {
        let Some(rest) = &self.rest else {
            return Ok(self.parameters.clone());
        };
        if let Some(failure) = &rest.failure {
            return Err(Error::query(format!(
                "a value cannot be encoded: {failure}"
            )));
        }
        let mut parameters = self.parameters.clone();
        // If a type is not known yet, it is looked up, and this function is called again.
        for (number, name) in &rest.arrays {
            let metadata = lookup.lookup_type(&name.name, name.schema.as_deref());
            if let Ok(array) = metadata.array_oid() {
                parameters.set_type(*number, array);
            }
        }
        for unknown in &rest.oids {
            let name = &unknown.name;
            let metadata = lookup.lookup_type(&name.name, name.schema.as_deref());
            let known = match unknown.is_array {
                true => metadata.array_oid().ok(),
                false => metadata.oid().ok(),
            };
            if let Some(known) = known
                && let Some(bytes) = parameters.value_mut(unknown.number)
                && let Some(oid) = bytes.get_mut(unknown.start..unknown.start + 4)
            {
                oid.copy_from_slice(&known.to_be_bytes());
            }
        }
        Ok(parameters)
    }
}

/// Returns the unknown OIDs within a value. The value is encoded twice, with different placeholders
/// for them. Returns `None` if the encodings differ in other bytes too.
fn unknown_oids<ST, T>(value: &T, number: usize) -> Option<Vec<UnknownOid>>
where
    Pg: HasSqlType<ST>,
    T: ToSql<ST, Pg> + ?Sized,
{
    let encoded = |first: u32| {
        let mut lookup = Numbered::new(first);
        let mut parameters = Parameters::default();
        parameters.push::<ST, T>(value, &mut lookup).ok()?;
        let bytes = parameters.value_mut(0).map(|bytes| bytes.to_vec());
        Some((bytes.unwrap_or_default(), lookup.names))
    };
    let (first, names) = encoded(FIRST[0])?;
    let (second, _) = encoded(FIRST[1])?;
    if first.len() != second.len() {
        return None;
    }
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = first[at..]
        .iter()
        .zip(&second[at..])
        .position(|(first, second)| first != second)
    {
        let start = at + offset;
        let word = |bytes: &[u8]| {
            let word = bytes.get(start..start + 4)?.try_into().ok()?;
            Some(u32::from_be_bytes(word))
        };
        let difference = word(&first)?.checked_sub(FIRST[0])?;
        if word(&second)?.checked_sub(FIRST[1])? != difference {
            return None;
        }
        found.push(UnknownOid {
            number,
            start,
            name: names.get(usize::try_from(difference / 2).ok()?)?.clone(),
            is_array: difference % 2 == 1,
        });
        at = start + 4;
    }
    Some(found)
}

impl Numbered {
    fn new(first: u32) -> Self {
        Self {
            first,
            names: Vec::new(),
        }
    }
}

impl PgMetadataLookup for Numbered {
    fn lookup_type(&mut self, type_name: &str, schema: Option<&str>) -> PgTypeMetadata {
        let name = TypeName {
            schema: schema.map(str::to_owned),
            name: type_name.to_owned(),
        };
        let known = self.names.iter().position(|known| *known == name);
        let number = known.unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        // A value contains fewer types than there are placeholders.
        let oid = self.first + 2 * u32::try_from(number.min(0x7fff)).unwrap_or_default();
        PgTypeMetadata::new(oid, oid + 1)
    }
}

impl PgMetadataLookup for Unknown {
    fn lookup_type(&mut self, type_name: &str, schema: Option<&str>) -> PgTypeMetadata {
        self.questions += 1;
        self.latest = Some(TypeName {
            schema: schema.map(str::to_owned),
            name: type_name.to_owned(),
        });
        PgTypeMetadata::new(0, 0)
    }
}

//! Values that are encoded before a session is at hand.

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

/// What is left to do before the values can be sent.
#[derive(Debug, Default)]
struct Rest {
    /// The arrays, by number of parameter, whose elements have a type without a fixed OID.
    arrays: Vec<(usize, TypeName)>,
    /// The reason why a value could not be encoded.
    failure: Option<String>,
}

/// Answers each question for a type with 0, by which the server takes the type that it expects.
#[derive(Debug, Default)]
struct Unknown {
    questions: usize,
    latest: Option<TypeName>,
}

/// Where an array in binary has the OID of its elements' type, behind the number of dimensions and
/// the flags (PostgreSQL's `array_send`).
const ELEMENT_TYPE: std::ops::Range<usize> = 8..12;

impl EncodedAhead {
    /// Adds a value.
    ///
    /// The value is encoded now. A type without a fixed OID, such as an enum, is left to the server,
    /// which knows the type of each parameter from the SQL. Only an array contains the OID of its
    /// elements' type; it is filled in before the array is sent.
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
        // One question is for the type of the parameter; another was asked by the value.
        let mut of_type = Unknown::default();
        drop(<Pg as HasSqlType<ST>>::metadata(&mut of_type));
        let Some(name) = unknown
            .latest
            .filter(|_| unknown.questions > of_type.questions)
        else {
            return;
        };
        match self.parameters.value_mut(number) {
            None => {}
            Some(bytes) if bytes.get(ELEMENT_TYPE).is_some_and(|oid| oid == [0; 4]) => {
                let rest = self.rest.get_or_insert_default();
                rest.arrays.push((number, name));
            }
            Some(_) => {
                self.fail(|| format!("a value that contains the type {} is no array", name.name));
            }
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
        for (number, name) in &rest.arrays {
            let metadata = lookup.lookup_type(&name.name, name.schema.as_deref());
            // A type that is not known yet is looked up, and then this is called again.
            let (Ok(element), Ok(array)) = (metadata.oid(), metadata.array_oid()) else {
                continue;
            };
            parameters.set_type(*number, array);
            if let Some(bytes) = parameters.value_mut(*number)
                && let Some(oid) = bytes.get_mut(ELEMENT_TYPE)
            {
                oid.copy_from_slice(&element.to_be_bytes());
            }
        }
        Ok(parameters)
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

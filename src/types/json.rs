//! diesel's types in JSON, for which serde has no form.
//!
//! An interval is `{"months": 1, "days": 2, "microseconds": 3}`, money the number of its smallest
//! units, and a position in the WAL a text: `16/B374D848`.

use diesel::data_types::{PgInterval, PgLsn, PgMoney};
use serde::de::{DeserializeOwned, Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value with a form in JSON.
pub trait Json: Sized {
    /// The form.
    type Form: Serialize + DeserializeOwned;

    /// Returns the form.
    fn form(&self) -> Self::Form;

    /// Reads a form; fails with the reason.
    fn read(form: Self::Form) -> Result<Self, String>;
}

/// Writes a value.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<T: Json, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.form().serialize(serializer)
}

/// Reads a value.
///
/// # Errors
///
/// Those of the deserializer, and text that is not a value of the type.
pub fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Json,
{
    T::read(T::Form::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Reads a field that may be absent (`None`, with `#[serde(default)]`), null (`Some(None)`) or set.
///
/// # Errors
///
/// As for [`deserialize`].
pub fn nullable<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Json,
{
    deserialize::<D, Option<T>>(deserializer).map(Some)
}

/// Reads a field that may be absent (`None`, with `#[serde(default)]`) or set; null is an error.
///
/// # Errors
///
/// As for [`deserialize`].
pub fn not_null<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Json,
{
    let value = deserialize::<D, Option<T>>(deserializer)?;
    let null = || Error::invalid_type(Unexpected::Unit, &"a value: the column is NOT NULL");
    value.map(Some).ok_or_else(null)
}

/// The form of an interval.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    #[serde(default)]
    months: i32,
    #[serde(default)]
    days: i32,
    #[serde(default)]
    microseconds: i64,
}

impl Json for PgInterval {
    type Form = Interval;

    fn form(&self) -> Interval {
        Interval {
            months: self.months,
            days: self.days,
            microseconds: self.microseconds,
        }
    }

    fn read(form: Interval) -> Result<Self, String> {
        Ok(Self::new(form.microseconds, form.days, form.months))
    }
}

impl Json for PgMoney {
    type Form = i64;

    fn form(&self) -> i64 {
        self.0
    }

    fn read(form: i64) -> Result<Self, String> {
        Ok(Self(form))
    }
}

impl Json for PgLsn {
    type Form = String;

    fn form(&self) -> String {
        format!("{:X}/{:X}", self.0 >> 32, self.0 & 0xffff_ffff)
    }

    fn read(form: String) -> Result<Self, String> {
        let number = |part: &str| u32::from_str_radix(part, 16).ok();
        let parts = form.split_once('/');
        let parts = parts.and_then(|(high, low)| Some((number(high)?, number(low)?)));
        let (high, low) = parts.ok_or_else(|| format!("{form:?} is not a position in the WAL"))?;
        Ok(Self(u64::from(high) << 32 | u64::from(low)))
    }
}

impl<T: Json> Json for Option<T> {
    type Form = Option<T::Form>;

    fn form(&self) -> Self::Form {
        self.as_ref().map(Json::form)
    }

    fn read(form: Self::Form) -> Result<Self, String> {
        form.map(T::read).transpose()
    }
}

impl<T: Json> Json for Vec<T> {
    type Form = Vec<T::Form>;

    fn form(&self) -> Self::Form {
        self.iter().map(Json::form).collect()
    }

    fn read(form: Self::Form) -> Result<Self, String> {
        form.into_iter().map(T::read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wal_position_is_written_like_postgresqls() {
        let lsn = PgLsn(0x16_b374_d848);
        assert_eq!(lsn.form(), "16/B374D848");
        assert_eq!(PgLsn::read("16/B374D848".to_owned()), Ok(lsn));
        assert_eq!(
            PgLsn::read("16-1".to_owned()),
            Err("\"16-1\" is not a position in the WAL".to_owned())
        );
    }
}

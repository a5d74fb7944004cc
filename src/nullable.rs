//! Distinguishes an absent field from a null one in data that serde reads.

use serde::de::value::UnitDeserializer;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

/// Reads a field that may be absent (`None`, with `#[serde(default)]`), null (`Some(None)`) or set.
///
/// It is for `#[serde(deserialize_with = "bowline::__generated::nullable")]` in `Changes`.
pub fn nullable<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Reads a field that may be absent (`None`, with `#[serde(default)]`) or set; null is an error,
/// unless the type reads it as a value, as one for `jsonb` does.
///
/// The error is one about the data for each type. serde_json calls null for an enum an error of
/// syntax, which web frameworks answer with another status.
///
/// It is for `#[serde(deserialize_with = "bowline::__generated::not_null")]` in `Changes`.
pub fn not_null<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    if let Some(value) = Option::deserialize(deserializer)? {
        return Ok(Some(value));
    }
    let null = T::deserialize(UnitDeserializer::<serde::de::value::Error>::new());
    let error = |_| Error::invalid_type(Unexpected::Unit, &"a value: the column is NOT NULL");
    null.map(Some).map_err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    enum State {
        Open,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Changes {
        #[serde(deserialize_with = "not_null")]
        title: Option<String>,
        #[serde(deserialize_with = "not_null")]
        state: Option<State>,
        #[serde(deserialize_with = "not_null")]
        settings: Option<serde_json::Value>,
        #[serde(deserialize_with = "nullable")]
        note: Option<Option<String>>,
    }

    #[test]
    fn null_is_no_value_of_a_column_that_is_not_null() {
        let read = |json: &str| serde_json::from_str::<Changes>(json);
        assert_eq!(read("{}").expect("nothing"), Changes::default());
        for json in [r#"{"title": null}"#, r#"{"state": null}"#] {
            let null = read(json).expect_err("null");
            assert!(null.is_data(), "{null}");
            let expected = "invalid type: null, expected a value: the column is NOT NULL";
            assert!(null.to_string().starts_with(expected), "{null}");
        }
        let read = read(r#"{"title": "a", "state": "Open", "settings": null, "note": null}"#);
        let expected = Changes {
            title: Some("a".to_owned()),
            state: Some(State::Open),
            settings: Some(serde_json::Value::Null),
            note: Some(None),
        };
        assert_eq!(read.expect("values"), expected);
    }
}

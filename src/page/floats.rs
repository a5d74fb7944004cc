//! NaN and the infinities in the text of a position.
//!
//! JSON has no such numbers: serde_json writes null for them, which would be NULL. They are written
//! as PostgreSQL writes them, `"NaN"` and `"-Infinity"`, wherever they are in a value.

mod read;
mod write;

pub(super) use read::Reader;
pub(super) use write::Writer;

/// Returns the text of a number that JSON does not have.
fn text(value: f64) -> Option<&'static str> {
    match value {
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        value if value.is_nan() => Some("NaN"),
        _ => None,
    }
}

/// Returns the number that has this text.
fn value(text: &str) -> Option<f64> {
    match text {
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ => None,
    }
}

//! Problems that prevent the generation: types with the same name, settings that name no object.

use crate::suggestion::nearest;
use bowline_catalog::Name;

/// A problem that prevents the generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The message.
    pub message: String,
    /// A hint.
    pub hint: Option<String>,
    /// The setting that has to change: the path to its key, or to a string in its list.
    pub setting: Option<Vec<String>>,
}

impl Problem {
    pub(super) fn new(message: String, hint: String) -> Self {
        Self {
            message,
            hint: Some(hint),
            setting: None,
        }
    }

    /// Returns a problem with a setting.
    pub(super) fn in_setting(setting: &[&str], message: String) -> Self {
        Self {
            message,
            hint: None,
            setting: Some(setting.iter().map(|&key| key.to_owned()).collect()),
        }
    }

    /// Adds a hint with the most similar name, if one is similar enough.
    pub(super) fn suggest<'a>(mut self, word: &str, names: impl Iterator<Item = &'a str>) -> Self {
        self.hint = nearest(word, names).map(|meant| format!("did you mean {meant}?"));
        self
    }
}

/// Returns a name with its schema, unless that is `public`.
pub fn shown(name: &Name) -> String {
    if name.schema == "public" {
        name.name.clone()
    } else {
        format!("{}.{}", name.schema, name.name)
    }
}

/// Returns the key for a name in a table of settings.
pub fn key(name: &Name) -> String {
    toml_key(&shown(name))
}

/// Returns a text as a TOML key.
pub(super) fn toml_key(text: &str) -> String {
    let is_bare = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_bare {
        text.to_owned()
    } else {
        toml::Value::String(text.to_owned()).to_string()
    }
}

//! The texts that name an object: `'accounts'::regclass`. PostgreSQL looks the name up when it
//! reads the query.

use super::Analyzer;
use super::wrong::Wrong;
use crate::replay::builtin;
use crate::replay::syntax::type_name::built_in;

type Checked = std::result::Result<(), Wrong>;

impl Analyzer<'_> {
    /// Checks the name of a relation (`regclassin`).
    pub(super) fn relation_text(&self, text: &str) -> Checked {
        let Some(parts) = parts(text) else {
            return Ok(());
        };
        let Some((last, schema)) = parts.split_last() else {
            return Ok(());
        };
        // The sequence of an identity column, and indexes of system tables, are in no list.
        let is_sequence = |it: &crate::Relation| last.starts_with(&it.name.name);
        let is_own = last.starts_with("pg_")
            || last.ends_with("_seq") && self.catalog.relations.values().any(is_sequence);
        let catalog = self.catalog;
        let has_name = |index: &crate::Index| index.name == *last;
        let mut relations = catalog.relations.values();
        let is_known = is_own
            || self.objects.is_some()
            // A schema that does not exist is another error.
            || !schema.is_empty()
            || !catalog.extensions.is_empty()
            || catalog.sequences.keys().any(|it| it.name == *last)
            || catalog.gaps.iter().any(|gap| gap.name.name == *last)
            || builtin::relations(last).next().is_some()
            || self.find_relation(&parts).is_some()
            || relations.any(|it| it.indexes.iter().any(has_name));
        match is_known {
            true => Ok(()),
            false => Err(missing("42P01", "relation", &parts)),
        }
    }

    /// Checks the name of a type (`regtypein`): one word, with its schema, or a built-in type.
    pub(super) fn type_text(&mut self, text: &str) -> Checked {
        let name = text.trim_end().trim_end_matches("[]");
        let Some(parts) = parts(name).filter(|_| self.objects.is_none()) else {
            return Ok(());
        };
        let is_known = built_in(&parts.join(" "), &[]).is_some()
            || self.type_of_path(&parts).is_some()
            || !self.catalog.extensions.is_empty()
            || (self.catalog.gaps.iter()).any(|gap| Some(&gap.name.name) == parts.last());
        match is_known {
            true => Ok(()),
            false => Err(missing("42704", "type", &parts)),
        }
    }

    /// Checks the name of a schema (`regnamespacein`).
    pub(super) fn schema_text(&self, text: &str) -> Checked {
        let Some(parts) = parts(text).filter(|_| self.objects.is_none()) else {
            return Ok(());
        };
        let [name] = parts.as_slice() else {
            return Ok(());
        };
        let is_known = matches!(name.as_str(), "public" | "information_schema")
            || name.starts_with("pg_")
            || self.catalog.schemas.contains_key(name)
            || !self.catalog.extensions.is_empty();
        match is_known {
            true => Ok(()),
            false => Err(missing("3F000", "schema", &parts)),
        }
    }

    /// Checks the name of a function (`regprocin`).
    pub(super) fn function_text(&mut self, text: &str) -> Checked {
        let Some(parts) = parts(text).filter(|_| self.objects.is_none()) else {
            return Ok(());
        };
        let is_own = |it: &crate::Name| Some(&it.name) == parts.last();
        let found = self.functions(&parts);
        let is_routine = |it: &&super::super::signature::Function| !it.is_opaque;
        if found.iter().filter(is_routine).count() > 1 {
            let message = format!("more than one function named \"{}\"", parts.join("."));
            return Err(Wrong {
                hint: Some("name its parameters, as a regprocedure".to_owned()),
                ..Wrong::new("42725", message)
            });
        }
        let is_known = !found.is_empty()
            || parts.last().is_some_and(|last| builtin::has_function(last))
            || !self.catalog.extensions.is_empty()
            || self.catalog.gaps.iter().any(|gap| is_own(&gap.name));
        match is_known {
            true => Ok(()),
            false => Err(missing("42883", "function", &parts)),
        }
    }
}

fn missing(code: &'static str, what: &str, parts: &[String]) -> Wrong {
    let message = format!("{what} \"{}\" does not exist", parts.join("."));
    Wrong {
        hint: Some("check the spelling, and whether a migration creates it".to_owned()),
        ..Wrong::new(code, message)
    }
}

/// Returns the parts of a name; `None` for a number or another text.
fn parts(text: &str) -> Option<Vec<String>> {
    let tokens: Vec<_> = bowline_sql::tokens(text).collect();
    let names = tokens.iter().enumerate().map(|(at, token)| {
        if at % 2 == 1 {
            return token.is(".").then_some(None);
        }
        token.name().map(|name| Some(name.into_owned()))
    });
    let parts: Option<Vec<Option<String>>> = names.collect();
    let parts: Vec<String> = parts?.into_iter().flatten().collect();
    (!parts.is_empty() && tokens.len() % 2 == 1).then_some(parts)
}

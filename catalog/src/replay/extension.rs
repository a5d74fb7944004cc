//! What extensions bring: types by name, and the functions and operator classes that defaults and indexes use.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::refusal::Result;
use super::tree::{self, child, child_name};
use crate::gap::GapKind;
use crate::{Name, Type, TypeKind};

/// The objects of one extension that are known.
pub(super) struct Members {
    /// False for an extension of which only the types are known, or nothing.
    pub(super) is_known: bool,
    pub(super) types: &'static [&'static str],
    pub(super) functions: Vec<&'static str>,
    pub(super) operator_classes: Vec<&'static str>,
}

/// The members of an extension of PostgreSQL's own distribution, or the types of a few well-known others.
pub(super) fn members(extension: &str) -> Members {
    let builtin = super::builtin::builtin();
    let functions = builtin.functions_of(extension);
    let operator_classes: Vec<_> = builtin.classes_of(extension).collect();
    let holds_nothing = ["plpgsql", "pg_prewarm", "pg_buffercache", "pgstattuple"];
    Members {
        is_known: !functions.is_empty()
            || !operator_classes.is_empty()
            || holds_nothing.contains(&extension),
        types: types(extension),
        functions,
        operator_classes,
    }
}

/// The types that an extension brings.
fn types(extension: &str) -> &'static [&'static str] {
    match extension {
        "citext" => &["citext"],
        "hstore" => &["hstore", "ghstore"],
        "ltree" => &["ltree", "lquery", "ltxtquery", "ltree_gist"],
        "cube" => &["cube"],
        "seg" => &["seg"],
        "isn" => &[
            "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "ean13", "upc",
        ],
        "intarray" => &["query_int", "intbig_gkey"],
        "pg_trgm" => &["gtrgm"],
        "vector" => &["vector", "halfvec", "sparsevec"],
        "postgis" => &[
            "geometry",
            "geography",
            "box2d",
            "box3d",
            "box2df",
            "gidx",
            "spheroid",
            "geometry_dump",
            "valid_detail",
        ],
        _ => &[],
    }
}

impl Replay {
    pub(super) fn create_extension(&mut self, node: &SyntaxNode) -> Result<()> {
        let extension = child_name(node, SyntaxKind::EXTENSION).unwrap_or_default();
        if self.catalog.extensions.contains(&extension) {
            return Ok(());
        }
        let schema = match child(node, SyntaxKind::EXTENSION_SCHEMA) {
            Some(schema) => tree::name(&schema),
            None => self.current_schema(node)?,
        };
        for name in types(&extension) {
            let name = Name {
                schema: schema.clone(),
                name: (*name).to_owned(),
            };
            let external = Type {
                name: name.clone(),
                kind: TypeKind::External,
                comment: None,
            };
            self.catalog.types.insert(name, external);
        }
        if extension == "postgis" {
            let name = Name {
                schema: schema.clone(),
                name: "spatial_ref_sys".to_owned(),
            };
            let why = "the extension postgis brings it, so it is left out; diesel print-schema shows it unless diesel.toml \
                       has it in except_tables";
            self.note_gap(GapKind::Table, name, None, why);
        }
        self.extension_schemas.insert(extension.clone(), schema);
        self.catalog.extensions.insert(extension);
        Ok(())
    }

    /// `ALTER EXTENSION .. SET SCHEMA` moves the types; other changes move nothing that is known.
    pub(super) fn alter_extension(&mut self, node: &SyntaxNode) -> Result<()> {
        let extension = child_name(node, SyntaxKind::EXTENSION_REF).unwrap_or_default();
        let Some(schema) = child(node, SyntaxKind::SET_SCHEMA)
            .and_then(|action| child_name(&action, SyntaxKind::SCHEMA_REF))
        else {
            return Ok(());
        };
        let members = types(&extension);
        let types: Vec<Name> = self
            .catalog
            .types
            .values()
            .filter(|found| found.kind == TypeKind::External)
            .filter(|found| members.contains(&found.name.name.as_str()))
            .map(|found| found.name.clone())
            .collect();
        for name in types {
            let to = Name {
                schema: schema.clone(),
                name: name.name.clone(),
            };
            self.move_type(&name, to);
        }
        self.extension_schemas.insert(extension, schema);
        Ok(())
    }
}

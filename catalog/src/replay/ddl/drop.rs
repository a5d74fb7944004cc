//! DROP, statement by statement. The dependents are found in `dependents`.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::gap::GapKind;
use crate::replay::ddl::extension;
use crate::replay::refusal::{Refused, Result, no_index};
use crate::replay::state::State;
use crate::replay::state::objects::Object;
use crate::replay::syntax::clause::cascades;
use crate::replay::syntax::tree::{below, child_names, children, has, path};
use crate::{Name, RelationKind};

/// Drops the objects that the nodes of one kind name.
fn drop_named(
    state: &mut State,
    node: &SyntaxNode,
    references: SyntaxKind,
    what: &str,
    find: impl Fn(&State, &[String]) -> Option<Object>,
) -> Result<()> {
    let mut targets = Vec::new();
    for reference in children(node, references) {
        let parts = path(&reference);
        match find(state, &parts) {
            Some(object) => targets.push(object),
            None if state.drop_gap(&parts) || has(node, SyntaxKind::IF_EXISTS) => {}
            None => {
                return Err(
                    Refused::new(node, format!("there is no {what} {}", parts.join(".")))
                        .hint("check the spelling, and whether an earlier migration creates it"),
                );
            }
        }
    }
    state.drop_objects(node, &targets)
}

pub(crate) fn drop_relations(
    state: &mut State,
    node: &SyntaxNode,
    references: SyntaxKind,
    kinds: &[RelationKind],
) -> Result<()> {
    let what = if kinds.contains(&RelationKind::Table) {
        "table"
    } else {
        "view"
    };
    drop_named(state, node, references, what, |state, parts| {
        let name = state.find_relation(parts)?;
        let kind = state.catalog().relations.get(&name)?.kind;
        kinds.contains(&kind).then_some(Object::Relation(name))
    })
}

pub(crate) fn drop_types(
    state: &mut State,
    node: &SyntaxNode,
    references: SyntaxKind,
) -> Result<()> {
    drop_named(state, node, references, "type", |state, parts| {
        state.find_own_type(parts).map(Object::Type)
    })
}

pub(crate) fn drop_sequences(state: &mut State, node: &SyntaxNode) -> Result<()> {
    drop_named(
        state,
        node,
        SyntaxKind::SEQUENCE_REF,
        "sequence",
        |state, parts| state.find_sequence(parts).map(Object::Sequence),
    )
}

pub(crate) fn drop_indexes(state: &mut State, node: &SyntaxNode) -> Result<()> {
    for reference in children(node, SyntaxKind::INDEX_REF) {
        let parts = path(&reference);
        let holder = state.find_index_by(&parts);
        let Some((table, index)) = holder else {
            if state.drop_gap(&parts) || has(node, SyntaxKind::IF_EXISTS) {
                continue;
            }
            return Err(no_index(node, &parts.join(".")));
        };
        let relation = state.table(&table);
        let of_constraint = relation
            .constraints
            .iter()
            .any(|other| other.name == index && other.kind.has_index());
        if of_constraint {
            return Err(
                Refused::error(node, format!("the constraint {index} needs this index"))
                    .hint("drop the constraint instead"),
            );
        }
        let mut targets = vec![Object::Index(table.clone(), index.clone())];
        targets.extend(
            state
                .partition_indexes(&table, &index)
                .into_iter()
                .map(|(table, index)| Object::Index(table, index)),
        );
        state.drop_objects(node, &targets)?;
    }
    Ok(())
}

pub(crate) fn drop_schemas(state: &mut State, node: &SyntaxNode) -> Result<()> {
    for schema in child_names(node, SyntaxKind::SCHEMA_REF) {
        if !state.schemas().contains(&schema) {
            if has(node, SyntaxKind::IF_EXISTS) {
                continue;
            }
            return Err(Refused::new(node, format!("there is no schema {schema}"))
                .hint("check the spelling, and whether an earlier migration creates it"));
        }
        let is_inside = |name: &&Name| name.schema == schema;
        let relations = state.catalog().relations.keys().filter(is_inside);
        let sequences = state.catalog().sequences.keys().filter(is_inside);
        let types = state.catalog().types.keys().filter(is_inside);
        let collations = state.collations().filter(is_inside);
        let functions = state.functions().values().flatten();
        let functions = functions.filter(|function| is_inside(&&function.name));
        let inside: Vec<Object> = relations
            .map(|name| Object::Relation(name.clone()))
            .chain(sequences.map(|name| Object::Sequence(name.clone())))
            .chain(types.map(|name| Object::Type(name.clone())))
            .chain(collations.map(|name| Object::Collation(name.clone())))
            .chain(functions.map(|function| {
                Object::Routine(function.name.clone(), function.argument_types.clone())
            }))
            .collect();
        if !inside.is_empty() && !cascades(node) {
            return Err(
                Refused::error(node, format!("the schema {schema} is not empty"))
                    .hint("empty it first, or add CASCADE"),
            );
        }
        let here = state.extensions_in(&schema);
        if !here.is_empty() && !cascades(node) {
            let why = format!("an extension is in the schema {schema}");
            return Err(Refused::error(node, why).hint("drop it first, or add CASCADE"));
        }
        for extension in here {
            drop_installed(state, node, &extension)?;
        }
        state.drop_objects(node, &inside)?;
        state.drop_schema(&schema);
    }
    Ok(())
}

/// Applies DROP FUNCTION, which drops the callers of the function only with CASCADE.
pub(crate) fn drop_functions(state: &mut State, node: &SyntaxNode) -> Result<()> {
    let kinds = [
        SyntaxKind::AGGREGATE,
        SyntaxKind::FUNCTION_SIG,
        SyntaxKind::PROCEDURE_SIG,
        SyntaxKind::ROUTINE_SIG,
    ];
    for signature in kinds.into_iter().flat_map(|kind| below(node, kind)) {
        let parts = signature.children().next().map(|name| path(&name));
        let parts = parts.unwrap_or_default();
        state.drop_routine_gap(&parts);
        let Ok((key, position)) = state.find_function(&signature) else {
            continue;
        };
        let overloads = state.overloads(&key);
        let Some(function) = overloads.get(position) else {
            continue;
        };
        let routine = Object::Routine(function.name.clone(), function.argument_types.clone());
        if cascades(node) {
            state.drop_objects(node, &[routine])?;
        } else {
            state.remove_object(&routine);
        }
    }
    Ok(())
}

pub(crate) fn drop_extension(state: &mut State, node: &SyntaxNode) -> Result<()> {
    for extension in child_names(node, SyntaxKind::EXTENSION_REF) {
        if !state.catalog().extensions.contains(&extension) {
            if has(node, SyntaxKind::IF_EXISTS) {
                continue;
            }
            return Err(Refused::new(
                node,
                format!("the extension {extension} is not installed"),
            ));
        }
        drop_installed(state, node, &extension)?;
    }
    Ok(())
}

fn drop_installed(state: &mut State, node: &SyntaxNode, extension: &str) -> Result<()> {
    let members = extension::members(extension);
    let types: Vec<_> = members
        .types
        .iter()
        .flat_map(|member| {
            let types = state.catalog().types.values();
            types.filter(move |found| {
                found.name.name == *member && found.kind == crate::TypeKind::External
            })
        })
        .map(|found| Object::Type(found.name.clone()))
        .collect();
    let functions = members.functions.iter();
    let mut targets = types;
    targets.extend(functions.map(|function| Object::Function((*function).to_owned())));
    for relation in state.catalog().relations.values() {
        for index in &relation.indexes {
            let uses = index
                .operator_classes()
                .any(|class| members.operator_classes.contains(&class));
            if uses && !cascades(node) {
                return Err(
                    Refused::error(node, format!("the index {} needs it", index.name))
                        .hint("drop the index first, or add CASCADE"),
                );
            }
            if uses {
                targets.push(Object::Index(relation.name.clone(), index.name.clone()));
            }
        }
    }
    if !members.is_known && cascades(node) {
        return Err(Refused::new(
            node,
            format!(
                "the objects of the extension {extension} are not known, so what CASCADE drops is not known either"
            ),
        ));
    }
    state.drop_objects(node, &targets)?;
    if extension == "postgis" {
        let is_its = |gap: &crate::gap::Gap| {
            gap.kind == GapKind::Table && gap.name.name == "spatial_ref_sys"
        };
        state.drop_gaps(is_its);
    }
    state.remove_extension(extension);
    Ok(())
}

//! Privileges on objects, and the defaults of ALTER DEFAULT PRIVILEGES for new objects.

use std::collections::BTreeSet;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::Name;
use crate::gap::GapKind;
use crate::privilege::{PUBLIC_ROLE, Privilege, Privileges};
use crate::replay::state::State;

/// The kinds of objects whose privileges are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Table,
    Sequence,
    Schema,
    Routine,
}

/// An object. A function is identified by its key and position.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Relation(Name),
    Sequence(Name),
    Schema(String),
    Routine(String, usize),
}

/// One ALTER DEFAULT PRIVILEGES statement.
#[derive(Debug, Clone)]
pub(crate) struct Default {
    pub(crate) kind: Kind,
    /// Empty for all schemas.
    pub(crate) schemas: Vec<String>,
    pub(crate) grants: Vec<Privilege>,
    pub(crate) revokes: Vec<Privilege>,
    /// The reason why it is not known whether this default applies to the migrations' objects.
    pub(crate) unknown: Option<String>,
}

impl Default {
    pub(crate) fn rename_schema(&mut self, from: &str, to: &str) {
        for schema in self.schemas.iter_mut().filter(|schema| *schema == from) {
            to.clone_into(schema);
        }
    }
}

impl State {
    /// Adds a default of ALTER DEFAULT PRIVILEGES.
    pub(crate) fn add_default(&mut self, default: Default) {
        self.defaults.push(default);
    }

    /// Revokes the privileges that earlier defaults grant.
    pub(crate) fn revoke_default(
        &mut self,
        kind: Kind,
        schemas: &[String],
        privileges: &[Privilege],
    ) {
        for known in &mut self.defaults {
            if known.kind == kind && known.schemas == schemas {
                let grants = &mut known.grants;
                grants
                    .retain(|granted| !privileges.iter().any(|line| line.has_same_target(granted)));
            }
        }
    }

    pub(crate) fn all_objects(&self) -> Vec<(Name, Target)> {
        let catalog = &self.catalog;
        let relations = catalog.relations.keys();
        let relations =
            relations.map(|relation| (relation.clone(), Target::Relation(relation.clone())));
        let sequences = catalog.sequences.keys();
        let sequences =
            sequences.map(|sequence| (sequence.clone(), Target::Sequence(sequence.clone())));
        let routines = self.functions.iter().flat_map(|(key, overloads)| {
            let overloads = overloads.iter().enumerate();
            overloads.map(|(position, function)| {
                (
                    function.name.clone(),
                    Target::Routine(key.clone(), position),
                )
            })
        });
        let schemas = catalog.schemas.keys().map(|schema| {
            let label = Name {
                schema: schema.clone(),
                name: String::new(),
            };
            (label, Target::Schema(schema.clone()))
        });
        relations
            .chain(sequences)
            .chain(routines)
            .chain(schemas)
            .collect()
    }

    pub(crate) fn privileges_of(&mut self, target: &Target) -> Option<&mut Privileges> {
        let catalog = &mut self.catalog;
        match target {
            Target::Relation(name) => {
                Some(&mut catalog.relations.get_mut(name)?.attached.privileges)
            }
            Target::Sequence(name) => Some(&mut catalog.sequences.get_mut(name)?.privileges),
            Target::Schema(name) if catalog.schemas.contains_key(name) => {
                Some(catalog.schema_privileges.entry(name.clone()).or_default())
            }
            Target::Schema(_) => None,
            Target::Routine(key, position) => {
                let function = self.functions.get_mut(key)?.get_mut(*position)?;
                Some(&mut function.routine.as_mut()?.privileges)
            }
        }
    }

    /// Returns the existing objects, before a statement that may create more.
    pub(crate) fn objects_before(&self, node: &SyntaxNode) -> Option<BTreeSet<Name>> {
        use SyntaxKind as K;
        let makes = match node.kind() {
            K::CREATE_TABLE
            | K::CREATE_FOREIGN_TABLE
            | K::CREATE_TABLE_AS
            | K::SELECT_INTO
            | K::CREATE_VIEW
            | K::CREATE_MATERIALIZED_VIEW
            | K::CREATE_SEQUENCE
            | K::CREATE_SCHEMA
            | K::CREATE_FUNCTION
            | K::CREATE_PROCEDURE
            | K::CREATE_AGGREGATE => true,
            // A new column may create a sequence. A rename creates no object.
            K::ALTER_TABLE => !node
                .children()
                .any(|action| matches!(action.kind(), K::TABLE_RENAME_TO | K::SET_SCHEMA)),
            _ => false,
        };
        if self.defaults.is_empty() || !makes {
            return None;
        }
        let all = self.all_objects().into_iter();
        Some(
            all.map(|(name, target)| self.label(&name, &target))
                .collect(),
        )
    }

    /// Returns a unique name of an object, which for a function includes its signature.
    fn label(&self, name: &Name, target: &Target) -> Name {
        let mut label = name.clone();
        if let Target::Routine(key, position) = target
            && let Some(function) = self
                .functions
                .get(key)
                .and_then(|overloads| overloads.get(*position))
        {
            let types = function.argument_types.iter();
            let types: Vec<String> = types.map(|one| one.of_signature().sql()).collect();
            label.name = format!("{}({})", label.name, types.join(", "));
        }
        label
    }

    /// Grants the default privileges to new objects.
    pub(crate) fn give_defaults(&mut self, before: &BTreeSet<Name>) {
        let new: Vec<(Name, Target)> = self
            .all_objects()
            .into_iter()
            .filter(|(name, target)| !before.contains(&self.label(name, target)))
            .collect();
        let defaults = self.defaults.clone();
        for (name, target) in new {
            let kind = kind_of(&target);
            for default in defaults.iter().filter(|default| default.kind == kind) {
                let applies = default.schemas.is_empty() || default.schemas.contains(&name.schema);
                if let Some(why) = default.unknown.as_ref().filter(|_| applies) {
                    let object = match &target {
                        Target::Schema(schema) => Name {
                            schema: schema.clone(),
                            name: String::new(),
                        },
                        _ => name.clone(),
                    };
                    self.note_gap(GapKind::Privileges, object, None, why);
                    continue;
                }
                let Some(privileges) = self.privileges_of(&target).filter(|_| applies) else {
                    continue;
                };
                for line in &default.grants {
                    change(privileges, line.clone(), kind, false, false);
                }
                for line in &default.revokes {
                    change(privileges, line.clone(), kind, true, false);
                }
            }
        }
    }
}

pub(crate) fn kind_of(target: &Target) -> Kind {
    match target {
        Target::Relation(_) => Kind::Table,
        Target::Sequence(_) => Kind::Sequence,
        Target::Schema(_) => Kind::Schema,
        Target::Routine(..) => Kind::Routine,
    }
}

pub(crate) fn change(
    privileges: &mut Privileges,
    line: Privilege,
    kind: Kind,
    is_revoke: bool,
    is_option: bool,
) {
    // PUBLIC has EXECUTE on every new function.
    let is_initial = kind == Kind::Routine && line.role == PUBLIC_ROLE;
    if is_option {
        for privilege in &mut privileges.granted {
            privilege.grantable &= !privilege.has_same_target(&line);
        }
    } else if is_revoke && is_initial {
        privileges.add(Privilege {
            revoked: true,
            grantable: false,
            ..line
        });
    } else if is_revoke || is_initial {
        // REVOKE on a table also revokes the privilege on its columns.
        privileges.granted.retain(|privilege| {
            let is_it = (&privilege.role, &privilege.privilege) == (&line.role, &line.privilege);
            !(is_it && (line.column.is_none() || privilege.column == line.column))
        });
    } else {
        privileges.add(line);
    }
}

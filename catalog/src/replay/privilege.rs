//! GRANT, REVOKE, and what ALTER DEFAULT PRIVILEGES gives to new objects.

use std::collections::BTreeSet;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::refusal::{Refused, Result};
use super::tree::{below, child, children, name, path, tokens};
use crate::Name;
use crate::privilege::{PUBLIC_ROLE, Privilege, Privileges};

/// The kinds of objects whose privileges are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Table,
    Sequence,
    Schema,
    Routine,
}

/// An object; a function by its key and place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Relation(Name),
    Sequence(Name),
    Schema(String),
    Routine(String, usize),
}

/// One line of ALTER DEFAULT PRIVILEGES.
#[derive(Debug, Clone)]
pub(super) struct Default {
    kind: Kind,
    /// Empty for all of them.
    schemas: Vec<String>,
    gives: Vec<Privilege>,
    takes: Vec<Privilege>,
}

impl Default {
    pub(super) fn rename_schema(&mut self, from: &str, to: &str) {
        for schema in self.schemas.iter_mut().filter(|schema| *schema == from) {
            to.clone_into(schema);
        }
    }
}

impl Replay {
    /// GRANT and REVOKE of privileges on objects; of roles nothing is kept.
    pub(super) fn grant(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        let Some(objects) = child(node, K::ON_PRIVILEGE_OBJECTS_CLAUSE) else {
            return Ok(());
        };
        let Some(objects) = objects.children().next() else {
            return Ok(());
        };
        let (kind, targets) = self.granted_objects(&objects);
        let Some(kind) = kind else {
            return Ok(());
        };
        for target in targets {
            let kind = match target {
                // A sequence can be named where a table is.
                Target::Sequence(_) => Kind::Sequence,
                _ => kind,
            };
            let lines = lines(node, kind)?;
            let is_revoke = node.kind() == K::REVOKE;
            let is_option = below(node, K::GRANT_OPTION_FOR).next().is_some();
            if let Some(privileges) = self.privileges_of(&target) {
                for line in lines {
                    change(privileges, line, kind, is_revoke, is_option);
                }
            }
        }
        Ok(())
    }

    fn granted_objects(&self, objects: &SyntaxNode) -> (Option<Kind>, Vec<Target>) {
        use SyntaxKind as K;
        let tables = |kind: SyntaxKind| {
            below(objects, kind)
                .map(|reference| path(&reference))
                .collect::<Vec<_>>()
        };
        match objects.kind() {
            K::PRIVILEGE_DEFAULT | K::PRIVILEGE_TABLE => {
                let mut names = tables(K::RELATION_NAME_REF);
                names.extend(tables(K::TABLE_NAME_REF));
                let targets = names.iter().filter_map(|parts| {
                    let table = self.find_relation(parts).map(Target::Relation);
                    table.or_else(|| self.find_sequence(parts).map(Target::Sequence))
                });
                (Some(Kind::Table), targets.collect())
            }
            K::PRIVILEGE_SEQUENCE => {
                let names = tables(K::SEQUENCE_REF);
                let targets = names.iter().filter_map(|parts| self.find_sequence(parts));
                (
                    Some(Kind::Sequence),
                    targets.map(Target::Sequence).collect(),
                )
            }
            K::PRIVILEGE_SCHEMA => {
                let schemas = below(objects, K::SCHEMA_REF).map(|schema| name(&schema));
                (Some(Kind::Schema), schemas.map(Target::Schema).collect())
            }
            K::PRIVILEGE_FUNCTION | K::PRIVILEGE_PROCEDURE | K::PRIVILEGE_ROUTINE => {
                let signatures = objects
                    .descendants()
                    .filter(|part| super::routine::is_signature(part.kind()));
                let targets = signatures.filter_map(|signature| {
                    let (key, place) = self.find_form(&signature).ok()?;
                    Some(Target::Routine(key, place))
                });
                (Some(Kind::Routine), targets.collect())
            }
            K::PRIVILEGE_ALL_TABLES_IN_SCHEMA => {
                (Some(Kind::Table), self.all_in(objects, Kind::Table))
            }
            K::PRIVILEGE_ALL_SEQUENCES_IN_SCHEMA => {
                (Some(Kind::Sequence), self.all_in(objects, Kind::Sequence))
            }
            K::PRIVILEGE_ALL_FUNCTIONS_IN_SCHEMA
            | K::PRIVILEGE_ALL_PROCEDURES_IN_SCHEMA
            | K::PRIVILEGE_ALL_ROUTINES_IN_SCHEMA => {
                (Some(Kind::Routine), self.all_in(objects, Kind::Routine))
            }
            // Of databases, types, languages, .. nothing is kept.
            _ => (None, Vec::new()),
        }
    }

    fn all_in(&self, objects: &SyntaxNode, kind: Kind) -> Vec<Target> {
        let schemas: Vec<String> = below(objects, SyntaxKind::SCHEMA_REF)
            .map(|schema| name(&schema))
            .collect();
        let all = self.all_objects().into_iter();
        all.filter(|(own, target)| schemas.contains(&own.schema) && kind_of(target) == kind)
            .map(|(_, target)| target)
            .collect()
    }

    fn all_objects(&self) -> Vec<(Name, Target)> {
        let catalog = &self.catalog;
        let relations = catalog.relations.keys();
        let relations = relations.map(|own| (own.clone(), Target::Relation(own.clone())));
        let sequences = catalog.sequences.keys();
        let sequences = sequences.map(|own| (own.clone(), Target::Sequence(own.clone())));
        let routines = self.functions.iter().flat_map(|(key, forms)| {
            let forms = forms.iter().enumerate();
            forms.map(|(place, form)| (form.name.clone(), Target::Routine(key.clone(), place)))
        });
        let schemas = catalog.schemas.keys().map(|schema| {
            let own = Name {
                schema: schema.clone(),
                name: String::new(),
            };
            (own, Target::Schema(schema.clone()))
        });
        relations
            .chain(sequences)
            .chain(routines)
            .chain(schemas)
            .collect()
    }

    fn privileges_of(&mut self, target: &Target) -> Option<&mut Privileges> {
        let catalog = &mut self.catalog;
        match target {
            Target::Relation(own) => Some(&mut catalog.relations.get_mut(own)?.attached.privileges),
            Target::Sequence(own) => Some(&mut catalog.sequences.get_mut(own)?.privileges),
            Target::Schema(own) if catalog.schemas.contains_key(own) => {
                Some(catalog.schema_privileges.entry(own.clone()).or_default())
            }
            Target::Schema(_) => None,
            Target::Routine(key, place) => {
                let form = self.functions.get_mut(key)?.get_mut(*place)?;
                Some(&mut form.routine.as_mut()?.privileges)
            }
        }
    }

    /// ALTER DEFAULT PRIVILEGES of the role that runs the migrations.
    pub(super) fn default_privileges(&mut self, node: &SyntaxNode) -> Result<()> {
        use SyntaxKind as K;
        if let Some(roles) = child(node, K::FOR_ROLES) {
            let is_own = below(&roles, K::ROLE_NAME_REF).next().is_none();
            if !is_own {
                return Err(Refused::new(
                    node,
                    "whether the role that this is for makes the later objects is not known",
                ));
            }
        }
        let kind = node.descendants().find_map(|part| match part.kind() {
            K::PRIVILEGE_TARGET_TABLES => Some(Kind::Table),
            K::PRIVILEGE_TARGET_SEQUENCES => Some(Kind::Sequence),
            K::PRIVILEGE_TARGET_SCHEMAS => Some(Kind::Schema),
            K::PRIVILEGE_TARGET_FUNCTIONS | K::PRIVILEGE_TARGET_ROUTINES => Some(Kind::Routine),
            _ => None,
        });
        let Some(kind) = kind else {
            return Ok(());
        };
        let schemas = child(node, K::IN_SCHEMAS);
        let schemas: Vec<String> = schemas
            .iter()
            .flat_map(|schemas| below(schemas, K::SCHEMA_REF))
            .map(|schema| name(&schema))
            .collect();
        let lines = lines(node, kind)?;
        let is_revoke = below(node, K::REVOKE_DEFAULT_PRIVILEGES).next().is_some();
        if !is_revoke {
            self.defaults.push(Default {
                kind,
                schemas,
                gives: lines,
                takes: Vec::new(),
            });
            return Ok(());
        }
        for known in &mut self.defaults {
            if known.kind == kind && known.schemas == schemas {
                known
                    .gives
                    .retain(|own| !lines.iter().any(|line| line.is_for_the_same(own)));
            }
        }
        // What everybody has from the start is taken away for all schemas only.
        if schemas.is_empty() && kind == Kind::Routine {
            self.defaults.push(Default {
                kind,
                schemas,
                gives: Vec::new(),
                takes: lines,
            });
        }
        Ok(())
    }

    /// What is there, before a statement that may make more.
    pub(super) fn objects_before(&self, node: &SyntaxNode) -> Option<BTreeSet<Name>> {
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
            // A new column may bring a sequence; another name makes nothing new.
            K::ALTER_TABLE => !node
                .children()
                .any(|action| matches!(action.kind(), K::TABLE_RENAME_TO | K::SET_SCHEMA)),
            _ => false,
        };
        if self.defaults.is_empty() || !makes {
            return None;
        }
        let all = self.all_objects().into_iter();
        Some(all.map(|(own, target)| self.label(&own, &target)).collect())
    }

    /// What tells an object from all others: of a function its signature too.
    fn label(&self, own: &Name, target: &Target) -> Name {
        let mut label = own.clone();
        if let Target::Routine(key, place) = target
            && let Some(form) = self.functions.get(key).and_then(|forms| forms.get(*place))
        {
            let types = form.argument_types.iter();
            let types: Vec<String> = types.map(|one| one.of_signature().sql()).collect();
            label.name = format!("{}({})", label.name, types.join(", "));
        }
        label
    }

    /// Gives to new objects what they have by default.
    pub(super) fn give_defaults(&mut self, before: &BTreeSet<Name>) {
        let new: Vec<(Name, Target)> = self
            .all_objects()
            .into_iter()
            .filter(|(own, target)| !before.contains(&self.label(own, target)))
            .collect();
        let defaults = self.defaults.clone();
        for (own, target) in new {
            let kind = kind_of(&target);
            for default in defaults.iter().filter(|default| default.kind == kind) {
                let is_here = default.schemas.is_empty() || default.schemas.contains(&own.schema);
                let Some(privileges) = self.privileges_of(&target).filter(|_| is_here) else {
                    continue;
                };
                for line in &default.gives {
                    change(privileges, line.clone(), kind, false, false);
                }
                for line in &default.takes {
                    change(privileges, line.clone(), kind, true, false);
                }
            }
        }
    }
}

fn kind_of(target: &Target) -> Kind {
    match target {
        Target::Relation(_) => Kind::Table,
        Target::Sequence(_) => Kind::Sequence,
        Target::Schema(_) => Kind::Schema,
        Target::Routine(..) => Kind::Routine,
    }
}

/// What ALL means.
fn all(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Table => &[
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
            "TRUNCATE",
            "REFERENCES",
            "TRIGGER",
        ],
        Kind::Sequence => &["SELECT", "UPDATE", "USAGE"],
        Kind::Schema => &["CREATE", "USAGE"],
        Kind::Routine => &["EXECUTE"],
    }
}

/// The privileges that a statement names, for each of its roles.
fn lines(node: &SyntaxNode, kind: Kind) -> Result<Vec<Privilege>> {
    use SyntaxKind as K;
    let grantable = below(node, K::GRANT_OPTION).next().is_some();
    let mut what: Vec<(String, Option<String>)> = Vec::new();
    let commands: Vec<SyntaxNode> = below(node, K::REVOKE_COMMAND).collect();
    for command in &commands {
        let columns = child(command, K::COLUMN_REF_LIST);
        let columns: Vec<String> = columns
            .iter()
            .flat_map(|list| children(list, K::COLUMN_NAME_REF))
            .map(|column| name(&column))
            .collect();
        let word = tokens(command).next();
        let word = word.map(|word| word.text().to_ascii_uppercase());
        let word = word.unwrap_or_default();
        let words: Vec<String> = if word == "ALL" {
            let of_columns = ["SELECT", "INSERT", "UPDATE", "REFERENCES"];
            let all = if columns.is_empty() {
                all(kind)
            } else {
                &of_columns[..]
            };
            all.iter().map(|word| (*word).to_owned()).collect()
        } else {
            vec![word]
        };
        for word in words.into_iter().filter(|word| word != "MAINTAIN") {
            if columns.is_empty() {
                what.push((word, None));
            } else {
                let columns = columns.iter().cloned();
                what.extend(columns.map(|column| (word.clone(), Some(column))));
            }
        }
    }
    if commands.is_empty() {
        let columns: Vec<String> = below(node, K::COLUMN_REF_LIST)
            .flat_map(|list| children(&list, K::COLUMN_NAME_REF).collect::<Vec<_>>())
            .map(|column| name(&column))
            .collect();
        if columns.is_empty() {
            what.extend(all(kind).iter().map(|word| ((*word).to_owned(), None)));
        }
        for column in columns {
            let all = ["SELECT", "INSERT", "UPDATE", "REFERENCES"].into_iter();
            what.extend(all.map(|word| (word.to_owned(), Some(column.clone()))));
        }
    }
    let mut lines = Vec::new();
    let list = below(node, K::ROLE_REF_LIST).last();
    for role in list.iter().flat_map(|list| below(list, K::ROLE_REF)) {
        // The role that runs this owns what it makes.
        if below(&role, K::ROLE_NAME_REF).next().is_none() {
            continue;
        }
        let role = name(&role);
        lines.extend(what.iter().map(|(privilege, column)| Privilege {
            role: role.clone(),
            privilege: privilege.clone(),
            column: column.clone(),
            grantable,
            revoked: false,
        }));
    }
    Ok(lines)
}

fn change(
    privileges: &mut Privileges,
    line: Privilege,
    kind: Kind,
    is_revoke: bool,
    is_option: bool,
) {
    // Everybody has it from the start.
    let is_initial = kind == Kind::Routine && line.role == PUBLIC_ROLE;
    if is_option {
        for own in &mut privileges.granted {
            own.grantable &= !own.is_for_the_same(&line);
        }
    } else if is_revoke && is_initial {
        privileges.add(Privilege {
            revoked: true,
            grantable: false,
            ..line
        });
    } else if is_revoke || is_initial {
        // Of a table's privilege, those on its columns go along.
        privileges.granted.retain(|own| {
            let is_it = (&own.role, &own.privilege) == (&line.role, &line.privilege);
            !(is_it && (line.column.is_none() || own.column == line.column))
        });
    } else {
        privileges.add(line);
    }
}

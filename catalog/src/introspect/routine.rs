//! Functions, procedures and aggregates.

use serde::Deserialize;

use super::data_type::data_type;
use super::name;
use crate::attached::Code;
use crate::privilege::{PUBLIC_ROLE, Privilege, Privileges};
use crate::routine::{Argument, Body, Mode, Routine, RoutineKind, Volatility};
use crate::{Catalog, DataType};

/// Routines, without those of extensions and the constructors of range types.
pub(super) const ROUTINES: &str = r"
    SELECT n.nspname::text AS schema, p.proname::text AS name, p.prokind::text AS kind, l.lanname::text AS language,
        CASE WHEN p.prokind = 'a' THEN NULL ELSE p.prosrc END AS source, pg_get_function_sqlbody(p.oid) AS sql_body,
        p.provolatile::text AS volatility, p.proisstrict AS strict, p.prosecdef AS security_definer,
        p.proleakproof AS leakproof, p.proparallel::text AS parallel, p.proretset AS returns_set,
        coalesce(ARRAY(SELECT s FROM unnest(p.proconfig) s ORDER BY s), '{}') AS settings,
        rn.nspname::text AS result_schema, r.typname::text AS result, (re.oid IS NOT NULL) AS result_is_array,
        coalesce(p.proargmodes::text[], '{}') AS modes, coalesce(p.proargnames, '{}') AS names,
        a.schemas AS type_schemas, a.names AS type_names, a.arrays AS type_arrays, a.defaults,
        s.proname::text AS transition, fi.proname::text AS final, g.agginitval AS initial,
        format_type(g.aggtranstype, NULL) AS state, pg_get_userbyid(p.proowner)::text AS owner,
        p.proacl IS NOT NULL AS has_privileges,
        ARRAY(SELECT CASE WHEN a.grantee = 0 THEN 'public' ELSE pg_get_userbyid(a.grantee)::text END
            FROM aclexplode(p.proacl) a WHERE a.grantee <> p.proowner ORDER BY 1) AS grantees,
        ARRAY(SELECT pg_get_userbyid(a.grantee)::text FROM aclexplode(p.proacl) a
            WHERE a.grantee <> p.proowner AND a.is_grantable) AS grantees_with_grant_option, obj_description(p.oid, 'pg_proc') AS comment
    FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_language l ON l.oid = p.prolang
    JOIN pg_type rt ON rt.oid = p.prorettype
    LEFT JOIN pg_type re ON re.typarray = rt.oid
    JOIN pg_type r ON r.oid = coalesce(re.oid, rt.oid)
    JOIN pg_namespace rn ON rn.oid = r.typnamespace
    LEFT JOIN pg_aggregate g ON g.aggfnoid = p.oid
    LEFT JOIN pg_proc s ON s.oid = g.aggtransfn
    LEFT JOIN pg_proc fi ON fi.oid = g.aggfinalfn
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(tn.nspname::text ORDER BY k.position), '{}') AS schemas,
            coalesce(array_agg(t.typname::text ORDER BY k.position), '{}') AS names,
            coalesce(array_agg(e.oid IS NOT NULL ORDER BY k.position), '{}') AS arrays,
            coalesce(array_agg(pg_get_function_arg_default(p.oid, k.position::int) ORDER BY k.position), '{}') AS defaults
        FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY k (type, position)
        JOIN pg_type o ON o.oid = k.type
        LEFT JOIN pg_type e ON e.typarray = o.oid
        JOIN pg_type t ON t.oid = coalesce(e.oid, o.oid)
        JOIN pg_namespace tn ON tn.oid = t.typnamespace
    ) a
    WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
    ORDER BY 1, 2, p.oid";

#[derive(Deserialize)]
pub(super) struct RoutineRow {
    schema: String,
    name: String,
    kind: String,
    language: String,
    source: Option<String>,
    sql_body: Option<String>,
    volatility: String,
    strict: bool,
    security_definer: bool,
    leakproof: bool,
    parallel: String,
    returns_set: bool,
    settings: Vec<String>,
    result_schema: String,
    result: String,
    result_is_array: bool,
    modes: Vec<String>,
    names: Vec<String>,
    type_schemas: Vec<String>,
    type_names: Vec<String>,
    type_arrays: Vec<bool>,
    defaults: Vec<Option<String>>,
    transition: Option<String>,
    #[serde(rename = "final")]
    last: Option<String>,
    initial: Option<String>,
    state: Option<String>,
    owner: String,
    has_privileges: bool,
    grantees: Vec<String>,
    grantees_with_grant_option: Vec<String>,
    comment: Option<String>,
}

pub(super) fn add(catalog: &mut Catalog, rows: &[RoutineRow]) {
    catalog.routines = rows.iter().map(RoutineRow::routine).collect();
    catalog.sort_routines();
}

impl RoutineRow {
    fn routine(&self) -> Routine {
        let arguments: Vec<Argument> = (0..self.type_names.len())
            .map(|position| self.argument(position))
            .collect();
        let has_result_columns = arguments
            .iter()
            .any(|argument| matches!(argument.mode, Mode::Out | Mode::InOut | Mode::Table));
        let result = self.result_type();
        Routine {
            name: name(&self.schema, &self.name),
            kind: match self.kind.as_str() {
                "p" => RoutineKind::Procedure,
                "a" => RoutineKind::Aggregate,
                "w" => RoutineKind::Window,
                _ => RoutineKind::Function,
            },
            arguments,
            result: (!has_result_columns && self.kind != "p").then_some(result),
            returns_set: self.returns_set,
            language: self.language.clone(),
            body: self.body(),
            volatility: match self.volatility.as_str() {
                "i" => Volatility::Immutable,
                "s" => Volatility::Stable,
                _ => Volatility::Volatile,
            },
            strict: self.strict,
            security_definer: self.security_definer,
            leakproof: self.leakproof,
            parallel: match self.parallel.as_str() {
                "s" => "safe",
                "r" => "restricted",
                _ => "unsafe",
            }
            .to_owned(),
            settings: self.settings.clone(),
            comment: self.comment.clone(),
            privileges: self.privileges(),
        }
    }

    fn privileges(&self) -> Privileges {
        let mut privileges = Privileges {
            owner: Some(self.owner.clone()),
            granted: Vec::new(),
        };
        let execute = |role: &str, revoked: bool| Privilege {
            role: role.to_owned(),
            privilege: "EXECUTE".to_owned(),
            column: None,
            grantable: self
                .grantees_with_grant_option
                .iter()
                .any(|grantee| grantee == role),
            revoked,
        };
        // PUBLIC has EXECUTE by default, unless it was revoked.
        let is_public = |role: &String| role == PUBLIC_ROLE;
        if self.has_privileges && !self.grantees.iter().any(is_public) {
            privileges.add(execute(PUBLIC_ROLE, true));
        }
        for role in self.grantees.iter().filter(|role| !is_public(role)) {
            privileges.add(execute(role, false));
        }
        privileges
    }

    fn result_type(&self) -> DataType {
        let dimensions = i32::from(self.result_is_array);
        data_type(&self.result_schema, &self.result, dimensions, None)
    }

    fn argument(&self, position: usize) -> Argument {
        let mode = match self.modes.get(position).map(String::as_str) {
            Some("o") => Mode::Out,
            Some("b") => Mode::InOut,
            Some("v") => Mode::Variadic,
            Some("t") => Mode::Table,
            _ => Mode::In,
        };
        let given = self.names.get(position).filter(|name| !name.is_empty());
        let dimensions = i32::from(self.type_arrays[position]);
        Argument {
            mode,
            name: given.cloned(),
            data_type: data_type(
                &self.type_schemas[position],
                &self.type_names[position],
                dimensions,
                None,
            ),
            default: self.defaults.get(position).cloned().flatten(),
        }
    }

    fn body(&self) -> Body {
        match (&self.source, &self.sql_body) {
            (_, Some(body)) => Body::Sql(Code::stored(body.clone())),
            (Some(source), None) => Body::Text(source.clone()),
            (None, None) => {
                let parts = [
                    ("SFUNC", &self.transition),
                    ("STYPE", &self.state),
                    ("FINALFUNC", &self.last),
                    ("INITCOND", &self.initial),
                ];
                let parts = parts
                    .into_iter()
                    .filter_map(|(word, value)| Some(format!("{word} = {}", value.as_ref()?)));
                Body::Text(parts.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

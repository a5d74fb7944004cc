//! Owners, and the privileges of other roles on tables, columns, sequences and schemas.

use serde::Deserialize;

use super::name;
use crate::Catalog;
use crate::privilege::{Privilege, Privileges};

/// A row for each privilege of a role other than the owner. An object without any has one row, with
/// its owner.
pub(super) const PRIVILEGES: &str = r"
    SELECT n.nspname::text AS schema, c.relname::text AS name, NULL::text AS column_name,
        pg_get_userbyid(c.relowner)::text AS owner,
        CASE WHEN a.grantee = 0 THEN 'public' ELSE pg_get_userbyid(a.grantee)::text END AS role,
        a.privilege_type::text AS privilege, coalesce(a.is_grantable, false) AS grantable
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN LATERAL aclexplode(c.relacl) a ON a.grantee <> c.relowner AND a.privilege_type <> 'MAINTAIN'
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT n.nspname::text, c.relname::text, t.attname::text, pg_get_userbyid(c.relowner)::text,
        CASE WHEN a.grantee = 0 THEN 'public' ELSE pg_get_userbyid(a.grantee)::text END,
        a.privilege_type::text, a.is_grantable
    FROM pg_attribute t
    JOIN pg_class c ON c.oid = t.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN LATERAL aclexplode(t.attacl) a ON a.grantee <> c.relowner
    WHERE NOT t.attisdropped AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT n.nspname::text, NULL, NULL, pg_get_userbyid(n.nspowner)::text,
        CASE WHEN a.grantee = 0 THEN 'public' ELSE pg_get_userbyid(a.grantee)::text END,
        a.privilege_type::text, coalesce(a.is_grantable, false)
    FROM pg_namespace n
    LEFT JOIN LATERAL aclexplode(n.nspacl) a ON a.grantee <> n.nspowner
    WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'public')";

#[derive(Deserialize)]
pub(super) struct PrivilegeRow {
    schema: String,
    name: Option<String>,
    column_name: Option<String>,
    owner: String,
    role: Option<String>,
    privilege: Option<String>,
    grantable: bool,
}

/// Adds the privileges to the objects, which are already in the catalog.
pub(super) fn add(catalog: &mut Catalog, rows: &[PrivilegeRow]) {
    for row in rows {
        let privileges: Option<&mut Privileges> = match &row.name {
            None if catalog.schemas.contains_key(&row.schema) => Some(
                catalog
                    .schema_privileges
                    .entry(row.schema.clone())
                    .or_default(),
            ),
            None => None,
            Some(object) => {
                let full = name(&row.schema, object);
                let relation = catalog.relations.get_mut(&full);
                let relation = relation.map(|found| &mut found.attached.privileges);
                let sequence = catalog.sequences.get_mut(&full);
                relation.or(sequence.map(|found| &mut found.privileges))
            }
        };
        let Some(privileges) = privileges else {
            continue;
        };
        privileges.owner = Some(row.owner.clone());
        if let (Some(role), Some(privilege)) = (&row.role, &row.privilege) {
            privileges.add(Privilege {
                role: role.clone(),
                privilege: privilege.clone(),
                column: row.column_name.clone(),
                grantable: row.grantable,
                revoked: false,
            });
        }
    }
}

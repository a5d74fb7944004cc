//! The role, its limits, the server's settings and clock, and the migrations that have run.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bowline::__generated::migrating::Bookkeeping;
use bowline::{Session, SqlState, StatementDsl as _, sql_query};
use diesel::sql_types::{BigInt, Bool, Double, Integer, Text};

use super::finding::Finding;
use super::server::{AREA, Connected};
use crate::error::CliError;
use crate::migrations::Tool;
use crate::project::Project;
use crate::ui::counted;

/// The row of one query.
#[derive(bowline::Row)]
struct Facts {
    #[diesel(sql_type = Integer)]
    pid: i32,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Bool)]
    is_superuser: bool,
    #[diesel(sql_type = Text)]
    schema: String,
    #[diesel(sql_type = Bool)]
    may_create: bool,
    #[diesel(sql_type = Integer)]
    role_limit: i32,
    #[diesel(sql_type = Integer)]
    max_connections: i32,
    #[diesel(sql_type = Integer)]
    reserved: i32,
    #[diesel(sql_type = BigInt)]
    in_use: i64,
    #[diesel(sql_type = BigInt)]
    statement_timeout: i64,
    #[diesel(sql_type = BigInt)]
    idle_timeout: i64,
    #[diesel(sql_type = Bool)]
    is_read_only: bool,
    #[diesel(sql_type = Bool)]
    is_standby: bool,
    #[diesel(sql_type = Text)]
    encoding: String,
    #[diesel(sql_type = Double)]
    clock: f64,
    /// The number of tables whose policies do not apply to the role.
    #[diesel(sql_type = BigInt)]
    bypassed: i64,
}

// Only some roles may see the type of other roles' sessions. A client's session has a database and
// a user.
const QUERY: &str = "
    SELECT pg_backend_pid() AS pid,
           current_user::text AS role,
           rolsuper AS is_superuser,
           coalesce(current_schema()::text, '') AS schema,
           coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
           rolconnlimit AS role_limit,
           current_setting('max_connections')::int AS max_connections,
           current_setting('superuser_reserved_connections')::int
               + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
           (SELECT count(*) FROM pg_stat_activity
             WHERE pid <> pg_backend_pid()
               AND coalesce(backend_type = 'client backend', datid IS NOT NULL AND usesysid IS NOT NULL)) AS in_use,
           (SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout') AS statement_timeout,
           (SELECT setting::bigint FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout') AS idle_timeout,
           current_setting('default_transaction_read_only')::bool AS is_read_only,
           pg_is_in_recovery() AS is_standby,
           current_setting('server_encoding') AS encoding,
           extract(epoch FROM clock_timestamp())::float8 AS clock,
           (SELECT count(*) FROM pg_class
             WHERE relrowsecurity
               AND (rolsuper OR rolbypassrls OR NOT relforcerowsecurity AND pg_has_role(relowner, 'USAGE'))) AS bypassed
      FROM pg_roles
     WHERE rolname = current_user";

/// The default of `Config::max_size`.
const POOL: i32 = 10;

pub(super) fn check(connected: &mut Connected, project: Option<&Project>) -> Vec<Finding> {
    let session = &mut connected.session;
    let mut findings = Vec::new();
    let read = facts(session).and_then(|facts| Ok((facts, round_trip(session)?)));
    let ((facts, clock), round_trip) = match read {
        Ok(read) => read,
        Err(error) => return vec![Finding::problem(AREA, error)],
    };
    findings.push(Finding::ok(
        AREA,
        format!("a round trip takes {round_trip:.1?}"),
    ));
    if facts.pid != session.backend_pid() {
        findings.push(Finding::warning(
            AREA,
            "the connection goes through a pooler: the server process has changed since the start",
            "use Config::pooler(true) in the application, and run migrations on a direct connection",
        ));
    }
    findings.push(clock);
    findings.push(rights(&facts));
    findings.push(connections(&facts));
    findings.extend(settings(&facts));
    findings.extend(project.and_then(|project| migrations(session, project, &facts.role)));
    findings
}

/// Reads the facts, and compares the server's clock.
fn facts(session: &mut Session) -> Result<(Facts, Finding), CliError> {
    let before = now();
    let facts = session.run(sql_query(QUERY).one::<Facts>())?;
    let after = now();
    // The server read its clock between `before` and `after`.
    let off = if facts.clock < before {
        before - facts.clock
    } else {
        (facts.clock - after).max(0.0)
    };
    let clock = if off < 1.0 {
        Finding::ok(AREA, "its clock agrees with this machine's")
    } else {
        Finding::warning(
            AREA,
            format!("its clock differs from this machine's by {off:.0} s"),
            "synchronize both with a time server (timedatectl set-ntp true); certificates and now() depend on it",
        )
    };
    Ok((facts, clock))
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

/// Returns the shortest of a few round trips.
fn round_trip(session: &mut Session) -> Result<Duration, CliError> {
    let mut shortest = Duration::MAX;
    for _ in 0..5 {
        let began = Instant::now();
        session.run(sql_query("SELECT 1").affected())?;
        shortest = shortest.min(began.elapsed());
    }
    Ok(shortest)
}

fn rights(facts: &Facts) -> Finding {
    let Facts { role, schema, .. } = facts;
    if facts.is_superuser {
        Finding::ok(
            AREA,
            format!("{role} is a superuser, which an application does not need"),
        )
    } else if facts.may_create {
        Finding::ok(
            AREA,
            format!("{role} may create tables in the schema {schema}"),
        )
    } else if schema.is_empty() {
        Finding::warning(
            AREA,
            format!("{role} cannot create tables: no schema of its search_path exists"),
            format!("as an administrator: ALTER ROLE {role} SET search_path = public"),
        )
    } else {
        Finding::warning(
            AREA,
            format!(
                "{role} may not create tables in the schema {schema}, so it cannot run migrations"
            ),
            format!(
                "as the owner of the schema: GRANT CREATE ON SCHEMA {schema} TO {role}; or run them as another role"
            ),
        )
    }
}

fn connections(facts: &Facts) -> Finding {
    let reserved = if facts.is_superuser {
        0
    } else {
        facts.reserved
    };
    let mut limit = facts.max_connections - reserved;
    if facts.role_limit >= 0 {
        limit = limit.min(facts.role_limit);
    }
    let in_use = facts.in_use;
    let found = format!(
        "at most {limit} connections, {in_use} in use; a pool opens up to {POOL} (Config::max_size)"
    );
    if i64::from(limit) - in_use < i64::from(POOL) {
        Finding::warning(
            AREA,
            found,
            "lower Config::max_size, or raise max_connections on the server",
        )
    } else {
        Finding::ok(AREA, found)
    }
}

/// Checks settings of the server, the database or the role that can surprise an application.
fn settings(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut warn =
        |found: String, remedy: &str| findings.push(Finding::warning(AREA, found, remedy));
    let milliseconds = |value: i64| Duration::from_millis(value.unsigned_abs());
    if facts.statement_timeout > 0 {
        warn(
            format!(
                "statement_timeout cancels statements that take longer than {:?}",
                milliseconds(facts.statement_timeout)
            ),
            "where a migration or a report needs longer: SET LOCAL statement_timeout = 0",
        );
    }
    if facts.idle_timeout > 0 {
        warn(
            format!(
                "idle_in_transaction_session_timeout ends sessions that are idle in a transaction for longer than {:?}",
                milliseconds(facts.idle_timeout)
            ),
            "do nothing slow between two statements of a transaction",
        );
    }
    if facts.bypassed > 0 {
        warn(
            format!(
                "{} sees all rows of {} with row level security, because policies do not apply to superusers, to roles with \
                 BYPASSRLS, and to owners",
                facts.role,
                counted(
                    usize::try_from(facts.bypassed).unwrap_or(usize::MAX),
                    "table"
                )
            ),
            "let the application connect as another role, or ALTER TABLE .. FORCE ROW LEVEL SECURITY for owners",
        );
    }
    if facts.is_standby {
        warn(
            "the server is a standby, which is read-only".to_owned(),
            "list all servers in the connection string, with target_session_attrs=read-write",
        );
    } else if facts.is_read_only {
        warn(
            "default_transaction_read_only is on, so writes fail".to_owned(),
            "check the settings of the role and the database: \\drds in psql lists them",
        );
    }
    if facts.encoding != "UTF8" {
        warn(
            format!(
                "the database's encoding is {}, which cannot store every text",
                facts.encoding
            ),
            "create it with UTF8: CREATE DATABASE .. ENCODING 'UTF8' TEMPLATE template0",
        );
    }
    findings
}

/// Returns the versions that have run, in order.
fn ran(session: &mut Session) -> bowline::Result<Vec<String>> {
    match Bookkeeping::find(session)? {
        Some(table) => Ok(table
            .recorded(session)?
            .into_iter()
            .filter(|recorded| !recorded.is_unfinished)
            .map(|recorded| recorded.version)
            .collect()),
        None => Ok(Vec::new()),
    }
}

/// Compares the migrations of the folder with those that have run.
fn migrations(session: &mut Session, project: &Project, role: &str) -> Option<Finding> {
    let migrations = project.read_migrations().ok()?;
    if migrations
        .iter()
        .any(|migration| migration.tool != Tool::Diesel)
    {
        // Their tool knows which have run.
        return None;
    }
    let ran = match ran(session) {
        Ok(ran) => ran,
        Err(error) if error.sqlstate() == Some(SqlState::INSUFFICIENT_PRIVILEGE) => {
            return Some(Finding::warning(
                AREA,
                format!("cannot read which migrations have run: {}", error.message()),
                format!(
                    "as the owner of the table: GRANT SELECT ON __diesel_schema_migrations TO {role}"
                ),
            ));
        }
        Err(error) => return Some(Finding::problem(AREA, error.into())),
    };
    let has_run = |version: &str| ran.iter().any(|ran| ran == version);
    let pending: Vec<&str> = migrations
        .iter()
        .filter(|migration| !has_run(&migration.version))
        .map(|migration| migration.name.as_str())
        .collect();
    let is_known = |version: &str| migrations.iter().any(|known| known.version == version);
    let ahead: Vec<&str> = ran
        .iter()
        .map(String::as_str)
        .filter(|version| !is_known(version))
        .collect();
    Some(if !ahead.is_empty() {
        Finding::warning(
            AREA,
            format!(
                "migrations have run that are not in the folder: {}",
                listed(&ahead)
            ),
            "check out the version of the code that has them",
        )
    } else if pending.is_empty() {
        let number = counted(ran.len(), "migration");
        Finding::ok(
            AREA,
            format!("all migrations of the folder have run: {number}"),
        )
    } else {
        Finding::warning(
            AREA,
            format!(
                "{} pending: {}",
                counted(pending.len(), "migration"),
                listed(&pending)
            ),
            "run `bowline migrate run`",
        )
    })
}

/// Lists the first names.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = names
        .iter()
        .take(SHOWN)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

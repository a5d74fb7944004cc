//! What the server says of the role, of its limits, of its clock and of the migrations.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bowline::{Session, SqlState, StatementDsl as _, sql};
use diesel::sql_types::{BigInt, Bool, Double, Integer, Text};

use super::finding::Finding;
use super::server::{AREA, Connected};
use crate::error::CliError;
use crate::migrations::read_folder;
use crate::project::Project;
use crate::ui::counted;

/// What one question tells.
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
}

// Of the sessions of other roles, only some roles are told the type; those of clients have a database and a user.
const QUESTION: &str = "
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
           extract(epoch FROM clock_timestamp())::float8 AS clock
      FROM pg_roles
     WHERE rolname = current_user";

/// How many sessions a pool opens unless `Config::max_size` says otherwise.
const POOL: i32 = 10;

pub(super) fn look(connected: &mut Connected, project: Option<&Project>) -> Vec<Finding> {
    let session = &mut connected.session;
    let mut findings = Vec::new();
    let asked = facts(session).and_then(|facts| Ok((facts, round_trip(session)?)));
    let ((facts, clock), round_trip) = match asked {
        Ok(asked) => asked,
        Err(error) => return vec![Finding::problem(AREA, error)],
    };
    findings.push(Finding::ok(
        AREA,
        format!("a round trip takes {round_trip:.1?}"),
    ));
    if facts.pid != session.backend_pid() {
        findings.push(Finding::warning(
            AREA,
            "a pooler stands in between: the server's process is another than the one that answered first",
            "Config::pooler(true) in the application; run the migrations past the pooler",
        ));
    }
    findings.push(clock);
    findings.push(rights(&facts));
    findings.push(room(&facts));
    findings.extend(settings(&facts));
    findings.extend(project.and_then(|project| migrations(session, project, &facts.role)));
    findings
}

/// The facts, and how the server's clock differs.
fn facts(session: &mut Session) -> Result<(Facts, Finding), CliError> {
    let before = now();
    let facts = session.run(sql(QUESTION).one::<Facts>())?;
    let after = now();
    // The server read its clock at some moment in between.
    let off = if facts.clock < before {
        before - facts.clock
    } else {
        (facts.clock - after).max(0.0)
    };
    let clock = if off < 1.0 {
        Finding::ok(AREA, "its clock and this one agree")
    } else {
        Finding::warning(
            AREA,
            format!("its clock and this one are {off:.0} s apart"),
            "let both follow a time server (timedatectl set-ntp true); certificates and now() depend on it",
        )
    };
    Ok((facts, clock))
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

/// The shortest of a few.
fn round_trip(session: &mut Session) -> Result<Duration, CliError> {
    let mut shortest = Duration::MAX;
    for _ in 0..5 {
        let began = Instant::now();
        session.run(sql("SELECT 1").affected())?;
        shortest = shortest.min(began.elapsed());
    }
    Ok(shortest)
}

fn rights(facts: &Facts) -> Finding {
    let Facts { role, schema, .. } = facts;
    if facts.is_superuser {
        Finding::ok(
            AREA,
            format!("{role} is a superuser, which an application need not be"),
        )
    } else if facts.may_create {
        Finding::ok(
            AREA,
            format!("{role} may make tables in the schema {schema}"),
        )
    } else if schema.is_empty() {
        Finding::warning(
            AREA,
            format!(
                "{role} has no schema to make tables in: its search_path names none that is there"
            ),
            format!("as an administrator: ALTER ROLE {role} SET search_path = public"),
        )
    } else {
        Finding::warning(
            AREA,
            format!(
                "{role} may not make tables in the schema {schema}, so it cannot run migrations"
            ),
            format!(
                "as the owner of the schema: GRANT CREATE ON SCHEMA {schema} TO {role}; or run them as another role"
            ),
        )
    }
}

fn room(facts: &Facts) -> Finding {
    let reserved = if facts.is_superuser {
        0
    } else {
        facts.reserved
    };
    let mut room = facts.max_connections - reserved;
    if facts.role_limit >= 0 {
        room = room.min(facts.role_limit);
    }
    let in_use = facts.in_use;
    let said = format!(
        "{room} connections at most, {in_use} in use; a pool opens up to {POOL} (Config::max_size)"
    );
    if i64::from(room) - in_use < i64::from(POOL) {
        Finding::warning(
            AREA,
            said,
            "lower Config::max_size, or raise max_connections on the server",
        )
    } else {
        Finding::ok(AREA, said)
    }
}

/// Settings of the server, the database or the role that an application may stumble over.
fn settings(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut warn =
        |found: String, remedy: &str| findings.push(Finding::warning(AREA, found, remedy));
    let milliseconds = |value: i64| Duration::from_millis(value.unsigned_abs());
    if facts.statement_timeout > 0 {
        warn(
            format!(
                "statement_timeout ends what takes longer than {:?}",
                milliseconds(facts.statement_timeout)
            ),
            "in a migration or a report that needs longer: SET LOCAL statement_timeout = 0",
        );
    }
    if facts.idle_timeout > 0 {
        warn(
            format!(
                "idle_in_transaction_session_timeout ends a session that waits within a transaction for longer than {:?}",
                milliseconds(facts.idle_timeout)
            ),
            "do nothing slow between two statements of a transaction",
        );
    }
    if facts.is_standby {
        warn(
            "the server is a standby, which takes no writes".to_owned(),
            "name all servers, and say target_session_attrs=read-write in the connection string",
        );
    } else if facts.is_read_only {
        warn(
            "default_transaction_read_only is on, so writes fail".to_owned(),
            "look at ALTER ROLE .. SET and ALTER DATABASE .. SET: \\drds in psql lists them",
        );
    }
    if facts.encoding != "UTF8" {
        warn(
            format!(
                "the database's encoding is {}, and not every text fits in it",
                facts.encoding
            ),
            "CREATE DATABASE .. ENCODING 'UTF8' TEMPLATE template0",
        );
    }
    findings
}

#[derive(bowline::Row)]
struct Ran {
    #[diesel(sql_type = Text)]
    version: String,
}

/// The migrations of the folder, beside those that the database has run.
fn migrations(session: &mut Session, project: &Project, role: &str) -> Option<Finding> {
    let migrations = read_folder(&project.migrations).ok()?;
    let table =
        sql("SELECT version::text AS version FROM __diesel_schema_migrations ORDER BY version");
    let ran = match session.run(table.all::<Ran>()) {
        Ok(ran) => ran,
        Err(error) if error.sqlstate() == Some(SqlState::UNDEFINED_TABLE) => Vec::new(),
        Err(error) if error.sqlstate() == Some(SqlState::INSUFFICIENT_PRIVILEGE) => {
            return Some(Finding::warning(
                AREA,
                format!(
                    "which migrations have run cannot be seen: {}",
                    error.message()
                ),
                format!(
                    "as the owner of the table: GRANT SELECT ON __diesel_schema_migrations TO {role}"
                ),
            ));
        }
        Err(error) => return Some(Finding::problem(AREA, error.into())),
    };
    let has_run = |version: &str| ran.iter().any(|ran| ran.version == version);
    let pending: Vec<&str> = migrations
        .iter()
        .filter(|migration| !has_run(&migration.version))
        .map(|migration| migration.name.as_str())
        .collect();
    let is_known = |version: &str| migrations.iter().any(|known| known.version == version);
    let ahead: Vec<&str> = ran
        .iter()
        .map(|ran| ran.version.as_str())
        .filter(|version| !is_known(version))
        .collect();
    Some(if !ahead.is_empty() {
        Finding::warning(
            AREA,
            format!(
                "the database has run migrations that are not in the folder: {}",
                listed(&ahead)
            ),
            "get the version of the code that has them",
        )
    } else if pending.is_empty() {
        let number = counted(ran.len(), "migration");
        Finding::ok(AREA, format!("all of the folder has run: {number}"))
    } else {
        Finding::warning(
            AREA,
            format!(
                "{} not run yet: {}",
                counted(pending.len(), "migration"),
                listed(&pending)
            ),
            "run `bowline migrate run`",
        )
    })
}

/// The first of them.
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

//! Whether a pooler (PgBouncer, say) stands between the command and the server.

use bowline::{Session, StatementDsl as _};
use diesel::sql_types::Integer;

/// A pooler makes up the number by which a client names its session, and in transaction mode the server's own one
/// changes from transaction to transaction.
pub(crate) fn is_behind_one(session: &mut Session) -> bowline::Result<bool> {
    #[derive(diesel::QueryableByName)]
    struct Backend {
        #[diesel(sql_type = Integer)]
        pid: i32,
    }
    let told = session.backend_pid();
    let asked =
        session.run(bowline::sql("SELECT pg_catalog.pg_backend_pid() AS pid").one::<Backend>())?;
    Ok(asked.pid != told)
}

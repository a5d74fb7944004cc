//! The names of a configuration's server and database, for programs that print where they connect
//! to.

use super::Config;
use crate::error::Result;

impl Config {
    /// Returns the name of the database that a session would use, including what a service file and
    /// the environment add.
    pub fn database_name(&self) -> Result<String> {
        let complete = self.complete_parameters()?;
        let get = |name: &str| complete.get(name).filter(|value| !value.is_empty());
        // As in libpq, the default is the database named like the role.
        let name = get("dbname").or_else(|| get("user"));
        Ok(name.cloned().unwrap_or_default())
    }

    /// Returns true if the connection string, a method call or the environment, as far as it was
    /// read, names a database.
    ///
    /// If they do not, libpq uses the database named like the role.
    pub fn names_database(&self) -> bool {
        let name = self.parameters.get("dbname");
        name.is_some_and(|name| !name.is_empty())
    }

    /// Returns the server as text: `db.example.com:5432`, or the directory of its socket. Several
    /// servers are all named.
    pub fn server_name(&self) -> Result<String> {
        let parameters = self.connection_parameters()?.values;
        let get = |name: &str| parameters.get(name).filter(|value| !value.is_empty());
        let host = get("host").or_else(|| get("hostaddr"));
        let host = host.map_or("this machine", String::as_str);
        let port = get("port").map_or("5432", String::as_str);
        Ok(format!("{host}:{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_without_its_secrets() {
        let config =
            Config::from_url("postgres://ann:s3cret@db.example.com:6432/bank").expect("a good URL");
        assert_eq!(config.database_name().expect("a name"), "bank");
        assert_eq!(config.server_name().expect("a name"), "db.example.com:6432");
    }

    #[test]
    fn an_unnamed_database_is_that_of_the_role() {
        let config = Config::from_url("postgres://ann@db.example.com").expect("a good URL");
        assert_eq!(config.database_name().expect("a name"), "ann");
        assert!(!config.names_database());
        assert!(config.dbname("ann").names_database());
    }
}

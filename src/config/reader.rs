//! The configuration of a reader's sessions, derived from that of its database.

use std::collections::BTreeMap;

use super::Config;

/// What sessions of a reader have unless [`Config::reader_parameter`] sets another value: standbys
/// first, in a random order, so that all of them are used (PostgreSQL manual, 34.1.2).
const DEFAULTS: [(&str, &str); 2] = [
    ("target_session_attrs", "prefer-standby"),
    ("load_balance_hosts", "random"),
];

impl Config {
    /// Sets a parameter of libpq that only the sessions of
    /// [`Database::reader`](crate::Database::reader) have, in place of that of the database.
    ///
    /// For standbys that have a name or port of their own (`host`, `port`), or for a reader that
    /// must not fall back to the primary: `target_session_attrs`, which is `prefer-standby` unless
    /// set, as `standby`. The hosts of a list are tried in a random order unless
    /// `load_balance_hosts` is `disable`.
    ///
    /// ```
    /// let config = bowline::Config::from_url("postgres://ann@db1,db2,db3/bank?target_session_attrs=read-write")?
    ///     .reader_parameter("target_session_attrs", "standby");
    /// # Ok::<(), bowline::Error>(())
    /// ```
    pub fn reader_parameter(mut self, name: &str, value: impl Into<String>) -> Self {
        self.reader_parameters.insert(name.to_owned(), value.into());
        self
    }

    /// Returns the configuration of the sessions of a reader.
    ///
    /// Behind a pooler a default for transactions would come too late for the transaction that sets
    /// it, so the transaction itself is made read only.
    pub(crate) fn for_reader(&self) -> Self {
        let defaults = DEFAULTS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut parameters: BTreeMap<_, _> = self.parameters.clone();
        parameters.extend(defaults);
        parameters.extend(self.reader_parameters.clone());
        // Names that belong to the database's own hosts do not belong to others.
        let names_host = self.reader_parameters.contains_key("host");
        if names_host && !self.reader_parameters.contains_key("hostaddr") {
            parameters.remove("hostaddr");
        }
        let reader = Self {
            parameters,
            is_reader: true,
            ..self.clone()
        };
        let setting = if self.is_pooled() {
            "transaction_read_only"
        } else {
            "default_transaction_read_only"
        };
        reader.with_option(setting, "on")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_reader(url: &str) -> Config {
        Config::from_url(url).expect("a good URL").for_reader()
    }

    #[test]
    fn a_reader_prefers_standbys_of_the_same_hosts() {
        let reader = of_reader("postgres://ann@db1,db2/bank?target_session_attrs=read-write");
        let get = |name: &str| reader.parameters[name].as_str();
        assert_eq!(get("host"), "db1,db2");
        assert_eq!(get("target_session_attrs"), "prefer-standby");
        assert_eq!(get("load_balance_hosts"), "random");
        assert!(get("options").ends_with("-c default_transaction_read_only=on"));
    }

    #[test]
    fn parameters_of_the_reader_replace_those_of_the_database() {
        let config = Config::from_url("host=db1 hostaddr=192.0.2.1 dbname=bank").expect("good");
        let config = config
            .reader_parameter("host", "replicas")
            .reader_parameter("target_session_attrs", "standby");
        let reader = config.for_reader();
        assert_eq!(reader.parameters["host"], "replicas");
        assert_eq!(reader.parameters["target_session_attrs"], "standby");
        assert!(!reader.parameters.contains_key("hostaddr"));
        assert_eq!(config.parameters["host"], "db1");
    }

    #[test]
    fn behind_a_pooler_each_transaction_is_read_only() {
        let reader = Config::new().pooler(true).for_reader();
        let settings = reader.settings();
        let last = settings.last().expect("a setting");
        assert_eq!(
            (last.0.as_str(), last.1.as_str()),
            ("transaction_read_only", "on")
        );
    }
}

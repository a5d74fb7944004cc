//! A first project with Bowline, from an empty folder to a typed insert and find: every command,
//! and its output.

use std::time::Instant;

use crate::scratch::{Scratch, checkout};

const ACCOUNTS: &str = "\
CREATE TABLE accounts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username text NOT NULL UNIQUE,
    balance bigint NOT NULL DEFAULT 0 CHECK (balance >= 0)
);
";

const MAIN: &str = "\
mod db;

use bowline::{Config, Result};
use db::{Account, AccountConstraint, NewAccount};

fn main() -> Result<()> {
    let db = Config::from_env()?.migrations(db::MIGRATIONS).open()?;
    let new = || NewAccount { username: \"ann\".into() };
    let ann = db.run(Account::insert(new()))?;
    println!(\"{ann:?}\");
    let found = db.run(Account::find_by_username(\"ann\"))?;
    assert_eq!(found, Some(ann));
    let error = db.run(Account::insert(new())).expect_err(\"there is one\");
    assert_eq!(error.constraint(), Some(AccountConstraint::UsernameKey));
    println!(\"{error}\");
    Ok(())
}
";

/// A record of the commands and their output.
struct Transcript {
    shop: Scratch,
    /// The variables of the shell.
    variables: Vec<(String, String)>,
    text: String,
    commands: usize,
}

impl Transcript {
    fn record(&mut self, typed: &str, printed: &str) {
        self.commands += 1;
        let printed = printed.strip_suffix("exit 0").expect(printed);
        self.text.push_str(&format!("$ {typed}\n{printed}\n"));
    }

    fn writes(&mut self, path: &str, text: &str) {
        self.shop.write(path, text);
        self.text.push_str(&format!("--- {path}\n{text}\n"));
    }

    fn bowline(&mut self, arguments: &str) -> String {
        let words: Vec<&str> = arguments.split(' ').collect();
        let printed = self.shop.bowline(&words, &self.variables());
        self.record(&format!("bowline {arguments}"), &printed);
        printed
    }

    fn cargo(&mut self, arguments: &str) {
        let words: Vec<&str> = arguments.split(' ').collect();
        let printed = self.shop.cargo(&words, &self.variables());
        self.record(&format!("cargo {arguments}"), &printed);
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        let variables = self.variables.iter();
        variables
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }
}

impl Drop for Transcript {
    fn drop(&mut self) {
        self.shop.bowline(&["server", "stop"], &[]);
    }
}

#[test]
fn from_nothing_to_a_typed_insert_and_find() {
    let began = Instant::now();
    let (shop, printed) = Scratch::begin("shop");
    let mut transcript = Transcript {
        shop,
        variables: crate::generate::with_a_server(),
        text: String::new(),
        commands: 0,
    };
    transcript.record("cargo new shop && cd shop", &printed);
    transcript.bowline("init");
    let up = transcript.bowline("new create_accounts");
    let up = up
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("wrote "));
    transcript.writes(up.expect("the file of the migration"), ACCOUNTS);
    transcript.bowline("generate");
    let started = transcript
        .shop
        .bowline(&["server", "start"], &transcript.variables());
    // The shell reads the first line, which is on standard output. The rest is for the user.
    let (url, printed) = started.split_once('\n').expect("a URL");
    let url = url.to_owned();
    transcript.record("export DATABASE_URL=$(bowline server start)", printed);
    transcript.variables.push(("DATABASE_URL".to_owned(), url));
    transcript.bowline("migrate run");
    transcript.writes("src/main.rs", MAIN);
    transcript.cargo("run");
    eprintln!("{} commands, {:.1?}", transcript.commands, began.elapsed());
    let text = without_what_varies(&transcript.text);
    insta::assert_snapshot!(format!("{text}{} commands", transcript.commands));
}

/// Removes times and the path of this checkout.
fn without_what_varies(text: &str) -> String {
    let text = text.replace(&checkout().display().to_string(), "[bowline]");
    let version = regex::Regex::new(r"\d{4}-\d\d-\d\d-\d{6}_").expect("a pattern");
    let took = regex::Regex::new(r"\(\d+(\.\d+)?(µs|ms|s)\)").expect("a pattern");
    let text = version.replace_all(&text, "[now]_");
    let server = regex::Regex::new(r"PostgreSQL [0-9.]+").expect("a pattern");
    let text = took.replace_all(&text, "([time])");
    server
        .replace_all(&text, "PostgreSQL [version]")
        .into_owned()
}

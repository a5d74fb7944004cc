//! The errors of the first five minutes, as a person reads them.
//!
//! Each is made by a real server, a real file or a real network, once through the library and once through the command;
//! both have to say the same, and neither may say the password.

mod access;
mod encryption;
mod network;
mod settings;

use std::error::Error as _;

use bowline::{Config, Session};

use crate::Project;

/// A part of each password that is used here.
const PASSWORD: &str = "s3cret";

/// What is said of each case, under its title.
struct Said {
    project: Project,
    text: String,
    /// What differs from run to run, with what stands for it.
    varies: Vec<(String, &'static str)>,
}

impl Said {
    fn new() -> Self {
        Self {
            project: Project::new(&[("migrations/1_a/up.sql", "CREATE TABLE a (id int);")]),
            text: String::new(),
            varies: Vec::new(),
        }
    }

    /// Shows this text as that.
    fn redact(&mut self, text: impl Into<String>, shown: &'static str) {
        self.varies.push((text.into(), shown));
    }

    /// What both say of a connection string.
    fn of_url(&mut self, title: &str, url: &str) {
        let by_library = library(url);
        self.of_command(title, &[("DATABASE_URL", url)]);
        let by_command = self.text.rsplit("\n\n").next().unwrap_or_default();
        let by_command = by_command.split_once('\n').expect("a title").1;
        assert_eq!(self.shown(&by_library), by_command.trim_end(), "{title}");
    }

    /// What the command says in this environment.
    fn of_command(&mut self, title: &str, environment: &[(&str, &str)]) {
        let said = self.project.said(&["migrate", "status"], environment);
        let said = said
            .strip_suffix("\nexit 1")
            .unwrap_or_else(|| panic!("{title}: {said}"));
        assert!(!said.contains(PASSWORD), "{title}: {said}");
        let said = self.shown(said);
        self.text.push_str(&format!("\n\n# {title}\n{said}"));
    }

    fn shown(&self, said: &str) -> String {
        let varies = self.varies.iter();
        varies.fold(said.to_owned(), |said, (text, shown)| {
            said.replace(text, shown)
        })
    }

    fn text(&self) -> &str {
        self.text.trim_start()
    }
}

/// What an application would print that prints an error and its hint.
fn library(url: &str) -> String {
    let refused = Config::from_url(url).and_then(|config| Session::connect(&config));
    let error = refused.expect_err("it is refused");
    let mut told = format!("{error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(deeper) = cause {
        told.push_str(&format!("{deeper} {deeper:?}"));
        cause = deeper.source();
    }
    assert!(!told.contains(PASSWORD), "{told}");
    let hint = error.hint().expect("a remedy");
    format!("error: failed to {error}\nhint: {hint}")
        .replace("the connection string cannot", "DATABASE_URL cannot")
}

//! The errors of the first five minutes, as a person reads them.
//!
//! Each is made by a real server, a real file or a real network, once through the library and once
//! through the command; both must print the same, and neither may show the password.

mod access;
mod encryption;
mod network;
mod settings;

use std::error::Error as _;

use bowline::{Config, Session};

use crate::Project;

/// A part of each password that is used here.
const PASSWORD: &str = "s3cret";

/// The output of each case, under its title.
struct Said {
    project: Project,
    text: String,
    /// Texts that differ from run to run, with their placeholders.
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

    /// Returns the message of both for a connection string.
    fn of_url(&mut self, title: &str, url: &str) {
        let by_library = library(url);
        self.of_command(title, &[("DATABASE_URL", url)]);
        let by_command = self.text.rsplit("\n\n").next().unwrap_or_default();
        let by_command = by_command.split_once('\n').expect("a title").1;
        assert_eq!(self.shown(&by_library), by_command.trim_end(), "{title}");
    }

    /// Returns the output of the command in this environment.
    fn of_command(&mut self, title: &str, environment: &[(&str, &str)]) {
        let printed = self.project.printed(&["migrate", "status"], environment);
        let printed = printed
            .strip_suffix("\nexit 1")
            .unwrap_or_else(|| panic!("{title}: {printed}"));
        assert!(!printed.contains(PASSWORD), "{title}: {printed}");
        let printed = self.shown(printed);
        self.text.push_str(&format!("\n\n# {title}\n{printed}"));
    }

    fn shown(&self, printed: &str) -> String {
        let varies = self.varies.iter();
        varies.fold(printed.to_owned(), |printed, (text, shown)| {
            printed.replace(text, shown)
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
    let mut reported = format!("{error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(deeper) = cause {
        reported.push_str(&format!("{deeper} {deeper:?}"));
        cause = deeper.source();
    }
    assert!(!reported.contains(PASSWORD), "{reported}");
    let hint = error.hint().expect("a remedy");
    format!("error: {error}\nhint: {hint}")
        .replace("the connection string cannot", "DATABASE_URL cannot")
}

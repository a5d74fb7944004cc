//! The errors that new users meet first.
//!
//! Each is caused by a server, a file or a network, once through the library and once through the
//! command. Both must print the same error, without the password.

mod access;
mod encryption;
mod network;
mod settings;

use std::error::Error as _;

use bowline::{Config, Session};

use crate::Project;

/// A part of each password in these tests.
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

    /// Replaces this text with a placeholder.
    fn redact(&mut self, text: impl Into<String>, shown: &'static str) {
        self.varies.push((text.into(), shown));
    }

    /// Adds the message for a connection string, which the library and the command have to share.
    fn of_url(&mut self, title: &str, url: &str) {
        let by_library = library(url);
        self.of_command(title, &[("DATABASE_URL", url)]);
        let by_command = self.text.rsplit("\n\n").next().unwrap_or_default();
        let by_command = by_command.split_once('\n').expect("a title").1;
        assert_eq!(self.shown(&by_library), by_command.trim_end(), "{title}");
    }

    /// Adds the output of the command with these variables.
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

/// Returns the output of an application that prints an error and its hint.
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

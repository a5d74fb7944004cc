//! `bowline top`: what the sessions of a database do, live in the terminal.

mod sample;
mod table;

use std::io;
use std::time::{Duration, Instant};

use bowline::Session;
use clap::Args;

use crate::connection;
use crate::error::CliError;
use crate::ui::screen::{self, Key, Screen};
use sample::Sample;

/// Show live what the sessions of a database do, and who blocks whom.
///
/// Sorted by what runs longest, with the sessions that wait for a lock under the one that holds it. Each look is one
/// round trip. In a terminal it is drawn anew until q or Ctrl-C; i shows the idle sessions too. Into a pipe it
/// prints one table after the other.
///
/// Example: bowline top --interval 5
#[derive(Debug, Args)]
pub(crate) struct Top {
    /// How long to wait between two looks.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    interval: Duration,
    /// Print one table and end.
    #[arg(long)]
    once: bool,
    /// Print JSON, one line for each look, with all sessions.
    #[arg(long)]
    json: bool,
    /// Show the idle sessions too.
    #[arg(long)]
    idle: bool,
    /// The database; else DATABASE_URL, from the environment or from a file .env, and PG* variables.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

const KEYS: &str = "q ends it, i shows or hides the idle sessions";

/// How long the server may take for one look.
const LIMIT: Duration = Duration::from_secs(10);

pub(crate) fn run(arguments: &Top) -> Result<(), CliError> {
    let config = connection::config(arguments.database_url.as_deref())?;
    let config = config.application_name("bowline top").call_timeout(LIMIT);
    let mut session = connection::connect(&config)?.session;
    let shown = if arguments.once || arguments.json || !screen::is_terminal() {
        print(arguments, &mut session)
    } else {
        show(arguments, &mut session)
    };
    match shown {
        Ok(()) => Ok(()),
        Err(Ended::Failed(error)) => Err(error),
        // A closed output is nobody's failure: there is nobody left to tell.
        Err(Ended::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(Ended::Output(error)) => Err(CliError::failed(format!("failed to print: {error}"))),
    }
}

/// Why it ended without being asked to.
enum Ended {
    Failed(CliError),
    Output(io::Error),
}

/// One look after the other, as they come.
fn print(arguments: &Top, session: &mut Session) -> Result<(), Ended> {
    let mut before: Option<Sample> = None;
    loop {
        let sample = Sample::take(session, before.as_ref())?;
        let text = if arguments.json {
            format!("{}\n", sample.json())
        } else {
            let gap = if before.is_some() { "\n" } else { "" };
            let size = screen::size().map(|(width, _)| (width, usize::MAX));
            gap.to_owned() + &table::table(&sample, arguments.idle, size)
        };
        screen::print(&text)?;
        if arguments.once {
            return Ok(());
        }
        before = Some(sample);
        std::thread::sleep(arguments.interval);
    }
}

/// Draws over the last look, until a key ends it.
fn show(arguments: &Top, session: &mut Session) -> Result<(), Ended> {
    let mut screen = Screen::open()?;
    let mut idle = arguments.idle;
    let mut before: Option<Sample> = None;
    loop {
        let sample = Sample::take(session, before.as_ref())?;
        let next = Instant::now() + arguments.interval;
        loop {
            let size = screen::size().map(|(width, height)| (width, height.saturating_sub(2)));
            let table = table::table(&sample, idle, size);
            screen.draw(&format!("{table}\n\x1b[2m{KEYS}\x1b[0m"))?;
            match screen.key(next)? {
                Some(Key::Quit) => return Ok(()),
                Some(Key::Idle) => idle = !idle,
                Some(Key::Other) => {}
                None => break,
            }
        }
        before = Some(sample);
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    const SHORTEST: f64 = 0.1;
    const LONGEST: f64 = 3600.0;
    match text.parse::<f64>() {
        Ok(seconds) if (SHORTEST..=LONGEST).contains(&seconds) => {
            Ok(Duration::from_secs_f64(seconds))
        }
        _ => Err(format!("give a number from {SHORTEST} to {LONGEST}")),
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<bowline::Error> for Ended {
    fn from(error: bowline::Error) -> Self {
        Self::Failed(error.into())
    }
}

//! Runs the programs of `docs/side-by-side/` and says what became of their work, and in how many round trips.
//!
//! `script/side-by-side` installs what they need and runs this. Each program is given as `NAME=COMMAND`. It is
//! run on a throwaway server, through a proxy that counts, and that cuts the connection where it is to be seen
//! what the program makes of that. What counts is what is in the tables afterwards.

#![expect(clippy::print_stdout, reason = "it tells what it saw")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bowline::testing::{LocalServer, TestDatabase};
use bowline::{Database, StatementDsl as _, sql};
use diesel::sql_types::BigInt;
use testkit::{Direction, Ending, Proxy};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

fn main() -> Result {
    let programs: Vec<String> = std::env::args().skip(1).collect();
    if programs.is_empty() {
        return Err("usage: side_by_side NAME=COMMAND ..".into());
    }
    for program in &programs {
        let (name, command) = program.split_once('=').ok_or("NAME=COMMAND")?;
        println!("\n{name}");
        Program { name, command }.show()?;
    }
    Ok(())
}

/// A program under observation.
struct Program<'a> {
    name: &'a str,
    command: &'a str,
}

/// A database with two accounts of 1000 each, behind a proxy.
struct Bank {
    proxy: Proxy,
    database: TestDatabase,
    db: Database,
}

/// How long a program may take in all.
const PATIENCE: Duration = Duration::from_secs(30);

impl Program<'_> {
    /// The ways in which it can transfer.
    fn ways(&self) -> &'static [&'static str] {
        match self.name {
            "Bowline" => &["transfer", "one-trip"],
            _ => &["transfer"],
        }
    }

    fn show(&self) -> Result {
        self.session()?;
        for way in self.ways() {
            self.round_trips(way)?;
        }
        self.overdraw()?;
        self.race()?;
        self.passed_over()?;
        for way in self.ways() {
            self.lost_answer(way)?;
        }
        self.silence()
    }

    /// Fails where a program does not do what it is there for.
    fn expect(&self, holds: bool, what: &str) -> Result {
        let failed = || format!("{}: {what}", self.name).into();
        if holds { Ok(()) } else { Err(failed()) }
    }

    /// The beginner's session, in a database in which nothing is.
    fn session(&self) -> Result {
        let server = LocalServer::start()?;
        let (maintenance, proxy) = (
            server.config("postgres").open()?,
            Proxy::start_tcp(&server)?,
        );
        let name = format!("side_by_side_{}", std::process::id());
        maintenance.run(sql(format!("CREATE DATABASE {name}")).affected())?;
        let said = self.run(&proxy, &name, "session");
        maintenance.run(sql(format!("DROP DATABASE {name} WITH (FORCE)")).affected())?;
        for line in said?.said.lines() {
            println!("  {line}");
        }
        Ok(())
    }

    /// What one more transfer takes, once all is warm.
    fn round_trips(&self, mode: &str) -> Result {
        let trips = |count: usize| -> Result<usize> {
            let bank = Bank::open()?;
            self.run(
                &bank.proxy,
                bank.database.name(),
                &format!("{mode} {count}"),
            )?;
            if bank.number("SELECT count(*) AS n FROM transfers")? != i64::try_from(count)? {
                return Err(format!("{count} transfers were to be there").into());
            }
            Ok(bank.proxy.take_round_trips())
        };
        let (first, twenty, thirty) = (trips(1)?, trips(20)?, trips(30)?);
        let each = (thirty - twenty) as f64 / 10.0;
        println!("  {mode}: {each} round trips; the first, with connecting: {first}");
        Ok(())
    }

    fn overdraw(&self) -> Result {
        let bank = Bank::open()?;
        let ran = self.run(&bank.proxy, bank.database.name(), "overdraw")?;
        let transfers = bank.number("SELECT count(*) AS n FROM transfers")?;
        self.expect(transfers == 0, "it is overdrawn")?;
        println!(
            "  overdraw: said {:?}; transfers in the table: {transfers}",
            ran.said.trim()
        );
        Ok(())
    }

    /// Four at once, to and fro between two accounts.
    fn race(&self) -> Result {
        let bank = Bank::open()?;
        let ran = self.run(&bank.proxy, bank.database.name(), "race 4 25")?;
        let transfers = bank.number("SELECT count(*) AS n FROM transfers")?;
        let total = bank.number("SELECT sum(balance)::bigint AS n FROM accounts")?;
        self.expect((transfers, total) == (100, 2000), "the race went wrong")?;
        println!(
            "  race: said {:?}; in the table: {transfers}, total {total}",
            ran.said.trim()
        );
        Ok(())
    }

    fn passed_over(&self) -> Result {
        let bank = Bank::open()?;
        let ran = self.run(&bank.proxy, bank.database.name(), "passed-over")?;
        let transfers = bank.number("SELECT count(*) AS n FROM transfers")?;
        println!(
            "  an error passed over: {}; rows in the table: {transfers}",
            ran.said.trim()
        );
        Ok(())
    }

    /// The connection ends when the commit was done, and before its answer is there.
    fn lost_answer(&self, mode: &str) -> Result {
        let mode = format!("{mode} 1");
        let rehearsal = Bank::open()?;
        rehearsal.proxy.record();
        self.run(&rehearsal.proxy, rehearsal.database.name(), &mode)?;
        let all = rehearsal.proxy.passed(Direction::ToClient).bytes;
        let messages = rehearsal.proxy.take_recording();
        let mut from_behind = messages
            .iter()
            .rev()
            .filter(|message| message.direction == Direction::ToClient);
        let mut behind = 0;
        for message in &mut from_behind {
            behind += message.bytes.len() as u64;
            if message.bytes.ends_with(b"COMMIT\0") {
                break;
            }
        }
        let bank = Bank::open()?;
        bank.proxy
            .cut_after(Direction::ToClient, all - behind, Ending::Rst);
        let ran = self.run(&bank.proxy, bank.database.name(), &mode)?;
        let transfers = bank.number("SELECT count(*) AS n FROM transfers")?;
        let connections = bank.proxy.connections();
        let moved_once = ran.said.trim().eq_ignore_ascii_case("moved") && transfers == 1;
        self.expect(connections > 1, "the connection was not cut")?;
        self.expect(moved_once, "a transfer whose answer was lost is not known")?;
        println!(
            "  the answer to COMMIT lost ({mode}): said {:?}, on {connections} connections; in the table: {transfers}",
            ran.said.trim()
        );
        Ok(())
    }

    /// Nothing is passed on any more while it works, and all stays connected.
    fn silence(&self) -> Result {
        let bank = Bank::open()?;
        let begun = Instant::now();
        let ran = thread::scope(|scope| -> Result<Ran> {
            scope.spawn(|| {
                thread::sleep(Duration::from_secs(2));
                bank.proxy.freeze();
            });
            self.run(&bank.proxy, bank.database.name(), "transfer 1000000")
        })?;
        let how = if ran.ended { "gave up" } else { "still waited" };
        println!(
            "  a server that falls silent: {how} after {} s",
            begun.elapsed().as_secs() - 2
        );
        Ok(())
    }

    /// Runs it to its end, or until it is no use to wait any longer.
    fn run(&self, proxy: &Proxy, database: &str, arguments: &str) -> Result<Ran> {
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {} {arguments}", self.command)])
            .env("DATABASE_URL", proxy.url(database))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (mut out, mut err) = (
            child.stdout.take().ok_or("no output")?,
            child.stderr.take().ok_or("no output")?,
        );
        let (out, err) = (
            thread::spawn(move || std::io::read_to_string(&mut out)),
            thread::spawn(move || std::io::read_to_string(&mut err)),
        );
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                break None;
            }
            thread::sleep(Duration::from_millis(10));
        };
        let (out, err) = (
            out.join().map_err(|_| "a panic")??,
            err.join().map_err(|_| "a panic")??,
        );
        let failed = status.is_some_and(|status| !status.success());
        if failed && !arguments.ends_with("1000000") {
            return Err(format!("{} {arguments}: {err}", self.command).into());
        }
        Ok(Ran {
            said: out,
            ended: status.is_some(),
        })
    }
}

struct Ran {
    said: String,
    ended: bool,
}

impl Bank {
    fn open() -> Result<Self> {
        let migrations = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/docs/side-by-side/with-bowline/migrations"
        );
        let database = TestDatabase::create(Path::new(migrations))?;
        let db = database.config().max_size(1).open()?;
        db.run(
            sql("INSERT INTO accounts (username, balance) VALUES ('ann', 1000), ('bob', 1000)")
                .exactly(2),
        )?;
        let proxy = Proxy::start_tcp(&LocalServer::start()?)?;
        Ok(Self {
            proxy,
            database,
            db,
        })
    }

    /// One number from the server, beside the proxy.
    fn number(&self, query: &str) -> Result<i64> {
        #[derive(bowline::Row)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        Ok(self.db.run(sql(query).one::<Row>())?.n)
    }
}

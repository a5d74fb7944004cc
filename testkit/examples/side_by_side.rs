//! Runs the programs of `docs/side-by-side/`: counts their round trips, breaks their connections,
//! checks the tables.
//!
//! `script/side-by-side` builds the programs and runs this. A program is given as `NAME=COMMAND`.
//! It runs on a throwaway server, through a proxy that counts round trips and cuts the connection.

#![expect(clippy::print_stdout, reason = "it prints its observations")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bowline::testing::{LocalServer, TestDatabase};
use bowline::{Database, StatementDsl as _, sql_query};
use diesel::sql_types::BigInt;
use testkit::{Direction, Ending, Latency, Proxy};

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

/// The time limit of a program.
const PATIENCE: Duration = Duration::from_secs(30);

/// The output of the five queries.
const QUERIES: &str = "\
received: b 70 from ann
received: a 5 from ann
received: d 2 from ann
total: bob 77
total: ann 3
largest: 1 1000 Some(70)
withdrawn: Some(900)
forgotten: 2 of 1
forgotten: 1 of 2
";

impl Program<'_> {
    /// Returns the modes in which it can transfer.
    fn ways(&self) -> &'static [&'static str] {
        match self.name {
            "Bowline" => &["transfer", "one-trip"],
            _ => &["transfer"],
        }
    }

    /// Returns the modes in which it can run a transaction of ten writes.
    fn ways_to_write(&self) -> &'static [&'static str] {
        match self.name {
            "tokio-postgres" => &["writes", "writes-pipelined"],
            _ => &["writes"],
        }
    }

    fn show(&self) -> Result {
        self.session()?;
        if self.name != "tokio-postgres" {
            self.queries()?;
        }
        for way in self.ways_to_write() {
            self.writes(way)?;
        }
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

    /// Fails if a program does not do its work.
    fn expect(&self, holds: bool, what: &str) -> Result {
        let failed = || format!("{}: {what}", self.name).into();
        if holds { Ok(()) } else { Err(failed()) }
    }

    /// Runs the beginner's session in an empty database.
    fn session(&self) -> Result {
        let server = LocalServer::start()?;
        let (maintenance, proxy) = (
            server.config("postgres").open()?,
            Proxy::start_tcp(&server)?,
        );
        let name = format!("side_by_side_{}", std::process::id());
        maintenance.run(sql_query(format!("CREATE DATABASE {name}")).affected())?;
        let said = self.run(&proxy, &name, "session");
        maintenance.run(sql_query(format!("DROP DATABASE {name} WITH (FORCE)")).affected())?;
        for line in said?.said.lines() {
            println!("  {line}");
        }
        Ok(())
    }

    /// Runs the five queries: their output is the same with each library.
    fn queries(&self) -> Result {
        let bank = Bank::open()?;
        let transfers = "INSERT INTO transfers (key, sender_id, receiver_id, amount)
            VALUES ('a', 1, 2, 5), ('b', 1, 2, 70), ('c', 2, 1, 3), ('d', 1, 2, 2)";
        bank.db.run(sql_query(transfers).exactly(4))?;
        let ran = self.run(&bank.proxy, bank.database.name(), "queries")?;
        self.expect(ran.said == QUERIES, &format!("other rows:\n{}", ran.said))?;
        println!("  the five queries: as expected");
        Ok(())
    }

    /// Counts the round trips of one more transfer, after the first ones.
    fn round_trips(&self, mode: &str) -> Result {
        let trips = |count| self.trips(mode, count, i64::from(count));
        let (first, twenty, thirty) = (trips(1)?, trips(20)?, trips(30)?);
        let each = (thirty - twenty) as f64 / 10.0;
        println!("  {mode}: {each} round trips; the first, with connecting: {first}");
        Ok(())
    }

    /// Counts the round trips of a run that leaves this many rows.
    fn trips(&self, mode: &str, count: u16, rows: i64) -> Result<usize> {
        let bank = Bank::open()?;
        let arguments = format!("{mode} {count}");
        self.run(&bank.proxy, bank.database.name(), &arguments)?;
        if bank.number("SELECT count(*) AS n FROM transfers")? != rows {
            return Err(format!("{arguments} did not leave {rows} rows").into());
        }
        Ok(bank.proxy.take_round_trips())
    }

    /// Counts and times transactions of ten writes, with the checkout from the pool.
    fn writes(&self, mode: &str) -> Result {
        // One transaction more than `count`, before the time measurement starts.
        let trips = |count: u16| self.trips(mode, count, 10 * i64::from(count + 1));
        let each = (trips(30)? - trips(20)?) as f64 / 10.0;
        let server = LocalServer::start()?;
        let times = [0, 1, 5].map(|milliseconds| -> Result<f64> {
            let latency = Latency::start(&server, Duration::from_millis(milliseconds))?;
            let bank = Bank::open()?;
            let url = latency.url(bank.database.name());
            let ran = self.run_at(&url, &format!("{mode} 100"))?;
            Ok(ran.said.trim().parse::<f64>()? / 1000.0)
        });
        let [none, one, five] = times;
        println!(
            "  {mode}, ten in a transaction: {each} round trips; {:.1}, {:.1} and {:.1} ms at 0, 1 and 5 ms",
            none?, one?, five?
        );
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

    /// Runs four workers at once, in both directions between two accounts.
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

    /// Cuts the connection after the commit, before its answer.
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

    /// Stops all traffic while it works; the connections stay open.
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

    /// Runs the program on a database behind the proxy.
    fn run(&self, proxy: &Proxy, database: &str, arguments: &str) -> Result<Ran> {
        self.run_at(&proxy.url(database), arguments)
    }

    /// Runs the program to its end, or to the limit.
    fn run_at(&self, url: &str, arguments: &str) -> Result<Ran> {
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {} {arguments}", self.command)])
            .env("DATABASE_URL", url)
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
            "/../docs/side-by-side/with-bowline/migrations"
        );
        let database = TestDatabase::create(Path::new(migrations))?;
        let db = database.config().max_size(1).open()?;
        db.run(
            sql_query(
                "INSERT INTO accounts (username, balance) VALUES ('ann', 1000), ('bob', 1000)",
            )
            .exactly(2),
        )?;
        let proxy = Proxy::start_tcp(&LocalServer::start()?)?;
        Ok(Self {
            proxy,
            database,
            db,
        })
    }

    /// Queries one number, not through the proxy.
    fn number(&self, query: &str) -> Result<i64> {
        #[derive(bowline::Row)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        Ok(self.db.run(sql_query(query).one::<Row>())?.n)
    }
}

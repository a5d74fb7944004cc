//! Many processes that lose their server at once, for `script/herd`.
//!
//!     herd PROCESSES SESSIONS
//!
//! The processes reach a server of their own through a door, which notes each attempt to connect.
//! The server is stopped as in a crash, is away for two seconds, and comes back.

#![expect(clippy::print_stdout, reason = "a program that prints its results")]

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bowline::testing::{LocalServer, Shutdown};
use bowline::{Config, sql_query};

/// The time for which the server is away.
const AWAY: Duration = Duration::from_secs(2);

/// The width of a bucket in which attempts to connect are counted.
const BUCKET: Duration = Duration::from_millis(50);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [processes, sessions] => herd(processes.parse()?, sessions.parse()?),
        [url, sessions, child] if child == "child" => animal(url, sessions.parse()?),
        _ => Err("herd PROCESSES SESSIONS".into()),
    }
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// One process: each thread asks again and again. Prints `ready`, and at the end of its input the
/// time at which each thread succeeded first after it had failed or waited.
fn animal(url: &str, sessions: u32) -> Result<(), Box<dyn Error>> {
    let config = Config::from_url(url)?.max_size(sessions);
    let db = config.checkout_timeout(Duration::from_secs(30)).open()?;
    let stop = AtomicBool::new(false);
    let ready = Mutex::new(0);
    let back = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..sessions {
            scope.spawn(|| {
                // All sessions are open before the outage.
                let held = db.session().ok();
                *ready.lock().expect("no panic") += 1;
                while *ready.lock().expect("no panic") < sessions {
                    thread::sleep(Duration::from_millis(5));
                }
                drop(held);
                let (mut was_away, mut is_back) = (false, false);
                while !stop.load(Ordering::SeqCst) {
                    let began = Instant::now();
                    let done = db.run(sql_query("SELECT 1").one::<i32>());
                    was_away |= done.is_err() || began.elapsed() > AWAY / 2;
                    if done.is_ok() && was_away && !is_back {
                        is_back = true;
                        back.lock().expect("no panic").push(now().as_millis());
                    }
                    thread::sleep(Duration::from_millis(20));
                }
            });
        }
        while *ready.lock().expect("no panic") < sessions {
            thread::sleep(Duration::from_millis(5));
        }
        println!("ready");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).ok();
        stop.store(true, Ordering::SeqCst);
    });
    for at in back.into_inner()? {
        println!("{at}");
    }
    Ok(())
}

/// A door to a server: it passes bytes on, or closes a connection while the server is away.
struct Door {
    port: u16,
    /// The times at which clients connected.
    came: Arc<Mutex<Vec<Instant>>>,
}

impl Door {
    fn open(socket: PathBuf) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let came = Arc::<Mutex<Vec<Instant>>>::default();
        let noted = Arc::clone(&came);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                noted.lock().expect("no panic").push(Instant::now());
                if let Ok(server) = UnixStream::connect(&socket) {
                    // A connection that cannot be passed on is closed.
                    pass(client, server).ok();
                }
            }
        });
        Ok(Self { port, came })
    }
}

/// Passes bytes between both, each way in a thread.
fn pass(client: TcpStream, server: UnixStream) -> io::Result<()> {
    client.set_nodelay(true)?;
    let (mut from_client, mut to_client) = (client.try_clone()?, client);
    let (mut from_server, mut to_server) = (server.try_clone()?, server);
    thread::spawn(move || {
        io::copy(&mut from_client, &mut to_server).ok();
        to_server.shutdown(std::net::Shutdown::Both).ok();
    });
    thread::spawn(move || {
        io::copy(&mut from_server, &mut to_client).ok();
        to_client.shutdown(std::net::Shutdown::Both).ok();
    });
    Ok(())
}

struct Animal {
    process: Child,
    input: ChildStdin,
    output: BufReader<std::process::ChildStdout>,
}

fn start(url: &str, sessions: u32) -> Result<Animal, Box<dyn Error>> {
    let mut process = Command::new(std::env::current_exe()?)
        .args([url, &sessions.to_string(), "child"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let input = process.stdin.take().ok_or("no input")?;
    let output = process.stdout.take().ok_or("no output")?;
    Ok(Animal {
        process,
        input,
        output: BufReader::new(output),
    })
}

fn herd(processes: u32, sessions: u32) -> Result<(), Box<dyn Error>> {
    let all = processes * sessions;
    let connections = (all + 20).to_string();
    let server = LocalServer::private(&[("max_connections", &connections)])?;
    let door = Door::open(server.socket())?;
    let url = format!(
        "postgresql://postgres@127.0.0.1:{}/postgres?sslmode=disable",
        door.port
    );
    let mut herd = Vec::new();
    for _ in 0..processes {
        herd.push(start(&url, sessions)?);
    }
    for animal in &mut herd {
        let mut line = String::new();
        animal.output.read_line(&mut line)?;
    }
    println!("{processes} processes with {sessions} sessions each are connected");
    let lost = Instant::now();
    server.shut_down(Shutdown::Immediate)?;
    thread::sleep(AWAY);
    let starts = Instant::now();
    server.start_again()?;
    let (up, up_at) = (Instant::now(), now().as_millis());
    thread::sleep(Duration::from_secs(10));
    let mut back = Vec::new();
    for mut animal in herd {
        animal.input.write_all(b"\n")?;
        drop(animal.input);
        for line in animal.output.lines() {
            back.push(line?.parse::<u128>()?.saturating_sub(up_at));
        }
        animal.process.wait()?;
    }
    back.sort_unstable();
    let came = door.came.lock().expect("no panic");
    let between =
        |from: Instant, to: Instant| came.iter().filter(|at| (from..to).contains(*at)).count();
    let largest = |from: Instant, to: Instant| {
        let mut largest = 0;
        let mut at = from;
        while at < to {
            largest = largest.max(between(at, at + BUCKET));
            at += BUCKET;
        }
        largest
    };
    let settled = lost + Duration::from_millis(500);
    println!(
        "attempts to connect: {} in the first 50 ms after the loss, at most {} in 50 ms until it is back, {:.0} a second once the pauses have grown",
        between(lost, lost + BUCKET),
        largest(lost, up),
        between(settled, starts) as f64 / starts.duration_since(settled).as_secs_f64()
    );
    println!(
        "attempts to connect: at most {} in 50 ms after it is back, {} until all are connected",
        largest(up, up + AWAY),
        between(up, up + Duration::from_secs(9))
    );
    match (back.get(back.len() / 2), back.last()) {
        (Some(half), Some(last)) => println!(
            "after the server accepts connections: half of {} callers are served after {half} ms, all after {last} ms",
            back.len()
        ),
        _ => return Err("no caller came back".into()),
    }
    if back.len() < all as usize {
        println!(
            "({} callers noticed nothing, or never came back)",
            all as usize - back.len()
        );
    }
    Ok(())
}

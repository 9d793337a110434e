//! Lists as the programs read them that they are written for: each is started on a list, and asked.
//!
//! The programs are Debian packages, which `tests/real/install` installs. What is missing is skipped with a message;
//! with `STOCKADE_REAL=1` in the environment it fails. `--ignored` runs the same on 100,000 entries.

mod dns;
mod filter;
mod intrusion;
mod ips;
mod journald;
mod other;
mod page;
#[path = "../render_support/mod.rs"]
mod render_support;
mod resolvers;
mod rsyslog;
mod web;

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use stockade::compile::RuleSet;
use stockade::observable::classify;
use stockade::render::{Format, Options};
use tempfile::TempDir;

/// How long a program may take to answer for the first time, with many entries.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether all these programs are here. Says which are not.
fn have(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().filter(|program| find(program).is_none()).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(std::env::var_os("STOCKADE_REAL").is_none(), "not installed: {missing:?}");
    eprintln!("SKIPPED: {missing:?} not installed, see tests/real/install");
    false
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn command(program: &str) -> Command {
    Command::new(find(program).unwrap_or_else(|| program.into()))
}

/// A folder with a list and whatever else a program needs.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("stockade-real-").tempdir().expect("a folder");
        // Some programs give up root before they read and write.
        let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o777);
        fs::set_permissions(folder.path(), mode).expect("our own folder");
        Self(folder)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("our own folder");
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a list with its header, as the command would. Where the target knows exceptions, `good.evil.example` is one.
    fn list(&self, name: &str, format: &str, rules: &RuleSet, options: &Options) -> PathBuf {
        let options = Options { built: Some("2026-06-01T00:00:00Z".to_owned()), ..options.clone() };
        let mut policy = render_support::policy();
        if Format::named(format).is_some_and(|format| format.exceptions) {
            policy.allow.push(classify("good.evil.example").expect("a name"));
        }
        self.file(name, render_support::render(format, rules, &policy, &options))
    }
}

/// A program in the background, which ends with this.
struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    fn start(folder: &Folder, command: &mut Command) -> Self {
        let log = folder.path("log.txt");
        let file = fs::File::create(&log).expect("our own folder");
        let again = file.try_clone().expect("a file");
        let child = command.stdin(Stdio::null()).stdout(file).stderr(again).spawn().expect("it is installed");
        Self { child, log }
    }

    /// Waits until a question is answered.
    fn until<T>(&mut self, mut ask: impl FnMut() -> Option<T>) -> T {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(answer) = ask() {
                return answer;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("ended with {status}: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("no answer: {}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Asked first: some leave shared memory behind when they are killed.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        for _ in 0..40 {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end.
fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().expect("it is installed")
}

/// Runs a program that must succeed; gives what it printed.
fn succeed(command: &mut Command) -> String {
    let output = run(command);
    let printed = [&output.stdout[..], &output.stderr[..]].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{printed}", output.status);
    printed
}

/// The digest of a text, by the program that makes such digests.
fn digest(folder: &Folder, program: &str, content: &str) -> String {
    let printed = succeed(command(program).arg(folder.file("content", content)));
    printed.split(' ').next().unwrap_or_default().to_owned()
}

/// A port that is free for both protocols.
fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn show(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// What is listed, and as many names, addresses and digests besides as wanted.
fn listed(more: u32) -> RuleSet {
    let mut values: Vec<String> = [
        "evil.example",
        "deep.er.evil.example",
        "other.example",
        "xn--bcher-kva.example",
        "_under.score.example",
        "-lead.odd.example",
        "trail-.odd.example",
        "198.51.100.7",
        "203.0.113.0/25",
        "203.0.113.128/26",
        "2001:db8:bad::/48",
        "2001:db8::1",
        "2001:db8:0:0:1:0:0:1",
        "2001:db8:0:1:0:1:0:1",
        "2001:0:0:1:0:0:1:1",
        "2001:db8:1:1:1:1:1:0",
        "8000::1",
    ]
    .map(str::to_owned)
    .into();
    for number in 0..more {
        values.push(format!("host{number}.bulk{}.example", number % 1000));
        values.push(std::net::Ipv4Addr::from(0x2d00_0000 + number * 7).to_string());
    }
    render_support::values(values.iter().map(String::as_str))
}

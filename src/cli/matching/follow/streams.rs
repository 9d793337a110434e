//! Inputs that have no size and no positions: standard input, named pipes, terminals. Each has a thread that waits for it.

use super::super::blocks::{Block, Blocks};
use super::super::name::Name;
use super::super::open::open;
use super::super::walk::Input;
use super::tail::Reading;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use stockade::log::Tracker;

/// How many blocks may wait to be searched.
const WAITING: usize = 8;

/// What comes of such inputs.
pub(super) enum Arrival {
    Block(Arc<Name>, Block),
    /// Why one could not be read, or no further.
    Failed(String),
    Ended,
}

pub(super) struct Streams {
    sender: SyncSender<Arrival>,
    arrivals: Receiver<Arrival>,
    reading: Reading,
    /// How many are read.
    open: usize,
    begun: Vec<std::path::PathBuf>,
}

impl Streams {
    pub(super) fn new(reading: Reading) -> Self {
        let (sender, arrivals) = sync_channel(WAITING);
        Self { sender, arrivals, reading, open: 0, begun: Vec::new() }
    }

    /// Whether there is any that has not ended.
    pub(super) fn is_open(&self) -> bool {
        self.open > 0
    }

    /// Reads an input from now on; a pipe with a name again when somebody else opens it, if that is wanted.
    pub(super) fn begin(&mut self, path: &Path, again: bool) {
        if self.begun.iter().any(|begun| begun == path) {
            return;
        }
        self.begun.push(path.to_owned());
        let input = if path.as_os_str() == "-" { Input::Stdin } else { Input::File(path.to_owned()) };
        let again = again && is_pipe(path);
        let (sender, reading) = (self.sender.clone(), self.reading.clone());
        let begun = std::thread::Builder::new().name("input".into()).spawn(move || {
            // Whoever receives has ended if sending fails.
            while read(&input, &reading, &sender) && again {}
            let _ = sender.send(Arrival::Ended);
        });
        match begun {
            Ok(_) => self.open += 1,
            Err(error) => {
                let _ = self.sender.try_send(Arrival::Failed(format!("no thread to read {}: {error}", path.display())));
            }
        }
    }

    /// Waits for what arrives.
    pub(super) fn wait(&mut self, time: Duration) -> Option<Arrival> {
        let arrival = match self.arrivals.recv_timeout(time) {
            Ok(arrival) => arrival,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        };
        if matches!(arrival, Arrival::Ended) {
            self.open -= 1;
        }
        Some(arrival)
    }
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_path: &Path) -> bool {
    false
}

/// Reads an input to its end. Returns whether it may be opened again.
fn read(input: &Input, reading: &Reading, sender: &SyncSender<Arrival>) -> bool {
    let name = Arc::new(Name::new(input));
    let (text, eager) = match open(input, true) {
        Ok(opened) => opened,
        Err(message) => {
            let _ = sender.send(Arrival::Failed(message));
            return false;
        }
    };
    let mut blocks = Blocks::new(text, eager, reading.limits, Tracker::named(Arc::clone(&reading.choice), &name.text));
    loop {
        let mut block = Block::default();
        let some = blocks.next(&mut block);
        let failure = blocks.error();
        if some && sender.send(Arrival::Block(Arc::clone(&name), block)).is_err() {
            return false;
        }
        if let Some((error, at)) = failure {
            let what = blocks.reader().explain(&error, at);
            return sender.send(Arrival::Failed(format!("{}: {what}", name.text))).is_ok();
        }
        if !some {
            return true;
        }
    }
}

//! Which files are followed, and what the system says of them: which are new, have gone, or came back. What became of those
//! that have gone is found out in [`super::rotations`].

use super::content::{Content, Id, Stamp};
use super::places::{Places, is_rotation_of};
use super::state::Record;
use super::tail::{Reading, Tail};
use super::troubles::Troubles;
use crate::cli::Globals;
use crate::cli::error::reason;
use crate::cli::matching::blocks::Block;
use crate::cli::matching::name::Name;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a file that was rotated away is watched for what is still written to it.
const KEPT: Duration = Duration::from_secs(60);
/// How long nothing may come before its last line is taken for whole.
const QUIET: Duration = Duration::from_secs(1);
/// The most files that are kept open.
const OPEN: usize = 256;
/// The most files that are remembered when they are gone, so that a copy of one is known.
const CLOSED: usize = 256;

/// Where a file stands in the output: by its path, and among those that had the path by age.
pub(super) type Order = (u64, u64);

/// All files that are followed.
pub(super) struct Watched {
    pub(super) places: Places,
    pub(super) reading: Reading,
    pub(super) globals: Globals,
    /// Go on for ever; otherwise what is there now is read, and that is all.
    pub(super) forever: bool,
    pub(super) tails: BTreeMap<Order, Tail>,
    pub(super) at: HashMap<PathBuf, Order>,
    pub(super) ids: HashMap<Id, Order>,
    /// Numbers of paths, in the order in which they are searched.
    numbers: HashMap<PathBuf, u64>,
    serial: u64,
    /// Files that were searched and are not followed now.
    pub(super) records: Vec<Record>,
    /// Files that begin like one that was searched, with what the system said of them, and since when.
    pub(super) doubtful: HashMap<PathBuf, (Stamp, Instant)>,
    /// What is wrong.
    pub(super) troubles: Troubles,
    /// Last lines of files that were truncated.
    pub(super) leftovers: Vec<(Arc<Name>, Block)>,
    /// Inputs that are no regular files, for somebody else to read.
    pub(super) streams: Vec<PathBuf>,
    pub(super) begun: bool,
}

impl Watched {
    pub(super) fn new(places: Places, records: Vec<Record>, forever: bool, reading: Reading, globals: Globals) -> Self {
        Self {
            places,
            reading,
            globals,
            forever,
            tails: BTreeMap::new(),
            at: HashMap::new(),
            ids: HashMap::new(),
            numbers: HashMap::new(),
            serial: 0,
            records,
            doubtful: HashMap::new(),
            troubles: Troubles::default(),
            leftovers: Vec::new(),
            streams: Vec::new(),
            begun: false,
        }
    }

    /// Whether files may turn up that are not there yet.
    pub(super) fn is_open(&self) -> bool {
        !self.tails.is_empty() || self.places.is_open() || !self.numbers.is_empty()
    }

    /// Looks at everything once.
    pub(super) fn scan(&mut self, now: Instant) {
        let listing = self.places.list();
        let mut well = self.troubles.begin();
        for (name, message) in listing.troubles {
            well.remove(&name);
            self.troubles.say(&name, message);
        }
        for path in &listing.files {
            if !self.numbers.contains_key(path) {
                self.numbers.insert(path.clone(), self.numbers.len() as u64);
            }
        }
        // Files that have gone from a folder, too: they may have been rotated.
        let listed: HashSet<&PathBuf> = listing.files.iter().collect();
        let mut gone: Vec<PathBuf> = self.at.keys().filter(|path| !listed.contains(path)).cloned().collect();
        gone.sort();
        // What is known first: a new file may be what a known one was.
        let is_known = |path: &PathBuf| {
            self.at.contains_key(path) || self.records.iter().any(|record| record.path == *path && !record.closed)
        };
        let (known, new): (Vec<PathBuf>, Vec<PathBuf>) = listing.files.iter().cloned().partition(is_known);
        for (paths, listed) in [(known, true), (gone, false), (new, true)] {
            for path in paths {
                if let Err(message) = self.visit(&path, listed, now) {
                    well.remove(&path);
                    self.troubles.say(&path, message);
                }
            }
        }
        // Of what is followed, reading was what failed; whether that goes well is not known yet.
        well.retain(|path| !self.at.contains_key(path));
        self.troubles.forget(&well);
        self.look_at_retired(now);
        self.close_some(now);
        self.troubles.give_up(now);
        self.begun = true;
    }

    /// Looks at one path.
    fn visit(&mut self, path: &Path, listed: bool, now: Instant) -> Result<(), String> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match self.at.get(path).copied() {
                    Some(order) => {
                        self.retire(order, now);
                        if let Some(tail) = self.tails.get_mut(&order) {
                            tail.gone = true;
                        }
                    }
                    None if self.forever && !self.begun => {
                        self.globals.warn(format_args!("{}: is not there yet", path.display()));
                    }
                    None if self.forever => {}
                    None => return Err(reason(&error)),
                }
                return Ok(());
            }
            Err(error) => return Err(reason(&error)),
        };
        if !metadata.is_file() {
            return self.visit_other(path, &metadata);
        }
        let (id, stamp) = (Id::of(&metadata), Stamp::of(&metadata));
        match self.at.get(path).copied() {
            Some(order) if self.tails.get(&order).is_some_and(|tail| tail.id == id) => {}
            Some(order) => {
                self.retire(order, now);
                self.at.remove(path);
                self.succeed(path, order, id, now);
            }
            None if !listed => return Ok(()),
            None => self.begin(path, &metadata, now)?,
        }
        let Some(order) = self.at.get(path).copied() else { return Ok(()) };
        let Some(tail) = self.tails.get_mut(&order) else { return Ok(()) };
        if tail.gone && tail.path == path {
            // It is back.
            (tail.gone, tail.retired, tail.record.rotated) = (false, None, false);
        }
        // Of a file in which nothing was read, nothing tells whether it was truncated since.
        let unread = tail.is_unread() && tail.seen.is_some_and(|seen| seen != stamp);
        tail.look(stamp, now);
        if tail.has_shrunk() {
            self.truncated(order, now);
        } else if unread {
            let record = tail.record.clone();
            self.between(path, &record, now);
            self.move_last(order);
        }
        Ok(())
    }

    fn visit_other(&mut self, path: &Path, metadata: &Metadata) -> Result<(), String> {
        if metadata.is_dir() {
            // A folder that is searched is listed, and so is none of the files.
            return Err("is a directory (-r searches the files in it)".into());
        }
        #[cfg(unix)]
        if std::os::unix::fs::FileTypeExt::is_socket(&metadata.file_type()) {
            return Err("is a socket, which cannot be read".into());
        }
        if !self.streams.iter().any(|stream| stream == path) {
            self.streams.push(path.to_owned());
        }
        Ok(())
    }

    /// A path that is not followed yet.
    fn begin(&mut self, path: &Path, metadata: &Metadata, now: Instant) -> Result<(), String> {
        let (id, stamp) = (Id::of(metadata), Stamp::of(metadata));
        if let Some(order) = self.ids.get(&id).copied() {
            // Another name of a file that is followed: a link, or its new name after it was rotated.
            self.at.insert(path.to_owned(), order);
            if let Some(tail) = self.tails.get_mut(&order).filter(|tail| tail.retired.is_some()) {
                tail.gone &= !is_rotation_of(path, &tail.path);
                path.clone_into(&mut tail.path);
                path.clone_into(&mut tail.record.path);
            }
            return Ok(());
        }
        if self.streams.iter().any(|stream| stream == path) {
            return Ok(());
        }
        if metadata.len() == 0 && !self.begun && self.places.names(path) && tells_no_size(path) {
            self.streams.push(path.to_owned());
            return Ok(());
        }
        let own: Vec<Record> =
            self.records.iter().filter(|record| record.path == path && !record.closed).cloned().collect();
        if !own.is_empty() {
            return self.resume(path, &own, id, now);
        }
        if self.is_copy(path, id, stamp, now)? {
            return Ok(());
        }
        self.add(path, Record::new(path.to_owned(), id), None, now);
        Ok(())
    }

    /// Lets a file come after those that had its path before.
    pub(super) fn move_last(&mut self, order: Order) {
        let Some(tail) = self.tails.remove(&order) else { return };
        let last = (order.0, self.next_serial());
        self.ids.insert(tail.id, last);
        for place in self.at.values_mut().filter(|place| **place == order) {
            *place = last;
        }
        self.tails.insert(last, tail);
    }

    /// Follows a file from now on.
    pub(super) fn add(&mut self, path: &Path, record: Record, content: Option<Content>, now: Instant) {
        let number = self.number(path);
        let order = (number, self.next_serial());
        self.ids.insert(record.id, order);
        self.at.insert(path.to_owned(), order);
        self.tails.insert(order, Tail::new(path.to_owned(), record, content, &self.reading, now));
    }

    /// Reads a file to its end that had a path once and is called `name` now; unless that is done already.
    pub(super) fn add_retired(&mut self, path: &Path, name: &Path, mut record: Record, content: Content, now: Instant) {
        let Ok(metadata) = content.metadata() else { return };
        let id = Id::of(&metadata);
        if self.ids.contains_key(&id) {
            return;
        }
        self.records.retain(|known| known.id != id);
        (record.id, record.rotated, record.closed) = (id, true, false);
        // By its path the next run will ask for it.
        path.clone_into(&mut record.path);
        let order = (self.number(path), self.next_serial());
        self.ids.insert(id, order);
        let mut tail = Tail::new(name.to_owned(), record, Some(content), &self.reading, now);
        tail.retired = Some(now);
        tail.look(Stamp::of(&metadata), now);
        self.tails.insert(order, tail);
    }

    fn number(&mut self, path: &Path) -> u64 {
        let next = self.numbers.len() as u64;
        *self.numbers.entry(path.to_owned()).or_insert(next)
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn retire(&mut self, order: Order, now: Instant) {
        if let Some(tail) = self.tails.get_mut(&order).filter(|tail| tail.retired.is_none()) {
            tail.retired = Some(now);
            tail.record.rotated = true;
            tail.quiet = now;
            tail.line_finished = false;
        }
    }

    /// Whether the last line of a file will not be completed any more.
    pub(super) fn line_is_final(&self, tail: &Tail, now: Instant) -> bool {
        !tail.line_finished
            && (tail.has_end() || tail.retired.is_some() && (!self.forever || now.duration_since(tail.quiet) >= QUIET))
    }

    /// Looks at files that have no path any more, and lets go of those to which nobody writes.
    fn look_at_retired(&mut self, now: Instant) {
        let mut over = Vec::new();
        for (order, tail) in &mut self.tails {
            if tail.retired.is_none() {
                continue;
            }
            tail.look_at_open(now);
            if !tail.is_due() && tail.line_finished && now.duration_since(tail.quiet) >= KEPT {
                over.push(*order);
            }
        }
        // Unless it is followed under its new name.
        over.retain(|order| {
            let path = self.at.iter().find(|(_, place)| *place == order).map(|(path, _)| path.clone());
            path.is_none_or(|path| {
                let gone = fs::symlink_metadata(&path).is_err();
                if gone {
                    self.at.remove(&path);
                }
                gone
            })
        });
        for order in over {
            let Some(tail) = self.tails.get(&order) else { continue };
            let mut record = tail.record.clone();
            record.closed = true;
            self.forget(order);
            self.records.push(record);
        }
        let closed = self.records.iter().filter(|record| record.closed).count();
        let mut surplus = closed.saturating_sub(CLOSED);
        self.records.retain(|record| {
            let goes = record.closed && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
    }

    pub(super) fn forget(&mut self, order: Order) {
        if let Some(tail) = self.tails.remove(&order) {
            self.ids.remove(&tail.id);
            self.at.retain(|_, place| *place != order);
        }
    }

    /// Lets go of files that were quiet for longest.
    fn close_some(&mut self, now: Instant) {
        let mut idle: Vec<(Duration, Order)> = self
            .tails
            .iter()
            .filter(|(_, tail)| tail.is_open())
            .map(|(order, tail)| (now.duration_since(tail.quiet), *order))
            .collect();
        let surplus = idle.len().saturating_sub(OPEN);
        if surplus == 0 {
            return;
        }
        idle.sort();
        for (_, order) in idle.into_iter().rev() {
            let Some(tail) = self.tails.get_mut(&order) else { continue };
            if tail.retired.is_none() && !tail.is_due() {
                tail.close();
            }
        }
    }

    /// How far everything was searched.
    pub(super) fn records(&self) -> Vec<Record> {
        self.tails.values().map(|tail| tail.record.clone()).chain(self.records.iter().cloned()).collect()
    }
}

/// Whether a file says that it is empty, and is not: those of `/proc` do.
fn tells_no_size(path: &Path) -> bool {
    let read = fs::File::open(path).and_then(|mut file| {
        let n = io::Read::read(&mut file, &mut [0])?;
        Ok(n > 0 && file.metadata()?.len() == 0)
    });
    read.unwrap_or(false)
}

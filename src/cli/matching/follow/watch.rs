//! Finds out what became of the files that are followed: which are new, were rotated away, truncated, or came back
//! under another name.

use super::content::{Content, Id, Known, Stamp};
use super::places::{Places, are_related, is_rotation_of, siblings};
use super::state::Record;
use super::tail::{Reading, Tail};
use crate::cli::Globals;
use crate::cli::error::{reason, say};
use crate::cli::matching::blocks::Block;
use crate::cli::matching::name::Name;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How long a file that was rotated away is watched for what is still written to it.
const KEPT: Duration = Duration::from_secs(60);
/// How long nothing may come before its last line is taken for whole.
const QUIET: Duration = Duration::from_secs(1);
/// How long a file that may be a copy in the making is left alone.
const COPYING: Duration = Duration::from_secs(3);
/// How long a compressed file that ends too early may be quiet before that is said.
const WRITTEN: Duration = Duration::from_secs(10);
/// The most files that are kept open.
const OPEN: usize = 256;
/// The most files that are remembered when they are gone, so that a copy of one is known.
const CLOSED: usize = 256;

/// Where a file stands in the output: by its path, and among those that had the path by age.
pub(super) type Order = (u64, u64);

/// All files that are followed.
pub(super) struct Watched {
    places: Places,
    reading: Reading,
    globals: Globals,
    /// Go on for ever; otherwise what is there now is read, and that is all.
    forever: bool,
    pub(super) tails: BTreeMap<Order, Tail>,
    at: HashMap<PathBuf, Order>,
    ids: HashMap<Id, Order>,
    /// Numbers of paths, in the order in which they are searched.
    numbers: HashMap<PathBuf, u64>,
    serial: u64,
    /// Files that were searched and are not followed now.
    records: Vec<Record>,
    /// Files that begin like one that was searched, with what the system said of them, and since when.
    doubtful: HashMap<PathBuf, (Stamp, Instant)>,
    /// What is wrong now, by name; each is said once.
    troubles: BTreeMap<PathBuf, String>,
    /// Files that ended too early, and may still be written.
    suspects: BTreeMap<PathBuf, (String, Instant)>,
    /// Something was lost for good.
    pub(super) failed: bool,
    /// Last lines of files that were truncated.
    pub(super) leftovers: Vec<(Arc<Name>, Block)>,
    /// Inputs that are no regular files, for somebody else to read.
    pub(super) streams: Vec<PathBuf>,
    begun: bool,
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
            troubles: BTreeMap::new(),
            suspects: BTreeMap::new(),
            failed: false,
            leftovers: Vec::new(),
            streams: Vec::new(),
            begun: false,
        }
    }

    /// Whether files may turn up that are not there yet.
    pub(super) fn is_open(&self) -> bool {
        !self.tails.is_empty() || self.places.is_open() || !self.numbers.is_empty()
    }

    /// Whether something is wrong, or was lost.
    pub(super) fn has_failed(&self) -> bool {
        self.failed || !self.troubles.is_empty()
    }

    /// Looks at everything once.
    pub(super) fn scan(&mut self, now: Instant) {
        let listing = self.places.list();
        let mut well: Vec<PathBuf> = self.troubles.keys().cloned().collect();
        for (name, message) in listing.troubles {
            well.retain(|path| *path != name);
            self.trouble(&name, message);
        }
        let mut files = listing.files;
        for path in &files {
            let next = self.numbers.len() as u64;
            self.numbers.entry(path.clone()).or_insert(next);
        }
        // Files that have gone from a folder, too: they may have been rotated.
        let listed = files.len();
        let mut gone: Vec<PathBuf> = self.at.keys().filter(|path| !files.contains(path)).cloned().collect();
        gone.sort();
        files.append(&mut gone);
        // What is known first: a new file may be what a known one was.
        let known = |watched: &Self, path: &Path| {
            watched.at.contains_key(path) || watched.records.iter().any(|record| record.path == path && !record.closed)
        };
        let (known, new): (Vec<_>, Vec<_>) = files.into_iter().enumerate().partition(|(_, path)| known(self, path));
        for (number, path) in known.into_iter().chain(new) {
            match self.visit(&path, number < listed, now) {
                Ok(()) => {}
                Err(message) => {
                    well.retain(|named| *named != path);
                    self.trouble(&path, message);
                }
            }
        }
        for path in well {
            // Reading it was what failed; whether that goes well is not known yet.
            if !self.at.contains_key(&path) {
                self.troubles.remove(&path);
            }
        }
        self.look_at_retired(now);
        self.close_some(now);
        let over: Vec<PathBuf> = self
            .suspects
            .iter()
            .filter(|(_, (_, since))| now.duration_since(*since) >= WRITTEN)
            .map(|(path, _)| path.clone())
            .collect();
        for path in over {
            if let Some((message, _)) = self.suspects.remove(&path) {
                self.failed = true;
                self.trouble(&path, message);
            }
        }
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

    /// Goes on with a path that was followed in an earlier run, with the files that had it.
    fn resume(&mut self, path: &Path, records: &[Record], id: Id, now: Instant) -> Result<(), String> {
        let (mut current, mut last) = (None, None);
        for record in records {
            // A file may have been moved to another disk and back.
            let may_be = record.id == id || !record.rotated && !record.print.is_empty();
            if may_be && let Known::Same(content) = reopen(path, record)? {
                current = Some((Record { id, ..record.clone() }, content));
                continue;
            }
            self.before(path, record, now);
            last = Some(record);
        }
        // What came and went since. Of a file in which nothing was read, nothing tells whether it was truncated.
        match &current {
            Some((record, _)) if record.position.byte() == 0 => self.between(path, record, now),
            Some(_) => {}
            None => last.iter().for_each(|last| self.between(path, last, now)),
        }
        self.records.retain(|record| record.path != path || record.closed);
        match current {
            Some((record, content)) => self.add(path, record, Some(content), now),
            None => self.add(path, Record::new(path.to_owned(), id), None, now),
        }
        Ok(())
    }

    /// Whether a new file is a known one under another name, or may be.
    fn is_copy(&mut self, path: &Path, id: Id, stamp: Stamp, now: Instant) -> Result<bool, String> {
        let mut doubtful = false;
        let mut found = None;
        for (place, record) in self.records.iter().enumerate() {
            let same = record.id == id;
            if record.print.is_empty() || !(same || are_related(path, &record.path)) {
                continue;
            }
            match reopen(path, record)? {
                Known::Same(content) => {
                    found = Some((place, content));
                    break;
                }
                Known::Shorter => doubtful = true,
                Known::Other => {}
            }
        }
        if let Some((place, content)) = found {
            let mut record = self.records.remove(place);
            (record.id, record.closed) = (id, false);
            self.doubtful.remove(path);
            self.add(path, record, Some(content), now);
            if let Some(tail) = self.at.get(path).and_then(|order| self.tails.get_mut(order)) {
                tail.rename(path);
            }
            return Ok(true);
        }
        if self.begun {
            let rotated: Vec<&Tail> = self.tails.values().filter(|tail| are_related(path, &tail.path)).collect();
            if !rotated.is_empty() {
                let head = Content::head_of(path).map_err(|error| reason(&error))?;
                // As yet it may hold less than what is known of the other.
                doubtful |= rotated.iter().any(|tail| tail.head().is_some_and(|own| begin_alike(own, &head)));
            }
        }
        if !doubtful {
            self.doubtful.remove(path);
            return Ok(false);
        }
        if !self.forever {
            let age = SystemTime::now().duration_since(stamp.modified).unwrap_or_default();
            return Ok(age < COPYING);
        }
        let since = self.doubtful.entry(path.to_owned()).or_insert((stamp, now));
        if since.0 != stamp {
            *since = (stamp, now);
        }
        let waits = now.duration_since(since.1) < COPYING;
        if !waits {
            self.doubtful.remove(path);
        }
        Ok(waits)
    }

    /// Another file has a path now. What came between is read too.
    fn succeed(&mut self, path: &Path, before: Order, id: Id, now: Instant) {
        let Some(tail) = self.tails.get(&before) else { return };
        let record = tail.record.clone();
        if !tail.is_open() {
            self.forget(before);
            self.before(path, &record, now);
        }
        self.between(path, &record, now);
        if let Some(order) = self.ids.get(&id).copied() {
            self.at.insert(path.to_owned(), order);
            return;
        }
        self.add(path, Record::new(path.to_owned(), id), None, now);
    }

    /// Finds the file that had a path before.
    fn before(&mut self, path: &Path, record: &Record, now: Instant) {
        let mut siblings = siblings(path);
        // What the system calls the same is asked first.
        siblings.sort_by_key(|(_, metadata)| Id::of(metadata) != record.id);
        let found = siblings.into_iter().find_map(|(name, metadata)| {
            let wanted = !record.print.is_empty() || Id::of(&metadata) == record.id;
            match reopen(&name, record) {
                Ok(Known::Same(content)) if wanted => Some((name, content)),
                _ => None,
            }
        });
        match found {
            Some((name, content)) => self.add_retired(path, &name, record.clone(), content, now),
            None if record.rotated || record.position.byte() == 0 => {}
            None => self.globals.warn(format_args!(
                "{}: the file that was searched up to byte {} is gone; lines that were added to it since could not be \
                 searched",
                path.display(),
                record.position.offset
            )),
        }
    }

    /// Finds files that had a path after one and before the one that has it now.
    fn between(&mut self, path: &Path, record: &Record, now: Instant) {
        // Perhaps somebody has copied it and not truncated it yet.
        let current = Content::head_of(path).unwrap_or_default();
        for (name, metadata) in siblings(path) {
            let id = Id::of(&metadata);
            let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if !is_rotation_of(&name, path) || modified < record.modified() || self.ids.contains_key(&id) {
                continue;
            }
            let Ok(head) = Content::head_of(&name) else { continue };
            let known = head.is_empty()
                || begin_alike(&current, &head)
                || self.tails.values().any(|tail| tail.head().is_some_and(|own| begin_alike(own, &head)))
                || self.tails.values().any(|tail| tail.record.print.begins_like(&head))
                || self.records.iter().any(|record| record.print.begins_like(&head))
                || record.print.begins_like(&head);
            if !known && let Ok(content) = Content::open(&name) {
                self.add_retired(path, &name, Record::new(name.clone(), id), content, now);
            }
        }
    }

    /// The file has lost what was read of it. If it was copied before, what was not read yet is in the copy.
    pub(super) fn truncated(&mut self, order: Order, now: Instant) {
        let Some(mut tail) = self.tails.remove(&order) else { return };
        let path = tail.path.clone();
        let record = tail.record.clone();
        if self.globals.verbose {
            say(format_args!("{}: was truncated; it is read from its beginning", path.display()));
        }
        if record.position.byte() > 0 {
            let copy = siblings(&path).into_iter().find_map(|(name, _)| match reopen(&name, &record) {
                Ok(Known::Same(content)) => Some((name, content)),
                _ => None,
            });
            if let Some((name, content)) = copy {
                self.doubtful.remove(&name);
                self.add_retired(&path, &name, record, content, now);
            } else {
                let mut block = Block::default();
                if tail.finish_line(&mut block) {
                    self.leftovers.push((Arc::clone(&tail.name), block));
                }
            }
        }
        // What came and went since it was last looked at was copied too.
        self.between(&path, &tail.record.clone(), now);
        tail.rewind(&self.reading);
        self.tails.insert(order, tail);
        self.move_last(order);
    }

    /// Lets a file come after those that had its path before.
    fn move_last(&mut self, order: Order) {
        let Some(tail) = self.tails.remove(&order) else { return };
        let last = (order.0, self.next_serial());
        self.ids.insert(tail.id, last);
        for place in self.at.values_mut().filter(|place| **place == order) {
            *place = last;
        }
        self.tails.insert(last, tail);
    }

    /// Follows a file from now on.
    fn add(&mut self, path: &Path, record: Record, content: Option<Content>, now: Instant) {
        let number = self.number(path);
        let order = (number, self.next_serial());
        self.ids.insert(record.id, order);
        self.at.insert(path.to_owned(), order);
        self.tails.insert(order, Tail::new(path.to_owned(), record, content, &self.reading, now));
    }

    /// Reads a file to its end that had a path once and is called `name` now; unless that is done already.
    fn add_retired(&mut self, path: &Path, name: &Path, mut record: Record, content: Content, now: Instant) {
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

    fn forget(&mut self, order: Order) {
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

    /// Says what is wrong with a path, unless it was said.
    pub(super) fn trouble(&mut self, path: &Path, message: String) {
        if self.troubles.get(path) != Some(&message) {
            say(format_args!("{}: {message}", path.display()));
            self.troubles.insert(path.to_owned(), message);
        }
    }

    /// Notes that a file ends too early, which is no trouble while somebody is writing it.
    pub(super) fn suspect(&mut self, path: &Path, message: String, now: Instant) {
        self.suspects.insert(path.to_owned(), (message, now));
    }

    /// Says what is wrong with files of which no more has come.
    pub(super) fn end(&mut self) {
        for (path, (message, _)) in std::mem::take(&mut self.suspects) {
            self.failed = true;
            self.trouble(&path, message);
        }
    }

    /// Notes that a path can be read.
    pub(super) fn is_well(&mut self, path: &Path) {
        self.troubles.remove(path);
        self.suspects.remove(path);
    }

    /// How far everything was searched.
    pub(super) fn records(&self) -> Vec<Record> {
        self.tails.values().map(|tail| tail.record.clone()).chain(self.records.iter().cloned()).collect()
    }
}

fn reopen(path: &Path, record: &Record) -> Result<Known, String> {
    let position = record.position;
    Content::reopen(path, &record.print, position.offset, position.byte()).map_err(|error| reason(&error))
}

/// Whether one of two texts begins as the other does.
fn begin_alike(one: &[u8], other: &[u8]) -> bool {
    let common = one.len().min(other.len());
    common > 0 && one[..common] == other[..common]
}

/// Whether a file says that it is empty, and is not: those of `/proc` do.
fn tells_no_size(path: &Path) -> bool {
    let read = fs::File::open(path).and_then(|mut file| {
        let n = io::Read::read(&mut file, &mut [0])?;
        Ok(n > 0 && file.metadata()?.len() == 0)
    });
    read.unwrap_or(false)
}

//! Finds out what became of files that were followed: which are known ones under another name, which came and went
//! between two looks, and what was truncated.

use super::content::{Content, Id, Known, Stamp};
use super::places::{are_related, is_rotation_of, siblings};
use super::state::Record;
use super::tail::Tail;
use super::watch::{Order, Watched};
use crate::cli::error::{reason, say};
use crate::cli::matching::blocks::Block;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How long a file that may be a copy in the making is left alone.
const COPYING: Duration = Duration::from_secs(3);

impl Watched {
    /// Goes on with a path that was followed in an earlier run, with the files that had it.
    pub(super) fn resume(&mut self, path: &Path, records: &[Record], id: Id, now: Instant) -> Result<(), String> {
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
    pub(super) fn is_copy(&mut self, path: &Path, id: Id, stamp: Stamp, now: Instant) -> Result<bool, String> {
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
    pub(super) fn succeed(&mut self, path: &Path, before: Order, id: Id, now: Instant) {
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
    pub(super) fn between(&mut self, path: &Path, record: &Record, now: Instant) {
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

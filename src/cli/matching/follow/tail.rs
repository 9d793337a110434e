//! A file that is read as it grows, and what is left to be read of one that was rotated away.

use super::super::blocks::{Block, Blocks, Limits};
use super::super::name::Name;
use super::super::report::Tally;
use super::super::walk::Input;
use super::content::{Content, Id, Known, Stamp, is_replaced};
use super::state::Record;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};
use stockade::log::{Choice, Tracker};

/// How files are to be read.
#[derive(Clone)]
pub(super) struct Reading {
    pub(super) limits: Limits,
    pub(super) choice: Arc<Choice>,
}

impl Reading {
    /// Reads from where a record says, at which the content stands. What a line means may have been said before, and what
    /// format it has, the first lines tell.
    fn blocks(&self, name: &Name, content: Content, record: &Record) -> Blocks<Content> {
        let position = record.position;
        let mut tracker = Tracker::named(Arc::clone(&self.choice), &name.text);
        if let Some(heading) = &record.heading {
            tracker.resume(heading);
        } else if position.byte() > 0 {
            // Should it fail, reading on will say why.
            tracker.next(&content.first_lines(position.offset).unwrap_or_default());
        }
        Blocks::growing(content, position, self.limits, tracker)
    }
}

/// One file.
pub(super) struct Tail {
    /// The path under which it is searched, and under which it can be opened, as far as is known.
    pub(super) path: PathBuf,
    pub(super) name: Arc<Name>,
    pub(super) id: Id,
    /// How far it was searched.
    pub(super) record: Record,
    pub(super) tally: Tally,
    open: Option<Box<Blocks<Content>>>,
    /// Why nothing can be read behind what was.
    broken: Option<(String, io::ErrorKind)>,
    /// What the system said when it was last read to its end.
    read: Option<Stamp>,
    /// What the system says.
    pub(super) seen: Option<Stamp>,
    /// When it last changed.
    pub(super) quiet: Instant,
    /// When its path was given to another file, or to none.
    pub(super) retired: Option<Instant>,
    /// Its path is gone, and may come back.
    pub(super) gone: bool,
    /// The unfinished line at its end was searched as it stands, since nothing more was to come.
    pub(super) line_finished: bool,
}

/// What came of reading on.
pub(super) enum Step {
    /// A block.
    Block,
    /// All that there is for now.
    Dry,
    /// It was truncated, or written anew.
    Truncated,
    /// It cannot be read, or not now. What its text and its compression say of it follows its name.
    Broken(String, io::ErrorKind),
}

enum Opened<'a> {
    Blocks(&'a mut Blocks<Content>),
    /// It does not hold what was read of it.
    Replaced,
    /// The path is that of another file now.
    Elsewhere,
}

impl Tail {
    /// A file that is to be read from where its record says.
    pub(super) fn new(
        path: PathBuf,
        record: Record,
        content: Option<Content>,
        reading: &Reading,
        now: Instant,
    ) -> Self {
        let name = Arc::new(Name::new(&Input::File(path.clone())));
        let open = content.map(|content| Box::new(reading.blocks(&name, content, &record)));
        Self {
            path,
            name,
            id: record.id,
            record,
            tally: Tally::default(),
            open,
            broken: None,
            read: None,
            seen: None,
            quiet: now,
            retired: None,
            gone: false,
            line_finished: false,
        }
    }

    /// Takes note of what the system says of the file.
    pub(super) fn look(&mut self, stamp: Stamp, now: Instant) {
        if self.record.modified() == SystemTime::UNIX_EPOCH {
            // Files that were written to before have nothing to do with it.
            self.record.set_modified(stamp.modified);
        }
        if self.seen != Some(stamp) {
            self.seen = Some(stamp);
            self.quiet = now;
        }
    }

    /// Asks the system about a file that has no path any more.
    pub(super) fn look_at_open(&mut self, now: Instant) {
        if let Some(Ok(metadata)) = self.open.as_ref().map(|open| open.reader().metadata()) {
            self.look(Stamp::of(&metadata), now);
        }
    }

    /// Whether there is something to read.
    pub(super) fn is_due(&self) -> bool {
        self.seen.is_some() && self.seen != self.read && (self.open.is_some() || !self.is_untouched())
    }

    /// Nothing was ever in it.
    fn is_untouched(&self) -> bool {
        self.record.position.byte() == 0 && self.seen.is_some_and(|seen| seen.size == 0)
    }

    /// Whether nothing of it was read.
    pub(super) fn is_unread(&self) -> bool {
        let read_to = self.open.as_ref().map_or(Some(0), |open| open.reader().read_to());
        self.record.position.byte() == 0 && read_to == Some(0)
    }

    /// Whether it holds less than was read of it.
    pub(super) fn has_shrunk(&self) -> bool {
        // A compressed file may hold less than its text.
        let read_to = self.open.as_ref().and_then(|open| open.reader().read_to());
        read_to.is_some_and(|read_to| self.seen.is_some_and(|seen| seen.size < read_to))
    }

    /// Whether it is kept open.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Lets go of the file. It is opened again when there is something to read.
    pub(super) fn close(&mut self) {
        self.open = None;
        self.broken = None;
    }

    /// The first bytes of its text, as far as they are at hand.
    pub(super) fn head(&self) -> Option<&[u8]> {
        self.open.as_ref().map(|open| open.reader().head())
    }

    /// Whether bytes came that no line was made of yet.
    pub(super) fn has_unfinished_line(&self) -> bool {
        let position = self.record.position;
        self.seen.is_some_and(|seen| match self.open.as_ref().and_then(|open| open.reader().read_to()) {
            Some(read_to) => read_to > position.offset,
            None => self.open.is_some() && seen.size > 0,
        })
    }

    /// Opens it where it was left, should it be closed.
    fn open(&mut self, reading: &Reading) -> io::Result<Opened<'_>> {
        if self.open.is_none() {
            let position = self.record.position;
            let content = if position.byte() == 0 {
                Content::open(&self.path)?
            } else {
                match Content::reopen(&self.path, &self.record.print, position.offset, position.byte())? {
                    Known::Same(content) => content,
                    Known::Other | Known::Shorter => return Ok(Opened::Replaced),
                }
            };
            // The path may have been given to another file a moment ago.
            if Id::of(&content.metadata()?) != self.id {
                return Ok(Opened::Elsewhere);
            }
            self.open = Some(Box::new(reading.blocks(&self.name, content, &self.record)));
        }
        Ok(self.open.as_deref_mut().map_or(Opened::Elsewhere, Opened::Blocks))
    }

    /// Reads the next block.
    pub(super) fn next(&mut self, block: &mut Block, reading: &Reading) -> Step {
        let seen = self.seen;
        if let Some((message, kind)) = self.broken.take() {
            self.read = seen;
            return Step::Broken(message, kind);
        }
        let blocks = match self.open(reading) {
            Ok(Opened::Blocks(blocks)) => blocks,
            Ok(Opened::Replaced) => return Step::Truncated,
            Ok(Opened::Elsewhere) => return Step::Dry,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Step::Dry,
            Err(error) => {
                self.read = seen;
                return Step::Broken(crate::cli::error::reason(&error), error.kind());
            }
        };
        let some = blocks.next(block);
        if let Some((error, at)) = blocks.error() {
            if is_replaced(&error) {
                return Step::Truncated;
            }
            self.broken = Some((blocks.reader().explain(&error, at), error.kind()));
        }
        if some {
            self.passed(block);
            return Step::Block;
        }
        self.read = seen;
        match self.broken.take() {
            Some((message, kind)) => Step::Broken(message, kind),
            None => Step::Dry,
        }
    }

    /// Whether it was read to an end behind which nothing is appended.
    pub(super) fn has_end(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.reader().has_end())
    }

    /// Hands out the unfinished line at its end.
    pub(super) fn finish_line(&mut self, block: &mut Block) -> bool {
        self.line_finished = true;
        let Some(blocks) = &mut self.open else { return false };
        let some = blocks.finish_line(block);
        if some {
            self.passed(block);
        }
        some
    }

    /// Begins anew with what is now in the file.
    pub(super) fn rewind(&mut self, reading: &Reading) {
        let modified = self.record.modified();
        let mut record = Record::new(self.record.path.clone(), self.id);
        record.set_modified(modified);
        record.rotated = self.record.rotated;
        self.record = record;
        // Its path may be that of another file by now.
        let content = self.open.take().and_then(|open| open.reader().again().ok());
        self.open = content.map(|content| Box::new(reading.blocks(&self.name, content, &self.record)));
        (self.broken, self.read, self.line_finished) = (None, None, false);
    }

    /// Notes that a block was handed out.
    fn passed(&mut self, block: &Block) {
        let Some(blocks) = &mut self.open else { return };
        let position = blocks.position();
        self.record.heading = blocks.heading();
        let content = blocks.reader_mut();
        match block.piece {
            None => content.passed(block.original()),
            // Should it fail, reading on will say why.
            Some(piece) if piece.last => {
                let _ = content.passed_line(block.original(), position.offset);
            }
            Some(_) => {}
        }
        self.record.position = position;
        self.record.print = content.print();
        if let Some(seen) = self.seen {
            self.record.set_modified(seen.modified);
        }
    }

    /// Gives it the name under which it was found.
    pub(super) fn rename(&mut self, path: &Path) {
        path.clone_into(&mut self.path);
        path.clone_into(&mut self.record.path);
        self.name = Arc::new(Name::new(&Input::File(self.path.clone())));
    }
}

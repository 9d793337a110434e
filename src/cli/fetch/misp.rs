//! Feeds of MISP: a manifest, and a file for each event. Only events that were changed are read again; of the others the
//! store has all there is.

use super::cursor::Cursor;
use super::feed::{self, Broken, Capped, Location};
use super::intake::Intake;
use super::poll::{Done, Job, Report};
use crate::cli::error::reason;
use crate::cli::indicators::now;
use crate::cli::matching::decompress::Text;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use stockade::source::feed::misp::{self, Manifest};
use stockade::source::http::{Ask, Client, Url};
use stockade::store::{Mode, Reader, Writer};

/// The most that a manifest may hold, in bytes.
const MAX_MANIFEST: u64 = 256 << 20;

pub(super) fn poll(job: &Job<'_>, dir: &Path, writer: &mut Writer, report: &mut Report) -> Result<Done, String> {
    let mut place = Place::of(job)?;
    let before = Cursor::read(writer.state().cursor.as_deref(), job.source);
    let mut cursor = Cursor::new(job.source);
    let known = before.validator.as_ref().filter(|_| !job.force);
    let mut manifest = Vec::new();
    {
        let ask = Ask { accept: "application/json", known, ..Ask::default() };
        let Some(mut text) = place.open("manifest.json", &ask, &mut cursor).map_err(Unread::message)? else {
            return Ok(Done { same: true });
        };
        let read = text.by_ref().take(MAX_MANIFEST).read_to_end(&mut manifest);
        read.map_err(|error| format!("manifest.json: {}", Broken::Io(error).message()))?;
    }
    let manifest = Manifest::from_json(&manifest)?;
    let is_known = |event: &str, changed: i64| !job.force && before.events.get(event) == Some(&changed);

    // What is not read again is taken over from the store as it was.
    let kept = Reader::open(dir, &job.source.name).map_err(|error| error.to_string())?;
    writer.begin(Mode::Snapshot, now()).map_err(|error| error.to_string())?;
    let mut intake = Intake::new(writer, &mut report.asides, &job.bar, &job.stop);
    for unusable in &manifest.unusable {
        intake.set_aside("an entry of the manifest that is no event", unusable.as_bytes(), || {
            format!("manifest.json: {unusable}")
        });
    }
    let events: BTreeMap<String, i64> = manifest.events.iter().map(|(id, at)| (id.to_string(), *at)).collect();
    let changed = events.iter().filter(|(event, at)| !is_known(event, **at)).count() as u64;
    let mut missing = Vec::new();
    for (number, (event, at)) in events.iter().filter(|(event, at)| !is_known(event, **at)).enumerate() {
        job.bar.parts("event", number as u64 + 1, Some(changed));
        match read_event(job, &mut place, event, &mut intake) {
            Ok(()) => _ = cursor.events.insert(event.clone(), *at),
            Err(Unread::Failed(message)) => return Err(message),
            Err(Unread::Missing(message)) => {
                intake.set_aside("an event that cannot be read", event.as_bytes(), || message);
                missing.push(event.as_str());
            }
        }
        if job.stop.load(std::sync::atomic::Ordering::Relaxed) {
            break;
        }
    }
    if changed > 0 && missing.len() as u64 == changed && changed > 1 {
        return Err(format!("none of {changed} events can be read; the first: {}", missing[0]));
    }
    if let Some(kept) = kept {
        let mut objects = kept.objects();
        while let Some(json) = objects.next().map_err(|error| error.to_string())? {
            let event = misp::event_of(json).map(|event| event.to_string());
            let stays = event.is_some_and(|event| {
                missing.contains(&event.as_str()) || events.get(&event).is_some_and(|at| is_known(&event, *at))
            });
            if stays {
                intake.object(&|| "store".to_owned(), json);
            }
        }
    }
    intake.check()?;
    cursor
        .events
        .extend(events.iter().filter(|(event, at)| is_known(event, **at)).map(|(event, at)| (event.clone(), *at)));
    if !missing.is_empty() {
        // Those that are missing are asked for again, even if the manifest is the same by then.
        cursor.validator = None;
    }
    feed::finish(job, writer, &cursor)?;
    Ok(Done::default())
}

/// Why a file of a feed cannot be read.
enum Unread {
    /// It is not there, or not what it should be: asking again is of no use before somebody has done something.
    Missing(String),
    /// The server or the disk fails, and may do better next time.
    Failed(String),
}

impl Unread {
    fn message(self) -> String {
        let (Self::Missing(message) | Self::Failed(message)) = self;
        message
    }
}

fn read_event(job: &Job<'_>, place: &mut Place, event: &str, intake: &mut Intake<'_>) -> Result<(), Unread> {
    let name = format!("{event}.json");
    let ask = Ask { accept: "application/json", ..Ask::default() };
    let text = place.open(&name, &ask, &mut Cursor::default())?;
    let text = text.ok_or_else(|| Unread::Missing(format!("{name}: the server says that it is unchanged")))?;
    let mut text = Capped::new(text, job.source.max_body.0);
    match feed::read(job, &name, &mut text, intake) {
        Ok(_) => Ok(()),
        Err(error @ Broken::Io(_)) => Err(Unread::Failed(format!("{name}: {}", error.message()))),
        Err(error) => Err(Unread::Missing(format!("{name}: {}", error.message()))),
    }
}

/// Where the files of a feed are.
enum Place {
    Folder(PathBuf),
    Server(Box<Client>, Url),
}

impl Place {
    fn of(job: &Job<'_>) -> Result<Self, String> {
        match Location::of(job.source) {
            Location::Path(path) if path.ends_with("manifest.json") => {
                Ok(Self::Folder(path.parent().map(Path::to_owned).unwrap_or_default()))
            }
            Location::Path(path) => Ok(Self::Folder(path)),
            Location::Url => {
                let client = feed::client(job)?;
                let mut base = client.settings().url.clone();
                // Both the folder and its manifest are in use as the address of a feed.
                let path = base.path().strip_suffix("manifest.json").unwrap_or(base.path()).to_owned();
                base.set_path(if path.ends_with('/') { path } else { path + "/" }.as_str());
                Ok(Self::Server(Box::new(client), base))
            }
        }
    }

    /// Opens a file of the feed; `None` if it is unchanged.
    fn open(&mut self, name: &str, ask: &Ask<'_>, cursor: &mut Cursor) -> Result<Option<Text>, Unread> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                let fail = |error: std::io::Error| {
                    let message = format!("{}: {}", path.display(), reason(&error));
                    let missing = error.kind() == std::io::ErrorKind::NotFound;
                    if missing { Unread::Missing(message) } else { Unread::Failed(message) }
                };
                Text::new(File::open(&path).map_err(fail)?).map(Some).map_err(fail)
            }
            Self::Server(client, base) => {
                let url = base.join(name).map_err(|error| Unread::Failed(format!("{name}: {error}")))?;
                let response = client.get(&url, ask).map_err(|error| match error.status() {
                    Some(403 | 404 | 410) => Unread::Missing(error.to_string()),
                    _ => Unread::Failed(error.to_string()),
                })?;
                if response.is_unchanged() {
                    return Ok(None);
                }
                cursor.validator = response.validator();
                Text::new(response.body).map(Some).map_err(|error| Unread::Failed(Broken::Io(error).message()))
            }
        }
    }
}

//! TAXII: each page is committed with its cursor, so that nothing is asked for twice and nothing is lost.

use super::intake::Intake;
use super::poll::{Done, Job, Report};
use super::probe::{Check, Grade, Tell};
use crate::cli::config::Source;
use crate::cli::error::Error;
use crate::cli::indicators::now;
use std::sync::Arc;
use stockade::source::http::{Client, SystemClock};
use stockade::source::taxii::{self, BoxError, Failure, Outcome, Progress, SetAside, Settings, Sink, Taxii};
use stockade::store::{Mode, Writer};

/// What the client of a TAXII source is told.
///
/// # Errors
/// As for any server.
fn taxii_settings(source: &Source) -> Result<Settings, String> {
    let mut settings = Settings::new(&source.name, &source.url).map_err(|error| error.to_string())?;
    settings.http = super::settings(source)?;
    settings.collections.clone_from(&source.collections);
    settings.query = source.query.clone().into_iter().collect();
    settings.limit = source.limit;
    Ok(settings)
}

pub(super) fn poll(job: &Job<'_>, writer: &mut Writer, report: &mut Report) -> Result<Done, String> {
    let settings = taxii_settings(job.source)?;
    let cursor = writer.state().cursor.clone();
    let client = Client::new(settings.http.clone()).map_err(|error| error.to_string())?;
    let client = client.with_clock(Box::new(SystemClock::new(Arc::clone(&job.stop))));
    let mut taxii = Taxii::with_client(settings, client).map_err(|error| error.to_string())?;
    writer.begin(Mode::Incremental, now()).map_err(|error| error.to_string())?;
    let intake = Intake::new(writer, &mut report.asides, &job.bar, &job.stop);
    let polled = taxii.poll(cursor.as_deref(), &mut Pages { job, intake, notes: &mut report.notes });
    let Err(error) = polled else { return Ok(Done::default()) };
    let gaps = error.failures.iter().filter(|failure| matches!(failure, Failure::Gap { .. }));
    gaps.for_each(|_| writer.note_gap());
    report.retry_after = error.retry_after();
    let messages: Vec<String> = error.failures.iter().map(|failure| job.plain(&failure.to_string())).collect();
    Err(messages.join("; "))
}

/// Goes through what a poll would do, and tells each step.
pub(crate) fn probe(source: &Source, tell: &mut Tell<'_>) -> Result<(), Error> {
    let settings = match taxii_settings(source) {
        Ok(settings) => settings,
        Err(message) => return tell(Check::bad("settings", message)),
    };
    let mut told = Ok(());
    taxii::probe(&settings, &mut |finding| {
        let grade = match finding.outcome {
            Outcome::Fine => Grade::Good,
            Outcome::Doubtful => Grade::Doubtful,
            Outcome::Failed => Grade::Failed,
        };
        let name = format!("{}: ", source.name);
        let lines =
            finding.lines.into_iter().map(|line| line.strip_prefix(&name).unwrap_or(&line).to_owned()).collect();
        let check = Check { what: finding.step, grade, lines };
        if told.is_ok() {
            told = tell(check);
        }
    });
    told
}

/// Pages on their way into the store.
struct Pages<'j, 's, 'i> {
    job: &'j Job<'s>,
    intake: Intake<'i>,
    notes: &'i mut Vec<String>,
}

impl Sink for Pages<'_, '_, '_> {
    fn object(&mut self, raw: &[u8]) -> Result<(), BoxError> {
        self.intake.object(&|| "object".to_owned(), raw);
        self.intake.check().map_err(BoxError::from)
    }

    fn commit(&mut self, cursor: &str) -> Result<(), BoxError> {
        self.intake.commit(cursor).map_err(BoxError::from)
    }

    fn set_aside(&mut self, what: &SetAside<'_>) -> Result<(), BoxError> {
        let id = what.id.as_deref().unwrap_or("something without id");
        let example = format!("{}: {id}: {}", what.collection, what.broken.detail());
        self.intake.set_aside(what.broken.reason(), id.as_bytes(), || example);
        self.intake.check().map_err(BoxError::from)
    }

    fn note(&mut self, text: &str) {
        self.notes.push(self.job.plain(text));
    }

    fn progress(&mut self, progress: &Progress<'_>) {
        if progress.collections > 1 {
            self.job.bar.parts("collection", progress.number as u64, Some(progress.collections as u64));
        } else {
            self.job.bar.parts("page", progress.pages, None);
        }
        self.job.bar.total(progress.total.filter(|_| progress.collections == 1));
    }
}

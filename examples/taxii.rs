//! The objects of a TAXII server, one a line: `cargo run --example taxii -- URL [COLLECTION]...`. A key is taken from
//! the environment variable `TAXII_KEY`, sent as bearer. With `TAXII_CURSOR` naming a file, only what is new comes.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::{env, fs};
use stockade::source::http::{Auth, Secret};
use stockade::source::taxii::{BoxError, Settings, Sink, Taxii};

/// Lines of objects, and the cursor that belongs to them.
struct Lines {
    out: BufWriter<StdoutLock<'static>>,
    cursor: Option<String>,
}

impl Sink for Lines {
    fn object(&mut self, raw: &[u8]) -> Result<(), BoxError> {
        self.out.write_all(raw)?;
        Ok(self.out.write_all(b"\n")?)
    }

    fn commit(&mut self, cursor: &str) -> Result<(), BoxError> {
        self.out.flush()?;
        if let Some(file) = &self.cursor {
            fs::write(file, cursor)?;
        }
        Ok(())
    }

    fn note(&mut self, text: &str) {
        eprintln!("note: {text}");
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let url = arguments.next().ok_or("usage: taxii URL [COLLECTION]...")?;
    let mut settings = Settings::new("taxii", &url)?;
    settings.collections = arguments.collect();
    if env::var_os("TAXII_KEY").is_some() {
        settings.http.auth = Auth::Bearer(Secret::from_env("TAXII_KEY")?);
    }
    let cursor = env::var("TAXII_CURSOR").ok();
    let known = cursor.as_ref().and_then(|file| fs::read_to_string(file).ok());
    let mut lines = Lines { out: BufWriter::new(io::stdout().lock()), cursor };
    let summary = Taxii::new(settings)?.poll(known.as_deref(), &mut lines)?;
    eprintln!("{} objects in {} pages, {} requests", summary.objects(), summary.pages(), summary.requests);
    Ok(())
}

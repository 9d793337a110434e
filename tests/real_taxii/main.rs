//! The TAXII client against real servers: medallion 3.0.0, stock and with a backend for volume, and `OpenTAXII` 0.9.3.
//!
//! `tests/real_taxii/install FOLDER` installs them; `STOCKADE_TAXII` names the folder. Without it everything here is
//! skipped with a message. `--ignored --nocapture` measures, against taxii2-client on the same server.

#![cfg(feature = "fetch")]

use std::collections::HashSet;
use std::fmt::Write;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use stockade::source::http::{Auth, Secret};
use stockade::source::taxii::{BoxError, Settings, Sink, Taxii, probe};

/// How long a server may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder with the servers, or a word about its absence.
fn installed() -> Option<PathBuf> {
    let folder = std::env::var_os("STOCKADE_TAXII").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: STOCKADE_TAXII names no folder with TAXII servers, see tests/real_taxii/install");
    }
    folder
}

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real_taxii").join(file)
}

/// A server that ends with the test.
struct Server {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(mut command: Command, port: u16, folder: tempfile::TempDir) -> Self {
        let log = fs::File::create(folder.path().join("log")).expect("our own folder");
        let child = command.stdout(Stdio::null()).stderr(log).spawn().expect("it is installed");
        let server = Self { child, port, folder };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
            assert!(begin.elapsed() < PATIENCE, "no answer: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// medallion on a backend.
    fn medallion(programs: &Path, backend: &str, max_page: u32, folder: tempfile::TempDir) -> Self {
        let port = free_port();
        let config = folder.path().join("medallion.json");
        let text = format!(
            r#"{{"backend":{backend},"users":{{"admin":"Password0","root":"example"}},"taxii":{{"max_page_size":{max_page}}}}}"#
        );
        fs::write(&config, text).expect("our own folder");
        let mut command = Command::new(programs.join("medallion/bin/medallion"));
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]).arg(config);
        command.env("PYTHONPATH", here(""));
        Self::start(command, port, folder)
    }

    fn settings(&self, path: &str) -> Settings {
        let mut settings = Settings::new("real", &format!("http://127.0.0.1:{}{path}", self.port)).expect("a URL");
        settings.http.auth = Auth::Basic { user: "admin".into(), key: Secret::new("Password0").expect("a key") };
        settings
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("stockade-taxii-").tempdir().expect("a folder")
}

#[derive(Default)]
struct Kept {
    ids: HashSet<String>,
    objects: usize,
    cursor: Option<String>,
    notes: Vec<String>,
}

impl Sink for Kept {
    fn object(&mut self, raw: &[u8]) -> Result<(), BoxError> {
        self.objects += 1;
        let at = raw.windows(11).position(|text| text == b"indicator--").ok_or("no indicator")?;
        self.ids.insert(String::from_utf8_lossy(&raw[at..at + 47]).into_owned());
        Ok(())
    }
    fn commit(&mut self, cursor: &str) -> Result<(), BoxError> {
        self.cursor = Some(cursor.to_owned());
        Ok(())
    }
    fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }
}

/// Polls twice: everything comes, and then nothing that is new.
fn polled(settings: &Settings, expected: usize) -> Kept {
    let mut kept = Kept::default();
    let summary = Taxii::new(settings.clone())
        .expect("settings make sense")
        .poll(None, &mut kept)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(kept.ids.len(), expected, "{summary:?} {:?}", kept.notes);
    let cursor = kept.cursor.clone();
    let summary = Taxii::new(settings.clone())
        .expect("settings make sense")
        .poll(cursor.as_deref(), &mut kept)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(kept.ids.len(), expected);
    assert!(summary.requests <= 6, "{summary:?}");
    kept
}

/// The data of medallion's own backend: objects that were added in bursts.
fn data(count: usize, burst: usize) -> String {
    let (mut objects, mut manifest) = (String::new(), String::new());
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        let id = format!("indicator--00000000-0000-4000-8000-{number:012x}");
        let second = number / burst;
        let _ = write!(
            objects,
            r#"{comma}{{"type":"indicator","spec_version":"2.1","id":"{id}","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","valid_from":"2026-01-01T00:00:00Z","pattern":"[domain-name:value = 'host-{number}.evil.example']","pattern_type":"stix"}}"#
        );
        let _ = write!(
            manifest,
            r#"{comma}{{"id":"{id}","date_added":"2026-01-01T00:{:02}:{:02}.000000Z","version":"2026-01-01T00:00:00.000Z","media_type":"application/stix+json;version=2.1"}}"#,
            second / 60,
            second % 60
        );
    }
    let collection = |id: &str, title: &str, read: bool, objects: &str, manifest: &str| {
        format!(
            r#"{{"id":"{id}","title":"{title}","can_read":{read},"can_write":false,"media_types":["application/stix+json;version=2.1"],"objects":[{objects}],"manifest":[{manifest}]}}"#
        )
    };
    format!(
        r#"{{"/discovery":{{"title":"Stock","default":"http://127.0.0.1/trust/","api_roots":["/root/"]}},"root":{{"information":{{"title":"Root","versions":["application/taxii+json;version=2.1"],"max_content_length":9}},"status":[],"collections":[{},{},{}]}}}}"#,
        collection("91a7b528-80eb-42ed-a74d-c6fbd5a26116", "Many", true, &objects, &manifest),
        collection("52892447-4d7e-4f70-b94d-d7f22742ff63", "Hidden", false, "", ""),
        collection("472c94ae-3113-4e3e-a4dd-a9f4ac7471d4", "Empty", true, "", ""),
    )
}

#[test]
fn medallion_as_it_is() {
    let Some(programs) = installed() else { return };
    let folder = folder();
    let file = folder.path().join("data.json");
    fs::write(&file, data(500, 150)).expect("our own folder");
    let backend = format!(
        r#"{{"module":"medallion.backends.memory_backend","module_class":"MemoryBackend","filename":{:?}}}"#,
        file.display().to_string()
    );
    let server = Server::medallion(&programs, &backend, 100, folder);
    for path in ["/root/", "/root/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/"] {
        polled(&server.settings(path), 500);
    }
    // Its default API root is on another port, which is refused; the other one is polled.
    let error = Taxii::new(server.settings("/taxii2/"))
        .expect("settings make sense")
        .poll(None, &mut Kept::default())
        .expect_err("it is refused");
    assert!(
        error.to_string().contains("127.0.0.1 is not among the hosts") && error.summary.objects() == 500,
        "{error}"
    );

    let mut one = server.settings("/root/");
    one.collections = vec!["many".into()];
    one.query = vec![("match[type]".into(), "indicator".into())];
    one.limit = 70;
    polled(&one, 500);

    let mut wrong = server.settings("/root/");
    wrong.http.auth = Auth::Bearer(Secret::new("Password0").expect("a key"));
    let text = Taxii::new(wrong.clone())
        .expect("settings make sense")
        .poll(None, &mut Kept::default())
        .expect_err("no access")
        .to_string();
    assert!(text.contains("401") && text.contains("\"bearer\""), "{text}");
    assert!(!probe(&wrong, &mut |_| ()));
    let mut found = Vec::new();
    assert!(probe(&server.settings("/root/"), &mut |finding| found.push(finding)), "{found:#?}");
}

#[test]
fn medallion_with_many() {
    let Some(programs) = installed() else { return };
    let backend = r#"{"module":"fast_backend","module_class":"FastBackend","count":50000,"burst":2500}"#;
    let server = Server::medallion(&programs, backend, 1000, folder());
    let kept = polled(&server.settings("/taxii2/"), 50_000);
    // Bursts are larger than pages, and `next` leads through them.
    assert!(kept.objects < 60_000, "{}", kept.objects);
}

/// `OpenTAXII` with its own database, and the id of its collection.
fn opentaxii(programs: &Path, count: usize, burst: usize, microsecond: u32) -> (Server, String) {
    let folder = folder();
    let port = free_port();
    let database = |name: &str| format!("sqlite:///{}", folder.path().join(name).display());
    let config = folder.path().join("opentaxii.yml");
    let text = format!(
        "---\ndomain: \"localhost:{port}\"\nsupport_basic_auth: yes\nreturn_server_error_details: no\n\
         auth_api:\n  class: opentaxii.auth.sqldb.SQLDatabaseAPI\n  parameters:\n    db_connection: {}\n    create_tables: yes\n    secret: for-tests-on-loopback-only-0123456789\n    token_ttl_secs: 3600\n\
         taxii1: null\ntaxii2:\n  persistence_api:\n    class: opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI\n    parameters:\n      db_connection: {}\n      create_tables: yes\n  title: Real\n  description: Real\n  contact: nobody\n  max_content_length: 2048\n  public_discovery: true\n\
         logging:\n  opentaxii: error\n  root: error\n",
        database("auth.db"),
        database("data.db")
    );
    fs::write(&config, text).expect("our own folder");
    let program = |name: &str| {
        let mut command = Command::new(programs.join("opentaxii/bin").join(name));
        command.env("OPENTAXII_CONFIG", &config);
        command
    };
    let account = program("opentaxii-create-account")
        .args(["-u", "admin", "-p", "Password0", "-a"])
        .output()
        .expect("it is installed");
    assert!(account.status.success(), "{account:?}");
    let filled = program("python")
        .arg(here("fill_opentaxii.py"))
        .args([count.to_string(), burst.to_string(), microsecond.to_string()])
        .output()
        .expect("it is installed");
    assert!(filled.status.success(), "{filled:?}");
    let id = String::from_utf8_lossy(&filled.stdout).lines().last().unwrap_or_default().trim().to_owned();
    let mut serve = program("gunicorn");
    serve.args(["opentaxii.http:app", "--bind", &format!("127.0.0.1:{port}")]);
    (Server::start(serve, port, folder), id)
}

#[test]
fn opentaxii_as_it_is() {
    let Some(programs) = installed() else { return };
    let (server, id) = opentaxii(&programs, 500, 150, 1);
    let mut settings = server.settings("/taxii2/");
    settings.limit = 100;
    // With the database library that is current it answers 500 to the list of its collections.
    settings.http.limits.tries = 1;
    settings.collections = vec![id.clone()];
    for auth in [settings.http.auth.clone(), Auth::None] {
        settings.http.auth = auth;
        let kept = polled(&settings, 500);
        let told = |note: &String| note.contains("the server will not list its collections") && note.contains("500");
        assert!(kept.notes.iter().any(told), "{:?}", kept.notes);
    }
    // Without a limit of one's own everything would come in one answer, which is one page.
    settings.limit = 10_000;
    polled(&settings, 500);
    settings.http.url.set_path(&format!("/taxii2/collections/{id}/"));
    settings.collections.clear();
    let text = Taxii::new(settings.clone())
        .expect("settings make sense")
        .poll(None, &mut Kept::default())
        .expect_err("no such root")
        .to_string();
    assert!(text.contains("40"), "{text}");

    settings.http.url.set_path("/taxii2/");
    let text = Taxii::new(settings)
        .expect("settings make sense")
        .poll(None, &mut Kept::default())
        .expect_err("nothing is listed")
        .to_string();
    assert!(text.contains("500 Internal Server Error, \"Internal Server Error\""), "{text}");
}

#[test]
fn opentaxii_refuses_its_own_tokens() {
    let Some(programs) = installed() else { return };
    // It writes whole seconds into `next` in a form that it does not read.
    let (server, id) = opentaxii(&programs, 500, 150, 0);
    let mut settings = server.settings("/taxii2/");
    (settings.limit, settings.http.limits.tries) = (100, 1);
    settings.collections = vec![id];
    polled(&settings, 500);
}

/// Objects a second, and what taxii2-client reads of the same server.
#[test]
#[ignore = "measures"]
fn throughput() {
    let Some(programs) = installed() else { return };
    let backend = r#"{"module":"fast_backend","module_class":"FastBackend","count":50000,"burst":250}"#;
    let server = Server::medallion(&programs, backend, 1000, folder());
    for _ in 0..3 {
        let begin = Instant::now();
        let mut kept = Kept::default();
        Taxii::new(server.settings("/taxii2/"))
            .expect("settings make sense")
            .poll(None, &mut kept)
            .expect("it answers");
        let ours = begin.elapsed();
        let script = format!(
            "import time\nfrom taxii2client.v21 import Server, as_pages\nbegin = time.time()\n\
             c = Server('http://127.0.0.1:{}/taxii2/', user='admin', password='Password0').api_roots[0].collections[0]\n\
             n = sum(len(page.get('objects', [])) for page in as_pages(c.get_objects, per_request=1000))\nprint(n, time.time() - begin)",
            server.port
        );
        let theirs = Command::new(programs.join("medallion/bin/python"))
            .args(["-c", &script])
            .output()
            .expect("it is installed");
        eprintln!(
            "stockade: {} objects in {ours:?}; taxii2-client: {}{}",
            kept.ids.len(),
            String::from_utf8_lossy(&theirs.stdout),
            String::from_utf8_lossy(&theirs.stderr)
        );
    }
}

//! `stockade.toml`: where it is found, what it may say, and what is wrong with it.
//!
//! An unknown key is an error: a guard rail that is misspelt must not be missing in silence.

mod columns;
mod logs;
mod units;

use super::error::{Error, reason};
use columns::Columns;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use stockade::blocklist::{Guard, allowed};
use stockade::observable::{Kind, Value};
use stockade::render::{Action, Format};
use stockade::stix::Tlp;
use units::Size;
pub(crate) use units::{Duration, Named, Share};

/// The name of the file in every place where it is looked for.
const NAME: &str = "stockade.toml";

/// What a configuration file says. Without one, everything is as by default.
#[derive(Debug, Default)]
pub(crate) struct Config {
    store: Store,
    /// Where indicators come from, in order of the file.
    pub(crate) sources: Vec<Source>,
    pub(crate) policy: Policy,
    pub(crate) outputs: Vec<Output>,
    pub(crate) indexes: Vec<Index>,
    logs: Vec<logs::Log>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Contents {
    store: Store,
    source: Vec<Source>,
    policy: Policy,
    output: Vec<Output>,
    index: Vec<Index>,
    log: Vec<logs::Log>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Store {
    dir: Option<PathBuf>,
}

/// `[[source]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) kind: SourceKind,
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) collections: Vec<String>,
    #[serde(default)]
    pub(crate) auth: Auth,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, String>,
    #[serde(default = "default_limit")]
    pub(crate) limit: u32,
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) client_cert: Option<PathBuf>,
    pub(crate) client_key: Option<PathBuf>,
    #[serde(default)]
    pub(crate) timeouts: Timeouts,
    #[serde(default)]
    pub(crate) max_body: Size,
    #[serde(default)]
    pub(crate) interval: Interval,
    #[serde(default = "half")]
    pub(crate) max_drop: Share,
    pub(crate) columns: Option<Columns>,
    #[serde(default)]
    pub(crate) allow_http: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SourceKind {
    Taxii,
    File,
    Url,
    List,
    Csv,
    Misp,
}

impl SourceKind {
    /// Its name in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Taxii => "taxii",
            Self::File => "file",
            Self::Url => "url",
            Self::List => "list",
            Self::Csv => "csv",
            Self::Misp => "misp",
        }
    }
}

/// How to show who is asking. The secret itself is in the environment or in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Auth {
    pub(crate) scheme: Scheme,
    pub(crate) key_env: Option<String>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) header: Option<String>,
    pub(crate) user: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scheme {
    #[default]
    None,
    Bearer,
    Token,
    ApiKey,
    Basic,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) read: Duration,
    pub(crate) total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::seconds(10), read: Duration::seconds(30), total: Duration::seconds(600) }
    }
}

/// Between two visits of a source.
#[derive(Debug, Deserialize)]
pub(crate) struct Interval(pub(crate) Duration);

impl Default for Interval {
    fn default() -> Self {
        Self(Duration::seconds(3600))
    }
}

/// `[policy]`; what is not said is as the command has it by default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Policy {
    pub(crate) min_confidence: Option<Percent>,
    pub(crate) require_confidence: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) types: Vec<String>,
    pub(crate) tlp: Option<Named<Tlp>>,
    pub(crate) max_age: BTreeMap<KindName, Duration>,
    pub(crate) subdomains: Option<bool>,
    pub(crate) allow: Vec<Named<Value>>,
    pub(crate) allow_files: Vec<PathBuf>,
    pub(crate) own: Vec<Named<Value>>,
    pub(crate) unguard: Vec<Named<Guard>>,
    pub(crate) max_entries: Option<usize>,
    pub(crate) max_shrink: Option<Share>,
    pub(crate) max_growth: Option<Growth>,
    pub(crate) min_prefix_v4: Option<u8>,
    pub(crate) min_prefix_v6: Option<u8>,
    pub(crate) action: Option<Named<Action>>,
    pub(crate) sinkhole: Vec<IpAddr>,
}

/// `[[output]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) format: Named<&'static Format>,
    pub(crate) path: PathBuf,
    pub(crate) zone: Option<String>,
    #[serde(default)]
    pub(crate) kinds: Vec<KindName>,
    #[serde(default)]
    pub(crate) sources: Vec<String>,
    pub(crate) validate: Option<String>,
    pub(crate) reload: Option<String>,
    pub(crate) timeout: Option<Duration>,
}

/// A name of kinds: `ip`, `hash` and so on.
pub(crate) type KindName = Named<KindSet>;

/// `[[index]]`: a compiled index that follows its sources.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Index {
    pub(crate) path: PathBuf,
    /// All, if there is none.
    #[serde(default)]
    pub(crate) sources: Vec<String>,
}

/// The kinds that one name stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KindSet(pub(crate) Vec<Kind>);

/// A whole number from 0 to 100.
pub(crate) type Percent = Named<units::Hundred>;

/// A factor of at least 1.
pub(crate) type Growth = Named<units::Factor>;

fn default_limit() -> u32 {
    1000
}

fn half() -> Share {
    Share(0.5)
}

impl Config {
    /// Finds and reads the file: the one of the flag, of `$STOCKADE_CONFIG`, here, the user's, or the system's.
    ///
    /// # Errors
    /// A file that was named is not there, cannot be read, or says something wrong.
    pub(crate) fn find(flag: Option<&Path>) -> Result<Self, Error> {
        let named = flag.map(Path::to_owned).or_else(|| variable("STOCKADE_CONFIG").map(PathBuf::from));
        if let Some(path) = named {
            let text = std::fs::read_to_string(&path).map_err(|error| Error::file(&path, &error))?;
            return Self::read(&path, &text);
        }
        for path in usual_places() {
            match std::fs::read_to_string(&path) {
                Ok(text) => return Self::read(&path, &text),
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(error) => return Err(Error::file(&path, &error)),
            }
        }
        Ok(Self::default())
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Names what is wrong and its line.
    fn read(path: &Path, text: &str) -> Result<Self, Error> {
        let at = |error: toml::de::Error| {
            let place = match error.span() {
                Some(span) => format!("{}:{}", path.display(), line(text, span.start)),
                None => path.display().to_string(),
            };
            Error::new(format_args!("{place}: {}", plain(error.message())))
        };
        let contents: Contents = toml::from_str(text).map_err(at)?;
        let Contents { store, source, policy, output, index, log } = contents;
        let mut config = Self { store, sources: source, policy, outputs: output, indexes: index, logs: log };
        config.resolve_paths(path.parent().unwrap_or(Path::new("")));
        config.check().map_err(|message| Error::new(format_args!("{}: {message}", path.display())))?;
        Ok(config)
    }

    /// Paths are relative to the file that holds them.
    fn resolve_paths(&mut self, folder: &Path) {
        let resolve = |path: &mut PathBuf| *path = folder.join(&*path);
        self.store.dir.iter_mut().for_each(resolve);
        self.policy.allow_files.iter_mut().for_each(resolve);
        self.outputs.iter_mut().map(|output| &mut output.path).for_each(resolve);
        self.indexes.iter_mut().map(|index| &mut index.path).for_each(resolve);
        for source in &mut self.sources {
            source.auth.key_file.iter_mut().for_each(resolve);
            source.ca_file.iter_mut().for_each(resolve);
            source.client_cert.iter_mut().for_each(resolve);
            source.client_key.iter_mut().for_each(resolve);
            if source.kind != SourceKind::Taxii && !source.url.contains("://") {
                source.url = folder.join(&source.url).display().to_string();
            }
        }
    }

    /// What no single value shows.
    fn check(&self) -> Result<(), String> {
        let too_long = |length: Option<u8>, bits| length.is_some_and(|length| length > bits);
        if too_long(self.policy.min_prefix_v4, 32) || too_long(self.policy.min_prefix_v6, 128) {
            return Err("min_prefix_v4 is at most 32, min_prefix_v6 at most 128".to_owned());
        }
        let mut names = BTreeSet::new();
        for source in &self.sources {
            let name = &source.name;
            check_name("source", name)?;
            if !names.insert(name) {
                return Err(format!("two sources are called {name}"));
            }
            source.check().map_err(|message| format!("source {name}: {message}"))?;
        }
        for log in &self.logs {
            log.mapping()?;
        }
        let mut outputs = BTreeSet::new();
        for output in &self.outputs {
            let name = &output.name;
            check_name("output", name)?;
            if !outputs.insert(name) {
                return Err(format!("two outputs are called {name}"));
            }
            if let Some(unknown) = output.sources.iter().find(|source| !names.contains(source)) {
                return Err(format!("output {name}: there is no source {unknown}"));
            }
        }
        for index in &self.indexes {
            if let Some(unknown) = index.sources.iter().find(|source| !names.contains(source)) {
                return Err(format!("index {}: there is no source {unknown}", index.path.display()));
            }
        }
        Ok(())
    }

    /// What is said of the fields of logs.
    ///
    /// # Errors
    /// A field means what is no object path.
    pub(crate) fn log_mappings(&self) -> Result<Vec<stockade::log::Mapping>, Error> {
        self.logs.iter().map(|log| log.mapping().map_err(Error::new)).collect()
    }

    /// The source of a name.
    pub(crate) fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// The folder of all state: as configured, or the user's.
    pub(crate) fn store_dir(&self) -> Option<PathBuf> {
        let state = || variable("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || variable("HOME").map(|home| Path::new(&home).join(".local/state"));
        self.store.dir.clone().or_else(|| Some(state().or_else(home)?.join("stockade")))
    }
}

impl Source {
    fn check(&self) -> Result<(), String> {
        let auth = &self.auth;
        if auth.key_env.is_some() && auth.key_file.is_some() {
            return Err("key_env and key_file exclude each other".to_owned());
        }
        let has_key = auth.key_env.is_some() || auth.key_file.is_some();
        match auth.scheme {
            Scheme::None if has_key => return Err("a key without a scheme of authentication".to_owned()),
            Scheme::None => {}
            _ if !has_key => return Err("authentication needs key_env or key_file".to_owned()),
            Scheme::Basic if auth.user.is_none() => return Err("basic authentication needs user".to_owned()),
            _ => {}
        }
        if self.client_cert.is_some() != self.client_key.is_some() {
            return Err("client_cert and client_key need each other".to_owned());
        }
        if self.interval.0.get().is_zero() {
            return Err("interval is longer than nothing".to_owned());
        }
        if self.limit == 0 {
            return Err("limit is at least 1".to_owned());
        }
        if self.columns.is_some() && self.kind != SourceKind::Csv {
            return Err("columns are for csv only".to_owned());
        }
        Ok(())
    }
}

/// Names become names of files.
fn check_name(what: &str, name: &str) -> Result<(), String> {
    let good = !name.is_empty()
        && !name.starts_with(['.', '-'])
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if good {
        return Ok(());
    }
    Err(format!("a name of a {what} is letters, digits, dots, hyphens and underscores: {}", name.escape_debug()))
}

fn usual_places() -> impl Iterator<Item = PathBuf> {
    let user = variable("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let user = user.or_else(|| variable("HOME").map(|home| Path::new(&home).join(".config")));
    let user = user.map(|folder| folder.join("stockade").join(NAME));
    [Some(PathBuf::from(NAME)), user, Some(Path::new("/etc/stockade").join(NAME))].into_iter().flatten()
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The line of a place in a text, counted from 1.
fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// What serde calls a field is a key here; and a message is one line.
fn plain(message: &str) -> String {
    message.trim().replace("unknown field", "unknown key").replace("missing field", "missing key").replace('\n', " ")
}

impl units::ByName for Value {
    const WHAT: &str = "no address, name, URL or hash";
    fn of_name(text: &str) -> Option<Self> {
        allowed(text).ok()
    }
}

impl units::ByName for Tlp {
    const WHAT: &str = "no marking; there are clear, green, amber, amber+strict, red";
    fn of_name(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl units::ByName for Guard {
    const WHAT: &str = "no guard; there are special, prefix, suffix, well-known";
    fn of_name(text: &str) -> Option<Self> {
        Self::named(text)
    }
}

impl units::ByName for Action {
    const WHAT: &str = "no action; there are nxdomain, nodata, drop, refuse, sinkhole";
    fn of_name(text: &str) -> Option<Self> {
        Self::named(text)
    }
}

impl units::ByName for &'static Format {
    const WHAT: &str = "no format; `stockade formats` lists them";
    fn of_name(text: &str) -> Option<Self> {
        Format::named(text)
    }
}

impl units::ByName for KindSet {
    const WHAT: &str = "no kind; there are domain, ip, url, email, md5, sha1, sha256, sha512, hash";
    fn of_name(text: &str) -> Option<Self> {
        Some(Self(Kind::named(text))).filter(|kinds| !kinds.0.is_empty())
    }
}

/// Reads a file of the user's whose name a message should show.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| Error::new(format_args!("{}: {}", path.display(), reason(&error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        Config::read(Path::new("/etc/stockade/stockade.toml"), text).map_err(|error| match error {
            Error::Message(message) => message,
            Error::Closed => "closed".to_owned(),
        })
    }

    const WHOLE: &str = r#"
[store]
dir = "state"

[[source]]
name = "socdefenders"
kind = "taxii"
url = "https://socdefenders.ai/api/taxii2/"
collections = ["all-iocs"]
auth = { scheme = "bearer", key_env = "SOCDEFENDERS_KEY" }
query = { type = "indicator" }
limit = 1000
hosts = ["socdefenders.ai"]
ca_file = "own-ca.pem"
client_cert = "c.pem"
client_key = "k.pem"
timeouts = { connect = "10s", read = "30s", total = "10m" }
max_body = "1GiB"
interval = "15m"
max_drop = 0.5

[[source]]
name = "rows"
kind = "csv"
url = "rows.csv"
columns = { value = 2, type = "kind" }

[policy]
min_confidence = 50
require_confidence = false
labels = ["c2"]
types = ["malicious-activity"]
tlp = "amber"
max_age = { ip = "30d", domain = "180d", hash = "1h" }
subdomains = true
allow = ["example.com", "192.0.2.0/24"]
own = ["203.0.113.0/24", "corp.example"]
allow_files = ["allow.txt"]
unguard = ["well-known"]
max_entries = 1000000
max_shrink = 0.5
max_growth = 10.0
min_prefix_v4 = 8
min_prefix_v6 = 19
action = "nxdomain"
sinkhole = ["192.0.2.1", "2001:db8::1"]

[[output]]
name = "dns"
format = "rpz"
path = "/etc/bind/rpz.stockade"
zone = "rpz.stockade"
kinds = ["domain"]
sources = ["socdefenders"]
validate = "named-checkzone rpz.stockade {}"
reload = "rndc reload rpz.stockade"
"#;

    #[test]
    fn every_key_is_known() {
        let config = read(WHOLE).expect("all of it is right");
        assert_eq!(config.store_dir(), Some(PathBuf::from("/etc/stockade/state")));
        assert_eq!(config.policy.allow_files, [PathBuf::from("/etc/stockade/allow.txt")]);
        assert_eq!(config.source("rows").map(|source| source.url.as_str()), Some("/etc/stockade/rows.csv"));
        assert_eq!(config.outputs[0].path, PathBuf::from("/etc/bind/rpz.stockade"));
        assert_eq!(config.policy.max_age.values().map(|age| age.as_secs()).sum::<u64>(), 210 * 86_400 + 3600);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let source = "[[source]]\nname = \"a\"\nkind = \"list\"\nurl = \"a.txt\"\n";
        let csv = source.replace("list", "csv");
        for (text, expected) in [
            ("[policy]\nmax_shrink = 0.5\nmin_confidense = 1\n", ":3: unknown key `min_confidense`"),
            ("[polizy]\n", ":1: unknown key `polizy`"),
            ("[policy]\nunguard = [\"all\"]\n", ":2: all: no guard; there are special, prefix, suffix, well-known"),
            ("[policy]\n\nallow = [\n  \"a b\"]\n", ":3: a b: no address, name, URL or hash"),
            ("[policy]\nmax_age = { ip = \"30\" }\n", ":2: 30: "),
            ("[policy]\nmin_confidence = 101\n", ":2: 101: "),
            ("[policy]\nmax_shrink = 1.5\n", ":2: 1.5: "),
            ("[[output]]\nname = \"a\"\nformat = \"gopher\"\npath = \"x\"\n", ":3: gopher: no format"),
            ("[[output]]\nname = \"a\"\npath = \"x\"\n", ":1: missing key `format`"),
            ("[[source]]\nname = \"a\"\nkind = \"ftp\"\nurl = \"x\"\n", ":3: unknown variant `ftp`"),
            (&format!("{source}{source}"), "two sources are called a"),
            (
                &format!("{source}auth = {{ scheme = \"basic\", key_env = \"K\" }}\n"),
                "source a: basic authentication needs user",
            ),
            (&format!("{source}auth = {{ key = \"secret\" }}\n"), ":5: unknown key `key`"),
            (&format!("{source}timeouts = {{ connect = \"soon\" }}\n"), ":5: soon: "),
            (&format!("{source}max_body = \"many\"\n"), ":5: many: "),
            (&format!("{csv}columns = {{ value = 2, typ = 3 }}\n"), ":5: unknown key `typ`"),
            (&format!("{csv}columns = {{ value = 0 }}\n"), ":5: columns are counted from 1"),
            (&format!("{csv}columns = {{ type = 1 }}\n"), ":5: missing key `value`"),
            (
                &format!("{csv}columns = \"urlhouse\"\n"),
                ":5: urlhouse: no feed whose columns are known; there are urlhaus",
            ),
            ("[[source]]\nname = \"../a\"\nkind = \"list\"\nurl = \"x\"\n", "a name of a source is letters"),
            ("[[output]]\nname = \"a\"\nformat = \"ips\"\npath = \"x\"\nsources = [\"b\"]\n", "there is no source b"),
            (&format!("{source}interval = \"0s\"\n"), "source a: interval is longer than nothing"),
            ("[[index]]\npath = \"x\"\nsources = [\"b\"]\n", "x: there is no source b"),
            ("[policy\n", ":1: "),
            ("[policy]\nmin_prefix_v4 = 33\n", "min_prefix_v4 is at most 32"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}

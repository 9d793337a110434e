//! A server on the loopback address, one thread for each connection, whose answers a test decides.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request, as far as tests ask.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Path without query.
    pub(crate) path: String,
    /// Query, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// Headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

/// How a body is sent.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Whole(Vec<u8>),
    /// Fewer bytes than are announced.
    Cut(Vec<u8>),
    /// These bytes, and then nothing for ever.
    Stall(Vec<u8>),
    /// No length is announced, the end of the connection is the end.
    ToTheEnd(Vec<u8>),
}

impl Told {
    pub(crate) fn json(body: impl Into<String>) -> Self {
        Self::new(200, body.into()).with("Content-Type", "application/taxii+json;version=2.1")
    }

    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: Body::Whole(body.into()) }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

type Answering = dyn Fn(&Asked) -> Told + Send + Sync;

/// See the module. It answers until the test ends.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Asked) -> Told + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer): (_, Arc<Answering>) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                // A client that has enough closes the connection.
                std::thread::spawn(move || drop(serve(stream, &seen, &*answer)));
            }
        });
        Self { address, asked }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no test panics with it").clone()
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<Asked>>, answer: &Answering) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader)? {
        seen.lock().expect("no test panics with it").push(asked.clone());
        let Told { status, headers, body } = answer(&asked);
        let mut head = format!("HTTP/1.1 {status} Said\r\n");
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let (bytes, announced) = match &body {
            Body::Whole(bytes) => (bytes, Some(bytes.len())),
            Body::Cut(bytes) => (bytes, Some(bytes.len() + 10)),
            Body::Stall(bytes) => (bytes, Some(bytes.len() + 1_000_000)),
            Body::ToTheEnd(bytes) => (bytes, None),
        };
        let _ = match announced {
            Some(length) => write!(head, "Content-Length: {length}\r\n\r\n"),
            None => write!(head, "Connection: close\r\n\r\n"),
        };
        out.write_all(head.as_bytes())?;
        out.write_all(bytes)?;
        match body {
            Body::Whole(_) => {}
            Body::Stall(_) => std::thread::sleep(Duration::from_secs(20)),
            Body::Cut(_) | Body::ToTheEnd(_) => break,
        }
    }
    out.shutdown(std::net::Shutdown::Both)
}

fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.take(1 << 16).read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.take(1 << 16).read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    });
    Ok(Some(Asked { path: path.to_owned(), query: query.collect(), headers }))
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next().unwrap_or(b'0'), bytes.next().unwrap_or(b'0')];
                u8::from_str_radix(&String::from_utf8_lossy(&digits), 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}

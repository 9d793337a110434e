//! A small HTTP server on the loopback, for tests: every answer is made by a function of the request.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request: path with query, and headers.
pub(crate) struct Request {
    pub(crate) path: String,
    headers: Vec<(String, String)>,
}

impl Request {
    /// The header of this name, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// An answer.
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    hangs: bool,
    /// The connection ends before the body does.
    cut: bool,
}

#[allow(dead_code, reason = "not every test needs everything")]
impl Answer {
    pub(crate) fn new(status: u16, body: impl AsRef<[u8]>) -> Self {
        Self { status, headers: Vec::new(), body: body.as_ref().to_vec(), hangs: false, cut: false }
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, and then the connection breaks, with half of the body still to come.
    pub(crate) fn cut(self) -> Self {
        Self { cut: true, ..self }
    }

    /// An answer that never comes.
    pub(crate) fn hang() -> Self {
        Self { hangs: true, ..Self::new(200, "") }
    }
}

/// The server. It ends with the test.
pub(crate) struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

#[allow(dead_code, reason = "not every test needs everything")]
impl Server {
    pub(crate) fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                // Whoever asks may go away at any time.
                std::thread::spawn(move || _ = serve(&stream, &*answer, &log));
            }
        });
        Self { address, asked }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The paths that were asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }
}

fn serve(stream: &TcpStream, answer: &dyn Fn(&Request) -> Answer, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
                None => break,
            }
        }
        log.lock().unwrap().push(path.clone());
        let Answer { status, headers, body, hangs, cut } = answer(&Request { path, headers });
        if hangs {
            std::thread::sleep(Duration::from_secs(600));
        }
        let mut out = stream;
        let mut head =
            format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", if cut { body.len() * 2 } else { body.len() });
        for (name, value) in headers {
            head.extend([&name, ": ", &value, "\r\n"]);
        }
        out.write_all(&[head.as_bytes(), b"\r\n", &body].concat())?;
        if cut {
            return stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

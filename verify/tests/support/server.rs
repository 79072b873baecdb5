//! A server on this machine that gives prepared answers, and keeps a log.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub head: String,
    pub body: String,
}

impl Seen {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The ID that signed.
    pub fn key_id(&self) -> String {
        let value = self.header("authorization").unwrap_or_default();
        let credential = value.split("Credential=").nth(1).unwrap_or_default();
        credential.split('/').next().unwrap_or_default().to_owned()
    }

    /// A field of the form.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut fields = self
            .body
            .split('&')
            .filter_map(|field| field.split_once('='));
        fields
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value.to_owned())
    }

    pub fn action(&self) -> String {
        self.field("Action").unwrap_or_default()
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status and a body.
    Full(u16, String),
    /// As it is, then the connection ends.
    Raw(Vec<u8>),
    /// After a while.
    Late(Duration, Box<Reply>),
}

impl Reply {
    pub fn with_header(status: u16, header: &str) -> Self {
        Self::Raw(format!("HTTP/1.1 {status} X\r\n{header}\r\nContent-Length: 0\r\n\r\n").into())
    }
}

type Handler = dyn Fn(usize, &Seen) -> Reply + Send + Sync;

/// The server; it ends with the test program.
pub struct Server {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Plain HTTP.
    pub fn http(handler: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(None, handler)
    }

    /// TLS.
    pub fn https(
        config: Arc<ServerConfig>,
        handler: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start(Some(config), handler)
    }

    fn start(
        tls: Option<Arc<ServerConfig>>,
        handler: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let log = Arc::new(Mutex::new(Vec::new()));
        let handler: Arc<Handler> = Arc::new(handler);
        let server = Self {
            address,
            log: Arc::clone(&log),
        };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, log, handler) = (tls.clone(), Arc::clone(&log), Arc::clone(&handler));
                thread::spawn(move || match tls {
                    None => serve(stream, &log, &*handler),
                    Some(config) => {
                        let connection = ServerConnection::new(config).expect("a connection");
                        serve(StreamOwned::new(connection, stream), &log, &*handler);
                    }
                });
            }
        });
        server
    }

    /// Its address for `--endpoint-url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests so far.
    pub fn log(&self) -> Vec<Seen> {
        self.log.lock().expect("a log").clone()
    }
}

/// A port that nobody listens on.
pub fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

fn serve(stream: impl Read + Write, log: &Mutex<Vec<Seen>>, handler: &Handler) {
    let mut stream = BufReader::new(stream);
    while let Some(seen) = read_request(&mut stream) {
        let number = {
            let mut log = log.lock().expect("a log");
            log.push(seen.clone());
            log.len() - 1
        };
        if !reply(stream.get_mut(), handler(number, &seen)) {
            return;
        }
    }
}

/// A request; `None` once there is none.
pub fn read_request(stream: &mut impl std::io::BufRead) -> Option<Seen> {
    let mut seen = Seen::default();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        seen.head.push_str(&line);
    }
    let length = seen
        .header("content-length")
        .unwrap_or("0")
        .parse()
        .expect("a length");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    seen.body = String::from_utf8(body).expect("UTF-8");
    Some(seen)
}

/// Answers; says whether the connection goes on.
fn reply(stream: &mut impl Write, reply_: Reply) -> bool {
    let bytes = match reply_ {
        Reply::Late(time, then) => {
            thread::sleep(time);
            return reply(stream, *then);
        }
        Reply::Raw(bytes) => {
            // Nobody may be there any more.
            let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
            return false;
        }
        Reply::Full(status, body) => {
            let length = body.len();
            format!(
                "HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        }
    };
    stream
        .write_all(bytes.as_bytes())
        .and_then(|()| stream.flush())
        .is_ok()
}

/// Copies until one side ends.
pub fn tunnel(a: TcpStream, b: TcpStream) {
    let copy = |mut from: TcpStream, mut to: TcpStream| {
        thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
    };
    let twin = |stream: &TcpStream| stream.try_clone().expect("a handle");
    copy(twin(&a), twin(&b));
    copy(b, a);
}

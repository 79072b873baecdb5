//! A proxy on this machine that leads every host to one server, and keeps a log of the hosts.

use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::server::{read_request, tunnel};

/// The proxy; it ends with the test program.
pub struct Proxy {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Leads to `server`; what `refuse` says about a host is sent in place of that.
    pub fn new(
        server: SocketAddr,
        refuse: impl Fn(&str) -> Option<&'static str> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let log = Arc::new(Mutex::new(Vec::new()));
        let proxy = Self {
            address,
            log: Arc::clone(&log),
        };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = BufReader::new(stream);
                let Some(seen) = read_request(&mut stream) else {
                    continue;
                };
                let mut words = seen.head.split(' ');
                assert_eq!(words.next(), Some("CONNECT"), "{}", seen.head);
                let host = words.next().expect("a host").to_owned();
                let refusal = refuse(&host);
                log.lock().expect("a log").push(host);
                let mut stream = stream.into_inner();
                let text = refusal.unwrap_or("HTTP/1.1 200 OK\r\n\r\n");
                if stream.write_all(text.as_bytes()).is_ok() && refusal.is_none() {
                    tunnel(stream, TcpStream::connect(server).expect("the server"));
                }
            }
        });
        proxy
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The hosts that were asked for, in this order.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("a log").clone()
    }
}

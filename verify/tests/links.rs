//! The scanner holds no code that opens a connection, and this program does: so the first half means something.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::scanner;

/// Calls of the system that open connections. A pair of sockets connects nothing: signals are passed on through one.
const CALLS: &[&str] = &[
    "socket",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "getaddrinfo",
    "gethostbyname",
];

/// Parts of names of functions for TLS and HTTP, and of the standard library's for connections.
const NAMES: &[&str] = &[
    "rustls",
    "ring_core",
    "ureq",
    "webpki",
    "hyper",
    "openssl",
    "SSL_",
    "TcpListener",
    "UdpSocket",
    "UnixListener",
    "UnixDatagram",
    "lookup_host",
];

fn binutils(program: &str, args: &[&str], file: &Path) -> Option<String> {
    let output = Command::new(program).args(args).arg(file).output().ok()?;
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The calls of [`CALLS`] that a dynamic program refers to. The linker may leave names in the table of symbols that
/// nothing refers to any more, so these are taken from the relocations.
fn calls(program: &Path) -> Option<Vec<&'static str>> {
    let text = binutils("readelf", &["--relocs", "--wide"], program)?;
    let symbols: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_whitespace().nth(4))
        .map(|symbol| symbol.split('@').next().unwrap_or_default())
        .collect();
    assert!(symbols.contains(&"read"), "no dynamic program");
    let used = |call: &&&str| symbols.contains(*call);
    Some(CALLS.iter().filter(used).copied().collect())
}

/// The parts of [`NAMES`] that occur among the names of a program's functions.
fn names(program: &Path) -> Option<Vec<&'static str>> {
    let text = binutils("nm", &[], program)?;
    assert!(text.lines().count() > 10_000, "the program is stripped");
    Some(
        NAMES
            .iter()
            .filter(|name| text.contains(**name))
            .copied()
            .collect(),
    )
}

/// A built release, if the environment names one; it is stripped.
fn released() -> Option<PathBuf> {
    let path = std::env::var_os("KEYSIEVE_RELEASED").map(PathBuf::from)?;
    assert!(path.is_file(), "KEYSIEVE_RELEASED names no file");
    Some(path)
}

#[test]
#[cfg(target_os = "linux")]
fn the_scanner_links_no_sockets_and_no_tls() {
    let verify = Path::new(env!("CARGO_BIN_EXE_keysieve-verify"));
    let (Some(of_verify), Some(of_scanner)) = (calls(verify), calls(scanner())) else {
        let text = "\nNOT TESTED: what the scanner links, as `readelf` is missing\n";
        std::io::stderr().write_all(text.as_bytes()).expect("told");
        return;
    };
    for call in ["socket", "connect", "getaddrinfo"] {
        assert!(of_verify.contains(&call), "{of_verify:?}");
    }
    assert!(of_scanner.is_empty(), "{of_scanner:?}");
    if let Some(released) = released() {
        let of_released = calls(&released).expect("readelf");
        assert!(of_released.is_empty(), "{of_released:?}");
    }
    if verify.parent().is_some_and(|dir| dir.ends_with("debug")) {
        let of_verify = names(verify).expect("nm");
        for name in ["rustls", "ring_core", "ureq", "lookup_host"] {
            assert!(of_verify.contains(&name), "{of_verify:?}");
        }
        let of_scanner = names(scanner()).expect("nm");
        assert!(of_scanner.is_empty(), "{of_scanner:?}");
    }
}

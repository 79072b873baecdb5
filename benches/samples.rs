//! Named samples that depend on nothing but their seeds. Key material is made when they run.

#[path = "../tests/support/keys.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "written for the tests, which use the rest"
)]
mod keys;

use std::path::Path;

use keys::Keys;

/// Bytes with a name.
pub(crate) struct Sample {
    /// Its name in a bench.
    pub(crate) name: &'static str,
    /// The text.
    pub(crate) bytes: Vec<u8>,
}

/// Length of each sample in bytes, roughly.
const LENGTH: usize = 4 << 20;

/// Every sample.
pub(crate) fn all() -> Vec<Sample> {
    type Make = fn() -> Vec<u8>;
    let makers: [(&'static str, Make); 7] = [
        ("no_keyword", no_keyword),
        ("one_pair", one_pair),
        ("dense", dense),
        ("minified_json", minified_json),
        ("base64_heavy", base64_heavy),
        ("binary", binary),
        ("worst_case", worst_case),
    ];
    makers
        .into_iter()
        .map(|(name, make)| Sample {
            name,
            bytes: make(),
        })
        .collect()
}

/// Code in which no rule has a keyword.
pub(crate) fn no_keyword() -> Vec<u8> {
    let mut keys = Keys::new(1);
    let mut text = String::with_capacity(LENGTH + 200);
    while text.len() < LENGTH {
        line_of_code(&mut keys, &mut text);
    }
    text.into_bytes()
}

/// The same with one pair in the middle.
pub(crate) fn one_pair() -> Vec<u8> {
    let mut text = no_keyword();
    let middle = text.len() / 2;
    let line = text[middle..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(middle, |end| middle + end + 1);
    let pair = pair(&mut Keys::new(2));
    text.splice(line..line, pair.into_bytes());
    text
}

/// A pair, then four lines of code, and so on.
pub(crate) fn dense() -> Vec<u8> {
    let mut keys = Keys::new(3);
    let mut text = String::with_capacity(LENGTH + 1000);
    while text.len() < LENGTH {
        text.push_str(&pair(&mut keys));
        for _ in 0..4 {
            line_of_code(&mut keys, &mut text);
        }
    }
    text.into_bytes()
}

/// One line of nested objects, with a pair at its end.
pub(crate) fn minified_json() -> Vec<u8> {
    let mut keys = Keys::new(4);
    let mut text = String::with_capacity(LENGTH + 500);
    text.push('[');
    while text.len() < LENGTH {
        let (first, second) = (word(&mut keys), word(&mut keys));
        let number = keys.below(100_000);
        let hex = keys.hex(32);
        text.push_str(&format!(
            r#"{{"{first}":"{second}","id":{number},"digest":"{hex}","{second}":[true,null,0.5]}},"#
        ));
    }
    let (id, secret) = (keys.id(), keys.secret());
    text.push_str(&format!(
        r#"{{"accessKeyId":"{id}","secretAccessKey":"{secret}"}}]"#
    ));
    text.into_bytes()
}

/// Lines of 76 characters of base64, as in certificates and mails.
pub(crate) fn base64_heavy() -> Vec<u8> {
    let mut keys = Keys::new(5);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(LENGTH + 100);
    while text.len() < LENGTH {
        text.push_str(&keys.text(alphabet, 76));
        text.push('\n');
    }
    text.into_bytes()
}

/// Random bytes with stretches of zeros.
pub(crate) fn binary() -> Vec<u8> {
    let mut keys = Keys::new(6);
    let mut bytes = Vec::with_capacity(LENGTH + 1000);
    while bytes.len() < LENGTH {
        for _ in 0..64 {
            bytes.extend_from_slice(&keys.next().to_le_bytes());
        }
        let zeros = keys.below(300);
        bytes.resize(bytes.len() + zeros, 0);
    }
    bytes
}

/// A keyword at every fourth byte, and never a key.
pub(crate) fn worst_case() -> Vec<u8> {
    b"AKIA".repeat(LENGTH / 4)
}

/// Up to `limit` bytes of other people's sources: those below the folder in `KEYSIEVE_BENCH_TEXT`, or the
/// crates that cargo has unpacked, or code made here if there are none.
pub(crate) fn clean_text(limit: usize) -> Vec<u8> {
    let root = std::env::var_os("KEYSIEVE_BENCH_TEXT").or_else(|| {
        let mut home = std::env::var_os("CARGO_HOME").map(std::path::PathBuf::from);
        if home.is_none() {
            home = std::env::home_dir().map(|home| home.join(".cargo"));
        }
        home.map(|home| home.join("registry/src").into_os_string())
    });
    let mut text = Vec::with_capacity(limit);
    if let Some(root) = root {
        gather(Path::new(&root), limit, &mut text);
    }
    if text.is_empty() {
        text = no_keyword();
    }
    text
}

fn gather(folder: &Path, limit: usize, text: &mut Vec<u8>) {
    let Ok(entries) = folder.read_dir() else {
        return;
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if text.len() >= limit {
            return;
        }
        let source = path.extension().is_some_and(|extension| {
            ["rs", "c", "h", "go", "py", "S", "toml", "md"]
                .iter()
                .any(|known| extension == *known)
        });
        if path.is_dir() && !path.is_symlink() {
            gather(&path, limit, text);
        } else if source && let Ok(bytes) = std::fs::read(&path) {
            text.extend_from_slice(&bytes);
            text.push(b'\n');
        }
    }
}

fn pair(keys: &mut Keys) -> String {
    let (id, secret) = (keys.id(), keys.secret());
    format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

fn line_of_code(keys: &mut Keys, text: &mut String) {
    text.push_str(&" ".repeat(4 * keys.below(5)));
    let (first, second, third) = (word(keys), word(keys), word(keys));
    let number = keys.below(1000);
    let line = match keys.below(8) {
        0 => format!("let {first}_{second} = self.{third}({number})?;\n"),
        1 => format!("if {first}.{second}() > {number} {{\n"),
        2 => format!("/// Returns the {first} of a {second}, or {third} if there is none.\n"),
        3 => format!("static int {first}_{second}(struct {third} *p, size_t n)\n"),
        4 => format!(
            "#define {}_{} 0x{number:08x}\n",
            first.to_uppercase(),
            second.to_uppercase()
        ),
        5 => format!("return {first}[{second} + {number}] || \"{third}\";\n"),
        6 => format!("def {first}(self, {second}=None, *{third}):\n"),
        _ => "}\n".to_owned(),
    };
    text.push_str(&line);
}

fn word(keys: &mut Keys) -> String {
    const WORDS: &[&str] = &[
        "buffer", "index", "value", "parse", "stream", "node", "offset", "length", "reader",
        "state", "update", "config", "thread", "result", "input", "default", "count", "handle",
        "module", "register", "context", "vector", "signal", "message", "header", "packet",
        "table", "column", "render", "window", "socket", "engine",
    ];
    WORDS[keys.below(WORDS.len())].to_owned()
}

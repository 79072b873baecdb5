//! Key material that is assembled at run time from a seed, so that the tree contains none.

/// A seeded generator (SplitMix64) of look-alike AWS credentials and plain noise.
#[derive(Clone, Debug)]
pub struct Keys {
    state: u64,
}

const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8] = b"0123456789abcdef";

impl Keys {
    /// A generator whose values depend on `seed` only.
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed ^ 0x6b65_7973_6965_7665,
        }
    }

    /// The next 64 random bits.
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// `length` characters of `alphabet`.
    pub fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length)
            .map(|_| alphabet[self.below(alphabet.len())] as char)
            .collect()
    }

    /// A long-term access key id of a random account.
    pub fn id(&mut self) -> String {
        self.id_with_prefix("AKIA")
    }

    /// A temporary access key id of a random account.
    pub fn temporary_id(&mut self) -> String {
        self.id_with_prefix("ASIA")
    }

    fn id_with_prefix(&mut self, prefix: &str) -> String {
        // New-style bodies start with Q-Z or 2-5 (6 is cut at account 999999999999).
        let first = self.text(b"QRSTUVWXYZ2345", 1);
        let rest = self.text(BASE32, 15);
        format!("{prefix}{first}{rest}")
    }

    /// A secret access key: 40 uniform characters that the strictest documented filters keep.
    ///
    /// About one uniform secret in a thousand is lost to those filters by design; a test that expects
    /// exact results must not depend on the draw, so this draws again. `raw_secret` does not.
    pub fn secret(&mut self) -> String {
        loop {
            let secret = self.raw_secret();
            if is_typical(&secret) {
                return secret;
            }
        }
    }

    /// 40 uniform characters of the base64 alphabet.
    pub fn raw_secret(&mut self) -> String {
        self.text(BASE64, 40)
    }

    /// A session token of `length` characters with the current prefix.
    pub fn token(&mut self, length: usize) -> String {
        let prefix = ["IQoJb3JpZ2lu", "X2Vj"].concat();
        let body = self.text(BASE64, length.saturating_sub(prefix.len()));
        format!("{prefix}{body}")
    }

    /// `length` lower-case hex digits.
    pub fn hex(&mut self, length: usize) -> String {
        self.text(HEX, length)
    }
}

/// Number of consecutive characters of a secret that are too many.
pub const TOO_MANY: usize = 8;

/// Returns true if so many characters of a secret are in what was written.
pub fn shows_part_of(secret: &str, written: impl AsRef<[u8]>) -> bool {
    let written = written.as_ref();
    secret
        .as_bytes()
        .windows(TOO_MANY)
        .any(|part| memchr::memmem::find(written, part).is_some())
}

fn is_typical(secret: &str) -> bool {
    let bytes = secret.as_bytes();
    let mut counts = [0u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let entropy: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let p = f64::from(*count) / bytes.len() as f64;
            -p * p.log2()
        })
        .sum();
    let class = |byte: &u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let changes = bytes
        .windows(2)
        .filter(|pair| class(&pair[0]) != class(&pair[1]))
        .count();
    let digit = bytes.iter().any(|byte| byte.is_ascii_digit());
    entropy >= 4.35 && changes >= 16 && digit
}

/// A key pair under the names of a credentials file; each seed has its own.
pub fn pair(seed: u64) -> String {
    let mut keys = Keys::new(seed);
    format!(
        "aws_access_key_id={}\naws_secret_access_key={}\n",
        keys.id(),
        keys.secret()
    )
}

/// A private key in PEM form, of several lines: its body begins like an RSA key and goes on at random.
pub fn pem(keys: &mut Keys) -> String {
    let length: u16 = 600;
    let [high, low] = (length - 4).to_be_bytes();
    let mut der = vec![0x30, 0x82, high, low, 2, 1, 0, 2, 0x82, 1, 1, 0];
    der.extend((der.len()..usize::from(length)).map(|_| keys.below(256) as u8));
    let body = data_encoding::BASE64.encode(&der);
    let lines = body.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines: String = lines.map(|line| format!("{line}\n")).collect();
    let kind = "RSA PRIVATE KEY";
    format!("-----BEGIN {kind}-----\n{lines}-----END {kind}-----\n")
}

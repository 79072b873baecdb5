//! Which half of a pair a name speaks of, and what is left of it that tells one pair from the next.

use super::Name;

impl Name {
    /// The words that tell one pair from the next: the name without those that say which half it is, also where
    /// they are written together with another: `key1`, `mysecret`.
    pub fn stem(&self) -> Vec<&str> {
        self.words
            .iter()
            .map(|word| without_half(word))
            .filter(|word| !word.is_empty())
            .collect()
    }

    /// Whether it names the secret half of the pair whose key id has the name `id`: `mailer_password` beside
    /// `mailer_user`, `account_key` beside `account_id`. Then it is no matter what else it says.
    pub fn is_other_half_of(&self, id: &Name) -> bool {
        let (own, ids) = (Halves::of(self), Halves::of(id));
        let is_secret = match (own.password, own.secret, own.key) {
            // `mailer_user`, not `MAILER_ACCESS_KEY_ID`.
            (true, _, _) => ids.holder && !ids.key,
            // `AWS_SECRET` is half of `AWS_KEY`, `APP_SECRET` not of `APP_ACCESS_KEY_ID`.
            (false, true, key) => key || !ids.access,
            // `account_key` beside `account_id`.
            (false, false, key) => key && ids.name && !ids.key,
        };
        let is_secret = is_secret && self.is_aws() == id.is_aws();
        // Those of `SESSION_SECRET` say whose it is.
        let is_own = ["session", "security", "token", "tokens"]
            .iter()
            .any(|word| self.has_word(word));
        is_secret && !is_own && !id.is_empty() && self.stem() == id.stem()
    }

    /// Whether it speaks of somebody who logs in or of a password, rather than of keys.
    pub fn is_login(&self) -> bool {
        const LOGIN: &[&str] = &[
            "user", "username", "login", "password", "passwd", "pass", "pwd",
        ];
        self.words.iter().any(|word| LOGIN.contains(&word.as_str()))
    }

    /// Whether it names somebody who logs in: `username`, `db_user`.
    pub fn is_holder(&self) -> bool {
        self.ends_with(&["user", "username", "login"])
    }
}

/// Words of the secret half.
const SECRET_HALVES: &[&str] = &[
    "secretaccesskey",
    "secretkey",
    "secrets",
    "secret",
    "password",
    "passwd",
    "pass",
    "pwd",
    "sec",
    "sk",
];

/// Words of the half that says whose the secret is.
const HOLDER_HALVES: &[&str] = &["username", "user", "login", "name", "id"];

/// Which halves the words of a name speak of.
struct Halves {
    /// A secret.
    secret: bool,
    /// A password.
    password: bool,
    /// A key, of either half.
    key: bool,
    /// Access: the whole name of an access key.
    access: bool,
    /// Somebody, or an id.
    holder: bool,
    /// A name or an id.
    name: bool,
}

impl Halves {
    fn of(name: &Name) -> Self {
        let has = |halves: &[&str]| name.words.iter().any(|word| has_half(word, halves));
        Self {
            secret: has(&[
                "secretaccesskey",
                "secretkey",
                "secrets",
                "secret",
                "sec",
                "sk",
            ]),
            password: has(&["password", "passwd", "pass", "pwd"]),
            key: has(&[
                "secretaccesskey",
                "secretkey",
                "accesskey",
                "accesskeyid",
                "keyid",
                "key",
                "ak",
                "sk",
            ]),
            access: has(&["access", "accesskey", "accesskeyid"]),
            holder: has(HOLDER_HALVES),
            name: has(&["name", "id"]),
        }
    }
}

/// Other words that say which half of a pair it is, or whose, and what a line of a shell begins with.
const HALVES: &[&str] = &[
    "access",
    "accesskey",
    "accesskeyid",
    "account",
    "ak",
    "amazon",
    "arg",
    "aws",
    "default",
    "env",
    "export",
    "ids",
    "key",
    "keyid",
    "keys",
    "profile",
    "security",
    "session",
    "set",
    "setenv",
    "setx",
    "token",
    "tokens",
];

/// Halves that are written together with what tells one pair from the next.
const GLUED: &[&str] = &["accesskey", "secretkey", "secret", "key"];

/// Likewise, but only with digits: too many words begin or end so.
const GLUED_WITH_DIGITS: &[&str] = &["ak", "sk"];

/// What tells a pair from the next is not longer than this where it is written together with the half, in characters.
const LONGEST_GLUED: usize = 4;

/// A word as the half that it has at one end and the rest: `key1`, `mysecret`.
fn glued(word: &str) -> Option<(&'static str, &str)> {
    let cut = |half: &&'static str| {
        let rest = word
            .strip_prefix(*half)
            .or_else(|| word.strip_suffix(*half))?;
        Some((*half, rest))
    };
    let is_short = |(_, rest): &(&str, &str)| rest.len() <= LONGEST_GLUED;
    let is_number = |(_, rest): &(&str, &str)| rest.bytes().all(|byte| byte.is_ascii_digit());
    let found = GLUED.iter().find_map(|half| cut(half).filter(is_short));
    found.or_else(|| {
        let mut halves = GLUED_WITH_DIGITS.iter();
        halves.find_map(|half| cut(half).filter(is_number))
    })
}

/// What is left of a word without the half that it is or has at one end.
fn without_half(word: &str) -> &str {
    let is_half = |list: &&[&str]| list.contains(&word);
    match [SECRET_HALVES, HOLDER_HALVES, HALVES].iter().any(is_half) {
        true => "",
        false => glued(word).map_or(word, |(_, rest)| rest),
    }
}

/// Whether a word is one of the halves, or has one at an end.
fn has_half(word: &str, halves: &[&str]) -> bool {
    halves.contains(&word) || glued(word).is_some_and(|(half, _)| halves.contains(&half))
}

//! Names of values: the words they are made of, and what these say of the value.
//!
//! A name is cut into words at separators and at changes of case, so `fs.s3a.secret.key`, `AWSSecretKey` and
//! `Secret access key` all read alike. What a word says is data: `vocabulary.toml`.

/// The lists of `vocabulary.toml` as flags, and the table of words.
pub(super) mod words {
    include!(concat!(env!("OUT_DIR"), "/vocabulary.rs"));

    /// Flags of a word in lower case; a plural has those of the singular too, a number behind it changes nothing.
    pub(in crate::engine) fn flags(word: &str) -> u32 {
        let find = |word: &str| {
            // As the build script does it: no word is longer.
            let mut bytes = [0; 24];
            bytes
                .get_mut(..word.len())?
                .copy_from_slice(word.as_bytes());
            let part = |at| u64::from_be_bytes(std::array::from_fn(|byte| bytes[at + byte]));
            let word = [part(0), part(8), part(16)];
            let at = WORDS.binary_search_by_key(&word, |entry| entry.0).ok()?;
            Some(WORDS.get(at)?.1)
        };
        let singular = word.strip_suffix('s').filter(|word| word.len() > 1);
        let plain = || {
            let plain = word.trim_end_matches(|c: char| c.is_ascii_digit());
            find(plain).filter(|_| plain.len() > 1 && plain.len() < word.len())
        };
        let own = find(word).or_else(plain).unwrap_or(0);
        own | singular.and_then(find).unwrap_or(0)
    }
}

/// Role of a value by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// An access key ID.
    KeyId,
    /// A secret access key under a name that says so by itself.
    AwsSecret,
    /// A secret: `secret_key`, `upload_secret`.
    Secret,
    /// A secret of something else, or a key of some kind: `client_secret`, `storageKey`.
    Doubtful,
    /// A session token.
    Token,
    /// Nothing: `key`, `value`, `creds`, one letter.
    Neutral,
    /// A value of another vendor, or one that is no secret: a hash, a path.
    Foreign,
    /// A name without a known word.
    Unknown,
}

impl Role {
    /// Returns true if the name decides what the value is.
    pub(super) fn decides(self) -> bool {
        !matches!(self, Self::Neutral | Self::Unknown)
    }

    /// Returns true for the names of secrets.
    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::AwsSecret | Self::Secret)
    }
}

/// A name as words in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// The words, one behind the other.
    text: String,
    /// End of each word in `text`, and its flags.
    words: Vec<(usize, u32)>,
    /// Flags of all words.
    flags: u32,
}

impl Name {
    /// Longest name that is read, in bytes.
    const MOST: usize = 200;

    /// Cuts a text into words. Digits stay with the word before them (`s3`, `ec2`, `sha256`).
    pub(super) fn parse(text: &[u8]) -> Self {
        let mut name = Self::default();
        name.add(text);
        name
    }

    /// Appends the words of another text.
    pub(super) fn add(&mut self, text: &[u8]) {
        let text = text.get(..Self::MOST).unwrap_or(text);
        let text = String::from_utf8_lossy(text);
        let is_part = |c: char| c.is_alphanumeric() || !c.is_ascii() && c != '\u{fffd}';
        let (mut before, mut is_joined) = (' ', false);
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let next = characters.peek().copied().unwrap_or(' ');
            if !is_part(c) {
                self.end(is_joined);
                is_joined = false;
                before = c;
                continue;
            }
            // `awsSecret` breaks before S; `AWSSecret` breaks before the last capital of a run.
            let is_plural =
                next == 's' && !characters.clone().nth(1).is_some_and(char::is_alphanumeric);
            let breaks = c.is_uppercase()
                && (before.is_lowercase()
                    || before.is_ascii_digit() && next.is_lowercase()
                    || before.is_uppercase() && next.is_lowercase() && !is_plural);
            if breaks {
                self.end(is_joined);
                is_joined = true;
            }
            if c.is_ascii() {
                self.text.push(c.to_ascii_lowercase());
            } else {
                self.text.extend(c.to_lowercase());
            }
            before = c;
        }
        self.end(is_joined);
    }

    /// Ends a word, if one has begun; it may be joined with the one before: `GitHub`.
    fn end(&mut self, is_joined: bool) {
        let start = self.words.last().map_or(0, |word| word.0);
        if is_joined && let Some(before) = self.words.len().checked_sub(2) {
            let both = &self.text[self.words[before].0..];
            self.flags |= words::flags(both) & words::VENDOR;
        } else if is_joined && self.words.len() == 1 {
            self.flags |= words::flags(&self.text) & words::VENDOR;
        }
        if let Some(word) = self.text.get(start..).filter(|word| !word.is_empty()) {
            let flags = words::flags(word);
            self.flags |= flags;
            self.words.push((self.text.len(), flags));
        }
    }

    /// Returns true if there is no word.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Number of words.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The words, each with its flags.
    pub(super) fn words(&self) -> impl DoubleEndedIterator<Item = (&str, u32)> {
        (0..self.words.len()).map(|at| {
            let start = at
                .checked_sub(1)
                .and_then(|at| self.words.get(at))
                .map_or(0, |word| word.0);
            let (end, flags) = self.words[at];
            (&self.text[start..end], flags)
        })
    }

    /// Returns true if a word is in one of the lists.
    pub(super) fn has(&self, flags: u32) -> bool {
        self.flags & flags != 0
    }

    /// Returns true if it says what else its value is for, by a word that is never said of a secret of AWS.
    pub(super) fn is_of_other(&self) -> bool {
        let is_hard = |flags: u32| flags & words::PURPOSE != 0 && flags & words::LOOSE == 0;
        let mut start = 0;
        let mut is_pair = |pair: &[(usize, u32)]| {
            let both = &self.text[start..pair[1].0];
            start = pair[0].0;
            is_hard(words::flags(both))
        };
        self.words.iter().any(|word| is_hard(word.1)) || self.words.windows(2).any(&mut is_pair)
    }

    /// Returns true if every word is in one of the lists.
    pub(super) fn is_all(&self, flags: u32) -> bool {
        self.words.iter().all(|word| word.1 & flags != 0)
    }

    /// Returns true if the name ties its value to AWS.
    pub(super) fn is_aws(&self) -> bool {
        self.has(words::AWS) || self.text.starts_with("aws") || self.text.contains("amazon")
    }

    /// Returns true if it names another vendor and not AWS.
    pub(super) fn is_vendor(&self) -> bool {
        (self.has(words::VENDOR) || words::flags(&self.text) & words::VENDOR != 0) && !self.is_aws()
    }

    /// Returns true if it speaks of a login or of a password, rather than of keys.
    pub(super) fn is_login(&self) -> bool {
        self.has(words::LOGIN)
    }

    /// Returns true if `aws`, `amazon` or `ec2` is in it.
    pub(super) fn is_telling(&self) -> bool {
        self.has(words::TELLING)
            || self
                .words()
                .any(|(word, _)| word.starts_with("aws") || word.starts_with("amazon"))
    }

    /// The name without the words at its end for where a value is kept: `AWS_SECRET_FILE`.
    pub(super) fn without_place(mut self) -> Self {
        while self.words.len() > 1
            && self
                .words
                .last()
                .is_some_and(|word| word.1 & words::DIGEST != 0)
        {
            self.words.pop();
            self.text
                .truncate(self.words.last().map_or(0, |word| word.0));
        }
        self
    }

    /// Returns true if it is the name of something that is no secret: a hash, a path.
    pub(super) fn is_digest(&self) -> bool {
        let last = self.words.last().map_or(0, |word| word.1);
        (last | words::flags(&self.text)) & words::DIGEST != 0
    }

    /// Returns true if its value is named elsewhere: `value`, `default`, a number, a date.
    pub(super) fn is_structure(&self) -> bool {
        let is_one = |(word, flags): (&str, u32)| {
            flags & (words::STRUCTURE | words::NAMING) != 0
                || word.bytes().all(|byte| byte.is_ascii_digit())
        };
        let whole = words::flags(&self.text) & words::STRUCTURE != 0;
        whole || self.words().all(is_one) && self.words.len() <= 4
    }

    /// Returns the role that the name gives its value.
    pub(super) fn role(&self) -> Role {
        let name = self.text.as_str();
        if self.len() == 1
            && self.has(words::STRUCTURE)
            && !self.has(words::CREDENTIAL | words::SECRET)
        {
            return Role::Neutral;
        }
        // The key that Rails signs cookies with.
        if self.is_vendor() || name.ends_with("secretkeybase") {
            return Role::Foreign;
        }
        let last = self.words.last().map_or(0, |word| word.1);
        let is_digest = self.is_digest();
        let is_aws = self.is_aws();
        let says_secret_access_key = name.contains("secretaccess");
        if (says_secret_access_key || name.contains("secret") && is_aws) && !is_digest {
            let is_strong = name.contains("secretaccesskey") || self.is_telling();
            return if is_strong {
                Role::AwsSecret
            } else {
                Role::Secret
            };
        }
        let is_secret_key = ["secretkey", "accesssecret", "keysecret"]
            .iter()
            .any(|part| name.contains(part));
        if is_secret_key && !is_digest {
            return Role::Secret;
        }
        if name.contains("sessiontoken") || name.contains("securitytoken") || name == "awstoken" {
            return Role::Token;
        }
        let last_is = |flags: u32| last & flags != 0;
        let is_id = name.contains("accesskey") || name.contains("keyid");
        if is_id || is_aws && last_is(words::KEY | words::ID) && !self.has(words::PURPOSE) {
            return Role::KeyId;
        }
        // `secret_value`, `secret_prod`, `secret_id`: what the value is follows what it is of.
        const OPENS: u32 = words::SECRET | words::KEY | words::CREDENTIAL;
        const LATE: u32 = words::STRUCTURE | words::ID | words::NEUTRAL;
        let head = self
            .words()
            .rev()
            .find(|(_, flags)| flags & LATE == 0 || flags & OPENS != 0);
        let (head, head_flags) = head.unwrap_or_default();
        let is_secret = head_flags & words::SECRET != 0 || words::flags(name) & words::SECRET != 0;
        // `client_request_token`, `authToken`
        if head == "token" && self.len() > 1 && !is_aws {
            return Role::Foreign;
        }
        let is_of_purpose = self.has(words::PURPOSE) && self.len() > 1
            || (last | words::flags(name)) & words::PURPOSE != 0;
        if is_of_purpose || is_digest {
            let opens = head_flags & (words::SECRET | words::CREDENTIAL) != 0;
            return if opens && !is_digest {
                Role::Doubtful
            } else {
                Role::Foreign
            };
        }
        match () {
            () if is_secret => Role::Secret,
            () if head == "token" && (self.len() == 1 || is_aws) => Role::Token,
            () if last_is(words::ID) => Role::KeyId,
            () if is_aws
                || name.len() <= 2
                || self.is_all(
                    words::NEUTRAL | words::STRUCTURE | words::PASSWORD | words::HOLDER,
                ) =>
            {
                Role::Neutral
            }
            () if head_flags & words::CREDENTIAL != 0 => Role::Doubtful,
            () => Role::Unknown,
        }
    }

    /// The words that tell one pair from the next: the name without those that say which half it is, also where
    /// they are written together with another (`key1`, `mysecret`).
    pub(super) fn stem(&self) -> impl Iterator<Item = &str> {
        const NO_STEM: u32 = words::SECRET
            | words::PASSWORD
            | words::KEY
            | words::ID
            | words::LOGIN
            | words::HALF
            | words::STRUCTURE
            | words::NAMING
            | words::DECLARING;
        self.words()
            .map(|(word, flags)| match flags & NO_STEM {
                0 if flags & words::AWS == 0 => glued(word).map_or(word, |(_, rest)| rest),
                0 => word,
                _ => "",
            })
            .filter(|word| !word.is_empty())
    }

    /// Returns true if it names the secret half of the pair whose key ID has the name `id`: `mailer_password` beside
    /// `mailer_user`, `account_key` beside `account_id`. The rest of the name is then ignored.
    pub(super) fn is_other_half_of(&self, id: &Self) -> bool {
        let has = |name: &Self, flags: u32| {
            name.words().any(|(word, own)| {
                own & flags != 0
                    || glued(word).is_some_and(|(half, _)| words::flags(half) & flags != 0)
            })
        };
        let id_is_access = has(id, words::KEY) && id.text.contains("access");
        let is_secret = match (
            has(self, words::PASSWORD),
            has(self, words::SECRET),
            has(self, words::KEY),
        ) {
            // `mailer_user`, not `MAILER_ACCESS_KEY_ID`.
            (true, _, _) => has(id, words::HOLDER) && !has(id, words::KEY),
            // `AWS_SECRET` is half of `AWS_KEY`, `APP_SECRET` not of `APP_ACCESS_KEY_ID`.
            (false, true, key) => key || !id_is_access,
            // `account_key` beside `account_id`.
            (false, false, true) => {
                id.words().any(|(word, _)| matches!(word, "name" | "id")) && !has(id, words::KEY)
            }
            _ => false,
        };
        // Those of `SESSION_SECRET` say whose it is.
        let is_own = self
            .words()
            .any(|(word, _)| matches!(word, "session" | "security" | "token" | "tokens"));
        is_secret
            && !is_own
            && !id.is_empty()
            && self.is_aws() == id.is_aws()
            && self.stem().eq(id.stem())
    }
}

/// Longest suffix or prefix that is written together with a half and distinguishes its pair, in characters.
const LONGEST_GLUED: usize = 4;

/// A word as the half that it has at one end and the rest: `key1`, `mysecret`.
fn glued(word: &str) -> Option<(&'static str, &str)> {
    let cut = |half: &'static str| {
        let rest = word
            .strip_prefix(half)
            .or_else(|| word.strip_suffix(half))?;
        Some((half, rest))
    };
    let long = ["accesskey", "secretkey", "secret", "key"]
        .into_iter()
        .find_map(cut);
    let is_number = |(_, rest): &(&str, &str)| rest.bytes().all(|byte| byte.is_ascii_digit());
    long.filter(|(_, rest)| rest.len() <= LONGEST_GLUED)
        .or_else(|| {
            ["ak", "sk", "k", "s", "id"]
                .into_iter()
                .find_map(|half| cut(half).filter(is_number))
        })
}

//! AWS's mails about a key that got out, from 2014 to today: which key, whose, where, which case, until when.
//!
//! There is no form: sentences are looked for, in the text of a mail (`.eml`) or in text that was copied out of one.
//! Anybody can write such a mail, so nothing is concluded beyond what it says.

mod message;

use std::sync::LazyLock;

use regex::Regex;

use crate::aws::key_id::KeyId;

/// Facts that a mail states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// The subject, decoded; of a mail only.
    pub subject: Option<String>,
    /// The date in the head, as it is written there; of a mail only.
    pub sent: Option<String>,
    /// The support case: digits.
    pub case_id: Option<String>,
    /// The account it is about: 12 digits, or `****-****-6006` as old mails write it.
    pub account_id: Option<String>,
    /// The keys, in the order of the text.
    pub keys: Vec<NoticeKey>,
    /// The day by which AWS wants an answer: `2025-04-14`, or a length of time in AWS's words.
    pub deadline: Option<String>,
    /// AWS has attached a policy that forbids the user some calls, or has limited the account otherwise.
    pub is_limited: bool,
}

/// A key in a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeKey {
    /// The ID, or `****-****-WBAA` as old mails write it.
    pub id: String,
    /// The account that the ID holds.
    pub account_id: Option<String>,
    /// The IAM user, if the mail names one.
    pub user: Option<String>,
    /// Place of the find, if the mail names it.
    pub url: Option<String>,
}

/// Mask of old mails, in the place of all but the last four characters of a key ID.
const MASK: &str = "****-****-";

impl Notice {
    /// Returns true if it names a key, also a masked one.
    pub fn names(&self, key_id: &str) -> bool {
        self.keys.iter().any(|key| key.is_of(key_id))
    }

    /// The date in its head, in seconds since the epoch; `None` if there is none, or none that can be read.
    pub fn sent_at(&self) -> Option<i64> {
        let sent: jiff::Zoned = jiff::fmt::rfc2822::parse(self.sent.as_deref()?).ok()?;
        Some(sent.timestamp().as_second())
    }
}

impl NoticeKey {
    /// Returns true if the ID is not masked.
    pub fn is_whole(&self) -> bool {
        last_of_masked(&self.id).is_none()
    }

    /// Returns true if the ID is that of a key, as far as the mask shows it.
    pub fn is_of(&self, key_id: &str) -> bool {
        match last_of_masked(&self.id) {
            Some(last) => key_id.ends_with(last),
            None => self.id == key_id,
        }
    }
}

/// The characters that a masked ID shows, the last ones; `None` if it is whole.
pub fn last_of_masked(id: &str) -> Option<&str> {
    id.strip_prefix(MASK)
}

/// Reads a mail, or the text of one; `None` if no key of AWS is in it.
pub fn read(bytes: &[u8]) -> Option<Notice> {
    let message = message::read(bytes);
    // Lines of a mail are cut anywhere, and quoted ones have a mark.
    let lines = message.text.lines();
    let lines = lines.map(|line| line.trim_start_matches(['>', ' ', '\t', '|']));
    let text = lines.collect::<Vec<_>>().join(" ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let keys = keys(&text);
    if keys.is_empty() {
        return None;
    }
    let whole = match &message.subject {
        Some(subject) => format!("{subject}. {text}"),
        None => text.clone(),
    };
    Some(Notice {
        case_id: captured(&CASE, &whole),
        account_id: captured(&ACCOUNT, &whole).map(|account| unmarked(&account)),
        deadline: captured(&DEADLINE, &text).or_else(|| captured(&WITHIN, &text)),
        is_limited: LIMITED.is_match(&text),
        keys,
        subject: message.subject,
        sent: message.date,
    })
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern that was tested")
}

static KEY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\*{4}-\*{4}-[A-Z0-9]{4}"));
/// Names as IAM allows them; what a sentence puts behind one is taken off afterwards.
static USER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"(?i)belong(?:s|ing) to (?:the )?(?:IAM )?user[ :]+["“']?([\w+=,.@-]{1,128})"#)
});
static URL: LazyLock<Regex> = LazyLock::new(|| pattern(r#"https?://[^\s<>"'\]]+"#));
static CASE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\bcase(?: id)?(?: number)?[:# ]{1,3}([0-9]{6,20})\b"));
static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\baccount(?: id)?[:# (]{1,3}([0-9]{12}|[0-9]{4}-[0-9]{4}-[0-9]{4}|\*{4}-\*{4}-[0-9]{4})\b",
    )
});
static DEADLINE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:by|before|until) ([0-9]{4}-[0-9]{2}-[0-9]{2})\b"));
static WITHIN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(within \w+(?: \(\w+\))? (?:days|hours))\b"));
static LIMITED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)AWS(?:CompromisedKeyQuarantine|ExposedCredentialPolicy)|limited your (?:ability|account)|quarantine",
    )
});

fn captured(pattern: &Regex, text: &str) -> Option<String> {
    let found = pattern.captures(text)?.get(1)?;
    Some(found.as_str().to_owned())
}

/// `1234-5678-9012` as `123456789012`.
fn unmarked(account: &str) -> String {
    match account.starts_with('*') {
        true => account.to_owned(),
        false => account.replace('-', ""),
    }
}

/// Returns the keys, each with the text between it and the next one.
fn keys(text: &str) -> Vec<NoticeKey> {
    // `account (****-****-6006)` has the form of a masked key.
    let accounts: Vec<usize> = ACCOUNT
        .captures_iter(text)
        .filter_map(|found| found.get(1).map(|account| account.start()))
        .collect();
    let found = KEY
        .find_iter(text)
        .filter(|key| !accounts.contains(&key.start()));
    let found: Vec<_> = found.collect();
    let mut keys: Vec<NoticeKey> = Vec::new();
    for (index, key) in found.iter().enumerate() {
        let end = found.get(index + 1).map_or(text.len(), |next| next.start());
        let behind = &text[key.end()..end];
        let user = captured(&USER, behind).map(|user| user.trim_end_matches(['.', ',']).to_owned());
        let urls = URL.find_iter(behind).map(|url| url.as_str());
        let urls = urls.map(|url| url.trim_end_matches(['.', ',', ')', ';', '*', '_']));
        let url = urls.filter(|url| !is_of_aws(url)).map(str::to_owned).next();
        let id = key.as_str().to_owned();
        match keys.iter_mut().find(|known| known.id == id) {
            // The mail comes back to it.
            Some(known) => {
                known.user = known.user.take().or(user);
                known.url = known.url.take().or(url);
            }
            None => keys.push(NoticeKey {
                account_id: KeyId::parse(id.as_bytes()).and_then(|id| id.account_id()),
                id,
                user,
                url,
            }),
        }
    }
    keys
}

/// Returns true for the guides and consoles that the mail itself points to.
fn is_of_aws(url: &str) -> bool {
    let host = url.split('/').nth(2).unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    [
        "amazon.com",
        "amazonaws.com",
        "repost.aws",
        "aws.amazon",
        "amazonaws.cn",
    ]
    .iter()
    .any(|domain| host == *domain || host.ends_with(&format!(".{domain}")))
        && !host.starts_with("s3")
        && !host.contains(".s3")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(last: &str) -> String {
        ["AKIA", "RZPUZDIKGB2VAL", last].concat()
    }

    #[test]
    fn a_mail_of_2016_names_key_user_and_place() {
        let text = format!(
            "> Hi There\n> \n> We have become aware that the AWS\n> Access Key {} (belonging to IAM user\n> \"staging.example.com\") along with the \
             corresponding\n> Secret Key is publicly available online at https://github.com/o/r/compare/66...28.\n> See \
             https://docs.aws.amazon.com/general/latest/gr/x.html\n",
            id("C6")
        );
        let notice = read(text.as_bytes()).expect("a notice");
        let key = &notice.keys[0];
        assert_eq!(key.id, id("C6"));
        assert_eq!(key.account_id.as_deref(), Some("123456789012"));
        assert_eq!(key.user.as_deref(), Some("staging.example.com"));
        assert_eq!(
            key.url.as_deref(),
            Some("https://github.com/o/r/compare/66...28")
        );
        assert_eq!((notice.deadline, notice.is_limited), (None, false));
    }

    #[test]
    fn a_mail_of_2025_names_a_day() {
        let text = format!(
            "This activity is related to your AWS access key {} belonging to user dev-access-s3, which may indicate that it is \
             compromised. To protect your account, we have temporarily limited your ability to use some AWS services. To restore \
             access, you must contact AWS by 2025-04-14. See https://repost.aws/knowledge-center/x",
            id("C7")
        );
        let notice = read(text.as_bytes()).expect("a notice");
        assert_eq!(notice.keys[0].user.as_deref(), Some("dev-access-s3"));
        assert_eq!(notice.keys[0].url, None);
        assert_eq!(notice.deadline.as_deref(), Some("2025-04-14"));
        assert!(notice.is_limited);
    }

    #[test]
    fn a_mail_of_2014_masks_key_and_account() {
        let text = "the following AWS Access Keys of account (****-****-6006) along with the corresponding Secret Keys are publicly \
                    available online.\n\n Access Key      Web Site\n ---------------\n ****-****-WBAA   https://github.com/o/r/blob/b7/settings.py\n";
        let notice = read(text.as_bytes()).expect("a notice");
        assert_eq!(notice.account_id.as_deref(), Some("****-****-6006"));
        assert_eq!(notice.keys.len(), 1);
        assert_eq!(notice.keys[0].id, "****-****-WBAA");
        assert!(!notice.keys[0].is_whole());
        assert_eq!(
            notice.keys[0].url.as_deref(),
            Some("https://github.com/o/r/blob/b7/settings.py")
        );
    }

    #[test]
    fn several_keys_keep_their_own() {
        let (first, second) = (id("C6"), id("C7"));
        let text = format!(
            "Amazon Web Services has opened case 111111111 on your behalf. Subject: Your AWS account 1234-5678-9012 is compromised. \
             Access Key {first} belonging to IAM user \"a\" at https://pastebin.com/x). Access Key {second} belonging to IAM user \
             \"b.\" Delete {first} within five (5) days. The policy AWSCompromisedKeyQuarantineV4 is attached."
        );
        let notice = read(text.as_bytes()).expect("a notice");
        assert_eq!(notice.case_id.as_deref(), Some("111111111"));
        assert_eq!(notice.account_id.as_deref(), Some("123456789012"));
        assert_eq!(notice.deadline.as_deref(), Some("within five (5) days"));
        let users: Vec<_> = notice.keys.iter().map(|key| key.user.as_deref()).collect();
        assert_eq!(users, [Some("a"), Some("b")]);
        assert_eq!(
            notice.keys[0].url.as_deref(),
            Some("https://pastebin.com/x")
        );
        assert_eq!(notice.keys[1].url, None);
        assert!(notice.is_limited);
    }

    #[test]
    fn buckets_are_places_and_guides_are_not() {
        for (url, is_aws) in [
            ("https://docs.aws.amazon.com/x", true),
            (
                "https://console.aws.amazon.com/support/home#/case/?displayId=1",
                true,
            ),
            ("https://repost.aws/x", true),
            ("https://bucket.s3.amazonaws.com/.env", false),
            ("https://s3.amazonaws.com/bucket/.env", false),
            ("https://amazon.com.example.org/x", false),
        ] {
            assert_eq!(is_of_aws(url), is_aws, "{url}");
        }
    }

    #[test]
    fn a_mail_about_something_else_is_none() {
        assert_eq!(read(b"Dear customer, your invoice is ready."), None);
        assert_eq!(read(b""), None);
    }
}

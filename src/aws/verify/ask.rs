//! Asks about one key after the other, and comes to a verdict.

use std::collections::BTreeMap;
use std::time::Duration;

use super::answer::{self, Reading, Refusal};
use super::limit::{Limits, Meter};
use super::sign::{self, Credentials, Scope};
use super::verdict::{Identity, LastUsed, Owner, Reason, Status, Verdict, is_name};
use super::xml::Element;
use super::{Action, Endpoint, Endpoints, Partition, Request, Service, Transport};
use crate::aws::key_id::{Harmless, KeyId};
use crate::secret::Secret;

/// `User-Agent` header of every request.
pub const USER_AGENT: &str = concat!("keysieve-verify/", env!("CARGO_PKG_VERSION"));

/// A second request with another secret for the same ID within so long is refused even if it is right
/// (seen by TruffleHog's authors).
const SECOND_SECRET: Duration = Duration::from_millis(5500);

/// The longest wait before a request is sent again is eight times this.
const FIRST_RETRY: Duration = Duration::from_millis(500);

/// The longest session token that is sent, in bytes. AWS's are below 4 KiB.
const MAX_TOKEN: usize = 8 << 10;

/// What AWS means by a signature of another time.
const CLOCK: &str = "the clock of this machine is wrong by more than AWS allows";

/// Pages of a user's keys; a user has at most two.
const MAX_PAGES: usize = 10;

/// A key that was found, with what is to sign.
#[derive(Clone, Debug)]
pub struct FoundKey {
    /// The access key ID.
    pub id: String,
    /// The secret access key, if it is known.
    pub secret_key: Option<Secret>,
    /// The session token, if there was one.
    pub session_token: Option<Secret>,
}

/// Returns the reason why a key is never asked about, with any credentials.
pub fn not_asked(id: &str) -> Option<Reason> {
    match KeyId::parse(id.as_bytes())?.harmless()? {
        Harmless::Canary => Some(Reason::new(
            "canary",
            "key of a known canary account: using it raises an alarm",
        )),
        Harmless::Example | Harmless::Emulator => Some(Reason::new(
            "example",
            "documentation example or emulator key",
        )),
        // These are guesses, and asking harms nobody.
        Harmless::Placeholder | Harmless::Invented => None,
    }
}

/// Asks, in one run.
#[derive(Debug)]
pub struct Asker<T> {
    transport: T,
    endpoints: Endpoints,
    meter: Meter,
    /// The hosts that the question at hand went to.
    hosts: Vec<String>,
    /// Keys by user, each with its status and its day of birth.
    keys: BTreeMap<String, Result<Vec<Listed>, Reason>>,
    has_root_key: Option<Result<bool, Reason>>,
    /// Reason why the own credentials are of no more use.
    gone: Option<Reason>,
}

/// A row of `ListAccessKeys`.
#[derive(Clone, Debug)]
struct Listed {
    key_id: String,
    status: String,
    created: Option<String>,
}

/// Reason why there is no data.
enum No {
    Refused(Refusal),
    Lost(Reason),
}

impl<T: Transport> Asker<T> {
    /// Begins a run.
    pub fn new(transport: T, endpoints: Endpoints, limits: Limits) -> Self {
        Self {
            transport,
            endpoints,
            meter: Meter::new(limits),
            hosts: Vec::new(),
            keys: BTreeMap::new(),
            has_root_key: None,
            gone: None,
        }
    }

    /// Returns the number of requests sent.
    pub fn requests(&self) -> u32 {
        self.meter.requests
    }

    /// The time of day.
    pub fn now(&self) -> u64 {
        self.transport.now()
    }

    /// Signs `GetCallerIdentity` with a found pair, in one partition after the other until one knows it.
    ///
    /// The key is inactive if none of them does. A fault in one of them makes that unknown.
    pub fn found(&mut self, key: &FoundKey, partitions: &[&Partition]) -> Verdict {
        self.hosts.clear();
        let known = KeyId::parse(key.id.as_bytes());
        let mut verdict = Verdict::of(match not_asked(&key.id) {
            Some(reason) => Status::NotAsked(reason),
            None => Status::Active,
        });
        verdict.account_id = known.and_then(|id| id.account_id());
        if verdict.status != Status::Active {
            return verdict;
        }
        match self.identity_of_found(key, partitions) {
            Ok(identity) => verdict.identify(identity),
            Err(status) => verdict.status = self.counted(status),
        }
        verdict.hosts = std::mem::take(&mut self.hosts);
        verdict
    }

    /// A "no" counts from AWS itself, and from a place that was named for this run.
    fn counted(&self, status: Status) -> Status {
        match (status, self.endpoints.unasked) {
            (Status::Inactive(reason), Some(variable)) => Status::Unknown(Reason::new(
                "place",
                format!(
                    "{reason}; said by the place in {variable}, not by AWS: name it with --endpoint-url if that counts"
                ),
            )),
            (status, _) => status,
        }
    }

    fn identity_of_found(
        &mut self,
        key: &FoundKey,
        partitions: &[&Partition],
    ) -> Result<Identity, Status> {
        let unknown = |word, text: &str| Status::Unknown(Reason::new(word, text));
        let Some(secret_key) = key.secret_key.clone() else {
            let text = "its secret is not known, and an ID alone signs nothing";
            return Err(unknown("no-secret", text));
        };
        let is_temporary = key.id.starts_with("ASIA");
        if is_temporary && key.session_token.is_none() {
            let text = "a temporary key works with its session token only, which was not found";
            return Err(unknown("no-token", text));
        }
        let is_sent = |token: &Secret| {
            token.expose().len() <= MAX_TOKEN && token.expose().iter().all(u8::is_ascii_graphic)
        };
        if is_temporary && !key.session_token.as_ref().is_some_and(is_sent) {
            let text = "what was found as its session token is none of AWS's";
            return Err(unknown("no-token", text));
        }
        let credentials = Credentials {
            key_id: key.id.clone(),
            secret_key,
            // A token that stood near a long-term key belongs to another one.
            session_token: key.session_token.clone().filter(|_| is_temporary),
        };
        let mut doubt = None;
        for partition in partitions {
            let home = self.endpoints.at_home(Service::Sts, partition);
            let named = self.endpoints.of(Service::Sts, partition);
            // The region that was named may say yes. Its "no" is one of a region that the account may not have.
            let is_only = named.origin == home.origin;
            if !is_only {
                match self.identity_at(&credentials, partition, &named) {
                    Ok(Some(identity)) => return Ok(identity),
                    Err(Status::Unknown(reason)) if reason.word == "wrong-secret" => {
                        return Err(Status::Unknown(reason));
                    }
                    Ok(None) | Err(_) => {}
                }
            }
            let last = if is_only { named } else { home };
            match self.identity_at(&credentials, partition, &last) {
                Ok(Some(identity)) => return Ok(identity),
                Ok(None) => {}
                // Another partition may still know it.
                Err(Status::Unknown(reason)) if reason.word != "wrong-secret" => {
                    doubt.get_or_insert(reason);
                }
                Err(status) => return Err(status),
            }
        }
        if let Some(reason) = doubt {
            return Err(Status::Unknown(reason));
        }
        let names: Vec<&str> = partitions.iter().map(|partition| partition.id).collect();
        let places = match &self.endpoints.sts {
            Some(url) => url.to_string(),
            None => names.join(", "),
        };
        if is_temporary {
            // The same answer as for a token that is damaged, or of another key.
            let text = format!("{places}: no such temporary key, or not with this session token");
            return Err(unknown("token-refused", &text));
        }
        let text = format!(
            "{places}: no such key; deleted, deactivated, or of a partition that was not asked"
        );
        Err(Status::Inactive(Reason::new("no-such-key", text)))
    }

    /// Asks for the owner of these credentials; `None` if the endpoint does not know the ID.
    fn identity_at(
        &mut self,
        credentials: &Credentials,
        partition: &Partition,
        endpoint: &Endpoint,
    ) -> Result<Option<Identity>, Status> {
        let unknown = |word, text: String| Err(Status::Unknown(Reason::new(word, text)));
        let mut is_second = false;
        loop {
            let refusal = match self.ask_at(credentials, &Action::CallerIdentity, endpoint) {
                Ok(data) => {
                    let account = data.text_of("Account").unwrap_or_default();
                    let arn = data.text_of("Arn").unwrap_or_default();
                    return match Identity::new(arn, account) {
                        Some(identity) => Ok(Some(identity)),
                        None => unknown("not-aws", "the answer names no caller".to_owned()),
                    };
                }
                Err(No::Lost(reason)) => return Err(Status::Unknown(reason)),
                Err(No::Refused(refusal)) => refusal,
            };
            if refusal.is_clock {
                return unknown("clock", CLOCK.to_owned());
            }
            return match refusal.code.as_str() {
                "InvalidClientTokenId" | "UnrecognizedClientException" => Ok(None),
                // Without a token in the request there is none that could have expired.
                "ExpiredToken" | "ExpiredTokenException" if credentials.session_token.is_some() => {
                    let text = "a temporary key that has expired; it was genuine";
                    Err(Status::Inactive(Reason::new("expired", text)))
                }
                "SignatureDoesNotMatch" if !is_second => {
                    is_second = true;
                    self.transport.pause(SECOND_SECRET);
                    continue;
                }
                "SignatureDoesNotMatch" => unknown(
                    "wrong-secret",
                    format!(
                        "{}: the secret does not belong to this ID; the ID itself is active",
                        partition.id
                    ),
                ),
                "RegionDisabledException" => unknown(
                    "region-disabled",
                    "STS is not enabled in this region; name another one with --region".to_owned(),
                ),
                "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => unknown(
                    "denied",
                    "refused before it was said who signs, by the policy of an endpoint for one"
                        .to_owned(),
                ),
                _ => unknown("code", format!("AWS answered with {}", refusal.shown())),
            };
        }
    }

    /// Says who the own credentials are.
    pub fn caller(
        &mut self,
        credentials: &Credentials,
        partition: &Partition,
    ) -> Result<Identity, Reason> {
        let endpoint = self.endpoints.of(Service::Sts, partition);
        match self.identity_at(credentials, partition, &endpoint) {
            Ok(Some(identity)) => Ok(identity),
            Ok(None) => Err(Reason::new(
                "no-such-key",
                format!("partition {} does not know them", partition.id),
            )),
            Err(Status::Active) => Err(Reason::new("code", "no answer")),
            Err(Status::Inactive(reason) | Status::Unknown(reason) | Status::NotAsked(reason)) => {
                Err(reason)
            }
        }
    }

    /// Looks a key up with one's own credentials. What it says about other accounts is whose key it is, no more.
    pub fn look_up(
        &mut self,
        id: &str,
        own: &Credentials,
        caller: &Identity,
        partition: &Partition,
    ) -> Verdict {
        self.hosts.clear();
        let known = KeyId::parse(id.as_bytes());
        let mut verdict = Verdict::of(Status::Active);
        verdict.account_id = known.and_then(|id| id.account_id());
        verdict.status = match not_asked(id) {
            Some(reason) => Status::NotAsked(reason),
            None => {
                let status = self.status_of(id, own, caller, partition, &mut verdict);
                self.counted(status)
            }
        };
        verdict.hosts = std::mem::take(&mut self.hosts);
        verdict
    }

    fn status_of(
        &mut self,
        id: &str,
        own: &Credentials,
        caller: &Identity,
        partition: &Partition,
        verdict: &mut Verdict,
    ) -> Status {
        let unknown = |word, text: String| Status::Unknown(Reason::new(word, text));
        if id == own.key_id {
            if matches!(caller.owner, Owner::User(_)) {
                // What IAM tells beside it is welcome; that it works is known.
                self.status_in_iam(id, own, partition, verdict);
            }
            verdict.identify(caller.clone());
            return Status::Active;
        }
        if verdict.account_id.is_none() {
            let key_id = id.to_owned();
            match self.ask(own, &Action::AccessKeyInfo { key_id }, partition) {
                Ok(data) => verdict.account_id = data.text_of("Account").and_then(account),
                Err(no) => return Status::Unknown(no.reason("sts:GetAccessKeyInfo")),
            }
        }
        match &verdict.account_id {
            None => return unknown("not-aws", "the answer names no account".to_owned()),
            Some(account) if *account != caller.account_id => {
                let text = format!("of account {account}, not of the one that was asked");
                return unknown("other-account", text);
            }
            Some(_) => verdict.partition = Some(partition.id.to_owned()),
        }
        if id.starts_with("ASIA") {
            let text = "IAM keeps no list of temporary keys; only its secret and token can tell";
            return unknown("temporary", text.to_owned());
        }
        self.status_in_iam(id, own, partition, verdict)
    }

    /// Asks IAM about a long-term key of the own account.
    fn status_in_iam(
        &mut self,
        id: &str,
        own: &Credentials,
        partition: &Partition,
        verdict: &mut Verdict,
    ) -> Status {
        let unknown = |word, text: String| Status::Unknown(Reason::new(word, text));
        let key_id = id.to_owned();
        let data = match self.ask(own, &Action::LastUsed { key_id }, partition) {
            Ok(data) => data,
            Err(no) => {
                let reason = no.reason("iam:GetAccessKeyLastUsed");
                if reason.word == "no-such-key" {
                    self.note_root(own, partition, verdict);
                }
                return Status::Unknown(reason);
            }
        };
        verdict.last_used = last_used(&data);
        let user = data.text_of("UserName").filter(|name| is_name(name));
        let Some(user) = user.map(str::to_owned) else {
            self.note_root(own, partition, verdict);
            return unknown("no-user", "IAM names no user for it".to_owned());
        };
        verdict.owner = Some(Owner::User(user.clone()));
        let mut listed = match self.keys_of(&user, own, partition) {
            Ok(listed) => listed.into_iter().filter(|listed| listed.key_id == id),
            Err(reason) => return Status::Unknown(reason),
        };
        let (listed, other) = (listed.next(), listed.next());
        if other.is_some() {
            return unknown("not-aws", "IAM lists it twice".to_owned());
        }
        let Some(listed) = listed else {
            let text = format!("it is not among the keys of user {user}");
            return unknown("no-such-key", text);
        };
        verdict.created = listed.created;
        match listed.status.as_str() {
            "Active" => Status::Active,
            "Inactive" => Status::Inactive(Reason::new("deactivated", "deactivated, not deleted")),
            "Expired" => Status::Inactive(Reason::new("expired", "expired")),
            _ => unknown(
                "not-aws",
                "IAM gives it a status that is not known".to_owned(),
            ),
        }
    }

    /// The keys of a user. Twenty keys of one user are one question.
    fn keys_of(
        &mut self,
        user: &str,
        own: &Credentials,
        partition: &Partition,
    ) -> Result<Vec<Listed>, Reason> {
        if let Some(known) = self.keys.get(user) {
            return known.clone();
        }
        let listed = self.list_keys(user, own, partition);
        self.keys.insert(user.to_owned(), listed.clone());
        listed
    }

    fn list_keys(
        &mut self,
        user: &str,
        own: &Credentials,
        partition: &Partition,
    ) -> Result<Vec<Listed>, Reason> {
        let mut listed = Vec::new();
        let mut marker = None;
        for _ in 0..MAX_PAGES {
            let name = user;
            let user = user.to_owned();
            let action = Action::ListKeys { user, marker };
            let data = self.ask(own, &action, partition);
            let data = data.map_err(|no| match no.reason("iam:ListAccessKeys") {
                reason if reason.word == "no-such-key" => {
                    Reason::new("no-user", format!("IAM knows no user {name} any more"))
                }
                reason => reason,
            })?;
            let members = data.find("AccessKeyMetadata");
            for member in members.into_iter().flat_map(|list| &list.children) {
                let text = |name| member.text_of(name).unwrap_or_default().to_owned();
                listed.push(Listed {
                    key_id: text("AccessKeyId"),
                    status: text("Status"),
                    created: member.text_of("CreateDate").and_then(date),
                });
            }
            marker = data.text_of("Marker").map(str::to_owned);
            if data.text_of("IsTruncated") != Some("true") || marker.is_none() {
                return Ok(listed);
            }
        }
        Err(Reason::new("not-aws", "the list of keys does not end"))
    }

    /// Says whether the root user has a key at all, which IAM does not list among the users'.
    fn note_root(&mut self, own: &Credentials, partition: &Partition, verdict: &mut Verdict) {
        let has_root_key = match self.has_root_key.clone() {
            Some(known) => known,
            None => {
                let data = self.ask(own, &Action::AccountSummary, partition);
                let data = data.map_err(|no| no.reason("iam:GetAccountSummary"));
                let known = data.and_then(|data| {
                    root_keys(&data).ok_or_else(|| Reason::new("not-aws", "no such count"))
                });
                self.has_root_key = Some(known.clone());
                known
            }
        };
        verdict.notes.push(match has_root_key {
            Ok(true) => "the root user of the account has access keys: this may be one".to_owned(),
            Ok(false) => "the root user of the account has no access key".to_owned(),
            Err(reason) => format!("not known if it is the root user's: {reason}"),
        });
    }

    /// Asks with one's own credentials, as long as they are some.
    fn ask(
        &mut self,
        credentials: &Credentials,
        action: &Action,
        partition: &Partition,
    ) -> Result<Element, No> {
        if let Some(reason) = &self.gone {
            return Err(No::Lost(reason.clone()));
        }
        let endpoint = self.endpoints.of(action.service(), partition);
        let got = self.ask_at(credentials, action, &endpoint);
        if let Err(No::Refused(refusal)) = &got
            && let Some(what) = refusal.end_of_credentials()
        {
            let reason = Reason::new("own-credentials", format!("your own credentials {what}"));
            self.gone = Some(reason.clone());
            return Err(No::Lost(reason));
        }
        got
    }

    /// Sends one request until there is an answer, as often as it may help.
    fn ask_at(
        &mut self,
        credentials: &Credentials,
        action: &Action,
        endpoint: &Endpoint,
    ) -> Result<Element, No> {
        let host = endpoint.host.as_str();
        if !self.hosts.iter().any(|known| known == host) {
            self.hosts.push(host.to_owned());
        }
        let mut tries = 0;
        loop {
            let turn = self.meter.wait(host, &mut self.transport);
            turn.map_err(No::Lost)?;
            let content = "application/x-www-form-urlencoded; charset=utf-8";
            let mut request = Request {
                origin: endpoint.origin.clone(),
                headers: vec![
                    ("host".to_owned(), host.to_owned()),
                    ("content-type".to_owned(), content.to_owned()),
                ],
                body: action.form(),
            };
            let scope = Scope {
                region: &endpoint.region,
                service: action.service().name(),
                time: self.transport.now(),
            };
            let body = request.body.as_bytes();
            sign::sign("POST", &mut request.headers, body, &scope, credentials);
            let agent = ("user-agent".to_owned(), USER_AGENT.to_owned());
            request.headers.push(agent);
            let got = self.transport.send(&request);
            match answer::read(host, action, got) {
                Reading::Data(data) => {
                    self.meter.answered(host);
                    return Ok(data);
                }
                Reading::Refused(refusal) => {
                    self.meter.answered(host);
                    return Err(No::Refused(refusal));
                }
                Reading::Again(_, most) if tries < most => {
                    self.transport.pause(self.backoff(tries));
                    tries += 1;
                }
                Reading::Odd(reason) => return Err(No::Lost(reason)),
                Reading::Again(reason, _) | Reading::Lost(reason) => {
                    self.meter.failed(host, &reason);
                    return Err(No::Lost(reason));
                }
            }
        }
    }

    /// Twice as long each time, less up to a half by the clock, so that several machines do not march in step.
    fn backoff(&self, tries: u32) -> Duration {
        let whole = FIRST_RETRY * 2u32.pow(tries);
        whole - whole / 2 * (self.transport.elapsed().subsec_micros() % 1000) / 1000
    }
}

impl No {
    /// Returns the reason why a question with one's own credentials has no answer; a refusal may be for want of
    /// `permission`.
    fn reason(self, permission: &str) -> Reason {
        let refusal = match self {
            Self::Lost(reason) => return reason,
            Self::Refused(refusal) => refusal,
        };
        if refusal.is_clock {
            return Reason::new("clock", CLOCK);
        }
        match refusal.code.as_str() {
            "NoSuchEntity" => Reason::new(
                "no-such-key",
                "IAM knows no such key of a user: deleted, of another account, or the root user's",
            ),
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Reason::new(
                "denied",
                format!("the own credentials lack the permission {permission}"),
            ),
            _ => {
                let code = refusal.shown();
                Reason::new("code", format!("{permission}: AWS answered with {code}"))
            }
        }
    }
}

fn account(text: &str) -> Option<String> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then(|| text.to_owned())
}

/// A time as IAM writes it; `None` for anything else.
fn date(text: &str) -> Option<String> {
    let is_date = |byte: u8| byte.is_ascii_digit() || b"-:TZ.+".contains(&byte);
    let is_one = (10..=35).contains(&text.len()) && text.bytes().all(is_date);
    is_one.then(|| text.to_owned())
}

/// The last use; `None` if the answer does not say it, which is not "never".
fn last_used(data: &Element) -> Option<LastUsed> {
    let data = data.find("AccessKeyLastUsed")?;
    let word = |name| {
        let text = data.text_of(name).filter(|text| *text != "N/A")?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._ /".contains(&byte);
        let is_word = text.len() <= 64 && text.bytes().all(is_plain);
        is_word.then(|| text.to_owned())
    };
    let at = data.text_of("LastUsedDate").filter(|text| *text != "N/A");
    Some(LastUsed {
        at: match at {
            Some(text) => Some(date(text)?),
            None => None,
        },
        service: word("ServiceName"),
        region: word("Region"),
    })
}

/// Returns true if the account's summary counts a key of the root user; `None` if the summary lacks the count.
fn root_keys(data: &Element) -> Option<bool> {
    let map = data.find("SummaryMap")?;
    let mut entries = map.children.iter();
    let entry = entries.find(|entry| entry.text_of("key") == Some("AccountAccessKeysPresent"))?;
    let count = entry.text_of("value")?.parse::<u32>().ok()?;
    Some(count > 0)
}

//! One run: what is asked about, one key after the other, and the exit status.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use keysieve::aws::verify::{
    Asker, Credentials, Endpoints, FoundKey, Identity, Limits, Reason, Status, Verdict, not_asked,
};
use keysieve::finding::Fingerprint;
use keysieve::report::escape;
use keysieve::secret::Secret;

use crate::FAILED;
use crate::args::Args;
use crate::failure::{self, Failure};
use crate::input::{self, Found, Place};
use crate::output::{Answer, Output};
use crate::place::{self, Environment, Places};
use crate::plan;
use crate::reread;
use crate::resume::Resume;
use crate::wire::Wire;

/// A key to be asked about, once, wherever it was found.
#[derive(Debug)]
pub(crate) struct Key {
    /// The ID, and what signs.
    pub(crate) found: FoundKey,
    fingerprints: Vec<String>,
    places: Vec<Place>,
    /// True if its secret was looked for and is not where the report says.
    is_lost: bool,
}

/// ID, secret and token: keys that are alike in these are one question.
type Question = (String, Option<Fingerprint>, Option<Fingerprint>);

impl Key {
    fn question(&self) -> Question {
        let print = |secret: &Option<Secret>| {
            let secret = secret.as_ref()?;
            Some(Fingerprint::new("", None, Some(secret)))
        };
        let found = &self.found;
        (
            found.id.clone(),
            print(&found.secret_key),
            print(&found.session_token),
        )
    }

    /// Adds where another finding of the same key was.
    fn take(&mut self, other: Self) {
        self.fingerprints.extend(other.fingerprints);
        self.places.extend(other.places);
        self.is_lost |= other.is_lost;
    }

    /// Returns true if a request can be signed.
    pub(crate) fn can_sign(&self) -> bool {
        let has_token = self.found.session_token.is_some();
        self.found.secret_key.is_some() && (has_token || !self.found.id.starts_with("ASIA"))
    }

    /// Returns true if a request with the found secret would be sent.
    pub(crate) fn would_sign(&self) -> bool {
        self.can_sign() && not_asked(&self.found.id).is_none()
    }
}

/// Runs the program; gives the exit status.
pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let environment = Environment;
    let places = Places::new(args, &environment)?;
    let mut input = input::load(&args.subjects)?;
    let mut notes: Vec<String> = input
        .flaws
        .iter()
        .map(|flaw| format!("warning: {flaw}"))
        .collect();
    if input.others > 0 {
        let count = input.others;
        notes.push(format!(
            "note: {count} findings are no key pairs of AWS; they are left out"
        ));
    }
    if args.with_found_secret {
        let unread = reread::fill(&mut input.findings, &args.root)?;
        notes.extend(
            unread
                .iter()
                .map(|what| format!("warning: not read again: {what}")),
        );
    }
    for (rule, count) in &input.silent {
        notes.push(format!(
            "warning: {count} findings of {rule} are credentials of AWS that are not asked about here: nobody knows if they work"
        ));
    }
    notes.extend(places.note());
    for note in &notes {
        // A name with a line break is one line all the same.
        failure::print(&format!("{}\n", escape::terminal(note)));
    }
    let has_flaw = !input.flaws.is_empty() || !input.silent.is_empty();
    let halves: Vec<Found> = input
        .findings
        .extract_if(.., |it| it.id.is_none())
        .collect();
    let keys = merge(input.findings, args.with_found_secret);
    if args.dry_run {
        plan::show(args, &keys, &places)?;
        return Ok(if has_flaw { FAILED } else { 0 });
    }
    let mut resume = args.resume.as_deref().map(Resume::open).transpose()?;
    let mut output = Output::new(args.format);
    let authorities = place::authorities(args, &environment)?;
    let wire = Wire::new(args.timeout, authorities, &environment)?;
    let limits = Limits {
        rate: args.rate,
        max_requests: args.max_requests,
    };
    let mut asker = Asker::new(wire, places.endpoints.clone(), limits);
    let who = match args.with_found_secret {
        true => Who::Found,
        false if keys.is_empty() => Who::Nobody,
        false => Who::own(&mut asker, &places, &environment)?,
    };
    if matches!(who, Who::Found) && keys.iter().any(Key::would_sign) {
        failure::print(&format!("{}\n", plan::trace()));
    }
    output.begin(who.caller())?;
    for key in &keys {
        let of = who.of(&places, &key.found.id);
        let asked = (who.name(), of.as_slice());
        let known = resume.as_ref();
        let now = asker.now();
        let known = known.and_then(|it| it.find(&key.found.id, &key.fingerprints, asked, now));
        if let Some(answer) = known {
            output.answer(answer, &key.places, true)?;
            continue;
        }
        let verdict = who.ask(&mut asker, &places, key);
        let id = Some(key.found.id.clone());
        let prints = key.fingerprints.clone();
        let answer = Answer::new(id, prints, verdict, asked, asker.now());
        // On the disk first: what was shown is never asked again.
        if let Some(resume) = &mut resume {
            resume.add(&answer)?;
        }
        output.answer(&answer, &key.places, false)?;
    }
    for half in &halves {
        let text = "a secret or token without its key ID: nobody can be asked about it";
        let verdict = Verdict::of(Status::Unknown(Reason::new("no-id", text)));
        let prints = half
            .finding
            .iter()
            .map(|(_, print)| print.clone())
            .collect();
        let answer = Answer::new(None, prints, verdict, (who.name(), &[]), asker.now());
        output.answer(&answer, &half.places, false)?;
    }
    output.end(who.caller(), asker.requests())?;
    let is_open = output.summary.unknown > 0 || has_flaw;
    Ok(match (is_open, output.summary.active) {
        (true, _) => FAILED,
        (false, 0) => 0,
        (false, _) => 1,
    })
}

/// Joins what is one question: the same ID and, if it signs, the same secret, and for temporary keys the same token.
fn merge(findings: Vec<Found>, with_secret: bool) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    let mut known: HashMap<Question, usize> = HashMap::new();
    for finding in findings {
        let Some(id) = finding.id else {
            continue;
        };
        let (secret_key, session_token) = match with_secret {
            true => (finding.secret_key, finding.session_token),
            false => (None, None),
        };
        let found = FoundKey {
            session_token: session_token.filter(|_| id.starts_with("ASIA")),
            id,
            secret_key,
        };
        let prints = finding.finding.map(|(_, print)| print);
        let key = Key {
            fingerprints: prints.into_iter().collect(),
            places: finding.places,
            is_lost: finding.is_lost,
            found,
        };
        match known.entry(key.question()) {
            Entry::Occupied(entry) => keys[*entry.get()].take(key),
            Entry::Vacant(entry) => {
                entry.insert(keys.len());
                keys.push(key);
            }
        }
    }
    if with_secret { signing(keys) } else { keys }
}

/// Folds keys that cannot sign into one of the same ID that can, which needs no second question.
fn signing(keys: Vec<Key>) -> Vec<Key> {
    let mut out: Vec<Key> = Vec::new();
    let mut first: HashMap<Question, usize> = HashMap::new();
    let (able, unable): (Vec<_>, Vec<_>) = keys
        .into_iter()
        .enumerate()
        .partition(|(_, key)| key.can_sign());
    let mut places: Vec<usize> = Vec::new();
    for (place, key) in able {
        let (id, secret_key, _) = key.question();
        first
            .entry((id.clone(), secret_key, None))
            .or_insert(out.len());
        first.entry((id, None, None)).or_insert(out.len());
        out.push(key);
        places.push(place);
    }
    for (place, key) in unable {
        match first.get(&key.question()) {
            Some(index) => out[*index].take(key),
            None => {
                out.push(key);
                places.push(place);
            }
        }
    }
    // In the order in which they were named.
    let mut out: Vec<(usize, Key)> = places.into_iter().zip(out).collect();
    out.sort_by_key(|(place, _)| *place);
    out.into_iter().map(|(_, key)| key).collect()
}

/// Credentials that ask.
enum Who {
    /// Each found pair for itself.
    Found,
    /// One's own.
    Own {
        credentials: Credentials,
        caller: Identity,
    },
    /// There is nothing to ask about.
    Nobody,
}

impl Who {
    /// One's own credentials, once AWS has said whose they are.
    fn own(
        asker: &mut Asker<Wire>,
        places: &Places,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let credentials = place::own_credentials(environment)?;
        match asker.caller(&credentials, places.own) {
            Ok(caller) => Ok(Self::Own {
                credentials,
                caller,
            }),
            Err(reason) => Err(Failure::new(
                "your own credentials gave no answer; nothing was asked",
            )
            .because(reason)
            .hint("aws sts get-caller-identity asks the same")),
        }
    }

    fn caller(&self) -> Option<&Identity> {
        match self {
            Self::Own { caller, .. } => Some(caller),
            Self::Found | Self::Nobody => None,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Found => "found_secret",
            Self::Own { .. } | Self::Nobody => "own_credentials",
        }
    }

    /// Returns the subject of an answer.
    fn of(&self, places: &Places, id: &str) -> Vec<String> {
        let Endpoints { sts, iam, .. } = &places.endpoints;
        match (self, sts) {
            (Self::Own { caller, .. }, _) => {
                let named = [caller.account_id.clone(), caller.partition.clone()];
                let urls = [sts, iam].into_iter().flatten().map(ToString::to_string);
                named.into_iter().chain(urls).collect()
            }
            (Self::Found, Some(url)) => vec![url.to_string()],
            _ => {
                let partitions = places.of_key(id);
                partitions.iter().map(|it| it.id.to_owned()).collect()
            }
        }
    }

    fn ask(&self, asker: &mut Asker<Wire>, places: &Places, key: &Key) -> Verdict {
        match self {
            Self::Own {
                credentials,
                caller,
            } => asker.look_up(&key.found.id, credentials, caller, places.own),
            Self::Found | Self::Nobody => {
                let partitions = places.of_key(&key.found.id);
                let mut verdict = asker.found(&key.found, &partitions);
                if let Status::Unknown(reason) = &mut verdict.status
                    && reason.word == "no-secret"
                    && key.is_lost
                {
                    reason.text = "its secret was not found again where the report says".to_owned();
                }
                verdict
            }
        }
    }
}

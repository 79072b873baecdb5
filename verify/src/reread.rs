//! Finds the secrets again at the places that a report names: a report holds none.
//!
//! The files and objects are scanned as they were, and what is found counts only if the fingerprint in the report is
//! that of the report's rule and ID with the found secret. So it does not matter which rule finds it now, and a
//! place that has changed gives nothing.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::ObjectId;
use keysieve::coverage::Coverage;
use keysieve::engine::Engine;
use keysieve::finding::{AwsRule, Finding, Fingerprint};
use keysieve::git::repository::{self, GitEnvironment};
use keysieve::rule::RuleSet;
use keysieve::scan::{Options, Scanner};
use keysieve::secret::Secret;
use keysieve::source::container::{Limits, Opener};
use keysieve::source::history::History;
use keysieve::source::worktree::{self, Worktree};

use crate::failure::Failure;
use crate::input::{Found, Place};

/// Gives each finding that has none its secret, where it is found again; one with several session tokens becomes as many
/// findings. What could not be read is returned, for
/// people.
pub(crate) fn fill(findings: &mut Vec<Found>, root: &Path) -> Result<Vec<String>, Failure> {
    let mut paths = BTreeSet::new();
    let mut objects = HashSet::new();
    for finding in findings.iter().filter(|finding| is_wanted(finding)) {
        for place in &finding.places {
            match object(place) {
                Some(id) => drop(objects.insert(id)),
                None => drop(paths.insert(root.join(path(place)))),
            }
        }
    }
    let engine = Arc::new(Engine::new(Arc::new(RuleSet::builtin())));
    let mut known = FoundAgain::default();
    if !paths.is_empty() {
        let mut scanner = opener(&engine);
        let worktree = Worktree {
            roots: paths.into_iter().collect(),
            options: worktree::Options {
                respect_ignore: false,
                ..worktree::Options::default()
            },
        };
        let scanned = worktree.scan(&mut scanner);
        scanned.map_err(|error| Failure::new("cannot read the places again").because(error))?;
        known.add(scanner);
    }
    if !objects.is_empty() {
        let open = repository::open(root, &GitEnvironment::default());
        let repository = open.map_err(|error| {
            Failure::new("cannot open the repository that the report is of")
                .because(error)
                .hint("name it with --root")
        })?;
        let mut scanner = opener(&engine);
        let history = History::of(&repository).only(Arc::new(objects));
        let scanned = history.scan(&mut scanner, None).map(drop);
        scanned.map_err(|error| Failure::new("cannot read the objects again").because(error))?;
        known.add(scanner);
    }
    let mut more = Vec::new();
    for finding in findings.iter_mut().filter(|finding| is_wanted(finding)) {
        finding.is_lost = true;
        for token in known.complete(finding) {
            more.push(Found {
                session_token: Some(token),
                ..finding.clone()
            });
        }
    }
    findings.extend(more);
    Ok(known.unread)
}

/// Scans as the scanner itself does, with what is in archives.
fn opener(engine: &Arc<Engine>) -> Opener<Scanner> {
    let scanner = Scanner::new(Arc::clone(engine), Options::default());
    Opener::new(scanner, Limits::default())
}

/// Only a finding with a place, and an ID with a secret, can be completed.
fn is_wanted(finding: &Found) -> bool {
    let is_pair = |(rule, print): &(String, String)| {
        AwsRule::of_id(rule) != Some(AwsRule::SesSmtpPassword)
            && Fingerprint::new(rule, finding.id.as_deref(), None).as_str() != print
    };
    finding.secret_key.is_none()
        && finding.id.is_some()
        && finding.finding.as_ref().is_some_and(is_pair)
}

/// The object that a place is in, if it is in one.
fn object(place: &Place) -> Option<ObjectId> {
    let id = place.blob.as_ref().or(place.object.as_ref())?;
    ObjectId::from_hex(id.as_bytes()).ok()
}

fn path(place: &Place) -> PathBuf {
    #[cfg(unix)]
    if let Some(bytes) = place.path_base64.as_deref().and_then(decoded) {
        use std::os::unix::ffi::OsStringExt as _;
        return OsString::from_vec(bytes).into();
    }
    OsString::from(&place.path).into()
}

#[cfg(unix)]
fn decoded(text: &str) -> Option<Vec<u8>> {
    keysieve::text::base64::STANDARD
        .decode(text.as_bytes())
        .ok()
}

/// Findings that were found again.
#[derive(Debug, Default)]
struct FoundAgain {
    findings: Vec<Finding>,
    unread: Vec<String>,
}

impl FoundAgain {
    fn add(&mut self, scanner: Opener<Scanner>) {
        let scanned = scanner.into_inner().finish();
        self.findings.extend_from_slice(scanned.findings());
        self.unread.extend(unread(scanned.coverage()));
    }

    /// Sets the secret whose fingerprint is the report's, and the token that was beside it; gives the further tokens.
    fn complete(&self, finding: &mut Found) -> Vec<Secret> {
        let (Some(id), Some((rule, print))) = (&finding.id, &finding.finding) else {
            return Vec::new();
        };
        let is_it =
            |secret: &Secret| Fingerprint::new(rule, Some(id), Some(secret)).as_str() == print;
        let secrets = || self.findings.iter().filter_map(|it| it.secret.as_ref());
        let Some(secret) = secrets().find(|secret| is_it(secret)) else {
            return Vec::new();
        };
        let with_id = self
            .findings
            .iter()
            .filter(|it| it.key_id.as_ref() == Some(id));
        let with_secret = with_id.filter(|it| it.secret.as_ref() == Some(secret));
        let mut tokens: Vec<Secret> = Vec::new();
        for token in with_secret.filter_map(|it| it.session_token.as_ref()) {
            if !tokens.contains(token) {
                tokens.push(token.clone());
            }
        }
        let mut tokens = tokens.into_iter();
        finding.session_token = tokens.next();
        finding.secret_key = Some(secret.clone());
        finding.is_lost = false;
        tokens.collect()
    }
}

/// Lists what was asked for and not read.
fn unread(coverage: &Coverage) -> Vec<String> {
    let skips = coverage.skips.iter();
    let skips = skips.filter(|skip| skip.reason.is_incomplete());
    let line = |skip: &keysieve::coverage::Skip| {
        let detail = skip.detail.as_deref().unwrap_or(skip.reason.name());
        format!("{}: {detail}", skip.subject)
    };
    skips.map(line).collect()
}

//! Events of keys, and of the credentials that descend from them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use aho_corasick::AhoCorasick;

use super::index::{Entry, index};
use super::pass::{self, Want};
use super::{Account, Index, Kind, Listed, Options, Unread};
use crate::aws::cloudtrail::lineage::{Descent, User, user_of};
use crate::aws::cloudtrail::{Event, Lineage, LogKeyId, Relation};

/// An event, and how it belongs to the keys that were asked for.
#[derive(Clone, Debug)]
pub struct FoundEvent {
    /// The event.
    pub event: Event,
    /// Relation to the key.
    pub relation: Relation,
    /// The key, and the credential through which the event descends from it.
    pub descent: Descent,
    /// A log that holds it: of several copies the first by path.
    pub path: PathBuf,
}

/// The events of some keys.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// By time and event ID, each once.
    pub events: Vec<FoundEvent>,
    /// Keys that descend from those that were asked for.
    pub descended: Vec<(LogKeyId, Descent)>,
    /// True if there were more descendants than are followed.
    pub is_bounded: bool,
    /// Account of what was read, and what was not.
    pub account: Account,
}

/// Finds the events that hold one of `keys`; with `with_lineage`, those of all that descends from them as well.
///
/// `known` says of unchanged files which keys they hold; only those that matter are then read. For a lineage it is
/// brought up to date first.
pub fn find(
    keys: &BTreeSet<LogKeyId>,
    files: &[Listed],
    known: &mut Index,
    with_lineage: bool,
    options: Options,
) -> Found {
    let mut search = Search {
        lineage: Lineage::new(keys.iter().copied()),
        events: BTreeMap::new(),
        account: Account::default(),
    };
    if with_lineage {
        search.account = index(known, files, options);
        search.account.skipped = 0;
        search.account.coverage = Index::coverage(known);
        search.follow(files, known, options);
    } else {
        search.once(keys, files, known, options);
    }
    search.finish(keys)
}

struct Search {
    lineage: Lineage,
    /// In order of time, ID and text, with the first path of equal ones.
    events: BTreeMap<Event, PathBuf>,
    account: Account,
}

/// Keys, principals and users that a round of a lineage looks for.
#[derive(Default)]
struct Interest {
    keys: HashSet<LogKeyId>,
    principals: HashSet<String>,
    users: HashSet<User>,
}

impl Search {
    fn once(
        &mut self,
        keys: &BTreeSet<LogKeyId>,
        files: &[Listed],
        known: &Index,
        options: Options,
    ) {
        let mut to_read = Vec::new();
        for file in files {
            match known.entry(file) {
                Some(entry)
                    if !entry.is_opaque && !entry.keys.iter().any(|key| keys.contains(key)) =>
                {
                    if entry.kind == Kind::Trail {
                        self.account.skipped += 1;
                        self.account.coverage.add_ends(&entry.first, &entry.last);
                    }
                }
                _ => to_read.push(file.clone()),
            }
        }
        let keys: HashSet<LogKeyId> = keys.iter().copied().collect();
        pass::over(
            &to_read,
            &Want::Keys(&keys),
            options,
            |file, facts| match facts {
                Ok(facts) => {
                    self.account.count(file, &facts);
                    self.add(file, facts.events);
                }
                Err(unread) => self.account.unread.push(unread),
            },
        );
    }

    /// Reads the files that matter until nothing descends any more.
    fn follow(&mut self, files: &[Listed], known: &Index, options: Options) {
        let mut seen = Interest::default();
        loop {
            let new = self.interest(&seen);
            let Some(texts) = new.texts() else {
                return;
            };
            let to_read: Vec<Listed> = files
                .iter()
                .filter(|file| known.entry(file).is_none_or(|entry| new.concerns(entry)))
                .cloned()
                .collect();
            pass::over(
                &to_read,
                &Want::Texts(&texts),
                options,
                |file, facts| match facts {
                    Ok(facts) => {
                        let flaw = facts.unread.map(|reason| Unread::new(&file.path, reason));
                        self.account.unread.extend(flaw);
                        self.add(file, facts.events);
                    }
                    Err(unread) => self.account.unread.push(unread),
                },
            );
            // An event may come before the one that makes its signer known: go over all until nothing is new.
            loop {
                let before = (self.lineage.keys().count(), self.lineage.users().count());
                for event in self.events.keys() {
                    self.lineage.learn(event);
                }
                if (self.lineage.keys().count(), self.lineage.users().count()) == before {
                    break;
                }
            }
            seen.add(new);
        }
    }

    /// Returns the parts of the lineage that no round has looked for.
    fn interest(&self, seen: &Interest) -> Interest {
        let of = &self.lineage;
        Interest {
            keys: of.keys().filter(|key| !seen.keys.contains(key)).collect(),
            principals: of
                .principals()
                .filter(|arn| !seen.principals.contains(*arn))
                .map(str::to_owned)
                .collect(),
            users: of
                .users()
                .filter(|user| !seen.users.contains(user))
                .cloned()
                .collect(),
        }
    }

    fn add(&mut self, file: &Listed, events: Vec<Event>) {
        for event in events {
            let known = self.events.entry(event);
            let known = known.or_insert_with(|| file.path.clone());
            if file.path < *known {
                known.clone_from(&file.path);
            }
        }
    }

    fn finish(mut self, keys: &BTreeSet<LogKeyId>) -> Found {
        self.account.unread.sort();
        self.account.unread.dedup();
        let mut ids = HashSet::new();
        let mut events = Vec::new();
        for (event, path) in self.events {
            // A trail of the account and one of the organisation record the same event under the same ID.
            if !event.id.is_empty() && !ids.insert(event.id.clone()) {
                continue;
            }
            // Hits in the raw text may be more than the decoded strings hold.
            if let Some((relation, descent)) = self.lineage.relation(&event) {
                events.push(FoundEvent {
                    event,
                    relation,
                    descent,
                    path,
                });
            }
        }
        let descended = self.lineage.keys().filter(|key| !keys.contains(key));
        let descended = descended.filter_map(|key| Some((key, *self.lineage.descent(&key)?)));
        Found {
            events,
            descended: descended.collect(),
            is_bounded: self.lineage.is_bounded(),
            account: self.account,
        }
    }
}

impl Interest {
    fn add(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.principals.extend(other.principals);
        self.users.extend(other.users);
    }

    /// The texts of which a record that matters holds at least one; `None` if there is nothing to look for.
    fn texts(&self) -> Option<AhoCorasick> {
        let texts: BTreeSet<&str> = self
            .keys
            .iter()
            .map(LogKeyId::as_str)
            .chain(self.principals.iter().map(String::as_str))
            .chain(self.users.iter().map(|user| user.name.as_str()))
            .collect();
        if texts.is_empty() {
            return None;
        }
        Some(AhoCorasick::new(texts).expect("a bounded number of keys, ARNs and names"))
    }

    /// Returns true if a file may hold an event that matters.
    fn concerns(&self, entry: &Entry) -> bool {
        let by_principal = !self.principals.is_empty() || !self.users.is_empty();
        entry.is_opaque
            || entry.is_odd && by_principal
            || entry.keys.iter().any(|key| self.keys.contains(key))
            || by_principal
                && (entry.principals.iter())
                    .any(|arn| self.principals.contains(&**arn) || self.has_user(arn))
    }

    fn has_user(&self, arn: &str) -> bool {
        user_of(arn).is_some_and(|(account, name)| {
            let (account, name) = (account.to_owned(), name.to_owned());
            self.users.contains(&User { account, name })
        })
    }
}

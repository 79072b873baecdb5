//! Answers: a line a key for people, or JSON Lines as evidence. A stream without its last line was cut short.

use std::io::{self, Write};

use keysieve::aws::verify::{Identity, Status, Verdict};
use keysieve::report::escape;
use keysieve::text::date::rfc3339;
use serde::{Deserialize, Serialize};

use crate::args::Format;
use crate::failure::Failure;
use crate::input::Place;

/// Name and version of the schema.
pub(crate) const SCHEMA: &str = "keysieve-verify/1";

/// The words of an answer's status.
pub(crate) const STATUSES: [&str; 4] = ["active", "inactive", "unknown", "not_asked"];

/// The answer about one key, as it is written and read again.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Answer {
    /// The access key ID; none for a secret that was found alone.
    pub(crate) key_id: Option<String>,
    /// Of the findings that are this key.
    pub(crate) fingerprints: Vec<String>,
    /// `active`, `inactive`, `unknown` or `not_asked`.
    pub(crate) status: String,
    /// A word of a fixed set, unless it is active.
    pub(crate) reason: Option<String>,
    /// The reason in words.
    pub(crate) detail: Option<String>,
    /// True if it is the root user's; `None` if that is not known.
    pub(crate) root: Option<bool>,
    /// Owner, if known.
    pub(crate) owner: Option<OwnerJson>,
    /// 12 digits: as AWS said it, else as the ID holds it.
    pub(crate) account_id: Option<String>,
    /// As AWS said it.
    pub(crate) partition: Option<String>,
    /// Time of the key's creation.
    pub(crate) created: Option<String>,
    /// The last use that IAM knows of; null if IAM was not asked.
    pub(crate) last_used: Option<UseJson>,
    /// Further remarks for a person.
    pub(crate) notes: Vec<String>,
    /// Way of asking.
    pub(crate) asked: Asked,
}

/// Owner of a key.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct OwnerJson {
    /// `root`, `user`, `session` or `federated`.
    kind: String,
    /// None for root.
    name: Option<String>,
    /// If AWS said it.
    arn: Option<String>,
}

/// The last use of a key; all three are null if it was never used since 2015-04-22.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct UseJson {
    at: Option<String>,
    service: Option<String>,
    region: Option<String>,
}

/// Way in which a key was asked about.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Asked {
    /// `found_secret` or `own_credentials`.
    pub(crate) with: String,
    /// Subject of the answer: partitions, an endpoint, or the own account.
    pub(crate) of: Vec<String>,
    /// Time, in UTC.
    pub(crate) at: String,
    /// The hosts; empty if nothing was sent.
    pub(crate) hosts: Vec<String>,
}

impl Answer {
    /// An answer of now.
    pub(crate) fn new(
        key_id: Option<String>,
        fingerprints: Vec<String>,
        verdict: Verdict,
        asked: (&str, &[String]),
        now: u64,
    ) -> Self {
        let reason = verdict.status.reason();
        Self {
            key_id,
            fingerprints,
            status: verdict.status.name().to_owned(),
            reason: reason.map(|reason| reason.word.to_owned()),
            detail: reason.map(|reason| reason.text.clone()),
            root: verdict.is_root(),
            owner: verdict.owner.as_ref().map(|owner| OwnerJson {
                kind: owner.kind().to_owned(),
                name: owner.name(),
                arn: verdict.arn.clone(),
            }),
            account_id: verdict.account_id,
            partition: verdict.partition,
            created: verdict.created,
            last_used: verdict.last_used.map(|used| UseJson {
                at: used.at,
                service: used.service,
                region: used.region,
            }),
            notes: verdict.notes,
            asked: Asked {
                with: asked.0.to_owned(),
                of: asked.1.to_vec(),
                at: rfc3339(i64::try_from(now).unwrap_or(i64::MAX)),
                hosts: verdict.hosts,
            },
        }
    }

    /// Returns true for an active key.
    pub(crate) fn is_active(&self) -> bool {
        self.status == Status::Active.name()
    }

    /// Returns true if nobody could tell.
    pub(crate) fn is_unknown(&self) -> bool {
        self.status == "unknown"
    }

    /// Returns the text after the ID and the status, for people.
    fn says(&self) -> String {
        let mut parts = Vec::new();
        let account = self.account_id.as_deref().unwrap_or("not known");
        match &self.owner {
            Some(_) if self.root == Some(true) => {
                parts.push(format!("ROOT of account {account}"));
            }
            Some(owner) => {
                let name = owner.name.as_deref().unwrap_or_default();
                parts.push(format!("{} {name} of account {account}", owner.kind));
            }
            None if self.account_id.is_some() => parts.push(format!("account {account}")),
            None => {}
        }
        if let Some(partition) = self.partition.as_deref().filter(|it| *it != "aws") {
            parts.push(format!("partition {partition}"));
        }
        if let Some(created) = &self.created {
            parts.push(format!("made {}", day(created)));
        }
        if let Some(used) = &self.last_used {
            parts.push(match &used.at {
                Some(at) => {
                    let words = [
                        Some(day(at)),
                        used.service.as_deref(),
                        used.region.as_deref(),
                    ];
                    let words: Vec<&str> = words.into_iter().flatten().collect();
                    format!("last used {}", words.join(" "))
                }
                None => "never used since 2015-04-22".to_owned(),
            });
        }
        parts.extend(self.detail.clone());
        parts.extend(self.notes.iter().cloned());
        parts.join("; ")
    }
}

fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or(time)
}

/// Number of keys in each state.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// Keys that work, those of root users among them.
    pub(crate) active: usize,
    /// Active keys of root users.
    pub(crate) active_root: usize,
    /// Keys that do not work.
    pub(crate) inactive: usize,
    /// Keys of which nobody can tell.
    pub(crate) unknown: usize,
    /// Canaries and examples.
    pub(crate) not_asked: usize,
}

impl Summary {
    fn count(&mut self, answer: &Answer) {
        match answer.status.as_str() {
            "active" => {
                self.active += 1;
                self.active_root += usize::from(answer.root == Some(true));
            }
            "inactive" => self.inactive += 1,
            "unknown" => self.unknown += 1,
            _ => self.not_asked += 1,
        }
    }
}

/// Writes answers as they come.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    /// Number of keys in each state.
    pub(crate) summary: Summary,
    /// Active keys of root users, for the last line.
    roots: Vec<String>,
}

#[derive(Serialize)]
struct Last<'a> {
    schema: &'static str,
    tool: Tool,
    summary: Summary,
    asked_as: Option<&'a str>,
    requests: u32,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Output {
    /// Nothing is written yet.
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            summary: Summary::default(),
            roots: Vec::new(),
        }
    }

    /// Says who asks.
    pub(crate) fn begin(&self, caller: Option<&Identity>) -> Result<(), Failure> {
        match (self.format, caller) {
            (Format::Text, Some(caller)) => line(&format!(
                "asked as {} (partition {})",
                caller.arn, caller.partition
            )),
            _ => Ok(()),
        }
    }

    /// Writes one answer.
    pub(crate) fn answer(
        &mut self,
        answer: &Answer,
        places: &[Place],
        is_taken_over: bool,
    ) -> Result<(), Failure> {
        self.summary.count(answer);
        let id = answer
            .key_id
            .as_deref()
            .unwrap_or("a secret without its ID");
        if answer.is_active() && answer.root == Some(true) {
            self.roots.push(id.to_owned());
        }
        if self.format == Format::Jsonl {
            return json(answer);
        }
        let status = answer.status.replace('_', " ").to_uppercase();
        line(&format!("{id}  {status:<9}  {}", answer.says()))?;
        if let Some(place) = places.first() {
            let more = match places.len() {
                1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            line(&format!("    found in {}{more}", place.show()))?;
        }
        if is_taken_over {
            line(&format!("    asked before, at {}", answer.asked.at))?;
        }
        Ok(())
    }

    /// Writes the end.
    pub(crate) fn end(&self, caller: Option<&Identity>, requests: u32) -> Result<(), Failure> {
        if self.format == Format::Jsonl {
            return json(&Last {
                schema: SCHEMA,
                tool: Tool {
                    name: "keysieve-verify",
                    version: env!("CARGO_PKG_VERSION"),
                },
                summary: self.summary,
                asked_as: caller.map(|caller| caller.arn.as_str()),
                requests,
            });
        }
        let Summary {
            active,
            active_root,
            inactive,
            unknown,
            not_asked,
        } = self.summary;
        let requests = match requests {
            1 => "1 request".to_owned(),
            count => format!("{count} requests"),
        };
        line(&format!(
            "{active} active ({active_root} of root), {inactive} inactive, {unknown} unknown, {not_asked} not asked; {requests}"
        ))?;
        if !self.roots.is_empty() {
            let ids = self.roots.join(", ");
            line(&format!(
                "active keys of root users, to be dealt with first: {ids}"
            ))?;
        }
        Ok(())
    }
}

/// Writes a line of text to standard output.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    write(|out| writeln!(out, "{}", escape::inert(&escape::terminal(text))))
}

fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value);
    let text = text.map_err(|error| Failure::new("cannot write an answer").because(error))?;
    write(|out| writeln!(out, "{text}"))
}

/// Nothing more is asked once nobody reads the answers.
fn write(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let done = write(&mut out).and_then(|()| out.flush());
    done.map_err(|error| Failure::new("cannot write to standard output").because(error))
}

//! Urgency of a key, with reasons, and the state of its containment.

use std::collections::BTreeMap;

use serde::Serialize;

use super::deed::DeedKind;
use super::records::{Fact, Owner, PermissionsJson, Quarantine, Records, Status};
use super::trace::Traced;
use crate::aws::cloudtrail::LogKeyId;
use crate::aws::key_id::{Harmless, KeyId};
use crate::text::date;

/// The inline policy with which a plan denies sessions that were issued before.
pub const REVOKE_POLICY: &str = "keysieve-revoke-older-sessions";

/// The longest life of a session of `GetSessionToken` and `GetFederationToken`, in seconds.
const MAX_SESSION: i64 = 36 * 3600;

/// A statement with values, in words of a chosen language by its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Code of the statement.
    pub code: &'static str,
    /// Its values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<&'static str, String>,
}

impl Said {
    /// A statement without values.
    pub fn bare(code: &'static str) -> Self {
        Self::with(code, [])
    }

    /// A statement with values.
    pub fn with<const N: usize>(code: &'static str, values: [(&'static str, String); N]) -> Self {
        Self {
            code,
            values: values.into_iter().collect(),
        }
    }
}

/// P1 is dealt with at once, P4 needs no action now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Priority {
    /// `P1` to `P4`.
    pub level: &'static str,
    /// Reasons, the weightiest first.
    pub reasons: Vec<Said>,
}

impl Priority {
    /// Returns true if a person has to act.
    pub fn needs_action(&self) -> bool {
        self.level != "P4"
    }
}

/// Known facts about a key, for its priority.
pub(super) struct Known<'k> {
    pub(super) key: LogKeyId,
    pub(super) owner: &'k Owner,
    pub(super) status: &'k Status,
    pub(super) quarantine: &'k Quarantine,
    pub(super) permissions: Option<&'k PermissionsJson>,
    pub(super) exposure: &'k [Fact],
    pub(super) traced: &'k Traced,
    pub(super) places: usize,
}

/// The priority of a key.
pub(super) fn priority(known: &Known<'_>) -> Priority {
    let Known {
        owner,
        status,
        traced,
        permissions,
        ..
    } = known;
    let mut reasons = Vec::new();
    let is_off = matches!(status.value, "inactive" | "deleted");
    let used = traced.foreign();
    let is_root = owner.kind == "root";
    if is_root {
        reasons.push(Said::bare("root"));
    }
    if used > 0 {
        reasons.push(Said::with("used_after", [("count", used.to_string())]));
    }
    let mut is_abuse = false;
    for (kind, code) in [
        (DeedKind::Persistence, "persistence"),
        (DeedKind::Credentials, "credentials"),
        (DeedKind::Spend, "spend"),
        (DeedKind::Data, "data"),
        (DeedKind::Evasion, "evasion"),
    ] {
        let count = traced.done(kind).count();
        if count > 0 {
            is_abuse |= used > 0;
            reasons.push(Said::with(code, [("count", count.to_string())]));
        }
    }
    let is_limited = permissions.is_some_and(|may| !may.admin && may.escalation.is_empty());
    match permissions {
        Some(may) if may.admin => reasons.push(Said::bare("admin")),
        Some(may) if !may.escalation.is_empty() => {
            reasons.push(Said::with(
                "escalation",
                [("names", may.escalation.join(", "))],
            ));
        }
        Some(_) => reasons.push(Said::bare("limited")),
        None if is_abuse && !is_root => reasons.push(Said::bare("permissions_unknown")),
        None => {}
    }
    let is_exposed = !known.exposure.is_empty() || known.quarantine.value == "attached";
    if is_exposed {
        reasons.push(Said::bare("exposed"));
    }
    if known.places > 0 {
        reasons.push(Said::bare("found"));
    }
    reasons.push(Said::bare(match status.value {
        "active" => "active",
        "inactive" => "inactive",
        "deleted" => "deleted",
        _ => "status_unknown",
    }));
    let harmless = KeyId::parse(known.key.as_bytes()).and_then(|id| id.harmless());
    let level = if is_root && (!is_off || used > 0) || used > 0 && is_abuse && !is_limited {
        "P1"
    } else if used > 0 {
        "P2"
    } else if is_off && !is_root {
        "P4"
    } else if is_exposed {
        "P2"
    } else if let Some(Harmless::Example | Harmless::Placeholder) = harmless
        && status.value == "unknown"
    {
        reasons.insert(0, Said::bare("example"));
        "P4"
    } else {
        "P3"
    };
    Priority { level, reasons }
}

/// If nobody can do anything with a key and what descends from it any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Containment {
    /// Nothing is open.
    pub contained: bool,
    /// Ways that are still open.
    pub open: Vec<Said>,
}

/// Looks for what is open. `has_trail` says that descendants would have been seen.
pub(super) fn containment(
    known: &Known<'_>,
    records: &Records<'_>,
    account: Option<&str>,
    has_trail: bool,
    now: i64,
) -> Containment {
    let mut open = Vec::new();
    let key = |id: &str| ("key", id.to_owned());
    match known.status.value {
        "active" => open.push(Said::with("key_active", [key(known.key.as_str())])),
        "unknown" => open.push(Said::with("key_unknown", [key(known.key.as_str())])),
        _ => {}
    }
    let denied = |holder: &str| {
        let details = records.authorization.as_ref();
        details.is_some_and(|details| details.has_inline(holder, REVOKE_POLICY))
    };
    let is_denied = known.owner.name.as_deref().is_some_and(denied);
    let mut until: Option<i64> = None;
    for edge in &known.traced.lineage {
        let of_account = edge.account_id.as_deref().or(account);
        let name = edge.of.as_deref().unwrap_or_default();
        match edge.kind {
            "session" => {
                let role = name.rsplit('/').next().unwrap_or(name);
                let is_denied = if name.is_empty() {
                    is_denied
                } else {
                    denied(role)
                };
                let end = edge.expires.as_deref().and_then(date::moment);
                let end = end.or_else(|| date::moment(&edge.at).map(|at| at + MAX_SESSION));
                if !is_denied && end.is_none_or(|end| end > now) {
                    until = until.max(Some(end.unwrap_or(now + MAX_SESSION)));
                }
            }
            "key" => {
                let owner = Owner {
                    kind: "user",
                    name: edge.of.clone(),
                    ..Owner::default()
                };
                let Some(child) = LogKeyId::parse(&edge.child) else {
                    continue;
                };
                // Events about it are those that the exports of this case hold as well.
                let status = records.status(child, &owner, None, of_account, &[]);
                let is_gone =
                    of_account.and_then(|account| records.is_gone(account, name)) == Some(true);
                match status.value {
                    "inactive" | "deleted" => {}
                    _ if is_gone => {}
                    "active" => open.push(Said::with(
                        "made_key_active",
                        [key(&edge.child), ("user", name.to_owned())],
                    )),
                    _ => open.push(Said::with(
                        "made_key_unknown",
                        [key(&edge.child), ("user", name.to_owned())],
                    )),
                }
            }
            _ => {
                let account = of_account.unwrap_or_default();
                let has_password = records.has_password(account, &edge.child);
                let is_gone = records.is_gone(account, &edge.child);
                let is_closed = is_gone == Some(true) || has_password == Some(false);
                let said = Said::with("made_user", [("user", edge.child.clone())]);
                if !is_closed && !open.contains(&said) {
                    open.push(said);
                }
            }
        }
    }
    if let Some(until) = until {
        open.push(Said::with("session", [("until", date::rfc3339(until))]));
    }
    if !has_trail && !is_denied {
        open.push(Said::bare("sessions_unknown"));
    }
    Containment {
        contained: open.is_empty(),
        open,
    }
}

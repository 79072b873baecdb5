//! Evidence for and against a key ID and a secret being of one pair: a table of reasons.
//!
//! Each reason has two weights. The first counts in the assignment: who goes with whom rather than with another. The
//! second is doubt: from [`LIMIT`] on a person would want to look before anybody calls it a pair.

use crate::blob::Span;

use super::candidate::{Candidate, Candidates, Kind, bare_counts, is_list};
use super::label::Label;
use super::name::{Role, words};
use super::syntax::tree::{Container, Form};

/// Doubt from which on a pair is none: the ID stays a warning that names the line.
pub(super) const LIMIT: u32 = 70;

/// Most bytes of the view between the two halves of a pair. A session token can be between them.
const MOST_BYTES: usize = 8 * 1024;

/// Most lines between a key ID and a value whose name says that it is a secret. Generated `s3cmd` files
/// have 30 and more between the two.
const MOST_LINES_NAMED: usize = 80;

/// Most lines between a key ID and a value without a name. Human-labelled pairs are at most 3 apart.
const MOST_LINES_BARE: usize = 12;

/// Number of places without a value that are examined on either side.
const MOST_EMPTY: usize = 8;

/// In a list of so many one value may be vouched for by its place, in longer ones one of so many. A refusal by chance
/// is rarer than 1 in 1,000: where there are more, the list is none of secrets.
const VALUES_PER_DOUBT: usize = 8;

/// A reason against two halves being a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// They are in different containers.
    Apart,
    /// They are at different places of containers that are alike.
    OtherPlace,
    /// Other things are between them in their container.
    Between,
    /// Lines are between them.
    Lines,
    /// Their names speak of different things.
    Names,
    /// The name of the secret says less than that it is one of AWS.
    Role,
    /// One name speaks of AWS, the other does not.
    Aws,
    /// One name speaks of a key or of a login, the other does not.
    Style,
    /// The secret comes first.
    Order,
    /// One of them is in a comment.
    Comment,
    /// One of them is no value.
    NoValue,
    /// The surroundings of the secret name another purpose.
    Purpose,
    /// The place of the ID's own secret is empty, or holds a reference.
    Slot,
    /// A login is beside the secret, and not beside the ID.
    Login,
    /// They are in two records of one list.
    Record,
}

impl Reason {
    const ALL: [Self; 15] = [
        Self::Apart,
        Self::OtherPlace,
        Self::Between,
        Self::Lines,
        Self::Names,
        Self::Role,
        Self::Aws,
        Self::Style,
        Self::Order,
        Self::Comment,
        Self::NoValue,
        Self::Purpose,
        Self::Slot,
        Self::Login,
        Self::Record,
    ];

    /// The reason as `--explain` gives it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Apart => "in different containers",
            Self::OtherPlace => "at different places of their lists",
            Self::Between => "others between them",
            Self::Lines => "lines between them",
            Self::Names => "names of different things",
            Self::Role => "a name that says less than AWS secret",
            Self::Aws => "one name speaks of AWS, one does not",
            Self::Style => "names of different styles",
            Self::Order => "the secret comes first",
            Self::Comment => "one of them in a comment",
            Self::NoValue => "one of them is no value",
            Self::Purpose => "in a container for something else",
            Self::Slot => "the place of the ID's own secret holds none",
            Self::Login => "a login of its own",
            Self::Record => "in different records",
        }
    }
}

/// The weights of all reasons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    costs: [u16; Reason::ALL.len()],
    doubts: [u16; Reason::ALL.len()],
}

impl Evidence {
    fn add(&mut self, reason: Reason, cost: usize, doubt: usize) {
        let at = reason as usize;
        self.costs[at] += u16::try_from(cost).unwrap_or(u16::MAX / 16);
        self.doubts[at] += u16::try_from(doubt).unwrap_or(u16::MAX / 16);
    }

    /// Returns the cost of the pair in the assignment.
    pub(super) fn cost(&self) -> u32 {
        self.costs.iter().map(|cost| u32::from(*cost)).sum()
    }

    /// Returns the doubt about the pair; from [`LIMIT`] on the two are not reported as one.
    pub(super) fn doubt(&self) -> u32 {
        self.doubts.iter().map(|doubt| u32::from(*doubt)).sum()
    }

    /// The reasons with their weights, as `--explain` gives them.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for reason in Reason::ALL {
            let (cost, doubt) = (self.costs[reason as usize], self.doubts[reason as usize]);
            if cost + doubt > 0 {
                let sign = if text.is_empty() { "" } else { " · " };
                text.push_str(&format!("{sign}{} {cost}/{doubt}", reason.text()));
            }
        }
        let sum = format!("{}/{} of {LIMIT}", self.cost(), self.doubt());
        match text.is_empty() {
            true => sum,
            false => format!("{text} → {sum}"),
        }
    }
}

/// Weighs the pairs of a view.
pub(super) struct Scales<'c> {
    found: &'c Candidates,
    /// For each container, bare values that pass the strict filters, and those that do not.
    bare: Vec<(usize, usize)>,
    /// For each container, its places of IDs and of secrets that have no value.
    empty: Vec<Vec<usize>>,
    /// For each container its values.
    held: Vec<Vec<usize>>,
}

/// Relation of two nodes in the tree.
struct Relation {
    up: usize,
    down: usize,
    /// Steps between them, or between their containers, where the ways meet.
    between: usize,
    /// They have the same places below that.
    same_place: bool,
    /// The two containers where the ways part; the same one if both nodes are in it.
    parted: (usize, usize),
}

impl<'c> Scales<'c> {
    /// Scales for the candidates of a view.
    pub(super) fn of(found: &'c Candidates) -> Self {
        let mut lists = [false, true].map(|_| vec![Vec::new(); found.tree.containers.len()]);
        for (number, one) in found.list.iter().enumerate() {
            lists[usize::from(one.is_real())][one.container].push(number);
        }
        let [empty, held] = lists;
        Self {
            found,
            bare: bare_counts(found),
            empty,
            held,
        }
    }

    /// Weighs a pair; `None` if the two cannot belong together.
    pub(super) fn weigh(&self, id: &Candidate, secret: &Candidate) -> Option<Evidence> {
        let lines = id.line.abs_diff(secret.line);
        let is_behind = id.span.start < secret.span.start;
        let gap = match is_behind {
            true => secret.span.start.saturating_sub(id.span.end),
            false => id.span.start.saturating_sub(secret.span.end),
        };
        if gap > MOST_BYTES || lines > MOST_LINES_NAMED {
            return None;
        }
        let relation = self.relation(id, secret)?;
        let is_same = relation.up == 0 && relation.down == 0;
        let mut weights = Evidence::default();
        let (ids, own) = (&id.label, &secret.label);
        let common = |at: usize| self.found.stems.get(at).copied().unwrap_or(0);
        let stems = Stems::of(
            ids,
            own,
            (common(relation.parted.0), common(relation.parted.1)),
        );
        if !self.sections_agree(relation.parted, stems) {
            return None;
        }
        let role = self.role_for(secret, id);
        let are_own = own.owner.is_none() && ids.owner.is_none() && !own.name.is_empty();
        // Two lists whose names go together: `backup_users`, `backup_passwords`.
        let are_lists =
            own.owner.is_some() && ids.owner.is_some() && !is_same && relation.up == relation.down;
        let is_twin = are_own && own.name == ids.name && stems.cost == 0;
        // `alice_key`, `alice_value`, or two such lists: nothing else is left of the two names.
        let has_rest = (are_own || are_lists)
            && role == Role::Unknown
            && own.name.is_aws() == ids.name.is_aws()
            && own.name.stem().next().is_some()
            && own.name.stem().eq(ids.name.stem())
            && !is_twin;
        let is_half = ids.path == own.path
            && (has_rest
                || (own.owner.is_none() || are_lists) && own.name.is_other_half_of(&ids.name));
        if self.is_of_other_vendor(id, secret) || are_of_two_rows(id, secret) {
            return None;
        }
        let is_apart = !is_same && relation.up == relation.down;
        // `traceId`, `VersionId`: of something else.
        let role = match role {
            Role::KeyId
                if own.owner.is_none()
                    && own.name.stem().next().is_some()
                    && own.name.stem().ne(ids.name.stem()) =>
            {
                Role::Unknown
            }
            role => role,
        };
        let is_list = !is_same && relation.same_place && relation.up == relation.down;
        if is_same {
            let beyond = relation.between.saturating_sub(1);
            weights.add(
                Reason::Between,
                relation.between.min(8),
                (2 * beyond).min(12),
            );
        } else {
            let steps = relation.up + relation.down;
            let uneven = if relation.up == relation.down { 0 } else { 10 };
            weights.add(Reason::Apart, 6 * steps + uneven, (3 * steps).min(24));
            if relation.up == relation.down && !relation.same_place && !stems.is_shared {
                weights.add(Reason::OtherPlace, 20, 10);
            }
            if relation.same_place {
                weights.add(Reason::Between, relation.between.min(6), 0);
            }
        }
        weights.add(Reason::Lines, (lines / 8).min(10), 0);
        weights.add(Reason::Order, usize::from(!is_behind), 0);
        let is_aside = id.is_comment != secret.is_comment;
        let is_telling = role == Role::AwsSecret
            || role == Role::Secret && is_same && (lines == 0 || ids.role == Role::KeyId);
        let doubt = if is_telling { 0 } else { LIMIT as usize };
        weights.add(
            Reason::Comment,
            3 * usize::from(is_aside),
            doubt * usize::from(is_aside),
        );
        let is_mixed = id.is_real() != secret.is_real();
        weights.add(Reason::NoValue, if is_mixed { 10 } else { 0 }, 0);
        if !secret.is_real() {
            weights.add(Reason::Names, stems.cost, 0);
            return Some(weights);
        }
        let is_bare = !role.decides() || role == Role::KeyId;
        if is_bare && lines > MOST_LINES_BARE && !is_list && !is_half && !is_twin {
            return None;
        }
        let is_next = is_same && relation.between <= 1;
        // The place tells what a bare value is: right behind the ID, or as far in a list.
        if is_bare && secret.doubt.is_some() && !is_half {
            let is_argument = is_next && is_behind && own.name.is_empty();
            let is_vouched = is_list && self.is_vouched(id.container, secret.container);
            if !(is_argument || is_vouched) {
                return None;
            }
        }
        let names_agree = stems.cost == 0;
        let is_kin = own.owner.is_some()
            || stems.is_shared
            || is_twin
            || self.are_of_lists(id, secret)
            || self.are_lines(id, secret);
        let (cost, doubt) = match role {
            _ if is_half => (2, 4),
            Role::AwsSecret => (0, 0),
            Role::Secret => (4, 0),
            Role::Neutral if !is_same && !is_kin => (24, LIMIT as usize),
            Role::Neutral | Role::KeyId if is_next || is_list => (6, 10),
            Role::KeyId if !is_twin => (24, LIMIT as usize),
            Role::Neutral | Role::KeyId => (10, 25),
            Role::Unknown if is_twin && (is_next || is_apart) => (8, 10),
            Role::Unknown => return None,
            Role::Foreign => return None,
            Role::Doubtful | Role::Token if id.kind == Kind::OtherId => return None,
            Role::Doubtful | Role::Token if is_half => (16, 45),
            Role::Doubtful | Role::Token if self.are_all(id, secret) => (16, 45),
            Role::Doubtful | Role::Token => (24, LIMIT as usize),
        };
        weights.add(Reason::Role, cost, doubt);
        let is_outside = |owner: usize| !self.is_in(id.container, owner);
        if role != Role::AwsSecret && own.purpose.is_some_and(is_outside) {
            weights.add(Reason::Purpose, 10, 60);
        }
        if role != Role::AwsSecret
            && own.is_key
            && !own.name.is_structure()
            && !stems.is_shared
            && self.are_records(&relation, id)
        {
            weights.add(Reason::Record, 20, LIMIT as usize);
        }
        if role != Role::AwsSecret && self.has_own_slot(id, secret) {
            weights.add(Reason::Slot, 20, LIMIT as usize);
        }
        if role != Role::AwsSecret && self.has_own_login(id, secret) {
            weights.add(Reason::Login, 20, LIMIT as usize);
        }
        let is_named = !own.name.is_empty();
        let has_own_name = is_named && own.owner.is_none();
        let are_two = is_same && ids.path == own.path && self.are_two(id, lines);
        // `fs.s3a.access.key`, `fs.s3a.secret.key`
        let are_tied = stems.is_shared || own.name.stem().next().is_some();
        let (cost, doubt) = match role {
            Role::AwsSecret => (stems.cost, 0),
            _ if is_half && (is_same || names_agree || are_tied) => (stems.cost, 0),
            _ if is_twin || is_bare && names_agree => (stems.cost, 0),
            _ if is_bare && is_same && (!has_own_name || are_two) => (stems.cost, 0),
            _ if is_bare && is_same => (stems.cost, LIMIT as usize),
            _ if is_bare && stems.is_within => (stems.cost, 15),
            _ if is_bare => (stems.cost, 50),
            Role::Doubtful | Role::Token => {
                // Of a secret of something else the next one is looked at, no other.
                (
                    stems.cost,
                    if is_same && relation.between <= 2 {
                        0
                    } else {
                        25
                    },
                )
            }
            _ if names_agree => (0, 0),
            // The ID's name says more: `ARTIFACTS_KEY`, `SECRET`; or the secret's only what keys of AWS open.
            _ if stems.is_store || stems.is_within && are_two => (stems.cost, 10),
            _ if self.are_all(id, secret) => (stems.cost, 40),
            _ => (stems.cost, LIMIT as usize),
        };
        weights.add(Reason::Names, cost, doubt);
        if is_named {
            weights.add(Reason::Aws, if ids.is_aws == own.is_aws { 0 } else { 4 }, 0);
            let is_key = |label: &Label| label.name.has(words::KEY);
            let style = match (
                ids.name.is_empty(),
                ids.name.is_login() != own.name.is_login(),
            ) {
                (false, true) => 10,
                (false, false) if is_key(ids) && !is_key(own) => 3,
                _ => 0,
            };
            weights.add(Reason::Style, style, 0);
        }
        Some(weights)
    }

    /// Returns the role that an ID sees in the name of a secret: a name that both share says nothing about one of them.
    fn role_for(&self, secret: &Candidate, id: &Candidate) -> Role {
        let label = &secret.label;
        let is_common = label.owner.is_some_and(|owner| {
            // Or a name that two containers beside each other have: `<arg>…</arg><arg>…</arg>`.
            let parent = |at: usize| self.found.tree.containers[at].parent;
            let beside = id
                .label
                .owner
                .filter(|other| *other != owner && parent(*other) == parent(owner));
            // The name of a list is that of its first value.
            let is_first =
                self.found.tree.containers[owner].form == Form::Values && secret.index < id.index;
            self.is_in(id.container, owner) && !is_first
                || beside.is_some() && id.label.name == label.name
        });
        match label.role {
            role if is_common && !role.is_secret() => Role::Neutral,
            role => role,
        }
    }

    /// Returns true for two items of one list, of which one has more than a value.
    fn are_records(&self, relation: &Relation, id: &Candidate) -> bool {
        let (ids, secrets) = relation.parted;
        let both = [ids, secrets].map(|at| &self.found.tree.containers[at]);
        relation.up >= 1
            && relation.down >= 1
            && both
                .iter()
                .all(|own| matches!(own.form, Form::Bracket | Form::Indent))
            && [ids, secrets].iter().any(|at| self.size(*at, id) > 1)
    }

    /// Returns true for values of two lists, also of lists that have only one.
    fn are_of_lists(&self, id: &Candidate, secret: &Candidate) -> bool {
        const LISTS: [Form; 5] = [
            Form::Bracket,
            Form::Indent,
            Form::Values,
            Form::Element,
            Form::Row,
        ];
        let [ids, secrets] = [id, secret].map(|one| &self.found.tree.containers[one.container]);
        let (a, b) = (
            self.values(id.container, id),
            self.values(secret.container, id),
        );
        let is_named = |list: &Container| {
            let words = self.found.tree.words(list.words);
            words.last().is_some_and(|word| word.assigned)
        };
        let is_open = !secret.label.is_key || secret.label.name.is_structure();
        let are_lists = LISTS.contains(&ids.form) && LISTS.contains(&secrets.form);
        is_open
            && (are_lists && (a.0 > 1 && b.0 > 1 || a.0 == b.0) || is_named(secrets) && a.0 == b.1)
    }

    /// Returns true for a value without a name on the line beside that of the ID, no bracket between: decoded text can
    /// be within a line of another one.
    fn are_lines(&self, id: &Candidate, secret: &Candidate) -> bool {
        let form = |one: &Candidate| self.found.tree.containers[one.container].form;
        [id, secret]
            .iter()
            .all(|one| matches!(form(one), Form::Root | Form::Indent))
            && secret.label.name.is_empty()
            && id.line.abs_diff(secret.line) <= 1
    }

    /// Counts the statements that end in a container near an ID: further away the text may be cut.
    fn size(&self, container: usize, id: &Candidate) -> usize {
        let ends = &self.found.tree.containers[container].ends;
        let is_before = |(end, line): &(usize, usize)| {
            end + MOST_BYTES < id.span.start || line + MOST_LINES_NAMED < id.line
        };
        let is_near = |(end, line): &(usize, usize)| {
            *end <= id.span.end + MOST_BYTES && *line <= id.line + MOST_LINES_NAMED
        };
        let (from, to) = (
            ends.partition_point(is_before),
            ends.partition_point(is_near),
        );
        to.saturating_sub(from)
    }

    /// Counts the values of a container near an ID, and those of them that pass the strict filters.
    fn values(&self, container: usize, id: &Candidate) -> (usize, usize) {
        let is_near = |one: &&Candidate| {
            one.span.start.abs_diff(id.span.start) <= MOST_BYTES
                && one.line.abs_diff(id.line) <= MOST_LINES_NAMED
        };
        let list = self.held.get(container).map_or(&[][..], Vec::as_slice);
        let one = |number: &usize| &self.found.list[*number];
        let middle = list.partition_point(|number| one(number).span.start < id.span.start);
        let near = middle.saturating_sub(MOST_EMPTY)..(middle + MOST_EMPTY).min(list.len());
        let near = list[near].iter().map(one).filter(is_near);
        near.fold((0, 0), |(all, good), one| {
            (all + 1, good + usize::from(one.doubt.is_none()))
        })
    }

    /// Returns the places near one in a container that have no value.
    fn empty(&self, container: usize, near: &Candidate) -> impl Iterator<Item = &Candidate> {
        let list = self.empty.get(container).map_or(&[][..], Vec::as_slice);
        let one = |number: &usize| &self.found.list[*number];
        let middle = list.partition_point(|number| one(number).span.start < near.span.start);
        let from = middle.saturating_sub(MOST_EMPTY);
        let line = near.line;
        list[from..(middle + MOST_EMPTY).min(list.len())]
            .iter()
            .map(one)
            .filter(move |one| one.line.abs_diff(line) <= MOST_LINES_BARE)
    }

    /// Returns true if the place of the ID's own secret is there and holds something else, under another name than that
    /// of the secret.
    fn has_own_slot(&self, id: &Candidate, secret: &Candidate) -> bool {
        // `default: …` below the name, `"name=", "…"`: the place is that of the secret.
        let is_open = !secret.label.is_key || secret.label.name.is_structure();
        self.empty(id.container, id).any(|slot| {
            let (name, label) = (&slot.label.name, &id.label);
            let is_own = slot.label.stem == label.stem || name.is_other_half_of(&label.name);
            slot.kind == Kind::Slot
                && !slot.is_comment
                && is_own
                && *name != secret.label.name
                && !(slot.span.end <= secret.span.start && is_open)
        })
    }

    /// Returns true if another login uses the secret.
    fn has_own_login(&self, id: &Candidate, secret: &Candidate) -> bool {
        let is_apart =
            id.container != secret.container && !self.is_in(id.container, secret.container);
        let is_shared = |other: &Candidate| {
            self.empty(id.container, id)
                .any(|own| own.kind == other.kind && own.label.name == other.label.name)
        };
        let mut others = self
            .empty(secret.container, secret)
            .filter(|other| other.kind == Kind::OtherId);
        secret.label.has_login || is_apart && others.any(|other| !is_shared(other))
    }

    /// Returns true if the two are all that their container holds, and the name of the secret adds at most one word to
    /// that of the ID: `accessKeyId`, `signing_key`. What it says else is then not known better.
    fn are_all(&self, id: &Candidate, secret: &Candidate) -> bool {
        let (ids, own) = (&id.label.name, &secret.label.name);
        id.container == secret.container
            && self.size(id.container, id) == 2
            && secret.label.is_plain
            && secret.label.vendor.is_none()
            && !own.is_of_other()
            && (own.is_login() || !ids.is_login())
            && adds_little(&id.label.stem, &secret.label.stem)
            && id.label.path == secret.label.path
    }

    /// Returns true for two of one container if that holds nothing else, or if they are on one line of a text.
    fn are_two(&self, id: &Candidate, lines: usize) -> bool {
        let form = self.found.tree.containers[id.container].form;
        let is_line = lines == 0 && !matches!(form, Form::Bracket | Form::Element);
        let is_open = id.label.role != Role::KeyId || id.label.name.stem().next().is_none();
        is_line || is_open && self.size(id.container, id) == 2
    }

    fn is_in(&self, container: usize, outer: usize) -> bool {
        self.found.tree.around(container).any(|at| at == outer)
    }

    /// Returns true if the secret is in the container of a vendor and the ID is not.
    fn is_of_other_vendor(&self, id: &Candidate, secret: &Candidate) -> bool {
        let is_telling = secret.label.role == Role::AwsSecret && secret.label.name.is_aws();
        let is_outside = |owner: usize| !self.is_in(id.container, owner);
        !is_telling && secret.label.vendor.is_some_and(is_outside)
    }

    fn relation(&self, id: &Candidate, secret: &Candidate) -> Option<Relation> {
        let containers = &self.found.tree.containers;
        let (mut a, mut b) = (id.container, secret.container);
        let (mut place_a, mut place_b) = (id.index, secret.index);
        let (mut up, mut down) = (0, 0);
        let mut parted = (a, b);
        let mut same_place = true;
        // Places are compared from the inside; where one is deeper, they are not.
        while a != b {
            let (own_a, own_b) = (containers.get(a)?, containers.get(b)?);
            if own_a.depth == own_b.depth {
                same_place &= place_a == place_b;
            } else {
                same_place = false;
            }
            if own_a.depth >= own_b.depth {
                if own_a.form != Form::Row {
                    parted.0 = a;
                }
                place_a = own_a.index;
                a = own_a.parent;
                up += 1;
            }
            if own_b.depth >= own_a.depth {
                if own_b.form != Form::Row {
                    parted.1 = b;
                }
                place_b = own_b.index;
                b = own_b.parent;
                down += 1;
            }
        }
        Some(Relation {
            up,
            down,
            between: place_a.abs_diff(place_b),
            same_place,
            parted,
        })
    }

    /// Returns true unless the ways part at two sections that are of different things.
    fn sections_agree(&self, parted: (usize, usize), stems: Stems) -> bool {
        let is_section = |at: usize| {
            let container = &self.found.tree.containers[at];
            container.form == Form::Section && !container.words.is_empty()
        };
        match (is_section(parted.0), is_section(parted.1)) {
            _ if parted.0 == parted.1 => true,
            (true, true) => stems.cost == 0 && stems.is_shared,
            (false, false) => true,
            // Above all sections: what stands there counts for none of them.
            _ => false,
        }
    }

    /// Returns true if two lists are as long, and all but a few of the second are secrets.
    fn is_vouched(&self, ids: usize, secrets: usize) -> bool {
        let containers = &self.found.tree.containers;
        let (ids, list) = (&containers[ids], &containers[secrets]);
        let (good, bad) = self.bare[secrets];
        let count = good + bad;
        is_list(list.form)
            && ids.count == list.count
            && count > 1
            && good > 0
            && bad <= count.div_ceil(VALUES_PER_DOUBT)
    }
}

/// Returns true for values of two rows of a table that names its columns: each row is of its own.
fn are_of_two_rows(id: &Candidate, secret: &Candidate) -> bool {
    let differ = |columns: (Span, Span)| columns.0 != columns.1;
    id.line != secret.line && id.column.zip(secret.column).is_some_and(differ)
}

/// Returns true if the words of a stem are in another that has one more at most.
fn adds_little(ids: &str, own: &str) -> bool {
    let (ids, own) = (ids.split_ascii_whitespace(), own.split_ascii_whitespace());
    let is_in = |word| own.clone().any(|other| other == word);
    ids.clone().all(is_in) && own.clone().count() <= ids.count() + 1
}

/// Agreement of two names in their rests.
#[derive(Clone, Copy)]
struct Stems {
    cost: usize,
    /// Both have one, and it is the same.
    is_shared: bool,
    /// All words of the secret's are in the ID's.
    is_within: bool,
    /// Those of the secret's that the ID's has not are things that keys of AWS open, or stages.
    is_store: bool,
}

impl Stems {
    fn of(id: &Label, secret: &Label, common: (usize, usize)) -> Self {
        let (a, b) = (id.stem.as_str(), secret.stem.as_str());
        // What tells one from the next in lists: names further in than those of the two lists.
        let own = (
            a.get(common.0..).unwrap_or_default(),
            b.get(common.1..).unwrap_or_default(),
        );
        let is_in_ids = |word: &&str| a.split(' ').any(|other| other == *word);
        let is_within = b.split(' ').all(|word| is_in_ids(&word));
        const STORES: u32 = words::STORE | words::AWS | words::NEUTRAL;
        let is_of_aws = |word: &str| words::flags(word) & STORES != 0 || word.starts_with("aws");
        let mut more = b.split(' ').filter(|word| !is_in_ids(word));
        let is_store = more.all(is_of_aws)
            && a.split(' ')
                .all(|word| b.split(' ').any(|other| other == word));
        let cost = match () {
            () if a == b => 0,
            () if is_within || a.is_empty() => 32,
            () => 44,
        };
        Self {
            cost,
            is_shared: !own.0.is_empty() && own.0 == own.1,
            is_within,
            is_store,
        }
    }
}

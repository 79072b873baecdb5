//! Credentials of several people as a tree, in all the arrangements in which people keep them.

use crate::support::Keys;

/// A key ID and its secret.
#[derive(Clone, Debug)]
pub struct Pair {
    pub id: String,
    pub secret: String,
}

/// A value, a list or a map that keeps its order.
#[derive(Clone, Debug)]
pub enum Tree {
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

/// The names of the two halves.
#[derive(Clone, Copy, Debug)]
pub struct Naming {
    pub id: &'static str,
    pub secret: &'static str,
}

const fn naming(id: &'static str, secret: &'static str) -> Naming {
    Naming { id, secret }
}

/// The namings of the matrix.
pub const NAMINGS: [Naming; 7] = [
    naming("id", "secret"),
    naming("access_key", "secret_key"),
    naming("access_key_id", "secret_access_key"),
    naming("key", "value"),
    naming("user", "password"),
    naming("login", "pwd"),
    naming("id", "hidden"),
];

/// More namings, for the laws.
pub const MORE_NAMINGS: [Naming; 6] = [
    naming("AccessKeyId", "SecretAccessKey"),
    naming("accessKey", "secretKey"),
    naming("aws_key", "aws_secret"),
    naming("s3_access_key", "s3_secret_key"),
    naming("ak", "sk"),
    naming("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
];

const PEOPLE: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

/// Builds a tree from pairs under a naming.
pub type Model = fn(&[Pair], Naming) -> Tree;

/// The arrangements of the matrix.
pub const MODELS: [(&str, Model); 10] = [
    ("list of objects", list_of_objects),
    ("list of objects, secret first", |pairs, naming| {
        list_of_objects(pairs, naming).reversed()
    }),
    ("map of objects", map_of_objects),
    ("map of objects, secret first", |pairs, naming| {
        map_of_objects(pairs, naming).reversed()
    }),
    ("two maps", |pairs, naming| two_maps(pairs, naming, false)),
    ("two maps, the second in another order", |pairs, naming| {
        two_maps(pairs, naming, true)
    }),
    ("two lists", two_lists),
    ("flat, prefixed", |pairs, naming| flat(pairs, naming, false)),
    ("flat, prefixed, secret first", |pairs, naming| {
        flat(pairs, naming, true)
    }),
    ("flat, grouped, in another order", flat_grouped),
];

/// One more arrangement: a section for each person.
pub fn sections(pairs: &[Pair], naming: Naming) -> Tree {
    let people = PEOPLE.iter().map(|person| (*person).to_owned());
    Tree::Map(people.zip(objects(pairs, naming)).collect())
}

/// `count` random pairs.
pub fn pairs(count: usize, keys: &mut Keys) -> Vec<Pair> {
    let mut pair = || Pair {
        id: keys.id(),
        secret: keys.secret(),
    };
    (0..count).map(|_| pair()).collect()
}

fn text(value: &str) -> Tree {
    Tree::Text(value.to_owned())
}

fn objects(pairs: &[Pair], naming: Naming) -> Vec<Tree> {
    let object = |pair: &Pair| {
        Tree::Map(vec![
            (naming.id.to_owned(), text(&pair.id)),
            (naming.secret.to_owned(), text(&pair.secret)),
        ])
    };
    pairs.iter().map(object).collect()
}

fn list_of_objects(pairs: &[Pair], naming: Naming) -> Tree {
    let list = Tree::List(objects(pairs, naming));
    Tree::Map(vec![("accounts".to_owned(), list)])
}

fn map_of_objects(pairs: &[Pair], naming: Naming) -> Tree {
    Tree::Map(vec![("accounts".to_owned(), sections(pairs, naming))])
}

fn two_maps(pairs: &[Pair], naming: Naming, is_rotated: bool) -> Tree {
    let entry = |(person, value): (&&str, &String)| ((*person).to_owned(), text(value));
    let ids = PEOPLE.iter().zip(pairs.iter().map(|pair| &pair.id));
    let secrets = PEOPLE.iter().zip(pairs.iter().map(|pair| &pair.secret));
    let mut secrets: Vec<_> = secrets.map(entry).collect();
    if is_rotated {
        secrets.rotate_left(1);
    }
    Tree::Map(vec![
        (
            format!("{}s", naming.id),
            Tree::Map(ids.map(entry).collect()),
        ),
        (format!("{}s", naming.secret), Tree::Map(secrets)),
    ])
}

fn two_lists(pairs: &[Pair], naming: Naming) -> Tree {
    let list = |half: fn(&Pair) -> &String| {
        Tree::List(pairs.iter().map(|pair| text(half(pair))).collect())
    };
    Tree::Map(vec![
        (format!("{}s", naming.id), list(|pair| &pair.id)),
        (format!("{}s", naming.secret), list(|pair| &pair.secret)),
    ])
}

fn flat(pairs: &[Pair], naming: Naming, is_secret_first: bool) -> Tree {
    let mut entries = Vec::new();
    for (person, pair) in PEOPLE.iter().zip(pairs) {
        let mut two = [
            (format!("{person}_{}", naming.id), text(&pair.id)),
            (format!("{person}_{}", naming.secret), text(&pair.secret)),
        ];
        if is_secret_first {
            two.reverse();
        }
        entries.extend(two);
    }
    Tree::Map(entries)
}

fn flat_grouped(pairs: &[Pair], naming: Naming) -> Tree {
    let Tree::Map(entries) = flat(pairs, naming, false) else {
        unreachable!("a map");
    };
    let (ids, mut secrets): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .partition(|(name, _)| name.ends_with(naming.id) && !name.ends_with(naming.secret));
    secrets.rotate_left(1);
    Tree::Map(ids.into_iter().chain(secrets).collect())
}

impl Tree {
    /// With the entries of the innermost maps in reverse.
    fn reversed(self) -> Self {
        self.change(&mut |entries| {
            if entries
                .iter()
                .all(|(_, value)| matches!(value, Tree::Text(_)))
            {
                entries.reverse();
            }
        })
    }

    /// With the entries of every map in a random order.
    pub fn shuffled(self, keys: &mut Keys) -> Self {
        self.change(&mut |entries| {
            for at in (1..entries.len()).rev() {
                entries.swap(at, keys.below(at + 1));
            }
        })
    }

    /// With more settings in the maps that hold halves under a naming, at random places.
    pub fn with_settings(self, naming: Naming, keys: &mut Keys) -> Self {
        const SETTINGS: [(&str, &str); 6] = [
            ("region", "eu-west-1"),
            ("bucket", "photos"),
            ("active", "true"),
            ("created", "2026-01-02"),
            ("comment", "rotate in spring"),
            ("endpoint", "https://s3.example.org"),
        ];
        self.change(&mut |entries| {
            let holds_halves = entries
                .iter()
                .any(|(name, value)| matches!(value, Tree::Text(_)) && name.ends_with(naming.id));
            if !holds_halves {
                return;
            }
            for (name, value) in SETTINGS {
                if keys.below(2) == 0 {
                    let at = keys.below(entries.len() + 1);
                    entries.insert(at, (name.to_owned(), text(value)));
                }
            }
        })
    }

    /// With every name replaced.
    pub fn renamed(self, rename: &impl Fn(&str) -> String) -> Self {
        self.change(&mut |entries| {
            for (name, _) in entries {
                *name = rename(name);
            }
        })
    }

    /// Applies a change to every map, the innermost first.
    fn change(self, change: &mut impl FnMut(&mut Vec<(String, Self)>)) -> Self {
        match self {
            Self::Text(_) => self,
            Self::List(items) => {
                Self::List(items.into_iter().map(|item| item.change(change)).collect())
            }
            Self::Map(entries) => {
                let mut entries: Vec<(String, Self)> = entries
                    .into_iter()
                    .map(|(name, value)| (name, value.change(change)))
                    .collect();
                change(&mut entries);
                Self::Map(entries)
            }
        }
    }
}

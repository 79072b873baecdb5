//! A list of key ids beside a list of secrets: joined by their places, also where only its place tells a
//! secret from a class name.

use keysieve::engine::Scratch;

use super::{SEED, engine, found};
use crate::support::Keys;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A line of prose.
const LONG: &str =
    "the hosts below were moved to the other floor and get their names from the table of the desk";

type Pair = (String, Option<String>);

/// Each id in a text with the secret that was joined with it, sorted; `None` for an id alone.
fn joined(text: &str) -> Vec<Pair> {
    let (engine, mut scratch) = (engine(), Scratch::default());
    let matches = engine.scan(text.as_bytes(), &mut scratch);
    let mut pairs: Vec<Pair> = found(&engine, matches)
        .into_iter()
        .filter_map(|row| {
            let [id, secret, _] = row.parts;
            Some((id?.0, secret.map(|secret| secret.0)))
        })
        .collect();
    pairs.sort();
    pairs
}

/// The values as a list, in one of several notations.
fn list(values: &[String], notation: usize) -> String {
    let joined = |between: &str| values.join(between);
    match notation {
        0 => format!("[\"{}\"]\n", joined("\", \"")),
        1 => format!("[\n  \"{}\",\n]\n", joined("\",\n  \"")),
        2 => format!("[b'{}']\n", joined("', b'")),
        3 => format!("\n  - {}\n", joined("\n  - ")),
        _ => format!("[\n+  \"{}\",\n+]\n", joined("\",\n+  \"")),
    }
}

/// Letters only, as 5 of 10,000 secrets are: without a name beside it that is taken for a class name.
fn letters(keys: &mut Keys) -> String {
    loop {
        let value = keys.text(LETTERS, 40);
        let is_upper = |byte: u8| byte.is_ascii_uppercase();
        let changes = value
            .as_bytes()
            .windows(2)
            .filter(|two| is_upper(two[0]) != is_upper(two[1]));
        if changes.count() >= 14 && value.bytes().filter(|byte| is_upper(*byte)).count() >= 14 {
            return value;
        }
    }
}

fn made(count: usize, mut one: impl FnMut() -> String) -> Vec<String> {
    (0..count).map(|_| one()).collect()
}

fn in_order(ids: &[String], secrets: &[String]) -> Vec<Pair> {
    let secrets = secrets.iter().cloned().map(Some);
    let mut pairs: Vec<_> = ids.iter().cloned().zip(secrets).collect();
    pairs.sort();
    pairs
}

#[test]
fn places_join_however_long_the_lists() {
    let keys = &mut Keys::new(SEED + 29);
    for length in [2, 3, 5, 11, 12, 13, 15, 40] {
        let ids = made(length, || keys.id());
        let secrets = made(length, || keys.secret());
        for notation in 0..5 {
            let (a, b) = (list(&ids, notation), list(&secrets, notation));
            for text in [format!("keys: {a}data: {b}"), format!("data: {b}keys: {a}")] {
                assert_eq!(joined(&text), in_order(&ids, &secrets), "{text}");
            }
        }
    }
}

#[test]
fn a_list_belongs_to_the_nearer_one() {
    let keys = &mut Keys::new(SEED + 33);
    let denied = made(2, || keys.id());
    let (ids, secrets) = (made(2, || keys.id()), made(2, || keys.secret()));
    let text = format!(
        "old: {}{}data: {}keys: {}",
        list(&denied, 0),
        "\n".repeat(60),
        list(&secrets, 0),
        list(&ids, 0)
    );
    let mut expected = in_order(&ids, &secrets);
    expected.extend(denied.iter().map(|id| (id.clone(), None)));
    expected.sort();
    assert_eq!(joined(&text), expected);
}

#[test]
fn what_comments_above_say_is_no_name() {
    let keys = &mut Keys::new(SEED + 35);
    for (lines, comment) in [
        (1, "nothing"),
        (15, "nothing"),
        (16, "nothing"),
        (40, "nothing"),
    ]
    .into_iter()
    .chain([(6, LONG), (12, LONG), (40, LONG)])
    {
        for mark in ["#", "//", "--", ";"] {
            let (ids, secrets) = (made(2, || keys.id()), made(2, || keys.secret()));
            let comments = format!("{mark} {comment}\n").repeat(lines);
            let text = format!(
                "old: [\"x\"]\n{comments}data: {}keys: {}",
                list(&secrets, 0),
                list(&ids, 0)
            );
            assert_eq!(joined(&text), in_order(&ids, &secrets), "{text}");
        }
    }
}

#[test]
fn names_that_differ_in_their_half_alone_join_two_lists() {
    let keys = &mut Keys::new(SEED + 40);
    for prefix in ["", "backup_", "x_", "alice_"] {
        let (ids, secrets) = (made(3, || keys.id()), made(3, || keys.secret()));
        let text = format!("{prefix}keys = {ids:?}\n{prefix}values = {secrets:?}\n");
        assert_eq!(joined(&text), in_order(&ids, &secrets), "{text}");
    }
}

#[test]
fn the_name_of_a_list_owns_all_of_it() {
    let keys = &mut Keys::new(SEED + 36);
    for text in [
        "NAME = ['T', 'T', 'T']\nkeys: ['I', 'I', 'I']\n",
        "NAME = [\n  `T`, `T`,\n  `T`, `T`,\n]\nkeys: ['I', 'I', 'I', 'I']\n",
        "NAME:\n  - T\n  - T\nkeys:\n  - I\n  - I\n",
        "NAME:\n- T\n- T\nkeys:\n- I\n- I\n",
        "- NAME:\n  - T\n  - T\n- keys:\n  - I\n  - I\n",
        "+NAME:\n+  - T\n+  - T\n+keys:\n+  - I\n+  - I\n",
        "-NAME: [\n-  'T',\n-  'T',\n-]\n-keys: ['I', 'I']\n",
        "NAME = [\n   'T',\n+  'T',\n   'T',\n ]\nkeys: ['I', 'I']\n",
        "NAME:\n* T\n* T\nkeys:\n* I\n* I\n",
        "NAME=T,T,T\nkeys=I\n",
        "NAME=\"T T\"\nkeys=I\n",
        "NAME: T -> T\nkeys: I\n",
        "NAME=\"T,T,T\"\nkeys=I\n",
        "ENV NAME=T;T\nENV keys=I\n",
        "NAME: T, T\nkeys: I\n",
    ] {
        for name in ["okta_tokens", "acme_licences"] {
            for end in ["\n", "\r\n"] {
                for _ in 0..8 {
                    let ids = made(text.matches('I').count(), || keys.id());
                    let mut next = ids.iter();
                    let mut filled = String::new();
                    for letter in text.replace("NAME", "<>").replace("ENV", "{}").chars() {
                        match letter {
                            'I' => filled.push_str(next.next().expect("an id")),
                            'T' => filled.push_str(&keys.secret()),
                            letter => filled.push(letter),
                        }
                    }
                    let filled = filled
                        .replace("<>", name)
                        .replace("{}", "ENV")
                        .replace('\n', end);
                    let mut expected: Vec<Pair> = ids.iter().map(|id| (id.clone(), None)).collect();
                    expected.sort();
                    assert_eq!(joined(&filled), expected, "{filled}");
                }
            }
        }
    }
}

#[test]
fn the_name_of_one_value_is_none_of_the_next() {
    for (seed, text) in [
        "name,okta_token,password,login\nbob,<T1>,<S1>,<I1>\namy,<T2>,<S2>,<I2>\n",
        "| key | id | github token |\n|---|---|---|\n| <S1> | <I1> | <T1> |\n| <S2> | <I2> | <T2> |\n",
        "* GitHub token: <T1>\n* <S1>\n* <I1>\n",
        "db_password=\"<T1>\"\n# <S1>\n# <I1>\n",
        "okta = '<T1>'\n\n'<S1>'\n'<I1>'\n",
        "/*\n * Okta token:\n * <T1>\n * <S1>\n * <I1>\n */\n",
        "- okta token:\n- <T1>\n- <S1>\n- <I1>\n",
        "prod_id: <I1>\ndev_id: <I2>\nprod_secret_keys:\n  - <S1>\n  - <T1>\ndev_secret_keys:\n  - <S2>\n",
        "# Okta token\n<T1>\n# AWS key id\n<I1>\n# AWS secret access key\n<S1>\n",
        "const keyId1 = '<I1>'; const secret1 = '<S1>';\n",
        "export ID=<I1>\nexport SECRET_PROD=<S1>\nexport ACME_LICENCE=<T1>\n",
        "# rotated 2024-01-15\n<S1>\n<I1>\n",
        "# prod\n<I1>,<S1>\n",
        "github: <T1>\n---\n- <S1>\n- <I1>\n",
        "api_token: <T1>\n\n* * *\n\n* <S1>\n* <I1>\n",
        "init(token: \"<T1>\", \"<S1>\", \"<I1>\")\n",
        "etag: \"<T1>\"\n\"<S1>\"\n\"<I1>\"\n",
        "DEV_SECRET_KEY=<S1>\n# <S2>\n# <I2>\nDEV_ACCESS_KEY=<I1>\n",
        "prod_secret_key: <S1>\n- <S2>\n- <I2>\nprod_access_key: <I1>\n",
        "okta_tokens: [\"<T1>\", \"<T2>\"]\nlogins: [[\"<I1>\", \"<S1>\"], [\"<I2>\", \"<S2>\"]]\n",
    ]
    .into_iter()
    .enumerate()
    {
        let keys = &mut Keys::new(SEED + 37 + seed as u64);
        let (ids, secrets) = (made(2, || keys.id()), made(2, || keys.secret()));
        let mut filled = text.to_owned();
        for number in 0..2 {
            let mark = |letter: char| format!("<{letter}{}>", number + 1);
            filled = filled
                .replace(&mark('I'), &ids[number])
                .replace(&mark('S'), &secrets[number])
                .replace(&mark('T'), &keys.secret());
        }
        let count = 1 + usize::from(text.contains("<I2>"));
        assert_eq!(
            joined(&filled),
            in_order(&ids[..count], &secrets[..count]),
            "{filled}"
        );
    }
}

#[test]
fn rows_of_pairs_are_no_lists() {
    let keys = &mut Keys::new(SEED + 34);
    let (i, s) = (made(3, || keys.id()), made(3, || keys.secret()));
    let text = format!("{},{}\n{},{}\n{},{}\n", i[0], s[0], s[1], i[1], i[2], s[2]);
    assert_eq!(joined(&text), in_order(&i, &s));
}

#[test]
fn a_secret_that_only_its_place_tells_keeps_its_place() {
    let keys = &mut Keys::new(SEED + 30);
    for length in [2, 3, 4, 5, 20] {
        for odd in 0..length {
            let ids = made(length, || keys.id());
            let mut secrets = made(length, || keys.secret());
            secrets[odd] = letters(keys);
            for notation in 0..5 {
                let (a, b) = (list(&ids, notation), list(&secrets, notation));
                let text = format!("keys: {a}data: {b}");
                assert_eq!(joined(&text), in_order(&ids, &secrets), "{text}");
            }
        }
    }
}

#[test]
fn its_own_letters_are_no_name_of_the_next() {
    let keys = &mut Keys::new(SEED + 32);
    let ids = made(3, || keys.id());
    let mut secrets = made(3, || keys.secret());
    // As words this begins with one that belongs to a database.
    secrets[1] = ["Db", &letters(keys)[2..]].concat();
    let text = format!("keys: {}data: {}", list(&ids, 0), list(&secrets, 0));
    assert_eq!(joined(&text), in_order(&ids, &secrets));
}

#[test]
fn a_list_vouches_for_no_names_and_paths() {
    let keys = &mut Keys::new(SEED + 31);
    let ids = made(3, || keys.id());
    let alone = |id: &String| (id.clone(), None);
    // Of another length.
    let secret = keys.secret();
    let values = [secret.clone(), letters(keys)];
    let text = format!("keys: {}data: {}", list(&ids[..1], 0), list(&values, 0));
    assert_eq!(joined(&text), [(ids[0].clone(), Some(secret.clone()))]);
    // No secret in it.
    let values = made(3, || letters(keys));
    let text = format!("keys: {}data: {}", list(&ids, 0), list(&values, 0));
    let mut expected: Vec<Pair> = ids.iter().map(alone).collect();
    expected.sort();
    assert_eq!(joined(&text), expected);
    // Most of it is none.
    let values = [letters(keys), secret.clone(), letters(keys)];
    let text = format!("keys: {}data: {}", list(&ids, 0), list(&values, 0));
    let pairs = joined(&text);
    let secrets: Vec<_> = pairs
        .iter()
        .filter_map(|(_, secret)| secret.as_ref())
        .collect();
    assert_eq!(secrets, [&secret]);
    // Lines of notes are no list.
    let path = ["src/Main/Java/Org/Shop/", "Cart/ItemListView"].concat();
    let text = format!("{}\n{}\n{secret}\n{path}\n", ids[0], ids[1]);
    let mut expected = vec![(ids[0].clone(), None), (ids[1].clone(), Some(secret))];
    expected.sort();
    assert_eq!(joined(&text), expected);
}

#[test]
fn objects_on_one_line_keep_their_own_secret_whichever_key_comes_first() {
    let mut keys = Keys::new(SEED);
    for count in 1..=5 {
        for is_secret_first in [false, true] {
            let mut pairs: Vec<Pair> = made_pairs(count, &mut keys);
            let objects: Vec<String> = pairs
                .iter()
                .map(|(id, secret)| {
                    let secret = secret.as_deref().unwrap_or_default();
                    let id = format!("\"AccessKeyId\": \"{id}\"");
                    let secret = format!("\"SecretAccessKey\": \"{secret}\"");
                    if is_secret_first {
                        format!("{{{secret}, {id}}}")
                    } else {
                        format!("{{{id}, {secret}}}")
                    }
                })
                .collect();
            let text = format!("[{}]\n", objects.join(", "));
            pairs.sort();
            assert_eq!(joined(&text), pairs, "{text}");
        }
    }
}

fn made_pairs(count: usize, keys: &mut Keys) -> Vec<Pair> {
    (0..count)
        .map(|_| (keys.id(), Some(keys.secret())))
        .collect()
}

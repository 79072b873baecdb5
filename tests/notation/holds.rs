//! Names, types, words and invented values that decide, point by point.

use std::collections::BTreeSet;

use super::tree::{Pair, pairs};
use super::{Finding, Joiner, check, errors, joined};
use crate::support::Keys;

/// The secret is an error by itself.
fn secret_alone(pair: &Pair) -> BTreeSet<Finding> {
    [("error".to_owned(), None, Some(pair.secret.clone()))].into()
}

#[test]
fn a_secret_beside_an_id_that_is_nobodys_is_an_error() {
    const MASKED: [&str; 7] = [
        "<hidden>",
        "XXXXXXXXXXXXXXXXXXXX",
        "AKIA|XXXXXXXXXXXXXXXX",
        "AKIA|IOSFODNN7EXAMPLE",
        "AKIA|ABCDEFGHIJKLMNOP",
        "AKIA|DEADBEEFDEADBEEF",
        "AKIA|234567ABCDEFGHIJ",
    ];
    const TEXTS: [&str; 4] = [
        "AWS_ACCESS_KEY_ID=<M>\nAWS_SECRET_ACCESS_KEY=<S>\n",
        "{\"aws_access_key_id\": \"<M>\", \"aws_secret_access_key\": \"<S>\"}\n",
        "[default]\naws_secret_access_key = <S>\naws_access_key_id = <M>\n",
        "aws:\n  access_key_id: <M>\n  secret_access_key: <S>\n",
    ];
    let (mut joiner, mut faults) = (Joiner::new(), Vec::new());
    for masked in MASKED {
        for text in TEXTS {
            let secret = Keys::new(1).secret();
            let text = text.replace("<M>", &masked.replace('|', ""));
            let text = text.replace("<S>", &secret);
            let found = joiner.findings(text.as_bytes());
            let is_error = |one: &Finding| one.0 == "error" && one.2.as_ref() == Some(&secret);
            if !found.iter().any(is_error) {
                faults.push(format!("{text}\n  found {found:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// One word, or next to none, between an ID and its secret.
pub const SENTENCES: [&str; 9] = [
    "your keys are <I> and <S>",
    "key <I> with <S>",
    "nimm <I> und <S> dafür",
    "first <I> then <S>",
    "use <I> plus <S> for the bucket",
    "the keys: <I> & <S>",
    "Login with <I>, then enter <S> when asked.",
    "creds for bob -> <I> / <S>",
    "la clé est <I> et <S>",
];

#[test]
fn one_word_between_id_and_secret_keeps_them_together() {
    check(&SENTENCES, joined);
}

/// Types, wrappers, validators, defaults and conditions around a secret.
const WRAPPED: [&str; 14] = [
    "aws_secret_access_key: SecretStr = \"<S>\"\n",
    "aws_secret_access_key: Optional[SecretStr] = SecretStr(\"<S>\")\n",
    "aws_secret_access_key: Annotated[str, Field(min_length=40)] = \"<S>\"\n",
    "private secretAccessKey: string | undefined = \"<S>\";\n",
    "let aws_secret_access_key = SecretString::new(\"<S>\");\n",
    "private static final SecretString AWS_SECRET_KEY = SecretString.of(\"<S>\");\n",
    "$AwsSecretKey = ConvertTo-SecureString \"<S>\" -AsPlainText -Force\n",
    "AWS_SECRET_ACCESS_KEY: z.string().min(40).default(\"<S>\"),\n",
    "AWS_SECRET_ACCESS_KEY: str({ default: '<S>' }),\n",
    "awsSecretAccessKey: {doc: 'The other half', format: String, default: \"<S>\"},\n",
    "aws_secret_key:\n  type: str\n  no_log: true\n  default: <S>\n",
    "aws_secret_key: \"{{ lookup('env', 'AWS_SECRET') | default('<S>') }}\"\n",
    "aws_secret_key: {{ .Values.secret | default \"<S>\" | quote }}\n",
    "aws_secret_key = var.prod ? \"<S>\" : \"\"\n",
];

#[test]
fn a_secret_in_a_type_a_wrapper_or_a_default_is_found_without_an_id() {
    check(&WRAPPED, secret_alone);
}

#[test]
fn a_secret_in_a_type_a_wrapper_or_a_default_is_joined_with_its_id() {
    let texts = WRAPPED.map(|text| format!("aws_access_key_id = \"<I>\"\n{text}"));
    check(&texts, joined);
}

#[test]
fn both_sides_of_a_condition_are_joined_in_their_order() {
    let mut joiner = Joiner::new();
    for text in [
        "access_key = prod ? \"<I>\" : \"<J>\"\nsecret_key = prod ? \"<S>\" : \"<T>\"\n",
        "const key = prod ? '<I>' : '<J>';\nconst secret = prod ? '<S>' : '<T>';\n",
        "key = '<I>' if prod else '<J>'\nsecret = '<S>' if prod else '<T>'\n",
    ] {
        let pairs = pairs(2, &mut Keys::new(5));
        let text = text
            .replace("<I>", &pairs[0].id)
            .replace("<S>", &pairs[0].secret);
        let text = text
            .replace("<J>", &pairs[1].id)
            .replace("<T>", &pairs[1].secret);
        assert_eq!(joiner.findings(text.as_bytes()), errors(&pairs), "{text}");
    }
}

#[test]
fn more_names_beside_an_id_are_those_of_its_secret() {
    const NAMES: [&str; 8] = [
        "bucket_secret",
        "secret_value",
        "secretString",
        "passphrase",
        "fileStoreSecret",
        "secKey",
        "BUCKET_SECRET",
        "storage_secret",
    ];
    const TEXTS: [&str; 6] = [
        "access_key_id: <I>\n<name>: <S>\n",
        "{\n  \"accessKeyId\": \"<I>\",\n  \"<name>\": \"<S>\"\n}\n",
        "AWS_ACCESS_KEY_ID = \"<I>\"\n<name> = \"<S>\"\n",
        "AWS_ID=<I>\n<name>=<S>\n",
        "<x><accessKey><I></accessKey><<name>><S></<name>></x>\n",
        "s3({ accessKeyId: '<I>', <name>: '<S>' })\n",
    ];
    let texts: Vec<String> = NAMES
        .iter()
        .flat_map(|name| TEXTS.map(|text| text.replace("<name>", name)))
        .collect();
    check(&texts, joined);
}

/// Made by people, not drawn.
const PATTERNED: [&str; 4] = [
    "A1b2C3d4E5f6G7h8I9j0|K1l2M3n4O5p6Q7r8S9t0",
    "aBcDeFgHiJkLmNoPqRsT|uVwXyZ0123456789AbCd",
    "AbCdEfGhIjKlMnOpQrSt|UvWxYz1234567890ABCD",
    "aB3dE5fG7hI9jK1lM3nO|5pQ7rS9tU1vW3xY5zA7b",
];

#[test]
fn invented_secrets_are_notes_alone_and_beside_an_id() {
    let mut joiner = Joiner::new();
    for value in PATTERNED.map(|value| value.replace('|', "")) {
        let id = Keys::new(2).id();
        for text in [
            format!("AWS_SECRET_ACCESS_KEY={value}\n"),
            format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={value}\n"),
        ] {
            let found = joiner.findings(text.as_bytes());
            let of_secret: Vec<_> = found.iter().filter(|one| one.2.is_some()).collect();
            assert!(
                of_secret.iter().all(|one| one.0 == "note"),
                "{text}{found:?}"
            );
            assert!(!found.iter().any(|one| one.0 == "error"), "{text}{found:?}");
        }
    }
}

#[test]
fn ids_that_spell_words_are_notes() {
    let mut joiner = Joiner::new();
    for body in [
        "TESTKEYTESTKEY22",
        "FAKEACCESSKEY234",
        "SAMPLEKEYSAMPLE2",
        "PLACEHOLDERKEY22",
        "QWERTYUIOPASDFGH",
        "ZYXWVUTSRQPONMLK",
        "PACIFICSOUTHEAST",
    ] {
        let text = format!("aws_access_key_id = {}{body}\n", "AKIA");
        let found = joiner.findings(text.as_bytes());
        let levels: Vec<&str> = found.iter().map(|one| one.0.as_str()).collect();
        assert_eq!(levels, ["note"], "{text}");
    }
}

#[test]
fn of_five_thousand_drawn_ids_alone_none_is_a_note() {
    let (mut joiner, mut keys) = (Joiner::new(), Keys::new(21));
    for _ in 0..5_000 {
        let text = format!("aws_access_key_id={}\n", keys.id());
        let found = joiner.findings(text.as_bytes());
        assert!(
            found.iter().all(|one| one.0 == "warning"),
            "{text}{found:?}"
        );
    }
}

#[test]
#[ignore = "a million secrets; run with --release --ignored"]
fn no_drawn_secret_and_no_drawn_id_is_taken_for_an_invented_one() {
    let (mut joiner, mut keys) = (Joiner::new(), Keys::new(20));
    let mut notes = 0;
    for _ in 0..1_000_000 {
        let (id, secret) = (keys.id(), keys.secret());
        let text = format!("aws_access_key_id={id}\naws_secret_access_key={secret}\n");
        let found = joiner.findings(text.as_bytes());
        notes += usize::from(!found.iter().any(|one| one.0 == "error"));
    }
    assert_eq!(notes, 0);
}

//! Texts that only look like a key, a secret or a pair: each with what may be reported of it, and nothing more.
//!
//! Values are made at run time; published ones are put together from pieces.

use std::sync::Arc;

use keysieve::engine::{Engine, Scratch};
use keysieve::rule::RuleSet;

use crate::support::{Keys, TestCommand};

const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const URL64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Number of times that each text is filled with fresh values.
const ROUNDS: usize = 20;

/// The levels of all that is found, sorted: `["warning"]` for a key id alone.
fn levels(engine: &Engine, scratch: &mut Scratch, text: &str) -> Vec<&'static str> {
    let mut levels: Vec<_> = engine
        .scan(text.as_bytes(), scratch)
        .iter()
        .map(|found| found.level.name())
        .collect();
    levels.sort_unstable();
    levels
}

/// Fills a text: `{ID}`, `{ALNUM:40}`, `{URL64:40}`, `{B64:40}`, `{HEX:40}`, `{UPHEX:40}`, `{B32:16}`.
fn fill(text: &str, keys: &mut Keys) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        made.push_str(&rest[..open]);
        rest = &rest[open..];
        let value = rest.find('}').and_then(|close| {
            let (name, length) = rest[1..close]
                .split_once(':')
                .unwrap_or((&rest[1..close], ""));
            let length = length.parse().unwrap_or(40);
            let value = match name {
                "ID" => keys.id(),
                "ALNUM" => keys.text(ALNUM, length),
                "URL64" => keys.text(URL64, length),
                "B64" if length == 40 => keys.secret(),
                "B64" => keys.text(BASE64, length),
                "B32" => keys.text(BASE32, length),
                "HEX" => keys.hex(length),
                "UPHEX" => keys.hex(length).to_uppercase(),
                _ => return None,
            };
            Some((value, close + 1))
        });
        match value {
            Some((value, end)) => {
                made.push_str(&value);
                rest = &rest[end..];
            }
            None => {
                made.push('{');
                rest = &rest[1..];
            }
        }
    }
    made + rest
}

/// Checks that texts give exactly these levels, each with fresh values several times.
#[track_caller]
fn check(seed: u64, expected: &[&str], texts: &[&str]) {
    let engine = Engine::new(Arc::new(RuleSet::builtin()));
    let (mut scratch, mut keys) = (Scratch::default(), Keys::new(seed));
    let mut wrong = Vec::new();
    for text in texts {
        for _ in 0..ROUNDS {
            let filled = fill(text, &mut keys);
            let found = levels(&engine, &mut scratch, &filled);
            if found != expected {
                wrong.push(format!("{found:?} in {filled}"));
                break;
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "seed {seed}: {} of {} are not {expected:?}:\n{}",
        wrong.len(),
        texts.len(),
        wrong.join("\n")
    );
}

#[test]
fn hashes_beside_a_key_id() {
    check(
        1,
        &["warning"],
        &[
            "aws_access_key_id = {ID}\ncommit = {HEX}\n",
            "aws_access_key_id = {ID}\n{HEX}\n",
            "{HEX} {ID}\n",
            "Session(\"{ID}\", \"{HEX}\")\n",
            "aws_access_key_id = {ID}\nthumbprint: {UPHEX}\n",
            "AKID={ID}\nSHA1 Fingerprint={UPHEX}\n",
            "aws_access_key_id = {ID}\nresolved \"https://registry.example.org/p/-/p-1.0.0.tgz#{HEX}\"\n",
            "aws_access_key_id = {ID}\naws_secret_access_key = {HEX}\n",
            "aws_access_key_id = {ID}\nwallet = 0x{HEX}\n",
            "aws_access_key_id = {ID}\nindex {HEX}..{HEX} 100644\n",
            "uses: actions/checkout@{HEX}\nwith:\n  id: {ID}\n",
            "aws_access_key_id = {ID}\nsonar.login={HEX}\nDD_APP_KEY={HEX}\n",
            "aws_access_key_id = {ID}\nimage: repo@sha256:{HEX:64}\n",
            "aws_access_key_id = {ID}\nsha512 = {HEX:128}\n",
            "{\"accessKeyId\": \"{ID}\", \"sha\": \"{HEX}\", \"parents\": [\"{HEX}\", \"{HEX}\"]}\n",
        ],
    );
}

#[test]
fn names_and_paths_beside_a_key_id() {
    check(
        2,
        &["warning"],
        &[
            "aws_access_key_id = {ID}\nhandler: AbstractSingletonProxyFactoryBeanBuilder\n",
            "key = \"{ID}\"\nnew AbstractSingletonProxyFactoryBeanBuilder()\n",
            "f(\"{ID}\", \"AbstractSingletonProxyFactoryBeanBuilder\")\n",
            "aws_access_key_id = {ID}\ncom/amazonaws/services/s3/model/S3Object\n",
            "x=\"{ID}\"\nimport com/Amazon/services/s3/Model/S3Obj/Abc1\n",
            "x=\"{ID}\"\n\"src/main/java/org/Example/Thing12/Abcde1\"\n",
            "x=\"{ID}\"\nsecret_key_path = \"etc/keys/aws/Prod/2026/secretAccessKeyA1\"\n",
            "aws_access_key_id = {ID}\nhttps://example.com/{ALNUM}\n",
            "aws_access_key_id = {ID}\nhttps://example.com/?sig={ALNUM}&x=1\n",
            "aws_access_key_id = {ID}\nhttps://example.com/a/some-slug-{ALNUM}-and-more\n",
            "x = \"{ID}\"\nRESOURCE_CONSTANT_NAME_OF_FORTY_LETTERS_XY\n",
            "x = \"{ID}\"\nTHISISACONSTANTOFFORTYLETTERSANDNOTHINGEL\n",
            "x = \"{ID}\"\nthisisaconstantoffortylettersandnothingel\n",
            "x = \"{ID}\"\nMyStackBucketPolicyRoleDefaultPolicy0A1B2C3D:\n",
            "x = \"{ID}\"\nMyStackApiGwHandlerS3BucketRoleDAC9FB2E:\n",
            "x = \"{ID}\"\nlet value = module::{ALNUM}::new();\n",
            "x = \"{ID}\"\nthis.{ALNUM}.call()\n",
            "x = \"{ID}\"\n{ALNUM}(argument)\n",
            "x = \"{ID}\"\nfile-{ALNUM}.txt\n",
            "x = \"{ID}\"\n{ALNUM}.png\n",
            "x = \"{ID}\"\nuuid: 123e4567-e89b-12d3-a456-426614174000\n",
        ],
    );
}

#[test]
fn encoded_data_beside_a_key_id() {
    check(
        3,
        &["warning"],
        &[
            "aws_access_key_id = {ID}\n\"integrity\": \"sha512-{B64:86}==\"\n",
            "aws_access_key_id = {ID}\n\"integrity\": \"sha384-{B64:64}\"\n",
            "aws_access_key_id = {ID}\nintegrity sha1-{B64:27}=\n",
            "aws_access_key_id = {ID}\nexample.org/m v1.2.3 h1:{B64:43}=\n",
            "aws_access_key_id = {ID}\nsrc=\"data:image/png;base64,{B64:4000}\"\n",
            "aws_access_key_id = {ID}\nsrc=\"data:font/woff2;base64,{B64:40}{B64:7}==\"\n",
            "aws_access_key_id = {ID}\nkey: {B64:43}=\n",
            "aws_access_key_id = {ID}\nvalue: {B64:40}=\n",
            "aws_access_key_id = {ID}\n{URL64:60}\n",
            "aws_access_key_id = {ID}\n-----BEGIN CERTIFICATE-----\n{B64:64}\n{B64:64}\n{B64:64}\n{B64}\n-----END CERTIFICATE-----\n",
            "aws_access_key_id = {ID}\n-----BEGIN CERTIFICATE-----\n{B64:76}\n{B64:76}\n{B64:76}\n{B64}\n-----END CERTIFICATE-----\n",
            "aws_access_key_id = {ID}\n    {B64:64}\n    {B64:64}\n    {B64}\n",
            "aws_access_key_id = {ID}\n\"{B64:76}\",\n\"{B64:76}\",\n\"{B64}\"\n",
            "aws_access_key_id = {ID}\n//# sourceMappingURL=data:application/json;base64,{B64:900}\n",
            "aws_access_key_id = {ID}\nvar a=\"{B64:120}\",b=[1,2,3];!function(){return a+b}();\n",
            "backend \"s3\" {\n key = \"network/terraform.tfstate\"\n access_key = \"{ID}\"\n sse_customer_key = \"{B64:43}=\"\n}\n",
            "aws_access_key_id={ID}\ngit_password = \"{B64:43}=\"\n",
        ],
    );
}

/// Names under which other vendors hand out 40 characters.
const FOREIGN: &[&str] = &[
    "CLOUDFLARE_API_TOKEN",
    "cloudflare_api_key",
    "OKTA_API_TOKEN",
    "okta_client_secret",
    "DATADOG_APP_KEY",
    "datadog_application_key",
    "SONAR_TOKEN",
    "HEROKU_API_KEY",
    "ZENDESK_TOKEN",
    "zendesk_api_secret",
    "NETLIFY_AUTH_TOKEN",
    "ALGOLIA_ADMIN_KEY",
    "AZURE_CLIENT_SECRET",
    "GITHUB_TOKEN",
    "github_client_secret",
    "SLACK_SIGNING_SECRET",
    "DOCKER_PASSWORD",
    "JWT_SECRET",
    "SESSION_SECRET",
    "client_secret",
    "TWITTER_CONSUMER_SECRET",
    "FACEBOOK_APP_SECRET",
    "LINKEDIN_CLIENT_SECRET",
    "GOOGLE_CLIENT_SECRET",
    "STRIPE_ENDPOINT_SECRET",
    "MAILGUN_API_KEY",
    "SENTRY_AUTH_TOKEN",
    "TWILIO_AUTH_TOKEN",
    "BITBUCKET_OAUTH_SECRET",
    "DROPBOX_APP_SECRET",
    "etag",
    "ETag",
    "x-api-key",
    "apiKey",
    "nonce",
    "signature",
    "checksum",
    "contentHash",
    "csrf_token",
    "webhook_secret",
    "encryption_key",
    "cookie_secret",
];

/// Ways to write a value under a name, beside the key id.
const WRITTEN: &[&str] = &[
    "aws_access_key_id={ID}\nNAME={ALNUM}\n",
    "NAME={ALNUM}\naws_access_key_id={ID}\n",
    "export NAME='{ALNUM}'\nexport AWS_ACCESS_KEY_ID={ID}\n",
    "{\"accessKeyId\": \"{ID}\", \"NAME\": \"{ALNUM}\"}\n",
    "{\"NAME\": \"{ALNUM}\", \"accessKeyId\": \"{ID}\"}\n",
    "aws_access_key_id: {ID}\nNAME: {ALNUM}\n",
    "access_key = \"{ID}\"\nNAME = \"{ALNUM}\"\n",
    "- name: AWS_ACCESS_KEY_ID\n  value: {ID}\n- name: NAME\n  value: {ALNUM}\n",
    "<add key=\"AWSAccessKey\" value=\"{ID}\"/>\n<add key=\"NAME\" value=\"{ALNUM}\"/>\n",
    "define('AWS_ACCESS_KEY_ID', '{ID}');\ndefine('NAME', '{ALNUM}');\n",
    "connect(\"{ID}\", NAME=\"{ALNUM}\")\n",
    "ENV AWS_ACCESS_KEY_ID {ID}\nENV NAME {ALNUM}\n",
    "os.environ[\"AWS_ACCESS_KEY_ID\"] = \"{ID}\"\nos.environ[\"NAME\"] = \"{ALNUM}\"\n",
    "variable \"aws_access_key\" {\n  default = \"{ID}\"\n}\nvariable \"NAME\" {\n  default = \"{ALNUM}\"\n}\n",
    "<string name=\"aws_access_key\">{ID}</string>\n<string name=\"NAME\">{ALNUM}</string>\n",
    "curl -H 'NAME: {ALNUM}' -d id={ID} https://example.org\n",
    "access_key={ID}&NAME={ALNUM}\n",
    "{ID}  # NAME: {ALNUM}\n",
];

#[test]
fn a_value_under_another_name_is_no_secret_of_the_key_id() {
    let mut texts = Vec::new();
    for name in FOREIGN {
        for written in WRITTEN {
            texts.push(written.replace("NAME", name));
        }
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    check_of_aws(4, &texts);
}

/// Like [`check`], for texts in which rules of other vendors may find something as well.
#[track_caller]
fn check_of_aws(seed: u64, texts: &[&str]) {
    let engine = Engine::new(Arc::new(RuleSet::builtin()));
    let (mut scratch, mut keys) = (Scratch::default(), Keys::new(seed));
    let mut wrong = Vec::new();
    for text in texts {
        for _ in 0..2 {
            let filled = fill(text, &mut keys);
            let found: Vec<(String, &str)> = engine
                .scan(filled.as_bytes(), &mut scratch)
                .iter()
                .map(|found| {
                    (
                        engine.rules().rules[found.rule].id.to_string(),
                        found.level.name(),
                    )
                })
                .filter(|(rule, _)| rule.starts_with("aws-"))
                .collect();
            if found != [("aws-access-key-id".to_owned(), "warning")] {
                wrong.push(format!("{found:?} in {filled}"));
                break;
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        texts.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_value_in_the_block_of_another_vendor() {
    check_of_aws(
        5,
        &[
            "cloudflare:\n  key: {ALNUM}\naws:\n  access_key: {ID}\n",
            "okta:\n  token: {ALNUM}\naws:\n  access_key_id: {ID}\n",
            "okta:\n  secret: {ALNUM}\naws:\n  access_key_id: {ID}\n",
            "datadog:\n  nested:\n    deeper:\n      secret: {ALNUM}\naws:\n  access_key_id: {ID}\n",
            "{\"aws_access_key_id\": \"{ID}\", \"cloudflare\": {\"api_token\": \"{ALNUM}\"}}\n",
            "{\"aws_access_key_id\": \"{ID}\", \"cloudflare\": {\"secret\": \"{ALNUM}\"}}\n",
            "{\n  \"github\": {\n    \"secret\": \"{ALNUM}\"\n  },\n  \"aws\": {\n    \"accessKeyId\": \"{ID}\"\n  }\n}\n",
            "provider \"cloudflare\" {\n  api_token = \"{ALNUM}\"\n}\nprovider \"aws\" {\n  access_key = \"{ID}\"\n}\n",
            "provider \"okta\" {\n  secret = \"{ALNUM}\"\n}\nprovider \"aws\" {\n  access_key = \"{ID}\"\n}\n",
            "provider \"aws\" {\n  access_key = \"{ID}\"\n}\nprovider \"digitalocean\" {\n  spaces_secret_key = \"{ALNUM}\"\n}\n",
            "[cloudflare]\nkey = {ALNUM}\n[aws]\naccess_key_id = {ID}\n",
            "# cloudflare token: {ALNUM}\naws_access_key_id={ID}\n",
            "The Okta token is {ALNUM} and the key id {ID}.\n",
            "Okta(\"{ID}\", token=\"{ALNUM}\")\n",
            "// twilio secret: {ALNUM}\nkey = \"{ID}\"\n",
        ],
    );
}

#[test]
fn a_value_far_away_or_in_another_profile() {
    check(
        6,
        &["warning"],
        &[
            "aws_access_key_id = {ID}\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n{B64}\n",
            "access_key={ID}\n[one]\nvalue={B64}\n",
        ],
    );
    // A name that says what it is, is a finding of its own.
    check(
        7,
        &["error", "warning"],
        &["[a]\naws_access_key_id={ID}\n[b]\naws_secret_access_key={B64}\n"],
    );
}

#[test]
fn placeholders_are_nothing() {
    let values = [
        "<your-secret>",
        "YOUR_SECRET_KEY",
        "${AWS_SECRET_ACCESS_KEY}",
        "$AWS_SECRET_ACCESS_KEY",
        "%AWS_SECRET_ACCESS_KEY%",
        "{{ aws_secret_access_key }}",
        "${{ secrets.AWS_SECRET_ACCESS_KEY }}",
        "#{aws_secret_access_key}",
        "!Ref SecretKey",
        "ENV[\"AWS_SECRET_ACCESS_KEY\"]",
        "process.env.AWS_SECRET_ACCESS_KEY",
        "var.aws_secret_key",
        "data.vault_generic_secret.aws.data",
        "op://vault/aws/secret_access_key",
        "vault:secret/data/aws#secret_key",
        "arn:aws:secretsmanager:eu-west-1:444455556666:secret:prod/key-AbCdEf",
        "{{resolve:secretsmanager:prod/key:SecretString:secret_key}}",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
        "****************************************",
        "0000000000000000000000000000000000000000",
        "........................................",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmn",
        "YourSecretAccessKeyGoesHereReplaceItNow1",
        "test",
        "dummy",
        "minioadmin",
        "secret",
        "",
    ];
    let mut texts = Vec::new();
    for value in values {
        for written in [
            "aws_secret_access_key = VALUE\n",
            "AWS_SECRET_ACCESS_KEY=VALUE\n",
            "secretAccessKey: \"VALUE\"\n",
            "{\"SecretAccessKey\": \"VALUE\"}\n",
            "ENV AWS_SECRET_ACCESS_KEY VALUE\n",
        ] {
            texts.push(written.replace("VALUE", value));
        }
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    check(8, &[], &texts);
    let beside: Vec<String> = texts
        .iter()
        .map(|text| format!("aws_access_key_id = {{ID}}\n{text}"))
        .collect();
    let beside: Vec<&str> = beside.iter().map(String::as_str).collect();
    check(9, &["warning"], &beside);
}

#[test]
fn what_is_no_key_id() {
    let aki = ["AK", "IA"].concat();
    let texts = [
        format!("{aki}XXXXXXXXXXXXXXX\n"),
        format!("{aki}****************\n"),
        format!("{aki}................\n"),
        format!("{aki}I...\n"),
        format!("{aki}0000000000000000\n"),
        "role: AROA{B32:17}\nuser: AIDA{B32:17}\n".to_owned(),
        "AGPA{B32:17} AIPA{B32:17} ANPA{B32:17} ANVA{B32:17} APKA{B32:17} ASCA{B32:17} ACCA{B32:17}\n".to_owned(),
        "AIDA{B32:16} AROA{B32:16}\n".to_owned(),
        "LKIA{B32:16} LSIA{B32:16}\n".to_owned(),
        format!("{aki}{{B32:17}}\n"),
        format!("{aki}{{B32:15}}\n"),
        format!("X{aki}{{B32:16}}\n"),
        format!("{{B64:100}}{aki}{{B32:16}}{{B64:100}}\n"),
        format!("+{aki}{{B32:16}}/x\n"),
        format!("\"{{B64:60}}{aki}{{B32:16}}==\"\n"),
        format!("{}{{B32:16}}\n", aki.to_lowercase()),
    ];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    check(10, &[], &texts);
}

#[test]
fn words_that_read_like_key_ids_are_notes() {
    let asia = ["AS", "IA"].concat();
    let pacific = format!("{asia}PACIFICSOUTHEAST");
    let north = format!("{asia}PACIFICNORTHEAST");
    let texts = [
        format!("enum Region {{ {pacific} }}\n"),
        format!("case {north}:\n"),
        format!("{}XXXXXXXXXXXXXXXX\n", ["AK", "IA"].concat()),
    ];
    for text in &texts {
        check(11, &["note"], &[text]);
    }
    check(
        12,
        &["note", "note"],
        &[&format!("enum {{ {pacific}, {north} }}\n")],
    );
}

/// The list of published values: never more than a note, alone and as pairs.
#[test]
fn published_examples_are_at_most_notes() {
    let example = ["EXAM", "PLE"].concat();
    let join = |parts: &[&str]| parts.concat().replace("@", &example);
    let ids = [
        join(&["AK", "IA", "IOSFODNN", "7@"]),
        join(&["AS", "IA", "IOSFODNN", "7@"]),
        join(&["AK", "IA", "I44QH8DH", "B@"]),
        join(&["AK", "IA", "IESZCNJ3", "O@"]),
        join(&["AS", "IA", "SZ4SI7RE", "E@"]),
        join(&["AS", "IA", "V3ZUEFP6", "@"]),
        join(&["AS", "IA", "WHOJDLGP", "O@"]),
        join(&["AK", "IA", "11111111", "1@"]),
        join(&["AK", "IA", "22222222", "2@"]),
        join(&["AK", "IA", "@", "123456789"]),
        join(&["AK", "IA", "@", "PBUMBC3GA"]),
        join(&["AK", "IA", "QRSTUVWX", "YZ@"]),
        join(&["AS", "IA", "J@", "XEG2JICEA"]),
        join(&["AS", "IA", "CQRSTUVW", "RAO@"]),
        join(&["AC", "CA", "@", "123@"]),
        join(&["AK", "ID", "@"]),
        join(&["AS", "IA", "123456", "ABCDEFG"]),
        join(&["AI", "DA", "J45Q7YFF", "AR@"]),
        join(&["AI", "DA", "SAMPLE", "USERID"]),
        join(&["AK", "IA", "J5C56P35", "AEBRX2QQ"]),
        join(&["AK", "IA", "32P3D2JD", "NMVAJLGF"]),
        join(&["AK", "IA", "RZPUZDIK", "GB2VALC4"]),
        join(&["AK", "IA", "QAAAAAAA", "LX6GRE2E"]),
        join(&["AS", "IA", "QAAAAAAA", "KZ4L3POJ"]),
        join(&["AS", "IA", "QAAAAAAA", "GMKEM7X5"]),
        join(&["AK", "IA", "LALEMEL3", "3243OLIB"]),
    ];
    let secrets = [
        join(&["wJalrXUtnFEMI", "/K7MDENG/bPxRfiCY", "@KEY"]),
        join(&["wJalrXUtnFEMI", "/K7MDENG/bPxRfiCYz", "@KEY"]),
        join(&["wJalrXUtnFEMI", "/K7MDENG+bPxRfiCY", "@KEY"]),
        join(&["je7MtGbClwBF/", "2Zp9Utk/h3yCo8nvb", "@KEY"]),
        join(&["8P+SQvWIuLnKhh8d", "++jpw0nNmQRBZvN", "@KEY"]),
        join(&["9drTJvcXLB89", "@", "LB8923FB892xMFI"]),
    ];
    let engine = Engine::new(Arc::new(RuleSet::builtin()));
    let mut scratch = Scratch::default();
    let mut wrong = Vec::new();
    let mut cases = Vec::new();
    for id in &ids {
        cases.push(format!("key: {id}\n"));
        for secret in &secrets {
            cases.push(format!(
                "aws_access_key_id = {id}\naws_secret_access_key = {secret}\n"
            ));
            cases.push(format!("Session(\"{id}\", \"{secret}\")\n"));
            cases.push(format!(
                "{{\"SecretAccessKey\": \"{secret}\", \"AccessKeyId\": \"{id}\"}}\n"
            ));
        }
    }
    for secret in &secrets {
        cases.push(format!("aws_secret_access_key = {secret}\n"));
        cases.push(format!("boto3: the secret is {secret}\n"));
    }
    for case in &cases {
        let found = levels(&engine, &mut scratch, case);
        if found.iter().any(|level| *level != "note") {
            wrong.push(format!("{found:?} in {case}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn values_of_stores_that_speak_s3_are_no_errors() {
    let engine = Engine::new(Arc::new(RuleSet::builtin()));
    let (mut scratch, mut keys) = (Scratch::default(), Keys::new(13));
    for text in [
        "endpoint: http://minio:9000\nMINIO_ROOT_USER={ALNUM:20}\nMINIO_ROOT_PASSWORD={ALNUM}\n",
        "[ceph]\nhost_base = rgw.example.org\naccess_key = {B32:20}\nsecret_key = {ALNUM}\n",
        "[remote]\ntype = s3\nprovider = Wasabi\naccess_key_id = {B32:20}\nsecret_access_key = {ALNUM}\nendpoint = s3.wasabisys.com\n",
        "spaces_access_id = \"{B32:20}\"\nspaces_secret_key = \"{B64:43}\"\n",
        "LINODE_ACCESS_KEY={B32:20}\nLINODE_SECRET_KEY={ALNUM}\n",
        "ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI{ALNUM:20}\nALIBABA_CLOUD_ACCESS_KEY_SECRET={ALNUM:30}\n",
    ] {
        for _ in 0..ROUNDS {
            let filled = fill(text, &mut keys);
            let found = levels(&engine, &mut scratch, &filled);
            assert!(!found.contains(&"error"), "{found:?} in {filled}");
        }
    }
}

#[test]
fn pairs_of_an_emulator_are_notes() {
    let engine = Engine::new(Arc::new(RuleSet::builtin()));
    let (mut scratch, mut keys) = (Scratch::default(), Keys::new(15));
    for text in [
        "AWS_ACCESS_KEY_ID=LKIA{B32:16}\nAWS_SECRET_ACCESS_KEY={ALNUM}\n",
        "client('s3', aws_access_key_id='LSIA{B32:16}',\n  aws_secret_access_key='{ALNUM}')\n",
        "aws_secret_access_key = {ALNUM}\nkey = LKIA{B32:16}\n",
    ] {
        for _ in 0..ROUNDS {
            let filled = fill(text, &mut keys);
            assert_eq!(levels(&engine, &mut scratch, &filled), ["note"], "{filled}");
        }
    }
}

#[test]
fn nothing_of_it_makes_the_program_fail() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut keys = Keys::new(14);
    let text = "aws_access_key_id = {ID}\ncommit = {HEX}\netag: {ALNUM}\nrole: AROA{B32:17}\n";
    std::fs::write(dir.path().join("a.txt"), fill(text, &mut keys)).expect("a file");
    let run = TestCommand::keysieve(dir.path())
        .args(["scan", "--format=json", "--quiet"])
        .status(0);
    let report = run.json();
    assert_eq!(report["summary"]["errors"], 0, "{}", run.show());
    assert_eq!(report["summary"]["warnings"], 1, "{}", run.show());
}

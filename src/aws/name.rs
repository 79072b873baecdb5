//! What the name of a value says about the value: which half of a pair it is, or that it is somebody else's.
//!
//! The spellings are those of SDKs, tools and configuration formats, in every casing style; a name is cut
//! into words at separators and at changes of case, so `fs.s3a.secret.key`, `AWSSecretKey` and
//! `Secret access key` all read alike.

mod halves;

/// What a name says its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An access key id.
    KeyId,
    /// A secret access key under a name that says so by itself: it has `aws`, `amazon` or `ec2` in it, or
    /// says "secret access key".
    AwsSecret,
    /// A secret of some kind: `secret_key`, `secret`. Counts beside a key id.
    Secret,
    /// A session token.
    Token,
    /// Nothing: `key`, `value`, `creds`, one letter.
    Neutral,
    /// A value that belongs to something else: a vendor, a hash, a path.
    Foreign,
    /// A name that this program does not know.
    Unknown,
}

/// Vendors and purposes whose secrets are their own, whatever else the name says.
const OWNERS: &[&str] = &[
    "adyen",
    "airtable",
    "algolia",
    "alibaba",
    "aliyun",
    "anthropic",
    "apple",
    "atlassian",
    "auth0",
    "azure",
    "backblaze",
    "bitbucket",
    "bitly",
    "braintree",
    "bugsnag",
    "ceph",
    "circleci",
    "cloudflare",
    "cloudinary",
    "codecov",
    "cohere",
    "coinbase",
    "consul",
    "contentful",
    "cookie",
    "csrf",
    "databricks",
    "datadog",
    "dd",
    "digitalocean",
    "discord",
    "django",
    "docker",
    "dockerhub",
    "dropbox",
    "dynatrace",
    "elastic",
    "encryption",
    "etsy",
    "facebook",
    "fastly",
    "figma",
    "firebase",
    "fitbit",
    "flask",
    "gcp",
    "gcs",
    "github",
    "gitlab",
    "google",
    "grafana",
    "hcp",
    "heroku",
    "hetzner",
    "hmac",
    "honeycomb",
    "hubspot",
    "huggingface",
    "ibm",
    "instagram",
    "intercom",
    "jenkins",
    "jfrog",
    "jira",
    "jwt",
    "kubernetes",
    "laravel",
    "launchdarkly",
    "linear",
    "linkedin",
    "linode",
    "localstack",
    "mailchimp",
    "mailgun",
    "mandrill",
    "mapbox",
    "messagebird",
    "microsoft",
    "minio",
    "mongo",
    "mongodb",
    "netlify",
    "newrelic",
    "nexmo",
    "nomad",
    "notion",
    "npm",
    "oci",
    "okta",
    "openai",
    "oracle",
    "oss",
    "pagerduty",
    "paypal",
    "paystack",
    "plaid",
    "postman",
    "pusher",
    "pypi",
    "rails",
    "razorpay",
    "recaptcha",
    "redis",
    "rollbar",
    "scaleway",
    "segment",
    "sendgrid",
    "sentry",
    "shopify",
    "signing",
    "slack",
    "snyk",
    "sonar",
    "sonarqube",
    "spaces",
    "splunk",
    "spotify",
    "square",
    "stripe",
    "sumologic",
    "supabase",
    "telegram",
    "tencent",
    "tiktok",
    "travis",
    "trello",
    "twilio",
    "twitch",
    "twitter",
    "vault",
    "vercel",
    "vonage",
    "vultr",
    "wasabi",
    "webhook",
    "yandex",
    "zapier",
    "zendesk",
    "zoom",
];

/// Words that say a value is no AWS secret, unless the name also says that it is.
const PURPOSES: &[&str] = &[
    "admin",
    "api",
    "apikey",
    "app",
    "application",
    "arn",
    "auth",
    "blob",
    "bot",
    "branch",
    "bucket",
    "build",
    "captcha",
    "cert",
    "certificate",
    "challenge",
    "checksum",
    "cipher",
    "class",
    "client",
    "commit",
    "consumer",
    "content",
    "cursor",
    "database",
    "db",
    "decrypt",
    "device",
    "digest",
    "encrypt",
    "encrypted",
    "endpoint",
    "etag",
    "event",
    "file",
    "fingerprint",
    "gpg",
    "guid",
    "hash",
    "header",
    "host",
    "hostname",
    "image",
    "integrity",
    "internal",
    "invite",
    "job",
    "layer",
    "ldap",
    "license",
    "link",
    "login",
    "marker",
    "master",
    "md5",
    "merchant",
    "message",
    "mnemonic",
    "module",
    "namespace",
    "nonce",
    "oauth",
    "object",
    "oidc",
    "package",
    "page",
    "parent",
    "partner",
    "path",
    "pem",
    "pepper",
    "pgp",
    "policy",
    "project",
    "public",
    "push",
    "queue",
    "receipt",
    "ref",
    "refresh",
    "release",
    "request",
    "resource",
    "rev",
    "revision",
    "role",
    "salt",
    "saml",
    "seed",
    "serial",
    "session",
    "sha",
    "sha1",
    "sha256",
    "shared",
    "shasum",
    "sig",
    "sign",
    "signature",
    "slug",
    "sms",
    "smtp",
    "span",
    "ssh",
    "ssl",
    "sso",
    "state",
    "sum",
    "symmetric",
    "task",
    "thumbprint",
    "tls",
    "topic",
    "trace",
    "transaction",
    "tree",
    "uri",
    "url",
    "uuid",
    "version",
    "volume",
    "vpn",
    "wallet",
    "wifi",
];

/// Names and words that say nothing.
const NEUTRAL: &[&str] = &[
    "arg",
    "args",
    "auth",
    "bar",
    "baz",
    "clave",
    "config",
    "cred",
    "credential",
    "credentials",
    "creds",
    "data",
    "default",
    "dev",
    "foo",
    "key",
    "kennwort",
    "keys",
    "my",
    "pair",
    "param",
    "pass",
    "password",
    "passwd",
    "passwort",
    "prod",
    "pwd",
    "second",
    "senha",
    "settings",
    "staging",
    "test",
    "tmp",
    "user",
    "val",
    "value",
];

/// Words that tie a name to AWS.
const AWS: &[&str] = &[
    "amazon", "amz", "amzn", "aws", "boto", "boto3", "ec2", "euca", "iam", "s3", "s3a", "s3n",
    "ses", "sts",
];

/// A name cut into words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    words: Vec<String>,
    squashed: String,
}

impl Name {
    /// Cuts `text` at everything that is not alphanumeric and at changes of case.
    pub fn parse(text: &[u8]) -> Self {
        let words = split(text);
        let squashed = words.concat();
        Self { words, squashed }
    }

    /// Whether there is no word in it.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How many words it has.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Its bytes without what parts the words.
    pub fn text(&self) -> &str {
        &self.squashed
    }

    /// Its words, in lower case.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// What the name says its value is.
    pub fn role(&self) -> Role {
        let name = self.squashed.as_str();
        // The key that Rails signs cookies with.
        if self.has_any(OWNERS) || name.ends_with("secretkeybase") {
            return Role::Foreign;
        }
        let says_secret_access_key =
            name.contains("secretaccesskey") || name.contains("secretaccess");
        let is_secret_key = name.contains("secretkey")
            || name.contains("accesssecret")
            || name.contains("keysecret");
        let is_aws = self.is_aws();
        if says_secret_access_key || (name.contains("secret") && is_aws) {
            let is_strong = name.contains("secretaccesskey") || self.is_telling();
            return if is_strong {
                Role::AwsSecret
            } else {
                Role::Secret
            };
        }
        if is_secret_key {
            return Role::Secret;
        }
        if name.contains("sessiontoken") || name.contains("securitytoken") || name == "awstoken" {
            return Role::Token;
        }
        if name.contains("accesskey")
            || name.contains("keyid")
            || (is_aws && self.ends_with(&["key", "id", "ak"]) && !self.has_word("api"))
        {
            return Role::KeyId;
        }
        if self.has_any(PURPOSES) {
            return Role::Foreign;
        }
        match self.words.last().map(String::as_str) {
            Some(
                "secret" | "secrets" | "sk" | "secreta" | "secreto" | "segreta" | "segreto"
                | "segredo" | "geheimnis",
            ) => Role::Secret,
            Some("token") if self.words.len() == 1 || is_aws => Role::Token,
            Some("token") => Role::Foreign,
            Some("ak" | "accessid" | "id" | "username") => Role::KeyId,
            _ if name == "privatekey" => Role::Secret,
            _ if is_aws
                || name.len() <= 2
                || self
                    .words
                    .iter()
                    .all(|word| NEUTRAL.contains(&word.as_str())) =>
            {
                Role::Neutral
            }
            _ => Role::Unknown,
        }
    }

    /// Whether somebody else than AWS is named.
    pub fn is_foreign(&self) -> bool {
        self.has_any(OWNERS) && !self.is_aws()
    }

    /// Whether a word ties it to AWS.
    pub fn is_aws(&self) -> bool {
        self.has_any(AWS) || self.squashed.starts_with("aws") || self.squashed.contains("amazon")
    }

    /// Whether `aws`, `amazon` or `ec2` is in it: what makes a secret alone an error.
    fn is_telling(&self) -> bool {
        self.words.iter().any(|word| {
            matches!(word.as_str(), "aws" | "amazon" | "ec2")
                || word.starts_with("aws")
                || word.starts_with("amazon")
        })
    }

    /// Whether it has a word, which is in lower case.
    pub fn has_word(&self, word: &str) -> bool {
        self.words.iter().any(|own| own == word)
    }

    fn has_any(&self, list: &[&str]) -> bool {
        let is_listed = |word: &str| list.binary_search(&word).is_ok();
        is_listed(&self.squashed) || self.words.iter().any(|word| is_listed(word))
    }

    fn ends_with(&self, list: &[&str]) -> bool {
        self.words
            .last()
            .is_some_and(|word| list.contains(&word.as_str()))
    }
}

/// Words in lower case. Digits stay with the word before them (`s3`, `ec2`, `sha256`).
fn split(text: &[u8]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (at, byte) in text.iter().enumerate() {
        if !byte.is_ascii_alphanumeric() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        let before = at
            .checked_sub(1)
            .and_then(|at| text.get(at))
            .copied()
            .unwrap_or(b' ');
        let after = text.get(at + 1).copied().unwrap_or(b' ');
        // `awsSecret` breaks before S; `AWSSecret` breaks before the last capital of a run.
        let breaks = byte.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_digit() && after.is_ascii_lowercase()
                || before.is_ascii_uppercase() && after.is_ascii_lowercase());
        if breaks && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        word.push(char::from(byte.to_ascii_lowercase()));
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests;

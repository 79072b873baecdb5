//! The rules about AWS credentials, by name.

/// A rule about AWS credentials: code decides for it, and findings of it join each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AwsRule {
    /// A long-term key ID with its secret.
    AccessKeyPair,
    /// A temporary key ID with its secret.
    TemporaryCredentials,
    /// A secret without its ID.
    SecretAccessKey,
    /// A key ID without its secret.
    AccessKeyId,
    /// A session token without key ID and secret.
    SessionToken,
    /// A key ID in a presigned URL.
    PresignedUrl,
    /// An SMTP password of SES, which is made from a secret, with its key ID.
    SesSmtpPassword,
}

impl AwsRule {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::AccessKeyPair,
        Self::TemporaryCredentials,
        Self::SecretAccessKey,
        Self::AccessKeyId,
        Self::SessionToken,
        Self::PresignedUrl,
        Self::SesSmtpPassword,
    ];

    /// The id of the rule, in rule files, findings and baselines.
    pub const fn id(self) -> &'static str {
        match self {
            Self::AccessKeyPair => "aws-access-key-pair",
            Self::TemporaryCredentials => "aws-temporary-credentials",
            Self::SecretAccessKey => "aws-secret-access-key",
            Self::AccessKeyId => "aws-access-key-id",
            Self::SessionToken => "aws-session-token",
            Self::PresignedUrl => "aws-presigned-url",
            Self::SesSmtpPassword => "aws-ses-smtp-password",
        }
    }

    /// The rule with this id, if it is one about AWS credentials.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.id() == id)
    }
}

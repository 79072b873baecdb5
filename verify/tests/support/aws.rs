//! Answers of AWS.

use super::{ACCOUNT, Reply, Seen};

/// Answers with the signer, by ARN.
pub fn caller(arn: &str) -> Reply {
    let account = arn.split(':').nth(4).expect("an account");
    Reply::Full(
        200,
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n <GetCallerIdentityResult>\n  \
             <Arn>{arn}</Arn>\n  <UserId>AIDA</UserId>\n  <Account>{account}</Account>\n </GetCallerIdentityResult>\n\
             </GetCallerIdentityResponse>\n"
        ),
    )
}

/// An IAM user of the account.
pub fn user() -> Reply {
    caller(&format!("arn:aws:iam::{ACCOUNT}:user/deploy"))
}

/// The root user of the account.
pub fn root() -> Reply {
    caller(&format!("arn:aws:iam::{ACCOUNT}:root"))
}

/// A refusal.
pub fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::Full(
        status,
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n <Error>\n  <Type>Sender</Type>\n  \
             <Code>{code}</Code>\n  <Message>{message}</Message>\n </Error>\n <RequestId>1</RequestId>\n</ErrorResponse>\n"
        ),
    )
}

/// Answers that the ID is not known.
pub fn no_such_key() -> Reply {
    error(
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
    )
}

/// An account whose keys are those of user `deploy`, with the status that `status` gives.
pub fn account(
    seen: &Seen,
    status: impl Fn(&str) -> Option<&'static str>,
    ids: &[String],
) -> Reply {
    match seen.action().as_str() {
        "GetCallerIdentity" => caller(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/ir/me")),
        "GetAccessKeyLastUsed" => {
            let id = seen.field("AccessKeyId").expect("an ID");
            match status(&id) {
                None => error(404, "NoSuchEntity", "The Access Key cannot be found"),
                Some(_) => Reply::Full(
                    200,
                    "<GetAccessKeyLastUsedResponse><GetAccessKeyLastUsedResult><UserName>deploy</UserName>\
                     <AccessKeyLastUsed><LastUsedDate>2026-11-29T20:31:00Z</LastUsedDate><ServiceName>s3</ServiceName>\
                     <Region>us-east-1</Region></AccessKeyLastUsed></GetAccessKeyLastUsedResult>\
                     </GetAccessKeyLastUsedResponse>"
                        .to_owned(),
                ),
            }
        }
        "ListAccessKeys" => {
            let mut members = String::new();
            for id in ids {
                if let Some(status) = status(id) {
                    members.push_str(&format!(
                        "<member><UserName>deploy</UserName><AccessKeyId>{id}</AccessKeyId><Status>{status}</Status>\
                         <CreateDate>2024-01-05T10:00:00Z</CreateDate></member>"
                    ));
                }
            }
            Reply::Full(
                200,
                format!(
                    "<ListAccessKeysResponse><ListAccessKeysResult><IsTruncated>false</IsTruncated><AccessKeyMetadata>\
                     {members}</AccessKeyMetadata></ListAccessKeysResult></ListAccessKeysResponse>"
                ),
            )
        }
        "GetAccountSummary" => Reply::Full(
            200,
            "<GetAccountSummaryResponse><GetAccountSummaryResult><SummaryMap><entry>\
             <key>AccountAccessKeysPresent</key><value>1</value></entry></SummaryMap></GetAccountSummaryResult>\
             </GetAccountSummaryResponse>"
                .to_owned(),
        ),
        other => panic!("{other} is never called"),
    }
}

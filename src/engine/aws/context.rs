//! Names the kind of place of a pair, where the surroundings show it.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use crate::blob::Span;

/// Distances before the first and after the last part within which the surroundings count, in bytes.
const BEFORE: usize = 1500;
const AFTER: usize = 120;

/// Signs in the surroundings, and the place that each shows. The first that occurs decides; first in the text of the
/// match and its line, then further up.
const SIGNS: &[(&str, &str)] = &[
    ("X-Amz-Credential", "presigned URL"),
    ("AWS4-HMAC-SHA256", "signed request"),
    ("Signature=", "presigned URL"),
    ("aws_iam_access_key", "Terraform state"),
    ("provider \"aws\"", "Terraform provider"),
    ("backend \"s3\"", "Terraform backend"),
    ("-backend-config", "Terraform backend"),
    ("\nvariable \"", "Terraform variable"),
    ("boto3", "boto3 call"),
    ("Session(aws_access_key_id", "boto3 call"),
    ("storage_options", "fsspec options"),
    ("S3FileSystem", "fsspec options"),
    ("boto.connect", "boto call"),
    ("import boto", "boto call"),
    ("aws configure", "aws configure command"),
    ("Access Key ID [", "aws configure transcript"),
    ("AWS-HMAC", "instance metadata response"),
    ("AssumedRoleUser", "AWS CLI output"),
    ("\"AccessKey\": {", "AWS CLI output"),
    ("Access key ID,", "IAM console CSV"),
    ("Access Key Id,", "IAM console CSV"),
    ("\nENV ", "Dockerfile ENV"),
    ("\nARG ", "Dockerfile ARG"),
    ("\nRUN ", "Dockerfile RUN"),
    ("kind: Secret", "Kubernetes Secret"),
    ("stringData:", "Kubernetes Secret"),
    ("aws-actions/", "GitHub Actions workflow"),
    ("withEnv(", "Jenkinsfile"),
    ("environment {", "Jenkinsfile"),
    ("environment:", "container environment"),
    ("variables:", "CI variables"),
    ("- name: ", "Kubernetes environment"),
    ("AWS::CloudFormation", "CloudFormation template"),
    ("Type: String", "CloudFormation template"),
    ("amazon-ebs", "Packer template"),
    ("amazon.aws.", "Ansible task"),
    ("config.vm.provider", "Vagrantfile"),
    ("BasicAWSCredentials", "SDK call"),
    ("AwsBasicCredentials", "SDK call"),
    ("BasicSessionCredentials", "SDK call"),
    ("AwsSessionCredentials", "SDK call"),
    ("SessionAWSCredentials", "SDK call"),
    ("AWSCredentials", "SDK call"),
    ("NewStaticCredentials", "SDK call"),
    ("NewStaticV4", "SDK call"),
    ("Aws::Credentials", "SDK call"),
    ("Aws.config", "SDK call"),
    ("Aws::Auth", "SDK call"),
    ("AWS.config", "SDK call"),
    ("AWS.Credentials", "SDK call"),
    ("S3Client", "SDK call"),
    ("Credentials::new", "SDK call"),
    ("StaticProvider::", "SDK call"),
    ("Set-AWSCredential", "PowerShell command"),
    ("Initialize-AWSDefault", "PowerShell command"),
    ("$Env:AWS_", "PowerShell command"),
    ("<name>fs.s3", "Hadoop configuration"),
    ("fs.s3a.", "Hadoop configuration"),
    ("fs.s3n.", "Hadoop configuration"),
    ("s3a://", "URL with credentials"),
    ("s3n://", "URL with credentials"),
    ("s3://", "URL with credentials"),
    ("COPY ", "SQL statement"),
    ("INSERT INTO", "SQL dump"),
    ("\"awsv4\"", "API client collection"),
    ("<appSettings>", ".NET configuration"),
    ("<resources>", "Android resources"),
    ("define(", "PHP constant"),
    ("export ", "shell export"),
    ("setenv ", "shell export"),
    ("set -gx ", "shell export"),
    ("setx ", "Windows environment"),
];

/// Returns the kind of place that `span` of the view is.
pub(super) fn of(bytes: &[u8], span: Span) -> Option<String> {
    if let Some(profile) = profile(bytes, span.start) {
        return Some(profile);
    }
    let start = span.start.saturating_sub(BEFORE);
    let end = (span.end.max(span.start) + AFTER).min(bytes.len());
    // The line of the match first, then all the way up: what is near decides.
    let before = bytes.get(start..span.start).unwrap_or_default();
    let line = memchr::memrchr(b'\n', before).map_or(start, |at| start + at);
    for from in [line, start] {
        let text = bytes.get(from..end).unwrap_or_default();
        if let Some((_, name)) = first_sign(text).and_then(|sign| SIGNS.get(sign)) {
            return Some((*name).to_owned());
        }
    }
    let line = bytes.get(line..end).unwrap_or_default().trim_ascii_start();
    if is_assignment_of_environment(line) {
        return Some("environment file".to_owned());
    }
    memchr::memmem::find(line, b"SecretAccessKey\"").map(|_| "credentials JSON".to_owned())
}

/// `PROD_AWS_SECRET_ACCESS_KEY=`, as shells and their like want it: capitals, and no space before the sign.
fn is_assignment_of_environment(line: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let length = line
        .iter()
        .position(|byte| !is_name(byte))
        .unwrap_or(line.len());
    let name = line.get(..length).unwrap_or_default();
    line.get(length) == Some(&b'=') && memchr::memmem::find(name, b"AWS_").is_some()
}

/// Returns the first of [`SIGNS`] that occurs anywhere in a text. One pass, however many signs there are.
fn first_sign(text: &[u8]) -> Option<usize> {
    static SEARCHER: OnceLock<AhoCorasick> = OnceLock::new();
    let searcher = SEARCHER.get_or_init(|| {
        let signs = SIGNS.iter().map(|(sign, _)| sign.trim_start_matches('\n'));
        AhoCorasick::new(signs).expect("a short constant list of literals")
    });
    let counts = |found: &aho_corasick::Match| {
        let needs_line_start = SIGNS
            .get(found.pattern().as_usize())
            .is_some_and(|(sign, _)| sign.starts_with('\n'));
        let before = text.get(..found.start()).unwrap_or_default();
        let before = before
            .iter()
            .rev()
            .find(|byte| !matches!(byte, b' ' | b'\t'));
        !needs_line_start || before.is_none_or(|byte| *byte == b'\n')
    };
    searcher
        .find_overlapping_iter(text)
        .filter(counts)
        .map(|found| found.pattern().as_usize())
        .min()
}

/// `[name]` above keys as the AWS CLI writes them: a credentials or configuration file.
fn profile(bytes: &[u8], at: usize) -> Option<String> {
    let start = at.saturating_sub(BEFORE);
    let before = bytes.get(start..at)?;
    let line = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let key = before.get(line..)?.trim_ascii_start().to_ascii_lowercase();
    if !key.starts_with(b"aws_") {
        return None;
    }
    for line in before.get(..line)?.rsplit(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        let Some(name) = line
            .strip_prefix(b"[")
            .and_then(|rest| rest.strip_suffix(b"]"))
        else {
            if line.is_empty()
                || line.contains(&b'=')
                || line.starts_with(b"#")
                || line.starts_with(b";")
            {
                continue;
            }
            return None;
        };
        let name = String::from_utf8_lossy(name);
        return Some(match name.strip_prefix("profile ") {
            Some(profile) => format!("AWS configuration file, profile {}", profile.trim()),
            None if name == "Credentials" => "boto configuration file".to_owned(),
            None => format!("credentials file, profile {name}"),
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(text: &str) -> String {
        let at = text.find('@').expect("a place");
        of(text.as_bytes(), Span::new(at, at + 1)).unwrap_or_default()
    }

    #[test]
    fn surroundings_name_the_place() {
        assert_eq!(
            context("[hoge]\naws_access_key_id = @"),
            "credentials file, profile hoge"
        );
        assert_eq!(
            context("[profile build]\nregion = x\naws_access_key_id = @"),
            "AWS configuration file, profile build"
        );
        assert_eq!(
            context("s = boto3.Session(\n  aws_access_key_id='@'"),
            "boto3 call"
        );
        assert_eq!(
            context("provider \"aws\" {\n  access_key = \"@\""),
            "Terraform provider"
        );
        assert_eq!(context("FROM x\nENV AWS_ACCESS_KEY_ID @"), "Dockerfile ENV");
        assert_eq!(context("AWS_ACCESS_KEY_ID=@"), "environment file");
        assert_eq!(context("x = @"), "");
    }
}

//! Names in every style of writing.

use super::*;

fn role(name: &str) -> Role {
    Name::parse(name.as_bytes()).role()
}

#[test]
fn the_lists_are_sorted_for_the_binary_search() {
    for list in [OWNERS, PURPOSES, AWS] {
        assert!(list.is_sorted());
    }
}

#[test]
fn every_spelling_of_a_telling_name_is_known() {
    for name in [
        "aws_secret_access_key",
        "AWS_SECRET_ACCESS_KEY",
        "aws_secret_key",
        "aws_secret",
        "AWSSecretKey",
        "AWSSecretAccessKey",
        "secretAccessKey",
        "SecretAccessKey",
        "secret-access-key",
        "Secret access key",
        "AWS Secret Access Key",
        "fs.s3n.awsSecretAccessKey",
        "AMAZON_SECRET_ACCESS_KEY",
        "ec2_secret_key",
        "PROD_AWS_SECRET_ACCESS_KEY",
        "TF_VAR_aws_secret_key",
        "amazon.aws.secretkey",
        "DBI_AWS_SECRET_ACCESS_KEY",
        "AWS_S3_SECRET_ACCESS_KEY",
        "cloud.aws.credentials.secret-key",
        "aws:secretKey",
        "secretaccesskey",
    ] {
        assert_eq!(role(name), Role::AwsSecret, "{name}");
    }
}

#[test]
fn other_names_of_a_secret_count_beside_an_id() {
    for name in [
        "secret_key",
        "SECRET_KEY",
        "secretKey",
        "secretkey",
        "secret",
        "fs.s3a.secret.key",
        "s3_secret",
        "ARTIFACTS_SECRET",
        "S3_UPLOADS_SECRET",
        "access_secret",
        "accessSecret",
        "key_secret",
        "sk",
    ] {
        assert_eq!(role(name), Role::Secret, "{name}");
    }
}

#[test]
fn names_of_ids_and_tokens_are_known() {
    for name in [
        "aws_access_key_id",
        "AWSAccessKeyId",
        "access_key",
        "accessKey",
        "Access key ID",
        "s3_key",
        "aws_key",
        "keyid",
        "key_id",
        "id",
        "fs.s3a.access.key",
        "username",
    ] {
        assert_eq!(role(name), Role::KeyId, "{name}");
    }
    for name in [
        "aws_session_token",
        "SessionToken",
        "security_token",
        "Token",
        "AWS_TOKEN",
        "X-Amz-Security-Token",
    ] {
        assert_eq!(role(name), Role::Token, "{name}");
    }
}

#[test]
fn values_of_others_are_left_to_them() {
    for name in [
        "CLOUDFLARE_API_TOKEN",
        "okta_token",
        "DD_APP_KEY",
        "commit",
        "ETag",
        "client_secret",
        "api_key",
        "GITHUB_TOKEN",
        "jwt_secret",
        "stripe_secret_key",
        "checksum",
        "x-api-key",
        "sonar.token",
        "app_secret",
        "minio_secret_key",
    ] {
        assert_eq!(role(name), Role::Foreign, "{name}");
    }
    for name in ["key", "creds", "v", "value"] {
        assert_eq!(role(name), Role::Neutral, "{name}");
    }
    assert_eq!(role("widget"), Role::Unknown);
}

#[test]
fn stems_tell_pairs_apart() {
    let stem = |name: &str| Name::parse(name.as_bytes()).stem().join("_");
    assert_eq!(stem("DEV_AWS_ACCESS_KEY_ID"), "dev");
    assert_eq!(stem("DEV_AWS_SECRET_ACCESS_KEY"), "dev");
    assert_eq!(stem("AWS_SECRET_ACCESS_KEY"), "");
    assert_eq!((stem("KEY1"), stem("mysecret")), ("1".into(), "my".into()));
    assert_eq!((stem("sk2"), stem("task")), ("2".into(), "task".into()));
    assert_eq!(stem("TARGET_USER"), stem("TARGET_PASS"));
}

#[test]
fn the_other_half_of_a_pair_has_the_same_name_but_for_the_half() {
    let is_half = |id: &str, name: &str| {
        Name::parse(name.as_bytes()).is_other_half_of(&Name::parse(id.as_bytes()))
    };
    for (id, name) in [
        ("mailer_user", "mailer_password"),
        ("mavenUser", "mavenPassword"),
        ("account_id", "account_key"),
        ("AccountName", "AccountKey"),
        ("key_dev", "secret_dev"),
        ("s3key", "s3secret"),
        ("ak1", "sk1"),
        ("key", "sec"),
        ("GITHUB_AWS_ACCESS_KEY_ID", "GITHUB_AWS_SECRET_ACCESS_KEY"),
        ("client_id", "client_secret"),
    ] {
        assert!(is_half(id, name), "{id} {name}");
    }
    for (id, name) in [
        ("AWS_ACCESS_KEY_ID", "client_secret"),
        ("github_user", "github_token"),
        ("key", "github_secret"),
        ("access_key", "app_key"),
        ("key_dev", "secret_prod"),
        ("aws_access_key_id", "SESSION_SECRET"),
        ("GITHUB_AWS_ACCESS_KEY_ID", "GITHUB_SECRET"),
        ("GRAFANA_ACCESS_KEY_ID", "GRAFANA_PASSWORD"),
        ("APP_ACCESS_KEY_ID", "APP_SECRET"),
        ("deploy_user", "deploy_key"),
        ("aws_access_key_id", "DD_APP_KEY"),
        ("", "secret"),
    ] {
        assert!(!is_half(id, name), "{id} {name}");
    }
}

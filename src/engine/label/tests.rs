//! Which name a value stands under.

use super::*;

/// The role that the text before `@` gives to a value there.
fn role(text: &str) -> Role {
    let at = text.find('@').expect("a place");
    find(text.as_bytes(), at, at + 1, 0).role
}

#[test]
fn names_are_found_across_formats() {
    for text in [
        "aws_secret_access_key = @",
        "\"aws_secret_key\": \"@\"",
        "ENV AWS_SECRET_ACCESS_KEY @",
        "define('DBI_AWS_SECRET_ACCESS_KEY', '@')",
        "os.getenv(\"AWS_SECRET_ACCESS_KEY\", \"@\")",
        "- name: AWS_SECRET_ACCESS_KEY\n  value: @",
        "variable \"aws_secret_key\" {\n  default = \"@\"",
        "<add key=\"AWSSecretKey\" value=\"@\"/>",
        "<name>fs.s3n.awsSecretAccessKey</name>\n  <value>@",
        "<string name=\"aws_secret_key\">@",
        "AWS Secret Access Key [None]: @",
        "Secret access key: @",
        "os.environ[\"AWS_SECRET_ACCESS_KEY\"] = \"@\"",
        "knife[:aws_secret_access_key] = \"@\"",
        "secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? \"@\"",
        "const secretAccessKey: string = \"@\"",
        "SecretAccessKey: aws.String(\"@\")",
        "$Env:AWS_SECRET_ACCESS_KEY=\"@\"",
        "--aws-secret-key @",
        "  AwsSecretKey:\n    Type: String\n    Default: @",
        ":aws_secret_access_key => \"@\"",
        "[{\"value\":\"@\",\"key\":\"awsSecretKey\"}]",
        "AwsSecretKey:\n  Type: [String]\n  AllowedPattern: \"[A-Z]*\"\n  Default: @",
        "variable \"aws_secret_key\" {\n  description = \"see [wiki]\"\n  default = \"@\"",
        "AWS secret access key [prod]\n@",
        "x\n# AWS secret access key\n@",
    ] {
        assert_eq!(role(text), Role::AwsSecret, "{text}");
    }
    for text in [
        "s:6:\"secret\";s:40:\"@",
        "{\"key\":\"secretKey\",\"value\":\"@\"",
        "<key>SecretKey</key><string>@",
        "VALUES (2,'s3_secret','@')",
        "spark.hadoop.fs.s3a.secret.key @",
    ] {
        assert_eq!(role(text), Role::Secret, "{text}");
    }
}

#[test]
fn a_foreign_name_is_found_as_well() {
    for text in [
        "CLOUDFLARE_API_TOKEN=@",
        "commit @",
        "\"etag\": \"@\"",
        "- name: OKTA_TOKEN\n  value: @",
        "client_secret: \"@\"",
        "Okta token\n@",
        "# Okta token\n@",
    ] {
        assert_eq!(role(text), Role::Foreign, "{text}");
    }
    for text in [
        "widget = \"@\"",
        "export ACME_WIDGET=@",
        "const acmeWidget = '@",
    ] {
        assert_eq!(role(text), Role::Unknown, "{text}");
    }
}

#[test]
fn arguments_and_prose_are_no_names() {
    for text in [
        "Session(\"@\"",
        "f(region, \"@\"",
        "x = Session(\"@\"",
        "# old one, rotate me: @",
        "old: [\"x\"]\ndata: [\"@",
        "# AWS secret access key\ndata: @",
        "# keys of AWS, secret\n@",
        "const secret1 = '@",
        "export SECRET_PROD=@",
        "let two = '@",
        "if user == @",
        "[app]\nname = \"shop\"\n\n[aws]\nvalue = \"@",
        "[aws]\nsecret_access_key = none\n\n[[keys]]\r\nvalue = \"@",
        "+| key | github token |\n+|---|---|\n+| @",
    ] {
        assert_eq!(role(text), Role::Neutral, "{text}");
    }
}

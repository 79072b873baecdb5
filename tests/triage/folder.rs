//! A folder of evidence about one leaked key.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::command::Run;
use crate::support::{Keys, TestCommand};

/// Time at which the key came into the repository.
pub const LEAK: &str = "2026-11-30T12:33:12Z";

/// The clock of the tests.
const NOW: &str = "2026-11-30T13:00:00Z";

pub const ACCOUNT: &str = "123456789012";

pub struct Folder {
    dir: tempfile::TempDir,
    /// The leaked key.
    pub key: String,
    /// A key that was made with it.
    pub made: String,
    /// A session that was issued to it.
    pub session: String,
    /// The token of that session.
    pub token: String,
    /// Events, in order of time.
    pub events: Vec<Value>,
    clock: i64,
}

fn second(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().expect("a time").as_second()
}

impl Folder {
    /// Nothing but a name.
    pub fn empty() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("evidence")).expect("a directory");
        let mut keys = Keys::new(11);
        Self {
            dir,
            key: ["AKIA", "RZPUZDIK", "GB2VALC6"].concat(),
            made: keys.id(),
            session: keys.temporary_id(),
            token: keys.token(300),
            events: Vec::new(),
            clock: second("2026-11-20T09:00:00Z"),
        }
    }

    /// A key that was used before, got out, and was abused.
    pub fn abused() -> Self {
        let mut folder = Self::empty();
        let (key, made, session, token) = (
            folder.key.clone(),
            folder.made.clone(),
            folder.session.clone(),
            folder.token.clone(),
        );
        let from = |address: &'static str, source: &'static str| {
            move |event: &mut Value, _: &Self| {
                event["sourceIPAddress"] = json!(address);
                event["eventSource"] = json!(format!("{source}.amazonaws.com"));
            }
        };
        folder.event("deploy", &key, "ListBuckets", from("203.0.113.7", "s3"));
        folder.event(
            "deploy",
            &key,
            "GetCallerIdentity",
            from("203.0.113.7", "sts"),
        );
        folder.clock = second(LEAK);
        folder.event("deploy", &key, "ListBuckets", from("203.0.113.7", "s3"));
        folder.event(
            "deploy",
            &key,
            "GetCallerIdentity",
            from("198.51.100.9", "sts"),
        );
        folder.event("deploy", &key, "CreateUser", |event, _| {
            event["sourceIPAddress"] = json!("198.51.100.9");
            event["readOnly"] = json!(false);
            event["requestParameters"] = json!({"userName": "backup-svc"});
        });
        folder.event("deploy", &key, "CreateAccessKey", |event, _| {
            event["sourceIPAddress"] = json!("198.51.100.9");
            event["readOnly"] = json!(false);
            event["requestParameters"] = json!({"userName": "backup-svc"});
            event["responseElements"] = json!({"accessKey": {"accessKeyId": made, "userName": "backup-svc", "status": "Active"}});
        });
        folder.event("deploy", &key, "AssumeRole", |event, _| {
            event["eventSource"] = json!("sts.amazonaws.com");
            event["sourceIPAddress"] = json!("198.51.100.9");
            event["requestParameters"] = json!({"roleArn": format!("arn:aws:iam::{ACCOUNT}:role/ops")});
            event["responseElements"] = json!({"credentials": {"accessKeyId": session, "sessionToken": token, "expiration": "Nov 30, 2026, 1:40:00 PM"}});
        });
        folder.event("deploy", &key, "RunInstances", |event, _| {
            event["eventSource"] = json!("ec2.amazonaws.com");
            event["sourceIPAddress"] = json!("198.51.100.9");
            event["errorCode"] = json!("Client.UnauthorizedOperation");
        });
        folder.event(
            "backup-svc",
            &folder.made.clone(),
            "RunInstances",
            |event, _| {
                event["eventSource"] = json!("ec2.amazonaws.com");
                event["sourceIPAddress"] = json!("198.51.100.9");
                event["requestParameters"] = json!({"instanceType": "p5.48xlarge"});
            },
        );
        folder.event(
            "deploy",
            &folder.session.clone(),
            "DescribeInstances",
            |event, _| {
                event["eventSource"] = json!("ec2.amazonaws.com");
                event["userIdentity"]["type"] = json!("AssumedRole");
                event["userIdentity"]["arn"] =
                    json!(format!("arn:aws:sts::{ACCOUNT}:assumed-role/ops/x"));
                event["sourceIPAddress"] = json!("198.51.100.9");
            },
        );
        folder.write_trail();
        folder.list_keys("deploy", &[(&folder.key, "Active")]);
        folder.list_keys("backup-svc", &[(&folder.made, "Active")]);
        folder.last_used("deploy");
        folder.exports();
        folder.report();
        folder
    }

    /// Adds an event of a user with a key, some seconds after the last one.
    pub fn event(
        &mut self,
        user: &str,
        key: &str,
        name: &str,
        change: impl FnOnce(&mut Value, &Self),
    ) {
        let number = self.events.len();
        let mut event = json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "IAMUser", "principalId": "AIDAX", "arn": format!("arn:aws:iam::{ACCOUNT}:user/{user}"), "accountId": ACCOUNT,
                "accessKeyId": key, "userName": user,
            },
            "eventTime": jiff::Timestamp::from_second(self.clock).expect("a time").to_string(),
            "eventSource": "iam.amazonaws.com", "eventName": name, "awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.7",
            "userAgent": "aws-cli/2.15 Python/3.11", "requestParameters": null, "responseElements": null,
            "eventID": format!("e-{number:04}"), "readOnly": true, "eventType": "AwsApiCall", "managementEvent": true,
            "recipientAccountId": ACCOUNT, "eventCategory": "Management",
        });
        change(&mut event, self);
        self.events.push(event);
        self.clock += 60;
    }

    /// Writes the events as a trail does.
    pub fn write_trail(&self) {
        let records: Vec<String> = self
            .events
            .iter()
            .map(crate::trail::archive::record)
            .collect();
        self.file(
            "trail.json",
            format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes(),
        );
    }

    pub fn list_keys(&self, user: &str, keys: &[(&str, &str)]) {
        let keys: Vec<Value> = keys
            .iter()
            .map(|(id, status)| json!({"UserName": user, "AccessKeyId": id, "Status": status, "CreateDate": "2024-01-05T10:00:00+00:00"}))
            .collect();
        let name = format!("keys-{}.json", user.replace(['/', '\n'], "_"));
        self.file(
            &name,
            json!({"AccessKeyMetadata": keys}).to_string().as_bytes(),
        );
    }

    pub fn last_used(&self, user: &str) {
        let answer = json!({"UserName": user, "AccessKeyLastUsed": {"LastUsedDate": "2026-11-30T12:37:00Z", "ServiceName": "ec2", "Region": "us-east-1"}});
        let wrapped = json!({"AccessKeyId": self.key, "Answer": answer});
        self.file("last-used.json", wrapped.to_string().as_bytes());
    }

    /// Everything else that the script of `collect` gets, and AWS's mail.
    fn exports(&self) {
        let absent = "false,N/A,N/A,N/A,N/A";
        let row = |user: &str, path: &str, password: bool, key: &str| {
            format!(
                "{user},arn:aws:iam::{ACCOUNT}:{path},2014-01-01T00:00:00+00:00,{password},N/A,N/A,N/A,false,{key},{absent},false,N/A,false,N/A\n"
            )
        };
        let report = format!(
            "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,\
             access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,\
             access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
             cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n{}{}{}",
            row("<root_account>", "root", true, absent),
            row(
                "deploy",
                "user/deploy",
                false,
                "true,2024-01-05T10:00:00+00:00,2026-11-30T12:37:00+00:00,us-east-1,ec2"
            ),
            row(
                "backup-svc",
                "user/backup-svc",
                true,
                "true,2026-11-30T12:36:12+00:00,N/A,N/A,N/A"
            ),
        );
        self.file("credentials.csv", report.as_bytes());
        self.file(
            "summary.json",
            br#"{"SummaryMap":{"AccountAccessKeysPresent":0,"AccountMFAEnabled":1}}"#,
        );
        let user = |name: &str, policy: &str| {
            json!({"UserName": name, "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "GroupList": [],
            "AttachedManagedPolicies": [{"PolicyName": "p", "PolicyArn": format!("arn:aws:iam::aws:policy/{policy}")}, {"PolicyName": "q", "PolicyArn": "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV4"}]})
        };
        let details = json!({"UserDetailList": [user("deploy", "AdministratorAccess"), user("backup-svc", "ReadOnlyAccess")], "GroupDetailList": [],
            "RoleDetailList": [], "Policies": []});
        self.file("details.json", details.to_string().as_bytes());
        self.file(
            "entities-AWSCompromisedKeyQuarantineV4.json",
            br#"{"PolicyGroups":[],"PolicyUsers":[{"UserName":"deploy"}],"PolicyRoles":[]}"#,
        );
        let day = |day: &str, amount: &str| {
            json!({"TimePeriod": {"Start": day, "End": day}, "Groups": [{"Keys": ["Amazon Elastic Compute Cloud - Compute", "us-east-1"],
            "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}}]})
        };
        let costs = json!({"GroupDefinitions": [{"Key": "SERVICE"}, {"Key": "REGION"}], "ResultsByTime": [day("2026-11-28", "1"), day("2026-11-30", "250")]});
        self.file("cost.json", costs.to_string().as_bytes());
        let health = json!({"events": [{"service": "RISK", "eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED", "startTime": "2026-11-30T12:34:19Z"}]});
        self.file("health.json", health.to_string().as_bytes());
        let mail = format!(
            "From: Amazon Web Services <no-reply@example.org>\nDate: Mon, 30 Nov 2026 12:35:08 +0000\nSubject: Your AWS Access Key is Exposed [Case: 123456789]\n\n\
             the AWS Access Key {} (belonging to IAM user \"deploy\") is publicly available online at https://github.com/o/r/blob/1/.env.\nYou must contact AWS by 2026-12-05.\n",
            self.key
        );
        self.file("mail.eml", mail.as_bytes());
    }

    fn report(&self) {
        let report = json!({"schema": "keysieve-report/1", "coverage": {"complete": true}, "findings": [{"rule": "aws-access-key-pair",
            "fingerprint": "ks1:00000000000000000000000000000000", "key_id": self.key, "places": [
                {"path": ".env", "line": 3, "commit": "5f3c21a000000000000000000000000000000000", "date": "2026-11-30T13:33:12+01:00", "in_head": true, "refs": ["refs/heads/main"]},
                {"path": "old.env", "line": 1, "commit": "6f3c21a000000000000000000000000000000000", "date": "2026-11-30T13:00:00Z"}]}]});
        fs::write(self.path("report.json"), report.to_string()).expect("a file");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file of evidence, of the time of the test.
    pub fn file(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path("evidence").join(name), bytes).expect("a file");
        self.date(name, NOW);
    }

    /// Sets the time of a file of evidence.
    pub fn date(&self, name: &str, time: &str) {
        let file = fs::File::options()
            .write(true)
            .open(self.path("evidence").join(name))
            .expect("a file");
        let since = Duration::from_secs(second(time).try_into().expect("after 1970"));
        file.set_modified(UNIX_EPOCH + since).expect("a time");
    }

    #[track_caller]
    pub fn keysieve(&self, args: &[&str], status: i32) -> Run {
        TestCommand::keysieve(self.dir.path())
            .env("SOURCE_DATE_EPOCH", second(NOW).to_string())
            .args(args)
            .status(status)
    }

    /// The case of the report.
    #[track_caller]
    pub fn triage(&self, args: &[&str], status: i32) -> Run {
        self.keysieve(
            &[&["triage", "report.json", "--evidence", "evidence"], args].concat(),
            status,
        )
    }

    /// The case of a key that is named.
    #[track_caller]
    pub fn named(&self, key: &str, args: &[&str], status: i32) -> Run {
        self.keysieve(
            &[&["triage", key, "--evidence", "evidence"], args].concat(),
            status,
        )
    }
}

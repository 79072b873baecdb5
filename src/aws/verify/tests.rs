//! Verdicts, with a world that is made up: every row of the table, and whatever faults come in whatever order.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::secret::Secret;

const ACCOUNT: &str = "123456789012";

/// An ID of account 123456789012.
fn id() -> String {
    ["AKIA", "RZPUZDIK", "GB2VALC6"].concat()
}

fn temporary_id() -> String {
    id().replacen("AKIA", "ASIA", 1)
}

/// Another ID of the same account.
fn other_id() -> String {
    ["AKIA", "RZPUZDIK", "GB2VALC5"].concat()
}

fn canary_id() -> String {
    ["AKIA", "XYZDQCEN", "4B6JSJQI"].concat()
}

fn secret() -> Secret {
    Secret::new("s3cr3t".repeat(7).as_bytes())
}

fn pair() -> FoundKey {
    FoundKey {
        id: id(),
        secret_key: Some(secret()),
        session_token: None,
    }
}

fn own() -> Credentials {
    Credentials {
        key_id: ["AKIA", "RZPUZDIK", "OWNOWNOW"].concat(),
        secret_key: secret(),
        session_token: None,
    }
}

/// Answers of the world by the number of the request.
type Script<'a> = Box<dyn FnMut(usize, &Request) -> Result<Answer, Fault> + 'a>;

/// A world without a network, whose clock moves when it is waited for.
struct World<'a> {
    script: Script<'a>,
    log: Rc<RefCell<Vec<Request>>>,
    elapsed: Rc<RefCell<Duration>>,
}

impl Transport for World<'_> {
    fn send(&mut self, request: &Request) -> Result<Answer, Fault> {
        let number = self.log.borrow().len();
        self.log.borrow_mut().push(request.clone());
        (self.script)(number, request)
    }

    fn now(&self) -> u64 {
        1_800_000_000
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.borrow()
    }

    fn pause(&mut self, time: Duration) {
        *self.elapsed.borrow_mut() += time;
    }
}

/// An asker in a world, the requests that it sent, and the time that went by.
struct Run<'a> {
    asker: Asker<World<'a>>,
    log: Rc<RefCell<Vec<Request>>>,
    elapsed: Rc<RefCell<Duration>>,
}

impl<'a> Run<'a> {
    fn new(script: impl FnMut(usize, &Request) -> Result<Answer, Fault> + 'a) -> Self {
        Self::with(Limits::default(), script)
    }

    fn with(
        limits: Limits,
        script: impl FnMut(usize, &Request) -> Result<Answer, Fault> + 'a,
    ) -> Self {
        let log = Rc::default();
        let elapsed = Rc::new(RefCell::new(Duration::from_secs(1)));
        let world = World {
            script: Box::new(script),
            log: Rc::clone(&log),
            elapsed: Rc::clone(&elapsed),
        };
        Self {
            asker: Asker::new(world, Endpoints::default(), limits),
            log,
            elapsed,
        }
    }

    fn count(&self) -> usize {
        self.log.borrow().len()
    }

    fn hosts(&self) -> Vec<String> {
        let log = self.log.borrow();
        let host = |request: &Request| request.origin.replace("https://", "");
        log.iter().map(host).collect()
    }
}

fn public() -> Vec<&'static Partition> {
    PARTITIONS.iter().filter(|it| it.is_public).collect()
}

fn answer(status: u16, body: &str) -> Result<Answer, Fault> {
    let body = body.as_bytes().to_vec();
    Ok(Answer { status, body })
}

fn error(status: u16, code: &str, message: &str) -> Result<Answer, Fault> {
    answer(
        status,
        &format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        ),
    )
}

fn no_such_key() -> Result<Answer, Fault> {
    let message = "The security token included in the request is invalid.";
    error(403, "InvalidClientTokenId", message)
}

fn caller(arn: &str) -> Result<Answer, Fault> {
    answer(
        200,
        &format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>{arn}</Arn><UserId>AIDA</UserId><Account>{ACCOUNT}</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        ),
    )
}

fn user() -> Result<Answer, Fault> {
    caller("arn:aws:iam::123456789012:user/team/deploy")
}

fn root() -> Result<Answer, Fault> {
    caller("arn:aws:iam::123456789012:root")
}

/// The word and, unless it is active, the reason's word.
fn told(verdict: &Verdict) -> (&'static str, &'static str) {
    let status = &verdict.status;
    (
        status.name(),
        status.reason().map_or("", |reason| reason.word),
    )
}

#[test]
fn an_answer_names_the_owner_and_whether_it_is_root() {
    let mut run = Run::new(|_, _| user());
    let verdict = run.asker.found(&pair(), &public());
    assert_eq!(told(&verdict), ("active", ""));
    assert_eq!(verdict.owner, Some(Owner::User("deploy".to_owned())));
    assert_eq!(verdict.is_root(), Some(false));
    assert_eq!(verdict.account_id.as_deref(), Some(ACCOUNT));
    assert_eq!(verdict.hosts, ["sts.us-east-1.amazonaws.com"]);
    assert!(verdict.notes.is_empty());
    assert_eq!(run.count(), 1);

    let mut run = Run::new(|_, _| root());
    let verdict = run.asker.found(&pair(), &public());
    assert_eq!(told(&verdict), ("active", ""));
    assert_eq!(verdict.is_root(), Some(true));
}

#[test]
fn an_account_that_is_not_the_one_in_the_id_is_said() {
    let mut key = pair();
    key.id = ["ASIA", "Y34FZKBO", "KMUTVV7A"].concat();
    key.session_token = Some(secret());
    let mut run = Run::new(|_, _| user());
    let verdict = run.asker.found(&key, &public());
    assert_eq!(told(&verdict), ("active", ""));
    assert_eq!(verdict.account_id.as_deref(), Some(ACCOUNT));
    assert!(verdict.notes[0].contains("609629065308"));
}

#[test]
fn what_no_partition_knows_is_inactive_and_each_was_asked() {
    let mut run = Run::new(|_, _| no_such_key());
    let verdict = run.asker.found(&pair(), &public());
    assert_eq!(told(&verdict), ("inactive", "no-such-key"));
    let reason = verdict.status.reason().expect("a reason");
    assert!(
        reason
            .text
            .starts_with("aws, aws-cn, aws-us-gov, aws-eusc: ")
    );
    assert_eq!(
        run.hosts(),
        [
            "sts.us-east-1.amazonaws.com",
            "sts.cn-north-1.amazonaws.com.cn",
            "sts.us-gov-west-1.amazonaws.com",
            "sts.eusc-de-east-1.amazonaws.eu",
        ]
    );
}

#[test]
fn a_key_of_another_partition_is_found_there() {
    let mut run = Run::new(|_, request| match request.origin.ends_with(".cn") {
        true => caller("arn:aws-cn:iam::123456789012:user/x"),
        false => no_such_key(),
    });
    let verdict = run.asker.found(&pair(), &public());
    assert_eq!(told(&verdict), ("active", ""));
    assert_eq!(verdict.partition.as_deref(), Some("aws-cn"));
    assert_eq!(run.count(), 2);
}

#[test]
fn a_partition_that_cannot_be_asked_leaves_it_open() {
    let mut run = Run::new(|_, request| match request.origin.ends_with(".cn") {
        true => Err(Fault::Name),
        false => no_such_key(),
    });
    let verdict = run.asker.found(&pair(), &public());
    assert_eq!(told(&verdict), ("unknown", "network"));
    // The others were asked all the same: one of them may know it.
    assert_eq!(verdict.hosts.len(), 4);

    let mut run = Run::new(|_, request| match request.origin.ends_with(".cn") {
        true => Err(Fault::Name),
        false if request.origin.ends_with(".eu") => caller("arn:aws-eusc:iam::123456789012:root"),
        false => no_such_key(),
    });
    let verdict = run.asker.found(&pair(), &public());
    assert_eq!(told(&verdict), ("active", ""));
}

/// Every fault that there is: what came back, the word, and how often it is sent.
fn faults() -> Vec<(&'static str, Result<Answer, Fault>, &'static str, usize)> {
    let html = "<html><head><title>Sign in</title></head><body>InvalidClientTokenId</body></html>";
    let cut = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code>";
    let fine =
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:root";
    let other = "<ErrorResponse><Error><Code>Invalid ClientTokenId</Code></Error></ErrorResponse>";
    let json = "{\"__type\":\"InvalidClientTokenId\"}";
    vec![
        ("no name", Err(Fault::Name), "network", 2),
        (
            "refused",
            Err(Fault::Connect("refused".into())),
            "network",
            2,
        ),
        ("slow", Err(Fault::Timeout), "timeout", 2),
        ("TLS", Err(Fault::Tls("unknown issuer".into())), "tls", 1),
        ("proxy", Err(Fault::Proxy("407".into())), "proxy", 1),
        ("cut", Err(Fault::Cut), "network", 4),
        ("too long", Err(Fault::TooLong), "not-aws", 1),
        (
            "no HTTP",
            Err(Fault::Other("protocol".into())),
            "network",
            1,
        ),
        ("407", answer(407, ""), "proxy", 1),
        ("429", answer(429, ""), "throttled", 4),
        (
            "429 with a code",
            with_status(no_such_key(), 429),
            "throttled",
            4,
        ),
        ("500", answer(500, ""), "server", 4),
        (
            "500 with a code",
            with_status(no_such_key(), 500),
            "server",
            4,
        ),
        ("503", error(503, "ServiceUnavailable", ""), "server", 4),
        (
            "throttling",
            error(400, "Throttling", "Rate exceeded"),
            "throttled",
            4,
        ),
        (
            "limit",
            error(400, "RequestLimitExceeded", ""),
            "throttled",
            4,
        ),
        (
            "their fault",
            error(400, "InternalFailure", ""),
            "server",
            4,
        ),
        ("redirect", answer(302, ""), "redirect", 1),
        (
            "redirect with a code",
            with_status(no_such_key(), 307),
            "redirect",
            1,
        ),
        ("HTML", answer(200, html), "not-aws", 1),
        ("HTML 403", answer(403, html), "not-aws", 1),
        ("JSON 403", answer(403, json), "not-aws", 1),
        ("cut XML", answer(403, cut), "not-aws", 1),
        ("cut answer", answer(200, fine), "not-aws", 1),
        ("a code with a blank", answer(403, other), "not-aws", 1),
        ("nothing", answer(200, ""), "not-aws", 1),
        ("nothing 403", answer(403, ""), "not-aws", 1),
        (
            "an error as data",
            with_status(no_such_key(), 200),
            "not-aws",
            1,
        ),
        ("data as an error", with_status(user(), 403), "not-aws", 1),
        (
            "a caller of nobody",
            caller("arn:aws:iam::210987654321:root"),
            "not-aws",
            1,
        ),
        (
            "late",
            error(
                403,
                "SignatureDoesNotMatch",
                "Signature expired: 2026 is now earlier than",
            ),
            "clock",
            1,
        ),
        (
            "early",
            error(
                403,
                "SignatureDoesNotMatch",
                "Signature not yet current: 2026",
            ),
            "clock",
            1,
        ),
        (
            "late in other words",
            error(400, "RequestExpired", ""),
            "clock",
            1,
        ),
        (
            "wrong secret",
            error(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated",
            ),
            "wrong-secret",
            2,
        ),
        (
            "region",
            error(403, "RegionDisabledException", ""),
            "region-disabled",
            1,
        ),
        ("denied", error(403, "AccessDenied", ""), "denied", 1),
        ("opt in", error(403, "OptInRequired", ""), "code", 1),
        (
            "no token",
            error(403, "MissingAuthenticationToken", ""),
            "code",
            1,
        ),
        (
            "malformed",
            error(400, "IncompleteSignature", ""),
            "code",
            1,
        ),
    ]
}

fn with_status(answer: Result<Answer, Fault>, status: u16) -> Result<Answer, Fault> {
    answer.map(|answer| Answer { status, ..answer })
}

#[test]
fn no_fault_makes_a_key_inactive() {
    for (name, got, word, times) in faults() {
        let mut run = Run::new(|_, _| got.clone());
        let aws = [Partition::named("aws").expect("a partition")];
        let verdict = run.asker.found(&pair(), &aws);
        assert_eq!(told(&verdict), ("unknown", word), "{name}");
        assert_eq!(run.count(), times, "{name}");
        assert_eq!(verdict.owner, None, "{name}");
    }
}

#[test]
fn a_passing_fault_is_asked_away() {
    let passing = [
        answer(500, ""),
        answer(429, ""),
        error(400, "Throttling", ""),
        Err(Fault::Cut),
        Err(Fault::Timeout),
    ];
    for fault in passing {
        let mut run = Run::new(|number, _| match number {
            0 => fault.clone(),
            _ => root(),
        });
        let verdict = run.asker.found(&pair(), &public());
        assert_eq!(told(&verdict), ("active", ""), "{fault:?}");
        assert_eq!(verdict.is_root(), Some(true));
        assert!(*run.elapsed.borrow() >= Duration::from_millis(1250));
    }
}

/// AWS refuses a second secret of an ID for some seconds even if it is right.
#[test]
fn a_secret_that_is_refused_once_is_tried_again_after_five_seconds() {
    let mut run = Run::new(|number, _| match number {
        0 => error(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated",
        ),
        _ => user(),
    });
    let verdict = run.asker.found(&pair(), &public());
    assert_eq!(told(&verdict), ("active", ""));
    assert!(*run.elapsed.borrow() > Duration::from_secs(6));
}

#[test]
fn a_wrong_secret_ends_the_search_since_the_id_is_known_there() {
    let mut run = Run::new(|_, _| error(403, "SignatureDoesNotMatch", ""));
    let verdict = run.asker.found(&pair(), &public());
    assert_eq!(told(&verdict), ("unknown", "wrong-secret"));
    assert_eq!(verdict.hosts.len(), 1);
}

#[test]
fn temporary_keys_need_their_token_and_are_never_dead_for_want_of_it() {
    let mut key = pair();
    key.id = temporary_id();
    let mut run = Run::new(|_, _| no_such_key());
    let verdict = run.asker.found(&key, &public());
    assert_eq!(told(&verdict), ("unknown", "no-token"));
    assert_eq!(run.count(), 0);

    key.session_token = Some(Secret::new(b"token"));
    let verdict = run.asker.found(&key, &public());
    assert_eq!(told(&verdict), ("unknown", "token-refused"));
    let log = run.log.borrow();
    let token = ("x-amz-security-token".to_owned(), "token".to_owned());
    assert!(log.iter().all(|request| request.headers.contains(&token)));

    for code in ["ExpiredToken", "ExpiredTokenException"] {
        let mut run = Run::new(|_, _| error(403, code, "The security token included is expired"));
        let verdict = run.asker.found(&key, &public());
        assert_eq!(told(&verdict), ("inactive", "expired"));
        assert_eq!(run.count(), 1);
    }
}

/// The token of another key nearby would make a good pair fail.
#[test]
fn a_long_term_key_is_asked_without_a_token() {
    let mut key = pair();
    key.session_token = Some(secret());
    let mut run = Run::new(|_, _| user());
    run.asker.found(&key, &public());
    let log = run.log.borrow();
    let names = log[0].headers.iter().map(|(name, _)| name.as_str());
    let expected = [
        "host",
        "content-type",
        "x-amz-date",
        "authorization",
        "user-agent",
    ];
    assert!(names.eq(expected));
    assert_eq!(
        format!("{:?}", log[0]),
        "Request(POST https://sts.us-east-1.amazonaws.com/)"
    );
}

#[test]
fn canaries_and_examples_are_never_asked() {
    let mut run = Run::new(|_, _| user());
    let example = ["AKIA", "IOSFODNN", "7EXAMPLE"].concat();
    for (id, word) in [(canary_id(), "canary"), (example, "example")] {
        let key = FoundKey { id, ..pair() };
        let verdict = run.asker.found(&key, &public());
        assert_eq!(told(&verdict), ("not_asked", word));
        let caller = Identity::new("arn:aws:iam::534261010715:root", "534261010715");
        let caller = caller.expect("a caller");
        let verdict = run.asker.look_up(&key.id, &own(), &caller, &PARTITIONS[0]);
        assert_eq!(told(&verdict), ("not_asked", word));
    }
    assert_eq!(run.count(), 0);
}

#[test]
fn the_pace_and_the_number_of_requests_are_kept() {
    let limits = Limits {
        rate: 2.0,
        max_requests: 10,
    };
    let mut run = Run::with(limits, |_, _| user());
    let verdicts: Vec<Verdict> = (0..12)
        .map(|_| run.asker.found(&pair(), &public()))
        .collect();
    assert_eq!(run.count(), 10);
    assert_eq!(run.asker.requests(), 10);
    assert!(verdicts[..10].iter().all(|it| told(it) == ("active", "")));
    assert!(
        verdicts[10..]
            .iter()
            .all(|it| told(it) == ("unknown", "limit"))
    );
    // Nine pauses of half a second.
    assert_eq!(*run.elapsed.borrow(), Duration::from_millis(1000 + 4500));
}

#[test]
fn a_host_that_does_not_answer_is_given_up_after_two_keys() {
    let mut run = Run::new(|_, _| Err(Fault::Timeout));
    let aws = [Partition::named("aws").expect("a partition")];
    for _ in 0..20 {
        let verdict = run.asker.found(&pair(), &aws);
        assert_eq!(told(&verdict), ("unknown", "timeout"));
    }
    assert_eq!(run.count(), 4);
}

fn summary(count: u32) -> Result<Answer, Fault> {
    answer(
        200,
        &format!(
            "<GetAccountSummaryResponse><GetAccountSummaryResult><SummaryMap>\
             <entry><key>Users</key><value>7</value></entry>\
             <entry><key>AccountAccessKeysPresent</key><value>{count}</value></entry>\
             </SummaryMap></GetAccountSummaryResult></GetAccountSummaryResponse>"
        ),
    )
}

fn last_used() -> Result<Answer, Fault> {
    answer(
        200,
        "<GetAccessKeyLastUsedResponse><GetAccessKeyLastUsedResult><UserName>deploy</UserName><AccessKeyLastUsed>\
         <LastUsedDate>2026-11-29T20:31:00Z</LastUsedDate><ServiceName>s3</ServiceName><Region>us-east-1</Region>\
         </AccessKeyLastUsed></GetAccessKeyLastUsedResult></GetAccessKeyLastUsedResponse>",
    )
}

fn keys(status: &str) -> Result<Answer, Fault> {
    answer(
        200,
        &format!(
            "<ListAccessKeysResponse><ListAccessKeysResult><IsTruncated>false</IsTruncated><AccessKeyMetadata>\
             <member><UserName>deploy</UserName><AccessKeyId>{}</AccessKeyId><Status>Active</Status></member>\
             <member><UserName>deploy</UserName><AccessKeyId>{}</AccessKeyId><Status>{status}</Status>\
             <CreateDate>2024-01-05T10:00:00Z</CreateDate></member></AccessKeyMetadata></ListAccessKeysResult>\
             </ListAccessKeysResponse>",
            other_id(),
            id()
        ),
    )
}

/// The world of an account in which everything is allowed, but for what `instead` says.
fn account<'a>(
    instead: impl Fn(&str) -> Option<Result<Answer, Fault>> + 'a,
) -> impl FnMut(usize, &Request) -> Result<Answer, Fault> + 'a {
    move |_, request| {
        let action = request.body.split(['=', '&']).nth(1).expect("an action");
        if let Some(answer) = instead(action) {
            return answer;
        }
        match action {
            "GetCallerIdentity" => caller("arn:aws:sts::123456789012:assumed-role/ir/me"),
            "GetAccessKeyLastUsed" => last_used(),
            "ListAccessKeys" => keys("Active"),
            "GetAccountSummary" => summary(0),
            "GetAccessKeyInfo" => answer(
                200,
                "<GetAccessKeyInfoResponse><GetAccessKeyInfoResult><Account>123456789012</Account>\
                 </GetAccessKeyInfoResult></GetAccessKeyInfoResponse>",
            ),
            other => panic!("{other} is never called"),
        }
    }
}

/// Looks `id` up in such a world.
fn looked_up<'a>(
    id: &str,
    instead: impl Fn(&str) -> Option<Result<Answer, Fault>> + 'a,
) -> (Verdict, Run<'a>) {
    let mut run = Run::new(account(instead));
    let aws = &PARTITIONS[0];
    let caller = run.asker.caller(&own(), aws).expect("a caller");
    let verdict = run.asker.look_up(id, &own(), &caller, aws);
    (verdict, run)
}

#[test]
fn own_credentials_tell_status_user_birth_and_last_use() {
    let (verdict, run) = looked_up(&id(), |_| None);
    assert_eq!(told(&verdict), ("active", ""));
    assert_eq!(verdict.owner, Some(Owner::User("deploy".to_owned())));
    assert_eq!(verdict.is_root(), Some(false));
    assert_eq!(verdict.created.as_deref(), Some("2024-01-05T10:00:00Z"));
    let used = verdict.last_used.expect("a last use");
    assert_eq!(used.at.as_deref(), Some("2026-11-29T20:31:00Z"));
    assert_eq!(used.service.as_deref(), Some("s3"));
    assert_eq!(verdict.hosts, ["iam.amazonaws.com"]);
    assert_eq!(run.count(), 3);

    let (verdict, _) = looked_up(&id(), |action| {
        (action == "ListAccessKeys").then(|| keys("Inactive"))
    });
    assert_eq!(told(&verdict), ("inactive", "deactivated"));
}

#[test]
fn keys_of_one_user_are_one_question() {
    let (_, mut run) = looked_up(&id(), |_| None);
    let caller = run.asker.caller(&own(), &PARTITIONS[0]).expect("a caller");
    let verdict = run
        .asker
        .look_up(&other_id(), &own(), &caller, &PARTITIONS[0]);
    assert_eq!(told(&verdict), ("active", ""));
    let log = run.log.borrow();
    let lists = log.iter().filter(|it| it.body.contains("ListAccessKeys"));
    assert_eq!(lists.count(), 1);
}

#[test]
fn a_missing_permission_is_unknown_and_named() {
    for (action, word) in [
        ("GetAccessKeyLastUsed", "iam:GetAccessKeyLastUsed"),
        ("ListAccessKeys", "iam:ListAccessKeys"),
    ] {
        let (verdict, _) = looked_up(&id(), |asked| {
            (asked == action).then(|| error(403, "AccessDenied", "User is not authorized"))
        });
        assert_eq!(told(&verdict), ("unknown", "denied"));
        let reason = verdict.status.reason().expect("a reason");
        assert!(reason.text.ends_with(word), "{reason}");
    }
    let old = ["AKIA", "IQ2RXT5N", "WZL4KHVA"].concat();
    let (verdict, _) = looked_up(&old, |asked| {
        (asked == "GetAccessKeyInfo").then(|| error(403, "AccessDenied", ""))
    });
    assert_eq!(told(&verdict), ("unknown", "denied"));
}

#[test]
fn what_iam_does_not_know_is_unknown_and_may_be_roots() {
    let gone = |asked: &str| {
        (asked == "GetAccessKeyLastUsed").then(|| error(404, "NoSuchEntity", "cannot be found"))
    };
    let (verdict, _) = looked_up(&id(), gone);
    assert_eq!(told(&verdict), ("unknown", "no-such-key"));
    assert_eq!(verdict.is_root(), None);
    assert!(verdict.notes[0].ends_with("has no access key"));
    let (verdict, _) = looked_up(&id(), |asked| match asked {
        "GetAccountSummary" => Some(summary(1)),
        _ => gone(asked),
    });
    assert!(verdict.notes[0].ends_with("this may be one"));
    let (verdict, _) = looked_up(&id(), |asked| match asked {
        "GetAccountSummary" => Some(error(403, "AccessDenied", "")),
        _ => gone(asked),
    });
    assert!(verdict.notes[0].ends_with("lack the permission iam:GetAccountSummary"));
}

#[test]
fn the_callers_own_key_is_active_and_may_be_roots() {
    let mut run = Run::new(|_, _| root());
    let caller = run.asker.caller(&own(), &PARTITIONS[0]).expect("a caller");
    let verdict = run
        .asker
        .look_up(&own().key_id, &own(), &caller, &PARTITIONS[0]);
    assert_eq!(told(&verdict), ("active", ""));
    assert_eq!(verdict.is_root(), Some(true));
    assert_eq!(run.count(), 1);
}

#[test]
fn the_callers_own_key_is_active_whatever_iam_says() {
    let mut run = Run::new(account(|asked| match asked {
        "GetCallerIdentity" => Some(user()),
        "ListAccessKeys" => Some(error(403, "AccessDenied", "")),
        _ => None,
    }));
    let own = Credentials {
        key_id: id(),
        ..own()
    };
    let caller = run.asker.caller(&own, &PARTITIONS[0]).expect("a caller");
    let verdict = run.asker.look_up(&id(), &own, &caller, &PARTITIONS[0]);
    assert_eq!(told(&verdict), ("active", ""));
    assert_eq!(verdict.owner, Some(Owner::User("deploy".to_owned())));
    let used = verdict.last_used.expect("a last use");
    assert_eq!(used.service.as_deref(), Some("s3"));
}

#[test]
fn keys_of_other_accounts_are_not_asked_about_further() {
    let foreign = ["AKIA", "Y34FZKBO", "KMUTVV7A"].concat();
    let (verdict, run) = looked_up(&foreign, |_| None);
    assert_eq!(told(&verdict), ("unknown", "other-account"));
    assert_eq!(verdict.account_id.as_deref(), Some("609629065308"));
    assert_eq!(run.count(), 1);
    // The account of an old ID is asked for.
    let old = ["AKIA", "IQ2RXT5N", "WZL4KHVA"].concat();
    let (verdict, run) = looked_up(&old, |asked| {
        let other =
            "<GetAccessKeyInfoResponse><Account>210987654321</Account></GetAccessKeyInfoResponse>";
        (asked == "GetAccessKeyInfo").then(|| answer(200, other))
    });
    assert_eq!(told(&verdict), ("unknown", "other-account"));
    assert_eq!(verdict.account_id.as_deref(), Some("210987654321"));
    assert_eq!(run.count(), 2);
    let (verdict, _) = looked_up(&temporary_id(), |_| None);
    assert_eq!(told(&verdict), ("unknown", "temporary"));
}

#[test]
fn no_fault_makes_a_looked_up_key_inactive() {
    for action in ["GetAccessKeyLastUsed", "ListAccessKeys"] {
        for (name, got, _, _) in faults() {
            let (verdict, _) = looked_up(&id(), |asked| (asked == action).then(|| got.clone()));
            assert_eq!(verdict.status.name(), "unknown", "{action}: {name}");
        }
    }
}

/// Names, codes and times of a hostile server go nowhere.
#[test]
fn what_a_server_says_beyond_the_forms_is_not_passed_on() {
    let odd = |asked: &str| {
        (asked == "GetAccessKeyLastUsed").then(|| {
            answer(
                200,
                "<GetAccessKeyLastUsedResponse><UserName>a$(id)</UserName><LastUsedDate>never; rm</LastUsedDate>\
                 <ServiceName>s3\u{202e}</ServiceName></GetAccessKeyLastUsedResponse>",
            )
        })
    };
    let (verdict, _) = looked_up(&id(), odd);
    assert_eq!(told(&verdict), ("unknown", "no-user"));
    assert_eq!(verdict.last_used, None);
}

/// "Never used" is what IAM says by leaving out the date, and nothing else.
#[test]
fn a_last_use_that_is_not_said_is_not_never() {
    let used = |inner: &'static str| {
        let text = format!(
            "<GetAccessKeyLastUsedResponse><GetAccessKeyLastUsedResult><UserName>deploy</UserName>{inner}\
             </GetAccessKeyLastUsedResult></GetAccessKeyLastUsedResponse>"
        );
        let (verdict, _) = looked_up(&id(), |asked| {
            (asked == "GetAccessKeyLastUsed").then(|| answer(200, &text))
        });
        assert_eq!(told(&verdict), ("active", ""));
        verdict.last_used
    };
    let never =
        "<AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed>";
    assert_eq!(used(never), Some(LastUsed::default()));
    assert_eq!(used(""), None);
    assert_eq!(
        used(
            "<AccessKeyLastUsed><LastUsedDate>Nov 29, 2026</LastUsedDate><ServiceName>s3</ServiceName></AccessKeyLastUsed>"
        ),
        None
    );
}

#[test]
fn own_credentials_that_end_halfway_end_the_questions() {
    for (code, word) in [
        ("ExpiredToken", "have expired"),
        ("InvalidClientTokenId", "not known"),
    ] {
        let (verdict, mut run) = looked_up(&id(), |asked| {
            (asked == "GetAccessKeyLastUsed").then(|| error(403, code, ""))
        });
        assert_eq!(told(&verdict), ("unknown", "own-credentials"));
        let reason = verdict.status.reason().expect("a reason");
        assert!(reason.text.contains(word), "{reason}");
        let count = run.count();
        let caller = Identity::new("arn:aws:iam::123456789012:root", ACCOUNT).expect("a caller");
        let verdict = run
            .asker
            .look_up(&other_id(), &own(), &caller, &PARTITIONS[0]);
        assert_eq!(told(&verdict), ("unknown", "own-credentials"));
        assert_eq!(run.count(), count);
    }
    let (verdict, _) = looked_up(&id(), |asked| {
        let message = "Signature expired: 2026 is now earlier than";
        (asked == "GetAccessKeyLastUsed").then(|| error(403, "SignatureDoesNotMatch", message))
    });
    assert_eq!(told(&verdict), ("unknown", "clock"));
    let (verdict, _) = looked_up(&id(), |asked| {
        (asked == "ListAccessKeys").then(|| error(404, "NoSuchEntity", ""))
    });
    assert_eq!(told(&verdict), ("unknown", "no-user"));
}

proptest! {
    /// Inactive is what every partition has said in its last word, and nothing else.
    #[test]
    fn inactive_needs_the_last_word_of_every_partition(draws in proptest::collection::vec(0..45usize, 1..40)) {
        let pool: Vec<Result<Answer, Fault>> = faults().into_iter().map(|(_, got, _, _)| got).collect();
        let said = RefCell::new(std::collections::BTreeMap::new());
        let mut run = Run::new(|number, request| {
            let got = match pool.get(draws[number % draws.len()]) {
                Some(fault) => fault.clone(),
                None => no_such_key(),
            };
            said.borrow_mut().insert(request.origin.clone(), got.clone());
            got
        });
        let verdict = run.asker.found(&pair(), &public());
        drop(run);
        if let Status::Inactive(reason) = verdict.status {
            prop_assert_eq!(reason.word, "no-such-key");
            prop_assert_eq!(said.borrow().len(), 4);
            prop_assert!(said.borrow().values().all(|got| *got == no_such_key()));
        }
    }
}

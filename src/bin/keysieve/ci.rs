//! Selection of commits for `--range auto`, from the variables of CI systems and of the pre-commit framework.
//!
//! Only what the environment says is known here; whether the clone has those commits is for others to see.

use serde_json::Value;

use crate::failure::{Failure, Kind};

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// A range of commits.
    Range {
        /// As on the command line.
        spec: String,
        /// The variable or event that named the range.
        why: String,
    },
    /// All that there is.
    Everything {
        /// Reason why nothing is left out.
        why: String,
    },
}

/// Variables in which systems that build pull requests name the target branch.
const TARGETS: &[(&str, &str)] = &[
    ("GITHUB_BASE_REF", "GitHub pull request"),
    ("CHANGE_TARGET", "Jenkins change request"),
    ("BITBUCKET_PR_DESTINATION_BRANCH", "Bitbucket pull request"),
    (
        "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
        "Buildkite pull request",
    ),
    ("SYSTEM_PULLREQUEST_TARGETBRANCH", "Azure pull request"),
];

/// Systems that name neither a base nor the default branch, with the variable for the branch that is built.
const WITHOUT_A_BASE: &[(&str, &str, &str)] = &[
    ("CIRCLECI", "CircleCI", "CIRCLE_BRANCH"),
    ("TF_BUILD", "Azure", "BUILD_SOURCEBRANCH"),
    ("BITBUCKET_BUILD_NUMBER", "Bitbucket", "BITBUCKET_BRANCH"),
];

/// Returns the selections to try in order: the first whose commits the clone has is used; the last one has no
/// replacement.
pub(crate) fn choices(env: impl Fn(&str) -> Option<String>) -> Result<Vec<Choice>, Failure> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    if let Some(from) = set("PRE_COMMIT_FROM_REF") {
        let to = set("PRE_COMMIT_TO_REF").unwrap_or_else(|| "HEAD".to_owned());
        return Ok(vec![range(&from, &to, "from PRE_COMMIT_FROM_REF")]);
    }
    if set("GITHUB_EVENT_NAME").as_deref() == Some("pull_request_target") {
        return github_target(&set);
    }
    for (name, what) in TARGETS {
        if let Some(branch) = set(name) {
            let branch = branch.strip_prefix("refs/heads/").unwrap_or(&branch);
            let why = format!("{what} into {branch}");
            return Ok(vec![range(&format!("origin/{branch}"), "HEAD", &why)]);
        }
    }
    if set("GITHUB_ACTIONS").is_some() {
        return github(&set);
    }
    if set("GITLAB_CI").is_some() {
        return Ok(gitlab(&set));
    }
    if set("JENKINS_URL").is_some() {
        return Ok(match set("GIT_PREVIOUS_SUCCESSFUL_COMMIT") {
            Some(base) => vec![
                range(&base, "HEAD", "since Jenkins' last successful build"),
                everything("which has no earlier build to start from"),
            ],
            None => vec![everything("because Jenkins names no earlier build")],
        });
    }
    if set("BUILDKITE").is_some() {
        return Ok(beside_default(
            set("BUILDKITE_PIPELINE_DEFAULT_BRANCH"),
            set("BUILDKITE_BRANCH"),
        ));
    }
    if set("TRAVIS").is_some() {
        return Ok(travis(&set));
    }
    if set("DRONE").is_some() {
        return Ok(drone(&set));
    }
    for (name, what, branch) in WITHOUT_A_BASE {
        if set(name).is_some() {
            return Ok(beside_usual(what, set(branch).as_deref()));
        }
    }
    if set("CI").is_some() {
        return Ok(vec![everything(
            "because this CI system is not known to name commits",
        )]);
    }
    Err(Failure::bare(
        Kind::Usage,
        "--range auto finds no CI system in the environment that says which commits to look at",
    )
    .hint("name the range: --range origin/main..HEAD"))
}

fn range(from: &str, to: &str, why: &str) -> Choice {
    Choice::Range {
        spec: format!("{from}..{to}"),
        why: why.to_owned(),
    }
}

fn everything(why: &str) -> Choice {
    Choice::Everything {
        why: why.to_owned(),
    }
}

/// Returns true for an ID of zeros, which means that there was nothing before.
fn is_null(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

/// Returns the fallbacks for a push with an unknown base: the default branch, unless it is the one pushed.
fn beside_default(default: Option<String>, branch: Option<String>) -> Vec<Choice> {
    match default {
        Some(default) if Some(&default) != branch.as_ref() => {
            let why = format!("a branch beside {default}");
            vec![range(&format!("origin/{default}"), "HEAD", &why)]
        }
        _ => vec![everything("because what was there before is not known")],
    }
}

fn github(set: &impl Fn(&str) -> Option<String>) -> Result<Vec<Choice>, Failure> {
    let event = match set("GITHUB_EVENT_PATH") {
        Some(path) => read_event(&path)?,
        None => Value::Null,
    };
    let text = |pointer: &str| {
        let value = event.pointer(pointer).and_then(Value::as_str);
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    if let Some(base) = text("/merge_group/base_sha") {
        return Ok(vec![range(&base, "HEAD", "GitHub merge queue")]);
    }
    let name = set("GITHUB_EVENT_NAME").unwrap_or_default();
    let before = set("GITHUB_EVENT_BEFORE").or_else(|| text("/before"));
    let Some(before) = before else {
        return Ok(vec![everything(&format!(
            "because GitHub's event {name} speaks of no commits"
        ))]);
    };
    let mut choices = Vec::new();
    if !is_null(&before) {
        choices.push(range(&before, "HEAD", "GitHub push"));
    }
    choices.extend(beside_default(
        text("/repository/default_branch"),
        set("GITHUB_REF_NAME"),
    ));
    Ok(choices)
}

fn read_event(path: &str) -> Result<Value, Failure> {
    let what = format!("cannot read GitHub's event {path}");
    let bytes =
        std::fs::read(path).map_err(|error| Failure::new(Kind::System, what.clone(), error))?;
    serde_json::from_slice(&bytes).map_err(|error| Failure::new(Kind::System, what, error))
}

fn gitlab(set: &impl Fn(&str) -> Option<String>) -> Vec<Choice> {
    if let Some(base) = set("CI_MERGE_REQUEST_DIFF_BASE_SHA") {
        return vec![range(&base, "HEAD", "GitLab merge request")];
    }
    let source = set("CI_PIPELINE_SOURCE").unwrap_or_default();
    if source != "push" {
        let why = format!("because GitLab's pipeline source is {source:?}");
        return vec![everything(&why)];
    }
    let mut choices = Vec::new();
    if let Some(before) = set("CI_COMMIT_BEFORE_SHA").filter(|before| !is_null(before)) {
        choices.push(range(&before, "HEAD", "GitLab push"));
    }
    choices.extend(beside_default(
        set("CI_DEFAULT_BRANCH"),
        set("CI_COMMIT_BRANCH"),
    ));
    choices
}

/// The commits of a pull request whose job runs on its target: `HEAD` is the target itself and has none of them.
fn github_target(set: &impl Fn(&str) -> Option<String>) -> Result<Vec<Choice>, Failure> {
    let path = set("GITHUB_EVENT_PATH").unwrap_or_default();
    let event = read_event(&path)?;
    let commit = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    match (
        commit("/pull_request/base/sha"),
        commit("/pull_request/head/sha"),
    ) {
        (Some(base), Some(head)) => Ok(vec![range(base, head, "GitHub pull request")]),
        _ => Err(Failure::bare(
            Kind::Usage,
            format!("GitHub's event {path} names no pull request"),
        )),
    }
}

fn travis(set: &impl Fn(&str) -> Option<String>) -> Vec<Choice> {
    let is_request = set("TRAVIS_PULL_REQUEST").is_some_and(|number| number != "false");
    if let Some(target) = set("TRAVIS_BRANCH").filter(|_| is_request) {
        let why = format!("Travis pull request into {target}");
        return vec![range(&format!("origin/{target}"), "HEAD", &why)];
    }
    let commits = set("TRAVIS_COMMIT_RANGE").unwrap_or_default();
    let mut choices = Vec::new();
    if let Some((before, _)) = commits
        .split_once("..")
        .filter(|(from, _)| !from.is_empty())
    {
        choices.push(range(before, "HEAD", "Travis push"));
    }
    choices.push(everything("because what was there before is not known"));
    choices
}

fn drone(set: &impl Fn(&str) -> Option<String>) -> Vec<Choice> {
    let is_request = set("DRONE_BUILD_EVENT").as_deref() == Some("pull_request");
    if let Some(target) = set("DRONE_TARGET_BRANCH").filter(|_| is_request) {
        let why = format!("Drone pull request into {target}");
        return vec![range(&format!("origin/{target}"), "HEAD", &why)];
    }
    let mut choices = Vec::new();
    if let Some(before) = set("DRONE_COMMIT_BEFORE").filter(|before| !is_null(before)) {
        choices.push(range(&before, "HEAD", "Drone push"));
    }
    choices.extend(beside_default(
        set("DRONE_REPO_BRANCH"),
        set("DRONE_BRANCH"),
    ));
    choices
}

/// For systems that name neither a base nor the default branch. What the remote calls the default branch is there
/// in a full clone.
fn beside_usual(what: &str, branch: Option<&str>) -> Vec<Choice> {
    let branch = branch.map(|branch| branch.strip_prefix("refs/heads/").unwrap_or(branch));
    let everything = everything(&format!("because {what} names no base"));
    match branch {
        None | Some("main" | "master") => vec![everything],
        Some(_) => {
            let beside = |name: &str, word: &str| {
                let why = format!("{what}, a branch beside {word}");
                range(&format!("origin/{name}"), "HEAD", &why)
            };
            vec![
                beside("HEAD", "the default"),
                beside("main", "main"),
                beside("master", "master"),
                everything,
            ]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specs(pairs: &[(&str, &str)]) -> Vec<String> {
        let env = |name: &str| {
            let found = pairs.iter().find(|pair| pair.0 == name);
            found.map(|pair| pair.1.to_owned())
        };
        let spec = |choice: Choice| match choice {
            Choice::Range { spec, .. } => spec,
            Choice::Everything { .. } => "everything".to_owned(),
        };
        choices(env).unwrap().into_iter().map(spec).collect()
    }

    #[test]
    fn pull_requests_start_at_their_target() {
        for name in ["GITHUB_BASE_REF", "CHANGE_TARGET"] {
            assert_eq!(specs(&[(name, "main")]), ["origin/main..HEAD"]);
        }
        let azure = [("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/dev")];
        assert_eq!(specs(&azure), ["origin/dev..HEAD"]);
        let gitlab = [
            ("GITLAB_CI", "true"),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "abc"),
        ];
        assert_eq!(specs(&gitlab), ["abc..HEAD"]);
        let framework = [("PRE_COMMIT_FROM_REF", "a"), ("PRE_COMMIT_TO_REF", "b")];
        assert_eq!(specs(&framework), ["a..b"]);
    }

    #[test]
    fn pushes_start_where_the_branch_was() {
        let gitlab = |before, branch| {
            specs(&[
                ("GITLAB_CI", "true"),
                ("CI_PIPELINE_SOURCE", "push"),
                ("CI_COMMIT_BEFORE_SHA", before),
                ("CI_DEFAULT_BRANCH", "main"),
                ("CI_COMMIT_BRANCH", branch),
            ])
        };
        assert_eq!(gitlab("abc", "x"), ["abc..HEAD", "origin/main..HEAD"]);
        assert_eq!(gitlab("0000", "x"), ["origin/main..HEAD"]);
        assert_eq!(gitlab("0000", "main"), ["everything"]);
        let github = [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_BEFORE", "abc")];
        assert_eq!(specs(&github), ["abc..HEAD", "everything"]);
        let jenkins = [
            ("JENKINS_URL", "x"),
            ("GIT_PREVIOUS_SUCCESSFUL_COMMIT", "a"),
        ];
        assert_eq!(specs(&jenkins), ["a..HEAD", "everything"]);
    }

    #[test]
    fn systems_without_a_base_compare_with_the_default_branch() {
        let usual = [
            "origin/HEAD..HEAD",
            "origin/main..HEAD",
            "origin/master..HEAD",
            "everything",
        ];
        for (system, branch) in [
            ("CIRCLECI", "CIRCLE_BRANCH"),
            ("TF_BUILD", "BUILD_SOURCEBRANCH"),
            ("BITBUCKET_BUILD_NUMBER", "BITBUCKET_BRANCH"),
        ] {
            assert_eq!(specs(&[(system, "1"), (branch, "refs/heads/x")]), usual);
            let main = [(system, "1"), (branch, "refs/heads/main")];
            assert_eq!(specs(&main), ["everything"]);
            assert_eq!(specs(&[(system, "1")]), ["everything"]);
        }
        let buildkite = |branch| {
            specs(&[
                ("BUILDKITE", "true"),
                ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", ""),
                ("BUILDKITE_PIPELINE_DEFAULT_BRANCH", "main"),
                ("BUILDKITE_BRANCH", branch),
            ])
        };
        assert_eq!(buildkite("x"), ["origin/main..HEAD"]);
        assert_eq!(buildkite("main"), ["everything"]);
        assert_eq!(specs(&[("CI", "true")]), ["everything"]);
    }

    #[test]
    fn travis_and_drone_name_what_was_there_before() {
        let travis = |more: &[(&str, &str)]| specs(&[&[("TRAVIS", "true")], more].concat());
        let request = [("TRAVIS_PULL_REQUEST", "7"), ("TRAVIS_BRANCH", "main")];
        assert_eq!(travis(&request), ["origin/main..HEAD"]);
        let push = [
            ("TRAVIS_PULL_REQUEST", "false"),
            ("TRAVIS_BRANCH", "main"),
            ("TRAVIS_COMMIT_RANGE", "abc...def"),
        ];
        assert_eq!(travis(&push), ["abc..HEAD", "everything"]);
        assert_eq!(travis(&[]), ["everything"]);
        let drone = |more: &[(&str, &str)]| specs(&[&[("DRONE", "true")], more].concat());
        let request = [
            ("DRONE_BUILD_EVENT", "pull_request"),
            ("DRONE_TARGET_BRANCH", "main"),
            ("DRONE_COMMIT_BEFORE", "abc"),
        ];
        assert_eq!(drone(&request), ["origin/main..HEAD"]);
        let push = [("DRONE_COMMIT_BEFORE", "abc")];
        assert_eq!(drone(&push), ["abc..HEAD", "everything"]);
    }

    #[test]
    fn a_job_on_the_target_of_a_pull_request_looks_at_the_request() {
        let dir = tempfile::tempdir().unwrap();
        let event = dir.path().join("event.json");
        let json = r#"{"pull_request": {"base": {"sha": "abc"}, "head": {"sha": "def"}}}"#;
        std::fs::write(&event, json).unwrap();
        let path = event.to_str().unwrap();
        let env = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_BASE_REF", "main"),
            ("GITHUB_EVENT_NAME", "pull_request_target"),
            ("GITHUB_EVENT_PATH", path),
        ];
        // `HEAD` is the target there, and `origin/main..HEAD` would be nothing.
        assert_eq!(specs(&env), ["abc..def"]);
    }

    #[test]
    fn nothing_known_of_is_an_error_and_a_schedule_is_everything() {
        assert!(choices(|_| None).is_err());
        let github = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "schedule"),
        ];
        assert_eq!(specs(&github), ["everything"]);
        let gitlab = [("GITLAB_CI", "true"), ("CI_PIPELINE_SOURCE", "schedule")];
        assert_eq!(specs(&gitlab), ["everything"]);
    }
}

//! Which commits a CI system, or the pre-commit framework, wants looked at: what `--range auto` stands for.
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
        /// Where that was read.
        why: String,
    },
    /// All that there is.
    Everything {
        /// Why nothing is left out.
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

/// What to look at: the first choice that the clone has the commits for; the last one has no replacement.
pub(crate) fn choices(env: impl Fn(&str) -> Option<String>) -> Result<Vec<Choice>, Failure> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    if let Some(from) = set("PRE_COMMIT_FROM_REF") {
        let to = set("PRE_COMMIT_TO_REF").unwrap_or_else(|| "HEAD".to_owned());
        return Ok(vec![range(&from, &to, "from PRE_COMMIT_FROM_REF")]);
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
    if set("CIRCLECI").is_some() {
        return Ok(circle(&set));
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

/// An id of zeros stands for "there was nothing".
fn is_null(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

/// What comes after the base of a push that is not known: the default branch, unless it is the one pushed.
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

/// CircleCI says nothing of a base. What its remote calls the default branch is there in a full clone.
fn circle(set: &impl Fn(&str) -> Option<String>) -> Vec<Choice> {
    match set("CIRCLE_BRANCH").as_deref() {
        None | Some("main" | "master") => vec![everything("because CircleCI names no base")],
        Some(_) => vec![
            range(
                "origin/HEAD",
                "HEAD",
                "CircleCI, a branch beside the default",
            ),
            range("origin/main", "HEAD", "CircleCI, a branch beside main"),
            range("origin/master", "HEAD", "CircleCI, a branch beside master"),
            everything("because CircleCI names no base"),
        ],
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

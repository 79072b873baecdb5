//! The sentence that says what was found.

use crate::engine::Match;
use crate::level::Level;
use crate::rule::Rule;

/// One sentence for a person: what it is, whose, and where. Holds no secret.
pub(super) fn message(
    rule: &Rule,
    found: &Match,
    key_id: Option<&str>,
    account_id: Option<&str>,
) -> String {
    let mut text = match key_id {
        Some(key_id) if rule.kind.is_aws() => aws_key(found, key_id, account_id),
        Some(key_id) => format!("{}: {key_id}", first_sentence(&rule.description)),
        None if found.level < rule.level && found.level > Level::Note => {
            format!("Possibly: {}", first_sentence(&rule.description))
        }
        None => first_sentence(&rule.description).to_owned(),
    };
    if let Some(context) = &found.context {
        text.push_str(", in ");
        text.push_str(article(context));
        text.push_str(context);
    }
    text
}

fn aws_key(found: &Match, key_id: &str, account_id: Option<&str>) -> String {
    let noun = if found.secret.is_some() {
        "AWS access key"
    } else {
        "AWS access key ID"
    };
    let account = account_id.map_or_else(String::new, |id| format!(" of account {id}"));
    let rest = match (&found.secret, &found.token) {
        (Some(_), Some(_)) => " with its secret and session token",
        (Some(_), None) => " with its secret",
        (None, Some(_)) => " with a session token, without its secret",
        (None, None) => " without its secret",
    };
    format!("{noun} {key_id}{account}{rest}")
}

fn first_sentence(description: &str) -> &str {
    let text = description.trim();
    let end = text.find(". ").or_else(|| text.find(".\n"));
    end.and_then(|end| text.get(..end))
        .unwrap_or_else(|| text.trim_end_matches('.'))
}

/// The article before `context`, with its space; none before a name that has one or is a file.
fn article(context: &str) -> &'static str {
    match context.chars().next() {
        Some('a' | 'e' | 'i' | 'o' | 'u' | 'A' | 'E' | 'I' | 'O' | 'U') => {
            if context.starts_with("a ") || context.starts_with("an ") {
                ""
            } else {
                "an "
            }
        }
        Some(first) if first.is_alphabetic() && !context.starts_with("the ") => "a ",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_and_articles() {
        assert_eq!(first_sentence("A key. It opens all."), "A key");
        assert_eq!(first_sentence("A key."), "A key");
        assert_eq!(first_sentence("api.x.io key"), "api.x.io key");
        assert_eq!(article("boto3 call"), "a ");
        assert_eq!(article("environment file"), "an ");
        assert_eq!(article("~/.aws/credentials"), "");
        assert_eq!(article("the shell history"), "");
    }
}

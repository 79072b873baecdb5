//! A validator for JSON schemas, as much of them as the tests need: what it does not know, it refuses.

use regex::Regex;
use serde_json::{Map, Value};

/// Keywords that say nothing about whether a value is right.
const SILENT: &[&str] = &[
    "$schema",
    "$id",
    "id",
    "$comment",
    "title",
    "description",
    "default",
    "definitions",
    "$defs",
    "examples",
];

/// A schema of draft 4 to 2020-12 whose keywords mean the same in all of them.
#[derive(Clone, Copy, Debug)]
pub struct Schema<'s> {
    root: &'s Value,
}

impl<'s> Schema<'s> {
    /// A schema whose references point into itself.
    pub fn new(root: &'s Value) -> Self {
        Self { root }
    }

    /// Everything that is wrong with a value, each with its place.
    pub fn faults(self, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(self.root, value, "", &mut faults);
        faults
    }

    fn is_right(self, schema: &Value, value: &Value) -> bool {
        let mut faults = Vec::new();
        self.check(schema, value, "", &mut faults);
        faults.is_empty()
    }

    fn check(self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        if let Some(right) = schema.as_bool() {
            if !right {
                faults.push(format!("{at}: may not be there"));
            }
            return;
        }
        let keywords = schema.as_object().expect("a schema is an object");
        let mut fault = |what: String| faults.push(format!("{at}: {what}"));
        for (keyword, rule) in keywords {
            let is_right = match keyword.as_str() {
                name if SILENT.contains(&name) => true,
                // Below, with places of their own.
                "$ref" | "properties" | "additionalProperties" | "items" | "allOf" => true,
                "type" => match rule {
                    Value::Array(types) => types.iter().any(|name| has_type(value, name)),
                    name => has_type(value, name),
                },
                "enum" => list(rule).contains(value),
                "const" => rule == value,
                "anyOf" => list(rule).iter().any(|schema| self.is_right(schema, value)),
                "oneOf" => {
                    let right = list(rule).iter().filter(|it| self.is_right(it, value));
                    right.count() == 1
                }
                "required" => value.as_object().is_none_or(|object| {
                    list(rule)
                        .iter()
                        .all(|name| object.contains_key(text(name)))
                }),
                "minItems" => value.as_array().is_none_or(|it| it.len() >= size(rule)),
                "maxItems" => value.as_array().is_none_or(|it| it.len() <= size(rule)),
                "uniqueItems" => value
                    .as_array()
                    .is_none_or(|it| (1..it.len()).all(|end| !it[..end].contains(&it[end]))),
                "minLength" => value
                    .as_str()
                    .is_none_or(|it| it.chars().count() >= size(rule)),
                "maxLength" => value
                    .as_str()
                    .is_none_or(|it| it.chars().count() <= size(rule)),
                "minimum" => value.as_f64().is_none_or(|it| it >= number(rule)),
                "maximum" => value.as_f64().is_none_or(|it| it <= number(rule)),
                "pattern" => value
                    .as_str()
                    .is_none_or(|it| Regex::new(text(rule)).expect("a regex").is_match(it)),
                "format" => value.as_str().is_none_or(|it| has_format(it, text(rule))),
                other => panic!("the schema's keyword {other} is not known here"),
            };
            if !is_right {
                fault(format!("{keyword} {rule}, is {value}"));
            }
        }
        self.check_within(keywords, value, at, faults);
    }

    fn check_within(
        self,
        keywords: &Map<String, Value>,
        value: &Value,
        at: &str,
        faults: &mut Vec<String>,
    ) {
        if let Some(reference) = keywords.get("$ref") {
            let pointer = text(reference).strip_prefix('#').expect("a place in here");
            let schema = self.root.pointer(pointer).expect("what is referred to");
            self.check(schema, value, at, faults);
        }
        for schema in keywords.get("allOf").map(list).unwrap_or_default() {
            self.check(schema, value, at, faults);
        }
        if let (Some(schema), Some(items)) = (keywords.get("items"), value.as_array()) {
            for (index, item) in items.iter().enumerate() {
                self.check(schema, item, &format!("{at}/{index}"), faults);
            }
        }
        let named = keywords.get("properties").and_then(Value::as_object);
        for (name, item) in value.as_object().into_iter().flatten() {
            let schema = named.and_then(|named| named.get(name));
            if let Some(schema) = schema.or_else(|| keywords.get("additionalProperties")) {
                self.check(schema, item, &format!("{at}/{name}"), faults);
            }
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn size(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a size")).expect("a small one")
}

fn has_type(value: &Value, name: &Value) -> bool {
    match text(name) {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("there is no type {other}"),
    }
}

fn has_format(value: &str, name: &str) -> bool {
    // RFC 3986: what may stand in an address, and a percent sign with its two digits.
    let characters = r"^(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$";
    let patterns = match name {
        "uri" => [r"^[A-Za-z][A-Za-z0-9+.-]*:", characters],
        // The first part of a relative one has no colon.
        "uri-reference" => [
            r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|[^:/?#]*(?:[/?#]|$))",
            characters,
        ],
        "date-time" => [
            r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$",
            "",
        ],
        other => panic!("the format {other} is not known here"),
    };
    let mut regexes = patterns.iter().map(|it| Regex::new(it).expect("a regex"));
    regexes.all(|regex| regex.is_match(value))
}

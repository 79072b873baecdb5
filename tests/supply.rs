//! The dependencies of each program: their licences, where they come from, and what is not among them, held against
//! its own `deny.toml`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> toml::Table {
    let text = std::fs::read_to_string(root().join(name)).expect(name);
    text.parse().expect(name)
}

/// Each program, its manifest, and the rules for what it is made of.
const PROGRAMS: &[(&str, &str, &str)] = &[
    (env!("CARGO_PKG_NAME"), "Cargo.toml", "deny.toml"),
    ("keysieve-verify", "verify/Cargo.toml", "verify/deny.toml"),
];

/// The words of a list in a file of rules.
fn words(rules: &str, section: &str, key: &str) -> BTreeSet<String> {
    let rules = read(rules);
    let list = rules[section][key].as_array().expect("a list");
    list.iter()
        .map(|word| word.as_str().expect("a word").to_owned())
        .collect()
}

/// Returns Cargo's metadata of the dependencies that are built here; all of them are on this machine.
fn metadata(manifest: &str) -> Value {
    let host = Command::new(env!("CARGO"))
        .args(["--version", "--verbose"])
        .output()
        .expect("cargo runs");
    let host = String::from_utf8(host.stdout).expect("text");
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("a host");
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["metadata", "--locked", "--offline", "--format-version=1"])
        .args(["--filter-platform", host, "--manifest-path", manifest])
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The packages that one package is made of, itself among them, by the resolution in Cargo's answer.
fn made_of<'a>(metadata: &'a Value, name: &str) -> Vec<&'a Value> {
    let packages = metadata["packages"].as_array().expect("packages");
    let package = |id: &Value| {
        let mut all = packages.iter();
        all.find(|package| package["id"] == *id).expect("a package")
    };
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes");
    let mut all = packages.iter();
    let first = all.find(|package| package["name"] == name).expect(name);
    let mut found = vec![first];
    let mut at = 0;
    while let Some(next) = found.get(at) {
        let mut all = nodes.iter();
        let node = all.find(|node| node["id"] == next["id"]).expect("a node");
        for id in node["dependencies"].as_array().expect("a list") {
            let package = package(id);
            if !found.contains(&package) {
                found.push(package);
            }
        }
        at += 1;
    }
    found
}

/// The packages of a lock file that one package is made of on any platform, itself among them.
fn locked<'a>(lock: &'a toml::Table, name: &str) -> Vec<&'a toml::Value> {
    let packages = lock["package"].as_array().expect("packages");
    let mut all = packages.iter();
    let first = all.find(|package| package["name"].as_str() == Some(name));
    let mut found = vec![first.expect(name)];
    let mut at = 0;
    while let Some(next) = found.get(at) {
        let dependencies = next.get("dependencies").and_then(toml::Value::as_array);
        for dependency in dependencies.into_iter().flatten() {
            // The name, and the version if there are several.
            let mut words = dependency.as_str().expect("a name").split(' ');
            let (name, version) = (words.next(), words.next());
            let is_it = |package: &&toml::Value| {
                package["name"].as_str() == name
                    && (version.is_none() || package["version"].as_str() == version)
            };
            let mut all = packages.iter();
            let package = all.find(is_it).expect("a package");
            if !found.contains(&package) {
                found.push(package);
            }
        }
        at += 1;
    }
    found
}

/// Returns true if an SPDX expression can be met with the allowed licences. The slash is Cargo's old word for OR.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = any_of(&words, &mut at, allowed);
    assert_eq!(at, words.len(), "{expression}");
    met
}

fn any_of(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut met = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all_of(words, at, allowed);
    }
    met
}

fn all_of(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut met = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, allowed);
    }
    met
}

fn one(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let word = words.get(*at).copied().expect("a licence");
    *at += 1;
    if word == "(" {
        let met = any_of(words, at, allowed);
        assert_eq!(words.get(*at), Some(&")"));
        *at += 1;
        return met;
    }
    if words.get(*at) == Some(&"WITH") {
        // An exception gives more rights, never fewer, but is allowed only by its own name.
        let name = format!("{word} WITH {}", words[*at + 1]);
        *at += 2;
        return allowed.contains(&name);
    }
    allowed.contains(word)
}

#[test]
fn expressions_of_licences_are_read_as_they_are_meant() {
    let allowed = BTreeSet::from(["MIT", "Zlib"].map(str::to_owned));
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("MIT/GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND Zlib", true),
        ("(MIT OR GPL-3.0) AND GPL-3.0", false),
        ("GPL-3.0 OR MIT AND Zlib", true),
        ("GPL-3.0 AND MIT OR GPL-3.0", false),
        ("Apache-2.0 WITH LLVM-exception", false),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
    ] {
        assert_eq!(is_allowed(expression, &allowed), met, "{expression}");
    }
}

#[test]
fn every_dependency_may_be_used_and_passed_on() {
    for (name, manifest, rules) in PROGRAMS {
        let allowed = words(rules, "licenses", "allow");
        let metadata = metadata(manifest);
        let packages = made_of(&metadata, name);
        assert!(packages.len() > 100);
        for package in packages {
            let licence = package["license"].as_str().unwrap_or_default();
            assert!(
                !licence.is_empty() && is_allowed(licence, &allowed),
                "{name}: {}: {licence:?}",
                package["name"]
            );
        }
    }
}

/// On every platform, not only this one: the lock files name them all.
#[test]
fn no_program_is_made_of_what_is_banned() {
    let (lock, fuzz) = (read("Cargo.lock"), read("fuzz/Cargo.lock"));
    for (lock, name, rules) in [
        (&lock, env!("CARGO_PKG_NAME"), "deny.toml"),
        (&fuzz, "keysieve-fuzz", "deny.toml"),
        (&lock, "keysieve-verify", "verify/deny.toml"),
    ] {
        let banned = words(rules, "bans", "deny");
        let packages = locked(lock, name);
        assert!(packages.len() > 100, "{name}: {}", packages.len());
        for package in packages {
            let package = package["name"].as_str().expect("a name");
            assert!(!banned.contains(package), "{name}: {package} is banned");
        }
    }
}

/// The dependencies that the scanner must not have are those that the other program needs: the ban means something.
#[test]
fn the_scanner_lacks_what_opens_connections() {
    let banned = words("deny.toml", "bans", "deny");
    let lock = read("Cargo.lock");
    let names = |name| -> BTreeSet<&str> {
        let packages = locked(&lock, name).into_iter();
        packages
            .filter_map(|package| package["name"].as_str())
            .collect()
    };
    let (scanner, verify) = (names(env!("CARGO_PKG_NAME")), names("keysieve-verify"));
    for name in ["ureq", "rustls", "ring"] {
        assert!(banned.contains(name) && verify.contains(name) && !scanner.contains(name));
    }
}

#[test]
fn every_dependency_comes_from_the_one_registry() {
    let registries = words("deny.toml", "sources", "allow-registry");
    let (lock, fuzz) = (read("Cargo.lock"), read("fuzz/Cargo.lock"));
    let packages = |lock: &toml::Table| lock["package"].as_array().expect("packages").clone();
    let packages = [packages(&lock), packages(&fuzz)].concat();
    assert!(packages.len() > 200);
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        if [env!("CARGO_PKG_NAME"), "keysieve-fuzz", "keysieve-verify"].contains(&name) {
            continue;
        }
        let source = package["source"].as_str().unwrap_or_default();
        let registry = source.strip_prefix("registry+").unwrap_or_default();
        assert!(registries.contains(registry), "{name}: {source:?}");
        assert!(package.get("checksum").is_some(), "{name} has no checksum");
    }
}

#[test]
fn every_dependency_that_is_named_here_has_a_version() {
    for name in ["Cargo.toml", "verify/Cargo.toml", "fuzz/Cargo.toml"] {
        let manifest = read(name);
        let target = manifest.get("target").and_then(toml::Value::as_table);
        let tables = target.into_iter().flat_map(toml::Table::values);
        let tables = tables.filter_map(toml::Value::as_table).chain([&manifest]);
        for (key, dependencies) in tables.flatten() {
            if !key.ends_with("dependencies") {
                continue;
            }
            for (dependency, told) in dependencies.as_table().expect("a table") {
                let version = told.as_str().or_else(|| told.get("version")?.as_str());
                let is_path = told.get("path").is_some();
                let is_pinned = version.is_some_and(|version| !version.contains('*'));
                assert!(is_path || is_pinned, "{name}: {dependency}");
            }
        }
    }
}

#[test]
fn no_dependency_that_is_named_here_is_built_twice() {
    // gix is ahead with the one; it goes as soon as both meet.
    const KNOWN: &[&str] = &["sha2"];
    let manifest = read("Cargo.toml");
    let lock = read("Cargo.lock");
    let packages = locked(&lock, env!("CARGO_PKG_NAME"));
    let named = manifest["dependencies"].as_table().expect("dependencies");
    for name in named.keys() {
        let versions = packages
            .iter()
            .filter(|package| package["name"].as_str() == Some(name))
            .count();
        let expected = 1 + usize::from(KNOWN.contains(&name.as_str()));
        assert_eq!(versions, expected, "{name}");
    }
}

//! The packages for pip and npm are of the crate's version.

use std::path::Path;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_npm_package_names_the_version_of_the_crate_everywhere() {
    let package: Value = serde_json::from_str(&read("npm/package.json")).expect("JSON");
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
    let platforms = package["optionalDependencies"]
        .as_object()
        .expect("platforms");
    assert!(!platforms.is_empty());
    for version in platforms.values() {
        assert_eq!(version, env!("CARGO_PKG_VERSION"));
    }
}

#[test]
fn the_python_package_takes_its_version_from_the_crate() {
    let package: toml::Table = read("pyproject.toml").parse().expect("TOML");
    let dynamic = package["project"]["dynamic"].as_array().expect("a list");
    assert!(dynamic.iter().any(|name| name.as_str() == Some("version")));
    assert_eq!(package["tool"]["maturin"]["bindings"].as_str(), Some("bin"));
}

#[test]
fn the_examples_for_ci_name_the_version_of_the_crate() {
    let text = read("docs/ci.md");
    let version = env!("CARGO_PKG_VERSION");
    for (before, expected) in [("keyfence==", 2), ("keyfence@v", 1)] {
        assert_eq!(text.matches(before).count(), expected, "{before}");
        assert_eq!(
            text.matches(&format!("{before}{version}")).count(),
            expected,
            "{before}"
        );
    }
}

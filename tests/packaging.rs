//! Packages have the crate's version, and everything has its name.

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
fn the_python_packages_take_their_version_from_the_crates() {
    for (path, name) in [
        ("pyproject.toml", "keysieve"),
        ("verify/pyproject.toml", "keysieve-verify"),
    ] {
        let package: toml::Table = read(path).parse().expect("TOML");
        assert_eq!(package["project"]["name"].as_str(), Some(name));
        let dynamic = package["project"]["dynamic"].as_array().expect("a list");
        assert!(dynamic.iter().any(|name| name.as_str() == Some("version")));
        assert_eq!(package["tool"]["maturin"]["bindings"].as_str(), Some("bin"));
    }
}

#[test]
fn both_programs_have_one_version() {
    let verify: toml::Table = read("verify/Cargo.toml").parse().expect("TOML");
    let version = Some(env!("CARGO_PKG_VERSION"));
    assert_eq!(verify["package"]["version"].as_str(), version);
    let library = &verify["dependencies"]["keysieve"];
    assert_eq!(library["version"].as_str(), version);
}

#[test]
fn the_example_for_github_names_the_version_of_the_crate() {
    let text = read("docs/ci.md");
    let version = concat!("keysieve@v", env!("CARGO_PKG_VERSION"));
    assert_eq!(text.matches("keysieve@v").count(), 1);
    assert_eq!(text.matches(version).count(), 1);
}

/// Nothing was published under the project's first name, which is that of another tool.
#[test]
fn no_file_has_the_old_name() {
    let name = ["key", "fence"].concat();
    let prefix = ["k", "f", "1:"].concat();
    let output = std::process::Command::new("git")
        .current_dir(root())
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output()
        .expect("git runs");
    assert!(output.status.success(), "not a checkout");
    let mut found = Vec::new();
    let mut files = 0;
    for path in output.stdout.split(|byte| *byte == 0) {
        let path = String::from_utf8_lossy(path);
        let Ok(bytes) = std::fs::read(root().join(path.as_ref())) else {
            continue; // The empty name at the end, and files that are removed but not yet staged.
        };
        files += 1;
        let text = [path.as_bytes(), b"\n", &bytes]
            .concat()
            .to_ascii_lowercase();
        for word in [&name, &prefix] {
            if text.windows(word.len()).any(|part| part == word.as_bytes()) {
                found.push(format!("{path}: {word}"));
            }
        }
    }
    assert!(files > 100, "only {files} files seen");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

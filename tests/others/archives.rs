//! Archives as the real tools make them.

use super::World;
use crate::support::{Keys, TestCommand, pair};

/// Commands of a shell, each of which makes one file `made` of the folder `in`, and the kinds of steps that lead to
/// `in/etc/app.env`.
const MADE: &[(&str, &[&str])] = &[
    ("tar --format=v7 --exclude=deep -cf made in", &["tar"]),
    ("tar --format=oldgnu -cf made in", &["tar"]),
    ("tar --format=gnu -cf made in", &["tar"]),
    ("tar --format=ustar -cf made in", &["tar"]),
    ("tar --format=posix -cf made in", &["tar"]),
    ("tar --format=posix --sparse -cf made in", &["tar"]),
    ("tar --format=gnu --sparse -cf made in", &["tar"]),
    (
        "tar -cf a in/small && tar -cf b in/etc && cat a b > made",
        &["tar"],
    ),
    ("tar -czf made in", &["gzip", "tar"]),
    ("tar -c in | pigz -b 128 -p 2 > made", &["gzip", "tar"]),
    ("tar -cJf made in", &["xz", "tar"]),
    ("tar -c in | xz --block-size=65536 > made", &["xz", "tar"]),
    ("tar -c in | xz --format=lzma > made", &["lzma", "tar"]),
    ("tar -cjf made in", &["bzip2", "tar"]),
    ("tar -c in | zstd -q -19 --long=27 > made", &["zstd", "tar"]),
    ("tar -c in | zstd -q --no-check > made", &["zstd", "tar"]),
    ("tar -c in | lzip > made", &["lzip", "tar"]),
    ("zip -qr made.zip in && mv made.zip made", &["zip"]),
    ("zip -q0r made.zip in && mv made.zip made", &["zip"]),
    ("zip -qr - in | cat > made", &["zip"]),
    ("zip -qr a.zip in && cat /bin/true a.zip > made", &["zip"]),
    (
        "zip -qr a.zip in && cat /bin/true a.zip > made && zip -qA made",
        &["zip"],
    ),
    (
        "7zz a -tzip -mm=bzip2 made.zip in && mv made.zip made",
        &["zip"],
    ),
    ("7zz a made.7z in && mv made.7z made", &["7z"]),
    ("7zz a -m0=lzma made.7z in && mv made.7z made", &["7z"]),
    ("7zz a -m0=bzip2 made.7z in && mv made.7z made", &["7z"]),
    ("7zz a -m0=deflate made.7z in && mv made.7z made", &["7z"]),
    (
        "7zz a -m0=copy -mhc=off made.7z in && mv made.7z made",
        &["7z"],
    ),
    (
        "7zz a -m0=BCJ -m1=LZMA2 -ms=off made.7z in && mv made.7z made",
        &["7z"],
    ),
    (
        "7zz a -m0=delta -m1=LZMA made.7z in && mv made.7z made",
        &["7z"],
    ),
    ("find in | cpio -o -H newc > made", &["cpio"]),
    ("find in | cpio -o -H crc > made", &["cpio"]),
    ("find in | cpio -o -H odc > made", &["cpio"]),
    ("find in | cpio -o -H bin > made", &["cpio"]),
    ("find in | cpio -o -H ustar > made", &["tar"]),
    (
        "dpkg-deb -Zgzip --root-owner-group -b package made",
        &["ar", "gzip", "tar"],
    ),
    (
        "dpkg-deb -Zxz --root-owner-group -b package made",
        &["ar", "xz", "tar"],
    ),
    ("python3 -m zipapp in/etc -m a:b -c -o made", &["zip"]),
    (
        "git -C in init -q && git -C in add . && git -C in -c user.name=a -c user.email=a@b commit -qm a && git -C in archive --prefix=in/ HEAD > made",
        &["tar"],
    ),
];

#[test]
#[ignore = "it needs other people's tools: .ci/others"]
fn what_real_tools_make_is_opened_to_its_last_byte() {
    let mut failed = Vec::new();
    for (number, (command, kinds)) in MADE.iter().enumerate() {
        let world = World::new();
        let dir = world.repo.path().to_owned();
        let mut keys = Keys::new(number as u64);
        let text = format!("# settings\n{}", pair(number as u64));
        let noise: Vec<u8> = (0..300_000).map(|_| keys.next() as u8).collect();
        let write = |path: &str, bytes: &[u8]| {
            let path = dir.join(path);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
            std::fs::write(path, bytes).expect("a file");
        };
        write("in/etc/app.env", text.as_bytes());
        write("in/etc/a.py", b"b = 1\n");
        write("in/small", b"hello\n");
        write("in/noise", &noise);
        write(&format!("in/{}/long", "deep/".repeat(30)), b"hello\n");
        write("package/etc/app.env", text.as_bytes());
        let control =
            b"Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: a\n";
        write("package/DEBIAN/control", control);
        let script = format!("set -e; {{ {command}; }} > /dev/null 2>&1");
        world
            .with_env(TestCommand::new("sh", &dir))
            .args(["-c", &script])
            .status(0);
        let run = world
            .with_env(TestCommand::keysieve(&dir))
            .args(["scan", "made", "--format", "json"])
            .run();
        let report = run.json();
        let place = &report["findings"][0]["places"][0];
        let steps = place["inside"].as_array().cloned().unwrap_or_default();
        let found: Vec<&str> = steps
            .iter()
            .filter_map(|step| step["kind"].as_str())
            .collect();
        let name = steps
            .last()
            .and_then(|step| step["name"].as_str())
            .unwrap_or_default();
        if run.status != 1 || found != *kinds || !name.ends_with("app.env") {
            failed.push(format!(
                "{command}: {} {found:?} {name}\n{}",
                run.status,
                run.out()
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
#[ignore = "it needs other people's tools: .ci/others"]
fn what_real_tools_encrypt_is_said() {
    for command in [
        "7zz a -tzip -psecret made.zip in",
        "7zz a -tzip -psecret -mem=AES256 made.zip in",
        "7zz a -psecret made.7z in",
        "7zz a -psecret -mhe=on made.7z in",
    ] {
        let world = World::new();
        let dir = world.repo.path().to_owned();
        std::fs::create_dir(dir.join("in")).expect("a directory");
        std::fs::write(dir.join("in/a.txt"), "hello\n").expect("a file");
        let script = format!("{command} > /dev/null && mv made.* made");
        let shell = world.with_env(TestCommand::new("sh", &dir));
        shell.args(["-c", &script]).status(0);
        let scan = world.with_env(TestCommand::keysieve(&dir));
        let run = scan.args(["scan", "made"]).status(2);
        assert!(run.out().contains("encrypted"), "{command}: {}", run.show());
    }
}

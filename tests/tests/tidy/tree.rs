//! The files of the repository: those that are there, less those that `.gitignore` names.

use std::fs;
use std::path::{Path, PathBuf};

use crate::rust_source::{Source, read_sources};

/// A file of the repository.
pub(crate) struct File {
    /// From the root, with forward slashes.
    pub(crate) path: String,
    /// Nothing when it is not UTF-8 text.
    pub(crate) text: Option<String>,
}

impl File {
    /// A file of an example tree.
    pub(crate) fn of(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: Some(text.to_owned()) }
    }

    /// Whether it is Rust source.
    pub(crate) fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    /// Whether its name ends with a dot and this.
    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }
}

/// Every file of the repository, sorted by path.
pub(crate) fn files() -> Vec<File> {
    let root = root();
    let ignored = fs::read_to_string(root.join(".gitignore")).expect(".gitignore");
    let ignored: Vec<&str> = ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let mut paths = Vec::new();
    walk(&root, "", &ignored, &mut paths);
    paths.sort();
    let read = |path: String| {
        let text = String::from_utf8(fs::read(root.join(&path)).expect("a file just listed")).ok();
        File { path, text }
    };
    let files: Vec<File> = paths.into_iter().map(read).collect();
    assert!(files.iter().any(|file| file.path == "Cargo.toml"), "{} is not the workspace", root.display());
    files
}

/// Every Rust source of the repository, read.
pub(crate) fn rust_sources() -> Vec<Source> {
    read_sources(&files())
}

/// The root of the workspace: the folder above this package.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("this package has a folder above it").to_owned()
}

/// Collects the paths of all files below `folder`, which is below `root`.
fn walk(root: &Path, folder: &str, ignored: &[&str], found: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(folder)).expect("a readable folder") {
        let entry = entry.expect("a readable entry");
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if is_ignored(&path, ignored) {
            continue;
        }
        if entry.file_type().expect("a file type").is_dir() {
            walk(root, &path, ignored, found);
        } else {
            found.push(path);
        }
    }
}

/// Whether git leaves this path out. Of the forms a pattern can have only three are understood, and
/// any other is refused, lest a file be skipped unseen.
fn is_ignored(path: &str, patterns: &[&str]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let matches = |pattern: &&str| {
        let plain = pattern.trim_end_matches('/');
        if let Some(anchored) = plain.strip_prefix('/') {
            assert!(!anchored.contains('*'), "teach {} the pattern {pattern:?}", file!());
            path == anchored
        } else if let Some(ending) = plain.strip_prefix('*') {
            name.ends_with(ending)
        } else {
            assert!(!plain.contains(['*', '/', '!']), "teach {} the pattern {pattern:?}", file!());
            name == plain
        }
    };
    path == ".git" || patterns.iter().any(matches)
}

#[test]
fn what_git_ignores_is_left_out() {
    let patterns = ["/target", "*.log", "node_modules/"];
    for path in [".git", "target", "infra/run.log", "infra/node_modules"] {
        assert!(is_ignored(path, &patterns), "{path}");
    }
    for path in [".gitignore", "infra/target", "catalog", "targets"] {
        assert!(!is_ignored(path, &patterns), "{path}");
    }
}

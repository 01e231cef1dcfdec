//! Imports go one way: `domain` ← `cloud` ← `functions/*` ← `infra/local`; the tests take nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::finds;

/// A package of the workspace.
pub(crate) struct Package {
    /// From the root, with forward slashes.
    folder: String,
    /// The folders of the packages of this workspace that it depends on in any way.
    needs: Vec<String>,
}

/// The packages of this workspace, as cargo sees them.
pub(crate) fn workspace() -> Vec<Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"];
    let output = Command::new(cargo).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let output = output.expect("cargo could be started");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata = serde_json::from_slice(&output.stdout).expect("metadata as cargo writes it");
    let root = Path::new(&metadata.workspace_root);
    let folder = |path: &str| {
        let below = Path::new(path).strip_prefix(root).expect("a package of the workspace is inside it");
        below.to_str().expect("a path in UTF-8").replace('\\', "/")
    };
    let package = |found: &FoundPackage| Package {
        folder: folder(found.manifest_path.trim_end_matches("Cargo.toml")),
        needs: found.dependencies.iter().filter_map(|needed| needed.path.as_deref()).map(folder).collect(),
    };
    metadata.packages.iter().map(package).collect()
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<FoundPackage>,
    workspace_root: String,
}

#[derive(Deserialize)]
struct FoundPackage {
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    /// Only of a package of this workspace.
    path: Option<String>,
}

/// Dependencies that go the wrong way, and packages that have no place in the order.
pub(crate) fn wrong_imports(packages: &[Package]) -> Vec<String> {
    let order = BTreeMap::from([
        ("shared/domain", &[] as &[&str]),
        ("shared/cloud", &["shared/domain"]),
        ("functions", &["shared/domain", "shared/cloud"]),
        ("infra/local", &["shared/domain", "shared/cloud", "functions"]),
        // The reference must not inherit the product's mistakes: it sees the built program only.
        ("tests", &[]),
        // These drive the product's own parts, and judge them by what they know themselves.
        ("tests/hostile", &["shared/domain", "shared/cloud", "functions"]),
        ("tests/protocol", &["shared/domain", "shared/cloud", "infra/local"]),
        ("tests/simulation", &["shared/domain", "shared/cloud", "functions", "infra/local"]),
    ]);
    let mut findings = Vec::new();
    for package in packages {
        let Some(allowed) = order.get(layer(&package.folder)) else {
            findings.push(format!(
                "{}: this package has no place in the order of imports; give it one in {}",
                package.folder,
                file!()
            ));
            continue;
        };
        for needed in package.needs.iter().filter(|needed| !allowed.contains(&layer(needed))) {
            findings.push(format!(
                "{0}/Cargo.toml: {0} may not depend on {needed}; it may on: {1}. Move what both need down to where \
                 both may reach it",
                package.folder,
                if allowed.is_empty() { "no package of this workspace".to_owned() } else { allowed.join(", ") },
            ));
        }
    }
    findings
}

/// A function's place is that of all functions.
fn layer(folder: &str) -> &str {
    if folder.starts_with("functions/") { "functions" } else { folder }
}

#[test]
fn a_wrong_import_is_found() {
    let package = |folder: &str, needs: &[&str]| Package {
        folder: folder.to_owned(),
        needs: needs.iter().map(|&needed| needed.to_owned()).collect(),
    };
    let good = [
        package("shared/domain", &[]),
        package("shared/cloud", &["shared/domain"]),
        package("functions/one", &["shared/domain", "shared/cloud"]),
        package("infra/local", &["shared/domain", "shared/cloud", "functions/one", "functions/two"]),
        package("tests", &[]),
    ];
    finds(&wrong_imports(&good), &[]);
    let bad = [
        package("shared/domain", &["shared/cloud"]),
        package("shared/cloud", &["functions/one"]),
        package("functions/one", &["functions/two"]),
        package("tests", &["shared/domain"]),
        package("tools", &[]),
    ];
    let expected = [
        "shared/domain may not depend on shared/cloud",
        "shared/cloud may not depend on functions/one",
        "functions/one may not depend on functions/two",
        "tests may not depend on shared/domain",
        "tools: this package has no place",
    ];
    finds(&wrong_imports(&bad), &expected);
}

#[test]
fn cargo_knows_the_packages() {
    let packages = workspace();
    let domain = packages.iter().find(|package| package.folder == "shared/domain").expect("the domain");
    let cloud = packages.iter().find(|package| package.folder == "shared/cloud").expect("the cloud");
    assert!(domain.needs.is_empty());
    assert_eq!(cloud.needs, ["shared/domain"]);
}

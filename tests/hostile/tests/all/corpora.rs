//! Every file that was found worth keeping, replayed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use retorno_hostile::targets::{TARGETS, Target};

/// Files of one target, and their bytes together.
const FILES_MAX: usize = 40;
const BYTES_MAX: usize = 60 << 10;
/// Beginnings of a file that are tried as well.
const BEGINNINGS_MAX: usize = 48;

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder that can be read");
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A target's corpus, by file name.
fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = package().join("corpus").join(target.name);
    names(&folder)
        .into_iter()
        .map(|name| folder.join(name))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

#[test]
fn every_file_of_a_corpus_holds() {
    for target in TARGETS {
        for (path, bytes) in corpus(target) {
            // Shown only when the target fails.
            eprintln!("{}", path.display());
            (target.run)(&bytes);
        }
    }
}

#[test]
fn every_beginning_of_a_file_holds() {
    for target in TARGETS {
        for (path, bytes) in corpus(target) {
            let step = bytes.len().div_ceil(BEGINNINGS_MAX).max(1);
            for length in (0..bytes.len()).step_by(step) {
                eprintln!("{} {length}", path.display());
                (target.run)(&bytes[..length]);
            }
        }
    }
}

#[test]
fn each_target_has_a_small_corpus_and_a_program() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(targets.len(), TARGETS.len());
    assert_eq!(names(&package().join("corpus")), targets, "corpora");
    let programs = names(&package().join("fuzz/fuzz_targets"));
    let named = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(programs, named, "programs");
    let manifest = fs::read_to_string(package().join("fuzz/Cargo.toml")).unwrap();
    for target in TARGETS {
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{} is not built", target.name);
        let sizes: Vec<usize> = corpus(target).iter().map(|(_, bytes)| bytes.len()).collect();
        assert!((5..=FILES_MAX).contains(&sizes.len()), "{}: {} files", target.name, sizes.len());
        assert!(sizes.iter().sum::<usize>() <= BYTES_MAX, "{}: too large", target.name);
    }
}

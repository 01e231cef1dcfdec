//! Files that are no export, each for its own reason.

use super::{HEADER, good_row, read_all};
use crate::export::{Limits, NotAnExport, REQUIRED_COLUMNS};

fn refused(bytes: &[u8]) -> NotAnExport {
    read_all(bytes, Limits::default()).unwrap_err()
}

#[test]
fn an_empty_file() {
    for bytes in [&b""[..], b"\xEF\xBB\xBF", b"\r\n \n", b",,,\n,,"] {
        assert_eq!(refused(bytes), NotAnExport::Empty, "{bytes:?}");
    }
}

#[test]
fn a_header_alone() {
    for end in ["", "\n", "\r\n", "\n\n,,,,,,,,,\n"] {
        assert_eq!(refused(format!("{HEADER}{end}").as_bytes()), NotAnExport::HeaderOnly, "{end:?}");
    }
}

#[test]
fn utf_16_with_a_mark_and_without() {
    let text = format!("{HEADER}\n{}\n", good_row("1"));
    let plain: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(refused(&plain), NotAnExport::Utf16);
    assert_eq!(refused(&[b"\xFF\xFE", plain.as_slice()].concat()), NotAnExport::Utf16);
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(refused(&[b"\xFE\xFF", big.as_slice()].concat()), NotAnExport::Utf16);
}

#[test]
fn a_header_in_windows_1252() {
    let header = [b"sesi\xF3n,", HEADER.as_bytes(), b"\n"].concat();
    assert_eq!(refused(&header), NotAnExport::HeaderNotUtf8 { byte: 5 });
}

#[test]
fn other_kinds_of_file() {
    for (bytes, expected) in [
        (&b"PK\x03\x04\x14\0\x06\0"[..], NotAnExport::Zip),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", NotAnExport::OldWorkbook),
        (b"\x1F\x8B\x08\0\0\0\0\0", NotAnExport::Gzip),
        (b"%PDF-1.7\n", NotAnExport::Pdf),
        (b"\xEF\xBB\xBF\n <!doctype html><html>", NotAnExport::Markup),
        (b"<?xml version=\"1.0\"?>", NotAnExport::Markup),
        (b"\x7FELF\x02\x01\x01abcdefghijklmnop", NotAnExport::Binary),
        (b"\x89PNG\r\n\x1A\n", NotAnExport::HeaderNotUtf8 { byte: 1 }),
    ] {
        assert_eq!(refused(bytes), expected);
    }
}

#[test]
fn other_separators_are_named() {
    for (separator, quoted, word) in [(';', false, "semicolons"), (';', true, "semicolons"), ('\t', false, "tabs")] {
        let cells = HEADER.split(',').map(|name| if quoted { format!("\"{name}\"") } else { name.to_owned() });
        let header = cells.collect::<Vec<_>>().join(&separator.to_string());
        let wrong = refused(format!("{header}\n").as_bytes());
        assert_eq!(wrong, NotAnExport::Separator { found: separator });
        assert!(wrong.to_string().contains(word), "{wrong}");
    }
}

#[test]
fn missing_columns_are_all_named() {
    let header = HEADER.replace("zona_horaria,", "").replace("estado", "status");
    let wrong = refused(format!("{header}\n{}\n", good_row("1")).as_bytes());
    assert_eq!(wrong, NotAnExport::MissingColumns { missing: vec!["zona_horaria", "estado"] });
    assert!(wrong.to_string().ends_with("zona_horaria, estado"), "{wrong}");
}

#[test]
fn a_file_without_a_header_is_told_so_without_its_patient() {
    let wrong = refused(good_row("1").as_bytes());
    assert_eq!(wrong, NotAnExport::MissingColumns { missing: REQUIRED_COLUMNS.to_vec() });
    assert!(!wrong.to_string().contains("Ana"), "{wrong}");
}

#[test]
fn columns_that_come_twice() {
    let wrong = refused(format!("{HEADER},importe,estado,importe,nota,nota,,\n").as_bytes());
    assert_eq!(wrong, NotAnExport::DuplicateColumns { duplicated: vec!["estado", "importe"] });
}

#[test]
fn too_many_columns() {
    let header = format!("{HEADER}{}\n", ",x".repeat(247));
    assert_eq!(refused(header.as_bytes()), NotAnExport::TooManyColumns { found: 257, max: 256 });
    let fits = format!("{HEADER}{}\n{}{}\n", ",x".repeat(246), good_row("1"), ",".repeat(246));
    assert_eq!(read_all(fits.as_bytes(), Limits::default()).unwrap().len(), 1);
}

#[test]
fn a_header_that_does_not_end() {
    for header in [format!("\"{HEADER}\n1,2\n"), format!("{HEADER},\"a\"b\n"), "x".repeat(2_000_000)] {
        assert_eq!(refused(header.as_bytes()), NotAnExport::HeaderMalformed);
    }
}

#[test]
fn a_source_that_fails_at_once() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }
    let wrong = read_all(Broken, Limits::default()).unwrap_err();
    assert_eq!(wrong, NotAnExport::ReadFailed(std::io::ErrorKind::ConnectionReset));
}

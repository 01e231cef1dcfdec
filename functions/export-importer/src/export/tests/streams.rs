//! Whatever bytes come, in whatever pieces: bounded memory, no panic, and the good rows land.

use std::io::{self, Read};

use proptest::prelude::*;

use super::{Dribble, HEADER, file, good_row, outcomes, read, read_all};
use crate::export::{ExportReader, Limits};

const SMALL: Limits =
    Limits { record_bytes_max: 400, cell_bytes_max: 200, columns_max: 256, rows_max: 50, file_bytes_max: 20_000 };

#[test]
fn a_line_of_200_mb_costs_itself_and_no_memory() {
    for (filler, quote, code) in
        [(b'x', "", "cell_too_long"), (b',', "", "record_too_long"), (b'x', "\"", "cell_too_long")]
    {
        let before = format!("{HEADER}\n{}\n{quote}", good_row("a"));
        let after = format!("\n{}\n", good_row("b"));
        let endless = io::repeat(filler).take(200 << 20);
        let source = before.as_bytes().chain(endless).chain(after.as_bytes());
        let mut reader = ExportReader::open(source, Limits::default()).unwrap();
        let rows = reader.by_ref().collect();
        let column = if code == "cell_too_long" { "id_cita" } else { "-" };
        assert_eq!(outcomes(&rows), ["2 a".to_owned(), format!("3 {column} {code}"), "4 b".to_owned()]);
        assert!(reader.records.window().buffer_bytes() <= (1 << 20) + (256 << 10));
        assert!(reader.bytes_read() > 200 << 20);
    }
}

#[test]
fn an_open_quote_costs_its_own_line() {
    // Closed by nothing, by the end of a quoted cell further on, and by a quote within a word.
    for later in [good_row("c"), good_row("c").replace("Ana", "\"Ana\""), good_row("c").replace("Ana", "O\"Brien")] {
        let open = good_row("a").replace("Ana", "\"Ana");
        let rows = read(&file(&[&open, &good_row("b"), &later, &good_row("d")]));
        let [first, rest @ ..] = outcomes(&rows).try_into().map(|rows: [String; 4]| rows).unwrap();
        assert!(first.starts_with("2 "), "{first}");
        assert_eq!(rest, ["3 b", "4 c", "5 d"]);
    }
}

#[test]
fn an_open_quote_does_not_swallow_a_long_file() {
    let mut text = file(&[&good_row("first"), &good_row("open").replace("Ana", "\"Ana")]);
    for row in 0..20_000 {
        text.push_str(&good_row(&row.to_string()));
        text.push('\n');
    }
    let rows = read(&text);
    let refused: Vec<_> = rows.iter().filter_map(|row| row.as_ref().err()).collect();
    assert_eq!(refused.len(), 1);
    let told = refused.first().unwrap().to_string();
    assert_eq!(
        told,
        "line 3, column paciente_nombre: a quote (\") opens cell 4 and is not closed; close it, or double it inside the text"
    );
    assert_eq!(rows.len(), 20_002);
}

#[test]
fn invalid_utf_8_is_refused_where_it_stands() {
    let mut bytes = file(&[&good_row("a"), &good_row("b").replace("Ana", "Mar#a"), &good_row("c")]).into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'#').unwrap();
    *bytes.get_mut(at).unwrap() = 0xED;
    let rows = read_all(bytes.as_slice(), Limits::default()).unwrap();
    assert_eq!(outcomes(&rows), ["2 a", "3 paciente_nombre not_utf8", "4 c"]);
}

#[test]
fn limits_on_rows_and_bytes_end_reading_and_say_so() {
    let ids: Vec<String> = (0..60).map(|row| good_row(&row.to_string())).collect();
    let text = file(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let rows = read_all(text.as_bytes(), SMALL).unwrap();
    assert_eq!(outcomes(&rows).last().unwrap(), "52 - too_many_rows");
    assert_eq!(rows.len(), 51);

    let bytes_max = text.len() as u64 - 10;
    let rows = read_all(text.as_bytes(), Limits { file_bytes_max: bytes_max, ..Limits::default() }).unwrap();
    assert_eq!(outcomes(&rows).last().unwrap(), "61 - file_too_long");
    assert!(rows.last().unwrap().as_ref().unwrap_err().reason.ends_reading());
    assert_eq!(rows.len(), 60);
    let whole = Limits { file_bytes_max: text.len() as u64, ..Limits::default() };
    assert!(read_all(text.as_bytes(), whole).unwrap().iter().all(Result::is_ok));
}

#[test]
fn a_source_that_breaks_off_says_where() {
    struct ThenBroken<'a>(&'a [u8]);
    impl Read for ThenBroken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::ErrorKind::TimedOut.into()),
                read => Ok(read),
            }
        }
    }
    let text = format!("{HEADER}\n{}\n{}", good_row("a"), good_row("b"));
    let padded = text.replacen("Ana", &"x".repeat(450), 1);
    let long = format!("{padded}{}", ",".repeat(8000));
    let rows = read_all(ThenBroken(long.as_bytes()), Limits::default()).unwrap();
    assert_eq!(outcomes(&rows), ["2 a", "3 - read_failed"]);
}

/// Pieces that make trouble when put together, beside good rows.
fn troubled_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => (0..1000u32).prop_map(|id| format!("{}\n", good_row(&id.to_string())).into_bytes()),
        1 => proptest::sample::select(vec!["\"", "\"\"", ",", "\n", "\r", "\r\n", "x", "é", "\0", "opt-in "])
            .prop_map(|piece| piece.as_bytes().to_vec()),
        1 => (1..600usize).prop_map(|count| vec![b'y'; count]),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(piece, 0..40)
        .prop_map(|pieces| [format!("{HEADER}\n").into_bytes(), pieces.concat()].concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        if let Ok(rows) = read_all(bytes.as_slice(), SMALL) {
            prop_assert!(rows.len() <= 51);
        }
    }

    #[test]
    fn arbitrary_bytes_after_a_header_are_counted_and_the_pieces_do_not_matter(
        bytes in troubled_text(),
        step in 1..700usize,
    ) {
        let whole = read_all(bytes.as_slice(), SMALL);
        let pieces = read_all(Dribble { bytes: &bytes, step }, SMALL);
        prop_assert_eq!(&whole, &pieces);
        // Lines only go up, so a refusal points to one place.
        if let Ok(rows) = whole {
            let lines: Vec<u64> = rows.iter().map(|row| row.as_ref().map_or_else(|refusal| refusal.line, |row| row.line)).collect();
            prop_assert!(lines.is_sorted());
        }
    }
}

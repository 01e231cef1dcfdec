//! The file of agreements.

use retorno_domain::channel::Channel;

use crate::export::{ConsentsReader, Limits};

#[test]
fn agreements_are_read_and_refused_like_appointments() {
    let text = "paciente_id,canales,fecha,como\n\
                P1,\"whatsapp,email\",2026-02-27,ficha firmada\n\
                P2,WhatsApp email,2026-02-27,por teléfono\n\
                P3,,2026-02-27,ficha\n\
                P4,fax,2026-02-27,ficha\n\
                P5,whatsapp,27/02/2026,ficha\n\
                P6,whatsapp,2026-02-27, \n\
                ,whatsapp,2026-02-27,ficha\n";
    let mut reader = ConsentsReader::open(text.as_bytes(), Limits::default()).unwrap();
    let (rows, refusals): (Vec<_>, Vec<_>) = reader.by_ref().partition(Result::is_ok);
    let rows: Vec<_> =
        rows.into_iter().map(Result::unwrap).map(|row| (row.line, row.patient_id, row.channels)).collect();
    let both = [Channel::Whatsapp, Channel::Email].into_iter().collect();
    assert_eq!(rows, [(2, "P1".to_owned(), both), (3, "P2".to_owned(), both)]);
    let refusals: Vec<_> = refusals.into_iter().map(Result::unwrap_err).map(|r| (r.column, r.reason.code())).collect();
    let expected = [
        (Some("canales"), "empty"),
        (Some("canales"), "consent_channel"),
        (Some("fecha"), "consent_date"),
        (Some("como"), "empty"),
        (Some("paciente_id"), "empty"),
    ];
    assert_eq!(refusals, expected);
    assert_eq!(reader.counts().read, 7);
    assert!(ConsentsReader::open(&b"paciente_id,canales\n"[..], Limits::default()).is_err());
}

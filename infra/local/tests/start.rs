#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
//! The program itself: started, killed, started again, spoken to.

mod program;

use std::path::Path;
use std::process::Output;

use program::{Running, retorno, run};
use serde_json::Value;

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn start(data: &Path) -> Running {
    Running(retorno(data, &["--port", "0"]).spawn().unwrap())
}

#[test]
fn killed_while_it_loads_it_loads_the_rest_and_answers_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let not_running = run(&data, &["segments"]);
    assert!(!not_running.status.success());
    assert!(String::from_utf8_lossy(&not_running.stderr).contains("start it with `retorno`"));

    let first = start(&data);
    let second_clinic = || std::fs::read_to_string(data.join("clinics.json")).is_ok_and(|list| list.contains("ipe"));
    while !second_clinic() {
        std::thread::yield_now();
    }
    drop(first); // SIGKILL
    let begun = std::fs::read_to_string(data.join("demo.json")).unwrap();

    let mut again = start(&data);
    again.wait();
    let loaded = std::fs::read_to_string(data.join("demo.json")).unwrap();
    assert_eq!(loaded.replace("true", "false"), begun.replace("true", "false"), "the same day's clinics");
    assert!(loaded.contains("true"));
    for clinic in ["aurora", "ipe"] {
        let segments = json(&run(&data, &["segments", "--clinic", clinic, "--json"]));
        assert_eq!(segments["segments"]["patients"], 1000);
    }

    let in_use = run(&data, &["--port", "0"]);
    assert!(!in_use.status.success());
    assert!(String::from_utf8_lossy(&in_use.stderr).contains("in use by another process"));
    let which = run(&data, &["outbox"]);
    assert!(String::from_utf8_lossy(&which.stderr).contains("--clinic"));

    let moved = run(&data, &["advance", "next"]);
    assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
    let list = [
        json(&run(&data, &["outbox", "--clinic", "aurora", "--json"])),
        json(&run(&data, &["outbox", "--clinic", "ipe", "--json"])),
    ];
    let sent = list.iter().flat_map(|list| list.as_array().unwrap()).count();
    assert!(sent > 0, "next stops at a message");
    let why = run(&data, &["why", "P0001", "--clinic", "aurora"]);
    let said = String::from_utf8_lossy(&why.stdout).into_owned();
    assert!(said.contains("rules of entry") && said.contains("the answer may change"), "{said}");
}

#[test]
fn a_terminal_that_goes_away_takes_nothing_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut talkative = retorno(&data, &["--no-demo", "--port", "0"]);
    let mut running = Running(talkative.env("RUST_LOG", "trace").spawn().unwrap());
    drop(running.read_until_it_runs());
    let export = folder.path().join("export.csv");
    std::fs::write(
        &export,
        "id_cita,fecha_hora_inicio,zona_horaria,paciente_nombre,paciente_contacto,profesional,servicio,estado,\
         origen_lead,consentimiento\n\
         1,2025-03-03T10:00:00,America/Argentina/Buenos_Aires,Ana Paz,,Dra. Ruiz,limpieza,completada,web,\n",
    )
    .unwrap();
    // An import writes many lines at this level.
    let imported = run(&data, &["import", export.to_str().unwrap(), "--new-clinic", "k"]);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    assert!(running.0.try_wait().unwrap().is_none(), "it ended");
}

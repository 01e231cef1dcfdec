#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| retorno_hostile::targets::aws_event::run(bytes));

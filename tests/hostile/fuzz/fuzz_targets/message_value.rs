#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| retorno_hostile::targets::message_value::run(bytes));

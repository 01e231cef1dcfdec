#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| retorno_hostile::targets::gateway_webhook::run(bytes));

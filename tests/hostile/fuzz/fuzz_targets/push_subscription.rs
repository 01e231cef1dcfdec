#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| retorno_hostile::targets::push_subscription::run(bytes));

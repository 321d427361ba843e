//! Any bytes as a file of a report. The report refuses the whole file, or reads it alike in any pieces. Every
//! counted row has a class or a reason.
#![no_main]
use cake_edge::report::Report;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const FILES: [&str; 8] = [
    "kind=orders",
    "kind=orders\ndialect=shopify\nprefix=#",
    "kind=orders\ndialect=woocommerce\ndecimal=,\ngroup=.",
    "kind=orders\ndialect=stripe",
    "kind=orders\nencoding=windows-1252\ndates=DD/MM/YYYY",
    "kind=conversions",
    "kind=deliveries",
    "kind=clicks",
];

fn read(options: &str, file: &[u8], piece: usize) -> Option<(Value, Value)> {
    let mut report = Report::open("seed=7\nzone=0:0").expect("these options are valid");
    report.begin(options).expect("these options are valid");
    for chunk in file.chunks(piece.max(1)) {
        let at = report.room(chunk.len()).ok()?;
        report.input()[at..at + chunk.len()].copy_from_slice(chunk);
        report.read(chunk.len()).ok()?;
    }
    report.end().ok()?;
    while report.step().ok()? < 1.0 {}
    let mut answer = |ask: fn(&mut Report)| -> Value {
        ask(&mut report);
        serde_json::from_str(&report.take_answer()).expect("an answer is JSON")
    };
    let understood = answer(Report::understood);
    let mut result = answer(|report| report.result().expect("it is reconciled"));
    // The memory depends on the pieces.
    result.as_object_mut().expect("a result is an object").remove("bytes");
    let _ = answer(|report| report.rows("limit=10000").expect("it is reconciled"));
    Some((understood, result))
}

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (file, piece, bytes) = input;
    let options = FILES[usize::from(file) % FILES.len()];
    let whole = read(options, bytes, bytes.len());
    let pieces = read(options, bytes, usize::from(piece));
    // A file without a valid header may be refused or not, depending on the size of the first piece.
    if let (Some(whole), Some(pieces)) = (&whole, &pieces) {
        assert_eq!(whole.1["classes"], pieces.1["classes"]);
    }
    let Some((understood, result)) = whole else { return };
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let classes = result["classes"].as_array().expect("classes are a list");
    let (orders, conversions): (u64, u64) = classes.iter().fold((0, 0), |sum, class| {
        (sum.0 + count(&class["orders"]), sum.1 + count(&class["conversions"]))
    });
    assert_eq!((orders, conversions), (count(&result["orders"]), count(&result["conversions"])));
    assert_eq!(count(&result["unreadable"]), count(&understood[0]["unreadable"]));
});

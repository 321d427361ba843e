//! A report. Numbers cross, and texts in two buffers of bytes: a file's and a question's. One
//! report lives in one instance of the module, so that its memory is freed with it.

use crate::report::Report;
use crate::report::out::of_error;
use crate::{Error, Result};
use std::sync::Mutex;
use wasm_bindgen::prelude::wasm_bindgen;

#[derive(Debug)]
struct State {
    report: Option<Report>,
    text: Vec<u8>,
    answer: String,
}

static STATE: Mutex<State> = Mutex::new(State {
    report: None,
    text: Vec::new(),
    answer: String::new(),
});

/// The result of a failed call; the answer is then the error.
const FAILED: f64 = -1.0;

fn with<T>(fallback: T, run: impl FnOnce(&mut State) -> T) -> T {
    // The lock is free: there is one thread, and the core never calls back.
    match STATE.try_lock() {
        Ok(mut state) => run(&mut state),
        Err(_) => fallback,
    }
}

fn settle(state: &mut State, outcome: Result<f64>) -> f64 {
    match outcome {
        Ok(number) => {
            if let Some(report) = &mut state.report {
                state.answer = report.take_answer();
            }
            number
        }
        Err(error) => {
            state.answer = of_error(&error);
            FAILED
        }
    }
}

/// Makes room for the text of a question, and returns the address for its bytes.
#[must_use]
#[wasm_bindgen]
pub fn place(bytes: usize) -> *const u8 {
    with(core::ptr::null(), |state| {
        state.text.clear();
        state.text.resize(bytes, 0);
        state.text.as_ptr()
    })
}

/// The address of the last answer: JSON text in UTF-8.
#[must_use]
#[wasm_bindgen]
pub fn answer() -> *const u8 {
    with(core::ptr::null(), |state| state.answer.as_ptr())
}

/// The length of the last answer, in bytes.
#[must_use]
#[wasm_bindgen]
pub fn answer_length() -> usize {
    with(0, |state| state.answer.len())
}

/// Makes room for `bytes` more bytes of the current file, and returns their address. 0 is a
/// failure, and the answer is then the error.
#[must_use]
#[wasm_bindgen]
pub fn room(bytes: usize) -> *const u8 {
    with(core::ptr::null(), |state| {
        let Some(report) = &mut state.report else {
            return core::ptr::null();
        };
        match report.room(bytes) {
            Ok(at) => report
                .input()
                .get(at..)
                .map_or(core::ptr::null(), <[u8]>::as_ptr),
            Err(error) => {
                state.answer = of_error(&error);
                core::ptr::null()
            }
        }
    })
}

/// Reads the rows of `bytes` bytes that were put there. A result below 0 is a failure, and the
/// answer is then the error.
#[must_use]
#[wasm_bindgen]
pub fn read(bytes: usize) -> f64 {
    with(FAILED, |state| {
        let outcome = match &mut state.report {
            Some(report) => report.read(bytes).map(|()| 0.0),
            None => Err(Error::Internal),
        };
        settle(state, outcome)
    })
}

/// Runs the command of a number on the text that was placed; see js/report/core.ts. A result below
/// 0 is a failure, and the answer is then the error. A step of reconciling returns the part that is
/// done.
#[must_use]
#[wasm_bindgen]
pub fn run(command: u32) -> f64 {
    with(FAILED, |state| {
        let text = core::mem::take(&mut state.text);
        let text = String::from_utf8_lossy(&text);
        let outcome = if command == 0 {
            Report::open(&text).map(|report| {
                state.report = Some(report);
                0.0
            })
        } else {
            match &mut state.report {
                // A step is called often: the compiler of the platform would take up the others beside it.
                Some(report) if command == 4 => report.step(),
                Some(report) => command_of(report, command, &text).map(|()| 0.0),
                None => Err(Error::Internal),
            }
        };
        settle(state, outcome)
    })
}

#[inline(never)]
fn command_of(report: &mut Report, command: u32, text: &str) -> Result<()> {
    match command {
        1 => report.begin(text)?,
        2 => report.end()?,
        3 => report.cancel(),
        5 => report.stop(),
        6 => report.understood(),
        7 => report.result()?,
        8 => report.by_pair()?,
        9 => report.rows(text)?,
        10 => report.corrections(text)?,
        11 => report.values(text)?,
        12 => report.break_down(text)?,
        13 => report.attribute(text)?,
        14 => report.announce(text.parse().unwrap_or(0)),
        _ => return Err(Error::Internal),
    }
    Ok(())
}

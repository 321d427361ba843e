//! The deliveries of a shard, for JavaScript: the steps of attempts, each a synchronous call, and
//! the circuit breaker.
//!
//! JavaScript carries the steps out. An awaited future of ours would cost more turns of the event
//! loop than the step itself takes.

use super::received::{Bounds, Deadline, failure, garbled, receive};
use super::{number, random, to_integer};
use crate::api::{Account, Answer, plain_body};
use crate::delivery::attempt::{Attempt, Facts, Input, Knowledge, Moment, Row, Step, wire};
use crate::delivery::circuit_breaker::Lane;
use crate::delivery::{CircuitBreaker, Route, clock, schedule};
use crate::url::push_number;
use crate::{Error, Result};
use js_sys::Date;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::AbortSignal;

/// An attempt in progress, and the step that JavaScript carries out.
#[derive(Debug)]
struct Running {
    attempt: Attempt,
    step: Step,
}

/// The word of a [`Lane`]. It crosses as a number: a text would cost more than its choice.
#[wasm_bindgen(js_name = Lane)]
#[derive(Clone, Copy, Debug)]
pub enum LaneWord {
    /// See [`Lane::Oldest`].
    Oldest = "oldest",
    /// See [`Lane::Newest`].
    Newest = "newest",
    /// See [`Lane::Anywhere`].
    Anywhere = "anywhere",
    /// See [`Lane::Free`].
    Free = "free",
}

/// Must CAKE be asked what became of an earlier attempt, before the event is sent? See [`Knowledge::looks_up`].
#[must_use]
#[wasm_bindgen(js_name = looksUp)]
pub fn looks_up(
    is_correction: bool,
    is_in_doubt: bool,
    is_deduplicated: bool,
    knowledge: &str,
) -> bool {
    Knowledge::from_word(knowledge).looks_up(is_correction, is_in_doubt, is_deduplicated)
}

/// From when on a clock counts as set, in milliseconds since 1970; see [`clock::SET_FROM_MS`].
#[must_use]
#[wasm_bindgen(js_name = clockSetFrom)]
pub fn clock_set_from() -> JsValue {
    number(clock::SET_FROM_MS)
}

/// Makes attempts, and holds the shard's circuit breaker. It holds the key, and shows nothing of
/// it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Deliverer {
    route: Rc<Route>,
    timeout_ms: u32,
    clock_speed: f64,
    breaker: RefCell<CircuitBreaker>,
    attempts: RefCell<Vec<Option<Running>>>,
}

#[wasm_bindgen]
impl Deliverer {
    /// Opens the way to CAKE: the API of an account, or `p.ashx` of a `pixel_domain`. There the
    /// account takes corrections alone. `clock_speed` is how many times faster than real time the
    /// outbox's clock runs.
    ///
    /// # Errors
    /// Those of [`Route::new`].
    #[wasm_bindgen(constructor)]
    pub fn new(
        base_url: &str,
        api_key: &str,
        pixel_domain: Option<String>,
        timeout_ms: u32,
        clock_speed: f64,
    ) -> Result<Self, JsValue> {
        Ok(Self {
            route: Rc::new(Route::new(base_url, api_key, pixel_domain)?),
            timeout_ms,
            clock_speed,
            breaker: RefCell::new(Self::breaker(timeout_ms, clock_speed)),
            attempts: RefCell::default(),
        })
    }

    /// The text that tells this account's conversions from another's.
    #[must_use]
    pub fn account(&self) -> String {
        self.route.account().to_owned()
    }

    /// Can corrections be sent? They need an account.
    #[must_use]
    #[wasm_bindgen(js_name = takesCorrections)]
    pub fn takes_corrections(&self) -> bool {
        self.route.older().is_some()
    }

    /// Starts paused, because the key was refused when the previous object ended; see
    /// [`CircuitBreaker::paused`].
    #[wasm_bindgen(js_name = startPaused)]
    pub fn start_paused(&self) {
        *self.breaker.borrow_mut() = Self::breaker(self.timeout_ms, self.clock_speed).paused();
    }

    /// Does CAKE refuse the key?
    #[must_use]
    #[wasm_bindgen(js_name = isPaused)]
    pub fn is_paused(&self) -> bool {
        self.breaker.borrow().is_paused()
    }

    /// When the next attempt may start, by the outbox's clock in milliseconds; 0 means now.
    #[must_use]
    #[wasm_bindgen(js_name = stalledUntil)]
    pub fn stalled_until(&self, now_ms: f64) -> JsValue {
        number(self.breaker.borrow().stalled_until_ms(to_integer(now_ms)))
    }

    /// Why attempts pause; see [`CircuitBreaker::rest_reason`].
    #[must_use]
    #[wasm_bindgen(js_name = restReason)]
    pub fn rest_reason(&self, now_ms: f64) -> String {
        let breaker = self.breaker.borrow();
        breaker.rest_reason(to_integer(now_ms)).to_owned()
    }

    /// Which event is tried next, if any. See [`CircuitBreaker::lane`].
    #[must_use]
    pub fn lane(
        &self,
        now_ms: f64,
        under_way: u32,
        oldest_under_way: u32,
        looking_up: u32,
    ) -> Option<LaneWord> {
        let (mut breaker, attempts) = (self.breaker.borrow_mut(), self.attempts.borrow());
        let now_ms = to_integer(now_ms);
        let running = attempts.iter().flatten();
        breaker.see(running.filter_map(|running| running.attempt.sent()), now_ms);
        match breaker.lane(now_ms, under_way, oldest_under_way, looking_up) {
            Lane::Nothing => None,
            Lane::Oldest => Some(LaneWord::Oldest),
            Lane::Newest => Some(LaneWord::Newest),
            Lane::Anywhere => Some(LaneWord::Anywhere),
            Lane::Free => Some(LaneWord::Free),
        }
    }

    /// What must not be started in the lane `free`: the word `look_ups`, and the numbers of kinds, an offer's or 0 for
    /// corrections, each with a space behind it. See [`CircuitBreaker::held`].
    #[must_use]
    pub fn held(&self, now_ms: f64, under_way: &[f64], looking_up: u32) -> String {
        let kinds: Vec<_> = under_way.iter().map(|kind| to_integer(*kind)).collect();
        let breaker = self.breaker.borrow();
        let held = breaker.held(to_integer(now_ms), &kinds, looking_up);
        let look_ups = if held.look_ups { "look_ups " } else { "" };
        format_numbers(look_ups, &held.kinds)
    }

    /// The kinds of events whose requests take long while others are answered, in the same form.
    #[must_use]
    #[wasm_bindgen(js_name = slowKinds)]
    pub fn slow_kinds(&self, now_ms: f64) -> String {
        format_numbers("", &self.breaker.borrow().slow_kinds(to_integer(now_ms)))
    }

    /// The offers of events in trouble, each with a space behind it, which a probe avoids; see
    /// [`CircuitBreaker::offers_in_trouble`].
    #[must_use]
    #[wasm_bindgen(js_name = offersInTrouble)]
    pub fn offers_in_trouble(&self) -> String {
        format_numbers("", self.breaker.borrow().offers_in_trouble())
    }

    /// The longest wait that the schedule gives an event, by the outbox's clock in milliseconds.
    #[must_use]
    #[wasm_bindgen(js_name = longestWait)]
    pub fn longest_wait(&self) -> JsValue {
        number(schedule::LONGEST_WAIT_MS)
    }

    /// Starts an attempt at a [`Row`] with its [`Facts`], field by field, and returns the attempt's
    /// number. `knowledge` is a word of [`Knowledge::from_word`].
    ///
    /// The caller carries out [`Deliverer::step`] until that is the row's change, and then calls
    /// [`Deliverer::end`].
    ///
    /// # Errors
    /// [`Error::Internal`] where there are too many attempts.
    #[expect(clippy::too_many_arguments, reason = "one for each field of the row")]
    pub fn start(
        &self,
        number: f64,
        text: String,
        accepted_at: String,
        accepted_utc_ms: f64,
        attempts: u32,
        is_in_doubt: bool,
        code: String,
        changed_ms: f64,
        is_deduplicated: bool,
        knowledge: &str,
        quiet_from_ms: f64,
    ) -> Result<u32, JsValue> {
        let row = Row {
            number: to_integer(number),
            text,
            accepted_at,
            accepted_utc_ms: to_integer(accepted_utc_ms),
            attempts,
            is_in_doubt,
            code,
            changed_ms: to_integer(changed_ms),
        };
        let facts = Facts {
            is_deduplicated,
            knowledge: Knowledge::from_word(knowledge),
            quiet_from_ms: to_integer(quiet_from_ms),
        };
        let mut attempt = Attempt::new(&self.route, row, facts, self.moment().now_ms);
        let step = attempt.start(&mut self.breaker.borrow_mut(), self.moment());
        let running = Some(Running { attempt, step });
        let mut attempts = self.attempts.borrow_mut();
        let free = attempts.iter().position(Option::is_none);
        let number = free.unwrap_or(attempts.len());
        match attempts.get_mut(number) {
            Some(place) => *place = running,
            None => attempts.push(running),
        }
        Ok(u32::try_from(number).map_err(|_| Error::Internal)?)
    }

    /// What an attempt needs now. No text: send [`Deliverer::url`], and report by `answered`,
    /// `receive` or `failed`. `siblings`, maybe with a conversion's id behind it, `conversion`
    /// with its id, `family` or `sending`: report by `told`. Any other text
    /// is the row's change as JSON, see `Transition::to_json`: the attempt is over.
    ///
    /// # Errors
    /// [`Error::Internal`] where no attempt has that number.
    pub fn step(&self, number: u32) -> Result<Option<String>, JsValue> {
        let is_paused = self.is_paused();
        self.with(number, |running| {
            Some(match &running.step {
                Step::Fetch { .. } => return None,
                Step::AskSiblings { conversion_id } => match conversion_id {
                    Some(id) => {
                        let mut words = "siblings ".to_owned();
                        push_number(&mut words, *id, 10);
                        words
                    }
                    None => "siblings".to_owned(),
                },
                Step::AskOthers { conversion_id } => {
                    let mut words = "conversion ".to_owned();
                    push_number(&mut words, *conversion_id, 10);
                    words
                }
                Step::AskFamily => "family".to_owned(),
                Step::NoteSending => "sending".to_owned(),
                Step::Store(transition) => transition.to_json(is_paused),
            })
        })
    }

    /// The URL to fetch, which may hold the key: it goes to `fetch` alone. It is given once.
    ///
    /// # Errors
    /// [`Error::Internal`] where nothing is to be fetched.
    pub fn url(&self, number: u32) -> Result<String, JsValue> {
        self.with(number, |running| match &mut running.step {
            Step::Fetch { url, .. } => std::mem::take(url),
            _ => String::new(),
        })
    }

    /// The most bytes of the answer to that URL.
    ///
    /// # Errors
    /// [`Error::Internal`] where no attempt has that number.
    pub fn limit(&self, number: u32) -> Result<u32, JsValue> {
        self.with(number, |running| running.limit())
    }

    /// Takes the whole answer of a request, one without a Retry-After.
    ///
    /// # Errors
    /// [`Error::Internal`] where no attempt has that number.
    pub fn answered(&self, number: u32, status: u16, body: &[u8]) -> Result<(), JsValue> {
        let Ok(body) = std::str::from_utf8(body) else {
            return self.go_on(number, Input::Failed(garbled()));
        };
        // As the platform's decoder does it.
        let body = body.strip_prefix('\u{feff}').unwrap_or(body);
        self.take(number, status, body.to_owned(), None)
    }

    /// Takes the answer of a request whose body is not read yet, and reads it. `signal` ends that.
    ///
    /// # Errors
    /// [`Error::Internal`] where no attempt has that number.
    pub async fn receive(
        &self,
        number: u32,
        response: JsValue,
        signal: AbortSignal,
    ) -> Result<(), JsValue> {
        let bounds = Bounds {
            timeout_ms: self.timeout_ms,
            limit: self.limit(number)?,
            signal: Some(&signal),
            key: self.route.older().map(Account::key),
        };
        let deadline = Deadline::new(bounds.timeout_ms, bounds.signal)?;
        match receive(&response, &bounds, &deadline, false).await {
            Err(Error::Network { .. }) if deadline.is_reached() => {
                self.go_on(number, Input::Failed(Error::Timeout))
            }
            Err(error) => self.go_on(number, Input::Failed(error)),
            Ok(received) => {
                let body = String::from(&received.body);
                self.take(number, received.status, body, received.retry_after_ms)
            }
        }
    }

    /// Takes the failure of a request: what `fetch` threw, or a timeout.
    ///
    /// # Errors
    /// [`Error::Internal`] where no attempt has that number.
    pub fn failed(&self, number: u32, thrown: &JsValue, is_timeout: bool) -> Result<(), JsValue> {
        let error = if is_timeout {
            Error::Timeout
        } else {
            failure(thrown, self.route.older().map(Account::key))
        };
        self.go_on(number, Input::Failed(error))
    }

    /// Takes the text that a step asked for: for `siblings` and `conversion` the input of
    /// [`wire::read_siblings`], for `family` that of [`wire::read_family`], for `sending` any text once the event is
    /// stored as in doubt. Without a text it is not known.
    ///
    /// # Errors
    /// [`Error::Internal`] where no attempt has that number.
    pub fn told(&self, number: u32, text: Option<String>) -> Result<(), JsValue> {
        let asked = self.with(number, |running| match running.step {
            Step::AskSiblings { .. } | Step::AskOthers { .. } => "siblings",
            Step::AskFamily => "family",
            _ => "",
        })?;
        match asked {
            "siblings" => {
                let siblings = text.and_then(|json| wire::read_siblings(&json));
                self.go_on(number, Input::Siblings(siblings.as_deref()))
            }
            "family" => {
                let family = text.and_then(|json| wire::read_family(&json));
                self.go_on(number, Input::Family(family))
            }
            _ => self.go_on(number, Input::Noted(text.is_some())),
        }
    }

    /// Forgets an attempt, over or not.
    pub fn end(&self, number: u32) {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(place) = self.attempts.borrow_mut().get_mut(index) {
            *place = None;
        }
    }
}

impl Running {
    fn limit(&self) -> u32 {
        match self.step {
            Step::Fetch { limit, .. } => limit,
            _ => 0,
        }
    }
}

impl Deliverer {
    fn breaker(timeout_ms: u32, clock_speed: f64) -> CircuitBreaker {
        CircuitBreaker::new(to_integer((f64::from(timeout_ms) * clock_speed).floor()))
    }

    fn moment(&self) -> Moment {
        let now = Date::now();
        Moment {
            now_ms: to_integer((now * self.clock_speed).floor()),
            utc_ms: to_integer(now.floor()),
            random: random(),
        }
    }

    /// Uses the attempt of that number.
    fn with<T>(&self, number: u32, use_it: impl FnOnce(&mut Running) -> T) -> Result<T, JsValue> {
        let mut attempts = self.attempts.borrow_mut();
        let index = usize::try_from(number).map_err(|_| Error::Internal)?;
        let running = attempts.get_mut(index).and_then(Option::as_mut);
        Ok(use_it(running.ok_or(Error::Internal)?))
    }

    fn take(
        &self,
        number: u32,
        status: u16,
        body: String,
        retry_after_ms: Option<u64>,
    ) -> Result<(), JsValue> {
        let body = plain_body(body);
        let answer = Answer::new(status, &body).with_retry_after_ms(retry_after_ms);
        let answer = match self.route.older() {
            Some(account) => answer.with_account(account),
            None => answer,
        };
        self.go_on(number, Input::Answered(&answer))
    }

    /// Makes the step after `input`.
    fn go_on(&self, number: u32, input: Input<'_>) -> Result<(), JsValue> {
        let (mut breaker, moment) = (self.breaker.borrow_mut(), self.moment());
        self.with(number, |running| {
            running.step = running.attempt.next(input, &mut breaker, moment);
        })
    }
}

/// Numbers, each with a space behind it.
fn format_numbers(words: &str, numbers: &[u64]) -> String {
    let mut words = words.to_owned();
    for number in numbers {
        push_number(&mut words, *number, 10);
        words.push(' ');
    }
    words
}

//! What the kind of a row says, in the words of shops and payment providers: a sale, money that was taken back, or
//! something else, of which it is not certain what it does to the sale.

use crate::report::day::Days;
use crate::report::flag::{Flag, is_among, text_of};
use crate::report::source::{Source, is_lost};
use crate::spoiled::narrow;

/// What a row's kind says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// No word that is known for anything else: `type` is often a kind of product, order or payment.
    Sale,
    /// Money was taken back.
    Refund,
    /// The same by a dispute: its status says how it ended.
    Dispute,
    /// Something is undone, has failed or is only announced, such as `Void`, `RefundFailed`. Or nobody can read the kind.
    Undone,
    /// Other money than a sale's, such as `Fee`, `Payout`, `Payment Hold`.
    Apart,
}

/// Parts of words that name a refund, a chargeback or a credit note. `Dispute` is told apart.
const REFUND: &str = "refund chargeback chargedback creditnote creditmemo erstatt rückzahl rueckzahl rückbuch rueckbuch \
    rücklast ruecklast rembours trofactur reembols rimbors terugbetal zwrot возвра återbetal aterbetal \
    tilbagebetal tilbakebetal refusjon refusion geriödeme geriodeme 返金 退款 退費 환불 contracargo estorno devoluci devolução devolucao";

/// Whole kinds of the same: beside other words they name a ticket or a customer.
const RETURNS: &str = "return returns returned salesreturn salesreturns productreturn customerreturn itemreturn itemreturned \
    orderreturn orderreturned goodsreturn iade iadeedildi 返品";

/// What undoes, fails, only announces or only surrounds the refund or chargeback that it stands with: `RefundFailed`,
/// `chargeback won`, `NOTIFICATION_OF_CHARGEBACK`, `Non-refundable`, `Refund Protection`. Beginnings and parts of words.
const UNDONE: &str = "revers fail cancel void won returned reject declin denied deny error expire withdr reinstat represent recover \
    reimburs adjust correct undo revok resolv closed contest defen hold reserve release repaid notif notice request quir initiat \
    pending warn alert prearb prechargeback refundable nonrefund fee protect insur \
    fehl abgelehnt abgebroch storn erstattbar échou echou refus annul attente remboursable fallid fallit rechaz anul pendient \
    reembolsab reembolsáv rimborsab mislukt geweigerd gebühr gebuehr frais 手数料 不可 保証 失敗 失败";

/// Parts of a kind that undoes a sale or says that it came to nothing.
const UNDOES: &str = "reversed storno stornier gutschrift notadecr notadicr creditnota kreditnota kredittnota \
    reimburs 取消 キャンセル 취소 отмен сторно";

/// Beginnings of words of the same.
const UNDOING: &str = "cancel annul anul iptal storn fail declin denied reject undo withdrawn";

/// Whole words of the same.
const UNDO: &str = "reverse void voided voids returned credited gutgeschrieben";

/// Whole kinds of the same: beside other words they name a ticket or a possession.
const WHOLLY_UNDO: &str = "avoir retour retoure retouren retourzending reso nota";

/// Parts of a kind of other money than a sale's.
const APART: &str = "withdrawal adjustment currencyconversion gebühr gebuehr auszahlung abhebung uitbetaling udbetaling utbetaling utbetalning \
    wypłata wyplata выплата комиссия opłata 手数料 手续费 수수료 出金 提现 autorisierung autorisation autorizaci autorizzazione \
    autorização autorizacao preauth";

/// Whole words of the same.
const APART_WORDS: &str = "fee fees payout payouts hold holds adjust authorization authorizations authorisation authorisations auth frais";

/// Whole kinds of the same: a bank transfer, a commission and a provision are sold or paid with.
const WHOLLY_APART: &str = "transfer provision comisión comision comissão comissao commissione commissioni retenue reserve";

/// The words of authorisations that were captured at once, or before: the money was taken, and they are sales. Beside
/// other words, such as `not`, they say nothing.
const CAPTURED: &str = "auth authorization authorizations authorisation authorisations capture captured prior auto automatic \
    immediate partial and with w of transaction";

/// What a hold or a reserve is, that is released.
const HELD: &str = "payment payments hold reserve reserves fund funds balance";

/// Has a text a part of this list?
fn has_part(list: &str, text: &str) -> bool {
    list.split_ascii_whitespace()
        .any(|part| text.contains(part))
}

/// A kind's words in lower case: `PAYMENT_HOLD`, `PaymentHold` and `Payment hold` have two.
fn words_of(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for mark in text.chars().map(narrow) {
        if !mark.is_alphanumeric() || was_lower && mark.is_uppercase() {
            words.push(String::new());
        }
        was_lower = mark.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| mark.is_alphanumeric()) {
            // The small letter of `İ` has a dot of its own.
            word.extend(mark.to_lowercase().filter(|&mark| mark != '\u{307}'));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Meaning {
    /// Reads the kind of a row.
    #[inline(never)]
    #[cfg_attr(small_cold, optimize(size))]
    pub(super) fn of(kind: &[u8]) -> Self {
        let text = text_of(kind);
        let words = words_of(&text);
        // A spreadsheet has lost it, or it is a mark such as `?`.
        if is_lost(text.as_bytes())
            || words.is_empty() && Flag::read(kind, &Days::default()) == Flag::Unclear
        {
            return Self::Undone;
        }
        let whole = words.concat();
        let has_word = |list: &str| words.iter().any(|word| is_among(list, word));
        let is_refund = has_part(REFUND, &whole);
        if is_refund && has_part(UNDONE, &whole) || has_part("reversal failure", &whole) {
            return Self::Undone;
        }
        if whole.contains("dispute") {
            return Self::Dispute;
        }
        if is_refund || is_among(RETURNS, &whole) {
            return Self::Refund;
        }
        let begins = |word: &String| {
            let mut beginnings = UNDOING.split_ascii_whitespace();
            beginnings.any(|beginning| word.starts_with(beginning))
        };
        let is_captured = || {
            let mut all = words.iter();
            all.all(|word| is_among(CAPTURED, word)) && has_word("capture captured")
        };
        let is_released = || words.iter().any(|word| word.starts_with("releas")) && has_word(HELD);
        if has_part(UNDOES, &whole)
            || words.iter().any(begins)
            || has_word(UNDO)
            || is_among(WHOLLY_UNDO, &whole)
        {
            Self::Undone
        } else if has_part(APART, &whole)
            || has_word(APART_WORDS) && !is_captured()
            || is_among(WHOLLY_APART, &whole)
            || is_released()
        {
            Self::Apart
        } else {
            Self::Sale
        }
    }

    /// The meaning of a number, which is the meaning itself as one.
    fn from_number(number: u8) -> Self {
        let all = [Self::Refund, Self::Dispute, Self::Undone, Self::Apart];
        let mut all = all.into_iter();
        all.find(|&meaning| meaning as u8 == number)
            .unwrap_or(Self::Sale)
    }
}

impl Source {
    /// What a row's kind says. A file has few kinds.
    #[inline]
    pub(super) fn meaning(&mut self, kind: &[u8]) -> Meaning {
        if kind.is_empty() {
            return Meaning::Sale;
        }
        let number = self.kinds.code(kind).unwrap_or_else(|| {
            let number = Meaning::of(kind) as u8;
            self.kinds.add(kind, number);
            number
        });
        Meaning::from_number(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_is_no_sale_is_known_in_several_languages() {
        for (kinds, expected) in [
            (
                "Refund|Refunded|Credit Note|CREDIT_MEMO|Chargeback|Return|Rückerstattung|Teilrückerstattung|Rueckzahlung|\
                 Remboursement|Remboursement de paiement|Reembolso|Rimborso|Terugbetaling|Zwrot|Возврат|返金|退款|Devolución|\
                 shop_order_refund|partial_refund|returned|charged_back|Charged Back|sales return|Sales-Return|product_return|\
                 CustomerReturn|Item returned|erstattet|Zurückerstattet|Ru\u{308}ckerstattung|возвращено|ВОЗВРАТ|İade|İADE EDİLDİ|\
                 Ｒｅｆｕｎｄ|ＲＥＦＵＮＤ|Rétrofacturation|Re\u{301}trofacturation",
                Meaning::Refund,
            ),
            ("dispute|Dispute Fee", Meaning::Dispute),
            (
                "Reversal|Payment Reversal|PAYMENT_REVERSED|Reverse|Void|voided|Storno|Stornierung|Gutschrift|Avoir|Retoure|Cancel|\
                 Cancelled|CancelSale|Cancellation of Reversal|Annulation|Anulación|Failed|payment_failed|charge_failure|Declined|\
                 RefundFailed|Remboursement refusé|Rückerstattung fehlgeschlagen|Non remboursable|dispute_reversal|返金不可|\
                 partial_capture_reversal|キャンセル|Nota de crédito|credited|gutgeschrieben|returned_payment|İptal|Nicht erstattbar|########|#REF!|#N/A|\
                 Err:502|?",
                Meaning::Undone,
            ),
            (
                "Fee|stripe_fee|Application Fee|Gebühr|Transaktionsgebühr|Frais|Payout|payouts|Auszahlung|Withdrawal|General Withdrawal|\
                 Payment Hold|PaymentHold|PAYMENT_HOLD|Account Hold for Open Authorization|Payment Release|reserve_release|\
                 Authorization|auth|auth_only|authOnlyTransaction|Authorization (not captured)|authorization_uncaptured|\
                 Authorization to be captured|Authorization without capture|Capture hold|Transfer|adjustment|\
                 General Currency Conversion|手数料",
                Meaning::Apart,
            ),
            (
                "sale|simple|variable|subscription|online|web|order|shop_order|payment|charge|payment_intent|invoice|Verkauf|vente|\
                 bank_transfer|Bank transfer|gift_card|Coffee|Household|Press release|Wine Reserve|Annual|Annuity|avoidance|\
                 Reversible jacket|Authorize.Net|authorize_net_cim|renewal|wholesale|POS|Commission|New|Olympiade|feed|deposit|\
                 Mass Pay Payment|Express Checkout Payment|topup|capture|credit|debit|Website Payment|general|Retiro en tienda|\
                 auth_capture|authCaptureTransaction|priorAuthCaptureTransaction|prior_auth_capture|Authorization & Capture|\
                 Authorization and Capture|Authorization w/ Auto Capture|Authorization With Auto Capture|\
                 Authorization Captured|auth_captured|Prior Authorization Capture|Capture of Authorization|Authorisation captured|\
                 Partial capture of authorization|captureOnlyTransaction|Return customer|Return ticket|Round trip (return)|returns accepted|\
                 Ｓａｌｅ|-|\u{2014}|#1",
                Meaning::Sale,
            ),
        ] {
            for kind in kinds.split('|') {
                assert_eq!(Meaning::of(kind.as_bytes()), expected, "{kind}");
                assert_eq!(Meaning::from_number(expected as u8), expected);
            }
        }
        assert_eq!(Meaning::of(b"R\xFCckerstattung"), Meaning::Refund);
    }
}

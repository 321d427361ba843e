//! The names that each dialect has for the roles.

use super::Role;

/// The known names of each role, the highest rank first. A name of two roles is that of the higher rank. Case, blanks and punctuation do not matter; a point leads
/// into an object. Names with `|` between them say the same: a row that has two of them is ambiguous.
pub(super) type Table = &'static [(Role, &'static str)];

pub(super) const SIMPLE: Table = &[
    (Role::UniqueId, "uniqueid transactionid"),
    (Role::OrderId, "orderid ordernumber order number id"),
    (Role::ClickId, "clickid reqid requestsessionid reqsessid"),
    (
        Role::Date,
        "date orderdate datetime createdat created time timestamp conversiondate",
    ),
    (Role::Revenue, "revenue amount|total|price"),
    (Role::Payout, "payout commission"),
    // An order whose payment was given back is not owed, whatever the column's name.
    (
        Role::Status,
        "status orderstatus financialstatus displayfinancialstatus paymentstatus transactionstatus salestatus conversionstatus \
        commissionstatus actionstatus statusname poststatus orderstate paymentstate transactionstate salestate",
    ),
    (Role::Currency, "currency currencycode"),
    (Role::OfferId, "offerid"),
    (Role::Kind, "type"),
    (
        Role::Refunded,
        "refundedamount amountrefunded totalrefunded refundamount refundtotal refundedtotal",
    ),
    // A word, a number of refunds or an amount: that there is one is all that is certain.
    (
        Role::RefundIds,
        "refunded isrefunded refunds refundstatus refundedat refunds.id refunds.createdat refunds.amount refunds.total",
    ),
    (Role::Cancelled, "cancelledat canceledat"),
    (Role::Test, "istest"),
    (Role::Paid, "paidat datepaid paiddate"),
    // Of Shopify's bulk operations.
    (Role::Parent, "parentid"),
];

pub(super) const SHOPIFY: Table = &[
    // The forwarder tells CAKE the digits of the id, or the name: the one that the caller declares leaves the other.
    (Role::OrderId, "name id legacyresourceid"),
    (Role::UniqueId, "id legacyresourceid name"),
    (Role::ClickId, "clickid noteattributes.clickid"),
    (Role::Date, "createdat"),
    // The longer names are those of GraphQL.
    (
        Role::Revenue,
        "total totalprice totalpriceset.shopmoney.amount",
    ),
    (
        Role::Remaining,
        "currenttotalprice currenttotalpriceset.shopmoney.amount",
    ),
    (
        Role::RefundIds,
        "refunds.id refunds.createdat refunds.legacyresourceid refunds.totalrefundedset.shopmoney.amount",
    ),
    (Role::Status, "financialstatus displayfinancialstatus"),
    (
        Role::Currency,
        "totalpriceset.shopmoney.currencycode currenttotalpriceset.shopmoney.currencycode currency currencycode",
    ),
    (
        Role::Refunded,
        "refundedamount totalrefundedset.shopmoney.amount totalrefunded refundamount",
    ),
    (Role::Cancelled, "cancelledat"),
    (Role::Test, "test"),
    // A refund of the REST API names its order.
    (Role::Parent, "parentid orderid"),
    // In JSON only payment terms say when an order was paid. The forwarder tells CAKE `processed_at` otherwise.
    (
        Role::Paid,
        "paymentterms.paymentschedules.completedat paidat processedat",
    ),
];

pub(super) const WOOCOMMERCE: Table = &[
    // The same: the id, or the number that a plugin gives.
    (Role::OrderId, "ordernumber number order orderid id"),
    (Role::UniqueId, "id orderid number ordernumber"),
    (Role::ClickId, "clickid metaclickid"),
    (Role::Date, "orderdate datecreated date"),
    // A refund of the REST API has an `amount`, and no status.
    (
        Role::Revenue,
        "ordertotal total ordertotalamount netsales nrevenue amount",
    ),
    (Role::Kind, "ordertype type"),
    (Role::Parent, "parentordernumber parentorderid parentid"),
    (Role::Status, "orderstatus status"),
    (Role::Currency, "ordercurrency currency"),
    // An order of the REST API holds the list of its refunds.
    (
        Role::Refunded,
        "orderrefundamount refundedamount refundedtotal totalrefunded refunds.total",
    ),
    (Role::RefundIds, "refunds.id refundedby"),
    (Role::Paid, "datepaid paiddate"),
];

pub(super) const STRIPE: Table = &[
    (
        Role::UniqueId,
        "orderidmetadata metadata.orderid uniqueidmetadata metadata.uniqueid clientreferenceid",
    ),
    (Role::ClickId, "clickidmetadata metadata.clickid"),
    (Role::Date, "createdutc createddateutc created"),
    (Role::Revenue, "amount"),
    (Role::Status, "status"),
    (Role::Currency, "currency"),
    (Role::Kind, "type reportingcategory object"),
    (
        Role::Refunded,
        "amountrefunded latestcharge.amountrefunded charges.data.amountrefunded",
    ),
    (Role::Remaining, "amountreceived amountcaptured"),
    (Role::Captured, "captured"),
    (Role::State, "paid"),
    (
        Role::Disputed,
        "disputed disputedamount latestcharge.disputed charges.data.disputed",
    ),
    (
        Role::RefundIds,
        "refunded latestcharge.refunded charges.data.refunded",
    ),
    (Role::Test, "livemode mode"),
    // A refund has its sale's, and seldom its metadata.
    (Role::Charge, "chargeid charge charge.id sourceid source id"),
    (
        Role::Intent,
        "paymentintentid paymentintent paymentintent.id",
    ),
    (Role::LatestCharge, "latestcharge latestcharge.id"),
    (
        Role::Paid,
        "statustransitions.paidat latestcharge.created charges.data.created",
    ),
];

pub(super) const CONVERSIONS: Table = &[
    (Role::UniqueId, "uniqueid transactionid"),
    (Role::OrderId, "orderid"),
    (Role::ClickId, "clickid requestsessionid reqsessid reqid"),
    (
        Role::ConversionId,
        "conversionid eventconversionid macroeventconversionid",
    ),
    (Role::Date, "conversiondate eventconversiondate date"),
    (
        Role::Revenue,
        "revenuetext revenue received received.amount pricereceived",
    ),
    (Role::Payout, "payouttext payout paid paid.amount pricepaid"),
    (
        Role::Status,
        "conversionstatus disposition dispositiontype status",
    ),
    (Role::Currency, "currency"),
    (
        Role::OfferId,
        "offerid offer.offerid siteofferid siteoffer.siteofferid",
    ),
    (
        Role::AffiliateId,
        "affiliateid affiliate.affiliateid sourceaffiliateid sourceaffiliate.sourceaffiliateid",
    ),
];

pub(super) const DELIVERIES: Table = &[
    (Role::UniqueId, "uniqueid"),
    (Role::OrderId, "orderid"),
    (Role::ClickId, "clickid"),
    (Role::Date, "acceptedat conversiondate date"),
    (Role::State, "state status"),
    (Role::Disputed, "isindoubt"),
    (Role::Revenue, "revenue"),
    (Role::Payout, "payout"),
    (Role::OfferId, "offerid"),
];

pub(super) const CLICKS: Table = &[
    (Role::ClickId, "clickid requestsessionid reqsessid"),
    (Role::ConversionId, "conversionid"),
    (Role::Date, "clickdate date"),
    (
        Role::OfferId,
        "offerid siteofferid offer.offerid siteoffer.siteofferid",
    ),
    (
        Role::AffiliateId,
        "affiliateid sourceaffiliateid affiliate.affiliateid sourceaffiliate.sourceaffiliateid",
    ),
    (Role::SubId1, "subid1 s1"),
    (Role::SubId2, "subid2 s2"),
    (Role::SubId3, "subid3 s3"),
    (Role::SubId4, "subid4 s4"),
    (Role::SubId5, "subid5 s5"),
    (Role::Country, "country countrycode country.countrycode"),
    (Role::Address, "ipaddress ip"),
];

//! The elements of an answer, and their formats: plain XML, a SOAP envelope, or `{"d":{…}}`.

use super::Method;
use crate::pixel::push_escaped;
use crate::sandbox::HttpAnswer;
use core::fmt::Display;
use serde_json::Value;

/// The form of a call, which is also the form of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// GET with a query.
    Query,
    /// POST of an envelope.
    Soap,
    /// POST of an object.
    Json,
}

/// An element.
#[derive(Clone, Debug)]
pub(super) struct Node {
    name: &'static str,
    /// Does the element have the services' second namespace, for ids and names?
    is_stored: bool,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Text(String),
    /// A number or a flag: JSON writes it without quotes.
    Raw(String),
    Nil,
    Group(Vec<Node>),
    Rows(&'static str, Vec<Vec<Node>>),
}

fn node(name: &'static str, content: Content) -> Node {
    Node {
        name,
        is_stored: false,
        content,
    }
}

/// A text.
pub(super) fn text(name: &'static str, text: &str) -> Node {
    node(name, Content::Text(text.to_owned()))
}

/// A number or a flag.
pub(super) fn raw(name: &'static str, value: impl Display) -> Node {
    node(name, Content::Raw(value.to_string()))
}

/// An empty element: `xsi:nil`.
pub(super) fn nil(name: &'static str) -> Node {
    node(name, Content::Nil)
}

/// An element with child elements.
pub(super) fn group(name: &'static str, nodes: Vec<Node>) -> Node {
    node(name, Content::Group(nodes))
}

/// A list.
pub(super) fn rows(name: &'static str, row: &'static str, rows: Vec<Vec<Node>>) -> Node {
    node(name, Content::Rows(row, rows))
}

/// An id and a name, in the services' namespace for both.
pub(super) fn named(name: &'static str, id: u64, shown: &str) -> Node {
    let (id_name, name_name) = match name {
        "source_affiliate" => ("source_affiliate_id", "source_affiliate_name"),
        "brand_advertiser" => ("brand_advertiser_id", "brand_advertiser_name"),
        "site_offer" => ("site_offer_id", "site_offer_name"),
        "site_offer_contract" => ("site_offer_contract_id", "site_offer_contract_name"),
        "creative" => ("creative_id", "creative_name"),
        "event_info" => ("event_id", "event_name"),
        "price_format" => ("price_format_id", "price_format_name"),
        _ => ("disposition_id", "disposition_name"),
    };
    let stored = |node: Node| Node {
        is_stored: true,
        ..node
    };
    group(
        name,
        vec![stored(raw(id_name, id)), stored(text(name_name, shown))],
    )
}

/// A country code.
pub(super) fn country(code: &str) -> Node {
    let stored = |node: Node| Node {
        is_stored: true,
        ..node
    };
    let nodes = vec![
        stored(text("country_code", code)),
        stored(text("country_name", "")),
    ];
    group("country", nodes)
}

/// An amount. The currency is US dollars, the account's, unless the row names another one.
pub(super) fn money(name: &'static str, amount: &str, currency_id: u8) -> Node {
    group(
        name,
        vec![
            raw("currency_id", currency_id),
            raw("amount", four_places(amount)),
            text("formatted_amount", &["$", amount].concat()),
        ],
    )
}

fn four_places(amount: &str) -> String {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    format!("{whole}.{fraction:0<4}")
}

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XSD: &str = "http://www.w3.org/2001/XMLSchema";
const XML: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";

/// Writes an answer in the form of its call.
pub(super) fn render(method: Method, form: Form, nodes: &[Node]) -> HttpAnswer {
    let name = method.name();
    let version = method.version;
    match form {
        Form::Json => HttpAnswer::json(&serde_json::json!({ "d": json_of(nodes) })),
        Form::Query => {
            let mut body = format!(
                "{XML}\r\n<{name}Result xmlns:xsi=\"{XSI}\" xmlns:xsd=\"{XSD}\" xmlns=\"http://cakemarketing.com/api/{version}/\">"
            );
            push_all(&mut body, nodes);
            body.push_str("</");
            body.push_str(name);
            body.push_str("Result>");
            HttpAnswer::new(200, "text/xml; charset=utf-8", body)
        }
        Form::Soap => {
            let mut inner = String::new();
            push_all(&mut inner, nodes);
            let body = format!(
                "<{name}Response xmlns=\"http://cakemarketing.com/api/{version}/\"><{name}Result>{inner}</{name}Result></{name}Response>"
            );
            HttpAnswer::new(200, "application/soap+xml; charset=utf-8", enveloped(&body))
        }
    }
}

/// A SOAP fault, with status 500: the request could not be read.
pub(super) fn fault(reason: &str) -> HttpAnswer {
    let mut words = String::new();
    push_escaped(&mut words, reason);
    let body = format!(
        "<soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value></soap:Code><soap:Reason><soap:Text xml:lang=\"en\">{words}</soap:Text></soap:Reason><soap:Detail /></soap:Fault>"
    );
    HttpAnswer::new(500, "application/soap+xml; charset=utf-8", enveloped(&body))
}

fn enveloped(body: &str) -> String {
    format!(
        "{XML}<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:xsi=\"{XSI}\" xmlns:xsd=\"{XSD}\"><soap:Body>{body}</soap:Body></soap:Envelope>"
    )
}

fn push_all(out: &mut String, nodes: &[Node]) {
    for node in nodes {
        push(out, node);
    }
}

fn push(out: &mut String, node: &Node) {
    out.push('<');
    out.push_str(node.name);
    if node.is_stored {
        out.push_str(" xmlns=\"API:id_name_store\"");
    }
    match &node.content {
        Content::Nil => {
            out.push_str(" xsi:nil=\"true\" />");
            return;
        }
        Content::Text(text) | Content::Raw(text) if text.is_empty() => {
            out.push_str(" />");
            return;
        }
        Content::Rows(_, rows) if rows.is_empty() => {
            out.push_str(" />");
            return;
        }
        Content::Text(text) | Content::Raw(text) => {
            out.push('>');
            push_escaped(out, text);
        }
        Content::Group(nodes) => {
            out.push('>');
            push_all(out, nodes);
        }
        Content::Rows(row, rows) => {
            out.push('>');
            for nodes in rows {
                out.push('<');
                out.push_str(row);
                out.push('>');
                push_all(out, nodes);
                out.push_str("</");
                out.push_str(row);
                out.push('>');
            }
        }
    }
    out.push_str("</");
    out.push_str(node.name);
    out.push('>');
}

fn json_of(nodes: &[Node]) -> Value {
    Value::Object(
        nodes
            .iter()
            .map(|node| (node.name.to_owned(), json_value(&node.content)))
            .collect(),
    )
}

fn json_value(content: &Content) -> Value {
    match content {
        Content::Text(text) => Value::String(text.clone()),
        Content::Raw(raw) => {
            serde_json::from_str(raw).unwrap_or_else(|_| Value::String(raw.clone()))
        }
        Content::Nil => Value::Null,
        Content::Group(nodes) => json_of(nodes),
        Content::Rows(_, rows) => Value::Array(rows.iter().map(|nodes| json_of(nodes)).collect()),
    }
}

//! How a source was understood, and the sums of a class, as JSON text.

use crate::report::judge::Sum;
use crate::report::names::ROLE_NAMES;
use crate::report::out::Writer;
use crate::report::source::{Reader, Source, kind_name};

#[cfg_attr(small_cold, optimize(size))]
pub(super) fn write_source(writer: &mut Writer, source: &Source) {
    writer.open('{');
    writer.text_of("kind", kind_name(source.kind).as_bytes());
    writer.text_of("name", source.name.as_bytes());
    let dialect = if source.dialect.is_empty() {
        "simple"
    } else {
        source.dialect.as_str()
    };
    writer.text_of("dialect", dialect.as_bytes());
    writer.text_of("format", source.format_name().as_bytes());
    writer.text_of("encoding", source.encoding_name().as_bytes());
    if let Reader::Csv(csv) = &source.reader {
        let delimiter = [csv.delimiter()];
        writer.text_of(
            "delimiter",
            if delimiter == *b"\t" {
                b"tab"
            } else {
                &delimiter
            },
        );
        writer.key("columns");
        writer.open('[');
        for (name, role) in csv.columns() {
            writer.open('{');
            let name = source.decode(name).unwrap_or_default();
            writer.key("name");
            writer.string(&name);
            if let Some(role) = role.and_then(|role| ROLE_NAMES.get(usize::from(role))) {
                writer.text_of("role", role.as_bytes());
            }
            writer.close('}');
        }
        writer.close(']');
    }
    let format = source.format;
    let units: &[u8] = if format.is_smallest {
        b"smallest"
    } else {
        b"major"
    };
    writer.text_of("units", units);
    if format.decimal != 0 {
        writer.text_of("decimal", &[format.decimal]);
    }
    if format.group != 0 {
        writer.text_of("group", &[format.group]);
    }
    let dates = match source.days.order {
        crate::report::day::DayOrder::Undeclared => "YYYY-MM-DD",
        crate::report::day::DayOrder::DayFirst => "DD/MM/YYYY",
        crate::report::day::DayOrder::MonthFirst => "MM/DD/YYYY",
    };
    let dates = if source.days.has_short_years {
        dates.strip_suffix("YY").unwrap_or(dates)
    } else {
        dates
    };
    writer.text_of("dates", dates.as_bytes());
    writer.number_of("rows", u64::from(source.rows));
    writer.number_of("unreadable", u64::from(source.unreadable));
    writer.number_of("lineItems", u64::from(source.line_items));
    if source.repeated > 0 {
        writer.number_of("repeated", u64::from(source.repeated));
    }
    if source.rounded.get() > 0 {
        writer.number_of("rounded", u64::from(source.rounded.get()));
    }
    if source.test_orders > 0 {
        writer.number_of("testOrders", u64::from(source.test_orders));
    }
    writer.key("samples");
    writer.open('[');
    for sample in &source.samples {
        writer.open('{');
        for (role, text) in sample {
            if let Some(name) = ROLE_NAMES.get(usize::from(*role)) {
                writer.key(name);
                writer.string(text.as_bytes());
            }
        }
        writer.close('}');
    }
    writer.close(']');
    writer.close('}');
}

#[cfg_attr(small_cold, optimize(size))]
pub(super) fn write_sum(writer: &mut Writer, sum: &Sum) {
    writer.number_of("orders", sum.orders);
    writer.number_of("conversions", sum.conversions);
    for (name, units) in [
        ("orderRevenue", sum.order_revenue),
        ("orderPayout", sum.order_payout),
        ("revenue", sum.revenue),
        ("payout", sum.payout),
    ] {
        writer.key(name);
        writer.amount(units);
    }
}

"""Polars in Python, from the same files; the caller sets one thread (POLARS_MAX_THREADS)."""

import json
import resource
import sys

import polars as pl

_, _, folder = sys.argv
orders = (
    pl.scan_csv(f"{folder}/orders.csv")
    .group_by("order_id")
    .agg(pl.col("total").first(), pl.col("status").first(), pl.len().alias("n"))
    .collect()
)
row = pl.Struct(
    {
        "conversion_id": pl.Int64,
        "conversion_date": pl.String,
        "revenue": pl.Float64,
        "conversion_status": pl.String,
        "unique_id": pl.String,
    }
)
page = {"response": pl.Struct({"data": pl.Struct({"conversions": pl.List(row)})})}
conversions = (
    pl.read_ndjson(f"{folder}/conversions.json", schema=page)
    .select(pl.col("response").struct.field("data").struct.field("conversions").alias("row"))
    .explode("row", empty_as_null=True)
    .unnest("row")
    .group_by("unique_id")
    .agg(pl.col("revenue").first(), pl.col("conversion_status").first(), pl.len().alias("m"))
)
both = orders.join(conversions, left_on="order_id", right_on="unique_id", how="left")
strangers = conversions.join(orders, left_on="unique_id", right_on="order_id", how="anti")
found = both.filter(pl.col("m").is_not_null())
agrees = found.filter(pl.col("total") == pl.col("revenue"))
matched = agrees.filter(pl.col("status") == pl.col("conversion_status")).height
counts = {
    "matched": matched,
    "revenue_differs": found.height - agrees.height,
    "status_differs": agrees.height - matched,
    "missing_at_cake": both.height - found.height,
    "unknown_to_advertiser": strangers.height,
    "duplicate_order": int(orders["n"].sum()) - orders.height,
    "duplicate_conversion": int(conversions["m"].sum()) - conversions.height,
}
answer = {name: count for name, count in counts.items() if count > 0}
usage = resource.getrusage(resource.RUSAGE_SELF)
cpu = (usage.ru_utime + usage.ru_stime) * 1000
print(json.dumps({"answer": answer, "cpuMs": cpu, "peakMb": usage.ru_maxrss / 1024}))

"""datacompy over pandas, from the same files. It knows two classes only: rows of one side, and cells that differ."""

import json
import resource
import sys

import datacompy
import pandas

_, _, folder = sys.argv
orders = pandas.read_csv(f"{folder}/orders.csv").drop_duplicates("order_id")
rows = []
with open(f"{folder}/conversions.json", encoding="utf-8") as pages:
    for page in pages:
        rows.extend(json.loads(page)["response"]["data"]["conversions"])
conversions = pandas.DataFrame(rows).rename(
    columns={"unique_id": "order_id", "revenue": "total", "conversion_status": "status"}
)
columns = ["order_id", "total", "status"]
compare = getattr(datacompy, "PandasCompare", None) or datacompy.Compare
compared = compare(orders[columns], conversions[columns], join_columns="order_id")
answer = {
    "missing_at_cake": len(compared.df1_unq_rows),
    "unknown_to_advertiser": len(compared.df2_unq_rows),
    "differs": len(compared.all_mismatch()),
}
usage = resource.getrusage(resource.RUSAGE_SELF)
cpu = (usage.ru_utime + usage.ru_stime) * 1000
print(json.dumps({"answer": answer, "cpuMs": cpu, "peakMb": usage.ru_maxrss / 1024}))

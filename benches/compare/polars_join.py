"""The search as a join in Polars: LIST, LOG, THREADS. Words are taken out of lines by a regular expression."""

import os
import sys

listed, log, threads = sys.argv[1:4]
os.environ["POLARS_MAX_THREADS"] = threads
import polars  # noqa: E402, reads the variable


def lines(path, name):
    return polars.scan_csv(path, separator="\x01", quote_char=None, has_header=False, schema={name: polars.String})


WORD = r"""https?://[^\s"'<>]+|[a-z0-9._:-]{4,}"""
words = lines(log, "line").with_columns(word=polars.col("line").str.to_lowercase().str.extract_all(WORD)).explode("word")
values = lines(listed, "value").select(word=polars.col("value").str.to_lowercase())
found = words.join(values, on="word").select("line").unique().collect(engine="streaming")
sys.stdout.write("".join(f"{line}\n" for line in found["line"]))

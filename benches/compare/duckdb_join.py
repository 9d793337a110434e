"""The search as a join in DuckDB: LIST, LOG, THREADS. Words are taken out of lines by a regular expression."""

import sys

import duckdb

listed, log, threads = sys.argv[1:4]
connection = duckdb.connect(config={"threads": int(threads)})
READ = "read_csv('{}', columns={{'{}': 'VARCHAR'}}, delim='\x01', quote='', escape='', header=false, auto_detect=false)"
WORD = r"https?://[^\s\"''<>]+|[a-z0-9._:-]{4,}"
rows = connection.execute(
    f"""
    WITH lines AS (SELECT line, unnest(regexp_extract_all(lower(line), '{WORD}')) AS word FROM {READ.format(log, 'line')})
    SELECT DISTINCT line FROM lines JOIN {READ.format(listed, 'value')} ON word = lower(value)
    """
).fetchall()
sys.stdout.write("".join(f"{line}\n" for (line,) in rows))

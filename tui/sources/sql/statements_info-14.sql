-- How often the table of statements overflowed; a rising number means that rates are incomplete.
SELECT dealloc FROM {schema}.pg_stat_statements_info

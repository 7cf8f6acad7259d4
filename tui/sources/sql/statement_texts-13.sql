-- Texts of statements seen for the first time.
SELECT DISTINCT ON (s.queryid) s.queryid AS id, left(s.query, 4000) AS query
  FROM {schema}.pg_stat_statements(true) s WHERE s.queryid = ANY (string_to_array($1, ',')::int8[])

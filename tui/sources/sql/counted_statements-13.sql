-- How much pg_stat_statements has counted; before 14 it does not tell since when.
SELECT NULL::timestamptz AS since, count(*) AS entries, coalesce(sum(s.calls), 0)::float8 AS calls,
       has_function_privilege(r.oid, 'EXECUTE') AS may_reset
  FROM (SELECT oid FROM pg_proc WHERE proname = 'pg_stat_statements_reset' ORDER BY oid LIMIT 1) r
  LEFT JOIN {schema}.pg_stat_statements(false) s ON true GROUP BY r.oid

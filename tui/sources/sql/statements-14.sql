-- Counters of pg_stat_statements without the texts, which cost twice as much; {schema} comes quoted from the server.
SELECT s.userid::int8 AS role_oid, s.dbid::int8 AS database_oid, s.queryid AS id, s.toplevel, s.calls, s.total_exec_time AS exec_ms, s.total_plan_time AS plan_ms, s.rows,
       s.shared_blks_hit AS blocks_hit, s.shared_blks_read AS blocks_read,
       s.temp_blks_read + s.temp_blks_written AS temp_blocks
  FROM {schema}.pg_stat_statements(false) s WHERE s.queryid IS NOT NULL

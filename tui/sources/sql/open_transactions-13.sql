-- Transactions that are open now: what is built concurrently waits for them, and dead rows stay for the oldest.
SELECT count(*) AS number, (array_agg(a.pid ORDER BY a.xact_start))[1] AS oldest_pid,
       extract(epoch FROM clock_timestamp() - min(a.xact_start))::float8 AS oldest_s
  FROM pg_stat_activity a WHERE a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'

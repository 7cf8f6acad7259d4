-- The whole text of one session's statement, and TLS.
SELECT a.state, a.wait_event_type, a.wait_event, a.query, a.backend_type, a.usename::text AS role,
       a.query_start, a.xact_start, a.state_change, clock_timestamp() AS now,
       (SELECT s.ssl FROM pg_stat_ssl s WHERE s.pid = a.pid) AS is_tls,
       current_setting('track_activity_query_size') AS query_size,
       pg_size_bytes(current_setting('track_activity_query_size')) AS query_size_bytes
  FROM pg_stat_activity a WHERE a.pid = $1 AND a.backend_start IS NOT DISTINCT FROM $2

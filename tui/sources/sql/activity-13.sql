-- Every session but our own. Durations are the server's: this machine's clock may be off.
-- pg_blocking_pids locks the whole lock table for a moment, so only sessions that wait for a lock are asked about.
SELECT a.pid, a.leader_pid, a.datname::text AS database, a.usename::text AS role, a.application_name AS application,
       host(a.client_addr) AS client_address, a.client_port, a.backend_type, a.state, a.wait_event_type, a.wait_event,
       a.backend_start, a.query_start,
       date_part('epoch', t.now - a.backend_start)::float4 AS connected_s,
       date_part('epoch', t.now - a.xact_start)::float4 AS transaction_s,
       date_part('epoch', t.now - a.query_start)::float4 AS query_s,
       date_part('epoch', t.now - a.state_change)::float4 AS state_s,
       greatest(age(a.backend_xmin), age(a.backend_xid)) AS xmin_age,
       NULL::int8 AS query_id,
       left(a.query, $1) AS query, octet_length(a.query) AS query_bytes,
       CASE WHEN a.wait_event_type = 'Lock' THEN array_to_string(pg_blocking_pids(a.pid), ',') END AS blockers
  FROM pg_stat_activity a, (SELECT clock_timestamp() AS now OFFSET 0) t
 WHERE a.pid <> pg_backend_pid()

-- Replication slots and the WAL they keep. Columns that later versions added are asked for as JSON: 13 has none of them.
SELECT s.slot_name::text AS name, s.slot_type AS kind, s.plugin::text AS plugin, s.database::text AS database, s.active AS is_active,
       s.active_pid, s.temporary AS is_temporary, s.wal_status, s.safe_wal_size AS safe_bytes,
       pg_wal_lsn_diff(h.lsn, s.restart_lsn)::int8 AS retained_bytes,
       greatest(age(s.xmin), age(s.catalog_xmin)) AS xmin_age,
       j.data ->> 'invalidation_reason' AS invalidation_reason,
       extract(epoch FROM clock_timestamp() - (j.data ->> 'inactive_since')::timestamptz)::float8 AS inactive_s
  FROM pg_replication_slots s
 CROSS JOIN LATERAL (SELECT to_jsonb(s) AS data OFFSET 0) j,
       (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS lsn) h
 ORDER BY s.slot_name LIMIT 100

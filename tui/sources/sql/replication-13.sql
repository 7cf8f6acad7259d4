-- Standbys and other receivers of WAL: how far each is behind, stage by stage. On an idle primary the lags are null.
SELECT r.pid, r.usename::text AS role, r.application_name AS application, host(r.client_addr) AS client_address,
       r.state, r.sync_state, pg_wal_lsn_diff(h.lsn, '0/0')::int8 AS head_bytes,
       pg_wal_lsn_diff(r.replay_lsn, '0/0')::int8 AS replayed_bytes,
       pg_wal_lsn_diff(h.lsn, r.sent_lsn)::int8 AS pending_bytes,
       pg_wal_lsn_diff(r.sent_lsn, r.write_lsn)::int8 AS write_bytes,
       pg_wal_lsn_diff(r.write_lsn, r.flush_lsn)::int8 AS flush_bytes,
       pg_wal_lsn_diff(r.flush_lsn, r.replay_lsn)::int8 AS replay_bytes,
       extract(epoch FROM r.write_lag)::float8 AS write_s, extract(epoch FROM r.flush_lag)::float8 AS flush_s,
       extract(epoch FROM r.replay_lag)::float8 AS replay_s,
       extract(epoch FROM clock_timestamp() - r.reply_time)::float8 AS reply_ago_s
  FROM pg_stat_replication r,
       (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS lsn) h

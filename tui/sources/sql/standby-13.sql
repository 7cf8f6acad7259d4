-- A standby by itself: what it received and replayed. The time since the last transaction says nothing once everything
-- that came was replayed: on an idle primary it grows by itself.
SELECT w.status, w.sender_host, w.sender_port, w.slot_name::text AS slot, w.pid IS NOT NULL AS is_receiving,
       pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0')::int8 AS received_bytes,
       pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::int8 AS replayed_bytes,
       pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::int8 AS replay_bytes,
       CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            WHEN pg_last_wal_receive_lsn() IS NOT NULL
            THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END::float8 AS replay_s,
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS transaction_ago_s,
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS is_paused,
       extract(epoch FROM clock_timestamp() - w.last_msg_receipt_time)::float8 AS message_ago_s,
       current_setting('hot_standby_feedback') AS feedback,
       current_setting('max_standby_streaming_delay') AS streaming_delay
  FROM (SELECT 1) one LEFT JOIN pg_stat_wal_receiver w ON true

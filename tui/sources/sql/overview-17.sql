-- Checkpoints, the position in the WAL, and the archiver. The end of a standby's WAL cannot be asked for.
SELECT c.num_timed AS timed, c.num_requested AS requested, c.restartpoints_done AS restartpoints,
       c.write_time AS write_ms, c.sync_time AS sync_ms, c.stats_reset,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::int8 END AS wal_bytes,
       pg_size_bytes(current_setting('wal_segment_size')) AS segment_bytes,
       current_setting('archive_mode') AS archive_mode, a.archived_count, a.failed_count,
       a.last_archived_wal, extract(epoch FROM clock_timestamp() - a.last_archived_time)::float8 AS archived_ago_s,
       a.last_failed_wal, extract(epoch FROM clock_timestamp() - a.last_failed_time)::float8 AS failed_ago_s
  FROM pg_stat_checkpointer c, pg_stat_archiver a

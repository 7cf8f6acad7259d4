-- Counters of all databases together; two samples make a rate.
SELECT sum(xact_commit)::int8 AS commits, sum(xact_rollback)::int8 AS rollbacks,
       sum(blks_hit)::int8 AS blocks_hit, sum(blks_read)::int8 AS blocks_read,
       sum(temp_files)::int8 AS temp_files, sum(temp_bytes)::int8 AS temp_bytes, sum(deadlocks)::int8 AS deadlocks,
       max(stats_reset) AS stats_reset
  FROM pg_stat_database

-- Queries a standby cancelled because replay needed what they were using, since its statistics were reset.
SELECT datname::text AS database, confl_tablespace AS tablespace, confl_lock AS lock, confl_snapshot AS snapshot,
       confl_bufferpin AS bufferpin, confl_deadlock AS deadlock
  FROM pg_stat_database_conflicts
 WHERE confl_tablespace + confl_lock + confl_snapshot + confl_bufferpin + confl_deadlock > 0 ORDER BY datname

-- Transactions prepared for two-phase commit: blockers without a session.
SELECT gid, database::text AS database, owner::text AS owner,
       extract(epoch FROM clock_timestamp() - prepared)::float4 AS age_s
  FROM pg_prepared_xacts ORDER BY prepared LIMIT 50

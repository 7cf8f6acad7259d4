-- Forget what pg_stat_statements has counted, on the server it was seen on or not at all.
SELECT {schema}.pg_stat_statements_reset()::text AS answer FROM (SELECT 1) one
 WHERE pg_postmaster_start_time() = $1 AND current_database()::text = $2 AND pg_is_in_recovery() = $3
   AND host(inet_server_addr()) IS NOT DISTINCT FROM $4 AND inet_server_port() IS NOT DISTINCT FROM $5
   AND {system_identifier} IS NOT DISTINCT FROM $6::bigint

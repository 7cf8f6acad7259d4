-- The server's clock, and whether it is still the server that `facts` described.
SELECT clock_timestamp() AS now, pg_is_in_recovery() AS is_standby, pg_postmaster_start_time() AS started

-- Which cluster of data this is: the same on its standbys and clones.
SELECT system_identifier FROM pg_control_system()

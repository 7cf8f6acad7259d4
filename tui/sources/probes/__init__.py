"""What a service is asked beside its health: timed requests, logins, conditions, certificates, tokens, statistics."""

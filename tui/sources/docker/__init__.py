"""Docker Engine API over a Unix socket: containers, their health, use, events and logs. Podman's socket works alike."""

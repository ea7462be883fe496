"""What the end-to-end tests stand on: daemon, DNS server, sink, clients. Loopback only."""

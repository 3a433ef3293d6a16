"""A stand-in for a mail server: SMTP over TLS on a socket, a mailbox that takes for everybody, and faults on demand."""

"""What deploy/dev-cluster is made of.

cli        verbs and options
cluster    which members there are, up and down, DIR/env
members    one class a kind of server: how it starts, how one sees that it is ready
kafka      the same of the Kafka broker, and where its jars come from
configs    the daemons' configuration files
state      what must be the same at the next `up`: numbers, ports, secrets (DIR/state.json)
ports      free ports, also for clusters that start at the same moment
processes  daemonized processes, pid files, who is alive
message    the last word on readiness: a message that goes through
report     progress on the terminal, errors

Only the standard library of Python 3.11. Everything is of the calling user and listens on loopback.
"""

"""`analytics bench`: rates, latencies and memory, each beside a floor that was measured in the same run.

A floor is the least that the machine needs for the same thing without this service: a bare COPY, a bare SELECT, a raw
Kafka client. The ratio of the two says more than either, because both feel whatever else the machine does.
"""

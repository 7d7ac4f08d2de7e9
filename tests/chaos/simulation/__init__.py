"""The core's own code on a broker, a database and a clock in memory, on schedules that follow from a seed."""

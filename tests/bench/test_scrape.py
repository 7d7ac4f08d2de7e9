"""Metrics of the services are read by name, and work left is found."""

from bench.scrape import Scrape, read

PAGE = """
# HELP trade_unsent_events Events saved
# TYPE trade_unsent_events gauge
trade_unsent_events 3.0
trade_consumer_lag_records 0.0
trade_overdue_timers{timer="deadlines"} 2.0
trade_database_commands_total{collection="notices",command="find"} 7.0
trade_database_commands_total{collection="",command="hello"} 1.0
trade_events_published_total{topic="a"} 4.0
trade_events_published_total{topic="b"} 5.0
process_cpu_seconds_total 9.0
"""


def test_counters_and_work_left_are_read_by_service() -> None:
    seen = Scrape(read("notifications", PAGE))
    assert seen.published == 9
    assert seen.commands == {"notifications find notices": 7, "notifications hello ": 1}
    assert seen.waiting == {"notifications unsent_events": 3, "notifications overdue_timers": 2}


def test_no_work_is_left_if_all_gauges_are_zero() -> None:
    assert Scrape(read("tracking", "trade_unsent_events 0.0\ntrade_pending_work 0.0\n")).waiting == {}

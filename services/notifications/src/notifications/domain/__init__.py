"""What a notice is and what may happen to it: pure, without a clock, a driver or a contract."""

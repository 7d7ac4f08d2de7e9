"""The HTTP door: requests into submissions, answers and refusals into responses. No rule of its own."""

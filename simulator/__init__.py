"""The outside world on a desk: virtual chargers and a PhonePe sandbox. Only tests and benches import it."""

"""What users see while an operation runs: its application's probe URL, asked all the time, and kept."""

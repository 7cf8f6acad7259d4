"""What `opstui check` judges and how it says so; see docs/check.md."""

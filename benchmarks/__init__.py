"""Side by side, in one run: Apportion and what a user would pick instead. `python -m benchmarks --help`.

Never part of a wheel. docs/benchmarks.md says what each row stands for and how to read the tables.
"""

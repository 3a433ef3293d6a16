"""A Hangzhou to try the platform in: units, lots, tariffs, payees and gates, and some weeks of life in them.

Made by the same actions that people use, marked as a sample (示例) wherever a person may read it, and refused by
production. The same seed and the same moment make the same city; only ids and secrets differ.
"""

from app.jobs.sample_city.load import SampleRefused, Told, load

__all__ = ["SampleRefused", "Told", "load"]

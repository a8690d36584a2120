"""The only rooms that know Celery: how hints travel, and what they set in motion.

A task is a hint. It carries ids, never texts or numbers; it may be lost, repeated or late, and does no harm by it,
because what it finds to do stands in the database.
"""

from broadcaster.tasks.app import make_app
from broadcaster.tasks.embedded import hearing, running
from broadcaster.tasks.standalone import beat, work

__all__ = ["beat", "hearing", "make_app", "running", "work"]

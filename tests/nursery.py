"""Imported where processes that are to die are born: what the first app of a process imports and configures is there.

The app is thrown away; each process makes its own, in the environment that its test tells it.
"""

from sqlalchemy.orm import configure_mappers

from wsgi import create_app

create_app()
configure_mappers()

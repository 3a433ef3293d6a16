"""`python -m tests.payments.mortal PORT`: the platform's doors until the process dies."""

import sys

from werkzeug.serving import make_server

from wsgi import create_app

if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), create_app(), threaded=True).serve_forever()

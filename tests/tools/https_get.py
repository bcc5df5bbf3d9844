#!/usr/bin/env python3
"""https_get.py URL [CA]: prints the body; exits with 0 for 200, else 1.

Without CA any certificate will do, as for a kubelet's probe.
"""

import ssl
import sys
import urllib.error
import urllib.request


def main(url: str, ca_file: str | None = None) -> int:
    context = ssl.create_default_context(cafile=ca_file)
    if ca_file is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(url, context=context, timeout=10) as answer:
            sys.stdout.write(answer.read().decode())
            return 0
    except urllib.error.HTTPError as err:
        sys.stdout.write(err.read().decode())
        return 1


sys.exit(main(*sys.argv[1:]))

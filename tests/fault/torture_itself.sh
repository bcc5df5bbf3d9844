#!/bin/bash
# The campaign of fault.torture catches programs that lie.
. "$(dirname "$0")/../func/lib.sh"
require python3 qemu-img

export CERTS CW_BUILD PYTHONDONTWRITEBYTECODE=1
"$TESTS/torture/test_torture.py"

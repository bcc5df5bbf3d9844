#!/bin/bash
# docs/options.md has what --help=markdown of both programs prints.
. "$(dirname "$0")/lib.sh"

doc=$TESTS/../docs/options.md
[ -f "$doc" ] || fail "no docs/options.md"
for program in "$SOURCE" "$TARGET"; do
    "$program" --help=markdown >part.md
    [ -s part.md ] || fail "${program##*/} --help=markdown is empty"
    # The whole of it, in one piece.
    python3 - part.md "$doc" <<'END' || fail "docs/options.md is stale"
import sys
part, doc = (open(name).read() for name in sys.argv[1:])
sys.exit(part not in doc)
END
done

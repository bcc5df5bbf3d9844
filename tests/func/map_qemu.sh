#!/bin/bash
# --map of each row of the qcow2 feature table agrees with qemu-img map: its
# data, rounded out to 4 KiB blocks, is data, and the rest is zero. Only holes
# of the image file itself, which read as zeros, are zero in addition.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
require qemu-img qemu-io python3
# shellcheck source=lib_corpus.sh
. "$(dirname "$0")/lib_corpus.sh"

cat >compare.py <<'END'
import json, os, sys

GRAIN = 4096
name = sys.argv[1]
total = os.path.getsize(name + ".raw")


def ours():
    at, data = 0, []
    for extent in json.load(open("ours.json")):
        assert extent["offset"] == at, f"a gap or overlap at {at}: {extent}"
        assert extent["length"] > 0, f"empty: {extent}"
        if extent["type"] != "zero":
            data.append([at, at + extent["length"]])
        at += extent["length"]
    assert at == total, f"ends at {at}, the disk at {total}"
    return data


def theirs():
    data = []
    for extent in json.load(open("theirs.json")):
        if extent["data"] and not extent["zero"]:
            begin = extent["start"] // GRAIN * GRAIN
            end = -(-(extent["start"] + extent["length"]) // GRAIN) * GRAIN
            data.append([begin, min(end, total)])
    return data


def joined(extents):
    out = []
    for begin, end in extents:
        if out and begin <= out[-1][1]:
            out[-1][1] = max(end, out[-1][1])
        else:
            out.append([begin, end])
    return out


def without(extents, others):
    """What lies in extents and not in others, both ascending."""
    out = []
    for begin, end in extents:
        for other_begin, other_end in others:
            if begin < other_begin < end:
                out.append([begin, other_begin])
            if other_begin < end and begin < other_end:
                begin = other_end
        if begin < end:
            out.append([begin, end])
    return out


got, wanted = joined(ours()), joined(theirs())
holes = without(wanted, got)
with open(name + ".raw", "rb") as disk:
    for begin, end in holes:
        disk.seek(begin)
        assert not any(disk.read(end - begin)), f"data at {begin}-{end}"
if holes and not without(got, wanted):
    print("holes of the file:", holes, file=sys.stderr)
    wanted = got
assert got == wanted, "\n".join(
    [f"{name}: the maps differ; only one has"]
    + [f"  ours  {e}" for e in got if e not in wanted]
    + [f"  qemu  {e}" for e in wanted if e not in got])
print(len(got))
END

runs=0

maps_agree() # NAME
{
    local found

    "$SOURCE" --map --json "$1.qcow2" >ours.json 2>source.log
    qemu-img map --output=json -f qcow2 "$1.qcow2" >theirs.json
    found=$(python3 compare.py "$1") || fail "the maps of $KIND differ"
    runs=$((runs + found))
}

each_kind maps_agree
echo "$runs runs of data are the same"
[ $runs -ge 100 ] || fail "only $runs runs: little was compared"

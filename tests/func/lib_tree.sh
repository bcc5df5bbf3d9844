# shellcheck shell=bash
# lib_tree.sh - for scripts about directories that are copied.  After lib.sh.
#
#   make_tree DIR       files of each kind, with odd names, holes and attributes
#   assert_tree DIR DIR equal content, kinds, modes, links and times
#   lib_tree_attribute FILE [VALUE]  sets or prints user.note; false: not
#                                    supported

list() # DIR
{
    (cd "$1" && find . -mindepth 1 \( -type d -printf '%P %y %m %T@\n' \) -o \
        -printf '%P %y %m %n %s %T@ %l\n' | sort)
}

assert_tree() # SOURCE DIR
{
    # A fifo has no content; the list has it.
    diff -r --no-dereference "$1" "$2" | grep -v ' is a fifo ' >differ ||
        true
    [ ! -s differ ] || fail "other content: $(cat differ)"
    diff <(list "$1") <(list "$2") || fail "other files"
}

lib_tree_attribute() # FILE [VALUE]
{
    python3 -c '
import os, sys
if len(sys.argv) > 2:
    os.setxattr(sys.argv[1], "user.note", sys.argv[2].encode())
print(os.getxattr(sys.argv[1], "user.note").decode())' "$@" 2>attribute.log
}

make_tree() # DIR
{
    local name i

    mkdir -p "$1"/sub/empty "$1"/many "$1/lost+found"
    make_dense "$1"/large $((5 * MIB + 1234)) 3
    make_dense "$1"/sub/deep.bin $((200 * KIB)) 4
    make_sparse "$1"/sparse $((8 * MIB + 5))
    make_empty "$1"/hole $((16 * MIB))
    : >"$1"/zero
    echo hidden >"$1"/.hidden
    ln "$1"/.hidden "$1"/sub/hard
    ln -s ../nowhere "$1"/sub/soft
    ln -s /etc/passwd "$1"/absolute
    mkfifo "$1"/fifo
    printf -v name -- '-odd\n*\xff\xc3\xa9'
    echo odd >"$1/$name"
    for ((i = 0; i < 200; i++)); do echo "file $i" >"$1/many/$i"; done
    lib_tree_attribute "$1"/large note >set.out || true
    chmod 2750 "$1"/sub
    chmod 1777 "$1"/many
    chmod 0400 "$1"/sub/deep.bin
    find "$1" -exec touch -h -d @1600000000.5 {} +
    touch -d @1500000000.25 "$1"/sub/deep.bin
}

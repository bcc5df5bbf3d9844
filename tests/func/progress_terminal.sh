#!/bin/bash
# The bar on a terminal: one line that fits it, at three widths and after a
# resize, with rate, share and phase; then a summary.  No escape sequence and
# no carriage return where there is no terminal.
. "$(dirname "$0")/lib.sh"
require tmux

make_dense data $((24 * MIB))
faulty_up data slow 80M

# tmux keeps a socket by that name in /tmp; we want ours here.
export TMUX_TMPDIR=$WORK
# A server for each width: one that is just ending takes nobody in.
show() { tmux -L "bar${width:-}" -f /dev/null "$@"; }

seen() # REGEX: until the screen shows it, into shown
{
    for ((i = 0; i < 400; i++)); do
        show capture-pane -p >shown 2>/dev/null || true
        ! grep -qE "$1" shown || return 0
        sleep 0.05
    done
    fail "the screen never showed $1: $(cat shown)"
}

check_bar() # WIDTH
{
    seen '[0-9]% \[=*>? *\]'
    assert_equal "$(grep -cE '[0-9]% \[' shown)" 1 "bars on $1 columns"
    awk -v width="$1" 'length > width { exit 1 }' shown ||
        fail "wider than $1: $(cat shown)"
}

for width in 40 80 200; do
    rm -f copy
    show new-session -d -x $width -y 30 "stty cols $width; \
        '$SOURCE' '$FAULTY_DISK' --to copy --progress=auto >summary; \
        echo ended \$?; sleep 60"
    at_exit show kill-server
    check_bar $width
    if [ $width = 200 ]; then
        seen 'copying .*B/s'
        show resize-window -x 60 -y 30
        sleep 0.6
        check_bar 60
    fi
    seen 'ended 0'
    grep -qE 'done .*100' shown || fail "the bar did not end: $(cat shown)"
    grep -q '^digest ' summary || fail "no summary"
    show kill-server
done

rm -f copy
TERM=xterm "$SOURCE" "$FAULTY_DISK" --to copy >out 2>log
! grep -q $'[\r\033]' log || fail "a bar without a terminal"

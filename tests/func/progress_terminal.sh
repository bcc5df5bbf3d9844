#!/bin/bash
# The progress bar on a terminal: one line that fits, at three widths and after
# a resize, with rate, share and phase, then a summary. Without a terminal
# there are no escape sequences and no carriage returns.
. "$(dirname "$0")/lib.sh"
require tmux script

make_dense data $((24 * MIB))
faulty_up data slow 20M

# tmux keeps a socket by that name in /tmp; we want ours here.
export TMUX_TMPDIR=$WORK
# A server for each width: one that is just ending takes nobody in.
show() { tmux -L "bar${width:-}" -f /dev/null "$@"; }

seen() # REGEX: until the screen shows it, into shown
{
    for ((i = 0; i < 1000; i++)); do
        show capture-pane -p >shown 2>/dev/null || true
        ! grep -qE "$1" shown || return 0
        sleep 0.05
    done
    fail "the screen never showed $1: $(cat shown)"
}

# The disk is slow until we have seen enough of the bar.
check_bar() # WIDTH
{
    seen '[0-9]% \[=*>? *\]'
    assert_equal "$(grep -cE '[0-9]% \[' shown)" 1 "bars on $1 columns"
    awk -v width="$1" 'length > width { exit 1 }' shown ||
        fail "wider than $1: $(cat shown)"
}

for width in 40 80 200; do
    rm -f copy
    faulty_rate 20M
    show new-session -d -x $width -y 30 "stty cols $width; \
        '$SOURCE' '$FAULTY_DISK' --to copy --progress=auto >summary; \
        echo ended \$?; sleep 60"
    at_exit show kill-server
    check_bar $width
    if [ $width = 200 ]; then
        seen 'copying .*B/s'
        show resize-window -x 60 -y 30
        fits=
        for ((i = 0; i < 1000; i++)); do # drawn anew, and nothing else there
            show capture-pane -p >shown
            ! awk '/[0-9]% \[=*>? *\]/ { bars++ } length > 60 { wide = 1 }
                END { exit bars != 1 || wide }' shown || { fits=1; break; }
            ! grep -q ended shown || break
            sleep 0.02
        done
        [ -n "$fits" ] || fail "not drawn anew for 60 columns: $(cat shown)"
    fi
    faulty_rate fast
    seen 'ended 0'
    grep -qE 'done .*100' shown || fail "the bar did not end: $(cat shown)"
    grep -q '^digest ' summary || fail "no summary"
    show kill-server
done

rm -f copy
cp data disk
export TERM=xterm
"$SOURCE" disk --to copy >out 2>log
! grep -q $'[\r\033]' log || fail "a bar without a terminal"

# Colour, unless NO_COLOR; nothing with none.
on_terminal() # [OPTION...]: what the terminal gets, to drawn
{
    rm -f copy
    script -qec "$(printf '%q ' "$SOURCE" disk --to copy "$@")" drawn \
        >script.out </dev/null
}
on_terminal
grep -q $'\033\\[32m=' drawn || fail "no colour: $(cat -v drawn)"
NO_COLOR=1 on_terminal
grep -q 'done .*100' drawn || fail "no bar: $(cat -v drawn)"
! grep -q $'\033\\[32m' drawn || fail "colour in spite of NO_COLOR"
on_terminal --progress=none
! grep -qE '[0-9]% \[' drawn || fail "progress in spite of none"

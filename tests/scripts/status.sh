# Exit codes steer scripts: `&&`, `||`, `if`, `!`, `set -e`.

script() { printf '%s\n' "$@" | "$SCRIPTED"; }

script 'exit 0' && echo and
script 'exit 3' || echo "or $?"
if script 'print yes'; then echo then; fi
! script 'exit 1' && echo not
script 'fail oh no' > "$SCENE/out" 2> "$SCENE/err"; echo "failed with $?"
cat "$SCENE/out"
test ! -s "$SCENE/err" && echo 'nothing on standard error'

"$ECHO" unexpected > "$SCENE/out" 2> "$SCENE/err"; echo "refused with $?"
test ! -s "$SCENE/out" && echo 'nothing on standard output'

(set -e; script 'exit 5'; echo 'not reached'); echo "set -e ended with $?"

# A script can interrupt its command, and its traps run.

trap 'echo "trap EXIT"' EXIT

printf 'touch %s\nuntil-cancelled %s\n' "$SCENE/began" "$SCENE/cancelled" > "$SCENE/script"
"$SCRIPTED" < "$SCENE/script" &
job=$!
while ! test -e "$SCENE/began"; do sleep 0.01; done
kill -TERM "$job"
wait "$job" 2> /dev/null
echo "ended with $?"
while ! test -e "$SCENE/cancelled"; do sleep 0.01; done
echo 'and the command was cancelled'

trap 'echo "trap USR1"' USR1
kill -USR1 $$
printf 'print still served\n' | "$SCRIPTED"

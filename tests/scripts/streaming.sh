# A command whose handler reads its input as it comes.
set -eu

# Endless on one side, soon gone on the other.
yes | "$STREAM" copy | head -n 2

# A log that grows, until nobody reads any more.
echo first > "$SCENE/log"
(echo second >> "$SCENE/log") &
tail -n +1 -f "$SCENE/log" | "$STREAM" copy | head -n 2
wait

# Two in a row, and a file that another writes to at its end.
seq 1000 | "$STREAM" copy | "$STREAM" copy | tail -n 1
seq 5 > "$SCENE/numbers"
"$STREAM" copy < "$SCENE/numbers" > "$SCENE/copy"
cmp "$SCENE/numbers" "$SCENE/copy"

# Who doesn't read leaves all of it to the next.
{ "$STREAM" 'print untouched'; "$STREAM" copy; } < "$SCENE/numbers" | head -n 2

# Into nothing, and from nothing.
"$STREAM" copy < "$SCENE/numbers" > /dev/null
"$STREAM" copy < /dev/null

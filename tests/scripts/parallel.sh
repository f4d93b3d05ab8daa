# Many callers at once, none lost: `xargs -P` and background jobs.
set -e

seq 1 200 | xargs -P 8 -I N sh -c 'printf "print N\n" | "$SCRIPTED"' | sort -n > "$SCENE/parallel"
seq 1 200 | cmp - "$SCENE/parallel"

for number in 1 2 3 4 5 6 7 8; do
    printf 'await %s\nprint %s\n' "$SCENE/go" "$number" | "$SCRIPTED" > "$SCENE/job.$number" &
done
touch "$SCENE/go"
wait
cat "$SCENE"/job.* | tr '\n' ' '
echo

# A command in pipelines, substitutions and lists behaves like any other.
set -e

test "$(printf 'hello' | "$ECHO")" = hello
test "$(printf 'b\na\nb\n' | "$ECHO" | sort -u | "$ECHO" | tr '\n' ' ')" = 'a b '
test "$("$ECHO" < /dev/null)" = ''

# A reader that has had enough.
test "$(printf 'one\ntwo\n' | "$ECHO" | head -n 1)" = one

# Through a file and back.
printf 'kept\n' | "$ECHO" > "$SCENE/file"
"$ECHO" < "$SCENE/file" >> "$SCENE/file.copy"
cmp "$SCENE/file" "$SCENE/file.copy"

# Inside a loop that reads the same input.
count=0
while read -r _; do
    test "$("$HELLO")" = hello
    count=$((count + 1))
done <<END
1
2
3
END
test "$count" = 3

# A here-document.
test "$("$ECHO" <<END
from here
END
)" = 'from here'

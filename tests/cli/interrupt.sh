#!/usr/bin/env bash
# interrupt.sh VOLDIFF CONFIG DIRECTORY: a run that is interrupted exits with 130 and leaves nothing behind.
set -u
program=$1 config=$2 directory=$3
rm -rf "$directory"
"$program" generate "$config" --steps 30 --size 128 128 128 --set output.directory="$directory" 2>"$directory.log" &
run=$!
for _ in $(seq 300); do
    grep -q 'denoise' "$directory.log" && break
    sleep 0.1
done
kill -INT $run
wait $run
status=$?
[ $status -eq 130 ] || { echo "exit status $status, expected 130"; cat "$directory.log"; exit 1; }
tail -n 1 "$directory.log" | grep -q '^error: ' || { echo "the last line is no error"; cat "$directory.log"; exit 1; }
left=$(find "$directory" -type f 2>/dev/null)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }

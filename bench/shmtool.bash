# SPDX-License-Identifier: GPL-2.0-or-later
#
# The measurements of shmtool, for bench/run: against cat, pv, socat, mbuffer, dd, a memcpy(3), ipcs and
# lsipc. Where one of the first four is not installed its line is missing.

# speed LABEL INDEX [RATIO-TARGET]: of a command of side_by_side that moved $bytes, in ratio to the first
# one's
speed()
{
	local share
	share=$(ratio "${ns[0]}" "${ns[$2]}")
	verdict=
	[[ ! ${3:-} ]] || at_least "$share" "$3"
	line "$1" "$(awk -v n="$bytes" -v ns="${ns[$2]}" 'BEGIN { printf "%.2f GiB/s", n / ns * 1e9 / 1073741824 }')" \
		"$share" "${3:+>= $3}" "$verdict"
}

# equal LABEL FILE: whether it is what went in
equal()
{
	local same=no
	cmp -s "$TMPDIR/bytes" "$2" && same=yes
	fact "$1" "$same" yes
}

# ---- one segment as a whole ----

# Each end is the same: a cat at the other side of the pipe, memory that is there before.
through_pipe()
{
	local object=$2 in="cat $TMPDIR/bytes |"
	head_line "$1: $((bytes >> 20)) MiB through a pipe (throughput in ratio to cat with /dev/shm)"
	shmtool create --quiet "$object" --size "$bytes" && cp "$TMPDIR/bytes" /dev/shm/peer || exit
	side_by_side 5 sh -c "$in cat 1<>/dev/shm/peer" ';' sh -c "$in $shmtool write $object"
	speed "write: cat | cat" 0
	speed "  cat | shmtool write" 1 1
	shmtool save "$object" >"$TMPDIR/saved" || broken "save failed"
	equal "  what was written" "$TMPDIR/saved"
	rm "$TMPDIR/saved"
	side_by_side 5 sh -c "cat /dev/shm/peer | cat >/dev/null" ';' sh -c "$shmtool read $object | cat >/dev/null"
	speed "read: cat | cat" 0
	speed "  shmtool read | cat" 1 1
	rm /dev/shm/peer
}

# A memcpy(3) has its pages already, a process has to start: both are in what is told.
from_file()
{
	local object=$2 i copies=() memcpy
	side_by_side 5 "$shmtool" write "$object" --file "$TMPDIR/bytes"
	for i in 1 2 3 4 5; do
		copies+=("$(copy "$bytes")") || broken "memcpy failed"
	done
	memcpy=$(printf '%s\n' "${copies[@]}" | sort -n | sed -n 3p)
	ns=("$memcpy" "${ns[0]}")
	head_line "$1: $((bytes >> 20)) MiB into the segment from a file (throughput in ratio to one memcpy)"
	speed "memcpy(3)" 0
	speed "shmtool write --file" 1 0.9
	shmtool rm "$object"
}

# ---- the ring ----

# streams_to SINK OBJECT: a stream from a file to SINK, by the ring and by pipes between the same ends
streams_to()
{
	local file=$TMPDIR/bytes sink=$1 ring i labels=("cat | cat") commands
	ring="$shmtool send $2 --size $ring_size <$file & $shmtool recv $2 --size $ring_size >$sink; wait \$!"
	commands=(sh -c "cat $file | cat >$sink")
	for i in 'pv -q' 'mbuffer -q' 'socat -u - -'; do
		command -v "${i%% *}" >/dev/null || continue
		labels+=("$i | $i")
		commands+=(';' sh -c "$i <$file | $i >$sink")
	done
	labels+=('shmtool send, shmtool recv')
	commands+=(';' sh -c "$ring")
	side_by_side 5 "${commands[@]}"
	for i in "${!labels[@]}"; do
		speed "${labels[i]}" "$i"
	done
	below "$(fastest_but_last)" 1
	line "  time in ratio to the fastest of the others" "" "$(fastest_but_last)" "< 1" "$verdict"
}

# ring_of LABEL OBJECT
ring_of()
{
	local what="$((bytes >> 20)) MiB from a file by a ring of $ring_size"
	head_line "$1: $what into a file (throughput in ratio to cat | cat)"
	streams_to "$TMPDIR/arrived" "$2"
	equal "  what arrived is what was sent" "$TMPDIR/arrived"
	rm "$TMPDIR/arrived"
	head_line "$1: $what to /dev/null, where splice(2) of pv copies nothing"
	streams_to /dev/null "$2"
	shmtool rm "$2"
}

# Four times the file, compared byte for byte at the other end.
four_times()
{
	local file=$TMPDIR/bytes same=no
	head_line "A ring of $ring_size: $((bytes >> 18)) MiB, byte for byte"
	cat "$file" "$file" "$file" "$file" | shmtool send /ring --size "$ring_size" &
	shmtool recv /ring --size "$ring_size" --remove | cmp -s - <(cat "$file" "$file" "$file" "$file") && same=yes
	wait $! || broken "the ring failed"
	fact "what arrived is what was sent" "$same" yes
}

fastest_but_last()
{
	local own=${ns[-1]} best
	best=$(printf '%s\n' "${ns[@]:0:${#ns[@]}-1}" | sort -n | head -n 1)
	ratio "$own" "$best"
}

# ---- lists ----

segment_lists()
{
	local i labels=('ipcs -m' 'lsipc -m' 'shmtool list --plain' 'lsipc -m --json' 'shmtool list --json')
	head_line "A list of 4096 System V segments (ratio to ipcs -m)"
	many segments 4096 || exit
	fact "segments in the list" "$(shmtool list --backend sysv --plain | wc -l)" 4096
	side_by_side 10 "$ipcs" -m ';' "$lsipc" -m ';' "$shmtool" list --backend sysv --plain ';' \
		"$lsipc" -m --json ';' "$shmtool" list --backend sysv --json
	for i in "${!labels[@]}"; do
		line "${labels[i]}" "$(micro "${ns[i]}")" "${ratios[i]}"
	done
	shmtool list --backend sysv --plain --columns name | xargs shmtool rm
}

segments()
{
	local bytes=$(((1 << 30) * scale / 100)) ring_size=1M shmtool=$bin/shmtool
	head -c "$bytes" /dev/urandom >"$TMPDIR/bytes" || exit
	through_pipe "POSIX" /whole
	from_file "POSIX" /whole
	through_pipe "System V" key:6
	from_file "System V" key:6
	ring_of "POSIX" /ring
	ring_of "System V" key:7
	four_times
	rm "$TMPDIR/bytes"
	segment_lists
}

# SPDX-License-Identifier: GPL-2.0-or-later
# Streams, shmtool send into shmtool recv: whole, through rings of any size, made by either side, one
# after the other; who may join, who waits and how long; what is printed; with a program that knows the
# layout alone, and between PID namespaces. Deaths and failures: shmtool-stream-faults.bats.
# shellcheck disable=SC2016 # the variables of jq and other shells
# shellcheck disable=SC2030,SC2031 # each test has its own object

load helpers
load segments

setup_file()
{
	random_file "$BATS_FILE_TMPDIR/random" 32M
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	random=$BATS_FILE_TMPDIR/random
	feed=
}

# sends TEXT OBJECT [ARG...]
sends()
{
	timeout 10 shmtool send "${@:2}" <<<"$1"
}

# receives TEXT OBJECT [ARG...]: a whole stream is that, and a newline.
receives()
{
	run --separate-stderr timeout 10 shmtool recv "${@:2}"
	assert_status 0
	assert_output "$1"
	assert_equal "$stderr" ""
}

# through OBJECT BYTES FIRST [ARG...]: a stream of so many bytes, for which this side starts first.
through()
{
	head -c "$2" "$random" >in
	case $3 in
	send)
		start_send in "$1" "${@:4}"
		timeout 60 shmtool recv "$1" "${@:4}" >out
		;;
	recv)
		start_recv out "$1" "${@:4}"
		timeout 60 shmtool send "$1" "${@:4}" <in
		;;
	esac
	finish "$pid"
	[[ $status == 0 && ! $stderr ]] || fail "$2 bytes, first $3" "$(show_last)"
	assert_same in out
}

# refused STATUS CODE REGEX ARG...: both verbs end so, in words, and send in JSON, too.
refused()
{
	refusal send "$1" "$2" "${@:4}"
	assert_stderr "$3"
	run --separate-stderr timeout 10 shmtool recv "${@:4}"
	assert_equal "$status $output ${#stderr_lines[@]}" "$1  1" "status, output, lines on stderr"
	assert_stderr "^shmtool recv: .*$3"
}

# ---- what it is for ----

@test "streams of any length through rings of any size, one after the other: every byte" {
	local sides=(send recv) n=0 size room bytes
	for backend in "${backends[@]}"; do
		for size in 513 4096 65536 1048576; do
			fresh "$backend"
			room=$((size - 512))
			case $backend$size in
			*513) bytes=(0 1 2 3000) ;;
			posix1048576 | sysv65536) bytes=(0 1 $((room - 1)) "$room" $((room + 1)) 33554432 0) ;;
			*) bytes=(1048576 "$room" $((room + 1)) 0 $((room - 1))) ;;
			esac
			for bytes in "${bytes[@]}"; do
				through "$object" "$bytes" "${sides[n++ % 2]}" --size "$size"
			done
			assert_equal "$(ring "$object" written)" "$(ring "$object" taken)" "what was taken"
			ring_is "$object" state 0
		done
	done
}

@test "created by either side, with the mode that it tells" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		start_recv out "$object" --size 4K --mode 0640
		wait_until 5 sleeps "$pid"
		assert_equal "$(told "$object" size,mode)" $'4096\t0640'
		sends text "$object"
		finish "$pid"
		assert_equal "$status $(<out)" "0 text"

		fresh "$backend"
		sends "other text" "$object" --size 4K
		assert_equal "$(told "$object" size,mode)" $'4096\t0600'
		receives "other text" "$object"
	done
}

@test "without --size there has to be one: status 3" {
	for object in /none key:77 id:77777; do
		refused 3 ENOENT 'no such object$' "$object"
		refused 3 ENOENT 'no such object$' "$object" --timeout 0
	done
	assert_equal "$(shmtool list --plain)" ""
}

@test "a segment of create becomes a ring, from one byte of room on" {
	for backend in "${backends[@]}"; do
		for size in 513 5001; do
			make "$backend" "$size"
			through "$object" 3000 send
			through "$object" 3000 recv --size "$size"
		done
		make "$backend" 512
		refused 7 EBADMSG 'too small for a ring, which has at least 513 bytes' "$object"
	done
}

@test "what fits is sent without a reader, and the next one gets it" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		for bytes in 3584 1 0; do
			head -c $bytes "$random" >in
			timeout 5 shmtool send "$object" --size 4K --timeout 0 <in
			ring_is "$object" state 2
			timeout 5 shmtool recv "$object" --timeout 0 >out
			assert_same in out
			ring_is "$object" state 0
		done
		# The end of this one lies behind a full ring.
		start_send <(head -c 3584 "$random") "$object"
		finish "$pid"
		assert_status 0
		start_send <(head -c 3585 "$random") "$object"
		wait_until 5 sleeps "$pid"
		assert_equal "$(timeout 5 shmtool recv "$object" | wc -c)" 3584
		assert_equal "$(timeout 5 shmtool recv "$object" | wc -c)" 3585
		finish "$pid"
		assert_status 0
	done
}

@test "bytes are passed on as they come" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		start_fed "$object" --size 4K
		start_recv out "$object" --size 4K
		for ((i = 1; i <= 5; i++)); do
			printf 'a' >&"$feed"
			wait_until 5 grep -qx "a\{$i\}" out
		done
		end_feed
		finish "$writer"
		assert_status 0
		finish "$pid"
		assert_equal "$status $(<out)" "0 aaaaa"
	done
}

# no_block FD: makes reads and writes of it fail where they would wait.
no_block()
{
	dd iflag=nonblock count=0 status=none <&"$1"
}

# polls PID
polls()
{
	blocked_in "$1" poll ppoll
}

@test "an input and an output that do not block are waited for" {
	fresh posix
	head -c 200000 "$random" >in
	mkfifo input output
	# shellcheck disable=SC2094
	exec {feed}<>input {from}<input {held}<>output {to}>output {drain}<output
	no_block "$from"
	no_block "$to"
	start bash -c 'exec <&"$1"; for fd in "${@:3}"; do exec {fd}>&-; done; exec shmtool send "$2" --size 4K' \
		- "$from" "$object" "$feed" "$held" "$to" "$drain"
	writer=$pid
	start bash -c 'exec >&"$1"; for fd in "${@:3}"; do exec {fd}>&-; done; exec shmtool recv "$2" --size 4K' \
		- "$to" "$object" "$feed" "$held" "$from" "$drain"
	reader=$pid
	exec {from}<&- {held}<&- {to}>&-
	wait_until 5 polls "$writer"
	start bash -c 'exec cat in >&"$1"' - "$feed"
	feeder=$pid
	wait_until 5 polls "$reader"
	start bash -c 'fd=$1; exec {fd}>&- cat <&"$2" >out' - "$feed" "$drain"
	drainer=$pid
	finish "$feeder"
	end_feed
	for pid in "$writer" "$reader" "$drainer"; do
		finish "$pid"
		assert_equal "$status$stderr" 0
	done
	assert_same in out
}

# ---- what is no ring ----

@test "a segment with other contents is no ring, and stays as it is" {
	for backend in "${backends[@]}"; do
		for at in 0 511; do
			make "$backend"
			shmtool write "$object" x --offset $at -q
			shmtool save "$object" >before
			refused 7 EBADMSG 'what lies in it is no ring of its size$' "$object"
			refused 7 EBADMSG 'what lies in it is no ring of its size$' "$object" --size 4096
			shmtool save "$object" | cmp - before
		done
		# A ring of another version, size, or place of the bytes.
		make "$backend"
		sends text "$object"
		shmtool poke "$object" u32@8=2 -q
		refused 7 EBADMSG 'of another version$' "$object"
		shmtool poke "$object" u32@8=1 u64@16=3583 -q
		refused 7 EBADMSG 'no ring of its size$' "$object"
		shmtool poke "$object" u64@16=3584 u32@12=511 -q
		refused 7 EBADMSG 'no ring of its size$' "$object"
		shmtool poke "$object" u32@12=512 -q
		receives text "$object"
	done
}

@test "one of another size is not taken: both sizes are told" {
	for backend in "${backends[@]}"; do
		make "$backend" 4096
		refused 7 EBADMSG 'there is one, of 4096 bytes and not of 8192$' "$object" --size 8K
		refused 7 EBADMSG 'there is one, of 4096 bytes and not of 513$' "$object" --size 513
		sends text "$object" --size 4K
		refused 7 EBADMSG 'there is one, of 4096 bytes and not of 4097$' "$object" --size 4097
		receives text "$object" --size 4096
	done
}

# ---- one writer, one reader ----

@test "a second writer is refused at once, with the first one's name" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		start_fed "$object" --size 4K
		wait_until 5 ring_is "$object" writer "$writer"
		for options in "" "--timeout 0" "--size 4K"; do
			# shellcheck disable=SC2086 # words
			refusal send 1 EBUSY "$object" $options
			assert_stderr "^shmtool send: $object: process $writer writes to it: shmtool send $object"
		done
		# The first one has lost nothing by it.
		start_recv out "$object"
		echo text >&"$feed"
		end_feed
		finish "$pid"
		assert_equal "$status $(<out)" "0 text"
		finish "$writer"
		assert_status 0
	done
}

@test "a second reader is refused at once, with the first one's name" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		start_recv out "$object" --size 4K
		wait_until 5 sleeps "$pid"
		for options in "" "--timeout 0" "--remove"; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr timeout 5 shmtool recv "$object" $options
			assert_equal "$status $output" "1 "
			assert_equal "$stderr" "shmtool recv: $object: process $pid reads from it: shmtool recv $object --size 4K"
		done
		sends text "$object"
		finish "$pid"
		assert_equal "$status $(<out)" "0 text"
	done
}

@test "a writer that comes while a stream is unread waits, and then has its turn" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		sends one "$object" --size 4K
		echo two >in
		start_send in "$object"
		wait_until 5 sleeps "$pid"
		refusal send 1 EBUSY "$object"
		receives one "$object"
		finish "$pid"
		assert_equal "$status$stderr" 0
		refusal send 1 EAGAIN "$object" --timeout 0
		assert_stderr 'would block$'
		punctual 50000 shmtool send "$object" --timeout 50ms <in 2>err
		assert_equal "$status $(tail -n 1 err)" "1 shmtool send: $object: timed out after 50ms"
		# Those that gave up have left nothing.
		receives two "$object"
		receives_nothing "$object"
	done
}

# receives_nothing OBJECT: there is no stream.
receives_nothing()
{
	run --separate-stderr timeout 10 shmtool recv "$1" --timeout 0
	assert_equal "$status $output $stderr" "1  shmtool recv: $1: would block"
}

# ---- how long they wait ----

@test "--timeout: a reader for whom nothing comes, punctual, and as if it had not come" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		punctual 100000 shmtool recv "$object" --size 4K --timeout 100ms >out 2>err
		assert_equal "$status $(<out)" "1 "
		assert_equal "$(tail -n 1 err)" "shmtool recv: $object: timed out after 100ms"
		receives_nothing "$object"
		start_fed "$object"
		wait_until 5 ring_is "$object" state 1
		receives_nothing "$object"
		echo text >&"$feed"
		end_feed
		receives text "$object"
		finish "$writer"
		assert_status 0
	done
}

@test "--timeout: a writer that has no room, punctual; the reader is told" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		printf ab >in
		punctual 100000 shmtool send "$object" --size 513 --timeout .1 <in 2>err
		assert_equal "$status $(tail -n 1 err)" "1 shmtool send: $object: timed out after .1s"
		run --separate-stderr timeout 5 shmtool recv "$object"
		assert_equal "$status $output" "7 a"
		refusal send 1 EAGAIN "$object" --timeout 0 <in
		assert_stderr 'would block$'
		run --separate-stderr timeout 5 shmtool recv "$object"
		assert_equal "$status $output" "7 a"
		receives_nothing "$object"
	done
}

@test "--timeout 0: a reader takes what is there; in the middle of a stream it breaks it" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		start_fed "$object" --size 4K
		printf abc >&"$feed"
		wait_until 5 ring_is "$object" written 3
		run --separate-stderr timeout 5 shmtool recv "$object" --timeout 0
		assert_equal "$status $output $stderr" "1 abc shmtool recv: $object: would block"
		echo more >&"$feed"
		finish "$writer"
		assert_equal "$status $stderr" "7 shmtool send: $object: the reader has gone before the stream's end"
		end_feed
		sends text "$object"
		receives text "$object"
	done
}

@test "--timeout begins anew whenever something passes, and is not for the input" {
	# On a slow machine there may be more than that between two of them.
	for seconds in 1 3 9; do
		fresh posix
		begin=${EPOCHREALTIME/[^0-9]/}
		start_fed "$object" --size 4K --timeout 30ms
		start_recv out "$object" --size 4K --timeout ${seconds}s
		# Longer in sum than the limit, by when it would have ended.
		for ((i = 1; ${EPOCHREALTIME/[^0-9]/} < begin + seconds * 1200000; i++)); do
			printf a >&"$feed"
			wait_until 5 or_gone "$pid" grep -qx "a\{$i\}" out
			! gone "$pid" || break
		done
		end_feed
		finish "$pid"
		[[ $status == 0 ]] || continue
		assert_equal "$stderr" ""
		finish "$writer"
		assert_equal "$status$stderr" 0
		return 0
	done
	fail "it ended before all had come" "$(show_last)"
}

# cost PID: clock ticks and switches that it has had.
cost()
{
	local stat switches
	stat=$(<"/proc/$1/stat")
	# shellcheck disable=SC2086 # words
	set -- "$1" ${stat##*) }
	switches=$(awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$1/status")
	echo $((${13} + ${14})) "$switches"
}

# asleep PID: it is, in the call that waits for several words, and uses next to nothing for 0.3 s.
asleep()
{
	local before after begin more
	wait_until 5 sleeps "$1"
	blocked_in "$1" 449 || skip "no futex_waitv(2) here"
	read -ra before < <(cost "$1")
	begin=${EPOCHREALTIME/[^0-9]/}
	run timeout 5 shmtool recv /clock --size 4K --timeout 300ms
	assert_status 1
	read -ra after < <(cost "$1")
	# It looks again after each second, of which there may be some if others have the processor.
	((more = 2 * (${EPOCHREALTIME/[^0-9]/} - begin) / 1000000)) || true
	((after[0] - before[0] <= 2 + more)) || fail "ticks: ${before[0]}, then ${after[0]}"
	((after[1] - before[1] <= 4 + more)) || fail "switches: ${before[1]}, then ${after[1]}"
	blocked_in "$1" 449 || fail "it does not sleep in futex_waitv(2) any more"
}

@test "who waits sleeps, in one call for both words" {
	fresh posix
	start_recv out "$object" --size 4K
	asleep "$pid"
	head -c 5000 "$random" >in
	timeout 5 shmtool send "$object" <in
	finish "$pid"
	assert_same in out
	start_send in "$object"
	asleep "$pid"
	timeout 5 shmtool recv "$object" >out
	finish "$pid"
	assert_same in out
}

@test "no process, descriptor or file beside the segment is left behind" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		head -c 5000 "$random" >in
		start_send in "$object" --size 4K
		writer=$pid
		wait_until 5 sleeps "$pid"
		fds=(/proc/"$pid"/fd/*)
		start sleep inf
		wait_until 5 blocked_in "$pid" clock_nanosleep pause
		others=(/proc/"$pid"/fd/*)
		((${#fds[@]} <= ${#others[@]} + 1)) || fail "descriptors: ${fds[*]}"
		stop "$pid"
		pid=$writer
		assert_equal "$(<"/proc/$pid/task/$pid/children")" "" "processes"
		timeout 5 shmtool recv "$object" >out
		finish "$pid"
		case $backend in
		posix) assert_equal "$(ls -A /dev/shm)" "${object#/}" ;;
		sysv) assert_equal "$(told "$object" nattch)" 0 "nattch" ;;
		esac
		shmtool rm "$object"
	done
}

# ---- what is printed ----

@test "send is silent, and tells the bytes when it is asked" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		for options in "" --quiet "--quiet --json"; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr sends text "$object" --size 4K $options
			assert_equal "$status$output$stderr" 0
			receives text "$object"
		done
		run --separate-stderr sends text "$object" --json
		json --arg object "$object" --arg backend "$backend" '. == {object: $object, backend: $backend, bytes: 5}'
		receives text "$object"
		run --separate-stderr sends text "$object" --plain --columns bytes
		assert_equal "$status $output" "0 5"
		receives text "$object"
		# The format that is asked for by the environment is one for answers.
		IPCKIT_FORMAT=json run --separate-stderr sends text "$object"
		assert_equal "$status$output$stderr" 0
		IPCKIT_FORMAT=json receives text "$object"
	done
}

@test "recv prints the stream's bytes and nothing else" {
	make posix
	sends text "$object"
	for option in --json --plain --table; do
		run --separate-stderr timeout 5 shmtool recv "$object" "$option"
		assert_status 2
		assert_stderr "^shmtool recv: what is printed are the stream's bytes, in no other format"
	done
	receives text "$object" --quiet
}

@test "a progress line, on a terminal alone, after a second" {
	fresh posix
	# Each side of a stream with a terminal, then with one and --quiet, then with none.
	cat >feed <<-'EOF'
		for ((n = 0; n < 600; n++)); do
			printf 'some bytes of a slow source'
			! grep -q "/s" sends || ! grep -q "/s" receives || exit 0
			sleep 0.02
		done
	EOF
	start script -qefc 'bash feed | shmtool send /a --size 4K' sends
	pids=("$pid")
	start script -qefc 'shmtool recv /a --size 4K >a' receives
	pids+=("$pid")
	start script -qefc 'bash feed | shmtool send /b --size 4K -q' sends-quietly
	pids+=("$pid")
	start script -qefc 'shmtool recv /b --size 4K -q >b' receives-quietly
	pids+=("$pid")
	start bash -c 'bash feed | shmtool send /c --size 4K'
	pids+=("$pid")
	start bash -c 'shmtool recv /c --size 4K >c'
	pids+=("$pid")
	for pid in "${pids[@]}"; do
		finish "$pid"
		assert_status 0
	done
	assert_equal "$stderr" "" "not on a terminal"
	assert_match 'shmtool send: [0-9.]+[KM]?  [0-9.]+[KM]?/s' "$(<sends)"
	assert_match 'shmtool recv: [0-9.]+[KM]?  [0-9.]+[KM]?/s' "$(<receives)"
	! grep -q '/s' <(grep -v '^Script' sends-quietly receives-quietly) || fail "--quiet is not: $(<sends-quietly)"
	grep -qx '\(some bytes of a slow source\)*' a
	assert_equal "$(err_of "${pids[4]}" | xargs cat)" "" "not on a terminal"
}

# ---- usage ----

@test "bad operands and options: status 2, and nothing is made" {
	while read -r -a words; do
		refused 2 USAGE "" "${words[@]}"
	done <<-'EOF'
		--size 4K
		/a /b --size 4K
		/a --size 512
		/a --size 0
		/a --size -1
		/a --size 4Kb
		/a --size 99999999999999999999
		/a --mode 0600
		/a --size 4K --mode 0800
		/a --size 4K --timeout 5sfoo
		/a --size 4K --timeout -1
		/a --size 4K --frobnicate
		a --size 4K
		/a/b --size 4K
		key:0 --size 4K
		private --size 4K
		fd:0 --size 4K
	EOF
	refusal send 2 USAGE /a --size 4K --remove
	assert_equal "$(shmtool list --plain)" ""
}

# ---- removing ----

@test "recv --remove: the segment goes with the stream's end, but stays where it was broken" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		sends text "$object" --size 4K
		receives text "$object" --remove
		refused 3 ENOENT 'no such object$' "$object"

		run --separate-stderr timeout 5 shmtool recv "$object" --size 4K --remove --timeout 10ms
		assert_status 1
		# An input that cannot be read.
		run timeout 5 shmtool send "$object" --timeout 0 <.
		assert_status 8
		run --separate-stderr timeout 5 shmtool recv "$object" --remove
		assert_equal "$status $output" "7 "
		sends text "$object"
		receives text "$object"
	done
}

@test "a writer that waits for a ring that --remove ends makes a new one, or finds none" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		echo two >in
		for options in "--size 4K" ""; do
			sends one "$object" --size 4K
			# shellcheck disable=SC2086 # words
			start_send in "$object" $options
			wait_until 5 sleeps "$pid"
			receives one "$object" --remove
			finish "$pid"
			case $options in
			?*)
				assert_equal "$status$stderr" 0
				receives two "$object" --remove
				;;
			*) assert_equal "$status $stderr" "3 shmtool send: $object: no such object" ;;
			esac
		done
	done
}

# ---- other programs, other namespaces ----

@test "a C program that knows the layout alone, at either side" {
	for size in 600 65536; do
		make posix "$size"
		for bytes in 0 100 100000; do
			head -c "$bytes" "$random" >in
			start_recv out "$object"
			timeout 10 "$peers/ring-peer" write "/dev/shm$object" <in
			finish "$pid"
			assert_equal "$status$stderr" 0
			assert_same in out
			start_send in "$object"
			timeout 10 "$peers/ring-peer" read "/dev/shm$object" >out
			finish "$pid"
			assert_equal "$status$stderr" 0
			assert_same in out
		done
	done
	# They notice each other's death, and refuse each other.
	start "$peers/ring-peer" read "/dev/shm$object"
	reader=$pid
	wait_until 5 ring_is "$object" joined 1
	run --separate-stderr timeout 5 shmtool recv "$object"
	assert_status 1
	assert_stderr "process $reader reads from it: .*/ring-peer read "
	start_fed "$object"
	wait_until 5 ring_is "$object" state 1
	echo text >&"$feed"
	wait_until 5 ring_is "$object" taken "$(($(ring "$object" begin) + 5))"
	kill -KILL "$reader"
	wait_until 5 gone "$reader"
	echo text >&"$feed"
	finish "$writer"
	assert_status 7
	end_feed
}

# start_elsewhere COMMAND...: starts it as process 1 of a PID namespace; its pid here in $inner.
start_elsewhere()
{
	start unshare --pid --fork --mount-proc --kill-child bash -c \
		'fd=$1; exec {fd}>&- "${@:2}"' bash "${feed:-99}" "$@"
	wait_until 5 has_child "$pid"
	inner=$(<"/proc/$pid/task/$pid/children")
	inner=${inner% }
}

has_child()
{
	[[ $(<"/proc/$1/task/$1/children") ]]
}

# numbered_one PID: whether it is process 1 of a namespace.
numbered_one()
{
	grep -q '^NSpid:.*[[:blank:]]1$' "/proc/$1/status"
}

@test "between two PID namespaces: streams, and each notices the other's death" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		head -c 100000 "$random" >in
		start_elsewhere bash -c 'exec shmtool recv "$0" --size 4K >out' "$object"
		wait_until 5 sleeps "$inner"
		numbered_one "$inner"
		elsewhere shmtool send "$object" <in
		finish "$pid"
		assert_equal "$status$stderr" 0
		assert_same in out

		start_elsewhere bash -c 'exec shmtool send "$0" <in' "$object"
		wait_until 5 sleeps "$inner"
		kill -KILL "$inner"
		status=0
		elsewhere timeout 5 shmtool recv "$object" >out || status=$?
		assert_status 7
		assert_same <(head -c 3584 in) out
		start_elsewhere bash -c 'exec shmtool recv "$0"' "$object"
		wait_until 5 sleeps "$inner"
		start_fed "$object"
		wait_until 5 ring_is "$object" state 1
		kill -KILL "$inner"
		wait_until 5 gone "$inner"
		echo text >&"$feed"
		finish "$writer"
		assert_status 7
		end_feed
	done
}

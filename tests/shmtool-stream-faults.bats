# SPDX-License-Identifier: GPL-2.0-or-later
# What goes wrong in a stream of shmtool send and recv: either side killed, interrupted or stopped, an
# output that is gone or full, an input that fails, a segment that shrinks or goes. Nothing is lost that
# was passed on, nobody waits for the dead, and the next stream is whole.
# shellcheck disable=SC2016 # the variables of other shells
# shellcheck disable=SC2030,SC2031 # each test has its own object

load helpers
load segments

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	feed=
	random_file random 100000
	writer_tells="shmtool send: .*: the reader has gone before the stream's end$"
	reader_tells='shmtool recv: .*: the stream is not whole: its writer, or a reader before, has gone in the middle$'
}

# kills SIGNAL PID: and waits for its end.
kills()
{
	kill -"$1" "$2"
	wait_until 5 gone "$2"
	wait "$2" 2>/dev/null || true
}

# next_is_whole OBJECT: a stream for which the writer comes first, and drops what is left of a broken one;
# and one for which the reader does.
next_is_whole()
{
	head -c 9000 random >next
	start_send next "$1"
	wait_until 5 sleeps "$pid"
	timeout 10 shmtool recv "$1" >next.out
	finish "$pid"
	assert_equal "$status$stderr" 0
	assert_same next next.out
	start_recv next.out "$1"
	wait_until 5 sleeps "$pid"
	timeout 10 shmtool send "$1" <next
	finish "$pid"
	assert_equal "$status$stderr" 0
	assert_same next next.out
}

# reader_gets BYTES OBJECT: as many of what was sent, and then status 7.
reader_gets()
{
	status=0
	timeout 10 shmtool recv "$2" >out 2>err || status=$?
	assert_status 7
	assert_match "$reader_tells" "$(<err)"
	assert_same <(head -c "$1" random) out
}

# fed OBJECT BYTES: starts a writer that has passed on so many, and waits for more of them.
fed()
{
	start_fed "$1" --size 4K
	# The stream of the writer before may still be there.
	wait_until 5 ring_is "$1" writer "$writer"
	wait_until 5 ring_is "$1" state 1
	local begin
	begin=$(ring "$1" begin)
	head -c "$2" random >&"$feed"
	wait_until 5 ring_is "$1" written $((begin + $2))
}

# full OBJECT: starts a writer that sleeps at a full ring, which holds 3584 bytes.
full()
{
	start_send random "$1" --size 4K
	writer=$pid
	wait_until 5 sleeps "$writer"
}

# ends_at_once SIGNAL VICTIM PID: it ends; whether within half a second of the signal, in $prompt: a look again
# comes after a whole one.
ends_at_once()
{
	local begin late=500000
	! is_sanitized || late=900000
	kill -"$1" "$2"
	begin=${EPOCHREALTIME/[^0-9]/}
	wait_until 5 gone "$3"
	prompt=$((${EPOCHREALTIME/[^0-9]/} - begin < late))
}

# stuck OBJECT [ARG...]: starts a reader that waits for its output, the FIFO stuck, until unstick.
stuck()
{
	rm -f stuck
	mkfifo stuck
	exec {held}<>stuck
	dd if=/dev/zero of=stuck bs=4096 oflag=nonblock status=none 2>/dev/null || true
	start_recv stuck "$@"
	reader=$pid
	wait_until 5 ring_is "$1" reader "$reader"
}

unstick()
{
	exec {held}>&-
}

# ---- killed ----

@test "a writer is killed: what it had passed on is delivered, then status 7" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		for bytes in 0 1 3000; do
			# Nobody reads yet; then somebody does.
			fed "$object" $bytes
			kills KILL "$writer"
			end_feed
			reader_gets $bytes "$object"

			fed "$object" $bytes
			start_recv out "$object"
			wait_until 5 sleeps "$pid"
			kills KILL "$writer"
			end_feed
			finish "$pid"
			assert_status 7
			assert_stderr "$reader_tells"
			assert_same <(head -c $bytes random) out
		done
		full "$object"
		kills KILL "$writer"
		reader_gets 3584 "$object"
		next_is_whole "$object"
	done
}

@test "what a killed writer had passed on is dropped by the next one" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		full "$object"
		kills KILL "$writer"
		next_is_whole "$object"
		# But not while somebody reads it.
		full "$object"
		stuck "$object"
		kills KILL "$writer"
		start_send next "$object"
		wait_until 5 sleeps "$pid"
		refusal send 1 EBUSY "$object"
		sender=$pid
		start cat stuck
		unstick
		finish "$reader"
		assert_status 7
		timeout 10 shmtool recv "$object" >next.out
		finish "$sender"
		assert_equal "$status$stderr" 0
		assert_same next next.out
	done
}

@test "a reader is killed: the writer ends with status 7, at its next byte or where it waits" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		fed "$object" 3000
		start_recv out "$object"
		wait_until 5 sleeps "$pid"
		kills KILL "$pid"
		echo >&"$feed"
		finish "$writer"
		assert_status 7
		assert_stderr "$writer_tells"
		end_feed
		# The first bytes of it are gone: nobody takes the rest for a stream.
		run --separate-stderr timeout 5 shmtool recv "$object" --timeout 0
		assert_status 7
		assert_stderr "$reader_tells"
		next_is_whole "$object"
	done
}

# killed_reader SIGNAL: a writer without room and a reader that waits for its output; is the writer told at once?
killed_reader()
{
	stuck "$object" --size 4K
	full "$object"
	wait_until 5 ring_is "$object" joined 1
	ends_at_once "$1" "$reader" "$writer"
	unstick
	finish "$reader"
	died_of "$1"
	assert_equal "$stderr" ""
	finish "$writer"
	assert_status 7
	assert_stderr "$writer_tells"
}

# killed_writer SIGNAL: a reader that sleeps, and a writer that waits for its input.
killed_writer()
{
	fed "$object" 100
	start_recv out "$object"
	reader=$pid
	wait_until 5 sleeps "$reader"
	ends_at_once "$1" "$writer" "$reader"
	end_feed
	finish "$writer"
	died_of "$1"
	assert_equal "$stderr" ""
	finish "$reader"
	assert_status 7
	assert_stderr "$reader_tells"
	assert_same <(head -c 100 random) out
}

# at_once COMMAND...: $prompt is not 0 once of six times: others may have the processor.
at_once()
{
	local try
	for try in 1 2 3 4 5 6; do
		"$@"
		((prompt == 0)) || return 0
	done
	fail "$* was not told at once ($try tries)"
}

@test "a side that is killed or interrupted: the other one ends at once" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		case $backend in
		posix) signals=(KILL INT) ;;
		sysv) signals=(KILL TERM) ;;
		esac
		for signal in "${signals[@]}"; do
			at_once killed_reader "$signal"
			at_once killed_writer "$signal"
		done
		next_is_whole "$object"
	done
}

@test "a reader that is killed before it took anything has not been there" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		for signal in KILL TERM; do
			head -c 1000 random >in
			timeout 5 shmtool send "$object" --size 4K <in
			stuck "$object"
			wait_until 5 ring_is "$object" joined 1
			kills $signal "$reader"
			unstick
			timeout 5 shmtool recv "$object" >out
			assert_same in out
		done
		next_is_whole "$object"
	done
}

# ---- stopped ----

@test "a side that is stopped is waited for, and nothing is lost" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		full "$object"
		kill -STOP "$writer"
		wait_until 5 state_is "$writer" T
		start_recv out "$object"
		wait_until 5 sleeps "$pid"
		ring_is "$object" taken 3584
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		kill -CONT "$writer"
		wait_until 5 ring_is "$object" written 7168
		wait_until 5 sleeps "$writer"
		refusal send 1 EBUSY "$object"
		kill -CONT "$pid"
		finish "$pid"
		assert_equal "$status$stderr" 0
		finish "$writer"
		assert_equal "$status$stderr" 0
		assert_same random out
	done
}

# rests PID: it has ended, or waits for the other side.
rests()
{
	gone "$1" || sleeps "$1"
}

stopped_or_gone()
{
	gone "$1" || state_is "$1" T
}

@test "64 MiB, and either side stopped again and again until the other waits" {
	local size=64 stops=0 victim other
	! is_sanitized || size=16
	random_file in ${size}M
	# Others may have the processor while all of it passes.
	for backend in {posix,sysv,posix,sysv,posix,sysv,posix,sysv}; do
		((stops < 8)) || [[ $backend == sysv ]] || break
		fresh "$backend"
		start_recv out "$object" --size 20000
		reader=$pid
		start_send in "$object" --size 20000
		writer=$pid
		until gone "$writer" && gone "$reader"; do
			victim=$writer other=$reader
			((RANDOM % 2)) || victim=$reader other=$writer
			kill -STOP "$victim" 2>/dev/null || continue
			wait_until 5 stopped_or_gone "$victim"
			((RANDOM % 3)) || wait_until 20 rests "$other"
			kill -CONT "$victim" 2>/dev/null || continue # it had ended before it was stopped
			((++stops))
		done
		finish "$writer"
		assert_equal "$status$stderr" 0
		finish "$reader"
		assert_equal "$status$stderr" 0
		assert_same in out
	done
	((stops >= 4)) || fail "only $stops stops"
}

# ---- outputs ----

@test "a reader of the output that goes ends recv quietly, and the writer with status 7" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		head -c 5M /dev/zero >in
		start_send in "$object" --size 4K
		run --separate-stderr env --default-signal=PIPE bash -c \
			'shmtool recv "$1" --size 4K | head -c 10 >out; echo "${PIPESTATUS[*]}"' - "$object"
		assert_equal "$output$stderr" "141 0"
		assert_equal "$(stat -c %s out)" 10
		finish "$pid"
		assert_status 7
		assert_stderr "$writer_tells"
		next_is_whole "$object"
	done
}

@test "an output that fails: status 8, and the writer's 7" {
	mkdir small
	mount -t tmpfs -o size=64k none small
	for backend in "${backends[@]}"; do
		fresh "$backend"
		for sink in /dev/full small/out limited closed; do
			start_send random "$object" --size 4K
			wait_until 5 sleeps "$pid"
			case $sink in
			limited) set -- bash -c 'ulimit -f 8; exec shmtool recv "$1" >limited' ;;
			closed) set -- bash -c 'exec shmtool recv "$1" >&-' ;;
			*) set -- bash -c 'exec shmtool recv "$1" >"$2"' ;;
			esac
			run --separate-stderr timeout 10 "$@" - "$object" "$sink"
			assert_status 8
			assert_equal "${#stderr_lines[@]}" 1 "lines on stderr"
			case $sink in
			limited) assert_stderr "shmtool recv: standard output: .*RLIMIT_FSIZE is 8192 bytes" ;;
			closed) assert_stderr "shmtool recv: standard output: bad file descriptor$" ;;
			*) assert_stderr "shmtool recv: standard output: no space left" ;;
			esac
			finish "$pid"
			assert_status 7
			assert_stderr "$writer_tells"
			rm -f small/out
			# What lies there is not taken for a stream.
			run timeout 5 shmtool recv "$object"
			assert_status 7
			next_is_whole "$object"
		done
	done
	umount small
}

@test "an output that fails before anything was written: the next reader gets all" {
	make posix
	echo text | shmtool send "$object"
	run bash -c 'exec timeout 5 shmtool recv "$1" >/dev/full' - "$object"
	assert_status 8
	run --separate-stderr timeout 5 shmtool recv "$object"
	assert_equal "$status $output" "0 text"
	next_is_whole "$object"
}

# ---- inputs ----

@test "an input that fails: status 8, and the reader's 7" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		for input in directory closed; do
			for first in send recv; do
				[[ $first == send ]] || start_recv out "$object" --size 4K
				case $input in
				directory) run --separate-stderr bash -c 'exec timeout 5 shmtool send "$1" --size 4K --json <.' - "$object" ;;
				closed) run --separate-stderr bash -c 'exec timeout 5 shmtool send "$1" --size 4K --json <&-' - "$object" ;;
				esac
				assert_status 8
				json '.error | .exit == 8 and .object == "standard input" and (.code == "EISDIR" or .code == "EBADF")'
				[[ $first == recv ]] || start_recv out "$object"
				finish "$pid"
				assert_status 7
				assert_stderr "$reader_tells"
			done
		done
		next_is_whole "$object"
	done
}

# ---- segments ----

# shrinks OBJECT SIZE
shrinks()
{
	truncate -s "$2" "/dev/shm$1"
}

# broken PID: ends with status 7 and one line.
broken()
{
	finish "$1"
	assert_status 7
	assert_stderr '^shmtool (send|recv): '
	assert_equal "$(wc -l <<<"$stderr")" 1 "lines on stderr: $stderr"
}

@test "a segment that shrinks during a stream: status 7 for both, wherever they are" {
	# To each size: a writer that sleeps alone; a reader that sleeps and a writer at its input.
	local sizes=(0 100 512 4096) alone=() objects=()
	for size in "${sizes[@]}"; do
		fresh posix
		objects+=("$object")
		start_send random "$object" --size 64K
		alone+=("$pid")
	done
	for i in "${!sizes[@]}"; do
		wait_until 5 sleeps "${alone[i]}"
		shrinks "${objects[i]}" "${sizes[i]}"
	done
	for size in "${sizes[@]}"; do
		fresh posix
		start_recv out "$object" --size 64K
		reader=$pid
		wait_until 5 sleeps "$reader"
		start_fed "$object"
		wait_until 5 ring_is "$object" state 1
		shrinks "$object" "$size"
		head -c 60000 random >&"$feed"
		broken "$reader"
		end_feed
		broken "$writer"
	done
	for pid in "${alone[@]}"; do
		broken "$pid"
	done
}

@test "a segment that shrinks: JSON has one document" {
	fresh posix
	start_send random "$object" --size 64K --json
	wait_until 5 sleeps "$pid"
	shrinks "$object" 0
	broken "$pid"
	json '.error | .code == "EFAULT" and .exit == 7'
	assert_equal "$(wc -l <<<"$output")" 1 "lines"
}

@test "a segment without space in a full file system: status 7, no signal" {
	small_shm 64k
	truncate -s 1M /dev/shm/sparse
	random_file big 2M
	start_send big /sparse
	writer=$pid
	start_recv out /sparse
	reader=$pid
	broken "$writer"
	broken "$reader"
	# As many as are delivered were sent.
	cmp -n "$(stat -c %s out)" big out
}

@test "a full file system: nothing is made, and the limit is told" {
	small_shm 64k
	refusal send 6 ENOSPC /a --size 1M
	run --separate-stderr timeout 5 shmtool recv /a --size 1M
	assert_equal "$status$output" 6
	assert_equal "$(ls -A /dev/shm)" ""
}

@test "a segment that is removed: a stream goes on, who waits for nobody ends" {
	local alone=()
	for backend in "${backends[@]}"; do
		fresh "$backend"
		stuck "$object" --size 4K
		full "$object"
		shmtool rm "$object"
		start bash -c 'fd=$1; exec {fd}>&- cat stuck >out' - "$held"
		drain=$pid
		wait_until 5 test -s out
		unstick
		finish "$reader"
		assert_equal "$status$stderr" 0
		finish "$drain"
		assert_same <(tail -c 100000 out) random
		finish "$writer"
		assert_equal "$status$stderr" 0

		fresh "$backend"
		start_recv out "$object" --size 4K
		wait_until 5 sleeps "$pid"
		shmtool rm "$object"
		alone+=("$pid")
		fresh "$backend"
		full "$object"
		shmtool rm "$object"
		alone+=("$writer")
	done
	for pid in "${alone[@]}"; do
		broken "$pid"
		assert_stderr 'removed while it was used$'
	done
}

@test "what is no segment: status 7, and no hang" {
	mkfifo /dev/shm/fifo
	mkdir /dev/shm/directory
	ln -s fifo /dev/shm/link
	ln -s nothing /dev/shm/dangling
	for object in /fifo /directory /link /dangling; do
		code=EBADMSG
		[[ -p /dev/shm$object || -d /dev/shm$object ]] && [[ ! -L /dev/shm$object ]] || code=ELOOP
		refusal send 7 $code "$object"
		refusal send 7 $code "$object" --size 4K
		run timeout 5 shmtool recv "$object"
		assert_status 7
	done
}

@test "without permission: status 5" {
	for backend in "${backends[@]}"; do
		make "$backend" 4096 --mode 0400
		run --separate-stderr as_unprivileged shmtool send "$object" --json
		assert_status 5
		json '.error.code == "EACCES"'
		run --separate-stderr as_unprivileged shmtool recv "$object"
		assert_equal "$status$output" 5
	done
}

@test "numbers in the ring that make no sense: status 7, no hang" {
	for backend in "${backends[@]}"; do
		for what in u64@144=1 u64@80=5000 u32@72=77; do
			make "$backend"
			echo text | shmtool send "$object"
			shmtool poke "$object" $what -q
			run --separate-stderr timeout 5 shmtool recv "$object"
			[[ $status == 7 ]] || fail "$what" "$(show_last)"
			assert_stderr '^shmtool recv: '
		done
	done
}

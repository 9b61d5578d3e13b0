# SPDX-License-Identifier: GPL-2.0-or-later
# shmtool --lock: words and semaphores that are held while bytes are copied.
#
# Words in single quotes are for jq and other shells.
# shellcheck disable=SC2016,SC2030,SC2031

load helpers
load backends

# Bytes 0 to 7 of the segment: words.
setup()
{
	shmtool create /frame --size 64K -q
}

# word VALUE [OFFSET]: sets a word of /frame. word_is VALUE [OFFSET]
word()
{
	shmtool poke /frame "u32@${2-0}=$1" -q
}

word_is()
{
	assert_equal "$(shmtool peek /frame "u32@${2-0}" --plain --columns value)" "$1" "the word"
}

# Each of these is held and given back, by whoever copies.
all_locks()
{
	local backend
	locks=(/frame@4 "$BATS_TEST_TMPDIR/word@64")
	truncate -s 100 "$BATS_TEST_TMPDIR/word"
	for backend in posix sysv file eventfd; do
		make "$backend"
		locks+=("$object")
	done
	semctl-cli create key:99 --values 0,0,1 -q
	locks+=("key:99#2")
}

# free LOCK: nobody holds it, and it is none more than it was.
free()
{
	case $1 in
	/frame@*) word_is 0 "${1#*@}" ;;
	*@*) assert_equal "$(od -An -tx4 -j64 -N4 "${1%@*}")" " 00000000" "$1" ;;
	file:*) semctl-cli exec "$1" --timeout 0 -- true ;;
	*) wait_until 5 value_is "$1" 1 ;;
	esac
}

value_is()
{
	[[ $(semctl-cli value "$1" --plain --columns value) == "$2" ]]
}

# hold LOCK: somebody does.
hold()
{
	case $1 in
	/frame@*) word 1 "${1#*@}" ;;
	*@*) printf '\1\0\0\0' | dd of="${1%@*}" bs=1 seek=64 conv=notrunc status=none ;;
	*)
		start semctl-cli exec "$1" -- sleep inf
		holder=$pid
		if [[ $1 == file:* ]]; then
			wait_until 5 held "$1"
		else
			wait_until 5 value_is "$1" 0
		fi
		;;
	esac
}

held()
{
	! semctl-cli exec "$1" --timeout 0 -- true 2>/dev/null
}

# let_go LOCK
let_go()
{
	case $1 in
	/frame@*) word 0 "${1#*@}" ;;
	*@*) printf '\0\0\0\0' | dd of="${1%@*}" bs=1 seek=64 conv=notrunc status=none ;;
	*) stop "$holder" ;;
	esac
}

# kill_hard PID: if it has not ended.
kill_hard()
{
	{
		kill -KILL "$1" || true
		wait "$1" || true
	} 2>/dev/null
}

# waited_for LOCK PID: where a guardian waits, it tells for whom.
waited_for()
{
	case $1 in
	*@*) blocked_in "$2" futex ;;
	file:*) blocked_in "$2" fcntl ;;
	key:*) blocked_in "$2" semtimedop semop ;;
	*) semctl-cli info "$1" | jq -e --argjson pid "$2" '.waiting | any(.pid == $pid)' >/dev/null ;;
	esac
}

@test "--lock: each verb takes what it names, and gives it back" {
	all_locks
	shmtool create /copy --size 64K -q
	for lock in "${locks[@]}"; do
		printf 'some bytes' | shmtool write /frame --offset 8 --lock "$lock"
		free "$lock"
		run shmtool read /frame --offset 8 --length 10 --lock "$lock" --timeout 5s
		assert_output "some bytes"
		free "$lock"
		shmtool poke /frame u8@8=83 --lock "$lock"
		run shmtool peek /frame u8@8 --plain --columns value --lock "$lock"
		assert_output 83
		shmtool copy /frame /copy --lock "$lock"
		run shmtool read /copy --offset 8 --length 10
		assert_output "Some bytes"
		free "$lock"
		shmtool poke /copy u32@4=0 -q
	done
}

@test "--lock: who waits writes nothing until it is given back" {
	all_locks
	for lock in "${locks[@]}"; do
		shmtool poke /frame u8@100=1 -q
		hold "$lock"
		start shmtool write /frame $'\2' --offset 100 --lock "$lock"
		wait_until 5 waited_for "$lock" "$pid"
		assert_equal "$(shmtool peek /frame u8@100 --plain --columns value)" 1 "$lock"
		let_go "$lock"
		finish "$pid"
		assert_status 0
		assert_equal "$(shmtool peek /frame u8@100 --plain --columns value)" 2 "$lock"
		free "$lock"
	done
}

@test "--timeout: too long, or at once; nothing is written, nothing is held" {
	all_locks
	for lock in "${locks[@]}"; do
		hold "$lock"
		for timeout in 0 30ms; do
			run --separate-stderr shmtool write /frame text --offset 200 --lock "$lock" --timeout $timeout --json
			assert_status 1
			json --arg lock "$lock" --arg code "$([[ $timeout == 0 ]] && echo EAGAIN || echo ETIMEDOUT)" \
				'.error.code == $code and .error.object == $lock'
			[[ $timeout == 0 ]] || assert_stderr 'timed out after 30ms'
		done
		run shmtool read /frame --offset 200 --length 4 --string
		assert_output ""
		let_go "$lock"
		free "$lock"
	done
	word 4711
	run --separate-stderr shmtool read /frame --lock /frame@0 --timeout 1ms
	assert_stderr 'timed out after 1ms: thread 4711 has it'
	# It looks for more than the second after which it looks again.
	run --separate-stderr shmtool read /frame --lock /frame@0 --timeout 1.2
	assert_status 1
	assert_stderr 'timed out after 1.2s'
	word_is $((4711 + (1 << 31)))
}

@test "--lock: who excludes whom: no reader sees half a write" {
	make posix
	for lock in /frame@0 "$object" "file:$BATS_TEST_TMPDIR/lock"; do
		for char in a b; do
			start sh -c 'for i in 1 2 3 4 5 6 7 8; do
				head -c 60000 /dev/zero | tr "\0" "$2" |
					shmtool write /frame --offset 8 --lock "$1" || exit
			done' - "$lock" $char
		done
		for i in {1..20}; do
			# Of one letter, once there is something.
			run bash -c 'shmtool read /frame --offset 8 --length 60000 --lock "$1" | tr "\0" z | fold -w1 | uniq' - "$lock"
			assert_match '^[abz]$'
		done
		for one in "${started[-1]}" "${started[-2]}"; do
			finish "$one"
			assert_status 0
		done
		free "$lock"
	done
}

@test "--lock: statuses of what cannot be locked" {
	while read -r status lock reason; do
		run --separate-stderr shmtool write /frame text --offset 8 --lock "$lock"
		assert_status "$status"
		assert_stderr "$reason"
		run shmtool read /frame --offset 8 --length 4 --string
		assert_output ""
	done <<-END
		2 /frame@2 a word begins at a multiple of 4
		2 $BATS_TEST_TMPDIR/no@3 a word begins at a multiple of 4
		7 /frame@65536 the file ends before this offset
		7 /frame@0x7ffffffffffffffc the file ends before this offset
		3 /missing@0 no such object
		3 $BATS_TEST_TMPDIR/missing@0 no such object
		3 /missing no such object
		3 key:4711 no such object
		2 word no object's name
		2 private create only
		2 key:0 private
	END
	run --separate-stderr shmtool write /frame text --timeout 5s
	assert_status 2
	assert_stderr 'for --lock|wait for --lock'
	run --separate-stderr shmtool write /frame text --lock /frame@0 --timeout 5x
	assert_status 2
	truncate -s 66 "$BATS_TEST_TMPDIR/short"
	run --separate-stderr shmtool write /frame text --lock "$BATS_TEST_TMPDIR/short@64"
	assert_status 7
}

@test "--lock: a word that no robust mutex has is status 7, and stays" {
	for value in 0x80000000 0x40000001 0x00400000 0xdeadbeef; do
		word $value
		run --separate-stderr shmtool read /frame --length 1 --lock /frame@0
		assert_status 7
		assert_stderr 'no robust mutex'
		word_is $((value))
	done
}

@test "--lock: a word whose file shrinks while it is waited for is status 7" {
	for size in 0 4096; do
		printf '\1\0\0\0' >"$BATS_TEST_TMPDIR/shrinks"
		truncate -s 4096 "$BATS_TEST_TMPDIR/shrinks"
		cat "$BATS_TEST_TMPDIR/shrinks" "$BATS_TEST_TMPDIR/shrinks" >"$BATS_TEST_TMPDIR/twice"
		start shmtool read /frame --length 1 --lock "$BATS_TEST_TMPDIR/twice@4096"
		wait_until 5 blocked_in "$pid" futex
		truncate -s $size "$BATS_TEST_TMPDIR/twice"
		finish "$pid"
		assert_status 7
	done
}

@test "--lock: what was planted in a word's place is left alone" {
	cd "$BATS_TEST_TMPDIR"
	mkfifo fifo /dev/shm/fifo
	mkdir dir /dev/shm/dir
	truncate -s 64 file
	ln -s "$PWD/file" link
	ln -s "$PWD/file" /dev/shm/link
	for lock in ./fifo@0 ./dir@0 ./link@0 /fifo@0 /dir@0 /link@0 /dev/null@0; do
		run --separate-stderr timeout 5 shmtool read /frame --length 1 --lock "$lock"
		assert_status 7
	done
	assert_equal "$(od -An -tx1 file | tr -d ' \n*')" "$(printf '%032d' 0)" "the file"
}

@test "--lock: a word that may not be written is status 5" {
	shmtool create /theirs --size 64 --mode 0400 -q
	run --separate-stderr as_unprivileged shmtool read /theirs --length 1 --lock /theirs@0
	assert_status 5
	run as_unprivileged shmtool read /theirs --length 1
	assert_status 0
}

@test "--lock: an owner that died is told, to readers until somebody has written" {
	word 0x40000000
	for i in 1 2; do
		run --separate-stderr shmtool read /frame --offset 8 --length 1 --lock /frame@0
		assert_status 0
		assert_stderr 'warning: /frame@0: its last owner ended while it held it'
		run --separate-stderr shmtool peek /frame u8@8 --lock /frame@0
		assert_stderr 'half written'
		word_is $((0x40000000))
	done
	run --separate-stderr shmtool write /frame x --offset 8 --lock /frame@0
	assert_status 0
	assert_stderr 'half written'
	word_is 0
	run --separate-stderr shmtool read /frame --offset 8 --length 1 --lock /frame@0
	assert_equal "$stderr" ""
}

@test "--lock: a writer that is killed at any moment: half a write is never read unwarned" {
	local told=0 warned
	shmtool create /large --size 8M -q
	for char in a b; do
		head -c 8388600 /dev/zero | tr '\0' $char >"$BATS_TEST_TMPDIR/$char"
	done
	shmtool write /large --offset 8 --file "$BATS_TEST_TMPDIR/a" --lock /large@0
	for i in {1..30}; do
		start shmtool write /large --offset 8 --file "$BATS_TEST_TMPDIR/$([[ $((i % 2)) == 0 ]] && echo a || echo b)" \
			--lock /large@0
		sleep "0.00$((i % 10))"
		kill_hard "$pid"
		shmtool read /large --offset 8 --lock /large@0 --timeout 5s 2>"$BATS_TEST_TMPDIR/err" >"$BATS_TEST_TMPDIR/out"
		warned=$(wc -l <"$BATS_TEST_TMPDIR/err")
		if ! cmp -s "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/a" && ! cmp -s "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/b"; then
			((warned == 1)) || fail "kill $i: half a write, and no warning"
		fi
		((told += warned)) || true
		((warned == 0)) || shmtool write /large --offset 8 --file "$BATS_TEST_TMPDIR/a" --lock /large@0 2>/dev/null
	done
	echo "# told: $told of 30"
}

@test "--lock: a semaphore comes back when its holder is killed" {
	shmtool create /large --size 8M -q
	head -c 8388608 /dev/zero >"$BATS_TEST_TMPDIR/zeros"
	for backend in posix sysv eventfd; do
		make "$backend"
		for i in {1..8}; do
			start shmtool write /large --file "$BATS_TEST_TMPDIR/zeros" --lock "$object"
			sleep "0.00$i"
			kill_hard "$pid"
			wait_until 5 value_is "$object" 1
		done
	done
}

@test "--lock: a signal ends the wait, and the semaphore is not taken" {
	for backend in posix sysv eventfd; do
		make "$backend" 0
		for signal in TERM INT HUP; do
			start shmtool write /frame text --lock "$object"
			wait_until 5 waited_for "$object" "$pid"
			kill -$signal "$pid"
			finish "$pid"
			assert_status $((128 + $(kill -l $signal)))
		done
		semctl-cli post "$object"
		wait_until 5 value_is "$object" 1
	done
	word 1
	start shmtool write /frame text --offset 8 --lock /frame@0
	wait_until 5 blocked_in "$pid" futex
	kill -TERM "$pid"
	finish "$pid"
	assert_status 143
	word_is $((1 + (1 << 31)))
}

@test "--lock: who waits through a guardian is seen" {
	make posix 0
	start shmtool write /frame text --lock "$object"
	wait_until 5 waited_for "$object" "$pid"
	run semctl-cli info "$object"
	json --argjson pid "$pid" '.holders == [] and (.waiting | length == 1 and (.[0] | .pid == $pid and .count == 1 and
		(.command | contains("shmtool write /frame"))))'
	semctl-cli post "$object"
	finish "$pid"
	assert_status 0
	wait_until 5 value_is "$object" 1
}

@test "--lock: nothing of standard input is lost where the environment is empty" {
	make posix
	run env -i "$(command -v bash)" -c 'printf "all of it" | exec -c "$1" write /frame --offset 8 --lock "$2"' - \
		"$(command -v shmtool)" "$object"
	assert_status 0
	run shmtool read /frame --offset 8 --string
	assert_output "all of it"
	wait_until 5 value_is "$object" 1
}

# SPDX-License-Identifier: GPL-2.0-or-later
# shmtool wait: until a number in a segment is what was asked for.
# shellcheck disable=SC2016 # the variables of jq

load helpers
load segments

refused()
{
	refusal wait "$@"
}

# start_wait ARG...: starts shmtool wait ARG..., until it sleeps.
start_wait()
{
	start shmtool wait "$@"
	sleeps "$pid"
}

# sleeps PID: it is in futex(2) or futex_waitv(2) by now; between two of them it looks.
sleeps()
{
	wait_until 5 blocked_in "$1" futex 449 restart_syscall
}

# ended STATUS: how the last of `start` ends.
ended()
{
	finish "$pid"
	assert_status "$1"
}

# ---- what it is for ----

@test "it holds: at once, silent, with each comparison and type" {
	for backend in "${backends[@]}"; do
		make "$backend"
		shmtool poke "$object" i32be@4=-5 u8@8=200 f64@16=0.5 f32le@25=-inf i64@48=-1 f64@40=-0 f64@56=nan
		while read -r holds cell op value; do
			run --separate-stderr shmtool wait "$object" "$cell" "$op" "$value" --timeout 0
			[[ "$status$output" == "$((holds ? 0 : 1))" ]] || fail "$cell $op $value" "$(show_last)"
		done <<-'END'
			1 i32be@4 eq -5
			0 i32be@4 ne -5
			1 i32be@4 lt -4
			0 i32be@4 lt -5
			1 i32be@4 le -5
			0 i32be@4 gt 0
			1 i32be@4 ge -5
			1 u8@8 gt 199
			0 u8@8 lt 0310
			1 i8@8 lt 0
			1 f64@16 ge 0.5
			0 f64@16 gt 0.5
			1 f32le@25 lt -1e38
			1 i64@48 lt 0
			1 u64@48 gt 0xfffffffffffffffe
			1 f64@40 eq 0
			0 f64@56 eq nan
			1 f64@56 ne nan
			0 f64@56 lt 1
			0 f64@56 ge 1
		END
	done
}

@test "told to print, it tells what was there" {
	make posix
	shmtool poke "$object" i16be@4=-5
	run --separate-stderr shmtool wait "$object" i16be@4 lt 0 --json
	assert_equal "$status$stderr" 0
	assert_output '{"type":"i16be","offset":4,"value":-5,"text":"-5","hex":"0xfffb"}'
	run shmtool wait "$object" i16be@4 ne -4 --plain
	assert_output $'i16be\t4\t-5'
	run shmtool wait "$object" i16be@4 ne -4 --plain -o text -q
	assert_equal "$status $output" "0 "
}

@test "woken by poke, in futex(2)" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for how in = add cas; do
			shmtool poke "$object" u32@8=0
			start_wait "$object" u32@8 ge 2 --json
			sleeps "$pid"
			shmtool poke "$object" u32@8=1 u32@12=9
			run ! gone "$pid"
			case $how in
			=) shmtool poke "$object" u32@8=2 ;;
			add) shmtool poke "$object" u32@8=1 --add -q ;;
			cas) shmtool poke "$object" u32@8=2 --cas 1 -q ;;
			esac
			ended 0
			json '.value == 2 and .type == "u32"'
		done
	done
}

@test "every size and place of a cell: each of its bytes ends the wait" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for cell in u8@5 u16@7 u32@13 u64be@19 f64@4088; do
			size=${cell%@*}
			size=$((${size//[^0-9]/} / 8))
			for byte in 0 $((size - 1)); do
				shmtool fill "$object" 0
				start_wait "$object" "$cell" ne 0
				shmtool poke "$object" "u8@$((${cell#*@} + byte))=1"
				ended 0
			done
		done
	done
}

@test "poke wakes who sleeps on a word that it touches; wait sleeps on the words of its cell" {
	for backend in "${backends[@]}"; do
		make "$backend"
		name=$(peer_name "$object")
		for cell in u32@8 i8@11 f64@4 u16@7; do
			shmtool fill "$object" 0
			start "$shm_peer" sleep "$name" 8
			wait_until 5 blocked_in "$pid" futex
			# Two words further nobody is woken.
			shmtool poke "$object" u32@16=1
			blocked_in "$pid" futex
			shmtool poke "$object" "$cell=0"
			ended 0
		done
		for cell in u32@8 f64@4 u16be@7; do
			start_wait "$object" "$cell" ne 0
			wait_until 5 woken "$name" 8
			run "$shm_peer" wake "$name" 16
			assert_output 0
			run ! gone "$pid"
			stop "$pid"
		done
	done
}

# woken NAME OFFSET: whether somebody slept on this word.
woken()
{
	[[ $("$shm_peer" wake "$1" "$2") == 1 ]]
}

@test "a plain store by a C program is noticed" {
	for backend in "${backends[@]}"; do
		make "$backend"
		name=$(peer_name "$object")
		start_wait "$object" u32le@64 eq 0x00434241 --timeout 20s --json
		"$shm_peer" write "$name" 64 AB
		run ! gone "$pid"
		"$shm_peer" write "$name" 64 ABC
		ended 0
		json '.value == 4407873'
		# And one that comes late, when the looks have become rare.
		start_wait "$object" u64be@3 gt 0
		run shmtool wait "$object" u64be@3 gt 0 --timeout 100ms
		assert_status 1
		"$shm_peer" add "$name" 0 1
		"$shm_peer" write "$name" 10 x
		ended 0
	done
}

@test "many wait for one, and for different values of one" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for value in 1 2 3 3 3; do
			start shmtool wait "$object" u32@0 ge "$value" --timeout 20s
		done
		for one in "${started[@]: -5}"; do
			sleeps "$one"
		done
		shmtool poke "$object" u32@0=1
		wait_until 5 gone "${started[-5]}"
		run ! gone "${started[-4]}"
		shmtool poke "$object" u32@0=3
		for one in "${started[@]: -5}"; do
			finish "$one"
			assert_status 0
		done
	done
}

@test "two that take turns" {
	for backend in "${backends[@]}"; do
		make "$backend"
		start sh -ec 'for i in 1 3 5 7 9 11 13 15; do shmtool wait "$0" u32@0 eq $i; shmtool poke "$0" u32@0=$((i + 1)); done' "$object"
		for i in 0 2 4 6 8 10 12 14; do
			shmtool wait "$object" u32@0 eq $i --timeout 20s
			shmtool poke "$object" u32@0=$((i + 1))
		done
		ended 0
		assert_cell "$object" u32@0 16
	done
}

@test "with read-only rights" {
	for backend in "${backends[@]}"; do
		make "$backend" 4096 --mode 0400
		start setpriv --bounding-set=-all --inh-caps=-all shmtool wait "$object" u32@0 ne 0
		sleeps "$pid"
		shmtool poke "$object" u32@0=1
		ended 0
	done
}

# ---- time ----

@test "--timeout: in time, status 1" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for cell in u32@0 u64be@4085; do
			punctual 150000 shmtool wait "$object" "$cell" ne 0 --timeout 150ms 2>/dev/null
			assert_equal "$status" 1
		done
		refused 1 ETIMEDOUT "$object" u32@0 ne 0 --timeout 0.01
		assert_stderr "$object: timed out after 0.01s$"
		refused 1 ETIMEDOUT "$object" u32@0 ne 0 --timeout 5ms
		assert_stderr "$object: timed out after 5ms$"
	done
	# Longer than the time after which it looks at the size.
	punctual 700000 shmtool wait "$object" u32@0 ne 0 --timeout 700ms 2>/dev/null
	assert_equal "$status" 1
}

@test "--timeout 0 looks: it says what is there" {
	make sysv
	shmtool poke "$object" i16be@2=-7
	refused 1 EAGAIN "$object" i16be@2 ge 0 --timeout 0
	assert_equal "$stderr" "shmtool wait: $object: i16be@2 is -7"
}

@test "a poke that comes all the time, and never fits, does not make it longer" {
	make posix
	start sh -c 'while :; do shmtool poke "$0" u32@0=1 --add -q; done' "$object"
	punctual 200000 shmtool wait "$object" u32@0 eq 4294967295 --timeout 200ms 2>/dev/null
	assert_equal "$status" 1
}

# ---- signals ----

@test "a signal ends it, and the shell sees it" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for signal in INT TERM HUP KILL; do
			start_wait "$object" u32@0 ne 0 --timeout 30s
			kill -"$signal" "$pid"
			finish "$pid"
			died_of "$signal"
			assert_equal "$output$stderr" ""
		done
		assert_cell "$object" u32@0 0
	done
}

@test "stopped and continued it goes on, and is still in time" {
	for backend in "${backends[@]}"; do
		make "$backend"
		start_wait "$object" u32@0 ne 0
		for _ in 1 2; do
			kill -STOP "$pid"
			wait_until 5 state_is "$pid" T
			kill -CONT "$pid"
			sleeps "$pid"
		done
		kill -STOP "$pid"
		wait_until 5 state_is "$pid" T
		shmtool poke "$object" u32@0=1
		kill -CONT "$pid"
		ended 0
	done
}

@test "the time goes on while it is stopped" {
	make posix
	for ms in 300 300 1000 3000 9000; do
		start shmtool wait "$object" u32@4 ne 0 --timeout ${ms}ms
		wait_until 5 or_gone "$pid" blocked_in "$pid" futex 449
		pauses "$pid" || continue
		run shmtool wait "$object" u32@8 ne 0 --timeout $((ms + 100))ms
		kill -CONT "$pid"
		takes_us finish "$pid"
		finish "$pid"
		assert_status 1
		# Others may have the processor.
		((us >= 200000)) || return 0
	done
	fail "it took ${us-no} us more"
}

# ---- what goes away ----

@test "removed under it: status 7" {
	for backend in "${backends[@]}"; do
		make "$backend"
		start_wait "$object" u32@0 ne 0 --json
		shmtool rm "$object"
		refused 3 ENOENT "$object" u32@0 ne 0
		ended 7
		json '.error.code == "EIDRM"'
	done
}

@test "marked for destruction before: it is waited for by its id" {
	make sysv
	id=$(id_of "$object")
	hold "$object"
	shmtool rm "$object"
	start_wait "id:$id" u32@0 ne 0
	shmtool poke "id:$id" u32@0=1
	ended 0
}

@test "truncated under it: status 7, and no SIGBUS" {
	for size in 0 5000; do
		make posix 8192
		for cell in u32@8000 u64@6001; do
			truncate -s 8192 "/dev/shm$object"
			start_wait "$object" "$cell" ne 0 --json
			truncate -s "$size" "/dev/shm$object"
			ended 7
			json '.error | .code == "EFBIG" or .code == "EFAULT"'
			assert_stderr '^shmtool wait: .*(reaches beyond its end|shrank)'
		done
	done
	# What is left is enough.
	truncate -s 8192 "/dev/shm$object"
	start_wait "$object" u32@4092 ne 0
	truncate -s 4096 "/dev/shm$object"
	shmtool poke "$object" u32@4092=1
	ended 0
}

# ---- what is refused ----

@test "usage errors: comparisons, cells, values, operands; the nearest option" {
	make sysv
	shmtool poke "$object" u32@0=1
	for op in '' EQ == '=' equal lte x; do
		refused 2 USAGE "$object" u32@0 "$op" 1
		json --arg op "$op" '.error | .object == $op and .message == "not a comparison (eq ne lt le gt ge)"'
	done
	for cell in u32 @0 u33@0 u32@x u32@0=1 u32@-1; do
		refused 2 USAGE "$object" "$cell" eq 1
		json --arg cell "$cell" '.error.object == $cell'
	done
	for value in '' x -1 4294967296 1.0 ' 1' 1K; do
		refused 2 USAGE "$object" u32@0 ne "$value"
		json --arg value "$value" '.error.object == $value'
	done
	refused 2 USAGE "$object" u32@0 eq
	refused 2 USAGE "$object"
	refused 2 USAGE
	refused 2 USAGE "$object" u32@0 eq 1 u32@4 eq 1
	refused 2 USAGE frame u32@0 eq 1
	refused 2 USAGE private u32@0 eq 1
	refused 2 USAGE "$object" u32@0 eq 1 --timout 1
	assert_stderr 'did you mean --timeout\?$'
	for duration in '' x -1 5sfoo; do
		refused 2 USAGE "$object" u32@0 eq 1 --timeout="$duration"
		json '.error.object == "--timeout"'
	done
}

@test "beyond the end: status 7; nothing is there: 3; no permission: 5" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for cell in u32@4093 u8@4096 u64@9223372036854775807; do
			refused 7 EFBIG "$object" "$cell" eq 0
			assert_stderr "$object: $cell reaches beyond its end: it has 4096 bytes$"
		done
		make "$backend" 4096 --mode 0200
		run --separate-stderr as_unprivileged shmtool wait "$object" u8@0 eq 0 --json
		assert_status 5
		json '.error.code == "EACCES"'
	done
	refused 3 ENOENT /none u8@0 eq 0
	refused 3 ENOENT key:0x4242 u8@0 eq 0
	refused 3 ENOENT id:424242 u8@0 eq 0
}

# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl await: until a word is what was asked for.
# shellcheck disable=SC2016 # the variables of jq

load helpers
load words

refused()
{
	refusal await "$@"
}

# has_mapped PID FILE
has_mapped()
{
	grep -qsF "$2" "/proc/$1/maps"
}

@test "it holds: at once, silent, with each comparison, unsigned" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		store "$a" 200
		store "$b" 4294967295
		while read -r holds word op value; do
			run --separate-stderr futexctl await "${!word}" "$op" "$value" --timeout 0
			[[ "$status$output" == "$((holds ? 0 : 1))" ]] || fail "$word $op $value" "$(show_last)"
		done <<-'END'
			1 a eq 200
			0 a eq 201
			1 a ne 0
			0 a ne 0xc8
			1 a lt 201
			0 a lt 200
			1 a le 200
			0 a le 199
			1 a gt 199
			0 a gt 200
			1 a ge 0310
			0 a ge 201
			1 b gt 2147483647
			1 b eq -1
			0 b lt 0
			1 a mask 0
			1 a mask 0x88
			0 a mask 0x89
			1 b mask -1
		END
	done
}

@test "it sleeps until somebody changes the word and wakes, spurious wake-ups included" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		start_verb await "$a" ge 3 --json
		for _ in 1 2; do
			futexctl add "$a" 1 --wake all -q
			sleeps "$pid"
			wait_until 5 woken_one "$a"
			still "$pid"
		done
		sleeps "$pid"
		futexctl add "$a" 1 --wake all -q
		ended 0
		json --arg word "$a" '.word == $word and .value == 3 and .sleeps >= 3 and .waited > 0 and .spun == 0 and
			.spin_cpu == 0 and .sleep_cpu < .waited + 1'
	done
}

# woken_one WORD: somebody was asleep on it.
woken_one()
{
	[[ $(futexctl wake "$1" --plain -o woken) == 1 ]]
}

@test "with a C program, which wakes" {
	make file
	start_verb await "$a" eq 9
	store "$a" 9
	wait_until 5 woken_one "$a"
	ended 0
	assert_output ""
}

@test "--spin: busily first, and each is told apart" {
	make file
	run --separate-stderr futexctl await "$a" eq 0 --spin 10 --json
	json '.sleeps == 0 and .spun < 5'
	start_verb await "$a" eq 1 --spin 100ms --json
	futexctl set "$a" 1 --wake 1 -q
	ended 0
	json '.sleeps >= 1 and .spun >= 0.1 and .spin_cpu > .sleep_cpu and .waited > .spun'
	# Seen without a wake-up, while it looks.
	start futexctl await "$a" eq 2 --spin 60 --json
	wait_until 5 has_mapped "$pid" "$object"
	store "$a" 2
	ended 0
	json '.sleeps == 0 and .spun > 0 and .value == 2'
}

@test "timed out: status 1; a look: what it is" {
	make file
	store "$a" 7
	refused 1 ETIMEDOUT "$a" eq 5 --timeout 50ms
	json '.error.message == "timed out after 50ms"'
	refused 1 ETIMEDOUT "$a" eq 5 --timeout 0.05 --spin 10
	refused 1 EAGAIN "$a" eq 5 --timeout 0
	json '.error.message == "it is 7"'
	refused 1 EAGAIN "$a" eq 5 --timeout 0 --spin 10
}

@test "its file shrinks, or goes, or its segment, while it sleeps: status 7" {
	make file 4
	start_verb await "$object@12" eq 5
	truncate -s 12 "$object"
	ended 7
	assert_stderr "shrank while it was waited on"
	make posix
	start_verb await "$a" eq 5
	truncate -s 0 "/dev/shm$object"
	ended 7
	for kind in "${kinds[@]}"; do
		make "$kind"
		start_verb await "$a" eq 5
		case $kind in
		file) rm "$object" ;;
		posix) rm "/dev/shm$object" ;;
		sysv) ipcrm -m "${object#id:}" ;;
		esac
		ended 7
		assert_stderr "removed while it was waited on"
	done
	make file 4
	start futexctl await "$object@12" eq 5 --spin 60
	wait_until 5 has_mapped "$pid" "$object"
	truncate -s 0 "$object"
	ended 7
	assert_stderr "shrank"
}

@test "signals end it; a stop and continue does not" {
	make file
	for signal in INT TERM HUP; do
		start_verb await "$a" eq 5
		kill -"$signal" "$pid"
		finish "$pid"
		died_of "$signal"
	done
	start_verb await "$a" eq 5
	kill -STOP "$pid"
	wait_until 5 state_is "$pid" T
	kill -CONT "$pid"
	sleeps "$pid"
	futexctl set "$a" 5 --wake all -q
	ended 0
}

@test "the right to read is enough" {
	make file
	chmod 444 "$object"
	chmod 711 "$BATS_TEST_TMPDIR"
	run --separate-stderr as_unprivileged futexctl await "$a" eq 0
	assert_status 0
}

@test "bad operands and options" {
	make file
	refused 2 USAGE "$a" is 5
	refused 2 USAGE "$a" eq 5x
	refused 2 USAGE "$a" eq
	refused 2 USAGE "$a" eq 4294967296
	refused 2 USAGE "$a" eq 5 --timeout soon
	refused 2 USAGE "$a" eq 5 --spin -1
	refused 2 USAGE "$object@3" eq 5
	refused 3 ENOENT "$object.missing" eq 5
	refused 7 EFBIG "$object@4096" eq 5
}

# SPDX-License-Identifier: GPL-2.0-or-later
# deadlock-check live: scripts that hold each other up by the tools of this family, each with the name of its object.

# shellcheck disable=SC2016,SC2030,SC2031 # variables of jq; of the cases
load helpers
load scenes

# Each has what it is run within, waits until the other has, and goes on to its words.
setup()
{
	cd "$TMPDIR" || return
	cat >one <<-'END'
		: >"$0.begun"
		until [[ -e one.begun && -e two.begun ]]; do
			sleep 0.01
		done
		"$@"
	END
	cp one two
}

# tie A B HOLD WANT...: `HOLD A` runs a script that comes to `WANT... B`, and the other way round. Both are found with
# the status in $wanted. In $output the answer, in $first and $second who holds A and B.
tie()
{
	local a=$1 b=$2 hold want=("${@:4}")
	read -ra hold <<<"$3"
	rm -f -- *.begun
	start setsid "${hold[@]}" "$a" -- bash one "${want[@]/@/"$b"}"
	first=$pid
	start setsid "${hold[@]}" "$b" -- bash two "${want[@]/@/"$a"}"
	second=$pid
	wait_until 10 are_tied
	assert_status "$wanted"
	json --arg a "${want[*]/@/"$a"}" --arg b "${want[*]/@/"$b"}" \
		'[$a, $b] as $want | [.waits[] | select(.core).command] | contains($want)'
}

# Their own waits look again from time to time: for a moment they run then.
are_tied()
{
	run --separate-stderr deadlock-check live --pid "$first,$second" --json
	((status))
}

# Guardians end a little later, and are nobody's to wait for.
untie()
{
	kill -KILL -- "-$first" "-$second"
	wait_until 10 gone "$first"
	wait_until 10 gone "$second"
	deadlock-check live -q
}

# waits_for KIND RESOURCE: somebody in the knot does.
waits_for()
{
	json --arg kind "$1" --arg resource "$2" \
		'any(.waits[]; .core and .kind == $kind and (.resource | test($resource)))'
}

@test "semctl-cli: POSIX semaphores, whose guardians tell who has them" {
	wanted=9
	for words in "exec @ -- true" "wait @"; do
		read -ra words <<<"$words"
		a=/a-${words[0]} b=/b-${words[0]}
		semctl-cli create "$a" --value 1 -q
		semctl-cli create "$b" --value 1 -q
		tie "$a" "$b" "semctl-cli exec" semctl-cli "${words[@]}"
		waits_for semaphore "^semaphore $a\$"
		waits_for semaphore "^semaphore $b\$"
		json 'def command($name): .waits[] | select(.process | startswith($name + "/")).command;
			. as $live | [.waits[] | select(.kind == "semaphore")] | length == 2 and all(.[]; . as $wait |
			.level == "inferred" and (.owners | length) == 1 and any($live | command($wait.owners[0]);
			startswith("semctl-cli guard holding ") and endswith($wait.resource[9:])))'
		untie
	done
}

@test "semctl-cli: System V semaphores, and lock files" {
	wanted=9
	semctl-cli create key:0x11 --value 1 -q
	semctl-cli create key:0x12 --value 1 -q
	for words in "exec @ -- true" "wait @"; do
		read -ra words <<<"$words"
		tie key:0x11 key:0x12 "semctl-cli exec" semctl-cli "${words[@]}"
		waits_for sysv-semaphore '^id:[0-9]+#0$'
		# COMMAND is who took it.
		json --arg one "bash:$first" --arg two "bash:$second" \
			'[.waits[] | select(.kind == "sysv-semaphore").holders[]] | sort == ([$one, $two] | sort)'
		untie
	done
	tie "file:$TMPDIR/a" "file:$TMPDIR/b" "semctl-cli exec" semctl-cli exec @ -- true
	waits_for ofd-lock '/a$'
	waits_for ofd-lock '/b$'
	untie
}

@test "futexctl: mutexes of each kind, of which it is certain" {
	wanted=1
	for verb in exec lock-pi "rwlock --write"; do
		a=$(futexctl create --unique /one --plain -o word)
		b=$(futexctl create --unique /two --plain -o word)
		read -ra words <<<"$verb"
		tie "$a" "$b" "futexctl $verb" futexctl "${words[@]}" @ -- true
		[[ $verb == lock-pi ]] && kind=pi-mutex || kind=robust-mutex
		waits_for "$kind" "^/dev/shm$a@0\$"
		waits_for "$kind" "^/dev/shm$b@0\$"
		json --arg p "$first" --arg a "/dev/shm$a@0" \
			'any(.waits[]; .resource == $a and .holders == ["futexctl:\($p)/\($p)"])'
		untie
	done
}

@test "mqtool: who handles a message of one queue waits for one of the other" {
	wanted=9
	for names in "/req /reply mq-receive" "key:0x21 key:0x22 message-receive"; do
		read -r a b kind <<<"$names"
		for name in "$a" "$b"; do
			mqtool create "$name" -q
			mqtool send "$name" job
		done
		tie "$a" "$b" "mqtool exec" mqtool recv @
		waits_for "$kind" '^(/req|id:[0-9]+)$'
		json --arg one "mqtool:$first" --arg two "mqtool:$second" '[.waits[] | select(.kind | endswith("receive")).holders[]] |
			contains([$one, $two])'
		[[ $a == /* ]] || stands_behind "$a"
		untie
	done
}

# stands_behind QUEUE: another one who waits there does.
stands_behind()
{
	start mqtool recv "$1"
	wait_until 5 blocked_in "$pid" 70
	run --separate-stderr deadlock-check live
	json --arg p "$pid" '.blocked_behind == ["mqtool:\($p)/\($p)"] and (.waits[-1].core | not)'
	run --separate-stderr deadlock-check live --table
	assert_match ': 6 threads of 6 processes wait for each other; 1 more thread stuck behind'
	assert_match $'\nstuck_behind\n +WAITING [^\n]*\n +mqtool:'"$pid/$pid [^"$'\n'"]* mqtool recv $1\$"
	kill -KILL "$pid"
}

@test "mqtool: a reader and a writer that come later are nobody's to wait for" {
	mqtool create /req -q
	mqtool create /reply -q
	start setsid bash -c 'mqtool recv /req && mqtool send /reply x'
	first=$pid
	start setsid bash -c 'mqtool recv /reply && mqtool send /req x'
	second=$pid
	wait_until 5 blocked_count 2 243
	run deadlock-check live -q
	assert_status 0
	untie
}

@test "what holds and what waits is in the dump, with the names of the objects" {
	word=$(futexctl create --unique /lock --plain -o word)
	semctl-cli create /none -q
	start futexctl exec "$word" -- sh -c 'echo; exec sleep 1000'
	holder=$pid
	wait_until 5 test -s "$(out_of "$holder")"
	start futexctl exec "$word" -- true
	waiter=$pid
	start semctl-cli wait /none
	sem=$pid
	# The waiter runs for a moment each half second, and its wait is not there then.
	wait_until 10 dumps "/dev/shm$word@0 -> \"futexctl:$holder/$holder\"" \
		"\"futexctl:$waiter/$waiter\" -> /dev/shm$word@0"
	deadlock-check live -q --pid "$holder,$waiter,$sem"
}

dumps()
{
	local line
	run --separate-stderr deadlock-check live --dump
	for line; do
		[[ $'\n'$output$'\n' == *$'\n'"$line"$'\n'* ]] || return
	done
}

# SPDX-License-Identifier: GPL-2.0-or-later
# deadlock-check generate: systems for tests and measurements, each kind for what it promises.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load systems

kinds="chain random safe deadlocked"

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

# generate [WORD...]: nothing on stderr, status 0.
generate()
{
	run --separate-stderr deadlock-check generate "$@"
	assert_status 0
	assert_equal "$stderr" ""
}

# refused STATUS WORDS ARGUMENT...: a failure with these words, and nothing else on stdout.
refused()
{
	run --separate-stderr deadlock-check generate "${@:3}"
	assert_status "$1"
	assert_output ""
	assert_equal "$stderr" "deadlock-check generate: $2"
}

# ---- what all kinds have ----

@test "as many processes and resources as asked for, and the vectors agree" {
	local kind
	for kind in $kinds; do
		generate --processes 7 --resources 5 --kind "$kind"
		json '(.processes | length) == 7 and (.resources | length) == 5
			and .processes[6] == "P7" and .resources[4] == "R5"
			and (.allocation | length) == 7 and (.request | length) == 7 and all(.allocation[], .request[]; length == 5)
			and . as $s | all(range(5); $s.existing[.] == $s.available[.] + ([$s.allocation[][.]] | add))'
	done
}

@test "the same seed makes the same bytes, another one others; 1 is the default" {
	local kind
	for kind in $kinds; do
		deadlock-check generate -n 9 -m 4 -k "$kind" -s 5 >one
		deadlock-check generate -n 9 -m 4 -k "$kind" --seed 5 >two
		cmp one two
		deadlock-check generate -n 9 -m 4 -k "$kind" -s 6 >two
		! cmp -s one two || fail "$kind: two seeds, one system"
		deadlock-check generate -n 9 -m 4 -k "$kind" >one
		deadlock-check generate -n 9 -m 4 -k "$kind" -s 1 >two
		cmp one two
	done
	deadlock-check generate -n 9 -m 4 -s 0 >one
	deadlock-check generate -n 9 -m 4 -s 18446744073709551615 >two
	! cmp -s one two || fail "two seeds, one system"
	deadlock-check generate -n 9 -m 4 -k random -s 0 | cmp - one
}

@test "the same on every machine" {
	generate -n 3 -m 2 --kind deadlocked --to text
	assert_output 'processes
P1 P2 P3

resources
R1 R2

existing
20 29

available
6 8

allocation
3 8
5 5
6 8

request
1 1
5 17
12 4

claim
6 9
10 22
18 12'
}

@test "--most is the largest count of a holding, --degree how many of them there are" {
	local kind
	for kind in $kinds; do
		generate -n 40 -m 12 -k "$kind" --degree 3 --most 4
		json 'all(.allocation[]; ([.[] | select(. > 0)] | length) == 3) and ([.allocation[][]] | max) == 4
			and all(.request[]; ([.[] | select(. > 0)] | length) <= 3)'
		# All resources, but 16 at most.
		generate -n 5 -m 40 -k "$kind"
		json 'all(.allocation[]; ([.[] | select(. > 0)] | length) == 16)'
		generate -n 5 -m 40 -k "$kind" --degree 40
		json 'all(.allocation[]; ([.[] | select(. > 0)] | length) == 40) and ([.allocation[][]] | max) == 9'
	done
}

@test "each form says the same" {
	local kind to answer
	for kind in $kinds; do
		answer=$(deadlock-check generate -n 8 -m 5 -k "$kind" | deadlock-check check --json --trace || (($? == 1)))
		for to in json text graph graph-json; do
			deadlock-check generate -n 8 -m 5 -k "$kind" --to "$to" >out
			assert_equal "$(deadlock-check check --json --trace out || (($? == 1)))" "$answer" "check of $kind as $to"
			deadlock-check convert out --to "$to" | cmp - out
		done
		generate -n 8 -m 5 -k "$kind" --to mtx --output "$kind"
		assert_output ""
		assert_equal "$(deadlock-check check --json --trace --allocation "$kind.allocation.mtx" \
			--request "$kind.request.mtx" --existing "$kind.existing.mtx" || (($? == 1)))" "$answer" "check of $kind as mtx"
	done
	assert_equal "$(echo *.claim.mtx)" "deadlocked.claim.mtx safe.claim.mtx" "claims"
	refused 4 "safe.allocation.mtx: already exists (--force writes over it)" -n 8 -m 5 --to mtx --output safe
	generate -n 8 -m 5 --to mtx --output safe --force
}

# ---- kinds ----

@test "chain: never deadlocked, and they finish exactly backwards" {
	local seed
	for seed in 1 2 3 4 5; do
		run deadlock-check check --trace --json < <(deadlock-check generate -n 20 -m 6 -k chain -s "$seed")
		assert_status 0
		json '.deadlocked == false and .order == [range(20; 0; -1) | "P\(.)"]'
	done
	# Of each step all but one are looked at in vain.
	json '[.steps[].blocked | length] == [range(19; -1; -1)]'
	run deadlock-check check --trace --json < <(deadlock-check generate -n 30 -m 1 -k chain --most 1)
	json '.order == [range(30; 0; -1) | "P\(.)"]'
}

@test "safe: safe by the banker's algorithm, and not deadlocked" {
	local seed
	for seed in 1 2 3 4 5; do
		deadlock-check generate -n 15 -m 5 -k safe -s "$seed" >in
		run deadlock-check safe in
		assert_status 0
		json '.safe and (.sequence | length) == 15'
		deadlock-check check --quiet in
		# Nobody asks for more than is left of the claim.
		jq -e '. as $s | all(range(15); . as $p | all(range(5); . as $r
			| $s.allocation[$p][$r] + $s.request[$p][$r] <= $s.claim[$p][$r]))' in
	done
}

@test "deadlocked: status 1, by both algorithms, and not safe" {
	local size seed
	for size in "2 1" "2 2" "3 1" "20 6" "50 3"; do
		for seed in 1 2 3; do
			deadlock-check generate -n "${size% *}" -m "${size#* }" -k deadlocked -s "$seed" >in
			for algorithm in watch classic; do
				run deadlock-check check --algorithm "$algorithm" in
				assert_status 1
				json '.deadlocked and (.processes | length) >= 2'
			done
			run deadlock-check safe --quiet in
			assert_status 1
		done
	done
	run deadlock-check check < <(deadlock-check generate -n 30 -m 4 -k deadlocked --most 1 --degree 1)
	assert_status 1
}

@test "random: some are deadlocked, some are not, and both algorithms agree on each" {
	local seed one other deadlocks=0
	for seed in 1 2 3 4 5 6 7 8 9 10 11 12; do
		deadlock-check generate -n 8 -m 9 --degree 1 --most $((seed % 2 + 1)) -s "$seed" >in
		one=$(deadlock-check check --json --algorithm watch in || (($? == 1)))
		other=$(deadlock-check check --json --algorithm classic in || (($? == 1)))
		assert_equal "$one" "$other" "seed $seed"
		[[ $one != '{"deadlocked":true'* ]] || ((++deadlocks))
	done
	((deadlocks > 0 && deadlocks < 12)) || fail "$deadlocks of 12 are deadlocked"
}

@test "random with single instances: locks, of one holder at most" {
	generate -n 30 -m 50 --most 1 --degree 2
	json 'all(.existing[]; . == 1) and . as $s | all(range(50); [$s.allocation[][.]] | add <= 1)'
	# Nobody wants a lock that is its own.
	json '. as $s | all(range(30); . as $p | all(range(50); $s.allocation[$p][.] + $s.request[$p][.] <= 1))'
}

# ---- bounds ----

@test "the least of everything" {
	local kind
	for kind in chain random safe; do
		generate -n 1 -m 1 -k "$kind" --most 1 --degree 1
		json '(.processes | length) == 1 and (.resources | length) == 1'
		run deadlock-check check --quiet <<<"$output"
		((status <= 1)) || fail "$kind: $status"
	done
	generate -n 2 -m 1 -k deadlocked
	json '(.processes | length) == 2'
	refused 2 "--processes: a deadlock takes two at least" -n 1 -m 3 -k deadlocked
}

@test "the largest counts do not overflow" {
	local kind
	for kind in $kinds; do
		deadlock-check generate -n 200 -m 2 -k "$kind" --most 536870912 >in
		run deadlock-check check --quiet in
		((status <= 1)) || fail "$kind: $status"
	done
	refused 2 '--most: "536870913" is more than 536870912' -n 2 -m 2 --most 536870913
}

@test "options that are missing, or no numbers, or out of bounds" {
	refused 2 "--processes: is missing" -m 2
	refused 2 "--resources: is missing" -n 2
	refused 2 "--kind: foo: expected chain, random, safe or deadlocked" -n 2 -m 2 --kind foo
	refused 2 "--to: foo: expected json, text, graph, graph-json or mtx" -n 2 -m 2 --to foo
	refused 2 "--to mtx: a matrix is a file: --output PREFIX is missing" -n 2 -m 2 --to mtx
	local words
	for words in "-n 0 -m 2" "-n 2 -m 0" "-n x -m 2" "-n 2 -m 4294967295" "-n 4294967295 -m 1" "-n 2 -m 2 --degree 0" \
		"-n 2 -m 2 --degree 3" "-n 2 -m 2 --most 0" "-n 2 -m 2 --seed 1.5" "-n 2 -m 2 --seed 18446744073709551616" \
		"-n 2 -m 2 --seed -1" "-n 2 -m 2 file" "-n 2 -m 2 --to mtx --output"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr deadlock-check generate $words
		assert_status 2
		assert_output ""
		assert_equal "$(wc -l <<<"$stderr")" 1
	done
	run --separate-stderr deadlock-check generate -n 2 -m 2 --degree 3 --json
	assert_status 2
	json '.error | .code == "USAGE" and .object == "--degree"'
}

@test "100,000 processes are made, read and judged at once" {
	timeout 30 deadlock-check generate -n 100000 -m 100000 --degree 3 -k deadlocked --to graph >in
	assert_equal "$(grep -c ' -> P' in)" 300000 "holds"
	timeout 30 deadlock-check check --json in >answer || (($? == 1))
	jq -e '.deadlocked' answer
}

# ---- output ----

@test "--json wraps the text, --quiet prints nothing" {
	generate -n 3 -m 2 --to text --json
	json --arg t "$(deadlock-check generate -n 3 -m 2 --to text)"$'\n' '.data == $t'
	generate -n 3 -m 2 -q
	assert_output ""
	IPCKIT_FORMAT=json generate -n 3 -m 2
	json '.data | fromjson | (.processes | length) == 3'
}

@test "a full disk is status 8" {
	run --separate-stderr bash -c "deadlock-check generate -n 3 -m 2 >/dev/full"
	assert_status 8
	assert_equal "$stderr" "deadlock-check generate: standard output: no space left"
	run --separate-stderr bash -c "deadlock-check generate -n 10000 -m 20 >/dev/full"
	assert_status 8
	assert_stderr '^deadlock-check generate: standard output: '
	run --separate-stderr bash -c "deadlock-check generate -n 3 -m 2 >&-"
	assert_status 8
}

@test "a reader that has gone ends it quietly" {
	run --separate-stderr bash -c 'deadlock-check generate -n 100000 -m 20 --to text | head -n 1; echo "${PIPESTATUS[0]}"'
	assert_output $'processes\n141'
	assert_equal "$stderr" ""
}

@test "signals end it while nobody reads" {
	local signal
	mkfifo pipe
	exec 9<>pipe # open, and never read
	for signal in INT TERM HUP; do
		start bash -c 'exec deadlock-check generate -n 100000 -m 20 --to text >pipe'
		wait_until 10 writes "$pid"
		kill -"$signal" "$pid"
		finish "$pid"
		assert_status $((128 + $(kill -l "$signal")))
		assert_equal "$stderr" ""
	done
}

# Whether it sleeps in a write: nothing else in it does.
writes()
{
	[[ $(<"/proc/$1/comm") == deadlock-check ]] && state_is "$1" S
}

# SPDX-License-Identifier: GPL-2.0-or-later
# deadlock-check request: does the banker grant a request?

load helpers
load systems

# ask INPUT PROCESS VECTOR [ARG...]
ask()
{
	printf '%s\n' "$1" >"$TMPDIR/input"
	run --separate-stderr deadlock-check request "$TMPDIR/input" "${@:2}"
}

refused()
{
	assert_status 2
	assert_equal "$stderr" "deadlock-check request: $1"
	json '.error.code == "USAGE" and .error.exit == 2 and .error.verb == "request"'
}

# What the state of the books' example is after the first request there was granted.
after_first()
{
	five_by_three json | jq -c '.available = [2, 3, 0] | .allocation[1] = [3, 0, 2]'
}

# ---- the books' examples ----

@test "five processes and three resources: P1's request is granted, with a sequence" {
	ask "$(five_by_three json)" P1 1,0,2
	assert_status 0
	assert_equal "$stderr" ""
	json '.granted == true and .verdict == "granted" and .process == "P1" and .cannot_finish == []'
	json '.sequence | sort == ["P0", "P1", "P2", "P3", "P4"]'
	json '.sequence[0] == "P1"'
	ask "$(five_by_three text)" P1 1,0,2
	json '.granted'
}

@test "after that, P4 has to wait as there is not enough, P0 as it would not be safe" {
	ask "$(after_first)" P4 3,3,0
	assert_status 1
	assert_equal "$stderr" ""
	json '. == {granted: false, verdict: "unavailable", process: "P4", resource: "A", requested: 3, available: 2}'
	ask "$(after_first)" P0 0,2,0
	assert_status 1
	json '. == {granted: false, verdict: "unsafe", process: "P0", sequence: [],
		cannot_finish: ["P0", "P1", "P2", "P3", "P4"]}'
	ask "$(after_first)" P0 0,0,0
	assert_status 0
}

@test "a request beyond the claim is never granted" {
	ask "$(five_by_three json)" P1 2,0,0
	assert_status 1
	json '. == {granted: false, verdict: "beyond-claim", process: "P1", resource: "A", requested: 2, available: 1}'
	# Even where it is not available, either.
	ask "$(five_by_three json)" P3 0,0,9
	assert_status 1
	json '.verdict == "beyond-claim" and .resource == "C" and .requested == 9 and .available == 1'
}

@test "the bank: the last units are not for everyone" {
	local state
	state=$(bank 2 1 1 2 4)
	ask "$state" Marvin 1
	assert_status 0
	json '.sequence[0] == "Marvin"'
	ask "$state" Barbara 1
	assert_status 1
	json '.verdict == "unsafe" and .sequence == [] and (.cannot_finish | length) == 4'
	ask "$state" Suzanne 3
	assert_status 1
	json '.verdict == "unavailable" and .requested == 3 and .available == 2'
	ask "$state" Suzanne 4
	assert_status 1
	json '.verdict == "beyond-claim" and .requested == 4 and .available == 3'
}

# ---- VECTOR ----

@test "a vector by numbers, or by names in any order" {
	ask "$(five_by_three json)" P1 1,0,2
	answer=$output
	for vector in A=1,C=2 C=2,A=1 C=0x2,B=0,A=1 B=0,A=1,C=2 01,0,2; do
		ask "$(five_by_three json)" P1 "$vector"
		assert_output "$answer"
	done
	ask "$(after_first)" P4 B=3,A=3
	json '.verdict == "unavailable" and .resource == "A"'
	ask "$(after_first)" P4 B=4
	json '.verdict == "beyond-claim" and .resource == "B"'
}

@test "names with equals signs and blanks; the input on standard input" {
	local state='{"existing":[2,2],"resources":["a=b","c d"],"processes":["x,y"],"allocation":[[0,0]],"claim":[[1,2]]}'
	ask "$state" x,y 'a=b=1,c d=2'
	assert_status 0
	ask "$state" x,y 'a=b=2'
	assert_status 1
	json '.resource == "a=b"'
	for file in "" -; do
		# shellcheck disable=SC2086 # a word or none
		run --separate-stderr deadlock-check request $file x,y 'c d=3' <<<"$state"
		assert_status 1
		json '.verdict == "beyond-claim" and .resource == "c d" and .requested == 3 and .available == 2'
	done
}

@test "counts up to 2^63-1" {
	local state='{"existing":[9223372036854775807],"allocation":[[0]],"claim":[[9223372036854775807]]}'
	ask "$state" P1 9223372036854775807
	assert_status 0
	ask "$state" P1 9223372036854775808
	refused 'VECTOR: "9223372036854775808" is more than 9223372036854775807'
	state='{"existing":[9223372036854775807],"allocation":[[1]],"claim":[[9223372036854775806]]}'
	ask "$state" P1 9223372036854775807
	assert_status 1
	json '.verdict == "beyond-claim"'
	assert_match '"requested":9223372036854775807,"available":9223372036854775805'
}

@test "a vector that is none" {
	local state
	state=$(five_by_three json)
	ask "$state" P1 1,0
	refused "VECTOR: 2 numbers, but there are 3 resources"
	ask "$state" P1 1,0,2,0
	refused "VECTOR: more than 3 numbers, one a resource"
	ask "$state" P1 A=1,2
	refused "VECTOR: 2: either all with names or none"
	ask "$state" P1 1,B=2
	refused "VECTOR: 1: either all with names or none"
	ask "$state" P1 A=1,B=1,A=2
	refused "VECTOR: A is there twice"
	ask "$state" P1 D=1
	refused "VECTOR: D: no such name in the input"
	ask "$state" P1 =1
	refused "VECTOR: : no such name in the input"
	for vector in '' 1,,2 '1,0,' ',' x,0,0 '1 ,0,0' 1.5,0,0 A= A=x A=1x; do
		ask "$state" P1 "$vector"
		assert_status 2
		assert_stderr '^deadlock-check request: VECTOR: '
		json '.error.code == "USAGE"'
	done
	ask "$state" P1 -1,0,0
	assert_status 2
	json '.error.code == "USAGE"'
	ask "$state" P1 A=-1
	assert_status 2
	json '.error.code == "USAGE" and .error.object == "VECTOR"'
}

@test "a process that there is not" {
	for name in P9 p1 '' 'P1 ' A; do
		ask "$(five_by_three json)" "$name" 0,0,0
		refused "PROCESS: $name: no such name in the input"
	done
}

# ---- states that are none ----

@test "no claim, more held than claimed, more claimed than exists: status 2" {
	ask "$(textbook json)" P1 0,0,0,0
	assert_status 2
	assert_equal "$stderr" "deadlock-check request: $TMPDIR/input: there is no claim matrix (check judges requests)"
	json '.error.code == "FORMAT"'
	ask "$(bank 1 7 0 0 0)" Barbara 1
	assert_status 2
	assert_stderr 'Andy holds 7 of credit, more than the 6 of its claim$'
	json '.error.code == "FORMAT"'
	ask "$(bank 6 0 0 0 0)" Barbara 1
	assert_status 2
	assert_stderr 'Suzanne claims 7 of credit, of which 6 exist$'
	ask '{"existing":' P1 0
	assert_status 2
	json '.error.code == "FORMAT" and .error.line == 2 and .error.column == 1'
}

@test "operands and files" {
	ask "$(bank 2 1 1 2 4)" Marvin 1 more
	assert_status 2
	run --separate-stderr deadlock-check request Marvin
	assert_status 2
	assert_stderr 'usage: deadlock-check request '
	run --separate-stderr deadlock-check request "$TMPDIR/none" Marvin 1
	assert_status 3
	run --separate-stderr deadlock-check request "$TMPDIR" Marvin 1
	assert_status 8
}

@test "formats" {
	ask "$(bank 2 1 1 2 4)" Marvin 1 --plain -o granted,verdict,process
	assert_output $'true\tgranted\tMarvin'
	ask "$(bank 2 1 1 2 4)" Suzanne 4 --table
	assert_status 1
	assert_match $'^granted +no\nverdict +beyond-claim\nprocess +Suzanne\nresource +credit\nrequested +4\navailable +3$'
	ask "$(bank 2 1 1 2 4)" Barbara 1 -q
	assert_equal "$status$output$stderr" 1
	ask "$(bank 2 1 1 2 4)" Marvin 1
	json 'map_values(type) == {granted: "boolean", verdict: "string", process: "string", sequence: "array", cannot_finish: "array"}'
	json 'keys_unsorted == ["granted", "verdict", "process", "sequence", "cannot_finish"]'
}

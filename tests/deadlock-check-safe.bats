# SPDX-License-Identifier: GPL-2.0-or-later
# deadlock-check safe: can all finish, even if each asks for its whole claim?

load helpers
load systems

# safe INPUT [ARG...]: what safe says of INPUT.
safe()
{
	printf '%s\n' "$1" >"$TMPDIR/input"
	run --separate-stderr deadlock-check safe "${@:2}" "$TMPDIR/input"
}

# Goes through the sequence of the output with the matrices of $TMPDIR/input, JSON: whether each can finish then.
check_sequence()
{
	jq -e --argjson answer "$output" '. as $s
		| reduce ($answer.sequence[] as $p | $s.processes | index($p)) as $p ({free: $s.available, fits: true};
			.free as $free
			| .fits = (.fits and ([range($free | length) as $r
				| $s.claim[$p][$r] - $s.allocation[$p][$r] <= $free[$r]] | all))
			| .free = [range($free | length) as $r | $free[$r] + $s.allocation[$p][$r]])
		| .fits and .free == $answer.available and ($answer.sequence | unique | length) == ($answer.sequence | length)' \
		"$TMPDIR/input" >/dev/null || fail "no such sequence" "$(show_last)"
}

@test "the books' five processes and three resources: safe, with a sequence" {
	safe "$(five_by_three json)"
	assert_status 0
	assert_equal "$stderr" ""
	assert_equal "${#lines[@]}" 1
	json '.safe == true and .cannot_finish == [] and .available == [10, 5, 7]'
	json '.sequence | sort == ["P0", "P1", "P2", "P3", "P4"]'
	json '.sequence[0] == "P1" or .sequence[0] == "P3"'
	check_sequence
	answer=$output
	safe "$(five_by_three text)"
	assert_status 0
	assert_output "$answer"
}

@test "the bank: ten units lent are safe as long as two are left, not with one" {
	safe "$(bank 10 0 0 0 0)"
	assert_status 0
	json '.safe and (.sequence | length) == 4'
	safe "$(bank 2 1 1 2 4)"
	assert_status 0
	json '.sequence[0] == "Marvin" and .available == [10]'
	check_sequence
	safe "$(bank 1 1 2 2 4)"
	assert_status 1
	json '. == {safe: false, sequence: [], cannot_finish: ["Andy", "Barbara", "Marvin", "Suzanne"], available: [1]}'
}

@test "an unsafe state: as far as a sequence goes, and who may not be able to finish" {
	safe '{"available":[1],"processes":["A","B","C"],"allocation":[[1],[2],[2]],"claim":[[2],[6],[6]]}'
	assert_status 1
	json '.safe == false and .sequence == ["A"] and .cannot_finish == ["B", "C"] and .available == [2]'
	check_sequence
}

@test "the keys and their types" {
	for available in 1 2; do
		safe "$(bank $available 1 1 2 4)"
		json 'keys_unsorted == ["safe", "sequence", "cannot_finish", "available"]'
		json 'map_values(type) == {safe: "boolean", sequence: "array", cannot_finish: "array", available: "array"}'
		json '[(.sequence + .cannot_finish)[] | type] | unique == ["string"]'
		json '[.available[] | type] | unique == ["number"]'
	done
}

@test "formats" {
	safe "$(bank 1 1 2 2 4)" --plain
	assert_status 1
	assert_output $'false\t-\tAndy,Barbara,Marvin,Suzanne\t1'
	safe "$(bank 2 1 1 2 4)" --table
	assert_match $'^safe +yes\nsequence +Marvin .*\ncannot_finish +none\navailable +10$'
	safe "$(bank 1 1 2 2 4)" -o cannot_finish,safe
	assert_output '{"cannot_finish":["Andy","Barbara","Marvin","Suzanne"],"safe":false}'
	safe "$(bank 1 1 2 2 4)" -q
	assert_equal "$status$output$stderr" 1
	safe "$(bank 2 1 1 2 4)" -q
	assert_equal "$status$output$stderr" 0
	run deadlock-check safe - <<<"$(bank 2 1 1 2 4)"
	json .safe
	run deadlock-check safe <<<"$(bank 2 1 1 2 4)"
	json .safe
}

@test "from Matrix Market files" {
	local banner='%%MatrixMarket matrix'
	printf '%s\n' "$banner array integer general" '4 1' 1 1 2 4 >"$TMPDIR/allocation"
	printf '%s\n' "$banner coordinate integer general" '4 1 4' '1 1 6' '2 1 5' '3 1 4' '4 1 7' >"$TMPDIR/claim"
	printf '%s\n' "$banner array integer general" '1 1' 2 >"$TMPDIR/available"
	run --separate-stderr deadlock-check safe --allocation "$TMPDIR/allocation" --claim "$TMPDIR/claim" \
		--available "$TMPDIR/available"
	assert_status 0
	json '.safe and .sequence[0] == "P3" and .available == [10]'
}

@test "what is claimed is all that counts: requests are not looked at" {
	safe '{"existing":[1],"allocation":[[1],[0]],"claim":[[1],[1]],"request":[[1],[1]]}'
	assert_status 0
	run deadlock-check check "$TMPDIR/input"
	assert_status 1
}

@test "no claim, no system: status 2" {
	safe "$(textbook json)"
	assert_status 2
	assert_equal "$stderr" "deadlock-check safe: $TMPDIR/input: there is no claim matrix (check judges requests)"
	json '.error.code == "FORMAT" and .error.exit == 2 and .error.verb == "safe" and (.error | has("line") | not)'
	safe "R1 -> P1"
	assert_status 2
	assert_stderr 'there is no claim matrix'
	run --separate-stderr deadlock-check check <<<"$(five_by_three json)"
	assert_status 2
	assert_stderr 'there is no request matrix \(safe judges claims\)$'
	safe '{"existing":[1],"allocation":[[1]],"claim":[[1],[1]]}'
	assert_status 2
	json '.error.line == 1 and .error.column == 49'
}

@test "a process that holds more than its claim, a claim beyond what exists: status 2" {
	safe "$(bank 1 7 0 0 0)"
	assert_status 2
	assert_equal "$stderr" "deadlock-check safe: $TMPDIR/input: Andy holds 7 of credit, more than the 6 of its claim"
	json '.error.code == "FORMAT"'
	safe "$(bank 6 0 0 0 0)"
	assert_status 2
	assert_equal "$stderr" "deadlock-check safe: $TMPDIR/input: Suzanne claims 7 of credit, of which 6 exist"
	json '.error.code == "FORMAT"'
}

@test "bad operands" {
	safe "$(bank 2 1 1 2 4)" --trace
	assert_status 2
	json '.error.code == "USAGE"'
	run --separate-stderr deadlock-check safe "$TMPDIR/input" more
	assert_status 2
	run --separate-stderr deadlock-check safe "$TMPDIR/none"
	assert_status 3
	assert_equal "$stderr" "deadlock-check safe: $TMPDIR/none: no such file"
	json '.error.code == "ENOENT"'
	run --separate-stderr deadlock-check safe "$TMPDIR"
	assert_status 8
	chmod 0 "$TMPDIR/input"
	run --separate-stderr as_unprivileged deadlock-check safe "$TMPDIR/input"
	assert_status 5
	json '.error.code == "EACCES"'
}

# SPDX-License-Identifier: GPL-2.0-or-later
# deadlock-check check: is there a deadlock, who is in it, and why.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load systems

# judge INPUT [ARG...]: what check says of INPUT, a format of printf.
judge()
{
	# shellcheck disable=SC2059 # a format it is
	printf "$1" >"$TMPDIR/input"
	run --separate-stderr deadlock-check check "${@:2}" "$TMPDIR/input"
	assert_equal "$stderr" ""
}

# ---- the textbook's example ----

# As Tanenbaum goes through it: the third process, then the second, then the first.
steps='.steps == [
	{process: "P3", available_after: [2, 2, 2, 0], blocked: [
		{process: "P1", resource: "cd", requested: 1, available: 0},
		{process: "P2", resource: "scanner", requested: 1, available: 0}]},
	{process: "P2", available_after: [4, 2, 2, 1], blocked: [
		{process: "P1", resource: "cd", requested: 1, available: 0}]},
	{process: "P1", available_after: [4, 2, 3, 1], blocked: []}]'

@test "the textbook's system has no deadlock, step by step, in every form" {
	for form in json json-graph text csv graph dot; do
		textbook $form >"$TMPDIR/input"
		run --separate-stderr deadlock-check check --trace "$TMPDIR/input"
		assert_status 0
		assert_equal "$stderr" ""
		assert_equal "${#lines[@]}" 1
		json '.deadlocked == false and .order == ["P3", "P2", "P1"] and .available == [4, 2, 3, 1]'
		json "$steps"
		json '[.processes, .core, .blocked_behind, .cycle] == [[], [], [], []]'
	done
}

@test "the same from Matrix Market files" {
	write_textbook_mtx
	run --separate-stderr deadlock-check check "${mtx[@]}" --trace
	assert_status 0
	json '[.steps[].process] == ["P3", "P2", "P1"] and .steps[0].available_after == [2, 2, 2, 0]'
	json '.steps[0].blocked[0] == {process: "P1", resource: "R4", requested: 1, available: 0}'
	write_textbook_mtx "2 1 1 0"
	run --separate-stderr deadlock-check check "${mtx[@]}" --trace
	assert_status 1
	json '.processes == ["P1", "P2", "P3"]'
}

@test "with one scanner more asked for, nobody can ever finish: status 1" {
	for form in json json-graph text csv graph dot; do
		textbook $form "2 1 1 0" >"$TMPDIR/input"
		run --separate-stderr deadlock-check check --trace "$TMPDIR/input"
		assert_status 1
		assert_equal "$stderr" ""
		json '.deadlocked and .processes == ["P1", "P2", "P3"] and .core == .processes'
		json '.order == [] and .available == [2, 1, 0, 0] and .cycle == [] and .blocked_behind == []'
		json '.steps == [{process: null, available_after: [2, 1, 0, 0], blocked: [
			{process: "P1", resource: "cd", requested: 1, available: 0},
			{process: "P2", resource: "scanner", requested: 1, available: 0},
			{process: "P3", resource: "scanner", requested: 1, available: 0}]}]'
	done
}

@test "the trace as a textbook writes it: vectors, struck rows, who can go on" {
	textbook text >"$TMPDIR/input"
	run deadlock-check check --table --trace "$TMPDIR/input"
	assert_status 0
	assert_match $'\n +available +2 +1 +0 +0\n'
	assert_match $'\n +P1 +2 +0 +0 +1 +blocked by cd: wants 1, 0 available\n'
	assert_match $'\n +P2 +1 +0 +1 +0 +blocked by scanner: wants 1, 0 available\n'
	assert_match $'\n +P3 +2 +1 +0 +0 +not blocked\n +P3 can finish, and gives back 0 1 2 0 -> available 2 2 2 0\n'
	assert_match $'\n +P3 +- +- +- +-\n +P2 can finish, .* -> available 4 2 2 1\n'
	assert_match $'P1 can finish, .* -> available 4 2 3 1\n'
	assert_match 'all can finish: no deadlock'
	textbook text "2 1 1 0" >"$TMPDIR/input"
	run deadlock-check check --table "$TMPDIR/input"
	assert_status 1
	assert_match 'P1, P2 and P3 can never finish: deadlock'
}

# ---- the document ----

@test "every key of the document and its type" {
	{ ring 2 && echo 'W -> A_0' && echo 'R1[2]' && echo 'Z -> R1 [3]' && echo 'F'; } >"$TMPDIR/input"
	run --separate-stderr deadlock-check check --trace "$TMPDIR/input"
	assert_status 1
	json 'keys_unsorted == ["deadlocked", "processes", "core", "blocked_behind", "cycle", "impossible", "order",
		"available", "steps"]'
	json 'map_values(type) == {deadlocked: "boolean", processes: "array", core: "array", blocked_behind: "array",
		cycle: "array", impossible: "array", order: "array", available: "array", steps: "array"}'
	json '[.processes, .core, .blocked_behind, .cycle, .order | .[] | type] | unique == ["string"]'
	json '[.available[], .steps[].available_after[] | type] | unique == ["number"]'
	json '.impossible == [{process: "Z", resource: "R1", requested: 3, existing: 2}]'
	json '.steps[0].process == "F" and .steps[-1].process == null'
	run deadlock-check check "$TMPDIR/input"
	json 'has("steps") or has("order") or has("trace") | not'
}

@test "a ring is a deadlock, a chain is none, however long" {
	ring 200 >"$TMPDIR/ring"
	grep -v '^A199 ->' "$TMPDIR/ring" >"$TMPDIR/chain"
	run deadlock-check check "$TMPDIR/ring"
	assert_status 1
	json '(.processes | length) == 200 and .core == .processes and (.cycle | length) == 401'
	json '.available | length == 200 and all(. == 0)'
	run deadlock-check check "$TMPDIR/chain"
	assert_status 0
	json '.processes == [] and (.available | all(. == 1))'
}

@test "who holds nothing and only waits is blocked behind a deadlock, not in it" {
	judge 'R1 -> A\nA -> R2\nR2 -> B\nB -> R1\nC -> R1\nD -> R1\nD -> R2\n'
	assert_status 1
	json '.processes == ["A", "B"] and .blocked_behind == ["C", "D"]'
	judge 'R1 -> A\nC -> R1\nD -> R1\n'
	assert_status 0
	json '.deadlocked == false and .blocked_behind == []'
}

@test "the core: the rings, without those who wait for them" {
	{ ring 3 && ring 2 B && printf '%s\n' 'F -> A_1' 'X_[1]' 'X_ -> G' 'G -> B_0' 'Y_[1]' 'Y_ -> H' 'H -> X_'; } >"$TMPDIR/input"
	run deadlock-check check "$TMPDIR/input"
	assert_status 1
	json '.processes == ["A0", "A1", "A2", "B0", "B1", "G", "H"]'
	json '(.core | sort) == ["A0", "A1", "A2", "B0", "B1"] and .blocked_behind == ["F"]'
}

@test "the cycle: a shortest one, processes and resources in turn, back to where it began" {
	# A ring of three, and within it one of two.
	judge 'Ra[1]\nRb[1]\nRc[1]\nRa -> P1\nRb -> P2\nRc -> P3\nP1 -> Rc\nP3 -> Rb\nP2 -> Ra\nP3 -> Ra\n'
	assert_status 1
	json '.cycle | length == 5 and .[0] == .[4] and ([.[0, 2]] | sort) == ["P1", "P3"]'
	json '.cycle | [.[1, 3]] | sort == ["Ra", "Rc"]'
	judge 'R1 -> P1\nP1 -> R2\nR2 -> P2\nP2 -> R1\n'
	json '.cycle == ["P1", "R2", "P2", "R1", "P1"]'
}

@test "the cycle goes through resources of one instance alone" {
	judge 'R1[2]\nR1 -> P1\nR1 -> P2\nP1 -> R1\nP2 -> R1\n'
	assert_status 1
	json '.deadlocked and .cycle == [] and .core == ["P1", "P2"]'
	judge 'R1[2]\nR1 -> P1\nR1 -> P2\nR2 -> P1\nR3 -> P2\nR4 -> P3\nP1 -> R1\nP2 -> R1\nP2 -> R2\nP3 -> R3\nP1 -> R4\n'
	assert_status 1
	json '.cycle | length == 7 and (index("R1") | not)'
}

@test "a process that waits for what it holds itself" {
	judge 'R1 -> P1\nP1 -> R1\n'
	assert_status 1
	json '.processes == ["P1"] and .core == ["P1"] and .cycle == ["P1", "R1", "P1"]'
	judge 'R1[2]\nR1 -> P1 [2]\nP1 -> R1\n'
	assert_status 1
	json '.processes == ["P1"] and .cycle == []'
	judge 'R1[2]\nR1 -> P1\nP1 -> R1\n'
	assert_status 0
}

@test "a wait for more than exists is told apart" {
	judge 'R1[2]\nR1 -> P1\nP1 -> R1 [3]\nP2 -> R1 [2]\nR2 -> P2\n'
	assert_status 1
	json '.processes == ["P1", "P2"] and .core == ["P1"] and .cycle == []'
	json '.impossible == [{process: "P1", resource: "R1", requested: 3, existing: 2}]'
	judge 'R1[2]\nR1 -> P1\nP1 -> R1 [2]\n'
	json 'has("impossible") | not'
	judge 'R1[0]\nR2 -> P1\nP1 -> R1\n'
	assert_status 1
	json '.impossible == [{process: "P1", resource: "R1", requested: 1, existing: 0}]'
}

# ---- kinds of waits ----

@test "a wait for any of several ends with the first, one for all with the last" {
	local holds='R1 -> P1\nR2 -> P2\nR3 -> P3\nP2 -> R1\n'
	judge "${holds}P1 -> R2 [any]\nP1 -> R3 [any]\n" --trace
	assert_status 0
	json '.order == ["P3", "P1", "P2"]'
	judge "${holds}P1 -> R2\nP1 -> R3\n"
	assert_status 1
	json '.processes == ["P1", "P2"]'
	judge "${holds}P1 -> R2 [any]\nP1 -> R3 [any]\nP3 -> R1\n"
	assert_status 1
	json '.processes == ["P1", "P2", "P3"]'
	judge '{"resources":{"R1":1,"R2":1,"R3":1},"holds":[["P1","R1"],["P2","R2"],["P3","R3"]],
		"waits":[["P2","R1"]],"waits_any":[["P1",["R2","R3"]]]}'
	assert_status 0
	judge '{"resources":{"R1":1,"R2":1,"R3":1},"holds":[["P1","R1"],["P2","R2"],["P3","R3"]],
		"waits":[["P2","R1"],["P3","R2"]],"waits_any":[["P1",["R2","R3"]]]}'
	assert_status 1
}

@test "a wait for any and one for all of the same process" {
	local holds='R1 -> P1\nR2 -> P2\nR3 -> P3\nR4 -> P4\nP2 -> R1\n'
	judge "${holds}P1 -> R2 [any]\nP1 -> R3 [any]\nP1 -> R4\n"
	assert_status 0
	judge "${holds}P1 -> R2 [any]\nP1 -> R3 [any]\nP1 -> R4\nP4 -> R1\n"
	assert_status 1
	json '.processes == ["P1", "P2", "P4"]'
}

@test "wait-for graphs: processes that wait for the end of others" {
	judge 'A -> B\nB -> C\nC -> A\nD -> A\nE -> F\n' --trace
	assert_status 1
	json '.processes == ["A", "B", "C"] and .blocked_behind == ["D"] and .order == ["F", "E"]'
	json '.cycle == ["A", "B", "C", "A"] and .available == []'
	json '.steps[0].blocked[0] == {process: "A", resource: "end of B", requested: 1, available: 0}'
	judge 'A -> A\n'
	assert_status 1
	json '.cycle == ["A", "A"]'
	judge 'A -> B [any]\nA -> C [any]\nB -> A\n'
	assert_status 0
	judge 'A -> B [any]\nA -> C [any]\nB -> A\nC -> A\n'
	assert_status 1
	judge '{"resources":{},"waits_end":[["A","B"],["B","A"],["C","A"]]}'
	assert_status 1
	json '.processes == ["A", "B"] and .blocked_behind == ["C"] and .cycle == ["A", "B", "A"]'
}

@test "what is preemptible is taken from its holder, and nobody waits for it" {
	judge '{"existing":[1,1],"allocation":[[1,0],[0,1]],"request":[[0,1],[1,0]]}'
	assert_status 1
	judge '{"existing":[1,1],"allocation":[[1,0],[0,1]],"request":[[0,1],[1,0]],"preemptible":["R1"]}'
	assert_status 0
	judge 'R1[preemptible]\nR1 -> P1\nR2 -> P2\nP1 -> R2\nP2 -> R1\n'
	assert_status 0
	judge 'preemptible R2\nexisting 1 1\nallocation\n1 0\n0 1\nrequest\n0 1\n1 0\n'
	assert_status 0
}

@test "a row of dashes: a process that has finished" {
	for dashes in '- -' '-' '---' '--- ---'; do
		judge "existing 1 1\nallocation\n1 0\n0 1\nrequest\n0 1\n$dashes\n"
		assert_status 0
		judge "existing 1 1\nallocation\n1 0\n0 1\n$dashes\nrequest\n0 1\n1 0\n$dashes\n"
		assert_status 1
		json '.processes == ["P1", "P2"]'
	done
}

@test "nothing at all is no deadlock" {
	for empty in '{"existing":[],"allocation":[],"request":[]}' '{"existing":[],"allocation":[[]],"request":[[]]}' \
		'{"resources":{},"holds":[]}' '{"resources":{"R1":3}}' 'R1[3]\n' 'P1 [shape=circle]\n'; do
		judge "$empty" --trace
		assert_status 0
		json '.deadlocked == false'
	done
}

@test "counts up to 2^63-1" {
	judge '{"existing":[9223372036854775807],"allocation":[[9223372036854775806],[0]],"request":[[1],[9223372036854775807]]}' --trace
	assert_status 0
	json '[.steps[].process] == ["P1", "P2"]'
	assert_match '"available":\[9223372036854775807\]'
	judge '{"existing":[9223372036854775807],"allocation":[[9223372036854775806],[1]],"request":[[1],[9223372036854775807]]}'
	assert_status 1
	judge 'R1[9223372036854775807]\nR1 -> P1 [9223372036854775807]\nP2 -> R1 [9223372036854775807]\n'
	assert_status 0
	assert_match '"available":\[9223372036854775807\]'
}

# ---- options ----

@test "--algorithm: both say the same of every kind of system" {
	local deadlocks=0
	for seed in 1 2 3 4 5 6; do
		for kind in random deadlocked safe chain; do
			deadlock-check generate --processes 9 --resources 4 --kind $kind --seed $seed >"$TMPDIR/input"
			run deadlock-check check --algorithm watch "$TMPDIR/input"
			answer=$status$output
			run deadlock-check check --algorithm classic "$TMPDIR/input"
			assert_equal "$status$output" "$answer" "$kind $seed"
			((status == 0 || status == 1))
			deadlocks=$((deadlocks + status))
			[[ $kind != deadlocked ]] || assert_status 1
			[[ $kind != safe ]] || assert_status 0
		done
	done
	((deadlocks >= 6))
	run --separate-stderr deadlock-check check --algorithm quick "$TMPDIR/input"
	assert_status 2
	assert_equal "$stderr" "deadlock-check check: --algorithm: quick: expected watch or classic"
}

@test "--quiet: the status alone" {
	ring 3 >"$TMPDIR/input"
	run --separate-stderr deadlock-check check -q "$TMPDIR/input"
	assert_equal "$status$output$stderr" 1
	textbook json >"$TMPDIR/input"
	run --separate-stderr deadlock-check check --quiet --trace "$TMPDIR/input"
	assert_equal "$status$output$stderr" 0
}

@test "--plain: one line, TAB-separated, lists with commas" {
	{ ring 2 && echo 'W -> A_0'; } >"$TMPDIR/input"
	run deadlock-check check --plain "$TMPDIR/input"
	assert_status 1
	assert_output $'true\tA0,A1\tA0,A1\tW\tA0,A_1,A1,A_0,A0\t-\t-'
	textbook json >"$TMPDIR/input"
	run deadlock-check check --plain --trace "$TMPDIR/input"
	assert_output $'false\t-\t-\t-\t-\t-\tP3,P2,P1'
}

@test "--table: a line for each column, and of a small system every step" {
	{ ring 2 && echo 'W -> A_0'; } >"$TMPDIR/input"
	run deadlock-check check --table "$TMPDIR/input"
	assert_status 1
	assert_match $'^deadlocked +yes\n'
	assert_match $'\nprocesses +A0 A1\n'
	assert_match $'\nblocked_behind +W\n'
	assert_match $'\ncycle +A0 A_1 A1 A_0 A0\n'
	assert_match $'\n +step 1 '
	ring 20 >"$TMPDIR/input"
	run deadlock-check check --table "$TMPDIR/input"
	[[ $output != *"step 1"* ]]
	run deadlock-check check --table --trace "$TMPDIR/input"
	assert_match $'\n +step 1 '
	run deadlock-check check --table -o deadlocked,processes "$TMPDIR/input"
	assert_equal "${#lines[@]}" 2
}

@test "on a terminal the table, step by step" {
	textbook json >"$TMPDIR/input"
	NO_COLOR=1 run script -qec "deadlock-check check $TMPDIR/input" /dev/null
	assert_status 0
	assert_match '^deadlocked +no'
	assert_match 'P3 can finish, and gives back 0 1 2 0 -> available 2 2 2 0'
}

@test "--columns picks and orders" {
	ring 2 >"$TMPDIR/input"
	run deadlock-check check -o processes,deadlocked "$TMPDIR/input"
	assert_output '{"processes":["A0","A1"],"deadlocked":true}'
	run deadlock-check check -o available,deadlocked --plain "$TMPDIR/input"
	assert_output $'0,0\ttrue'
	run deadlock-check check -o order --trace "$TMPDIR/input"
	assert_output '{"order":[]}'
	textbook json >"$TMPDIR/input"
	run deadlock-check check -o trace --trace --json "$TMPDIR/input"
	json '.trace | contains("P3 can finish, and gives back 0 1 2 0 -> available 2 2 2 0\n")'
	run deadlock-check check --columns help
	assert_status 0
	for column in deadlocked processes core blocked_behind cycle impossible order available steps trace; do
		assert_match $'(^|\n)'"$column  +[^ ]"
	done
}

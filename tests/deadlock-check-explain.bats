# SPDX-License-Identifier: GPL-2.0-or-later
# deadlock-check explain: the four conditions, each held or not, and what shows it.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load systems

coffman=$IPCKIT_SRC/tests/fixtures/coffman

# explain [WORD...]: nothing on stderr.
explain()
{
	run --separate-stderr deadlock-check explain "$@"
	assert_equal "$stderr" ""
}

# held NAME: what the answer says of a condition.
held()
{
	json_get --arg n "$1" '.conditions[] | select(.condition == $n) | .held'
}

# assert_held EXCLUSION HOLD-AND-WAIT NO-PREEMPTION CIRCULAR: true or false each.
assert_held()
{
	assert_equal "$(held "mutual exclusion") $(held "hold and wait") $(held "no preemption") $(held "circular wait")" \
		"$*" "the four conditions"
}

# ---- the fixtures: one has all four, each of the others breaks one ----

@test "all four: a deadlock, status 1, and each with what shows it" {
	explain "$coffman/all.graph"
	assert_status 1
	assert_held true true true true
	json '.deadlocked and .conditions == [
		{condition: "mutual exclusion", held: true, processes: ["P1", "P2"], resources: ["R1", "R2"],
			because: "R1 and R2 are held, and wanted beyond what is free"},
		{condition: "hold and wait", held: true, processes: ["P1", "P2"], resources: ["R1", "R2"],
			because: "P1 and P2 hold resources and want more"},
		{condition: "no preemption", held: true, processes: ["P1", "P2"], resources: ["R1", "R2"],
			because: "R1 and R2 cannot be taken from who holds them"},
		{condition: "circular wait", held: true, processes: ["P1", "P2"], resources: ["R2", "R1"],
			because: "P1 -> R2 -> P2 -> R1 -> P1"}]'
}

@test "no mutual exclusion: enough for everybody" {
	explain "$coffman/shared.graph"
	assert_status 0
	assert_held false true true true
	json '.deadlocked == false and (.conditions[0] | .processes == [] and .resources == []
		and .because == "nothing is wanted beyond what is free")'
}

@test "no hold and wait: then no ring can close either" {
	explain "$coffman/one-at-a-time.graph"
	assert_status 0
	assert_held true false true false
	json '.deadlocked == false
		and (.conditions[1] | .processes == [] and .resources == [] and .because == "nobody holds one resource and wants another")
		and (.conditions[0] | .processes == ["P3", "P4"])'
}

@test "preemption: what is held can be taken" {
	explain "$coffman/preemptible.json"
	assert_status 0
	assert_held true true false true
	json '.deadlocked == false and (.conditions[2] | .processes == [] and .resources == []
		and .because == "whatever is held and wanted may be taken from its holder")'
}

@test "no circular wait: all take them in one order" {
	explain "$coffman/ordered.text"
	assert_status 0
	assert_held true true true false
	json '.deadlocked == false and (.conditions[3] | .processes == [] and .resources == []
		and .because == "no chain of wants and holdings closes")'
}

@test "each fixture is tested" {
	local file
	for file in "$coffman"/*; do
		grep -qF "/${file##*/}\"" "$BATS_TEST_FILENAME" || fail "no test of ${file##*/}"
	done
}

# ---- more systems ----

@test "where there is a deadlock all four hold, whatever the system" {
	local seed found=0
	for seed in 1 2 3 4 5 6 7 8; do
		explain < <(deadlock-check generate -n 6 -m 7 --degree 1 --most 1 --seed "$seed")
		if ((status == 1)); then
			((++found))
			json '.deadlocked and all(.conditions[]; .held)'
		else
			assert_status 0
			json '.deadlocked == false'
		fi
	done
	((found > 0 && found < 8)) || fail "$found of 8 are deadlocked: they show nothing"
}

@test "several instances: all four may hold without a deadlock" {
	# A third process gives its instance back.
	explain <<<'R1[2]; R2[1]; R1 -> P1 -> R2; R2 -> P2 -> R1; R1 -> P3'
	assert_status 0
	assert_held true true true true
	json '.deadlocked == false'
}

@test "who wants more than exists is deadlocked by itself" {
	explain <<<'R1[2]; R2[1]; R2 -> P1; P1 -> R1 [3]'
	assert_status 1
	json '.deadlocked'
	assert_match '"circular wait","held":false'
}

@test "the end of a process is waited for like a resource" {
	explain <<<'{"resources":{},"holds":[],"waits":[],"waits_end":[["parent","child"],["child","parent"]]}'
	assert_status 1
	assert_held true true true true
	json '.conditions[3].because == "parent -> child -> parent"
		and (.conditions[0].resources | sort) == ["end of child", "end of parent"]'
}

@test "a long ring is counted, not written out" {
	explain < <(ring 12)
	assert_status 1
	json '.conditions[3] | .because | startswith("A0 -> A_1 -> A1 -> ") and endswith(" -> A_0 -> A0")'
	explain < <(ring 50)
	assert_status 1
	json '.conditions[3] | (.processes | length) == 50 and (.resources | length) == 50
		and .because == "a ring of 50 processes: A0, A1, A2, A3, A4 and 45 more"'
	json '.conditions[1].because == "A0, A1, A2, A3, A4 and 45 more hold resources and want more"'
}

@test "one process, one resource: the words agree" {
	explain <<<'R1[1]; R2[1]; R1 -> P1 -> R2; R2 -> P2'
	assert_status 0
	json '.conditions[0].because == "R2 is held, and wanted beyond what is free"
		and .conditions[1].because == "P1 holds resources and wants more"
		and .conditions[2].because == "R2 cannot be taken from who holds it"'
}

@test "nobody at all: none holds" {
	explain <<<'{"resources":{},"holds":[],"waits":[]}'
	assert_status 0
	assert_held false false false false
}

# ---- formats ----

@test "JSON: the types are what they should be" {
	local file
	for file in "$coffman"/*; do
		explain "$file"
		assert_equal "${#lines[@]}" 1
		json '(keys == ["conditions", "deadlocked"]) and (.deadlocked | type) == "boolean" and (.conditions | length) == 4
			and all(.conditions[]; keys == ["because", "condition", "held", "processes", "resources"]
				and (.held | type) == "boolean" and (.condition | type) == "string" and (.because | type) == "string"
				and (.processes | type) == "array" and (.resources | type) == "array"
				and all(.processes[], .resources[]; type == "string")
				and (.held or (.processes == [] and .resources == [])))'
	done
}

@test "a table for people, and nothing with --quiet but the status" {
	explain --table "$coffman/ordered.text"
	assert_status 0
	assert_output 'deadlocked  no
conditions
  CONDITION        HELD BECAUSE
  mutual exclusion yes  R2 and R3 are held, and wanted beyond what is free
  hold and wait    yes  P1 and P2 hold resources and want more
  no preemption    yes  R2 and R3 cannot be taken from who holds them
  circular wait    no   no chain of wants and holdings closes'
	explain -q "$coffman/all.graph"
	assert_status 1
	assert_output ""
	explain -q "$coffman/shared.graph"
	assert_status 0
	explain -o deadlocked --plain "$coffman/all.graph"
	assert_status 1
	assert_output true
}

@test "on a terminal names cannot do anything" {
	echo '{"resources":{"\u001b[31mR":1,"S":1},"holds":[["a\u0007","\u001b[31mR"],["b","S"]],"waits":[["a\u0007","S"],["b","\u001b[31mR"]]}' \
		>"$BATS_TEST_TMPDIR/file"
	NO_COLOR=1 run script -qec "deadlock-check explain $BATS_TEST_TMPDIR/file" /dev/null
	assert_status 1
	assert_match 'mutual exclusion'
	[[ $output != *$'\e'* && $output != *$'\a'* ]] || fail "control characters" "$(cat -v <<<"$output")"
	explain "$BATS_TEST_TMPDIR/file"
	json '.conditions[0].resources == ["\u001b[31mR", "S"]'
}

# ---- what goes wrong ----

@test "input that is wrong, or has no requests, is status 2; none is 3; unreadable 5" {
	run --separate-stderr deadlock-check explain <<<'[1,2'
	assert_status 2
	assert_stderr '^deadlock-check explain: standard input:1:[0-9]+: '
	json '.error.code == "FORMAT"'
	run --separate-stderr deadlock-check explain < <(five_by_three text)
	assert_status 2
	assert_equal "$stderr" "deadlock-check explain: standard input: there is no request matrix (safe judges claims)"
	run --separate-stderr deadlock-check explain "$BATS_TEST_TMPDIR/none"
	assert_status 3
	: >"$BATS_TEST_TMPDIR/closed"
	chmod 0 "$BATS_TEST_TMPDIR/closed"
	run --separate-stderr as_unprivileged deadlock-check explain "$BATS_TEST_TMPDIR/closed"
	assert_status 5
	run --separate-stderr deadlock-check explain one two
	assert_status 2
}

@test "a full disk is status 8, deadlock or not" {
	local file
	for file in all.graph shared.graph; do
		run --separate-stderr bash -c "deadlock-check explain $coffman/$file >/dev/full"
		assert_status 8
		assert_equal "$stderr" "deadlock-check explain: standard output: no space left"
	done
}

# SPDX-License-Identifier: GPL-2.0-or-later
# deadlock-check resolve: whose end resolves the deadlock at the least cost.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load systems

# resolve [OPTION...]: of standard input; nothing on stderr, status 0.
resolve()
{
	run --separate-stderr deadlock-check resolve "$@"
	assert_status 0
	assert_equal "$stderr" ""
}

# without NAMES: the graph of `ring`, or its like, less these processes.
without()
{
	grep -vE "\b($1)\b"
}

@test "a ring needs one to end, and the others finish one after the other" {
	resolve < <(ring 4)
	assert_output '{"deadlocked":true,"processes":["A0"],"cost":1,"least":true,"order":["A3","A2","A1"],"available":[1,0,0,0]}'
	run deadlock-check check --quiet < <(ring 4 | without A0)
	assert_status 0
	resolve --table < <(ring 4)
	assert_output 'deadlocked  yes
processes   A0
cost        1
least       yes
order       A3 A2 A1'
	resolve --plain < <(ring 4)
	assert_output $'true\tA0\t1\ttrue\tA3,A2,A1'
	resolve --plain -o processes,available < <(ring 4)
	assert_output $'A0\t1,0,0,0'
	resolve -q < <(ring 4)
	assert_output ""
}

@test "each ring needs one of its own" {
	resolve < <(ring 3; ring 2 B; ring 5 C)
	json '.processes == ["A0", "B0", "C0"] and .cost == 3 and .least and (.order | length) == 7'
}

@test "rings through one process need that one" {
	# The hub waits for three resources at once.
	resolve <<-'END'
	H[1]
	X[1]
	Y[1]
	Z[1]
	H -> hub
	hub -> X -> x -> H
	hub -> Y -> y -> H
	hub -> Z -> z -> H
	END
	json '.processes == ["hub"] and .least and (.order | sort) == ["x", "y", "z"]'
}

@test "costs: the cheapest set, not the smallest" {
	local costs=$BATS_TEST_TMPDIR/costs
	printf 'A0 5\nA1 4\nA2 2\nA3 3\n' >"$costs"
	resolve --cost "$costs" < <(ring 4)
	json '.processes == ["A2"] and .cost == 2 and .least'
	# Comments, empty lines, blanks, quotes, and a last line without an end.
	printf '# costs\n\n\t"A0"   0 # for nothing\nA1\t2' >"$costs"
	resolve --cost "$costs" < <(ring 4)
	json '.processes == ["A0"] and .cost == 0'
	# Who is not named costs 1.
	echo "A0 2" >"$costs"
	resolve --cost "$costs" < <(ring 4)
	json '.processes == ["A1"] and .cost == 1'
	# Three that cost less than the one in the middle.
	printf 'hub 100\nx 10\ny 20\nz 30\n' >"$costs"
	resolve --cost "$costs" <<<'H[1]; X[1]; Y[1]; Z[1]; H -> hub; hub -> X -> x -> H; hub -> Y -> y -> H; hub -> Z -> z -> H'
	json '.processes == ["x", "y", "z"] and .cost == 60 and .least and .order == ["hub"]'
	resolve --cost <(echo "A3 0") < <(ring 4)
	json '.processes == ["A3"]'
	ring 4 >"$BATS_TEST_TMPDIR/ring"
	resolve "$BATS_TEST_TMPDIR/ring" --cost - <<<"A1 0"
	json '.processes == ["A1"]'
}

@test "costs that are no costs: line, column, and what was expected" {
	local costs=$BATS_TEST_TMPDIR/costs line place words
	while IFS='|' read -r line place words; do
		printf '%b' "$line" >"$costs"
		run --separate-stderr deadlock-check resolve --cost "$costs" < <(ring 3)
		assert_status 2
		assert_equal "$stderr" "deadlock-check resolve: $costs:$place: $words"
		json --arg c "$costs" --argjson l "${place%:*}" --argjson k "${place#*:}" --arg w "$words" \
			'.error == {code: "FORMAT", exit: 2, verb: "resolve", object: $c, line: $l, column: $k, message: $w}'
	done <<-'END'
	A0 -1\n|1:4|expected a number from 0 on, got "-1"
	A0\n|1:3|expected a cost, a whole number from 0 on, got the end of the line
	A1 2\nA0 x\n|2:4|expected a cost, a whole number from 0 on, got "x"
	# who\n\n  nobody 3\n|3:3|there is no process "nobody"
	A0 2\nA1 1\nA0 2\n|3:1|the cost of "A0" is there twice
	A0 9223372036854775808\n|1:4|expected a number up to 9223372036854775807, got "9223372036854775808"
	A0 9223372036854775807\n|1:4|the costs add up to more than 9223372036854775807
	A0 2 3\n|1:6|expected the end of the line, got "3"
	END
	run --separate-stderr deadlock-check resolve --cost "$BATS_TEST_TMPDIR/none" < <(ring 3)
	assert_status 3
	assert_equal "$stderr" "deadlock-check resolve: $BATS_TEST_TMPDIR/none: no such file"
	run --separate-stderr deadlock-check resolve --cost "$BATS_TEST_TMPDIR" < <(ring 3)
	assert_status 8
	run --separate-stderr deadlock-check resolve --cost
	assert_status 2
}

@test "where there is no deadlock nobody is to end" {
	local system
	for system in "$(textbook json)" "$(textbook graph)" "$(ring 3 | without A0)"; do
		resolve <<<"$system"
		json '.deadlocked == false and .processes == [] and .cost == 0 and .least'
	done
	resolve < <(textbook json)
	json '.order == ["P3", "P2", "P1"] and .available == [2, 1, 0, 0]'
	resolve <<<'{"resources":{},"holds":[],"waits":[]}'
	json '.deadlocked == false and .processes == [] and .order == [] and .available == []'
}

@test "the textbook's deadlock: one of the three" {
	resolve < <(textbook json "2 1 1 0")
	json '.deadlocked and .cost == 1 and .least and (.processes | length) == 1 and (.order | length) == 2'
	write_textbook_mtx "2 1 1 0"
	resolve "${mtx[@]}"
	json '.deadlocked and .cost == 1 and (.processes | length) == 1'
}

@test "who is only blocked behind goes on by itself, and is not ended" {
	local i
	resolve < <(ring 3; for i in 1 2 3 4; do echo "behind$i -> A_0"; done) --cost <(printf 'behind%s 0\n' 1 2 3 4)
	json '.processes == ["A0"] and (.order | length) == 6'
}

@test "who wants more than exists can but be ended, at whatever cost" {
	resolve --cost <(echo greedy 1000) < <(ring 2; printf '%s\n' 'B[2]' 'B -> greedy' 'greedy -> B [3]')
	json '.processes == ["greedy", "A0"] or .processes == ["A0", "greedy"]'
	json '.cost == 1001 and .least and .order == ["A1"]'
}

@test "waits for any of several, and for the end of others" {
	# One alternative that can be had is enough.
	resolve <<<'{"resources":{"R1":1,"R2":1,"R3":1},"holds":[["P1","R1"],["P2","R2"],["P3","R3"]],
		"waits":[["P2","R1"]],"waits_any":[["P1",["R2","R3"]]]}'
	json '.deadlocked == false and .processes == []'
	resolve <<<'{"resources":{"R1":1,"R2":1,"R3":1},"holds":[["P1","R1"],["P2","R2"],["P3","R3"]],
		"waits":[["P2","R1"],["P3","R1"]],"waits_any":[["P1",["R2","R3"]]]}' --cost <(echo P1 9)
	json '.deadlocked and .processes == ["P2"] and .cost == 1 and .least'
	resolve <<<'{"resources":{},"holds":[],"waits":[],"waits_end":[["parent","child"],["child","parent"]]}'
	json '.deadlocked and (.processes | length) == 1 and (.order | length) == 1 and .available == []'
}

# ---- against all subsets ----

# Every subset of the processes of a system of matrices, as "COST SYSTEM without them" a line.
subsets()
{
	jq -c --argjson cost "$1" '. as $s | (.processes | length) as $n | range(pow(2; $n)) as $set
		| [range($n) | select(($set / pow(2; .) | floor) % 2 == 1)] as $gone
		| ([$gone[] | $cost[.]] | add // 0) as $sum
		| reduce $gone[] as $p ($s;
			.available = [range(.available | length) as $r | .available[$r] + .allocation[$p][$r]]
			| .allocation[$p][] = 0 | .request[$p][] = 0)
		| [$sum, .]'
}

# The least cost of all subsets after whose end everybody can finish.
least_of_all()
{
	local cost system
	while IFS=$'\t' read -r cost system; do
		[[ $(deadlock-check check --plain -o deadlocked,blocked_behind <<<"$system") != $'false\t-' ]] || {
			echo "$cost"
			return
		}
	done < <(subsets "$1" | sort -t, -k1.2,1n | sed 's/^\[\([0-9]*\),\(.*\)]$/\1\t\2/')
}

@test "no subset of the processes is cheaper" {
	local seed system cost least deadlocks=0
	for seed in 1 2 3 4 5 6 7 8; do
		system=$(deadlock-check generate -n 4 -m 3 --most 3 --kind random --seed "$seed")
		cost="[$((seed % 3 + 1)),$((seed % 5)),2,3]"
		resolve --cost <(jq -r 'to_entries[] | "P\(.key + 1) \(.value)"' <<<"$cost") <<<"$system"
		json .least
		[[ $(json_get .deadlocked) != true ]] || ((++deadlocks))
		least=$(least_of_all "$cost" <<<"$system")
		json --argjson l "$least" '.cost == $l'
		json --argjson c "$cost" '.cost == ([.processes[] | $c[ltrimstr("P") | tonumber - 1]] | add // 0)'
	done
	((deadlocks >= 3)) || fail "only $deadlocks of them were deadlocked"
}

@test "what it ends is enough, in larger systems" {
	local seed system gone
	for seed in 1 2 3; do
		system=$(deadlock-check generate -n 60 -m 60 --degree 2 --most 1 --seed "$seed" --to graph)
		resolve <<<"$system"
		gone=$(json_get '.processes | join("|")')
		[[ $gone ]] || continue
		assert_equal "$(json_get '(.order + .processes) | sort | unique | length')" 60 "processes"
		# Those that ended neither hold nor want; each that is left finishes.
		run deadlock-check check --plain -o deadlocked,blocked_behind < <(without "$gone" <<<"$system")
		assert_output $'false\t-'
	done
}

# ---- what goes wrong ----

@test "input that is wrong, or has no requests, is status 2" {
	run --separate-stderr deadlock-check resolve <<<'R1[1] ->'
	assert_status 2
	assert_stderr '^deadlock-check resolve: standard input:1:[0-9]+: '
	json '.error.code == "FORMAT"'
	run --separate-stderr deadlock-check resolve < <(five_by_three json)
	assert_status 2
	assert_stderr 'there is no request matrix'
	run --separate-stderr deadlock-check resolve "$BATS_TEST_TMPDIR/none"
	assert_status 3
	run --separate-stderr deadlock-check resolve one two
	assert_status 2
}

@test "a full disk is status 8" {
	run --separate-stderr bash -c 'deadlock-check resolve >/dev/full' < <(ring 3)
	assert_status 8
	assert_equal "$stderr" "deadlock-check resolve: standard output: no space left"
}

@test "names that a terminal obeys are escaped there, and whole in JSON" {
	local system='{"resources":{"R1":1,"R2":1},"holds":[["\u001b[31mred","R1"],["P2","R2"]],"waits":[["\u001b[31mred","R2"],["P2","R1"]]}'
	resolve --cost <(echo "P2 9") <<<"$system"
	json '.processes == ["\u001b[31mred"]'
	resolve --table --cost <(echo "P2 9") <<<"$system"
	assert_match $'\nprocesses +\\\\x1b\\[31mred'
}

@test "a ring of 100,000 is resolved in no time" {
	awk 'BEGIN { n = 100000; for (i = 0; i < n; i++) print "R" i "[1]\nR" i " -> P" i " -> R" (i + 1) % n }' \
		>"$BATS_TEST_TMPDIR/ring"
	timeout 20 deadlock-check resolve "$BATS_TEST_TMPDIR/ring" >"$BATS_TEST_TMPDIR/answer"
	jq -e '(.processes | length) == 1 and .least and (.order | length) == 99999' "$BATS_TEST_TMPDIR/answer"
}

# SPDX-License-Identifier: GPL-2.0-or-later
# deadlock-check graph: the pictures, and that the deadlocked part is marked in them.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load systems

# A ring of two, one who is blocked behind it, and one who can finish.
deadlocked()
{
	cat <<-'END'
	R1[1]
	R2[1]
	R3[3]
	R1 -> P1 -> R2
	R2 -> P2 -> R1
	P3 -> R1
	R3 -> P4 [2]
	P4 -> R3
	END
}

# draw FORM: standard input as a picture; nothing on stderr, status 0.
draw()
{
	run --separate-stderr deadlock-check graph --as "$@"
	assert_status 0
	assert_equal "$stderr" ""
}

# same_answer A B: check says the same of both systems.
same_answer()
{
	local one other
	one=$(deadlock-check check --json --trace <<<"$1" || (($? == 1)))
	other=$(deadlock-check check --json --trace <<<"$2" || (($? == 1)))
	assert_equal "$other" "$one" "what check says of the picture"
}

# on_terminal COMMAND: runs it on one, with the carriage returns taken away.
on_terminal()
{
	run script -qec "$1" /dev/null
	output=${output//$'\r'/}
}

# Nothing that a terminal obeys.
assert_printable()
{
	! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' <<<"$output" || fail "control characters" "$(cat -v <<<"$output")"
	! LC_ALL=C.UTF-8 grep -qP '[\x{80}-\x{9f}]' <<<"$output" || fail "control characters" "$(cat -v <<<"$output")"
}

# ---- dot ----

@test "dot: boxes with a dot for each instance, circles, edges, and colours for the deadlocked part" {
	draw dot < <(deadlocked)
	assert_output 'digraph resources {
	rankdir=LR;
	"R1" [shape=box, instances=1, label="R1\n●", style="filled", fillcolor=mistyrose, color=red, penwidth=2];
	"R2" [shape=box, instances=1, label="R2\n●", style="filled", fillcolor=mistyrose, color=red, penwidth=2];
	"R3" [shape=box, instances=3, label="R3\n●●○"];
	"P1" [shape=circle, style="filled", fillcolor=mistyrose, color=red, penwidth=2];
	"P2" [shape=circle, style="filled", fillcolor=mistyrose, color=red, penwidth=2];
	"P3" [shape=circle, color=orange, penwidth=2];
	"P4" [shape=circle];
	"R1" -> "P1" [count=1, color=red, penwidth=2];
	"P1" -> "R2" [count=1, color=red, penwidth=2];
	"R2" -> "P2" [count=1, color=red, penwidth=2];
	"P2" -> "R1" [count=1, color=red, penwidth=2];
	"P3" -> "R1" [count=1, color=orange, penwidth=2];
	"R3" -> "P4" [count=2, label="2"];
	"P4" -> "R3";
}'
}

@test "dot: what waits for any of several is dashed, what is preemptible rounded" {
	draw dot <<<'{"resources":{"R1":1,"R2":20},"preemptible":["R2"],"holds":[["P1","R1"]],"waits_any":[["P2",["R1","R2"]]]}'
	assert_match $'\t"P2" -> "R1" \\[count=1, any=true, style=dashed\\];\n\t"P2" -> "R2" \\[count=1, any=true, style=dashed\\];'
	assert_match $'\t"R2" \\[shape=box, instances=20, preemptible=true, label="R2\\\\n×20", style=rounded\\];'
}

@test "dot: is read back, with the same answer, and draws the same picture again" {
	local system picture
	for system in "$(deadlocked)" "$(textbook json)" "$(textbook json '2 1 1 0')" "$(ring 5)" \
		"$(deadlock-check generate -n 20 -m 7 --kind deadlocked --seed 3)" \
		"$(deadlock-check generate -n 20 -m 20 --degree 2 --most 1 --to graph)" \
		'{"resources":{"R1":1,"R2":2},"preemptible":["R2"],"processes":["idle","a b","P2"],"holds":[["a b","R1"]],"waits_any":[["P2",["R1","R2"]],["idle",["R1"]]]}' \
		'{"resources":{"R1":1},"holds":[["P1","R1"]],"waits_end":[["P1","P2"],["P2","P1"]]}'; do
		draw dot <<<"$system"
		picture=$output
		same_answer "$system" "$picture"
		draw dot <<<"$picture"
		assert_output "$picture"
	done
}

@test "dot: graphviz takes it" {
	local system
	command -v dot >/dev/null || skip "graphviz is not installed"
	for system in "$(deadlocked)" "$(textbook text)" '{"resources":{"a \"b\" \\ & <i>é":1},"holds":[["tab\there","a \"b\" \\ & <i>é"]],"waits":[]}'; do
		draw dot <<<"$system"
		run --separate-stderr dot -Tplain <<<"$output"
		assert_status 0
		assert_equal "$stderr" ""
	done
	run dot -Tplain < <(deadlocked | deadlock-check graph --as dot)
	assert_equal "$(grep -c '^node ' <<<"$output")" 7 nodes
	assert_equal "$(grep -c '^edge ' <<<"$output")" 7 edges
	assert_match $'\nedge R3 P4 .* 2 '
}

@test "dot: a process and a resource of one name cannot be told apart: status 8, and the text can" {
	run --separate-stderr deadlock-check graph --as dot <<<'{"resources":{"x":1},"holds":[["x","x"]],"waits":[]}'
	assert_status 8
	assert_output ""
	assert_equal "$stderr" "deadlock-check graph: standard input: a process and a resource have one name, which this form cannot tell apart"
	draw text <<<'{"resources":{"x":1},"holds":[["x","x"]],"waits":[]}'
	assert_match '^\(x\)  holds x    can finish'
}

# ---- mermaid ----

@test "mermaid: nodes, edges, and the styles of the deadlocked part" {
	draw mermaid < <(deadlocked)
	assert_output 'flowchart LR
    r0["R1<br/>●"]:::core
    r1["R2<br/>●"]:::core
    r2["R3<br/>●●○"]
    p0(("P1")):::core
    p1(("P2")):::core
    p2(("P3")):::behind
    p3(("P4"))
    r0 --> p0
    p0 --> r1
    r1 --> p1
    p1 --> r0
    p2 --> r0
    r2 -->|2| p3
    p3 --> r2
    linkStyle 0,1,2,3 stroke:red,stroke-width:2px
    linkStyle 4 stroke:orange,stroke-width:2px
    classDef core fill:mistyrose,color:black,stroke:red,stroke-width:2px
    classDef dead stroke:red,stroke-width:2px
    classDef behind stroke:orange,stroke-width:2px'
	draw mermaid <<<'{"resources":{"R1":1,"R2":9},"preemptible":["R2"],"holds":[["P1","R1"]],"waits_any":[["P2",["R1","R2"]]],"waits_end":[["P3","P1"]]}'
	assert_match $'\n    r1\\("R2<br/>○○○○○○○○○"\\)\n'
	assert_match $'\n    p1 -.-> r0\n    p1 -.-> r1\n    p2 --> p0\n'
}

@test "mermaid: names are no markup" {
	draw mermaid <<<'{"resources":{"a\"]<b>|":1,"lock_a-1.2":1},"holds":[["#quot;*","lock_a-1.2"],["é`","a\"]<b>|"]],"waits":[]}'
	assert_match $'\n    r0\\["a#quot;#93;#60;b#62;#124;<br/>●"\\]\n    r1\\["lock_a-1.2<br/>●"\\]\n'
	assert_match $'\n    p0\\(\\("#35;quot#59;#42;"\\)\\)\n    p1\\(\\("é#96;"\\)\\)\n'
}

# ---- text ----

@test "text: the ring, who holds and waits for what, who has and wants each resource" {
	draw text < <(deadlocked)
	assert_output '   ┌─> (P1) ──> [R2 ●] ──> (P2) ──> [R1 ●] ─┐
   └────────────────────────────────────────┘

(P1)  holds R1     waits for R2 (held by P2)  deadlocked
(P2)  holds R2     waits for R1 (held by P1)  deadlocked
(P3)               waits for R1 (held by P1)  blocked behind
(P4)  holds R3 x2  waits for R3 (free)        can finish

[R1 ●]    held by P1     wanted by P2, P3
[R2 ●]    held by P2     wanted by P1
[R3 ●●○]  held by P4 x2  wanted by P4'
}

@test "text: ASCII where the locale has nothing else" {
	local locale
	for locale in C POSIX nonexistent; do
		LC_ALL=$locale draw text < <(deadlocked)
		assert_output '   +-> (P1) --> [R2 *] --> (P2) --> [R1 *] -+
   +----------------------------------------+

(P1)  holds R1     waits for R2 (held by P2)  deadlocked
(P2)  holds R2     waits for R1 (held by P1)  deadlocked
(P3)               waits for R1 (held by P1)  blocked behind
(P4)  holds R3 x2  waits for R3 (free)        can finish

[R1 *]    held by P1     wanted by P2, P3
[R2 *]    held by P2     wanted by P1
[R3 **.]  held by P4 x2  wanted by P4'
	done
}

@test "text: alternatives, ends, what is preemptible and what does not exist" {
	draw text <<<'{"resources":{"R1":1,"R2":0,"R3":30},"preemptible":["R1"],
		"holds":[["P1","R1"],["P5","R3",7]],"waits":[["P2","R1"],["P3","R2"],["P3","R3",31]],
		"waits_any":[["P4",["R1","R3"]]],"waits_end":[["P5","P3"]]}'
	assert_output '(P1)  holds R1                                                            can finish
(P5)  holds R3 x7  waits for the end of P3                                deadlocked
(P2)               waits for R1 (preemptible)                             can finish
(P3)               waits for R2 (none exists) and R3 x31 (only 30 exist)  deadlocked
(P4)               waits for any of R1 (preemptible), R3 (free)           can finish

[R1 ●]        held by P1     wanted by P2, as one of several by P4      preemptible
[R2 0 of 0]                  wanted by P3
[R3 7 of 30]  held by P5 x7  wanted by P3 x31, as one of several by P4'
	# Nobody waits for this one.
	draw text <<<'{"resources":{"R1":1},"holds":[],"waits":[["P1","R1",2]]}'
	assert_match '^\(P1\)    waits for R1 x2 \(only 1 exists\)  can never finish'
}

@test "text: a long ring stands upright, of a very long one and of many processes it says how many more" {
	draw text < <(ring 12)
	assert_match $'^   ┌─> \\(A0\\)\n   │   ──> \\[A_1 ●\\]\n   │   ──> \\(A1\\)\n'
	assert_match $'\n   │   ──> \\(A11\\)\n   │   ──> \\[A_0 ●\\] ─┐\n   └────────────────┘\n\n'
	draw text < <(ring 300)
	assert_match $'\n   │   \\.\\.\\. 400 more\n'
	assert_match $'\n\\.\\.\\. and 100 more processes: 100 deadlocked\n'
	assert_match $'\n\\.\\.\\. and 100 more resources$'
	((${#lines[@]} < 700)) || fail "${#lines[@]} lines"
}

@test "text: nobody and nothing" {
	draw text <<<'{"resources":{},"holds":[],"waits":[]}'
	assert_output ""
	draw text <<<'{"resources":{"R1":2},"holds":[],"waits":[]}'
	assert_output '[R1 ○○]'
}

# ---- svg ----

@test "svg: graphviz makes it" {
	command -v dot >/dev/null || skip "graphviz is not installed"
	draw svg < <(deadlocked)
	assert_match '<svg .*</svg>'
	assert_equal "$(grep -c 'class="node"' <<<"$output")" 7 nodes
	assert_equal "$(grep -c 'class="edge"' <<<"$output")" 7 edges
	assert_match '<text [^>]*>●●○</text>'
	assert_match 'fill="mistyrose" stroke="red"'
}

# with_dot SCRIPT: a PATH on which that is dot.
with_dot()
{
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/bash\n%s\n' "$1" >"$BATS_TEST_TMPDIR/bin/dot"
	chmod +x "$BATS_TEST_TMPDIR/bin/dot"
}

@test "svg: dot gets the picture in dot, and what it writes is what is printed, whatever its size" {
	with_dot 'echo "$*" >"$BATS_TEST_TMPDIR/words"; cat >"$BATS_TEST_TMPDIR/in"; seq 100000'
	PATH=$BATS_TEST_TMPDIR/bin:$PATH draw svg < <(deadlocked)
	assert_output "$(seq 100000)"
	assert_equal "$(<"$BATS_TEST_TMPDIR/words")" -Tsvg
	assert_equal "$(<"$BATS_TEST_TMPDIR/in")" "$(deadlocked | deadlock-check graph --as dot)"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH draw svg --json < <(deadlocked)
	json '.size == 588895 and (.data | endswith("\n99999\n100000\n"))'
}

@test "svg: without graphviz it says so, and how to get it" {
	local judge=(env PATH=/nonexistent "$IPCKIT_BUILD/deadlock-check" graph)
	deadlocked >"$BATS_TEST_TMPDIR/file"
	run --separate-stderr "${judge[@]}" --as svg "$BATS_TEST_TMPDIR/file" --json
	assert_status 8
	assert_equal "$stderr" "deadlock-check graph: $BATS_TEST_TMPDIR/file: graphviz' dot is not installed (apt install graphviz)"
	json --arg f "$BATS_TEST_TMPDIR/file" '.error | .code == "ENOPKG" and .exit == 8 and .verb == "graph" and .object == $f'
	run --separate-stderr "${judge[@]}" --as dot "$BATS_TEST_TMPDIR/file"
	assert_status 0
}

@test "svg: a dot that fails, or is killed, is a failed run without a picture" {
	local script
	for script in 'echo "<svg>"; exit 1' 'echo "<svg>"; kill -KILL $$' 'cat >/dev/null; exit 77'; do
		with_dot "$script"
		PATH=$BATS_TEST_TMPDIR/bin:$PATH run --separate-stderr deadlock-check graph --as svg < <(deadlocked)
		assert_status 8
		assert_output ""
		assert_equal "$stderr" "deadlock-check graph: standard input: graphviz' dot failed"
	done
}

# ---- formats and options ----

@test "on a terminal it is text, elsewhere dot; --as is obeyed on both" {
	deadlocked >"$BATS_TEST_TMPDIR/file"
	on_terminal "deadlock-check graph $BATS_TEST_TMPDIR/file"
	assert_output "$(deadlock-check graph --as text "$BATS_TEST_TMPDIR/file")"
	on_terminal "deadlock-check graph $BATS_TEST_TMPDIR/file --as mermaid"
	assert_output "$(deadlock-check graph --as mermaid "$BATS_TEST_TMPDIR/file")"
	on_terminal "deadlock-check graph $BATS_TEST_TMPDIR/file | cat"
	assert_output "$(deadlock-check graph --as dot "$BATS_TEST_TMPDIR/file")"
	run deadlock-check graph "$BATS_TEST_TMPDIR/file"
	assert_output "$(deadlock-check graph --as dot "$BATS_TEST_TMPDIR/file")"
}

@test "--json wraps the text, --quiet prints nothing, --table and --plain change nothing" {
	local form picture
	for form in dot mermaid text; do
		picture=$(deadlocked | deadlock-check graph --as "$form")
		for option in --json --pretty; do
			draw "$form" --json "$option" < <(deadlocked)
			json --arg p "$picture"$'\n' '. == {data: $p, size: ($p | utf8bytelength)}'
		done
		IPCKIT_FORMAT=json draw "$form" < <(deadlocked)
		json --arg p "$picture"$'\n' '.data == $p'
		for option in --plain --table; do
			draw "$form" "$option" < <(deadlocked)
			assert_output "$picture"
		done
		draw "$form" --quiet < <(deadlocked)
		assert_output ""
	done
}

@test "a deadlock is no failure of drawing it; input that is wrong is" {
	draw dot < <(textbook json)
	draw dot < <(textbook json "2 1 1 0")
	run --separate-stderr deadlock-check graph --json <<<'R1 -> P1 -> '
	assert_status 2
	assert_stderr '^deadlock-check graph: standard input:1:[0-9]+: '
	json '.error | .code == "FORMAT" and .line == 1 and .column > 0'
	run --separate-stderr deadlock-check graph --as text < <(five_by_three json)
	assert_status 2
	assert_equal "$stderr" "deadlock-check graph: standard input: there is no request matrix (safe judges claims)"
	run --separate-stderr deadlock-check graph "$BATS_TEST_TMPDIR/none" --json
	assert_status 3
	assert_equal "$stderr" "deadlock-check graph: $BATS_TEST_TMPDIR/none: no such file"
	json '.error.code == "ENOENT"'
	run --separate-stderr deadlock-check graph --as jpeg < <(deadlocked)
	assert_status 2
	assert_equal "$stderr" "deadlock-check graph: --as: jpeg: expected dot, mermaid, svg or text"
	run --separate-stderr deadlock-check graph one two
	assert_status 2
}

@test "a file that may not be read is status 5" {
	deadlocked >"$BATS_TEST_TMPDIR/file"
	chmod 0 "$BATS_TEST_TMPDIR/file"
	run --separate-stderr as_unprivileged deadlock-check graph "$BATS_TEST_TMPDIR/file"
	assert_status 5
	assert_equal "$stderr" "deadlock-check graph: $BATS_TEST_TMPDIR/file: permission denied"
}

@test "names with quotes, escapes and control characters are safe in every picture" {
	local form system='{"resources":{"\u001b[31mred\u0007":1,"new\nline":1},
		"holds":[["\"q\" \\ %s","\u001b[31mred\u0007"],["é\u0085\u009bx","new\nline"]],
		"waits":[["\"q\" \\ %s","new\nline"],["é\u0085\u009bx","\u001b[31mred\u0007"]]}'
	echo "$system" >"$BATS_TEST_TMPDIR/file"
	for form in dot mermaid text; do
		draw "$form" "$BATS_TEST_TMPDIR/file"
		assert_printable
		on_terminal "deadlock-check graph --as $form $BATS_TEST_TMPDIR/file"
		assert_status 0
		assert_printable
		assert_match 'x1b'
	done
	draw text "$BATS_TEST_TMPDIR/file"
	assert_match '^   ┌─> \("q" \\ %s\) ──> \[new\\x0aline ●\] ──> \(é\\xc2\\x85\\xc2\\x9bx\) ──> \[\\x1b\[31mred\\x07 ●\] ─┐'
	LC_ALL=C draw text "$BATS_TEST_TMPDIR/file"
	assert_match '\(\\xc3\\xa9\\xc2\\x85\\xc2\\x9bx\)'
	draw dot "$BATS_TEST_TMPDIR/file"
	same_answer "$system" "$output"
}

@test "bytes that are no UTF-8 are shown as such" {
	printf 'R1[1]\nR1 -> "a\377b"\n' >"$BATS_TEST_TMPDIR/file"
	draw text "$BATS_TEST_TMPDIR/file"
	assert_match '^\(a\\xffb\)  holds R1'
	draw mermaid "$BATS_TEST_TMPDIR/file"
	assert_match 'a#92;xffb'
	draw dot "$BATS_TEST_TMPDIR/file"
	run deadlock-check graph --as text <<<"$output"
	assert_match '^\(a\\xffb\)  holds R1'
}

@test "wide characters line up" {
	draw text <<<'{"resources":{"R1":1},"holds":[["漢字","R1"]],"waits":[["ab","R1"]]}'
	assert_match $'^\\(漢字\\)  holds R1  +can finish\n\\(ab\\)              waits for R1 \\(held by 漢字\\)  can finish'
}

# ---- output that cannot be written ----

@test "a full disk is status 8, a reader that has gone no noise" {
	local form
	deadlock-check generate -n 300 -m 30 --kind random >"$BATS_TEST_TMPDIR/file"
	for form in dot mermaid text; do
		run --separate-stderr bash -c "deadlock-check graph --as $form $BATS_TEST_TMPDIR/file >/dev/full"
		assert_status 8
		assert_equal "$stderr" "deadlock-check graph: standard output: no space left"
		run --separate-stderr bash -c "deadlock-check graph --as $form $BATS_TEST_TMPDIR/file | head -n 1"
		assert_status 0
		assert_equal "$stderr" ""
	done
}

# SPDX-License-Identifier: GPL-2.0-or-later
# deadlock-check: the forms of input, and what is said of malformed ones.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load systems

setup()
{
	rm -f "$TMPDIR/documents"
	bad_inputs=0
}

# ask INPUT [ARG...]: check of INPUT, a format of printf, on standard input.
ask()
{
	status=0
	# shellcheck disable=SC2059 # a format it is
	output=$(printf -- "$1" | deadlock-check check "${@:2}" 2>"$TMPDIR/stderr") || status=$?
	stderr=$(<"$TMPDIR/stderr")
}

# bad LINE:COLUMN WORDS INPUT [ARG...]: it is malformed there, the message has these words.
bad()
{
	ask "$3" "${@:4}"
	bad_inputs=$((bad_inputs + 1))
	printf '%s\n' "$output" >>"$TMPDIR/documents"
	[[ $status == 2 && $stderr == "deadlock-check check: standard input:$1: "*"$2"* && $stderr != *$'\n'* &&
		$output == *'"code":"FORMAT","exit":2,"verb":"check","object":"standard input","line":'${1%:*}',"column":'${1#*:}',"message":"'* ]] ||
		fail "expected $1: $2" "of: $3" "$(show_last)"
}

# The documents of `bad` are such.
check_documents()
{
	jq -es --argjson n "$bad_inputs" 'length == $n and all(.error | .code == "FORMAT" and .exit == 2 and (.line | type) == "number"
		and (.column | type) == "number" and (.message | length) > 0)' "$TMPDIR/documents" >/dev/null ||
		fail "expected $bad_inputs documents of errors, got" "$(<"$TMPDIR/documents")"
}

# ---- recognition ----

@test "each form is recognised by its content, whatever the ends of lines and with a mark before it" {
	local mark=$'\xef\xbb\xbf'
	deadlock-check check --trace --from json <<<"$(textbook json)" >"$TMPDIR/answer"
	for form in json json-graph text csv graph dot; do
		textbook "$form" >"$TMPDIR/lf"
		sed 's/$/\r/' "$TMPDIR/lf" >"$TMPDIR/crlf"
		{ printf %s "$mark" && cat "$TMPDIR/lf"; } >"$TMPDIR/mark-lf"
		{ printf %s "$mark" && cat "$TMPDIR/crlf"; } >"$TMPDIR/mark-crlf"
		{ printf '\n \t\n\n' && cat "$TMPDIR/lf"; } >"$TMPDIR/blanks"
		{ printf '\n# a comment: { [ ->\n' && cat "$TMPDIR/lf"; } >"$TMPDIR/comment"
		head -c -1 "$TMPDIR/lf" >"$TMPDIR/no-newline"
		for file in lf crlf mark-lf mark-crlf blanks comment no-newline; do
			# JSON has no comments.
			[[ $form$file != json*comment ]] || continue
			run --separate-stderr deadlock-check check --trace "$TMPDIR/$file"
			assert_equal "$output$stderr" "$(<"$TMPDIR/answer")" "$form $file"
		done
	done
	run deadlock-check check --trace <<<"$(textbook json "2 1 1 0")"
	answer=$output
	for form in json-graph text csv graph dot; do
		run deadlock-check check --trace <<<"$(textbook "$form" "2 1 1 0")"
		assert_output "$answer"
	done
}

@test "words that begin a form may be names of a graph" {
	for name in allocation existing digraph strict request 7 '"a b"'; do
		ask "$name -> R1\nR1 -> $name\n"
		assert_status 1
		json '.processes | length == 1'
	done
	ask 'digraph {a->a}'
	assert_status 1
	ask 'strict digraph "x y" {\n\ta -> b;\n\tb -> a\n}\n'
	assert_status 1
	ask 'DIGRAPH\n{\n\ta -> b -> a\n}\n'
	assert_status 1
	ask 'strict\ndigraph "" {\n"" = ""; a -> a [label=""]\n}\n'
	assert_status 1
	ask 'Allocation:\n1 0\n0 1\nREQUEST = 0 1\n1 0\nExisting 1 1\n'
	assert_status 1
}

@test "--from forces a form, and what is of another is malformed" {
	for pair in "json json" "json-graph graph-json" "text text" "csv text" "graph graph" "dot graph"; do
		read -r form from <<<"$pair"
		textbook "$form" >"$TMPDIR/input"
		run --separate-stderr deadlock-check check --from "$from" "$TMPDIR/input"
		assert_status 0
		for other in json graph-json text graph; do
			[[ $other != "$from" ]] || continue
			run --separate-stderr deadlock-check check --from "$other" "$TMPDIR/input"
			assert_status 2
			assert_match '"code":"FORMAT"'
		done
	done
	ask 'P1\n' --from graph
	assert_status 0
	for form in xml '' JSON; do
		run --separate-stderr deadlock-check check --from "$form" "$TMPDIR/input"
		assert_status 2
		json '.error.code == "USAGE" and .error.object == "--from"'
	done
	run --separate-stderr deadlock-check check --from mtx "$TMPDIR/input"
	assert_status 2
	assert_stderr '--allocation F'
}

@test "what is of no form" {
	bad 1:1 'the input is empty' ''
	bad 3:1 'the input is empty' '\n# nothing\n'
	bad 1:1 'the input is empty' '\xef\xbb\xbf'
	bad 1:1 'got "hello"' 'hello world\n'
	bad 2:1 'got "42"' '\n42\n'
	bad 1:1 'expected an object' '[[1]]'
	bad 1:1 'a file for each matrix: --allocation F' '%%%%MatrixMarket matrix coordinate integer general\n1 1 1\n1 1 1\n'
	bad 1:1 'expected' '\x00\x00\x00'
	bad 1:1 'got "\xff\xfeR1"' '\xff\xfeR1'
	check_documents
}

# ---- malformed input ----

@test "malformed matrices in JSON" {
	bad 1:41 'expected a row of 2 numbers as in existing, got 1' '{"existing":[1,1],"allocation":[[1,0],[0]],"request":[[0,1],[1,0]]}'
	bad 2:24 'expected a row of 2 numbers as in existing, got more' '{"existing":[1,1],"allocation":[[1,0],[0,1]],\n "request":[[0,1],[1,0,2]]}'
	bad 2:19 'got -1' '{"existing":[1,1],\n "allocation":[[1,-1],[0,1]],"request":[[0,1],[1,0]]}'
	bad 1:16 'a number from 0 to 9223372036854775807' '{"existing":[1,9223372036854775808],"allocation":[[1,0]],"request":[[0,1]]}'
	bad 1:16 'got 99999999999999999999' '{"existing":[1,99999999999999999999],"allocation":[[1,0]],"request":[[0,1]]}'
	for number in 1.5 1e3 1E0 1.0; do
		bad 1:16 "expected a whole number, got $number" '{"existing":[1,'$number'],"allocation":[[1,0]],"request":[[0,1]]}'
	done
	for value in '\"1\"' null true; do
		bad 1:16 "expected a number, got ${value//\\/}" "{\"existing\":[1,$value],\"allocation\":[[1,0]],\"request\":[[0,1]]}"
	done
	bad 1:16 'without leading zeros' '{"existing":[1,01],"allocation":[[1,0]],"request":[[0,1]]}'
	bad 1:13 'existing of R1 is 1, but allocation (1) and available (1) make 2' '{"existing":[1,1],"available":[1,1],"allocation":[[1,0]],"request":[[0,1]]}'
	bad 1:13 'existing of R1 is 0, but 1 are allocated' '{"existing":[0,1],"allocation":[[1,0]],"request":[[0,1]]}'
	bad 1:14 'more than 9223372036854775807' '{"available":[0],"allocation":[[9223372036854775807],[1]],"request":[[0],[0]]}'
	bad 1:51 'expected 1 row as in allocation' '{"existing":[1],"allocation":[[1]],"request":[[0],[1]]}'
	bad 1:52 'expected each key once, got "existing" again' '{"existing":[1],"allocation":[[1]],"request":[[1]],"existing":[1]}'
	bad 1:36 'got "requests"' '{"existing":[1],"allocation":[[1]],"requests":[[1]]}'
	bad 1:35 'request or claim is missing' '{"existing":[1],"allocation":[[1]]}'
	bad 1:32 'allocation is missing' '{"existing":[1],"request":[[1]]}'
	bad 1:36 'existing or available is missing' '{"allocation":[[1]],"request":[[1]]}'
	bad 1:2 'missing' '{}'
	bad 1:13 'expected [' '{"existing":1,"allocation":[[1]],"request":[[1]]}'
	bad 1:31 'expected [' '{"existing":[1],"allocation":[1],"request":[[1]]}'
	check_documents
}

@test "JSON that is none" {
	bad 1:51 'expected , or }, got end of input' '{"existing":[1],"allocation":[[1]],"request":[[1]]'
	bad 1:52 'expected end of input' '{"existing":[1],"allocation":[[1]],"request":[[1]]}}'
	bad 2:1 'expected end of input' '{"existing":[1],"allocation":[[1]],"request":[[1]]}\n{}'
	bad 1:52 'expected a key in quotes' '{"existing":[1],"allocation":[[1]],"request":[[1]],}'
	bad 1:16 'expected a number, got ]' '{"existing":[1,],"allocation":[[1]],"request":[[1]]}'
	bad 1:16 'expected , or ]' '{"existing":[1 1],"allocation":[[1]],"request":[[1]]}'
	bad 1:2 'expected a key in quotes' '{existing:[1]}'
	bad 1:12 'expected' '{"existing"=[1]}'
	bad 1:14 'expected' '{"existing":[\x00]}'
	check_documents
}

@test "malformed names in JSON" {
	local rest=',"existing":[1],"allocation":[[1]],"request":[[1]]}'
	bad 1:19 'expected each name once, got "A" again' '{"processes":["A","A"]'"$rest"
	bad 1:19 'expected each name once, got "A" again' '{"resources":["A","\\u0041"]'"$rest"
	bad 1:15 'got an empty name' '{"processes":[""]'"$rest"
	bad 1:15 'got 1' '{"processes":[1]'"$rest"
	bad 1:17 'without NUL' '{"processes":["a\\u0000"]'"$rest"
	bad 1:17 'an escape of JSON' '{"processes":["a\\q"]'"$rest"
	bad 1:16 'an escape of JSON' '{"processes":["\\ud800"]'"$rest"
	bad 1:17 'expected UTF-8, got "\xff"' '{"processes":["a\xff"]'"$rest"
	bad 1:17 'expected UTF-8' '{"processes":["a\xc0\x80"]'"$rest"
	bad 1:17 'no control character' '{"processes":["a\t"]'"$rest"
	bad 1:17 'no control character' '{"processes":["a\x00"]'"$rest"
	bad 1:17 'a resource that is there, got "R9"' '{"preemptible":["R9"]'"$rest"
	bad 1:53 'expected 1 row as in processes' '{"processes":["A"],"existing":[1],"allocation":[[1],[0]],"request":[[1],[0]]}'
	check_documents
}

@test "malformed graphs in JSON" {
	bad 1:38 'a resource that is declared, got "R2"' '{"resources":{"R1":1},"holds":[["P1","R2"]],"waits":[]}'
	bad 1:52 'a process that is declared, got "P2"' '{"resources":{"R1":1},"processes":["P1"],"holds":[["P2","R1"]]}'
	bad 1:22 'expected each name once, got "R1" again' '{"resources":{"R1":1,"R1":2},"holds":[]}'
	bad 1:43 'a count of at least 1, got 0' '{"resources":{"R1":1},"holds":[["P1","R1",0]]}'
	bad 1:32 'expected at most 1 of "R1" to be held' '{"resources":{"R1":1},"holds":[["P1","R1",2]]}'
	bad 1:44 'expected each pair once, got "P1" and "R1" again' '{"resources":{"R1":2},"holds":[["P1","R1"],["P1","R1"]]}'
	bad 1:44 'expected each pair once' '{"resources":{"R1":2},"waits":[["P1","R1"],["P1","R1"]]}'
	bad 1:37 'expected a resource, got ]' '{"resources":{"R1":2},"holds":[["P1"]]}'
	bad 1:44 'expected ], got ,' '{"resources":{"R1":2},"holds":[["P1","R1",1,1]]}'
	bad 1:50 'each process once in waits_any, got "P1" again' '{"resources":{"R1":2},"waits_any":[["P1",["R1"]],["P1",["R1"]]]}'
	bad 1:42 'expected [ (resources)' '{"resources":{"R1":2},"waits_any":[["P1","R1"]]}'
	bad 1:23 'expected one form' '{"resources":{"R1":2},"allocation":[[1]]}'
	bad 1:20 'got -1' '{"resources":{"R1":-1}}'
	bad 1:46 'expected end of input' '{"resources":{"R1":1},"waits":[["P1","R1"]]} x'
	check_documents
}

@test "rows of a spreadsheet are padded to one width" {
	ask 'allocation,,\n,A,B\nP1,1,0\nP2,0,1\n,,\nrequest:,,\n,A,B\nP1,0,1\nP2,1,0\n,,\nexisting,,\n1,1,\n'
	assert_status 1
	json '.processes == ["P1","P2"] and .cycle == ["P1","B","P2","A","P1"]'
	ask 'existing;1;1;;\nallocation;1;0;;\n0;1;;;\nrequest;-;;;\n-;;;;\n;;;;\n'
	assert_status 0
}

@test "malformed sections of text" {
	local e='existing 1 1\n'
	bad 4:2 'expected a row of 2 numbers, as existing has, got 1' "${e}allocation\n1 0\n0\nrequest\n0 1\n1 0\n"
	bad 7:5 'expected a row of 2 numbers, as existing has, got more' "${e}allocation\n1 0\n0 1\nrequest\n0 1\n1 0 2\n"
	bad 7:1 'rows in request, as allocation has, got 1' "${e}allocation\n1 0\n0 1\nrequest\n0 1\n"
	bad 6:1 'row in request, as allocation has, got more' "${e}allocation\n1 0\nrequest\n0 1\n1 0\n"
	bad 3:3 'expected a number from 0 on, got "-1"' "${e}allocation\n1 -1\nrequest\n0 1\n"
	bad 1:12 'a number up to 9223372036854775807' 'existing 1 9223372036854775808\nallocation\n1 0\nrequest\n0 1\n'
	for number in 1.5 1e3 +1 0x1; do
		bad 1:12 "expected a whole number, got \"$number\"" "existing 1 $number\nallocation\n1 0\nrequest\n0 1\n"
	done
	bad 1:12 'expected a number, got "x"' 'existing 1 x\nallocation\n1 0\nrequest\n0 1\n'
	bad 1:1 'existing of R1 is 1, but allocation (1) and available (1) make 2' "${e}available 1 1\nallocation\n1 0\nrequest\n0 1\n"
	bad 1:1 'existing of R1 is 0, but 1 are allocated' 'existing 0 1\nallocation\n1 0\nrequest\n0 1\n'
	bad 2:1 'the section existing is there twice' "${e}${e}allocation\n1 0\nrequest\n0 1\n"
	bad 4:1 'a section request (or claim), got the end of the input' "${e}allocation\n1 0\n"
	bad 4:1 'a section allocation, got the end of the input' "${e}request\n1 0\n"
	bad 5:1 'a section existing (or available)' 'allocation\n1 0\nrequest\n1 0\n'
	bad 3:1 'expected rows of numbers, got "request"' "${e}allocation\nrequest\n1 0\n"
	bad 1:12 'a value after the comma' 'existing 1,,1\nallocation\n1 0\nrequest\n1 0\n'
	bad 1:12 'a value after the comma' 'existing 1,,1,,\nallocation\n1 0\nrequest\n1 0\n'
	bad 3:5 'expected a row of 2 numbers, as existing has, got 1' 'existing 1,1,,\nallocation,,,\n1,,,\nrequest,,,\n1,0,,\n'
	bad 3:1 'a value before the comma' "${e}allocation 1 0\n,1 0\nrequest\n1 0\n"
	bad 3:6 'a name like those before it in this line, got "1"' "${e}allocation\nP1 | 1 0\nrequest\n1 0\n"
	bad 3:3 'expected a number, got "-"' "${e}allocation\n1 -\nrequest\n1 0\n"
	bad 3:1 'unexpected "\x01"' "${e}allocation\n\x01 1 0\nrequest\n1 0\n"
	bad 3:1 'unexpected "\x00"' "${e}allocation\n\x00 1 0\nrequest\n1 0\n"
	check_documents
}

@test "malformed names in text" {
	local e='existing 1 1\n'
	bad 4:1 'expected a label' "${e}allocation\nP1 1 0\n0 1\nrequest\nP1 1 0\nP2 0 0\n"
	bad 4:1 'no row before has a label' "${e}allocation\n1 0\nP2 0 1\nrequest\n1 0\n0 0\n"
	bad 4:1 'the name "P1" is there twice' "${e}allocation\nP1 1 0\nP1 0 1\nrequest\n1 0\n0 0\n"
	bad 6:1 'expected "P1" as before, got "P2"' "${e}allocation\nP1 1 0\nP2 0 1\nrequest\nP2 1 0\nP1 0 0\n"
	bad 1:13 'the name "A" is there twice' "resources A A\n${e}allocation\n1 0\nrequest\n1 0\n"
	bad 2:14 'as resources has' 'resources A B\nexisting 1 1 1\nallocation\n1 0\nrequest\n1 0\n'
	bad 1:13 'there is no resource "C"' "preemptible C\nresources A B\n${e}allocation\n1 0\nrequest\n1 0\n"
	bad 3:7 'expected " at the end of a name' "${e}allocation\n\"a 1 0\nrequest\n1 0\n"
	bad 3:3 'expected \"' "${e}allocation\n\"a\\\\q\" 1 0\nrequest\n1 0\n"
	check_documents
}

@test "malformed edges" {
	bad 2:1 'expected ], got the end of the input' 'R1[2\n'
	bad 2:1 'expected no more of "R1" to be held than exists, got 3' 'R1[2]\nR1 -> P1 [3]\n'
	bad 3:1 'expected no more of "R1" to be held than exists' 'R1[1]\nR1 -> P1\nR1 -> P2\n'
	bad 1:4 'got "-1"' 'R1[-1]\n'
	bad 1:4 'got "x"' 'R1[x]\n'
	bad 1:4 'a number from 0 to 9223372036854775807' 'R1[9223372036854775808]\n'
	bad 2:1 '"R1" was declared before' 'R1[1]\nR1[1]\n'
	bad 2:1 'expected each edge once' 'R1 -> P1\nR1 -> P1\n'
	bad 1:1 'got the resources "R1" and "R2"' 'R1 -> R2\n'
	bad 1:1 'expected a name, got ""' '"" -> R1\n' --from graph
	bad 1:7 'expected a name, got ""' 'P1 -> ""\n'
	bad 1:9 'expected a name, got ""' 'P1->R1; ""[1]\n'
	bad 1:6 'expected a name after ->' 'R1 ->\n'
	bad 1:10 'got "P2"' 'R1 -> P1 P2\n'
	bad 1:4 'expected ->, got --' 'R1 -- P1\n'
	bad 2:3 'edges have a direction' 'A -> B\nB -- C\n'
	bad 1:1 'expected any on a wait' 'R1 -> P1 [any]\n'
	bad 1:1 "expected no count on a wait for a process's end" 'P1 -> P2 [2]\n'
	bad 1:11 'a number from 1 to' 'P1 -> R1 [0]\n'
	bad 1:13 'expected a count once' 'P1 -> R1 [2,3]\n'
	bad 2:1 'expected " at the end of a name' 'P1 -> R1\n"P2 -> R1\n'
	bad 2:3 'got "y"' 'P1 -> R1\nx y\n'
	bad 2:1 'got "}"' 'P1 -> R1\n}\n'
	bad 2:1 'got "\x00"' 'P1 -> R1\n\x00\n'
	bad 1:10 'expected */ after this /*' 'P1 -> R1 /* x'
	check_documents
}

@test "a process waits for an end once" {
	local once='expected one wait of "P1" for the end of "P2", got another'
	bad 1:8 "$once" 'P1->P2;P1->P2'
	bad 1:17 "$once" 'R1 -> P1 -> P2; P1 -> P2 [any]\n'
	bad 3:2 "$once" 'P1 -> P2 [any]\nP2 -> P3\n\tP1 -> P2\n'
	bad 2:1 "$once" 'P1 -> P2 [any]\nP1 -> P2 [any]\n'
	check_documents
	ask 'R1 -> P1 -> P2; P1 -> P3 [any]\n'
	assert_status 0
}

@test "what is wrong with an edge is said where the edge begins" {
	bad 1:12 'got the resources "R1" and "R2"' 'A[1];P1->A;R1->R2'
	bad 1:12 'expected each edge once' '  P1->R1;  P1->R1'
	bad 1:22 'expected no more of "R1"' 'P1->R1;P2->R1;R1->P3;R1->P4;'
	bad 1:7 'expected no more of "R1"' 'P1 -> R1 -> P1 [2]'
	bad 2:3 'expected any on a wait' 'P1->R1 [any]; P1->P2;\n  R1->P1 [any]\n'
	bad 1:8 "expected no count on a wait for a process's end" 'P1->P2;P1->P3 -> P4 [2]'
	bad 4:2 'expected no more of "R1"' 'digraph {\n\tP1 -> R1;\n\tR1 -> P1;\n\tR1 -> P2;\n}\n'
	bad 4:2 'expected each edge once' 'A[1]; P1->A\nR1 -> P1\n   P1->R1\n P1->A\nP2 -> R1\n'
	check_documents
}

@test "malformed digraphs" {
	bad 3:1 'expected }, got the end of the input' 'digraph {\nP1 -> R1\n'
	bad 4:1 'expected the end of the input after }' 'digraph {\nP1 -> R1\n}\nP2 -> R1\n'
	bad 1:1 'expected digraph (edges have a direction)' 'graph {\nP1 -- R1\n}\n'
	bad 2:1 'got "subgraph"' 'digraph {\nsubgraph x { A -> B }\n}\n'
	bad 3:1 'expected a node or an edge' 'digraph {\n}\n'
	bad 1:8 'expected { after digraph, got the end of the input' 'digraph'
	bad 1:9 'expected { after digraph, got the end of the input' 'digraph '
	bad 2:1 'expected { after digraph, got the end of the input' 'digraph\n'
	bad 1:10 'expected { after digraph, got the end of the input' 'digraph x'
	bad 1:7 'expected digraph after strict, got the end of the input' 'strict'
	bad 2:1 'expected digraph after strict, got the end of the input' 'strict\n'
	bad 1:8 'expected digraph after strict, got "dig"' 'strict dig'
	bad 1:15 'expected { after digraph, got the end of the input' 'strict digraph'
	bad 1:16 'expected { after digraph, got ->' 'strict digraph -> R1\n'
	bad 1:20 'in place of an HTML-like label' 'digraph { a [label=<b>] }'
	bad 1:25 'got "x"' 'digraph { R1 [instances=x] }'
	bad 1:11 'got a circle' 'digraph { R1 [shape=circle, instances=2] }'
	check_documents
}

# mtx_case FILE:LINE:COLUMN WORDS OPTION TEXT: one of the textbook's files replaced.
mtx_case()
{
	local file=$TMPDIR/$3.mtx
	write_textbook_mtx
	# shellcheck disable=SC2059 # a format it is
	printf -- "$4" >"$file"
	status=0
	output=$(deadlock-check check "${mtx[@]}" 2>"$TMPDIR/stderr") || status=$?
	stderr=$(<"$TMPDIR/stderr")
	assert_status 2
	[[ $stderr == "deadlock-check check: $file:$1: "*"$2"* ]] || fail "expected $1: $2" "$(show_last)"
	json --arg f "$file" --arg at "$1" '.error | .code == "FORMAT" and .object == $f and "\(.line):\(.column)" == $at'
}

@test "malformed Matrix Market files: the message names the file" {
	local banner='%%%%MatrixMarket matrix coordinate integer general\n'
	mtx_case 1:1 '%MatrixMarket' request '3 4 0\n'
	mtx_case 1:34 'integer' request '%%%%MatrixMarket matrix coordinate real general\n3 4 0\n'
	mtx_case 1:42 'general' request '%%%%MatrixMarket matrix coordinate integer symmetric\n3 4 0\n'
	mtx_case 3:1 'expected' request "${banner}3 4 1\n4 1 1\n"
	mtx_case 3:3 'expected' request "${banner}3 4 1\n1 5 1\n"
	mtx_case 3:5 'expected' request "${banner}3 4 1\n1 1 -1\n"
	mtx_case 3:5 'expected' request "${banner}3 4 1\n1 1 9223372036854775808\n"
	mtx_case 4:1 'expected 2 entries, got 1' request "${banner}3 4 2\n1 1 1\n"
	mtx_case 4:1 'expected the end of the file' request "${banner}3 4 1\n1 1 1\n2 1 1\n"
	mtx_case 4:1 '' request "${banner}3 4 2\n1 1 1\n1 1 2\n"
	mtx_case 1:1 'expected' request ''
}

@test "Matrix Market: options that do not go together, files that are missing" {
	write_textbook_mtx
	run --separate-stderr deadlock-check check "${mtx[@]:0:4}"
	assert_status 2
	json '.error.code == "FORMAT" and (.error.message | test("--existing"))'
	run --separate-stderr deadlock-check check "${mtx[@]:2}"
	assert_status 2
	json '.error.message | test("--allocation")'
	run --separate-stderr deadlock-check check "${mtx[@]:0:2}" "${mtx[@]:4}"
	assert_status 2
	json '.error.message | test("--request")'
	run --separate-stderr deadlock-check check "${mtx[@]}" "$TMPDIR/existing.mtx"
	assert_status 2
	json '.error.code == "USAGE"'
	run --separate-stderr deadlock-check check "${mtx[@]}" --from text
	assert_status 2
	json '.error.code == "USAGE"'
	run --separate-stderr deadlock-check check "${mtx[@]:0:4}" --existing "$TMPDIR/none"
	assert_status 3
	json --arg f "$TMPDIR/none" '.error.object == $f'
	run --separate-stderr deadlock-check check "${mtx[@]:0:4}" --existing "$TMPDIR"
	assert_status 8
	run --separate-stderr deadlock-check check "${mtx[@]:0:4}" --existing - <"$TMPDIR/existing.mtx"
	assert_status 0
}

@test "malformed input is told without quoting what a terminal would obey" {
	for input in '{"\e[31m":1}' 'existing \e[31m\n' 'P1 -> R1\n\e[31m\n' '\e[31m' 'x\e]0;y\a -> \e\n'; do
		ask "$input"
		assert_status 2
		[[ $stderr$output != *$'\e'* && $stderr$output != *$'\a'* ]]
		json '.error.code == "FORMAT"'
	done
}

# ---- numbers and names ----

@test "numbers up to 2^63-1 in every form" {
	local most=9223372036854775807
	for input in "{\"existing\":[$most],\"allocation\":[[1]],\"request\":[[$most]]}" \
		"{\"resources\":{\"R1\":$most},\"holds\":[[\"P1\",\"R1\"]],\"waits\":[[\"P1\",\"R1\",$most]]}" \
		"existing $most\nallocation\n1\nrequest\n$most\n" \
		"R1[$most]\nR1 -> P1\nP1 -> R1 [$most]\n" \
		"digraph { R1 [instances=$most]; R1 -> P1; P1 -> R1 [count=\"$most\"] }"; do
		ask "$input" --trace
		assert_status 1
		assert_match '"requested":9223372036854775807,"available":9223372036854775806'
	done
	ask "existing 0001\nallocation\n00\nrequest\n00000000000000000000000000000001\n"
	assert_status 0
}

@test "names with quotes, blanks, UTF-8 and control characters" {
	ask '{"processes":["a\\"b","\\u00fc\\ud83d\\ude00"],"resources":["x\\ny","\\u001b\\\\"],"existing":[1,1],
		"allocation":[[1,0],[0,1]],"request":[[0,1],[1,0]]}'
	assert_status 1
	json '.cycle == ["a\"b", "\u001b\\", "ü😀", "x\ny", "a\"b"]'
	ask 'resources "x\\ny" "\\x1b\\\\"\nexisting 1 1\nallocation\n"a\\"b" 1 0\nü😀 0 1\nrequest\n"a\\"b" 0 1\nü😀 1 0\n'
	assert_status 1
	json '.cycle == ["a\"b", "\u001b\\", "ü😀", "x\ny", "a\"b"]'
	ask '"a\\"b" -> "R 1"\n"R 1"[1]\n"R 1" -> ü😀\nü😀 -> R2\nR2 -> "a\\"b"\n'
	assert_status 1
	json '.cycle == ["a\"b", "R 1", "ü😀", "R2", "a\"b"]'
	ask 'x-1:2/@y -> R1\nR1 -> x-1:2/@y' --from graph
	json '.processes == ["x-1:2/@y"]'
}

@test "names of 4096 bytes, and of one more" {
	local name
	name=$(printf 'x%.0s' {1..4096})
	for input in '{"resources":{"R1":1},"holds":[["%s","R1"]]}' '%s -> R1\n' '"%s" -> R1\n' \
		'existing 1\nallocation\n%s 1\nrequest\n1\n' 'existing 1\nallocation\n"%s" 0\nrequest\n1\n'; do
		ask "${input/\%s/$name}" -q
		((status < 2)) || fail "$(show_last)"
		ask "${input/\%s/y$name}" -q
		assert_status 2
	done
}

@test "without names they are numbered" {
	ask '{"existing":[1,1],"allocation":[[1,0],[0,1]],"request":[[0,1],[1,0]]}'
	json '.cycle == ["P1", "R2", "P2", "R1", "P1"]'
	ask 'existing 1 1\nallocation\n1 0\n0 1\nrequest\n0 1\n1 0\n'
	json '.cycle == ["P1", "R2", "P2", "R1", "P1"]'
}

@test "either of existing and available may be left out" {
	ask '{"existing":[3],"available":[1],"allocation":[[1],[1]],"request":[[2],[3]]}' --trace
	assert_status 1
	answer=$output
	for input in '{"existing":[3],"allocation":[[1],[1]],"request":[[2],[3]]}' \
		'{"available":[1],"allocation":[[1],[1]],"request":[[2],[3]]}' \
		'request 2\n3\nallocation 1\n1\navailable 1\n' 'existing:3\nallocation:1\n1\nrequest:2\n3\n'; do
		ask "$input" --trace
		assert_equal "$output" "$answer"
	done
}

# ---- cut off, and without end ----

@test "input cut off at any byte: JSON is malformed, nothing crashes" {
	local json='{"existing":[1,1],"allocation":[[1,0]],"request":[[0,1]],"processes":["\u00fc"]}'
	local graph='{"resources":{"R1":1},"holds":[["P","R1",1]]}'
	local text=$'resources A "B"\nexisting: 1,2\nallocation\nX 1 0\nrequest\nX - -\n'
	local edges=$'digraph {\n"a b" -> R1 [any];/* x */\nR1 [instances=2]\n}\n'
	local input i
	for input in "$json" "$graph" "$text" "$edges"; do
		for ((i = 0; i <= ${#input}; i++)); do
			printf %s "${input:0:i}" >"$TMPDIR/input"
			status=0
			deadlock-check -q "$TMPDIR/input" 2>/dev/null || status=$?
			[[ $input != '{'* || $i == "${#input}" || $status == 2 ]] || fail "$status of ${input:0:i}"
			((status == 0 || status == 2)) || fail "$status of ${input:0:i}"
		done
		assert_equal "$status" 0 "the whole of $input"
	done
}

# endless BEGINNING COUNT CHARACTER: it, and then COUNT bytes of that.
endless()
{
	printf %s "$1"
	# Of long lines, to be fast.
	yes "$(printf '%4096s' '' | tr ' ' "$3")" | tr -d '\n' | head -c "$2"
}

# refused LINE:COLUMN BEGINNING COUNT CHARACTER: in 64 MB of memory, status 2.
refused()
{
	status=0
	output=$(endless "${@:2}" 2>/dev/null | (ulimit -v 65536 && exec timeout 60 deadlock-check --json) 2>"$TMPDIR/stderr") ||
		status=$?
	stderr=$(<"$TMPDIR/stderr")
	assert_status 2
	json --arg at "$1" '.error | .code == "FORMAT" and "\(.line):\(.column)" == $at'
}

@test "2 GB that are no JSON are refused at once" {
	not_sanitized "they reserve more memory than the limit of this test"
	refused 1:2 '{' 2G '"'
	refused 1:17 '{"allocation":[' 2G '['
	refused 1:13 '{"existing":' 2G '0'
	refused 1:14 '{"existing":[' 2G '7'
	refused 1:2 '{"' 2G 'a'
	refused 1:15 '{"processes":["' 2G 'x'
	refused 1:1 '' 2G '['
	refused 1:2 '{' 2G '{'
}

@test "2 GB of one word are refused at once" {
	not_sanitized "they reserve more memory than the limit of this test"
	refused 1:1 '' 2G 'x'
	refused 1:10 'existing ' 2G '1'
	refused 1:10 'existing ' 2G '-'
	refused 1:10 'existing "' 2G 'x'
}

@test "blanks and comments without end are read in constant memory" {
	not_sanitized "they reserve more memory than the limit of this test"
	refused 1:268435471 '{"allocation":' 256M ' '
	refused 1:33554433 '' 32M ' '
	refused 1:33554435 '# ' 32M 'x'
	refused 1:1 '/*' 32M 'x'
	refused 1:7 'P1 -> ' 32M 'x'
}

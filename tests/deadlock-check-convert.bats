# SPDX-License-Identifier: GPL-2.0-or-later
# deadlock-check convert: from each form of input to each other.

# shellcheck disable=SC2016 # variables of jq and of other shells
load helpers
load systems

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
}

# convert [WORD...]: nothing on stderr, status 0.
convert()
{
	run --separate-stderr deadlock-check convert "$@"
	assert_status 0
	assert_equal "$stderr" ""
}

# answer [WORD...]: what check says of it.
answer()
{
	deadlock-check check --json --trace "$@" || (($? == 1))
}

# refused STATUS WORDS ARGUMENT...: a failure with these words, and nothing else on stdout.
refused()
{
	run --separate-stderr deadlock-check convert "${@:3}"
	assert_status "$1"
	assert_output ""
	assert_equal "$stderr" "deadlock-check convert: $2"
}

# ---- there and back ----

@test "what each form looks like" {
	convert --to json < <(textbook csv)
	assert_output '{"existing":[4,2,3,1],
"available":[2,1,0,0],
"allocation":[
[0,0,1,0],
[2,0,0,1],
[0,1,2,0]
],
"request":[
[2,0,0,1],
[1,0,1,0],
[2,1,0,0]
],
"processes":["P1","P2","P3"],
"resources":["plotter","tape","scanner","cd"]}'
	convert --to text < <(textbook json)
	assert_output 'processes
P1 P2 P3

resources
plotter tape scanner cd

existing
4 2 3 1

available
2 1 0 0

allocation
0 0 1 0
2 0 0 1
0 1 2 0

request
2 0 0 1
1 0 1 0
2 1 0 0'
	convert --to graph < <(textbook json)
	assert_output 'plotter[4]
tape[2]
scanner[3]
cd[1]
scanner -> P1
P1 -> plotter [2]
P1 -> cd
plotter -> P2 [2]
cd -> P2
P2 -> plotter
P2 -> scanner
tape -> P3
scanner -> P3 [2]
P3 -> plotter [2]
P3 -> tape'
	convert --to graph-json < <(textbook text)
	json --argjson g "$(textbook json-graph)" '. == ($g | .waits |= map(if .[2] == 1 then .[:2] else . end))'
}

@test "every form to every other and back: the same answer, and the same bytes the second time" {
	local row from to wanted
	for row in "2 1 0 0" "2 1 1 0"; do
		wanted=$(textbook json "$row" | answer)
		for from in json json-graph text csv graph dot; do
			textbook "$from" "$row" >in
			assert_equal "$(answer in)" "$wanted" "check of $from"
			for to in json text graph graph-json; do
				deadlock-check convert in --to "$to" >out
				assert_equal "$(answer out)" "$wanted" "check of $from to $to"
				deadlock-check convert out --to "$to" >again
				cmp out again
			done
		done
	done
	# By way of any form back to the first.
	for from in json text graph graph-json; do
		textbook json "2 1 1 0" | deadlock-check convert --to "$from" >first
		for to in json text graph graph-json; do
			deadlock-check convert first --to "$to" | deadlock-check convert --to "$from" >back
			cmp first back
		done
	done
}

@test "generated systems go round all forms unchanged" {
	local kind to
	for kind in chain random safe deadlocked; do
		deadlock-check generate -n 12 -m 5 --kind "$kind" --seed 4 >first
		deadlock-check convert first --to text | deadlock-check convert --to json | cmp - first
		# Edges have no claims.
		jq -S 'del(.claim)' first >bare
		deadlock-check convert bare --to graph | deadlock-check convert --to graph-json |
			deadlock-check convert --to json >back
		cmp bare <(jq -S . back)
	done
}

@test "claims go to matrices, and are not lost" {
	local to
	for to in json text; do
		deadlock-check convert --to "$to" < <(five_by_three json) >out
		assert_equal "$(deadlock-check safe --json out)" "$(five_by_three text | deadlock-check safe --json)"
		deadlock-check convert --to "$to" out | cmp - out
	done
	for to in graph graph-json; do
		refused 8 "standard input: this form cannot say what is in it (claims, a wait for any of several or for a process, a name that is used twice or is no UTF-8, nothing at all)" \
			--to "$to" < <(five_by_three json)
	done
}

@test "what is preemptible stays so" {
	local to
	for to in json text graph graph-json; do
		deadlock-check convert "$IPCKIT_SRC/tests/fixtures/coffman/preemptible.json" --to "$to" >out
		deadlock-check convert out --to json >back
		jq -e '.preemptible' back
		deadlock-check check --quiet out
	done
}

@test "any of several, and ends: between the two forms of graph, not to matrices" {
	local to
	echo '{"resources":{"R1":1,"R2":3},"holds":[["P1","R1"]],"waits_any":[["P2",["R1",["R2",2]]]],"waits_end":[["P1","P2"]]}' >in
	for to in graph graph-json; do
		deadlock-check convert in --to "$to" >out
		assert_equal "$(answer out)" "$(answer in)"
		deadlock-check convert out --to "$to" | cmp - out
	done
	for to in json text; do
		refused 8 "in: this form cannot say what is in it (claims, a wait for any of several or for a process, a name that is used twice or is no UTF-8, nothing at all)" \
			in --to "$to"
	done
	refused 8 "out: this form cannot say what is in it (claims, a wait for any of several or for a process, a name that is used twice or is no UTF-8, nothing at all)" \
		in --to mtx --output out
	assert_equal "$(echo out.*)" 'out.*' "files"
	# A name for a process and a resource: edges cannot tell, JSON can.
	echo '{"resources":{"x":1},"holds":[["x","x"]],"waits":[]}' >in
	refused 8 "in: this form cannot say what is in it (claims, a wait for any of several or for a process, a name that is used twice or is no UTF-8, nothing at all)" \
		in --to graph
	convert in --to graph-json
	convert in --to json
}

@test "names are quoted where they have to be, and come back whole" {
	local to
	cat >in <<-'END'
	{"existing":[1,1,1,1],"allocation":[[1,0,0,0],[0,1,0,0],[0,0,1,1]],"request":[[0,1,0,0],[1,0,0,0],[0,0,0,0]],
	"processes":["a b","request","R7"],"resources":["\"q\"\\","\u001b[31m\n","12","-> #é"]}
	END
	deadlock-check convert in --to json >first
	jq -e --slurpfile i in '.processes == $i[0].processes and .resources == $i[0].resources' first
	for to in text graph graph-json; do
		deadlock-check convert first --to "$to" >out
		deadlock-check convert out --to json | cmp - first
		! LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]' out || fail "raw control characters" "$(cat -v out)"
	done
}

@test "the largest numbers" {
	echo '{"existing":[9223372036854775807],"allocation":[[9223372036854775806]],"request":[[9223372036854775807]]}' >in
	for to in json text graph graph-json; do
		deadlock-check convert in --to "$to" >out
		grep -q 9223372036854775806 out
		deadlock-check convert out --to json | jq -e '.available == [1]'
	done
}

@test "no processes, no resources" {
	local to
	echo '{"resources":{"R1":3},"holds":[],"waits":[]}' >in
	for to in graph graph-json; do
		deadlock-check convert in --to "$to" >out
		deadlock-check convert out --to "$to" | cmp - out
		grep -q R1 out
	done
	echo '{"resources":{},"holds":[],"waits":[]}' >in
	deadlock-check convert in --to graph-json >out
	deadlock-check convert out --to graph-json | cmp - out
}

# ---- Matrix Market ----

@test "mtx: a file for each matrix, read back with the same answer" {
	local row
	for row in "2 1 0 0" "2 1 1 0"; do
		convert --to mtx --output "$PWD/T" --force < <(textbook json "$row")
		assert_output ""
		assert_equal "$(echo T.*)" "T.allocation.mtx T.existing.mtx T.request.mtx" "files"
		assert_equal "$(answer --allocation T.allocation.mtx --request T.request.mtx --existing T.existing.mtx |
			jq -c '{deadlocked, processes, order}')" "$(textbook json "$row" | answer | jq -c '{deadlocked, processes, order}')"
	done
	convert --to mtx --output U --allocation T.allocation.mtx --request T.request.mtx --existing T.existing.mtx
	cmp T.allocation.mtx U.allocation.mtx
	cmp T.request.mtx U.request.mtx
	cmp T.existing.mtx U.existing.mtx
	write_textbook_mtx "2 1 1 0"
	convert "${mtx[@]}" --to mtx --output V
	cmp V.request.mtx T.request.mtx
}

@test "mtx: what is in the files" {
	convert --to mtx --output T < <(textbook text)
	assert_equal "$(<T.allocation.mtx)" '%%MatrixMarket matrix coordinate integer general
3 4 5
1 3 1
2 1 2
2 4 1
3 2 1
3 3 2'
	assert_equal "$(<T.existing.mtx)" '%%MatrixMarket matrix coordinate integer general
1 4 4
1 1 4
1 2 2
1 3 3
1 4 1'
}

@test "mtx: claims have a file of their own" {
	convert --to mtx --output T < <(five_by_three json)
	assert_equal "$(echo T.*)" "T.allocation.mtx T.claim.mtx T.existing.mtx" "files"
	run deadlock-check safe --allocation T.allocation.mtx --claim T.claim.mtx --existing T.existing.mtx
	assert_status 0
	json .safe
}

@test "mtx: existing files are kept, and none is made beside them; --force writes over them" {
	echo mine >T.request.mtx
	refused 4 "T.request.mtx: already exists (--force writes over it)" --to mtx --output T < <(textbook json)
	assert_equal "$(echo T.*)" T.request.mtx "files"
	assert_equal "$(<T.request.mtx)" mine
	convert --to mtx --output T --force < <(textbook json)
	assert_equal "$(echo T.*)" "T.allocation.mtx T.existing.mtx T.request.mtx" "files"
	cp T.request.mtx before
	run --separate-stderr deadlock-check convert --json --to mtx --output T < <(textbook json)
	assert_status 4
	json '.error | .code == "EEXIST" and .exit == 4 and .object == "T.allocation.mtx"'
	# What cannot be said is seen before anything is written over.
	run --separate-stderr deadlock-check convert --to mtx --output T -f <<<'{"resources":{"R1":1},"holds":[],"waits_any":[["P1",["R1"]]]}'
	assert_status 8
	cmp T.request.mtx before
}

@test "mtx: a dangling link is not followed without --force" {
	ln -s elsewhere T.allocation.mtx
	run deadlock-check convert --to mtx --output T < <(textbook json)
	assert_status 4
	[[ ! -e elsewhere ]]
}

@test "mtx: a directory that is not there, or may not be written to" {
	refused 3 "no/T.allocation.mtx: no such object" --to mtx --output no/T < <(textbook json)
	mkdir -m 0500 closed
	run --separate-stderr as_unprivileged deadlock-check convert --to mtx --output closed/T < <(textbook json)
	assert_status 5
	assert_equal "$stderr" "deadlock-check convert: closed/T.allocation.mtx: permission denied"
	run --separate-stderr deadlock-check convert --to mtx --output in/T < <(textbook json)
	assert_status 3
}

@test "mtx: on a file system that is full nothing is left" {
	mkdir full
	mount -t tmpfs -o size=16k full full
	deadlock-check generate -n 1000 -m 20 --kind random >in
	refused 6 "full/T.allocation.mtx: no space left" --to mtx --output full/T in
	assert_equal "$(ls full)" "" "files"
	umount full
}

# ---- options ----

@test "options that do not go together" {
	textbook json >in
	refused 2 "--to: is missing: json, text, graph, graph-json or mtx" in
	refused 2 "--to: xml: expected json, text, graph, graph-json or mtx" in --to xml
	refused 2 "--to mtx: a matrix is a file: --output PREFIX is missing" in --to mtx
	refused 2 "--output: only with --to mtx" in --to json --output T
	run --separate-stderr deadlock-check convert in --json --to xml
	assert_status 2
	json '.error | .code == "USAGE" and .object == "--to"'
	run --separate-stderr deadlock-check convert in more --to json
	assert_status 2
}

@test "--from takes the form for what it is said to be" {
	convert --from text --to json < <(textbook text)
	convert --from graph --to json < <(textbook graph)
	run --separate-stderr deadlock-check convert --from json --to text < <(textbook text)
	assert_status 2
	assert_stderr '^deadlock-check convert: standard input:1:[0-9]+: '
	run --separate-stderr deadlock-check convert --from yaml --to text < <(textbook text)
	assert_status 2
	assert_stderr '^deadlock-check convert: --from: yaml: expected json, graph-json, text or graph$'
}

@test "--json wraps the text, --quiet prints nothing" {
	convert --to graph --json < <(textbook json)
	json --arg t "$(textbook json | deadlock-check convert --to graph)"$'\n' '. == {data: $t, size: ($t | utf8bytelength)}'
	convert --to graph -q < <(textbook json)
	assert_output ""
}

@test "input that is wrong is status 2 and prints nothing, none is 3" {
	local to
	for to in json text graph graph-json; do
		run --separate-stderr deadlock-check convert --to "$to" <<<'{"existing":[1],"allocation":[[2]]}'
		assert_status 2
		assert_output ""
		assert_stderr '^deadlock-check convert: standard input:1:[0-9]+: '
	done
	refused 3 "none: no such file" none --to json
}

@test "a full disk is status 8, a reader that has gone no noise" {
	local to
	deadlock-check generate -n 2000 -m 20 >in
	textbook json >small
	for to in json text graph graph-json; do
		run --separate-stderr bash -c "deadlock-check convert small --to $to >/dev/full"
		assert_status 8
		assert_equal "$stderr" "deadlock-check convert: standard output: no space left"
		run --separate-stderr bash -c "deadlock-check convert in --to $to >/dev/full"
		assert_status 8
		assert_stderr '^deadlock-check convert: standard output: '
		run --separate-stderr bash -c "deadlock-check convert in --to $to | head -n 1"
		assert_status 0
		assert_equal "$stderr" ""
	done
}

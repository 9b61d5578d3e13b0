# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Inputs that the .bats files of deadlock-check share: `load systems`. Functions print a
# system, those named write_... make files in $TMPDIR.

# The textbook's system: four resources, three processes, no deadlock. The third process's
# row of requests may be given: with "2 1 1 0" nobody can ever finish.
#
#   textbook json|json-graph|text|csv|graph|dot [REQUEST]
textbook()
{
	local form=$1 row
	read -ra row <<<"${2-2 1 0 0}"
	textbook_"${form/-/_}"
}

textbook_json()
{
	printf '{"existing":[4,2,3,1],"available":[2,1,0,0],"allocation":[[0,0,1,0],[2,0,0,1],[0,1,2,0]],'
	printf '"request":[[2,0,0,1],[1,0,1,0],[%s,%s,%s,%s]],"processes":["P1","P2","P3"],' "${row[@]}"
	printf '"resources":["plotter","tape","scanner","cd"]}\n'
}

textbook_json_graph()
{
	printf '{"resources":{"plotter":4,"tape":2,"scanner":3,"cd":1},"processes":["P1","P2","P3"],'
	printf '"holds":[["P1","scanner"],["P2","plotter",2],["P2","cd"],["P3","tape"],["P3","scanner",2]],'
	printf '"waits":[["P1","plotter",2],["P1","cd"],["P2","plotter"],["P2","scanner"]'
	third_waits ',["P3","%s",%s]'
	printf ']}\n'
}

textbook_text()
{
	cat <<-END
	# four kinds of drives
	resources plotter tape scanner cd
	existing  4 2 3 1
	available 2 1 0 0
	allocation
	P1  0 0 1 0
	P2  2 0 0 1
	P3  0 1 2 0
	request
	P1  2 0 0 1
	P2  1 0 1 0
	P3  ${row[*]}
	END
}

textbook_csv()
{
	cat <<-END
	existing,plotter,tape,scanner,cd
	4,2,3,1
	allocation
	,plotter,tape,scanner,cd
	P1,0,0,1,0
	P2,2,0,0,1
	P3,0,1,2,0
	request
	,plotter,tape,scanner,cd
	P1,2,0,0,1
	P2,1,0,1,0
	P3,${row[0]},${row[1]},${row[2]},${row[3]}
	END
}

textbook_graph()
{
	cat <<-'END'
	plotter[4]
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
	END
	third_waits 'P3 -> %s [%s]\n'
}

textbook_dot()
{
	cat <<-'END'
	digraph "textbook" {
		graph [rankdir=LR];
		node [label="\N"];
		plotter [shape=box, instances=4];
		tape [shape=box, instances=2];
		scanner [shape=box, instances=3];
		cd [shape=box];
		P1 [shape=circle]; P2 [shape=circle]; P3 [shape=circle]
		scanner -> P1;
		P1 -> plotter [count=2, color=red];
		P1 -> cd;
		plotter -> P2 [count=2];
		cd -> P2 -> scanner;
		P2 -> plotter;
		tape -> P3;
		scanner -> P3 [count=2];
	END
	third_waits '\tP3 -> %s [count=%s];\n'
	echo '}'
}

# What the third process waits for, by a format for a name and a count.
third_waits()
{
	local i names=(plotter tape scanner cd)
	for i in 0 1 2 3; do
		# shellcheck disable=SC2059 # a format it is
		[[ ${row[i]} == 0 ]] || printf "$1" "${names[i]}" "${row[i]}"
	done
}

# write_textbook_mtx [REQUEST]: the same as Matrix Market files, whose options are then in $mtx.
# shellcheck disable=SC2034 # for the tests
write_textbook_mtx()
{
	local row i
	read -ra row <<<"${1-2 1 0 0}"
	cat >"$TMPDIR/allocation.mtx" <<-'END'
	%%MatrixMarket matrix coordinate integer general
	% processes are rows, resources columns
	3 4 5
	1 3 1
	2 1 2
	2 4 1
	3 2 1
	3 3 2
	END
	{
		printf '%%%%MatrixMarket matrix array integer general\n3 4\n'
		printf '%s\n' 2 1 "${row[0]}" 0 0 "${row[1]}" 0 1 "${row[2]}" 1 0 "${row[3]}"
	} >"$TMPDIR/request.mtx"
	printf '%%%%MatrixMarket matrix array integer general\n1 4\n4\n2\n3\n1\n' >"$TMPDIR/existing.mtx"
	mtx=(--allocation "$TMPDIR/allocation.mtx" --request "$TMPDIR/request.mtx" --existing "$TMPDIR/existing.mtx")
}

# The books' example of the banker: five processes, three resources, a safe state.
#
#   five_by_three json|text
five_by_three()
{
	if [[ $1 == json ]]; then
		printf '{"existing":[10,5,7],"available":[3,3,2],"resources":["A","B","C"],'
		printf '"processes":["P0","P1","P2","P3","P4"],'
		printf '"allocation":[[0,1,0],[2,0,0],[3,0,2],[2,1,1],[0,0,2]],'
		printf '"claim":[[7,5,3],[3,2,2],[9,0,2],[2,2,2],[4,3,3]]}\n'
		return
	fi
	cat <<-'END'
	resources  A B C
	available  3 3 2
	allocation
	P0  0 1 0
	P1  2 0 0
	P2  3 0 2
	P3  2 1 1
	P4  0 0 2
	claim
	P0  7 5 3
	P1  3 2 2
	P2  9 0 2
	P3  2 2 2
	P4  4 3 3
	END
}

# bank AVAILABLE ANDY BARBARA MARVIN SUZANNE: the bank with four customers and one currency; what
# each has borrowed. Their limits are 6, 5, 4 and 7.
bank()
{
	printf '{"available":[%s],"resources":["credit"],"processes":["Andy","Barbara","Marvin","Suzanne"],' "$1"
	printf '"allocation":[[%s],[%s],[%s],[%s]],"claim":[[6],[5],[4],[7]]}\n' "${@:2}"
}

# ring N [NAME]: N processes, each holding one resource and waiting for the next one's.
ring()
{
	awk -v n="$1" -v name="${2-A}" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "%s_%d[1]\n%s_%d -> %s%d\n%s%d -> %s_%d\n", name, i, name, i, name, i, name, i, name, (i + 1) % n
	}'
}

# SPDX-License-Identifier: GPL-2.0-or-later
#
# The measurements of deadlock-check, for bench/run. Times are CPU times unless said
# otherwise, medians of the runs of one program (bench/deadlock-parts).

milli()
{
	awk -v ns="$1" 'BEGIN { printf "%.1f ms", ns / 1e6 }'
}

mega()
{
	awk -v bytes="$1" 'BEGIN { printf "%.0f MB", bytes / 1e6 }'
}

# at_least RATIO LIMIT: the verdict on a target, in $verdict
at_least()
{
	at_most "$2" "$1"
}

# medians COMMAND...: of each column of what it prints, in columns[]
medians()
{
	local n i out
	n=$(rounds 3)
	out=$(for ((i = 0; i < n; i++)); do "$@" || exit; done) || broken "a command failed: $*"
	mapfile -t columns < <(awk '
		{ for (i = 1; i <= NF; i++) at[i, NR] = $i }
		END {
			for (i = 1; i <= NF; i++) {
				for (a = 1; a < NR; a++)
					for (b = a + 1; b <= NR; b++)
						if (at[i, b] < at[i, a]) { t = at[i, a]; at[i, a] = at[i, b]; at[i, b] = t }
				print at[i, int((NR + 1) / 2)]
			}
		}' <<<"$out")
}

# parts_of ALGORITHM FILE...: what bench/deadlock-parts says
parts_of()
{
	medians deadlock-parts "$@"
	bare=${columns[0]} reading=${columns[1]} detection=${columns[2]} core=${columns[3]} size=${columns[4]}
	peak=${columns[5]} matrices=${columns[6]} cells=${columns[7]} dead=${columns[8]}
	judgement=$((detection + core)) whole=$((reading + detection + core))
}

# judged LABEL FILE...: reading and judgement
judged()
{
	parts_of watch "${@:2}"
	line "$1: read(2) alone" "$(milli "$bare")" "$(ratio "$bare" "$reading")" "$(mega "$size")"
	line "  read as a system" "$(milli "$reading")" 1.000 "$cells cells that are not 0"
	line "  detection" "$(milli "$detection")" "$(ratio "$detection" "$reading")"
	line "  core, of $dead deadlocked" "$(milli "$core")" "$(ratio "$core" "$reading")"
	at_most "$(ratio "$judgement" "$reading")" 1
	line "  judgement: both" "$(milli "$judgement")" "$(ratio "$judgement" "$reading")" "<= 1" "$verdict"
}

generate()
{
	deadlock-check generate "$@" || broken "generate $* failed"
}

dense()
{
	local kind speed
	head_line "20000 processes, 500 resources, all cells, JSON (ratio to reading it as a system)"
	for kind in chain random; do
		generate --kind $kind -n 20000 -m 500 --degree 500 >"$TMPDIR/dense.json"
		judged "$kind" "$TMPDIR/dense.json"
		speed=$(awk -v bytes="$size" -v ns="$reading" 'BEGIN { printf "%.0f", bytes * 1e3 / ns }')
		at_least "$speed" 150
		line "  JSON read" "$speed MB/s" "" ">= 150" "$verdict"
		at_most "$(ratio "$peak" "$matrices")" 4
		line "  peak of memory, in ratio to the matrices'" "$(mega "$peak")" "$(ratio "$peak" "$matrices")" \
			"<= 4" "$verdict"
	done
	rm "$TMPDIR/dense.json"
}

# Its time grows with the square of n: all 20000 are only taken where asked for.
against_classic()
{
	local n=${IPCKIT_BENCH_CLASSIC:-4000} classic classic_dead i
	head_line "The textbook's loop in its worst order, $n processes, 500 resources (time of detection)"
	generate --kind chain -n "$n" -m 500 --degree 500 >"$TMPDIR/chain.json"
	columns=()
	read -r -a columns < <(deadlock-parts classic "$TMPDIR/chain.json")
	((${#columns[@]} == 9)) || broken "the textbook's loop failed"
	classic=${columns[2]} classic_dead=${columns[8]}
	parts_of watch "$TMPDIR/chain.json"
	line "check --algorithm classic" "$(milli "$classic")" 1.000
	line "check" "$(milli "$detection")" "$(ratio "$detection" "$classic")" \
		"1 : $((classic / detection))"
	fact "  deadlocked, by both" "$dead" "$classic_dead"
	rm "$TMPDIR/chain.json"
}

# grown LABEL SMALL-WHOLE SMALL-CELLS: the system of twice the size was judged last
grown()
{
	at_most "$(ratio "$whole" "$2")" 2.3
	line "$1: twice the processes" "$(milli "$whole")" "$(ratio "$whole" "$2")" "<= 2.3" "$verdict"
	line "  and cells" "$cells" "$(ratio "$cells" "$3")"
}

# sparse_files PROCESSES RESOURCES: in files[]
sparse_files()
{
	local prefix=$TMPDIR/sparse
	generate --kind chain -n "$1" -m "$2" --degree 3 --to mtx --output "$prefix" --force
	files=("$prefix.allocation.mtx" "$prefix.request.mtx" "$prefix.existing.mtx")
}

sparse()
{
	local small small_cells
	head_line "A million processes, 6 million cells, Matrix Market (ratio to reading it as a system)"
	sparse_files 500000 500
	parts_of watch "${files[@]}"
	small=$whole small_cells=$cells
	sparse_files 1000000 1000
	judged "chain" "${files[@]}"
	grown "growth of all that" "$small" "$small_cells"
	rm "${files[@]}"
}

graph_file()
{
	generate --kind random -n "$1" -m "$1" --degree 9 --most 1 --to graph >"$TMPDIR/graph"
}

# used COMMAND...: medians of what bench/deadlock-use says
used()
{
	medians deadlock-use "$@" 2>/dev/null
	clock=${columns[0]} cpu=${columns[1]} memory=$((columns[2] * 1024)) status=${columns[3]}
}

against_networkx()
{
	local peer_clock peer_cpu peer_memory peer_status
	if ! python3 -c 'import networkx' 2>/dev/null; then
		line "networkx" "is missing" "" "(python3-networkx)"
		return
	fi
	# Once: it takes more than a minute.
	read -r peer_clock peer_cpu peer_memory peer_status < <(deadlock-use python3 \
		"$IPCKIT_SRC/bench/deadlock-networkx.py" "$TMPDIR/graph" 2>/dev/null)
	used deadlock-check check "$TMPDIR/graph"
	line "networkx, as a process" "$(milli "$peer_cpu")" 1 "$(mega $((peer_memory * 1024)))"
	line "check, everything printed" "$(milli "$cpu")" "$(ratio "$cpu" "$peer_cpu")" \
		"1 : $((peer_cpu / cpu)), $(mega "$memory")"
	used deadlock-check check --quiet "$TMPDIR/graph"
	line "check --quiet, by the clock" "$(milli "$clock")" "$(ratio "$clock" "$peer_clock")" \
		"1 : $((peer_clock / clock))"
	at_least $((peer_cpu / cpu)) 100
	line "check --quiet" "$(milli "$cpu")" "$(ratio "$cpu" "$peer_cpu")" "1 : $((peer_cpu / cpu)) >= 100" "$verdict"
	at_most "$memory" 200000000
	line "  peak of memory" "$(mega "$memory")" "$(ratio "$memory" $((peer_memory * 1024)))" "<= 200 MB" "$verdict"
	fact "  status (1: deadlocked), as networkx has it" "$status" "$peer_status"
}

graphs()
{
	local small small_cells
	head_line "A graph of a million nodes, lines P1 -> R1 (ratio to reading it as a system)"
	graph_file 250000
	parts_of watch "$TMPDIR/graph"
	small=$whole small_cells=$cells
	graph_file 500000
	judged "graph" "$TMPDIR/graph"
	grown "growth of all that" "$small" "$small_cells"
	head_line "The same graph, start and reading included (ratio to networkx)"
	against_networkx
	rm "$TMPDIR/graph"
}

deadlocks()
{
	dense
	against_classic
	sparse
	graphs
}

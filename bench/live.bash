# SPDX-License-Identifier: GPL-2.0-or-later
#
# The measurements of deadlock-check live, for bench/run, after deadlock.bash.

# scanned idle|blocked LIMIT-MS WANTED-STUCK
scanned()
{
	local out tool
	out=$(live-crowd "$1" "$(rounds 11)" deadlock-use deadlock-check live --quiet 2>/dev/null) ||
		broken "live-crowd $1 failed"
	read -r -a columns <<<"${out%%$'\n'*}"
	read -r -a tool <<<"${out##*$'\n'}"
	at_most "${columns[0]}" "$2"000000
	line "$1: a scan" "$(milli "${columns[0]}")" "$(ratio "${columns[0]}" "$2"000000)" "<= $2 ms" "$verdict"
	line "  deadlock-check live --quiet" "$(milli "${tool[1]}")" "$(ratio "${tool[1]}" "${columns[0]}")" \
		"$(mega $((tool[2] * 1024)))"
	verdict=holds
	((columns[2] >= 5027)) || { verdict=FAILED; failed=$((failed + 1)); }
	line "  threads seen, in ${columns[1]} processes" "${columns[2]}" "" ">= 5027" "$verdict"
	fact "  of them stuck" "${columns[3]}" "$3"
}

targets()
{
	local seen
	seen=$(live-target "$(rounds 50)") || broken "live-target failed"
	read -r -a columns <<<"$seen"
	line "without scans" "${columns[0]} turns/s" 1.0000
	at_least "${columns[2]}" 0.99
	line "with 10 scans a second" "${columns[1]} turns/s" "${columns[2]}" ">= 0.99" "$verdict"
	line "  in ratio to its CPU time" "" "${columns[3]}"
	fact "  reports in ${columns[4]} scans" "${columns[5]}" 0
}

lives()
{
	head_line "deadlock-check live: 213 processes with 5,027 threads (CPU time; ratio to the target)"
	scanned idle 100 0
	scanned blocked 250 5027
	head_line "What it costs a program that is looked at (medians of $(rounds 50) rounds)"
	targets
}

# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl requeue and cmp-requeue: FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, futex_requeue(2).
# shellcheck disable=SC2016,SC2034 # the variables of jq; those that a nameref reads

load helpers
load words

# moves WOKEN MOVED VERB ARG...: `futexctl VERB` wakes and moves so many.
moves()
{
	run --separate-stderr futexctl "${@:3}"
	assert_equal "$status$stderr" 0
	assert_output '{"word":"'"$4"'","to":"'"$5"'","affected":'$(($1 + $2))',"woken":'"$1"',"moved":'"$2"'}'
}

# woken_on N WORD: so many slept there, and do no more.
woken_on()
{
	assert_equal "$("$futex_peer" wake "$2")" "$1" "on $2"
}

# The two verbs, with what is needed to make them alike, for the word $a that is 0.
forms()
{
	requeue=(requeue "$a" "$b")
	compare=(cmp-requeue "$a" "$b" 0)
}

has_futex2()
{
	run futexctl cmp-requeue "$a" "$b" 0 --futex2
	((status == 0))
}

# ---- how many ----

@test "one is woken and all others are moved, where nothing is said" {
	for kind in "${kinds[@]}"; do
		for verb in requeue compare; do
			make "$kind"
			forms
			declare -n form=$verb
			moves 0 0 "${form[@]}"
			start_crowd "$a" 0 5
			moves 1 4 "${form[@]}"
			wait_until 5 left_are "$pid" 4
			woken_on 0 "$a"
			still "$pid"
			woken_on 4 "$b"
			ended 0
		done
	done
}

@test "--wake and --move: woken first, then moved, others stay" {
	make file
	forms
	while read -r wake move woken moved stay; do
		for verb in requeue compare; do
			declare -n form=$verb
			start_crowd "$a" 0 5
			moves "$woken" "$moved" "${form[@]}" --wake "$wake" --move "$move"
			wait_until 5 left_are "$pid" $((5 - woken))
			woken_on "$stay" "$a"
			woken_on "$moved" "$b"
			ended 0
		done
	done <<-'END'
		0 0 0 0 5
		0 1 0 1 4
		0 all 0 5 0
		1 0 1 0 4
		2 2 2 2 1
		2 3 2 3 0
		3 2147483647 3 2 0
		4 100 4 1 0
		5 all 5 0 0
		6 all 5 0 0
		all 0 5 0 0
		all all 5 0 0
		2147483647 2147483647 5 0 0
	END
}

@test "to the same word: woken is woken, and the others stay where they are" {
	make file
	start_crowd "$a" 0 3
	run futexctl requeue "$a" "$a" --plain -o woken
	assert_output 1
	wait_until 5 left_are "$pid" 2
	woken_on 2 "$a"
	ended 0
}

@test "between files and kinds of memory" {
	make file
	from=$a
	for kind in "${kinds[@]}"; do
		make "$kind"
		start_crowd "$from" 0 3
		moves 1 2 requeue "$from" "$b"
		woken_on 0 "$from"
		run futexctl wake "$b" all --plain -o woken
		assert_output 2
		ended 0
	done
}

@test "who was moved wakes by the other word: futexctl, C programs, waitv" {
	make posix
	start_verb wait "$a" 0 --timeout 20s
	first=$pid
	start_peer wait "$a" 0
	second=$pid
	start_verb wait "$a" 0 --bitset 4
	third=$pid
	start_verb waitv "$c=0" "$a=0"
	fourth=$pid
	moves 1 3 cmp-requeue "$a" "$b" 0
	ended 0 "$first"
	for one in "$second" "$third" "$fourth"; do
		still "$one"
	done
	run futexctl wake "$b" all --bitset 8 --plain -o woken
	assert_output 2
	ended 0 "$second"
	ended 0 "$fourth"
	json '.index == 1'
	still "$third"
	woken_on 1 "$b"
	ended 0 "$third"
}

@test "the deadline of who was moved is what it was" {
	make file
	start_verb wait "$a" 0 --timeout 3s
	moves 0 1 requeue "$a" "$b" --wake 0
	ended 1
	assert_stderr 'timed out after 3s$'
	woken_on 0 "$b"
}

# ---- the comparison ----

@test "cmp-requeue: another value is status 1, EAGAIN, and all stay" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		store "$a" 7
		start_crowd "$a" 7 3
		for expected in 0 6 -7; do
			refusal cmp-requeue 1 EAGAIN "$a" "$b" "$expected"
			json --arg word "$a" '.error.object == $word and (.error.message | startswith("it is 7, not "))'
		done
		left_are "$pid" 3
		# The other word is compared with nothing.
		store "$b" 9
		moves 1 2 cmp-requeue "$a" "$b" 7
		woken_on 2 "$b"
		ended 0
	done
	store "$a" 4294967295
	moves 0 0 cmp-requeue "$a" "$b" -1
	moves 0 0 cmp-requeue "$a" "$b" 0xffffffff
}

@test "neither word is written" {
	make file
	store "$a" 3
	store "$b" 4
	start_crowd "$a" 3 2
	moves 1 1 cmp-requeue "$a" "$b" 3
	woken_on 1 "$b"
	ended 0
	assert_value "$a" 3
	assert_value "$b" 4
}

# ---- flags ----

@test "--futex2: futex_requeue(2); it compares, so that requeue has none" {
	make file
	refusal requeue 2 USAGE "$a" "$b" --futex2
	json '.error.object == "--futex2"'
	has_futex2 || skip "this kernel has no futex_requeue(2)"
	start_crowd "$a" 0 5
	refusal cmp-requeue 1 EAGAIN "$a" "$b" 1 --futex2
	moves 2 1 cmp-requeue "$a" "$b" 0 --futex2 --wake 2 --move 1
	woken_on 2 "$a"
	woken_on 1 "$b"
	ended 0
}

@test "--private meets no other process; --realtime is refused" {
	make file
	start_crowd "$a" 0 2
	for form in "requeue $a $b" "cmp-requeue $a $b 0"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr futexctl $form --private --plain -o affected
		assert_equal "$status$output" 00
		assert_stderr '^futexctl (cmp-)?requeue: warning: --private: '
		# shellcheck disable=SC2086 # words
		refusal ${form%% *} 2 USAGE ${form#* } --realtime
		json '.error.message | contains("ENOSYS")'
	done
	woken_on 2 "$a"
	ended 0
}

# ---- what is refused ----

@test "who waits for a condition variable of priority inheritance is not moved so: status 2, EINVAL" {
	make file
	start_peer wait-requeue-pi "$a" 0 "$b"
	refusal requeue 2 EINVAL "$a" "$c"
	refusal cmp-requeue 2 EINVAL "$a" "$c" 0
	still "$pid"
}

@test "usage errors: counts, values, operands" {
	make file
	for count in -1 '' x 2147483648 1.0 ALL; do
		for option in --wake --move; do
			refusal requeue 2 USAGE "$a" "$b" "$option=$count"
			json --arg option "$option" '.error.object == $option'
			refusal cmp-requeue 2 USAGE "$a" "$b" 0 "$option" "$count"
			json --arg option "$option" '.error.object == $option'
		done
	done
	for value in '' x -2147483649 4294967296; do
		refusal cmp-requeue 2 USAGE "$a" "$b" "$value"
		json '.error.object == "EXPECTED"'
	done
	refusal requeue 2 USAGE "$a"
	refusal requeue 2 USAGE "$a" "$b" 0
	refusal cmp-requeue 2 USAGE "$a" "$b"
	refusal requeue 2 USAGE "$object@2" "$b"
	refusal requeue 2 USAGE "$a" "$object@2"
	refusal requeue 7 EFBIG "$a" "$object@4096"
	refusal requeue 3 ENOENT "$object.none" "$b"
	refusal requeue 3 ENOENT "$a" /none@0
}

@test "what is refused is not asked of the kernel" {
	needs_strace
	make file
	run ! before_the_kernel futexctl requeue "$a" "$b"
	for words in "requeue $a $b --wake -1" "requeue $a $b --move=-1" "requeue $a $object@6" "requeue $object@4096 $b" \
		"requeue $a $b --futex2" "cmp-requeue $a $b 0 --wake -1" "cmp-requeue $a $b 4294967296"; do
		# shellcheck disable=SC2086 # words
		before_the_kernel futexctl $words
		[[ $status == @(2|7) ]] || fail "$words" "$(show_last)"
	done
}

@test "the defaults are in the help" {
	for verb in requeue cmp-requeue; do
		run futexctl "$verb" --help
		assert_match '--wake [^'$'\n'']*default 1'
		assert_match '--move [^'$'\n'']*default all'
	done
}

# SPDX-License-Identifier: GPL-2.0-or-later
# futexctl wake-op: FUTEX_WAKE_OP, what it does to the second word, and whom it wakes.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq; each test is a process

load helpers
load words

refused()
{
	refusal wake-op "$@"
}

# wake_op OP ARG CMP CMPARG [ARG...]: on $a and $b; what it prints.
wake_op()
{
	run --separate-stderr futexctl wake-op "$a" "$b" --op "$1" --arg "$2" --cmp "$3" --cmparg "$4" "${@:5}"
}

# wakes N OP ARG CMP CMPARG [ARG...]
wakes()
{
	wake_op "${@:2}"
	assert_equal "$status$stderr" 0
	assert_output '{"word":"'"$a"'","word2":"'"$b"'","woken":'"$1"'}'
}

# ---- what is stored ----

@test "each operation, with small, negative and shifted arguments" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		store "$a" 12345
		while read -r before op arg shift after; do
			store "$b" "$before"
			[[ $shift == shift ]] && shift=(--shift) || shift=()
			wakes 0 "$op" "$arg" eq 0 "${shift[@]}"
			assert_value "$b" "$after"
		done <<-'END'
			7 set 5 - 5
			7 set 0 - 0
			7 set -1 - 4294967295
			7 set 2047 - 2047
			7 set -2048 - 4294965248
			7 set 0 shift 1
			7 set 31 shift 2147483648
			7 set 12 shift 4096
			7 add 5 - 12
			7 add -8 - 4294967295
			4294967295 add 1 - 0
			1 add 31 shift 2147483649
			6 or 9 - 15
			6 or -1 - 4294967295
			6 or 0x10 shift 65542
			15 andn 6 - 9
			4294967295 andn -2048 - 2047
			4294967295 andn 31 shift 2147483647
			15 xor 6 - 9
			15 xor -1 - 4294967280
			15 xor 3 shift 7
		END
		assert_value "$a" 12345
	done
}

# ---- the comparison ----

@test "each comparison, of the old value, as a signed number" {
	make file
	while read -r old cmp cmparg holds; do
		store "$b" "$old"
		start_crowd "$b" "$old" 2
		wakes "$holds" xor 0 "$cmp" "$cmparg"
		"$futex_peer" wake "$b"
		ended 0
	done <<-'END'
		5 eq 5 1
		5 eq 4 0
		5 ne 5 0
		5 ne 4 1
		5 lt 6 1
		5 lt 5 0
		5 le 5 1
		5 le 4 0
		5 gt 4 1
		5 gt 5 0
		5 ge 5 1
		5 ge 6 0
		4294967295 eq -1 1
		4294967295 lt 0 1
		4294967295 gt 0 0
		4294967295 ge -2048 1
		2147483648 lt -2048 1
		2147483647 gt 2047 1
	END
	# Of what it was before, not of what it became.
	store "$b" 0
	start_crowd "$b" 0 1
	wakes 0 set 1 eq 1
	wakes 1 set 0 eq 1
	ended 0
}

# ---- who is woken ----

@test "one on each word where nothing is said; --wake and --wake2" {
	for kind in "${kinds[@]}"; do
		make "$kind"
		while read -r woken first second how; do
			start_crowd "$a" 0 3
			one=$pid
			start_crowd "$b" 0 3
			# shellcheck disable=SC2086 # words
			wakes "$woken" add 0 $how
			wait_until 5 left_are "$one" "$first"
			wait_until 5 left_are "$pid" "$second"
			assert_equal "$("$futex_peer" wake "$a")" "$first"
			assert_equal "$("$futex_peer" wake "$b")" "$second"
			ended 0 "$one"
			ended 0
		done <<-'END'
			2 2 2 eq 0
			1 2 3 eq 1
			4 0 2 eq 0 --wake all
			4 2 0 eq 0 --wake2 all
			6 0 0 eq 0 --wake 3 --wake2 2147483647
			3 0 3 ne 0 --wake all --wake2 all
			0 3 3 eq 0 --wake 0 --wake2 0
			2 3 1 eq 0 --wake 0 --wake2 2
			2 1 3 eq 0 --wake 2 --wake2 0
			0 3 3 ne 0 --wake 0 --wake2 3
		END
	done
}

@test "0 and 0: the word is changed, and nobody woken, though the kernel would wake two" {
	make file
	start_crowd "$a" 0 1
	start_crowd "$b" 0 1
	wakes 0 set 9 eq 0 --wake 0 --wake2 0
	assert_value "$b" 9
	store "$b" 0
	# FUTEX_WAKE_OP, set 9, eq 0
	assert_equal "$("$futex_peer" call "$a" 5 0 0 "$b" 0x00009000)" 2
	assert_value "$b" 9
}

@test "the same word twice" {
	make file
	start_crowd "$a" 0 3
	b=$a
	wakes 2 add 1 eq 0
	assert_value "$a" 1
	wakes 1 add 1 eq 1
	ended 0
	assert_value "$a" 2
}

@test "it is one step: what a mutex and a condition need" {
	make file
	store "$b" 2
	start_verb wait "$a" 0
	first=$pid
	start_verb wait "$b" 2
	# Signal, and unlock with a wake if there were waiters.
	wakes 2 set 0 gt 1
	ended 0 "$first"
	ended 0
	assert_value "$b" 0
}

@test "between files and kinds of memory" {
	make file
	from=$a
	for kind in "${kinds[@]}"; do
		make "$kind"
		a=$from
		start_peer wait "$a" 0
		one=$pid
		start_peer wait "$b" 0
		wakes 2 or 8 le 0
		ended 0 "$one"
		ended 0
		assert_value "$b" 8
	done
}

@test "--private meets no other process, and changes the word; other flags are refused" {
	make file
	start_crowd "$a" 0 1
	one=$pid
	start_crowd "$b" 0 1
	for how in "" "--wake 0 --wake2 0" "--wake 0" "--wake2 0"; do
		store "$b" 0
		# shellcheck disable=SC2086 # words
		wake_op set 9 eq 0 --private $how
		assert_equal "$status" 0
		json '.woken == 0'
		assert_stderr '^futexctl wake-op: warning: --private: '
		assert_value "$b" 9
	done
	left_are "$one" 1
	left_are "$pid" 1
	for flag in --realtime --futex2; do
		refused 2 USAGE "$a" "$b" --op set --arg 1 --cmp eq --cmparg 0 "$flag"
		json --arg flag "$flag" '.error.object == $flag'
	done
	assert_value "$b" 9
}

@test "the right to read the first word is enough, not that of the second" {
	make file
	reads=$a
	chmod 0400 "$object"
	make file
	run --separate-stderr as_unprivileged futexctl wake-op "$reads" "$b" --op set --arg 5 --cmp eq --cmparg 0
	assert_status 0
	assert_value "$b" 5
	run --separate-stderr as_unprivileged futexctl wake-op "$b" "$reads" --op set --arg 6 --cmp eq --cmparg 0 --json
	assert_status 5
	assert_value "$reads" 0
}

# ---- what is refused ----

@test "all of --op, --arg, --cmp and --cmparg are needed, and each is what it should be" {
	make file
	store "$b" 3
	full=(--op set --arg 1 --cmp eq --cmparg 0)
	for n in 0 2 4 6; do
		refused 2 USAGE "$a" "$b" "${full[@]:0:n}" "${full[@]:n + 2}"
		json --arg option "${full[n]}" '.error.object == $option'
	done
	while read -r option value; do
		refused 2 USAGE "$a" "$b" "${full[@]}" "$option=$value"
		json --arg option "$option" '.error.object == $option'
		refused 2 USAGE "$a" "$b" "${full[@]}" "$option" "$value"
	done <<-'END'
		--op
		--op SET
		--op and
		--op 1
		--op nand
		--cmp
		--cmp ==
		--cmp EQ
		--cmp 6
		--arg
		--arg x
		--arg 2048
		--arg -2049
		--arg 4294967295
		--arg 1.0
		--cmparg
		--cmparg x
		--cmparg 2048
		--cmparg -2049
		--wake -1
		--wake x
		--wake 2147483648
		--wake2 -1
		--wake2
	END
	for value in -1 32 x; do
		refused 2 USAGE "$a" "$b" "${full[@]}" --shift --arg "$value"
		json '.error.object == "--arg"'
	done
	refused 2 USAGE "$a" "${full[@]}"
	refused 2 USAGE "$a" "$b" "$c" "${full[@]}"
	refused 2 USAGE "$a" "$object@6" "${full[@]}"
	refused 7 EFBIG "$a" "$object@4096" "${full[@]}"
	refused 7 EFBIG "$object@4096" "$b" "${full[@]}"
	refused 3 ENOENT "$a" /none@0 "${full[@]}"
	assert_value "$b" 3
}

@test "what is refused is not asked of the kernel, which would store first" {
	needs_strace
	make file
	full=("$a" "$b" --op set --arg 1 --cmp eq --cmparg 0)
	run ! before_the_kernel futexctl wake-op "${full[@]}"
	store "$b" 3
	for words in "--cmp xx" "--op xx" "--arg 2048" "--cmparg -2049" "--wake -1" "--wake2 -1" "--arg 32 --shift"; do
		# shellcheck disable=SC2086 # words
		before_the_kernel futexctl wake-op "${full[@]}" $words
		assert_status 2
	done
	assert_value "$b" 3
	# FUTEX_WAKE_OP, set 1, with a comparison of 7
	run "$futex_peer" call "$a" 5 1 1 "$b" 0x07001000
	assert_output ENOSYS
	assert_value "$b" 1
}

@test "the defaults are in the help" {
	run futexctl wake-op --help
	assert_match '--wake [^'$'\n'']*default 1'
	assert_match '--wake2 [^'$'\n'']*default 1'
}

# SPDX-License-Identifier: GPL-2.0-or-later
# shmtool poke: stores numbers, adds and compares; nothing of it is lost among a hundred.
# shellcheck disable=SC2016 # the variables of jq

load helpers
load segments

refused()
{
	refusal poke "$@"
}

# hex NAME OFFSET LENGTH: the bytes as a C program, which knows it by that NAME, reads them.
hex()
{
	"$shm_peer" read "$1" "$2" "$3" | od -An -v -tx1 | tr -d ' \n'
}

# untouched: nothing but zeros is in $object.
untouched()
{
	assert_equal "$(hex "$(peer_name "$object")" 0 4096 | tr -d 0)" "" "what is in it"
}

# ---- what it is for ----

@test "every type in both byte orders, aligned or not: the bytes that a C program reads" {
	for backend in "${backends[@]}"; do
		make "$backend"
		name=$(peer_name "$object")
		while read -r cell value bytes; do
			shmtool poke "$object" "$cell=$value"
			size=$((${#bytes} / 2))
			offset=${cell#*@}
			# And nothing around it.
			assert_equal "$(hex "$name" $((offset - 1)) $((size + 2)))" "00${bytes}00" "$cell=$value"
			assert_cell "$object" "$cell" "${value#+}"
			shmtool fill "$object" 0
		done <<-'END'
			i8@1 -128 80
			i8@9 127 7f
			u8@7 255 ff
			i8le@7 -1 ff
			i16le@2 -2 feff
			i16be@3 -2 fffe
			u16le@8 258 0201
			u16be@9 258 0102
			i32le@4 -2147483648 00000080
			i32be@5 -2147483648 80000000
			u32le@4 4294967295 ffffffff
			u32be@6 16909060 01020304
			u32le@6 16909060 04030201
			i64le@8 -9223372036854775808 0000000000000080
			i64be@9 -2 fffffffffffffffe
			u64le@16 18446744073709551614 feffffffffffffff
			u64be@17 72623859790382856 0102030405060708
			f32le@4 1.5 0000c03f
			f32be@7 -0.1 bdcccccd
			f64le@8 0.1 9a9999999999b93f
			f64be@11 -inf fff0000000000000
			f32be@4 nan 7fc00000
			f64be@8 -nan(0x1) fff8000000000001
			f64be@8 snan(0x7) 7ff0000000000007
			u16be@4093 4660 1234
		END
	done
}

@test "values: decimal, hex, octal, with a sign; reals as printf takes them" {
	make posix
	while read -r type value text; do
		shmtool poke "$object" "$type@8=$value"
		assert_cell "$object" "$type@8" "$text"
	done <<-'END'
		u8 0xff 255
		u8 0377 255
		u8 +5 5
		i8 -0x80 -128
		i8 -0 0
		i16 -010 -8
		u64 0xffffffffffffffff 18446744073709551615
		f64 1e3 1000
		f64 0x1.8p1 3
		f64 0x10 16
		f64 .5 0.5
		f64 Inf inf
		f64 -infinity -inf
		f64 NaN nan
		f32 16777217 16777216
		f32 1e-45 1.4013e-45
		f64 5e-324 4.94065645841247e-324
		f64 1.7976931348623157e308 1.7976931348623157e+308
	END
	for number in 0.1 -3.14159265358979 1e100 123456789.123456789 4.9e-324; do
		shmtool poke "$object" "f64le@8=$number"
		run perl -e 'open F, $ARGV[0]; seek F, 8, 0; read F, $b, 8; print unpack("d<", $b) == $ARGV[1] ? "same" : "not"' \
			"/dev/shm$object" "$number"
		assert_output same
	done
}

@test "silent, unless it is asked; then with what was there" {
	make sysv
	run --separate-stderr shmtool poke "$object" u32@0=5 u32@4=6
	assert_equal "$status $output$stderr" "0 "
	run shmtool poke "$object" u32@0=7 i8@4=-1 --json
	assert_status 0
	json '.cells == [
		{type: "u32", offset: 0, old: 5, old_text: "5", value: 7, text: "7", hex: "0x00000007", old_hex: "0x00000005"},
		{type: "i8", offset: 4, old: 6, old_text: "6", value: -1, text: "-1", hex: "0xff", old_hex: "0x06"}]'
	run shmtool poke "$object" u32@0=8 --plain -o old,value
	assert_output $'7\t8'
	run shmtool poke "$object" u32@0=9 --table
	assert_match $'^TYPE +OFFSET +OLD +VALUE\nu32 +0 +8 +9$'
	run shmtool poke "$object" u32@0=1 --add -q
	assert_equal "$status $output" "0 "
	assert_cell "$object" u32@0 10
}

@test "several cells are stored one after the other, also where they overlap" {
	make posix
	shmtool poke "$object" u32be@0=0x01020304 u8@1=0xff u16be@2=0xaabb
	assert_equal "$(hex "$object" 0 5)" 01ffaabb00
}

# ---- --add ----

@test "--add prints what was and what is; integers wrap around" {
	for backend in "${backends[@]}"; do
		make "$backend"
		while read -r type before step after; do
			shmtool poke "$object" "$type@8=$before"
			run --separate-stderr shmtool poke "$object" "$type@8=$step" --add
			assert_equal "$status$stderr" 0
			json --arg before "$before" --arg after "$after" '.cells | length == 1 and
				(.[0] | .old_text == $before and .text == $after and (has("swapped") | not))'
			run shmtool peek "$object" "$type@8" u64@0 u64@16 --plain -o text
			assert_output "$after"$'\n0\n0'
		done <<-'END'
			u8 250 10 4
			u8 5 -10 251
			u8 5 -128 133
			i8 127 1 -128
			i8 -128 -1 127
			u16be 65535 1 0
			u16le 65535 2 1
			i16be 1 -2 -1
			u32 4294967295 1 0
			u32be 1 4294967295 0
			i32le 2147483647 1 -2147483648
			u64be 18446744073709551615 2 1
			u64 0 -1 18446744073709551615
			u64 0 -9223372036854775808 9223372036854775808
			i64be -1 1 0
			f32 1.5 0.25 1.75
			f32be 16777216 1 16777216
			f64 0.5 -1 -0.5
			f64be 1 inf inf
			f64 inf -inf -nan
		END
	done
}

@test "--add of several cells, in the other formats" {
	make posix
	shmtool poke "$object" u8@0=1 u8@1=2
	run shmtool poke "$object" u8@0=10 u8@1=20 u8@0=100 --add --plain
	assert_output $'u8\t0\t1\t11\nu8\t1\t2\t22\nu8\t0\t11\t111'
	run shmtool poke "$object" -a u8@0=1 --table
	assert_match $'u8 +0 +111 +112$'
}

@test "a hundred that add: the sum is exact" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for ((i = 0; i < 100; i++)); do
			shmtool poke "$object" u32be@4=7 i64@8=-1 f64@16=0.5 u8@3=1 --add --plain -o old_text >"$BATS_TEST_TMPDIR/$i" &
			racers[i]=$!
		done
		"$shm_peer" add "$(peer_name "$object")" 24 5000 &
		shmtool poke "$object" u64@24=5000 --add -q
		for racer in "${racers[@]}" $!; do
			wait "$racer" || fail "a racer failed"
		done
		run shmtool peek "$object" u32be@4 i64@8 f64@16 u8@3 u64@24 --plain -o text
		assert_output $'700\n-100\n50\n100\n10000'
		# Each of them saw another value before its own.
		run awk '!seen[FNR, $0]++ { values[FNR]++ } END { print values[1], values[2], values[3], values[4] }' "$BATS_TEST_TMPDIR"/*
		assert_output "100 100 100 100"
	done
}

# ---- --cas ----

@test "--cas stores only where OLD is: status 0, else 1, and prints what was" {
	for backend in "${backends[@]}"; do
		make "$backend"
		shmtool poke "$object" u32be@4=5
		run --separate-stderr shmtool poke "$object" u32be@4=6 --cas 5
		assert_equal "$status$stderr" 0
		json '.cells == [{type: "u32be", offset: 4, old: 5, old_text: "5", value: 6, text: "6", hex: "0x00000006",
			old_hex: "0x00000005", swapped: true}]'
		run --separate-stderr shmtool poke "$object" u32be@4=7 --cas 5
		assert_equal "$status$stderr" 1
		json '.cells[0] | .old == 6 and .value == 6 and (.swapped | not)'
		assert_cell "$object" u32be@4 6
		run shmtool poke "$object" u32be@4=7 --cas=0x6 --plain -o old,value,swapped
		assert_equal "$status $output" $'0 6\t7\ttrue'
		run shmtool poke "$object" u32be@4=7 --cas 0 -q
		assert_equal "$status $output" "1 "
	done
}

@test "--cas compares bits: -0 is not 0, a NaN is itself" {
	make posix
	shmtool poke "$object" f64@8=-0
	run shmtool poke "$object" f64@8=1 --cas 0
	assert_status 1
	run shmtool poke "$object" f64@8=nan --cas -0
	assert_status 0
	run shmtool poke "$object" f64@8=1 --cas 'nan(0x1)'
	assert_status 1
	run shmtool poke "$object" f64@8=1 --cas nan
	assert_status 0
	assert_cell "$object" f64@8 1
	run shmtool poke "$object" i8@0=1 --cas -1
	assert_status 1
	run shmtool poke "$object" i8@0=-2 --cas 0
	assert_status 0
}

@test "a hundred that --cas the same: one wins" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for ((i = 1; i <= 100; i++)); do
			shmtool poke "$object" u64@8=$i --cas 0 --plain -o old,swapped >"$BATS_TEST_TMPDIR/$i" &
			racers[i]=$!
		done
		winner=
		for ((i = 1; i <= 100; i++)); do
			status=0
			wait "${racers[i]}" || status=$?
			if ((status == 0)); then
				[[ ! $winner ]] || fail "$winner and $i have both won"
				winner=$i
				assert_equal "$(<"$BATS_TEST_TMPDIR/$i")" $'0\ttrue'
			else
				assert_equal "$status" 1
			fi
		done
		assert_cell "$object" u64@8 "$winner"
		# The others saw the winner's.
		assert_equal "$(cat "$BATS_TEST_TMPDIR"/* | sort | uniq -c | tr -s ' ')" " 1 0	true"$'\n'" 99 $winner	false"
	done
}

@test "racers that count by --cas: each number once" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for ((i = 0; i < 5; i++)); do
			start sh -c 'n=0 won=0
				while [ $won -lt 8 ]; do
					if n=$(shmtool poke "$0" u32@0=$((n + 1)) --cas $n --plain -o text); then won=$((won + 1)); fi
				done' "$object"
			racers[i]=$pid
		done
		for racer in "${racers[@]}"; do
			finish "$racer" 30
			assert_status 0
		done
		assert_cell "$object" u32@0 40
	done
}

# ---- what is refused ----

@test "beyond the end: status 7, and nothing is stored" {
	for backend in "${backends[@]}"; do
		make "$backend"
		for cell in u8@4096 i16@4095 u32@4093 u64@4089 f64@9223372036854775807; do
			refused 7 EFBIG "$object" u8@0=1 "$cell=1"
			assert_stderr "$object: ${cell%@*}@${cell#*@} reaches beyond its end: it has 4096 bytes$"
		done
		refused 7 EFBIG "$object" u8@4096=1 --add
		refused 7 EFBIG "$object" u8@4096=1 --cas 0
		untouched
		shmtool poke "$object" u64@4088=1 u8@4095=255
	done
}

@test "what does not fit, and the grammar: status 2, the message names the text, nothing is stored" {
	make posix
	while IFS='|' read -r cell reason; do
		refused 2 USAGE "$object" u8@0=1 "$cell"
		json --arg cell "$cell" '.error.object == $cell'
		assert_stderr "$reason"
	done <<-'END'
		i8@0=128|the value is not within -128 to 127
		i8@0=-129|not within -128 to 127
		u8@0=256|not within 0 to 255
		u8@0=-1|not within 0 to 255
		i16le@0=32768|not within -32768 to 32767
		u16@0=65536|not within 0 to 65535
		i32@0=-2147483649|not within -2147483648 to 2147483647
		u32be@0=4294967296|not within 0 to 4294967295
		i64@0=9223372036854775808|not within -9223372036854775808 to 9223372036854775807
		u64@0=18446744073709551616|not within 0 to 18446744073709551615
		u64@0=99999999999999999999999999|not within 0 to
		f32@0=1e39|does not fit into f32
		f64@0=1e309|does not fit into f64
		f64@0=1e-400|does not fit into f64
		f32@0=-1e-50|does not fit into f32
		u32@0=|the value is no integer
		u32@0=x|no integer
		u32@0= 1|no integer
		u32@0=1 |no integer
		u32@0=0x|no integer
		u32@0=08|no integer
		u32@0=--1|the value is
		u32@0=+-1|the value is
		u32@0=1.0|no integer
		u32@0=1e3|no integer
		u32@0=1K|no integer
		u32@0=1=1|no integer
		f64@0=|the value is no number
		f64@0=1,5|no number
		f64@0=1.5x|no number
		f64@0= 1|no number
		f64@0=nanx|no number
		f64@0=nan(|no number
		f64@0=infin|no number
		u32@0|the value is missing: TYPE@OFFSET=VALUE
		u32=5|not a cell: TYPE@OFFSET=VALUE, such as u32@8=1
		u31@0=5|no such type
		u32@x=5|the offset is no number
		u32@9223372036854775808=5|the offset is too large
	END
	untouched
}

@test "--add and --cas: not both, aligned cells, one cell, a value that fits" {
	make sysv
	refused 2 USAGE "$object" u8@0=1 --add --cas 0
	assert_stderr '--add and --cas exclude each other$'
	refused 2 USAGE "$object" u8@0=1 u8@1=1 --cas 0
	assert_stderr '^shmtool poke: u8@1=1: --cas takes one cell$'
	for cell in u16@1 i32be@2 u64@4 f64@12 f32@3; do
		refused 2 USAGE "$object" u8@0=1 "$cell=1" --add
		assert_stderr "^shmtool poke: $cell=1: --add is for cells at a multiple of their size"
		refused 2 USAGE "$object" "$cell=1" --cas 0
		assert_stderr "^shmtool poke: $cell=1: --cas is for cells at a multiple of their size"
	done
	refused 2 USAGE "$object" u8@0=1 --cas 256
	assert_stderr '^shmtool poke: --cas: the value is not within 0 to 255$'
	refused 2 USAGE "$object" u8@0=1 --cas x
	refused 2 USAGE "$object" u8@0=1 --cas ''
	refused 2 USAGE "$object" u8@0=256 --add
	refused 2 USAGE "$object" u8@0=-129 --add
	assert_stderr 'not within -128 to 255$'
	run --separate-stderr shmtool poke "$object" u8@0=1 --cas
	assert_status 2
	assert_stderr '^shmtool poke: --cas: its argument OLD is missing$'
	untouched
}

@test "usage errors, with the nearest option; nothing is there; no permission" {
	make sysv
	refused 2 USAGE
	refused 2 USAGE "$object"
	refused 2 USAGE frame u8@0=1
	refused 2 USAGE "$object" u8@0=1 --ad
	assert_stderr 'did you mean --add\?$'
	refused 2 USAGE "$object" u8@0=1 --csa 1
	assert_stderr 'did you mean --cas\?$'
	untouched
	refused 3 ENOENT /none u8@0=1
	refused 3 ENOENT key:0x4242 u8@0=1
	refused 3 ENOENT id:424242 u8@0=1
	for backend in "${backends[@]}"; do
		make "$backend" 4096 --mode 0400
		run --separate-stderr as_unprivileged shmtool poke "$object" u8@0=1 --json
		assert_status 5
		json '.error | .code == "EACCES" and .exit == 5'
		untouched
	done
}

@test "what cannot be printed is done, and status 8" {
	make posix
	run --separate-stderr bash -c 'shmtool poke "$0" u8@0=1 --add >/dev/full' "$object"
	assert_status 8
	assert_stderr '^shmtool poke: standard output: no space left'
	assert_cell "$object" u8@0 1
}

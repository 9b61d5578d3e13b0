# SPDX-License-Identifier: GPL-2.0-or-later
# shmtool peek: numbers in a segment, as od(1), printf(1) and a C program have them.
# shellcheck disable=SC2016 # the variables of jq

load helpers
load segments

refused()
{
	refusal peek "$@"
}

# Every byte value, and neighbours that differ, so that each type sees all of its signs and sizes.
setup_file()
{
	# shellcheck disable=SC2046 # words
	printf '%b' "$(printf '\\x%02x' $(seq 0 255 | awk '{ print ($1 * 73 + 41) % 256 }'))" >"$BATS_FILE_TMPDIR/bytes"
}

setup()
{
	bytes=$BATS_FILE_TMPDIR/bytes
}

# filled BACKEND: a segment that begins with these bytes.
filled()
{
	make "$1"
	shmtool write "$object" --file "$bytes"
}

# cells TYPE FIRST: operands, one after the other, as many as lie in the bytes.
cells()
{
	local size=${1//[^0-9]/}
	((size /= 8))
	seq -f "$1@%.0f" "$2" $size $((256 - size))
}

# as_od TYPE ORDER FIRST: what od has for them, one a line, as many as there are whole ones.
as_od()
{
	local size=${1:1} form=${1:0:1} count
	((size /= 8, count = (256 - $3) / size))
	form=${form/i/d}
	od -An -v -w$size -j"$3" -N$((count * size)) -t"$form$size" --endian="$2" "$bytes" | sed 's/ *//; s/.*nan/nan/'
}

# ---- what it is for ----

@test "every type in both byte orders, aligned or not: as od has them" {
	local type order
	for backend in "${backends[@]}"; do
		filled "$backend"
		for type in {i,u}{8,16,32,64} f32 f64; do
			for first in 0 3; do
				for order in little big; do
					# shellcheck disable=SC2046 # words
					run diff <(shmtool peek "$object" $(cells "$type${order:0:1}e" "$first") \
						--plain -o text | sed 's/.*nan.*/nan/') <(as_od "$type" "$order" "$first")
					[[ $status == 0 ]] || fail "$type $order at $first" "$(show_last)"
				done
			done
		done
	done
}

@test "without le or be it is the machine's byte order" {
	filled posix
	native=$([[ $(printf '\1\0' | od -An -td2 | tr -d ' ') == 1 ]] && echo le || echo be)
	for type in {i,u}{8,16,32,64} f32 f64; do
		assert_cell "$object" "$type@8" "$(peeked "$object" "$type$native@8")"
	done
}

@test "JSON: the number, its text and its bits" {
	filled posix
	shmtool poke "$object" i16be@0=-2 u64le@8=18446744073709551615 f32@16=0.1 f64@24=nan f64@32=-inf f64@40=-0 i64@48=-9223372036854775808
	run --separate-stderr shmtool peek "$object" i16be@0 u64le@8 f32@16 f64@24 f64@32 f64@40 i64@48
	assert_status 0
	assert_equal "$stderr" ""
	assert_equal "${#lines[@]}" 1
	json 'keys == ["cells"] and (.cells | length) == 7 and
		.cells[0] == {type: "i16be", offset: 0, value: -2, text: "-2", hex: "0xfffe"} and
		(.cells[1] | .text == "18446744073709551615" and (.value | type) == "number" and .value > 18446744073709e6 and
			.hex == "0xffffffffffffffff") and
		.cells[2] == {type: "f32", offset: 16, value: 0.1, text: "0.1", hex: "0x3dcccccd"} and
		.cells[3] == {type: "f64", offset: 24, value: null, text: "nan", hex: "0x7ff8000000000000"} and
		.cells[4] == {type: "f64", offset: 32, value: null, text: "-inf", hex: "0xfff0000000000000"} and
		(.cells[5] | .text == "-0" and .value == 0 and .hex == "0x8000000000000000") and
		.cells[6].text == "-9223372036854775808"'
	# jq 1.6 rounds what is that large.
	[[ $output == *'"value":-9223372036854775808,'* ]] || fail "an integer that is none" "$(show_last)"
}

@test "the other formats" {
	filled posix
	shmtool poke "$object" u32le@0=7 i8@4=-1
	run shmtool peek "$object" u32le@0 i8@4 --plain
	assert_output $'u32le\t0\t7\ni8\t4\t-1'
	run shmtool peek "$object" u32le@0 i8@4 --plain -o value,hex,offset
	assert_output $'7\t0x00000007\t0\n-1\t0xff\t4'
	run shmtool peek "$object" u32le@0 i8@4 --table
	assert_match $'^TYPE +OFFSET +VALUE\nu32le +0 +7\ni8 +4 +-1$'
	run shmtool peek "$object" i8@4 -q
	assert_equal "$status $output" "0 "
}

@test "offsets: decimal, hex and octal, in any order, one twice" {
	filled sysv
	for offset in 10 0xa 012; do
		assert_cell "$object" "u8@$offset" "$((10 * 73 + 41 & 255))"
	done
	run shmtool peek "$object" u8@9 u8@0x1 u8@9 --plain -o offset,text
	assert_output $'9\t'$((9 * 73 + 41 & 255))$'\n1\t'$((73 + 41))$'\n9\t'$((9 * 73 + 41 & 255))
}

@test "what a C program stored" {
	for backend in "${backends[@]}"; do
		make "$backend"
		name=$(peer_name "$object")
		"$shm_peer" write "$name" 8 $'\1\2\3'
		assert_cell "$object" u32le@8 $((0x030201))
		assert_cell "$object" u32be@8 $((0x01020300))
		"$shm_peer" add "$name" 16 1000
		assert_cell "$object" u64@16 1000
	done
}

@test "with read-only rights, and of a mapping that others have" {
	for backend in "${backends[@]}"; do
		make "$backend" 4096 --mode 0400
		"$shm_peer" write "$(peer_name "$object")" 0 A
		hold "$object" read
		run as_unprivileged shmtool peek "$object" u8@0 --plain -o text
		assert_equal "$status $output" "0 65"
	done
}

# ---- what is refused ----

@test "the last bytes, and beyond the end: status 7, and none of the others is printed" {
	for backend in "${backends[@]}"; do
		make "$backend" 4100
		for cell in u8@4099 i16@4098 u16@4097 u32@4096 f32@4096 u64@4092 f64@4091; do
			assert_cell "$object" "$cell" 0
		done
		for cell in u8@4100 i16@4099 u32@4097 u64@4093 f64@4096 u8@4611686018427387904 u8@9223372036854775807 u64@0x7fffffffffffffff; do
			refused 7 EFBIG "$object" u8@0 "$cell"
			[[ $output != *cells* ]]
			assert_stderr "$object: ${cell%@*}@$((${cell#*@})) reaches beyond its end: it has 4100 bytes$"
		done
	done
	# Of the page that lies behind it nothing is seen either.
	make posix 1
	assert_cell "$object" u8@0 0
	refused 7 EFBIG "$object" u8@1
	truncate -s 0 "/dev/shm$object"
	refused 7 EFBIG "$object" u8@0
}

@test "the grammar: status 2, and the message names the text" {
	make posix
	while IFS='|' read -r cell reason; do
		refused 2 USAGE "$object" u8@0 "$cell"
		json --arg cell "$cell" '.error.object == $cell'
		assert_stderr "$reason"
	done <<-'END'
		u32|not a cell: TYPE@OFFSET, such as u32@8
		|not a cell
		8|not a cell
		/x|not a cell
		@|there is no such type \(i8 to i64, u8 to u64, f32, f64
		@4|no such type
		u33@4|no such type
		U32@4|no such type
		f16@4|no such type
		u32xe@4|no such type
		u32lebe@4|no such type
		u32 @4|no such type
		 u32@4|no such type
		int@4|no such type
		u8u8u8u8u8u8u8@4|no such type
		u32@|the offset is no number
		u32@x|no number
		u32@4x|no number
		u32@ 4|no number
		u32@-1|no number
		u32@+1|no number
		u32@0x|no number
		u32@09|no number
		u32@1.5|no number
		u32@4K|no number
		u32@4@4|no number
		u32@9223372036854775808|the offset is too large
		u32@99999999999999999999999|the offset is too large
		u32@4=5|no value is taken here
		u32@4=|no value is taken here
	END
}

@test "usage errors, with the nearest option; nothing is there; no permission" {
	make sysv
	refused 2 USAGE
	refused 2 USAGE "$object"
	refused 2 USAGE frame u8@0
	refused 2 USAGE private u8@0
	refused 2 USAGE "$object" u8@0 --colums text
	assert_stderr 'did you mean --columns\?$'
	refused 2 USAGE "$object" u8@0 --lok /x
	assert_stderr 'did you mean --lock\?$'
	refused 2 USAGE "$object" u8@0 -1
	refused 3 ENOENT /none u8@0
	refused 3 ENOENT key:0x4242 u8@0
	refused 3 ENOENT id:424242 u8@0
	for backend in "${backends[@]}"; do
		make "$backend" 4096 --mode 0200
		run --separate-stderr as_unprivileged shmtool peek "$object" u8@0
		assert_status 5
		json '.error | .code == "EACCES" and .exit == 5'
		assert_stderr "^shmtool peek: $object: permission denied"
	done
}

@test "thousands of cells at once" {
	filled posix
	# shellcheck disable=SC2046 # words
	run shmtool peek "$object" $(seq -f 'u8@%.0f' 0 4095) --plain -o text
	assert_status 0
	assert_equal "${#lines[@]}" 4096
	head -n 256 <<<"$output" | diff - <(as_od u8 little 0)
}

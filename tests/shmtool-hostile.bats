# SPDX-License-Identifier: GPL-2.0-or-later
# What a hostile user would try, or a hostile day bring: locks inside what they guard, sides of a stream and
# guardians that go, full file systems, numbers at the edges.
# shellcheck disable=SC2016 # the variables of jq and of other shells
# shellcheck disable=SC2030,SC2031 # each test has its own object

load helpers
load segments

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	feed=
}

# usage WORDS REGEX: shmtool refuses them with status 2, in words and in JSON: without the help of jq, since
# they are many.
usage()
{
	# shellcheck disable=SC2086 # words
	run --separate-stderr timeout 10 shmtool $1 --json <<<text
	[[ $status == 2 && $output == '{"error":{"code":"USAGE","exit":2,"verb":"'${1%% *}'",'*'}}' ]] || fail "$1" "$(show_last)"
	assert_stderr "^shmtool ${1%% *}: $2\$"
}

# ---- locks inside what is to be changed ----

@test "a lock inside the bytes to be changed is refused, by whatever name, and nothing is written" {
	shmtool create /s --size 4K -q
	shmtool create /t --size 4K --fill 0x78 -q
	ln /dev/shm/s /dev/shm/hard
	while read -r words; do
		usage "$words" "${words##* }: the lock itself lies in what is to be changed"
		cmp -n 4096 /dev/shm/s /dev/zero
	done <<-'END'
		write /s --lock /s@0
		write /s --lock /hard@0
		write /hard --lock /s@0
		write /s --lock /dev/shm/s@0
		write /s --lock /dev/shm/../shm/hard@4
		write /s abcdefgh --offset 62 --lock /s@64
		write /s a --offset 64 --lock /s@64
		write /s a --offset 67 --lock /s@64
		write /s abcd --offset 60 --nul --lock /s@64
		write /s --truncate-input --lock /s@0
		copy /t /s --lock /s@0
		copy /t /s --lock /s@4092
		copy /t /s --lock /dev/shm/hard@2048
		poke /s u32@0=5 --lock /s@0
		poke /s u32@0=5 --lock /dev/shm/s@0
		poke /s u32@0=5 --add --lock /s@0
		poke /s u32@0=5 --cas 0 --lock /s@0
		poke /s u64@60=0xffffffffffffffff --lock /s@64
		poke /s u8@67=1 --lock /s@64
		poke /s u8@200=1 u8@67=1 --lock /s@64
	END
	# It is not waited for, either.
	shmtool poke /s u32@0=4711
	usage "write /s text --lock /s@0" '.*: the lock itself lies in what is to be changed'
	assert_cell /s u32@0 4711
}

@test "a lock inside the bytes that are copied is free in the copy" {
	shmtool create -q /from --size 128
	shmtool create -q /to --size 128 --fill 7
	shmtool write /from text --offset 64
	shmtool copy /from /to --lock /from@32 --timeout 5
	shmtool compare /from /to
	shmtool read /to --offset 64 --length 4 --lock /to@32 --timeout 0
}

@test "a lock just beside the bytes to be changed is taken, and given back" {
	shmtool create /s --size 4K -q
	shmtool create /t --size 64 --fill 0x78 -q
	shmtool write /s abcdefgh --offset 56 --lock /s@64
	shmtool write /s ijkl --offset 68 --lock /dev/shm/s@64
	shmtool write /s abc --offset 1060 --nul --lock /s@1064
	shmtool write /s "" --offset 64 --lock /s@64
	shmtool poke /s i64@2040=-1 u8@2052=1 --lock /s@2048
	run shmtool read /s --offset 56 --string
	assert_output abcdefgh
	run shmtool read /s --offset 68 --string
	assert_output ijkl
	assert_cell /s u32@64 0
	run shmtool peek /s i64@2040 u32@2048 u8@2052 u32@1060 u32@1064 --plain --columns text
	assert_output $'-1\n0\n1\n6513249\n0'
	# The source of a copy is not changed, and the rest of its target is not.
	shmtool copy /t /s --lock /s@64
	run shmtool peek /s u32@60 u32@64 --plain --columns hex
	assert_output $'0x78787878\n0x00000000'
	shmtool create /whole --size 4K -q
	shmtool copy /s /whole --lock /s@64
	# The word was held when it was copied.
	shmtool poke /whole u32@64=0
	assert_cell /s u32@64 0
	assert_same /dev/shm/s /dev/shm/whole
}

# ---- segments that are removed, sides that die ----

# fed OBJECT [ARG...]: starts a writer that has passed on 100 bytes, and waits for more of them.
fed()
{
	random_file in 100
	start_fed "$1" --size 4K "${@:2}"
	wait_until 5 ring_is "$1" state 1
	begin=$(ring "$1" begin)
	cat in >&"$feed"
	wait_until 5 ring_is "$1" written $((begin + 100))
}

# read_so_far OBJECT: starts a reader, which has taken all of it, and waits for more.
read_so_far()
{
	start_recv out "$1"
	reader=$pid
	wait_until 5 ring_is "$1" taken $((begin + 100))
	wait_until 5 sleeps "$reader"
}

# stopped PID
stopped()
{
	kill -STOP "$1"
	wait_until 5 state_is "$1" T
}

# killed SIGNAL PID: and it has ended.
killed()
{
	kill -"$1" "$2"
	wait_until 5 gone "$2"
}

# removed PID: how a side ends that is alone in a segment that was removed.
removed()
{
	finish "$1" 5
	assert_status 7
	assert_stderr '^shmtool (send|recv): [^ ]+: .*removed while it was used$'
	[[ ! $output ]] || json '.error | .code == "EIDRM" and .exit == 7'
}

@test "removed before a reader came: send ends, whether its input goes on or not, and recv does" {
	local alone=()
	for backend in "${backends[@]}"; do
		fresh "$backend"
		start_recv out "$object" --size 4K
		alone+=("$pid")
		wait_until 5 sleeps "$pid"
		shmtool rm "$object"

		# It waits for more.
		fresh "$backend"
		fed "$object" --json
		shmtool rm "$object"
		removed "$writer"
		end_feed

		# Its input ends before it has looked.
		fresh "$backend"
		fed "$object" --json
		stopped "$writer"
		shmtool rm "$object"
		end_feed
		kill -CONT "$writer"
		removed "$writer"

		# Another one has the name.
		fresh "$backend"
		fed "$object"
		stopped "$writer"
		shmtool rm "$object"
		shmtool create "$object" --size 4K -q
		end_feed
		kill -CONT "$writer"
		removed "$writer"
		assert_zero "$object"
	done
	for pid in "${alone[@]}"; do
		removed "$pid"
	done
}

# broken: how a writer ends whose reader has gone.
broken()
{
	finish "$writer"
	assert_status 7
	assert_stderr "^shmtool send: [^ ]+: the reader has gone before the stream's end$"
	assert_equal "$(wc -l <<<"$stderr")" 1 "lines on stderr: $stderr"
	cmp in out
}

# told_of SIGNAL: a writer that waits for its input ends with status 7 when its reader does; after how long: $us.
# No condition is made of it: in one its failures would not be seen.
told_of()
{
	local began
	fed "$object"
	read_so_far "$object"
	began=${EPOCHREALTIME/[^0-9]/}
	kill -"$1" "$reader"
	wait_until 5 gone "$writer"
	us=$((${EPOCHREALTIME/[^0-9]/} - began))
	broken
	end_feed
}

@test "a reader dies: a writer that waits for its input is told within a second" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		signal=KILL
		[[ $backend == posix ]] || signal=TERM
		# Others may have the processor.
		for try in 1 2 3 4 5 6; do
			told_of $signal
			((us >= 1000000)) || break
		done
		((us < 1000000)) || fail "$signal: told after $us us ($try tries)"
	done
}

@test "a reader dies: a writer that is at the end of its input is told" {
	for backend in "${backends[@]}"; do
		fresh "$backend"
		signal=KILL
		[[ $backend == posix ]] || signal=TERM
		fed "$object"
		read_so_far "$object"
		stopped "$writer"
		killed $signal "$reader"
		end_feed
		kill -CONT "$writer"
		broken
	done
}

# ---- guardians that are killed ----

# guardian_of PID STATE: whether this run has one that is waiting, or holding, and sleeps so: $guardian.
guardian_of()
{
	local dir words calls=(futex)
	[[ $2 == waiting ]] || calls=(poll ppoll)
	for dir in /proc/[0-9]*; do
		{ mapfile -d '' -n 1 words <"$dir/cmdline"; } 2>/dev/null || continue
		[[ ${words[0]-} == "shmtool guard $2 job=$1 "* ]] || continue
		guardian=${dir#/proc/}
		blocked_in "$guardian" "${calls[@]}" && return
	done
	return 1
}

permits()
{
	semctl-cli value /permit --plain --columns value
}

# A run that is stopped while its guardian takes the permit has it when it goes on.
@test "a guardian is killed while its run holds the permit: it is back when the run has ended" {
	shmtool create /s --size 4K -q
	shmtool create /t --size 4K --fill 0x78 -q
	semctl-cli create /permit --value 0 -q
	for words in "copy /t /s" "write /s text" "poke /s u32@8=1" "read /t --length 4" "peek /t u8@1"; do
		# shellcheck disable=SC2086 # words
		start shmtool $words --lock /permit
		wait_until 5 guardian_of "$pid" waiting
		stopped "$pid"
		semctl-cli post /permit
		wait_until 5 guardian_of "$pid" holding
		killed KILL "$guardian"
		assert_equal "$(permits)" 0 "permits during $words"
		kill -CONT "$pid"
		finish "$pid"
		[[ "$status$stderr" == 0 ]] || fail "$words" "$(show_last)"
		assert_equal "$(permits)" 1 "permits after $words"
		semctl-cli wait /permit --timeout 0
	done
	run shmtool peek /s u32@0 u32@8 u32@12 --plain --columns hex
	assert_output $'0x74786574\n0x00000001\n0x78787878'
}

@test "a guardian is killed while it waits: status 7, nothing is written, no permit is lost" {
	shmtool create /s --size 4K -q
	semctl-cli create /permit --value 0 -q
	start shmtool write /s text --lock /permit
	wait_until 5 guardian_of "$pid" waiting
	killed KILL "$guardian"
	finish "$pid"
	assert_status 7
	assert_stderr '^shmtool write: /permit: '
	assert_zero /s
	semctl-cli post /permit
	assert_equal "$(permits)" 1
}

# ---- full file systems ----

# exist: the segment /s and the semaphore /s are there, and nothing is created over them.
exist()
{
	local before after
	before=$(cd /dev/shm && cksum s sem.s)
	refusal create 4 EEXIST -x /s --size 4K
	refusal create 4 EEXIST -x /s --size 5M
	for words in "create -x /s --value 1" "create -x /s --value 2"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 10 semctl-cli $words
		assert_status 4
		json '.error | .code == "EEXIST" and .exit == 4'
	done
	run shmtool create /s --size 4K
	json '.created == false'
	run semctl-cli create /s --value 1
	json '.created == false'
	after=$(cd /dev/shm && cksum s sem.s)
	assert_equal "$after" "$before"
}

# lacks WHAT: a new one fails of it, of either kind.
lacks()
{
	for words in "shmtool create -x /new --size 64K" "semctl-cli create -x /new --value 1"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr timeout 10 $words
		[[ $status == 6 ]] || fail "$words" "$(show_last)"
		json --arg what "/dev/shm $1" '.error | .code == "ENOSPC" and .limit.name == $what'
	done
}

@test "create -x of what exists is status 4, where no block is left" {
	small_shm 64k
	shmtool create /s --size 4K --fill 1 -q
	semctl-cli create /s --value 1 -q
	head -c 64K /dev/zero >/dev/shm/rest 2>/dev/null || true
	lacks blocks
	exist
}

@test "create -x of what exists is status 4, where no inode is left" {
	# One is the directory's.
	small_shm 64k,nr_inodes=3
	shmtool create /s --size 4K --fill 1 -q
	semctl-cli create /s --value 1 -q
	lacks inodes
	exist
}

# ---- numbers ----

@test "JSON numbers of f64 are what they were, bit for bit" {
	local values=(0.1 0.30000000000000004 9007199254740993 1.7976931348623157e308 -1.7976931348623157e308 5e-324
		2.2250738585072014e-308 123456789012345680 1e23 3) cells=() texts=() i
	shmtool create /s --size 4K -q
	for i in "${!values[@]}"; do
		cells+=("f64@$((i * 8))")
		texts+=("f64@$((i * 8))=${values[i]}")
	done
	shmtool poke /s "${texts[@]}"
	run shmtool peek /s "${cells[@]}" --json
	json "[.cells[].value] == [$(IFS=,; echo "${values[*]}")]"
	assert_equal "$(json_get '.cells[] | .hex' | head -n 6 | tr '\n' ' ')" \
		"0x3fb999999999999a 0x3fd3333333333334 0x4340000000000000 0x7fefffffffffffff 0xffefffffffffffff 0x0000000000000001 "
	# So are the texts.
	mapfile -t texts < <(json_get '.cells[] | "f64@\(.offset)=\(.text)"')
	cp /dev/shm/s before
	shmtool fill /s 0xff
	shmtool poke /s "${texts[@]}"
	cmp -n $((${#values[@]} * 8)) before /dev/shm/s
}

@test "JSON numbers of f64 that are random, of which python3 sees the bits" {
	command -v python3 >/dev/null || skip "python3 is not installed"
	shmtool create /s --size 4K -q
	random_file random 4K
	shmtool write /s --file random
	# One that is negative zero, one that is none at all.
	shmtool poke /s f64@0=-0 f64@8=nan
	# shellcheck disable=SC2046 # words
	shmtool peek /s $(printf 'f64@%d ' $(seq 0 8 4088)) --json >out
	python3 - out /dev/shm/s <<-'END'
		import json, math, struct, sys
		cells = json.load(open(sys.argv[1]))["cells"]
		data = open(sys.argv[2], "rb").read()
		assert len(cells) == 512, len(cells)
		for cell in cells:
		    bits = data[cell["offset"]:cell["offset"] + 8]
		    if math.isfinite(struct.unpack("=d", bits)[0]):
		        assert struct.pack("=d", cell["value"]) == bits, cell
		        assert struct.pack("=d", float(cell["text"])) == bits, cell
		    else:
		        assert cell["value"] is None, cell
	END
}

# ---- options and operands ----

@test "--timeout without --lock is refused" {
	shmtool create /s --size 4K -q
	shmtool create /t --size 4K --fill 1 -q
	for words in "read /s" "write /s text" "copy /t /s" "peek /s u8@0" "poke /s u8@0=1"; do
		usage "$words -t 1" '.*--lock'
	done
	assert_zero /s
}

@test "compare: a bare word is refused with the likely spelling, and ./WORD is a file" {
	shmtool create /x --size 4K -q
	for there in no yes; do
		[[ $there == no ]] || head -c 4K /dev/zero >bare
		for words in "/x bare" "bare /x"; do
			usage "compare $words" 'bare: .*did you mean /bare or .*'
		done
	done
	run shmtool compare /x ./bare
	assert_status 0
	json '.equal and .other_size == 4096'
	echo x >>bare
	run shmtool compare /x ./bare
	assert_status 1
	json '.equal == false and .offset == 4096'
	refusal compare 3 ENOENT /x ./none
}

@test "--offset and --length in hex, as dump prints them" {
	shmtool create /s --size 4K -q
	shmtool write /s abcdefghijklmnopqrstuvwxyz
	for hex in 0x10 0X10 0x0010; do
		run shmtool read /s --offset $hex --length 0X4
		assert_output qrst
		run shmtool read /s --length $hex
		assert_output abcdefghijklmnop
		run shmtool dump /s --offset $hex --length 0x4
		assert_match '^00000010  71 72 73 74 '
		shmtool write /s Q --offset $hex
		run shmtool read /s --offset 15 --length 3
		assert_output pQr
		shmtool fill /s 113 --offset $hex --length 0x1
		run shmtool read /s --offset 15 --length 3
		assert_output pqr
	done
	cp /dev/shm/s before
	for words in "read /s" "write /s text" "dump /s" "fill /s 1"; do
		usage "$words --offset 0xg" '--offset: "0xg".*'
	done
	for bad in 0xg 0x 0x10K 0x-1 -0x1 0x10000000000000000 0x8000000000000000; do
		usage "fill /s 1 --length=$bad" "--length: \"$bad\".*"
	done
	assert_same before /dev/shm/s
	refusal read 7 EFBIG /s --offset 0x1001
	run shmtool read /s --offset 0x1000
	assert_equal "$status$output" 0
}

# ---- no page behind it ----

@test "a page that cannot be had: status 7, and the error names the segment" {
	small_shm 64k
	truncate -s 1M /dev/shm/hole
	head -c 64K /dev/zero >/dev/shm/rest 2>/dev/null || true
	for words in "peek /hole u32@70000" "peek /hole u8@0 u64@70001" "poke /hole u32@70000=1" \
		"wait /hole u32@70000 ne 0 --timeout 5" "send /hole"; do
		# shellcheck disable=SC2086 # words
		refusal ${words%% *} 7 EFAULT ${words#* } <<<text
		json '.error.object == "/hole"'
	done
	run --separate-stderr timeout 10 shmtool recv /hole
	assert_equal "$status$output" 7
	assert_stderr '^shmtool recv: /hole: '
}

@test "a segment that is truncated under a wait: status 7, and the error names the segment" {
	for size in 0 4096; do
		make posix 8K
		start shmtool wait "$object" u32@5000 ne 0 --timeout 20 --json
		wait_until 5 blocked_in "$pid" futex 449
		truncate -s $size "/dev/shm$object"
		finish "$pid"
		assert_status 7
		json --arg object "$object" '.error | .object == $object and .exit == 7 and (.code == "EFAULT" or .code == "EFBIG")'
	done
}

# ---- few descriptors ----

# attaches OBJECT TEST [DESCRIPTOR]: with ever more descriptors, one of which may be taken. It works from so many on.
attaches()
{
	local n works=
	for n in {4..14}; do
		status=0
		(
			exec 3>&- 4>&-
			[[ ! ${3-} ]] || eval "exec $3</dev/null"
			exec prlimit --nofile="$n:$n" shmtool attach "$1" -- sh -c "$2"
		) >out 2>err || status=$?
		case $status in
		0) works=${works:-$n} ;;
		125) [[ $(<err) == *"RLIMIT_NOFILE is $n descriptors, "*" in use" ]] || fail "$n: $(<err)" || return ;;
		127) [[ $(<err) == *"loading shared libraries"* ]] || fail "$n: $(<err)" || return ;;
		*) fail "$n: status $status: $(<err)" || return ;;
		esac
		[[ ! $works || $status == 0 ]] || fail "$1: with $works descriptors, but not with $n: $(<err)" || return
	done
	[[ $works ]] || fail "$1: not even with 14 descriptors"
}

@test "attach with few descriptors works from as many on as it needs" {
	shmtool create /s --size 4K -q
	shmtool create key:5 --size 4K -q
	for taken in "" 10; do
		attaches /s 'test "/proc/$$/fd/$IPCKIT_FD" -ef /dev/shm/s' $taken
	done
	attaches key:5 "test \"\$IPCKIT_SHMID\" = $(id_of key:5)"
}

# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat list: what lsof and ss see, with who sleeps on what.
# shellcheck disable=SC2016 # the variables of jq and of other shells

load helpers
load channels

refused()
{
	refusal list "$@"
}

# names ARG...: what list with these arguments shows, on one line.
names()
{
	pipecat list --plain -o name "$@" | paste -sd ' '
}

# several: sockets of each kind, a FIFO and a pipe, with a process each; the pids in $pids.
several()
{
	local kind
	pids=()
	for kind in stream dgram seqpacket tcp tcp6 udp udp6; do
		started_peer pair $kind 100
		pids+=("$pid" "${said##* }")
	done
	started_peer listen stream ./socket 5 3
	pids+=("$pid")
	started_peer listen tcp 0 7 2
	pids+=("$pid")
	started_peer bind udp 0
	pids+=("$pid")
	mkfifo in
	start bash -c 'exec 7<>in; echo text >&7; exec sleep 60'
	pids+=("$pid")
	wait_until 10 blocked_in "$pid" clock_nanosleep
	started_peer pipes 1 4
	pids+=("$pid" "$(pgrep -P "$pid")")
}

# of_pids QUERY: what jq says of all that these have.
of_pids()
{
	pipecat list | jq -r --argjson pids "[$(IFS=, && echo "${pids[*]}")]" \
		".fifos[] | select(any(.users[]; [.pid] | inside(\$pids))) | $1" | sort
}

@test "pipes and FIFOs, and who has which end of them, as lsof sees it" {
	command -v lsof >/dev/null || skip "lsof is not installed"
	several
	ours=$(of_pids 'select(.kind == "fifo" or .kind == "pipe") | .inode as $inode | .users[] |
		select([.pid] | inside($pids)) | "\(.pid) \(.fd)\(if .reads and .writes then "u" elif .reads then "r" else "w" end) \($inode)"')
	theirs=$(lsof -w -n -P -p "$(IFS=, && echo "${pids[*]}")" | awk '$5 == "FIFO" { print $2, $4, $8 }' | sort)
	assert_equal "$ours" "$theirs"
	assert_match "${pids[-1]} 3r [0-9]+" "$ours"
	ours=$(of_pids 'select(.kind == "tcp" or .kind == "udp") | "\(.name)\(if .peer then "->" + .peer else "" end) \(.state)"' |
		sed 's/ unconnected$//')
	theirs=$(lsof -w -n -P -i -a -p "$(IFS=, && echo "${pids[*]}")" |
		awk 'NR > 1 { state = tolower($10); gsub(/[()]/, "", state); print $9, state ? state : ($9 ~ /->/ ? "established" : "") }' |
		sed 's/ $//' | sort)
	assert_equal "$ours" "$theirs"
}

@test "sockets, their states, queues and bytes, as ss sees them" {
	command -v ss >/dev/null || skip "ss is not installed"
	several
	ours=$(of_pids 'select(.kind != "fifo" and .kind != "pipe") |
		"\(.inode) \(.queue // .bytes) \(.backlog // .unsent) \(.state)"')
	# Of Unix sockets the inode comes after the name, of the others as ino:N.
	theirs=$(ss -aenpH -A tcp,udp,unix | grep channel-peer | while read -r kind state queue backlog rest; do
		case $kind in
		u_*) number=$(sed -E 's/^.* ([0-9]+) +\* .*$/\1/' <<<"$rest") ;;
		*) number=$(sed -E 's/^.* ino:([0-9]+) .*$/\1/' <<<"$rest") ;;
		esac
		case $state in
		ESTAB) state=established ;;
		UNCONN) state=unconnected ;;
		LISTEN) state=listen ;;
		esac
		echo "$number $queue $backlog $state"
	done | sort)
	assert_equal "$ours" "$theirs"
	assert_match '3 5 listen' "$ours"
	assert_match '2 7 listen' "$ours"
}

@test "JSON: each kind has its keys, numbers are numbers" {
	several
	output=$(pipecat list)
	assert_equal "$(wc -l <<<"$output")" 1
	json --arg path "$PWD/in" --argjson now "$EPOCHSECONDS" '(.fifos | map(.kind) | unique) == ["fifo", "pipe", "tcp", "udp", "unix"] and
		(.fifos[] | select(.name == $path) | (keys - ["unreadable"]) == (["kind", "name", "inode", "device", "readers",
			"writers", "capacity", "bytes", "mode", "uid", "user", "gid", "group", "atime", "mtime", "ctime", "users",
			"unreadable_processes"] | sort) and .readers == 1 and .writers == 1 and .bytes == 5 and .capacity == 65536 and
			.mtime > $now - 100 and .mode == "0644")'
	json '[.fifos[] | select(.kind == "pipe")] | length > 0 and all(.name == "pipe:\(.inode)" and
		(.readers | type) == "number" and .capacity > 0 and .bytes >= 0 and (has("mode") or has("peer") | not))'
	json '[.fifos[] | select(.kind == "tcp" and .state == "listen")] | length > 0 and all(.queue >= 0 and .backlog > 0 and
		.peer == null and (has("bytes") or has("type") or has("readers") | not))'
	json '[.fifos[] | select(.kind == "udp")] | length > 0 and all(.bytes >= 0 and .unsent >= 0 and (has("queue") | not))'
	json '[.fifos[].users[] | .pid, .reads, (.fd // 0)] | map(type) | unique == ["boolean", "number"]'
}

@test "filters: --kind, --pid, --name, --owner, --sort and --reverse" {
	started_peer pair stream 9
	read -r first _ <<<"$said"
	assert_equal "$(names --pid "$pid" --kind unix)" "socket:$first"
	# Both ends of a pair have bytes: those that wait, and none.
	assert_equal "$(names --kind unix,tcp --name "socket:${first%?}?" --sort bytes --reverse | cut -d' ' -f1)" "socket:$first"
	started_peer listen tcp 0 5 0
	assert_equal "$(names --name "$address")" "$address"
	assert_equal "$(names --name "$address" --kind udp,unix,fifo,pipe)" ""
	assert_equal "$(names --name "$address" --owner root)" "$address"
	assert_equal "$(names --name "$address" --owner 1000)" ""
	assert_equal "$(names --pid 1 --kind fifo)" ""
	run pipecat list --pid "$pid" --kind tcp --plain -o kind,name,state,queue,backlog,inode
	assert_output "tcp	$address	listen	0	5	$inode"
}

@test "directories: the FIFOs and the sockets in them, in use or not, and not below" {
	mkdir -p one/below two
	mkfifo one/in one/below/in two/out
	touch one/file
	ln -s in one/link
	"$channel_peer" leave stream one/dead
	started_peer listen stream two/socket 5 0
	listener=$pid
	start cat two/out
	wait_until 10 blocked_on two/out "$pid"
	run pipecat list one two/
	json --argjson listener "$listener" --argjson reader "$pid" '(.fifos | map(.name)) == ["one/in", "two/out", "one/dead", "two/socket"] and
		(.fifos | map(.bound)) == [null, null, false, true] and .fifos[3].users[0].pid == $listener and
		.fifos[1].users[0].pid == $reader and .fifos[0].users == []'
	assert_equal "$(names one two --kind unix --name '*/s*')" two/socket
	assert_equal "$(names one two --pid "$pid")" two/out
	run pipecat list one/below/../../two --table
	assert_match 'fifo +one/below/../../two/out +- +0r 0w +- +cat\[[0-9]+\] r open'
	assert_match 'unix +one/below/../../two/socket +- +listen 0/5 '
	mkdir empty
	run --separate-stderr pipecat list empty
	assert_equal "$output$stderr" '{"fifos":[]}'
	refused 3 ENOENT one none
	json '.error.object == "none"'
	refused 7 EBADMSG one/file
	chmod 0 one
	run as_unprivileged pipecat list one
	assert_status 5
}

@test "a table is readable at 80 columns" {
	started_peer pair tcp6 50000
	run pipecat list --kind tcp --pid "$pid" --table
	assert_match '^KIND +NAME +PEER +STATE +BYTES +WHO'
	assert_match 'tcp +\[::1\]:[0-9]+ +\[::1\]:[0-9]+ +established +48.8K channel-peer\['"$pid"'\] [0-9]rw'
	for line in "${lines[@]}"; do
		((${#line} <= 80)) || fail "${#line} columns: $line"
	done
	mkfifo in
	for _ in {1..5}; do
		start bash -c 'exec sleep 60 <>in'
		wait_until 10 blocked_in "$pid" clock_nanosleep
	done
	are_there()
	{
		[[ $(pipecat info in --plain -o readers,writers) == $'5\t5' ]]
	}
	wait_until 10 are_there
	run pipecat list . --table
	assert_match "in +- +5r 5w +0 sleep\[[0-9]+\] 0rw, sleep\[[0-9]+\] 0rw, sleep\[[0-9]+\] 0rw, 2 more"
}

@test "sockets of another network namespace are listed for those who have them" {
	start unshare -n bash -c 'ip link set lo up; exec "$0" listen tcp 0 5 2' "$channel_peer"
	wait_until 10 has_said "$pid"
	read -r inode address _ <"$(out_of "$pid")"
	run pipecat list --pid "$pid" --kind tcp
	json --arg address "$address" --argjson inode "$inode" '.fifos | length == 3 and all(.foreign and .users[0].fd > 2) and
		any(.inode == $inode and .name == $address and .state == "listen" and .queue == 2) and
		any(.state == "established" and .peer == $address)'
	run pipecat list
	json --argjson inode "$inode" '.fifos | map(select(.inode == $inode)) | length == 1'
}

@test "without privileges: own processes are complete, the others counted" {
	start unshare -U --map-user=1000 --map-group=1000 bash -c 'mkfifo here; cat here & exec sleep 60'
	is_there()
	{
		[[ -p here && $(pgrep -P "$pid" -x cat) ]] && blocked_on here "$(pgrep -P "$pid" -x cat)" open
	}
	wait_until 10 is_there 2>/dev/null
	run nsenter -t "$pid" -U --preserve-credentials pipecat list .
	assert_status 0
	json '.fifos[0] | .name == "./here" and .users[0].command == "cat here" and .unreadable_processes > 0'
	run --separate-stderr nsenter -t "$pid" -U --preserve-credentials pipecat list . --verbose
	assert_stderr 'processe?s? may not be looked at'
}

@test "bad options and operands are status 2, output that cannot be written is 8" {
	refused 2 USAGE --kind fifos
	json '.error.message == "\"fifos\" is not one of fifo, pipe, unix, tcp and udp"'
	refused 2 USAGE --kind fifo,
	refused 2 USAGE --kind ''
	refused 2 USAGE --pid 0
	refused 2 USAGE --pid x
	refused 3 ENOENT --pid 999999999
	refused 2 USAGE . --kind tcp,pipe
	refused 2 USAGE --sort none
	refused 2 USAGE --owner no-such
	refused 2 USAGE --older-than 5sfoo
	refused 2 USAGE --backend posix
	run bash -c 'pipecat list >/dev/full'
	assert_status 8
	run pipecat list --columns help
	assert_match 'peer_inode'
}

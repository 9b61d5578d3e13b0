# SPDX-License-Identifier: GPL-2.0-or-later
# pipecat with other programs at the other side: C programs on each kind of socket, socat, nc, and curl that asks a web
# server through a relay.
# shellcheck disable=SC2016,SC2030,SC2031 # the variables of jq and other shells; each test has its own

load helpers
load ends

peer=$IPCKIT_BUILD/tests/peers/socket-peer
kinds=(stream dgram seqpacket tcp tcp6 udp udp6)

setup()
{
	cd "$BATS_TEST_TMPDIR" || return
	# Abstract names are those of the network namespace, which others have, too.
	unique=@$(basename "$(dirname "$IPCKIT_NEVER")")-$BATS_TEST_NUMBER-$RANDOM$RANDOM
}

needs()
{
	command -v "$1" >/dev/null || skip "$1 is not installed ($2)"
}

# ---- ends of each kind ----

# to KIND WHERE, at KIND WHERE: in $end the one that connects, that listens; WHERE: a path, @NAME, or the port.
to()
{
	case $1 in
	stream) end=unix:$2 ;;
	dgram | seqpacket) end=unix-$1:$2 ;;
	*6) end="${1%6}:[::1]:$2" ;;
	*) end=$1:127.0.0.1:$2 ;;
	esac
}

at()
{
	to "$1" "$2"
	end=${end/:/-listen:}
}

is_local()
{
	[[ $1 != tcp* && $1 != udp* ]]
}

has_messages()
{
	[[ $1 == dgram || $1 == udp* ]]
}

# Somebody has this name, and where connections are made takes them.
stands_at()
{
	local flags=00010000 found name
	! has_messages "$1" || flags=00000000
	while read -r _ _ _ found _ _ _ name; do
		[[ $name != "$2" || $found != "$flags" ]] || return 0
	done </proc/net/unix
	return 1
}

# start_at KIND WHERE WORD...: a relay, in $pid, an end of which listens there (port 0: any); where it does in $where.
start_at()
{
	if is_local "$1"; then
		start pipecat relay "${@:3}"
		where=$2
		wait_until 10 stands_at "$1" "$2"
	else
		start_listening "${@:3}"
		where=$port
	fi
}

# start_server VERB KIND WHERE [COUNT]: a C program that listens; it is in $pid, where it does in $where.
start_server()
{
	start "$peer" "$@"
	wait_until 10 grep -q . "$(out_of "$pid")"
	where=$(<"$(out_of "$pid")")
}

# ends_well PID...: each ends, with status 0 and without a word.
ends_well()
{
	local one
	for one in "$@"; do
		finish "$one" 20
		assert_equal "$status/$stderr" 0/
	done
}

# ---- C programs ----

# name_of KIND WORD: a place for a server, in $where: of every other test of a kind an abstract name.
name_of()
{
	where=0
	! is_local "$1" || where=$PWD/$2.$1
	[[ ! ${abstract-} ]] || ! is_local "$1" || where=$unique-$1-$2
}

# sends KIND SIZE...: a C client sends these through a relay to a C server.
sends()
{
	local server relay
	name_of "$1" server
	start_server receive "$1" "$where" "$count"
	server=$pid
	to "$1" "$where"
	sink=$end
	name_of "$1" relay
	at "$1" "$where"
	start_at "$1" "$where" "$end" "$sink"
	relay=$pid
	timeout 20 "$peer" send "$1" "$where" "${@:2}"
	ends_well "$server"
	has_messages "$1" || ends_well "$relay"
	stop "$relay"
	finish "$server"
}

@test "from a C client to a C server, by each kind of socket: every byte, every message" {
	local sizes=(1 1000 4097 60000) kind abstract count
	for kind in "${kinds[@]}"; do
		for abstract in '' yes; do
			[[ ! $abstract ]] || is_local "$kind" || continue
			case $kind in
			stream | tcp*)
				count=1
				sends "$kind" 1 65537 1048576
				assert_match $'\n1114114$'
				;;
			*)
				count=${#sizes[@]}
				sends "$kind" "${sizes[@]}"
				assert_match $'\n1\n1000\n4097\n60000$'
				;;
			esac
		done
	done
}

@test "a C client that is answered by a C server, by each kind of socket" {
	local kind abstract server relay sink
	for kind in "${kinds[@]}"; do
		for abstract in '' yes; do
			[[ ! $abstract ]] || is_local "$kind" || continue
			name_of "$kind" server
			start_server answer "$kind" "$where"
			server=$pid
			to "$kind" "$where"
			sink=$end
			name_of "$kind" relay
			at "$kind" "$where"
			start_at "$kind" "$where" --both "$end" "$sink"
			relay=$pid
			timeout 20 "$peer" ask "$kind" "$where" 1 1000 4097 60000 2
			has_messages "$kind" || ends_well "$relay" "$server"
			stop "$relay" "$server"
		done
	done
}

# ---- socat, nc ----

# port_of PID PROTOCOL: the port at which one of its sockets stands, in $port.
port_of()
{
	local inodes hex
	inodes=$(readlink "/proc/$1"/fd/* | sed -n 's/^socket:\[\(.*\)]$/\1/p')
	hex=$(awk -v inodes=" ${inodes//$'\n'/ } " 'index(inodes, " " $10 " ") && $3 ~ /:0000$/ {
		sub(".*:", "", $2); print $2; exit }' "/proc/net/$2")
	[[ $hex ]] && port=$((16#$hex))
}

# start_foreign KIND COMMAND...: a server that is another program; where it stands, if not at a name, in $where.
start_foreign()
{
	start "${@:2}"
	if is_local "$1"; then
		wait_until 10 stands_at "$1" "$where"
	else
		wait_until 10 port_of "$pid" "$1"
		where=$port
	fi
}

# talks KIND COMMAND...: this client is answered, and ends when it is told nothing more; one that sends messages without
# a connection does not.
talks()
{
	local client
	mkfifo "in.$((++talks))"
	start bash -c 'exec "${@:2}" <"$1"' bash "in.$talks" "${@:2}"
	client=$pid
	exec 4>"in.$talks"
	echo "hello $1" >&4
	wait_until 10 grep -q "^hello $1$" "$(out_of "$client")"
	exec 4>&-
	has_messages "$1" || finish "$client"
	has_messages "$1" || assert_equal "$status $output" "0 hello $1"
	stop "$client"
}
talks=0

# socat_to KIND WHERE, socat_at: its address that connects, that listens, in $address.
socat_to()
{
	case $1 in
	stream) address=UNIX-CONNECT:$2 ;;
	seqpacket) address=UNIX-CONNECT:$2,type=5 ;;
	dgram) address=UNIX-SENDTO:$2,bind=$2.own ;;
	*6) address="${1^^}:[::1]:$2" ;;
	*) address=${1^^}:127.0.0.1:$2 ;;
	esac
	[[ $2 != @* ]] || address=${address/UNIX-/ABSTRACT-}
	address=${address//@/}
}

socat_at()
{
	case $1 in
	stream) address=UNIX-LISTEN:$2 ;;
	seqpacket) address=UNIX-LISTEN:$2,type=5 ;;
	dgram) address=UNIX-RECVFROM:$2 ;;
	*6) address="${1^^}-LISTEN:0,bind=[::1]" ;;
	*) address=${1^^}-LISTEN:0,bind=127.0.0.1 ;;
	esac
	[[ $2 != @* ]] || address=${address/UNIX-/ABSTRACT-}
	address=${address//@/}
}

@test "socat as client and as server, both ways, by each kind of socket" {
	needs socat socat
	local kind abstract server
	for kind in "${kinds[@]}"; do
		for abstract in '' yes; do
			[[ ! $abstract ]] || is_local "$kind" || continue
			name_of "$kind" relay
			at "$kind" "$where"
			start_at "$kind" "$where" --both "$end" exec:cat
			server=$pid
			socat_to "$kind" "$where"
			talks "$kind" socat -t 20 - "$address"
			has_messages "$kind" || ends_well "$server"
			stop "$server"
			name_of "$kind" server
			socat_at "$kind" "$where"
			start_foreign "$kind" socat -t 20 "$address" EXEC:cat
			server=$pid
			to "$kind" "$where"
			talks "$kind" pipecat --both - "$end"
			stop "$server"
		done
	done
}

@test "nc as client and as server, both ways, by each kind of socket that it knows" {
	needs nc netcat-openbsd
	[[ $(nc -h 2>&1) == OpenBSD* ]] || skip "nc is another one (netcat-openbsd)"
	local kind server words
	for kind in stream dgram tcp tcp6 udp; do
		case $kind in
		stream) words=(-U) ;;
		dgram) words=(-uU) ;;
		tcp) words=(127.0.0.1) ;;
		tcp6) words=(::1) ;;
		udp) words=(-u 127.0.0.1) ;;
		esac
		name_of "$kind" relay
		at "$kind" "$where"
		start_at "$kind" "$where" --both "$end" exec:cat
		server=$pid
		talks "$kind" nc -N "${words[@]}" "$where"
		has_messages "$kind" || ends_well "$server"
		stop "$server"
		name_of "$kind" server
		# It answers what it is told to say.
		mkfifo "say.$kind"
		start_foreign "$kind" bash -c 'exec nc -lN "${@:2}" <>"$1"' bash "say.$kind" "${words[@]}" "$where"
		server=$pid
		to "$kind" "$where"
		mkfifo "in.$kind"
		start bash -c 'exec pipecat --both - "$1" <>"$2"' bash "$end" "in.$kind"
		echo asked >"in.$kind"
		wait_until 10 grep -q '^asked$' "$(out_of "$server")"
		echo answered >"say.$kind"
		wait_until 10 grep -q '^answered$' "$(out_of "$pid")"
		stop "$pid" "$server"
	done
	# One way, and its end.
	head -c 300000 /dev/urandom >in
	start_listening tcp-listen:0 out
	nc -N 127.0.0.1 "$port" <in
	ends_well "$pid"
	cmp in out
	start_foreign tcp nc -l 127.0.0.1 0
	pipecat in "tcp:127.0.0.1:$where"
	finish "$pid"
	cmp in "$(out_of "$pid")"
}

# ---- a web server ----

nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || nginx=
apache=$(PATH=$PATH:/usr/sbin command -v apache2) || apache=

configure_nginx()
{
	cat >web/conf <<-END
		daemon off;
		master_process off;
		pid $PWD/web/pid;
		error_log $PWD/web/log;
		events { worker_connections 600; }
		http {
			access_log off;
			client_body_temp_path $PWD/web/client;
			proxy_temp_path $PWD/web/proxy;
			fastcgi_temp_path $PWD/web/fastcgi;
			uwsgi_temp_path $PWD/web/uwsgi;
			scgi_temp_path $PWD/web/scgi;
			server { listen 127.0.0.1:$1 backlog=511; root $PWD/web/root; }
		}
	END
}

configure_apache()
{
	cat >web/conf <<-END
		ServerRoot $PWD/web
		ServerName localhost
		Listen 127.0.0.1:$1
		LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
		LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
		DefaultRuntimeDir $PWD/web
		PidFile $PWD/web/pid
		ErrorLog $PWD/web/log
		DocumentRoot $PWD/web/root
		StartServers 1
		ThreadsPerChild 25
		MaxRequestWorkers 25
	END
}

# start_web: a server of the files in web/root, at 127.0.0.1 and the port $web. It is no one's business that it would
# refuse uid 0, or give it away.
start_web()
{
	local try command
	mkdir -p web/root
	chmod 1777 web
	for try in {1..10}; do
		web=$((20000 + (RANDOM + try) % 20000))
		if [[ $nginx ]]; then
			configure_nginx "$web"
			command=("$nginx" -e "$PWD/web/log" -c "$PWD/web/conf")
		else
			configure_apache "$web"
			command=("$apache" -f "$PWD/web/conf" -D FOREGROUND)
		fi
		rm -f web/pid
		start unshare -U --map-user=1000 --map-group=1000 "${command[@]}"
		web_server=$pid
		wait_until 15 serves_or_gone "$pid"
		! gone "$pid" || continue
		return 0
	done
	fail "the web server does not start:" "$(cat web/log "$(err_of "$pid")")"
}

serves_or_gone()
{
	gone "$1" || { [[ -s web/pid ]] && curl -sf "http://127.0.0.1:$web/1" -o /dev/null; }
}

# make_files N: in web/root, of different sizes and contents; their sums in $sums.
make_files()
{
	local i
	mkdir -p web/root
	for ((i = 1; i <= $1; i++)); do
		head -c $((i * 7000 + 1)) /dev/urandom >"web/root/$i"
	done
	sums=$(cd web/root && cksum -- * | sort -k 3)
}

# got_all N DIRECTORY: N times each file has come there, as FILE.TIME, and is what it was.
got_all()
{
	local got
	got=$(cd "$2" && cksum -- * | sed 's/\.[0-9]*$//' | sort -k 3 | uniq -c | sed 's/^ *//')
	assert_equal "$got" "$1 ${sums//"$newline"/"$newline$1 "}" "what came"
}
newline=$'\n'

# signal_web SIGNAL: to the web server, all of it.
signal_web()
{
	local children
	read -r children <"/proc/$web_server/task/$web_server/children" || true
	# shellcheck disable=SC2086 # words
	kill -"$1" "$web_server" $children
}

needs_web()
{
	needs curl curl
	[[ $nginx$apache ]] || skip "neither nginx nor apache2 is installed (nginx-light)"
}

@test "curl through a relay to a web server: 1,000 connections, 100 at once, none broken" {
	needs_web
	local times=100 at_once=100 server client
	! is_sanitized || [[ ${IPCKIT_LONG-} ]] || times=10 at_once=20
	make_files 10
	start_web
	start_listening --fork --both tcp-listen:0 "tcp:127.0.0.1:$web" --backlog 200 --stats
	server=$pid
	mkdir got
	# All are there before the first one is answered.
	signal_web STOP
	start curl -sSf -H 'Connection: close' --parallel --parallel-immediate --parallel-max "$at_once" \
		"http://127.0.0.1:$port/{1,2,3,4,5,6,7,8,9,10}?[1-$times]" -o "got/#1.#2"
	client=$pid
	wait_until 30 has_children "$server" "$at_once"
	signal_web CONT
	finish "$client" 60
	assert_status 0
	got_all "$times" got
	wait_until 10 has_children "$server" 0
	kill -TERM "$server"
	finish "$server"
	died_of TERM
	output=$stderr
	json --argjson n $((10 * times)) '.connections == $n and .errors == 0'
}

@test "curl through a relay: by IPv6, by a Unix socket, several requests by one connection" {
	needs_web
	local server
	make_files 3
	start_web
	mkdir six local
	start_listening --fork --both "tcp-listen:[::1]:0" "tcp:127.0.0.1:$web" --stats
	server=$pid
	curl -sSf "http://[::1]:$port/{1,2,3}?[1-5]" -o "six/#1.#2"
	got_all 5 six
	wait_until 10 has_children "$server" 0
	kill -TERM "$server"
	finish "$server"
	output=$stderr
	json '.connections == 1 and .errors == 0 and .back_bytes > 5 * 42003'
	start pipecat --fork --both unix-listen:web.sock "tcp:127.0.0.1:$web" --stats
	server=$pid
	wait_until 10 listens_at web.sock
	curl -sSf -H 'Connection: close' --unix-socket web.sock "http://localhost/{1,2,3}?[1-5]" -o "local/#1.#2"
	got_all 5 local
	wait_until 10 has_children "$server" 0
	kill -TERM "$server"
	finish "$server"
	output=$stderr
	json '.connections == 15 and .errors == 0'
}

# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Findings in groups, one bad backend among good ones, and the host's own limits beside findings.
# shellcheck disable=SC2154 # work, main, state, top, O only come from run

# screen_of TRACE KEYS: what the view shows of it
screen_of() {
	TZ=UTC LC_ALL=C.UTF-8 "$O/why502" -r "$1" --output tui --screen 100x30 --keys "$2"
}

# Every request has a path of its own; their endpoint is one.
case_endpoints() {
	local dir=$work/endpoints truth=$work/endpoints.tsv got
	why502_start "$dir" -w "$dir/trace.w5" || return 1
	send "$truth" -r 20 -n 6 -d 0.3 --mix conn-refused || return 1
	settle "$dir" "$truth"
	why502_stop "$dir"
	got=$(of "$dir" "$truth" | jq -r .request.target | sort -u | wc -l)
	expect "six targets, not $got" [ "$got" = 6 ] || return 1
	got=$(of "$dir" "$truth" | jq -r .request.endpoint | sort -u)
	expect "one endpoint, not $got" [ "$got" = '10.77.1.1:8080/conn-refused/{id}' ] || return 1
	screen_of "$dir/trace.w5" e >"$dir/screen"
	expect 'it is a row of the view' grep -q '^>/conn-refused/{id} .* 6 ' "$dir/screen" ||
		{ cat "$dir/screen"; return 1; }
	screen_of "$dir/trace.w5" 'c<Enter>' >"$dir/screen"
	expect 'the client network as a filter' grep -q 'network=="10.77.1.0/24".*6 of 6' "$dir/screen"
}

# A second nginx with three servers of one upstream; nothing listens at the first.
many_up() { # DIR [LISTEN-OPTIONS]
	mkdir -p "$1"
	cat >"$1/nginx.conf" <<-END
		daemon off; worker_processes 1; pid $1/pid; error_log $1/error.log;
		events { worker_connections 128; }
		http { access_log off;
		client_body_temp_path $1/b; proxy_temp_path $1/p; fastcgi_temp_path $1/f;
		uwsgi_temp_path $1/u; scgi_temp_path $1/s;
		upstream many { server 127.0.0.9:9000 max_fails=0; server 10.77.3.2:9000 max_fails=0;
			server 10.77.4.2:9000 max_fails=0; }
		server { listen 8099 ${2:-}; location / { proxy_pass http://many; proxy_next_upstream off; } } }
	END
	lab exec gateway nginx -c "$1/nginx.conf" &
	pid_of[many]=$!
	for _ in $(seq 100); do
		[ ! -s "$1/pid" ] || return 0
		read -rt 0.05 <> <(:) || :
	done
	cat "$1/error.log"
	return 1
}

many_down() { # DIR
	kill "$(cat "$1/pid")"
	wait "${pid_of[many]}"
	unset 'pid_of[many]'
}

case_one_bad_backend() {
	local dir=$work/many i
	many_up "$work/many-nginx" || return 1
	why502_start "$dir" -w "$dir/trace.w5" --port 8099 || { many_down "$work/many-nginx"; return 1; }
	for i in $(seq 30); do
		lab exec client curl -s -o /dev/null -H 'Host: shop.example' --max-time 5 \
			"http://10.77.1.1:8099/users/$i"
	done
	lines "$dir/findings.ndjson" '"target":"/users/[0-9]*"' 10 6 "${pid_of[$dir]}" || :
	why502_stop "$dir"
	many_down "$work/many-nginx"
	expect 'ten failures, all of one server' [ "$(grep -c '"ip":"127.0.0.9","port":9000' "$dir/findings.ndjson")" -ge 10 ] || return 1
	screen_of "$dir/trace.w5" '<End>' >"$dir/screen"
	expect 'it stands out' grep -q 'all 10 failures are 127.0.0.9:9000 (conn-refused); its 2 siblings have none' "$dir/screen" ||
		{ cat "$dir/screen"; return 1; }
}

# soft_files PID N: as the user it runs as, which needs no capability
soft_files() {
	setpriv --reuid "$(stat -c %u "/proc/$1")" --clear-groups --regid "$(stat -c %g "/proc/$1")" \
		prlimit --pid "$1" --nofile="$2:"
}

workers() { pgrep -P "$(cat "$state/gateway/pid")"; }

# hold_open DIR WHERE N ADDRESS PORT: N connections from there, until let_go
hold_open() {
	rm -f "$1/end" "$1/held"
	mkfifo "$1/end"
	# shellcheck disable=SC2016 # the other shell expands it
	lab exec "$2" bash -c 'for i in $(seq "$1"); do exec {fd}<>"/dev/tcp/$2/$3" || exit; done
		echo held; read -r _' - "$3" "$4" "$5" <"$1/end" >"$1/held" &
	holder=$!
	exec {hold}>"$1/end"
	lines "$1/held" held 1 10 "$holder"
}
let_go() {
	exec {hold}>&-
	wait "$holder" 2>/dev/null
}

# Idle clients take files until three are left; a refused connect is then what it was, and the
# files are said beside it.
# HOST_TRACE: where the trace goes that tests/replay/record wants
case_files_near() {
	local dir=$work/files truth=$work/files.tsv p n sent=0
	why502_start "$dir" ${HOST_TRACE:+--history=0 --cgroup "/w5lab-$LAB_ID" -w "$HOST_TRACE"} || return 1
	hold_open "$dir" client 180 10.77.1.1 8080 || sent=1
	for p in $(workers); do
		n=$(find "/proc/$p/fd" -mindepth 1 | wc -l)
		soft_files "$p" $((n + 3)) || sent=1
	done
	[ $sent = 1 ] || send "$truth" -r 0 -n 3 -d 0.5 --mix conn-refused || sent=1
	[ $sent = 1 ] || settle "$dir" "$truth"
	for p in $(workers); do soft_files "$p" 20000; done
	let_go
	why502_stop "$dir"
	[ $sent = 0 ] || return 1
	judge "$dir" "$truth" || return 1
	expect 'the files beside it' grep -q 'host: the gateway has [0-9]* of [0-9]* files open (process [0-9]*)' <(of "$dir" "$truth") ||
		{ of "$dir" "$truth" | jq -c .evidence; return 1; }
	expect 'a warning in the stats' [ "$(tail -n 1 "$dir/findings.ndjson" |
		jq '[.host.gateways[].files_max // 0 | select(. > 0)] | length')" -ge 1 ]
}

# Twenty ports, nineteen of them taken towards one backend.
case_ports_near() {
	local dir=$work/ports truth=$work/ports.tsv range sent=0
	range=$(lab exec gateway cat /proc/sys/net/ipv4/ip_local_port_range)
	why502_start "$dir" || return 1
	lab exec gateway sh -c 'echo 40000 40019 >/proc/sys/net/ipv4/ip_local_port_range'
	hold_open "$dir" gateway 19 10.77.3.2 9000 || sent=1
	# each refused connect asks for a new count, at most one a second
	send "$truth" -r 0 -n 12 -d 4 --mix conn-refused || sent=1
	settle "$dir" "$truth"
	why502_stop "$dir"
	let_go
	lab exec gateway sh -c "echo $range >/proc/sys/net/ipv4/ip_local_port_range"
	[ $sent = 0 ] || return 1
	tail -n 1 "$dir/findings.ndjson" | jq .host >"$dir/host"
	expect 'at least 19 ports towards it' jq -e \
		'[.gateways[].ports[] | select(.upstream.ip == "10.77.3.2" and .upstream.port == 9000 and .used >= 19)] | length > 0' "$dir/host" ||
		{ cat "$dir/host"; return 1; }
	expect 'a warning that says what to do' jq -e \
		'[.gateways[].warnings[] | select(.limit == "local ports to 10.77.3.2:9000" and (.next | length > 20))] | length > 0' "$dir/host"
}

# The gateway does not accept for a while, and clients come: its listener drops them. Requests that
# fail just then have their own cause, and the drops beside it.
case_accept_queue() {
	local dir=$work/accept worker i
	many_up "$work/many-nginx" backlog=2 || return 1
	why502_start "$dir" --port 8099 || { many_down "$work/many-nginx"; return 1; }
	worker=$(pgrep -P "$(cat "$work/many-nginx/pid")" | head -n 1)
	kill -STOP "$worker"
	# two rounds of a second, so that there is a time before the last two
	for i in 1 2; do
		# shellcheck disable=SC2016
		lab exec client bash -c 'for i in $(seq 12); do
			curl -s -o /dev/null --max-time 1.2 http://10.77.1.1:8099/flood & done; wait'
	done
	kill -CONT "$worker"
	for i in $(seq 6); do
		lab exec client curl -s -o /dev/null --max-time 5 "http://10.77.1.1:8099/after/$i"
	done
	lines "$dir/findings.ndjson" '"target":"/after/[0-9]*"' 2 6 "${pid_of[$dir]}" || :
	why502_stop "$dir"
	many_down "$work/many-nginx"
	grep '"target":"/after/' "$dir/findings.ndjson" >"$dir/after"
	expect 'conn-refused, and nothing else' [ "$(jq -r .cause "$dir/after" | sort -u)" = conn-refused ] || return 1
	expect 'the drops beside it' grep -q 'host: the listener of \*:8099 (the gateway) dropped [0-9]* connection attempts' "$dir/after" ||
		{ jq -c .evidence "$dir/after"; tail -n 1 "$dir/findings.ndjson" | jq -c .host; return 1; }
}

case_doctor_limits() {
	"$O/why502" doctor >"$work/doctor.out"
	expect 'files and accept queues of the gateway' \
		eval "grep -q 'open files of process [0-9]* *[0-9]* of [0-9]*' '$work/doctor.out' && grep -q 'accept queue \*:8080 *[0-9]* of [0-9]*' '$work/doctor.out'" ||
		{ cat "$work/doctor.out"; return 1; }
}

# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# A second nginx, whose only backend is a name that moves after its start; see run.
# shellcheck disable=SC2154 # work, state, top, only come from run

# ask_own: one request to it, from the client; its status line
ask_own() {
	lab exec client bash -c 'exec 3<>/dev/tcp/10.77.1.1/8090 &&
		printf "GET /own/%s HTTP/1.1\r\nHost: own.lab\r\nConnection: close\r\n\r\n" "$0" >&3 &&
		IFS= read -rt 5 line <&3 && echo "$line"' "$1"
}

moved() { printf '%s\n' '127.0.0.1 localhost' "$1 moved.lab" >"$own/hosts"; }

own_start() {
	mkdir -p "$own"
	chmod 755 "$work" "$own"
	moved 10.77.3.53
	cat >"$own/nginx.conf" <<-END
	worker_processes 1;
	pid $own/pid;
	error_log $own/error.log;
	events { worker_connections 64; }
	http {
	access_log off;
	client_body_temp_path $own/body;
	proxy_temp_path $own/proxy;
	fastcgi_temp_path $own/fastcgi;
	uwsgi_temp_path $own/uwsgi;
	scgi_temp_path $own/scgi;
	upstream backend { server moved.lab:9070; }
	server { listen 8090; location / { proxy_pass http://backend; } }
	}
	END
	# shellcheck disable=SC2016
	lab exec gateway unshare -m --propagation private sh -c 'mount --bind "$0" /etc/hosts && exec "$@"' \
		"$own/hosts" nginx -p "$own" -c "$own/nginx.conf"
}

# Refused at first, where the name still stands; then it moves, and nginx goes on as before.
case_wrong_peer() {
	local dir=$work/wrong-peer own=$work/own i status
	gateway_is nginx || return 1
	own_start || return 1
	why502_start "$dir" -w "$work/wrong-peer.w5" || { kill "$(cat "$own/pid")"; return 1; }
	status=$(ask_own 1)
	lines "$dir/findings.ndjson" '"target":"/own/1"' 1 5
	moved 10.77.3.2
	for i in $(seq 2 30); do
		status=$(ask_own "$i")
		lines "$dir/findings.ndjson" '"cause":"wrong-peer"' 1 0.5 && break
	done
	kill "$(cat "$own/pid")"
	why502_stop "$dir"
	expect "502 of nginx, not $status" grep -q ' 502 ' <<<"$status" || return 1
	expect 'conn-refused where the name still stood' \
		grep -q '"target":"/own/1".*"cause":"conn-refused"\|"cause":"conn-refused".*"target":"/own/1"' "$dir/findings.ndjson" || return 1
	expect 'both addresses in the sentence' \
		grep -q 'moved.lab is 10.77.3.2 now, nginx still uses 10.77.3.53 from its start' "$dir/findings.ndjson" ||
		{ cat "$dir/findings.ndjson"; return 1; }
	"$O/why502" --output ndjson -r "$work/wrong-peer.w5" >"$dir/replay" || :
	expect 'the same from a trace' eval "grep '\"type\":\"finding\"' '$dir/replay' | diff - <(grep '\"type\":\"finding\"' '$dir/findings.ndjson')"
}

# It had moved before why502 came: the configuration has no other name it could be.
case_wrong_peer_before() {
	local dir=$work/wrong-peer-before own=$work/own-before i status
	gateway_is nginx || return 1
	own_start || return 1
	moved 10.77.3.2
	why502_start "$dir" || { kill "$(cat "$own/pid")"; return 1; }
	# looked up with the first tick: a request before that is judged without
	for i in $(seq 10); do
		status=$(ask_own "$i")
		lines "$dir/findings.ndjson" '"cause":"wrong-peer"' 1 0.5 && break
	done
	kill "$(cat "$own/pid")"
	why502_stop "$dir"
	expect "502 of nginx, not $status" grep -q ' 502 ' <<<"$status" || return 1
	expect 'wrong-peer' grep -q '"cause":"wrong-peer"' "$dir/findings.ndjson" || { cat "$dir/findings.ndjson"; return 1; }
}
